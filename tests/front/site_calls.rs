//! What a WordPress tells of its posts.

use std::fmt::Write;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    Answer,
    integrations::{INTEGRATIONS, integrated},
    publishing::Desk,
    sync_sides::{hear, heard},
    text,
};

const WEBHOOK: &str = "/api/v1/integration/webhook/wordpress";

/// A site with one text here.
struct Site {
    desk: Desk,
    secret: String,
    integration: String,
    content: String,
}

impl Site {
    async fn new() -> Self {
        let desk = Desk::new().await;
        let (path, secret) = integrated(&desk).await;
        let post = desk.written("Tea").await;
        let (integration, content) = (last(&path), last(&post));
        Self { desk, secret, integration, content }
    }

    fn request(&self) -> RequestBuilder {
        self.desk.front.bare(Method::POST, WEBHOOK)
    }

    async fn tells(&self, body: Value) -> Answer {
        let request = self.request().header("authorization", format!("ApiKey {}", self.secret));
        self.desk.front.send(request.json(&self.about(body))).await
    }

    fn about(&self, more: Value) -> Value {
        let mut body = json!({ "event": "status", "content_id": self.content, "post_id": 7 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    async fn status(&self) -> Value {
        self.desk.front.get(&format!("{}/{}", self.desk.posts, self.content)).await.is(200)["status"].clone()
    }
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// HMAC-SHA256 of `body` as the document has it, by hand, so that the code is not compared with itself.
fn signature(secret: &str, body: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut key = secret.as_bytes().to_vec();
    if key.len() > 64 {
        key = Sha256::digest(&key).to_vec();
    }
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::digest([pad(0x36), body.as_bytes().to_vec()].concat());
    let outer = Sha256::digest([pad(0x5c), inner.to_vec()].concat());
    outer.iter().fold("sha256=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn a_site_shows_who_it_is_in_four_ways() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let body = site.about(json!({ "post_status": "pending", "timestamp": "2026-11-01T00:00:00Z" }));
    front.send(site.request().json(&body)).await.is_problem(401, "UNAUTHORIZED");
    for request in [
        site.request().header("authorization", format!("ApiKey {}", site.secret)),
        site.request().header("x-api-key", &site.secret),
        front.request(Method::POST, WEBHOOK),
    ] {
        let answer = front.send(request.json(&body)).await;
        assert_eq!(answer.is(200)["data"]["status"], "review", "{}", answer.text);
    }
    let raw = body.to_string();
    let signed = |query: &str, signature: &str, raw: &str| {
        let request = front.bare(Method::POST, &format!("{WEBHOOK}{query}"));
        let request = request.header("content-type", "application/json").header("x-webhook-signature", signature);
        front.send(request.body(raw.to_owned()))
    };
    let query = format!("?integration_id={}", site.integration);
    let good = signature(&site.secret, &raw);
    signed(&query, &good, &raw).await.is(200);
    let named = site.about(json!({ "integration_id": site.integration, "post_status": "pending" })).to_string();
    signed("", &signature(&site.secret, &named), &named).await.is(200);
    for (query, signature, raw) in [
        (query.as_str(), good.as_str(), format!("{raw} ")),
        (query.as_str(), "sha256=00", raw.clone()),
        ("", good.as_str(), raw.clone()),
        ("?integration_id=7", good.as_str(), raw.clone()),
        (
            query.as_str(),
            &signature(super::integrations::body(&site.desk)["api_key"].as_str().unwrap(), &raw),
            raw.clone(),
        ),
    ] {
        signed(query, signature, &raw).await.is_problem(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn states_of_the_site_are_states_here() {
    let site = Site::new().await;
    for (second, (there, here)) in (10..).zip([
        ("publish", "published"),
        ("draft", "draft"),
        ("private", "published"),
        ("pending", "review"),
        ("future", "scheduled"),
        ("trash", "archived"),
        ("odd", "archived"),
    ]) {
        let at = format!("2026-11-01T00:00:{second}Z");
        let told = json!({ "post_status": there, "timestamp": at, "post_url": "https://blog.example/tea/" });
        let answer = site.tells(told).await;
        let data = &answer.is(200)["data"];
        assert_eq!((&data["status"], &data["wordpress_status"]), (&json!(here), &json!(there)), "{there}");
    }
    let records = site.desk.front.get(&format!("/api/v1/publisher/records?content_id={}", site.content)).await;
    assert_eq!(records.is(200)["count"], 1, "one post, one record");
    let record = &records.json["results"][0];
    assert_eq!((&record["external_id"], &record["status"]), (&json!("7"), &json!("retracted")));
    assert!(record["metadata"].get("site_time").is_none(), "{record}");
}

#[tokio::test]
async fn what_only_the_site_has_promised_can_be_taken_back_here() {
    let site = Site::new().await;
    site.tells(json!({ "post_status": "future" })).await.is(200);
    assert_eq!(site.status().await, "scheduled");
    let post = format!("{}/{}", site.desk.posts, site.content);
    site.desk.front.post(&format!("{post}/unschedule"), &json!({})).await.is(200);
    assert_eq!(site.status().await, "draft");
}

#[tokio::test]
async fn the_same_call_again_and_an_older_one_change_nothing() {
    let site = Site::new().await;
    let at = |second: u32, status: &str| json!({ "post_status": status, "timestamp": format!("2026-11-01T00:00:{second:02}Z") });
    site.tells(at(20, "publish")).await.is(200);
    let database = &site.desk.front.harness.database;
    let before = database.texts("SELECT updated_at::text FROM articles ORDER BY 1").await;
    for (second, status) in [(20, "draft"), (19, "trash")] {
        let answer = site.tells(at(second, status)).await;
        let data = &answer.is(200)["data"];
        assert_eq!((&data["status"], &data["wordpress_status"]), (&json!("published"), &json!("publish")), "{second}");
        assert_eq!(data["synced_at"], "2026-11-01T00:00:20.000Z");
    }
    assert_eq!(database.texts("SELECT updated_at::text FROM articles ORDER BY 1").await, before);
    assert_eq!(site.tells(at(21, "draft")).await.is(200)["data"]["status"], "draft");
    let ahead = site.tells(json!({ "timestamp": "2099-01-01T00:00:00Z" })).await;
    ahead.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(ahead.wrong_fields(), ["timestamp"]);
}

#[tokio::test]
async fn what_a_site_does_not_have_does_not_exist_for_it() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let (_, elsewhere) = front.written().await;
    for content in ["0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e", &elsewhere] {
        let answer = site.tells(json!({ "content_id": content, "post_status": "publish" })).await;
        answer.is_problem(404, "NOT_FOUND");
        assert_eq!(answer.wrong_fields(), ["content_id"], "{content}");
    }
    let bare = site.tells(json!({ "content_id": null })).await;
    bare.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(bare.wrong_fields(), ["content_id"]);
    let unnamed = site.tells(json!({ "post_id": null })).await;
    unnamed.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(unnamed.wrong_fields(), ["post_id"]);
    let task = front.get(&format!("{}/{}", site.desk.posts, site.content)).await;
    let by_task =
        site.tells(json!({ "content_id": null, "task_id": task.is(200)["job_id"], "post_status": "draft" })).await;
    assert_eq!(by_task.is(200)["data"]["content_id"], site.content);
    let other = site.desk.written("Coffee").await;
    site.tells(json!({ "content_id": last(&other) })).await.is_problem(409, "CONFLICT");
    let (_, stranger) = front.harness.other_tenant().await;
    let theirs = front.request_as(&stranger, Method::POST, WEBHOOK).json(&site.about(json!({})));
    front.send(theirs).await.is_problem(404, "NOT_FOUND");
    front.put(&format!("{INTEGRATIONS}/{}", site.integration), &json!({ "is_active": false })).await.is(200);
    site.tells(json!({})).await.is_problem(409, "CONFLICT");
}

#[tokio::test]
async fn what_a_site_has_told_is_seen_in_its_health() {
    let site = Site::new().await;
    let health = format!("{INTEGRATIONS}/{}/sync_health", site.integration);
    let quiet = site.desk.front.get(&health).await;
    let quiet = &quiet.is(200)["data"];
    assert_eq!(
        (&quiet["status"], &quiet["success_rate"], &quiet["synced_count"]),
        (&json!("healthy"), &json!(100.0), &json!(0))
    );
    site.tells(json!({ "post_status": "publish", "metadata": { "views": 3 } })).await.is(200);
    site.tells(json!({ "event": "post.deleted" })).await.is(200);
    let told = site.desk.front.get(&health).await;
    let told = &told.is(200)["data"];
    let actions: Vec<String> =
        told["recent_events"].as_array().unwrap().iter().map(|event| text(&event["action"])).collect();
    assert_eq!(actions, ["post.deleted", "status"], "the newest first");
    let shown = site.desk.front.get(INTEGRATIONS).await;
    assert!(shown.is(200)["results"][0]["metadata"]["plugin_seen_at"].is_string(), "the site has called");
}

#[tokio::test]
async fn what_a_site_tells_is_told_with_its_record_and_reaches_the_folder() {
    let site = Site::new().await;
    let database = &site.desk.front.harness.database;
    hear(&site.desk).await;
    site.tells(json!({ "post_status": "publish" })).await.is(200);
    let record = database.texts("SELECT id::text FROM publications").await.remove(0);
    let told = heard(&site.desk).await;
    assert!(told.contains("publication.published") && told.contains(&record), "{told}");
    let follows = "SELECT count(*) FROM steps WHERE kind = 'folder_follow'";
    let before = database.number(follows).await;
    site.tells(json!({ "post_status": "private" })).await.is(200);
    assert_eq!(database.number(follows).await, before + 1);
}

#[tokio::test]
async fn a_call_about_a_post_that_is_being_made_notes_nothing() {
    let site = Site::new().await;
    let publish = json!({ "content_id": site.content });
    site.desk.front.post("/api/v1/publisher/publish", &publish).await.is(202);
    let called = site.tells(json!({ "post_status": "publish" })).await;
    assert_eq!(called.is(200)["data"]["wordpress_status"], "publish");
    let noted = "SELECT count(*) FROM publications WHERE external_id IS NOT NULL";
    assert_eq!(site.desk.front.harness.database.number(noted).await, 0);
}

//! The publisher over HTTP: records, many texts at once, sites as everybody may read them.

use galley_domain::task::TaskStatus;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Answer, Front, id,
    integrations::{INTEGRATIONS, integrated},
    publishing::Desk,
    text,
};

const RECORDS: &str = "/api/v1/publisher/records";
const PUBLISH: &str = "/api/v1/publisher/publish";
const DEPLOYMENTS: &str = "/api/v1/publisher/deployments";
const DEFINITION: &str = "/api/v1/publisher/site-definition";
const INVALID: &str = "VALIDATION_ERROR";
const NOBODY: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

/// A desk whose project has an integration, with texts; their ids.
async fn site(topics: &[&str]) -> (Desk, Vec<String>) {
    let desk = Desk::new().await;
    integrated(&desk).await;
    let mut texts = Vec::new();
    for topic in topics {
        texts.push(desk.written(topic).await.rsplit('/').next().unwrap().to_owned());
    }
    (desk, texts)
}

async fn status(front: &Front, publish: &Value) -> Value {
    front.get(&format!("{PUBLISH}/status?publish_id={}", text(publish))).await.is(200)["data"].clone()
}

/// Waits until every task of these records has ended.
async fn ended(desk: &Desk, records: &Value) {
    for record in records.as_array().unwrap() {
        let tasks = format!("SELECT task_id::text FROM publications WHERE id = '{}'", text(&record["record_id"]));
        let task = desk.front.harness.database.texts(&tasks).await.remove(0);
        desk.front.harness.ended(task.parse().unwrap()).await;
    }
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.is_problem(400, INVALID);
    answer.wrong_fields()
}

#[tokio::test]
async fn texts_are_published_at_once_and_what_came_of_it_is_told() {
    let (desk, texts) = site(&["Tea", "Coffee"]).await;
    let front = &desk.front;
    let ordered = front.post(PUBLISH, &json!({ "content_ids": texts })).await;
    let ordered = &ordered.is(202)["data"];
    let records = &ordered["records"];
    let shown: Vec<(&Value, &Value)> =
        records.as_array().unwrap().iter().map(|record| (&record["destination"], &record["status"])).collect();
    assert_eq!(shown, [(&json!("wordpress"), &json!("pending")); 2]);
    assert_eq!(status(front, &ordered["publish_id"]).await["status"], "pending");
    let waiting = front.get(&format!("{DEPLOYMENTS}?status=pending")).await;
    assert_eq!((&waiting.is(200)["count"], &waiting.json["results"][0]["completed_at"]), (&json!(1), &Value::Null));
    let engine = desk.engine();
    ended(&desk, records).await;
    engine.stop().await;
    let done = status(front, &ordered["publish_id"]).await;
    assert_eq!(done["status"], "published", "{done}");
    assert!(done["records"].as_array().unwrap().iter().all(|record| record["external_url"].is_string()), "{done}");
    assert_eq!(desk.blog.posts().len(), 2);
    let deployments = front.get(&format!("{DEPLOYMENTS}?site_id={}", desk.project)).await;
    let deployment = &deployments.is(200)["results"][0];
    assert_eq!((&deployment["status"], &deployment["items_deployed"]), (&json!("completed"), &json!(2)));
    assert_eq!((&deployment["version"], &deployment["deployment_type"]), (&json!(1), &json!("incremental")));
    assert!(deployment["completed_at"].is_string() && deployment["error_log"].is_null(), "{deployment}");
    let again = front.post(PUBLISH, &json!({ "content_id": texts[0] })).await;
    let newest = front.get(&format!("{PUBLISH}/status?content_id={}", texts[0])).await;
    assert_eq!(newest.is(200)["data"]["publish_id"], again.is(202)["data"]["publish_id"]);
    let second = front.get(&format!("{DEPLOYMENTS}?page_size=1")).await;
    assert_eq!((&second.is(200)["results"][0]["version"], &second.json["count"]), (&json!(2), &json!(2)));
    let behind = front.get(&format!("{DEPLOYMENTS}?page=9")).await;
    assert_eq!((&behind.is(200)["count"], &behind.json["results"]), (&json!(2), &json!([])));
    for filter in [
        format!("content_id={}", texts[1]),
        "status=published&page_size=1".into(),
        format!("site_id={}&destination=wordpress", desk.project),
    ] {
        assert!(front.get(&format!("{RECORDS}?{filter}")).await.is(200)["count"].as_u64() >= Some(1), "{filter}");
    }
    assert_eq!(front.get(&format!("{RECORDS}?destination=ghost")).await.is(200)["count"], 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_call_to_publish_is_named() {
    let (desk, texts) = site(&["Tea"]).await;
    let front = &desk.front;
    let text = &texts[0];
    for (body, wrong) in [
        (json!({}), vec!["content_id"]),
        (json!({ "content_id": text, "content_ids": [text] }), vec!["content_ids"]),
        (json!({ "content_ids": [] }), vec!["content_ids"]),
        (json!({ "content_ids": vec![NOBODY; 51] }), vec!["content_ids"]),
        (json!({ "content_id": text, "destinations": ["tumblr"] }), vec!["destinations[0]"]),
        (json!({ "content_id": text, "scheduled_at": "2020-01-01T00:00:00Z" }), vec!["scheduled_at"]),
        (json!({ "content_id": text, "colour": "red" }), vec!["colour"]),
    ] {
        assert_eq!(fields(&front.post(PUBLISH, &body).await), wrong, "{body}");
    }
    let unknown = front.post(PUBLISH, &json!({ "content_ids": [text, NOBODY] })).await;
    unknown.is_problem(404, "NOT_FOUND");
    assert_eq!(unknown.wrong_fields(), ["content_ids[1]"]);
    let (_, elsewhere) = front.written().await;
    assert_eq!(fields(&front.post(PUBLISH, &json!({ "content_id": elsewhere })).await), ["content_id"]);
    for kind in ["ghost", "folder"] {
        let nowhere = front.post(PUBLISH, &json!({ "content_id": text, "destinations": [kind] })).await;
        assert!(super::text(&nowhere.is_problem(409, "CONFLICT")["detail"]).contains("no destination"), "{kind}");
    }
    assert_eq!(fields(&front.get(&format!("{PUBLISH}/status")).await), ["publish_id"]);
    for query in [format!("publish_id={NOBODY}"), format!("content_id={NOBODY}"), format!("content_id={text}")] {
        front.get(&format!("{PUBLISH}/status?{query}")).await.is_problem(404, "NOT_FOUND");
    }
    assert_eq!(front.get(DEPLOYMENTS).await.is(200)["count"], 0, "a refused call makes none");
}

#[tokio::test]
async fn the_gate_refuses_one_by_one_and_all_of_them_is_a_conflict() {
    let (desk, texts) = site(&["Tea", "Coffee"]).await;
    let front = &desk.front;
    let gate = json!({ "settings": { "publish_gate": { "approved": true } } });
    front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    let refused = front.post(PUBLISH, &json!({ "content_ids": texts })).await;
    refused.is_problem(409, "CONFLICT");
    assert_eq!(refused.wrong_fields(), ["content_ids[0]", "content_ids[1]"]);
    assert!(refused.text.contains("nobody has said that it is ready"), "{}", refused.text);
    let records = front.get(&format!("{RECORDS}?status=failed")).await;
    assert_eq!(records.is(200)["count"], 2);
    front.patch(&format!("{}/{}", desk.posts, texts[0]), &json!({ "status": "ready" })).await.is(200);
    let one = front.post(PUBLISH, &json!({ "content_ids": texts })).await;
    let states: Vec<&Value> =
        one.is(202)["data"]["records"].as_array().unwrap().iter().map(|record| &record["status"]).collect();
    assert_eq!(states, ["pending", "failed"]);
    let engine = desk.engine();
    ended(&desk, &json!([one.json["data"]["records"][0]])).await;
    engine.stop().await;
    let partial = status(front, &one.json["data"]["publish_id"]).await;
    assert_eq!(partial["status"], "partial");
    assert!(super::text(&partial["records"][1]["error_message"]).contains("ready"), "{partial}");
    let deployments = front.get(DEPLOYMENTS).await;
    assert_eq!(deployments.is(200)["results"][0]["status"], "completed");
    assert!(deployments.json["results"][0]["error_log"].is_string());
    assert_eq!(deployments.json["results"][1]["status"], "failed");
}

#[tokio::test]
async fn the_same_call_again_publishes_nothing_twice() {
    let (desk, texts) = site(&["Tea", "Coffee"]).await;
    let gate = json!({ "settings": { "publish_gate": { "approved": true } } });
    desk.front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    desk.front.patch(&format!("{}/{}", desk.posts, texts[0]), &json!({ "status": "ready" })).await.is(200);
    let send = || {
        let request = desk.front.request(Method::POST, PUBLISH).header("idempotency-key", "once");
        desk.front.send(request.json(&json!({ "content_ids": texts })))
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.is(202)["data"], second.is(202)["data"]);
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(desk.front.get(RECORDS).await.is(200)["count"], 2, "also the refused one is there once");
}

#[tokio::test]
async fn an_hour_is_promised_to_each_text() {
    let (desk, texts) = site(&["Tea"]).await;
    let body = json!({ "content_id": texts[0], "scheduled_at": "2028-01-01T10:00:00Z", "destinations": ["wordpress"] });
    let ordered = desk.front.post(PUBLISH, &body).await;
    let publish = ordered.is(202)["data"]["publish_id"].clone();
    let post = desk.front.get(&format!("{}/{}", desk.posts, texts[0])).await;
    assert_eq!(
        (&post.is(200)["status"], &post.json["scheduled_at"]),
        (&json!("scheduled"), &json!("2028-01-01T10:00:00.000Z"))
    );
    assert_eq!(status(&desk.front, &publish).await["status"], "pending");
    desk.front.delete(&format!("{INTEGRATIONS}/{}", desk.connection)).await.is_problem(409, "CONFLICT");
    let task = desk.front.harness.database.texts("SELECT task_id::text FROM publications").await.remove(0);
    desk.front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    assert_eq!(desk.front.harness.ended(task.parse().unwrap()).await.status, TaskStatus::Cancelled);
    assert_eq!(status(&desk.front, &publish).await["status"], "failed");
}

#[tokio::test]
async fn a_publication_made_elsewhere_is_the_one_that_is_updated() {
    let (desk, texts) = site(&["Tea"]).await;
    let front = &desk.front;
    let theirs = desk.blog.write("tea", "<p>Made elsewhere</p>");
    let record = json!({
        "content_id": texts[0], "destination": "wordpress", "external_id": theirs.to_string(), "status": "published",
        "external_url": "https://blog.example/tea/", "metadata": { "by": "hand" },
    });
    let made = front.post(RECORDS, &record).await;
    let made = &made.is(201)["data"];
    assert_eq!((&made["status"], &made["site_id"]), (&json!("published"), &json!(desk.project)));
    assert!(made["published_at"].is_string() && made["metadata"] == json!({ "by": "hand" }), "{made}");
    let ordered = front.post(PUBLISH, &json!({ "content_id": texts[0] })).await;
    let engine = desk.engine();
    ended(&desk, &ordered.is(202)["data"]["records"]).await;
    engine.stop().await;
    assert_eq!(desk.blog.posts().len(), 1, "no second post");
    let other = desk.written("Coffee").await;
    let mixed = json!({ "content_id": id(&json!(other.rsplit('/').next())), "destination": "wordpress", "external_id": theirs.to_string() });
    front.post(RECORDS, &mixed).await.is_problem(409, "CONFLICT");
    let pending = json!({ "content_id": texts[0], "destination": "ghost" });
    assert_eq!(front.post(RECORDS, &pending).await.is(201)["data"]["status"], "pending");
    front.delete(&format!("{INTEGRATIONS}/{}", desk.connection)).await.is(204);
    assert_eq!(
        fields(&front.post(RECORDS, &json!({ "status": "lost" })).await),
        ["content_id", "destination", "status"]
    );
    let unknown = front.post(RECORDS, &json!({ "content_id": NOBODY, "destination": "wordpress" })).await;
    unknown.is_problem(404, "NOT_FOUND");
    assert_eq!(unknown.wrong_fields(), ["content_id"]);
}

#[tokio::test]
async fn a_site_is_read_by_everybody_once_it_is_open() {
    let (desk, texts) = site(&["Tea", "Coffee"]).await;
    let front = &desk.front;
    let ask = |query: String, tag: Option<String>| {
        let request = front.bare(Method::GET, &format!("{DEFINITION}{query}"));
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-none-match", tag));
        front.send(request)
    };
    let by_id = || format!("?site_id={}", desk.project);
    ask(by_id(), None).await.is_problem(404, "NOT_FOUND");
    ask(format!("?site_id={NOBODY}"), None).await.is_problem(404, "NOT_FOUND");
    assert_eq!(fields(&ask(String::new(), None).await), ["site_id"]);
    let change = json!({ "excerpt": "Short", "categories": ["Drinks"], "tags": ["leaf"] });
    front.patch(&format!("{}/{}", desk.posts, texts[0]), &change).await.is(200);
    let project = format!("/api/v1/projects/{}", desk.project);
    let open = front.patch(&project, &json!({ "settings": { "public_site_definition": true } })).await;
    let slug = open.is(200)["slug"].as_str().unwrap_or("blog").to_owned();
    let empty = ask(by_id(), None).await;
    assert_eq!(empty.is(200)["data"]["pages"], json!([]), "drafts are nobody's");
    let ordered = front.post(PUBLISH, &json!({ "content_id": texts[0] })).await;
    let engine = desk.engine();
    ended(&desk, &ordered.is(202)["data"]["records"]).await;
    engine.stop().await;
    let shown = ask(by_id(), None).await;
    let data = &shown.is(200)["data"];
    assert_eq!((data["pages"].as_array().unwrap().len(), &data["site"]["id"]), (1, &json!(desk.project)));
    let page = &data["pages"][0];
    assert_eq!((&page["excerpt"], &page["content_type"]), (&json!("Short"), &json!("post")));
    assert!(text(&page["content_html"]).contains("<p>"), "{page}");
    assert_eq!(page["taxonomy_terms"][0], json!({ "name": "Drinks", "slug": "drinks", "taxonomy_type": "category" }));
    assert_eq!(data["taxonomies"].as_array().unwrap().len(), 2);
    assert_eq!(shown.header("cache-control"), "public, max-age=60");
    let tag = shown.header("etag").to_owned();
    let known = ask(by_id(), Some(tag.clone())).await;
    assert_eq!((known.status, known.text.as_str(), known.header("etag")), (304, "", tag.as_str()));
    assert_eq!(ask(format!("?site_slug={slug}"), None).await.is(200)["data"]["site"]["id"], desk.project);
    front.patch(&format!("{}/{}", desk.posts, texts[0]), &json!({ "title": "New" })).await.is(200);
    let newer = ask(by_id(), Some(tag)).await;
    assert!(newer.is(200)["data"]["version"].as_i64() > data["version"].as_i64(), "a change is seen");
    front.delete(&project).await.is(204);
    ask(by_id(), None).await.is_problem(404, "NOT_FOUND");
}

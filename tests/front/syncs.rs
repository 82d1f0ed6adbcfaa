//! Bringing a WordPress and the texts of its project into line.

use galley_testpeer::wordpress::Trouble;
use serde_json::{Value, json};

use super::{
    Answer, id,
    integrations::{INTEGRATIONS, integrated},
    publishing::Desk,
    text,
};

/// A site that is synced.
pub(super) struct Site {
    pub(super) desk: Desk,
    pub(super) path: String,
}

impl Site {
    pub(super) async fn new() -> Self {
        let desk = Desk::new().await;
        let (path, _) = integrated(&desk).await;
        Self { desk, path }
    }

    pub(super) async fn order(&self, body: Value) -> Answer {
        self.desk.front.post(&format!("{}/sync", self.path), &body).await
    }

    pub(super) async fn state(&self) -> Value {
        self.desk.front.get(&format!("{}/sync_status", self.path)).await.is(200)["data"].clone()
    }

    /// Syncs, and what came of it.
    pub(super) async fn sync(&self, body: Value) -> Value {
        let ordered = self.order(body).await;
        let task = id(&ordered.is(202)["data"]["sync_id"]);
        let engine = self.desk.engine();
        self.desk.front.harness.ended(task).await;
        engine.stop().await;
        self.state().await
    }

    pub(super) async fn pull(&self) -> Value {
        self.sync(json!({ "direction": "from_external" })).await["last_result"].clone()
    }

    pub(super) async fn texts(&self) -> Vec<Value> {
        self.desk.front.get(&self.desk.posts).await.is(200).as_array().unwrap().clone()
    }

    pub(super) async fn text(&self, title: &str) -> Value {
        let found = self.texts().await.into_iter().find(|text| text["title"] == title);
        let found = found.unwrap_or_else(|| panic!("there is a text called {title}"));
        let path = format!("{}/{}", self.desk.posts, text(&found["id"]));
        self.desk.front.get(&path).await.is(200).clone()
    }

    pub(super) async fn health(&self) -> Value {
        self.desk.front.get(&format!("{}/sync_health", self.path)).await.is(200)["data"].clone()
    }
}

pub(super) fn did(pulled: u32, pushed: u32, failed: u32, mismatched: u32) -> Value {
    json!({ "pulled": pulled, "pushed": pushed, "failed": failed, "mismatched": mismatched })
}

#[tokio::test]
async fn what_a_site_has_comes_here_once() {
    let site = Site::new().await;
    let blog = &site.desk.blog;
    for number in 0..25 {
        blog.write(&format!("post-{number}"), "<h2>Green</h2><p>Leaves &amp; <b>more</b>.</p>");
    }
    blog.write_page("about", "<p>About us</p>");
    let draft = blog.write("draft", "<p>Not yet</p>");
    blog.edit(draft, |post| {
        post["status"] = json!("draft");
        post["title"]["raw"] = json!("A draft");
    });
    let state = site.sync(json!({ "direction": "from_external" })).await;
    assert_eq!((&state["last_result"], &state["sync_status"]), (&did(27, 0, 0, 0), &json!("idle")), "{state}");
    assert!(state["last_sync_at"].is_string() && state["current"].is_null(), "{state}");
    let texts = site.texts().await;
    assert_eq!(texts.len(), 27);
    assert_eq!(texts.iter().filter(|text| text["status"] == "draft").count(), 1);
    let one = site.text("Theirs").await;
    let content = text(&one["content"]);
    assert!(content.contains("<h2>Green</h2>") && content.contains("<strong>more</strong>"), "{content}");
    assert!(one["published_url"].is_string() && one["published_at"].is_string(), "{one}");
    let sources = site.desk.front.harness.database.texts("SELECT DISTINCT source FROM articles").await;
    assert_eq!(sources, ["wordpress"]);
    assert_eq!(site.pull().await, did(0, 0, 0, 0), "nothing comes twice");
    assert_eq!(site.texts().await.len(), 27);
    let kinds = site.desk.front.post(&format!("{}/update_structure", site.path), &json!({})).await;
    kinds.is(200);
    let kinds = site.desk.front.get(&format!("{}/content_types", site.path)).await;
    let kinds = &kinds.is(200)["data"]["post_types"];
    assert_eq!((&kinds["post"]["synced_count"], &kinds["page"]["synced_count"]), (&json!(26), &json!(1)));
}

#[tokio::test]
async fn kinds_that_are_switched_off_stay_there() {
    let site = Site::new().await;
    site.desk.blog.write("tea", "<p>Tea</p>");
    site.desk.blog.write_page("about", "<p>About</p>");
    let off = json!({ "post_types": { "post": { "enabled": false } } });
    site.desk.front.post(&format!("{}/update_structure", site.path), &off).await.is(200);
    assert_eq!(site.pull().await, did(1, 0, 0, 0));
    assert_eq!(site.texts().await[0]["title"], "A page");
    let named = json!({ "direction": "from_external", "content_types": ["post"] });
    assert_eq!(site.sync(named).await["last_result"], did(1, 0, 0, 0), "unless it is asked for by name");
    let page = site.text("A page").await;
    let publish = json!({ "connection_id": site.desk.connection });
    let sent = site.desk.front.post(&format!("{}/{}/publish", site.desk.posts, text(&page["id"])), &publish).await;
    assert!(text(&sent.is_problem(409, "CONFLICT")["detail"]).contains("page"), "a page would become a post");
}

#[tokio::test]
async fn changes_there_come_here_unless_both_sides_have_changed() {
    let site = Site::new().await;
    let blog = &site.desk.blog;
    let (first, second) = (blog.write("first", "<p>One</p>"), blog.write("second", "<p>Two</p>"));
    blog.edit(first, |post| post["title"]["raw"] = json!("First"));
    blog.edit(second, |post| post["title"]["raw"] = json!("Second"));
    site.pull().await;
    blog.edit(first, |post| post["content"]["raw"] = json!("<p>One, better</p>"));
    blog.edit(second, |post| post["content"]["raw"] = json!("<p>Two, theirs</p>"));
    let mine = site.text("Second").await;
    let path = format!("{}/{}", site.desk.posts, text(&mine["id"]));
    site.desk.front.patch(&path, &json!({ "content": "<p>Two, ours</p>" })).await.is(200);
    assert_eq!(site.pull().await, did(1, 0, 0, 1));
    let taken = site.text("First").await;
    assert_eq!((&taken["version"], text(&taken["content"]).contains("better")), (&json!(2), true), "{taken}");
    let kept = site.text("Second").await;
    assert!(text(&kept["content"]).contains("ours"), "the text that both have changed is left alone: {kept}");
    let health = site.health().await;
    assert_eq!(health["status"], "warning");
    assert_eq!(health["mismatches"]["posts"][0]["content_id"], mine["id"], "{health}");
    assert_eq!(health["mismatches"]["posts"][0]["state"], "changed_both");
    assert_eq!(site.sync(json!({})).await["last_result"], did(0, 0, 0, 1), "and is sent nowhere");
    assert!(blog.posts().iter().any(|post| post.to_string().contains("Two, theirs")));
    blog.edit(first, |post| post["status"] = json!("draft"));
    let state = site.sync(json!({ "direction": "metadata" })).await;
    assert_eq!(state["last_result"], did(1, 0, 0, 1));
    assert_eq!(site.text("First").await["status"], "draft");
}

#[tokio::test]
async fn metadata_brings_no_text() {
    let site = Site::new().await;
    let post = site.desk.blog.write("tea", "<p>Tea</p>");
    assert_eq!(site.sync(json!({ "direction": "metadata" })).await["last_result"], did(0, 0, 0, 0));
    assert_eq!(site.texts().await.len(), 0);
    site.pull().await;
    site.desk.blog.edit(post, |post| post["content"]["raw"] = json!("<p>Other</p>"));
    assert_eq!(site.sync(json!({ "direction": "metadata" })).await["last_result"], did(0, 0, 0, 1));
    let text_here = site.text("Theirs").await;
    assert!(text(&text_here["content"]).contains("Tea"), "{text_here}");
    assert_eq!(site.pull().await, did(1, 0, 0, 0), "and a pull still sees that it was changed");
}

#[tokio::test]
async fn what_is_approved_or_changed_goes_there() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let (tea, coffee) = (site.desk.written("Tea").await, site.desk.written("Coffee").await);
    front.patch(&tea, &json!({ "status": "ready" })).await.is(200);
    let state = site.sync(json!({ "direction": "to_external" })).await;
    assert_eq!(state["last_result"], did(0, 1, 0, 0), "the draft stays: {state}");
    let engine = site.desk.engine();
    let tasks = "SELECT task_id::text FROM publications";
    front.harness.completed(front.harness.database.texts(tasks).await.remove(0).parse().unwrap()).await;
    engine.stop().await;
    assert_eq!(front.get(&tea).await.is(200)["status"], "published");
    assert_eq!(site.sync(json!({ "direction": "to_external" })).await["last_result"], did(0, 0, 0, 0));
    front.patch(&tea, &json!({ "title": "Better tea" })).await.is(200);
    assert_eq!(site.sync(json!({ "direction": "to_external" })).await["last_result"], did(0, 1, 0, 0));
    assert_eq!(front.get(&coffee).await.is(200)["status"], "draft");
}

#[tokio::test]
async fn one_sync_at_a_time_and_its_end_is_told() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let ordered = site.order(json!({})).await;
    let data = &ordered.is(202)["data"];
    assert_eq!((&data["status"], &data["direction"]), (&json!("syncing"), &json!("both")));
    site.order(json!({})).await.is_problem(409, "CONFLICT");
    let state = site.state().await;
    assert_eq!((&state["sync_status"], &state["current"]["sync_id"]), (&json!("syncing"), &data["sync_id"]));
    let all = front.post(&format!("{INTEGRATIONS}/site_sync"), &json!({ "site_id": site.desk.project })).await;
    let result = &all.is(202)["data"]["results"][0];
    assert_eq!((&result["sync_id"], &result["status"]), (&Value::Null, &json!("error")), "{result}");
    let cancelled = front.delete(&format!("/api/v1/tasks/{}", text(&data["sync_id"]))).await;
    cancelled.is(200);
    let state = site.state().await;
    assert_eq!((&state["sync_status"], &state["current"]), (&json!("idle"), &Value::Null), "{state}");
    let all = front.post(&format!("{INTEGRATIONS}/site_sync"), &json!({ "site_id": site.desk.project })).await;
    let task = id(&all.is(202)["data"]["results"][0]["sync_id"]);
    site.desk.blog.trouble(
        "GET",
        "wp/v2/categories",
        Trouble::Status("403 Forbidden", "", r#"{"code":"x","message":"No."}"#),
    );
    let engine = site.desk.engine();
    front.harness.ended(task).await;
    engine.stop().await;
    let state = site.state().await;
    assert_eq!(state["sync_status"], "error");
    assert!(text(&state["error"]).contains("403"), "{state}");
    let health = site.health().await;
    assert_eq!((&health["status"], &health["recent_events"][0]["success"]), (&json!("error"), &json!(false)));
    assert_eq!(site.sync(json!({})).await["sync_status"], "idle", "and the next one clears it");
    let unknown = front
        .post(&format!("{INTEGRATIONS}/site_sync"), &json!({ "site_id": "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e" }))
        .await;
    unknown.is_problem(404, "NOT_FOUND");
    assert_eq!(unknown.wrong_fields(), ["site_id"]);
    front.put(&site.path, &json!({ "is_active": false })).await.is(200);
    site.order(json!({})).await.is_problem(409, "CONFLICT");
    assert_eq!(site.order(json!({ "direction": "up" })).await.wrong_fields(), ["direction"]);
}

#[tokio::test]
async fn a_text_of_ours_whose_record_is_lost_is_known_by_its_mark() {
    let site = Site::new().await;
    let front = &site.desk.front;
    let tea = site.desk.written("Tea").await;
    let engine = site.desk.engine();
    front.post(&format!("{tea}/publish"), &json!({ "connection_id": site.desk.connection })).await.is(200);
    engine.stop().await;
    front.harness.database.execute("DELETE FROM publications").await;
    site.pull().await;
    assert_eq!(site.texts().await.len(), 1, "it does not come as another text");
    let records = front.get("/api/v1/publisher/records").await;
    assert_eq!(records.is(200)["count"], 1);
    assert_eq!(records.json["results"][0]["external_id"], site.desk.blog.posts()[0]["id"].to_string());
}

//! Blogs, posts and templates over HTTP, with a blog at the other end.

use galley_domain::{Permission, Scope, task::TaskStatus};
use galley_testkit::{Harness, RunningEngine, Script};
use galley_testpeer::wordpress::{FakeWordPress, Like, PASSWORD, Trouble, USER};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, id, text};

const CONNECTIONS: &str = "/api/v1/blog-connections";
const TEMPLATES: &str = "/api/v1/blog-templates";
const INVALID: &str = "VALIDATION_ERROR";
const NOBODY: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

/// A front, a blog, a connection between them, and a project.
pub(super) struct Desk {
    pub(super) front: Front,
    pub(super) blog: FakeWordPress,
    pub(super) connection: String,
    pub(super) project: String,
    /// Of the project's posts.
    pub(super) posts: String,
}

impl Desk {
    pub(super) async fn new() -> Self {
        Self::made(&[], |_| {}).await
    }

    /// The same, where these sites may be spoken to as well.
    pub(super) async fn beside(others: &[&FakeWordPress]) -> Self {
        Self::made(others, |_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut galley_services::Settings)) -> Self {
        Self::made(&[], change).await
    }

    async fn made(others: &[&FakeWordPress], change: impl FnOnce(&mut galley_services::Settings)) -> Self {
        let blog = FakeWordPress::start(Like::default()).await;
        let rule = |blog: &FakeWordPress| {
            let url: url::Url = blog.url().parse().unwrap();
            format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap()
        };
        let rules = std::iter::once(&blog).chain(others.iter().copied()).map(rule).collect();
        let harness = Harness::builder().keyring().settings(|settings| {
            settings.links = galley_fetch::address::Policy::new(rules);
            change(settings);
        });
        let front = Front::on(harness, |_| {}).await;
        let made = front.post(CONNECTIONS, &login(&blog.url())).await;
        let connection = text(&made.is(201)["id"]);
        let made = front.post("/api/v1/projects", &json!({ "name": "Blog", "platform": "wordpress" })).await;
        let project = text(&made.is(201)["id"]);
        let posts = format!("/api/v1/projects/{project}/blog-posts");
        Self { front, blog, connection, project, posts }
    }

    /// An engine that writes by a script and publishes for real.
    pub(super) fn engine(&self) -> RunningEngine {
        self.front.harness.publishing(&Script::default())
    }

    /// A post with a text; its path.
    pub(super) async fn written(&self, topic: &str) -> String {
        let made = self.front.post(&self.posts, &json!({ "topic": topic })).await;
        let post = made.is(202);
        let engine = self.engine();
        self.front.harness.completed(id(&post["job_id"])).await;
        engine.stop().await;
        format!("{}/{}", self.posts, text(&post["id"]))
    }

    pub(super) async fn publish(&self, post: &str, more: Value) -> Answer {
        let mut body = json!({ "connection_id": self.connection });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.front.post(&format!("{post}/publish"), &body).await
    }

    /// A post that stands at the blog; its path.
    pub(super) async fn published(&self, topic: &str) -> String {
        let post = self.written(topic).await;
        let engine = self.engine();
        self.publish(&post, json!({})).await.is(200);
        engine.stop().await;
        post
    }
}

pub(super) fn login(site: &str) -> Value {
    json!({ "name": "Blog", "site_url": format!("{site}/"), "username": USER, "app_password": PASSWORD })
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.is_problem(400, INVALID);
    answer.wrong_fields()
}

#[tokio::test]
async fn a_connection_is_made_tried_changed_and_removed() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let path = format!("{CONNECTIONS}/{}", desk.connection);
    let shown = front.get(&path).await;
    let shown = shown.is(200);
    assert_eq!(shown["site_url"], desk.blog.url(), "without the slash at its end");
    assert!(!shown.to_string().contains(PASSWORD) && shown.get("app_password").is_none(), "{shown}");
    let twin = front.post(CONNECTIONS, &login(&desk.blog.url())).await;
    twin.is_problem(409, "CONFLICT");
    let tested = front.post(&format!("{path}/test"), &json!({})).await;
    let tested = tested.is(200);
    assert_eq!(tested["success"], true, "{tested}");
    assert!(tested["capabilities"].as_array().unwrap().len() >= 10, "{tested}");
    let listed = front.get(CONNECTIONS).await;
    assert_eq!(listed.is(200).as_array().unwrap().len(), 1);
    let moved = front.patch(&path, &json!({ "site_url": "https://elsewhere.example" })).await;
    assert_eq!(fields(&moved), ["app_password"], "a stored password never goes to another host");
    let renamed = front.patch(&path, &json!({ "name": "Ours", "is_active": false })).await;
    assert_eq!((&renamed.is(200)["name"], &renamed.json["is_active"]), (&json!("Ours"), &json!(false)));
    front.delete(&path).await.is(204);
    front.delete(&path).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_named() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    for site in [
        "http://blog.example",
        "https://user:pass@blog.example",
        "https://blog.example/?p=1",
        "https://blog.example/#top",
        "https://127.0.0.1",
        "https://[::1]/",
        "https://169.254.169.254/",
        "https://router.local",
        "ftp://blog.example",
        "blog.example",
        "",
    ] {
        let body = json!({ "name": "B", "site_url": site, "username": "u", "app_password": "p" });
        assert_eq!(fields(&front.post(CONNECTIONS, &body).await), ["site_url"], "{site}");
    }
    let answer = front.post(CONNECTIONS, &json!({})).await;
    assert_eq!(fields(&answer), ["name", "site_url", "username", "app_password"]);
    let body = json!({ "name": "B", "site_url": "https://blog.example", "username": "a:b", "app_password": "a\u{7}b" });
    assert_eq!(fields(&front.post(CONNECTIONS, &body).await), ["username", "app_password"]);
}

#[tokio::test]
async fn categories_are_asked_for_and_remembered() {
    let desk = Desk::new().await;
    let path = format!("{CONNECTIONS}/{}/categories", desk.connection);
    let first = desk.front.get(&path).await;
    assert!(first.is(200).is_array());
    let requests = desk.blog.peer().asked().len();
    desk.front.get(&path).await.is(200);
    assert_eq!(desk.blog.peer().asked().len(), requests, "the second answer was remembered");
    desk.front.get(&format!("{path}?refresh=true")).await.is(200);
    assert!(desk.blog.peer().asked().len() > requests);
    let shown = desk.front.get(&format!("{CONNECTIONS}/{}", desk.connection)).await;
    assert_eq!(shown.is(200)["has_categories"], true);
}

#[tokio::test]
async fn there_is_one_default_template() {
    let front = Front::new().await;
    let body = json!({
        "name": "Plain", "is_default": true, "tone": "casual",
        "structure": { "sections": [{ "heading": "Why", "words": 200 }, { "heading": "How" }] },
    });
    let first = front.post(TEMPLATES, &body).await;
    let first = text(&first.is(201)["id"]);
    let second = front.post(TEMPLATES, &json!({ "name": "Other", "is_default": true })).await;
    second.is(201);
    let shown = front.get(&format!("{TEMPLATES}/{first}")).await;
    assert_eq!(shown.is(200)["is_default"], false);
    assert_eq!(shown.json["structure"]["sections"][0]["heading"], "Why");
    let changed = front.patch(&format!("{TEMPLATES}/{first}"), &json!({ "is_default": true, "tone": null })).await;
    assert_eq!((&changed.is(200)["is_default"], &changed.json["tone"]), (&json!(true), &Value::Null));
    let listed = front.get(TEMPLATES).await;
    let defaults = listed.is(200).as_array().unwrap().iter().filter(|template| template["is_default"] == true).count();
    assert_eq!(defaults, 1);
    let wrong = front.post(TEMPLATES, &json!({ "structure": { "sections": [{ "words": 0 }] } })).await;
    assert_eq!(fields(&wrong), ["name", "structure.sections[0].heading", "structure.sections[0].words"]);
    front.delete(&format!("{TEMPLATES}/{first}")).await.is(204);
    front.get(&format!("{TEMPLATES}/{first}")).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_post_is_ordered_read_and_changed() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let made = front.post(&desk.posts, &json!({ "topic": "Tea", "wp_category_ids": [3], "newer": 1 })).await;
    let post = made.is(202);
    assert_eq!((&post["status"], &post["title"], &post["topic"]), (&json!("generating"), &json!("Tea"), &json!("Tea")));
    assert_eq!(post["wp_category_ids"], json!([3]));
    let path = format!("{}/{}", desk.posts, text(&post["id"]));
    front.patch(&path, &json!({ "title": "Too early" })).await.is_problem(409, "CONFLICT");
    let engine = desk.engine();
    front.harness.completed(id(&post["job_id"])).await;
    engine.stop().await;
    let read = front.get(&path).await;
    assert_eq!(read.is(200)["status"], "draft");
    let change = json!({
        "content": "<h2>Green</h2><p>Leaves &amp; <b>more</b>.</p><script>alert(1)</script>", "excerpt": "Short", "status": "ready",
        "seo_meta": { "meta_title": "Tea now", "focus_keyword": "tea" }, "categories": ["Drinks > Tea"], "tags": ["leaf"],
        "planned_for": "2027-01-15", "product_links": { "a": "https://shop.example/a", "b": null },
    });
    let changed = front.patch(&path, &change).await;
    let changed = changed.is(200);
    assert_eq!(changed["status"], "ready");
    let content = text(&changed["content"]);
    assert!(content.contains("<h2>Green</h2>") && content.contains("<strong>more</strong>"), "{content}");
    assert!(!content.contains("alert"), "{content}");
    assert_eq!(changed["seo_meta"]["meta_title"], "Tea now");
    assert_eq!((&changed["excerpt"], &changed["planned_for"]), (&json!("Short"), &json!("2027-01-15")));
    assert_eq!(changed["product_links"], json!({ "a": "https://shop.example/a" }));
    assert_eq!(changed["version"], 2);
    let beside = front.patch(&path, &json!({ "tags": ["leaf", "cup"], "status": "draft" })).await;
    assert_eq!((&beside.is(200)["version"], &beside.json["status"]), (&json!(2), &json!("draft")), "no new text");
    let ready = front.get(&format!("{}?status=ready", desk.posts)).await;
    assert_eq!(ready.is(200).as_array().unwrap().len(), 0);
    let drafts = front.get(&format!("{}?status=draft", desk.posts)).await;
    assert_eq!(drafts.is(200)[0]["tags"], json!(["leaf", "cup"]));
    let sum = front.get(&format!("{}/analytics", desk.posts)).await;
    assert_eq!((&sum.is(200)["total"], &sum.json["by_status"]["draft"]), (&json!(1), &json!(1)));
    assert_eq!(sum.json["by_status"]["published"], 0);
    front.delete(&path).await.is(204);
    front.get(&path).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_wrong_with_a_post_is_named() {
    let desk = Desk::new().await;
    let front = &desk.front;
    for (body, wrong) in [
        (json!({}), vec!["topic"]),
        (json!({ "topic": "" }), vec!["topic"]),
        (json!({ "topic": "x".repeat(501) }), vec!["topic"]),
        (json!({ "post_type": "verse", "topic": "Tea" }), vec!["post_type"]),
        (json!({ "post_type": "product" }), vec!["source_item_ids"]),
        (json!({ "topic": "Tea", "template_id": NOBODY }), vec!["template_id"]),
        (json!({ "topic": "Tea", "wp_category_ids": [0] }), vec!["wp_category_ids[0]"]),
        (
            json!({ "topic": "Tea", "ai_settings": { "word_count": 1, "language": "english" } }),
            vec!["ai_settings.language", "ai_settings.word_count"],
        ),
        (
            json!({ "topic": "Tea", "ai_settings": { "reference_links": ["http://127.0.0.1/"] } }),
            vec!["ai_settings.reference_links[0]"],
        ),
    ] {
        let answer = front.post(&desk.posts, &body).await;
        assert_eq!(fields(&answer), wrong, "{body}");
    }
    front
        .post(&format!("/api/v1/projects/{NOBODY}/blog-posts"), &json!({ "topic": "T" }))
        .await
        .is_problem(404, "NOT_FOUND");
    let post = desk.written("Tea").await;
    for (body, wrong) in [
        (json!({ "slug": "A b" }), vec!["slug"]),
        (json!({ "status": "published" }), vec!["status"]),
        (json!({ "planned_for": "2027-02-30" }), vec!["planned_for"]),
        (json!({ "title": null, "content": "" }), vec!["title", "content"]),
        (json!({ "product_links": { "a": 7 } }), vec!["product_links.a"]),
        (json!({ "source_item_ids": [NOBODY] }), vec!["source_item_ids"]),
    ] {
        let answer = front.patch(&post, &body).await;
        assert_eq!(fields(&answer), wrong, "{body}");
    }
}

#[tokio::test]
async fn a_post_is_published_once_and_brought_up_to_date() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    front.patch(&post, &json!({ "categories": ["Drinks > Tea"], "tags": ["leaf"], "excerpt": "Short" })).await.is(200);
    let engine = desk.engine();
    let published = desk.publish(&post, json!({})).await;
    let published = published.is(200);
    assert_eq!(published["status"], "published");
    assert!(published["wp_post_id"].is_i64() && published["published_url"].is_string(), "{published}");
    assert!(published["published_at"].is_string());
    assert_eq!(desk.blog.posts().len(), 1);
    assert_eq!(desk.blog.posts()[0]["status"], "publish");
    front.patch(&post, &json!({ "title": "Better tea" })).await.is(200);
    let again = desk.publish(&post, json!({})).await;
    assert_eq!(again.is(200)["wp_post_id"], published["wp_post_id"], "the same post at the blog");
    assert_eq!(again.json["published_at"], published["published_at"], "published once");
    assert_eq!(desk.blog.posts().len(), 1);
    assert!(desk.blog.posts()[0].to_string().contains("Better tea"));
    engine.stop().await;
    let analytics = front.get(&format!("{}/analytics", desk.posts)).await;
    assert_eq!(analytics.is(200)["published_last_30_days"], 1);
}

#[tokio::test]
async fn a_draft_there_is_no_publication() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    let drafted = desk.publish(&post, json!({ "wp_status": "draft" })).await;
    let drafted = drafted.is(200);
    assert_eq!((&drafted["status"], &drafted["published_at"]), (&json!("draft"), &Value::Null));
    assert!(drafted["wp_post_id"].is_i64());
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    let published = desk.publish(&post, json!({})).await;
    assert_eq!(published.is(200)["status"], "published");
    assert_eq!(desk.blog.posts().len(), 1);
    engine.stop().await;
}

#[tokio::test]
async fn what_the_site_refuses_leaves_the_text_as_good_as_it_was() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.blog.trouble(
        "POST",
        "wp/v2/posts",
        Trouble::Status("403 Forbidden", "", r#"{"code":"rest_cannot_create","message":"Not you."}"#),
    );
    let engine = desk.engine();
    let refused = desk.publish(&post, json!({})).await;
    refused.is_problem(502, "WORKFLOW_ERROR");
    let shown = desk.front.get(&post).await;
    let shown = shown.is(200);
    assert_eq!((&shown["status"], &shown["published_at"]), (&json!("failed"), &Value::Null));
    assert!(shown["error"].is_string() && !text(&shown["content"]).is_empty(), "{shown}");
    desk.publish(&post, json!({})).await.is(200);
    engine.stop().await;
    assert_eq!(desk.blog.posts().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_post() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let engine = desk.engine();
    let published = desk.publish(&post, json!({})).await;
    assert_eq!(published.is(200)["status"], "published");
    engine.stop().await;
    assert_eq!(desk.blog.waiting(), 0, "the trouble came");
    assert_eq!(desk.blog.posts().len(), 1);
}

#[tokio::test]
async fn what_somebody_changed_there_is_not_written_over() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    let there = desk.blog.posts()[0]["id"].as_u64().unwrap();
    desk.blog.edit(there, |post| post["title"]["raw"] = json!("Their title"));
    let engine = desk.engine();
    let refused = desk.publish(&post, json!({})).await;
    refused.is_problem(409, "CONFLICT");
    assert_eq!(refused.wrong_fields(), ["title"]);
    desk.publish(&post, json!({ "force": true })).await.is(200);
    engine.stop().await;
    assert!(!desk.blog.posts()[0].to_string().contains("Their title"));
}

#[tokio::test]
async fn unpublishing_makes_a_draft_of_it_there_and_here() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    let engine = desk.engine();
    let unpublished = desk.front.post(&format!("{post}/unpublish"), &json!({})).await;
    let unpublished = unpublished.is(200);
    assert_eq!(unpublished["status"], "draft");
    assert!(unpublished["wp_post_id"].is_i64() && unpublished["published_url"].is_null(), "{unpublished}");
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    desk.front.post(&format!("{post}/unpublish"), &json!({})).await.is_problem(409, "CONFLICT");
    desk.publish(&post, json!({})).await.is(200);
    engine.stop().await;
    assert_eq!(desk.blog.posts().len(), 1, "in the same place");
}

#[tokio::test]
async fn a_deleted_post_stays_at_its_blog_unless_it_is_to_go() {
    let desk = Desk::new().await;
    let (kept, gone) = (desk.published("Kept").await, desk.published("Gone").await);
    let engine = desk.engine();
    desk.front.delete(&kept).await.is(204);
    desk.front.delete(&format!("{gone}?remote=trash")).await.is(204);
    engine.stop().await;
    let mut statuses: Vec<String> = desk.blog.posts().iter().map(|post| text(&post["status"])).collect();
    statuses.sort();
    assert_eq!(statuses, ["publish", "trash"]);
}

#[tokio::test]
async fn an_hour_is_promised_moved_and_taken_back() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    let schedule = async |body: Value| front.post(&format!("{post}/schedule"), &body).await;
    let nowhere = schedule(json!({ "scheduled_at": "2028-01-01T10:00:00Z" })).await;
    nowhere.is_problem(409, "CONFLICT");
    let settings = json!({ "settings": { "default_blog_connection_id": desk.connection } });
    front.patch(&format!("/api/v1/projects/{}", desk.project), &settings).await.is(200);
    let promised = schedule(json!({ "scheduled_at": "2028-03-26T02:30", "timezone": "Europe/Berlin" })).await;
    let promised = promised.is(200);
    assert_eq!(
        (&promised["status"], &promised["scheduled_at"]),
        (&json!("scheduled"), &json!("2028-03-26T01:00:00.000Z"))
    );
    assert!(text(&promised["schedule_note"]).contains("does not exist"), "{promised}");
    let connection = format!("{CONNECTIONS}/{}", desk.connection);
    front.delete(&connection).await.is_problem(409, "CONFLICT");
    let moved = schedule(json!({ "scheduled_at": "2028-06-01T10:00:00+02:00" })).await;
    assert_eq!(moved.is(200)["scheduled_at"], "2028-06-01T08:00:00.000Z");
    let taken_back = front.post(&format!("{post}/unschedule"), &json!({})).await;
    assert_eq!((&taken_back.is(200)["status"], &taken_back.json["scheduled_at"]), (&json!("draft"), &Value::Null));
    front.post(&format!("{post}/unschedule"), &json!({})).await.is_problem(409, "CONFLICT");
    for wrong in ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon"] {
        assert_eq!(fields(&schedule(json!({ "scheduled_at": wrong })).await), ["scheduled_at"], "{wrong}");
    }
    assert_eq!(fields(&schedule(json!({ "scheduled_at": "2028-01-01T10:00" })).await), ["timezone"]);
    let none = json!({ "settings": { "default_blog_connection_id": null } });
    front.patch(&format!("/api/v1/projects/{}", desk.project), &none).await.is(200);
    front.delete(&connection).await.is(204);
}

#[tokio::test]
async fn at_its_hour_a_post_goes_out() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let due = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(1500)).to_rfc3339();
    let body = json!({ "scheduled_at": due, "connection_id": desk.connection });
    let scheduled = desk.front.post(&format!("{post}/schedule"), &body).await;
    let job = id(&scheduled.is(200)["job_id"]);
    let edited = desk.front.patch(&post, &json!({ "title": "At the last minute" })).await;
    assert_eq!(edited.is(200)["status"], "scheduled", "an edit leaves the promise");
    let engine = desk.engine();
    desk.front.harness.completed(job).await;
    engine.stop().await;
    let shown = desk.front.get(&post).await;
    assert_eq!((&shown.is(200)["status"], &shown.json["scheduled_at"]), (&json!("published"), &Value::Null));
    assert!(desk.blog.posts()[0].to_string().contains("At the last minute"), "what stands at the hour goes out");
}

#[tokio::test]
async fn an_hour_that_was_missed_follows_its_policy() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let body = json!({
        "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection, "missed": { "policy": "skip" },
    });
    let scheduled = desk.front.post(&format!("{post}/schedule"), &body).await;
    let job = id(&scheduled.is(200)["job_id"]);
    let database = &desk.front.harness.database;
    database.execute("UPDATE publications SET due_at = now() - interval '2 hours'").await;
    database.execute("UPDATE steps SET run_at = now() - interval '2 hours' WHERE kind = 'publish'").await;
    let engine = desk.engine();
    assert_eq!(desk.front.harness.ended(job).await.status, TaskStatus::Failed);
    engine.stop().await;
    let shown = desk.front.get(&post).await;
    let shown = shown.is(200);
    assert_eq!(shown["status"], "failed");
    assert!(text(&shown["error"]).contains("missed"), "{shown}");
    assert_eq!(desk.blog.posts().len(), 0);
}

#[tokio::test]
async fn publishing_now_drops_the_promise() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let body = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    let scheduled = desk.front.post(&format!("{post}/schedule"), &body).await;
    let promised = text(&scheduled.is(200)["job_id"]);
    let engine = desk.engine();
    let published = desk.publish(&post, json!({})).await;
    assert_eq!((&published.is(200)["status"], &published.json["scheduled_at"]), (&json!("published"), &Value::Null));
    engine.stop().await;
    let dropped = desk.front.get(&format!("/api/v1/tasks/{promised}")).await;
    assert_eq!(dropped.is(200)["status"], "cancelled");
    assert_eq!(desk.blog.posts().len(), 1);
}

#[tokio::test]
async fn the_gate_names_each_rule_that_keeps_a_post_in() {
    let desk = Desk::new().await;
    let gate = json!({ "settings": { "publish_gate": { "approved": true, "min_score": 100, "cover": true } } });
    desk.front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    let post = desk.written("Tea").await;
    let refused = desk.publish(&post, json!({})).await;
    refused.is_problem(409, "CONFLICT");
    let mut fields = refused.wrong_fields();
    fields.sort_unstable();
    assert_eq!(fields, ["publish_gate.approved", "publish_gate.cover", "publish_gate.min_score"]);
    assert_eq!(desk.front.get(&post).await.is(200)["status"], "draft", "the text is as good as it was");
}

#[tokio::test]
async fn a_text_that_is_written_anew_stays_until_the_next_is_there() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let before = desk.front.get(&post).await;
    let before = before.is(200).clone();
    let again = desk.front.post(&format!("{post}/regenerate"), &json!({ "ai_settings": { "tone": "casual" } })).await;
    let again = again.is(202);
    assert_eq!((&again["status"], &again["content"]), (&json!("generating"), &before["content"]));
    assert_ne!(again["job_id"], before["job_id"]);
    desk.front.post(&format!("{post}/regenerate"), &json!({})).await.is_problem(409, "CONFLICT");
    let cancelled = desk.front.delete(&format!("/api/v1/tasks/{}", text(&again["job_id"]))).await;
    cancelled.is(200);
    let kept = desk.front.get(&post).await;
    assert_eq!((&kept.is(200)["status"], &kept.json["content"]), (&json!("draft"), &before["content"]));
    let third = desk.front.post(&format!("{post}/regenerate"), &json!({})).await;
    let engine = desk.engine();
    desk.front.harness.completed(id(&third.is(202)["job_id"])).await;
    engine.stop().await;
    let new = desk.front.get(&post).await;
    assert_eq!((&new.is(200)["status"], &new.json["version"]), (&json!("draft"), &json!(2)));
    assert_eq!(new.json["job_id"], third.json["job_id"]);
}

#[tokio::test]
async fn rights_and_tenants_are_kept_apart() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let reader = desk.front.key(&[Permission::Read, Permission::Write], &[Scope::Projects]).await;
    let body = json!({ "connection_id": desk.connection });
    let publish = desk.front.request_as(&reader, Method::POST, &format!("{post}/publish")).json(&body);
    desk.front.send(publish).await.is_problem(403, "FORBIDDEN");
    let read = desk.front.request_as(&reader, Method::GET, &post);
    desk.front.send(read).await.is(200);
    let (_, stranger) = desk.front.harness.other_tenant().await;
    for (method, path) in [
        (Method::GET, post.clone()),
        (Method::PATCH, post.clone()),
        (Method::POST, format!("{post}/unpublish")),
        (Method::GET, format!("{CONNECTIONS}/{}", desk.connection)),
        (Method::POST, format!("{CONNECTIONS}/{}/test", desk.connection)),
        (Method::GET, format!("{CONNECTIONS}/{}/categories", desk.connection)),
    ] {
        let request = desk.front.request_as(&stranger, method, &path).json(&json!({ "name": "mine" }));
        let answer = desk.front.send(request).await;
        answer.is_problem(404, "NOT_FOUND");
    }
    let theirs = desk.front.request_as(&stranger, Method::POST, &format!("{post}/publish")).json(&body);
    desk.front.send(theirs).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn drift_is_told_by_field_and_either_text_can_stay() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    let drift = async || front.get(&format!("{post}/drift")).await;
    let resolve = async |keep: &str| front.post(&format!("{post}/drift/resolve"), &json!({ "keep": keep })).await;
    assert_eq!(drift().await.is(200)["state"], "not_published");
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    assert_eq!(drift().await.is(200)["state"], "in_sync");
    resolve("remote").await.is_problem(409, "CONFLICT");
    let there = desk.blog.posts()[0]["id"].as_u64().unwrap();
    desk.blog.edit(there, |post| post["title"]["raw"] = json!("Their title"));
    let drifted = drift().await;
    assert_eq!(drifted.is(200)["state"], "changed_remote");
    assert_eq!(
        (&drifted.json["fields"][0]["field"], &drifted.json["fields"][0]["remote"]),
        (&json!("title"), &json!("Their title"))
    );
    let kept = resolve("remote").await;
    assert_eq!((&kept.is(200)["title"], &kept.json["version"]), (&json!("Their title"), &json!(2)));
    assert_eq!(drift().await.is(200)["state"], "in_sync");
    desk.blog.edit(there, |post| post["title"]["raw"] = json!("Theirs again"));
    front.patch(&post, &json!({ "title": "Ours" })).await.is(200);
    assert_eq!(drift().await.is(200)["state"], "changed_both");
    let ours = resolve("local").await;
    assert_eq!(ours.is(200)["title"], "Ours");
    assert!(desk.blog.posts()[0].to_string().contains("Ours"));
    let versions = front.get(&format!("/api/v1/articles/{}/versions", post.rsplit('/').next().unwrap())).await;
    let titles: Vec<&Value> =
        versions.is(200)["data"].as_array().unwrap().iter().map(|version| &version["title"]).collect();
    assert!(titles.contains(&&json!("Theirs again")), "theirs is kept: {titles:?}");
    desk.blog.edit(there, |post| post["status"] = json!("trash"));
    assert_eq!(drift().await.is(200)["state"], "trashed");
    engine.stop().await;
}

#[tokio::test]
async fn a_preview_sends_nothing_and_says_what_would_change() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    let path = format!("{post}/publish/preview?connection_id={}", desk.connection);
    let first = front.get(&path).await;
    assert_eq!(
        (&first.is(200)["action"], &first.json["target"], &first.json["drift"]),
        (&json!("create"), &Value::Null, &json!("not_published"))
    );
    assert_eq!((&first.json["gate"]["passed"], desk.blog.posts().len()), (&json!(true), 0));
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    engine.stop().await;
    let second = front.get(&path).await;
    assert_eq!(
        (&second.is(200)["action"], &second.json["drift"]),
        (&json!("none"), &json!("in_sync")),
        "{}",
        second.text
    );
    front.patch(&post, &json!({ "title": "Better" })).await.is(200);
    let third = front.get(&path).await;
    assert_eq!(third.is(200)["action"], "update");
    let changed: Vec<&Value> =
        third.json["fields"].as_array().unwrap().iter().filter(|field| field["changed"] == true).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0]["field"], "title");
    front.get(&format!("{post}/publish/preview?connection_id={NOBODY}")).await.is_problem(400, INVALID);
}

#[tokio::test]
async fn a_post_is_scored_with_a_keyword_in_view() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let scored = desk.front.get(&format!("{post}/seo-score?focus_keyword=tea")).await;
    let scored = scored.is(200);
    assert_eq!(scored["focus_keyword"], "tea");
    assert!(scored["score"].as_i64().is_some_and(|score| (0..=100).contains(&score)), "{scored}");
    assert!(["A", "B", "C", "D", "E", "F"].contains(&scored["grade"].as_str().unwrap()));
    let checks = scored["checks"].as_array().unwrap();
    let failed = checks.iter().filter(|check| check["passed"] == false).count();
    assert_eq!(scored["recommendations"].as_array().unwrap().len(), failed, "each says what to do");
    // Links within the site can be told from others once it is known where the post goes.
    let within = |checks: &[Value]| checks.iter().find(|check| check["id"] == "internal_links").cloned().unwrap();
    assert_eq!(within(checks)["max_score"], 0);
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    engine.stop().await;
    let scored = desk.front.get(&format!("{post}/seo-score")).await;
    let within = within(scored.is(200)["checks"].as_array().unwrap());
    assert_eq!((&within["score"], &within["max_score"]), (&json!(0), &json!(2)), "{within}");
    assert!(within["message"].as_str().unwrap().contains("another page of 127.0.0.1"), "{within}");
}

#[tokio::test]
async fn jobs_are_the_tasks_of_a_project() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.published("Tea").await;
    let waiting = front.post(&desk.posts, &json!({ "topic": "More tea" })).await;
    let waiting = text(&waiting.is(202)["job_id"]);
    let jobs = format!("/api/v1/projects/{}/jobs", desk.project);
    let listed = front.get(&jobs).await;
    assert_eq!(listed.is(200).as_array().unwrap().len(), 3, "two texts and a publication");
    assert_eq!(listed.json[0]["job_type"], "blog_post");
    let queued = front.get(&format!("{jobs}?status=queued")).await;
    assert_eq!((queued.is(200).as_array().unwrap().len(), &queued.json[0]["id"]), (1, &json!(waiting)));
    let path = format!("/api/v1/jobs/{waiting}");
    let job = front.get(&path).await;
    assert_eq!(
        (&job.is(200)["status"], &job.json["project_id"], &job.json["result"]),
        (&json!("queued"), &json!(desk.project), &Value::Null)
    );
    assert_eq!(front.post(&format!("{path}/cancel"), &json!({})).await.is(200)["status"], "cancelled");
    front.post(&format!("{path}/cancel"), &json!({})).await.is_problem(409, "CONFLICT");
    front.get(&format!("/api/v1/jobs/{NOBODY}")).await.is_problem(404, "TASK_NOT_FOUND");
    let done = front.get(&format!("{jobs}?status=completed")).await;
    assert_eq!(done.is(200).as_array().unwrap().len(), 2);
    let detail = front.get(&format!("/api/v1/jobs/{}", text(&done.json[0]["id"]))).await;
    assert_eq!(detail.is(200)["result"]["post_id"], json!(post.rsplit('/').next().unwrap()));
}

#[tokio::test]
async fn the_calendar_shows_what_is_promised_planned_and_published() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let [promised, near, planned, shelved] = ["Promised", "Near", "Planned", "Shelved"];
    let (promised, near, planned) =
        (desk.written(promised).await, desk.written(near).await, desk.written(planned).await);
    let on_the_shelf = desk.written(shelved).await;
    for (post, title) in [(&promised, "Promised"), (&near, "Near"), (&planned, "Planned"), (&on_the_shelf, "Shelved")] {
        front.patch(post, &json!({ "title": title })).await.is(200);
    }
    let schedule = async |post: &str, at: &str| {
        let body = json!({ "scheduled_at": at, "timezone": "America/New_York", "connection_id": desk.connection });
        front.post(&format!("{post}/schedule"), &body).await.is(200)["updated_at"].clone()
    };
    let seen = schedule(&promised, "2028-05-01T23:30").await;
    schedule(&near, "2028-05-01T23:40").await;
    front.patch(&planned, &json!({ "planned_for": "2028-05-02" })).await.is(200);
    let path = format!("/api/v1/calendar?from=2028-05-01&to=2028-05-31&project_id={}", desk.project);
    let calendar = front.get(&format!("{path}&shelf=true")).await;
    let items = calendar.is(200)["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3, "{}", calendar.text);
    let of = |title: &str| items.iter().find(|item| item["title"] == title).unwrap();
    assert_eq!(
        (&of("Promised")["kind"], &of("Promised")["date"]),
        (&json!("scheduled"), &json!("2028-05-01")),
        "its local day"
    );
    assert_eq!((&of("Planned")["kind"], &of("Planned")["at"]), (&json!("planned"), &Value::Null));
    assert_eq!(calendar.json["shelf"][0]["title"], "Shelved");
    assert_eq!(calendar.json["warnings"].as_array().unwrap().len(), 1, "two within 15 minutes");
    let move_to = async |post: &str, seen: Option<&Value>, body: Value| {
        let id = post.rsplit('/').next().unwrap();
        let mut request = front.request(Method::PATCH, &format!("/api/v1/calendar/{id}")).json(&body);
        if let Some(seen) = seen {
            request = request.header("if-match", format!("\"{}\"", seen.as_str().unwrap()));
        }
        front.send(request).await
    };
    let later = json!({ "scheduled_at": "2028-05-03T08:00:00Z" });
    move_to(&promised, None, later.clone()).await.is_problem(428, INVALID);
    move_to(&promised, Some(&json!("2020-01-01T00:00:00.000Z")), later.clone()).await.is_problem(412, "CONFLICT");
    let moved = move_to(&promised, Some(&seen), later.clone()).await;
    assert_eq!(moved.is(200)["at"], "2028-05-03T08:00:00.000Z");
    move_to(&promised, Some(&seen), later).await.is_problem(412, "CONFLICT");
    let nowhere = move_to(&planned, Some(&of("Planned")["updated_at"]), json!({ "planned_for": null })).await;
    assert_eq!(nowhere.is(200)["date"], Value::Null);
    for (query, field) in
        [("from=2028-05-02&to=2028-05-01", "to"), ("from=2028-01-01&to=2028-12-31", "to"), ("from=2028-05-01", "to")]
    {
        assert_eq!(fields(&front.get(&format!("/api/v1/calendar?{query}")).await), [field], "{query}");
    }
}

#[tokio::test]
async fn a_feed_is_read_by_whoever_has_its_address() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    front.patch(&post, &json!({ "title": "Tea; leaves, and more" })).await.is(200);
    let body = json!({ "scheduled_at": (chrono::Utc::now() + chrono::TimeDelta::days(3)).to_rfc3339(), "connection_id": desk.connection });
    front.post(&format!("{post}/schedule"), &body).await.is(200);
    let made = front.post("/api/v1/calendar/feeds", &json!({ "name": "Desk", "project_id": desk.project })).await;
    let (id, url) = (text(&made.is(201)["id"]), text(&made.json["url"]));
    let read = async || front.send(front.bare(Method::GET, &url)).await;
    let feed = read().await;
    assert_eq!(feed.status, 200);
    assert!(feed.header("content-type").starts_with("text/calendar"), "{:?}", feed.headers);
    assert!(
        feed.text.starts_with("BEGIN:VCALENDAR") && feed.text.contains("SUMMARY:Tea\\; leaves\\, and more"),
        "{}",
        feed.text
    );
    assert_eq!(feed.text.matches("BEGIN:VEVENT").count(), 1);
    let listed = front.get("/api/v1/calendar/feeds").await;
    assert!(!listed.is(200).to_string().contains("cal_"), "the address is shown once");
    assert_eq!((&listed.json["data"][0]["id"], &listed.json["pagination"]["total"]), (&json!(id), &json!(1)));
    let second = front.get("/api/v1/calendar/feeds?page=2&limit=1").await;
    assert_eq!((&second.is(200)["data"], &second.json["pagination"]["page"]), (&json!([]), &json!(2)));
    for wrong in [url.replace("cal_", "cal_a"), "/api/v1/calendar/feeds/x.ics".into()] {
        front.send(front.bare(Method::GET, &wrong)).await.is_problem(404, "NOT_FOUND");
    }
    let by_id = format!("/api/v1/calendar/feeds/{id}");
    let shown = front.get(&by_id).await;
    assert_eq!((&shown.is(200)["name"], shown.json.get("url")), (&json!("Desk"), None), "without its address");
    front.send(front.bare(Method::GET, &by_id)).await.is_problem(401, "UNAUTHORIZED");
    let content = front.key(Permission::ALL, &[Scope::Content]).await;
    front.send(front.request_as(&content, Method::GET, &by_id)).await.is_problem(403, "FORBIDDEN");
    front.get(&format!("/api/v1/calendar/feeds/{NOBODY}")).await.is_problem(404, "NOT_FOUND");
    front.get(url.trim_end_matches(".ics")).await.is_problem(404, "NOT_FOUND");
    front.delete(&format!("/api/v1/calendar/feeds/{id}")).await.is(204);
    read().await.is_problem(404, "NOT_FOUND");
    let nobody = front.post("/api/v1/calendar/feeds", &json!({ "name": "Desk", "project_id": NOBODY })).await;
    assert_eq!(fields(&nobody), ["project_id"]);
}

#[tokio::test]
async fn a_feed_has_the_public_address_and_a_budget_of_reads() {
    let harness =
        Harness::builder().settings(|settings| settings.public_url = Some("https://galley.example".to_owned()));
    let front = Front::on(harness, |state| state.limits.rates.general = 3).await;
    let made = front.post("/api/v1/calendar/feeds", &json!({ "name": "Desk" })).await;
    let url = text(&made.is(201)["url"]);
    let path = url.strip_prefix("https://galley.example").unwrap_or_else(|| panic!("{url}")).to_owned();
    for _ in 0..3 {
        front.send(front.bare(Method::GET, &path)).await.is(200);
    }
    let refused = front.send(front.bare(Method::GET, &path)).await;
    refused.is_problem(429, "RATE_LIMIT_ERROR");
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_schedule_lets_the_oldest_approved_post_go_out() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let (old, new) = (desk.written("Old").await, desk.written("New").await);
    let action = json!({ "type": "publish", "project_id": desk.project, "take": "oldest_approved", "connection_id": desk.connection });
    let body = json!({ "name": "Tuesdays", "timezone": "UTC", "cron": "0 9 * * 2", "action": action });
    let made = front.post("/api/v1/schedules", &body).await;
    assert_eq!(made.is(201)["action"], action);
    let run = format!("/api/v1/schedules/{}/run", text(&made.json["id"]));
    front.post(&run, &json!({})).await.is_problem(409, "CONFLICT");
    for post in [&new, &old] {
        front.patch(post, &json!({ "status": "ready" })).await.is(200);
    }
    let fired = front.post(&run, &json!({})).await;
    let fired = fired.is(202);
    assert_eq!(fired["article_id"], json!(old.rsplit('/').next().unwrap()), "the oldest");
    let engine = desk.engine();
    front.harness.completed(id(&fired["task_id"])).await;
    engine.stop().await;
    assert_eq!(front.get(&old).await.is(200)["status"], "published");
    assert_eq!(front.get(&new).await.is(200)["status"], "ready");
    for (action, field) in [
        (json!({ "type": "publish" }), "action.project_id"),
        (json!({ "type": "publish", "project_id": NOBODY }), "action.project_id"),
        (json!({ "type": "publish", "project_id": desk.project, "connection_id": NOBODY }), "action.connection_id"),
        (json!({ "type": "publish", "project_id": desk.project, "order": { "topic": "Tea" } }), "action.order"),
        (json!({ "type": "order" }), "action.order"),
    ] {
        let body = json!({ "name": "Wrong", "timezone": "UTC", "cron": "0 9 * * 2", "action": action });
        assert_eq!(fields(&front.post("/api/v1/schedules", &body).await), [field], "{body}");
    }
}

#[tokio::test]
async fn the_folder_follows_what_becomes_of_an_article() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let site = front.harness.site();
    let text_there = || {
        let folders = std::fs::read_dir(&site).into_iter().flatten().map(|entry| entry.unwrap().path());
        folders.filter_map(|folder| std::fs::read_to_string(folder.join("index.md")).ok()).collect::<Vec<_>>()
    };
    let followed = async || {
        let engine = front.harness.publishing(&Script::default());
        front.harness.jobs_done(galley_domain::publishing::FOLLOW).await;
        engine.stop().await;
    };
    front.patch(&path, &json!({ "title": "A better title", "publication_status": "published" })).await.is(200);
    followed().await;
    let there = text_there();
    assert!(there.len() == 1 && there[0].contains("A better title") && !there[0].contains("draft: true"), "{there:?}");
    front.patch(&path, &json!({ "publication_status": "archived" })).await.is(200);
    followed().await;
    assert_eq!(text_there().len(), 0, "archived");
    front.patch(&path, &json!({ "publication_status": "draft" })).await.is(200);
    followed().await;
    assert!(text_there()[0].contains("draft: true"));
    front.delete(&path).await.is(204);
    followed().await;
    assert_eq!(text_there().len(), 0, "deleted");
}

#[tokio::test]
async fn a_rewrite_that_fails_late_leaves_the_former_text() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.front.patch(&post, &json!({ "content": "<p>Ours, by hand.</p>" })).await.is(200);
    let again = desk.front.post(&format!("{post}/regenerate"), &json!({})).await;
    let job = id(&again.is(202)["job_id"]);
    let script = Script::default();
    script.next(galley_domain::article::IMAGE, [galley_testkit::Move::Gate]);
    let engine = desk.front.harness.scripted(&script);
    desk.front.harness.until(job, |view| view.row.current_step.as_deref() == Some("image")).await;
    desk.front.delete(&format!("/api/v1/tasks/{job}")).await.is(200);
    engine.stop().await;
    let kept = desk.front.get(&post).await;
    assert!(text(&kept.is(200)["content"]).contains("Ours, by hand."), "{}", kept.text);
    assert_eq!((&kept.json["status"], &kept.json["version"]), (&json!("draft"), &json!(4)));
}

#[tokio::test]
async fn a_text_that_was_given_up_cannot_be_said_to_be_ready() {
    let desk = Desk::new().await;
    let made = desk.front.post(&desk.posts, &json!({ "topic": "Tea" })).await;
    let (post, job) = (format!("{}/{}", desk.posts, text(&made.is(202)["id"])), id(&made.json["job_id"]));
    let script = Script::default();
    script.next(galley_domain::article::IMAGE, [galley_testkit::Move::Gate]);
    let engine = desk.front.harness.scripted(&script);
    desk.front.harness.until(job, |view| view.row.current_step.as_deref() == Some("image")).await;
    desk.front.delete(&format!("/api/v1/tasks/{job}")).await.is(200);
    engine.stop().await;
    desk.front.patch(&post, &json!({ "status": "draft" })).await.is_problem(409, "CONFLICT");
}

#[tokio::test]
async fn a_failure_on_the_way_loses_nothing_that_was_to_be_sent() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    desk.front.patch(&post, &json!({ "tags": ["leaf"] })).await.is(200);
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::Status("503 Service Unavailable", "Retry-After: 1\r\n", "Busy."));
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    engine.stop().await;
    assert_eq!(desk.blog.terms("tags").len(), 1, "the tag went out with the next attempt");
    assert_eq!(desk.blog.posts()[0]["tags"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_promised_is_neither_archived_nor_written_anew_nor_put_into_the_trash() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    let body = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    front.post(&format!("{post}/schedule"), &body).await.is(200);
    let article = format!("/api/v1/articles/{}", post.rsplit('/').next().unwrap());
    front.patch(&article, &json!({ "publication_status": "archived" })).await.is_problem(409, "CONFLICT");
    front.post(&format!("{post}/regenerate"), &json!({})).await.is_problem(409, "CONFLICT");
    front.delete(&format!("/api/v1/projects/{}", desk.project)).await.is_problem(409, "CONFLICT");
    front.post(&format!("{post}/unschedule"), &json!({})).await.is(200);
    front.delete(&format!("/api/v1/projects/{}", desk.project)).await.is(204);
}

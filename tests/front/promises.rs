//! Promises under pressure: races, sites that are away, calls that are given up, and what the site shows in the end.

use galley_domain::{
    publishing::{FOLLOW, RECONCILE, SETTLE, TASK},
    task::TaskStatus,
};
use galley_testpeer::wordpress::{FakeWordPress, Like, Trouble};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    id,
    publishing::{Desk, login},
    text,
};

const BUSY: Trouble = Trouble::Status("503 Service Unavailable", "", "Busy.");

impl Desk {
    /// Promises a post for a second from now; its job.
    async fn promised(&self, post: &str) -> uuid::Uuid {
        let due = (chrono::Utc::now() + chrono::TimeDelta::milliseconds(1000)).to_rfc3339();
        let body = json!({ "scheduled_at": due, "connection_id": self.connection });
        id(&self.front.post(&format!("{post}/schedule"), &body).await.is(200)["job_id"])
    }

    /// Waits until a count in the database is no longer nothing.
    async fn seen(&self, sql: &str) {
        let look = async {
            while self.front.harness.database.number(sql).await == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), look).await.expect("it comes");
    }

    async fn shown(&self, post: &str) -> Value {
        self.front.get(post).await.is(200).clone()
    }
}

fn own(post: &str) -> &str {
    post.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_promise_whose_call_is_on_its_way_is_neither_moved_nor_taken_back() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::Stall);
    desk.promised(&post).await;
    let engine = desk.engine();
    desk.seen("SELECT count(*) FROM effects WHERE kind = 'post' AND state = 'sent'").await;
    desk.front.post(&format!("{post}/unschedule"), &json!({})).await.is_problem(409, "CONFLICT");
    let later = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    desk.front.post(&format!("{post}/schedule"), &later).await.is_problem(409, "CONFLICT");
    desk.front.delete(&post).await.is_problem(409, "CONFLICT");
    assert_eq!(desk.shown(&post).await["status"], "scheduled", "nothing of it has happened");
    engine.vanish().await;
}

#[tokio::test]
async fn of_two_who_move_the_same_promise_one_has_seen_an_older_state() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let body = json!({ "scheduled_at": "2028-05-01T10:00:00Z", "connection_id": desk.connection });
    desk.front.post(&format!("{post}/schedule"), &body).await.is(200);
    for round in 0..4 {
        let seen = desk.shown(&post).await["updated_at"].clone();
        let path = format!("/api/v1/calendar/{}", own(&post));
        let moved = async |hour: u32| {
            let body = json!({ "scheduled_at": format!("2028-05-0{}T{hour}:00:00Z", round + 2) });
            let request = desk.front.request(Method::PATCH, &path).header("if-match", format!("\"{}\"", text(&seen)));
            desk.front.send(request.json(&body)).await
        };
        let (one, other) = tokio::join!(moved(11), moved(12));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", one.text, other.text);
        let hour = if one.status == 200 { "T11" } else { "T12" };
        assert!(text(&desk.shown(&post).await["scheduled_at"]).contains(hour));
    }
    let open = "SELECT count(*) FROM publications WHERE status = 'pending'";
    assert_eq!(desk.front.harness.database.number(open).await, 1);
}

#[tokio::test]
async fn whoever_schedules_at_once_comes_after_the_other() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let schedule = async |hour: u32| {
        let body = json!({ "scheduled_at": format!("2028-05-01T{hour}:00:00Z"), "connection_id": desk.connection });
        desk.front.post(&format!("{post}/schedule"), &body).await.status
    };
    assert_eq!(schedule(10).await, 200);
    let all = tokio::join!(schedule(11), schedule(12), schedule(13), schedule(14));
    assert_eq!(all, (200, 200, 200, 200));
    let open = "SELECT count(*) FROM publications WHERE status = 'pending'";
    assert_eq!(desk.front.harness.database.number(open).await, 1);
}

#[tokio::test]
async fn of_those_who_promise_a_post_first_and_at_once_one_promise_is_left() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let schedule = async |hour: u32| {
        let body = json!({ "scheduled_at": format!("2028-05-01T{hour}:00:00Z"), "connection_id": desk.connection });
        let answer = desk.front.post(&format!("{post}/schedule"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.status
    };
    let open = "SELECT count(*) FROM publications WHERE status = 'pending'";
    for _ in 0..4 {
        let all = tokio::join!(schedule(11), schedule(12), schedule(13), schedule(14));
        assert_eq!(all, (200, 200, 200, 200));
        assert_eq!(desk.front.harness.database.number(open).await, 1);
        desk.front.post(&format!("{post}/unschedule"), &json!({})).await.is(200);
    }
}

#[tokio::test]
async fn a_promise_outlasts_a_site_that_is_away() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let job = desk.promised(&post).await;
    let database = &desk.front.harness.database;
    database.execute("UPDATE steps SET max_attempts = 1 WHERE kind = 'publish'").await;
    desk.blog.trouble("POST", "wp/v2/posts", BUSY);
    let engine = desk.engine();
    desk.seen("SELECT count(*) FROM effects WHERE kind = 'post' AND state IN ('unknown', 'failed')").await;
    desk.seen("SELECT count(*) FROM steps WHERE kind = 'publish' AND state = 'delayed'").await;
    assert_eq!(desk.shown(&post).await["status"], "scheduled");
    database.execute("UPDATE steps SET run_at = now() WHERE kind = 'publish' AND state = 'delayed'").await;
    desk.front.harness.completed(job).await;
    engine.stop().await;
    assert_eq!(desk.blog.posts().len(), 1);
}

#[tokio::test]
async fn what_a_cancelled_call_has_made_is_found() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let engine = desk.engine();
    let body = json!({ "connection_id": desk.connection });
    let (path, front) = (format!("{post}/publish"), &desk.front);
    let (published, ()) = tokio::join!(front.post(&path, &body), async {
        desk.seen("SELECT count(*) FROM effects WHERE kind = 'post' AND state = 'unknown'").await;
        let task = front.harness.database.texts(&format!("SELECT id::text FROM tasks WHERE kind = '{TASK}'")).await;
        front.delete(&format!("/api/v1/tasks/{}", task[0])).await;
    });
    published.is_problem(409, "CONFLICT");
    assert_eq!(desk.blog.posts().len(), 1, "it is there");
    assert_eq!(desk.shown(&post).await["status"], "draft", "and nobody knows");
    let database = &desk.front.harness.database;
    database.execute("UPDATE effects SET updated_at = now() - interval '2 minutes'").await;
    database.execute("UPDATE steps SET run_at = now() WHERE kind = 'publication_settle'").await;
    desk.front.harness.jobs_done(SETTLE).await;
    let shown = desk.shown(&post).await;
    assert_eq!((&shown["status"], shown["wp_post_id"].is_i64()), (&json!("published"), true), "{shown}");
    front.post(&format!("{post}/unpublish"), &json!({})).await.is(200);
    engine.stop().await;
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    assert_eq!(database.number("SELECT count(*) FROM effects WHERE state IN ('sent', 'unknown')").await, 0);
}

#[tokio::test]
async fn publishing_as_a_draft_takes_a_public_copy_back() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    let drafted = desk.publish(&post, json!({ "wp_status": "draft" })).await;
    engine.stop().await;
    let drafted = drafted.is(200);
    assert_eq!((&drafted["status"], &drafted["published_at"]), (&json!("draft"), &Value::Null), "{drafted}");
    assert!(drafted["published_url"].is_null());
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
}

#[tokio::test]
async fn a_post_is_taken_back_from_every_blog() {
    let second = FakeWordPress::start(Like::default()).await;
    let desk = Desk::beside(&[&second]).await;
    let made = desk.front.post("/api/v1/blog-connections", &login(&second.url())).await;
    let other = json!({ "connection_id": text(&made.is(201)["id"]) });
    let (kept, gone) = (desk.written("Kept").await, desk.written("Gone").await);
    let engine = desk.engine();
    for post in [&kept, &gone] {
        desk.publish(post, json!({})).await.is(200);
        desk.publish(post, other.clone()).await.is(200);
    }
    second.trouble("POST", "wp/v2/posts", BUSY);
    desk.front.post(&format!("{kept}/unpublish"), &json!({})).await.is(200);
    desk.front.delete(&format!("{gone}?remote=trash")).await.is(204);
    engine.stop().await;
    for blog in [&desk.blog, &second] {
        let mut statuses: Vec<String> = blog.posts().iter().map(|post| text(&post["status"])).collect();
        statuses.sort();
        assert_eq!(statuses, ["draft", "trash"]);
    }
    desk.front.get(&gone).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_promised_post_is_deleted_with_its_copy() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    desk.front.post(&format!("{post}/unpublish"), &json!({})).await.is(200);
    let body = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    desk.front.post(&format!("{post}/schedule"), &body).await.is(200);
    desk.front.delete(&format!("{post}?remote=trash")).await.is(204);
    engine.stop().await;
    assert_eq!(desk.blog.posts()[0]["status"], "trash");
}

#[tokio::test]
async fn nothing_is_called_published_past_the_gate() {
    let desk = Desk::new().await;
    let gate = json!({ "settings": { "publish_gate": { "approved": true } } });
    desk.front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    let post = desk.written("Tea").await;
    let article = format!("/api/v1/articles/{}", own(&post));
    let refused = desk.front.patch(&article, &json!({ "publication_status": "published" })).await;
    refused.is_problem(409, "CONFLICT");
    assert_eq!(refused.wrong_fields(), ["publish_gate.approved"]);
    desk.front.patch(&post, &json!({ "status": "ready" })).await.is(200);
    desk.front.patch(&article, &json!({ "publication_status": "published" })).await.is(200);
}

#[tokio::test]
async fn an_archived_post_goes_nowhere() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let article = format!("/api/v1/articles/{}", own(&post));
    desk.front.patch(&article, &json!({ "publication_status": "archived" })).await.is(200);
    desk.publish(&post, json!({})).await.is_problem(409, "CONFLICT");
    let body = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    desk.front.post(&format!("{post}/schedule"), &body).await.is_problem(409, "CONFLICT");
    let query = format!("connection_id={}", desk.connection);
    let preview = desk.front.get(&format!("{article}/publish/preview?{query}")).await;
    assert_eq!(preview.is(200)["action"], "none");
    assert!(text(&preview.json["warnings"][0]).contains("archived"), "{}", preview.text);
}

#[tokio::test]
async fn what_was_a_draft_there_stays_one_when_ours_is_kept() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.publish(&post, json!({ "wp_status": "draft" })).await.is(200);
    desk.blog.edit(desk.shown(&post).await["wp_post_id"].as_u64().unwrap(), |there| {
        there["title"]["raw"] = json!("Their title");
    });
    let article = format!("/api/v1/articles/{}", own(&post));
    let drift = desk.front.get(&format!("{article}/drift")).await;
    assert_eq!(drift.is(200)["state"], "changed_remote", "{}", drift.text);
    desk.front.post(&format!("{article}/drift/resolve"), &json!({ "keep": "local" })).await.is(200);
    engine.stop().await;
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    assert!(!desk.blog.posts()[0].to_string().contains("Their title"));
}

#[tokio::test]
async fn that_it_is_a_draft_there_now_is_taken_over() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    desk.blog.edit(desk.shown(&post).await["wp_post_id"].as_u64().unwrap(), |there| {
        there["status"] = json!("draft");
    });
    let resolved = desk.front.post(&format!("{post}/drift/resolve"), &json!({ "keep": "remote" })).await;
    let resolved = resolved.is(200);
    assert_eq!((&resolved["status"], &resolved["published_at"]), (&json!("draft"), &Value::Null), "{resolved}");
}

#[tokio::test]
async fn a_schedule_passes_over_what_the_gate_keeps_in() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let (old, new) = (desk.written("Old").await, desk.written("New").await);
    for post in [&old, &new] {
        front.patch(post, &json!({ "status": "ready" })).await.is(200);
    }
    let gate = json!({ "settings": { "publish_gate": { "cover": true } } });
    front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    let database = &front.harness.database;
    database.execute(&format!("UPDATE articles SET cover_file_id = NULL WHERE id = '{}'", own(&old))).await;
    let featured = format!("UPDATE articles SET featured_url = 'https://x.example/a.png' WHERE id = '{}'", own(&new));
    database.execute(&featured).await;
    let action = json!({ "type": "publish", "project_id": desk.project, "take": "oldest_approved", "connection_id": desk.connection });
    let body = json!({ "name": "Tuesdays", "timezone": "UTC", "cron": "0 9 * * 2", "action": action });
    let made = front.post("/api/v1/schedules", &body).await;
    let run = format!("/api/v1/schedules/{}/run", text(&made.is(201)["id"]));
    let fired = front.post(&run, &json!({})).await;
    assert_eq!(fired.is(202)["article_id"], json!(own(&new)), "the next one is not held up");
    assert_eq!(desk.shown(&old).await["status"], "failed");
}

#[tokio::test]
async fn a_cancelled_publication_is_told_as_that() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let (path, front) = (format!("{post}/publish"), &desk.front);
    let body = json!({ "connection_id": desk.connection });
    let (published, ()) = tokio::join!(front.post(&path, &body), async {
        desk.seen(&format!("SELECT count(*) FROM tasks WHERE kind = '{TASK}'")).await;
        let task = front.harness.database.texts(&format!("SELECT id::text FROM tasks WHERE kind = '{TASK}'")).await;
        front.delete(&format!("/api/v1/tasks/{}", task[0])).await;
        assert_eq!(front.harness.ended(task[0].parse().unwrap()).await.status, TaskStatus::Cancelled);
    });
    published.is_problem(409, "CONFLICT");
}

impl Desk {
    /// A post that its blog holds until an hour far ahead; its path.
    async fn held(&self, hour: &str) -> String {
        let post = self.written("Tea").await;
        let body = json!({ "scheduled_at": hour, "connection_id": self.connection, "held_by": "site" });
        let job = id(&self.front.post(&format!("{post}/schedule"), &body).await.is(200)["job_id"]);
        let engine = self.engine();
        self.front.harness.completed(job).await;
        engine.stop().await;
        post
    }

    /// Lets the look that follows an hour come now, as long after it as is said.
    async fn looked_at(&self, after: &str) {
        let database = &self.front.harness.database;
        database.execute(&format!("UPDATE articles SET scheduled_at = now() - interval '{after}'")).await;
        database.execute("UPDATE steps SET run_at = now() WHERE kind = 'publication_reconcile'").await;
        let engine = self.engine();
        self.front.harness.jobs_done(RECONCILE).await;
        engine.stop().await;
    }
}

#[tokio::test]
async fn what_a_site_holds_is_published_when_it_has_published_it() {
    let desk = Desk::new().await;
    let post = desk.held("2028-01-01T10:00:00Z").await;
    let shown = desk.shown(&post).await;
    assert_eq!((&shown["status"], &shown["scheduled_at"]), (&json!("scheduled"), &json!("2028-01-01T10:00:00.000Z")));
    assert_eq!(desk.blog.posts()[0]["status"], "future");
    assert!(text(&desk.blog.posts()[0]["date_gmt"]).starts_with("2028-01-01T10:00:00"));
    let ours = json!({ "scheduled_at": "2028-02-01T10:00:00Z", "held_by": "galley" });
    desk.front.post(&format!("{post}/schedule"), &ours).await.is_problem(409, "CONFLICT");
    desk.blog.edit(shown["wp_post_id"].as_u64().unwrap(), |there| there["status"] = json!("publish"));
    desk.looked_at("2 minutes").await;
    let shown = desk.shown(&post).await;
    assert_eq!((&shown["status"], &shown["scheduled_at"]), (&json!("published"), &Value::Null), "{shown}");
    assert!(shown["published_url"].is_string() && shown["published_at"].is_string(), "{shown}");
}

#[tokio::test]
async fn what_a_site_holds_is_moved_and_taken_back_there() {
    let desk = Desk::new().await;
    let post = desk.held("2028-01-01T10:00:00Z").await;
    let body = json!({ "scheduled_at": "2028-02-01T10:00:00Z", "connection_id": desk.connection });
    let moved = desk.front.post(&format!("{post}/schedule"), &body).await;
    let job = id(&moved.is(200)["job_id"]);
    let engine = desk.engine();
    desk.front.harness.completed(job).await;
    engine.stop().await;
    assert_eq!(desk.blog.posts().len(), 1);
    assert!(text(&desk.blog.posts()[0]["date_gmt"]).starts_with("2028-02-01T10:00:00"), "{}", desk.blog.posts()[0]);
    let back = desk.front.post(&format!("{post}/unschedule"), &json!({})).await;
    assert_eq!((&back.is(200)["status"], &back.json["scheduled_at"]), (&json!("draft"), &Value::Null));
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    let drift = desk.front.get(&format!("{post}/drift")).await;
    assert_eq!(drift.is(200)["state"], "in_sync", "what we did there is no drift: {}", drift.text);
}

#[tokio::test]
async fn that_a_site_has_missed_the_hour_is_told() {
    let desk = Desk::new().await;
    let post = desk.held("2028-01-01T10:00:00Z").await;
    desk.looked_at("20 minutes").await;
    let shown = desk.shown(&post).await;
    assert!(text(&shown["error"]).contains("WP-Cron"), "{shown}");
    let engine = desk.engine();
    let published = desk.publish(&post, json!({})).await;
    engine.stop().await;
    assert_eq!((&published.is(200)["status"], &published.json["error"]), (&json!("published"), &Value::Null));
    assert_eq!((desk.blog.posts().len(), &desk.blog.posts()[0]["status"]), (1, &json!("publish")));
}

#[tokio::test]
async fn a_purged_project_leaves_nothing_in_the_folder() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let article = format!("/api/v1/articles/{}", own(&post));
    desk.front.patch(&article, &json!({ "publication_status": "published" })).await.is(200);
    let followed = async || {
        let engine = desk.engine();
        desk.front.harness.jobs_done(FOLLOW).await;
        engine.stop().await;
    };
    let texts = || {
        let folders = std::fs::read_dir(desk.front.harness.site()).into_iter().flatten();
        folders.filter(|entry| entry.as_ref().unwrap().path().join("index.md").exists()).count()
    };
    followed().await;
    assert_eq!(texts(), 1);
    let project = format!("/api/v1/projects/{}", desk.project);
    desk.front.delete(&project).await.is(204);
    desk.front.delete(&format!("{project}/permanent")).await.is(204);
    followed().await;
    assert_eq!(texts(), 0);
}

#[tokio::test]
async fn a_slug_is_one_of_its_project() {
    let mut desk = Desk::new().await;
    let (first, second) = (desk.written("Tea").await, desk.written("Tea").await);
    let made = desk.front.post("/api/v1/projects", &json!({ "name": "Other", "platform": "wordpress" })).await;
    desk.posts = format!("/api/v1/projects/{}/blog-posts", text(&made.is(201)["id"]));
    let elsewhere = desk.written("Tea").await;
    let slug = desk.shown(&first).await["slug"].clone();
    assert_ne!(desk.shown(&second).await["slug"], slug);
    assert_eq!(desk.shown(&elsewhere).await["slug"], slug, "another project has names of its own");
    let taken = desk.front.patch(&second, &json!({ "slug": slug })).await;
    taken.is_problem(409, "CONFLICT");
}

#[tokio::test]
async fn a_lost_answer_to_a_change_of_state_is_nobody_elses_change() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.publish(&post, json!({})).await.is(200);
    desk.front.post(&format!("{post}/unpublish"), &json!({})).await.is(200);
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let again = desk.publish(&post, json!({})).await;
    engine.stop().await;
    assert_eq!(again.is(200)["status"], "published", "{}", again.text);
    assert_eq!(desk.blog.posts()[0]["status"], "publish");
}

#[tokio::test]
async fn what_was_made_before_a_refusal_is_found() {
    let desk = Desk::new().await;
    let post = desk.written("Tea").await;
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let engine = desk.engine();
    let refused = Trouble::Status("403 Forbidden", "", r#"{"code":"rest_forbidden","message":"Not any more."}"#);
    let (published, ()) = tokio::join!(desk.publish(&post, json!({})), async {
        desk.seen("SELECT count(*) FROM effects WHERE kind = 'post' AND state = 'unknown'").await;
        desk.blog.trouble("GET", "wp/v2/posts", refused);
    });
    published.is_problem(502, "WORKFLOW_ERROR");
    let database = &desk.front.harness.database;
    // What keeps the site from being looked at may pass.
    let elsewhere = Trouble::Status("302 Found", "Location: https://elsewhere.example/\r\n", "");
    desk.blog.trouble("GET", "wp/v2/posts", elsewhere);
    database.execute("UPDATE effects SET updated_at = now() - interval '2 minutes'").await;
    database.execute("UPDATE steps SET run_at = now() WHERE kind = 'publication_settle'").await;
    desk.front.harness.jobs_done(SETTLE).await;
    engine.stop().await;
    let shown = desk.shown(&post).await;
    assert_eq!((&shown["status"], shown["wp_post_id"].is_i64()), (&json!("published"), true), "{shown}");
    assert_eq!(desk.blog.posts().len(), 1);
}

#[tokio::test]
async fn what_a_cancelled_retraction_has_taken_back_is_found() {
    let desk = Desk::new().await;
    let post = desk.published("Tea").await;
    desk.blog.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let engine = desk.engine();
    let (path, front) = (format!("{post}/unpublish"), &desk.front);
    let body = json!({});
    let (taken_back, ()) = tokio::join!(front.post(&path, &body), async {
        desk.seen("SELECT count(*) FROM effects WHERE kind = 'retraction' AND state = 'unknown'").await;
        let task = front.harness.database.texts("SELECT id::text FROM tasks WHERE kind = 'retraction'").await;
        front.delete(&format!("/api/v1/tasks/{}", task[0])).await;
    });
    taken_back.is_problem(409, "CONFLICT");
    assert_eq!(desk.shown(&post).await["status"], "published", "nobody knows yet");
    let database = &desk.front.harness.database;
    database.execute("UPDATE steps SET run_at = now() WHERE kind = 'publication_settle'").await;
    desk.front.harness.jobs_done(SETTLE).await;
    engine.stop().await;
    assert_eq!(desk.blog.posts()[0]["status"], "draft");
    assert_eq!(desk.shown(&post).await["status"], "draft");
    assert_eq!(database.number("SELECT count(*) FROM effects WHERE state IN ('sent', 'unknown')").await, 0);
}

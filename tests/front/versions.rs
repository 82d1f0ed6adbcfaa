//! Changing an article: versions, conditions, restoring, and what its sentences rest on.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, id, text};

async fn patch_if(front: &Front, path: &str, seen: &str, body: &Value) -> Answer {
    front.send(front.request(Method::PATCH, path).header("if-match", seen).json(body)).await
}

#[tokio::test]
async fn a_change_on_top_of_a_stale_reading_is_refused() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let read = front.get(&path).await;
    assert_eq!((read.status, read.header("etag")), (200, "\"1\""), "the first version");
    let first = patch_if(&front, &path, read.header("etag"), &json!({ "title": "One" })).await;
    assert_eq!((&first.is(200)["version"], first.header("etag")), (&json!(2), "\"2\""), "nobody was faster");
    for stale in ["\"1\"", "W/\"1\"", "1", "\"3\""] {
        patch_if(&front, &path, stale, &json!({ "title": "Two" })).await.is_problem(409, "CONFLICT");
    }
    for wrong in ["\"x\"", "\"1", "-1", "\"1\", \"2\"", "\"99999999999\""] {
        let refused = patch_if(&front, &path, wrong, &json!({ "title": "Two" })).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), ["If-Match"], "{wrong}");
    }
    let now = front.get(&path).await;
    assert_eq!((&now.is(200)["data"]["title"], now.header("etag")), (&json!("One"), "\"2\""), "nothing of it was kept");
    let any = patch_if(&front, &path, "*", &json!({ "title": "Three" })).await;
    assert_eq!(any.is(200)["version"], 3, "* sets no condition");
}

#[tokio::test]
async fn of_many_who_change_at_once_one_wins() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let changes: Vec<Value> = (0..6).map(|number| json!({ "title": format!("Title {number}") })).collect();
    let answers =
        futures::future::join_all(changes.iter().map(|change| patch_if(&front, &path, "\"1\"", change))).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "one of six: {answers:?}");
    answers.iter().filter(|answer| answer.status != 200).for_each(|lost| {
        lost.is_problem(409, "CONFLICT");
    });
    let versions = front.get(&format!("{path}/versions")).await;
    assert_eq!(versions.is(200)["pagination"]["total"], 2, "and one version more");
}

#[tokio::test]
async fn every_change_is_kept_and_can_be_restored() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let original = text(&front.get(&path).await.is(200)["data"]["content"]);
    front.patch(&path, &json!({ "content": "Another text.", "slug": "another" })).await.is(200);
    front.patch(&path, &json!({ "publication_status": "published" })).await.is(200);
    let restored = front.send(front.request(Method::POST, &format!("{path}/versions/1/restore"))).await;
    let wanted = json!({ "article_id": article, "version": 4, "restored_from": 1 });
    assert_eq!((restored.is(200), restored.header("etag")), (&wanted, "\"4\""), "a version of its own");
    let now = front.get(&path).await;
    let now = &now.is(200)["data"];
    assert_eq!(
        (text(&now["content"]), &now["status"]),
        (original, &json!("published")),
        "the text of old, the state of now"
    );

    let list = front.get(&format!("{path}/versions")).await;
    let reasons: Vec<(i64, String)> = list.is(200)["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (version["version"].as_i64().unwrap(), text(&version["reason"])))
        .collect();
    let wanted =
        [(4, "restored"), (3, "edited"), (2, "edited"), (1, "generated")].map(|(at, why)| (at, why.to_owned()));
    assert_eq!(reasons, wanted, "newest first, nothing lost");
    let second = front.get(&format!("{path}/versions/2")).await;
    assert_eq!(second.is(200)["content_markdown"], "Another text.", "an old text can be read");
    for wrong in ["0", "5", "-1", "x", "99999999999"] {
        front.get(&format!("{path}/versions/{wrong}")).await.is_problem(404, "NOT_FOUND");
        let restore = front.request(Method::POST, &format!("{path}/versions/{wrong}/restore"));
        front.send(restore).await.is_problem(404, "NOT_FOUND");
    }
    let stale = front.request(Method::POST, &format!("{path}/versions/1/restore")).header("if-match", "\"1\"");
    front.send(stale).await.is_problem(409, "CONFLICT");
    restore_once(&front, &path).await;
}

/// The same key restores once.
async fn restore_once(front: &Front, path: &str) {
    let restore =
        || front.request(Method::POST, &format!("{path}/versions/2/restore")).header("idempotency-key", "r-1");
    let first = front.send(restore()).await;
    let again = front.send(restore()).await;
    assert_eq!((first.is(200), again.header("idempotent-replayed")), (again.is(200), "true"), "one version, not two");
    let other = front.request(Method::POST, &format!("{path}/versions/1/restore")).header("idempotency-key", "r-1");
    front.send(other).await.is_problem(409, "CONFLICT");
    let versions = front.get(&format!("{path}/versions")).await;
    assert_eq!(versions.is(200)["pagination"]["total"], 5, "five versions in all");
}

#[tokio::test]
async fn a_slug_belongs_to_one_article() {
    let front = Front::new().await;
    let ((_, one), (_, two)) = (front.written().await, front.written().await);
    front.patch(&format!("/api/v1/articles/{one}"), &json!({ "slug": "mine" })).await.is(200);
    let taken = front.patch(&format!("/api/v1/articles/{two}"), &json!({ "slug": "mine" })).await;
    assert!(text(&taken.is_problem(409, "CONFLICT")["detail"]).contains("'mine'"), "the slug is named: {}", taken.text);
    front.patch(&format!("/api/v1/articles/{one}"), &json!({ "slug": "mine" })).await.is(200);
}

#[tokio::test]
async fn every_sentence_of_an_extracted_article_has_its_passage() {
    let front = Front::new().await;
    let file = front.sample("faq.md").await;
    let order =
        json!({ "user_prompt": "Sela Ridge coffee", "uploaded_files": [file], "min_words": 150, "max_words": 200 });
    let receipt = front.post("/api/v1/tasks", &order).await;
    let (task, article) = (id(&receipt.is(202)["task_id"]), text(&receipt.json["article_id"]));
    let engine = front.harness.extractive();
    front.harness.completed(task).await;
    engine.stop().await;
    let path = format!("/api/v1/articles/{article}");
    let report = front.get(&format!("{path}/claims")).await;
    let report = report.is(200);
    let claims = report["data"].as_array().unwrap();
    assert!(claims.len() >= 5, "a claim a sentence: {report}");
    assert_eq!(report["summary"]["total"], claims.len(), "the summary counts them: {}", report["summary"]);
    assert_eq!(report["summary"]["unsupported"], 0, "what was taken over is supported: {}", report["summary"]);
    for claim in claims.iter().filter(|claim| claim["verdict"] == "supported") {
        assert!(claim["span"]["text"].as_str().is_some_and(|text| !text.is_empty()), "it shows its passage: {claim}");
        assert_eq!(claim["source"]["file"], "faq.md", "and where that stands: {claim}");
    }
    let invented = json!({ "content": "The roastery was founded in 1812 by Ada Lovelace on the planet Mars." });
    front.patch(&path, &invented).await.is(200);
    let report = front.get(&format!("{path}/claims")).await;
    assert_eq!(
        (&report.is(200)["version"], &report.json["summary"]["unsupported"]),
        (&json!(2), &json!(1)),
        "{}",
        report.text
    );
    let credits = front.get("/api/v1/credits").await;
    assert_eq!(credits.is(200), &json!({ "balance": 960, "held": 0, "available": 960 }), "the price was charged once");
}

#[tokio::test]
async fn versions_come_in_pages() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    for number in 2..=4 {
        front.patch(&path, &json!({ "title": format!("Title {number}") })).await.is(200);
    }
    let page = front.get(&format!("{path}/versions?limit=2&offset=1")).await;
    let numbers: Vec<_> = page.is(200)["data"].as_array().unwrap().iter().map(|version| &version["version"]).collect();
    assert_eq!(numbers, [&json!(3), &json!(2)], "newest first, behind the first one");
    assert_eq!(
        (&page.json["pagination"]["total"], &page.json["pagination"]["has_more"]),
        (&json!(4), &json!(true)),
        "{}",
        page.text
    );
    let wrong = front.get(&format!("{path}/versions?limit=0&offset=x")).await;
    wrong.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(wrong.wrong_fields(), ["offset", "limit"]);
}

#[tokio::test]
async fn publishing_records_its_time_each_time() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let put = async |state: &str| front.patch(&path, &json!({ "publication_status": state })).await.json;
    let first = put("published").await["published_at"].clone();
    assert!(first.is_string(), "it is published now: {first}");
    let edited = front.patch(&path, &json!({ "title": "Tea, again" })).await;
    assert_eq!(edited.is(200)["published_at"], first, "a change is no second publication");
    assert_eq!(put("archived").await["published_at"], first, "what is archived was published then");
    assert_eq!(put("draft").await["published_at"], Value::Null, "a draft is not published");
    let second = put("published").await["published_at"].clone();
    assert!(second.as_str() > first.as_str(), "published anew: {second} after {first}");
}

#[tokio::test]
async fn a_text_may_be_long_but_not_without_end() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let sentences = |count: usize| json!({ "content": "It is. ".repeat(count) });
    let long = front.patch(&path, &sentences(5000)).await;
    assert_eq!(long.is(200)["version"], 2, "a long text is taken");
    let report = front.get(&format!("{path}/claims")).await;
    assert_eq!(report.is(200)["summary"]["total"], 5000, "with every sentence");
    let endless = front.patch(&path, &sentences(5001)).await;
    endless.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(endless.wrong_fields(), ["content"]);
    assert!(endless.text.contains("5001 sentences"), "it says what is wrong: {}", endless.text);
    // Every character of it is escaped, which doubles the body.
    let escaped = front.patch(&path, &json!({ "content": "\n".repeat(499_996) + "Tea." })).await;
    assert_eq!(escaped.is(200)["version"], 3, "the longest text fits into a request");
    let long = front.patch(&path, &json!({ "content": "x".repeat(500_001) })).await;
    long.is_problem(400, "VALIDATION_ERROR");
    assert!(long.text.contains("at most 500000"), "it says what is right: {}", long.text);
    assert_eq!(front.get(&path).await.is(200)["data"]["version"], 3, "nothing of it was kept");
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let held = front.harness.database.hold("SELECT 1 FROM articles FOR UPDATE").await;
    let changes = [json!({ "title": "One" }), json!({ "seo_title": "Two" }), json!({ "content": "Three is a text." })];
    let all = futures::future::join_all(changes.iter().map(|change| front.patch(&path, change)));
    let (answers, ()) = tokio::join!(all, async {
        front.harness.database.waiting_for_locks(3).await;
        held.release().await;
    });
    answers.iter().for_each(|answer| {
        answer.is(200);
    });
    let now = front.get(&path).await;
    let now = &now.is(200)["data"];
    assert_eq!(
        (&now["title"], &now["seo_title"], &now["content_markdown"], &now["version"]),
        (&json!("One"), &json!("Two"), &json!("Three is a text."), &json!(4)),
        "each is made on top of the others"
    );
    let report = front.get(&format!("{path}/claims")).await;
    assert_eq!(report.is(200)["summary"]["total"], 1, "the claims are those of the text: {}", report.text);
}

#[tokio::test]
async fn a_removal_that_is_given_up_changes_nothing() {
    let front = Front::new().await;
    let (task, article) = front.written().await;
    front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({ "from": "seo" })).await.is(202);
    let held = front.harness.database.hold("SELECT 1 FROM article_versions FOR UPDATE").await;
    let delete = front.request(Method::DELETE, &format!("/api/v1/articles/{article}"));
    let asked = tokio::spawn(delete.send());
    front.harness.database.waiting_for_locks(1).await;
    asked.abort();
    let _ = asked.await;
    // The removal runs into the lock until its transaction is rolled back.
    let given_up = async {
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
            AND application_name = 'galley'";
        while front.harness.database.number(waits).await > 0 {
            front
                .harness
                .database
                .execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'",
                )
                .await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), given_up).await.expect("it is rolled back");
    held.release().await;
    let status = text(&front.get(&format!("/api/v1/tasks/{task}")).await.is(200)["status"]);
    front.get(&format!("/api/v1/articles/{article}")).await.is(200);
    assert_eq!(status, "pending", "the article is there, so its task is too");
}

#[tokio::test]
async fn no_run_begins_for_an_article_that_is_being_removed() {
    let front = Front::new().await;
    let (task, article) = front.written().await;
    let held = front.harness.database.hold("SELECT 1 FROM articles FOR UPDATE").await;
    let delete = tokio::spawn(front.request(Method::DELETE, &format!("/api/v1/articles/{article}")).send());
    front.harness.database.waiting_for_locks(1).await;
    let retry = front.request(Method::POST, &format!("/api/v1/tasks/{task}/retry")).json(&json!({ "from": "seo" }));
    let retry = tokio::spawn(retry.send());
    front.harness.database.waiting_for_locks(2).await;
    held.release().await;
    assert_eq!(delete.await.unwrap().unwrap().status(), 204, "the article is gone");
    assert_eq!(retry.await.unwrap().unwrap().status(), 409, "there is nothing to run for");
    let open = "SELECT count(*) FROM tasks WHERE status IN ('pending', 'processing')";
    assert_eq!(front.harness.database.number(open).await, 0, "no task works for nothing");
}

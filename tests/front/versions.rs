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

//! What an order leaves that does not come to its end: no text that nobody has paid.

use galley_domain::{Fault, FaultCode, article};
use galley_testkit::{Move, Script};
use serde_json::{Value, json};

use super::{Front, events::Following, text};

/// Nothing of a text can be read, in whatever way one asks.
async fn assert_no_text(front: &Front, task: &str, id: &str, status: &str) {
    let path = format!("/api/v1/articles/{id}");
    let answer = front.get(&path).await;
    let whole = &answer.is(200)["data"];
    assert_eq!((&whole["status"], &whole["version"], &whole["word_count"]), (&json!(status), &json!(0), &json!(0)));
    for name in ["content", "content_markdown", "content_html", "seo_title", "seo_description"] {
        assert_eq!(whole[name], "", "{name} of one that is {status}");
    }
    assert_eq!((&whole["seo"], &whole["featured_images"]), (&Value::Null, &json!([])));
    assert_eq!(front.get(&format!("{path}/versions")).await.is(200)["data"], json!([]));
    front.get(&format!("{path}/versions/1")).await.is_problem(404, "NOT_FOUND");
    assert_eq!(front.get(&format!("{path}/claims")).await.is(200)["data"], json!([]));
    assert_eq!(front.get(&format!("/api/v1/tasks/{task}/articles")).await.is(200)["data"], json!([]));
    front.patch(&path, &json!({ "title": "Mine" })).await.is_problem(409, "CONFLICT");
    front.post(&format!("{path}/versions/1/restore"), &json!({})).await.is_problem(409, "CONFLICT");
}

async fn ordered(front: &Front) -> (String, String) {
    let receipt = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let receipt = receipt.is(202);
    (text(&receipt["task_id"]), text(&receipt["article_id"]))
}

async fn listed(front: &Front) -> Vec<Value> {
    front.get("/api/v1/articles").await.is(200)["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_that_fails_after_its_text_was_written_leaves_none_and_brings_it_when_it_is_run_again() {
    let front = Front::new().await;
    let script = Script::default();
    let refused = || Move::Fail(Fault::permanent(FaultCode::WorkflowError, "no such folder"));
    script.next(article::SYNC, [refused()]);
    let engine = front.harness.scripted(&script);
    let (task, id) = ordered(&front).await;
    front.harness.ended(task.parse().unwrap()).await;
    assert_no_text(&front, &task, &id, "failed").await;
    let listed = listed(&front).await;
    let [one] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((&one["status"], &one["word_count"], &one["seo_title"]), (&json!("failed"), &json!(0), &json!("")));
    assert_eq!(one["error"]["message"], "no such folder");

    front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({})).await.is(202);
    front.harness.completed(task.parse().unwrap()).await;
    let whole = front.get(&format!("/api/v1/articles/{id}")).await;
    let whole = &whole.is(200)["data"];
    assert_eq!((&whole["status"], &whole["version"], &whole["error"]), (&json!("draft"), &json!(1), &Value::Null));
    assert!(!text(&whole["content"]).is_empty(), "{whole}");
    assert_eq!(script.runs_of(article::SEO), 1, "it is the text that was there");

    script.next(article::SYNC, [refused()]);
    front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({ "from": "sync" })).await.is(202);
    front.harness.ended(task.parse().unwrap()).await;
    let kept = front.get(&format!("/api/v1/articles/{id}")).await;
    assert_eq!(kept.is(200)["data"]["content"], whole["content"], "what was paid once stays");
    assert_eq!(kept.json["data"]["status"], "draft");
    engine.stop().await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_after_its_text_was_written_leaves_none() {
    let front = Front::new().await;
    let script = Script::default();
    script.next(article::IMAGE, [Move::Hang(Vec::new())]);
    let engine = front.harness.scripted(&script);
    let (task, id) = ordered(&front).await;
    let mut following =
        Following::of(front.request(reqwest::Method::GET, &format!("/api/v1/tasks/{task}/events"))).await;
    while following.until("step.started").await.last().unwrap().data["step"] != "image" {}
    assert_no_text(&front, &task, &id, "generating").await;
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    assert_no_text(&front, &task, &id, "failed").await;
    assert_eq!(listed(&front).await, Vec::<Value>::new());
    engine.stop().await;
}

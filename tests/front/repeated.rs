//! The same request twice under one `Idempotency-Key`, where the second without it would be a conflict.

use reqwest::Method;
use serde_json::json;

use super::{Answer, Front, text};

async fn with_key(front: &Front, path: &str, key: &str) -> Answer {
    front.send(front.request(Method::POST, path).header("idempotency-key", key)).await
}

/// Twice under a key: the same answer. Under another one: a conflict. Under one that is none: 400.
async fn is_done_once(front: &Front, path: &str, key: &str) {
    let wrong = with_key(front, path, "a b").await;
    wrong.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(wrong.wrong_fields(), ["Idempotency-Key"], "{path}");
    let (first, again) = (with_key(front, path, key).await, with_key(front, path, key).await);
    assert_eq!((first.is(200), first.header("idempotent-replayed")), (again.is(200), ""), "{path}");
    assert_eq!(again.header("idempotent-replayed"), "true", "{path}");
    with_key(front, path, &format!("{key}-other")).await.is_problem(409, "CONFLICT");
}

#[tokio::test]
async fn a_task_is_paused_and_resumed_once() {
    let front = Front::new().await;
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let task = format!("/api/v1/tasks/{}", text(&order.is(202)["task_id"]));
    is_done_once(&front, &format!("{task}/pause"), "p").await;
    is_done_once(&front, &format!("{task}/resume"), "r").await;
    let replayed = with_key(&front, &format!("{task}/pause"), "p").await;
    assert_eq!(replayed.is(200)["paused"], true, "the first answer, whatever has happened since");
    assert_eq!(front.get(&task).await.is(200)["paused"], false, "and nothing is done again");
    with_key(&front, &format!("{task}/resume"), "p").await.is_problem(409, "CONFLICT");
    let kept = front.harness.database.texts("SELECT response::text FROM idempotency_keys").await;
    assert!(kept.len() == 2 && !kept.iter().any(|answer| answer.contains("memo\": {\"")), "{kept:?}");
}

#[tokio::test]
async fn a_project_is_restored_once() {
    let front = Front::new().await;
    let made = front.post("/api/v1/projects", &json!({ "name": "Tea", "platform": "shopify" })).await;
    made.is(201);
    let path = made.header("location");
    front.delete(path).await.is(204);
    is_done_once(&front, &format!("{path}/restore"), "r").await;
}

#[tokio::test]
async fn a_schedule_is_paused_and_resumed_once_and_a_preview_reads_the_key() {
    let front = Front::new().await;
    let body = json!({
        "name": "Tea", "timezone": "UTC", "cron": "0 9 * * *",
        "action": { "type": "order", "order": { "user_prompt": "Tea" } },
    });
    let made = front.post("/api/v1/schedules", &body).await;
    made.is(201);
    is_done_once(&front, &format!("{}/pause", made.header("location")), "p").await;
    is_done_once(&front, &format!("{}/resume", made.header("location")), "r").await;
    let preview = async |key: &str| -> Answer {
        let request = front.request(Method::POST, "/api/v1/schedules/preview").header("idempotency-key", key);
        front.send(request.json(&json!({ "cron": "0 9 * * *", "timezone": "UTC" }))).await
    };
    let wrong = preview("a b").await;
    wrong.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(wrong.wrong_fields(), ["Idempotency-Key"]);
    preview("p").await.is(200);
}

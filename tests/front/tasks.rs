//! Tasks that pause, and tasks of another kind in the list.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, text};

const NOBODY: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

async fn act(front: &Front, task: &str, what: &str) -> Answer {
    front.send(front.request(Method::POST, &format!("/api/v1/tasks/{task}/{what}"))).await
}

#[tokio::test]
async fn a_paused_task_says_so_and_keeps_its_status() {
    let front = Front::new().await;
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let task = text(&order.is(202)["task_id"]);
    act(&front, &task, "resume").await.is_problem(409, "CONFLICT");
    let paused = act(&front, &task, "pause").await;
    assert_eq!((&paused.is(200)["paused"], &paused.json["status"]), (&json!(true), &json!("pending")));
    let seen = front.get(&format!("/api/v1/tasks/{task}")).await;
    assert_eq!((&seen.is(200)["paused"], &seen.json["status"]), (&json!(true), &json!("pending")), "and later too");
    act(&front, &task, "pause").await.is_problem(409, "CONFLICT");
    let resumed = act(&front, &task, "resume").await;
    assert_eq!((&resumed.is(200)["paused"], &resumed.json["status"]), (&json!(false), &json!("pending")));
    act(&front, &task, "resume").await.is_problem(409, "CONFLICT");
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    for what in ["pause", "resume"] {
        let refused = act(&front, &task, what).await;
        let said = text(&refused.is_problem(409, "CONFLICT")["detail"]);
        assert!(said.contains(&format!("only one that has not ended can be {what}d")), "{said}");
    }
}

#[tokio::test]
async fn nobody_pauses_the_tasks_of_others() {
    let front = Front::new().await;
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let task = text(&order.is(202)["task_id"]);
    let (_, stranger) = front.harness.other_tenant().await;
    for what in ["pause", "resume"] {
        let request = front.request_as(&stranger, Method::POST, &format!("/api/v1/tasks/{task}/{what}"));
        front.send(request).await.is_problem(404, "TASK_NOT_FOUND");
        act(&front, NOBODY, what).await.is_problem(404, "TASK_NOT_FOUND");
        act(&front, "not-an-id", what).await.is_problem(404, "TASK_NOT_FOUND");
    }
    assert_eq!(front.get(&format!("/api/v1/tasks/{task}")).await.is(200)["paused"], false);
}

#[tokio::test]
async fn tasks_of_other_kinds_are_shown_to_who_asks_for_them() {
    let front = Front::new().await;
    front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await.is(202);
    let org = front.harness.principal.org;
    let insert = format!(
        "INSERT INTO tasks (id, org_id, kind, status, input, rank, price, trace_id)
         VALUES ('{NOBODY}', '{org}', 'toy', 'completed', '{{}}', 1, 0, '')"
    );
    front.harness.database.execute(&insert).await;
    let kinds = async |query: &str| -> Vec<String> {
        let list = front.get(&format!("/api/v1/tasks{query}")).await;
        let kinds = list.is(200)["data"].as_array().unwrap().iter().map(|task| text(&task["kind"])).collect();
        assert_eq!(list.json["pagination"]["total"], list.json["data"].as_array().unwrap().len(), "{query}");
        kinds
    };
    assert_eq!(kinds("").await, ["article"], "orders of articles, as 000 has them");
    assert_eq!(kinds("?kind=all").await, ["toy", "article"], "newest first");
    assert_eq!(kinds("?kind=toy").await, ["toy"]);
    assert_eq!(kinds("?kind=all&status=completed").await, ["toy"]);
    assert_eq!(kinds("?kind=unknown").await, Vec::<String>::new());
    let toy = front.get(&format!("/api/v1/tasks/{NOBODY}")).await;
    let shown = ["article_id", "user_prompt", "keywords", "min_words"].map(|field| toy.is(200)[field].clone());
    assert_eq!(shown, [Value::Null, json!(""), json!([]), json!(0)], "what only articles have is empty");
    let again = front.post(&format!("/api/v1/tasks/{NOBODY}/retry"), &json!({})).await;
    assert!(text(&again.is_problem(409, "CONFLICT")["detail"]).contains("toy"), "{}", again.text);
}

//! One event of each kind, as the description shows them.

use serde_json::{Value, json};

use super::payloads;
use crate::http::kit::document::Stream;

/// Every kind with what its `data` may say.
pub fn kinds() -> Vec<(&'static str, Value)> {
    let article = "0198c5d2-4a6e-7c1b-9d0a-3f3e6b1c2d4e";
    let task = |status: &str, progress: u8, current: Value, done: &[&str]| json!({ "status": status, "progress": progress, "current_step": current, "steps_completed": done });
    let step = || json!({ "step": "research", "position": 0, "attempt": 1, "max_attempts": 4, "run": 1 });
    let error = || json!({ "code": "WORKFLOW_ERROR", "message": "nothing could be read" });
    let with = |mut data: Value, name: &str, value: Value| {
        data[name] = value;
        data
    };
    let all = ["research", "outline", "drafting", "seo", "image", "sync"];
    vec![
        ("task.created", json!({ "article_id": article, "credits_held": 40.0 })),
        ("task.started", json!({ "run": 1 })),
        ("task.progress", task("processing", 40, json!("drafting"), &all[..2])),
        ("task.warning", json!({ "message": "one page could not be read" })),
        ("task.paused", task("processing", 40, json!("drafting"), &all[..2])),
        ("task.resumed", task("processing", 40, json!("drafting"), &all[..2])),
        ("task.completed", with(task("completed", 100, json!(null), &all), "article_id", json!(article))),
        ("task.failed", with(task("failed", 0, json!("research"), &[]), "error", error())),
        ("task.cancelled", task("cancelled", 40, json!("drafting"), &all[..2])),
        ("task.retried", json!({ "run": 2, "from": "research" })),
        ("step.started", step()),
        ("step.progress", with(step(), "message", json!("reading 3 of 5 pages"))),
        ("step.completed", step()),
        ("step.retry", with(with(step(), "error", error()), "retry_in_seconds", json!(2.5))),
        ("step.failed", with(step(), "error", error())),
    ]
}

/// The stream as the description has it.
pub fn stream() -> Stream {
    let sent = |(at, (kind, data)): (usize, (&'static str, Value))| {
        (kind, format!("id: {}\nevent: {kind}\ndata: {data}\n\n", at + 1))
    };
    Stream {
        path: "/api/v1/tasks/{task_id}/events",
        payloads: kinds().into_iter().map(|(kind, _)| (kind, payloads::schema_of(kind))).collect(),
        schemas: payloads::schemas(),
        examples: kinds().into_iter().enumerate().map(sent).collect(),
    }
}

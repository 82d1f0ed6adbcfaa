//! Schedules over HTTP: what is taken, what is shown, and all that is wrong with a body.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, text};

const PATH: &str = "/api/v1/schedules";

fn body() -> Value {
    json!({
        "name": "Tea", "timezone": "Europe/Berlin", "cron": "0 9 * * *",
        "action": { "type": "order", "order": { "user_prompt": "Tea" } },
    })
}

/// The body with other fields; null takes a field away.
fn with(changes: Value) -> Value {
    let mut body = body();
    for (field, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(field);
        } else {
            body[field] = value.clone();
        }
    }
    body
}

fn order(order: Value) -> Value {
    json!({ "action": { "type": "order", "order": order } })
}

#[tokio::test]
async fn a_schedule_is_made_shown_changed_and_deleted() {
    let front = Front::new().await;
    let made = front.post(PATH, &body()).await;
    let shown = made.is(201).clone();
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("{PATH}/{}", text(&shown["id"])));
    assert_eq!(front.get(&path).await.is(200), &shown);
    for (field, value) in [
        ("status", json!("active")),
        ("cron", json!("0 9 * * *")),
        ("rule", json!(null)),
        ("action", body()["action"].clone()),
        ("missed", json!({ "policy": "late", "within_hours": 24 })),
        ("max_per_day", json!(null)),
        ("starts_at", json!(null)),
        ("last_run", json!(null)),
        ("pending_decisions", json!(0)),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(shown["next_runs"].as_array().unwrap().len(), 10);
    let rule = json!({ "every": "week", "at": ["17:30", "09:00"], "weekdays": ["fri", "mon"] });
    let changed = front.patch(&path, &json!({ "rule": rule, "timezone": "Asia/Tokyo", "max_per_day": 2 })).await;
    let changed = changed.is(200);
    assert_eq!(changed["rule"], json!({ "every": "week", "at": ["09:00", "17:30"], "weekdays": ["mon", "fri"] }));
    assert_eq!(
        (&changed["cron"], &changed["timezone"], &changed["max_per_day"]),
        (&json!(null), &json!("Asia/Tokyo"), &json!(2))
    );
    let at = text(&changed["next_runs"][0]);
    assert!(at.ends_with("T00:00:00.000Z") || at.ends_with("T08:30:00.000Z"), "the times follow at once: {at}");
    let back = front.patch(&path, &json!({ "cron": "0 9 * * *", "rule": null, "max_per_day": null })).await;
    assert_eq!(
        (&back.is(200)["rule"], &back.json["cron"], &back.json["max_per_day"]),
        (&json!(null), &json!("0 9 * * *"), &json!(null))
    );
    let other = front.post(PATH, &with(json!({ "name": "100% coffee", "status": "paused" }))).await;
    assert_eq!((&other.is(201)["status"], &other.json["next_runs"]), (&json!("paused"), &json!([])));
    for (query, total) in
        [("", 2), ("?status=paused", 1), ("?status=ended", 0), ("?search=100%25", 1), ("?search=TEA", 1)]
    {
        assert_eq!(front.get(&format!("{PATH}{query}")).await.is(200)["pagination"]["total"], total, "{query}");
    }
    let list = front.get(&format!("{PATH}?limit=1")).await;
    assert_eq!(list.is(200)["data"][0]["name"], "100% coffee", "newest first");
    assert_eq!(front.delete(&path).await.status, 204);
    for answer in [front.get(&path).await, front.delete(&path).await, front.get(&format!("{path}/runs")).await] {
        answer.is_problem(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn it_is_paused_resumed_and_run() {
    let front = Front::new().await;
    let path = format!("{PATH}/{}", text(&front.post(PATH, &body()).await.is(201)["id"]));
    let post = async |what: &str| front.post(&format!("{path}/{what}"), &json!({})).await;
    post("resume").await.is_problem(409, "CONFLICT");
    assert_eq!(post("pause").await.is(200)["status"], "paused");
    post("pause").await.is_problem(409, "CONFLICT");
    let run = post("run").await;
    let fired = run.is(202);
    assert_eq!(
        (&fired["trigger"], &fired["status"], &fired["reason"]),
        (&json!("manual"), &json!("fired"), &json!(null))
    );
    assert_eq!(run.header("location"), format!("/api/v1/tasks/{}", text(&fired["task_id"])));
    front.get(run.header("location")).await.is(200);
    assert_eq!(front.patch(&path, &json!({ "status": "active" })).await.is(200)["status"], "active");
    let shown = front.get(&path).await;
    assert_eq!(&shown.is(200)["last_run"], fired);
    let runs = front.get(&format!("{path}/runs?status=fired")).await;
    assert_eq!((&runs.is(200)["data"][0], &runs.json["pagination"]["total"]), (fired, &json!(1)));
    let decide = format!("{path}/runs/{}/decide", text(&fired["id"]));
    front.post(&decide, &json!({ "run": true })).await.is_problem(409, "CONFLICT");
    let poor = Front::on(galley_testkit::Harness::builder().credits(0), |_| {}).await;
    let id = text(&poor.post(PATH, &body()).await.is(201)["id"]);
    poor.post(&format!("{PATH}/{id}/run"), &json!({})).await.is_problem(402, "INSUFFICIENT_CREDITS");
}

#[tokio::test]
async fn the_same_key_makes_one_schedule_and_one_run() {
    let front = Front::new().await;
    let send = async |path: &str, body: &Value| -> Answer {
        front.send(front.request(Method::POST, path).header("idempotency-key", "k").json(body)).await
    };
    let (first, again) = (send(PATH, &body()).await, send(PATH, &body()).await);
    assert_eq!((first.is(201), again.header("idempotent-replayed")), (again.is(201), "true"));
    send(PATH, &with(json!({ "name": "Coffee" }))).await.is_problem(409, "CONFLICT");
    let path = format!("{PATH}/{}/pause", text(&first.json["id"]));
    assert_eq!(front.get(PATH).await.is(200)["pagination"]["total"], 1);
    let other = async |key: &str| -> Answer {
        front.send(front.request(Method::POST, &path).header("idempotency-key", key)).await
    };
    assert_eq!((other("p").await.status, other("p").await.status, other("q").await.status), (200, 200, 409));
}

#[tokio::test]
async fn a_change_on_top_of_a_stale_reading_is_refused() {
    let front = Front::new().await;
    let made = front.post(PATH, &body()).await;
    let path = made.header("location").to_owned();
    // Two changes within a millisecond would look like one.
    let earlier = "UPDATE schedules SET updated_at = updated_at - interval '1 second'";
    front.harness.database.execute(earlier).await;
    let seen = text(&front.get(&path).await.is(200)["updated_at"]);
    let patch = async |seen: &str, name: &str| -> Answer {
        front.send(front.request(Method::PATCH, &path).header("if-match", seen).json(&json!({ "name": name }))).await
    };
    let first = patch(&format!("\"{seen}\""), "One").await;
    let now = text(&first.is(200)["updated_at"]);
    for stale in [format!("\"{seen}\""), format!("W/\"{seen}\""), seen, "\"2020-01-01T00:00:00Z\"".to_owned()] {
        patch(&stale, "Two").await.is_problem(412, "CONFLICT");
    }
    for wrong in ["3", "yesterday", ""] {
        let refused = patch(wrong, "Two").await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), ["If-Match"], "{wrong}");
    }
    assert_eq!(front.get(&path).await.is(200)["name"], "One", "nothing of it was kept");
    assert_eq!(patch(&now, "Three").await.is(200)["name"], "Three", "the bare time is taken");
    assert_eq!(patch("*", "Four").await.is(200)["name"], "Four", "* sets no condition");
}

#[tokio::test]
async fn times_are_told_without_storing_anything() {
    let front = Front::new().await;
    let ask = json!({ "cron": "30 2 * * *", "timezone": "Europe/Berlin", "count": 2, "after": "2027-03-27T12:00:00Z" });
    let preview = front.post(&format!("{PATH}/preview"), &ask).await;
    assert_eq!(
        preview.is(200),
        &json!({ "timezone": "Europe/Berlin", "times": [
            { "at": "2027-03-28T01:00:00.000Z", "local": "2027-03-28T03:00", "offset": "+02:00",
              "note": "02:30 does not exist on this day; runs at 03:00" },
            { "at": "2027-03-29T00:30:00.000Z", "local": "2027-03-29T02:30", "offset": "+02:00", "note": null },
        ]})
    );
    assert_eq!(front.get(PATH).await.is(200)["pagination"]["total"], 0);
    let made = front.post(PATH, &with(json!({ "cron": "30 2 28 3 *", "starts_at": "2027-01-01T00:00:00Z" }))).await;
    let noted = &made.is(201)["next_notes"][0];
    assert_eq!((&noted["at"], &made.json["next_runs"][0]), (&json!("2027-03-28T01:00:00.000Z"), &noted["at"]));
    let path = format!("{}/next", made.header("location"));
    assert_eq!(front.get(&path).await.is(200)["times"].as_array().unwrap().len(), 10);
    let one = front.get(&format!("{path}?count=1&after=2027-03-28T01:00:00Z")).await;
    assert_eq!(one.is(200)["times"][0]["at"], "2028-03-28T00:30:00.000Z");
    for (query, field) in [("count=0", "count"), ("count=101", "count"), ("after=soon", "after")] {
        let refused = front.get(&format!("{path}?{query}")).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field], "{query}");
    }
    let wrong =
        front.post(&format!("{PATH}/preview"), &json!({ "rule": { "every": "day", "at": [] }, "count": 0 })).await;
    wrong.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(wrong.wrong_fields(), ["rule.at", "timezone", "count"]);
}

/// What is wrong with a new schedule, each with all the fields that are to blame.
fn bad_bodies() -> Vec<(Value, Vec<&'static str>)> {
    let rule = |rule: Value| json!({ "cron": null, "rule": rule });
    let link = "http://127.0.0.1/x";
    let unknown = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    vec![
        (json!({ "cron": null }), vec!["cron", "rule"]),
        (json!({ "rule": { "every": "day", "at": ["09:00"] } }), vec!["cron", "rule"]),
        (json!({ "cron": "0 9 * *" }), vec!["cron"]),
        (json!({ "cron": "0 0 9 * * *" }), vec!["cron"]),
        (json!({ "cron": "@daily" }), vec!["cron"]),
        (json!({ "cron": "61 25 * * *" }), vec!["cron", "cron"]),
        (json!({ "cron": "0 0 30 2 *" }), vec!["cron"]),
        (json!({ "cron": 5 }), vec!["cron"]),
        (json!({ "cron": "" }), vec!["cron"]),
        (json!({ "timezone": "Europe/Berln" }), vec!["timezone"]),
        (json!({ "timezone": "+02:00" }), vec!["timezone"]),
        (json!({ "timezone": null }), vec!["timezone"]),
        (rule(json!({ "every": "day", "at": ["09:00", "9:00"] })), vec!["rule.at[1]"]),
        (rule(json!({ "every": "day", "at": ["09:00", "09:00"] })), vec!["rule.at[1]"]),
        (rule(json!({ "every": "day", "at": [] })), vec!["rule.at"]),
        (rule(json!({ "every": "hour", "at": ["09:00"] })), vec!["rule.every"]),
        (rule(json!({ "every": "day" })), vec!["rule.at"]),
        (rule(json!({ "every": "week", "at": ["09:00"] })), vec!["rule.weekdays"]),
        (rule(json!({ "every": "week", "at": ["09:00"], "weekdays": ["Monday"] })), vec!["rule.weekdays[0]"]),
        (rule(json!({ "every": "month", "at": ["09:00"], "days": [0, 1] })), vec!["rule.days[0]"]),
        (rule(json!({ "every": "month", "at": ["09:00"], "days": [32] })), vec!["rule.days[0]"]),
        (rule(json!({ "every": "day", "at": ["09:00"], "interval": 2 })), vec!["rule.interval"]),
        (rule(json!("daily")), vec!["rule"]),
        (json!({ "starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z" }), vec!["ends_at"]),
        (json!({ "ends_at": "2020-01-01T00:00:00Z" }), vec!["ends_at"]),
        (json!({ "starts_at": "tomorrow" }), vec!["starts_at"]),
        (json!({ "name": " " }), vec!["name"]),
        (json!({ "name": "x".repeat(201) }), vec!["name"]),
        (json!({ "action": null }), vec!["action"]),
        (json!({ "action": { "type": "order" } }), vec!["action.order"]),
        (json!({ "action": { "type": "dance", "order": { "user_prompt": "Tea" } } }), vec!["action.type"]),
        (order(json!({})), vec!["action.order.user_prompt"]),
        (
            order(json!({ "user_prompt": " ", "min_words": 1 })),
            vec!["action.order.user_prompt", "action.order.min_words"],
        ),
        (order(json!({ "user_prompt": "Tea", "min_words": 300, "max_words": 200 })), vec!["action.order.min_words"]),
        (order(json!({ "topic": "ab", "tone": "angry" })), vec!["action.order.topic", "action.order.tone"]),
        (order(json!({ "topic": "Tea cups", "user_prompt": "Tea" })), vec!["action.order.topic"]),
        (order(json!({ "user_prompt": "Tea", "reference_links": [link] })), vec!["action.order.reference_links[0]"]),
        (order(json!({ "user_prompt": "Tea", "uploaded_files": [unknown] })), vec!["action.order.uploaded_files[0]"]),
        (order(json!({ "topic": "Tea cups", "project_id": unknown })), vec!["action.order.project_id"]),
        (
            json!({ "action": { "type": "order", "order": { "user_prompt": "Tea" }, "project_id": unknown } }),
            vec!["action.project_id"],
        ),
        (
            order(json!({ "user_prompt": "", "reference_links": [link], "uploaded_files": [unknown], "colour": 1 })),
            vec![
                "action.order.user_prompt",
                "action.order.colour",
                "action.order.reference_links[0]",
                "action.order.uploaded_files[0]",
            ],
        ),
        (
            json!({ "name": "", "action": { "type": "order", "order": { "topic": "Tea cups" }, "project_id": unknown } }),
            vec!["name", "action.project_id"],
        ),
        (json!({ "missed": { "policy": "never", "within_hours": 0 } }), vec!["missed.policy", "missed.within_hours"]),
        (json!({ "missed": { "hours": 1 } }), vec!["missed.hours"]),
        (json!({ "max_per_day": 0 }), vec!["max_per_day"]),
        (json!({ "max_per_day": 1441 }), vec!["max_per_day"]),
        (json!({ "status": "ended" }), vec!["status"]),
        (json!({ "next_runs": [] }), vec!["next_runs"]),
        (
            json!({ "name": "", "cron": "x", "timezone": "Nowhere", "max_per_day": "two", "status": "on", "colour": 1,
                "action": { "type": "x", "order": { "user_prompt": 1 } }, "missed": 5 }),
            vec![
                "name",
                "cron",
                "timezone",
                "action.type",
                "action.order.user_prompt",
                "missed",
                "max_per_day",
                "status",
                "colour",
            ],
        ),
    ]
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_at_once() {
    let front = Front::new().await;
    for (changes, fields) in bad_bodies() {
        let answer = front.post(PATH, &with(changes.clone())).await;
        assert_eq!(answer.status, 400, "{changes}: {}", answer.text);
        answer.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(answer.wrong_fields(), fields, "{changes}: {}", answer.text);
    }
    assert_eq!(front.get(PATH).await.is(200)["pagination"]["total"], 0, "nothing of it was kept");
}

#[tokio::test]
async fn a_wrong_change_is_refused_and_changes_nothing() {
    let front = Front::new().await;
    let made = front.post(PATH, &body()).await;
    let (path, before) = (made.header("location").to_owned(), made.is(201).clone());
    let rule = json!({ "every": "day", "at": ["09:00"] });
    for (change, fields) in [
        (json!({}), vec!["body"]),
        (json!({ "name": null }), vec!["name"]),
        (json!({ "cron": "x", "timezone": "Nowhere" }), vec!["cron", "timezone"]),
        (json!({ "cron": "0 9 * * *", "rule": rule }), vec!["cron", "rule"]),
        (json!({ "rule": { "every": "day", "at": ["25:00"] }, "name": 7 }), vec!["name", "rule.at[0]"]),
        (json!({ "starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z" }), vec!["ends_at"]),
        (order(json!({ "user_prompt": "" })), vec!["action.order.user_prompt"]),
        (json!({ "missed": null }), vec!["missed"]),
        (json!({ "status": "ended", "id": 5 }), vec!["status", "id"]),
    ] {
        let refused = front.patch(&path, &change).await;
        assert_eq!(refused.status, 400, "{change}: {}", refused.text);
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), fields, "{change}: {}", refused.text);
    }
    assert_eq!(front.get(&path).await.is(200), &before);
}

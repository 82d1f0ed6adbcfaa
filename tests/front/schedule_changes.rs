//! Changes to schedules over HTTP that are refused or keep what they do not name.

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

/// A schedule as it is made with these fields besides: its path.
async fn made(front: &Front, more: Value) -> String {
    let mut body = body();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = front.post(PATH, &body).await;
    made.is(201);
    made.header("location").to_owned()
}

/// What a 400 says of its only field.
#[track_caller]
fn said(answer: &Answer, field: &str) -> String {
    answer.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(answer.wrong_fields(), [field], "{}", answer.text);
    text(&answer.json["errors"][0]["message"])
}

#[tokio::test]
async fn an_end_that_leaves_no_time_is_refused_as_it_is_at_the_beginning() {
    let front = Front::new().await;
    let past = json!({ "ends_at": "2026-01-01T00:00:00Z" });
    for path in [made(&front, json!({})).await, made(&front, json!({ "status": "paused" })).await] {
        let before = front.get(&path).await.is(200).clone();
        let refused = front.patch(&path, &past).await;
        assert!(said(&refused, "ends_at").contains("leaves no time after now"), "{}", refused.text);
        assert_eq!(front.get(&path).await.is(200), &before);
    }
}

#[tokio::test]
async fn one_that_has_ended_is_neither_paused_nor_resumed() {
    let front = Front::new().await;
    let (ended, paused) = (made(&front, json!({})).await, made(&front, json!({ "status": "paused" })).await);
    let database = &front.harness.database;
    let end = "UPDATE schedules SET recurrence = recurrence || '{\"ends_at\": \"2026-01-01T00:00:00Z\"}'";
    database.execute(end).await;
    database.execute("UPDATE schedules SET status = 'ended', next_due = NULL WHERE status = 'active'").await;
    for what in ["pause", "resume"] {
        front.post(&format!("{ended}/{what}"), &json!({})).await.is_problem(409, "CONFLICT");
    }
    // Its end has passed during the pause.
    let resumed = front.post(&format!("{paused}/resume"), &json!({})).await;
    assert!(text(&resumed.is_problem(409, "CONFLICT")["detail"]).contains("has ended"), "{}", resumed.text);
    for status in ["paused", "active"] {
        let refused = front.patch(&ended, &json!({ "status": status })).await;
        assert!(said(&refused, "status").contains("has ended"), "{status}: {}", refused.text);
        let refused = front.patch(&ended, &json!({ "status": status, "timezone": "UTC" })).await;
        assert!(said(&refused, "ends_at").contains("leaves no time after now"), "{status}: {}", refused.text);
    }
    assert_eq!(front.patch(&ended, &json!({ "name": "Coffee" })).await.is(200)["status"], "ended");
    let later = front.patch(&ended, &json!({ "ends_at": "2099-01-01T00:00:00Z" })).await;
    assert_eq!((&later.is(200)["status"], later.json["next_runs"].as_array().unwrap().len()), (&json!("active"), 10));
    let off = front.patch(&paused, &json!({ "ends_at": null, "status": "paused" })).await;
    assert_eq!(off.is(200)["status"], "paused");
}

#[tokio::test]
async fn a_leap_second_is_named_in_every_field_of_a_time() {
    let front = Front::new().await;
    let path = made(&front, json!({})).await;
    let leap = "2027-01-01T00:00:60Z";
    for field in ["starts_at", "ends_at"] {
        for answer in [
            front.post(PATH, &json!({ field: leap, "name": "x", "timezone": "UTC", "cron": "0 9 * * *", "action": body()["action"] })).await,
            front.patch(&path, &json!({ field: leap })).await,
        ] {
            assert!(said(&answer, field).contains("such as 2026-01-15T10:00:00Z"), "{}", answer.text);
        }
    }
    let after = front.get(&format!("{path}/next?after={leap}")).await;
    said(&after, "after");
    let preview = json!({ "cron": "0 9 * * *", "timezone": "UTC", "after": "2027-01-01T00:00:60.5+00:00" });
    said(&front.post(&format!("{PATH}/preview"), &preview).await, "after");
    front.patch(&path, &json!({ "starts_at": "2027-01-01T00:00:59.999Z" })).await.is(200);
}

#[tokio::test]
async fn a_condition_is_a_list_of_strong_tags() {
    let front = Front::new().await;
    let path = made(&front, json!({})).await;
    let change = async |seen: &str, name: &str| -> Answer {
        front.send(front.request(Method::PATCH, &path).header("if-match", seen).json(&json!({ "name": name }))).await
    };
    let now = async || text(&front.get(&path).await.is(200)["updated_at"]);
    let seen = now().await;
    for stale in [format!("W/\"{seen}\""), "\"zz\"".to_owned(), format!("\"zz\", W/\"{seen}\""), "\"\"".to_owned()] {
        change(&stale, "Stale").await.is_problem(412, "CONFLICT");
    }
    assert_eq!(front.get(&path).await.is(200)["name"], "Tea");
    change(&format!("\"zz\", \"{seen}\""), "One").await.is(200);
    let seen = now().await;
    change(&format!("\"a, b\",W/\"x\" ,\"{seen}\""), "Two").await.is(200);
    for wrong in [
        "\"zz",
        "zz",
        "\"zz\" \"x\"",
        "\"zz\", *",
        "w/\"zz\"",
        ",",
        "\"2027-01-01T00:00:00Z\",",
        "2027-01-01T00:00:60Z",
    ] {
        let refused = change(wrong, "Wrong").await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text);
        said(&refused, "If-Match");
    }
}

#[tokio::test]
async fn what_a_change_does_not_name_stays() {
    let front = Front::new().await;
    let path = made(&front, json!({ "missed": { "policy": "ask", "within_hours": 5 } })).await;
    for (change, missed) in [
        (json!({ "within_hours": 7 }), json!({ "policy": "ask", "within_hours": 7 })),
        (json!({ "policy": "skip" }), json!({ "policy": "skip", "within_hours": 7 })),
    ] {
        assert_eq!(front.patch(&path, &json!({ "missed": change })).await.is(200)["missed"], missed);
    }
    said(&front.patch(&path, &json!({ "missed": {} })).await, "missed");
    said(&front.patch(&path, &json!({ "missed": { "policy": null } })).await, "missed.policy");
    let before = front.get(&path).await.is(200).clone();
    for (change, field, other) in [
        (json!({ "cron": null }), "cron", "`rule`"),
        (json!({ "rule": null }), "rule", "`cron`"),
        (json!({ "cron": null, "name": "Coffee" }), "cron", "`rule`"),
    ] {
        let refused = front.patch(&path, &change).await;
        assert!(said(&refused, field).contains(other), "{change}: {}", refused.text);
    }
    let both = front.patch(&path, &json!({ "cron": null, "rule": null })).await;
    both.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(both.wrong_fields(), ["cron", "rule"]);
    assert_eq!(front.get(&path).await.is(200), &before, "also updated_at");
    let rule = json!({ "every": "day", "at": ["09:00"] });
    let changed = front.patch(&path, &json!({ "cron": null, "rule": rule })).await;
    assert_eq!((&changed.is(200)["cron"], &changed.json["rule"]), (&json!(null), &rule));
}

#[tokio::test]
async fn a_day_that_no_month_has_is_told_which_there_are() {
    let front = Front::new().await;
    for day in [json!(0), json!(32), json!(-2), json!(1e15)] {
        let rule = json!({ "every": "month", "at": ["09:00"], "days": [1, day] });
        let refused = front.post(&format!("{PATH}/preview"), &json!({ "rule": rule, "timezone": "UTC" })).await;
        let message = "must be between 1 and 31, or -1 for the last day of the month";
        assert_eq!(said(&refused, "rule.days[1]"), message, "{day}");
    }
}

//! Tokens that open the events of one task to clients that cannot send a key.

use std::time::Duration;

use chrono::{DateTime, Utc};
use galley::http::AppState;
use galley_domain::{Permission, Scope};
use galley_services::KeyRequest;
use galley_testkit::Harness;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{
    Front,
    events::{Following, ordered},
    text,
};

fn events(task: &str) -> String {
    format!("/api/v1/tasks/{task}/events")
}

async fn token(front: &Front, secret: &str, task: &str) -> String {
    let made = front.send(front.request_as(secret, Method::POST, &format!("{}/token", events(task)))).await;
    text(&made.is(201)["token"])
}

/// As a browser asks: without a key.
fn follow(front: &Front, task: &str, token: &str) -> RequestBuilder {
    front.bare(Method::GET, &format!("{}?token={token}", events(task)))
}

async fn quick() -> Front {
    Front::on(Harness::builder(), |state: &mut AppState| state.limits.look = Duration::from_millis(100)).await
}

#[tokio::test]
async fn a_token_opens_the_events_of_its_task_and_nothing_else() {
    let front = Front::new().await;
    let (task, other) = (ordered(&front).await, ordered(&front).await);
    let made = front.send(front.request(Method::POST, &format!("{}/token", events(&task)))).await;
    let token = text(&made.is(201)["token"]);
    assert_eq!(made.header("location"), events(&task), "it says where to go");
    let expires: DateTime<Utc> = text(&made.json["expires_at"]).parse().unwrap();
    let seconds = (expires - Utc::now()).num_seconds();
    assert!((270..=301).contains(&seconds), "five minutes: {seconds} s");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut following = Following::of(follow(&front, &task, &token)).await;
        following.until("task.created").await;
        open.push(following);
    }
    front.send(follow(&front, &other, &token)).await.is_problem(404, "TASK_NOT_FOUND");
    for path in [format!("/api/v1/tasks/{task}?token={token}"), format!("/api/v1/credits?token={token}")] {
        front.send(front.bare(Method::GET, &path)).await.is_problem(401, "UNAUTHORIZED");
    }
    front.send(front.request_as(&token, Method::GET, &events(&task))).await.is_problem(401, "UNAUTHORIZED");
    let both = front.request(Method::GET, &format!("{}?token={token}", events(&task)));
    assert_eq!(front.send(both).await.is_problem(400, "VALIDATION_ERROR")["errors"][0]["field"], "token");
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    for mut following in open {
        assert_eq!(following.rest_of_it().await.last().unwrap().kind, "task.cancelled", "it ends with the task");
    }
    for sql in [
        "SELECT count(*) FROM event_tokens t WHERE t::text LIKE '%gt_%'",
        &format!("SELECT count(*) FROM event_tokens t WHERE t::text LIKE '%{token}%'"),
    ] {
        assert_eq!(front.harness.database.number(sql).await, 0, "only a hash of it is stored");
    }
}

#[tokio::test]
async fn a_token_that_is_over_or_invented_opens_nothing() {
    let front = quick().await;
    let task = ordered(&front).await;
    let token = token(&front, &front.harness.secret, &task).await;
    let mut following = Following::of(follow(&front, &task, &token)).await;
    following.until("task.created").await;
    front.harness.database.execute("UPDATE event_tokens SET expires_at = now()").await;
    for wrong in [token.as_str(), &format!("gt_{}", "x".repeat(43)), "x", &front.harness.secret.replace("gk_", "gt_")] {
        let refused = front.send(follow(&front, &task, wrong)).await;
        refused.is_problem(401, "UNAUTHORIZED");
        assert!(!refused.header("www-authenticate").is_empty(), "as with a key");
    }
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    let rest = following.rest_of_it().await;
    assert_eq!(rest.last().unwrap().kind, "task.cancelled", "a stream that is open goes on");
    front.harness.services.system().sweep().await.unwrap();
    assert_eq!(front.harness.database.number("SELECT count(*) FROM event_tokens").await, 0, "it is swept");
}

#[tokio::test]
async fn a_token_ends_with_its_key() {
    let front = quick().await;
    let task = ordered(&front).await;
    let (services, org) = (&front.harness.services, front.harness.principal.org);
    let key = services.create_key(org, &KeyRequest::full("short-lived")).await.unwrap();
    let made = token(&front, &key.secret, &task).await;
    let mut following = Following::of(follow(&front, &task, &made)).await;
    following.until("task.created").await;
    services.revoke_key(org, key.id).await.unwrap();
    assert_eq!(following.rest_of_it().await, [], "the stream ends without an event");
    front.send(follow(&front, &task, &made)).await.is_problem(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_token_is_made_by_those_who_may_follow_the_task() {
    let front = Front::on(Harness::builder(), |state| state.limits.streams_per_key = 1).await;
    let task = ordered(&front).await;
    let path = format!("{}/token", events(&task));
    front.send(front.bare(Method::POST, &path)).await.is_problem(401, "UNAUTHORIZED");
    let (_, stranger) = front.harness.other_tenant().await;
    front.send(front.request_as(&stranger, Method::POST, &path)).await.is_problem(404, "TASK_NOT_FOUND");
    let elsewhere = front.key(&[Permission::Read], &[Scope::Publish]).await;
    front.send(front.request_as(&elsewhere, Method::POST, &path)).await.is_problem(403, "FORBIDDEN");
    front.post("/api/v1/tasks/x/events/token", &json!({})).await.is_problem(404, "TASK_NOT_FOUND");
    let reader = front.key(&[Permission::Read], &[Scope::Articles]).await;
    let made = token(&front, &reader, &task).await;
    let _open = Following::of(follow(&front, &task, &made)).await;
    let full = front.send(follow(&front, &task, &made)).await;
    let detail = text(&full.is_problem(429, "RATE_LIMIT_ERROR")["detail"]);
    assert!(detail.starts_with("this key has 1 event streams open") && full.header("retry-after") == "15", "{detail}");
    let other = token(&front, &front.harness.secret, &task).await;
    let _open = Following::of(follow(&front, &task, &other)).await;
}

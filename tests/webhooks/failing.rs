//! What becomes of messages that are refused, and of endpoints that refuse.

use super::*;
use galley_domain::webhook::{DisabledReason, WebhookStatus};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_follow_the_table() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["*"]).await.webhook;
    receiver.always(Reply::Status(500));
    let engine = working(&harness);
    let id = test(&harness, webhook.id).await;
    let minute = 60.0;
    let hour = 60.0 * minute;
    let waits =
        [5.0, 5.0 * minute, 0.5 * hour, 2.0 * hour, 5.0 * hour, 10.0 * hour, 14.0 * hour, 20.0 * hour, 24.0 * hour];
    for (at, wait) in waits.into_iter().enumerate() {
        attempts(&harness, at as i64 + 1).await;
        let left = harness
            .database
            .number(&format!(
                "SELECT extract(epoch FROM next_attempt_at - now())::bigint FROM webhook_deliveries WHERE id = '{id}'"
            ))
            .await as f64;
        assert!((wait - 10.0..=wait * 1.1 + 1.0).contains(&left), "attempt {}: {left} s, {wait} by the table", at + 1);
        let timer =
            "SELECT count(*) FROM steps WHERE kind LIKE 'webhook_%' AND state = 'delayed' AND subject_id IS NOT NULL";
        until(&harness, timer, 1).await;
        later(&harness).await;
    }
    attempts(&harness, 10).await;
    let view = harness.services.delivery(harness.principal.org, webhook.id, id).await.unwrap();
    assert_eq!((view.row.status.0.as_str(), view.row.attempts_count), ("failed", 10));
    assert!(view.row.next_attempt_at.is_none());
    assert_eq!(view.attempts[3].status_code, Some(500));
    assert_eq!(view.attempts[3].response_body.as_deref(), Some("noted"));
    let ids: Vec<String> = receiver.came().iter().map(|one| one.id().to_owned()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "the same id in every attempt");
    until(
        &harness,
        "SELECT count(*) FROM steps WHERE kind LIKE 'webhook_%' AND finished_at IS NULL AND org_id IS NOT NULL",
        0,
    )
    .await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_receivers_wish_is_obeyed() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["*"]).await.webhook;
    receiver.says([Reply::Header(429, "retry-after", "7200")]);
    let engine = working(&harness);
    test(&harness, webhook.id).await;
    attempts(&harness, 1).await;
    let sql = "SELECT extract(epoch FROM next_attempt_at - now())::bigint FROM webhook_deliveries";
    let left = harness.database.number(sql).await;
    assert!((7190..=7921).contains(&left), "{left}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_a_failure() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["*"]).await.webhook;
    let url: &'static str = Box::leak(receiver.url.clone().into_boxed_str());
    receiver.says([Reply::Header(302, "location", url)]);
    let engine = working(&harness);
    test(&harness, webhook.id).await;
    attempts(&harness, 1).await;
    assert_eq!(receiver.came().len(), 1, "it was not followed");
    assert_eq!(harness.database.number("SELECT status_code::bigint FROM webhook_attempts").await, 302);
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'", 1).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_gone_is_disabled_and_the_others_hear_of_it() {
    let (harness, gone, other) = (open().build().await, Receiver::new().await, Receiver::new().await);
    let webhook = endpoint(&harness, &gone, &["*"]).await.webhook;
    endpoint(&harness, &other, &["webhook.*"]).await;
    gone.always(Reply::Status(410));
    let engine = working(&harness);
    announce(&harness, 1).await;
    let heard = other.waits_for(1).await[0].json();
    assert_eq!((&heard["type"], &heard["data"]["reason"]), (&"webhook.disabled".into(), &"gone".into()), "{heard}");
    assert_eq!(heard["data"]["webhook_id"], webhook.id.to_string());
    let now = harness.services.webhook(harness.principal.org, webhook.id).await.unwrap();
    assert_eq!((now.status.0, now.disabled_reason.unwrap().0), (WebhookStatus::Disabled, DisabledReason::Gone));
    announce(&harness, 2).await;
    let of_it = format!("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = '{}' AND status = ", webhook.id);
    until(&harness, &format!("{of_it} 'cancelled'"), 2).await;
    assert_eq!(harness.database.number(&format!("{of_it} 'failed'")).await, 1);
    assert_eq!(gone.came().len(), 1, "nothing more is sent there, not even that it is disabled");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_days_of_failures_disable_an_endpoint_and_one_success_is_told() {
    let (harness, bad, other) = (open().build().await, Receiver::new().await, Receiver::new().await);
    let webhook = endpoint(&harness, &bad, &["article.*"]).await.webhook;
    endpoint(&harness, &other, &["webhook.*"]).await;
    bad.always(Reply::Status(503));
    let engine = working(&harness);
    announce(&harness, 1).await;
    attempts(&harness, 1).await;
    let state = async || harness.services.webhook(harness.principal.org, webhook.id).await.unwrap();
    assert!(state().await.failing_since.is_some());
    bad.says([Reply::Status(200)]);
    later(&harness).await;
    let heard = other.waits_for(1).await[0].json();
    assert_eq!(heard["type"], "webhook.recovered");
    assert_eq!((state().await.failing_since, state().await.status.0), (None, WebhookStatus::Active));
    announce(&harness, 2).await;
    until(
        &harness,
        "SELECT count(*) FROM webhook_deliveries WHERE event_type = 'article.updated' AND attempts_count > 0",
        3,
    )
    .await;
    let old =
        "UPDATE webhooks SET failing_since = now() - interval '6 days', last_failure_at = now() - interval '1 day'
        WHERE failing_since IS NOT NULL";
    harness.database.execute(old).await;
    later(&harness).await;
    let came = other.waits_for(2).await;
    assert_eq!(came[1].json()["data"]["reason"], "failing");
    assert_eq!(state().await.disabled_reason.unwrap().0, DisabledReason::Failing);
    let waiting =
        format!("SELECT count(*) FROM webhook_deliveries WHERE webhook_id = '{}' AND status = 'pending'", webhook.id);
    assert_eq!(harness.database.number(&waiting).await, 0);
    let edit = galley_services::WebhookEdit { status: Some(WebhookStatus::Active), ..Default::default() };
    let active = harness.services.edit_webhook(harness.principal.org, webhook.id, edit).await.unwrap();
    assert!(active.failing_since.is_none() && active.disabled_reason.is_none());
    engine.stop().await;
}

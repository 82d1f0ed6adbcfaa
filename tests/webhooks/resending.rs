//! Sending again: one message, a range of them.

use super::*;
use galley_domain::webhook::{DeliveryStatus, WebhookStatus};
use galley_services::{ReplayRequest, ServiceError, WebhookEdit};

fn undelivered() -> ReplayRequest {
    ReplayRequest {
        from: chrono::DateTime::UNIX_EPOCH,
        to: None,
        statuses: vec![DeliveryStatus::Failed, DeliveryStatus::Cancelled],
        event_types: None,
    }
}

fn set(status: WebhookStatus) -> WebhookEdit {
    WebhookEdit { status: Some(status), ..WebhookEdit::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_again_under_its_own_id() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["*"]).await.webhook;
    let org = harness.principal.org;
    let id = test(&harness, webhook.id).await;
    let twice = harness.services.resend_delivery(org, webhook.id, id, "t", None).await;
    assert!(matches!(twice, Err(ServiceError::Conflict(_))), "it waits");
    let engine = working(&harness);
    receiver.waits_for(1).await;
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'", 1).await;
    let again = harness.services.resend_delivery(org, webhook.id, id, "t", None).await.unwrap().value.row;
    assert_eq!(again.resend_of, Some(id));
    let came = receiver.waits_for(2).await;
    assert_eq!((came[0].id(), &came[0].body), (came[1].id(), &came[1].body));
    harness.services.edit_webhook(org, webhook.id, set(WebhookStatus::Disabled)).await.unwrap();
    let refused = harness.services.resend_delivery(org, webhook.id, id, "t", None).await;
    assert!(matches!(refused, Err(ServiceError::Conflict(_))), "it is disabled");
    test(&harness, webhook.id).await;
    receiver.waits_for(3).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_while_disabled_is_replayed_in_order_and_behind_what_is_new() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["article.*"]).await.webhook;
    let org = harness.principal.org;
    harness.services.edit_webhook(org, webhook.id, set(WebhookStatus::Disabled)).await.unwrap();
    let engine = working(&harness);
    for at in 1..=20 {
        announce(&harness, 1).await;
        until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'cancelled'", at).await;
    }
    assert!(receiver.came().is_empty());
    let refused = harness.services.replay_deliveries(org, webhook.id, undelivered(), "t", None).await;
    assert!(matches!(refused, Err(ServiceError::Conflict(_))), "it is disabled");
    harness.services.edit_webhook(org, webhook.id, set(WebhookStatus::Active)).await.unwrap();
    let replayed = harness.services.replay_deliveries(org, webhook.id, undelivered(), "t", None).await.unwrap().value;
    assert_eq!(replayed.count, 20);
    let again = harness.services.replay_deliveries(org, webhook.id, undelivered(), "t", None).await.unwrap().value;
    assert!(again.count < 20, "what waits is not replayed twice");
    let came = receiver.waits_for(20).await;
    let sequences: Vec<i64> = came.iter().map(|one| one.json()["sequence"].as_i64().unwrap()).collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    until(&harness, "SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'", 20).await;
    let third = harness.services.replay_deliveries(org, webhook.id, undelivered(), "t", None).await.unwrap().value;
    assert_eq!(third.count, 0, "all have come through");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_messages_are_not_replayed_at_once() {
    let (harness, receiver) = (open().build().await, Receiver::new().await);
    let webhook = endpoint(&harness, &receiver, &["article.*"]).await.webhook;
    let sql = format!(
        "INSERT INTO webhook_deliveries (id, org_id, webhook_id, message_id, event_type, status, payload, sequence)
         SELECT gen_random_uuid(), '{}', '{}', 'msg_' || n, 'article.updated', 'failed', '{{}}', n
         FROM generate_series(1, 10001) n",
        harness.principal.org, webhook.id
    );
    harness.database.execute(&sql).await;
    let refused = harness.services.replay_deliveries(harness.principal.org, webhook.id, undelivered(), "t", None).await;
    let Err(ServiceError::Validation(errors)) = refused else { panic!("{refused:?}") };
    assert!(errors[0].message.starts_with("10001 messages"), "{errors:?}");
}

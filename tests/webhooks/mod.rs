//! Webhooks out, from an order to what a receiver sees. The clock is moved in the database.

use std::time::Duration;

use galley_domain::{OrgId, webhook::WebhookFormat};
use galley_services::{IssuedWebhook, WebhookOrder};
use galley_testkit::{Harness, HarnessBuilder, RunningEngine, Script};
use galley_webhooks::SendLimits;
use uuid::Uuid;

use receiver::{Receiver, Reply};

mod failing;
mod receiver;
mod resending;
mod sending;
mod waiting;

/// A house whose operator lets webhooks go to this machine.
fn open() -> HarnessBuilder {
    let here = vec!["127.0.0.1".parse().unwrap()];
    Harness::builder().keyring().settings(|settings| settings.links = galley_fetch::address::Policy::new(here))
}

fn quick() -> SendLimits {
    SendLimits { time: Duration::from_secs(2), ..SendLimits::default() }
}

fn working(harness: &Harness) -> RunningEngine {
    harness.sending(&Script::default(), quick())
}

async fn endpoint_of(harness: &Harness, org: OrgId, url: &str, events: &[&str]) -> IssuedWebhook {
    let events = Some(events.iter().map(|name| (*name).to_owned()).collect());
    let order =
        WebhookOrder { url: url.to_owned(), description: String::new(), events, format: WebhookFormat::Standard };
    harness.services.create_webhook(org, order, None).await.unwrap().value
}

async fn endpoint(harness: &Harness, receiver: &Receiver, events: &[&str]) -> IssuedWebhook {
    endpoint_of(harness, harness.principal.org, &receiver.url, events).await
}

/// Lets everything be due that waits for its time.
async fn later(harness: &Harness) {
    let sql = "UPDATE webhook_deliveries SET next_attempt_at = now() - interval '1 second' WHERE status = 'pending';
        UPDATE steps SET run_at = now() - interval '1 second' WHERE state = 'delayed' AND kind LIKE 'webhook_%'";
    harness.database.execute(sql).await;
}

/// Waits until the number that a statement about deliveries and their jobs finds is this one.
async fn until(harness: &Harness, sql: &str, wanted: i64) {
    harness.database.until(&["steps", "webhook_deliveries", "webhook_attempts"], sql, |found| found == wanted).await;
}

/// Waits until so many attempts are in the log.
async fn attempts(harness: &Harness, wanted: i64) {
    until(harness, "SELECT count(*) FROM webhook_attempts", wanted).await;
}

async fn test(harness: &Harness, webhook: Uuid) -> Uuid {
    let sent = harness.services.test_webhook(harness.principal.org, webhook, "t", None).await.unwrap();
    sent.value.row.id
}

/// Tells something that every endpoint hears.
async fn announce(harness: &Harness, count: usize) {
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    for at in 0..count {
        let data = serde_json::json!({ "article_id": Uuid::nil(), "version": at });
        tx.announce("article.updated", Uuid::new_v4(), data).await.unwrap();
    }
    tx.commit().await.unwrap();
}

//! What fan-outs and deliveries write, in the transaction that ends them. Endpoints are locked first, by organization and
//! id, so that two groups do not wait for each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use galley_domain::webhook::{DeliveryStatus, DisabledReason, WebhookStatus};
use galley_engine::{Brought, Keeper, Kept};
use galley_store::{NewAttempt, StepsTx, StoreError, TenantTx, TextEnum, rows};
use galley_webhooks::{Event, Report, Verdict, failing_since, should_disable, wait_after};
use serde_json::json;
use uuid::Uuid;

use super::{Attempted, Begun, Messages as Brings, PROGRESS_SECONDS, Sent, begin_jobs, next_jobs};

fn org_of(brought: &Brought<'_>) -> Result<Uuid, StoreError> {
    let org =
        brought.step.org.ok_or_else(|| StoreError::Unreadable("a job about webhooks has no organization".into()))?;
    Ok(org.0)
}

type Locked = BTreeMap<Uuid, rows::Webhook>;

/// Locks endpoints of many organizations in one order.
async fn lock(tx: &StepsTx, wanted: &BTreeMap<Uuid, BTreeSet<Uuid>>) -> Result<Locked, StoreError> {
    let mut locked = Locked::new();
    for (org, ids) in wanted {
        let ids: Vec<Uuid> = ids.iter().copied().collect();
        locked.extend(tx.tenant(*org)?.lock_webhooks(&ids).await?.into_iter().map(|row| (row.id, row)));
    }
    Ok(locked)
}

#[derive(Debug)]
pub(super) struct Messages;

#[async_trait]
impl Keeper for Messages {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut wanted: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for one in brought {
            let Brings { rows, progress } = one.get()?;
            wanted.entry(org_of(one)?).or_default().extend(rows.iter().chain(progress).map(|row| row.webhook));
        }
        let locked = lock(tx, &wanted).await?;
        let (mut kept, mut begun) = (Vec::with_capacity(brought.len()), Begun::new());
        for one in brought {
            let tenant = tx.tenant(org_of(one)?)?;
            kept.push(store(tenant, one.get()?, &locked, &mut begun).await?);
        }
        Ok(kept)
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

async fn store(tx: &TenantTx, brings: &Brings, locked: &Locked, begun: &mut Begun) -> Result<Kept, StoreError> {
    let mut rows = brings.rows.clone();
    if let Some((task, at)) = brings.progress.iter().find_map(|row| Some((row.subject?, row.at)))
        && tx.may_tell_progress(task, at, PROGRESS_SECONDS).await?
    {
        rows.extend(brings.progress.iter().cloned());
    }
    let mut waiting: BTreeMap<Uuid, usize> = BTreeMap::new();
    for webhook in tx.insert_deliveries(&rows).await? {
        *waiting.entry(webhook).or_default() += 1;
    }
    let mut follow = Vec::new();
    for (webhook, count) in waiting {
        if let Some(webhook) = locked.get(&webhook) {
            follow.extend(begin_jobs(tx, webhook, count, begun).await?);
        }
    }
    Ok(Kept { output: json!({ "messages": rows.len() }), follow })
}

#[derive(Debug)]
pub(super) struct Deliveries;

#[async_trait]
impl Keeper for Deliveries {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut wanted: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
        for one in brought {
            wanted.entry(org_of(one)?).or_default().insert(one.get::<Sent>()?.webhook);
        }
        let mut locked = lock(tx, &wanted).await?;
        for one in brought {
            let sent = one.get::<Sent>()?;
            if let (Some(webhook), Some(attempt)) = (locked.get_mut(&sent.webhook), &sent.attempt) {
                settle(tx.tenant(webhook.org_id)?, webhook, attempt, one.step.fence.step).await?;
            }
        }
        let ending: Vec<Uuid> = brought.iter().map(|one| one.step.fence.step).collect();
        let (mut kept, mut begun) = (Vec::with_capacity(brought.len()), Begun::new());
        for one in brought {
            let follow = match locked.get(&one.get::<Sent>()?.webhook) {
                Some(webhook) => next_jobs(tx.tenant(webhook.org_id)?, webhook, &ending, &mut begun).await?,
                None => Vec::new(),
            };
            kept.push(Kept { follow, ..Kept::default() });
        }
        Ok(kept)
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// Writes what came of an attempt to the log and to the locked endpoint.
async fn settle(tx: &TenantTx, webhook: &mut rows::Webhook, attempt: &Attempted, step: Uuid) -> Result<(), StoreError> {
    let Some(mut delivery) = tx.delivery(webhook.id, attempt.delivery).await? else { return Ok(()) };
    if delivery.taken_by != Some(step) {
        // Another job has it: this one took longer than it may.
        return Ok(());
    }
    let report = &attempt.report;
    delivery.attempts_count += 1;
    (delivery.taken_by, delivery.taken_until) = (None, None);
    let was_waiting = delivery.status.0 == DeliveryStatus::Pending;
    (delivery.status, delivery.next_attempt_at) = match (report.verdict, was_waiting) {
        (Verdict::Delivered, _) => (TextEnum(DeliveryStatus::Delivered), None),
        (_, false) => (delivery.status, None),
        (Verdict::Gone, true) => (TextEnum(DeliveryStatus::Failed), None),
        (Verdict::Failed, true) => match next_try(&delivery, attempt, tx.now().await?) {
            Some(at) => (delivery.status, Some(at)),
            None => (TextEnum(DeliveryStatus::Failed), None),
        },
    };
    if report.verdict == Verdict::Delivered {
        delivery.delivered_at = Some(report.at);
    }
    tx.add_attempt(logged(&delivery, report)).await?;
    tx.save_delivery(&delivery).await?;
    // A test says nothing about how the endpoint does.
    if delivery.event_type != Event::WebhookTest.as_str() && webhook.status.0 == WebhookStatus::Active {
        note(tx, webhook, report).await?;
    }
    Ok(())
}

fn next_try(delivery: &rows::Delivery, attempt: &Attempted, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let failed = u32::try_from(delivery.attempts_count).unwrap_or(u32::MAX);
    let wait = wait_after(failed, attempt.report.retry_after, attempt.random)?;
    now.checked_add_signed(chrono::TimeDelta::from_std(wait.max(Duration::ZERO)).ok()?)
}

fn logged(delivery: &rows::Delivery, report: &Report) -> NewAttempt {
    NewAttempt {
        delivery: delivery.id,
        number: delivery.attempts_count,
        at: report.at,
        duration_ms: i32::try_from(report.duration_ms).unwrap_or(i32::MAX),
        status_code: report.status_code.map(i32::from),
        error: report.error.clone(),
        response_body: report.response_body.clone(),
    }
}

/// What an attempt says about the endpoint. Whether it was disabled or works again is told to the others.
async fn note(tx: &TenantTx, webhook: &mut rows::Webhook, report: &Report) -> Result<(), StoreError> {
    let (was_failing, failed_before) = (webhook.failing_since, webhook.last_failure_at);
    webhook.last_delivery_at = Some(report.at);
    webhook.failing_since = failing_since(was_failing, report.verdict, report.at);
    let disabled = match (report.verdict, webhook.failing_since) {
        (Verdict::Delivered, _) => {
            webhook.last_success_at = Some(report.at);
            None
        }
        (Verdict::Gone, _) => Some(DisabledReason::Gone),
        (Verdict::Failed, Some(since)) if should_disable(since, failed_before, report.at) => {
            Some(DisabledReason::Failing)
        }
        (Verdict::Failed, _) => None,
    };
    if report.verdict != Verdict::Delivered {
        webhook.last_failure_at = Some(report.at);
    }
    if let Some(reason) = disabled {
        disable(tx, webhook, reason).await?;
        tell(tx, webhook, Event::WebhookDisabled, reason.as_str()).await?;
    } else if was_failing.is_some() && webhook.failing_since.is_none() {
        tell(tx, webhook, Event::WebhookRecovered, "the endpoint takes messages again").await?;
    }
    *webhook = tx.save_webhook(webhook.clone()).await?;
    Ok(())
}

/// Changes a locked endpoint, which the caller saves, and cancels what waits for it.
pub(crate) async fn disable(
    tx: &TenantTx,
    webhook: &mut rows::Webhook,
    reason: DisabledReason,
) -> Result<(), StoreError> {
    webhook.status = TextEnum(WebhookStatus::Disabled);
    webhook.disabled_reason = Some(TextEnum(reason));
    tx.cancel_deliveries(webhook.id).await.map(drop)
}

async fn tell(tx: &TenantTx, webhook: &rows::Webhook, event: Event, reason: &str) -> Result<(), StoreError> {
    let data = json!({ "webhook_id": webhook.id, "url": webhook.url, "reason": reason });
    tx.announce(event.as_str(), webhook.id, data).await
}

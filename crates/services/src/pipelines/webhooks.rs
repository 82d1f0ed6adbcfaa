//! Webhooks out: an event becomes a message to each endpoint that wants it, and few jobs an endpoint send what waits.
//!
//! A message waits in the log of deliveries, not in the queue. As many jobs as the endpoint has [`WINDOW`] take one message
//! after the other, so a dead endpoint with many messages has no more of the queue than one with few. What failed last is
//! sent by jobs of another kind in another pool, one at a time.

pub(crate) mod keepers;

use std::{collections::HashMap, time::Duration};

use galley_domain::task::{StepKind, StepPolicy};
use galley_engine::{Registry, Stage, StepSeed};
use galley_store::{NewDelivery, Start, StoreError, TenantTx, rows};
use galley_webhooks::Report;
use uuid::Uuid;

use super::{DELIVERIES, FANOUT, RETRIES, UPKEEP};

/// Finds out who hears of an event. The engine adds one for each transaction that tells something.
pub const FAN_OUT: StepKind = StepKind::new("webhook_fanout");
/// Sends what waits for an endpoint, which the job is about.
pub const DELIVER: StepKind = StepKind::new("webhook_deliver");
/// The same for an endpoint that failed last.
pub const RETRY: StepKind = StepKind::new("webhook_retry");
/// Begins again what no job stands for any more.
pub const RESUME: StepKind = StepKind::new("webhook_resume");

/// Tries of [`FAN_OUT`]: what it gives up is lost.
pub const FAN_OUT_ATTEMPTS: u32 = 50;
/// Messages that are on their way to one endpoint at a time; one to an endpoint that failed last.
pub const WINDOW: usize = 4;
/// How long others leave a message alone that a job has taken, in seconds: longer than an attempt.
pub const TAKEN_SECONDS: u32 = 120;
/// The events of a task's progress come this many seconds apart at least.
pub(crate) const PROGRESS_SECONDS: u32 = 5;

pub(super) fn register(registry: Registry) -> Registry {
    let attempt = StepPolicy::new(20, 60);
    registry
        .with_job(Stage::new(FAN_OUT, FANOUT, 0, StepPolicy::new(FAN_OUT_ATTEMPTS, 60)).keeping(keepers::Messages))
        .with_job(Stage::new(DELIVER, DELIVERIES, 0, attempt).keeping(keepers::Deliveries))
        .with_job(Stage::new(RETRY, RETRIES, 0, attempt).keeping(keepers::Deliveries))
        .with_periodic(Stage::new(RESUME, UPKEEP, 0, StepPolicy::new(3, 60)), Duration::from_secs(60))
}

/// What a fan-out brings: the messages of one transaction of the engine.
#[derive(Debug, Clone, Default)]
pub struct Messages {
    pub rows: Vec<NewDelivery>,
    /// Told only if nothing was told of the task's progress a moment before.
    pub progress: Vec<NewDelivery>,
}

/// What a job about an endpoint brings.
#[derive(Debug, Clone)]
pub struct Sent {
    pub webhook: Uuid,
    /// None when there was nothing to send.
    pub attempt: Option<Attempted>,
}

/// An attempt that was made.
#[derive(Debug, Clone)]
pub struct Attempted {
    pub delivery: Uuid,
    pub report: Report,
    /// In 0..1, for the jitter.
    pub random: f64,
}

fn window(webhook: &rows::Webhook) -> (StepKind, usize) {
    match webhook.failing_since {
        Some(_) => (RETRY, 1),
        None => (DELIVER, WINDOW),
    }
}

/// Jobs that begin with this transaction, by endpoint: no statement sees them yet.
pub(crate) type Begun = HashMap<Uuid, usize>;

/// Jobs for `rows` more messages to a locked endpoint that are due, as far as it has room.
pub(crate) async fn begin_jobs(
    tx: &TenantTx,
    webhook: &rows::Webhook,
    rows: usize,
    begun: &mut Begun,
) -> Result<Vec<StepSeed>, StoreError> {
    let (kind, most) = window(webhook);
    let (active, _) = tx.open_jobs(&[DELIVER, RETRY], webhook.id, &[]).await?;
    let here = begun.entry(webhook.id).or_default();
    let free = most.saturating_sub(usize::try_from(active).unwrap_or(usize::MAX).saturating_add(*here));
    let more = free.min(rows);
    *here += more;
    Ok((0..more).map(|_| StepSeed::new(kind).about(webhook.id)).collect())
}

/// The jobs that follow one about a locked endpoint: at once when something is due (two where there is room, so that a
/// backlog soon has all of it), at the next moment when something will be, none when others do it. `ending` are the jobs
/// that end with this transaction.
async fn next_jobs(
    tx: &TenantTx,
    webhook: &rows::Webhook,
    ending: &[Uuid],
    begun: &mut Begun,
) -> Result<Vec<StepSeed>, StoreError> {
    let Some(due) = tx.next_delivery_at(webhook.id).await? else { return Ok(Vec::new()) };
    let (kind, most) = window(webhook);
    let (active, timer) = tx.open_jobs(&[DELIVER, RETRY], webhook.id, ending).await?;
    let here = begun.entry(webhook.id).or_default();
    let seed = StepSeed::new(kind).about(webhook.id);
    if due <= tx.now().await? {
        let free = most.saturating_sub(usize::try_from(active).unwrap_or(usize::MAX).saturating_add(*here));
        let more = free.min(2);
        *here += more;
        return Ok(vec![seed; more]);
    }
    let is_first = timer.is_none_or(|timer| timer > due);
    Ok(is_first.then(|| seed.starting(Start::At(due))).into_iter().collect())
}

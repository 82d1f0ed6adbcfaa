//! Claims as many steps as there are free slots, when something may be there to claim.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use galley_domain::{Fault, FaultCode, task::StepKind};
use galley_services::Outcome;
use galley_store::{ClaimedStep, StoreError};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Shared, held::Lease, keeper::patiently};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// What is due and cannot be had yet (another process is about to take it) is looked at again after this.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

type Feeds = BTreeMap<StepKind, mpsc::Sender<Lease>>;

/// Runs until `stop`; then drops the feeds, which ends the workers once they are idle.
pub(crate) async fn run(shared: Arc<Shared>, feeds: Feeds, stop: CancellationToken) {
    let (mut wakes, mut clock) = (shared.wakes.steps(), shared.wakes.clock());
    let mut due = Instant::now();
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        wakes.borrow_and_update();
        match round(&shared, &feeds, &mut due).await {
            Ok(more) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = stop.cancelled() => break,
                    // The sender lives in `shared`.
                    _ = wakes.changed() => {}
                    _ = clock.changed() => due = Instant::now(),
                    () = shared.held.freed(), if more => {}
                    () = tokio::time::sleep_until(due) => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, retry_in = ?pause, "cannot claim steps; the database may be away");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                due = Instant::now();
            }
        }
    }
}

/// One look at clock and queue. True when there may be more than there were slots for.
async fn round(shared: &Shared, feeds: &Feeds, due: &mut Instant) -> Result<bool, StoreError> {
    let queue = shared.services.store().queue();
    if Instant::now() >= *due {
        schedule_maintenance(shared, feeds).await?;
        let held = shared.held.fences();
        let promotion = patiently(shared, queue.promote(&held, shared.settings.lease)).await?;
        for step in promotion.exhausted {
            bury(shared, &step).await?;
        }
        let next = promotion.next_due.unwrap_or(shared.settings.tick);
        // A delay of a few milliseconds is kept to; something overdue that did not move is not asked for in a circle.
        let next = if next.is_zero() { SHORTEST_LOOK } else { next };
        *due = Instant::now() + next.min(shared.settings.tick);
    }
    let wanted = shared.held.wanted();
    if wanted.is_empty() {
        return Ok(true);
    }
    let claimed = patiently(shared, queue.claim(&wanted, &shared.settings.worker, shared.settings.lease)).await?;
    let mut got: BTreeMap<StepKind, usize> = BTreeMap::new();
    for step in claimed {
        *got.entry(step.kind).or_default() += 1;
        let kind = step.kind;
        shared.stats.claimed(kind);
        let lease = shared.held.take(step);
        match feeds.get(&kind).map(|feed| feed.try_send(lease)) {
            Some(Ok(())) => {}
            // The lease was dropped with the error; it runs out and the step is claimed again.
            _ => tracing::error!(%kind, "a claimed step found no room"),
        }
    }
    let full = |kind: StepKind| !wanted.iter().any(|want| want.kind == kind);
    Ok(wanted.iter().any(|want| got.get(&want.kind) == Some(&want.slots)) || feeds.keys().any(|kind| full(*kind)))
}

/// Fails a step whose every attempt took its process down.
async fn bury(shared: &Shared, step: &ClaimedStep) -> Result<(), StoreError> {
    tracing::error!(step = %step.fence.step, kind = %step.kind, attempts = step.attempt, "the step lost its worker in its last attempt");
    let message = format!("the {} step lost its worker {} times", step.kind, step.attempt);
    if step.owner.is_none() {
        return shared.services.store().queue().finish_maintenance(step.fence, Some(&message)).await;
    }
    let fault = Fault::permanent(FaultCode::WorkflowError, message);
    match shared.services.finish_step(step, &Outcome::Failed(fault), &[]).await {
        Ok(_) | Err(StoreError::LeaseLost) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sweeping is a step too: one an hour, whichever process is first.
async fn schedule_maintenance(shared: &Shared, feeds: &Feeds) -> Result<(), StoreError> {
    if !feeds.contains_key(&StepKind::Sweep) {
        return Ok(());
    }
    let key = format!("sweep/{}", chrono::Utc::now().format("%Y-%m-%dT%H"));
    if shared.stats.seen(&key) {
        return Ok(());
    }
    let attempts = shared.services.settings().policy(StepKind::Sweep).max_attempts;
    shared.services.store().queue().schedule(StepKind::Sweep, &key, attempts).await?;
    shared.stats.note(key);
    Ok(())
}

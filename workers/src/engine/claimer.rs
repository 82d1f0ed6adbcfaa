//! Claims as many steps as there are free slots, when something may be there to claim.

use std::{sync::Arc, time::Duration};

use galley_domain::{Fault, FaultCode, task::StepKind};
use galley_services::{Known, Outcome};
use galley_store::{ClaimedStep, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Shared, keeper::patiently};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// What is due and cannot be had yet (another process is about to take it) is looked at again after this.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Runs until `stop`; then nothing more begins, which ends the workers once they are idle.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    // Also when this panics: the workers must not wait for a claimer that is gone.
    let _closing = Closing(&shared);
    let (mut wakes, mut clock) = (shared.wakes.steps(), shared.wakes.clock());
    let mut due = Instant::now();
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        shared.pool.look_for(&wakes.woken());
        match round(&shared, &mut due).await {
            Ok(()) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = wakes.changed() => {}
                    // The sender lives in `shared`.
                    _ = clock.changed() => due = Instant::now(),
                    () = shared.pool.freed(), if shared.pool.looks() => {}
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

struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// One look at clock and queue.
async fn round(shared: &Shared, due: &mut Instant) -> Result<(), StoreError> {
    let queue = shared.services.store().queue();
    if Instant::now() >= *due {
        schedule_maintenance(shared).await?;
        let held = shared.held.fences();
        let promotion = patiently(shared, queue.promote(&held, shared.settings.lease)).await?;
        for step in promotion.exhausted {
            bury(shared, &step).await?;
        }
        let next = promotion.next_due.unwrap_or(shared.settings.tick);
        // A delay of a few milliseconds is kept to; something overdue that did not move is not asked for in a circle.
        let next = if next.is_zero() { SHORTEST_LOOK } else { next };
        *due = Instant::now() + next.min(shared.settings.tick);
        // What the clock made claimable says no kind, and a word about others may have been lost.
        shared.pool.look_for(StepKind::ALL);
    }
    // Each kind may need a claim of its own. Seats that are free again meanwhile wait for the next round: between two
    // rounds the word to stop, the clock and the wakes are heard, however fast the steps are.
    for _ in StepKind::ALL {
        let Some(mut vacancy) = shared.pool.vacancy() else { break };
        let wanted = vacancy.wanted();
        let claim = queue.claim(&wanted, &shared.settings.worker, shared.settings.lease);
        let claims = patiently(shared, claim).await?;
        for step in claims.steps {
            let task = step.owner.and_then(|(_, task)| claims.tasks.get(&task));
            let (known, seat) = (Known::claimed(task.cloned()), vacancy.seat(step.kind));
            if !shared.launch(step, known, seat) {
                // Its lease runs out and the step is claimed again.
                tracing::error!("a claimed step found no room");
            }
        }
        vacancy.found_all();
    }
    Ok(())
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
async fn schedule_maintenance(shared: &Shared) -> Result<(), StoreError> {
    if !shared.runs(StepKind::Sweep) {
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

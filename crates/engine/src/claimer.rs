//! Claims as many steps as there are free slots, when something may be there to claim.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use galley_domain::{Fault, FaultCode, task::StepKind};
use galley_store::{ClaimedStep, Fence, StoreError, WholeLooks, outage};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{commit::LastSeen, keeper::patiently, runner::Shared, stats::Part, step::Outcome};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// What is due and cannot be had yet (another process is about to take it) is looked at again after this.
const SHORTEST_LOOK: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the claimer of a process knows between two rounds.
#[derive(Debug)]
struct Claimer {
    shared: Arc<Shared>,
    /// When it looks at the clock next.
    due: Instant,
    /// The last slow tick.
    ticked: Option<Instant>,
    /// What is due before is known to be taken care of.
    since: Option<DateTime<Utc>>,
    looks: Looks,
    /// The next claims are a look at everything, and not only at a pool in which nothing was ever claimed.
    looks_everywhere: bool,
    /// The newest job of each kind that comes by itself: saves a query a round.
    added: BTreeMap<StepKind, String>,
}

/// When it looked at everything: at the clock, at the queue, at pools that it does not have.
#[derive(Debug, Default)]
struct Looks {
    clock: WholeLooks,
    queue: WholeLooks,
    pools: WholeLooks,
}

/// Runs until `stop`; then nothing more begins, which ends the workers once they are idle.
pub(crate) async fn run(shared: Arc<Shared>, stop: CancellationToken) {
    // Also when this panics: the workers must not wait for a claimer that is gone.
    let _closing = Closing(&shared);
    let (mut steps, mut clock) = (shared.notifications.steps(), shared.notifications.clock());
    let mut claimer = Claimer {
        shared: Arc::clone(&shared),
        due: Instant::now(),
        ticked: None,
        since: None,
        looks: Looks::default(),
        looks_everywhere: false,
        added: BTreeMap::new(),
    };
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        shared.capacity.look_for(steps.woken());
        match claimer.round().await {
            Ok(()) => {
                pause = FIRST_PAUSE;
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = steps.changed() => {}
                    // The sender lives in `shared`.
                    _ = clock.changed() => claimer.due = Instant::now(),
                    () = shared.capacity.freed(), if shared.capacity.looks() => {}
                    () = tokio::time::sleep_until(claimer.due) => {}
                }
            }
            Err(error) => {
                shared.stats.was_refused(Part::Claim);
                outage::refused(&error, "cannot claim steps");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                claimer.due = Instant::now();
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

impl Claimer {
    /// One look at clock and queue.
    async fn round(&mut self) -> Result<(), StoreError> {
        if Instant::now() >= self.due {
            self.look_at_clock().await?;
        }
        self.claim().await
    }

    /// Makes ready what is due, and now and then whatever nobody was told of.
    async fn look_at_clock(&mut self) -> Result<(), StoreError> {
        self.add_periodic_jobs().await?;
        let shared = &*self.shared;
        let (queue, kinds, tick) = (shared.store().queue(), &shared.settings.kinds, shared.settings.tick);
        let held = shared.leases.fences();
        let began = Instant::now().into_std();
        let since = self.since.filter(|_| !self.looks.clock.is_due());
        let promotion = patiently(shared, queue.promote(&held, kinds, shared.settings.lease, since)).await;
        // Also one that took longer than anybody waits: what lies ahead can be looked at without it.
        if since.is_none() && (promotion.is_ok() || self.since.is_some()) {
            self.looks.clock.looked_since(began);
        }
        let promotion = promotion?;
        self.since = promotion.since;
        for step in promotion.exhausted {
            fail_exhausted(shared, &step).await;
        }
        let next = promotion.next_due.unwrap_or(tick);
        // A delay of a few milliseconds is kept to; something overdue that did not move is not asked for in a circle.
        let next = if next.is_zero() { SHORTEST_LOOK } else { next };
        let since_tick = self.ticked.map(|ticked| ticked.elapsed());
        let is_tick = since_tick.is_none_or(|since| since >= tick);
        self.due = Instant::now() + next.min(if is_tick { tick } else { tick - since_tick.unwrap_or_default() });
        if is_tick {
            self.ticked = Some(Instant::now());
            self.look_for_what_nobody_was_told_of().await?;
        }
        Ok(())
    }

    /// A word may have been lost, and another configuration may have had other pools.
    async fn look_for_what_nobody_was_told_of(&mut self) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let mut adopted = 0;
        if self.looks.pools.is_due() {
            let began = Instant::now().into_std();
            let pools = shared.registry.pools_by_kind(&shared.settings.kinds);
            adopted = patiently(shared, shared.store().queue().adopt(&pools)).await?;
            self.looks.pools.looked_since(began);
        }
        // What was adopted stands where nobody was told of it.
        if adopted > 0 || self.looks.queue.is_due() {
            shared.capacity.look_everywhere();
            self.looks_everywhere = true;
        } else {
            shared.capacity.look_further();
        }
        Ok(())
    }

    async fn claim(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        let claimed = self.claim_in_turn().await;
        if self.looks_everywhere {
            // One that took longer than anybody waits would be repeated for ever, and nothing claimed: it counts, and claims
            // go on from where they were. Words that were lost meanwhile are found by the next.
            if let Err(StoreError::Silent(_)) = claimed {
                self.shared.capacity.look_no_further_back();
            }
            self.looks.queue.looked_since(began.into_std());
            self.looks_everywhere = false;
        }
        claimed
    }

    async fn claim_in_turn(&mut self) -> Result<(), StoreError> {
        // Each pool may need a claim of its own. Permits that are free again meanwhile wait for the next round: between two
        // rounds the word to stop, the clock and the notifications are heard, however fast the steps are.
        let shared = &*self.shared;
        let (queue, kinds) = (shared.store().queue(), &shared.settings.kinds);
        for _ in 0..shared.pools {
            // With fewer permits than pools could use, the oldest order goes first, wherever it stands.
            let contended = shared.capacity.contended();
            let mut first = None;
            if !contended.is_empty() {
                let ready = patiently(shared, queue.with_ready_steps(&contended)).await?;
                shared
                    .capacity
                    .nothing_in(contended.into_iter().map(|(pool, _)| pool).filter(|pool| !ready.contains(pool)));
                first = ready.first().copied();
            }
            let Some(mut free) = shared.capacity.take_free(first) else { break };
            let wanted = free.wanted();
            let claim = queue.claim(&wanted, kinds, &shared.settings.worker, shared.settings.lease);
            let claims = patiently(shared, claim).await?;
            let mut paused: Vec<Fence> = Vec::new();
            for step in claims.steps {
                let task = step.task.and_then(|task| claims.tasks.get(&task)).cloned();
                let (fence, permit) = (step.fence, free.permit(step.pool, step.rank));
                if task.as_ref().is_some_and(|task| task.paused) {
                    // It became ready in the moment in which its task was paused.
                    paused.push(fence);
                } else if !shared.launch(step, LastSeen::claimed(task), permit) {
                    // Its lease runs out and the step is claimed again.
                    tracing::error!("a claimed step found no permit");
                }
            }
            free.all_found();
            if !paused.is_empty() {
                patiently(shared, queue.give_back(&paused)).await?;
            }
        }
        Ok(())
    }

    /// One in each period, whichever process is first.
    async fn add_periodic_jobs(&mut self) -> Result<(), StoreError> {
        let shared = &*self.shared;
        for job in shared.registry.periodic().iter().filter(|job| shared.settings.kinds.contains(&job.kind)) {
            let Some(stage) = shared.registry.stage(job.kind) else { continue };
            let seconds = chrono::Utc::now().timestamp();
            let period = i64::try_from(job.every.as_secs().max(1)).unwrap_or(i64::MAX);
            let key = format!("{}/{}", job.kind, seconds - seconds.rem_euclid(period));
            if self.added.get(&job.kind) != Some(&key) {
                let queue = shared.store().queue();
                patiently(shared, queue.schedule(job.kind, stage.pool, &key, stage.policy.max_attempts)).await?;
                self.added.insert(job.kind, key);
            }
        }
        Ok(())
    }
}

/// Fails a step whose every attempt took its process down. When that cannot be written, the lease runs out once more.
async fn fail_exhausted(shared: &Shared, step: &ClaimedStep) {
    tracing::error!(step = %step.fence.step, kind = %step.kind, attempts = step.attempt, "the step lost its worker in its last attempt");
    let message = format!("the {} step lost its worker {} times", step.kind, step.attempt);
    let outcome = Outcome::Failed(Fault::permanent(FaultCode::WorkflowError, message));
    match patiently(shared, shared.commits.finish_step(step, &outcome, &[])).await {
        Ok(_) | Err(StoreError::LeaseLost) => {}
        Err(error) => tracing::warn!(%error, step = %step.fence.step, "the failure of the step could not be written"),
    }
}

//! The leases that this process holds.

use std::{
    collections::{HashMap, VecDeque, hash_map},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use galley_domain::usage::Meter;
use galley_store::{ClaimedStep, Fence};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{capacity::Permit, commit::LastSeen};

/// Why a running attempt is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The lease is gone: cancelled by the client, or claimed by another process. Write nothing.
    LeaseGone,
    /// The process stops: give the lease back.
    Shutdown,
}

#[derive(Debug)]
struct Entry {
    task: Option<Uuid>,
    stop: CancellationToken,
    reason: Option<StopReason>,
}

/// For how long the word that a task was cancelled is remembered: it may come before the lease that it is about.
const MEMORY: Duration = Duration::from_secs(10);
/// The most words remembered.
const MOST_WORDS: usize = 1_024;

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Fence, Entry>,
    /// Of each task of which something runs here: how much, and what was seen last of it.
    tasks: HashMap<Uuid, (usize, LastSeen)>,
    /// Tasks that were cancelled lately.
    cancelled: VecDeque<(Instant, Uuid)>,
    /// The process ends: what is claimed now is asked to stop at once.
    stopping: bool,
}

impl State {
    fn share(&mut self, task: Uuid, last_seen: LastSeen) -> LastSeen {
        let (count, shared) = self.tasks.entry(task).or_insert_with(|| (0, last_seen.clone()));
        *count += 1;
        last_seen.sharing(shared)
    }

    fn leave(&mut self, task: Uuid) {
        if let hash_map::Entry::Occupied(mut place) = self.tasks.entry(task) {
            place.get_mut().0 -= 1;
            if place.get().0 == 0 {
                place.remove();
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Leases {
    state: Arc<Mutex<State>>,
    doubt: Arc<Notify>,
}

/// The right to run one attempt. Dropping the last clone frees its permit.
#[derive(Debug, Clone)]
pub(crate) struct Lease(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    step: ClaimedStep,
    stop: CancellationToken,
    meter: Meter,
    last_seen: LastSeen,
    permit: Mutex<Option<Permit>>,
    held: Leases,
}

impl Lease {
    pub(crate) fn step(&self) -> &ClaimedStep {
        &self.0.step
    }

    /// What the attempt has used so far; outlives a dropped attempt.
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    /// Shared by all that is written about the attempt.
    pub(crate) fn last_seen(&self) -> &LastSeen {
        &self.0.last_seen
    }

    /// Gives up the permit of an attempt whose end is written.
    pub(crate) fn leave(&self) -> Option<Permit> {
        self.0.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Resolves when the attempt must stop.
    pub(crate) async fn stopped(&self) -> StopReason {
        self.0.stop.cancelled().await;
        self.stop_reason().unwrap_or(StopReason::LeaseGone)
    }

    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        self.0.held.lock().entries.get(&self.0.step.fence).and_then(|entry| entry.reason)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut state = self.held.lock();
        state.entries.remove(&self.step.fence);
        if let Some(task) = self.step.task {
            state.leave(task);
        }
    }
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self, step: ClaimedStep, last_seen: LastSeen, permit: Permit) -> Lease {
        let stop = CancellationToken::new();
        let mut state = self.lock();
        let task = step.task;
        let mut entry = Entry { task, stop: stop.clone(), reason: None };
        if state.stopping {
            entry.halt(StopReason::Shutdown);
        }
        state.entries.insert(step.fence, entry);
        let last_seen = match task {
            Some(task) => state.share(task, last_seen),
            None => last_seen,
        };
        let doubtful =
            state.cancelled.iter().any(|(when, cancelled)| Some(*cancelled) == task && when.elapsed() < MEMORY);
        drop(state);
        if doubtful {
            self.doubt.notify_one();
        }
        let (meter, permit) = (Meter::default(), Mutex::new(Some(permit)));
        Lease(Arc::new(Inner { step, stop, meter, last_seen, permit, held: self.clone() }))
    }

    pub(crate) fn fences(&self) -> Vec<Fence> {
        self.lock().entries.keys().copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().entries.len()
    }

    pub(crate) fn stop(&self, fences: &[Fence]) {
        let mut state = self.lock();
        for fence in fences {
            if let Some(entry) = state.entries.get_mut(fence) {
                entry.halt(StopReason::LeaseGone);
            }
        }
    }

    /// Notes that a task was cancelled. True when one of its steps runs here.
    pub(crate) fn cancelled(&self, task: Uuid) -> bool {
        let mut state = self.lock();
        while state.cancelled.len() >= MOST_WORDS
            || state.cancelled.front().is_some_and(|(when, _)| when.elapsed() >= MEMORY)
        {
            state.cancelled.pop_front();
        }
        state.cancelled.push_back((Instant::now(), task));
        state.entries.values().any(|entry| entry.task == Some(task))
    }

    /// Resolves when a lease came that a cancel may have overtaken.
    pub(crate) async fn doubt(&self) {
        self.doubt.notified().await;
    }

    pub(crate) fn stop_all(&self) {
        let mut state = self.lock();
        state.stopping = true;
        for entry in state.entries.values_mut() {
            entry.halt(StopReason::Shutdown);
        }
    }
}

impl Entry {
    fn halt(&mut self, reason: StopReason) {
        self.reason.get_or_insert(reason);
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use galley_domain::{
        OrgId,
        task::{PoolName, StepKind},
    };
    use tokio::time::timeout;

    use super::*;
    use crate::capacity::Capacity;

    fn lease(held: &Leases, task: Uuid) -> Lease {
        let pool = PoolName::new("models");
        let capacity = Capacity::new(BTreeMap::from([(pool, 1)]), 1);
        capacity.look_everywhere();
        let permit = capacity.take_free(None).and_then(|mut free| free.permit(pool, 0)).expect("a permit");
        let step = ClaimedStep {
            fence: Fence { step: Uuid::from_u128(1), lease: Uuid::from_u128(2) },
            org: Some(OrgId(Uuid::from_u128(3))),
            task: Some(task),
            kind: StepKind::new("toy"),
            pool,
            rank: 0,
            run: 1,
            position: 0,
            attempt: 1,
            max_attempts: 1,
            trace_id: String::new(),
            payload: serde_json::Value::Null,
            subject: None,
        };
        held.take(step, LastSeen::default(), permit)
    }

    /// The word of a cancel may come between the transaction that leases a step and its arrival here.
    #[tokio::test]
    async fn a_cancel_that_overtakes_a_lease_casts_doubt_on_it() {
        let (held, task) = (Leases::default(), Uuid::from_u128(7));
        let moment = Duration::from_millis(20);
        assert!(!held.cancelled(task), "nothing of it runs here yet");
        let _other = lease(&held, Uuid::from_u128(8));
        assert!(timeout(moment, held.doubt()).await.is_err(), "another task is not concerned");
        let running = lease(&held, task);
        assert!(timeout(moment, held.doubt()).await.is_ok());
        assert!(held.cancelled(task), "one of its steps runs here");
        drop(running);
        assert!(!held.cancelled(task));
    }

    /// What was seen last of a task is kept as long as something of it runs here, and no longer.
    #[tokio::test]
    async fn what_was_seen_of_a_task_goes_with_its_last_lease() {
        let (held, task) = (Leases::default(), Uuid::from_u128(7));
        let (first, second) = (lease(&held, task), lease(&held, task));
        assert_eq!(held.lock().tasks.get(&task).map(|(count, _)| *count), Some(2));
        drop(first);
        assert_eq!(held.lock().tasks.len(), 1);
        drop(second);
        assert!(held.lock().tasks.is_empty());
    }
}

//! The leases that this process holds, and the slots that are free.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use galley_domain::{task::StepKind, usage::Meter};
use galley_store::{ClaimedStep, Fence, Wanted};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::committer::Begun;

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

#[derive(Debug, Default)]
struct State {
    entries: HashMap<Fence, Entry>,
    free: BTreeMap<StepKind, usize>,
    /// The process ends: what is claimed now is asked to stop at once.
    stopping: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Held {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
}

/// The right to run one attempt. Dropping the last clone frees its slot.
#[derive(Debug, Clone)]
pub(crate) struct Lease(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    step: ClaimedStep,
    stop: CancellationToken,
    meter: Meter,
    begun: Begun,
    held: Held,
}

impl Lease {
    pub(crate) fn step(&self) -> &ClaimedStep {
        &self.0.step
    }

    /// What the attempt has used so far; outlives a dropped attempt.
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    pub(crate) fn begun(&self) -> &Begun {
        &self.0.begun
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
        *state.free.entry(self.step.kind).or_default() += 1;
        drop(state);
        self.held.freed.notify_one();
    }
}

impl Held {
    pub(crate) fn new(slots: BTreeMap<StepKind, usize>) -> Self {
        let state = State { free: slots, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), freed: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kinds with room. Only the claimer takes slots, so what is free now stays free until it claims.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        let free = &self.lock().free;
        free.iter()
            .filter(|(_, slots)| **slots > 0)
            .map(|(kind, slots)| Wanted { kind: *kind, slots: *slots })
            .collect()
    }

    pub(crate) fn take(&self, step: ClaimedStep) -> Lease {
        let stop = CancellationToken::new();
        let mut state = self.lock();
        let mut entry = Entry { task: step.owner.map(|(_, task)| task), stop: stop.clone(), reason: None };
        if state.stopping {
            entry.halt(StopReason::Shutdown);
        }
        state.entries.insert(step.fence, entry);
        if let Some(free) = state.free.get_mut(&step.kind) {
            *free = free.saturating_sub(1);
        }
        drop(state);
        Lease(Arc::new(Inner { step, stop, meter: Meter::default(), begun: Begun::default(), held: self.clone() }))
    }

    /// Resolves when a slot was freed since the last call.
    pub(crate) async fn freed(&self) {
        self.freed.notified().await;
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

    /// Whether a step of this task runs here.
    pub(crate) fn has_task(&self, task: Uuid) -> bool {
        self.lock().entries.values().any(|entry| entry.task == Some(task))
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

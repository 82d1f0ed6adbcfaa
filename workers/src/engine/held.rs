//! The leases that this process holds, the slots that are free, and the kinds of which steps may be waiting.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};

use galley_domain::{task::StepKind, usage::Meter};
use galley_store::{ClaimedStep, Fence};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

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
    free: BTreeMap<StepKind, usize>,
    /// Kinds of which steps may be ready that nobody here has seen. A step that follows another does not begin here at
    /// once while older ones may wait for the slot.
    looking: BTreeSet<StepKind>,
    /// Tasks that were cancelled lately.
    cancelled: VecDeque<(Instant, Uuid)>,
    /// Nothing more begins here.
    closed: bool,
    /// The process ends: what is claimed now is asked to stop at once.
    stopping: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Held {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
    doubt: Arc<Notify>,
}

/// Free slots of one kind, taken to be filled. Dropping it frees what is left of them.
#[derive(Debug)]
pub(crate) struct Slots {
    kind: StepKind,
    count: usize,
    held: Held,
}

impl Slots {
    pub(crate) fn kind(&self) -> StepKind {
        self.kind
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// One of them; none when all are filled.
    pub(crate) fn split(&mut self) -> Option<Self> {
        self.count = self.count.checked_sub(1)?;
        Some(Self { kind: self.kind, count: 1, held: self.held.clone() })
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        if self.count > 0 {
            *self.held.lock().free.entry(self.kind).or_default() += self.count;
            self.held.freed.notify_one();
        }
    }
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
    slot: Slots,
}

/// Whether the beginning of an attempt stands in the database; shared by all that is written about it.
pub(crate) type Begun = Arc<AtomicBool>;

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
        self.0.slot.held.lock().entries.get(&self.0.step.fence).and_then(|entry| entry.reason)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The slot follows.
        self.slot.held.lock().entries.remove(&self.step.fence);
    }
}

impl Held {
    pub(crate) fn new(slots: BTreeMap<StepKind, usize>) -> Self {
        let state = State { free: slots, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), freed: Arc::default(), doubt: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps of these kinds may be ready.
    pub(crate) fn look_for(&self, kinds: &[StepKind]) {
        let mut state = self.lock();
        let here: Vec<StepKind> = kinds.iter().filter(|kind| state.free.contains_key(kind)).copied().collect();
        state.looking.extend(here);
    }

    /// No step of this kind is ready but those that were won.
    pub(crate) fn found_all(&self, kind: StepKind) {
        self.lock().looking.remove(&kind);
    }

    /// Whether steps may be ready that have not been won yet.
    pub(crate) fn looks(&self) -> bool {
        !self.lock().looking.is_empty()
    }

    /// All free slots of the kinds of which steps may be ready.
    pub(crate) fn slots_to_fill(&self) -> Vec<Slots> {
        let mut state = self.lock();
        let State { free, looking, .. } = &mut *state;
        let wanted = free.iter_mut().filter(|(kind, count)| **count > 0 && looking.contains(kind));
        wanted.map(|(kind, count)| Slots { kind: *kind, count: std::mem::take(count), held: self.clone() }).collect()
    }

    /// A slot for a step that follows one of this process, unless older steps may wait for it.
    pub(crate) fn slot_to_follow(&self, kind: StepKind) -> Option<Slots> {
        let mut state = self.lock();
        if state.closed || state.looking.contains(&kind) {
            return None;
        }
        let free = state.free.get_mut(&kind)?;
        *free = free.checked_sub(1)?;
        drop(state);
        Some(Slots { kind, count: 1, held: self.clone() })
    }

    /// Nothing more begins here.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    pub(crate) fn take(&self, step: ClaimedStep, slot: Slots) -> Lease {
        let stop = CancellationToken::new();
        let mut state = self.lock();
        let task = step.owner.map(|(_, task)| task);
        let mut entry = Entry { task, stop: stop.clone(), reason: None };
        if state.stopping {
            entry.halt(StopReason::Shutdown);
        }
        state.entries.insert(step.fence, entry);
        let doubtful =
            state.cancelled.iter().any(|(when, cancelled)| Some(*cancelled) == task && when.elapsed() < MEMORY);
        drop(state);
        if doubtful {
            self.doubt.notify_one();
        }
        Lease(Arc::new(Inner { step, stop, meter: Meter::default(), begun: Begun::default(), slot }))
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

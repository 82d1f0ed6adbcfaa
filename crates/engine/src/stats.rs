//! What the engine counted, for metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use galley_domain::task::StepKind;

/// Counters of one kind of step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KindStats {
    pub claimed: u64,
    pub done: u64,
    pub retried: u64,
    pub failed: u64,
    /// Stopped because the lease was gone or the process stops.
    pub dropped: u64,
    /// Time spent in attempts, in microseconds.
    pub busy_micros: u64,
}

#[derive(Debug, Default)]
struct State {
    kinds: BTreeMap<StepKind, KindStats>,
    stale: u64,
    refused: BTreeMap<Part, u64>,
}

/// A part of the engine that asks the database and goes on when it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Claim,
    Renew,
    Write,
}

impl Part {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Renew => "renew",
            Self::Write => "write",
        }
    }
}

/// Shared counters. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct EngineStats(Arc<Mutex<State>>);

/// How an attempt ended, for counting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ended {
    Done,
    Retried,
    Failed,
    Dropped,
}

impl EngineStats {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn claimed(&self, kind: StepKind) {
        self.lock().kinds.entry(kind).or_default().claimed += 1;
    }

    pub(crate) fn ended(&self, kind: StepKind, how: Ended, took: Duration) {
        let mut state = self.lock();
        let stats = state.kinds.entry(kind).or_default();
        stats.busy_micros = stats.busy_micros.saturating_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        match how {
            Ended::Done => stats.done += 1,
            Ended::Retried => stats.retried += 1,
            Ended::Failed => stats.failed += 1,
            Ended::Dropped => stats.dropped += 1,
        }
    }

    /// A group was written twice, because somebody else had changed a task that was known here.
    pub(crate) fn was_stale(&self) {
        self.lock().stale += 1;
    }

    /// Groups that were written twice for that reason.
    pub fn stale_groups(&self) -> u64 {
        self.lock().stale
    }

    /// The database did not do what a part of the engine asked for; it will ask again.
    pub(crate) fn was_refused(&self, part: Part) {
        *self.lock().refused.entry(part).or_default() += 1;
    }

    /// How often each part had to ask again.
    pub fn refusals(&self) -> BTreeMap<Part, u64> {
        self.lock().refused.clone()
    }

    /// A copy of all counters.
    pub fn snapshot(&self) -> BTreeMap<StepKind, KindStats> {
        self.lock().kinds.clone()
    }
}

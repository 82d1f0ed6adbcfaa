//! What a kind of work is to the engine: its stages, what follows what, what is charged, and what is written to the domain's
//! tables with the end of a step.

use std::{any::Any, fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use galley_domain::{
    Fault,
    task::{PoolName, StepKind, StepPolicy, TaskStatus},
};
use galley_store::{ClaimedStep, Start, StepsTx, StoreError, TaskState};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use uuid::Uuid;

/// A kind of order.
#[async_trait]
pub trait Pipeline: Debug + Send + Sync + 'static {
    /// The kind of its tasks: a word in the database and on the wire.
    fn kind(&self) -> &'static str;

    /// In the order in which they run. No two pipelines share a kind of step.
    fn stages(&self) -> &[Stage];

    /// What begins when nothing of the task is open any more; `ended` is the stage that ended last.
    fn next(&self, _task: &TaskState, ended: StepKind) -> Next {
        let stages = self.stages();
        let at = stages.iter().position(|stage| stage.kind == ended);
        match at.and_then(|at| stages.get(at + 1)) {
            Some(stage) => Next::Begin(vec![StepSeed::new(stage.kind)]),
            None => Next::Complete,
        }
    }

    /// What a step that failed for good leaves to its task, in a stage that goes on: how many items it cost, and the steps
    /// that would have followed it. By default nothing, which is right where each step is an item and none follows another.
    fn failed(&self, _task: &TaskState, _step: &ClaimedStep) -> (Items, Vec<StepSeed>) {
        (Items::default(), Vec::new())
    }

    /// What events call the id of what the task is about, such as `invoice_id`; None leaves it out.
    fn subject_name(&self) -> Option<&'static str> {
        None
    }

    /// What an ended task costs. By default all that was held when it was completed, or the share of the items that were
    /// made, however it ended.
    fn charge(&self, task: &TaskState, status: TaskStatus) -> Charge {
        match (task.items_total, status) {
            (0, TaskStatus::Completed) => Charge::Whole,
            (0, _) => Charge::Nothing,
            (total, _) => {
                Charge::Amount((task.price * Decimal::from(task.items_done) / Decimal::from(total)).round_dp(6))
            }
        }
    }

    /// What the ledger says of a charge.
    fn note(&self) -> &'static str;

    /// Writes to the domain's tables that tasks have ended, in the transaction that ends them. All are of this pipeline.
    async fn ended(&self, _tx: &StepsTx, _tasks: &[EndedTask<'_>]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A task that ends with the transaction.
#[derive(Debug, Clone, Copy)]
pub struct EndedTask<'a> {
    pub task: &'a TaskState,
    pub status: TaskStatus,
}

/// What becomes of the credits that were held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    Whole,
    Nothing,
    /// At most what was held.
    Amount(Decimal),
}

/// What follows in a task of which nothing is open.
#[derive(Debug, Clone)]
pub enum Next {
    Begin(Vec<StepSeed>),
    Complete,
    Fail(Fault),
}

/// A part of a pipeline: steps of one kind. Or a job: a step that belongs to no task.
#[derive(Debug, Clone)]
pub struct Stage {
    pub kind: StepKind,
    /// What clients see of it in `current_step` and `steps_completed`.
    pub public_name: &'static str,
    /// Its share of the whole, in percent; the shares of a pipeline add up to 100.
    pub weight: u8,
    pub pool: PoolName,
    pub policy: StepPolicy,
    pub on_failure: OnFailure,
    pub keeper: Option<Arc<dyn Keeper>>,
}

impl Stage {
    pub fn new(kind: StepKind, pool: PoolName, weight: u8, policy: StepPolicy) -> Self {
        Self { kind, public_name: kind.as_str(), weight, pool, policy, on_failure: OnFailure::FailTask, keeper: None }
    }

    #[must_use]
    pub fn named(self, public_name: &'static str) -> Self {
        Self { public_name, ..self }
    }

    /// Up to so many percent of the items may fail; where nothing is counted in items, of the steps when the stage has ended.
    #[must_use]
    pub fn may_fail(self, percent: u8) -> Self {
        Self { on_failure: OnFailure::GoOn { percent }, ..self }
    }

    #[must_use]
    pub fn keeping(self, keeper: impl Keeper) -> Self {
        Self { keeper: Some(Arc::new(keeper)), ..self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    FailTask,
    GoOn { percent: u8 },
}

impl OnFailure {
    /// Whether so many failures are too many.
    pub(crate) fn is_too_much(self, failed: u64, total: u64) -> bool {
        match self {
            Self::FailTask => failed > 0,
            Self::GoOn { percent } => failed * 100 > total * u64::from(percent),
        }
    }
}

/// A job that the engine adds by itself: one in each period, whichever process is first.
#[derive(Debug, Clone, Copy)]
pub struct Periodic {
    pub kind: StepKind,
    pub every: Duration,
}

/// A step that follows.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSeed {
    pub kind: StepKind,
    pub position: i32,
    /// Small: ids, a cursor.
    pub payload: Json,
    /// What a job is about; a step of a task is about its task.
    pub subject: Option<Uuid>,
    pub start: Start,
    /// Added to the rank of its task, so that the many steps of a wide task do not stand in front of everybody else's one.
    pub rank_offset: i64,
}

impl StepSeed {
    pub fn new(kind: StepKind) -> Self {
        Self { kind, position: 0, payload: Json::Null, subject: None, start: Start::Now, rank_offset: 0 }
    }

    #[must_use]
    pub fn at_position(self, position: i32) -> Self {
        Self { position, ..self }
    }

    #[must_use]
    pub fn with_payload(self, payload: Json) -> Self {
        Self { payload, ..self }
    }

    #[must_use]
    pub fn about(self, subject: Uuid) -> Self {
        Self { subject: Some(subject), ..self }
    }

    #[must_use]
    pub fn starting(self, start: Start) -> Self {
        Self { start, ..self }
    }

    #[must_use]
    pub fn behind(self, rank_offset: i64) -> Self {
        Self { rank_offset, ..self }
    }

    /// One for each position from 0.
    pub fn fan(kind: StepKind, count: usize) -> Vec<Self> {
        (0..i32::try_from(count).unwrap_or(i32::MAX)).map(|position| Self::new(kind).at_position(position)).collect()
    }
}

/// Items of a wide task that a step has worked on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Items {
    pub done: u32,
    pub failed: u32,
}

/// What a step brought. Persisted together with its end.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// What stays in the step's row for later steps; small.
    pub kept: Json,
    /// What the stage's [`Keeper`] writes to the domain's tables.
    pub brought: Option<Arc<dyn Any + Send + Sync>>,
    pub warnings: Vec<String>,
    /// Set in what the pipeline remembers about the task.
    pub memo: Vec<(&'static str, Json)>,
    /// Steps that follow, of this stage or a later one. Without any, the pipeline says what is next.
    pub follow: Vec<StepSeed>,
    /// How many items the task has, once that is known.
    pub items_total: Option<u32>,
    pub items: Items,
}

impl Output {
    /// Nothing but a small value for later steps.
    pub fn of(kept: Json) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Something for the keeper of the stage.
    pub fn bringing<T: Any + Send + Sync>(brought: T) -> Self {
        Self { brought: Some(Arc::new(brought)), ..Self::default() }
    }

    #[must_use]
    pub fn warning(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    #[must_use]
    pub fn followed_by(self, follow: Vec<StepSeed>) -> Self {
        Self { follow, ..self }
    }
}

/// One step's part of what a group of ends brings to the domain's tables.
#[derive(Debug, Clone, Copy)]
pub struct Brought<'a> {
    pub step: &'a ClaimedStep,
    /// None for a job.
    pub task: Option<&'a TaskState>,
    value: &'a Arc<dyn Any + Send + Sync>,
}

impl<'a> Brought<'a> {
    pub(crate) fn new(
        step: &'a ClaimedStep,
        task: Option<&'a TaskState>,
        value: &'a Arc<dyn Any + Send + Sync>,
    ) -> Self {
        Self { step, task, value }
    }

    /// What the step brought.
    pub fn get<T: Any>(&self) -> Result<&'a T, StoreError> {
        let kind = self.step.kind;
        let wrong =
            || StoreError::Unreadable(format!("the {kind} step brought something that its keeper does not know"));
        self.value.downcast_ref().ok_or_else(wrong)
    }
}

/// What became of one step's part.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Stays in the step's row.
    pub output: Json,
    /// Steps that follow.
    pub follow: Vec<StepSeed>,
}

impl Kept {
    pub fn of(output: Json) -> Self {
        Self { output, ..Self::default() }
    }
}

/// Writes what the steps of a stage bring to the domain's tables, in the transaction that ends them.
#[async_trait]
pub trait Keeper: Debug + Send + Sync + 'static {
    /// For a whole group at once; answers one for each, in order. The leases hold, tasks and steps are locked.
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError>;

    /// Whether groups of this stage lock what other tasks' steps lock too (names, for one), so that they are better written
    /// one after the other.
    fn is_exclusive(&self) -> bool {
        false
    }
}

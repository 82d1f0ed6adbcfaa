//! The one list of everything that the engine can be asked to do.

use std::{collections::BTreeMap, sync::Arc};

use galley_domain::task::{PoolName, StepKind, StepPolicy};
use galley_store::{BESIDE_THE_NEWEST, JobKind, NewStep, StoreError};
use uuid::Uuid;

use crate::pipeline::{Periodic, Pipeline, Stage, StepSeed};

/// A stage with its place in its pipeline.
#[derive(Debug, Clone)]
struct Registered {
    stage: Stage,
    /// Percent of the task before the stage begins.
    before: u8,
    is_last: bool,
}

/// Pipelines, jobs, pools, and how each kind of step is treated. Made once at the start.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    pipelines: BTreeMap<&'static str, Arc<dyn Pipeline>>,
    stages: BTreeMap<StepKind, Registered>,
    periodic: Vec<Periodic>,
    pools: BTreeMap<PoolName, usize>,
}

impl Registry {
    /// Each pool with how many steps run in it at once in one process.
    pub fn new(pools: impl IntoIterator<Item = (PoolName, usize)>) -> Self {
        Self { pools: pools.into_iter().collect(), ..Self::default() }
    }

    /// # Panics
    /// When a kind is registered twice, stands in a pool that is not there, or the weights are not a whole: a mistake of
    /// whoever wrote the list, found at the first start.
    #[must_use]
    pub fn with(mut self, pipeline: impl Pipeline) -> Self {
        let pipeline: Arc<dyn Pipeline> = Arc::new(pipeline);
        let stages = pipeline.stages();
        let weights: u32 = stages.iter().map(|stage| u32::from(stage.weight)).sum();
        assert_eq!(weights, 100, "the weights of {} add up to 100", pipeline.kind());
        let mut before = 0;
        for (at, stage) in stages.iter().enumerate() {
            self.register(stage.clone(), before, at + 1 == stages.len());
            before += stage.weight;
        }
        let twice = self.pipelines.insert(pipeline.kind(), Arc::clone(&pipeline));
        assert!(twice.is_none(), "{} is registered once", pipeline.kind());
        self
    }

    /// A kind of step that belongs to no task. Panics as [`Self::with`].
    #[must_use]
    pub fn with_job(mut self, job: Stage) -> Self {
        self.register(job, 0, false);
        self
    }

    /// A job that comes by itself.
    #[must_use]
    pub fn with_periodic(mut self, job: Stage, every: std::time::Duration) -> Self {
        self.periodic.push(Periodic { kind: job.kind, every });
        self.with_job(job)
    }

    fn register(&mut self, stage: Stage, before: u8, is_last: bool) {
        let (kind, pool) = (stage.kind, stage.pool);
        assert!(self.pools.contains_key(&pool), "{kind} runs in {pool}, which is no pool");
        let twice = self.stages.insert(kind, Registered { stage, before, is_last });
        assert!(twice.is_none(), "{kind} is registered once");
    }

    /// Changes how a kind is treated. A limit of its own gives it a pool to itself.
    pub fn change_policy(&mut self, kind: StepKind, change: impl FnOnce(&mut StepPolicy)) {
        let Some(registered) = self.stages.get_mut(&kind) else { return };
        change(&mut registered.stage.policy);
        if let Some(slots) = registered.stage.policy.concurrency {
            registered.stage.pool = PoolName::new(kind.as_str());
            self.pools.insert(registered.stage.pool, slots);
        }
    }

    /// Changes how many steps run in a pool; false when there is no such pool.
    pub fn resize(&mut self, pool: PoolName, slots: usize) -> bool {
        self.pools.get_mut(&pool).map(|size| *size = slots).is_some()
    }

    pub fn pipeline(&self, kind: &str) -> Result<&Arc<dyn Pipeline>, StoreError> {
        self.pipelines.get(kind).ok_or_else(|| StoreError::Unreadable(format!("no pipeline makes '{kind}'")))
    }

    pub fn stage(&self, kind: StepKind) -> Option<&Stage> {
        self.stages.get(&kind).map(|registered| &registered.stage)
    }

    /// What clients call a kind of step.
    pub fn public_name(&self, kind: StepKind) -> &'static str {
        self.stage(kind).map_or(kind.as_str(), |stage| stage.public_name)
    }

    pub fn kinds(&self) -> impl Iterator<Item = StepKind> + '_ {
        self.stages.keys().copied()
    }

    /// Names and sizes of the pools that these kinds run in.
    pub fn pools_of(&self, kinds: &[StepKind]) -> BTreeMap<PoolName, usize> {
        let pools = kinds.iter().filter_map(|kind| self.stage(*kind)).map(|stage| stage.pool);
        pools.map(|pool| (pool, self.pools.get(&pool).copied().unwrap_or(1))).collect()
    }

    /// Every pool with how many steps run in it at once in one process.
    pub fn pools(&self) -> impl Iterator<Item = (PoolName, usize)> + '_ {
        self.pools.iter().map(|(pool, slots)| (*pool, *slots))
    }

    pub fn periodic(&self) -> &[Periodic] {
        &self.periodic
    }

    /// Percent of the task when `done` of `total` steps of a stage have ended.
    pub fn progress(&self, kind: StepKind, done: u32, total: u32) -> u8 {
        let Some(registered) = self.stages.get(&kind) else { return 0 };
        let share = u32::from(registered.stage.weight) * done.min(total) / total.max(1);
        registered.before.saturating_add(u8::try_from(share).unwrap_or(100)).min(100)
    }

    pub(crate) fn is_last(&self, kind: StepKind) -> bool {
        self.stages.get(&kind).is_some_and(|registered| registered.is_last)
    }

    pub(crate) fn is_exclusive(&self, kind: StepKind) -> bool {
        let keeper = self.stage(kind).and_then(|stage| stage.keeper.as_ref());
        keeper.is_some_and(|keeper| keeper.is_exclusive())
    }

    /// A step to add, as its kind is treated here. Whoever adds it says whose it is.
    pub fn new_step(&self, seed: StepSeed, trace_id: &str) -> Result<NewStep, StoreError> {
        let stage = self.stage(seed.kind);
        let stage = stage.ok_or_else(|| StoreError::Unreadable(format!("no step is called '{}'", seed.kind)))?;
        Ok(NewStep {
            id: Uuid::now_v7(),
            org: None,
            task: None,
            run: 1,
            kind: seed.kind,
            pool: stage.pool,
            position: seed.position,
            rank: BESIDE_THE_NEWEST,
            max_attempts: stage.policy.max_attempts,
            trace_id: trace_id.to_owned(),
            payload: seed.payload,
            subject: seed.subject,
            start: seed.start,
            paused: false,
            started: None,
        })
    }

    /// How a job is queued, if it is registered.
    pub(crate) fn job(&self, kind: StepKind) -> Option<JobKind> {
        let stage = self.stage(kind)?;
        Some(JobKind { kind, pool: stage.pool, max_attempts: stage.policy.max_attempts })
    }

    /// The kinds with their pools, for [`galley_store::Queue::adopt`].
    pub(crate) fn pools_by_kind(&self, kinds: &[StepKind]) -> Vec<(StepKind, PoolName)> {
        kinds.iter().filter_map(|kind| Some((*kind, self.stage(*kind)?.pool))).collect()
    }
}

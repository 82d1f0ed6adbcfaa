//! Running an ended task again. What a run from a step needs is its pipeline's policy.

use async_trait::async_trait;
use galley_domain::{
    Principal,
    task::{StepKind, TaskStatus},
};
use galley_engine::{Pipeline, Stage, StepSeed};
use galley_store::{HoldOutcome, NewStep, Stages, StoreError, TenantTx, rows};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    orders::Receipt,
};

/// What a client asks for.
#[derive(Debug, Clone, Default)]
pub struct RetryRequest {
    /// The public name of the first step to run again; by default the one that failed, or the first.
    pub from: Option<String>,
    /// What a person changed; its form is the pipeline's.
    pub edited: Option<Json>,
}

/// How tasks of a pipeline are run again.
#[async_trait]
pub(crate) trait Restart: std::fmt::Debug + Send + Sync {
    /// Works out what a person changed, before the transaction: it may take a while.
    async fn prepare(&self, services: &Services, task: &rows::Task, edited: Json) -> Result<Json, ServiceError>;

    /// The stage that an edited input begins at, given what was asked for.
    fn start_of_edited(&self, from: Option<StepKind>) -> Result<StepKind, ServiceError>;

    /// Checks what a run from a stage needs of earlier runs, and says which steps begin it.
    async fn seeds(
        &self,
        tx: &TenantTx,
        task: &rows::Task,
        from: StepKind,
        edited: Option<&Json>,
    ) -> Result<Vec<StepSeed>, ServiceError>;

    /// Writes down what belongs to the new run, once the task has begun it.
    async fn begin(&self, tx: &TenantTx, task: &rows::Task, edited: Option<&Json>) -> Result<(), ServiceError>;
}

impl Services {
    /// Starts the next run of an ended task. It costs what an order costs.
    pub async fn retry(
        &self,
        principal: &Principal,
        id: Uuid,
        request: RetryRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Receipt>, ServiceError> {
        let task = self.store.tenant(principal.org).task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let restart = self.restarts.get(task.kind.as_str()).ok_or_else(|| {
            ServiceError::Conflict(format!("a task of the kind {} cannot be run again; order a new one", task.kind))
        })?;
        let edited = match request.edited {
            Some(edited) => Some(restart.prepare(self, &task, edited).await?),
            None => None,
        };
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let receipt = self.start_run(&tx, id, request.from.as_deref(), edited.as_ref(), trace_id).await?;
            Ok((tx, receipt))
        })
        .await
    }

    async fn start_run(
        &self,
        tx: &TenantTx,
        id: Uuid,
        from: Option<&str>,
        edited: Option<&Json>,
        trace_id: &str,
    ) -> Result<Receipt, ServiceError> {
        let mut task = tx.lock_task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let status: TaskStatus = task.status.parse().map_err(StoreError::from)?;
        if !status.is_ended() {
            return Err(ServiceError::Conflict(format!("the task is {status}; cancel it or wait until it has ended")));
        }
        let pipeline = std::sync::Arc::clone(self.registry.pipeline(&task.kind)?);
        let restart = &self.restarts[pipeline.kind()];
        let from = from.map(|name| stage_called(&*pipeline, name)).transpose()?.map(|stage| stage.kind);
        let from = match (edited, from) {
            (Some(_), from) => restart.start_of_edited(from)?,
            (None, Some(kind)) => kind,
            (None, None) => failed_step(&*pipeline, tx, &task).await?,
        };
        let seeds = restart.seeds(tx, &task, from, edited).await?;
        let rank = match tx.reserve(task.price).await? {
            HoldOutcome::Held { rank, .. } => rank,
            HoldOutcome::Insufficient { available } => {
                return Err(ServiceError::InsufficientCredits { needed: task.price, available });
            }
        };
        task.run += 1;
        task.rank = rank;
        trace_id.clone_into(&mut task.trace_id);
        tx.open_hold(id, task.run, task.price).await?;
        self.reset(&*pipeline, &mut task, from);
        seeds.iter().for_each(|seed| task.stages.open(seed.kind, 1));
        tx.save_task(&task).await?;
        let name = self.registry.public_name(from);
        tx.emit(id, "task.retried", json!({ "run": task.run, "from": name })).await?;
        restart.begin(tx, &task, edited).await?;
        tx.add_steps(&self.steps_of(&task, seeds)?).await?;
        Ok(Receipt {
            task_id: id,
            subject: task.subject_id,
            price: task.price,
            estimated_time_seconds: self.settings.estimated_seconds,
            created_at: Some(task.created_at),
        })
    }

    fn steps_of(&self, task: &rows::Task, seeds: Vec<StepSeed>) -> Result<Vec<NewStep>, ServiceError> {
        let of_task = |seed: StepSeed| {
            let rank = task.rank.saturating_add(seed.rank_offset);
            let step = self.registry.new_step(seed, &task.trace_id)?;
            Ok(NewStep { task: Some(task.id), run: task.run, rank, ..step })
        };
        seeds.into_iter().map(of_task).collect()
    }

    fn reset(&self, pipeline: &dyn Pipeline, task: &mut rows::Task, from: StepKind) {
        let before: Vec<&str> = before(pipeline, from).map(|stage| stage.public_name).collect();
        task.status = TaskStatus::Pending.as_str().to_owned();
        task.steps_completed.retain(|name| before.contains(&name.as_str()));
        task.progress = i16::from(self.registry.progress(from, 0, 1));
        task.current_step = None;
        task.error_code = None;
        task.error_message = None;
        task.finished_at = None;
        task.paused = false;
        task.stages = Stages::default();
        (task.items_total, task.items_done, task.items_failed) = (0, 0, 0);
        if before.is_empty() {
            task.warnings = json!([]);
        }
    }
}

/// The stages of a pipeline before one of them.
pub(crate) fn before(pipeline: &dyn Pipeline, from: StepKind) -> impl Iterator<Item = &Stage> {
    pipeline.stages().iter().take_while(move |stage| stage.kind != from)
}

fn stage_called<'a>(pipeline: &'a dyn Pipeline, name: &str) -> Result<&'a Stage, ServiceError> {
    let called = |stage: &&Stage| stage.public_name == name || stage.kind.as_str() == name;
    pipeline.stages().iter().find(called).ok_or_else(|| {
        let names: Vec<&str> = pipeline.stages().iter().map(|stage| stage.public_name).collect();
        ServiceError::field("from", format!("must be one of {}", names.join(", ")))
    })
}

/// The step at which the last run ended, or the first.
async fn failed_step(pipeline: &dyn Pipeline, tx: &TenantTx, task: &rows::Task) -> Result<StepKind, ServiceError> {
    let steps = tx.steps(task.id).await?;
    let failed = steps.iter().rev().find(|step| step.run == task.run && step.state != "done");
    let kind = failed.map(|step| step.kind.parse()).transpose().map_err(StoreError::from)?;
    let first = || pipeline.stages().first().map(|stage| stage.kind);
    kind.or_else(first).ok_or_else(|| StoreError::Unreadable("a pipeline without stages".into()).into())
}

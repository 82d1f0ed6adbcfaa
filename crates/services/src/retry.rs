//! Running an ended task again from a named step, optionally with an outline that a person edited.

use galley_domain::{
    Caller,
    order::ArticleOrder,
    task::{StepKind, TaskStatus},
    writing::{Outline, Snapshot},
};
use galley_store::{ArticleChange, HoldOutcome, StepSeed, StoreError, TenantTx, rows};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    orders::Receipt,
    pipeline::{fan_out, snapshots},
};

/// What a client asks for.
#[derive(Debug, Clone, Default)]
pub struct RetryRequest {
    /// The first step to run again; by default the one that failed, or the first.
    pub from: Option<StepKind>,
    /// Headings and points to write along; drafting starts from it.
    pub outline: Option<Outline>,
}

/// The most sections that an edited outline may have.
const MAX_SECTIONS: usize = 40;

impl Services {
    /// Starts the next run of an ended task. It costs what an order costs; an article that exists gets a new version.
    pub async fn retry(
        &self,
        caller: &Caller,
        id: Uuid,
        request: RetryRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Receipt>, ServiceError> {
        let outline = match request.outline {
            Some(outline) => Some(self.fill_outline(caller, id, outline).await?),
            None => None,
        };
        let tx = self.store.begin(caller.org).await?;
        once(tx, key, |tx| async move {
            let receipt = self.start_run(&tx, id, request.from, outline, trace_id).await?;
            Ok((tx, receipt))
        })
        .await
    }

    /// Gives every section of an edited outline its passages. Pure computation, so it happens before the transaction.
    async fn fill_outline(&self, caller: &Caller, id: Uuid, outline: Outline) -> Result<Outline, ServiceError> {
        check_outline(&outline)?;
        let tenant = self.store.tenant(caller.org);
        let task = tenant.task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let order: ArticleOrder = serde_json::from_value(task.input).map_err(StoreError::from)?;
        let sources: Vec<Snapshot> = snapshots(&tenant.sources(id).await?)?;
        if sources.is_empty() {
            return Err(ServiceError::field(
                "from",
                "nothing was read for this task yet; retry from research without an outline",
            ));
        }
        let filled = tokio::task::spawn_blocking(move || galley_compose::assign(&order.brief, &outline, &sources))
            .await
            .map_err(|_| StoreError::Unreadable("the outline could not be worked on".into()))?;
        Ok(filled)
    }

    async fn start_run(
        &self,
        tx: &TenantTx,
        id: Uuid,
        from: Option<StepKind>,
        outline: Option<Outline>,
        trace_id: &str,
    ) -> Result<Receipt, ServiceError> {
        let mut task = tx.lock_task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let status: TaskStatus = task.status.parse().map_err(StoreError::from)?;
        if !status.is_ended() {
            return Err(ServiceError::Conflict(format!("the task is {status}; cancel it or wait until it has ended")));
        }
        let article = task.article_id.ok_or(ServiceError::NotFound(Missing::Article))?;
        if tx.article(article).await?.is_none() {
            return Err(ServiceError::Conflict("the article of this task was deleted; order a new one".into()));
        }
        let from = match (&outline, from) {
            (Some(_), None | Some(StepKind::Draft | StepKind::Outline)) => StepKind::Draft,
            (Some(_), Some(other)) => {
                let text = format!("is {other}, but an edited outline starts at draft");
                return Err(ServiceError::field("from", text));
            }
            (None, Some(kind)) => kind,
            (None, None) => self.failed_step(tx, &task).await?,
        };
        self.check_inputs(tx, &task, from, outline.is_some()).await?;
        let rank = match tx.reserve(task.price).await? {
            HoldOutcome::Held { rank } => rank,
            HoldOutcome::Insufficient { available } => {
                return Err(ServiceError::InsufficientCredits { needed: task.price, available });
            }
        };
        task.run += 1;
        task.rank = rank;
        trace_id.clone_into(&mut task.trace_id);
        tx.open_hold(id, task.run, task.price).await?;
        reset(&mut task, from);
        tx.save_task(&task).await?;
        tx.change_article(article, ArticleChange::Generating).await?;
        tx.emit(id, "task.retried", json!({ "run": task.run, "from": from.public_name() })).await?;
        self.seed_run(tx, &mut task, from, outline).await?;
        Ok(Receipt {
            task_id: id,
            article_id: article,
            price: task.price,
            estimated_time_seconds: self.settings.estimated_seconds,
        })
    }

    async fn seed_run(
        &self,
        tx: &TenantTx,
        task: &mut rows::Task,
        from: StepKind,
        outline: Option<Outline>,
    ) -> Result<(), ServiceError> {
        if from != StepKind::Draft {
            let seed: StepSeed = self.seed(from, 0);
            return Ok(tx.add_steps(task, &[seed]).await?);
        }
        let outline = match outline {
            Some(outline) => {
                let json = serde_json::to_value(&outline).map_err(StoreError::from)?;
                tx.insert_output(task, StepKind::Outline, json).await?;
                outline
            }
            None => stored_outline(tx, task.id).await?,
        };
        let sections = fan_out(&outline);
        (task.fan_open, task.fan_total) = (sections, sections);
        let seeds: Vec<_> = (0..sections).map(|position| self.seed(StepKind::Draft, position)).collect();
        tx.add_steps(task, &seeds).await?;
        tx.save_task(task).await?;
        Ok(())
    }

    /// The step at which the last run ended, or the first.
    async fn failed_step(&self, tx: &TenantTx, task: &rows::Task) -> Result<StepKind, ServiceError> {
        let steps = tx.steps(task.id).await?;
        let failed = steps.iter().rev().find(|step| step.run == task.run && step.state != "done");
        let kind = failed.map(|step| step.kind.parse()).transpose().map_err(StoreError::from)?;
        Ok(kind.unwrap_or(StepKind::Research))
    }

    /// A run that starts in the middle needs what the steps before it brought.
    async fn check_inputs(
        &self,
        tx: &TenantTx,
        task: &rows::Task,
        from: StepKind,
        has_outline: bool,
    ) -> Result<(), ServiceError> {
        // What one step made is of no use to a text that another run read or outlined since.
        let mut newest = 0;
        for kind in StepKind::ARTICLE.into_iter().take_while(|kind| *kind != from) {
            if kind == StepKind::Outline && has_outline {
                continue;
            }
            let expected = if kind == StepKind::Draft { stored_outline(tx, task.id).await?.sections.len() } else { 1 };
            let run = tx.outputs(task.id, kind, expected).await?.first().map_or(0, |output| output.run);
            let fits = run > 0 && run >= newest;
            newest = run;
            if !fits {
                let (from, kind) = (from.public_name(), kind.public_name());
                let text =
                    format!("is {from}, but there is no finished {kind} step to continue from; retry from {kind}");
                return Err(ServiceError::field("from", text));
            }
        }
        Ok(())
    }
}

async fn stored_outline(tx: &TenantTx, task: Uuid) -> Result<Outline, ServiceError> {
    let rows = tx.outputs(task, StepKind::Outline, 1).await?;
    let output = rows.into_iter().next().and_then(|row| row.output);
    let output = output.ok_or_else(|| ServiceError::field("from", "there is no outline to draft from"))?;
    Ok(serde_json::from_value(output).map_err(StoreError::from)?)
}

fn reset(task: &mut rows::Task, from: StepKind) {
    let before: Vec<&str> =
        StepKind::ARTICLE.into_iter().take_while(|kind| *kind != from).map(StepKind::public_name).collect();
    task.status = TaskStatus::Pending.as_str().to_owned();
    task.steps_completed.retain(|name| before.contains(&name.as_str()));
    task.progress = i16::from(from.progress_before());
    task.current_step = None;
    task.error_code = None;
    task.error_message = None;
    task.finished_at = None;
    (task.fan_open, task.fan_total) = (0, 0);
    if from == StepKind::Research {
        task.warnings = json!([]);
    }
}

fn check_outline(outline: &Outline) -> Result<(), ServiceError> {
    let mut wrong = galley_domain::order::Violations::default();
    wrong.length("outline.title", &outline.title, 1, 300);
    let count = outline.sections.len();
    if count == 0 || count > MAX_SECTIONS {
        wrong.add("outline.sections", format!("has {count} items; give 1 to {MAX_SECTIONS}"));
    }
    for (at, section) in outline.sections.iter().enumerate().take(MAX_SECTIONS) {
        if let Some(heading) = &section.heading {
            wrong.length(&format!("outline.sections[{at}].heading"), heading, 1, 200);
        }
        if section.points.len() > 20 {
            wrong.add(format!("outline.sections[{at}].points"), "has more than 20 items");
        }
        for (point_at, point) in section.points.iter().enumerate().take(20) {
            wrong.length(&format!("outline.sections[{at}].points[{point_at}]"), point, 1, 500);
        }
    }
    wrong.finish().map_err(ServiceError::Validation)
}

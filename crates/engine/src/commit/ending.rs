//! The end of an attempt, and what follows from it.

use std::{collections::BTreeMap, time::Duration};

use galley_domain::{
    Fault, FaultCode,
    task::{StepKind, TaskStatus},
};
use galley_store::{ClaimedStep, Delay, Done, FailedStep, Fence, Settlement, StageCount, StoreError, TaskState};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    Batch, Entry,
    events::{OfStep, OfTask, Trouble, Warning, text},
};
use crate::{
    control::CANCEL_CHILDREN,
    pipeline::{Brought, Charge, EndedTask, Items, Kept, Next, OnFailure, Output, StepSeed},
    step::{Outcome, Ran, backoff},
};

/// The most warnings that a task keeps; the rest would be noise.
const MAX_WARNINGS: usize = 50;

impl Batch<'_> {
    /// Lets keepers write what the good ends of this group bring to the domain's tables, stage by stage.
    pub(super) async fn keep(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut groups: BTreeMap<StepKind, Vec<Brought<'_>>> = BTreeMap::new();
        for entry in entries {
            let Some(value) = entry.output().and_then(|output| output.brought.as_ref()) else { continue };
            let task = entry.step.task.and_then(|task| self.standing.tasks.get(&task));
            let holds = self.standing.fences.contains(&entry.step.fence);
            if holds && task.is_some() == entry.step.task.is_some() {
                groups.entry(entry.step.kind).or_default().push(Brought::new(&entry.step, task, value));
            }
        }
        let mut kept = Vec::new();
        for (kind, brought) in &groups {
            let Some(keeper) = self.registry.stage(*kind).and_then(|stage| stage.keeper.as_ref()) else {
                return Err(StoreError::Unreadable(format!("{kind} brought something, and its stage has no keeper")));
            };
            let parts = keeper.keep(&self.tx, brought).await?;
            if parts.len() != brought.len() {
                return Err(StoreError::Unreadable(format!("the keeper of {kind} left something out")));
            }
            kept.extend(brought.iter().map(|brought| brought.step.fence).zip(parts));
        }
        self.kept.extend(kept);
        Ok(())
    }

    pub(super) fn end(
        &mut self,
        task: &mut TaskState,
        step: &ClaimedStep,
        outcome: &Outcome,
    ) -> Result<Ran, StoreError> {
        match outcome {
            Outcome::Done(output) => self.done(task, step, output).map(|()| Ran::Done),
            Outcome::Snooze(wait) => {
                self.delay(step, *wait, task.paused, None);
                Ok(Ran::Snoozed)
            }
            Outcome::Wait => {
                self.changes.waiting.push(step.fence);
                Ok(Ran::Snoozed)
            }
            Outcome::Failed(fault) => self.failed(task, step, fault),
        }
    }

    /// A step without a task: nobody is told, and nothing else ends with it.
    pub(super) fn end_job(&mut self, step: &ClaimedStep, outcome: &Outcome) -> Result<Ran, StoreError> {
        match outcome {
            Outcome::Done(output) => {
                let Kept { output: kept, follow } = self.kept_of(step, output);
                self.changes.done.push(Done { step: step.fence.step, lease: step.fence.lease, output: kept });
                for seed in output.follow.iter().cloned().chain(follow) {
                    self.add_job(step.org, seed, &step.trace_id)?;
                }
                Ok(Ran::Done)
            }
            Outcome::Snooze(wait) => {
                self.delay(step, *wait, false, None);
                Ok(Ran::Snoozed)
            }
            Outcome::Wait => {
                let fault = Fault::permanent(FaultCode::WorkflowError, "a step without a task has ordered nothing");
                self.fail_step(step, &fault, fault.to_string());
                Ok(Ran::Failed)
            }
            Outcome::Failed(fault) => match self.try_again(step, fault, false) {
                Some(wait) => Ok(Ran::Retried { wait }),
                None => {
                    self.fail_step(step, fault, final_message(step, fault));
                    Ok(Ran::Failed)
                }
            },
        }
    }

    /// What the keeper made of an output, or the output as it is.
    fn kept_of(&mut self, step: &ClaimedStep, output: &Output) -> Kept {
        self.kept.remove(&step.fence).unwrap_or_else(|| Kept::of(output.kept.clone()))
    }

    fn done(&mut self, task: &mut TaskState, step: &ClaimedStep, output: &Output) -> Result<(), StoreError> {
        let Kept { output: kept, follow } = self.kept_of(step, output);
        for (name, value) in &output.memo {
            task.memo[*name] = value.clone();
        }
        self.changes.done.push(Done { step: step.fence.step, lease: step.fence.lease, output: kept });
        self.warn(task, &output.warnings)?;
        count_items(task, output.items_total, output.items);
        let told = text(&OfStep::new(self.registry, step))?;
        self.emit(task, "step.completed", told);
        let follow: Vec<StepSeed> = output.follow.iter().cloned().chain(follow).collect();
        let lost = Lost { step: false, items: output.items.failed > 0 };
        self.advance(task, step, follow, lost)
    }

    /// Moves the task on: to what follows, or to its end.
    fn advance(
        &mut self,
        task: &mut TaskState,
        step: &ClaimedStep,
        follow: Vec<StepSeed>,
        lost: Lost,
    ) -> Result<(), StoreError> {
        let mut next: BTreeMap<StepKind, u32> = BTreeMap::new();
        follow.iter().for_each(|seed| *next.entry(seed.kind).or_default() += 1);
        // Steps of the same stage keep it open; those of a later one begin it.
        next.iter().for_each(|(kind, count)| task.stages.open(*kind, *count));
        let count = task.stages.close(step.kind, lost.step);
        self.progress(task, step.kind, count);
        // A stage may end with a good step after others have failed.
        let has_ended_with_failures = count.open == 0 && count.failed > 0;
        if (lost.step || lost.items || has_ended_with_failures)
            && let Some(fault) = self.too_many_failed(task, step.kind, count)
        {
            self.doomed.entry(task.id).or_insert(fault);
        }
        if self.doomed.contains_key(&task.id) {
            return Ok(());
        }
        let mut begin = follow;
        if task.stages.is_empty() {
            match self.registry.pipeline(&task.kind)?.next(task, step.kind) {
                Next::Complete => {
                    return match self.lost_uncounted(task, step.kind, count)? {
                        Some(fault) => self.fail_task(task, &fault),
                        None => self.end_task(task, TaskStatus::Completed, None),
                    };
                }
                Next::Begin(seeds) if seeds.is_empty() => {
                    let message = "nothing follows, and nothing says it is done";
                    return self.fail_task(task, &Fault::permanent(FaultCode::WorkflowError, message));
                }
                Next::Fail(fault) => return self.fail_task(task, &fault),
                Next::Begin(seeds) => {
                    seeds.iter().for_each(|seed| task.stages.open(seed.kind, 1));
                    begin = seeds;
                }
            }
        }
        self.tell_state(task, "task.progress")?;
        for seed in begin {
            if let Some(started) = self.add_step(task, seed)? {
                self.begin(task, &started)?;
            }
        }
        Ok(())
    }

    fn progress(&self, task: &mut TaskState, kind: StepKind, count: StageCount) {
        let (mut done, mut total) = (count.total.saturating_sub(count.open), count.total);
        if task.items_total > 0 && count.open > 0 {
            // Steps of a wide task come a few at a time; its items say how far it is.
            let of = |count: i32| u32::try_from(count).unwrap_or(0);
            (done, total) = (of(task.items_done + task.items_failed), of(task.items_total));
        }
        let progress = self.registry.progress(kind, done, total);
        task.progress = task.progress.max(i16::from(progress)).min(100);
        let name = self.registry.public_name(kind);
        if count.open == 0 && !task.steps_completed.iter().any(|done| done == name) {
            task.steps_completed.push(name.to_owned());
        }
    }

    /// Counts the items that no step has counted as failed: they must not pass for done. Says why the task fails when they
    /// are more than a stage of it allows.
    fn lost_uncounted(
        &self,
        task: &mut TaskState,
        last: StepKind,
        count: StageCount,
    ) -> Result<Option<Fault>, StoreError> {
        let missing = task.items_total - task.items_done - task.items_failed;
        if missing <= 0 {
            return Ok(None);
        }
        task.items_failed += missing;
        let stages = self.registry.pipeline(&task.kind)?.stages().iter();
        let judge = stages.rev().find(|stage| matches!(stage.on_failure, OnFailure::GoOn { .. }));
        Ok(self.too_many_failed(task, judge.map_or(last, |stage| stage.kind), count))
    }

    /// Says why a task fails when more of a stage failed than it allows. Steps are judged when the stage has ended: until
    /// then nobody knows how many there will be. How many items there are is known.
    fn too_many_failed(&self, task: &TaskState, kind: StepKind, count: StageCount) -> Option<Fault> {
        let on_failure = self.registry.stage(kind).map_or(OnFailure::FailTask, |stage| stage.on_failure);
        let of = |count: i32| u64::try_from(count).unwrap_or(0);
        let items = (of(task.items_failed), of(task.items_total));
        let steps = (u64::from(count.failed), u64::from(count.total));
        let in_items = items.1 > 0;
        let (failed, total) = if in_items { items } else { steps };
        let is_due = in_items || count.open == 0;
        (is_due && on_failure.is_too_much(failed, total)).then(|| {
            let what = if in_items { "items" } else { "steps" };
            let message = format!("{failed} of {total} {what} failed, more than this task allows");
            Fault::permanent(FaultCode::WorkflowError, message)
        })
    }

    /// Ends the tasks of which too much has failed, after everything that this group brought of them was counted: what
    /// keepers have written is part of the result.
    pub(super) fn end_doomed(&mut self) -> Result<(), StoreError> {
        for (id, fault) in std::mem::take(&mut self.doomed) {
            let Some(mut task) = self.standing.tasks.remove(&id) else { continue };
            if !self.ended.contains_key(&id) {
                self.fail_task(&mut task, &fault)?;
            }
            self.standing.tasks.insert(id, task);
        }
        Ok(())
    }

    fn fail_task(&mut self, task: &mut TaskState, fault: &Fault) -> Result<(), StoreError> {
        self.end_task(task, TaskStatus::Failed, Some((fault, &fault.to_string())))
    }

    /// Ends the task, settles what it was held for, and wakes the step that ordered it.
    pub(crate) fn end_task(
        &mut self,
        task: &mut TaskState,
        status: TaskStatus,
        error: Option<(&Fault, &str)>,
    ) -> Result<(), StoreError> {
        let pipeline = self.registry.pipeline(&task.kind)?;
        let (kind, subject) = match status {
            TaskStatus::Completed => ("task.completed", pipeline.subject_name()),
            TaskStatus::Cancelled => ("task.cancelled", None),
            _ => ("task.failed", None),
        };
        task.status = status.as_str().to_owned();
        task.paused = false;
        if status == TaskStatus::Completed {
            (task.current_step, task.progress) = (None, 100);
        } else {
            self.changes.stopped.push(task.id);
            self.changes.for_children = self.registry.job(CANCEL_CHILDREN);
            task.stages.0.clear();
        }
        if status == TaskStatus::Cancelled {
            task.current_step = None;
        }
        if let Some((fault, message)) = error {
            task.error_code = Some(fault.code().as_str().to_owned());
            task.error_message = Some(message.to_owned());
        }
        let (amount, note) = match pipeline.charge(task, status) {
            Charge::Whole => (None, pipeline.note()),
            Charge::Nothing => (Some(rust_decimal::Decimal::ZERO), pipeline.note()),
            Charge::Amount(amount) => (Some(amount), pipeline.note()),
        };
        let (org, run) = (task.org_id, task.run);
        self.settled.push(Settlement { id: Uuid::now_v7(), org, task: task.id, run, amount, note });
        if let Some(step) = task.parent_step {
            self.changes.parents.insert(step);
        }
        self.ended.insert(task.id, status);
        let mut told = OfTask::new(task).about(subject, task.subject_id);
        if let Some((fault, message)) = error {
            told = told.error(Trouble::new(fault, message));
        }
        let told = text(&told)?;
        self.emit(task, kind, told);
        Ok(())
    }

    fn delay(&mut self, step: &ClaimedStep, wait: Duration, paused: bool, fault: Option<&Fault>) {
        self.changes.delayed.push(Delay {
            step: step.fence.step,
            lease: step.fence.lease,
            seconds: wait.as_secs_f64(),
            paused,
            error_code: fault.map(|fault| fault.code().as_str()),
            error_message: fault.map(ToString::to_string),
        });
    }

    /// Delays a step whose failure may go away and that has attempts left.
    fn try_again(&mut self, step: &ClaimedStep, fault: &Fault, paused: bool) -> Option<Duration> {
        let Fault::Transient { after, .. } = fault else { return None };
        let wait = (step.attempt < step.max_attempts).then(|| backoff(step.attempt, *after, fastrand::f64()))?;
        self.delay(step, wait, paused, Some(fault));
        Some(wait)
    }

    fn fail_step(&mut self, step: &ClaimedStep, fault: &Fault, error_message: String) {
        let (error_code, Fence { step, lease }) = (fault.code().as_str(), step.fence);
        self.changes.failed.push(FailedStep { step, lease, error_code, error_message });
    }

    fn failed(&mut self, task: &mut TaskState, step: &ClaimedStep, fault: &Fault) -> Result<Ran, StoreError> {
        let told = OfStep::new(self.registry, step).error(Trouble::new(fault, fault.to_string()));
        if let Some(wait) = self.try_again(step, fault, task.paused) {
            self.emit(task, "step.retry", text(&told.retry_in(wait.as_secs_f64()))?);
            return Ok(Ran::Retried { wait });
        }
        let message = final_message(step, fault);
        self.fail_step(step, fault, message.clone());
        self.emit(task, "step.failed", text(&told)?);
        let on_failure = self.registry.stage(step.kind).map_or(OnFailure::FailTask, |stage| stage.on_failure);
        if on_failure == OnFailure::FailTask {
            self.end_task(task, TaskStatus::Failed, Some((fault, &message)))?;
        } else {
            self.warn(task, std::slice::from_ref(&message))?;
            let (items, follow) = self.registry.pipeline(&task.kind)?.failed(task, step);
            count_items(task, None, items);
            self.advance(task, step, follow, Lost { step: true, items: items.failed > 0 })?;
        }
        Ok(Ran::Failed)
    }

    /// Adds to the task's warnings and tells listeners.
    fn warn(&mut self, task: &mut TaskState, warnings: &[String]) -> Result<(), StoreError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let mut list = task.warnings.as_array().cloned().unwrap_or_default();
        for warning in warnings {
            if list.len() < MAX_WARNINGS {
                list.push(json!(warning));
            }
            self.emit(task, "task.warning", text(&Warning { message: warning })?);
        }
        task.warnings = Json::Array(list);
        Ok(())
    }

    /// Writes everything that has gathered: tasks and steps, then what ended tasks mean to the domain, then the books.
    pub(crate) async fn flush(&mut self) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.changed) {
            let task = self.standing.tasks.get(&id);
            self.changes.tasks.extend(task.map(|task| (id, std::sync::Arc::new(task.clone()))));
        }
        self.tx.write(&mut self.changes).await?;
        let mut by_pipeline: BTreeMap<&str, Vec<EndedTask<'_>>> = BTreeMap::new();
        for (id, status) in &self.ended {
            if let Some(task) = self.standing.tasks.get(id) {
                by_pipeline.entry(&task.kind).or_default().push(EndedTask { task, status: *status });
            }
        }
        for (kind, tasks) in by_pipeline {
            self.registry.pipeline(kind)?.ended(&self.tx, &tasks).await?;
        }
        self.tx.settle(&std::mem::take(&mut self.settled)).await
    }
}

/// What the end of a step cost its task.
#[derive(Debug, Clone, Copy)]
struct Lost {
    /// The step itself failed.
    step: bool,
    /// Items of it failed.
    items: bool,
}

fn final_message(step: &ClaimedStep, fault: &Fault) -> String {
    match (fault.is_transient(), step.attempt) {
        (true, attempts @ 2..) => format!("{fault} (after {attempts} attempts)"),
        _ => fault.to_string(),
    }
}

fn count_items(task: &mut TaskState, total: Option<u32>, items: Items) {
    let count = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    if let Some(total) = total {
        task.items_total = count(total);
    }
    task.items_done = task.items_done.saturating_add(count(items.done));
    task.items_failed = task.items_failed.saturating_add(count(items.failed));
}

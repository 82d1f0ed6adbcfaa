//! What people do to tasks that have not ended: cancel, pause, resume. A task's children share its fate.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use galley_domain::{
    OrgId,
    task::{StepKind, TaskStatus},
};
use galley_store::{StepsTx, Store, StoreError, TaskState};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    capacity::Handover,
    commit::Batch,
    pipeline::Output,
    registry::Registry,
    step::{Step, StepContext, StepError},
};

/// The job that follows a task which failed while children of it were open. A registry without it leaves them to go on.
pub const CANCEL_CHILDREN: StepKind = StepKind::new("cancel_children");

/// Why a task was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no such task")]
    NotFound,
    /// Its state does not allow it; the text says what would.
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Control {
    store: Store,
    registry: Arc<Registry>,
}

impl Control {
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Stops a task and its children: nothing of them is started any more, what runs is dropped, held credits return. Of a
    /// task that has ended the children that have not.
    pub async fn cancel(&self, org: OrgId, id: Uuid) -> Result<(), ControlError> {
        let tx = self.store.begin_steps([org]).await?;
        let tx = self.cancel_in(tx, org, id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same in a transaction of the caller's, who commits it.
    pub async fn cancel_in(&self, mut tx: StepsTx, org: OrgId, id: Uuid) -> Result<StepsTx, ControlError> {
        let tasks = family(&mut tx, org, id, None).await?;
        if !is_any_open(&tasks)? {
            let status = tasks[0].status()?;
            return Err(ControlError::Refused(format!(
                "the task is {status} already; only a pending or processing task can be cancelled"
            )));
        }
        self.cancel_all(tx, tasks).await
    }

    /// Cancels what a task has ordered up to a run of it that has ended. The task may be in its next run.
    async fn cancel_children(&self, org: OrgId, id: Uuid, run: i32) -> Result<(), ControlError> {
        let mut tx = self.store.begin_steps([org]).await?;
        let mut children = family(&mut tx, org, id, Some(run)).await?;
        children.remove(0);
        self.cancel_all(tx, children).await?.commit().await?;
        Ok(())
    }

    async fn cancel_all(&self, tx: StepsTx, mut tasks: Vec<TaskState>) -> Result<StepsTx, ControlError> {
        let standing = tasks.iter().map(|task| (task.id, task.clone())).collect();
        let mut handover = Handover::none();
        let mut batch = Batch::over(&self.registry, &mut handover, tx, standing);
        for task in &mut tasks {
            if !task.status()?.is_ended() {
                batch.end_task(task, TaskStatus::Cancelled, None)?;
                batch.stands(task);
            }
        }
        batch.flush().await?;
        Ok(batch.into_tx())
    }

    /// Paused, nothing of a task and its children is claimed; what runs goes on to its end. Not paused, it goes on where it
    /// was. A task that has ended stands for the children that have not. In a transaction of the caller's, who commits it.
    pub async fn set_paused(
        &self,
        mut tx: StepsTx,
        org: OrgId,
        id: Uuid,
        paused: bool,
    ) -> Result<StepsTx, ControlError> {
        let mut tasks = family(&mut tx, org, id, None).await?;
        if !is_any_open(&tasks)? {
            let status = tasks[0].status()?;
            let done = if paused { "paused" } else { "resumed" };
            return Err(ControlError::Refused(format!(
                "the task is {status}; only one that has not ended can be {done}"
            )));
        }
        let standing = tasks.iter().map(|task| (task.id, task.clone())).collect();
        let mut handover = Handover::none();
        let mut batch = Batch::over(&self.registry, &mut handover, tx, standing);
        let mut changed: Vec<Uuid> = Vec::new();
        for task in &mut tasks {
            if !task.status()?.is_ended() && task.paused != paused {
                task.paused = paused;
                batch.tell_state(task, if paused { "task.paused" } else { "task.resumed" })?;
                changed.push(task.id);
                batch.stands(task);
            }
        }
        if changed.is_empty() {
            let how = if paused { "paused already" } else { "not paused" };
            return Err(ControlError::Refused(format!("the task is {how}")));
        }
        batch.flush().await?;
        let tx = batch.into_tx();
        tx.pause_steps(&changed, paused).await?;
        Ok(tx)
    }
}

/// The task, first, and all that it (up to one of its runs) and its children have ordered and that may not have ended;
/// locked.
async fn family(tx: &mut StepsTx, org: OrgId, id: Uuid, up_to: Option<i32>) -> Result<Vec<TaskState>, ControlError> {
    let mut ids: BTreeSet<Uuid> = [id].into();
    loop {
        // A child that was ordered before its parent was locked is found when the parent is.
        let list: Vec<Uuid> = ids.iter().copied().collect();
        let mut locked = tx.lock_tasks(org, &list).await?;
        let first = locked.remove(&id).ok_or(ControlError::NotFound)?;
        let children = tx.tenant(org.0)?.open_descendants(id, up_to).await?;
        if children.iter().all(|child| ids.contains(child)) {
            let mut family = vec![first];
            family.extend(locked.into_values());
            return Ok(family);
        }
        ids.extend(children);
    }
}

fn is_any_open(tasks: &[TaskState]) -> Result<bool, StoreError> {
    for task in tasks {
        if !task.status()?.is_ended() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the job is given.
#[derive(Debug, Deserialize)]
struct EndedRun {
    run: i32,
}

/// Cancels the open children of the task that the job is about: nobody waits for what they would bring.
#[derive(Debug)]
pub(crate) struct CancelChildren(pub(crate) Control);

#[async_trait]
impl Step for CancelChildren {
    fn kind(&self) -> StepKind {
        CANCEL_CHILDREN
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let EndedRun { run } = cx.payload()?;
        match self.0.cancel_children(cx.org()?, cx.subject()?, run).await {
            Err(ControlError::Store(error)) => Err(error.into()),
            _ => Ok(Output::default()),
        }
    }
}

//! Looking at tasks, and cancelling them.

use std::sync::Arc;

use galley_domain::{Caller, OrgId, task::TaskStatus};
use galley_store::{ArticleChange, TaskFilter, TenantTx, rows};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
};

/// A task as every view shows it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// Shared by all who asked at the same time.
    pub row: Arc<rows::Task>,
    pub status: TaskStatus,
    /// Seconds that are left by the expected pace; 0 when ended.
    pub estimated_time_seconds: u32,
}

impl Services {
    pub(crate) fn view(&self, row: Arc<rows::Task>) -> Result<TaskView, ServiceError> {
        let status: TaskStatus = row.status.parse().map_err(galley_store::StoreError::from)?;
        let left = if status.is_ended() { 0 } else { 100 - u32::try_from(row.progress.clamp(0, 100)).unwrap_or(0) };
        let estimated_time_seconds = (self.settings.estimated_seconds * left).div_ceil(100);
        Ok(TaskView { row, status, estimated_time_seconds })
    }

    pub async fn task(&self, org: OrgId, id: Uuid) -> Result<TaskView, ServiceError> {
        let row = self.store.reads().task(org, id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        self.view(row)
    }

    /// Newest first, with the number of all that match.
    pub async fn tasks(&self, org: OrgId, filter: &TaskFilter) -> Result<(Vec<TaskView>, u64), ServiceError> {
        let (rows, total) = self.store.tenant(org).tasks(filter).await?;
        Ok((rows.into_iter().map(|row| self.view(row.into())).collect::<Result<_, _>>()?, total))
    }

    /// The newest task that the caller's key has ordered and that was not completed.
    pub async fn newest_uncompleted(&self, caller: &Caller) -> Result<Option<TaskView>, ServiceError> {
        let row = self.store.tenant(caller.org).newest_uncompleted(caller.key).await?;
        row.map(|row| self.view(row.into())).transpose()
    }

    /// Steps of all runs in order.
    pub async fn task_steps(&self, org: OrgId, id: Uuid) -> Result<Vec<rows::Step>, ServiceError> {
        let tenant = self.store.tenant(org);
        tenant.task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        Ok(tenant.steps(id).await?)
    }

    /// Calls to models that the task has made so far.
    pub async fn task_usage(&self, org: OrgId, id: Uuid) -> Result<Vec<rows::Usage>, ServiceError> {
        Ok(self.store.tenant(org).usage(id).await?)
    }

    pub async fn task_events(
        &self,
        org: OrgId,
        id: Uuid,
        after: i64,
        limit: u64,
    ) -> Result<Vec<rows::Event>, ServiceError> {
        Ok(self.store.tenant(org).events_after(id, after, limit).await?)
    }

    /// The next events behind this number, some hundred at the most; for many who follow at once.
    pub async fn events_after(&self, org: OrgId, id: Uuid, after: i64) -> Result<Arc<[rows::Event]>, ServiceError> {
        Ok(self.store.reads().events_after(org, id, after).await?)
    }

    pub async fn task_articles(&self, org: OrgId, id: Uuid) -> Result<Vec<rows::Article>, ServiceError> {
        let tenant = self.store.tenant(org);
        tenant.task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        Ok(tenant.task_articles(id).await?)
    }

    /// Stops a task that has not ended: nothing of it is started any more, what runs is dropped, held credits return.
    pub async fn cancel(&self, org: OrgId, id: Uuid) -> Result<TaskView, ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut task = tx.lock_task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let status: TaskStatus = task.status.parse().map_err(galley_store::StoreError::from)?;
        if status.is_ended() {
            return Err(ServiceError::Conflict(format!(
                "the task is {status} already; only a pending or processing task can be cancelled"
            )));
        }
        cancel(&tx, &mut task).await?;
        tx.commit().await?;
        self.view(task.into())
    }
}

/// Cancels a locked task that has not ended.
pub(crate) async fn cancel(tx: &TenantTx, task: &mut rows::Task) -> Result<(), ServiceError> {
    tx.cancel_steps(task.id).await?;
    task.status = TaskStatus::Cancelled.as_str().to_owned();
    task.current_step = None;
    task.finished_at = Some(tx.now().await?);
    tx.save_task(task).await?;
    if let Some(article) = task.article_id {
        tx.change_article(article, ArticleChange::Failed { error: "the task was cancelled".into() }).await?;
    }
    // The organization's row last: all orders of the tenant wait for it.
    tx.release(task.id, task.run).await?;
    tx.emit(task.id, "task.cancelled", json!({ "progress": task.progress })).await?;
    Ok(())
}

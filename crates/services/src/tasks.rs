//! Looking at tasks, and cancelling them.

use std::{collections::HashMap, sync::Arc};

use galley_domain::{OrgId, Principal, task::TaskStatus};
use galley_store::{TaskFilter, rows};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    Services, delivered,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, keep_answer, known_answer},
};

/// A task as every view shows it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// Shared by all who asked at the same time.
    pub row: Arc<rows::TaskHead>,
    pub status: TaskStatus,
    /// Seconds that are left by the expected pace; 0 when ended.
    pub estimated_time_seconds: u32,
}

impl Services {
    pub(crate) fn view(&self, row: Arc<rows::TaskHead>) -> Result<TaskView, ServiceError> {
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

    /// The newest of a project, at most so many.
    pub async fn project_tasks(
        &self,
        org: OrgId,
        project: Uuid,
        (status, paused): (Option<TaskStatus>, Option<bool>),
        limit: u64,
    ) -> Result<Vec<TaskView>, ServiceError> {
        self.project(org, project).await?;
        let filter = TaskFilter { status, paused, project_id: Some(project), limit, ..TaskFilter::default() };
        Ok(self.tasks(org, &filter).await?.0)
    }

    /// The project of what a task is about.
    pub async fn project_of(&self, org: OrgId, task: &TaskView) -> Result<Option<Uuid>, ServiceError> {
        let Some(subject) = task.row.subject_id else { return Ok(None) };
        let tenant = self.store.tenant(org);
        if task.row.kind == galley_domain::publishing::site_sync::TASK {
            return Ok(tenant.one::<rows::Connection>(subject).await?.and_then(|site| site.project_id));
        }
        Ok(tenant.article(subject).await?.and_then(|article| article.project_id))
    }

    /// The newest task that was ordered with the principal's key, or without one if it has none, and was not completed.
    pub async fn newest_uncompleted(&self, principal: &Principal) -> Result<Option<TaskView>, ServiceError> {
        let row = self.store.tenant(principal.org).newest_uncompleted(principal.key()).await?;
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

    /// What the organization owns, and how much of it running orders have reserved.
    pub async fn credits(&self, org: OrgId) -> Result<(Decimal, Decimal), ServiceError> {
        Ok(self.store.tenant(org).credits().await?)
    }

    /// The next events behind this number, some hundred at the most; for many who follow at once.
    pub async fn events_after(&self, org: OrgId, id: Uuid, after: i64) -> Result<Arc<[rows::Event]>, ServiceError> {
        Ok(self.store.reads().events_after(org, id, after).await?)
    }

    /// The codes of the errors that these tasks have ended with, by task.
    pub async fn error_codes(
        &self,
        org: OrgId,
        tasks: impl IntoIterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, String>, ServiceError> {
        let code = |id: Uuid| async move {
            let row = self.store.reads().task(org, id).await?;
            Ok::<_, ServiceError>(row.and_then(|row| row.error_code.clone()).map(|code| (id, code)))
        };
        // Asked for together, so that they are looked up together.
        let found = futures::future::try_join_all(tasks.into_iter().map(code)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    pub async fn task_articles(&self, org: OrgId, id: Uuid) -> Result<Vec<rows::Article>, ServiceError> {
        let tenant = self.store.tenant(org);
        tenant.task(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let mut articles = tenant.task_articles(id).await?;
        articles.retain(|article| delivered::is_delivered(&article.status));
        Ok(articles)
    }

    /// Stops a task that has not ended: nothing of it is started any more, what runs is dropped, held credits return.
    pub async fn cancel(&self, org: OrgId, id: Uuid) -> Result<TaskView, ServiceError> {
        self.control.cancel(org, id).await?;
        self.task(org, id).await
    }

    /// Nothing more of the task begins until it is resumed; what runs goes on to its end.
    pub async fn pause(
        &self,
        org: OrgId,
        id: Uuid,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<TaskView>, ServiceError> {
        self.set_paused(org, id, true, key).await
    }

    /// Goes on where the task was paused.
    pub async fn resume(
        &self,
        org: OrgId,
        id: Uuid,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<TaskView>, ServiceError> {
        self.set_paused(org, id, false, key).await
    }

    async fn set_paused(
        &self,
        org: OrgId,
        id: Uuid,
        paused: bool,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<TaskView>, ServiceError> {
        let tx = self.store.begin_steps([org]).await?;
        let known: Option<rows::TaskHead> = known_answer(tx.tenant(org.0)?, key).await?;
        if let Some(row) = known {
            return Ok(Answer { value: self.view(row.into())?, replayed: true });
        }
        let tx = self.control.set_paused(tx, org, id, paused).await?;
        let tenant = tx.tenant(org.0)?;
        let row = tenant.task_head(id).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        keep_answer(tenant, key, &row).await?;
        tx.commit().await?;
        Ok(Answer { value: self.view(row.into())?, replayed: false })
    }
}

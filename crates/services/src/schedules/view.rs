//! What is to be seen of schedules.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    schedule::{RunStatus, ScheduleStatus},
};
use galley_recurrence::{Missed, Occurrence, Recurrence};
use galley_store::{
    ScheduleFilter, TenantTx,
    rows::{Schedule, ScheduleRun},
};
use uuid::Uuid;

use super::stored;
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::Answer,
};

/// The most times that are told at once.
pub const MAX_TIMES: usize = 100;
/// How many times come with a schedule.
const NEXT_RUNS: usize = 10;

/// A schedule with what is coming and what has been.
#[derive(Debug, Clone)]
pub struct ScheduleView {
    pub row: Schedule,
    pub recurrence: Recurrence,
    pub missed: Missed,
    /// None while it is paused or has ended.
    pub next: Vec<Occurrence>,
    pub last_run: Option<ScheduleRun>,
    /// Runs about which somebody has to decide.
    pub pending_decisions: u64,
}

impl Services {
    /// Newest first, with the number of all that match.
    pub async fn schedules(
        &self,
        org: OrgId,
        filter: &ScheduleFilter,
    ) -> Result<(Vec<ScheduleView>, u64), ServiceError> {
        let tx = self.store.begin(org).await?;
        let (rows, total) = tx.schedules(filter).await?;
        Ok((views(&tx, rows).await?, total))
    }

    pub async fn schedule(&self, org: OrgId, id: Uuid) -> Result<ScheduleView, ServiceError> {
        let tx = self.store.begin(org).await?;
        let row = tx.schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
        let view = views(&tx, vec![row]).await?.pop();
        view.ok_or(ServiceError::NotFound(Missing::Schedule))
    }

    /// The runs of a schedule, newest due first, with the number of all that match.
    pub async fn schedule_runs(
        &self,
        org: OrgId,
        id: Uuid,
        status: Option<RunStatus>,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<ScheduleRun>, u64), ServiceError> {
        let tenant = self.store.tenant(org);
        tenant.schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
        Ok(tenant.schedule_runs(id, status, limit, offset).await?)
    }

    /// Its recurrence and its times after a moment, or after now. Also of one that is paused.
    pub async fn schedule_times(
        &self,
        org: OrgId,
        id: Uuid,
        count: usize,
        after: Option<DateTime<Utc>>,
    ) -> Result<(Recurrence, Vec<Occurrence>), ServiceError> {
        let schedule = self.store.tenant(org).schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
        let recurrence: Recurrence = stored(&schedule.recurrence)?;
        let times = self.times_of(org, &recurrence, count, after).await?;
        Ok((recurrence, times))
    }

    /// The times of a recurrence after a moment, or after now.
    pub async fn times_of(
        &self,
        org: OrgId,
        recurrence: &Recurrence,
        count: usize,
        after: Option<DateTime<Utc>>,
    ) -> Result<Vec<Occurrence>, ServiceError> {
        let after = match after {
            Some(after) => after,
            None => self.store.begin(org).await?.now().await?,
        };
        Ok(recurrence.upcoming(after).take(count.min(MAX_TIMES)).collect())
    }

    pub(super) async fn viewed(
        &self,
        org: OrgId,
        answer: Answer<Schedule>,
    ) -> Result<Answer<ScheduleView>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let view = views(&tx, vec![answer.value]).await?.pop();
        let value = view.ok_or(ServiceError::NotFound(Missing::Schedule))?;
        Ok(Answer { value, replayed: answer.replayed })
    }
}

async fn views(tx: &TenantTx, rows: Vec<Schedule>) -> Result<Vec<ScheduleView>, ServiceError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut last_runs = tx.last_runs(ids.clone()).await?;
    let questions = tx.open_questions(ids).await?;
    let now = tx.now().await?;
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        let recurrence: Recurrence = stored(&row.recurrence)?;
        let is_active = *row.status == ScheduleStatus::Active;
        let after = row.last_considered.max(now);
        let next = recurrence.upcoming(after).take(if is_active { NEXT_RUNS } else { 0 }).collect();
        let at = last_runs.iter().position(|run| run.schedule_id == row.id);
        views.push(ScheduleView {
            missed: stored(&row.missed)?,
            last_run: at.map(|at| last_runs.swap_remove(at)),
            pending_decisions: questions.iter().filter(|schedule| **schedule == row.id).count() as u64,
            next,
            recurrence,
            row,
        });
    }
    Ok(views)
}

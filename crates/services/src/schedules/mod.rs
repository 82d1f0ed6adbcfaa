//! Recurring schedules: made, changed, paused, resumed, deleted.

mod edit;
mod firing;
mod trash;
mod view;

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId, Principal,
    order::{ArticleOrder, FieldError},
    schedule::ScheduleStatus,
};
use galley_recurrence::{Missed, Recurrence};
use galley_store::{
    NewSchedule, StoreError, TenantTx,
    rows::{Connection, Schedule},
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    pipelines::schedules::{TICK, pending},
    publishing::connections::is_blog,
    system::SystemCalls,
};

pub use edit::{MissedEdit, ScheduleEdit, TimesEdit};
pub(crate) use trash::ProjectSchedules;
pub use view::{MAX_TIMES, ScheduleView};

/// What a schedule does when it comes due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleAction {
    /// In the words of whoever made the schedule.
    pub given: Json,
    pub work: Work,
}

/// The same, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Work {
    Order {
        order: ArticleOrder,
    },
    /// The oldest approved article of a project goes out.
    Publish {
        project_id: Uuid,
        /// By default the project's, else the one that was used last.
        connection_id: Option<Uuid>,
    },
}

impl ScheduleAction {
    fn project(&self) -> Option<Uuid> {
        match &self.work {
            Work::Order { order } => order.project_id,
            Work::Publish { project_id, .. } => Some(*project_id),
        }
    }

    /// Where a field of the order stands in the action.
    fn place(&self, field: &str) -> String {
        let outside = field == "project_id" && self.given["order"]["project_id"].is_null();
        if outside { format!("action.{field}") } else { format!("action.order.{field}") }
    }
}

/// A schedule to make.
#[derive(Debug, Clone)]
pub struct ScheduleRequest {
    pub name: String,
    pub recurrence: Recurrence,
    pub action: ScheduleAction,
    pub missed: Missed,
    /// Runs on one day of the schedule's zone.
    pub max_per_day: Option<i32>,
    pub paused: bool,
}

impl Services {
    pub async fn create_schedule(
        &self,
        principal: &Principal,
        request: ScheduleRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ScheduleView>, ServiceError> {
        let tx = self.store.begin(principal.org).await?;
        let made = once(tx, key, |tx| async move {
            let now = tx.now().await?;
            let next = request.recurrence.next(now);
            let mut wrong = self.wrong_action(&tx, &request.action).await?;
            if next.is_none() {
                wrong.push(edit::no_time_left());
            }
            if !wrong.is_empty() {
                return Err(ServiceError::Validation(wrong));
            }
            let status = if request.paused { ScheduleStatus::Paused } else { ScheduleStatus::Active };
            let schedule = tx
                .insert_schedule(NewSchedule {
                    name: request.name.trim().to_owned(),
                    status,
                    recurrence: json(&request.recurrence)?,
                    project_id: request.action.project(),
                    work: json(&request.action.work)?,
                    action: request.action.given,
                    missed: json(&request.missed)?,
                    max_per_day: request.max_per_day,
                    api_key_id: principal.key(),
                    last_considered: now,
                    next_due: next.filter(|_| !request.paused).map(|next| next.at),
                })
                .await?;
            self.arm(&tx, &schedule, trace_id).await?;
            Ok((tx, schedule))
        });
        self.viewed(principal.org, made.await?).await
    }

    /// Changes what is given. `seen` are the times at one of which the client believes that it was changed last.
    pub async fn edit_schedule(
        &self,
        org: OrgId,
        id: Uuid,
        edit: ScheduleEdit,
        seen: Option<Vec<DateTime<Utc>>>,
        trace_id: &str,
    ) -> Result<ScheduleView, ServiceError> {
        let changed = self.change_schedule(org, id, trace_id, None, async |tx, schedule, now| {
            let is_now = |seen: &DateTime<Utc>| seen.timestamp_millis() == schedule.updated_at.timestamp_millis();
            if seen.is_some_and(|seen| !seen.iter().any(is_now)) {
                let text = "the schedule was changed since you read it; read it again and repeat your change";
                return Err(ServiceError::Stale(text.into()));
            }
            let mut wrong = match &edit.action {
                Some(action) => self.wrong_action(tx, action).await?,
                None => Vec::new(),
            };
            let before = *schedule.status;
            wrong.extend(edit.apply(schedule, now)?);
            if !wrong.is_empty() {
                return Err(ServiceError::Validation(wrong));
            }
            if before != ScheduleStatus::Active && *schedule.status == ScheduleStatus::Active {
                trash::refuse_trashed_project(tx, schedule.project_id).await?;
            }
            announce_status(tx, schedule, before).await
        });
        Ok(self.viewed(org, changed.await?).await?.value)
    }

    /// Times that come during a pause are not missed: they do not come.
    pub async fn pause_schedule(
        &self,
        org: OrgId,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ScheduleView>, ServiceError> {
        let changed = self.change_schedule(org, id, trace_id, key, async |tx, schedule, _| {
            if *schedule.status != ScheduleStatus::Active {
                return Err(ServiceError::Conflict(format!("the schedule is {} already", schedule.status.as_str())));
            }
            edit::pause(schedule);
            announce_status(tx, schedule, ScheduleStatus::Active).await
        });
        self.viewed(org, changed.await?).await
    }

    pub async fn resume_schedule(
        &self,
        org: OrgId,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ScheduleView>, ServiceError> {
        let changed = self.change_schedule(org, id, trace_id, key, async |tx, schedule, now| {
            match *schedule.status {
                ScheduleStatus::Paused => {}
                ScheduleStatus::Active => return Err(ServiceError::Conflict("the schedule is active already".into())),
                ScheduleStatus::Ended => {
                    return Err(ServiceError::Conflict("the schedule has ended; give it a later ends_at".into()));
                }
            }
            trash::refuse_trashed_project(tx, schedule.project_id).await?;
            edit::resume(schedule, &stored(&schedule.recurrence)?, now);
            if *schedule.status == ScheduleStatus::Ended {
                return Err(ServiceError::Conflict("the schedule has ended; give it a later ends_at".into()));
            }
            announce_status(tx, schedule, ScheduleStatus::Paused).await
        });
        self.viewed(org, changed.await?).await
    }

    /// Removes a schedule with its runs. The tasks that they have ordered go on.
    pub async fn delete_schedule(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        tx.cancel_jobs(TICK, &[id]).await?;
        if !tx.delete_schedule(id).await? {
            return Err(ServiceError::NotFound(Missing::Schedule));
        }
        Ok(tx.commit().await?)
    }

    /// Under a lock on the schedule, with its pending step cancelled before and a new one added behind.
    async fn change_schedule(
        &self,
        org: OrgId,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
        change: impl AsyncFnOnce(&TenantTx, &mut Schedule, DateTime<Utc>) -> Result<(), ServiceError>,
    ) -> Result<Answer<Schedule>, ServiceError> {
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            // Before the schedule is locked, as whoever writes the end of a tick does. A tick that is added between the
            // two has the number that is about to go out of date.
            tx.cancel_jobs(TICK, &[id]).await?;
            let mut schedule = tx.lock_schedule(id).await?.ok_or(ServiceError::NotFound(Missing::Schedule))?;
            let now = tx.now().await?;
            change(&tx, &mut schedule, now).await?;
            schedule.tick += 1;
            let schedule = tx.save_schedule(schedule).await?;
            self.arm(&tx, &schedule, trace_id).await?;
            Ok((tx, schedule))
        })
        .await
    }

    /// Adds the step that looks at the schedule when it comes due next.
    async fn arm(&self, tx: &TenantTx, schedule: &Schedule, trace_id: &str) -> Result<(), StoreError> {
        match pending(schedule)? {
            Some(seed) => tx.add_steps(&[self.registry.new_step(seed, trace_id)?]).await,
            None => Ok(()),
        }
    }

    /// All that an order would be refused for now.
    async fn wrong_action(&self, tx: &TenantTx, action: &ScheduleAction) -> Result<Vec<FieldError>, ServiceError> {
        match &action.work {
            Work::Order { order } => {
                let mut wrong = self.orders.wrong_references(tx, &order.references()).await?;
                wrong.iter_mut().for_each(|error| error.field = action.place(&error.field));
                Ok(wrong)
            }
            Work::Publish { project_id, connection_id } => wrong_publishing(tx, *project_id, *connection_id).await,
        }
    }
}

impl SystemCalls<'_> {
    /// Gives active schedules whose pending step is gone a new one. How many there were.
    pub async fn rescue_schedules(&self) -> Result<usize, ServiceError> {
        let stranded = self.across.stranded_schedules(TICK.as_str()).await?;
        for (org, id) in &stranded {
            let tx = self.services.store.begin(*org).await?;
            let Some(mut schedule) = tx.lock_schedule(*id).await? else { continue };
            schedule.tick += 1;
            tx.save_tick(&schedule).await?;
            self.services.arm(&tx, &schedule, &new_trace()).await?;
            tx.commit().await?;
        }
        Ok(stranded.len())
    }
}

async fn wrong_publishing(
    tx: &TenantTx,
    project: Uuid,
    connection: Option<Uuid>,
) -> Result<Vec<FieldError>, ServiceError> {
    let mut wrong = Vec::new();
    if !tx.has_project(project).await? {
        let message = format!("there is no project {project}, or it is in the trash");
        wrong.push(FieldError { field: "action.project_id".into(), message });
    }
    if let Some(id) = connection {
        let found = tx.one::<Connection>(id).await?.filter(|found| is_blog(found) && found.is_active);
        if found.is_none() {
            let message = format!("there is no active blog connection {id}");
            wrong.push(FieldError { field: "action.connection_id".into(), message });
        }
    }
    Ok(wrong)
}

/// Tells that a schedule is paused or goes on.
async fn announce_status(tx: &TenantTx, schedule: &Schedule, before: ScheduleStatus) -> Result<(), ServiceError> {
    let kind = match (before, *schedule.status) {
        (before, now) if before == now => return Ok(()),
        (_, ScheduleStatus::Paused) => "schedule.paused",
        (_, ScheduleStatus::Active) => "schedule.resumed",
        (_, ScheduleStatus::Ended) => return Ok(()),
    };
    Ok(firing::announce(tx, kind, schedule.id, None, (None, None)).await?)
}

fn json(value: &impl Serialize) -> Result<Json, StoreError> {
    Ok(serde_json::to_value(value)?)
}

fn stored<T: serde::de::DeserializeOwned>(value: &Json) -> Result<T, StoreError> {
    Ok(serde_json::from_value(value.clone())?)
}

/// What a schedule orders by itself belongs to no request.
fn new_trace() -> String {
    Uuid::new_v4().simple().to_string()
}

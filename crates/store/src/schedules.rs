//! Recurring schedules and their runs.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    crud::contains,
    entity::{schedule_runs, schedules},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
    words::TextEnum,
};

/// A schedule to store.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    pub name: String,
    pub status: ScheduleStatus,
    pub recurrence: Json,
    pub action: Json,
    pub work: Json,
    pub missed: Json,
    pub max_per_day: Option<i32>,
    pub project_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
    pub last_considered: DateTime<Utc>,
    pub next_due: Option<DateTime<Utc>>,
}

/// Which schedules are listed.
#[derive(Debug, Clone, Default)]
pub struct ScheduleFilter {
    pub status: Option<ScheduleStatus>,
    /// Part of the name, without regard to case.
    pub search: Option<String>,
    pub project_id: Option<Uuid>,
    pub limit: u64,
    pub offset: u64,
}

/// A run to store. One that has fired is written as another and changed once its order stands.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub schedule: Uuid,
    pub due_at: DateTime<Utc>,
    pub trigger: RunTrigger,
    pub status: RunStatus,
    pub late_seconds: i32,
    pub reason: Option<String>,
}

const INSERT_RUN: &str = "
INSERT INTO schedule_runs (id, org_id, schedule_id, due_at, trigger, status, late_seconds, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (org_id, schedule_id, due_at) WHERE trigger = 'schedule' DO NOTHING
RETURNING *";

const LAST_RUNS: &str = "
SELECT r.* FROM unnest($2::uuid[]) AS s(id) CROSS JOIN LATERAL (
    SELECT * FROM schedule_runs WHERE org_id = $1 AND schedule_id = s.id ORDER BY created_at DESC, id DESC LIMIT 1) AS r";

const OPEN_QUESTIONS: &str = "
SELECT schedule_id FROM schedule_runs WHERE org_id = $1 AND schedule_id = ANY($2::uuid[]) AND status = 'asked'";

/// Not as [`TenantTx::save_schedule`]: that times come and go is no change that somebody made.
const SAVE_TICK: &str = "
UPDATE schedules SET status = $3, last_considered = $4, next_due = $5, failures = $6, tick = $7,
    paused_by_trash = $8,
    updated_at = CASE WHEN status = $3 THEN updated_at ELSE now() END
WHERE org_id = $1 AND id = $2";

const STRANDED: &str = "
SELECT s.org_id, s.id FROM schedules s
WHERE s.next_due < now() - interval '5 minutes' AND NOT EXISTS (
    SELECT FROM steps t WHERE t.subject_id = s.id AND t.kind = $1 AND t.finished_at IS NULL)
ORDER BY s.next_due LIMIT 100";

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn schedule(&self, id: Uuid) -> Result<Option<schedules::Model>, StoreError> {
        self.get::<schedules::Entity>(id).await
    }

    /// One page, newest first, with the number of all that match.
    pub async fn schedules(&self, filter: &ScheduleFilter) -> Result<(Vec<schedules::Model>, u64), StoreError> {
        let condition = Condition::all()
            .add_option(filter.status.map(|status| schedules::Column::Status.eq(status.as_str())))
            .add_option(filter.search.as_deref().map(|text| contains(schedules::Column::Name, text)))
            .add_option(filter.project_id.map(|project| schedules::Column::ProjectId.eq(project)));
        let newest = [(schedules::Column::CreatedAt, Order::Desc), (schedules::Column::Id, Order::Desc)];
        self.page::<schedules::Entity, _>(condition, &newest, filter.limit, filter.offset).await
    }

    /// One page of a schedule's runs, newest due first, with the number of all that match.
    pub async fn schedule_runs(
        &self,
        schedule: Uuid,
        status: Option<RunStatus>,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<schedule_runs::Model>, u64), StoreError> {
        let condition = Condition::all()
            .add(schedule_runs::Column::ScheduleId.eq(schedule))
            .add_option(status.map(|status| schedule_runs::Column::Status.eq(status.as_str())));
        let newest = [(schedule_runs::Column::DueAt, Order::Desc), (schedule_runs::Column::Id, Order::Desc)];
        self.page::<schedule_runs::Entity, _>(condition, &newest, limit, offset).await
    }

    /// The newest run of each of these schedules that has one.
    pub async fn last_runs(&self, schedules: Vec<Uuid>) -> Result<Vec<schedule_runs::Model>, StoreError> {
        sql::rows(&self.conn, LAST_RUNS, [self.org_value(), schedules.into()]).await
    }

    /// The schedule of each run of these schedules about which somebody has to decide.
    pub async fn open_questions(&self, schedules: Vec<Uuid>) -> Result<Vec<Uuid>, StoreError> {
        let rows = sql::all(&self.conn, OPEN_QUESTIONS, [self.org_value(), schedules.into()]).await?;
        rows.iter().map(|row| Ok(row.try_get("", "schedule_id")?)).collect()
    }
}

impl TenantTx {
    /// Lock order: the steps about a schedule, the schedule, then project, article and organization.
    pub async fn lock_schedule(&self, id: Uuid) -> Result<Option<schedules::Model>, StoreError> {
        self.lock::<schedules::Entity>(id).await
    }

    /// Several, in the order of their ids.
    pub async fn lock_schedules(&self, ids: &[Uuid]) -> Result<Vec<schedules::Model>, StoreError> {
        let own = self.find::<schedules::Entity>().filter(schedules::Column::Id.is_in(ids.iter().copied()));
        Ok(own.order_by_asc(schedules::Column::Id).lock(LockType::Update).all(&self.conn).await?)
    }

    /// The schedules that order into a project, in the order of their ids.
    pub async fn project_schedules(&self, project: Uuid) -> Result<Vec<Uuid>, StoreError> {
        let own = self.find::<schedules::Entity>().filter(schedules::Column::ProjectId.eq(project));
        let ids = own.order_by_asc(schedules::Column::Id).select_only().column(schedules::Column::Id);
        Ok(ids.into_tuple().all(&self.conn).await?)
    }

    pub async fn lock_run(&self, id: Uuid) -> Result<Option<schedule_runs::Model>, StoreError> {
        self.lock::<schedule_runs::Entity>(id).await
    }

    pub async fn insert_schedule(&self, new: NewSchedule) -> Result<schedules::Model, StoreError> {
        self.insert::<schedules::Entity>(schedules::ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(new.name),
            status: Set(TextEnum(new.status)),
            recurrence: Set(new.recurrence),
            action: Set(new.action),
            work: Set(new.work),
            missed: Set(new.missed),
            max_per_day: Set(new.max_per_day),
            project_id: Set(new.project_id),
            api_key_id: Set(new.api_key_id),
            last_considered: Set(new.last_considered),
            next_due: Set(new.next_due),
            ..Default::default()
        })
        .await
    }

    /// Writes back what a person changed on a locked schedule.
    pub async fn save_schedule(&self, schedule: schedules::Model) -> Result<schedules::Model, StoreError> {
        self.save::<schedules::Entity>(schedule).await
    }

    /// Writes back how far a locked schedule has come.
    pub async fn save_tick(&self, schedule: &schedules::Model) -> Result<(), StoreError> {
        let values = [
            self.org_value(),
            schedule.id.into(),
            schedule.status.as_str().into(),
            schedule.last_considered.into(),
            schedule.next_due.into(),
            schedule.failures.into(),
            schedule.tick.into(),
            schedule.paused_by_trash.into(),
        ];
        sql::execute(&self.conn, SAVE_TICK, values).await.map(drop)
    }

    /// Removes a schedule with its runs. What they have ordered stays.
    pub async fn delete_schedule(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<schedules::Entity>(id).await
    }

    /// None when the schedule has a run for this time already.
    pub async fn insert_run(&self, new: NewRun) -> Result<Option<schedule_runs::Model>, StoreError> {
        let values = [
            Uuid::now_v7().into(),
            self.org_value(),
            new.schedule.into(),
            new.due_at.into(),
            new.trigger.as_str().into(),
            new.status.as_str().into(),
            new.late_seconds.into(),
            new.reason.into(),
        ];
        Ok(sql::rows(&self.conn, INSERT_RUN, values).await?.into_iter().next())
    }

    /// Writes back what became of a run that nobody else changes.
    pub async fn save_run(&self, run: schedule_runs::Model) -> Result<schedule_runs::Model, StoreError> {
        self.save::<schedule_runs::Entity>(run).await
    }

    /// When the schedule has fired since a time.
    pub async fn fired_since(&self, schedule: Uuid, since: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, StoreError> {
        let fired = self
            .find::<schedule_runs::Entity>()
            .filter(schedule_runs::Column::ScheduleId.eq(schedule))
            .filter(schedule_runs::Column::FiredAt.gte(since))
            .select_only()
            .column(schedule_runs::Column::FiredAt);
        Ok(fired.into_tuple().all(&self.conn).await?)
    }
}

impl System {
    /// Schedules that should have been looked at a while ago and have no step of this kind that would do so: the
    /// process that ran it was killed in its last attempt, or somebody removed it.
    pub async fn stranded_schedules(&self, kind: &str) -> Result<Vec<(OrgId, Uuid)>, StoreError> {
        let rows = sql::all(&self.db, STRANDED, [kind.into()]).await?;
        rows.iter().map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "id")?))).collect()
    }
}

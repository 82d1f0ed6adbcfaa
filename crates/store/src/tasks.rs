//! Tasks with their steps and events.

use galley_domain::{
    FaultCode,
    task::{StepKind, TaskStatus},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Wake,
    entity::{articles, events, steps, tasks},
    error::StoreError,
    queue::Fence,
    scope::{Scoped, TenantTx},
    sql,
};

/// A step to add.
#[derive(Debug, Clone, Copy)]
pub struct StepSeed {
    pub kind: StepKind,
    pub position: i32,
    pub max_attempts: u32,
}

#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    pub status: Option<TaskStatus>,
    pub limit: u64,
    pub offset: u64,
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn task(&self, id: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        Ok(self.find::<tasks::Entity>().filter(tasks::Column::Id.eq(id)).one(&self.conn).await?)
    }

    /// Newest first, with the number of all that match.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<(Vec<tasks::Model>, u64), StoreError> {
        let mut query = self.find::<tasks::Entity>();
        if let Some(status) = filter.status {
            query = query.filter(tasks::Column::Status.eq(status.as_str()));
        }
        let total = query.clone().count(&self.conn).await?;
        let rows = query
            .order_by_desc(tasks::Column::CreatedAt)
            .order_by_asc(tasks::Column::Id)
            .limit(filter.limit)
            .offset(filter.offset)
            .all(&self.conn)
            .await?;
        Ok((rows, total))
    }

    /// The newest task that was ordered with a key and is not completed.
    pub async fn newest_uncompleted(&self, key: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        Ok(self
            .find::<tasks::Entity>()
            .filter(tasks::Column::ApiKeyId.eq(key))
            .filter(tasks::Column::Status.ne(TaskStatus::Completed.as_str()))
            .order_by_desc(tasks::Column::CreatedAt)
            .order_by_asc(tasks::Column::Id)
            .one(&self.conn)
            .await?)
    }

    /// All steps of all runs, in the order in which they were made.
    pub async fn steps(&self, task: Uuid) -> Result<Vec<steps::Model>, StoreError> {
        Ok(self
            .find::<steps::Entity>()
            .filter(steps::Column::TaskId.eq(task))
            .order_by_asc(steps::Column::CreatedAt)
            .order_by_asc(steps::Column::Position)
            .all(&self.conn)
            .await?)
    }

    /// What the steps of a kind brought, by position, in the newest run in which at least `expected` of them ended well.
    /// A run that was cut off does not hide what an earlier one finished.
    pub async fn outputs(&self, task: Uuid, kind: StepKind, expected: usize) -> Result<Vec<steps::Model>, StoreError> {
        let rows = self
            .find::<steps::Entity>()
            .filter(steps::Column::TaskId.eq(task))
            .filter(steps::Column::Kind.eq(kind.as_str()))
            .filter(steps::Column::State.eq("done"))
            .order_by_desc(steps::Column::Run)
            .order_by_asc(steps::Column::Position)
            .all(&self.conn)
            .await?;
        let whole = rows.chunk_by(|a, b| a.run == b.run).find(|run| run.len() >= expected.max(1));
        Ok(whole.map(<[_]>::to_vec).unwrap_or_default())
    }

    /// Events after `seq`, oldest first.
    pub async fn events_after(&self, task: Uuid, seq: i64, limit: u64) -> Result<Vec<events::Model>, StoreError> {
        Ok(self
            .find::<events::Entity>()
            .filter(events::Column::TaskId.eq(task))
            .filter(events::Column::GroupSeq.gt(seq))
            .filter(events::Column::Seq.gt(seq))
            .order_by_asc(events::Column::GroupSeq)
            .order_by_asc(events::Column::Seq)
            .limit(limit)
            .all(&self.conn)
            .await?)
    }

    /// Articles that a task has brought to an end.
    pub async fn task_articles(&self, task: Uuid) -> Result<Vec<articles::Model>, StoreError> {
        Ok(self
            .find::<articles::Entity>()
            .filter(articles::Column::TaskId.eq(task))
            .filter(articles::Column::Version.gt(0))
            .order_by_asc(articles::Column::CreatedAt)
            .all(&self.conn)
            .await?)
    }
}

impl TenantTx {
    /// Takes the lock under which everything about a task changes. Lock order: task, steps, article, organization.
    pub async fn lock_task(&self, id: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        Ok(self.find::<tasks::Entity>().filter(tasks::Column::Id.eq(id)).lock(LockType::Update).one(&self.conn).await?)
    }

    /// Adds steps to the task's current run and wakes the workers at commit.
    pub async fn add_steps(&self, task: &tasks::Model, seeds: &[StepSeed]) -> Result<(), StoreError> {
        for seed in seeds {
            sql::execute(
                &self.conn,
                "INSERT INTO steps (id, org_id, task_id, run, kind, position, state, rank, max_attempts, trace_id)
                 VALUES ($1, $2, $3, $4, $5, $6, 'ready', $7, $8, $9)",
                [
                    Uuid::now_v7().into(),
                    self.org_value(),
                    task.id.into(),
                    task.run.into(),
                    seed.kind.as_str().into(),
                    seed.position.into(),
                    task.rank.into(),
                    i32::try_from(seed.max_attempts).unwrap_or(1).into(),
                    task.trace_id.clone().into(),
                ],
            )
            .await?;
            self.say(Wake::Steps { kind: seed.kind });
        }
        Ok(())
    }

    /// Appends an event; numbers are per task, without gaps, in commit order.
    pub async fn emit(&self, task: Uuid, kind: &str, data: Json) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "WITH numbered AS (
                UPDATE tasks SET event_seq = event_seq + 1, updated_at = now() WHERE org_id = $1 AND id = $2
                RETURNING event_seq)
             INSERT INTO event_groups (org_id, task_id, seq, told)
             SELECT $1, $2, event_seq, jsonb_build_array(jsonb_build_object('kind', $3::text, 'data', $4::jsonb)) FROM numbered",
            [self.org_value(), task.into(), kind.into(), data.into()],
        )
        .await?;
        self.say(Wake::Event { task });
        Ok(())
    }

    /// Fails with [`StoreError::LeaseLost`] unless the step is still leased to the caller, and keeps it so until the
    /// transaction ends.
    pub async fn hold_fence(&self, fence: Fence) -> Result<(), StoreError> {
        let row = sql::one(
            &self.conn,
            "SELECT 1 FROM steps WHERE org_id = $1 AND id = $2 AND lease = $3 AND state = 'running' FOR UPDATE",
            [self.org_value(), fence.step.into(), fence.lease.into()],
        )
        .await?;
        row.map(|_| ()).ok_or(StoreError::LeaseLost)
    }

    /// Ends a step badly. Fenced.
    pub async fn step_failed(&self, fence: Fence, code: FaultCode, message: &str) -> Result<(), StoreError> {
        self.fenced(
            "UPDATE steps SET state = 'failed', lease = NULL, lease_until = NULL, finished_at = now(),
                error_code = $4, error_message = $5
             WHERE org_id = $1 AND id = $2 AND lease = $3 AND state = 'running'",
            fence,
            [code.as_str().into(), message.into()],
        )
        .await
    }

    async fn fenced<const N: usize>(
        &self,
        statement: &str,
        fence: Fence,
        more: [sea_orm::Value; N],
    ) -> Result<(), StoreError> {
        let values = [self.org_value(), fence.step.into(), fence.lease.into()].into_iter().chain(more);
        match sql::execute(&self.conn, statement, values).await? {
            1 => Ok(()),
            _ => Err(StoreError::LeaseLost),
        }
    }

    /// Cancels whatever of a task has not ended, also what runs: its worker finds its lease gone.
    pub async fn cancel_steps(&self, task: Uuid) -> Result<u64, StoreError> {
        let touched = sql::execute(
            &self.conn,
            "UPDATE steps SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = now()
             WHERE org_id = $1 AND task_id = $2 AND state IN ('ready', 'delayed', 'running')",
            [self.org_value(), task.into()],
        )
        .await?;
        self.say(Wake::Cancelled { task });
        Ok(touched)
    }

    /// Writes back what the caller changed on a locked task.
    pub async fn save_task(&self, task: &tasks::Model) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "UPDATE tasks SET status = $3, input = $4, run = $5, progress = $6, current_step = $7, steps_completed = $8,
                fan_open = $9, fan_total = $10, warnings = $11, error_code = $12, error_message = $13,
                started_at = $14, finished_at = $15, rank = $16, trace_id = $17,
                events_kept = true, steps_kept = true, updated_at = now()
             WHERE org_id = $1 AND id = $2",
            [
                self.org_value(),
                task.id.into(),
                task.status.clone().into(),
                task.input.clone().into(),
                task.run.into(),
                task.progress.into(),
                task.current_step.clone().into(),
                task.steps_completed.clone().into(),
                task.fan_open.into(),
                task.fan_total.into(),
                task.warnings.clone().into(),
                task.error_code.clone().into(),
                task.error_message.clone().into(),
                task.started_at.into(),
                task.finished_at.into(),
                task.rank.into(),
                task.trace_id.clone().into(),
            ],
        )
        .await?;
        Ok(())
    }

    /// The database's clock, so that stored times agree with each other.
    pub async fn now(&self) -> Result<chrono::DateTime<chrono::Utc>, StoreError> {
        let row = sql::one(&self.conn, "SELECT now() AS now", []).await?;
        Ok(row.map(|row| row.try_get("", "now")).transpose()?.unwrap_or_default())
    }

    /// Stores what another step of an earlier run would have brought: an outline that the client edited.
    pub async fn insert_output(&self, task: &tasks::Model, kind: StepKind, output: Json) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO steps (id, org_id, task_id, run, kind, state, rank, max_attempts, trace_id, output, started_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, 'done', $6, 1, $7, $8, now(), now())",
            [
                Uuid::now_v7().into(),
                self.org_value(),
                task.id.into(),
                task.run.into(),
                kind.as_str().into(),
                task.rank.into(),
                task.trace_id.clone().into(),
                output.into(),
            ],
        )
        .await?;
        Ok(())
    }
}

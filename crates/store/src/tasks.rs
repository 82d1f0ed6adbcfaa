//! Tasks with their steps and events.

use galley_domain::task::{StepKind, TaskStatus};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Alias, Expr, LockType},
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Notification,
    entity::{articles, events, steps, tasks},
    error::StoreError,
    followers::{add_for_followers, lowest_ranks},
    queue::Fence,
    scope::{Scoped, TenantTx},
    sql,
    task_state::TaskHead,
};

/// What is about a text of the project, and what is about one of its sites.
const OF_PROJECT: &str = "tasks.subject_id IN (
    SELECT a.id FROM articles a WHERE a.org_id = tasks.org_id AND a.project_id = $1
    UNION ALL SELECT c.id FROM connections c WHERE c.org_id = tasks.org_id AND c.project_id = $2)";

#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    pub status: Option<TaskStatus>,
    /// Only orders of these kinds; of all kinds when not given.
    pub kinds: Option<Vec<String>>,
    /// Only those that are paused, or only others.
    pub paused: Option<bool>,
    /// Only what is about an article or a site of this project.
    pub project_id: Option<Uuid>,
    pub limit: u64,
    pub offset: u64,
}

impl<C: ConnectionTrait> Scoped<C> {
    /// The database's clock, so that stored times agree with each other.
    pub async fn now(&self) -> Result<chrono::DateTime<chrono::Utc>, StoreError> {
        let row = sql::one(&self.conn, "SELECT now() AS now", []).await?;
        Ok(row.map(|row| row.try_get("", "now")).transpose()?.unwrap_or_default())
    }

    pub async fn task(&self, id: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        Ok(self.find::<tasks::Entity>().filter(tasks::Column::Id.eq(id)).one(&self.conn).await?)
    }

    /// The same as clients see it.
    pub async fn task_head(&self, id: Uuid) -> Result<Option<TaskHead>, StoreError> {
        Ok(self.find::<tasks::Entity>().filter(tasks::Column::Id.eq(id)).into_model().one(&self.conn).await?)
    }

    /// Newest first, with the number of all that match.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<(Vec<TaskHead>, u64), StoreError> {
        let mut query = self.find::<tasks::Entity>();
        if let Some(status) = filter.status {
            query = query.filter(tasks::Column::Status.eq(status.as_str()));
        }
        if let Some(kinds) = &filter.kinds {
            query = query.filter(tasks::Column::Kind.is_in(kinds));
        }
        if let Some(paused) = filter.paused {
            query = query.filter(tasks::Column::Paused.eq(paused));
        }
        if let Some(project) = filter.project_id {
            query = query.filter(Expr::cust_with_values(OF_PROJECT, [project, project]));
        }
        let total = query.clone().count(&self.conn).await?;
        let rows = query
            .order_by_desc(tasks::Column::CreatedAt)
            .order_by_asc(tasks::Column::Id)
            .limit(filter.limit)
            .offset(filter.offset)
            .into_model()
            .all(&self.conn)
            .await?;
        Ok((rows, total))
    }

    /// The newest task that a client has ordered with this key, or without one, and that is not completed.
    pub async fn newest_uncompleted(&self, key: Option<Uuid>) -> Result<Option<TaskHead>, StoreError> {
        let ordered = match key {
            Some(key) => Condition::all().add(tasks::Column::ApiKeyId.eq(key)),
            // The command line once noted its orders under the id of no key.
            None => {
                Condition::any().add(tasks::Column::ApiKeyId.is_null()).add(tasks::Column::ApiKeyId.eq(Uuid::nil()))
            }
        };
        Ok(self
            .find::<tasks::Entity>()
            .filter(ordered)
            .filter(tasks::Column::ParentId.is_null())
            .filter(tasks::Column::Status.ne(TaskStatus::Completed.as_str()))
            .order_by_desc(tasks::Column::CreatedAt)
            .order_by_asc(tasks::Column::Id)
            .into_model()
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

    /// What the task has ordered, and so on, as far as it has not ended; in all of its runs, or up to one.
    pub async fn open_descendants(&self, task: Uuid, up_to: Option<i32>) -> Result<Vec<Uuid>, StoreError> {
        let rows = sql::all(
            &self.conn,
            "WITH RECURSIVE family AS (
                SELECT c.id, c.finished_at FROM tasks c LEFT JOIN steps s ON s.id = c.parent_step
                WHERE c.org_id = $1 AND c.parent_id = $2 AND ($3::integer IS NULL OR coalesce(s.run, 0) <= $3)
                UNION
                SELECT t.id, t.finished_at FROM tasks t JOIN family f ON t.parent_id = f.id WHERE t.org_id = $1)
             SELECT id FROM family WHERE finished_at IS NULL",
            [self.org_value(), task.into(), up_to.into()],
        )
        .await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// What a step has ordered, in the order of its positions.
    pub async fn children(&self, step: Uuid) -> Result<Vec<tasks::Model>, StoreError> {
        Ok(self
            .find::<tasks::Entity>()
            .filter(tasks::Column::ParentStep.eq(step))
            .order_by_asc(tasks::Column::ParentPosition)
            .all(&self.conn)
            .await?)
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

const EMIT: &str = concat!(
    "WITH numbered AS (
        UPDATE tasks SET event_seq = event_seq + 1, updated_at = now() WHERE org_id = $1 AND id = $2
        RETURNING org_id, id, kind, event_seq, rank, trace_id,
            jsonb_build_array(jsonb_build_object('kind', $3::text, 'data', $4::jsonb)) AS told),
     heard AS (",
    add_for_followers!(
        "SELECT org_id, id AS subject_id, rank, trace_id,
            jsonb_build_object('task', id, 'kind', kind, 'seq', event_seq, 'events', told) AS payload FROM numbered"
    ),
    "),
     written AS (INSERT INTO event_groups (org_id, task_id, seq, told) SELECT org_id, id, event_seq, told FROM numbered)
     SELECT ",
    lowest_ranks!("SELECT * FROM heard")
);

impl TenantTx {
    /// Notes what the client of a new task is to know, in the transaction that orders it.
    pub async fn warn_task(&self, id: Uuid, warnings: &[String]) -> Result<(), StoreError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let noted =
            self.updating::<tasks::Entity>().col_expr(tasks::Column::Warnings, Expr::value(Json::from(warnings)));
        noted.filter(tasks::Column::Id.eq(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// Takes the lock under which everything about a task changes. Lock order: task, steps, article, organization.
    pub async fn lock_task(&self, id: Uuid) -> Result<Option<tasks::Model>, StoreError> {
        Ok(self.find::<tasks::Entity>().filter(tasks::Column::Id.eq(id)).lock(LockType::Update).one(&self.conn).await?)
    }

    /// Appends an event; numbers are per task, without gaps, in commit order.
    pub async fn emit(&self, task: Uuid, kind: &str, data: Json) -> Result<(), StoreError> {
        let values = [self.org_value(), task.into(), kind.into(), data.into()];
        let row = sql::one(&self.conn, EMIT, values).await?;
        self.say(Notification::Event { task });
        self.say_jobs(row)
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

    /// Writes back what the caller changed on a locked task.
    pub async fn save_task(&self, task: &tasks::Model) -> Result<(), StoreError> {
        // Events count under their own statement, and what retention took is kept again.
        let changed =
            tasks::ActiveModel { event_seq: ActiveValue::NotSet, ..tasks::ActiveModel::from(task.clone()).reset_all() };
        let changed = tasks::ActiveModel {
            id: ActiveValue::NotSet,
            org_id: ActiveValue::NotSet,
            updated_at: ActiveValue::NotSet,
            ..changed
        };
        self.updating::<tasks::Entity>()
            .set(changed)
            .col_expr(Alias::new("events_kept"), true.into())
            .col_expr(Alias::new("steps_kept"), true.into())
            .filter(tasks::Column::Id.eq(task.id))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Stores what another step of an earlier run would have brought: an outline that the client edited.
    pub async fn insert_output(&self, task: &tasks::Model, kind: StepKind, output: Json) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO steps (id, org_id, task_id, run, kind, pool, state, rank, max_attempts, trace_id, output, started_at, finished_at)
             VALUES ($1, $2, $3, $4, $5, 'none', 'done', $6, 1, $7, $8, now(), now())",
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

//! Orders: everything that an order begins with.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    announce::Notification,
    error::StoreError,
    followers::{add_for_followers, lowest_ranks},
    ledger::{HoldOutcome, reserve},
    queue::Fence,
    scope::TenantTx,
    sql,
    steps::NewStep,
    task_state::Stages,
};

/// A task as ordered, with its first step. What it is about is written by whoever orders it, in the same transaction.
#[derive(Debug, Clone)]
pub struct NewOrder {
    pub id: Uuid,
    pub kind: &'static str,
    pub input: Json,
    pub subject: Option<Uuid>,
    pub price: Decimal,
    pub api_key_id: Option<Uuid>,
    pub parent: Option<Parent>,
    /// Its rank is found with the order.
    pub first: NewStep,
    /// Not before this time.
    pub run_at: Option<DateTime<Utc>>,
    /// What the event `task.created` says.
    pub told: Json,
}

/// The task and the step of it that order another, and which of the step's orders it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub task: Uuid,
    pub step: Uuid,
    pub position: i32,
    /// What [`TenantTx::hold_parent`] said.
    pub paused: bool,
}

/// One statement, because all other orders of the organization wait from its first row to the end of the transaction.
/// $1 is the organization, $2 the price.
const INSERT: &str = concat!(
    "WITH org AS (",
    reserve!("$22", "$23"),
    "),
     task AS (
        INSERT INTO tasks (id, org_id, kind, status, input, subject_id, rank, event_seq, price, trace_id, api_key_id, stages,
            parent_id, parent_step, parent_position, paused)
        SELECT $3, $1, $4, 'pending', $5, $6, last_rank, 1, $2, $7, $8, $9, $10, $11, $12, $21 FROM org
        RETURNING id, kind, rank, trace_id, created_at),
     hold AS (INSERT INTO holds (task_id, run, org_id, amount, state) SELECT id, 1, $1, $2, 'open' FROM task),
     event AS (INSERT INTO event_groups (org_id, task_id, seq, told) SELECT $1, id, 1, $13 FROM task),
     heard AS (",
    add_for_followers!(
        "SELECT $1::uuid AS org_id, id AS subject_id, rank, trace_id,
            jsonb_build_object('task', id, 'kind', kind, 'seq', 1, 'events', $13::jsonb) AS payload FROM task"
    ),
    "),
     step AS (
        INSERT INTO steps (id, org_id, task_id, run, kind, pool, position, state, rank, max_attempts, trace_id, payload,
            run_at)
        SELECT $14, $1, id, 1, $15, $16, $17,
            CASE WHEN $21 THEN 'paused' WHEN $18 > now() THEN 'delayed' ELSE 'ready' END,
            rank, $19, trace_id, $20, coalesce($18, now())
        FROM task)
     SELECT rank, created_at, ",
    lowest_ranks!("SELECT * FROM heard"),
    " FROM task"
);

impl TenantTx {
    /// Before a step orders for its task: the task is neither ended, paused nor resumed by others and the lease stays until
    /// the transaction ends. True when the task is paused; what it orders then is, too. Order a few tasks in a transaction,
    /// not hundreds: what is written about the parent waits for it.
    pub async fn hold_parent(&self, task: Uuid, fence: Fence) -> Result<bool, StoreError> {
        let open = "SELECT paused FROM tasks WHERE org_id = $1 AND id = $2 AND finished_at IS NULL FOR SHARE";
        let row = sql::one(&self.conn, open, [self.org_value(), task.into()]).await?.ok_or(StoreError::LeaseLost)?;
        self.hold_fence(fence).await?;
        Ok(row.try_get("", "paused")?)
    }

    /// Reserves the price as [`TenantTx::reserve`] does and, if there is enough, writes the order: task, hold, event and
    /// first step. Wakes the workers at commit.
    pub async fn insert_order(&self, order: NewOrder) -> Result<HoldOutcome, StoreError> {
        let mut stages = Stages::default();
        let first = order.first;
        let [pools, floors] = self.conn.heads().values();
        stages.open(first.kind, 1);
        let row = sql::one(
            &self.conn,
            INSERT,
            [
                self.org_value(),
                order.price.into(),
                order.id.into(),
                order.kind.into(),
                order.input.into(),
                order.subject.into(),
                first.trace_id.clone().into(),
                order.api_key_id.into(),
                serde_json::to_value(&stages)?.into(),
                order.parent.map(|parent| parent.task).into(),
                order.parent.map(|parent| parent.step).into(),
                order.parent.map(|parent| parent.position).into(),
                json!([{ "kind": "task.created", "data": order.told }]).into(),
                first.id.into(),
                first.kind.as_str().into(),
                first.pool.as_str().into(),
                first.position.into(),
                order.run_at.into(),
                i32::try_from(first.max_attempts).unwrap_or(i32::MAX).into(),
                Some(first.payload.clone()).filter(|payload| !payload.is_null()).into(),
                order.parent.is_some_and(|parent| parent.paused).into(),
                pools,
                floors,
            ],
        )
        .await?;
        let Some(row) = row else { return self.insufficient().await };
        let (rank, at) = (row.try_get("", "rank")?, row.try_get("", "created_at")?);
        self.say(Notification::Event { task: order.id });
        // Whether a moment has passed is for the database's clock to say.
        self.say(Notification::Steps { pool: first.pool, rank });
        if order.run_at.is_some() {
            self.say(Notification::Clock);
        }
        self.say_jobs(Some(row))?;
        Ok(HoldOutcome::Held { rank, at })
    }
}

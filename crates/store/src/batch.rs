//! What workers write about many attempts in one transaction: every statement takes all of its rows at once.
//!
//! What nearly every group writes travels as columns (`advance.rs`), what is rarer as one JSON parameter. Statements name
//! what they touch once more by its ids, `= ANY($n)`: with that the index is the way to it, whatever else the statement
//! joins.

mod advance;
mod ends;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use galley_domain::{
    OrgId,
    task::{PoolName, StepKind},
    usage::Usage,
};
use rust_decimal::Decimal;
use sea_orm::FromQueryResult;
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Notification,
    error::StoreError,
    queue::{ClaimedStep, Fence},
    scope::{TenantTx, Tx},
    sql::{self, column},
    steps::{self, NewStep},
    task_state::TaskState,
    usage,
};

/// One transaction over steps of many tenants.
#[derive(Debug)]
pub struct StepsTx {
    tx: Tx,
    tenants: BTreeMap<Uuid, TenantTx>,
    /// The tasks as this transaction has found or left them.
    seen: SeenTasks,
}

/// Tasks as they were read or written last, which may be a while ago.
pub type SeenTasks = HashMap<Uuid, Arc<TaskState>>;

/// The tasks of a batch, and which leases hold.
#[derive(Debug, Default)]
pub struct Standing {
    pub tasks: HashMap<Uuid, TaskState>,
    pub fences: HashSet<Fence>,
}

/// Rows to write. They are written only if the tasks have not changed since they were found and the leases hold.
#[derive(Debug, Default)]
pub struct Changes {
    pub done: Vec<Done>,
    pub delayed: Vec<Delay>,
    pub failed: Vec<FailedStep>,
    /// Steps that wait for the tasks which they have ordered.
    pub waiting: Vec<Fence>,
    pub events: Vec<NewEvent>,
    pub tasks: BTreeMap<Uuid, Arc<TaskState>>,
    pub steps: Vec<NewStep>,
    /// Tasks that ended with steps open: those are cancelled, also what runs.
    pub stopped: Vec<Uuid>,
    /// The job that is added about each of these tasks that has open children.
    pub for_children: Option<JobKind>,
    /// Steps of other tasks, which may wait for tasks that have ended.
    pub parents: BTreeSet<Uuid>,
    /// What attempts have used.
    pub usage: Vec<(ClaimedStep, Vec<Usage>)>,
}

/// How a job is queued.
#[derive(Debug, Clone, Copy)]
pub struct JobKind {
    pub kind: StepKind,
    pub pool: PoolName,
    pub max_attempts: u32,
}

/// A step that ended well.
#[derive(Debug)]
pub struct Done {
    pub step: Uuid,
    pub lease: Uuid,
    pub output: Json,
}

/// A step that ended badly.
#[derive(Debug, Serialize)]
pub struct FailedStep {
    pub step: Uuid,
    pub lease: Uuid,
    pub error_code: &'static str,
    pub error_message: String,
}

/// A step that is to run later.
#[derive(Debug, Serialize)]
pub struct Delay {
    pub step: Uuid,
    pub lease: Uuid,
    pub seconds: f64,
    /// Its task is paused: it waits for that to end, too.
    pub paused: bool,
    /// None gives the attempt back: nothing went wrong.
    pub error_code: Option<&'static str>,
    pub error_message: Option<String>,
}

/// The next event of a task that is among those to be written: its `event_seq` counts them.
#[derive(Debug)]
pub struct NewEvent {
    pub task: Uuid,
    pub event: EventText,
}

#[derive(Debug)]
pub struct EventText {
    /// A plain word: it needs no escapes in JSON.
    pub kind: &'static str,
    /// The text of a JSON object.
    pub data: String,
}

/// A hold that is closed.
#[derive(Debug, Serialize)]
pub struct Settlement {
    /// Of the ledger entry.
    pub id: Uuid,
    pub org: Uuid,
    pub task: Uuid,
    pub run: i32,
    /// What is charged, at most what is held; the rest returns. None charges all of it.
    pub amount: Option<Decimal>,
    pub note: &'static str,
}

/// A task is locked before its steps; whatever waited for a lock looks again at what stands then.
static LOCK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH locked AS MATERIALIZED (
    SELECT {columns}
    FROM tasks t
    WHERE t.id = ANY($2::uuid[]) AND (t.org_id, t.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
    ORDER BY t.id FOR UPDATE OF t),
leased AS MATERIALIZED (
    SELECT s.id, s.task_id, s.lease FROM steps s
    WHERE s.id = ANY($3::uuid[])
        AND (s.org_id, s.task_id, s.id, s.lease) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]))
        AND (SELECT count(*) FROM locked) > 0
    ORDER BY s.id FOR UPDATE OF s)
SELECT t.*, l.steps, l.leases FROM locked t LEFT JOIN (
    SELECT task_id, array_agg(id) AS steps, array_agg(lease) AS leases FROM leased GROUP BY task_id) l ON l.task_id = t.id",
        columns = TaskState::columns("")
    )
});

/// Steps that belong to no task.
const LOCK_JOBS: &str = "
SELECT s.id, s.lease FROM steps s
WHERE s.id = ANY($1::uuid[]) AND s.task_id IS NULL AND (s.id, s.lease) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
ORDER BY s.id FOR UPDATE OF s";

/// Locks as [`LOCK`] does, of tasks whose state is known already, and counts how many tasks and leases are still as known.
const PIN: &str = "
WITH pinned AS MATERIALIZED (
    SELECT 1 FROM tasks t
    WHERE t.id = ANY($2::uuid[])
        AND (t.org_id, t.id, t.event_seq) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]))
    ORDER BY t.id FOR UPDATE OF t),
leased AS MATERIALIZED (
    SELECT 1 FROM steps s
    WHERE s.id = ANY($4::uuid[]) AND (s.id, s.lease) IN (SELECT * FROM unnest($4::uuid[], $5::uuid[]))
        AND (SELECT count(*) FROM pinned) = cardinality($2::uuid[])
    ORDER BY s.id FOR UPDATE OF s)
SELECT (SELECT count(*) FROM pinned) AS tasks, (SELECT count(*) FROM leased) AS leases";

impl StepsTx {
    pub(crate) fn new(tx: Tx, orgs: impl IntoIterator<Item = OrgId>) -> Self {
        let tenants = orgs.into_iter().map(|org| (org.0, TenantTx::new(tx.clone(), org))).collect();
        Self { tx, tenants, seen: HashMap::new() }
    }

    /// One tenant's part of the transaction.
    pub fn tenant(&self, org: Uuid) -> Result<&TenantTx, StoreError> {
        self.tenants.get(&org).ok_or_else(|| StoreError::Unreadable(format!("organization {org} is not in this batch")))
    }

    pub(crate) fn conn(&self) -> &Tx {
        &self.tx
    }

    /// Locks the tasks, then those of the steps whose leases still hold. The order of ids keeps two batches from
    /// waiting for each other.
    pub async fn lock(&mut self, steps: &[&ClaimedStep]) -> Result<Standing, StoreError> {
        let of_tasks: HashSet<(Uuid, Uuid, Fence)> =
            steps.iter().filter_map(|step| step.owner().map(|(org, task)| (org.0, task, step.fence))).collect();
        let jobs: HashSet<Fence> = steps.iter().filter(|step| step.task.is_none()).map(|step| step.fence).collect();
        let mut standing = Standing::default();
        if !of_tasks.is_empty() {
            standing = self.lock_rows(&of_tasks).await?;
        }
        if !jobs.is_empty() {
            let values = [column(&jobs, |fence| fence.step), column(&jobs, |fence| fence.lease)];
            for row in sql::all(&self.tx, LOCK_JOBS, values).await? {
                standing.fences.insert(Fence { step: row.try_get("", "id")?, lease: row.try_get("", "lease")? });
            }
        }
        Ok(standing)
    }

    /// Locks tasks of one organization, by id.
    pub async fn lock_tasks(&mut self, org: OrgId, ids: &[Uuid]) -> Result<HashMap<Uuid, TaskState>, StoreError> {
        let nothing = Fence { step: Uuid::nil(), lease: Uuid::nil() };
        let wanted = ids.iter().map(|id| (org.0, *id, nothing)).collect();
        Ok(self.lock_rows(&wanted).await?.tasks)
    }

    async fn lock_rows(&mut self, wanted: &HashSet<(Uuid, Uuid, Fence)>) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        let column = |of: fn(&(Uuid, Uuid, Fence)) -> Uuid| wanted.iter().map(of).collect::<Vec<_>>().into();
        let values = [column(|row| row.0), column(|row| row.1), column(|row| row.2.step), column(|row| row.2.lease)];
        for row in sql::all(&self.tx, &LOCK, values).await? {
            let task = TaskState::from_query_result(&row, "")?;
            standing.tasks.insert(task.id, task);
            let held: Option<Vec<Uuid>> = row.try_get("", "steps")?;
            let leases: Option<Vec<Uuid>> = row.try_get("", "leases")?;
            let fences = held.into_iter().flatten().zip(leases.into_iter().flatten());
            standing.fences.extend(fences.map(|(step, lease)| Fence { step, lease }));
        }
        self.seen.extend(standing.tasks.iter().map(|(id, task)| (*id, Arc::new(task.clone()))));
        Ok(standing)
    }

    /// Takes the tasks as the caller knows them, without a look and without a lock. If that is not how they are,
    /// [`Self::write`] says [`StoreError::StaleVersion`], and nothing may be committed.
    pub fn suppose(&mut self, tasks: SeenTasks, fences: HashSet<Fence>) -> Standing {
        let standing = tasks.iter().map(|(id, task)| (*id, TaskState::clone(task))).collect();
        self.seen = tasks;
        Standing { tasks: standing, fences }
    }

    /// Locks what is supposed to be so: it comes before whatever else is locked. Fails with [`StoreError::StaleVersion`] when
    /// a task has changed or a lease is gone.
    pub async fn pin(&self, fences: &HashSet<Fence>) -> Result<(), StoreError> {
        let tasks: Vec<&TaskState> = self.seen.values().map(Arc::as_ref).collect();
        let values = [
            column(&tasks, |task| task.org_id),
            column(&tasks, |task| task.id),
            column(&tasks, |task| task.event_seq),
            column(fences, |fence| fence.step),
            column(fences, |fence| fence.lease),
        ];
        let row = sql::one(&self.tx, PIN, values).await?.ok_or(StoreError::StaleVersion)?;
        let met = |name: &str| row.try_get::<i64>("", name).map(i64::unsigned_abs);
        all_met(met("tasks")?, tasks.len())?;
        all_met(met("leases")?, fences.len())
    }

    /// Writes and empties the changes: the tasks come first, then their steps, then steps that wait for these tasks. What
    /// the domain writes comes after this, and the books last, as everywhere.
    pub async fn write(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
        let Changes { done, delayed, failed, waiting, events, tasks, steps, stopped, for_children, parents, usage } =
            std::mem::take(changes);
        let moves = advance::Moves { done, tasks: &tasks, steps: &steps, events };
        let jobs = advance::advance(&self.tx, &self.seen, &moves).await?;
        let met = self.change(ends::DELAY_STEPS, &delayed, |row| row.step).await?;
        all_met(met, delayed.len())?;
        let met = self.change(ends::FAIL_STEPS, &failed, |row| row.step).await?;
        all_met(met, failed.len())?;
        self.stop(&stopped, for_children).await?;
        self.wake_parents(&parents).await?;
        self.wait(&waiting).await?;
        usage::record(&self.tx, &usage).await?;
        self.tx.say(tasks.keys().map(|task| Notification::Event { task: *task }));
        self.tx.say(steps::notifications(&steps));
        self.tx.say(jobs);
        self.tx.say((!delayed.is_empty()).then_some(Notification::Clock));
        self.seen.extend(tasks);
        Ok(())
    }

    async fn change<T: Serialize>(
        &self,
        statement: &str,
        rows: &[T],
        id: impl Fn(&T) -> Uuid,
    ) -> Result<u64, StoreError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let ids: Vec<Uuid> = rows.iter().map(id).collect();
        sql::execute(&self.tx, statement, [serde_json::to_value(rows)?.into(), ids.into()]).await
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        drop(self.tenants);
        self.tx.rollback().await
    }

    /// Answers with how the tasks were left.
    pub async fn commit(self) -> Result<SeenTasks, StoreError> {
        drop(self.tenants);
        self.tx.commit().await?;
        Ok(self.seen)
    }
}

/// Every row is met, or somebody else was there first.
fn all_met(met: u64, rows: usize) -> Result<(), StoreError> {
    if met == rows as u64 { Ok(()) } else { Err(StoreError::StaleVersion) }
}

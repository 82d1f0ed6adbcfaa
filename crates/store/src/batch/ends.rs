//! How steps stop running otherwise than well, and what follows for others: delays, failures, waiting, the books.

use std::collections::{BTreeSet, HashSet};

use galley_domain::task::PoolName;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{JobKind, Settlement, StepsTx, all_met};
use crate::{
    announce::Notification,
    error::StoreError,
    queue::Fence,
    sql::{self, column},
};

pub(super) const DELAY_STEPS: &str = "
UPDATE steps s SET state = CASE WHEN w.paused THEN 'paused' ELSE 'delayed' END, lease = NULL, lease_until = NULL,
    worker = NULL, run_at = now() + make_interval(secs => w.seconds), error_code = w.error_code,
    error_message = w.error_message, attempt = s.attempt - CASE WHEN w.error_code IS NULL THEN 1 ELSE 0 END
FROM jsonb_to_recordset($1)
    AS w(step uuid, lease uuid, seconds float8, paused boolean, error_code text, error_message text)
WHERE s.id = ANY($2::uuid[]) AND s.id = w.step AND s.lease = w.lease";

pub(super) const FAIL_STEPS: &str = "
UPDATE steps s SET state = 'failed', lease = NULL, lease_until = NULL, finished_at = now(), error_code = w.error_code,
    error_message = w.error_message
FROM jsonb_to_recordset($1) AS w(step uuid, lease uuid, error_code text, error_message text)
WHERE s.id = ANY($2::uuid[]) AND s.id = w.step AND s.lease = w.lease";

/// Their workers find the leases gone.
const STOP: &str = "
UPDATE steps SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = now()
WHERE task_id = ANY($1::uuid[]) AND state IN ('ready', 'delayed', 'running', 'paused', 'waiting')";

/// A job about each of these tasks that has children which have not ended, and the run that has ended. They cannot be ended here: whoever ends a child
/// locks the child first and its parent's step after it.
const ADD_FOR_CHILDREN: &str = "
INSERT INTO steps (id, org_id, kind, pool, state, rank, max_attempts, trace_id, subject_id, payload)
SELECT gen_random_uuid(), t.org_id, $2, $3, 'ready', greatest(t.rank, (SELECT last_value FROM fair_clock)), $4, t.trace_id,
    t.id, jsonb_build_object('run', t.run)
FROM tasks t WHERE t.id = ANY($1::uuid[])
    AND EXISTS (SELECT 1 FROM tasks c WHERE c.parent_id = t.id AND c.finished_at IS NULL)
RETURNING pool, rank, true AS ready";

/// Before anything is decided about them: a step that is just going to wait looks at its tasks behind this lock.
const LOCK_PARENTS: &str = "SELECT 1 FROM steps WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE";

const WAKE_PARENTS: &str = "
UPDATE steps s SET state = 'ready'
WHERE s.id = ANY($1::uuid[]) AND s.state = 'waiting'
    AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.parent_step = s.id AND t.finished_at IS NULL)
RETURNING s.pool, s.rank, true AS ready";

/// Waiting is no attempt. With nothing to wait for (any more) the step runs again in a moment, not at once: one that always
/// says so would otherwise run in a circle.
const WAIT: &str = "
UPDATE steps s SET lease = NULL, lease_until = NULL, worker = NULL, attempt = s.attempt - 1,
    run_at = now() + make_interval(secs => 1), state = CASE WHEN EXISTS (
        SELECT 1 FROM tasks t WHERE t.parent_step = s.id AND t.finished_at IS NULL) THEN 'waiting' ELSE 'delayed' END
FROM unnest($1::uuid[], $2::uuid[]) AS w(step, lease)
WHERE s.id = ANY($1::uuid[]) AND s.id = w.step AND s.lease = w.lease";

const LOCK_BOOKS: &str = "SELECT 1 FROM organizations WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE";

/// One update for each organization; the balance behind every entry is the one that stood after it.
const SETTLE: &str = "
WITH closed AS (
    UPDATE holds h SET closed_at = now(), settled = least(greatest(coalesce(w.amount, h.amount), 0), h.amount),
        state = CASE WHEN w.amount IS NULL OR w.amount > 0 THEN 'settled' ELSE 'released' END
    FROM jsonb_to_recordset($1) AS w(id uuid, org uuid, task uuid, run integer, amount numeric, note text)
    WHERE h.task_id = ANY($2::uuid[]) AND h.org_id = w.org AND h.task_id = w.task AND h.run = w.run AND h.state = 'open'
    RETURNING w.id, h.org_id, h.task_id, h.amount, h.settled, h.state, w.note),
total AS (SELECT org_id, sum(amount) AS amount, sum(settled) AS settled FROM closed GROUP BY org_id),
paid AS (
    UPDATE organizations o SET balance = o.balance - total.settled, held = o.held - total.amount
    FROM total WHERE o.id = total.org_id RETURNING o.id, o.balance)
INSERT INTO ledger_entries (id, org_id, task_id, kind, amount, balance_after, note)
SELECT c.id, c.org_id, c.task_id, 'charge', -c.settled,
    p.balance + coalesce(sum(c.settled) OVER (PARTITION BY c.org_id ORDER BY c.id
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0), c.note
FROM closed c JOIN paid p ON p.id = c.org_id WHERE c.state = 'settled'";

/// A step that is claimed in the same moment is given back by its claimer, who sees the task.
const PAUSE: &str = "
UPDATE steps SET state = 'paused' WHERE task_id = ANY($1::uuid[]) AND state IN ('ready', 'delayed')
RETURNING pool, rank, false AS ready";

const RESUME: &str = "
UPDATE steps SET state = CASE WHEN run_at > now() THEN 'delayed' ELSE 'ready' END
WHERE task_id = ANY($1::uuid[]) AND state = 'paused'
RETURNING pool, rank, state = 'ready' AS ready";

#[derive(FromQueryResult)]
struct Moved {
    pool: String,
    rank: i64,
    ready: bool,
}

impl StepsTx {
    /// Cancels whatever of these tasks has not ended.
    pub(super) async fn stop(&self, tasks: &[Uuid], for_children: Option<JobKind>) -> Result<(), StoreError> {
        if tasks.is_empty() {
            return Ok(());
        }
        sql::execute(&self.tx, STOP, [tasks.to_vec().into()]).await?;
        self.tx.say(tasks.iter().map(|task| Notification::Cancelled { task: *task }));
        if let Some(JobKind { kind, pool, max_attempts }) = for_children {
            let attempts = i32::try_from(max_attempts).unwrap_or(i32::MAX);
            let values = [tasks.to_vec().into(), kind.as_str().into(), pool.as_str().into(), attempts.into()];
            self.say_ready(sql::rows(&self.tx, ADD_FOR_CHILDREN, values).await?)?;
        }
        Ok(())
    }

    /// Holds what is claimable of these tasks, or lets it go on.
    pub async fn pause_steps(&self, tasks: &[Uuid], paused: bool) -> Result<(), StoreError> {
        let moved = sql::rows(&self.tx, if paused { PAUSE } else { RESUME }, [tasks.to_vec().into()]).await?;
        self.tx.say([Notification::Clock]);
        self.say_ready(moved)
    }

    pub(super) async fn wake_parents(&self, parents: &BTreeSet<Uuid>) -> Result<(), StoreError> {
        if parents.is_empty() {
            return Ok(());
        }
        let ids = || [column(parents, |id| *id)];
        sql::execute(&self.tx, LOCK_PARENTS, ids()).await?;
        self.say_ready(sql::rows(&self.tx, WAKE_PARENTS, ids()).await?)
    }

    pub(super) async fn wait(&self, fences: &[Fence]) -> Result<(), StoreError> {
        if fences.is_empty() {
            return Ok(());
        }
        let values = [column(fences, |fence| fence.step), column(fences, |fence| fence.lease)];
        all_met(sql::execute(&self.tx, WAIT, values).await?, fences.len())?;
        self.tx.say([Notification::Clock]);
        Ok(())
    }

    fn say_ready(&self, moved: Vec<Moved>) -> Result<(), StoreError> {
        for Moved { pool, rank, .. } in moved.into_iter().filter(|moved| moved.ready) {
            let pool: PoolName = pool.parse()?;
            self.tx.say([Notification::Steps { pool, rank }]);
        }
        Ok(())
    }

    /// Closes holds. The last thing that a transaction does: all orders of a tenant wait for its row.
    pub async fn settle(&self, settled: &[Settlement]) -> Result<(), StoreError> {
        let orgs: HashSet<Uuid> = settled.iter().map(|settlement| settlement.org).collect();
        if orgs.len() > 1 {
            sql::execute(&self.tx, LOCK_BOOKS, [orgs.into_iter().collect::<Vec<_>>().into()]).await?;
        }
        self.change(SETTLE, settled, |settlement| settlement.task).await?;
        Ok(())
    }
}

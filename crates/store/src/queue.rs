//! The step queue: claiming, renewing, giving back, and what the clock makes claimable.
//!
//! All times are the database's, so that workers with wrong clocks agree. Nothing here holds a transaction open.

use std::{sync::Arc, time::Duration};

use galley_domain::{OrgId, task::StepKind};
use sea_orm::{DatabaseConnection, FromQueryResult};
use uuid::Uuid;

use crate::{
    announce::{Announcer, Wake},
    batch::{Left, TaskState},
    error::StoreError,
    sql,
};

/// How many steps of a kind the caller has room for right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub kind: StepKind,
    pub slots: usize,
}

/// The right to write a step's outcome: the step and the lease it was claimed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fence {
    pub step: Uuid,
    pub lease: Uuid,
}

/// A step that this process may work on until its lease runs out.
#[derive(Debug, Clone)]
pub struct ClaimedStep {
    pub fence: Fence,
    /// Tenant and task; none for maintenance.
    pub owner: Option<(OrgId, Uuid)>,
    pub kind: StepKind,
    pub run: i32,
    pub position: i32,
    /// Counts from 1; this attempt included.
    pub attempt: u32,
    pub max_attempts: u32,
    pub trace_id: String,
}

/// What a claim has won.
#[derive(Debug, Default)]
pub struct Claims {
    pub steps: Vec<ClaimedStep>,
    /// Their tasks as they stood in that moment; not locked, so that they may have changed since.
    pub tasks: Left,
}

#[derive(FromQueryResult)]
struct ClaimRow {
    id: Uuid,
    lease: Uuid,
    org_id: Option<Uuid>,
    task_id: Option<Uuid>,
    kind: String,
    run: i32,
    position: i32,
    attempt: i32,
    max_attempts: i32,
    trace_id: String,
}

impl TryFrom<ClaimRow> for ClaimedStep {
    type Error = StoreError;

    fn try_from(row: ClaimRow) -> Result<Self, StoreError> {
        Ok(Self {
            fence: Fence { step: row.id, lease: row.lease },
            owner: row.org_id.map(OrgId).zip(row.task_id),
            kind: row.kind.parse()?,
            run: row.run,
            position: row.position,
            attempt: u32::try_from(row.attempt).unwrap_or(0),
            max_attempts: u32::try_from(row.max_attempts).unwrap_or(1),
            trace_id: row.trace_id,
        })
    }
}

/// What a look at the clock brought.
#[derive(Debug, Default)]
pub struct Promotion {
    /// Steps that became claimable: their delay ended or their worker vanished.
    pub ready: u64,
    /// Steps whose worker vanished during their last attempt. They are leased to the caller, who must fail them.
    pub exhausted: Vec<ClaimedStep>,
    /// When the clock will next make a step claimable, if any is waiting for it.
    pub next_due: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct QueueDepth {
    pub kind: String,
    pub state: String,
    pub steps: i64,
    /// Age of the oldest, in seconds.
    pub oldest_seconds: f64,
}

#[derive(Debug, Clone)]
pub struct Queue {
    db: DatabaseConnection,
    announcer: Announcer,
}

/// Does not wait for the disk: what a power cut takes back of a claim is a step that is ready again, and the end of its
/// attempt then finds its lease gone. Any later commit that waits takes the claim along.
const CLAIM: &str = "
WITH hurry AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
want AS (SELECT * FROM unnest($1::text[], $2::int[]) AS w(kind, slots)),
picked AS (
    SELECT s.id FROM want w CROSS JOIN LATERAL (
        SELECT id FROM steps WHERE kind = w.kind AND state = 'ready' ORDER BY rank, id LIMIT w.slots
        FOR UPDATE SKIP LOCKED) s
),
claimed AS (
    UPDATE steps SET state = 'running', attempt = attempt + 1, lease = gen_random_uuid(), worker = $3,
        lease_until = now() + make_interval(secs => $4), started_at = coalesce(started_at, now())
    WHERE steps.id = ANY(ARRAY(SELECT id FROM picked))
    RETURNING steps.id, lease, org_id, task_id, kind, run, position, attempt, max_attempts, trace_id, rank
)
SELECT claimed.*, (SELECT setval('fair_clock', greatest(max(c.rank), (SELECT last_value FROM fair_clock), 1)) FROM claimed c),
    t.id AS t_id, t.org_id AS t_org_id, t.status AS t_status, t.article_id AS t_article_id, t.rank AS t_rank, t.run AS t_run,
    t.sources_run AS t_sources_run, t.event_seq AS t_event_seq, t.progress AS t_progress, t.current_step AS t_current_step,
    t.steps_completed AS t_steps_completed, t.fan_open AS t_fan_open, t.fan_total AS t_fan_total, t.warnings AS t_warnings,
    t.error_code AS t_error_code, t.error_message AS t_error_message, t.trace_id AS t_trace_id
FROM hurry, claimed LEFT JOIN tasks t ON t.id = claimed.task_id ORDER BY claimed.rank, claimed.id";

const PROMOTE_DELAYED: &str = "
WITH due AS (SELECT id FROM steps WHERE state = 'delayed' AND run_at <= now() ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
UPDATE steps SET state = 'ready' WHERE steps.id = ANY(ARRAY(SELECT id FROM due))";

const PROMOTE_ABANDONED: &str = "
WITH lost AS (
    SELECT id FROM steps WHERE state = 'running' AND lease_until <= now() AND attempt < max_attempts
        AND id <> ALL($1::uuid[]) AND pg_postmaster_start_time() + make_interval(secs => $2) <= now()
    LIMIT 1000 FOR UPDATE SKIP LOCKED)
UPDATE steps SET state = 'ready', lease = NULL, lease_until = NULL, worker = NULL
WHERE steps.id = ANY(ARRAY(SELECT id FROM lost))";

const TAKE_EXHAUSTED: &str = "
WITH lost AS (
    SELECT id FROM steps WHERE state = 'running' AND lease_until <= now() AND attempt >= max_attempts
        AND id <> ALL($1::uuid[]) AND pg_postmaster_start_time() + make_interval(secs => $2) <= now()
    LIMIT 100 FOR UPDATE SKIP LOCKED)
UPDATE steps SET lease = gen_random_uuid(), lease_until = now() + make_interval(secs => $3)
WHERE steps.id = ANY(ARRAY(SELECT id FROM lost))
RETURNING steps.id, lease, org_id, task_id, kind, run, position, attempt, max_attempts, trace_id";

const NEXT_DUE: &str = "
SELECT extract(epoch FROM least(
    (SELECT min(run_at) FROM steps WHERE state = 'delayed'),
    (SELECT min(lease_until) FROM steps WHERE state = 'running')) - clock_timestamp())::float8 AS seconds";

/// Waits for nobody: a row that another transaction has locked is being finished or cancelled, or renewed at the next beat.
/// The ids are named in each part, as in all statements here: joined only, a plan that was made while the table was empty
/// reads all of it once for each row.
const RENEW: &str = "
WITH held AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS h(id, lease)),
kept AS (
    SELECT s.id FROM steps s JOIN held ON s.id = held.id AND s.lease = held.lease WHERE s.id = ANY($1::uuid[])
    FOR NO KEY UPDATE OF s SKIP LOCKED),
renewed AS (
    UPDATE steps SET lease_until = now() + make_interval(secs => $3) WHERE steps.id = ANY(ARRAY(SELECT id FROM kept)))
SELECT s.id FROM steps s JOIN held ON s.id = held.id AND s.lease = held.lease WHERE s.id = ANY($1::uuid[])";

const GIVE_BACK: &str = "
UPDATE steps SET state = 'ready', lease = NULL, lease_until = NULL, worker = NULL, attempt = attempt - 1
FROM unnest($1::uuid[], $2::uuid[]) AS held(id, lease)
WHERE steps.id = ANY($1::uuid[]) AND steps.id = held.id AND steps.lease = held.lease
RETURNING steps.kind";

fn columns(fences: &[Fence]) -> (Vec<Uuid>, Vec<Uuid>) {
    fences.iter().map(|fence| (fence.step, fence.lease)).unzip()
}

impl Queue {
    pub(crate) fn new(db: DatabaseConnection, announcer: Announcer) -> Self {
        Self { db, announcer }
    }

    /// Leases up to as many steps as there are slots, oldest order first across tenants, and reads their tasks. An attempt
    /// is counted here, so that a step which kills its process still runs out of attempts.
    pub async fn claim(&self, wanted: &[Wanted], worker: &str, lease: Duration) -> Result<Claims, StoreError> {
        let kinds: Vec<String> = wanted.iter().map(|want| want.kind.as_str().to_owned()).collect();
        let slots: Vec<i32> = wanted.iter().map(|want| i32::try_from(want.slots).unwrap_or(i32::MAX)).collect();
        let values = [kinds.into(), slots.into(), worker.into(), lease.as_secs_f64().into()];
        let mut claims = Claims::default();
        for row in sql::all(&self.db, CLAIM, values).await? {
            let step: ClaimedStep = ClaimRow::from_query_result(&row, "")?.try_into()?;
            if let Some((_, task)) = step.owner {
                claims.tasks.insert(task, Arc::new(TaskState::from_query_result(&row, "t_")?));
            }
            claims.steps.push(step);
        }
        Ok(claims)
    }

    /// Makes claimable what the clock has made due.
    ///
    /// `own` are the leases of the calling process: those it renews itself, late or not. For a third of a lease after a
    /// start of the server nobody's lease counts as abandoned, because until then nobody could renew it.
    pub async fn promote(&self, own: &[Fence], lease: Duration) -> Result<Promotion, StoreError> {
        let mut promotion = Promotion { next_due: self.next_due().await?, ..Promotion::default() };
        if promotion.next_due.is_some_and(|due| due.is_zero()) {
            promotion.ready = sql::execute(&self.db, PROMOTE_DELAYED, []).await?;
            let (own, _) = columns(own);
            let grace = lease.as_secs_f64() / 3.0;
            promotion.ready += sql::execute(&self.db, PROMOTE_ABANDONED, [own.clone().into(), grace.into()]).await?;
            let values = [own.into(), grace.into(), lease.as_secs_f64().into()];
            let rows = sql::rows::<ClaimRow>(&self.db, TAKE_EXHAUSTED, values).await?;
            promotion.exhausted = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
            promotion.next_due = self.next_due().await?;
        }
        Ok(promotion)
    }

    async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let row = sql::one(&self.db, NEXT_DUE, []).await?;
        let seconds: Option<f64> = row.map(|row| row.try_get("", "seconds")).transpose()?.flatten();
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()))
    }

    /// Renews all leases of a process in one statement and returns the steps whose lease is gone.
    pub async fn renew(&self, held: &[Fence], lease: Duration) -> Result<Vec<Fence>, StoreError> {
        let (ids, leases) = columns(held);
        let rows = sql::all(&self.db, RENEW, [ids.into(), leases.into(), lease.as_secs_f64().into()]).await?;
        let kept = rows
            .iter()
            .map(|row| row.try_get::<Uuid>("", "id"))
            .collect::<Result<std::collections::HashSet<_>, _>>()?;
        Ok(held.iter().filter(|fence| !kept.contains(&fence.step)).copied().collect())
    }

    /// Gives leases back without costing an attempt, for a process that is asked to stop, and wakes the others.
    pub async fn give_back(&self, held: &[Fence]) -> Result<(), StoreError> {
        let (ids, leases) = columns(held);
        let rows = sql::all(&self.db, GIVE_BACK, [ids.into(), leases.into()]).await?;
        for row in rows {
            let kind = row.try_get::<String>("", "kind")?.parse()?;
            self.announcer.say([Wake::Steps { kind }]);
        }
        Ok(())
    }

    /// Adds a maintenance step unless one with this key exists. True when it was added.
    pub async fn schedule(&self, kind: StepKind, unique_key: &str, max_attempts: u32) -> Result<bool, StoreError> {
        let added = sql::execute(
            &self.db,
            "INSERT INTO steps (id, kind, state, max_attempts, trace_id, unique_key)
             VALUES ($1, $2, 'ready', $3, $4, $5) ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING",
            [
                Uuid::now_v7().into(),
                kind.as_str().into(),
                i32::try_from(max_attempts).unwrap_or(1).into(),
                Uuid::new_v4().simple().to_string().into(),
                unique_key.into(),
            ],
        )
        .await?;
        if added == 1 {
            self.announcer.say([Wake::Steps { kind }]);
        }
        Ok(added == 1)
    }

    /// Puts a maintenance step off without costing an attempt.
    pub async fn delay_maintenance(&self, fence: Fence, wait: Duration) -> Result<(), StoreError> {
        let touched = sql::execute(
            &self.db,
            "UPDATE steps SET state = 'delayed', lease = NULL, lease_until = NULL, worker = NULL, attempt = attempt - 1,
                run_at = now() + make_interval(secs => $3)
             WHERE id = $1 AND lease = $2 AND state = 'running'",
            [fence.step.into(), fence.lease.into(), wait.as_secs_f64().into()],
        )
        .await?;
        self.announcer.say([Wake::Clock]);
        if touched == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// Ends a maintenance step.
    pub async fn finish_maintenance(&self, fence: Fence, error: Option<&str>) -> Result<(), StoreError> {
        let touched = sql::execute(
            &self.db,
            "UPDATE steps SET lease = NULL, lease_until = NULL, error_message = $3,
                finished_at = CASE WHEN $3::text IS NULL OR attempt >= max_attempts THEN now() END,
                run_at = now() + interval '1 minute',
                state = CASE WHEN $3::text IS NULL THEN 'done' WHEN attempt >= max_attempts THEN 'failed' ELSE 'delayed' END
             WHERE id = $1 AND lease = $2 AND state = 'running'",
            [fence.step.into(), fence.lease.into(), error.map(str::to_owned).into()],
        )
        .await?;
        if touched == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    /// Counts and ages of unfinished steps, for metrics and `doctor`.
    pub async fn depth(&self) -> Result<Vec<QueueDepth>, StoreError> {
        sql::rows(
            &self.db,
            // One branch per state, so that each is answered by its own partial index and not by all finished steps.
            "SELECT kind, state, count(*) AS steps,
                extract(epoch FROM now() - min(created_at))::float8 AS oldest_seconds
             FROM (SELECT kind, state, created_at FROM steps WHERE state = 'ready'
                UNION ALL SELECT kind, state, created_at FROM steps WHERE state = 'delayed'
                UNION ALL SELECT kind, state, created_at FROM steps WHERE state = 'running') AS open
             GROUP BY kind, state ORDER BY kind, state",
            [],
        )
        .await
    }
}

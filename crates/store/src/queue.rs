//! The step queue: claiming, renewing, giving back, and what the clock makes claimable.
//!
//! All times are the database's, so that workers with wrong clocks agree. Nothing here holds a transaction open.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    task::{PoolName, StepKind},
};
use sea_orm::FromQueryResult;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::{Announcer, Notification},
    batch::SeenTasks,
    db::Db,
    error::StoreError,
    sql,
    task_state::TaskState,
};

/// How many steps of a pool the caller can run right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub pool: PoolName,
    pub slots: usize,
    /// The caller knows that no step below this rank is ready; `i64::MIN` when it does not.
    pub from_rank: i64,
}

impl Wanted {
    pub fn new(pool: PoolName, slots: usize) -> Self {
        Self { pool, slots, from_rank: i64::MIN }
    }
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
    /// None for what belongs to no tenant.
    pub org: Option<OrgId>,
    pub task: Option<Uuid>,
    pub kind: StepKind,
    pub pool: PoolName,
    pub rank: i64,
    pub run: i32,
    pub position: i32,
    /// Counts from 1; this attempt included.
    pub attempt: u32,
    pub max_attempts: u32,
    pub trace_id: String,
    /// What the step was given; null when it needs nothing but its task.
    pub payload: Json,
    /// What a step without a task is about.
    pub subject: Option<Uuid>,
}

impl ClaimedStep {
    /// Tenant and task, if it has a task.
    pub fn owner(&self) -> Option<(OrgId, Uuid)> {
        self.org.zip(self.task)
    }
}

/// What a claim has won.
#[derive(Debug, Default)]
pub struct Claims {
    pub steps: Vec<ClaimedStep>,
    /// Their tasks as they stood in that moment; not locked, so that they may have changed since.
    pub tasks: SeenTasks,
}

#[derive(FromQueryResult)]
struct ClaimRow {
    id: Uuid,
    lease: Uuid,
    org_id: Option<Uuid>,
    task_id: Option<Uuid>,
    kind: String,
    pool: String,
    rank: i64,
    run: i32,
    position: i32,
    attempt: i32,
    max_attempts: i32,
    trace_id: String,
    payload: Option<Json>,
    subject_id: Option<Uuid>,
}

/// The columns of [`ClaimRow`].
macro_rules! claimed {
    () => {
        "steps.id, lease, org_id, task_id, kind, pool, rank, run, position, attempt, max_attempts, trace_id, payload, subject_id"
    };
}

impl TryFrom<ClaimRow> for ClaimedStep {
    type Error = StoreError;

    fn try_from(row: ClaimRow) -> Result<Self, StoreError> {
        Ok(Self {
            fence: Fence { step: row.id, lease: row.lease },
            org: row.org_id.map(OrgId),
            task: row.task_id,
            kind: row.kind.parse()?,
            pool: row.pool.parse()?,
            rank: row.rank,
            run: row.run,
            position: row.position,
            attempt: u32::try_from(row.attempt).unwrap_or(0),
            max_attempts: u32::try_from(row.max_attempts).unwrap_or(1),
            trace_id: row.trace_id,
            payload: row.payload.unwrap_or(Json::Null),
            subject: row.subject_id,
        })
    }
}

/// What a look at the clock brought.
#[derive(Debug, Default)]
pub struct Promotion {
    /// Steps whose worker vanished during their last attempt. They are leased to the caller, who must fail them.
    pub exhausted: Vec<ClaimedStep>,
    /// When the clock will next make a step claimable, if any is waiting for it.
    pub next_due: Option<Duration>,
    /// The caller may leave out of its next looks what is due before.
    pub since: Option<DateTime<Utc>>,
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
    db: Db,
    announcer: Announcer,
}

/// Does not wait for the disk: what a power cut takes back of a claim is a step that is ready again, and the end of its
/// attempt then finds its lease gone. Any later commit that waits takes the claim along.
///
/// Steps that were claimed before leave dead entries at the front of the index until a vacuum, which a long transaction
/// anywhere in the database holds back: `from_rank` lets a claim begin behind them.
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH hurry AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
want AS (SELECT * FROM unnest($1::text[], $2::int[], $6::bigint[]) AS w(pool, slots, from_rank)),
picked AS (
    SELECT s.id FROM want w CROSS JOIN LATERAL (
        SELECT id FROM steps
        WHERE pool = w.pool AND state = 'ready' AND rank >= w.from_rank AND kind = ANY($5::text[])
        ORDER BY rank, id LIMIT w.slots FOR UPDATE SKIP LOCKED) s
),
claimed AS (
    UPDATE steps SET state = 'running', attempt = attempt + 1, lease = gen_random_uuid(), worker = $3,
        lease_until = now() + make_interval(secs => $4), started_at = coalesce(started_at, now())
    WHERE steps.id = ANY(ARRAY(SELECT id FROM picked))
    RETURNING {claimed}
)
SELECT claimed.*, (SELECT setval('fair_clock', greatest(max(c.rank), (SELECT last_value FROM fair_clock), 1)) FROM claimed c),
    {task}
FROM hurry, claimed LEFT JOIN tasks t ON t.id = claimed.task_id ORDER BY claimed.rank, claimed.id",
        claimed = claimed!(),
        task = TaskState::columns("t_"),
    )
});

/// What became claimable: of each pool how many, and the lowest rank.
macro_rules! moved {
    ($update:literal) => {
        concat!(
            "WITH moved AS (",
            $update,
            " RETURNING pool, rank)
            SELECT pool, min(rank) AS rank FROM moved GROUP BY pool"
        )
    };
}

#[derive(FromQueryResult)]
struct Moved {
    pool: String,
    rank: i64,
}

/// A job comes in turn from when it is due: with the rank of the day it was added, those who order meanwhile would be given
/// ranks of that day, in front of all who wait.
const PROMOTE_DELAYED: &str = moved!(
    "UPDATE steps SET state = 'ready', rank = CASE WHEN task_id IS NULL
        THEN greatest(rank, (SELECT last_value FROM fair_clock)) ELSE rank END WHERE steps.id = ANY(ARRAY(
        SELECT id FROM steps WHERE state = 'delayed' AND run_at >= coalesce($1, '-infinity') AND run_at <= now() ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))"
);

const PROMOTE_ABANDONED: &str = moved!(
    "UPDATE steps SET state = 'ready', lease = NULL, lease_until = NULL, worker = NULL WHERE steps.id = ANY(ARRAY(
        SELECT id FROM steps WHERE state = 'running' AND lease_until >= coalesce($3, '-infinity') AND lease_until <= now()
            AND attempt < max_attempts
            AND id <> ALL($1::uuid[]) AND pg_postmaster_start_time() + make_interval(secs => $2) <= now()
        LIMIT 1000 FOR UPDATE SKIP LOCKED))"
);

/// Whoever had them is dead, so nobody has to be given time to come back. Those in their last attempt wait for their lease:
/// who takes them must know their kind.
const TAKE_FROM_THE_DEAD: &str = moved!(
    "UPDATE steps SET state = 'ready', lease = NULL, lease_until = NULL, worker = NULL
        WHERE state = 'running' AND worker = ANY($1) AND attempt < max_attempts"
);

/// Only kinds that the caller knows: what it does not know it cannot bring to its end either.
const TAKE_EXHAUSTED: &str = concat!(
    "WITH lost AS (
    SELECT id FROM steps WHERE state = 'running' AND lease_until >= coalesce($5, '-infinity') AND lease_until <= now()
        AND attempt >= max_attempts
        AND kind = ANY($4::text[]) AND id <> ALL($1::uuid[])
        AND pg_postmaster_start_time() + make_interval(secs => $2) <= now()
    LIMIT 100 FOR UPDATE SKIP LOCKED)
UPDATE steps SET lease = gen_random_uuid(), lease_until = now() + make_interval(secs => $3)
WHERE steps.id = ANY(ARRAY(SELECT id FROM lost))
RETURNING ",
    claimed!()
);

/// Steps in a pool that the caller does not have although it knows their kind: they were added under another
/// configuration. The pools that there are, are found by jumps over the index, not by reading it.
const ADOPT: &str = "
WITH RECURSIVE pools AS (
    SELECT (SELECT pool FROM steps WHERE state = 'ready' ORDER BY pool LIMIT 1) AS pool
    UNION ALL
    SELECT (SELECT s.pool FROM steps s WHERE s.state = 'ready' AND s.pool > p.pool ORDER BY s.pool LIMIT 1)
    FROM pools p WHERE p.pool IS NOT NULL),
strange AS (SELECT pool FROM pools WHERE pool IS NOT NULL AND pool <> ALL($2::text[])),
known AS (SELECT * FROM unnest($1::text[], $2::text[]) AS k(kind, pool)),
lost AS (
    SELECT s.id, k.pool FROM strange CROSS JOIN LATERAL (
        SELECT id, kind FROM steps WHERE pool = strange.pool AND state = 'ready' AND kind = ANY($1::text[])
        ORDER BY rank, id LIMIT 1000
        FOR UPDATE SKIP LOCKED) s JOIN known k ON k.kind = s.kind)
UPDATE steps SET pool = lost.pool FROM lost
WHERE steps.id = ANY(ARRAY(SELECT id FROM lost)) AND steps.id = lost.id";

const WITH_READY_STEPS: &str = "
SELECT w.pool FROM unnest($1::text[], $2::bigint[]) AS w(pool, from_rank) CROSS JOIN LATERAL (
    SELECT rank FROM steps s WHERE s.pool = w.pool AND s.state = 'ready' AND s.rank >= w.from_rank
    ORDER BY s.rank, s.id LIMIT 1) AS head
ORDER BY head.rank";

/// Nothing that falls due appears further back than the few seconds that a transaction takes.
const NEXT_DUE: &str = "
SELECT extract(epoch FROM due - clock_timestamp())::float8 AS seconds, least(due, now() - interval '10 seconds') AS since
FROM (SELECT least(
    (SELECT min(run_at) FROM steps WHERE state = 'delayed' AND run_at >= coalesce($2, '-infinity')),
    (SELECT min(lease_until) FROM steps WHERE state = 'running' AND lease_until >= coalesce($2, '-infinity')
        AND (attempt < max_attempts OR kind = ANY($1::text[])))) AS due) AS d";

const SCHEDULE: &str = "
INSERT INTO steps (id, kind, pool, state, max_attempts, trace_id, unique_key, rank)
VALUES ($1, $2, $3, 'ready', $4, $5, $6, (SELECT last_value FROM fair_clock))
ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING
RETURNING pool, rank";

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

/// To `ready`, or to `paused` where the task is. The tasks are locked first: a resume that is under way would otherwise pass
/// by the step, which is still running, and leave it paused for ever.
const GIVE_BACK: &str = "
WITH t AS MATERIALIZED (
    SELECT id, paused FROM tasks
    WHERE id = ANY(ARRAY(SELECT task_id FROM steps WHERE id = ANY($1::uuid[]) AND task_id IS NOT NULL))
    ORDER BY id FOR SHARE),
moved AS (
    UPDATE steps SET lease = NULL, lease_until = NULL, worker = NULL, attempt = attempt - 1,
        state = CASE WHEN EXISTS (SELECT 1 FROM t WHERE t.id = steps.task_id AND t.paused) THEN 'paused' ELSE 'ready' END
    FROM unnest($1::uuid[], $2::uuid[]) AS held(id, lease)
    WHERE steps.id = ANY($1::uuid[]) AND steps.id = held.id AND steps.lease = held.lease AND (SELECT count(*) FROM t) >= 0
    RETURNING steps.pool, steps.rank, steps.state)
SELECT pool, min(rank) AS rank FROM moved WHERE state = 'ready' GROUP BY pool";

fn texts(kinds: &[StepKind]) -> sea_orm::Value {
    sql::column(kinds, |kind| kind.as_str().to_owned())
}

fn columns(fences: &[Fence]) -> (Vec<Uuid>, Vec<Uuid>) {
    fences.iter().map(|fence| (fence.step, fence.lease)).unzip()
}

impl Queue {
    pub(crate) fn new(db: Db, announcer: Announcer) -> Self {
        Self { db, announcer }
    }

    /// Leases up to as many steps as there are slots, oldest order first across tenants, and reads their tasks. Only steps
    /// of these kinds. An attempt is counted here, so that a step which kills its process still runs out of attempts.
    pub async fn claim(
        &self,
        wanted: &[Wanted],
        kinds: &[StepKind],
        worker: &str,
        lease: Duration,
    ) -> Result<Claims, StoreError> {
        let values = [
            sql::column(wanted, |want| want.pool.as_str().to_owned()),
            sql::column(wanted, |want| i32::try_from(want.slots).unwrap_or(i32::MAX)),
            worker.into(),
            lease.as_secs_f64().into(),
            texts(kinds),
            sql::column(wanted, |want| want.from_rank),
        ];
        let mut claims = Claims::default();
        for row in sql::all(&self.db, &CLAIM, values).await? {
            let step: ClaimedStep = ClaimRow::from_query_result(&row, "")?.try_into()?;
            if let Some(task) = step.task {
                claims.tasks.insert(task, Arc::new(TaskState::from_query_result(&row, "t_")?));
            }
            claims.steps.push(step);
        }
        Ok(claims)
    }

    /// Makes claimable what the clock has made due, and says so to every claimer.
    ///
    /// `own` are the leases of the calling process: those it renews itself, late or not. For a third of a lease after a
    /// start of the server nobody's lease counts as abandoned, because until then nobody could renew it. `kinds` are those
    /// that the caller can bring to an end. Without `since` this is a look at everything: see
    /// [`WholeLooks`](crate::WholeLooks).
    pub async fn promote(
        &self,
        own: &[Fence],
        kinds: &[StepKind],
        lease: Duration,
        since: Option<DateTime<Utc>>,
    ) -> Result<Promotion, StoreError> {
        let mut promotion = self.next_due(kinds, since).await?;
        if promotion.next_due.is_some_and(|due| due.is_zero()) {
            let (own, _) = columns(own);
            let grace = lease.as_secs_f64() / 3.0;
            let mut moved = sql::rows::<Moved>(&self.db, PROMOTE_DELAYED, [since.into()]).await?;
            let values = [own.clone().into(), grace.into(), since.into()];
            moved.extend(sql::rows::<Moved>(&self.db, PROMOTE_ABANDONED, values).await?);
            self.became_ready(moved)?;
            let values = [own.into(), grace.into(), lease.as_secs_f64().into(), texts(kinds), since.into()];
            let rows = sql::rows::<ClaimRow>(&self.db, TAKE_EXHAUSTED, values).await?;
            let exhausted = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
            promotion = Promotion { exhausted, ..self.next_due(kinds, since).await? };
        }
        Ok(promotion)
    }

    fn became_ready(&self, moved: Vec<Moved>) -> Result<(), StoreError> {
        for Moved { pool, rank } in moved {
            self.announcer.say([Notification::Steps { pool: pool.parse()?, rank }]);
        }
        Ok(())
    }

    /// Moves ready steps that stand in a pool which the caller does not have to the one that it has for their kind: a
    /// limit of its own for a kind was set or removed since they were added.
    pub async fn adopt(&self, pools: &[(StepKind, PoolName)]) -> Result<u64, StoreError> {
        let values = [
            sql::column(pools, |(kind, _)| kind.as_str().to_owned()),
            sql::column(pools, |(_, pool)| pool.as_str().to_owned()),
        ];
        sql::execute(&self.db, ADOPT, values).await
    }

    /// Those of these pools in which something is ready, the one with the lowest rank first; each is looked at from a rank on.
    pub async fn with_ready_steps(&self, pools: &[(PoolName, i64)]) -> Result<Vec<PoolName>, StoreError> {
        let values = [sql::column(pools, |(pool, _)| pool.as_str().to_owned()), sql::column(pools, |(_, rank)| *rank)];
        let rows = sql::all(&self.db, WITH_READY_STEPS, values).await?;
        rows.iter().map(|row| Ok(row.try_get::<String>("", "pool")?.parse()?)).collect()
    }

    async fn next_due(&self, kinds: &[StepKind], since: Option<DateTime<Utc>>) -> Result<Promotion, StoreError> {
        let Some(row) = sql::one(&self.db, NEXT_DUE, [texts(kinds), since.into()]).await? else {
            return Ok(Promotion::default());
        };
        let seconds: Option<f64> = row.try_get("", "seconds")?;
        let next_due = seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default());
        Ok(Promotion { next_due, since: row.try_get("", "since")?, exhausted: Vec::new() })
    }

    /// Renews all leases of a process in one statement and returns the steps whose lease is gone.
    pub async fn renew(&self, held: &[Fence], lease: Duration) -> Result<Vec<Fence>, StoreError> {
        let (ids, leases) = columns(held);
        let rows = sql::all(&self.db, RENEW, [ids.into(), leases.into(), lease.as_secs_f64().into()]).await?;
        let kept = rows.iter().map(|row| row.try_get::<Uuid>("", "id")).collect::<Result<HashSet<_>, _>>()?;
        Ok(held.iter().filter(|fence| !kept.contains(&fence.step)).copied().collect())
    }

    /// Gives leases back without costing an attempt, for a process that is asked to stop or a task that is paused, and
    /// wakes the others.
    pub async fn give_back(&self, held: &[Fence]) -> Result<(), StoreError> {
        let (ids, leases) = columns(held);
        let moved = sql::rows::<Moved>(&self.db, GIVE_BACK, [ids.into(), leases.into()]).await?;
        self.became_ready(moved)
    }

    /// Makes claimable what these workers had, which are known to be dead.
    pub async fn take_from_the_dead(&self, workers: &[String]) -> Result<(), StoreError> {
        let moved = sql::rows::<Moved>(&self.db, TAKE_FROM_THE_DEAD, [workers.to_vec().into()]).await?;
        self.became_ready(moved)
    }

    /// Adds a step that belongs to no tenant, unless one with this key exists. True when it was added.
    pub async fn schedule(
        &self,
        kind: StepKind,
        pool: PoolName,
        unique_key: &str,
        max_attempts: u32,
    ) -> Result<bool, StoreError> {
        let values = [
            Uuid::now_v7().into(),
            kind.as_str().into(),
            pool.as_str().into(),
            i32::try_from(max_attempts).unwrap_or(1).into(),
            Uuid::new_v4().simple().to_string().into(),
            unique_key.into(),
        ];
        let added = sql::rows::<Moved>(&self.db, SCHEDULE, values).await?;
        let is_added = !added.is_empty();
        self.became_ready(added)?;
        Ok(is_added)
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
                UNION ALL SELECT kind, state, created_at FROM steps WHERE state = 'running'
                UNION ALL SELECT kind, state, created_at FROM steps WHERE state IN ('paused', 'waiting')) AS open
             GROUP BY kind, state ORDER BY kind, state",
            [],
        )
        .await
    }
}

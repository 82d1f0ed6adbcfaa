//! What a transaction that stays open does to the claim: until it ends, no vacuum removes what was claimed meanwhile.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use galley_domain::{article, task::PoolName};
use galley_store::{Wanted, WholeLooks};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::time::{MissedTickBehavior, interval};
use uuid::Uuid;

use super::Bench;
use crate::{
    report::quantile,
    world::{Database, Parts, spread},
};

/// With slots of its own the kind has a pool of its own.
const POOL: PoolName = PoolName::new(article::DRAFT.as_str());
const SLOTS: usize = 64;
/// Steps become ready in groups, so many at a time and so often: 600 in a second.
const GROUP: i64 = 12;
const BEAT: Duration = Duration::from_millis(20);
/// As the engine has them by default.
const TICK: Duration = Duration::from_secs(5);
const LEASE: Duration = Duration::from_secs(30);
/// How long the empty system is measured, and what is not counted before it.
const EMPTY: Duration = Duration::from_secs(20);
const WARM: usize = 100;
/// The last part of the time is what counts: a third of it, and a minute at the most.
const LAST: u32 = 3;
const LONGEST_LAST: Duration = Duration::from_secs(60);
const TASKS: i64 = 100;

/// `{count}` finished tasks of six steps.
const FILL: &str = include_str!("fill.sql");

const ADD_TASKS: &str = "
INSERT INTO tasks (id, org_id, kind, status, input, rank, price, trace_id, stages)
SELECT gen_random_uuid(), $1, 'article', 'processing', '{}', 0, 0, 'horizon', '{}' FROM generate_series(1, $2)
RETURNING id";

const ADD: &str = "
INSERT INTO steps (id, org_id, task_id, kind, pool, position, state, rank, max_attempts, trace_id)
SELECT gen_random_uuid(), $1, $2, 'draft', 'draft', $3 + g, 'ready', $3 + g, 4, 'horizon'
FROM generate_series(0, $4 - 1) g";

const FINISH: &str = "
UPDATE steps SET state = 'done', output = '{}', lease = NULL, lease_until = NULL, finished_at = now()
WHERE id = ANY($1::uuid[])";

/// The part of the claim that looks for steps.
const LOOK: &str = "
EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) SELECT id FROM steps
WHERE pool = 'draft' AND state = 'ready' AND rank >= {from} AND kind = ANY('{draft}'::text[])
ORDER BY rank, id LIMIT 64 FOR UPDATE SKIP LOCKED";

/// Milliseconds of what was measured, in the order in which it was.
#[derive(Debug, Default)]
struct Taken {
    claims: Vec<f64>,
    /// Claims of the slow tick, which begin at the lowest rank.
    at_ticks: Vec<f64>,
    /// Looks at the clock.
    clocks: Vec<f64>,
    /// Orders, which look for the oldest step that is ready.
    orders: Vec<f64>,
    claimed: usize,
    seconds: f64,
}

/// What the engine's claimer knows, with steps that come and end beside it.
struct Queue {
    parts: Parts,
    pool: PgPool,
    tasks: Vec<Uuid>,
    next_rank: i64,
    /// Where the next claim begins; none when nothing is ready.
    looking: Option<i64>,
    /// How far it has claimed.
    claimed: i64,
    since: Option<DateTime<Utc>>,
    clock: WholeLooks,
    whole: WholeLooks,
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let (finished, open) = (bench.scale.finished, bench.scale.open);
    let database = bench.world.database().await?;
    let mut queue = Queue::on(&database).await?;
    queue.play(EMPTY.min(open), true).await?;
    let empty = queue.play(EMPTY.min(open), false).await?;
    queue.close().await;
    bench.world.drop(database).await?;

    let database = bench.world.database().await?;
    Parts::on(&database, &spread(SLOTS)).await?.close().await;
    database.execute(&FILL.replace("{count}", &finished.div_ceil(6).to_string())).await?;
    database.execute("VACUUM ANALYZE").await?;
    database.execute("CHECKPOINT").await?;
    let mut queue = Queue::on(&database).await?;
    queue.play(EMPTY.min(open) / 4, true).await?;
    let mut holder = hold(&database).await?;
    let counted = (open / LAST).min(LONGEST_LAST);
    queue.play(open - counted, false).await?;
    let last = queue.play(counted, false).await?;
    explain(bench, &mut queue).await?;
    let dead = database.number("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'steps'").await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    holder.close().await?;
    queue.close().await;
    bench.world.drop(database).await?;

    let p = |values: &[f64], share| quantile(values, share).context("nothing was measured");
    bench.report.note(format!(
        "horizon: {finished} finished steps, a snapshot held for {:.0} s; {dead} dead rows of steps at the end; the longest of \
         {} claims {:.2} ms, of {} in the empty system {:.2} ms",
        open.as_secs_f64(),
        last.claims.len(),
        p(&last.claims, 1.0)?,
        empty.claims.len(),
        p(&empty.claims, 1.0)?
    ));
    let report = &mut bench.report;
    report.add("horizon.rate", &[last.claimed as f64 / last.seconds], &[])?;
    for (id, share) in [("horizon.claim_p50", 0.5), ("horizon.claim_p99", 0.99)] {
        report.add(id, &[p(&last.claims, share)?], &[p(&empty.claims, share)?])?;
    }
    for (id, now, then) in [
        ("horizon.tick_claim", &last.at_ticks, &empty.at_ticks),
        ("horizon.clock", &last.clocks, &empty.clocks),
        ("horizon.order", &last.orders, &empty.orders),
    ] {
        report.add(id, now, then)?;
    }
    Ok(())
}

/// A transaction with a snapshot that does nothing more.
async fn hold(database: &Database) -> anyhow::Result<PgConnection> {
    let mut connection = database.connect().await?;
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM organizations")
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

/// How the database comes by the steps, from where the claimer would begin and from the lowest rank.
async fn explain(bench: &mut Bench, queue: &mut Queue) -> anyhow::Result<()> {
    queue.add().await?;
    for (what, from) in
        [("from the rank of the last claim", queue.next_rank - GROUP), ("from the lowest rank", i64::MIN)]
    {
        let mut tx = queue.pool.begin().await?;
        // Nobody can write the lowest number with its sign before it.
        let sql = LOOK.replace("{from}", &format!("('{from}'::bigint)"));
        let lines: Vec<(String,)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *tx).await?;
        tx.rollback().await?;
        let plan: Vec<String> = lines.into_iter().map(|(line,)| line.trim().to_owned()).collect();
        bench.report.note(format!("horizon: the claim's look {what}: {}", plan.join("; ")));
    }
    queue.claim(i64::MIN).await?;
    Ok(())
}

impl Queue {
    async fn on(database: &Database) -> anyhow::Result<Self> {
        let parts = Parts::on(database, &spread(SLOTS)).await?;
        let pool = database.pool(2).await?;
        let tasks: Vec<(Uuid,)> = sqlx::query_as(ADD_TASKS).bind(parts.org.0).bind(TASKS).fetch_all(&pool).await?;
        Ok(Self {
            parts,
            pool,
            tasks: tasks.into_iter().map(|(id,)| id).collect(),
            next_rank: 1,
            looking: None,
            claimed: i64::MIN,
            since: None,
            clock: WholeLooks::default(),
            whole: WholeLooks::default(),
        })
    }

    async fn close(self) {
        self.pool.close().await;
        self.parts.close().await;
    }

    /// A group of steps becomes ready, and the claimer hears of the lowest of them.
    async fn add(&mut self) -> anyhow::Result<()> {
        let rank = self.next_rank;
        let task = self.tasks[usize::try_from(rank / GROUP)? % self.tasks.len()];
        sqlx::query(ADD)
            .bind(self.parts.org.0)
            .bind(task)
            .bind(i32::try_from(rank)?)
            .bind(i32::try_from(GROUP)?)
            .execute(&self.pool)
            .await?;
        self.next_rank += GROUP;
        self.looking = Some(self.looking.unwrap_or(rank).min(rank));
        Ok(())
    }

    /// Claims as the claimer does and finishes what it got: how many, and in how many milliseconds.
    async fn claim(&mut self, from_rank: i64) -> anyhow::Result<(usize, f64)> {
        let wanted = [Wanted { pool: POOL, slots: SLOTS, from_rank }];
        let began = Instant::now();
        let claims = self.parts.services.store().queue().claim(&wanted, &[article::DRAFT], "bench/1", LEASE).await?;
        let took = began.elapsed().as_secs_f64() * 1e3;
        if from_rank == i64::MIN {
            self.whole.looked_since(began);
        }
        let highest = claims.steps.iter().map(|step| step.rank).max();
        self.claimed = highest.unwrap_or(i64::MIN).max(self.claimed);
        self.looking = if claims.steps.len() == SLOTS { highest } else { None };
        let ids: Vec<Uuid> = claims.steps.iter().map(|step| step.fence.step).collect();
        sqlx::query(FINISH).bind(&ids).execute(&self.pool).await?;
        Ok((ids.len(), took))
    }

    async fn look_at_clock(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let since = self.since.filter(|_| !self.clock.is_due());
        let queue = self.parts.services.store().queue();
        self.since = queue.promote(&[], &article::STEPS, LEASE, since).await?.since;
        if since.is_none() {
            self.clock.looked_since(began);
        }
        Ok(())
    }

    async fn play(&mut self, time: Duration, warm: bool) -> anyhow::Result<Taken> {
        let mut taken = Taken::default();
        let (began, mut ticked) = (Instant::now(), None::<Instant>);
        let mut beat = interval(BEAT);
        // What was late is made good: the steps come at their rate.
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while began.elapsed() < time && !(warm && taken.claims.len() >= WARM) {
            beat.tick().await;
            self.add().await?;
            let tick = ticked.is_none_or(|ticked| ticked.elapsed() >= TICK);
            if tick {
                ticked = Some(Instant::now());
                let look = Instant::now();
                self.look_at_clock().await?;
                taken.clocks.push(look.elapsed().as_secs_f64() * 1e3);
                let order = Instant::now();
                self.parts.order(&self.parts.principal()).await?;
                taken.orders.push(order.elapsed().as_secs_f64() * 1e3);
                self.looking = Some(if self.whole.is_due() { i64::MIN } else { self.claimed });
            }
            if let Some(from_rank) = self.looking {
                let (count, took) = self.claim(from_rank).await?;
                taken.claimed += count;
                taken.claims.push(took);
                taken.at_ticks.extend(tick.then_some(took));
            }
        }
        taken.seconds = began.elapsed().as_secs_f64();
        Ok(taken)
    }
}

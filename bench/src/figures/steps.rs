//! How many steps one process runs in a second, and how many the database could at best.

use std::time::{Duration, Instant};

use anyhow::Context;
use galley_domain::{article, task::StepKind};
use galley_services::pipelines;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

use super::Bench;
use crate::{
    play::{Play, Working},
    world::{Database, Parts, ordered},
};

/// Connections that the raw SQL uses.
const CONNECTIONS: usize = 8;
/// Steps in one transaction of the batched ceiling.
const BATCH: usize = 50;
const SLOTS: [(usize, &str); 3] = [(16, "steps.slots_16"), (64, "steps.slots_64"), (256, "steps.slots_256")];
/// Beyond this something hangs.
const LIMIT: Duration = Duration::from_secs(900);

/// What the end of a step needs at the least, for as many tasks as are named: the step is done with its output, an event
/// says so, the task has moved, the next step is ready. One statement, so nothing but the work and one commit.
const ADVANCE: &str = "
WITH given AS (SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS g(step, task, next)),
done AS (
    UPDATE steps SET state = 'done', output = $5::jsonb, started_at = now(), finished_at = now()
    FROM given WHERE steps.id = given.step AND steps.org_id = $1),
moved AS (
    UPDATE tasks SET event_seq = event_seq + 1, status = $6, progress = $7, current_step = $8, updated_at = now()
    FROM given WHERE tasks.id = given.task AND tasks.org_id = $1
    RETURNING tasks.id, tasks.event_seq, tasks.rank, given.next),
told AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT $1, id, event_seq, jsonb_build_array(jsonb_build_object('kind', 'step.completed', 'data', $5::jsonb)) FROM moved)
INSERT INTO steps (id, org_id, task_id, kind, pool, state, rank, max_attempts, trace_id)
SELECT next, $1, id, $9, $9, 'ready', rank, 4, 'bench' FROM moved WHERE $9 <> ''";

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let tasks = bench.scale.of(2000, 300);
    let template = ordered(&bench.world, tasks).await?;
    let (mut single, mut batched) = (Vec::new(), Vec::new());
    let mut rates = [const { Vec::new() }; SLOTS.len()];
    for _ in 0..bench.scale.rounds {
        for (batch, rates) in [(1, &mut single), (BATCH, &mut batched)] {
            let database = bench.world.copy_of(&template).await?;
            rates.push(advance_all(&database, batch).await?);
            bench.world.drop(database).await?;
        }
        for ((slots, _), rates) in SLOTS.iter().zip(&mut rates) {
            let database = bench.world.copy_of(&template).await?;
            rates.push(drain(&database, *slots).await?);
            bench.world.drop(database).await?;
        }
    }
    bench.world.drop(template).await?;
    bench.report.add("steps.sql_single", &single, &[])?;
    bench.report.add("steps.sql_batched", &batched, &[])?;
    for ((_, id), rates) in SLOTS.iter().zip(&rates) {
        bench.report.add(id, rates, &batched)?;
    }
    bench.report.add("steps.slots_256_to_single", &rates[2], &single)
}

/// Steps in a second from the start of an engine until all that is ordered is completed.
pub async fn drain(database: &Database, slots: usize) -> anyhow::Result<f64> {
    // As many of each kind as in all: whichever is due may run.
    let parts = Parts::on(database, &article::STEPS.iter().map(|kind| (*kind, slots)).collect()).await?;
    let mut look = database.connect().await?;
    let tasks = open_tasks(&mut look, parts.org.0).await?;
    let (ended, mut count) = watch::channel(0);
    let started = Instant::now();
    let engine = Working::start_with(&parts, &Play::AtOnce(ended), slots);
    let all = async {
        count.wait_for(|count| *count >= tasks).await?;
        // The handlers have returned; what they brought is still to be written.
        while open_tasks(&mut look, parts.org.0).await? > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, all).await.context("the engine did not get through")??;
    let took = started.elapsed();
    engine.stop().await?;
    parts.close().await;
    look.close().await?;
    Ok((tasks * article::STEPS.len()) as f64 / took.as_secs_f64())
}

/// Tasks of an organization that have not ended.
async fn open_tasks(connection: &mut PgConnection, org: Uuid) -> anyhow::Result<usize> {
    let sql = "SELECT count(*) FROM tasks WHERE org_id = $1 AND status IN ('pending', 'processing')";
    let (count,): (i64,) = sqlx::query_as(sql).bind(org).fetch_one(connection).await?;
    Ok(usize::try_from(count)?)
}

/// Steps in a second when nobody claims, listens or watches: raw SQL, `batch` steps in a transaction.
async fn advance_all(database: &Database, batch: usize) -> anyhow::Result<f64> {
    let pool = database.pool(u32::try_from(CONNECTIONS)?).await?;
    let steps: Vec<(Uuid, Uuid, Uuid)> =
        sqlx::query_as("SELECT org_id, id, task_id FROM steps WHERE state = 'ready' ORDER BY rank")
            .fetch_all(&pool)
            .await?;
    let count = steps.len() * article::STEPS.len();
    let chunks: Vec<Vec<(Uuid, Uuid, Uuid)>> = steps.chunks(batch).map(<[_]>::to_vec).collect();
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..CONNECTIONS {
        let chunks: Vec<_> = chunks.iter().skip(worker).step_by(CONNECTIONS).cloned().collect();
        let pool = pool.clone();
        workers.spawn(async move {
            for chunk in chunks {
                advance(&pool, chunk).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    let took = started.elapsed();
    let done = database.number("SELECT count(*) FROM steps WHERE state = 'done'").await?;
    anyhow::ensure!(usize::try_from(done)? == count, "{done} of {count} steps were done by the raw SQL");
    pool.close().await;
    Ok(count as f64 / took.as_secs_f64())
}

/// Takes some tasks through all their steps.
async fn advance(pool: &PgPool, chunk: Vec<(Uuid, Uuid, Uuid)>) -> anyhow::Result<()> {
    let Some((org, _, _)) = chunk.first().copied() else { return Ok(()) };
    let (mut steps, tasks): (Vec<Uuid>, Vec<Uuid>) = chunk.into_iter().map(|(_, step, task)| (step, task)).unzip();
    let registry = pipelines::registry();
    for (at, kind) in article::STEPS.into_iter().enumerate() {
        let follows = article::STEPS.get(at + 1).copied();
        let next: Vec<Uuid> = steps.iter().map(|_| Uuid::now_v7()).collect();
        sqlx::query(ADVANCE)
            .bind(org)
            .bind(&steps)
            .bind(&tasks)
            .bind(&next)
            .bind(r#"{"step": "bench", "attempt": 1}"#)
            .bind(if follows.is_some() { "processing" } else { "completed" })
            .bind(i16::from(registry.progress(kind, 1, 1)))
            .bind(registry.public_name(kind))
            .bind(follows.map_or("", StepKind::as_str))
            .execute(pool)
            .await?;
        steps = next;
    }
    Ok(())
}

//! The comparison's steps on apalis-postgres. `../run` says what is measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use apalis::{layers::WorkerBuilderExt, prelude::*};
use apalis_postgres::{Config, PostgresStorage, queries::push_tasks};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};
use tokio::sync::watch;
use uuid::Uuid;

const QUEUE: &str = "steps";
/// The last step of a task.
const LAST: i32 = 5;
const ADVANCE: &str = concat!(include_str!("../../advance.sql"), "SELECT count(*) FROM moved");
/// Tasks that are put into the queue with one statement.
const CHUNK: usize = 500;
/// How long an idle worker waits for a notification before it looks anyway.
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    task: Uuid,
    step: i32,
}

struct Shared {
    pool: PgPool,
    handled: AtomicUsize,
    failed: AtomicUsize,
    completed: watch::Sender<usize>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, url, count] = &arguments[..] else { anyhow::bail!("usage: prepare|run URL COUNT") };
    let connections = std::env::var("CONNECTIONS").map_or(Ok(20), |number| number.parse())?;
    let options = PgPoolOptions::new().max_connections(connections).min_connections(connections);
    let pool = options.test_before_acquire(false).connect(url).await?;
    match verb.as_str() {
        "prepare" => prepare(&pool).await,
        "run" => run(pool, count.parse().context("COUNT is the number of steps at once")?).await,
        other => anyhow::bail!("{other} is neither prepare nor run"),
    }
}

fn job(step: &Step) -> anyhow::Result<Task<Vec<u8>>> {
    Ok(TaskBuilder::new(serde_json::to_vec(step)?).build())
}

async fn prepare(pool: &PgPool) -> anyhow::Result<()> {
    PostgresStorage::setup(pool).await?;
    let tasks: Vec<(Uuid,)> = sqlx::query_as("SELECT id FROM tasks ORDER BY rank").fetch_all(pool).await?;
    let mut connection = pool.acquire().await?;
    for chunk in tasks.chunks(CHUNK) {
        let jobs = chunk.iter().map(|(task,)| job(&Step { task: *task, step: 0 })).collect::<Result<Vec<_>, _>>()?;
        push_tasks(&mut *connection, QUEUE, jobs).await?;
    }
    Ok(())
}

async fn run(pool: PgPool, concurrency: usize) -> anyhow::Result<()> {
    let (tasks,): (i64,) = sqlx::query_as("SELECT count(*) FROM tasks").fetch_one(&pool).await?;
    let (tasks, (completed, mut count)) = (usize::try_from(tasks)?, watch::channel(0));
    let shared =
        Arc::new(Shared { pool: pool.clone(), handled: AtomicUsize::new(0), failed: AtomicUsize::new(0), completed });
    let config = Config::default().queue(QUEUE).batch_size(concurrency).lock_tasks(false);
    let backend = PostgresStorage::<Step>::new(&pool).with_config(config).with_pubsub();
    let backend = backend.poll_with_strategy(Strategy::new().interval(LOOK));
    let context = WorkerContext::new("bench");
    let worker =
        WorkerBuilder::new(&context).backend(backend).concurrency(concurrency).data(Arc::clone(&shared)).build(step);
    let began = Instant::now();
    let working = tokio::spawn(worker.run());
    count.wait_for(|count| *count >= tasks).await?;
    let seconds = began.elapsed().as_secs_f64();
    context.stop()?;
    working.await??;
    let (handled, failed) = (shared.handled.load(Ordering::Relaxed), shared.failed.load(Ordering::Relaxed));
    println!("{}", serde_json::json!({ "seconds": seconds, "handled": handled, "failed": failed }));
    Ok(())
}

async fn step(step: Step, shared: Data<Arc<Shared>>) -> Result<(), BoxDynError> {
    shared.handled.fetch_add(1, Ordering::Relaxed);
    if let Err(error) = hand_over(&step, &shared.pool).await {
        shared.failed.fetch_add(1, Ordering::Relaxed);
        // Ends the run: a figure with repeated steps says nothing.
        shared.completed.send_replace(usize::MAX);
        return Err(error.into());
    }
    if step.step == LAST {
        shared.completed.send_modify(|count| *count = count.saturating_add(1));
    }
    Ok(())
}

async fn hand_over(step: &Step, pool: &PgPool) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(AssertSqlSafe(ADVANCE)).bind([step.task]).bind([step.step]).execute(&mut *tx).await?;
    if step.step < LAST {
        let next = job(&Step { task: step.task, step: step.step + 1 })?;
        push_tasks(&mut *tx, QUEUE, vec![next]).await?;
    }
    Ok(tx.commit().await?)
}

//! Whether a tenant with thousands of orders makes another one's single order wait.

use std::time::{Duration, Instant};

use anyhow::Context;
use galley_domain::article;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Bench;
use crate::{
    play::{Play, Stamp, Working, clock},
    world::{Database, Parts, ordered, spread},
};

const SLOTS: usize = 64;
/// Orders of the second tenant in one round.
const ORDERS: usize = 10;
const LIMIT: Duration = Duration::from_secs(60);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let template = ordered(&bench.world, bench.scale.of(10_000, 2000)).await?;
    let window = bench.scale.of(Duration::from_secs(4), Duration::from_secs(1));
    let (mut waits, mut alone, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        for with_other in [false, true] {
            let database = bench.world.copy_of(&template).await?;
            let (rate, wait) = round(&database, window, with_other).await?;
            bench.world.drop(database).await?;
            if with_other {
                shared.push(rate);
                waits.push(wait);
            } else {
                alone.push(rate);
            }
        }
    }
    bench.world.drop(template).await?;
    let longest = waits.iter().copied().fold(0.0, f64::max);
    bench.report.add_value("fairness.wait", longest, &waits, &[])?;
    bench.report.add("fairness.steps", &shared, &alone)
}

/// Steps in a second during the window, and the longest wait of the second tenant in seconds.
async fn round(database: &Database, window: Duration, with_other: bool) -> anyhow::Result<(f64, f64)> {
    let parts = Parts::on(database, &spread(SLOTS)).await?;
    let other = parts.other_tenant().await?;
    let (told, mut stamps) = unbounded_channel();
    let mut look = database.connect().await?;
    let engine = Working::start(&parts, &Play::Stamped(told));
    // The backlog of the first tenant is being worked on.
    for _ in 0..SLOTS {
        stamps.recv().await.context("the engine has ended")?;
    }
    let (began, before) = (Instant::now(), done(&mut look).await?);
    let mut longest: f64 = 0.0;
    if with_other {
        for at in 1..=ORDERS {
            let task = parts.order(&other).await?;
            let ordered = clock();
            let stamp =
                tokio::time::timeout(LIMIT, start_of(task, &mut stamps)).await.context("it never started")??;
            longest = longest.max(stamp.began.saturating_sub(ordered) as f64 / 1e9);
            tokio::time::sleep((window * at as u32 / ORDERS as u32).saturating_sub(began.elapsed())).await;
        }
    }
    tokio::time::sleep(window.saturating_sub(began.elapsed())).await;
    let (seconds, after) = (began.elapsed().as_secs_f64(), done(&mut look).await?);
    let left = database.number("SELECT count(*) FROM steps WHERE state = 'ready' AND kind = 'research'").await?;
    engine.abandon().await;
    parts.close().await;
    look.close().await?;
    anyhow::ensure!(left > 0, "the backlog was gone before the round was over; order more tasks");
    Ok(((after - before) as f64 / seconds, longest))
}

async fn start_of(task: uuid::Uuid, stamps: &mut UnboundedReceiver<Stamp>) -> anyhow::Result<Stamp> {
    loop {
        let stamp = stamps.recv().await.context("the engine has ended")?;
        if stamp.task == task && stamp.kind == article::RESEARCH {
            return Ok(stamp);
        }
    }
}

async fn done(connection: &mut PgConnection) -> anyhow::Result<i64> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM steps WHERE state = 'done'").fetch_one(connection).await?;
    Ok(count)
}

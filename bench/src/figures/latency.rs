//! How long an idle engine takes to start what was ordered, and the next step of what it runs.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use galley_domain::{article, task::StepKind};
use sqlx::Connection;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Bench;
use crate::{
    child::Spawned,
    play::{Play, Stamp, Working, clock},
    report::{Report, quantile},
    world::{Database, Parts, spread},
};

/// Orders that warm everything up and are not counted.
const WARM: usize = 20;
const SLOTS: usize = 64;
/// Parts of the series that show how much it varies.
const BLOCKS: usize = 5;
const LIMIT: Duration = Duration::from_secs(60);
const ORDER: [&str; 2] = ["latency.one_process_order", "latency.two_processes_order"];
const STEP: [&str; 2] = ["latency.one_process_step", "latency.two_processes_step"];

/// Where stamps come from.
enum Stamps {
    Here(UnboundedReceiver<Stamp>),
    There(Box<Spawned>),
}

impl Stamps {
    async fn next(&mut self) -> anyhow::Result<Stamp> {
        match self {
            Self::Here(stamps) => stamps.recv().await.context("the engine has ended"),
            Self::There(child) => child.line().await?.parse(),
        }
    }
}

const COMMIT: &str = "latency.sql_commit";

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let samples = bench.scale.of(1000, 100);
    let database = bench.world.database().await?;
    let commits = commits(&database, samples).await?;
    bench.world.drop(database).await?;
    tell(&mut bench.report, COMMIT, &commits, &[])?;
    for (at, apart) in [false, true].into_iter().enumerate() {
        let database = bench.world.database().await?;
        let parts = Parts::on(&database, &spread(SLOTS)).await?;
        let (mut stamps, engine) = if apart {
            let child = Spawned::engine(bench, &database, SLOTS, false).await?;
            (Stamps::There(Box::new(child)), None)
        } else {
            let (told, stamps) = unbounded_channel();
            (Stamps::Here(stamps), Some(Working::start(&parts, &Play::Stamped(told))))
        };
        let (orders, steps) = series(&parts, &mut stamps, samples).await?;
        if let Some(engine) = engine {
            engine.stop().await?;
        }
        if let Stamps::There(child) = stamps {
            child.end().await?;
        }
        parts.close().await;
        bench.world.drop(database).await?;
        tell(&mut bench.report, ORDER[at], &orders, &commits)?;
        tell(&mut bench.report, STEP[at], &steps, &commits)?;
    }
    Ok(())
}

/// Milliseconds that one row takes to be safe, one after the other: no step that is claimed and begun durably can start
/// sooner after the one before.
async fn commits(database: &Database, samples: usize) -> anyhow::Result<Vec<f64>> {
    let mut connection = database.connect().await?;
    let insert = "INSERT INTO organizations (id, name) VALUES (gen_random_uuid(), 'commit')";
    let mut took = Vec::new();
    for _ in 0..samples {
        let began = Instant::now();
        sqlx::query(insert).execute(&mut connection).await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    connection.close().await?;
    Ok(took)
}

/// Milliseconds from order to first step, and from step to step; one task after the other.
async fn series(parts: &Parts, stamps: &mut Stamps, samples: usize) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let (mut orders, mut steps) = (Vec::new(), Vec::new());
    for at in 0..WARM + samples {
        let task = parts.order(&parts.principal()).await?;
        let ordered = clock();
        let mut seen: HashMap<StepKind, Stamp> = HashMap::new();
        while seen.len() < article::STEPS.len() {
            let next = tokio::time::timeout(LIMIT, stamps.next()).await.context("a step did not start")?;
            let stamp = next?;
            if stamp.task == task {
                seen.insert(stamp.kind, stamp);
            }
        }
        completed(parts, task).await?;
        if at >= WARM {
            let path: Vec<Stamp> = article::STEPS.iter().filter_map(|kind| seen.get(kind).copied()).collect();
            orders.extend(path.first().map(|first| millis(ordered, first.began)));
            steps.extend(path.windows(2).map(|pair| millis(pair[0].returned, pair[1].began)));
        }
    }
    Ok((orders, steps))
}

/// The engine is idle again when the last word about a task is written.
async fn completed(parts: &Parts, task: uuid::Uuid) -> anyhow::Result<()> {
    let mut watch = parts.notifications.events(task);
    while !parts.services.task(parts.org, task).await?.status.is_ended() {
        // A word that came before the watch began is made good by looking again.
        let _ = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
    }
    Ok(())
}

/// A step may be entered before the order's answer is: that is no time at all.
fn millis(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e6
}

fn tell(report: &mut Report, id: &str, samples: &[f64], commits: &[f64]) -> anyhow::Result<()> {
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let value = quantile(samples, share).context("no samples")?;
        let blocks: Vec<f64> =
            samples.chunks(samples.len().div_ceil(BLOCKS)).filter_map(|block| quantile(block, share)).collect();
        let ceiling: Vec<f64> = quantile(commits, share).into_iter().collect();
        report.add_value(&format!("{id}_{name}"), value, &blocks, &ceiling)?;
    }
    Ok(())
}

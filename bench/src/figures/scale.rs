//! The same work by one process, four and eight.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;

use super::Bench;
use crate::{
    child::Spawned,
    model::{Model, Pace},
    program,
    world::{Database, ordered},
};

/// What each answer of the model takes.
const ANSWER: Duration = Duration::from_secs(2);
/// Calls at once in each process: more than this machine can serve, so that what is measured is not a limit of ours.
const CALLS: &str = "512";
const LOOKED: Duration = Duration::from_millis(100);
const LIMIT: Duration = Duration::from_secs(600);
/// How many processes, and what the figure is called.
const PROCESSES: [(usize, &str); 3] = [(1, "scale.one"), (4, "scale.four"), (8, "scale.eight")];

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let galley = program::find(bench.galley.clone()).await?;
    let articles = bench.scale.of(600, 100);
    let prepared = ordered(&bench.world, articles).await?;
    let model = Model::start(Pace::Within(ANSWER)).await?;
    let mut rates = [const { Vec::new() }; PROCESSES.len()];
    let mut connections = Vec::new();
    for _ in 0..bench.scale.rounds {
        for (rates, (processes, _)) in rates.iter_mut().zip(PROCESSES) {
            let database = bench.world.copy_of(&prepared).await?;
            let (took, most) = made(&galley, bench.world.folder(), &database, &model, processes, articles).await?;
            rates.push(articles as f64 / took.as_secs_f64());
            if Some(&processes) == PROCESSES.last().map(|(processes, _)| processes) {
                connections.push(most as f64 / processes as f64);
            }
            bench.world.drop(database).await?;
        }
    }
    bench.world.drop(prepared).await?;
    for ((_, name), rate) in PROCESSES.iter().zip(&rates) {
        let ceiling = if rate == &rates[0] { &[][..] } else { &rates[0] };
        bench.report.add(name, rate, ceiling)?;
    }
    bench.report.add("scale.connections", &connections, &[])
}

/// How long so many processes take for all that was ordered, and the most connections that they had together.
async fn made(
    galley: &Path,
    folder: &Path,
    database: &Database,
    model: &Model,
    processes: usize,
    articles: usize,
) -> anyhow::Result<(Duration, i64)> {
    let told = model.settings();
    let mut settings: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.push(("GALLEY_POOLS__MODELS", CALLS));
    let began = Instant::now();
    let mut children = Vec::new();
    for _ in 0..processes {
        children.push(Spawned::spawn(program::command(galley, &["work"], folder, database, &settings))?);
    }
    let mut most = 0;
    let ended = async {
        loop {
            let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'galley'";
            most = most.max(database.number(open).await?);
            let lost = database.number("SELECT count(*) FROM tasks WHERE status IN ('failed', 'cancelled')").await?;
            anyhow::ensure!(lost == 0, "{lost} articles failed");
            let done = database.number("SELECT count(*) FROM tasks WHERE status = 'completed'").await?;
            if done >= i64::try_from(articles)? {
                return Ok(());
            }
            tokio::time::sleep(LOOKED).await;
        }
    };
    tokio::time::timeout(LIMIT, ended).await.context("the articles did not end in time")??;
    let took = began.elapsed();
    for child in children {
        child.kill().await?;
    }
    Ok((took, most))
}

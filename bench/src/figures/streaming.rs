//! What thousands of calls to a model need that all receive their answers at once.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::{Bench, start};
use crate::{
    model::{Model, Pace},
    proc, program,
    world::ordered,
};

/// How often each call gets a word.
const WORD: Duration = Duration::from_secs(2);
/// Until the last call has begun.
const LIMIT: Duration = Duration::from_secs(300);
/// How long all of them are watched; several words for each, and several renewals of the leases.
const WATCHED: Duration = Duration::from_secs(45);
const LOOKED: Duration = Duration::from_millis(500);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let galley = program::find(bench.galley.clone()).await?;
    let calls = bench.scale.of(5000, 500);
    let database = ordered(&bench.world, calls).await?;
    let model = Model::start(Pace::Endless(WORD)).await?;
    let at_once = calls.to_string();
    let told = model.settings();
    let mut settings: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    settings.push(("GALLEY_POOLS__MODELS", &at_once));
    let (child, ..) = start::start("up", &galley, bench.world.folder(), &database, &settings).await?;
    let pid = child.pid()?;
    let idle = proc::resident(pid)?;
    let all = async {
        while model.streaming() < calls {
            tokio::time::sleep(LOOKED).await;
        }
    };
    tokio::time::timeout(LIMIT, all)
        .await
        .with_context(|| format!("{} of {calls} calls were made in time", model.streaming()))?;
    let (began, computed, mut most) = (Instant::now(), proc::computed(pid)?, 0);
    while began.elapsed() < WATCHED {
        most = most.max(proc::resident(pid)?);
        anyhow::ensure!(model.streaming() == calls, "{} of {calls} calls are left", model.streaming());
        tokio::time::sleep(LOOKED).await;
    }
    let cpu = (proc::computed(pid)? - computed) / began.elapsed().as_secs_f64() * 100.0;
    // Giving thousands of leases back is not part of the figure.
    child.kill().await?;
    bench.world.drop(database).await?;
    bench.report.add("streaming.rss", &[most as f64 / 1e6], &[])?;
    bench.report.add("streaming.call", &[most.saturating_sub(idle) as f64 / 1e3 / calls as f64], &[])?;
    bench.report.add("streaming.cpu", &[cpu], &[])
}

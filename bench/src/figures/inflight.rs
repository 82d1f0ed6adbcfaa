//! What thousands of waiting steps need: memory, and computing for their leases.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::Bench;
use crate::{child::Spawned, proc, world::ordered};

/// Longer than four lives of a default lease's third, so that each lease was renewed several times.
const WATCHED: Duration = Duration::from_secs(45);
/// What starting left to do is done by then.
const SETTLING: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(300);

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let count = bench.scale.of(5000, 500);
    let database = ordered(&bench.world, count).await?;
    let mut child = Spawned::engine(bench, &database, count, true).await?;
    let all = async {
        for _ in 0..count {
            child.line().await?;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LIMIT, all).await.context("not all steps were started")??;
    tokio::time::sleep(SETTLING).await;
    let (pid, postmaster) = (child.pid()?, bench.world.postmaster());
    let (began, own, postgres) = (Instant::now(), proc::computed(pid)?, proc::computed_with_children(postmaster)?);
    tokio::time::sleep(WATCHED).await;
    let seconds = began.elapsed().as_secs_f64();
    let share = |from: f64, to: f64| (to - from) / seconds * 100.0;
    let (own, postgres) =
        (share(own, proc::computed(pid)?), share(postgres, proc::computed_with_children(postmaster)?));
    let resident = proc::resident(pid)? as f64 / 1e6;
    let held = database
        .number("SELECT count(*) FROM steps WHERE state = 'running' AND attempt = 1 AND lease_until > now()")
        .await?;
    // Giving thousands of leases back is not part of the figure.
    child.kill().await?;
    bench.world.drop(database).await?;
    bench.report.add("inflight.rss", &[resident], &[])?;
    bench.report.add("inflight.cpu", &[own], &[])?;
    bench.report.add("inflight.postgres_cpu", &[postgres], &[])?;
    bench.report.add("inflight.leases_lost", &[(count as f64) - held as f64], &[])
}

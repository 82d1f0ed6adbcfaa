//! What the daemon and its readers need for the worst files of each format, eight at once, and what another client
//! notices of it.

mod files;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;

use super::{Bench, start};
use crate::{
    load::{Call, Line, load},
    proc, program,
    report::quantile,
    world::{Parts, spread},
};

/// Of each format; an organization may upload four at once.
const AT_ONCE: usize = 8;
/// How often memory is looked at.
const SAMPLED: Duration = Duration::from_millis(10);
const SETTLING: Duration = Duration::from_secs(3);
const MIB: f64 = 1_048_576.0;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let galley = program::find(bench.galley.clone()).await?;
    let database = bench.world.database().await?;
    let parts = Parts::on(&database, &spread(64)).await?;
    let task = parts.order(&parts.principal()).await?;
    let mut keys = vec![parts.key().await?];
    for _ in 0..AT_ONCE / 4 {
        keys.push(parts.key_of(&parts.other_tenant().await?).await?);
    }
    parts.close().await;
    let limits = [("GALLEY_LIMITS__GENERAL_PER_MINUTE", "1000000")];
    // Nobody works: the task that is asked for stays as it is.
    let (child, port, _) = start::start("api", &galley, bench.world.folder(), &database, &limits).await?;
    tokio::time::sleep(SETTLING).await;
    let get = Call::get(&format!("/api/v1/tasks/{task}"), &keys[0]);
    let idle = load(port, 1, bench.scale.of(Duration::from_secs(5), Duration::from_secs(2)), &get).await?;
    let pid = child.pid()?;
    let before = proc::resident_with_children(pid)?;
    let (mut most, mut took) = (0.0_f64, Vec::new());
    for (name, bytes) in files::worst()? {
        let said = read(port, pid, &keys[1..], &get, name, &bytes).await?;
        let above = said.peak.saturating_sub(before) as f64 / MIB;
        let p99 = quantile(&said.took, 0.99).unwrap_or_default();
        bench.report.note(format!(
            "reading: {AT_ONCE} × {name} ({:.1} MB): {above:.0} MiB above idle, {:.1} s, answered {}; GET p99 {p99:.1} ms",
            bytes.len() as f64 / 1e6,
            said.seconds,
            said.statuses,
        ));
        most = most.max(above);
        took.extend(said.took);
    }
    child.kill().await?;
    bench.world.drop(database).await?;
    let p99 = |took: &[f64]| quantile(took, 0.99).into_iter().collect::<Vec<f64>>();
    bench.report.add("reading.memory", &[most], &[])?;
    bench.report.add("reading.get_p99", &p99(&took), &p99(&idle.took))
}

/// What one format did.
struct Said {
    /// Resident bytes of the daemon and its readers.
    peak: u64,
    seconds: f64,
    /// Of the uploads, each once.
    statuses: String,
    /// Milliseconds of each GET meanwhile.
    took: Vec<f64>,
}

async fn read(port: u16, pid: u32, keys: &[String], get: &Call, name: &str, bytes: &Bytes) -> anyhow::Result<Said> {
    let (over, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sampling = tokio::spawn({
        let (over, peak) = (Arc::clone(&over), Arc::clone(&peak));
        async move {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(proc::resident_with_children(pid)?, Ordering::Relaxed);
                tokio::time::sleep(SAMPLED).await;
            }
            anyhow::Ok(())
        }
    });
    let asking = tokio::spawn({
        let (over, get) = (Arc::clone(&over), get.clone());
        async move {
            let (mut line, mut took) = (Line::open(port).await?, Vec::new());
            while !over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                line.ask(&get).await?;
                took.push(asked.elapsed().as_secs_f64() * 1e3);
            }
            anyhow::Ok(took)
        }
    });
    let began = Instant::now();
    let mut uploading = JoinSet::new();
    for at in 0..AT_ONCE {
        let (key, name, bytes) = (keys[at % keys.len()].clone(), name.to_owned(), bytes.clone());
        uploading.spawn(async move { Line::open(port).await?.status(&Call::upload(&key, &name, &bytes)).await });
    }
    let mut statuses: Vec<u16> = Vec::new();
    while let Some(status) = uploading.join_next().await {
        statuses.push(status??.as_u16());
    }
    let seconds = began.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    sampling.await??;
    statuses.sort_unstable();
    statuses.dedup();
    let statuses = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    Ok(Said { peak: peak.load(Ordering::Relaxed), seconds, statuses, took: asking.await?? })
}

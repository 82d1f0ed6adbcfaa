//! The chaos run: real processes, a real Postgres and a peer that lies, under a plan of faults that comes from a seed.
//! Afterwards everything that was promised is counted.

mod client;
mod peer;
mod plan;
mod processes;
mod proxy;
mod server;
mod verdict;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use galley_services::KeyRequest;

use crate::{
    program,
    world::{Parts, spread},
};
use client::{Client, Ledger};
use peer::Peer;
use plan::{Event, Plan};
use processes::{Processes, WORKERS};
use proxy::Proxy;
use server::Server;

/// Everything must have ended this long after the last fault: the longest wait of a retry that a run can reach is shorter.
const QUIET: Duration = Duration::from_secs(240);
/// Keys of the tenant. Each has its own budget of calls, and the clients are many.
const KEYS: usize = 8;

#[derive(Debug, Args)]
pub struct ChaosArgs {
    /// How long faults happen.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// What decides about all faults and orders; a failing one is played again with the same number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// So many runs, each with the next seed.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The program under test [default: built anew by cargo, or the one beside this program].
    #[arg(long, value_name = "FILE")]
    galley: Option<PathBuf>,
    /// Where the database and the logs are made [default: the temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// True when every check of every seed held. The logs of the first seed that failed stay where they are.
pub async fn run(args: ChaosArgs) -> anyhow::Result<bool> {
    let galley = program::find(args.galley.clone()).await?;
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::Builder::new().prefix("galley-chaos-").tempdir_in(&parent)?;
    server::open_to_all(dir.path())?;
    let mut server = Server::start(&dir.path().join("db")).await?;
    let mut failed = Vec::new();
    for seed in args.seed..args.seed + args.seeds {
        let folder = dir.path().join(format!("seed-{seed}"));
        std::fs::create_dir(&folder)?;
        let verdict = one(seed, Duration::from_secs_f64(args.minutes * 60.0), &galley, &mut server, &folder).await?;
        println!("seed {seed}: {}", verdict.line());
        for fault in &verdict.faults {
            println!("  FAILED {fault}");
        }
        if verdict.faults.is_empty() {
            std::fs::remove_dir_all(&folder)?;
        } else {
            failed.push(seed);
        }
    }
    server.stop().await?;
    if failed.is_empty() {
        println!("{} of {} seeds: every check held", args.seeds, args.seeds);
        return Ok(true);
    }
    println!("failed seeds: {failed:?}; logs and databases are in {}", dir.keep().display());
    Ok(false)
}

async fn one(
    seed: u64,
    length: Duration,
    galley: &Path,
    server: &mut Server,
    folder: &Path,
) -> anyhow::Result<verdict::Verdict> {
    let name = format!("chaos_{seed}");
    let database = server.database(&name, folder).await?;
    let parts = Parts::on(&database, &spread(6)).await?;
    let mut keys = Vec::new();
    for at in 0..KEYS {
        keys.push(parts.services.create_key(parts.org, &KeyRequest::full(&format!("chaos {at}"))).await?.secret);
    }
    parts.close().await;
    let peer = Peer::start(seed).await?;
    let proxy = Proxy::start(server.socket()).await?;
    let mut processes =
        Processes::new(galley, folder, &database.url, &server.url_over(proxy.port(), &name), peer.port()).await?;
    processes.revive()?;
    let client = Client::start(seed, processes.front(), keys);
    let plan = Plan::new(seed, length);
    let began = Instant::now();
    let mut cuts = 0_u32;
    for (at, event) in &plan.events {
        tokio::time::sleep((*at).saturating_sub(began.elapsed())).await;
        match event {
            Event::Kill(process) => processes.kill(*process).await?,
            Event::Terminate(process) => processes.terminate(*process)?,
            Event::CutConnections { all } => cuts += server.cut(&name, *all).await?,
            Event::StopPostgres(away) => server.bounce(*away).await?,
            Event::Stall(time) => proxy.stall(*time),
            Event::Mood(mood) => peer.mood(*mood),
        }
        processes.revive()?;
    }
    tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
    let ledger: Ledger = client.stop().await;
    peer.mood(0);
    proxy.heal();
    processes.revive()?;
    let quiet = verdict::wait_until_ended(&database, QUIET).await?;
    let exits = processes.stop_all().await?;
    let verdict = verdict::judge(&database, folder, &ledger, &plan, cuts, quiet, &exits, peer.calls()).await?;
    if verdict.faults.is_empty() {
        server.drop(&name).await?;
    }
    Ok(verdict)
}

/// A number of this run's processes: the front is 0.
pub(crate) fn any_process(random: &mut fastrand::Rng) -> usize {
    random.usize(0..=WORKERS)
}

/// A port that was free a moment ago.
pub(crate) async fn free_port() -> anyhow::Result<u16> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

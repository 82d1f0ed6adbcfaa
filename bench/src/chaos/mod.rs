//! The chaos run: real processes, a real Postgres and a peer that lies, under a plan of faults that comes from a seed.
//! Afterwards everything that was promised is counted.

mod blog;
mod call;
mod client;
mod desk;
mod peer;
mod plan;
mod processes;
mod proxy;
mod publisher;
mod rest;
mod server;
mod settle;
mod site;
mod sweep;
mod verdict;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Args;
use galley_services::KeyRequest;
use galley_testkit::{PoolMode, Pooler};
use sqlx::Connection;

use crate::{
    interrupted, program,
    world::{Database, Parts, spread},
};
use blog::Blog;
use client::Client;
use desk::Desk;
use peer::Peer;
use plan::{Event, Plan};
use processes::{Peers, Processes, WORKERS, Ways};
use proxy::Proxy;
use rest::Rest;
use server::Server;
use site::Site;

/// Everything must have ended this long after the last fault: the longest wait of a retry that a run can reach is shorter.
const QUIET: Duration = Duration::from_secs(240);
/// Orders before the plan and after it: each worker gets several of each kind of step.
const LOAD: u32 = 12;
/// How long the processes may take to let go of what they no longer need; a thread for blocking work waits ten seconds.
const REST: Duration = Duration::from_secs(40);
/// By default PgBouncer refuses everybody for 15 s after an outage, and keeps connections for ten minutes.
const POOLER: &str = "query_wait_timeout = 20\nserver_login_retry = 1\nserver_idle_timeout = 2";
/// Keys of the tenant, half of them for publishing. Each has its own budget of calls, and the clients are many.
const KEYS: usize = 16;

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
    /// Puts a PgBouncer of the machine between the processes and Postgres.
    #[arg(long, value_name = "session|transaction")]
    pooler: Option<PoolMode>,
    /// Where the database and the logs are made [default: the temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// True when every check of every seed held. The logs and databases of seeds that failed stay where they are.
pub async fn run(args: ChaosArgs) -> anyhow::Result<bool> {
    let galley = program::find(args.galley.clone()).await?;
    let parent = args.dir.clone().unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::Builder::new().prefix("galley-chaos-").tempdir_in(&parent)?;
    server::open_to_all(dir.path())?;
    let mut server = Server::start(&dir.path().join("db")).await?;
    let mut failed = Vec::new();
    // Who interrupts it is left with no processes and no server, and with the files of seeds that failed.
    let ended = tokio::select! {
        ended = each_seed(&args, &galley, &mut server, dir.path(), &mut failed) => ended,
        Err(error) = interrupted() => Err(error),
    };
    let stopped = server.stop().await;
    if !failed.is_empty() {
        println!("failed seeds: {failed:?}; logs and databases are in {}", dir.keep().display());
    }
    ended.and(stopped)?;
    if failed.is_empty() {
        println!("{} of {} seeds: every check held", args.seeds, args.seeds);
    }
    Ok(failed.is_empty())
}

/// Notes the seeds that failed.
async fn each_seed(
    args: &ChaosArgs,
    galley: &Path,
    server: &mut Server,
    dir: &Path,
    failed: &mut Vec<u64>,
) -> anyhow::Result<()> {
    for seed in args.seed..args.seed + args.seeds {
        let folder = dir.join(format!("seed-{seed}"));
        std::fs::create_dir(&folder)?;
        let length = Duration::from_secs_f64(args.minutes * 60.0);
        let good = match one(seed, length, galley, args.pooler, server, &folder).await {
            Ok(verdict) => {
                println!("seed {seed}: {}", verdict.line());
                for fault in &verdict.faults {
                    println!("  FAILED {fault}");
                }
                verdict.faults.is_empty()
            }
            Err(error) => {
                println!("seed {seed}: FAILED to come to its end: {error:#}");
                false
            }
        };
        if good {
            std::fs::remove_dir_all(&folder)?;
        } else {
            println!("  logs: {}; once more: {}", folder.display(), replay(args, seed));
            failed.push(seed);
        }
    }
    Ok(())
}

/// The command that runs one seed again.
fn replay(args: &ChaosArgs, seed: u64) -> String {
    let program = match std::env::var_os("CARGO") {
        Some(_) if cfg!(debug_assertions) => "cargo run -p galley-bench --".to_owned(),
        Some(_) => "cargo run --release -p galley-bench --".to_owned(),
        None => std::env::args().next().unwrap_or_else(|| "galley-bench".to_owned()),
    };
    let mut command = format!("{program} chaos --minutes {} --seed {seed}", args.minutes);
    if let Some(mode) = args.pooler {
        command += &format!(" --pooler {mode:?}").to_lowercase();
    }
    for (name, path) in [("--galley", &args.galley), ("--dir", &args.dir)] {
        if let Some(path) = path {
            command += &format!(" {name} '{}'", path.display());
        }
    }
    command
}

async fn one(
    seed: u64,
    length: Duration,
    galley: &Path,
    pooler: Option<PoolMode>,
    server: &mut Server,
    folder: &Path,
) -> anyhow::Result<verdict::Verdict> {
    let name = format!("chaos_{seed}");
    let database = server.database(&name, folder).await?;
    let mut keys = keys(&database).await?;
    let (peer, blog) = (Peer::start(seed).await?, Blog::start(seed).await?);
    let pooler = match pooler {
        Some(mode) => Some(Pooler::start(server.socket_dir(), &name, mode, POOLER).await),
        None => None,
    };
    let socket = pooler.as_ref().map_or_else(|| server.socket(), Pooler::socket);
    // Without its capabilities root does not get to the socket, so everybody comes by a port.
    let mut proxies = Vec::new();
    for _ in 0..=WORKERS {
        proxies.push(Proxy::start(socket.clone()).await?);
    }
    let past = Proxy::start(server.socket()).await?;
    let ways = Ways {
        urls: proxies.iter().map(|proxy| server.url_over(proxy.port(), &name)).collect(),
        direct: pooler.as_ref().map(|_| server.url_over(past.port(), &name)),
    };
    let peers =
        Peers { model: peer.port(), blog: blog.port(), envelope_key: galley_vault::new_key()?.expose().to_owned() };
    let mut processes = Processes::new(galley, folder, ways, peers).await?;
    processes.revive()?;
    let mut desk = Desk::open(seed, processes.front(), keys.split_off(KEYS / 2), blog.port()).await?;
    let mut client = Client::new(seed, processes.front(), keys, desk.project.clone());
    let site = Site::new(folder.join("data").join("site"));
    let mut stage =
        Stage { server, database, processes, proxies, peer, blog, site, cuts: 0, publishers: 0, posters: 0, faults: 0 };

    stage.in_peace(&client, &desk, "before").await?;
    let before = Rest::settled(&stage.processes.pids()?, &stage.database, REST).await?;
    let plan = Plan::new(seed, length);
    client.start();
    desk.start();
    stage.play(&plan, length).await?;
    tokio::join!(client.stop(), desk.stop());
    let quiet = stage.end_faults(&client).await?;
    stage.in_peace(&client, &desk, "after").await?;
    let (ledger, told) = (client.told(), desk.told());
    sweep::once(&stage.database, &folder.join("data")).await?;
    let (after, excess) = before.back(&stage.processes.pids()?, &stage.database, REST).await?;
    let exits = stage.processes.stop_all().await?;

    let run = verdict::Run {
        ledger: &ledger,
        told: &told,
        blog: &stage.blog.found(),
        plan: &plan,
        cuts: stage.cuts,
        publishers: stage.publishers,
        posters: stage.posters,
        site_faults: stage.faults,
        quiet,
        exits: &exits,
        logs: &stage.processes.logs(),
        calls: stage.peer.calls(),
        excess: &excess,
        sleeps: stage.processes.sleeps(),
        rests: [before.line(), after.line()],
    };
    let mut connection = stage.database.connect().await?;
    let verdict = verdict::judge(&mut connection, &folder.join("data"), &run).await?;
    connection.close().await?;
    if verdict.faults.is_empty() {
        stage.server.drop(&name).await?;
    }
    Ok(verdict)
}

/// Makes a tenant with credits, and its keys.
async fn keys(database: &Database) -> anyhow::Result<Vec<String>> {
    let parts = Parts::on(database, &spread(6)).await?;
    let mut keys = Vec::new();
    for at in 0..KEYS {
        keys.push(parts.services.create_key(parts.org, &KeyRequest::full(&format!("chaos {at}"))).await?.secret);
    }
    parts.close().await;
    Ok(keys)
}

/// What a plan is played on.
struct Stage<'a> {
    server: &'a mut Server,
    database: Database,
    processes: Processes,
    /// What each process reaches the database through.
    proxies: Vec<Proxy>,
    peer: Peer,
    blog: Blog,
    site: Site,
    cuts: u32,
    publishers: u32,
    posters: u32,
    faults: u32,
}

impl Stage<'_> {
    /// The same work before and after the plan: without faults all of it must be done.
    async fn in_peace(&mut self, client: &Client, desk: &Desk, name: &str) -> anyhow::Result<()> {
        self.processes.revive()?;
        client.load(name, LOAD).await?;
        let ended = verdict::wait_until_ended(&self.database, &mut self.processes, QUIET).await?;
        anyhow::ensure!(ended.is_some(), "orders that were taken {name} the faults do not end");
        desk.in_peace(name).await?;
        let settled = settle::wait(&self.database, &mut self.processes, &self.blog, QUIET).await?;
        anyhow::ensure!(settled.is_some(), "publications {name} the faults do not end");
        Ok(())
    }

    async fn play(&mut self, plan: &Plan, length: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        for (at, event) in &plan.events {
            tokio::time::sleep((*at).saturating_sub(began.elapsed())).await;
            match event {
                Event::Kill(process) => self.processes.kill(*process).await?,
                Event::Terminate(process) => self.processes.terminate(*process)?,
                Event::CutConnections { all } => self.cuts += self.server.cut(&self.database.name, *all).await?,
                Event::StopPostgres(away) => self.outage(None, *away).await?,
                Event::StartInOutage(process, away) => self.outage(Some(*process), *away).await?,
                Event::OnlyReads(time) => self.server.only_reads(*time).await?,
                Event::Refuse(time) => self.cuts += self.server.refuse(&self.database.name, *time).await?,
                Event::Stall(worker, time) => self.proxies[*worker].stall(*time),
                Event::Pause(worker, time) => self.processes.pause(*worker, *time)?,
                Event::Site(fault, time) => self.faults += u32::from(self.site.fail(*fault, *time).await?),
                Event::KillPublisher => {
                    let killed = publisher::kill(self.site.folder(), &self.database, &mut self.processes).await?;
                    self.publishers += u32::from(killed);
                }
                Event::KillPoster(delay) => {
                    let killed = publisher::kill_poster(*delay, &self.database, &mut self.processes).await?;
                    self.posters += u32::from(killed);
                }
                Event::Mood(mood) => self.peer.mood(*mood),
                Event::BlogMood(mood) => self.blog.mood(*mood),
                Event::StopBlog(time) => self.blog.stop(*time),
            }
            self.processes.revive()?;
        }
        tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
        Ok(())
    }

    /// The server is away for so long; a process may die with it and be back first.
    async fn outage(&mut self, dies: Option<usize>, away: Duration) -> anyhow::Result<()> {
        self.server.take_away().await?;
        if let Some(process) = dies {
            self.processes.kill(process).await?;
            self.processes.revive()?;
        }
        tokio::time::sleep(away).await;
        self.server.bring_back().await
    }

    /// How long it takes from the last fault until everything has ended.
    async fn end_faults(&mut self, client: &Client) -> anyhow::Result<Option<Duration>> {
        self.peer.mood(0);
        self.blog.heal();
        self.proxies.iter().for_each(Proxy::heal);
        self.processes.wake()?;
        self.site.heal().await?;
        self.processes.revive()?;
        client.resume_all().await?;
        settle::wait(&self.database, &mut self.processes, &self.blog, QUIET).await
    }
}

/// A number of this run's processes: the front is 0.
pub(crate) fn any_process(random: &mut fastrand::Rng) -> usize {
    random.usize(0..=WORKERS)
}

pub(crate) fn any_worker(random: &mut fastrand::Rng) -> usize {
    random.usize(1..=WORKERS)
}

/// A port that was free a moment ago.
pub(crate) async fn free_port() -> anyhow::Result<u16> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

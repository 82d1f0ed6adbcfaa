//! Takes the project's figures. `docs/performance.md` says what they mean.

mod chaos;
mod child;
mod figures;
mod goals;
mod load;
mod model;
mod play;
mod proc;
mod program;
mod report;
mod world;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use figures::{Bench, Scale};
use report::Report;
use world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    All,
    Steps,
    Latency,
    Inflight,
    Growth,
    Fairness,
    Http,
    Start,
    Wide,
    Horizon,
    Reading,
    Articles,
    Streaming,
    Scale,
    Promises,
    Truth,
}

impl Name {
    const EACH: [Self; 15] = [
        Self::Steps,
        Self::Latency,
        Self::Inflight,
        Self::Growth,
        Self::Fairness,
        Self::Http,
        Self::Start,
        Self::Wide,
        Self::Horizon,
        Self::Reading,
        Self::Articles,
        Self::Streaming,
        Self::Scale,
        Self::Promises,
        Self::Truth,
    ];
}

/// Takes the project's figures on this machine. Build it with --release.
#[derive(Debug, Parser)]
#[command(name = "galley-bench", max_term_width = 110)]
struct Cli {
    /// The figures to take [default: all].
    names: Vec<Name>,
    /// End with an error that names each goal that was missed.
    #[arg(long)]
    check: bool,
    /// Fewer rounds and smaller counts.
    #[arg(long)]
    quick: bool,
    /// Rounds of what is measured in rounds [default: 5, or 2 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    rounds: Option<u8>,
    /// Finished steps that are in the tables before `horizon`.
    #[arg(long, default_value_t = 100_000)]
    finished: u32,
    /// How long the transaction of `horizon` stays open [default: 1, or a quarter with --quick].
    #[arg(long)]
    minutes: Option<f64>,
    /// Write logs as the daemon does by default (and throw them away), to see what they cost.
    #[arg(long, global = true)]
    logs: bool,
    /// Where the database is made; on the disk that is to be measured [default: the temporary folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The program for the figures that measure the program itself [default: built anew by cargo, or the one beside this program].
    #[arg(long, value_name = "FILE")]
    galley: Option<PathBuf>,
    /// Where the results are written [default: bench/results.json].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Real processes under a plan of faults, and everything that was promised counted afterwards.
    Chaos(chaos::ChaosArgs),
    #[command(flatten)]
    Child(child::Role),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.logs {
        let filter =
            tracing_subscriber::EnvFilter::new("info,apalis=warn,apalis_core=warn,sqlx=warn,sea_orm_migration=warn");
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::sink).init();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("galley-bench: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(async {
        match cli.command {
            Some(Command::Chaos(args)) => chaos::run(args).await,
            Some(Command::Child(role)) => role.play().await.map(|()| true),
            None => take(cli).await,
        }
    });
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("galley-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False when `--check` was asked for and a goal was missed.
async fn take(cli: Cli) -> anyhow::Result<bool> {
    if cfg!(debug_assertions) {
        eprintln!(
            "this is a debug build: its figures say nothing about a release (cargo run --release -p galley-bench)"
        );
    }
    let all = cli.names.is_empty() || cli.names.contains(&Name::All);
    let rounds = cli.rounds.map_or(if cli.quick { 2 } else { 5 }, usize::from);
    let minutes = cli.minutes.unwrap_or(if cli.quick { 0.25 } else { 1.0 });
    let dir = cli.dir.clone().unwrap_or_else(std::env::temp_dir);
    let before = load_average();
    let mut bench = Bench {
        world: World::start(&dir).await?,
        report: Report::new(cli.quick),
        scale: Scale {
            quick: cli.quick,
            rounds,
            finished: cli.finished,
            open: Duration::from_secs_f64(minutes * 60.0),
        },
        logs: cli.logs,
        galley: cli.galley.clone(),
    };
    let names = Name::EACH.into_iter().filter(|name| all || cli.names.contains(name));
    let ended = tokio::select! {
        ended = figures(names, &mut bench) => ended,
        ended = interrupted() => ended,
    };
    bench.report.note(machine(&before));
    let Bench { world, report, .. } = bench;
    world.stop().await?;
    print!("{}", report.table());
    let out = cli.out.unwrap_or_else(default_out);
    report.save(&out)?;
    ended?;
    let missed = report.missed();
    for miss in missed.iter().filter(|_| cli.check) {
        eprintln!("missed: {miss}");
    }
    Ok(!cli.check || missed.is_empty())
}

async fn figures(names: impl Iterator<Item = Name>, bench: &mut Bench) -> anyhow::Result<()> {
    for name in names {
        figure(name, bench).await?;
    }
    Ok(())
}

/// An error at SIGINT or SIGTERM, so that the server is stopped and its gigabytes are removed all the same.
async fn interrupted() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    anyhow::bail!("interrupted; what was taken until then is above")
}

async fn figure(name: Name, bench: &mut Bench) -> anyhow::Result<()> {
    eprintln!("{}", name.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default());
    match name {
        Name::All => Ok(()),
        Name::Steps => figures::steps::run(bench).await,
        Name::Latency => figures::latency::run(bench).await,
        Name::Inflight => figures::inflight::run(bench).await,
        Name::Growth => figures::growth::run(bench).await,
        Name::Fairness => figures::fairness::run(bench).await,
        Name::Http => figures::http::run(bench).await,
        Name::Start => figures::start::run(bench).await,
        Name::Wide => figures::wide::run(bench).await,
        Name::Horizon => figures::horizon::run(bench).await,
        Name::Reading => figures::reading::run(bench).await,
        Name::Articles => figures::articles::run(bench).await,
        Name::Streaming => figures::streaming::run(bench).await,
        Name::Scale => figures::scale::run(bench).await,
        Name::Promises => figures::promises::run(bench).await,
        Name::Truth => figures::truth::run(bench).await,
    }
}

/// How much this machine had to do in the last minute: what other programs took is missing in the figures.
fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

fn machine(before: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores; load average {before} before the first figure, {} after the last", load_average())
}

/// In the crate's folder when cargo runs the program, else here.
fn default_out() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default().join("results.json")
}

//! Parts of Galley in a process of their own: this program again, with a hidden subcommand. A child ends when its
//! standard input does, so none outlives its parent.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, time::Duration};

use anyhow::Context;
use clap::Subcommand;
use galley::http::{AppState, RateLimits};
use galley_domain::article;
use poem::{
    EndpointExt, Response, Server,
    endpoint::make_sync,
    listener::{Acceptor, Listener, TcpListener},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

use crate::{
    figures::Bench,
    play::{Play, Working},
    world::{Database, Parts, spread},
};

/// How long a child may take to end when it is asked to.
const ENDING: Duration = Duration::from_secs(30);
/// What a child says when it works.
const READY: &str = "ready";
/// About as long as a task in JSON.
const CONSTANT: &str = include_str!("constant.json");

#[derive(Debug, Subcommand)]
pub enum Role {
    /// An engine; prints a stamp for each step.
    #[command(hide = true)]
    ChildEngine {
        #[arg(long)]
        url: String,
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        slots: usize,
        /// All slots are for research, and its steps sleep.
        #[arg(long)]
        asleep: bool,
    },
    /// The front, without limits on calls; prints its port, and that of a server that answers a constant.
    #[command(hide = true)]
    ChildFront {
        #[arg(long)]
        url: String,
        #[arg(long)]
        folder: PathBuf,
    },
}

impl Role {
    pub async fn play(self) -> anyhow::Result<()> {
        let work = async {
            match self {
                Self::ChildEngine { url, folder, slots, asleep } => engine(&url, folder, slots, asleep).await,
                Self::ChildFront { url, folder } => front(&url, folder).await,
            }
        };
        tokio::select! {
            ended = work => ended,
            () = parent_gone() => Ok(()),
        }
    }
}

/// Resolves when nobody can write to our standard input any more.
async fn parent_gone() {
    let (over, gone) = oneshot::channel::<()>();
    // A thread that is not the runtime's: one that still reads would keep the process from ending.
    std::thread::spawn(move || {
        let _over = over;
        // An error is an end too.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    });
    // Its sender goes with the thread.
    let _ = gone.await;
}

async fn engine(url: &str, folder: PathBuf, slots: usize, asleep: bool) -> anyhow::Result<()> {
    let slots = if asleep { BTreeMap::from([(article::RESEARCH, slots)]) } else { spread(slots) };
    let parts = Parts::open(url, &folder, &slots).await?;
    let (told, mut stamps) = mpsc::unbounded_channel();
    let _engine = Working::start(&parts, &if asleep { Play::Asleep(told) } else { Play::Stamped(told) });
    println!("{READY}");
    while let Some(stamp) = stamps.recv().await {
        println!("{stamp}");
    }
    Ok(())
}

async fn front(url: &str, folder: PathBuf) -> anyhow::Result<()> {
    let parts = Parts::open(url, &folder, &BTreeMap::new()).await?;
    let mut state = AppState::new(parts.services.clone(), parts.notifications.clone());
    let many = 1_000_000_000;
    state.limits.rates = RateLimits { general: many, content: many, ai: many, auth: many, ..RateLimits::default() };
    let most = 10_000;
    (state.limits.streams, state.limits.streams_per_organization, state.limits.streams_per_key) = (most, most, most);
    (state.limits.connections, state.limits.connections_per_address) = (most, 0);
    let constant = make_sync(|_| Response::builder().content_type("application/json").body(CONSTANT)).boxed();
    let (front, front_port) = bind().await?;
    let (plain, constant_port) = bind().await?;
    println!("{READY} {front_port} {constant_port}");
    // The front behind its own server, with all that it does for a connection.
    tokio::try_join!(
        galley::http::serve(front, state, CancellationToken::new(), Duration::ZERO),
        Server::new_with_acceptor(plain).run(constant),
    )?;
    Ok(())
}

async fn bind() -> anyhow::Result<(impl Acceptor + 'static, u16)> {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    let local = acceptor.local_addr().into_iter().next().context("no address")?;
    let port = local.as_socket_addr().context("no port")?.port();
    Ok((acceptor, port))
}

/// A child, seen from its parent.
#[derive(Debug)]
pub struct Spawned {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Spawned {
    pub async fn engine(bench: &Bench, database: &Database, slots: usize, asleep: bool) -> anyhow::Result<Self> {
        let mut command = Self::command(bench, "child-engine", database)?;
        command.args(["--slots", &slots.to_string()]);
        if asleep {
            command.arg("--asleep");
        }
        let mut child = Self::spawn(command)?;
        let line = child.line().await?;
        anyhow::ensure!(line == READY, "the engine's process said {line}");
        Ok(child)
    }

    /// With the port of the front and that of the constant.
    pub async fn front(bench: &Bench, database: &Database) -> anyhow::Result<(Self, u16, u16)> {
        let mut child = Self::spawn(Self::command(bench, "child-front", database)?)?;
        let line = child.line().await?;
        let ports = line.strip_prefix(READY).with_context(|| format!("the front's process said {line}"))?;
        let (front, constant) = ports.trim().split_once(' ').context("two ports")?;
        Ok((child, front.parse()?, constant.parse()?))
    }

    fn command(bench: &Bench, role: &str, database: &Database) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).args(["--url", &database.url]).arg("--folder").arg(&database.dir);
        if bench.logs {
            command.arg("--logs");
        }
        Ok(command)
    }

    /// Any program that says on standard output how far it is.
    pub fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = process.stdout.take().context("no standard output")?;
        Ok(Self { process, lines: BufReader::new(stdout).lines() })
    }

    pub fn pid(&self) -> anyhow::Result<u32> {
        self.process.id().context("the child has ended")
    }

    pub async fn line(&mut self) -> anyhow::Result<String> {
        self.lines.next_line().await?.context("the child has ended")
    }

    /// Asks the child to end, and waits.
    pub async fn end(mut self) -> anyhow::Result<()> {
        drop(self.process.stdin.take());
        if tokio::time::timeout(ENDING, self.process.wait()).await.is_err() {
            self.process.kill().await?;
        }
        Ok(())
    }

    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}

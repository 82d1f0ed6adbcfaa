//! `galley up`, `galley api`, `galley work`: the daemon, whole or in parts.

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use crate::http::{self, AppState};
use anyhow::Context;
use clap::Args;
use galley_domain::{OrgId, task::StepKind};
use galley_services::{ServiceError, pipelines};
use galley_store::StoreError;
use poem::{listener::TcpListener, web::LocalAddr};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{first_key, metrics, stopping};
use crate::{
    compose::Parts,
    config::{Config, Flags},
    data_folder,
    telemetry::{self, Audience},
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub listen: ListenArgs,
    /// Put the API key of the first start into this new file [default: shown on a terminal; else first-key in the data
    /// folder].
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Address and port [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl ListenArgs {
    pub fn flags(&self, flags: Flags) -> Flags {
        flags.set("listen", self.listen.as_ref())
    }
}

#[derive(Debug, Args)]
pub struct WorkArgs {
    /// The kinds of steps to work on; all when not given.
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    steps: Vec<StepKind>,
    /// Steps of each of these kinds at once.
    #[arg(long, value_name = "N")]
    concurrency: Option<usize>,
}

impl WorkArgs {
    pub fn flags(&self, mut flags: Flags) -> Flags {
        for kind in self.kinds() {
            flags = flags.set(&format!("steps.{kind}.concurrency"), self.concurrency);
        }
        flags
    }

    fn kinds(&self) -> Vec<StepKind> {
        if self.steps.is_empty() { pipelines::registry().kinds().collect() } else { self.steps.clone() }
    }
}

/// Cancelled at SIGINT or SIGTERM. A second signal ends the process at once.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let token = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            if token.is_cancelled() {
                std::process::exit(130);
            }
            token.cancel();
        }
    });
    Ok(stop)
}

/// Calls until it works, the process is asked to stop (none), or it fails for a reason that does not pass by itself: after
/// a power cut the daemon may be back before its database.
async fn once_there<T>(
    stop: &CancellationToken,
    mut call: impl AsyncFnMut() -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            called = call() => match called {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error,
            },
        };
        // A use case's error passes for the database's, so the one is not among the causes of the other.
        let passes = error.chain().any(|cause| match cause.downcast_ref::<ServiceError>() {
            Some(ServiceError::Store(error)) => error.is_unavailable(),
            _ => cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_unavailable),
        });
        if !passes {
            return Err(error);
        }
        tracing::warn!(retry_in = ?pause, "{error:#}; waiting for it");
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Database and use cases, and the first organization.
async fn opened(config: Config, stop: &CancellationToken) -> anyhow::Result<Option<(Parts, OrgId)>> {
    data_folder::make(&config)?;
    data_folder::tell(&config);
    let Some(mut parts) = once_there(stop, async || Parts::open(config.clone()).await).await? else { return Ok(None) };
    match once_there(stop, async || parts.organization().await).await {
        Ok(Some(org)) => {
            parts.listen();
            Ok(Some((parts, org)))
        }
        ended => {
            parts.close().await;
            ended.map(|_| None)
        }
    }
}

/// Everything in one process.
pub async fn up(config: Config, key_file: Option<&Path>) -> anyhow::Result<u8> {
    let stop = stop_signal()?;
    let _log = telemetry::start(&config.log, Audience::Operator)?;
    let Some((mut parts, org)) = opened(config, &stop).await? else { return Ok(0) };
    if let Err(error) = first_key::make(&parts, org, key_file).await {
        parts.close().await;
        return Err(error);
    }
    let engine = parts.engine(Vec::new()).await?;
    let (in_flight, worked) = (engine.in_flight(), CancellationToken::new());
    let mut state = state(&parts, &stop);
    let stats = engine.stats();
    state.metrics = Arc::new(move |text| metrics::render(&stats, text));
    state.others = worked.clone();
    let telling = stopping::tell(stop.clone(), drain(&parts), in_flight, state.connections.clone());
    // Cancelled however the engine ends.
    let worked = worked.drop_guard();
    let working = engine.run(stop.clone());
    let working = tokio::spawn(async move {
        working.await;
        drop(worked);
    });
    let done = tokio::select! {
        done = together(&stop, working, serve(&parts, state)) => done,
        never = telling => match never {},
    };
    parts.close().await;
    done.map(|()| 0)
}

/// Waits for workers and front. One that ends takes the other with it: a front without workers would take orders that
/// nobody works on.
async fn together(
    stop: &CancellationToken,
    working: JoinHandle<()>,
    serving: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let (mut working, mut serving) = (working, pin!(serving));
    let (worked, served);
    let mut early = false;
    tokio::select! {
        ended = &mut working => {
            early = !stop.is_cancelled();
            stop.cancel();
            (worked, served) = (ended, serving.await);
        }
        ended = &mut serving => {
            stop.cancel();
            (worked, served) = (working.await, ended);
        }
    }
    worked.context("the engine panicked")?;
    anyhow::ensure!(!early, "the engine ended by itself");
    served
}

/// The front alone.
pub async fn api(config: Config) -> anyhow::Result<u8> {
    let stop = stop_signal()?;
    let _log = telemetry::start(&config.log, Audience::Operator)?;
    let Some((parts, _)) = opened(config, &stop).await? else { return Ok(0) };
    let state = state(&parts, &stop);
    let telling = stopping::tell(stop, drain(&parts), || 0, state.connections.clone());
    let served = tokio::select! {
        served = serve(&parts, state) => served,
        never = telling => match never {},
    };
    parts.close().await;
    served.map(|()| 0)
}

/// Workers alone.
pub async fn work(config: Config, args: &WorkArgs) -> anyhow::Result<u8> {
    let stop = stop_signal()?;
    let _log = telemetry::start(&config.log, Audience::Operator)?;
    let Some((mut parts, _)) = opened(config, &stop).await? else { return Ok(0) };
    let kinds = args.kinds();
    tracing::info!(kinds = ?kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), "working");
    let engine = parts.engine(kinds).await?;
    let telling = stopping::tell(stop.clone(), drain(&parts), engine.in_flight(), TaskTracker::new());
    tokio::select! {
        () = engine.run(stop) => {}
        never = telling => match never {},
    }
    parts.close().await;
    Ok(0)
}

/// How long what is in flight may go on after the signal to stop.
fn drain(parts: &Parts) -> Duration {
    Duration::from_secs(parts.config.engine.drain_seconds)
}

fn state(parts: &Parts, stop: &CancellationToken) -> AppState {
    let mut state = AppState::new(parts.services.clone(), parts.notifications.clone());
    state.stop = stop.clone();
    state.limits = parts.config.limits.http();
    state
}

/// Whether nobody but this machine can ask there.
fn is_of_this_machine(local: &LocalAddr) -> bool {
    local.as_socket_addr().is_none_or(|address| address.ip().to_canonical().is_loopback())
}

async fn serve(parts: &Parts, mut state: AppState) -> anyhow::Result<()> {
    let address = &parts.config.listen;
    let listener = TcpListener::bind(address.clone());
    let acceptor = poem::listener::Listener::into_acceptor(listener)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another with --listen"))?;
    let local = poem::listener::Acceptor::local_addr(&acceptor);
    let shown = local
        .first()
        .map_or_else(|| address.clone(), |local| local.to_string().trim_start_matches("socket://").to_owned());
    println!("Galley is ready on http://{shown} (documentation: http://{shown}/docs)");
    state.metrics_access = parts.config.metrics.access(local.iter().all(is_of_this_machine));
    println!("Figures for Prometheus: http://{shown}/metrics ({})", metrics::told(&state.metrics_access));
    let stop = state.stop.clone();
    http::serve(acceptor, state, stop, drain(parts)).await.context("the front ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn front(stop: CancellationToken) -> anyhow::Result<()> {
        stop.cancelled().await;
        Ok(())
    }

    /// Also where a use case's error carries the database's. (The other way is what the tests of the daemon meet.)
    #[tokio::test]
    async fn what_passes_is_waited_for_and_what_does_not_is_told() {
        let unreachable =
            |passing| StoreError::Unreachable { place: "here".into(), cause: "away".into(), way_out: "wait", passing };
        let stop = CancellationToken::new();
        let mut calls = 0;
        let called = once_there(&stop, async || {
            calls += 1;
            match calls {
                1 => Err(anyhow::Error::new(ServiceError::Store(unreachable(true))).context("first organization")),
                _ => Ok(calls),
            }
        });
        assert_eq!(called.await.expect("it passes"), Some(2));
        let refused = once_there(&stop, async || Err::<(), _>(ServiceError::Store(unreachable(false)).into())).await;
        assert!(refused.is_err());
    }

    #[tokio::test]
    async fn an_engine_that_ends_by_itself_ends_the_front() {
        for panics in [false, true] {
            let stop = CancellationToken::new();
            let engine = tokio::spawn(async move { assert!(!panics, "on purpose") });
            let error = together(&stop, engine, front(stop.clone())).await.expect_err("that is no success");
            assert!(error.to_string().contains("the engine"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_front_that_fails_ends_the_engine_and_a_signal_ends_both() {
        let stop = CancellationToken::new();
        let engine = tokio::spawn(stop.clone().cancelled_owned());
        let error = together(&stop, engine, async { anyhow::bail!("no port") }).await.expect_err("that is no success");
        assert_eq!(error.to_string(), "no port");

        let stop = CancellationToken::new();
        let engine = tokio::spawn(stop.clone().cancelled_owned());
        stop.cancel();
        assert!(together(&stop, engine, front(stop.clone())).await.is_ok(), "this is how it should end");
    }
}

//! The runner. One claimer and one heartbeat per process, one apalis worker per kind of step.

mod attempt;
mod claimer;
mod committer;
mod held;
mod keeper;
mod slots;
mod source;
mod stats;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apalis::layers::{WorkerBuilderExt, catch_panic::CatchPanicLayer, tracing::TraceLayer};
use apalis_core::{monitor::Monitor, task::Task, worker::builder::WorkerBuilder};
use async_trait::async_trait;
use galley_domain::{Fault, OrgId, task::StepKind, usage::Meter};
use galley_services::{Known, Services, StepOutput, Wakes, What};
use galley_store::{ClaimedStep, StoreError};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use attempt::{AttemptLayer, Panicked, RunStep};
use committer::{Committer, Lane};
use held::{Held, Lease};
use slots::{Pool, Seat};
use source::StepSource;
pub use stats::EngineStats;

/// One kind of step: what an attempt does. Writing the end is the engine's business.
#[async_trait]
pub trait Step: Send + Sync + 'static {
    fn kind(&self) -> StepKind;

    /// Runs one attempt. Dropping the future must stop the work.
    async fn run(&self, cx: &StepContext) -> Result<StepOutput, StepError>;
}

/// Why an attempt brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Too early; the attempt is given back.
    #[error("not yet")]
    Snooze(Duration),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a running step has at hand.
#[derive(Debug, Clone)]
pub struct StepContext {
    pub services: Services,
    pub step: ClaimedStep,
    pub meter: Meter,
    reporter: (Committer, Lease),
}

impl StepContext {
    /// Tenant and task. A maintenance step has none, and its handler does not ask.
    pub fn owner(&self) -> Result<(OrgId, Uuid), StepError> {
        self.step.owner.ok_or_else(|| StoreError::Unreadable("this step belongs to no task".into()).into())
    }

    /// Tells listeners how far the step has come. A message that cannot be written is not worth failing for.
    pub async fn report(&self, message: &str) {
        let (committer, lease) = &self.reporter;
        if let Err(error) = committer.write(lease, What::Progress(message.to_owned())).await {
            tracing::debug!(%error, "progress could not be reported");
        }
    }
}

#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The name of this process, for operators.
    pub worker: String,
    /// The kinds to work on.
    pub kinds: Vec<StepKind>,
    /// The most steps at once, of all kinds together; each kind has its own limit besides.
    pub concurrency: usize,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// The slow tick that covers lost notifications.
    pub tick: Duration,
    /// How long in-flight steps may go on after the signal to stop.
    pub drain: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            worker: format!("galley-{}", std::process::id()),
            kinds: StepKind::ALL.to_vec(),
            concurrency: usize::MAX,
            lease: Duration::from_secs(30),
            tick: Duration::from_secs(5),
            drain: Duration::from_secs(20),
        }
    }
}

/// What all parts of the engine share.
#[derive(Debug)]
pub(crate) struct Shared {
    services: Services,
    wakes: Wakes,
    settings: EngineSettings,
    held: Held,
    pool: Pool,
    /// One for each kind that is worked on; none once nothing more is to begin.
    feeds: Mutex<BTreeMap<StepKind, mpsc::Sender<Lease>>>,
    committer: Committer,
    stats: EngineStats,
}

impl Shared {
    fn feeds(&self) -> MutexGuard<'_, BTreeMap<StepKind, mpsc::Sender<Lease>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn runs(&self, kind: StepKind) -> bool {
        self.feeds().contains_key(&kind)
    }

    /// Nothing more begins; the workers end when they are idle.
    fn close(&self) {
        self.pool.close();
        self.feeds().clear();
    }

    /// Hands a step that is leased to its worker. False when there is no room or nothing more is to begin.
    fn launch(&self, step: ClaimedStep, known: Known, seat: Option<Seat>) -> bool {
        seat.is_some_and(|seat| self.feed(self.held.take(step, known, seat)))
    }

    fn feed(&self, lease: Lease) -> bool {
        let kind = lease.step().kind;
        let fed = self.feeds().get(&kind).is_some_and(|feed| feed.try_send(lease).is_ok());
        if fed {
            self.stats.claimed(kind);
        }
        fed
    }
}

/// The engine of one process.
pub struct Engine {
    shared: Arc<Shared>,
    lanes: Vec<Lane>,
    steps: BTreeMap<StepKind, Arc<dyn Step>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("kinds", &self.steps.keys()).finish_non_exhaustive()
    }
}

impl Engine {
    pub fn new(services: Services, wakes: Wakes, settings: EngineSettings, steps: Vec<Arc<dyn Step>>) -> Self {
        let steps: BTreeMap<_, _> = steps
            .into_iter()
            .map(|step| (step.kind(), step))
            .filter(|(kind, _)| settings.kinds.contains(kind))
            .collect();
        let slots: BTreeMap<StepKind, usize> =
            steps.keys().map(|kind| (*kind, services.settings().policy(*kind).concurrency)).collect();
        let (committer, lanes) = Committer::new(slots.values().sum::<usize>().min(settings.concurrency));
        let pool = Pool::new(slots, settings.concurrency);
        let (held, stats) = (Held::default(), EngineStats::default());
        let feeds = Mutex::default();
        let shared = Shared { services, wakes, settings, held, pool, feeds, committer, stats };
        Self { shared: Arc::new(shared), lanes, steps }
    }

    /// Figures for metrics.
    pub fn stats(&self) -> EngineStats {
        self.shared.stats.clone()
    }

    /// Works until `stop` is cancelled, then drains: no new claims, in-flight steps get the drain time, and what is not
    /// done by then gives its lease back without losing an attempt.
    pub async fn run(self, stop: CancellationToken) {
        let mut monitor = Monitor::new().should_restart(|_, _| true);
        for (kind, step) in self.steps {
            let slots = self.shared.services.settings().policy(kind).concurrency;
            let (feed, source) = StepSource::channel(slots);
            self.shared.feeds().insert(kind, feed);
            let shared = Arc::clone(&self.shared);
            monitor = monitor.register(move |_| {
                let policy = shared.services.settings().policy(kind);
                WorkerBuilder::new(format!("{}/{kind}", shared.settings.worker))
                    .backend(source.clone())
                    .concurrency(policy.concurrency)
                    .layer(
                        TraceLayer::new()
                            .make_span_with(|task: &Task<Lease>| span_of(task))
                            .on_request(|_: &Task<Lease>, _: &tracing::Span| {})
                            .on_response(()),
                    )
                    .layer(AttemptLayer::new(Arc::clone(&shared)))
                    .timeout(policy.timeout)
                    .layer(CatchPanicLayer::with_panic_handler(Panicked::new))
                    .build(RunStep::new(Arc::clone(&shared), Arc::clone(&step)))
            });
        }
        let keepers = CancellationToken::new();
        // Whoever drops this future stops all of it: the parts go with the set.
        let mut parts = JoinSet::new();
        parts.spawn(keeper::heartbeat(Arc::clone(&self.shared), keepers.clone()));
        parts.spawn(keeper::watch_cancels(Arc::clone(&self.shared), keepers.clone()));
        for lane in self.lanes {
            parts.spawn(lane.run(Arc::clone(&self.shared), keepers.clone()));
        }
        parts.spawn(claimer::run(Arc::clone(&self.shared), stop.clone()));
        parts.spawn(drain(Arc::clone(&self.shared), stop.clone(), keepers.clone()));
        let workers = monitor.run();
        tokio::pin!(workers);
        loop {
            tokio::select! {
                // The workers end when the claimer has dropped their feeds and nothing is in flight.
                ended = &mut workers => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "the workers ended with an error");
                    }
                    break;
                }
                // Without one of its parts the engine would hold leases that nobody renews: it stops.
                Some(Err(error)) = parts.join_next() => {
                    tracing::error!(%error, "a part of the engine panicked; the engine stops");
                    stop.cancel();
                }
            }
        }
        stop.cancel();
        keepers.cancel();
        while let Some(ended) = parts.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the engine panicked");
            }
        }
    }
}

/// After the signal to stop and the drain time: whatever still runs is asked to give its lease back.
async fn drain(shared: Arc<Shared>, stop: CancellationToken, idle: CancellationToken) {
    stop.cancelled().await;
    // The claimer may be in the middle of a round; what ends meanwhile has no followers here.
    shared.pool.close();
    let running = shared.held.count();
    if running > 0 {
        tracing::info!(running, deadline = ?shared.settings.drain, "stopping; steps in flight may finish");
    }
    tokio::select! {
        () = idle.cancelled() => {}
        () = tokio::time::sleep(shared.settings.drain) => shared.held.stop_all(),
    }
}

fn span_of(task: &Task<Lease>) -> tracing::Span {
    let step = task.args.step();
    tracing::info_span!(
        "step",
        trace_id = %step.trace_id,
        org = step.owner.map(|(org, _)| tracing::field::display(org)),
        task = step.owner.map(|(_, task)| tracing::field::display(task)),
        step = %step.fence.step,
        kind = %step.kind,
        position = step.position,
        attempt = step.attempt,
    )
}

//! The engine of one process: one claimer and one heartbeat, one apalis worker per pool.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use apalis::layers::{WorkerBuilderExt, catch_panic::CatchPanicLayer, tracing::TraceLayer};
use apalis_core::{monitor::Monitor, task::Task, worker::builder::WorkerBuilder};
use galley_domain::task::{PoolName, StepKind};
use galley_store::{ClaimedStep, Store};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    attempt::{AttemptLayer, Panicked, RunStep, Steps},
    capacity::{Capacity, Permit},
    claimer,
    commit::{Commits, LastSeen},
    committer::{Committer, WriteShard},
    control::{CancelChildren, Control},
    keeper,
    leases::{Lease, Leases},
    notifications::Notifications,
    registry::Registry,
    source::StepSource,
    stats::EngineStats,
    step::Step,
};

#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The name of this process, for operators.
    pub worker: String,
    /// The kinds to work on; all that have a step here when empty.
    pub kinds: Vec<StepKind>,
    /// The most steps at once, of all pools together; each pool has its own limit besides.
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
            kinds: Vec::new(),
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
    pub(crate) commits: Commits,
    pub(crate) registry: Arc<Registry>,
    pub(crate) notifications: Notifications,
    pub(crate) settings: EngineSettings,
    pub(crate) leases: Leases,
    pub(crate) capacity: Capacity,
    /// How many pools there are.
    pub(crate) pools: usize,
    /// One for each pool that is worked in; none once nothing more is to begin.
    feeds: Mutex<BTreeMap<PoolName, mpsc::Sender<Lease>>>,
    pub(crate) committer: Committer,
    pub(crate) stats: EngineStats,
}

impl Shared {
    pub(crate) fn store(&self) -> &Store {
        &self.commits.store
    }

    fn feeds(&self) -> MutexGuard<'_, BTreeMap<PoolName, mpsc::Sender<Lease>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more begins; the workers end when they are idle.
    pub(crate) fn close(&self) {
        self.capacity.close();
        self.feeds().clear();
    }

    /// Hands a step that is leased to its worker. False when there is no permit or nothing more is to begin.
    pub(crate) fn launch(&self, step: ClaimedStep, last_seen: LastSeen, permit: Option<Permit>) -> bool {
        permit.is_some_and(|permit| self.feed(self.leases.take(step, last_seen, permit)))
    }

    fn feed(&self, lease: Lease) -> bool {
        let (kind, pool) = (lease.step().kind, lease.step().pool);
        let fed = self.feeds().get(&pool).is_some_and(|feed| feed.try_send(lease).is_ok());
        if fed {
            self.stats.claimed(kind);
        }
        fed
    }
}

/// The engine of one process.
pub struct Engine {
    shared: Arc<Shared>,
    shards: Vec<WriteShard>,
    steps: Steps,
    pools: BTreeMap<PoolName, usize>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("kinds", &self.steps.keys()).finish_non_exhaustive()
    }
}

impl Engine {
    pub fn new(
        store: Store,
        registry: Arc<Registry>,
        notifications: Notifications,
        mut settings: EngineSettings,
        mut steps: Vec<Arc<dyn Step>>,
    ) -> Self {
        steps.push(Arc::new(CancelChildren(Control::new(store.clone(), Arc::clone(&registry)))));
        let works_on = |kind: &StepKind| {
            registry.stage(*kind).is_some() && (settings.kinds.is_empty() || settings.kinds.contains(kind))
        };
        let steps: BTreeMap<_, _> =
            steps.into_iter().map(|step| (step.kind(), step)).filter(|(kind, _)| works_on(kind)).collect();
        settings.kinds = steps.keys().copied().collect();
        let pools = registry.pools_of(&settings.kinds);
        let permits = pools.values().sum::<usize>().min(settings.concurrency);
        let (committer, shards) = Committer::new(Arc::clone(&registry), permits);
        let shared = Shared {
            commits: Commits::new(store, Arc::clone(&registry)),
            registry,
            notifications,
            capacity: Capacity::new(pools.clone(), settings.concurrency),
            settings,
            leases: Leases::default(),
            pools: pools.len(),
            feeds: Mutex::default(),
            committer,
            stats: EngineStats::default(),
        };
        Self { shared: Arc::new(shared), shards, steps: Arc::new(steps), pools }
    }

    /// Figures for metrics.
    pub fn stats(&self) -> EngineStats {
        self.shared.stats.clone()
    }

    /// Tells how many steps this process holds at that moment; none once the engine has ended.
    pub fn in_flight(&self) -> impl Fn() -> usize + Send + Sync + use<> {
        let shared = Arc::downgrade(&self.shared);
        move || shared.upgrade().map_or(0, |shared| shared.leases.count())
    }

    fn workers(&self) -> Monitor {
        let mut monitor = Monitor::new().should_restart(|_, _| true);
        for (pool, slots) in &self.pools {
            let (pool, slots) = (*pool, *slots);
            let (feed, source) = StepSource::channel(slots);
            self.shared.feeds().insert(pool, feed);
            let (shared, steps) = (Arc::clone(&self.shared), Arc::clone(&self.steps));
            monitor = monitor.register(move |_| {
                WorkerBuilder::new(format!("{}/{pool}", shared.settings.worker))
                    .backend(source.clone())
                    .concurrency(slots)
                    .layer(
                        TraceLayer::new()
                            .make_span_with(|task: &Task<Lease>| span_of(task))
                            .on_request(|_: &Task<Lease>, _: &tracing::Span| {})
                            .on_response(()),
                    )
                    .layer(AttemptLayer::new(Arc::clone(&shared)))
                    .layer(CatchPanicLayer::with_panic_handler(Panicked::new))
                    .build(RunStep::new(Arc::clone(&shared), Arc::clone(&steps)))
            });
        }
        monitor
    }

    /// Works until `stop` is cancelled, then drains: no new claims, in-flight steps get the drain time, and what is not
    /// done by then gives its lease back without losing an attempt.
    pub async fn run(self, stop: CancellationToken) {
        let monitor = self.workers();
        let keepers = CancellationToken::new();
        // Whoever drops this future stops all of it: the parts go with the set.
        let mut parts = JoinSet::new();
        parts.spawn(keeper::heartbeat(Arc::clone(&self.shared), keepers.clone()));
        parts.spawn(keeper::watch_cancels(Arc::clone(&self.shared), keepers.clone()));
        for shard in self.shards {
            parts.spawn(shard.run(Arc::clone(&self.shared), keepers.clone()));
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
    shared.capacity.close();
    let running = shared.leases.count();
    if running > 0 {
        tracing::info!(running, deadline = ?shared.settings.drain, "stopping; steps in flight may finish");
    }
    tokio::select! {
        () = idle.cancelled() => {}
        () = tokio::time::sleep(shared.settings.drain) => shared.leases.stop_all(),
    }
}

fn span_of(task: &Task<Lease>) -> tracing::Span {
    let step = task.args.step();
    tracing::info_span!(
        "step",
        trace_id = %step.trace_id,
        org = step.org.map(tracing::field::display),
        task = step.task.map(tracing::field::display),
        step = %step.fence.step,
        kind = %step.kind,
        position = step.position,
        attempt = step.attempt,
    )
}

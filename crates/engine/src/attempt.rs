//! One attempt: begins it, runs it, and writes its end, whatever that is and however long the database is away.

use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use apalis_core::{error::BoxDynError, task::Task};
use galley_domain::{Fault, FaultCode, task::StepKind, usage::Usage};
use galley_store::{ClaimedStep, StoreError, outage};
use tower::{Layer, Service};

use crate::{
    commit::What,
    leases::{Lease, StopReason},
    pipeline::Output,
    runner::Shared,
    stats::{Ended, Part},
    step::{Outcome, Ran, Step, StepContext, StepError},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// An attempt that is over within this says that it began when it says how it ended.
const MOMENT: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// An attempt that the database's absence cut short starts again after this.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(1);

/// So often an end is written again that conflicts with what another transaction wrote in the same moment.
const MOST_CONFLICTS: u32 = 5;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A step panicked; counts as a failed attempt.
#[derive(Debug, thiserror::Error)]
#[error("the step panicked: {0}")]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn new(payload: &Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned()))
    }
}

/// An attempt took longer than its kind may.
#[derive(Debug, thiserror::Error)]
#[error("the attempt took longer than it may")]
struct TimedOut;

/// What runs each kind of step.
pub(crate) type Steps = Arc<BTreeMap<StepKind, Arc<dyn Step>>>;

/// The innermost service: the step itself, within its time.
#[derive(Clone)]
pub(crate) struct RunStep {
    shared: Arc<Shared>,
    steps: Steps,
}

impl RunStep {
    pub(crate) fn new(shared: Arc<Shared>, steps: Steps) -> Self {
        Self { shared, steps }
    }
}

impl Service<Task<Lease>> for RunStep {
    type Response = Output;
    type Error = BoxDynError;
    type Future = Boxed<Result<Output, BoxDynError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Lease>) -> Self::Future {
        let kind = task.args.step().kind;
        let step = self.steps.get(&kind).map(Arc::clone);
        let timeout = self.shared.registry.stage(kind).map(|stage| stage.policy.timeout);
        let cx = StepContext {
            step: task.args.step().clone(),
            meter: task.args.meter().clone(),
            reporter: (self.shared.committer.clone(), task.args.clone()),
        };
        Box::pin(async move {
            let unknown = || StoreError::Unreadable(format!("nothing here runs '{kind}'"));
            let (step, timeout) = step.zip(timeout).ok_or_else(unknown)?;
            match tokio::time::timeout(timeout, step.run(&cx)).await {
                Ok(ended) => ended.map_err(Into::into),
                Err(_) => Err(TimedOut.into()),
            }
        })
    }
}

/// Wraps timeout, panic guard and step; everything that is written about an attempt is written here.
#[derive(Clone)]
pub(crate) struct AttemptLayer {
    shared: Arc<Shared>,
}

impl AttemptLayer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl<S> Layer<S> for AttemptLayer {
    type Service = AttemptService<S>;

    fn layer(&self, inner: S) -> AttemptService<S> {
        AttemptService { shared: Arc::clone(&self.shared), inner }
    }
}

#[derive(Clone)]
pub(crate) struct AttemptService<S> {
    shared: Arc<Shared>,
    inner: S,
}

impl<S> Service<Task<Lease>> for AttemptService<S>
where
    S: Service<Task<Lease>, Response = Output> + Clone + Send + 'static,
    S::Error: Into<BoxDynError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = Boxed<Result<(), BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Lease>) -> Self::Future {
        let (shared, lease) = (Arc::clone(&self.shared), task.args.clone());
        let mut inner = self.inner.clone();
        Box::pin(async move {
            let running = Box::pin(async move { inner.call(task).await.map_err(Into::into) });
            attempt(&shared, &lease, running).await;
            Ok(())
        })
    }
}

async fn attempt(shared: &Shared, lease: &Lease, running: Boxed<Result<Output, BoxDynError>>) {
    let started = Instant::now();
    let ended = tokio::select! {
        biased;
        reason = lease.stopped() => Err(reason),
        outcome = begin_and_run(shared, lease, running) => outcome,
    };
    // Boxed: the room that the end needs would be taken for as long as the step waits for a model.
    let how = match ended {
        Ok(outcome) => Box::pin(finish(shared, lease, outcome)).await,
        Err(reason) => Box::pin(stop(shared, lease, reason)).await,
    };
    shared.stats.ended(lease.step().kind, how, started.elapsed());
}

/// Runs the attempt at once: the lease was won a moment ago. That it runs is written beside it.
async fn begin_and_run(
    shared: &Shared,
    lease: &Lease,
    running: Boxed<Result<Output, BoxDynError>>,
) -> Result<Outcome, StopReason> {
    tracing::info!("step started");
    tokio::select! {
        // The work goes first: one that is over at once needs no timer.
        biased;
        ended = running => match ended {
            Ok(output) => Ok(Outcome::Done(output)),
            Err(error) => outcome_of(lease.step(), error),
        },
        stopped = begin(shared, lease) => stopped,
    }
}

/// Writes that the attempt runs, unless it is over in a moment, and comes back only when it must not: its end is then the
/// end of the attempt. A database that is away is waited for; whatever is written later about the attempt brings its
/// beginning along.
async fn begin(shared: &Shared, lease: &Lease) -> Result<Outcome, StopReason> {
    let mut pause = FIRST_PAUSE;
    tokio::time::sleep(MOMENT).await;
    while lease.step().task.is_some() && !lease.last_seen().has_begun() {
        // Boxed for the same reason as the end.
        match Box::pin(shared.committer.write(lease, What::Begun)).await {
            Ok(_) => break,
            Err(StoreError::LeaseLost) => return Err(StopReason::LeaseGone),
            Err(error) if error.is_unavailable() => {
                outage::refused(&error, "cannot write that a step began");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Ok(Outcome::Failed(database_fault(&error))),
        }
    }
    std::future::pending().await
}

/// Reads the type of an error, never its text.
fn outcome_of(step: &ClaimedStep, error: BoxDynError) -> Result<Outcome, StopReason> {
    let error = match error.downcast::<StepError>() {
        Ok(error) => {
            return match *error {
                StepError::Fault(fault) => Ok(Outcome::Failed(fault)),
                StepError::Snooze(wait) => Ok(Outcome::Snooze(wait)),
                StepError::Wait => Ok(Outcome::Wait),
                StepError::Store(StoreError::LeaseLost) => Err(StopReason::LeaseGone),
                StepError::Store(error) if error.is_unavailable() => {
                    outage::refused(&error, "a step did not get what it asked for");
                    Ok(Outcome::Snooze(UNAVAILABLE_PAUSE))
                }
                StepError::Store(error) => Ok(Outcome::Failed(database_fault(&error))),
            };
        }
        Err(error) => error,
    };
    let fault = if error.is::<TimedOut>() {
        let message = format!("the {} step took longer than it may", step.kind);
        Fault::transient(FaultCode::WorkflowError, message)
    } else {
        let message = format!("the {} step failed unexpectedly", step.kind);
        Fault::transient(FaultCode::WorkflowError, message).with_detail(error)
    };
    Ok(Outcome::Failed(fault))
}

fn database_fault(error: &StoreError) -> Fault {
    Fault::permanent(FaultCode::DatabaseError, "the result could not be stored").with_detail(error)
}

/// Writes the end. Waits for a database that is away; gives up only when the lease is gone.
async fn finish(shared: &Shared, lease: &Lease, outcome: Outcome) -> Ended {
    let usage = lease.meter().take();
    let mut outcome = Arc::new(outcome);
    let mut pause = FIRST_PAUSE;
    let mut conflicts = 0;
    loop {
        log_fault(&outcome);
        let error = match write_end(shared, lease, &outcome, &usage).await {
            Ok(ran) => return note(ran),
            Err(StoreError::LeaseLost) => {
                tracing::warn!("the lease was lost before the end was written; another worker has the step");
                return Ended::Dropped;
            }
            Err(error) => error,
        };
        if matches!(error, StoreError::Conflict(_)) && conflicts < MOST_CONFLICTS {
            // What the keeper writes must be unique, and another transaction wrote the same in the same moment. The next
            // try sees that, so that the keeper can write something else.
            conflicts += 1;
            continue;
        }
        if !error.is_unavailable() {
            // The database is there; it is the data: the same transaction would fail for ever.
            if matches!(*outcome, Outcome::Failed(_)) {
                tracing::error!(%error, "the failure of the step cannot be written; its lease runs out");
                return Ended::Dropped;
            }
            outcome = Arc::new(Outcome::Failed(match error {
                StoreError::Conflict(_) => {
                    Fault::transient(FaultCode::DatabaseError, "the result collided with another one")
                        .with_detail(&error)
                }
                _ => database_fault(&error),
            }));
            continue;
        }
        if lease.stop_reason() == Some(StopReason::Shutdown) {
            tracing::warn!(%error, "stopping while the database is away; the step will run again");
            return Ended::Dropped;
        }
        shared.stats.was_refused(Part::Write);
        outage::refused(&error, "cannot write the end of a step");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn write_end(shared: &Shared, lease: &Lease, outcome: &Arc<Outcome>, usage: &[Usage]) -> Result<Ran, StoreError> {
    let what = What::Ended { outcome: Arc::clone(outcome), usage: usage.to_vec() };
    let ran = shared.committer.write(lease, what).await?;
    ran.ok_or_else(|| StoreError::Unreadable("the end of a step was not written".into()))
}

fn log_fault(outcome: &Outcome) {
    if let Outcome::Failed(fault) = outcome {
        let (Fault::Transient { detail, .. } | Fault::Permanent { detail, .. }) = fault;
        tracing::warn!(error = %fault, code = fault.code().as_str(), transient = fault.is_transient(), ?detail, "step failed");
    }
}

fn note(ran: Ran) -> Ended {
    match ran {
        Ran::Done => {
            tracing::info!("step done");
            Ended::Done
        }
        Ran::Snoozed => Ended::Retried,
        Ran::Retried { wait } => {
            tracing::info!(retry_in = ?wait, "step will be tried again");
            Ended::Retried
        }
        Ran::Failed => Ended::Failed,
    }
}

/// Tries for a while: nobody waits for it, and it is money.
async fn record_usage(shared: &Shared, step: &ClaimedStep, usage: &[Usage]) {
    let mut pause = FIRST_PAUSE;
    for _ in 0..20 {
        match shared.commits.record_usage(step, usage).await {
            Ok(()) => return,
            Err(error) if error.is_unavailable() => tokio::time::sleep(pause).await,
            Err(error) => {
                tracing::error!(%error, ?usage, "usage of a stopped attempt could not be recorded");
                return;
            }
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    tracing::error!(?usage, "usage of a stopped attempt could not be recorded: the database stays away");
}

/// The attempt was dropped. What it has used is recorded all the same.
async fn stop(shared: &Shared, lease: &Lease, reason: StopReason) -> Ended {
    let step = lease.step();
    record_usage(shared, step, &lease.meter().take()).await;
    match reason {
        StopReason::LeaseGone => tracing::info!("step stopped: it was cancelled or is no longer ours"),
        StopReason::Shutdown => {
            tracing::info!("step stopped: the process ends; giving it back");
            if let Err(error) = shared.store().queue().give_back(&[step.fence]).await {
                tracing::warn!(%error, "the step could not be given back; its lease runs out");
            }
        }
    }
    Ended::Dropped
}

//! What an attempt is to whoever writes a step.

use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use galley_domain::{Fault, FaultCode, OrgId, task::StepKind, usage::Meter};
use galley_store::{ClaimedStep, StoreError};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{commit::What, committer::Committer, leases::Lease, pipeline::Output};

/// One kind of step: what an attempt does. Writing the end is the engine's business.
#[async_trait]
pub trait Step: Send + Sync + 'static {
    fn kind(&self) -> StepKind;

    /// Runs one attempt. Dropping the future must stop the work.
    async fn run(&self, cx: &StepContext) -> Result<Output, StepError>;
}

/// Why an attempt brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Too early; the attempt is given back.
    #[error("not yet")]
    Snooze(Duration),
    /// Until the tasks that this step ordered have ended; then it runs again. The attempt is given back.
    #[error("waits for the tasks that it ordered")]
    Wait,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a running step has at hand.
#[derive(Debug, Clone)]
pub struct StepContext {
    pub step: ClaimedStep,
    pub meter: Meter,
    pub(crate) reporter: (Committer, Lease),
}

impl StepContext {
    /// Tenant and task. A job has none, and its handler does not ask.
    pub fn owner(&self) -> Result<(OrgId, Uuid), StepError> {
        self.step.owner().ok_or_else(|| StoreError::Unreadable("this step belongs to no task".into()).into())
    }

    /// The tenant of a job.
    pub fn org(&self) -> Result<OrgId, StepError> {
        self.step.org.ok_or_else(|| StoreError::Unreadable("this step belongs to no organization".into()).into())
    }

    /// What a job is about.
    pub fn subject(&self) -> Result<Uuid, StepError> {
        self.step.subject.ok_or_else(|| StoreError::Unreadable("this step is about nothing".into()).into())
    }

    /// What the step was given.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, StepError> {
        serde_json::from_value(self.step.payload.clone()).map_err(|error| {
            let message = format!("the {} step was given something that it cannot read", self.step.kind);
            Fault::permanent(FaultCode::WorkflowError, message).with_detail(error).into()
        })
    }

    /// Tells listeners how far the step has come. A message that cannot be written is not worth failing for.
    pub async fn report(&self, message: &str) {
        let (committer, lease) = &self.reporter;
        if let Err(error) = committer.write(lease, What::Progress(message.to_owned())).await {
            tracing::debug!(%error, "progress could not be reported");
        }
    }
}

/// How an attempt ended, as the worker saw it.
#[derive(Debug, Clone)]
pub enum Outcome {
    Done(Output),
    /// Nothing went wrong, but it is too early. Costs no attempt.
    Snooze(Duration),
    /// The tasks that it ordered have not ended. Costs no attempt.
    Wait,
    Failed(Fault),
}

/// What became of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    Done,
    Snoozed,
    Retried { wait: Duration },
    Failed,
}

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// A peer that asks for more than this is not waited for as long as it likes.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The wait after failed attempt number `attempt` (from 1): exponential with full jitter, and never less than the peer
/// asked for. `random` is in 0.0..1.0.
pub(crate) fn backoff(attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
    let ceiling = ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .with_factor(2.0)
        .with_max_times(64)
        .build()
        .nth(attempt.saturating_sub(1) as usize)
        .unwrap_or(LONGEST_WAIT);
    let jitter = ceiling.mul_f64(random.clamp(0.0, 1.0));
    match asked {
        // Spread behind the moment that the peer named, so that its other clients do not all come back at once.
        Some(asked) => asked.min(LONGEST_RETRY_AFTER) + jitter.min(Duration::from_secs(1)),
        None => jitter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_jittered_and_end_at_five_minutes() {
        assert_eq!(backoff(1, None, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(2, None, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(4, None, 1.0), Duration::from_secs(8));
        assert_eq!(backoff(30, None, 1.0), LONGEST_WAIT);
        assert_eq!(backoff(500, None, 1.0), LONGEST_WAIT);
        assert_eq!(backoff(5, None, 0.0), Duration::ZERO, "full jitter");
        assert_eq!(backoff(3, None, 0.5), Duration::from_secs(2));
    }

    #[test]
    fn what_the_peer_asked_for_is_the_least() {
        let asked = Some(Duration::from_secs(20));
        assert_eq!(backoff(1, asked, 0.0), Duration::from_secs(20));
        assert_eq!(backoff(9, asked, 1.0), Duration::from_secs(21));
        assert_eq!(backoff(1, Some(Duration::from_secs(86_400)), 0.0), LONGEST_RETRY_AFTER);
    }
}

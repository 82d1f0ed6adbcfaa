//! What the front needs from outside, and what it shares between requests.

use std::{fmt, sync::Arc, time::Duration};

use galley_services::{MAX_UPLOAD_BYTES, Services, Wakes};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    events::Streams,
    metrics::Metrics,
    rate::{RateLimiter, RateLimits},
};

/// The limits of the front. The defaults are the published ones.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// The largest JSON body, in bytes.
    pub json_bytes: usize,
    /// The largest upload with everything around it, in bytes.
    pub upload_bytes: usize,
    /// Uploads that are read at once; a further one waits its turn.
    pub uploads: usize,
    /// How long a request may take until its answer begins.
    pub timeout: Duration,
    /// The same for uploads.
    pub upload_timeout: Duration,
    pub rates: RateLimits,
    /// Event streams that are open at once, in all and for one organization.
    pub streams: usize,
    pub streams_per_organization: usize,
    /// How often an event stream that has nothing to say sends a comment, so that nobody in between hangs up.
    pub heartbeat: Duration,
    /// How often an event stream looks for itself, in case a notification was lost.
    pub look: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            json_bytes: 1024 * 1024,
            upload_bytes: MAX_UPLOAD_BYTES + 64 * 1024,
            uploads: 8,
            timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_secs(300),
            rates: RateLimits::default(),
            streams: 500,
            streams_per_organization: 50,
            heartbeat: Duration::from_secs(15),
            look: Duration::from_secs(10),
        }
    }
}

/// Adds lines in Prometheus' text form to what `/metrics` shows.
pub type ExtraMetrics = Arc<dyn Fn(&mut String) + Send + Sync>;

/// Why the process is not ready for work, beyond the database; empty when it is.
pub type ReadyCheck = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// What [`super::app`] is made from.
#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub wakes: Wakes,
    pub limits: HttpLimits,
    pub metrics: ExtraMetrics,
    pub ready: ReadyCheck,
    /// Cancelled when the process is about to stop: `/readyz` says no and event streams end, so that a graceful
    /// shutdown does not wait for them.
    pub stop: CancellationToken,
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl AppState {
    /// With the published limits, no further metrics and nothing else to wait for.
    pub fn new(services: Services, wakes: Wakes) -> Self {
        Self {
            services,
            wakes,
            limits: HttpLimits::default(),
            metrics: Arc::new(|_| {}),
            ready: Arc::new(Vec::new),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn into_front(self) -> Arc<Front> {
        Arc::new(Front {
            rates: RateLimiter::new(self.limits.rates.clone()),
            streams: Streams::new(self.limits.streams, self.limits.streams_per_organization),
            suspects: Semaphore::new(1),
            uploads: Arc::new(Semaphore::new(self.limits.uploads)),
            metrics: Arc::new(Metrics::new()),
            state: self,
        })
    }
}

/// The state with what the front itself keeps.
pub(super) struct Front {
    pub state: AppState,
    pub rates: RateLimiter,
    pub streams: Streams,
    /// The turn to look up a key from an address that has failed too often.
    pub suspects: Semaphore,
    pub uploads: Arc<Semaphore>,
    pub metrics: Arc<Metrics>,
}

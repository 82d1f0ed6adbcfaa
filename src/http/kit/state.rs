//! What the front needs from outside, and what it shares between requests.

use std::{fmt, sync::Arc, time::Duration};

use galley_domain::Hidden;
use galley_engine::Notifications;
use galley_services::{MAX_UPLOAD_BYTES, Services};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::rate::{RateLimiter, RateLimits};
use crate::http::{files::Uploads, system::metrics::Metrics, tasks::events::Streams};

/// The limits of the front. The defaults are the published ones.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// The largest JSON body, in bytes.
    pub json_bytes: usize,
    /// The largest upload with everything around it, in bytes.
    pub upload_bytes: usize,
    /// Uploads that are read at once, in all and for one organization; a further one waits its turn.
    pub uploads: usize,
    pub uploads_per_organization: usize,
    /// How long an upload may pause before it is given up, so that it does not keep its turn from others.
    pub upload_pause: Duration,
    /// How long a request may take until its answer begins.
    pub timeout: Duration,
    /// The same for uploads.
    pub upload_timeout: Duration,
    pub rates: RateLimits,
    /// Connections at once, in all and from one address (0: no limit for an address). With `reserve` below the 1,024
    /// open files that a process may usually have, which the database and the file store need too.
    pub connections: usize,
    pub connections_per_address: usize,
    /// Further ones, which are told the limit; only probes are answered to them.
    pub reserve: usize,
    /// How long the head of a request may take, from its first byte.
    pub head: Duration,
    /// How long a connection may be silent between requests, and how long an answer may lie there without a byte of it
    /// being read.
    pub idle: Duration,
    /// Event streams that are open at once: in all, of one organization, of one key.
    pub streams: usize,
    pub streams_per_organization: usize,
    pub streams_per_key: usize,
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
            uploads_per_organization: 4,
            upload_pause: Duration::from_secs(15),
            timeout: Duration::from_secs(30),
            upload_timeout: Duration::from_secs(300),
            rates: RateLimits::default(),
            connections: 800,
            connections_per_address: 400,
            reserve: 64,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            streams: 500,
            streams_per_organization: 100,
            streams_per_key: 50,
            heartbeat: Duration::from_secs(15),
            look: Duration::from_secs(10),
        }
    }
}

/// Adds lines in Prometheus' text form to what `/metrics` shows.
pub type ExtraMetrics = Arc<dyn Fn(&mut String) + Send + Sync>;

/// Who may ask for `/metrics`.
#[derive(Debug, Clone)]
pub enum MetricsAccess {
    Open,
    /// Whoever sends this as a bearer token.
    Token(Hidden),
    /// Nobody, until there is a token.
    Closed,
}

/// What [`super::app`] is made from.
#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub notifications: Notifications,
    pub limits: HttpLimits,
    pub metrics: ExtraMetrics,
    pub metrics_access: MetricsAccess,
    /// Cancelled when the process is about to stop: `/readyz` says no and event streams end, so that a graceful
    /// shutdown does not wait for them.
    pub stop: CancellationToken,
    /// The connections that are served. Once the process stops, those with a request in flight.
    pub connections: TaskTracker,
    /// Cancelled when everything else that the process does has ended. Until then the front answers probes, also while
    /// it stops.
    pub others: CancellationToken,
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl AppState {
    /// With the published limits and no further metrics.
    pub fn new(services: Services, notifications: Notifications) -> Self {
        Self {
            services,
            notifications,
            limits: HttpLimits::default(),
            metrics: Arc::new(|_| {}),
            metrics_access: MetricsAccess::Open,
            stop: CancellationToken::new(),
            connections: TaskTracker::new(),
            others: none(),
        }
    }

    pub(in crate::http) fn into_front(self) -> Arc<Front> {
        Arc::new(Front {
            rates: RateLimiter::new(self.limits.rates.clone()),
            streams: Streams::new(&self.limits),
            suspects: Semaphore::new(1),
            uploads: Uploads::new(self.limits.uploads, self.limits.uploads_per_organization),
            metrics: Arc::new(Metrics::new()),
            state: self,
        })
    }
}

/// Of a process that does nothing else.
fn none() -> CancellationToken {
    let ended = CancellationToken::new();
    ended.cancel();
    ended
}

/// The state with what the front itself keeps.
pub(in crate::http) struct Front {
    pub state: AppState,
    pub rates: RateLimiter,
    pub streams: Streams,
    /// The turn to look up a key from an address that has failed too often.
    pub suspects: Semaphore,
    pub uploads: Uploads,
    pub metrics: Arc<Metrics>,
}

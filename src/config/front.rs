//! Settings of the front: what it takes, and who sees its figures.

use std::time::Duration;

use crate::http::{HttpLimits, MetricsAccess, RateLimits};
use galley_domain::Hidden;
use galley_files::{DEFAULT_BUDGET_MB, LEAST_BUDGET_MB};
use serde::{Deserialize, Serialize};

/// What the front takes: calls a minute, connections, event streams.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Orders of one key.
    pub ai_per_minute: u32,
    /// Other changes of one key.
    pub content_per_minute: u32,
    /// Everything else of one key.
    pub general_per_minute: u32,
    /// Failed sign-ins from one address.
    pub auth_per_minute: u32,
    /// Megabytes (2^20 bytes) that the files of one organization may take.
    pub files_mb: u64,
    /// MiB that reading files and pages may take at once.
    pub reading_memory_mb: u32,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address; half of all when not set, 0 for no limit.
    pub connections_per_address: Option<usize>,
    /// How long the head of a request may take.
    pub head_seconds: u64,
    /// Event streams at once: in all, of one organization, of one key.
    pub streams: usize,
    pub streams_per_organization: usize,
    pub streams_per_key: usize,
}

/// The most that a budget may be: a key that may do more has no limit.
const MOST_CALLS: u32 = 1_000_000;
const MOST_FILES_MB: u64 = 1 << 30;
const MOST_READING_MB: u32 = 1 << 20;
/// More connections than one process can hold.
const MOST_CONNECTIONS: usize = 1_000_000;

impl Limits {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (name, calls) in [
            ("ai_per_minute", self.ai_per_minute),
            ("content_per_minute", self.content_per_minute),
            ("general_per_minute", self.general_per_minute),
            ("auth_per_minute", self.auth_per_minute),
        ] {
            anyhow::ensure!((1..=MOST_CALLS).contains(&calls), "limits.{name} must be from 1 to {MOST_CALLS}");
        }
        for (name, count) in [
            ("connections", self.connections),
            ("streams", self.streams),
            ("streams_per_organization", self.streams_per_organization),
            ("streams_per_key", self.streams_per_key),
        ] {
            let may_be = 1..=MOST_CONNECTIONS;
            anyhow::ensure!(may_be.contains(&count), "limits.{name} must be from 1 to {MOST_CONNECTIONS}");
        }
        anyhow::ensure!(
            (1..=MOST_FILES_MB).contains(&self.files_mb),
            "limits.files_mb must be from 1 to {MOST_FILES_MB}"
        );
        anyhow::ensure!(
            (LEAST_BUDGET_MB..=MOST_READING_MB).contains(&self.reading_memory_mb),
            "limits.reading_memory_mb must be from {LEAST_BUDGET_MB} to {MOST_READING_MB}"
        );
        anyhow::ensure!((1..=3600).contains(&self.head_seconds), "limits.head_seconds must be from 1 to 3600");
        Ok(())
    }

    /// As the front takes them.
    pub fn http(&self) -> HttpLimits {
        let rates = RateLimits {
            general: self.general_per_minute,
            content: self.content_per_minute,
            ai: self.ai_per_minute,
            auth: self.auth_per_minute,
            ..RateLimits::default()
        };
        HttpLimits {
            rates,
            connections: self.connections,
            connections_per_address: self.connections_per_address.unwrap_or(self.connections.div_ceil(2)),
            head: Duration::from_secs(self.head_seconds),
            streams: self.streams,
            streams_per_organization: self.streams_per_organization,
            streams_per_key: self.streams_per_key,
            ..HttpLimits::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let http = HttpLimits::default();
        let RateLimits { general, content, ai, auth, .. } = http.rates;
        Self {
            ai_per_minute: ai,
            content_per_minute: content,
            general_per_minute: general,
            auth_per_minute: auth,
            files_mb: 5_000,
            reading_memory_mb: DEFAULT_BUDGET_MB,
            connections: http.connections,
            connections_per_address: None,
            head_seconds: http.head.as_secs(),
            streams: http.streams,
            streams_per_organization: http.streams_per_organization,
            streams_per_key: http.streams_per_key,
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// What whoever asks for `/metrics` has to send as a bearer token. Without it only a front that listens on loopback
    /// gives figures.
    pub token: Option<Hidden>,
}

impl Metrics {
    /// `is_local`: nobody but this machine can ask.
    pub fn access(&self, is_local: bool) -> MetricsAccess {
        match (&self.token, is_local) {
            (Some(token), _) => MetricsAccess::Token(token.clone()),
            (None, true) => MetricsAccess::Open,
            (None, false) => MetricsAccess::Closed,
        }
    }
}

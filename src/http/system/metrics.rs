//! Figures for Prometheus: requests here, the queue from the database, the workers through a hook.
//!
//! `prometheus` and not the `metrics` facade: a registry is a value here, so that several fronts in one process (tests)
//! do not count into each other, and it brings no listener and no macros.

use std::{fmt::Write, time::Duration};

use galley_store::{QueueDepth, StoreError};
use poem::http::StatusCode;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

/// Seconds; the slowest answers are uploads.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
}

impl Metrics {
    pub fn new() -> Self {
        let requests = Opts::new("galley_http_requests_total", "Answered requests.");
        let durations = HistogramOpts::new("galley_http_request_duration_seconds", "Time until the answer began.")
            .buckets(BUCKETS.to_vec());
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &["method", "route", "status"]).expect("fixed, valid names"),
            durations: HistogramVec::new(durations, &["method", "route"]).expect("fixed, valid names"),
        };
        metrics.registry.register(Box::new(metrics.requests.clone())).expect("a new registry has no such name");
        metrics.registry.register(Box::new(metrics.durations.clone())).expect("a new registry has no such name");
        metrics
    }

    /// Counts an answer. `route` is a pattern, so that the number of series stays small.
    pub fn request(&self, method: &str, route: &str, status: StatusCode, took: Duration) {
        self.requests.with_label_values(&[method, route, status.as_str()]).inc();
        self.durations.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }

    /// The text form, with the state of the queue.
    pub fn render(&self, queue: &Result<Vec<QueueDepth>, StoreError>) -> String {
        let mut text = String::new();
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics cannot be written");
        }
        write_queue(&mut text, queue);
        text
    }
}

fn write_queue(text: &mut String, queue: &Result<Vec<QueueDepth>, StoreError>) {
    let depths = queue.as_deref().unwrap_or_default();
    let gauge = |text: &mut String, name: &str, help: &str, value: fn(&QueueDepth) -> f64| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for depth in depths {
            let _ = writeln!(text, "{name}{{kind=\"{}\",state=\"{}\"}} {}", depth.kind, depth.state, value(depth));
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^52")]
    gauge(text, "galley_queue_steps", "Unfinished steps.", |depth| depth.steps as f64);
    gauge(text, "galley_queue_oldest_seconds", "Age of the oldest unfinished step.", |depth| depth.oldest_seconds);
    let _ = writeln!(text, "# HELP galley_database_up Whether the database answered.\n# TYPE galley_database_up gauge");
    let _ = writeln!(text, "galley_database_up {}", u8::from(queue.is_ok()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_the_queue_are_shown() {
        let metrics = Metrics::new();
        metrics.request("GET", "/api/v1/tasks/{task_id}", StatusCode::NOT_FOUND, Duration::from_millis(7));
        metrics.request("GET", "/api/v1/tasks/{task_id}", StatusCode::NOT_FOUND, Duration::from_millis(7));
        let depth = QueueDepth { kind: "draft".into(), state: "ready".into(), steps: 4, oldest_seconds: 1.5 };
        let text = metrics.render(&Ok(vec![depth]));
        for line in [
            "galley_http_requests_total{method=\"GET\",route=\"/api/v1/tasks/{task_id}\",status=\"404\"} 2",
            "galley_http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/tasks/{task_id}\",le=\"0.01\"} 2",
            "galley_queue_steps{kind=\"draft\",state=\"ready\"} 4",
            "galley_queue_oldest_seconds{kind=\"draft\",state=\"ready\"} 1.5",
            "galley_database_up 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_database_that_is_away_is_shown_and_hides_nothing_else() {
        let metrics = Metrics::new();
        metrics.request("GET", "/healthz", StatusCode::OK, Duration::ZERO);
        let text = metrics.render(&Err(StoreError::LeaseLost));
        assert!(text.contains("galley_database_up 0") && text.contains("/healthz"), "{text}");
    }
}

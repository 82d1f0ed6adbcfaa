//! For those who run the service.

use galley_store::outage;
use poem_openapi::{Object, OpenApi, payload::PlainText};

use crate::http::{
    Area,
    kit::{
        auth::{FiguresReader, Public},
        problem::{Code, Problem},
        reply::{Outcome, Reply},
    },
};

/// How soon a probe should ask again whether the process can work.
const RETRY_SECONDS: u64 = 5;

pub struct Health;

#[OpenApi(tag = "Area::Operation")]
impl Health {
    /// Is the process alive
    ///
    /// Says yes as long as the process answers at all; it asks nothing else.
    #[oai(path = "/healthz", method = "get", operation_id = "check_health")]
    async fn healthz(&self, _public: Public) -> Outcome<Condition> {
        Ok(Reply::new(Condition { status: "ok".to_owned() }))
    }

    /// Can the process work
    ///
    /// Says yes when the database answers and the process is not stopping; otherwise 503 with every
    /// reason.
    #[oai(path = "/readyz", method = "get", operation_id = "check_readiness")]
    async fn readyz(&self, public: Public) -> Outcome<Condition> {
        let state = &public.0.state;
        let mut reasons = Vec::new();
        if state.stop.is_cancelled() {
            reasons.push("the process is stopping".to_owned());
        }
        if let Err(error) = state.services.ping().await {
            outage::refused(&error, "a probe got no answer");
            reasons.push("the database does not answer".to_owned());
        }
        if reasons.is_empty() {
            Ok(Reply::new(Condition { status: "ready".to_owned() }))
        } else {
            Err(not_ready(&reasons))
        }
    }

    /// Figures for Prometheus
    ///
    /// Requests, the queue and the workers, in the text form. Open to everybody where the service listens on loopback and
    /// has no `metrics.token`; else for those who send that token as `Authorization: Bearer TOKEN`.
    #[oai(path = "/metrics", method = "get", operation_id = "get_metrics")]
    async fn metrics(&self, public: Public, _reader: FiguresReader) -> Result<PlainText<String>, Problem> {
        let queue = public.0.state.services.system().queue_depth().await;
        let mut text = public.0.metrics.render(&queue);
        (public.0.state.metrics)(&mut text);
        Ok(PlainText(text))
    }
}

fn not_ready(reasons: &[String]) -> Problem {
    Problem::new(poem::http::StatusCode::SERVICE_UNAVAILABLE, Code::DatabaseError, reasons.join("; "))
        .retry_after(RETRY_SECONDS)
}

/// How the process is.
#[derive(Debug, Object)]
pub struct Condition {
    /// `ok` or `ready`.
    status: String,
}

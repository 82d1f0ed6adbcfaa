//! What is known of a request besides what it asks for: its id, its trace, where it came from.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use galley_domain::{OrgId, Who};
use poem::{Request, http::Uri};
use uuid::Uuid;

use super::{dialect::Dialect, problem::Problem, rate::Rate};

const MAX_ID_CHARS: usize = 128;

/// Made once for each request and shared by everything that works on it.
#[derive(Debug)]
pub struct RequestContext {
    /// What `X-Request-Id` says, or a new one.
    pub id: String,
    /// 32 hexadecimal digits: the trace of `traceparent`, or a new one.
    pub trace_id: String,
    pub address: Option<IpAddr>,
    pub uri: Uri,
    /// The largest JSON body that is taken, in bytes.
    pub json_bytes: usize,
    /// The pattern of the path, such as `/api/v1/tasks/{task_id}`.
    pub route: OnceLock<Arc<str>>,
    /// Set where the operation has no parameters that stand in the address.
    pub without_query: OnceLock<()>,
    /// Set once the principal is known.
    pub rate: OnceLock<Rate>,
    pub who: OnceLock<Who>,
    pub org: OnceLock<OrgId>,
}

impl RequestContext {
    pub fn of(request: &Request, json_bytes: usize) -> Self {
        let given = request.header("x-request-id").filter(|id| is_sane(id));
        Self {
            id: given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
            trace_id: request
                .header("traceparent")
                .and_then(trace_of)
                .unwrap_or_else(|| Uuid::new_v4().simple().to_string()),
            address: request.remote_addr().as_socket_addr().map(|address| address.ip()),
            uri: request.uri().clone(),
            json_bytes,
            route: OnceLock::new(),
            without_query: OnceLock::new(),
            rate: OnceLock::new(),
            who: OnceLock::new(),
            org: OnceLock::new(),
        }
    }

    /// Which document's clients ask here.
    pub fn dialect(&self) -> Dialect {
        Dialect::of(self.uri.path())
    }

    pub fn route(&self) -> &str {
        self.route.get().map_or("unmatched", |route| route)
    }
}

/// The context of a request, which the middleware puts on every one.
pub fn of(request: &Request) -> Result<&Arc<RequestContext>, Problem> {
    request.data::<Arc<RequestContext>>().ok_or_else(|| Problem::internal(&"the request came around the middleware"))
}

/// Fit to be written to a log and sent back in a header.
fn is_sane(id: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte))
        // A key that got into the wrong header is not written to the log.
        && !id.contains(galley_services::KEY_PREFIX)
}

/// The trace id of a W3C `traceparent`: `version-trace-parent-flags`.
fn trace_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let well_formed = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let named = trace.bytes().any(|byte| byte != b'0') && parent.bytes().any(|byte| byte != b'0');
    // Version 00 has exactly four parts; later ones may have more.
    let complete = version != "00" || parts.next().is_none();
    (well_formed && named && complete).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_request_ids_are_taken_over() {
        let id = |given: &str| RequestContext::of(&Request::builder().header("x-request-id", given).finish(), 0).id;
        assert_eq!(id("order-7:a/b"), "order-7:a/b");
        for wrong in ["a b", "<script>", "a\tb", &"x".repeat(129), "gk_abc", "Bearer:gk_abc"] {
            assert!(Uuid::parse_str(&id(wrong)).is_ok(), "{wrong:?} is replaced");
        }
    }

    #[test]
    fn the_trace_comes_from_traceparent_or_is_new() {
        let trace =
            |given: &str| RequestContext::of(&Request::builder().header("traceparent", given).finish(), 0).trace_id;
        let good = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace(&format!("00-{good}-00f067aa0ba902b7-01")), good);
        assert_eq!(trace(&format!("01-{good}-00f067aa0ba902b7-01-later")), good);
        for wrong in [
            format!("00-{good}-00f067aa0ba902b7"),
            format!("00-{good}-00f067aa0ba902b7-01-more"),
            format!("ff-{good}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", good.to_uppercase()),
            String::new(),
        ] {
            let new = trace(&wrong);
            assert!(new != good && new.len() == 32, "{wrong:?} is replaced");
        }
    }
}

//! What happens around every request: its id, a span, a deadline, a net for panics, and the headers of every answer.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use futures::FutureExt;
use galley_domain::Who;
use poem::{
    Endpoint, Request, Response,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};
use tracing::Instrument;

use super::{
    connections::Refusal,
    context::RequestContext,
    problem::{CONTENT_TYPE, Code, Problem},
    routes::{METHODS, problem_response},
    state::HttpLimits,
    waiting::{DEADLINE, waits},
};
use crate::http::system::metrics::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What the head of a request may have: headers, bytes of their names and values, bytes of the address.
const MAX_HEADERS: usize = 100;
const MAX_HEADER_BYTES: usize = 32 * 1024;
const MAX_ADDRESS_BYTES: usize = 8 * 1024;

/// Wraps all routes.
pub struct Middleware<E> {
    routes: E,
    json_bytes: usize,
    timeout: Duration,
    upload_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl<E: Endpoint<Output = Response>> Middleware<E> {
    pub fn new(routes: E, limits: &HttpLimits, metrics: Arc<Metrics>) -> Self {
        Self {
            routes,
            json_bytes: limits.json_bytes,
            timeout: limits.timeout,
            upload_timeout: limits.upload_timeout,
            metrics,
        }
    }

    async fn answer(&self, mut request: Request) -> Response {
        if !METHODS.contains(request.method()) {
            // Refused on every path like this one, with what the path takes. 501 would count as a fault of ours.
            request.set_method(Method::TRACE);
        }
        let refused = request.data::<Refusal>().and_then(|refusal| refusal.of_path(request.uri().path()));
        if let Some(problem) = refused.or_else(|| large_head(&request)) {
            return problem_response(problem);
        }
        let is_form = request.content_type().is_some_and(|kind| kind.starts_with("multipart/"));
        let deadline = match is_form {
            true => self.upload_timeout,
            false if waits(request.uri().path(), request.uri().query()) => self.timeout.max(DEADLINE),
            false => self.timeout,
        };
        // Boxed, so that what is around it moves a pointer and not the whole state of the request.
        let work = AssertUnwindSafe(self.routes.call(request).boxed()).catch_unwind();
        match tokio::time::timeout(deadline, work).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) => problem_response(Problem::of_error(&error)),
            Ok(Err(panic)) => {
                tracing::error!(panic = panic_text(panic.as_ref()), "a request panicked");
                problem_response(Problem::own_fault())
            }
            Err(_) => problem_response(too_slow(deadline)),
        }
    }
}

fn large_head(request: &Request) -> Option<Problem> {
    let refuse = |status, detail: String| Some(Problem::new(status, Code::ValidationError, detail));
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > MAX_ADDRESS_BYTES {
        let detail = format!("the address has {address} bytes; at most {MAX_ADDRESS_BYTES} are taken; shorten it");
        return refuse(StatusCode::URI_TOO_LONG, detail);
    }
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        let detail = format!(
            "there are {} headers with {bytes} bytes; at most {MAX_HEADERS} with {MAX_HEADER_BYTES} are taken; send fewer or shorter ones",
            headers.len()
        );
        return refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail);
    }
    None
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

fn too_slow(deadline: Duration) -> Problem {
    let detail = format!("the request took longer than {} seconds and was given up; try again", deadline.as_secs_f64());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::WorkflowError, detail)
        .with(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

impl<E: Endpoint<Output = Response>> Endpoint for Middleware<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let context = Arc::new(RequestContext::of(&request, self.json_bytes));
        let method = known(request.method());
        request.set_data(Arc::clone(&context));
        let span = tracing::info_span!(
            "http",
            method,
            request_id = %context.id,
            trace_id = %context.trace_id,
            key = tracing::field::Empty,
            user = tracing::field::Empty,
            route = tracing::field::Empty,
        );
        let mut response = self.answer(request).instrument(span.clone()).await;
        let is_outage = response.data::<Problem>().is_some_and(Problem::is_outage);
        response = as_problem(response, &context);
        dress(&mut response, &context);
        let took = started.elapsed();
        self.metrics.request(method, context.route(), response.status(), took);
        span.record("route", context.route());
        match context.who.get() {
            Some(Who::Key(id)) => {
                span.record("key", id.to_string());
            }
            Some(Who::User(id)) => {
                span.record("user", id.to_string());
            }
            Some(Who::Operator | Who::System) | None => {}
        }
        let duration_ms = took.as_secs_f64() * 1000.0;
        let status = response.status().as_u16();
        // Of an outage there is one account; a line for each client that asks again would bury it.
        span.in_scope(|| match is_outage {
            true => tracing::debug!(status, duration_ms, "request"),
            false => tracing::info!(status, duration_ms, "request"),
        });
        Ok(response)
    }
}

/// The method as a label; whatever a client invents is one label.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Every error leaves as a problem, also those that the framework made itself.
fn as_problem(response: Response, context: &RequestContext) -> Response {
    let status = response.status();
    if let Some(problem) = response.data::<Problem>() {
        return problem.respond(&context.id, context.dialect());
    }
    let is_error = status.is_client_error() || status.is_server_error();
    if is_error && response.content_type() != Some(CONTENT_TYPE) {
        return Problem::of_status(status).respond(&context.id, context.dialect());
    }
    response
}

/// Headers that every answer carries; a handler's own ones stay.
fn dress(response: &mut Response, context: &RequestContext) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(rate) = context.rate.get() {
        headers.insert(RATE_LIMIT, rate.limit.into());
        headers.insert(RATE_REMAINING, rate.remaining.into());
        let reset = Utc::now().timestamp().saturating_add_unsigned(rate.reset);
        headers.insert(RATE_RESET, reset.into());
    }
}

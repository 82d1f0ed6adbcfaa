//! The one shape of every error: `application/problem+json` after RFC 9457.

mod body;

use std::{convert::Infallible, fmt};

use galley_domain::{Fault, FaultCode, order::FieldError};
use galley_services::{BlobError, Missing, ServiceError};
use galley_store::{StoreError, outage};
use poem::{
    Response,
    error::{ParseMultipartError, ReadBodyError, ResponseError},
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    Enum,
    error::{ParseParamError, ParsePathError},
};

use super::{dialect::Dialect, envelope::Meta};

pub use body::{register, schema_of};

pub const CONTENT_TYPE: &str = "application/problem+json";

/// The most wrong fields that one answer names.
pub const MAX_ERRORS: usize = 50;

/// How long to wait when the database is away, in seconds.
const DATABASE_WAIT: u64 = 5;

/// What went wrong, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ErrorCode", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    ValidationError,
    Unauthorized,
    InsufficientCredits,
    Forbidden,
    TaskNotFound,
    ArticleNotFound,
    NotFound,
    Conflict,
    RateLimitError,
    LlmError,
    WorkflowError,
    DatabaseError,
}

/// An error on its way to the client.
#[derive(Debug, Clone)]
pub struct Problem {
    pub status: StatusCode,
    pub code: Code,
    pub detail: String,
    pub errors: Vec<FieldError>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 400 with everything that is wrong.
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        let hidden = errors.len().saturating_sub(MAX_ERRORS);
        errors.truncate(MAX_ERRORS);
        let detail = match (errors.as_slice(), hidden) {
            ([only], 0) => format!("{}: {}", only.field, only.message),
            (some, 0) => format!("{} fields of the request are wrong; see errors", some.len()),
            (some, more) => format!("more than {} fields of the request are wrong ({more} not shown)", some.len()),
        };
        Self { errors, ..Self::new(StatusCode::BAD_REQUEST, Code::ValidationError, detail) }
    }

    /// 400 for one field, parameter or header.
    pub fn wrong(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    pub fn missing(what: Missing) -> Self {
        let code = match what {
            Missing::Task => Code::TaskNotFound,
            Missing::Article => Code::ArticleNotFound,
            _ => Code::NotFound,
        };
        Self::new(StatusCode::NOT_FOUND, code, ServiceError::NotFound(what).to_string())
    }

    /// 429.
    pub fn too_many(detail: impl Into<String>, wait_seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimitError, detail).retry_after(wait_seconds)
    }

    pub fn too_large(limit: usize) -> Self {
        let limit = match limit >> 20 {
            mebibytes if mebibytes << 20 == limit && mebibytes > 0 => format!("{mebibytes} MiB"),
            _ => format!("{limit} bytes"),
        };
        let detail = format!("the body is larger than the {limit} that are taken here; send a smaller one");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ValidationError, detail)
    }

    pub fn unsupported(expected: &[&str]) -> Self {
        let detail = format!("the body must be {}; say which in the Content-Type header", expected.join(" or "));
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ValidationError, detail)
    }

    /// 415 for a body that is packed: unpacking it could bring more than any limit allows.
    pub fn packed() -> Self {
        let detail = "the body says that it is compressed, and none is unpacked here; send it without Content-Encoding";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ValidationError, detail)
            .with(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// 500. What happened goes to the log, not to the client.
    pub fn internal(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "a request failed for a reason of our own");
        Self::own_fault()
    }

    pub(in crate::http) fn own_fault() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::WorkflowError, "something failed on our side; it is logged")
    }

    /// 404 for a path that leads nowhere.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "nothing is served under this path; see /docs")
    }

    /// 405.
    pub fn not_allowed(allowed: &HeaderValue) -> Self {
        let detail = format!("this path does not take this method; use {}", allowed.to_str().unwrap_or_default());
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::ValidationError, detail).with(header::ALLOW, allowed.clone())
    }

    /// Whether it says that the database does not answer.
    pub fn is_outage(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE && self.code == Code::DatabaseError
    }

    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.with(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// A status that the framework chose without telling why.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::no_route(),
            // The router, before any handler: a percent-encoding that is not UTF-8.
            StatusCode::BAD_REQUEST => Self::wrong("path", "is not readable: percent-encoding must spell UTF-8"),
            status if status.is_server_error() => Self { status, ..Self::own_fault() },
            status => Self::new(status, Code::ValidationError, status.canonical_reason().unwrap_or("refused")),
        }
    }

    /// An error that the framework or an extractor raised.
    pub fn of_error(error: &poem::Error) -> Self {
        if let Some(problem) = error.downcast_ref::<Self>() {
            return problem.clone();
        }
        if let Some(error) = error.downcast_ref::<ParseParamError>() {
            return Self::wrong(error.name, error.reason.as_str());
        }
        if let Some(error) = error.downcast_ref::<ParsePathError>() {
            return Self::wrong(error.name, error.reason.as_str());
        }
        if let Some(ReadBodyError::Io(_)) = error.downcast_ref::<ReadBodyError>() {
            return Self::wrong("body", "could not be read to its end");
        }
        if let Some(fault) = error.downcast_ref::<ParseMultipartError>() {
            return match fault {
                ParseMultipartError::ContentTypeRequired | ParseMultipartError::InvalidContentType(_) => {
                    Self::unsupported(&["multipart/form-data"])
                }
                other => Self::wrong("body", format!("is not readable multipart/form-data: {other}")),
            };
        }
        let status = error.status();
        if status.is_server_error() { Self::internal(error) } else { Self::of_status(status) }
    }

    fn meta(&self, request_id: &str) -> Meta {
        let wait = self.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER);
        Meta { retry_after: wait.and_then(|(_, wait)| wait.to_str().ok()?.parse().ok()), ..Meta::now(request_id) }
    }

    /// The answer. `request_id` is that of the request that failed, `dialect` that of its path.
    pub fn respond(&self, request_id: &str, dialect: Dialect) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .content_type(CONTENT_TYPE)
            .body(body::json(self, request_id, dialect));
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::invalid(errors)
    }
}

impl From<Infallible> for Problem {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Reports what failed beside an answer. An outage of the database is one account, not a line for each.
pub fn report(error: &ServiceError, what: &str) {
    match error {
        ServiceError::Store(error) => outage::refused(error, what),
        error => tracing::warn!(%error, "{what}"),
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Validation(errors) => Self::invalid(errors),
            ServiceError::NotFound(what) => Self::missing(what),
            ServiceError::Unknown(what, error) => Self { errors: vec![error], ..Self::missing(what) },
            ServiceError::Conflict(text) => Self::new(StatusCode::CONFLICT, Code::Conflict, text),
            ServiceError::Refused(text, errors) => {
                Self { errors, ..Self::new(StatusCode::CONFLICT, Code::Conflict, text) }
            }
            ServiceError::Outside(fault) => fault.into(),
            ServiceError::Stale(text) => Self::new(StatusCode::PRECONDITION_FAILED, Code::Conflict, text),
            error @ ServiceError::InsufficientCredits { .. } => {
                Self::new(StatusCode::PAYMENT_REQUIRED, Code::InsufficientCredits, error.to_string())
            }
            ServiceError::Forbidden(text) => Self::new(StatusCode::FORBIDDEN, Code::Forbidden, text),
            ServiceError::TooLarge(limit) => Self::too_large(limit),
            ServiceError::WrongKind(text) => Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ValidationError, text),
            ServiceError::Unavailable(text) => {
                tracing::error!(%text, "what was asked could not be done now");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::WorkflowError, text).retry_after(DATABASE_WAIT)
            }
            ServiceError::Store(error) => error.into(),
            ServiceError::Blob(error) => error.into(),
        }
    }
}

impl From<Fault> for Problem {
    /// Whoever was asked outside refused or did not answer.
    fn from(fault: Fault) -> Self {
        tracing::warn!(error = ?fault, "somebody outside did not do what was asked");
        let code = match fault.code() {
            FaultCode::LlmError => Code::LlmError,
            _ => Code::WorkflowError,
        };
        Self::new(StatusCode::BAD_GATEWAY, code, fault.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => {
                tracing::warn!(%error, "two requests wanted the same unique value");
                let detail = "another request changed the same thing at the same time; try again";
                Self::new(StatusCode::CONFLICT, Code::Conflict, detail)
            }
            error if error.is_unavailable() => {
                outage::refused(&error, "a request got no answer");
                let detail =
                    "the database does not answer; send the request again after the seconds that Retry-After names";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::DatabaseError, detail).retry_after(DATABASE_WAIT)
            }
            error => Self { code: Code::DatabaseError, ..Self::internal(&error) },
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        tracing::error!(%error, "the file store did not give or take a file");
        match error {
            BlobError::Gone => {
                let detail = "the bytes of this file are missing in the file store";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::DatabaseError, detail)
            }
            BlobError::Failed(_) | BlobError::Folder(_) | BlobError::Sweep(_) => {
                let detail =
                    "the file store does not answer; send the request again after the seconds that Retry-After names";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::DatabaseError, detail).retry_after(DATABASE_WAIT)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn clients_of_each_document_read_their_own_words() {
        let said = async |dialect| {
            let body = Problem::too_many("slow down", 1).respond("r", dialect).take_body().into_json::<Value>().await;
            let body = body.expect("JSON");
            (body["success"].clone(), body["error"].clone(), body["code"].clone())
        };
        let (code, text) = (json!("RATE_LIMIT_ERROR"), "slow down");
        assert_eq!(said(Dialect::Bare).await, (json!(null), json!(null), code.clone()));
        let error = json!({ "code": "RATE_LIMIT_EXCEEDED", "message": text });
        assert_eq!(said(Dialect::Articles).await, (json!(false), error, code.clone()));
        let error = json!({ "code": "rate_limit_exceeded", "message": text });
        assert_eq!(said(Dialect::IdeaClouds).await, (json!(null), error, code.clone()));
        assert_eq!(said(Dialect::Planner).await, (json!(false), json!(text), code));
    }

    #[tokio::test]
    async fn errors_of_001_say_when_and_how_long_to_wait() {
        let meta = async |problem: Problem, dialect| {
            let body = problem.respond("r", dialect).take_body().into_json::<Value>().await.expect("JSON");
            body["meta"].clone()
        };
        let slow = meta(Problem::too_many("slow down", 7), Dialect::Articles).await;
        assert_eq!((&slow["request_id"], &slow["retry_after"]), (&json!("r"), &json!(7)));
        assert!(slow["timestamp"].as_str().is_some_and(|at| at.ends_with('Z')), "{slow}");
        assert_eq!(meta(Problem::no_route(), Dialect::Articles).await.get("retry_after"), None);
        assert_eq!(meta(Problem::no_route(), Dialect::Bare).await, json!(null));
    }

    async fn shown(problem: &Problem) -> (Response, Value) {
        let mut response = problem.respond("req-1", Dialect::Bare);
        let body = response.take_body().into_json().await.expect("JSON");
        (response, body)
    }

    #[tokio::test]
    async fn a_problem_has_all_its_parts() {
        let error = |field: &str| FieldError { field: field.into(), message: "is wrong".into() };
        let (response, body) = shown(&Problem::invalid(vec![error("a"), error("b[1]")])).await;
        assert_eq!(response.content_type(), Some("application/problem+json"));
        assert_eq!(response.status(), 400);
        assert_eq!(
            body,
            json!({
                "type": "about:blank", "title": "Bad Request", "status": 400, "code": "VALIDATION_ERROR",
                "detail": "2 fields of the request are wrong; see errors", "request_id": "req-1",
                "errors": [{ "field": "a", "message": "is wrong" }, { "field": "b[1]", "message": "is wrong" }],
            })
        );
    }

    #[tokio::test]
    async fn the_number_of_errors_is_limited() {
        let errors = (0..60).map(|at| FieldError { field: format!("f[{at}]"), message: "no".into() }).collect();
        let (_, body) = shown(&Problem::invalid(errors)).await;
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(MAX_ERRORS));
        assert_eq!(body["detail"], "more than 50 fields of the request are wrong (10 not shown)");
    }

    #[tokio::test]
    async fn services_errors_keep_their_meaning_and_inner_details_stay_inside() {
        let codes = [
            (ServiceError::NotFound(Missing::Task), 404, "TASK_NOT_FOUND"),
            (ServiceError::NotFound(Missing::Article), 404, "ARTICLE_NOT_FOUND"),
            (ServiceError::NotFound(Missing::File), 404, "NOT_FOUND"),
            (ServiceError::Conflict("so it is".into()), 409, "CONFLICT"),
            (ServiceError::Stale("read again".into()), 412, "CONFLICT"),
            (ServiceError::InsufficientCredits { needed: 40.into(), available: 3.into() }, 402, "INSUFFICIENT_CREDITS"),
            (StoreError::Unreadable("secret row".into()).into(), 500, "DATABASE_ERROR"),
            (StoreError::Conflict("slug".into()).into(), 409, "CONFLICT"),
            (BlobError::Gone.into(), 500, "DATABASE_ERROR"),
        ];
        for (error, status, code) in codes {
            let text = error.to_string();
            let (response, body) = shown(&error.into()).await;
            assert_eq!((response.status().as_u16(), body["code"].as_str()), (status, Some(code)), "{text}");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }

    #[tokio::test]
    async fn framework_errors_become_problems() {
        let param = ParseParamError { name: "page", reason: "is no number".into() };
        let (_, body) = shown(&Problem::of_error(&param.into())).await;
        assert_eq!(body["errors"], json!([{ "field": "page", "message": "is no number" }]));
        let cases = [
            (poem::Error::from(poem::error::NotFoundError), 404, "NOT_FOUND"),
            (ReadBodyError::Io(std::io::Error::other("cut")).into(), 400, "VALIDATION_ERROR"),
            (ParseMultipartError::ContentTypeRequired.into(), 415, "VALIDATION_ERROR"),
            (poem::Error::from_string("inner secret", StatusCode::BAD_GATEWAY), 500, "WORKFLOW_ERROR"),
        ];
        for (error, status, code) in cases {
            let (response, body) = shown(&Problem::of_error(&error)).await;
            assert_eq!((response.status().as_u16(), body["code"].as_str()), (status, Some(code)), "{error}");
            assert!(!body.to_string().contains("secret"), "{body}");
        }
    }
}

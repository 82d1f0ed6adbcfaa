//! How bodies and headers are read, without a server around it: for tests from outside, such as the fuzz targets.

use galley_domain::order::{ArticleOrder, FieldError, GenerateRequest, TaskRequest};
use poem::Request;
use serde_json::Value;

use crate::http::{
    articles::{UpdateArticle, generate::GenerateArticle, retry::RetryTask},
    kit::{
        auth::presented,
        body::{Body, read_json},
        context::RequestContext,
        fields::Fields,
        header::{self, IdempotencyKey, IfMatch, LastEventId},
        problem::Problem,
    },
    tasks::CreateTask,
};

/// A body that was read: what it asks for, and the bytes that all spellings of the same JSON share.
pub type ReadBody<T> = Result<(T, Vec<u8>), Vec<FieldError>>;

/// The body of `POST /tasks`.
///
/// # Errors
/// Everything that is wrong, at most as many fields as an answer names; never empty.
pub fn task(json: Value) -> ReadBody<ArticleOrder> {
    let body = read::<CreateTask>(json)?;
    Ok((TaskRequest::from(body.value).into_order()?, body.canonical))
}

/// The body of `POST /articles/generate`. Errors as of [`task`].
pub fn generation(json: Value) -> ReadBody<ArticleOrder> {
    let body = read::<GenerateArticle>(json)?;
    Ok((GenerateRequest::from(body.value).into_order()?, body.canonical))
}

/// The body of `PATCH /articles/{id}`. Errors as of [`task`].
pub fn edit(json: Value) -> ReadBody<()> {
    read::<UpdateArticle>(json).map(|body| ((), body.canonical))
}

/// The body of `POST /tasks/{id}/retry`. Errors as of [`task`].
pub fn retry(json: Value) -> ReadBody<()> {
    read::<RetryTask>(json).map(|body| ((), body.canonical))
}

fn read<T: Fields>(json: Value) -> Result<Body<T>, Vec<FieldError>> {
    read_json(json).map_err(|problem| problem.errors)
}

/// What the headers of a request say; errors are the sentence that the client gets.
#[derive(Debug)]
pub struct Headers {
    /// The key of `Authorization`.
    pub key: Result<String, String>,
    /// Whether `Idempotency-Key` gives a usable key.
    pub once: Result<bool, String>,
    /// The version of `If-Match`.
    pub version: Result<Option<i32>, String>,
    /// `Last-Event-ID`, 0 or more.
    pub seen: Result<Option<i64>, String>,
    /// `X-Request-Id`, or a new one.
    pub request_id: String,
    /// The trace of `traceparent`, or a new one: 32 hexadecimal digits.
    pub trace_id: String,
}

impl Headers {
    pub fn read(request: &Request) -> Self {
        let said = |problem: Problem| problem.detail;
        let once = header::read::<IdempotencyKey>(request).and_then(|key| key.with(b"")).map_err(said);
        let context = RequestContext::of(request, 0);
        Self {
            key: presented(request).map(str::to_owned).map_err(said),
            once: once.map(|key| key.is_some()),
            version: header::read::<IfMatch>(request).map(|version| version.0).map_err(said),
            seen: header::read::<LastEventId>(request).map(|seen| seen.0).map_err(said),
            request_id: context.id,
            trace_id: context.trace_id,
        }
    }
}

//! How bodies and headers are read, without a server around it: for tests from outside, such as the fuzz targets.

use galley_domain::order::{ArticleOrder, FieldError};
use poem::{Request, RequestBody};
use poem_openapi::{ApiExtractor, ExtractParamOptions};
use serde_json::Value;

use crate::http::{
    articles::Edit,
    articles::generate::Generation,
    kit::{
        auth::presented,
        body::{Body, FromBody, read_object},
        header::{Head, HeaderValue, IfMatch, LastEventId, Once},
        problem::Problem,
        request::Facts,
    },
    tasks::NewTask,
    tasks::retry::Retry,
};

/// A body that was read: what it asks for, and the bytes that all spellings of the same JSON share.
pub type ReadBody<T> = Result<(T, Vec<u8>), Vec<FieldError>>;

/// The body of `POST /tasks`.
///
/// # Errors
/// Everything that is wrong, at most as many fields as an answer names; never empty.
pub fn task(json: Value) -> ReadBody<ArticleOrder> {
    read::<NewTask>(json).map(|body| (body.value.0, body.canonical))
}

/// The body of `POST /articles/generate`. Errors as of [`task`].
pub fn generation(json: Value) -> ReadBody<ArticleOrder> {
    read::<Generation>(json).map(|body| (body.value.0, body.canonical))
}

/// The body of `PATCH /articles/{id}`. Errors as of [`task`].
pub fn edit(json: Value) -> ReadBody<()> {
    read::<Edit>(json).map(|body| ((), body.canonical))
}

/// The body of `POST /tasks/{id}/retry`. Errors as of [`task`].
pub fn retry(json: Value) -> ReadBody<()> {
    read::<Retry>(json).map(|body| ((), body.canonical))
}

fn read<T: FromBody>(json: Value) -> Result<Body<T>, Vec<FieldError>> {
    read_object(json).map_err(|problem| problem.errors)
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
    pub async fn read(request: &Request) -> Self {
        let said = |problem: Problem| problem.detail;
        let once = header::<Once>(request).await.and_then(|once| once.key(b"").map_err(said));
        let facts = Facts::of(request);
        Self {
            key: presented(request).map(str::to_owned).map_err(said),
            once: once.map(|key| key.is_some()),
            version: header::<IfMatch>(request).await.map(|version| version.0),
            seen: header::<LastEventId>(request).await.map(|seen| seen.0),
            request_id: facts.id,
            trace_id: facts.trace_id,
        }
    }
}

async fn header<H: HeaderValue>(request: &Request) -> Result<H, String> {
    let options = ExtractParamOptions::default();
    let read = Head::<H>::from_request(request, &mut RequestBody::default(), options).await;
    read.map(|head| head.0).map_err(|error| Problem::of_error(&error).detail)
}

//! The errors that an operation declares: a [`Problem`] with the list of statuses that its description shows.

use std::marker::PhantomData;

use galley_services::ServiceError;
use galley_store::StoreError;
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::Type,
};

use super::problem::{CONTENT_TYPE, Problem, ProblemBody};

/// Which statuses an operation answers with when it does not do what was asked.
pub trait Statuses: Send + Sync + 'static {
    const LIST: &'static [u16];
}

macro_rules! statuses {
    ($($(#[$meta:meta])* $name:ident = [$($status:literal),* $(,)?];)+) => {
        $($(#[$meta])* pub struct $name;
        impl Statuses for $name { const LIST: &'static [u16] = &[$($status),*]; })+
    };
}

statuses! {
    /// Reading one thing.
    Reading = [401, 403, 404, 429, 500, 503];
    /// Reading one thing, with parameters that can be wrong.
    Viewing = [400, 401, 403, 404, 429, 500, 503];
    /// Reading many things.
    Listing = [400, 401, 403, 429, 500, 503];
    /// Reading what every organization has.
    Having = [401, 403, 429, 500, 503];
    /// Ordering something that costs credits.
    Ordering = [400, 401, 402, 403, 409, 413, 415, 429, 500, 503];
    /// The same, on something that must exist.
    Reordering = [400, 401, 402, 403, 404, 409, 413, 415, 429, 500, 503];
    /// Ending or changing something that must exist, without a body.
    Acting = [400, 401, 403, 404, 409, 429, 500, 503];
    /// Changing something that must exist.
    Changing = [400, 401, 403, 404, 409, 413, 415, 429, 500, 503];
    /// Removing something.
    Removing = [401, 403, 404, 429, 500, 503];
    /// Sending a file.
    Uploading = [400, 401, 403, 409, 413, 415, 429, 500, 503];
    /// Asking whether the process can work.
    Probing = [503];
}

fn describe(status: u16) -> &'static str {
    match status {
        400 => "VALIDATION_ERROR: the request is wrong; `errors` names everything that is.",
        401 => "UNAUTHORIZED: no key, or none that is in force.",
        402 => "INSUFFICIENT_CREDITS: this costs more than is free.",
        403 => "FORBIDDEN: the key lacks the permission or the scope.",
        404 => "TASK_NOT_FOUND, ARTICLE_NOT_FOUND or NOT_FOUND: there is no such thing in your organization.",
        409 => "CONFLICT: the request is fine, the state of things is not; `detail` says what to do.",
        413 => "VALIDATION_ERROR: the body is too large.",
        415 => "VALIDATION_ERROR: the body is of the wrong type.",
        429 => "RATE_LIMIT_ERROR: too much at once; `Retry-After` says when to come back.",
        503 => "DATABASE_ERROR or, when the request took too long, WORKFLOW_ERROR: not possible right now; try again.",
        _ => "An error on our side; quote the `request_id`.",
    }
}

/// How an operation fails.
pub struct Failure<S>(Problem, PhantomData<S>);

impl<S> std::fmt::Debug for Failure<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<S, E: Into<Problem>> From<E> for Failure<S> {
    fn from(error: E) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<S> From<Failure<S>> for poem::Error {
    fn from(failure: Failure<S>) -> Self {
        failure.0.into()
    }
}

fn retry_after() -> MetaHeader {
    MetaHeader {
        name: "Retry-After".to_owned(),
        description: Some("Seconds to wait.".to_owned()),
        required: true,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer"))),
    }
}

impl<S: Statuses> ApiResponse for Failure<S> {
    fn meta() -> MetaResponses {
        let responses = S::LIST.iter().map(|status| MetaResponse {
            description: describe(*status),
            status: Some(*status),
            status_range: None,
            content: vec![MetaMediaType { content_type: CONTENT_TYPE, schema: ProblemBody::schema_ref() }],
            headers: if *status == 429 { vec![retry_after()] } else { Vec::new() },
        });
        MetaResponses { responses: responses.collect() }
    }

    fn register(registry: &mut Registry) {
        ProblemBody::register(registry);
    }
}

/// Lets `?` on a service call say which thing is missing in the words of the document an operation comes from.
pub fn plain_not_found(error: ServiceError) -> Problem {
    let mut problem = Problem::from(error);
    if problem.status == poem::http::StatusCode::NOT_FOUND {
        problem.code = super::problem::Code::NotFound;
    }
    problem
}

/// A stored value that this program does not know.
pub fn unreadable(error: impl std::fmt::Display) -> Problem {
    StoreError::Unreadable(error.to_string()).into()
}

//! The errors that an operation can answer with. No operation lists them: they follow from its arguments.

use galley_services::ServiceError;
use galley_store::StoreError;
use poem::http::Method;
use poem_openapi::{
    ApiResponse,
    registry::{
        MetaHeader, MetaMediaType, MetaOperation, MetaParamIn, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef,
        Registry,
    },
};

use super::{
    dialect::Dialect,
    header::{IfUnchanged, MustBeUnchanged},
    problem::{self, CONTENT_TYPE, Code, Problem},
    reply::{Asked, Kind},
    rights::Needed,
};

/// Ends of paths whose operations wait for a service of somebody else.
const ASKING_OUTSIDE: [&str; 3] = ["/stock-photos/search", "/images/from-stock", "/images/ai-generate"];

/// Ends of paths whose operations only read, and need a text, or a key that links are signed with.
const NEEDING_A_STATE: [&str; 2] = ["/seo-score", "/blog-posts/{post_id}/images"];

/// Whoever has no key shows a link that is signed.
/// For everybody, and still counted.
const COUNTED_BY_ADDRESS: &str = "/publisher/site-definition";
const TAKING_LINKS: &str = "/images/{image_id}/{part}";

/// What can go wrong with an operation, in ascending order.
pub fn of(path: &str, operation: &MetaOperation, needed: Option<&Needed>) -> Vec<u16> {
    let is_given = |param: &poem_openapi::registry::MetaOperationParam| param.in_type != MetaParamIn::Path;
    let takes_body = operation.request.is_some();
    let changes = ![Method::GET, Method::HEAD].contains(&operation.method);
    let takes = |about: &str| operation.params.iter().any(|param| param.description.as_deref() == Some(about));
    let must_be_conditional = takes(MustBeUnchanged::ABOUT);
    let is_conditional = must_be_conditional || takes(IfUnchanged::ABOUT);
    let may_need_a_token = needed.is_none() && !operation.security.is_empty();
    let may_trash_there = operation.method == Method::DELETE && path.ends_with("/blog-posts/{post_id}");
    let asks_outside = may_trash_there
        || ASKING_OUTSIDE.iter().any(|end| path.ends_with(end))
        || operation.responses.responses.iter().any(|one| one.description == Asked::DESCRIPTION);
    // Where an unknown id in a body or in the address is a 404.
    let names_things = Dialect::of(path) == Dialect::Planner && (takes_body || operation.params.iter().any(is_given));
    let rules: [(bool, &[u16]); 14] = [
        (takes_body || operation.params.iter().any(is_given), &[400]),
        (needed.is_some(), &[401, 403, 429]),
        (may_need_a_token, &[401, 403, 429]),
        (needed.is_some_and(Needed::costs), &[402]),
        (path.contains('{') || names_things, &[404]),
        (changes || asks_outside || NEEDING_A_STATE.iter().any(|end| path.ends_with(end)), &[409]),
        (path.ends_with(TAKING_LINKS), &[403]),
        (path.ends_with(COUNTED_BY_ADDRESS), &[429]),
        (is_conditional, &[412]),
        (takes_body, &[413, 415]),
        (must_be_conditional, &[428]),
        (true, &[500]),
        (asks_outside, &[502]),
        (true, &[503]),
    ];
    let mut statuses: Vec<u16> =
        rules.into_iter().filter(|(can, _)| *can).flat_map(|(_, list)| list).copied().collect();
    statuses.sort_unstable();
    statuses
}

/// The answers that are described for these statuses under a path.
pub fn responses<'a>(path: &str, statuses: &'a [u16]) -> impl Iterator<Item = MetaResponse> + use<'a> {
    let dialect = Dialect::of(path);
    statuses.iter().map(move |status| MetaResponse {
        description: describe(*status),
        status: Some(*status),
        status_range: None,
        content: vec![MetaMediaType { content_type: CONTENT_TYPE, schema: problem::schema_of(dialect) }],
        headers: if [429, 503].contains(status) { vec![retry_after()] } else { Vec::new() },
    })
}

fn describe(status: u16) -> &'static str {
    match status {
        400 => "VALIDATION_ERROR: the request is wrong; `errors` names everything that is.",
        401 => "UNAUTHORIZED: no key, or none that is in force.",
        402 => "INSUFFICIENT_CREDITS: this costs more than is free.",
        403 => "FORBIDDEN: the key lacks the permission or the scope.",
        404 => "TASK_NOT_FOUND, ARTICLE_NOT_FOUND or NOT_FOUND: there is no such thing in your organization.",
        409 => "CONFLICT: the request is fine, the state of things is not; `detail` says what to do.",
        412 => "CONFLICT: it was changed since you read it.",
        413 => "VALIDATION_ERROR: the body is too large.",
        415 => "VALIDATION_ERROR: the body is of the wrong type.",
        428 => "VALIDATION_ERROR: `If-Match` is missing.",
        429 => "RATE_LIMIT_ERROR: too much at once; `Retry-After` says when to come back.",
        502 => {
            "WORKFLOW_ERROR or LLM_ERROR: whoever was asked outside refused or did not answer; `detail` has its words."
        }
        503 => {
            "DATABASE_ERROR; WORKFLOW_ERROR when the request took too long or the process stops; RATE_LIMIT_ERROR when \
             all places are taken: not possible right now; `Retry-After` says when to try again."
        }
        _ => "An error on our side; quote the `request_id`.",
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

impl ApiResponse for Problem {
    /// None: see [`of`].
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(registry: &mut Registry) {
        problem::register(registry);
    }
}

/// Lets `?` on a service call say which thing is missing in the words of the document an operation comes from.
pub fn plain_not_found(error: ServiceError) -> Problem {
    let mut problem = Problem::from(error);
    if problem.status == poem::http::StatusCode::NOT_FOUND {
        problem.code = Code::NotFound;
    }
    problem
}

/// A stored value that this program does not know.
pub fn unreadable(error: impl std::fmt::Display) -> Problem {
    StoreError::Unreadable(error.to_string()).into()
}

//! The body of an error: the problem itself, and what the clients of a document read besides. Each of them is a type of
//! its own, so that no field has two types.

use poem_openapi::{
    Object,
    registry::{MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use serde_json::Value;

use super::{Code, Problem};
use crate::http::kit::{dialect::Dialect, envelope::Meta};

/// A wrong field.
#[derive(Debug, Clone, Object)]
pub struct WrongField {
    /// Where: a path into the body such as `reference_links[2]`, or the name of a parameter or header.
    field: String,
    /// What is wrong and what would be right.
    message: String,
}

/// An error (RFC 9457).
#[derive(Debug, Clone, Object)]
#[oai(rename = "Problem")]
struct ProblemBody {
    /// Always `about:blank`: `code` says more than a link would.
    #[oai(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong and what to do about it, for people.
    detail: String,
    code: Code,
    /// Every wrong field of an invalid request; empty for other errors.
    errors: Vec<WrongField>,
    /// Quote it in a report.
    request_id: String,
}

/// The error again, in the words of older clients.
#[derive(Debug, Clone, Object)]
struct ErrorSummary {
    /// `code` in their words.
    code: String,
    /// The same as `detail`.
    message: String,
}

/// An error on the paths of articles: a problem, and what older clients read.
#[derive(Debug, Clone, Object)]
struct ArticlesProblem {
    #[oai(flatten)]
    problem: ProblemBody,
    /// Always false.
    success: bool,
    error: ErrorSummary,
    meta: Meta,
}

/// An error on the paths below `/public`: a problem, and what older clients read.
#[derive(Debug, Clone, Object)]
struct CloudsProblem {
    #[oai(flatten)]
    problem: ProblemBody,
    error: ErrorSummary,
}

/// An error on the paths of planner, writer and automation: a problem, and what older clients read.
#[derive(Debug, Clone, Object)]
struct PlannerProblem {
    #[oai(flatten)]
    problem: ProblemBody,
    /// Always false.
    success: bool,
    /// The same as `detail`.
    error: String,
}

/// Only those that an operation refers to are published.
pub fn register(registry: &mut Registry) {
    ProblemBody::register(registry);
    ArticlesProblem::register(registry);
    CloudsProblem::register(registry);
    PlannerProblem::register(registry);
}

/// The shape of an error on the paths of a document.
pub fn schema_of(dialect: Dialect) -> MetaSchemaRef {
    match dialect {
        Dialect::Bare => ProblemBody::schema_ref(),
        Dialect::Articles => ArticlesProblem::schema_ref(),
        Dialect::IdeaClouds => CloudsProblem::schema_ref(),
        Dialect::Planner => PlannerProblem::schema_ref(),
    }
}

/// `code` in the words of a document.
fn word_of(code: Code, dialect: Dialect) -> String {
    let plain = || code.to_json().as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    match (dialect, code) {
        (Dialect::IdeaClouds, _) => match code {
            Code::ValidationError => "validation_error",
            Code::Unauthorized => "unauthorized",
            Code::InsufficientCredits => "insufficient_credits",
            Code::Forbidden => "forbidden",
            Code::TaskNotFound | Code::ArticleNotFound | Code::NotFound => "not_found",
            Code::Conflict => "conflict",
            Code::RateLimitError => "rate_limit_exceeded",
            Code::LlmError | Code::WorkflowError | Code::DatabaseError => "internal_error",
        }
        .to_owned(),
        (_, Code::RateLimitError) => "RATE_LIMIT_EXCEEDED".into(),
        (_, Code::TaskNotFound | Code::ArticleNotFound) => "NOT_FOUND".into(),
        _ => plain(),
    }
}

/// The body of a problem on the paths of a document.
pub fn json(problem: &Problem, request_id: &str, dialect: Dialect) -> String {
    let body = ProblemBody {
        kind: "about:blank".to_owned(),
        title: problem.status.canonical_reason().unwrap_or("Error").to_owned(),
        status: problem.status.as_u16(),
        detail: problem.detail.clone(),
        code: problem.code,
        errors: problem
            .errors
            .iter()
            .map(|error| WrongField { field: error.field.clone(), message: error.message.clone() })
            .collect(),
        request_id: request_id.to_owned(),
    };
    let error = ErrorSummary { code: word_of(problem.code, dialect), message: problem.detail.clone() };
    match dialect {
        Dialect::Bare => body.to_json_string(),
        Dialect::Articles => {
            let meta = problem.meta(request_id);
            ArticlesProblem { problem: body, success: false, error, meta }.to_json_string()
        }
        Dialect::IdeaClouds => CloudsProblem { problem: body, error }.to_json_string(),
        Dialect::Planner => {
            PlannerProblem { problem: body, success: false, error: problem.detail.clone() }.to_json_string()
        }
    }
}

//! What stands in a request, where it stands, and what is wrong with it.

use std::fmt;

use galley_domain::order::FieldError;
use serde_json::Value;

use crate::http::kit::problem::{MAX_ERRORS, Problem};

/// What stands in one place of a request.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    Json(&'a Value),
    /// What a query or a form says under one name; never empty.
    Texts(&'a [String]),
}

impl Input<'_> {
    pub fn is_null(self) -> bool {
        matches!(self, Self::Json(Value::Null))
    }

    /// "must be a text, but is a number".
    pub fn unlike(self, expected: &str) -> String {
        match self {
            Self::Json(value) => format!("must be {expected}, but is {}", kind_of(value)),
            Self::Texts(_) => format!("must be {expected}"),
        }
    }
}

pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Where a value stands, such as `sections[2].heading`.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("body"),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(outer, name) => write!(f, "{outer}.{name}"),
            Self::Item(outer, at) => write!(f, "{outer}[{at}]"),
        }
    }
}

/// Every wrong field that was found.
#[derive(Debug, Default)]
pub struct Errors(Vec<FieldError>);

impl Errors {
    pub fn add(&mut self, place: &Place<'_>, message: impl Into<String>) {
        // One more than is shown, so that the answer can say that there are more.
        if self.0.len() <= MAX_ERRORS {
            self.0.push(FieldError { field: place.to_string(), message: message.into() });
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        self.outcome(value)?.map_err(Problem::invalid)
    }

    /// The value, or all that is wrong.
    pub fn outcome<T>(self, value: Option<T>) -> Result<Result<T, Vec<FieldError>>, Problem> {
        match value {
            Some(value) if self.0.is_empty() => Ok(Ok(value)),
            None if self.0.is_empty() => Err(Problem::internal(&"a field is missing and nobody said so")),
            _ => Ok(Err(self.0)),
        }
    }
}

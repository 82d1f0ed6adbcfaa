use std::fmt;

use galley_domain::{Fault, order::FieldError};
use galley_engine::ControlError;
use galley_store::StoreError;
use rust_decimal::Decimal;

use crate::blobs::BlobError;

/// What was looked for and is not there, or is another tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Task,
    Article,
    Version,
    File,
    Project,
    Key,
    Secret,
    Organization,
    Schedule,
    ScheduleRun,
    Webhook,
    Delivery,
    Post,
    Connection,
    Template,
    Publication,
    Feed,
    Image,
    PhotoKey,
    Integration,
    Site,
    Content,
    Deployment,
}

impl fmt::Display for Missing {
    /// "there is no such …".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Task => "task",
            Self::Article => "article",
            Self::Version => "version of this article",
            Self::File => "file",
            Self::Project => "project",
            Self::Key => "API key",
            Self::Secret => "secret",
            Self::Organization => "organization",
            Self::Schedule => "schedule",
            Self::ScheduleRun => "run of this schedule",
            Self::Webhook => "webhook",
            Self::Delivery => "delivery of this webhook",
            Self::Post => "blog post in this project",
            Self::Connection => "connection",
            Self::Template => "template",
            Self::Publication => "publication",
            Self::Feed => "calendar feed",
            Self::Image => "image",
            Self::PhotoKey => "key for stock photos",
            Self::Integration => "integration",
            Self::Site => "site",
            Self::Content => "content",
            Self::Deployment => "call to publish",
        })
    }
}

/// Why a use case was refused or failed. Everything but `Internal` may be shown to the client.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("the request is not valid")]
    Validation(Vec<FieldError>),
    #[error("there is no such {0}, or it belongs to another organization")]
    NotFound(Missing),
    /// The same of an id that stands in the body, in the documents whose clients expect a 404 then.
    #[error("there is no such {0}, or it belongs to another organization")]
    Unknown(Missing, FieldError),
    /// The request is fine, the state of things is not; the text says what to do.
    #[error("{0}")]
    Conflict(String),
    /// The same, with what stands in the way one by one.
    #[error("{0}")]
    Refused(String, Vec<FieldError>),
    /// Whoever was asked outside did not do it.
    #[error(transparent)]
    Outside(Fault),
    /// The client has seen an older state than there is.
    #[error("{0}")]
    Stale(String),
    #[error("this costs {needed} credits; {available} are free")]
    InsufficientCredits { needed: Decimal, available: Decimal },
    /// What was shown does not give the right, or no longer.
    #[error("{0}")]
    Forbidden(String),
    /// More bytes than are taken.
    #[error("more than the {0} bytes that are taken")]
    TooLarge(usize),
    /// Bytes of a kind that is not taken; the text says which are.
    #[error("{0}")]
    WrongKind(String),
    /// The machine cannot do it now; the text says what to do.
    #[error("{0}")]
    Unavailable(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] BlobError),
}

impl From<ControlError> for ServiceError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound => Self::NotFound(Missing::Task),
            ControlError::Refused(text) => Self::Conflict(text),
            ControlError::Store(error) => Self::Store(error),
        }
    }
}

impl ServiceError {
    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Validation(vec![FieldError { field: field.into(), message: message.into() }])
    }
}

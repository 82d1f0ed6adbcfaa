//! Why a piece of work did not succeed, decided where the error arises and never guessed from text later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hidden::Hidden;

/// The error codes that clients see on a failed task or step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultCode {
    ValidationError,
    LlmError,
    WorkflowError,
    /// The state of things does not allow it; the text says what to do.
    Conflict,
    DatabaseError,
    RateLimitError,
}

impl FaultCode {
    /// The code as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationError => "VALIDATION_ERROR",
            Self::LlmError => "LLM_ERROR",
            Self::WorkflowError => "WORKFLOW_ERROR",
            Self::Conflict => "CONFLICT",
            Self::DatabaseError => "DATABASE_ERROR",
            Self::RateLimitError => "RATE_LIMIT_ERROR",
        }
    }
}

/// A typed failure of a step or of a call to the outside.
///
/// `message` is shown to the client that ordered the work: it names what failed and the way out, and holds no secret,
/// no prompt and no address of an internal host. `detail` goes to the log only.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// May go away by itself: timeouts, refused or cut connections, 408/409/425/429/5xx. Costs an attempt.
    #[error("{message}")]
    Transient {
        code: FaultCode,
        message: String,
        /// What the peer asked for (`Retry-After`); the engine waits at least this long.
        after: Option<Duration>,
        detail: Option<String>,
    },
    /// Will fail the same way again: other 4xx, spent quota, bad input, an answer that stays unusable after repair.
    #[error("{message}")]
    Permanent { code: FaultCode, message: String, detail: Option<String> },
}

impl Fault {
    pub fn transient(code: FaultCode, message: impl Into<String>) -> Self {
        Self::Transient { code, message: message.into(), after: None, detail: None }
    }

    pub fn permanent(code: FaultCode, message: impl Into<String>) -> Self {
        Self::Permanent { code, message: message.into(), detail: None }
    }

    /// Sets the wait that the peer asked for; a permanent fault is returned unchanged.
    #[must_use]
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        if let Self::Transient { after, .. } = &mut self {
            *after = wait;
        }
        self
    }

    /// Adds what only the log may show.
    #[must_use]
    pub fn with_detail(mut self, text: impl std::fmt::Display) -> Self {
        match &mut self {
            Self::Transient { detail, .. } | Self::Permanent { detail, .. } => *detail = Some(text.to_string()),
        }
        self
    }

    /// Strikes secrets out of what the log may show: peers repeat what they were sent.
    #[must_use]
    pub fn hiding<'a>(mut self, secrets: impl IntoIterator<Item = &'a Hidden>) -> Self {
        if let Self::Transient { detail: Some(detail), .. } | Self::Permanent { detail: Some(detail), .. } = &mut self {
            for secret in secrets {
                *detail = secret.strike_out(detail);
            }
        }
        self
    }

    /// Leaves at most so many characters of what the log may show.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Self {
        if let Self::Transient { detail: Some(detail), .. } | Self::Permanent { detail: Some(detail), .. } = &mut self
            && let Some((end, _)) = detail.char_indices().nth(most)
        {
            detail.truncate(end);
        }
        self
    }

    pub fn code(&self) -> FaultCode {
        match self {
            Self::Transient { code, .. } | Self::Permanent { code, .. } => *code,
        }
    }

    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }
}

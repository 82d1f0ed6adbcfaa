//! What can be wrong with a file, told so that its owner knows what to do.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Why no text came out of a file. Nearly every variant is the file's own problem or a limit it hit, so trying the same
/// bytes again gives the same answer; [`FileError::is_transient`] says which are not.
///
/// The message is for the person who gave the file: it names the problem and the way out, and holds none of the
/// file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FileError {
    #[error("the file is empty; upload one that has content")]
    Empty,
    /// `what` is over its limit: the file itself, or what it unpacks to.
    #[error("{what} is larger than the {limit} allowed; split the file or upload only the part that is needed")]
    TooLarge {
        what: Cow<'static, str>,
        /// With its unit, e.g. `20 MiB`.
        limit: String,
    },
    /// `looks_like` names the type that the content shows, e.g. `a PNG image`.
    #[error("this is {looks_like}, which has no text that can be read here; {way_out}")]
    UnknownType { looks_like: Cow<'static, str>, way_out: Cow<'static, str> },
    #[error("the file is protected with a password; remove the protection and upload it again")]
    Encrypted,
    /// Built (or broken) so that reading it would need far more memory or work than its size tells.
    #[error("the file unpacks to far more than its size warrants ({detail}); save it again from its program")]
    Bomb { detail: Cow<'static, str> },
    /// `detail` says which part could not be read.
    #[error("the file is damaged or incomplete ({detail}); open it in its program, save it again and upload that")]
    Damaged { detail: String },
    #[error("no text was found in the file: {reason}")]
    NoText { reason: Cow<'static, str> },
    #[error("reading the file took longer than {seconds} s and was stopped; split it or save it in a simpler form")]
    TimedOut { seconds: u64 },
    /// `limit` is the most that was tried, with its unit.
    #[error(
        "reading the file needs more than {limit} of memory; split it, save it in a simpler form, or have the operator raise \
         limits.reading_memory_mb"
    )]
    TooMuchMemory { limit: String },
    /// The process that read the file could not be started or was ended by somebody else; the file is not at fault.
    #[error("the file could not be read now ({detail}); try again later")]
    ReaderFailed { detail: String },
}

impl FileError {
    /// A stable name of the problem for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "FILE_EMPTY",
            Self::TooLarge { .. } => "FILE_TOO_LARGE",
            Self::UnknownType { .. } => "FILE_TYPE_UNKNOWN",
            Self::Encrypted => "FILE_ENCRYPTED",
            Self::Bomb { .. } => "FILE_BOMB",
            Self::Damaged { .. } => "FILE_DAMAGED",
            Self::NoText { .. } => "FILE_NO_TEXT",
            Self::TimedOut { .. } => "FILE_TIMED_OUT",
            Self::TooMuchMemory { .. } => "FILE_TOO_MUCH_MEMORY",
            Self::ReaderFailed { .. } => "FILE_READER_FAILED",
        }
    }

    /// May the same bytes be read later? A machine that was too busy may be less so then.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::ReaderFailed { .. })
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into() }
    }

    pub(crate) fn too_large(what: &'static str, limit: String) -> Self {
        Self::TooLarge { what: what.into(), limit }
    }

    pub(crate) fn unknown(looks_like: &'static str, way_out: &'static str) -> Self {
        Self::UnknownType { looks_like: looks_like.into(), way_out: way_out.into() }
    }

    pub(crate) fn bomb(detail: &'static str) -> Self {
        Self::Bomb { detail: detail.into() }
    }

    pub(crate) fn no_text(reason: &'static str) -> Self {
        Self::NoText { reason: reason.into() }
    }
}

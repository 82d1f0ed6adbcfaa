//! What can be wrong with a file, told so that its owner knows what to do.

/// Why no text came out of a file. Every variant is the file's own problem or a limit it hit, so trying the same bytes
/// again gives the same answer; only [`FileError::TimedOut`] may depend on how busy the machine is.
///
/// The message is for the person who gave the file: it names the problem and the way out, and holds none of the
/// file's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("the file is empty; upload one that has content")]
    Empty,
    /// `what` is over its limit: the file itself, or what it unpacks to.
    #[error("{what} is larger than the {limit} allowed; split the file or upload only the part that is needed")]
    TooLarge {
        what: &'static str,
        /// With its unit, e.g. `20 MiB`.
        limit: String,
    },
    /// `looks_like` names the type that the content shows, e.g. `a PNG image`.
    #[error("this is {looks_like}, which has no text that can be read here; {way_out}")]
    UnknownType { looks_like: &'static str, way_out: &'static str },
    #[error("the file is protected with a password; remove the protection and upload it again")]
    Encrypted,
    /// Built (or broken) so that reading it would need far more memory or work than its size tells.
    #[error("the file unpacks to far more than its size warrants ({detail}); save it again from its program")]
    Bomb { detail: &'static str },
    /// `detail` says which part could not be read.
    #[error("the file is damaged or incomplete ({detail}); open it in its program, save it again and upload that")]
    Damaged { detail: String },
    #[error("no text was found in the file: {reason}")]
    NoText { reason: &'static str },
    #[error("reading the file took longer than {seconds} s and was stopped; split it or save it in a simpler form")]
    TimedOut { seconds: u64 },
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
        }
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into() }
    }
}

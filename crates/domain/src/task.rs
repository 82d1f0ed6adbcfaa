//! Tasks and steps: their states, the kinds of steps, and how far a task has come.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants have one stable text each, used on the wire and in the database.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err(UnknownWord::new(text, &[$($text),+])) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use text_enum;

/// A word that is not one of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

impl UnknownWord {
    pub(crate) fn new(word: &str, known: &[&str]) -> Self {
        Self { word: word.chars().take(40).collect(), known: known.join(", ") }
    }
}

text_enum! {
    TaskStatus {
        Pending = "pending",
        Processing = "processing",
        Completed = "completed",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

impl TaskStatus {
    /// An ended task changes only by a retry.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

text_enum! {
    StepState {
        /// Claimable now.
        Ready = "ready",
        /// Claimable when its time comes.
        Delayed = "delayed",
        /// Leased by a worker.
        Running = "running",
        Done = "done",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

text_enum! {
    /// What a step does; each kind has a pool of workers.
    StepKind {
        Research = "research",
        Outline = "outline",
        Draft = "draft",
        Seo = "seo",
        Image = "image",
        Sync = "sync",
        /// Maintenance: removes what retention no longer keeps. Belongs to no task.
        Sweep = "sweep",
    }
}

impl StepKind {
    /// The steps of an article, in order.
    pub const ARTICLE: [Self; 6] = [Self::Research, Self::Outline, Self::Draft, Self::Seo, Self::Image, Self::Sync];

    /// What the published documents call the step in `steps_completed` and `current_step`.
    pub fn public_name(self) -> &'static str {
        match self {
            Self::Draft => "drafting",
            other => other.as_str(),
        }
    }

    /// The kind after this one in an article, if there is one.
    pub fn next(self) -> Option<Self> {
        let at = Self::ARTICLE.iter().position(|kind| *kind == self)?;
        Self::ARTICLE.get(at + 1).copied()
    }

    /// Percent of the whole that is done before this step starts. Writing takes most of the time.
    pub fn progress_before(self) -> u8 {
        match self {
            Self::Research => 0,
            Self::Outline => 15,
            Self::Draft => 25,
            Self::Seo => 80,
            Self::Image => 90,
            Self::Sync => 95,
            Self::Sweep => 100,
        }
    }

    /// Percent of the whole when `done` of `total` steps of this kind have ended.
    pub fn progress_at(self, done: u32, total: u32) -> u8 {
        let from = u32::from(self.progress_before());
        let to = u32::from(self.next().map_or(100, Self::progress_before));
        let percent = from + (to - from) * done.min(total) / total.max(1);
        u8::try_from(percent).unwrap_or(100)
    }
}

/// How a pool treats its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// An attempt that takes longer is dropped and counts as failed.
    pub timeout: Duration,
    /// Steps of this kind that run at once in one process.
    pub concurrency: usize,
}

impl StepPolicy {
    /// Sized for a small machine: what waits for others (reading, models) runs wide, what computes runs narrow.
    pub fn default_for(kind: StepKind) -> Self {
        let (max_attempts, timeout, concurrency) = match kind {
            StepKind::Research => (4, 180, 8),
            StepKind::Outline => (6, 300, 16),
            StepKind::Draft => (6, 600, 32),
            StepKind::Seo => (6, 300, 8),
            StepKind::Image => (4, 120, 2),
            StepKind::Sync => (8, 120, 8),
            StepKind::Sweep => (3, 300, 1),
        };
        Self { max_attempts, timeout: Duration::from_secs(timeout), concurrency }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_grows_from_step_to_step_and_ends_at_100() {
        let mut last = 0;
        for kind in StepKind::ARTICLE {
            assert!(kind.progress_before() >= last, "{kind} starts below the step before it");
            last = kind.progress_at(1, 1);
            assert!(last > kind.progress_before());
        }
        assert_eq!(last, 100);
        assert_eq!(StepKind::Draft.progress_at(2, 4), 25 + 55 / 2);
        assert_eq!(StepKind::Draft.progress_at(9, 4), 80, "never beyond its share");
    }

    #[test]
    fn unknown_words_name_the_known_ones() {
        let error = "done".parse::<TaskStatus>().expect_err("not a task status");
        assert_eq!(error.to_string(), "'done' is not one of pending, processing, completed, failed, cancelled");
    }
}

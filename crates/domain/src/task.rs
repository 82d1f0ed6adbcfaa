//! Tasks and steps: their states, and the words that pipelines register.

use std::{
    collections::BTreeSet,
    sync::{PoisonError, RwLock},
    time::Duration,
};

/// Declares an enum whose variants have one stable text each, used on the wire and in the database. Crates that use it
/// depend on serde.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::task::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::task::UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::task::UnknownWord::new(text, &[$($text),+])),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// A word that is not one of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

impl UnknownWord {
    /// Shows at most 40 characters of `word`.
    pub fn new(word: &str, known: &[&str]) -> Self {
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
        /// Its task is paused: claimable when that is resumed.
        Paused = "paused",
        /// Claimable when the tasks that it ordered have ended.
        Waiting = "waiting",
        Done = "done",
        Failed = "failed",
        Cancelled = "cancelled",
    }
}

/// Words that came from outside and are kept for the life of the process; there are no more kinds and pools than this.
const MOST_WORDS: usize = 4_096;
const LONGEST_WORD: usize = 64;

static WORDS: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());

/// The one copy of a word that this process keeps.
pub(crate) fn interned(text: &str) -> Result<&'static str, UnknownWord> {
    let known = |words: &BTreeSet<&'static str>| words.get(text).copied();
    if let Some(word) = known(&WORDS.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(word);
    }
    let well_formed = (1..=LONGEST_WORD).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let mut words = WORDS.write().unwrap_or_else(PoisonError::into_inner);
    match known(&words) {
        Some(word) => Ok(word),
        None if well_formed && words.len() < MOST_WORDS => {
            let word: &'static str = text.to_owned().leak();
            words.insert(word);
            Ok(word)
        }
        None => Err(UnknownWord::new(text, &["words of lower-case letters, digits and _"])),
    }
}

/// Declares a word that whoever adds a pipeline registers. Copied freely, compared by its text.
macro_rules! registered_word {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(&'static str);

        impl $name {
            /// `word` has 1 to 64 lower-case letters, digits and underscores.
            pub const fn new(word: &'static str) -> Self {
                Self(word)
            }

            /// The text in the database.
            pub const fn as_str(self) -> &'static str {
                self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::task::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::task::UnknownWord> {
                $crate::task::interned(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

pub(crate) use registered_word;

registered_word! {
    /// What a step does.
    StepKind
}

registered_word! {
    /// Workers that share a limit: steps of several kinds that need the same thing run in one pool.
    PoolName
}

/// How steps of a kind are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// An attempt that takes longer is dropped and counts as failed.
    pub timeout: Duration,
    /// A limit of its own for one process: the kind then has a pool to itself.
    pub concurrency: Option<usize>,
}

impl StepPolicy {
    pub const fn new(max_attempts: u32, timeout_seconds: u64) -> Self {
        Self { max_attempts, timeout: Duration::from_secs(timeout_seconds), concurrency: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_name_the_known_ones() {
        let error = "done".parse::<TaskStatus>().expect_err("not a task status");
        assert_eq!(error.to_string(), "'done' is not one of pending, processing, completed, failed, cancelled");
    }

    #[test]
    fn a_registered_word_is_the_same_wherever_it_comes_from() {
        let declared = StepKind::new("shelve_books");
        let read: StepKind = "shelve_books".parse().expect("a word");
        assert_eq!(read, declared);
        assert_eq!("shelve_books".parse::<PoolName>().expect("a word").as_str(), declared.as_str());
        for wrong in ["", "Shelve", "shelve books", "shelve-books", &"x".repeat(65)] {
            assert!(wrong.parse::<StepKind>().is_err(), "{wrong:?}");
        }
    }
}

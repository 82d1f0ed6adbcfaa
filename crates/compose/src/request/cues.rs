//! How orders are worded, as data: one table per language. Words and phrases are in lower case with straight
//! apostrophes, as [`crate::lexicon::tokens`] gives them.

use std::{collections::HashSet, sync::LazyLock};

use super::tables::TABLES;
use crate::lexicon::{List, Phrases, entries, primary};

/// The table of one language.
pub(super) struct Table {
    pub code: &'static str,
    /// What comes directly before the topics: `cover`, `including`, `with sections on`.
    pub cover: List,
    /// The same, but only at the start of a clause or behind one of `before`: `list`, `present`, `show`.
    pub verbs: List,
    pub before: List,
    /// Verbs at the end of `Der Artikel soll … behandeln`; their list stands before them.
    pub closing: List,
    /// What comes before that which must not be in the text.
    pub avoid: List,
    /// What stands between topics that are to follow each other.
    pub sequence: List,
    pub questions: List,
    /// Between the last two of a list.
    pub and: &'static [&'static str],
    /// What a topic may start with but does not need.
    pub lead: List,
    /// What a topic may end with but does not need.
    pub tail: List,
    /// Two words that are one topic.
    pub pairs: &'static [&'static str],
    /// Parts that any text has; no topics.
    pub parts: List,
    /// `Topic: …`
    pub labels: List,
    /// Words before the readers, the tone and so on; a wish starts with the nearest one.
    pub preps: List,
    pub readers: List,
    pub format: List,
    pub tone: List,
    pub words: List,
    pub languages: List,
    pub other: List,
}

/// A table made ready for look-ups.
pub(super) struct Cues {
    pub code: &'static str,
    pub cover: Phrases,
    pub verbs: Phrases,
    pub before: Phrases,
    pub closing: Phrases,
    pub avoid: Phrases,
    pub sequence: Phrases,
    pub questions: Phrases,
    pub and: &'static [&'static str],
    pub lead: Phrases,
    pub tail: Phrases,
    pub pairs: &'static [&'static str],
    pub parts: Phrases,
    pub labels: Phrases,
    pub preps: Phrases,
    pub readers: Phrases,
    pub format: Phrases,
    pub tone: Phrases,
    pub words: Phrases,
    pub languages: Phrases,
    pub other: Phrases,
    /// Words that tell in which language an order is worded.
    pub telling: HashSet<&'static str>,
}

impl Cues {
    fn new(t: &'static Table) -> Self {
        let telling = entries(t.cover)
            .chain(entries(t.verbs))
            .chain(entries(t.questions))
            .chain(entries(t.lead))
            .flat_map(str::split_whitespace)
            .collect();
        Self {
            code: t.code,
            cover: Phrases::new(t.cover),
            verbs: Phrases::new(t.verbs),
            before: Phrases::new(t.before),
            closing: Phrases::new(t.closing),
            avoid: Phrases::new(t.avoid),
            sequence: Phrases::new(t.sequence),
            questions: Phrases::new(t.questions),
            and: t.and,
            lead: Phrases::new(t.lead),
            tail: Phrases::new(t.tail),
            pairs: t.pairs,
            parts: Phrases::new(t.parts),
            labels: Phrases::new(t.labels),
            preps: Phrases::new(t.preps),
            readers: Phrases::new(t.readers),
            format: Phrases::new(t.format),
            tone: Phrases::new(t.tone),
            words: Phrases::new(t.words),
            languages: Phrases::new(t.languages),
            other: Phrases::new(t.other),
            telling,
        }
    }
}

static CUES: LazyLock<Vec<Cues>> = LazyLock::new(|| TABLES.iter().map(Cues::new).collect());

pub(super) fn all() -> &'static [Cues] {
    &CUES
}

pub(super) fn of(code: &str) -> Option<&'static Cues> {
    let code = primary(code);
    CUES.iter().find(|cues| code.eq_ignore_ascii_case(cues.code))
}

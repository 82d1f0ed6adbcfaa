//! Ties sentences to what supports them.
//!
//! A sentence is *supported* by a span of one to three consecutive sentences, or one table row, of one snapshot when the
//! span covers its content (by meaning, weighted by how rare the words are in all sources), has every number with its
//! unit, every date, time and name of it, and has nothing against it: see `compare` for what limits a sentence, `order`
//! for who did what to whom, `polarity` for negations. It is supported *partly* when the span only says less.
//! `docs/truth.md` tells what that means to a reader.

mod calendar;
mod compare;
mod cover;
mod facts;
mod index;
mod light;
mod names;
mod numbers;
mod order;
mod polarity;
mod reported;
mod requirement;
mod statement;
mod units;
mod unspaced;

use galley_domain::writing::{Claim, SectionText, Snapshot, Verdict};
use galley_text::sentence;

use crate::{lexicon, table::Table};

pub use index::Checker;

/// The least share of a sentence's content that a span must have.
pub const THRESHOLD_PERMILLE: u16 = 600;

/// The same for sentences of at most four content words, where each decides.
pub const SHORT_THRESHOLD_PERMILLE: u16 = 850;

/// A claim with its place: all counted from 0; `index` is the sentence within its paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedClaim {
    pub section: usize,
    pub paragraph: usize,
    pub index: usize,
    pub claim: Claim,
}

/// The claims of an article, in reading order. Sentences are those of [`galley_text::sentence::split`]; the mark of a
/// list item is no part of its first sentence. A table is one claim.
pub fn check(sections: &[SectionText], sources: &[Snapshot]) -> Vec<PlacedClaim> {
    let checker = Checker::new(sources);
    let mut out = Vec::new();
    for (section, text) in sections.iter().enumerate() {
        for (paragraph, text) in text.paragraphs.iter().enumerate() {
            if let Some(table) = Table::parse(text) {
                out.push(PlacedClaim { section, paragraph, index: 0, claim: checker.check_table(text, &table) });
                continue;
            }
            let body = body(text);
            for (index, range) in sentence::split(body).into_iter().enumerate() {
                out.push(PlacedClaim { section, paragraph, index, claim: checker.check(&body[range]) });
            }
        }
    }
    out
}

/// A paragraph without the mark of a list item.
pub(crate) fn body(paragraph: &str) -> &str {
    let trimmed = paragraph.trim();
    trimmed.strip_prefix("- ").map_or(trimmed, str::trim_start)
}

/// A sentence that states nothing: a question, a request, a transition. One with a fact states that, whatever its form:
/// `Did you know that …?`
fn states_nothing(sentence: &str, content: usize, facts: Told) -> bool {
    if !sentence.chars().any(char::is_alphanumeric) {
        return true;
    }
    if facts == Told::More {
        return false;
    }
    let end = sentence.trim_end_matches(['"', '”', '“', '»', '’', ')', ' ']);
    if end.ends_with(['?', '？', '؟']) {
        return true;
    }
    let lower = lexicon::lower_tokens(sentence);
    let requests = lexicon::all().iter().any(|language| {
        // `Call centres are dear` against `Call your carrier`.
        let second = lower.get(1).is_none_or(|w| galley_text::word::is_stopword(w, language.table.code));
        second && language.imperatives.starts(&lower)
    });
    let leads = lexicon::all().iter().any(|language| language.pointing.anywhere(&lower));
    requests && content <= 8 || facts == Told::Nothing && (leads && content <= 6 || content <= 1)
}

/// The facts of a sentence: numbers, dates, names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Nothing,
    /// Its first word may be a name; questions and requests have a capital there as well.
    Opening,
    More,
}

fn nothing_claimed(sentence: &str) -> Claim {
    Claim {
        sentence: sentence.to_owned(),
        verdict: Verdict::NoClaim,
        span: None,
        coverage_permille: 0,
        missing: Vec::new(),
    }
}

#[cfg(test)]
mod tests;

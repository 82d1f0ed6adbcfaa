//! Whether a text is about what its title and keyphrase say.

use std::collections::HashSet;

use super::{Check, Document, SeoInput, Status, grade};
use crate::word;

type What = (&'static str, &'static str, &'static str);

const SUBJECT: What = ("subject", "Subject", "most words of title and keyphrase in the text");
/// From this share of missing words on, the text is about something else, in percent.
const OTHER_SUBJECT: usize = 70;
const DOUBTFUL: usize = 50;
/// One missing word is a synonym as often as another subject.
const LEAST_WORDS: usize = 2;
/// Stems shorter than this begin other words by chance.
const LEAST_STEM: usize = 5;
const MOST_WORDS: usize = 40;

pub(super) fn check(input: &SeoInput, document: &Document) -> Check {
    let language = document.language.as_str();
    if word::is_unspaced(language) {
        return Check::skipped(SUBJECT, "Words cannot be told apart in this language.");
    }
    let keyphrase = input.keyphrase.or_else(|| input.keywords.first().map(String::as_str)).unwrap_or_default();
    let mut seen = HashSet::new();
    let wanted: Vec<(&str, String)> = [input.title, keyphrase]
        .into_iter()
        .flat_map(word::iter)
        .flat_map(|w| w.split('-'))
        .filter(|w| w.chars().any(char::is_alphabetic) && w.chars().count() > 2 && !word::is_stopword(w, language))
        .map(|w| (w, word::stem(w, language)))
        .filter(|(_, stem)| seen.insert(stem.clone()))
        .take(MOST_WORDS)
        .collect();
    if wanted.len() < LEAST_WORDS || document.words == 0 {
        return Check::skipped(SUBJECT, "Too few words to judge by.");
    }
    let stems: HashSet<&str> = document.units.iter().flat_map(super::Unit::stems).collect();
    let stands = |stem: &str| {
        stems.contains(stem)
            || stem.len() >= LEAST_STEM && stems.iter().any(|s| s.starts_with(stem))
            || stems.iter().any(|s| s.len() >= LEAST_STEM && stem.starts_with(s))
    };
    let missing: Vec<&str> = wanted.iter().filter(|(_, stem)| !stands(stem)).map(|(w, _)| *w).collect();
    let percent = missing.len() * 100 / wanted.len();
    let status = grade(percent < DOUBTFUL, percent < OTHER_SUBJECT);
    let named = missing.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    Check::judged(
        SUBJECT,
        status,
        format!("{} of {} words", wanted.len() - missing.len(), wanted.len()),
        format!("Write about what the title says: the text has nothing of {named}."),
    )
}

/// Whether the check says that the text is about something else.
pub(super) fn is_other(check: &Check) -> bool {
    check.id == SUBJECT.0 && check.status == Status::Bad
}

//! Measures how far the check of claims can be trusted, with sets of its own over sources of its own.
//!
//! Falsehoods must not pass as supported, and true sentences in other words must. The machine-made sets are the same in
//! every run; those written by hand lie beside their sources in `data/`. What is measured is [`galley_compose`] alone:
//! nothing is fetched, no clock is looked at.

pub mod articles;
pub mod data;
mod figures;
pub mod lies;
mod make;
pub mod orders;
pub mod print;
pub mod rewrites;
mod rng;
mod rules;
mod text;

pub use figures::{Figure, Orders, figures, of_orders};
use galley_compose::claims::Checker;
use galley_domain::writing::{Snapshot, Verdict};

use data::Language;

/// A statement about the sources of a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub language: &'static str,
    /// The source that it is about.
    pub source: String,
    pub kind: String,
    pub text: String,
    /// The sentence that it was made of; empty where it was written by hand.
    pub from: String,
}

/// A statement with what the checker said of it.
#[derive(Debug, Clone)]
pub struct Judged {
    pub made: Made,
    pub verdict: Verdict,
    pub coverage_permille: u16,
    /// What it is said to rest on.
    pub span: String,
    /// What its verdict says against it.
    pub missing: Vec<String>,
}

impl Judged {
    /// Nothing but `supported` counts: what is marked as partly supported is marked.
    pub fn is_supported(&self) -> bool {
        self.verdict == Verdict::Supported
    }
}

impl Language {
    /// The mark between units and tenths.
    pub fn decimal(&self) -> char {
        if self.code == "en" { '.' } else { ',' }
    }

    fn thousands(&self) -> &'static str {
        match self.code {
            "en" => ",",
            "fr" => "\u{a0}",
            "ru" => " ",
            _ => ".",
        }
    }

    /// Whether a month begins here: the number before it is a day.
    fn is_date(&self, rest: &str) -> bool {
        let rest = rest.trim_start_matches(['.', ' ']).trim_start_matches("de ");
        self.rules.starts("months", rest)
    }

    fn large(&self) -> Vec<(&str, f64)> {
        let lines = self.rules.list("large").iter();
        lines.filter_map(|line| line.split_once(" | ")).filter_map(|(w, n)| Some((w, n.parse().ok()?))).collect()
    }
}

/// Judges statements by all sources of their language: the more there are, the harder it is to tell them apart.
pub fn judge(made: Vec<Made>, sources: &[Snapshot]) -> Vec<Judged> {
    let checker = Checker::new(sources);
    made.into_iter()
        .map(|made| {
            let claim = checker.check(&made.text);
            let span = claim.span.and_then(|span| span.text_in(sources)).unwrap_or("").to_owned();
            Judged {
                made,
                verdict: claim.verdict,
                coverage_permille: claim.coverage_permille,
                span,
                missing: claim.missing,
            }
        })
        .collect()
}

/// The sets of statements, judged.
#[derive(Debug, Default)]
pub struct Statements {
    pub falsehoods: Vec<Judged>,
    pub rewrites: Vec<Judged>,
    /// Written by hand.
    pub hand_falsehoods: Vec<Judged>,
    pub hand_rewrites: Vec<Judged>,
}

pub fn statements() -> Statements {
    of_languages(&data::languages())
}

/// The sets that nothing is tuned by; they are counted, and never listed.
pub fn held() -> Statements {
    of_languages(&data::held())
}

fn of_languages(languages: &[Language]) -> Statements {
    let mut out = Statements::default();
    for language in languages {
        let judged = |made: Vec<Made>| judge(made, &language.snapshots);
        out.falsehoods.extend(judged(lies::make(language)));
        out.rewrites.extend(judged(rewrites::make(language)));
        out.hand_falsehoods.extend(judged(language.falsehoods.clone()));
        out.hand_rewrites.extend(judged(language.rewrites.clone()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falsehoods_are_many_of_many_kinds_and_nowhere_said() {
        let languages = data::languages();
        let mut kinds = Vec::new();
        for language in &languages {
            let made = lies::make(language);
            assert_eq!(made, lies::make(language), "the same each time");
            assert!(made.len() >= 200, "{}: {}", language.code, made.len());
            for one in &made {
                assert!(!language.says(&one.text), "{one:?}");
                assert_ne!(text::plain(&one.text), text::plain(&one.from));
            }
            kinds.extend(made.iter().map(|one| one.kind.clone()));
        }
        kinds.sort_unstable();
        kinds.dedup();
        assert!(kinds.len() >= 14, "{kinds:?}");
    }

    #[test]
    fn what_was_written_by_hand_is_about_a_source() {
        let mut languages = data::languages();
        languages.extend(data::held());
        for language in &languages {
            for one in language.falsehoods.iter().chain(&language.rewrites) {
                assert!(language.sources.iter().any(|source| source.id == one.source), "{one:?}");
                assert!(!language.says(&one.text) && !one.kind.is_empty(), "{one:?}");
            }
        }
        let all = |of: fn(&Language) -> &Vec<Made>| languages.iter().map(|language| of(language).len()).sum::<usize>();
        assert!(all(|language| &language.falsehoods) >= 150);
        assert!(all(|language| &language.rewrites) >= 130);
    }

    #[test]
    fn what_is_taken_over_word_for_word_is_supported() {
        for language in data::languages() {
            let checker = Checker::new(&language.snapshots);
            for sentence in language.sources.iter().flat_map(|source| &source.sentences) {
                assert_eq!(checker.check(&sentence.text).verdict, Verdict::Supported, "{}", sentence.text);
            }
        }
    }
}

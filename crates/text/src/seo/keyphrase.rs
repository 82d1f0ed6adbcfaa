//! Where the keyphrase stands. Words are compared by their stems, so `title cards` is found as `title card`.

use std::collections::HashSet;

use super::{Check, Document, PLACES, SeoInput, Status, WORDS_WITHOUT_HEADINGS, grade, quote};
use crate::{markdown::BlockKind, slug, word};

/// Phrases with more content words are matched by nearness, not word for word.
const SHORT: usize = 4;
/// Further words of a phrase, and further keywords, are not looked at.
/// Headings further down are about details, not about the whole article.
const DEEPEST: u8 = 3;
const MOST_WORDS: usize = 20;
const MOST_KEYWORDS: usize = 50;
const QUESTION_WORDS: [&str; 14] =
    ["how", "what", "why", "when", "where", "who", "which", "whose", "can", "should", "is", "are", "does", "do"];

struct Token {
    stem: String,
    stop: bool,
}

/// The stems of one sentence, heading or field.
pub(super) struct Unit(Vec<Token>);

impl Unit {
    pub(super) fn read(text: &str, language: &str) -> Self {
        let parts = word::iter(text).flat_map(parts);
        let token = |w: &str| Token { stem: word::stem(w, language), stop: word::is_stopword(w, language) };
        Self(parts.map(token).collect())
    }

    /// Of its content words.
    pub(super) fn stems(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|token| !token.stop).map(|token| token.stem.as_str())
    }
}

/// The parts of a word such as `state-of-the-art`, `pg_index` and `unittest.mock`: people look for it with spaces, too.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let is_joint = |c: char| matches!(c, '-' | '\u{2010}' | '\u{2011}' | '_' | '.' | ':');
    word.split(is_joint).filter(|part| !part.is_empty())
}

/// What is looked for.
pub(super) struct Phrase {
    text: String,
    /// The content words as written, and their stems; all words where the phrase has only stop words.
    words: Vec<String>,
    stems: Vec<String>,
    keeps_stopwords: bool,
    /// A question or a long phrase: all words near each other, in any order.
    near: bool,
}

impl Phrase {
    /// `None` for a text without words.
    pub(super) fn read(text: &str, language: &str) -> Option<Self> {
        let all: Vec<&str> = word::iter(text).flat_map(parts).collect();
        let content: Vec<&str> = all.iter().copied().filter(|w| !word::is_stopword(w, language)).collect();
        let keeps_stopwords = content.is_empty();
        let words = if keeps_stopwords { &all } else { &content };
        let words: Vec<String> = words.iter().take(MOST_WORDS).map(|w| (*w).to_owned()).collect();
        let first = all.first()?.to_lowercase();
        let asks = text.trim_end().ends_with(['?', '？', '؟', '\u{37e}']);
        let asks = asks || (language == "en" && all.len() > 2 && QUESTION_WORDS.contains(&first.as_str()));
        let near = words.len() > SHORT || (asks && words.len() > 1);
        let stems = words.iter().map(|w| word::stem(w, language)).collect();
        Some(Self { text: text.trim().to_owned(), words, stems, keeps_stopwords, near })
    }

    /// How often the phrase stands in the unit, without overlaps.
    fn occurrences(&self, unit: &Unit) -> u32 {
        let tokens = unit.0.iter().filter(|t| self.keeps_stopwords || !t.stop).map(|t| t.stem.as_str());
        if self.near { self.near_occurrences(tokens) } else { self.exact_occurrences(tokens) }
    }

    fn exact_occurrences<'a>(&self, tokens: impl Iterator<Item = &'a str>) -> u32 {
        let tokens: Vec<&str> = tokens.collect();
        let (mut at, mut found) = (0, 0);
        while at + self.stems.len() <= tokens.len() {
            let here = self.stems.iter().zip(&tokens[at..]).all(|(a, b)| a == b);
            found += u32::from(here);
            at += if here { self.stems.len() } else { 1 };
        }
        found
    }

    /// All stems within a stretch of twice as many content words.
    fn near_occurrences<'a>(&self, tokens: impl Iterator<Item = &'a str>) -> u32 {
        let stretch = (self.stems.len() * 2).max(self.stems.len() + 4);
        let mut last: Vec<Option<usize>> = vec![None; self.stems.len()];
        let mut found = 0;
        for (at, token) in tokens.enumerate() {
            for (seen, _) in last.iter_mut().zip(&self.stems).filter(|(_, stem)| *stem == token) {
                *seen = Some(at);
            }
            if last.iter().all(|seen| seen.is_some_and(|seen| at - seen < stretch)) {
                found += 1;
                last.fill(None);
            }
        }
        found
    }

    /// Whether every word of the phrase is in the unit, wherever.
    fn scattered_in(&self, unit: &Unit) -> bool {
        let stems: HashSet<&str> = unit.0.iter().map(|t| t.stem.as_str()).collect();
        self.stems.iter().all(|stem| stems.contains(stem.as_str()))
    }

    /// The words of the phrase that a slug lacks. Slugs are ASCII, so words are compared as a slug has them.
    fn missing_in_slug(&self, slug: &str, language: &str) -> Vec<&str> {
        let parts: Vec<&str> = slug.split('-').filter(|p| !p.is_empty()).collect();
        let stems: HashSet<String> = parts.iter().map(|p| word::stem(p, language)).collect();
        let has = |word: &str, stem: &str| {
            let ascii = slug::slugify(word);
            let ascii_stem = slug::slugify(stem);
            let by_stem = stems.contains(&word::stem(&ascii, language));
            by_stem || parts.iter().any(|p| *p == ascii || (ascii_stem.len() > 2 && p.starts_with(&ascii_stem)))
        };
        self.words.iter().zip(&self.stems).filter(|(w, s)| !has(w, s)).map(|(w, _)| w.as_str()).collect()
    }
}

type What = (&'static str, &'static str, &'static str);

const DENSITY: What = ("keyphrase_density", "Keyphrase density", "0.5–3 % of the words");
const IN_TITLE: What = ("keyphrase_in_title", "Keyphrase in title", "in the title");
const IN_INTRODUCTION: What = ("keyphrase_in_introduction", "Keyphrase in introduction", "in the first paragraph");
const IN_HEADINGS: What =
    ("keyphrase_in_headings", "Keyphrase in headings", "in 30–75 % of the headings of the levels 2 and 3");
const IN_SLUG: What = ("keyphrase_in_slug", "Keyphrase in slug", "all its words in the slug");
const IN_DESCRIPTION: What = ("keyphrase_in_description", "Keyphrase in description", "in the description");
const KEYWORDS: What = ("keywords_in_text", "Keywords in text", "each at least once");

pub(super) fn checks(input: &SeoInput, document: &Document) -> Vec<Check> {
    let mut checks = match &document.phrase {
        Some(phrase) => vec![
            density(phrase, document),
            in_title(phrase, input, document),
            in_introduction(phrase, document),
            in_headings(phrase, document),
            in_slug(phrase, input, document),
            in_description(phrase, input, document),
        ],
        None => [DENSITY, IN_TITLE, IN_INTRODUCTION, IN_HEADINGS, IN_SLUG, IN_DESCRIPTION]
            .map(|what| Check::skipped(what, "Name a keyphrase to have this judged."))
            .into(),
    };
    checks.push(keywords(input, document));
    checks
}

fn density(phrase: &Phrase, document: &Document) -> Check {
    let found: u32 = document.units.iter().map(|unit| phrase.occurrences(unit)).sum();
    let words = document.words;
    // In ten thousandths, without rounding: found / words against 0.5 % and 3 %, tolerated from 0.25 % to 4 %.
    let parts = |limit: u32| u64::from(limit) * u64::from(words);
    let share = u64::from(found) * 10_000;
    let within = |least, most| found > 0 && (parts(least)..=parts(most)).contains(&share);
    let status = grade(within(50, 300), within(25, 400));
    let percent = f64::from(found) * 100.0 / f64::from(words.max(1));
    let least = words.div_ceil(200).max(1);
    let most = (words * 3 / 100).max(least);
    let change = if share < parts(50) || found == 0 { "more" } else { "less" };
    let times = if least == most { format!("{least}×") } else { format!("{least} to {most} times") };
    let advice = format!("Use “{}” {change} often: {times} in {words} words, spread evenly.", phrase.text);
    Check::judged(DENSITY, status, format!("{found} times, {percent:.1} %"), advice)
}

fn in_title(phrase: &Phrase, input: &SeoInput, document: &Document) -> Check {
    let title = Unit::read(input.title, &document.language);
    let status = grade(phrase.occurrences(&title) > 0, phrase.scattered_in(&title));
    let advice = match status {
        Status::Ok => {
            format!("Put the words of “{}” next to each other in the title {}.", phrase.text, quote(input.title))
        }
        _ => format!("Put “{}” into the title, near its beginning.", phrase.text),
    };
    Check::judged(IN_TITLE, status, yes_no(status), advice)
}

fn in_introduction(phrase: &Phrase, document: &Document) -> Check {
    let Some(first) = document.article.blocks.iter().find(|b| b.kind == BlockKind::Paragraph) else {
        return Check::skipped(IN_INTRODUCTION, "The article has no paragraph.");
    };
    let unit = Unit::read(&first.text, &document.language);
    let status = grade(phrase.occurrences(&unit) > 0, phrase.scattered_in(&unit));
    let advice = format!("Use “{}” in the first paragraph, {}.", phrase.text, quote(&first.text));
    Check::judged(IN_INTRODUCTION, status, yes_no(status), advice)
}

fn in_headings(phrase: &Phrase, document: &Document) -> Check {
    let headings = document.headings().filter(|(level, text)| *level <= DEEPEST && !text.is_empty());
    let (with, without): (Vec<&str>, Vec<&str>) =
        headings.map(|(_, text)| text).partition(|h| phrase.occurrences(&Unit::read(h, &document.language)) > 0);
    let all = with.len() + without.len();
    if all == 0 && document.words <= WORDS_WITHOUT_HEADINGS {
        return Check::skipped(IN_HEADINGS, "The article has no headings of the levels 2 and 3.");
    }
    if all == 0 {
        let advice = format!("Add headings of level 2 or 3, one of them with “{}”.", phrase.text);
        return Check::judged(IN_HEADINGS, Status::Bad, "no headings", advice);
    }
    let percent = with.len() * 100;
    // One heading alone can only have it or not.
    let good = (30 * all..=75 * all).contains(&percent) || (all == 1 && with.len() == 1);
    let status = grade(good, percent >= 15 * all);
    let advice = if percent < 30 * all {
        let places: Vec<String> = without.iter().take(PLACES).map(|h| quote(h)).collect();
        format!("Use “{}” in more headings, for example in {}.", phrase.text, places.join(", "))
    } else {
        let places: Vec<String> = with.iter().take(PLACES).map(|h| quote(h)).collect();
        format!("Take “{}” out of some headings, for example of {}.", phrase.text, places.join(", "))
    };
    Check::judged(IN_HEADINGS, status, format!("{} of {all} headings", with.len()), advice)
}

fn in_slug(phrase: &Phrase, input: &SeoInput, document: &Document) -> Check {
    let missing = phrase.missing_in_slug(input.slug, &document.language);
    let found = phrase.words.len() - missing.len();
    let status = grade(missing.is_empty(), found * 2 >= phrase.words.len());
    let advice = format!("Add to the slug: {}.", missing.join(", "));
    Check::judged(IN_SLUG, status, format!("{found} of {} words", phrase.words.len()), advice)
}

fn in_description(phrase: &Phrase, input: &SeoInput, document: &Document) -> Check {
    let unit = Unit::read(input.description, &document.language);
    let status = grade(phrase.occurrences(&unit) > 0, phrase.scattered_in(&unit));
    let advice = match status {
        Status::Ok => format!("Put the words of “{}” next to each other in the description.", phrase.text),
        _ => format!("Use “{}” in the description.", phrase.text),
    };
    Check::judged(IN_DESCRIPTION, status, yes_no(status), advice)
}

fn keywords(input: &SeoInput, document: &Document) -> Check {
    let looked_at = input.keywords.iter().take(MOST_KEYWORDS);
    let phrases: Vec<Phrase> = looked_at.filter_map(|k| Phrase::read(k, &document.language)).collect();
    if phrases.is_empty() {
        return Check::skipped(KEYWORDS, "Name keywords to have this judged.");
    }
    let absent = |p: &&Phrase| document.units.iter().all(|unit| p.occurrences(unit) == 0);
    let missing: Vec<&str> = phrases.iter().filter(absent).map(|p| p.text.as_str()).collect();
    let found = phrases.len() - missing.len();
    let status = grade(missing.is_empty(), found * 2 >= phrases.len());
    let advice = format!("Use in the text: {}.", missing.join(", "));
    Check::judged(KEYWORDS, status, format!("{found} of {}", phrases.len()), advice)
}

fn yes_no(status: Status) -> &'static str {
    match status {
        Status::Good => "yes",
        Status::Ok => "its words apart",
        Status::Bad | Status::Skipped => "no",
    }
}

//! How well an article is made for readers and search engines: named checks, each with what to do about it.

mod english;
mod fit;
mod keyphrase;
mod lengths;
mod readability;
mod structure;
mod subject;

use serde::Serialize;

use crate::{
    markdown::{Article, BlockKind},
    sentence, word,
};
use keyphrase::{Phrase, Unit};

pub use fit::{fit_description, fit_title};
pub use lengths::{DESCRIPTION_LIMIT, TITLE_LIMIT};

/// The most that a text about something else than its title scores.
pub const OTHER_SUBJECT_SCORE: u8 = 40;

/// How many places an advice names.
const PLACES: usize = 3;

/// A text that is longer needs headings to be found in and to be read.
const WORDS_WITHOUT_HEADINGS: u32 = 300;

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct SeoInput<'a> {
    /// The title for search engines, plain text.
    pub title: &'a str,
    /// The meta description, plain text.
    pub description: &'a str,
    pub slug: &'a str,
    /// What the article wants to be found for; without it the first keyword.
    pub keyphrase: Option<&'a str>,
    pub keywords: &'a [String],
    /// The article; a list of sources and citation marks are not judged.
    pub markdown: &'a str,
    /// ISO 639-1, also with a region (`en-GB`).
    pub language: &'a str,
    /// The address of the site that it is for, such as `https://blog.example`, where that is known.
    pub site: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Good,
    /// Could be better.
    Ok,
    Bad,
    /// Not judged: no rule for the language, or nothing to judge. Does not count for the score.
    Skipped,
}

/// One check. All texts are English, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable, e.g. `title_length`.
    pub id: &'static str,
    pub name: &'static str,
    pub status: Status,
    /// What was measured, with its unit.
    pub value: String,
    /// What is good.
    pub threshold: &'static str,
    /// What to do and where; why not, when skipped; empty when good.
    pub advice: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeoReport {
    /// 0..=100: the share of good checks among those not skipped; an ok check counts half. A text about something else
    /// than its title has at most [`OTHER_SUBJECT_SCORE`].
    pub score: u8,
    /// Always the same checks in the same order.
    pub checks: Vec<Check>,
}

/// Judges an article. Runs in time linear in its length.
pub fn score(input: &SeoInput) -> SeoReport {
    let document = Document::read(input);
    let mut checks = lengths::checks(input);
    checks.extend(readability::checks(&document));
    checks.extend(keyphrase::checks(input, &document));
    checks.extend(structure::checks(input, &document));
    checks.push(subject::check(input, &document));
    let judged: Vec<u8> = checks.iter().filter_map(|check| check.status.points()).collect();
    let points: usize = judged.iter().map(|points| usize::from(*points)).sum();
    let judged = judged.len();
    let score = (points * 100 + judged) / (judged * 2).max(1);
    let score = u8::try_from(score.min(100)).unwrap_or(100);
    let most = if checks.iter().any(subject::is_other) { OTHER_SUBJECT_SCORE } else { 100 };
    SeoReport { score: score.min(most), checks }
}

impl Status {
    /// Of 2; none when there was nothing to judge.
    pub fn points(self) -> Option<u8> {
        match self {
            Self::Good => Some(2),
            Self::Ok => Some(1),
            Self::Bad => Some(0),
            Self::Skipped => None,
        }
    }
}

/// The article taken apart once for all checks.
struct Document {
    article: Article,
    /// The primary subtag of the language in lower case.
    language: String,
    /// Of paragraphs, and of list items that end like sentences.
    sentences: Vec<Sentence>,
    /// Everything a keyphrase may stand in, a sentence or heading each.
    units: Vec<Unit>,
    phrase: Option<Phrase>,
    /// [`Article::word_count`].
    words: u32,
}

struct Sentence {
    text: String,
    words: u32,
    in_list: bool,
}

impl Document {
    fn read(input: &SeoInput) -> Self {
        let article = Article::parse(input.markdown);
        let language = input.language.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        let mut sentences = Vec::new();
        let mut units = Vec::new();
        for block in article.blocks.iter().filter(|b| b.kind != BlockKind::Code) {
            let fragment = block.kind == BlockKind::Item && !block.text.ends_with(['.', '!', '?', '…', '。']);
            for range in sentence::split(&block.text) {
                let text = &block.text[range];
                units.push(Unit::read(text, &language));
                if block.kind.is_prose() && !fragment {
                    let in_list = block.kind == BlockKind::Item;
                    sentences.push(Sentence { text: text.to_owned(), words: word::count(text), in_list });
                }
            }
        }
        let keyphrase = input.keyphrase.or_else(|| input.keywords.first().map(String::as_str));
        let phrase = keyphrase.and_then(|text| Phrase::read(text, &language));
        let words = article.word_count();
        Self { article, language, sentences, units, phrase, words }
    }

    /// The headings in the text with their levels; the title is none of them.
    fn headings(&self) -> impl Iterator<Item = (u8, &str)> {
        self.article.blocks.iter().filter_map(|block| match block.kind {
            BlockKind::Heading(level) => Some((level, block.text.as_str())),
            _ => None,
        })
    }

    fn is_english(&self) -> bool {
        self.language == "en"
    }
}

impl Check {
    /// A check that measured something. The advice is dropped where the status is good.
    fn judged(
        (id, name, threshold): (&'static str, &'static str, &'static str),
        status: Status,
        value: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let advice = if status == Status::Good { String::new() } else { advice.into() };
        Self { id, name, status, value: value.into(), threshold, advice }
    }

    fn skipped((id, name, threshold): (&'static str, &'static str, &'static str), why: &str) -> Self {
        Self { id, name, status: Status::Skipped, value: String::new(), threshold, advice: why.to_owned() }
    }
}

/// Good, ok or bad by the first of two conditions that holds.
fn grade(good: bool, ok: bool) -> Status {
    match (good, ok) {
        (true, _) => Status::Good,
        (false, true) => Status::Ok,
        (false, false) => Status::Bad,
    }
}

/// The beginning of a text in quotes, to find it by.
fn quote(text: &str) -> String {
    const WORDS: usize = 8;
    const CHARS: usize = 80;
    let end = word::indices(text).nth(WORDS).map_or(text.len(), |(at, _)| at);
    let end = text.char_indices().nth(CHARS).map_or(end, |(at, _)| at.min(end));
    let more = if end < text.len() { " …" } else { "" };
    format!("“{}{more}”", text[..end].trim_end())
}

#[cfg(test)]
mod tests;

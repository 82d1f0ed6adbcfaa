//! Orders: what a client may ask for, and everything that is wrong with what it did ask for.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::article::{ContentFormat, Length};
use crate::image::SourceImages;
use crate::writing::{Brief, Tone, WordRange};

/// One wrong field: where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// A path such as `reference_links[2]`.
    pub field: String,
    pub message: String,
}

/// Collects all that is wrong, not only the first.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldError>);

impl Violations {
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Adds the violation when `wrong` holds.
    pub fn check(&mut self, wrong: bool, field: &str, message: impl Into<String>) {
        if wrong {
            self.add(field, message);
        }
    }

    /// Characters, counted as a person would, within the range after trimming.
    pub fn length(&mut self, field: &str, text: &str, min: usize, max: usize) {
        let count = text.trim().chars().count();
        if count < min {
            let problem = if count == 0 {
                "must not be empty".into()
            } else {
                format!("has {count} characters; give at least {min}")
            };
            self.add(field, problem);
        } else if text.chars().count() > max {
            self.add(field, format!("has {} characters; give at most {max}", text.chars().count()));
        }
        if text.contains('\0') {
            self.add(field, "contains a NUL character; remove it");
        }
    }

    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// The limits of an order, from the published documents.
pub mod limits {
    pub const PROMPT_CHARS: usize = 1000;
    pub const TOPIC_CHARS: (usize, usize) = (3, 500);
    pub const KEYWORDS_TASK: usize = 10;
    pub const KEYWORDS_GENERATE: usize = 20;
    pub const KEYWORD_CHARS: usize = 100;
    pub const LINKS: usize = 5;
    pub const FILES: usize = 10;
    pub const WORDS: (u32, u32) = (100, 10_000);
    /// What an order gets that names no range.
    pub const DEFAULT_WORDS: (u32, u32) = (800, 1200);
}

/// An order as it is stored in `tasks.input`: validated, complete, without data (files are named by id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleOrder {
    pub brief: Brief,
    #[serde(default)]
    pub reference_links: Vec<String>,
    #[serde(default)]
    pub uploaded_files: Vec<Uuid>,
    #[serde(default)]
    pub project_id: Option<Uuid>,
    #[serde(default)]
    pub length: Option<Length>,
    pub content_format: ContentFormat,
    /// Whether a search provider may be asked for more.
    #[serde(default)]
    pub search: bool,
    /// Of a post: what its client wished, to which the brief adds what its template says. `None`: nothing was added.
    #[serde(default)]
    pub custom_instructions: Option<String>,
    #[serde(default)]
    pub source_images: SourceImages,
}

/// What an order refers to, with the place of each in its list: known also of an order that is wrong elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    pub links: Vec<(usize, String)>,
    pub files: Vec<(usize, Uuid)>,
    pub project: Option<Uuid>,
    /// It names neither links nor files.
    pub no_sources: bool,
}

impl ArticleOrder {
    pub fn references(&self) -> References {
        References {
            links: self.reference_links.iter().cloned().enumerate().collect(),
            files: self.uploaded_files.iter().copied().enumerate().collect(),
            project: self.project_id,
            no_sources: self.reference_links.is_empty() && self.uploaded_files.is_empty(),
        }
    }
}

/// A request of the content generation API before it is checked. Links are checked by whoever knows the address rules.
#[derive(Debug, Clone, Default)]
pub struct TaskRequest {
    pub user_prompt: String,
    pub keywords: Vec<String>,
    pub reference_links: Vec<String>,
    pub uploaded_files: Vec<Uuid>,
    pub min_words: Option<i64>,
    pub max_words: Option<i64>,
    pub tone: Option<String>,
    pub language: Option<String>,
    pub source_images: SourceImages,
}

/// A request of the Articles API before it is checked.
#[derive(Debug, Clone, Default)]
pub struct GenerateRequest {
    pub topic: String,
    pub keywords: Vec<String>,
    pub tone: Option<String>,
    pub length: Option<String>,
    pub language: Option<String>,
    pub project_id: Option<Uuid>,
    pub reference_links: Vec<String>,
    pub uploaded_files: Vec<Uuid>,
    pub source_images: SourceImages,
}

impl TaskRequest {
    pub fn into_order(self) -> Result<ArticleOrder, Vec<FieldError>> {
        let mut wrong = Violations::default();
        wrong.length("user_prompt", &self.user_prompt, 1, limits::PROMPT_CHARS);
        let keywords = clean_keywords(self.keywords, limits::KEYWORDS_TASK, &mut wrong);
        check_sources(&self.reference_links, &self.uploaded_files, &mut wrong);
        let words = word_range(self.min_words, self.max_words, &mut wrong);
        let tone = tone(self.tone.as_deref(), &mut wrong);
        let language = language(self.language.as_deref(), &mut wrong);
        wrong.finish()?;
        Ok(ArticleOrder {
            brief: Brief {
                prompt: self.user_prompt.trim().to_owned(),
                keywords,
                tone,
                language,
                words,
                instructions: String::new(),
            },
            reference_links: self.reference_links,
            uploaded_files: self.uploaded_files,
            project_id: None,
            length: None,
            content_format: ContentFormat::Markdown,
            search: true,
            custom_instructions: None,
            source_images: self.source_images,
        })
    }
}

impl GenerateRequest {
    pub fn into_order(self) -> Result<ArticleOrder, Vec<FieldError>> {
        let mut wrong = Violations::default();
        wrong.length("topic", &self.topic, limits::TOPIC_CHARS.0, limits::TOPIC_CHARS.1);
        let keywords = clean_keywords(self.keywords, limits::KEYWORDS_GENERATE, &mut wrong);
        check_sources(&self.reference_links, &self.uploaded_files, &mut wrong);
        let tone = tone(self.tone.as_deref(), &mut wrong);
        let language = language(self.language.as_deref(), &mut wrong);
        let length = self.length.as_deref().unwrap_or("medium").parse::<Length>().unwrap_or_else(|error| {
            wrong.add("length", error.to_string());
            Length::Medium
        });
        wrong.finish()?;
        Ok(ArticleOrder {
            brief: Brief {
                prompt: self.topic.trim().to_owned(),
                keywords,
                tone,
                language,
                words: length.words(),
                instructions: String::new(),
            },
            reference_links: self.reference_links,
            uploaded_files: self.uploaded_files,
            project_id: self.project_id,
            length: Some(length),
            content_format: ContentFormat::Html,
            search: true,
            custom_instructions: None,
            source_images: self.source_images,
        })
    }
}

fn clean_keywords(keywords: Vec<String>, most: usize, wrong: &mut Violations) -> Vec<String> {
    wrong.check(keywords.len() > most, "keywords", format!("has {} items; give at most {most}", keywords.len()));
    let mut seen = std::collections::BTreeSet::new();
    let mut kept = Vec::new();
    for (at, keyword) in keywords.into_iter().enumerate().take(most.max(1) * 2) {
        wrong.length(&format!("keywords[{at}]"), &keyword, 1, limits::KEYWORD_CHARS);
        let keyword = keyword.trim().to_owned();
        if seen.insert(keyword.to_lowercase()) {
            kept.push(keyword);
        }
    }
    kept
}

fn check_sources(links: &[String], files: &[Uuid], wrong: &mut Violations) {
    wrong.check(
        links.len() > limits::LINKS,
        "reference_links",
        format!("has {} items; give at most {}", links.len(), limits::LINKS),
    );
    wrong.check(
        files.len() > limits::FILES,
        "uploaded_files",
        format!("has {} items; give at most {}", files.len(), limits::FILES),
    );
}

fn word_range(min: Option<i64>, max: Option<i64>, wrong: &mut Violations) -> WordRange {
    let (low, high) = limits::WORDS;
    for (field, value) in [("min_words", min), ("max_words", max)] {
        if value.is_some_and(|value| value < i64::from(low) || value > i64::from(high)) {
            wrong.add(field, format!("must be between {low} and {high}"));
        }
    }
    wrong.0.extend(disordered_words(min, max));
    let clamp = |value: i64| u32::try_from(value.clamp(i64::from(low), i64::from(high))).unwrap_or(low);
    match (min.map(clamp), max.map(clamp)) {
        (None, None) => WordRange { min: limits::DEFAULT_WORDS.0, max: limits::DEFAULT_WORDS.1 },
        // One end given: a range of a quarter around it, so that the order stays feasible.
        (Some(min), None) => WordRange { min, max: (min + min / 4).min(high) },
        (None, Some(max)) => WordRange { min: (max - max / 4).max(low), max },
        (Some(min), Some(max)) => WordRange { min, max },
    }
}

/// A range of words that ends before it begins.
pub fn disordered_words(min: Option<i64>, max: Option<i64>) -> Option<FieldError> {
    let (min, max) = min.zip(max).filter(|(min, max)| min > max)?;
    let message = format!("is {min}, more than max_words, which is {max}");
    Some(FieldError { field: "min_words".into(), message })
}

fn tone(text: Option<&str>, wrong: &mut Violations) -> Tone {
    match text.unwrap_or("professional") {
        "professional" => Tone::Professional,
        "casual" => Tone::Casual,
        "academic" => Tone::Academic,
        "conversational" => Tone::Conversational,
        _ => {
            wrong.add("tone", "must be one of professional, casual, academic, conversational");
            Tone::default()
        }
    }
}

fn language(text: Option<&str>, wrong: &mut Violations) -> String {
    let text = text.unwrap_or("en");
    if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
        wrong.add("language", "must be a two-letter ISO 639-1 code in lower case, for example en");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_named_at_once() {
        let errors = TaskRequest {
            user_prompt: " ".into(),
            keywords: vec!["x".into(); 11],
            reference_links: vec!["https://example.org".into(); 6],
            min_words: Some(2000),
            max_words: Some(50),
            tone: Some("angry".into()),
            language: Some("english".into()),
            ..TaskRequest::default()
        }
        .into_order()
        .expect_err("wrong in every field");
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(
            fields,
            ["user_prompt", "keywords", "reference_links", "max_words", "min_words", "tone", "language"]
        );
    }

    #[test]
    fn one_end_of_the_range_is_enough() {
        let words = |min, max| {
            TaskRequest { user_prompt: "x".into(), min_words: min, max_words: max, ..TaskRequest::default() }
                .into_order()
                .expect("valid")
                .brief
                .words
        };
        assert_eq!(words(None, None), WordRange { min: 800, max: 1200 });
        assert_eq!(words(Some(400), None), WordRange { min: 400, max: 500 });
        assert_eq!(words(None, Some(120)), WordRange { min: 100, max: 120 });
        assert_eq!(words(Some(10_000), None), WordRange { min: 10_000, max: 10_000 });
    }

    #[test]
    fn keywords_are_trimmed_and_told_apart_without_case() {
        let order = TaskRequest {
            user_prompt: "x".into(),
            keywords: vec![" Tea ".into(), "tea".into(), "Cups".into()],
            ..TaskRequest::default()
        }
        .into_order()
        .expect("valid");
        assert_eq!(order.brief.keywords, ["Tea", "Cups"]);
    }
}

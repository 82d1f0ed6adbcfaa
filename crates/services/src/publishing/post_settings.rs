//! How a post is to be written: as its client said, as its template says, as its project says, and then by default.

use galley_domain::{
    article::ContentFormat,
    image::SourceImages,
    order::{ArticleOrder, FieldError, limits},
    writing::{Brief, Tone, WordRange},
};
use galley_store::{StoreError, rows};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use super::templates::{TemplateSection, sections_of};
use crate::{Settings, error::ServiceError};

/// About so many words are ordered where nobody says a number, give or take an eighth.
const DEFAULT_WORDS: u32 = 1000;
const DEFAULT_LANGUAGE: &str = "en";

/// What somebody said of how a post is written, kept with the post as `ai_settings`. What was left out is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// As it was given: a tone that nobody knows is written as professional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_instructions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_links: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploaded_files: Option<Vec<Uuid>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_images: Option<SourceImages>,
}

impl PostSettings {
    /// Those of a post. What a post was ordered with before all of this was kept is not there.
    pub(crate) fn of_post(article: &rows::Article) -> Result<Self, ServiceError> {
        Ok(serde_json::from_value(article.ai_settings.clone()).map_err(StoreError::from)?)
    }

    /// Those that a project has for its posts. Its settings were free once, so what does not fit does not count.
    fn of_project(settings: &Json) -> Self {
        let text = |key: &str| settings[key].as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let words = settings["word_count"].as_u64().and_then(|words| u32::try_from(words).ok());
        Self {
            language: text("language"),
            tone: text("tone"),
            word_count: words.filter(|words| (limits::WORDS.0..=limits::WORDS.1).contains(words)),
            custom_instructions: text("custom_instructions"),
            ai_provider: text("ai_provider"),
            ai_model: text("ai_model"),
            source_images: settings["source_images"].as_str().and_then(|word| word.parse().ok()),
            ..Self::default()
        }
    }

    /// What is missing here is taken from there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            language: self.language.or(other.language),
            tone: self.tone.or(other.tone),
            word_count: self.word_count.or(other.word_count),
            custom_instructions: self.custom_instructions.or(other.custom_instructions),
            ai_provider: self.ai_provider.or(other.ai_provider),
            ai_model: self.ai_model.or(other.ai_model),
            reference_links: self.reference_links.or(other.reference_links),
            uploaded_files: self.uploaded_files.or(other.uploaded_files),
            source_images: self.source_images.or(other.source_images),
        }
    }

    pub(crate) fn to_json(&self) -> Result<Json, StoreError> {
        Ok(serde_json::to_value(self)?)
    }

    /// What is said takes the place of what the order has.
    pub(crate) fn write(self, order: &mut ArticleOrder) {
        let brief = &mut order.brief;
        if let Some(language) = self.language {
            brief.language = language;
        }
        if let Some(tone) = self.tone {
            brief.tone = tone_of(&tone);
        }
        if let Some(words) = self.word_count {
            brief.words = around(words);
        }
        if let Some(text) = self.custom_instructions {
            brief.instructions = text;
        }
        if let Some(links) = self.reference_links {
            order.reference_links = links;
        }
        if let Some(files) = self.uploaded_files {
            order.uploaded_files = files;
        }
        if let Some(images) = self.source_images {
            order.source_images = images;
        }
    }
}

/// An order, and what its client is to be told about it.
#[derive(Debug)]
pub(crate) struct PostOrder {
    pub(crate) order: ArticleOrder,
    pub(crate) warnings: Vec<String>,
}

/// What a post is written by.
pub(crate) struct PostRules<'a> {
    pub(crate) project: &'a rows::Project,
    pub(crate) template: Option<&'a rows::BlogTemplate>,
    pub(crate) server: &'a Settings,
}

impl PostRules<'_> {
    /// The order of a post about a topic.
    pub(crate) fn order(&self, topic: &str, given: &PostSettings) -> Result<PostOrder, ServiceError> {
        let order = ArticleOrder {
            brief: Brief {
                prompt: topic.to_owned(),
                keywords: Vec::new(),
                tone: Tone::default(),
                language: DEFAULT_LANGUAGE.to_owned(),
                words: around(DEFAULT_WORDS),
                instructions: String::new(),
            },
            reference_links: Vec::new(),
            uploaded_files: Vec::new(),
            project_id: Some(self.project.id),
            length: None,
            content_format: ContentFormat::Html,
            search: true,
            custom_instructions: Some(String::new()),
            source_images: SourceImages::default(),
        };
        let said = given.clone().or(self.of_template()).or(PostSettings::of_project(&self.project.settings));
        self.finish(order, said)
    }

    /// The next order of a text, after the one that it was written by.
    pub(crate) fn next_order(
        &self,
        before: ArticleOrder,
        topic: Option<&str>,
        given: &PostSettings,
    ) -> Result<PostOrder, ServiceError> {
        let topic = topic.unwrap_or(&before.brief.prompt);
        if before.custom_instructions.is_some() {
            let mut next = self.order(topic, given)?;
            next.order.brief.keywords = before.brief.keywords;
            return Ok(next);
        }
        // It was ordered as an article, or before its own wishes were kept apart from those of a template: what the order
        // says stays unless somebody says otherwise.
        let (topic, mut order) = (topic.to_owned(), before);
        order.brief.prompt = topic;
        self.finish(order, given.clone())
    }

    fn finish(&self, mut order: ArticleOrder, said: PostSettings) -> Result<PostOrder, ServiceError> {
        let warnings = self.check_writer(&said)?;
        said.write(&mut order);
        if order.custom_instructions.is_some() {
            order.custom_instructions = Some(order.brief.instructions.clone());
        }
        if let Some(template) = self.template {
            order.brief.follow(&template.custom_instructions, &headings(template));
        }
        Ok(PostOrder { order, warnings })
    }

    fn of_template(&self) -> PostSettings {
        let Some(template) = self.template else { return PostSettings::default() };
        let words: u32 = sections_of(template).iter().filter_map(|section| section.words).sum();
        let words = (words > 0).then(|| words.clamp(limits::WORDS.0, limits::WORDS.1));
        PostSettings { tone: template.tone.clone(), word_count: words, ..PostSettings::default() }
    }

    /// The server has one writer. Clients that name another get a text and a warning, because many name the default of the
    /// document without meaning it; a project that is strict refuses them.
    fn check_writer(&self, said: &PostSettings) -> Result<Vec<String>, ServiceError> {
        let (writer, model) = (&self.server.writer, self.server.model.as_deref());
        let other = |said: Option<&String>, is: Option<&str>| {
            said.filter(|said| !is.is_some_and(|is| is.eq_ignore_ascii_case(said.trim()))).cloned()
        };
        let is_strict = self.project.settings["strict_provider"] == Json::Bool(true);
        let (mut wrong, mut warnings) = (Vec::new(), Vec::new());
        let named = [
            ("ai_provider", other(said.ai_provider.as_ref(), Some(writer)), writer.as_str()),
            ("ai_model", other(said.ai_model.as_ref(), model), model.unwrap_or(writer)),
        ];
        for (field, said, instead) in named {
            let Some(said) = said else { continue };
            let message = format!("{said} is not configured here; {instead} writes");
            match is_strict {
                true => wrong.push(FieldError { field: format!("ai_settings.{field}"), message }),
                false => warnings.push(format!("ai_settings.{field}: {message}")),
            }
        }
        if wrong.is_empty() { Ok(warnings) } else { Err(ServiceError::Validation(wrong)) }
    }
}

fn tone_of(text: &str) -> Tone {
    let known = Tone::ALL.into_iter().find(|known| text.trim().eq_ignore_ascii_case(known.as_str()));
    known.unwrap_or_default()
}

fn around(words: u32) -> WordRange {
    let (least, most) = limits::WORDS;
    WordRange { min: (words - words / 8).max(least), max: (words + words / 8).min(most) }
}

fn headings(template: &rows::BlogTemplate) -> Vec<String> {
    let said = |section: TemplateSection| {
        let length = section.words.map(|words| format!(" (about {words} words)")).unwrap_or_default();
        match section.instructions.trim() {
            "" => format!("{}{length}", section.heading),
            more => format!("{}{length}: {more}", section.heading),
        }
    };
    sections_of(template).into_iter().map(said).collect()
}

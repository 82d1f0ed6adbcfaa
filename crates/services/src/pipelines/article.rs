//! The article: research, outline, drafts, SEO, image, sync.

mod former;
mod inputs;
mod keepers;
mod replay;
mod restart;

use async_trait::async_trait;
use galley_domain::{
    article::{DRAFT, IMAGE, OUTLINE, RESEARCH, SEO, SYNC, TASK},
    task::{StepPolicy, TaskStatus},
    writing::{Claim, Outline, SectionText, Verdict},
};
use galley_engine::{EndedTask, Output, Pipeline, Stage, StepSeed};
use galley_store::{ArticleChange, NewFile, NewSource, NewSourceImage, SOURCES_RUN, StepsTx, StoreError};
use serde::Serialize;
use serde_json::json;

use super::{DESTINATIONS, MODELS, PICTURES, READING};

pub(crate) use inputs::snapshots;
pub(crate) use keepers::{copied_claims, free_slug, stored_claims};
pub use replay::{ReplayCase, StandingText};
pub use restart::EditedOutline;

/// Policy of the article pipeline.
#[derive(Debug, Clone)]
pub struct Article {
    stages: [Stage; 6],
}

impl Default for Article {
    fn default() -> Self {
        Self {
            // Writing takes most of the time.
            stages: [
                Stage::new(RESEARCH, READING, 15, StepPolicy::new(4, 180)).keeping(keepers::Sources),
                Stage::new(OUTLINE, MODELS, 10, StepPolicy::new(6, 300)),
                Stage::new(DRAFT, MODELS, 55, StepPolicy::new(6, 600)).named("drafting"),
                Stage::new(SEO, MODELS, 10, StepPolicy::new(6, 300)).keeping(keepers::Texts),
                Stage::new(IMAGE, PICTURES, 5, StepPolicy::new(4, 120)).keeping(keepers::Covers),
                Stage::new(SYNC, DESTINATIONS, 5, StepPolicy::new(8, 120)),
            ],
        }
    }
}

#[async_trait]
impl Pipeline for Article {
    fn kind(&self) -> &'static str {
        TASK
    }

    fn stages(&self) -> &[Stage] {
        &self.stages
    }

    fn subject_name(&self) -> Option<&'static str> {
        Some("article_id")
    }

    fn note(&self) -> &'static str {
        "article generated"
    }

    async fn ended(&self, tx: &StepsTx, tasks: &[EndedTask<'_>]) -> Result<(), StoreError> {
        let of = |ended: &EndedTask<'_>| Some((ended.task.org(), ended.task.subject_id?));
        let ready: Vec<_> = tasks
            .iter()
            .filter(|ended| ended.status == TaskStatus::Completed)
            .filter_map(|ended| of(ended).map(|(org, article)| (org, article, ended.task.id)))
            .collect();
        tx.articles_ready(&ready).await?;
        for ended in tasks.iter().filter(|ended| ended.status != TaskStatus::Completed) {
            let Some((org, article)) = of(ended) else { continue };
            let error = match ended.status {
                TaskStatus::Cancelled => "the task was cancelled".to_owned(),
                _ => ended.task.error_message.clone().unwrap_or_default(),
            };
            former::keep(tx.tenant(org.0)?, article, ended.task.id).await?;
            tx.tenant(org.0)?.change_article(article, ArticleChange::Failed { error, task: ended.task.id }).await?;
        }
        Ok(())
    }
}

/// What was read in this run, and the pictures in it.
#[derive(Debug, Clone, Default)]
pub struct Researched {
    pub sources: Vec<NewSource>,
    pub images: Vec<NewSourceImage>,
    /// The most bytes that the organization's files and images may take.
    pub files_quota: u64,
}

pub fn research(run: i32, researched: Researched, warnings: Vec<String>) -> Output {
    let sources = &researched.sources;
    let words: u64 = sources.iter().map(|source| u64::from(source.words)).sum();
    let kept = json!({ "sources": sources.len(), "words": words, "images": researched.images.len() });
    let mut output = Output { kept, warnings, memo: vec![(SOURCES_RUN, json!(run))], ..Output::default() };
    if !sources.is_empty() {
        output.brought = Output::bringing(researched).brought;
    }
    output
}

/// The plan, and a step for each section of it.
pub fn outline(outline: &Outline) -> Output {
    Output::of(json!(outline)).followed_by(StepSeed::fan(DRAFT, outline.sections.len()))
}

pub fn section(section: &SectionText) -> Output {
    Output::of(json!(section))
}

pub fn text(article: WrittenArticle) -> Output {
    let warnings = article.warnings.clone();
    Output::bringing(article).warning(warnings)
}

/// A title card with its alternative text; None when no card could be made, and the warnings say why.
pub fn cover(cover: Option<(NewFile, String)>, warnings: Vec<String>) -> Output {
    let kept = json!({ "cover_file_id": cover.as_ref().map(|(file, _)| file.id) });
    let output = Output { kept, warnings, ..Output::default() };
    match cover {
        Some(cover) => Output { brought: Output::bringing(cover).brought, ..output },
        None => output,
    }
}

/// Where the article is now; None when no destination is configured.
pub fn published(place: Option<&str>) -> Output {
    Output::of(json!({ "published_to": place }))
}

/// The finished text with everything that is known about it.
#[derive(Debug, Clone)]
pub struct WrittenArticle {
    pub title: String,
    /// Not yet unique; the organization's other articles decide on a number behind it.
    pub slug: String,
    pub markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub word_count: u32,
    pub seo_report: serde_json::Value,
    pub writer: String,
    /// What the text is written in, ISO 639-1; the ordered language when not set.
    pub language: Option<String>,
    pub claims: Vec<ClaimedText>,
    pub warnings: Vec<String>,
}

/// A sentence with what it rests on, by the number of the source within the task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimedText {
    pub section: u32,
    pub sentence: String,
    pub verdict: Verdict,
    pub source: Option<u32>,
    pub span: Option<(usize, usize)>,
    pub coverage_permille: u16,
    pub missing: Vec<String>,
}

impl ClaimedText {
    pub fn new(section: u32, claim: Claim) -> Self {
        Self {
            section,
            sentence: claim.sentence,
            verdict: claim.verdict,
            source: claim.span.map(|span| span.source),
            span: claim.span.map(|span| (span.start, span.end)),
            coverage_permille: claim.coverage_permille,
            missing: claim.missing,
        }
    }
}

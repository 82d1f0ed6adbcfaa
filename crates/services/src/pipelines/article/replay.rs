//! What a replay of an article's task starts from: what was read, what models answered, and the text that stands.

use galley_domain::{
    OrgId,
    article::{OUTLINE, SEO, TASK},
    image::SourceImages,
    order::ArticleOrder,
    writing::{Outline, Snapshot, Verdict},
};
use galley_store::{StoreError, Tenant, TextVersion, rows};
use serde_json::Value as Json;
use uuid::Uuid;

use super::snapshots;
use crate::{
    Services, SourceImage,
    articles::seo_report,
    error::{Missing, ServiceError},
};

/// How many versions are looked through for the one that a task has brought.
const LOOKED_AT: u64 = 50;
/// What texts of the built-in writer are marked with.
const BUILT_IN: &str = "extractive";

/// A task with everything that its article was made from.
#[derive(Debug, Clone)]
pub struct ReplayCase {
    pub order: ArticleOrder,
    pub sources: Vec<Snapshot>,
    /// Those of the sources that are placed in the text.
    pub pictures: Vec<SourceImage>,
    /// One that a person edited; no model is asked for it.
    pub outline: Option<Outline>,
    /// The newest run and attempt first, each attempt in the order of its calls.
    pub answers: Vec<rows::ModelAnswer>,
    /// Whether a model has written for the task.
    pub by_model: bool,
    /// None when the task has brought no text, or it is gone.
    pub standing: Option<StandingText>,
}

/// The text that the task has brought, as it was then.
#[derive(Debug, Clone)]
pub struct StandingText {
    pub version: i32,
    pub title: String,
    pub markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub words: u32,
    pub seo_report: Json,
    pub verdicts: Vec<Verdict>,
}

impl Services {
    /// What a replay of the task needs.
    ///
    /// # Errors
    /// When the task is unknown or writes no article, when nothing was read for it, and when a model wrote it whose answers
    /// were not kept.
    pub async fn replay_case(&self, org: OrgId, task: Uuid) -> Result<ReplayCase, ServiceError> {
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        if row.kind != TASK {
            let message =
                format!("the task is of the kind {}; only those of the kind {TASK} can be replayed", row.kind);
            return Err(ServiceError::Conflict(message));
        }
        let sources = snapshots(&tenant.sources(task).await?)?;
        let answers = tenant.model_answers(task).await?;
        let standing = standing(&tenant, &row).await?;
        let asked = !answers.is_empty() || !tenant.usage(task).await?.is_empty();
        let by_model = asked || standing.as_ref().is_some_and(|(_, writer)| writer != BUILT_IN);
        if by_model && answers.is_empty() {
            let message = "the model's answers for this task were not kept, or are older than retention.answers_days; set \
                           writer.keep_answers = true before the next order";
            return Err(ServiceError::Conflict(message.into()));
        }
        if sources.is_empty() && !by_model {
            return Err(ServiceError::Conflict("nothing was read for this task, so nothing can be replayed".into()));
        }
        let order: ArticleOrder = serde_json::from_value(row.input.clone()).map_err(StoreError::from)?;
        let pictures = match order.source_images {
            SourceImages::Place => self.source_images_of(org, task).await?,
            SourceImages::None | SourceImages::Offer => Vec::new(),
        };
        let outline = edited_outline(&tenant, task).await?;
        let standing = standing.map(|(text, _)| text);
        Ok(ReplayCase { order, sources, pictures, outline, answers, by_model, standing })
    }
}

/// No attempt has made an outline that came with the order to write again.
async fn edited_outline(tenant: &Tenant, task: Uuid) -> Result<Option<Outline>, StoreError> {
    let step = tenant.outputs(task, OUTLINE, 1).await?.into_iter().next();
    let output = step.filter(|step| step.attempt == 0).and_then(|step| step.output);
    Ok(output.map(serde_json::from_value).transpose()?)
}

/// The text and the name of its writer.
async fn standing(tenant: &Tenant, task: &rows::Task) -> Result<Option<(StandingText, String)>, StoreError> {
    let Some(id) = task.subject_id else { return Ok(None) };
    let Some(article) = tenant.article(id).await? else { return Ok(None) };
    let Some(version) = version_of(tenant, task, &article).await? else { return Ok(None) };
    let Some(text) = tenant.article_version(id, version).await? else { return Ok(None) };
    let claims = tenant.claims(id, version).await?;
    let verdicts = claims.iter().map(|claim| claim.verdict.parse()).collect::<Result<_, String>>();
    let report = article.seo_report.clone().filter(|_| article.version == version);
    let report = match report {
        Some(report) => report,
        None => seo_report(&text_of(&text, &article)?, &article.language),
    };
    let standing = StandingText {
        version,
        title: text.title,
        markdown: text.content_markdown,
        seo_title: text.seo_title,
        seo_description: text.seo_description,
        words: u32::try_from(text.word_count).unwrap_or(0),
        seo_report: report,
        verdicts: verdicts.map_err(StoreError::Unreadable)?,
    };
    Ok(Some((standing, article.writer)))
}

/// The version that the task has brought: its step says so, and when that is swept, the newest one that was generated.
async fn version_of(tenant: &Tenant, task: &rows::Task, article: &rows::Article) -> Result<Option<i32>, StoreError> {
    let step = tenant.outputs(task.id, SEO, 1).await?.into_iter().next();
    let told = step.and_then(|step| step.output).and_then(|output| output["version"].as_i64());
    if let Some(version) = told {
        return Ok(i32::try_from(version).ok());
    }
    if article.task_id != Some(task.id) {
        return Ok(None);
    }
    let (versions, _) = tenant.article_versions(article.id, LOOKED_AT, 0).await?;
    Ok(versions.into_iter().find(|version| version.reason == "generated").map(|version| version.version))
}

fn text_of(version: &rows::ArticleVersion, article: &rows::Article) -> Result<TextVersion, StoreError> {
    Ok(TextVersion {
        reason: "generated",
        title: version.title.clone(),
        slug: version.slug.clone(),
        content_markdown: version.content_markdown.clone(),
        seo_title: version.seo_title.clone(),
        seo_description: version.seo_description.clone(),
        keywords: version.keywords.clone(),
        status: article.status.parse()?,
        word_count: u32::try_from(version.word_count).unwrap_or(0),
        published_at: article.published_at,
        seo_report: None,
        writer: article.writer.clone(),
    })
}

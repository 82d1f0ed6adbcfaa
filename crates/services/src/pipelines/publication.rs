//! Publishing: one step, which puts an article to a blog, now or at its hour.

use async_trait::async_trait;
use galley_domain::{
    article::ArticleStatus,
    publishing::{FOLLOW, PUBLISH, PublicationState, TASK, Visibility},
    task::{StepPolicy, TaskStatus},
};
use galley_engine::{Brought, Charge, EndedTask, Keeper, Kept, Output, Pipeline, Stage};
use galley_store::{StepsTx, StoreError, TaskState, TenantTx, TextEnum, rows};
use galley_webhooks::Event;
use serde_json::{Value as Json, json};

use super::DESTINATIONS;
use crate::publishing::{
    missed::Promise,
    publish::{publication_connection, tell_publication},
    work::SentPublication,
};

/// The job that brings a folder up to date.
pub(super) fn follow() -> Stage {
    Stage::new(FOLLOW, DESTINATIONS, 0, StepPolicy::new(8, 120))
}

/// Policy of publishing.
#[derive(Debug, Clone)]
pub struct Publication([Stage; 1]);

impl Default for Publication {
    fn default() -> Self {
        Self([Stage::new(PUBLISH, DESTINATIONS, 100, StepPolicy::new(10, 300)).keeping(Publications)])
    }
}

#[async_trait]
impl Pipeline for Publication {
    fn kind(&self) -> &'static str {
        TASK
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn subject_name(&self) -> Option<&'static str> {
        Some("article_id")
    }

    /// The text was paid for.
    fn charge(&self, _: &TaskState, _: TaskStatus) -> Charge {
        Charge::Nothing
    }

    fn note(&self) -> &'static str {
        "article published"
    }

    /// What failed is told, and leaves the text as good as it was.
    async fn ended(&self, tx: &StepsTx, tasks: &[EndedTask<'_>]) -> Result<(), StoreError> {
        for ended in tasks.iter().filter(|ended| ended.status != TaskStatus::Completed) {
            let why = match ended.status {
                TaskStatus::Cancelled => "the publication was cancelled".to_owned(),
                _ => ended.task.error_message.clone().unwrap_or_default(),
            };
            let Some(article) = ended.task.subject_id else { continue };
            fail(tx.tenant(ended.task.org_id)?, article, ended.task.id, &why, ended.status).await?;
        }
        Ok(())
    }
}

async fn fail(
    tx: &TenantTx,
    article: uuid::Uuid,
    task: uuid::Uuid,
    why: &str,
    status: TaskStatus,
) -> Result<(), StoreError> {
    let Some(mut article) = tx.lock_article(article).await? else { return Ok(()) };
    let Some(id) = article.publication_id else { return Ok(()) };
    let Some(mut publication) = tx.lock_publication(id).await?.filter(|found| found.task_id == Some(task)) else {
        return Ok(());
    };
    publication.status = TextEnum(PublicationState::Failed);
    publication.error_message = Some(why.to_owned());
    let is_missed = publication.metadata["missed"] == json!(true);
    publication.error_code = Some(if is_missed { "MISSED" } else { "WORKFLOW_ERROR" }.to_owned());
    tx.save_publication(publication).await?;
    if article.status == ArticleStatus::Scheduled.as_str() {
        let promise: Option<Promise> = article.schedule.clone().map(serde_json::from_value).transpose()?;
        article.status = promise.map_or_else(|| ArticleStatus::Draft.as_str().to_owned(), |promise| promise.before);
    }
    article.publish_error = (status != TaskStatus::Cancelled).then(|| why.to_owned());
    (article.scheduled_at, article.schedule) = (None, None);
    let connection = publication_connection(tx, id).await?;
    if let (Some(connection), false) = (&connection, status == TaskStatus::Cancelled) {
        let event = if is_missed { Event::PublicationMissed } else { Event::PublicationFailed };
        tell_publication(tx, event, &article, connection, Some(id), Some(why)).await?;
    }
    article.publication_id = None;
    tx.save_article(article).await.map(drop)
}

/// The article is where it belongs.
pub fn sent(sent: SentPublication) -> Output {
    let warnings = sent.published.warnings.clone();
    Output::bringing(sent).warning(warnings)
}

/// Writes down what stands there now.
#[derive(Debug)]
struct Publications;

#[async_trait]
impl Keeper for Publications {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let task = one.task.ok_or_else(|| StoreError::Unreadable("a publication without a task".into()))?;
            kept.push(Kept::of(keep(tx.tenant(task.org_id)?, one.get::<SentPublication>()?).await?));
        }
        Ok(kept)
    }

    /// Publications lock articles and connections that other tasks' steps lock, too.
    fn is_exclusive(&self) -> bool {
        true
    }
}

async fn keep(tx: &TenantTx, sent: &SentPublication) -> Result<Json, StoreError> {
    let published = &sent.published;
    let Some(found) = tx.publication(sent.publication).await? else { return Ok(json!({})) };
    let Some(mut article) = tx.lock_article(found.article_id).await? else { return Ok(json!({})) };
    let Some(mut publication) = tx.lock_publication(sent.publication).await? else { return Ok(json!({})) };
    let now = tx.now().await?;
    let is_shown = *publication.visibility == Visibility::Publish;
    let was_there = article.status == ArticleStatus::Published.as_str();
    publication.status = TextEnum(PublicationState::Published);
    publication.version = Some(sent.version);
    publication.external_id = Some(published.external_id.clone());
    publication.external_url = Some(published.url.clone());
    publication.sent = Some(serde_json::to_value(&published.fields)?);
    publication.published_at = is_shown.then_some(now);
    publication.metadata["seo_meta"] = json!(published.seo_meta);
    publication.metadata["warnings"] = json!(published.warnings);
    publication.metadata["slug"] = json!(published.slug);
    let publication = tx.save_publication(publication).await?;
    publish_article(&mut article, &publication, is_shown, now);
    if let Some(connection) = publication.connection_id {
        tx.forget_sent(article.id, connection, publication.id).await?;
        tx.touch_connection(connection).await?;
        if let Some(connection) = tx.one::<rows::Connection>(connection).await? {
            // A draft there is published to nobody.
            let event = if was_there || !is_shown { Event::PublicationUpdated } else { Event::PublicationPublished };
            tell_publication(tx, event, &article, &connection, Some(publication.id), None).await?;
        }
    }
    article.publication_id = None;
    tx.save_article(article).await?;
    tx.add_steps(&sent.follow).await?;
    Ok(json!({
        "publication_id": publication.id,
        "external_id": publication.external_id,
        "external_url": publication.external_url,
    }))
}

/// A draft there is no publication: the state here stays, or is what it was before it was promised.
fn publish_article(
    article: &mut rows::Article,
    publication: &rows::Publication,
    is_shown: bool,
    now: chrono::DateTime<chrono::Utc>,
) {
    let published = ArticleStatus::Published.as_str();
    if !is_shown && article.status == ArticleStatus::Scheduled.as_str() {
        article.status = ArticleStatus::Draft.as_str().to_owned();
    }
    if is_shown {
        article.published_at = article.published_at.filter(|_| article.status == published).or(Some(now));
        article.status = published.to_owned();
        article.external_url = publication.external_url.clone();
    }
    article.external_id = publication.external_id.clone();
    article.connection_id = publication.connection_id;
    article.publish_error = None;
    (article.scheduled_at, article.schedule) = (None, None);
}

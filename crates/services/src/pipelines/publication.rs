//! Publishing: one step, which puts an article to a blog, now or at its hour.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use galley_destinations::{Published, RemoteStatus};
use galley_domain::{
    article::ArticleStatus,
    effect::EffectState,
    publishing::{FOLLOW, POST, PUBLISH, PublicationState, RECONCILE, SETTLE, TASK},
    task::{StepKind, StepPolicy, TaskStatus},
};
use galley_engine::{Brought, Charge, EndedTask, Keeper, Kept, Output, Pipeline, Stage};
use galley_store::{
    BESIDE_THE_NEWEST, EffectKey, NewStep, Start, StepsTx, StoreError, TaskState, TenantTx, TextEnum, rows,
};
use galley_webhooks::Event;
use serde_json::{Value as Json, json};
use uuid::Uuid;

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

/// The job that finds out what became of a call whose publication was given up. It waits for sites that are away.
pub(super) fn settle() -> Stage {
    Stage::new(SETTLE, DESTINATIONS, 0, SETTLING)
}

/// The job that looks whether a site has published what it held.
pub(super) fn reconcile() -> Stage {
    Stage::new(RECONCILE, DESTINATIONS, 0, RECONCILING)
}

const SETTLING: StepPolicy = StepPolicy::new(20, 120);
const RECONCILING: StepPolicy = StepPolicy::new(20, 120);
/// WordPress looks once a minute, and only when somebody visits.
const AFTER_ITS_HOUR: TimeDelta = TimeDelta::seconds(60);
/// So long after it began, a call is over.
pub const CALL: Duration = Duration::from_secs(60);

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

async fn fail(tx: &TenantTx, article: Uuid, task: Uuid, why: &str, status: TaskStatus) -> Result<(), StoreError> {
    let Some(mut article) = tx.lock_article(article).await? else { return Ok(()) };
    let Some(id) = article.publication_id else { return Ok(()) };
    let Some(mut publication) = tx.lock_publication(id).await?.filter(|found| found.task_id == Some(task)) else {
        return Ok(());
    };
    if may_be_there(tx, &publication).await? {
        tx.add_steps(&[settling(&publication)]).await?;
    }
    publication.status = TextEnum(PublicationState::Failed);
    publication.error_message = Some(why.to_owned());
    let is_missed = publication.metadata["missed"] == json!(true);
    let code = match status {
        _ if is_missed => "MISSED",
        TaskStatus::Cancelled => "CANCELLED",
        _ => "WORKFLOW_ERROR",
    };
    publication.error_code = Some(code.to_owned());
    tx.save_publication(publication).await?;
    if article.status == ArticleStatus::Scheduled.as_str() {
        let promise: Option<Promise> = article.schedule.clone().map(serde_json::from_value).transpose()?;
        article.status = promise.map_or_else(|| ArticleStatus::Draft.as_str().to_owned(), |promise| promise.before);
    }
    article.publish_error = (status != TaskStatus::Cancelled).then(|| why.to_owned());
    let was_promised = article.scheduled_at.is_some();
    (article.scheduled_at, article.schedule) = (None, None);
    if let Some(connection) = publication_connection(tx, id).await? {
        let event = match status {
            _ if is_missed => Some(Event::PublicationMissed),
            TaskStatus::Cancelled => was_promised.then_some(Event::PublicationUnscheduled),
            _ => Some(Event::PublicationFailed),
        };
        if let Some(event) = event {
            let why = (status != TaskStatus::Cancelled).then_some(why);
            tell_publication(tx, event, &article, &connection, Some(id), why).await?;
        }
    }
    article.publication_id = None;
    tx.save_article(article).await.map(drop)
}

/// Whether a call was made of which nobody knows what it brought about.
pub(crate) async fn may_be_there(tx: &TenantTx, publication: &rows::Publication) -> Result<bool, StoreError> {
    let call = tx.effect(&effect_of(publication, &publication.id.to_string())).await?;
    // A refusal may have come when half was done, or after an attempt that nobody has an answer of.
    Ok(call.is_some_and(|call| matches!(*call.state, EffectState::Sent | EffectState::Unknown | EffectState::Failed)))
}

/// The call of a publication in the ledger; `id` is its id as text.
pub(crate) fn effect_of<'a>(publication: &'a rows::Publication, id: &'a str) -> EffectKey<'a> {
    EffectKey { kind: POST, subject: publication.article_id, destination: &publication.destination, key: id }
}

fn settling(publication: &rows::Publication) -> NewStep {
    job(SETTLE, SETTLING, publication, Start::After(CALL))
}

fn reconciling(publication: &rows::Publication, due: DateTime<Utc>) -> NewStep {
    job(RECONCILE, RECONCILING, publication, Start::At(due + AFTER_ITS_HOUR))
}

/// Finds out which copies a retraction that was given up has taken back.
pub(super) fn settling_retraction(org: Uuid, article: Uuid, task: Uuid) -> NewStep {
    about(SETTLE, SETTLING, (org, article), json!({ "retraction": task }), Start::After(CALL))
}

fn job(kind: StepKind, policy: StepPolicy, publication: &rows::Publication, start: Start) -> NewStep {
    let subject = (publication.org_id, publication.article_id);
    about(kind, policy, subject, json!({ "publication_id": publication.id }), start)
}

fn about(kind: StepKind, policy: StepPolicy, (org, article): (Uuid, Uuid), payload: Json, start: Start) -> NewStep {
    NewStep {
        id: Uuid::now_v7(),
        org: Some(org),
        task: None,
        run: 1,
        kind,
        pool: DESTINATIONS,
        position: 0,
        rank: BESIDE_THE_NEWEST,
        max_attempts: policy.max_attempts,
        trace_id: Uuid::new_v4().simple().to_string(),
        payload,
        subject: Some(article),
        start,
        paused: false,
        started: None,
    }
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

/// Writes down what a publication has brought about: what the site shows counts, whatever was wished.
pub(crate) async fn keep(tx: &TenantTx, sent: &SentPublication) -> Result<Json, StoreError> {
    let published = &sent.published;
    let Some(found) = tx.publication(sent.publication).await? else { return Ok(json!({})) };
    let Some(mut article) = tx.lock_article(found.article_id).await? else { return Ok(json!({})) };
    let Some(mut publication) = tx.lock_publication(sent.publication).await? else { return Ok(json!({})) };
    let now = tx.now().await?;
    let is_shown = published.status.is_shown();
    let others = tx.placements(article.id).await?;
    let is_shown_elsewhere =
        others.iter().any(|other| other.connection_id != publication.connection_id && shows(other));
    let was_shown = others.iter().any(|other| other.connection_id == publication.connection_id && shows(other));
    publication.status = TextEnum(PublicationState::Published);
    (publication.error_code, publication.error_message) = (None, None);
    publication.version = Some(sent.version);
    publication.external_id = Some(published.external_id.clone());
    publication.external_url = Some(published.url.clone());
    publication.sent = Some(serde_json::to_value(&published.fields)?);
    publication.published_at = is_shown.then_some(now);
    publication.metadata["seo_meta"] = json!(published.seo_meta);
    publication.metadata["warnings"] = json!(published.warnings);
    publication.metadata["slug"] = json!(published.slug);
    let publication = tx.save_publication(publication).await?;
    place_article(&mut article, &publication, published, is_shown_elsewhere, now);
    if let (RemoteStatus::Future, Some(due)) = (published.status, article.scheduled_at) {
        tx.add_steps(&[reconciling(&publication, due)]).await?;
    }
    if let Some(connection) = publication.connection_id {
        tx.forget_sent(article.id, connection, publication.id).await?;
        tx.touch_connection(connection).await?;
        if let Some(connection) = tx.one::<rows::Connection>(connection).await? {
            let event = match (is_shown, was_shown, published.status) {
                (true, false, _) => Event::PublicationPublished,
                (false, true, _) => Event::PublicationUnpublished,
                (_, _, RemoteStatus::Future) => Event::PublicationScheduled,
                _ => Event::PublicationUpdated,
            };
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

/// Whether readers see what the publication has brought.
pub(crate) fn shows(publication: &rows::Publication) -> bool {
    *publication.status == PublicationState::Published && publication.published_at.is_some()
}

/// The article's own state follows what the site shows. A draft there is no publication: the state here stays, or is what
/// it was before it was promised; of what was public there and nowhere else it makes a draft.
fn place_article(
    article: &mut rows::Article,
    publication: &rows::Publication,
    published: &Published,
    is_shown_elsewhere: bool,
    now: DateTime<Utc>,
) {
    let was_published = article.status == ArticleStatus::Published.as_str();
    (article.external_id, article.connection_id) = (publication.external_id.clone(), publication.connection_id);
    let promise = article.schedule.take().filter(|_| published.status == RemoteStatus::Future);
    (article.scheduled_at, article.publish_error) = (None, None);
    if published.status.is_shown() {
        article.published_at = article.published_at.filter(|_| was_published).or(Some(now));
        article.status = ArticleStatus::Published.as_str().to_owned();
        article.external_url = publication.external_url.clone();
    } else if published.status == RemoteStatus::Future && !is_shown_elsewhere {
        article.status = ArticleStatus::Scheduled.as_str().to_owned();
        (article.published_at, article.scheduled_at) = (None, publication.due_at.or(published.fields.date));
        article.schedule = promise;
    } else if !is_shown_elsewhere && (was_published || article.status == ArticleStatus::Scheduled.as_str()) {
        article.status = ArticleStatus::Draft.as_str().to_owned();
        (article.published_at, article.external_url) = (None, None);
    }
}

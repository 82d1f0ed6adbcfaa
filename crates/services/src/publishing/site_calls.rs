//! What a site tells of the posts that stand there.

use chrono::{DateTime, TimeDelta, Utc};
use galley_destinations::RemoteStatus;
use galley_domain::{OrgId, article::ArticleStatus, project::Platform, publishing::PublicationState};
use galley_store::{NewPublication, NewSiteEvent, TenantTx, TextEnum, rows};
use galley_webhooks::Event;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{integrations::unknown, publish::tell_publication};
use crate::{
    Services,
    error::{Missing, ServiceError},
};

/// A clock of a site may be so much ahead of ours.
const MOST_AHEAD: TimeDelta = TimeDelta::days(1);

/// What a site tells of one post.
#[derive(Debug, Clone, Default)]
pub struct SiteCall {
    /// Whose post it is; `None`: that of the text's site.
    pub integration: Option<Uuid>,
    /// It is the site itself that calls.
    pub by_site: bool,
    /// status, metadata, post.updated or post.deleted.
    pub event: String,
    pub content_id: Option<Uuid>,
    /// Of whoever wrote or published it, for sites that remember that.
    pub task_id: Option<Uuid>,
    /// What the site calls it.
    pub post_id: Option<String>,
    /// The site's own word.
    pub post_status: Option<String>,
    pub post_url: Option<String>,
    pub post_title: Option<String>,
    pub post_type: Option<String>,
    pub timestamp: Option<DateTime<Utc>>,
    pub metadata: Option<Json>,
}

/// How the text stands after a call.
#[derive(Debug, Clone)]
pub struct CalledText {
    pub content_id: Uuid,
    pub status: String,
    /// As the site said last.
    pub wordpress_status: Option<String>,
    pub synced_at: DateTime<Utc>,
}

/// The state here of a post with this state there.
pub(super) fn state_of(word: &str) -> Option<(ArticleStatus, RemoteStatus)> {
    Some(match word {
        "publish" => (ArticleStatus::Published, RemoteStatus::Published),
        "private" => (ArticleStatus::Published, RemoteStatus::Private),
        "draft" | "auto-draft" => (ArticleStatus::Draft, RemoteStatus::Draft),
        "pending" => (ArticleStatus::Review, RemoteStatus::Pending),
        "future" => (ArticleStatus::Scheduled, RemoteStatus::Future),
        "trash" => (ArticleStatus::Archived, RemoteStatus::Trashed),
        _ => return None,
    })
}

impl Services {
    /// Takes what a site tells. The same call again, and one that is older than the last, change nothing.
    pub async fn site_call(&self, org: OrgId, call: SiteCall) -> Result<CalledText, ServiceError> {
        let tx = self.store.begin(org).await?;
        let now = tx.now().await?;
        let at = call.timestamp.unwrap_or(now);
        if at > now + MOST_AHEAD {
            return Err(ServiceError::field("timestamp", "lies ahead; set the clock of the site right"));
        }
        let found = called_about(&tx, &call).await?;
        let integration = caller(&tx, &call, &found).await?;
        let mut article = tx.lock_article(found.id).await?.ok_or(ServiceError::NotFound(Missing::Content))?;
        let Some(mut publication) = self.told_of(&tx, &article, &integration, &call).await? else {
            tx.rollback().await?;
            return Ok(called(&article, call.post_status, at));
        };
        let before = (article.status.clone(), publication.metadata["wordpress_status"].clone());
        let last = publication.metadata["site_time"].as_str().and_then(|time| time.parse::<DateTime<Utc>>().ok());
        if last.is_some_and(|last| at <= last) {
            tx.rollback().await?;
            return Ok(called(&article, shown_as(&publication), last.unwrap_or(at)));
        }
        let status = match call.event.as_str() {
            "post.deleted" => Some("trash"),
            _ => call.post_status.as_deref(),
        };
        note(&mut publication, &call, status, at);
        let event = match status.and_then(state_of) {
            Some((state, shown)) => {
                let due = known_date(&publication).filter(|due| *due > now);
                apply(&mut article, &mut publication, state, shown, due, now)
            }
            None => None,
        };
        if let Some(url) = &call.post_url {
            publication.external_url = Some(url.clone());
            article.external_url = Some(url.clone()).filter(|_| article.status == ArticleStatus::Published.as_str());
        }
        let publication = tx.save_publication(publication).await?;
        article.external_id.clone_from(&publication.external_id);
        article.connection_id = Some(integration.id);
        let article = tx.save_article(article).await?;
        if let Some(event) = event {
            tell_publication(&tx, event, &article, &integration, Some(publication.id), None).await?;
        }
        if before != (article.status.clone(), publication.metadata["wordpress_status"].clone()) {
            self.follow_in_folder(&tx, article.id).await?;
        }
        if let Some(mut row) = tx.hold::<rows::Connection>(integration.id).await? {
            row.last_synced_at = Some(now);
            if call.by_site {
                row.metadata["plugin_seen_at"] = json!(now);
            }
            tx.put(row).await?;
        }
        let message = status.map(|status| format!("the post is {status} there")).unwrap_or_default();
        tx.insert_site_event(NewSiteEvent {
            connection_id: integration.id,
            event_type: "webhook",
            action: call.event,
            success: true,
            message,
            article_id: Some(article.id),
        })
        .await?;
        tx.commit().await?;
        Ok(called(&article, shown_as(&publication), at))
    }

    /// What is known of the post, or a new placement where the site is the first to tell of it. Nothing while the text is on
    /// its way: the call may be about the very post that is being made, whose number the publication is about to know.
    async fn told_of(
        &self,
        tx: &TenantTx,
        article: &rows::Article,
        integration: &rows::Connection,
        call: &SiteCall,
    ) -> Result<Option<rows::Publication>, ServiceError> {
        let placed = tx.placed(article.id, integration.id).await?;
        let is_it = |placed: &rows::Publication| call.post_id.is_none() || placed.external_id == call.post_id;
        if let Some(placed) = placed.filter(is_it) {
            return Ok(tx.lock_publication(placed.id).await?);
        }
        let Some(post_id) = &call.post_id else {
            return Err(ServiceError::field("post_id", "is required for a text that was never at this site"));
        };
        // A post is one text: whoever tells of it by another one has mixed them up.
        if let Some(other) = tx.placed_there(integration.id, post_id).await?
            && other.article_id != article.id
        {
            let text = format!("post {post_id} of the site is another text here: {}", other.article_id);
            return Err(ServiceError::Conflict(text));
        }
        if article.publication_id.is_some() {
            return Ok(None);
        }
        let new = NewPublication {
            external_id: Some(post_id.clone()),
            external_url: call.post_url.clone(),
            ..NewPublication::found_there(article.id, integration.id)
        };
        Ok(Some(tx.insert_publication(new).await?))
    }
}

/// The text that a call names.
async fn called_about(tx: &TenantTx, call: &SiteCall) -> Result<rows::Article, ServiceError> {
    let (field, id) = match (call.content_id, call.task_id) {
        (Some(content), _) => ("content_id", Some(content)),
        (None, Some(task)) => ("task_id", tx.task_head(task).await?.and_then(|task| task.subject_id)),
        (None, None) => return Err(ServiceError::field("content_id", "is required, or task_id")),
    };
    let found = match id {
        Some(id) => tx.article(id).await?,
        None => None,
    };
    found.ok_or_else(|| unknown(field, Missing::Content))
}

/// The integration that the call is about: the one that calls, or that of the text's site.
async fn caller(tx: &TenantTx, call: &SiteCall, article: &rows::Article) -> Result<rows::Connection, ServiceError> {
    let Some(project) = article.project_id else { return Err(unknown("content_id", Missing::Content)) };
    let row = match call.integration {
        Some(id) => {
            Some(tx.one::<rows::Connection>(id).await?.ok_or_else(|| unknown("integration_id", Missing::Integration))?)
        }
        None => {
            let active = tx.active_integrations(project).await?;
            active.into_iter().find(|row| *row.platform == Platform::Wordpress)
        }
    };
    let Some(row) = row else {
        return Err(ServiceError::Conflict("the site of the content has no active integration; make one first".into()));
    };
    // Texts of other sites do not exist for a site.
    if row.project_id != Some(project) {
        return Err(unknown("content_id", Missing::Content));
    }
    match row.is_active {
        true => Ok(row),
        false => Err(ServiceError::Conflict("the integration is not active; switch it on first".into())),
    }
}

fn note(publication: &mut rows::Publication, call: &SiteCall, status: Option<&str>, at: DateTime<Utc>) {
    publication.metadata["site_time"] = json!(at);
    if let Some(status) = status {
        publication.metadata["wordpress_status"] = json!(status);
    }
    if let Some(kind) = &call.post_type {
        publication.metadata["external_type"] = json!(kind);
    }
    if let Some(title) = &call.post_title {
        publication.metadata["site_title"] = json!(title);
    }
    if let Some(told) = &call.metadata {
        publication.metadata["site"] = told.clone();
    }
}

/// When a site said that it would publish a post, or has published it.
fn known_date(publication: &rows::Publication) -> Option<DateTime<Utc>> {
    publication.sent.as_ref()?["date"].as_str()?.parse().ok()
}

fn shown_as(publication: &rows::Publication) -> Option<String> {
    publication.metadata["wordpress_status"].as_str().map(str::to_owned)
}

/// Whether a site may change it: what becomes of a text that is being written or on its way there is about to be known.
pub(super) fn takes_state(article: &rows::Article) -> bool {
    let is_busy = article.status == ArticleStatus::Generating.as_str() || article.rewrite_task_id.is_some();
    !is_busy && article.publication_id.is_none() && article.version > 0
}

/// Brings the state from there here, with the hour at which the site is to publish it.
pub(super) fn apply(
    article: &mut rows::Article,
    publication: &mut rows::Publication,
    state: ArticleStatus,
    shown: RemoteStatus,
    due: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Event> {
    if !takes_state(article) {
        return None;
    }
    // What was accepted from there is no drift.
    if let Some(sent) = &mut publication.sent {
        sent["status"] = json!(shown);
    }
    let was = article.status.clone();
    let published = ArticleStatus::Published.as_str();
    publication.status = TextEnum(match state {
        ArticleStatus::Published => PublicationState::Published,
        _ if was == published || state == ArticleStatus::Archived => PublicationState::Retracted,
        _ => *publication.status,
    });
    if state == ArticleStatus::Published {
        publication.published_at = publication.published_at.or(Some(now));
        article.published_at = article.published_at.or(Some(now));
    } else if state != ArticleStatus::Archived {
        (article.published_at, article.external_url) = (None, None);
    }
    article.scheduled_at = match state {
        ArticleStatus::Scheduled => due.or(article.scheduled_at),
        _ => None,
    };
    article.status = state.as_str().to_owned();
    article.publish_error = None;
    match (was == published, state) {
        _ if was == article.status => None,
        (_, ArticleStatus::Published) => Some(Event::PublicationPublished),
        (_, ArticleStatus::Archived) => Some(Event::PublicationRemoved),
        (true, _) => Some(Event::PublicationUnpublished),
        (false, _) => Some(Event::PublicationUpdated),
    }
}

fn called(article: &rows::Article, wordpress_status: Option<String>, at: DateTime<Utc>) -> CalledText {
    CalledText { content_id: article.id, status: article.status.clone(), wordpress_status, synced_at: at }
}

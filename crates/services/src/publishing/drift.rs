//! Drift: what somebody has changed at the site of an article since it was published there, and what becomes of it.

use chrono::{DateTime, Utc};
use galley_destinations::{Existing, PreviewAction, RemoteFields, RemoteStatus, Visibility as Shown, differences};
use galley_domain::{OrgId, order::FieldError, text_enum};
use galley_store::{StoreError, rows};
use galley_text::markdown::{of_html, to_html};
use galley_webhooks::Event;
use serde_json::json;
use uuid::Uuid;

use super::{
    assets::Assets,
    gate, is_newer, known,
    posts::PostEdit,
    publish::{target, tell_publication},
    retract::Placed,
};
use crate::{
    ArticleEdit, Services,
    error::{Missing, ServiceError},
    post_of,
};

text_enum! {
    /// How an article and its copy stand to each other.
    DriftState {
        InSync = "in_sync",
        ChangedRemote = "changed_remote",
        /// There, and here since it was published.
        ChangedBoth = "changed_both",
        /// Gone for good there.
        Deleted = "deleted",
        Trashed = "trashed",
        Unreachable = "unreachable",
        NotPublished = "not_published",
    }
}

text_enum! {
    /// Which text stays.
    Keep { Remote = "remote", Local = "local" }
}

/// A field that somebody has changed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftedField {
    pub field: String,
    pub published: String,
    pub local: String,
    pub remote: String,
}

/// How an article and its copy stand to each other now.
#[derive(Debug, Clone)]
pub struct Drift {
    pub state: DriftState,
    pub checked_at: DateTime<Utc>,
    pub fields: Vec<DriftedField>,
    pub url: Option<String>,
    /// Where it was, if its address has changed.
    pub previous_url: Option<String>,
}

/// A field as it is here and as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedField {
    pub field: &'static str,
    pub local: String,
    pub remote: String,
    pub is_changed: bool,
}

/// What publishing would do.
#[derive(Debug, Clone)]
pub struct Preview {
    pub action: PreviewAction,
    pub connection_id: Uuid,
    /// What stands there: its id, its address, how it is shown.
    pub target: Option<(String, String, RemoteStatus)>,
    pub fields: Vec<PreviewedField>,
    pub drift: DriftState,
    pub gate: Vec<FieldError>,
    /// As it was at the last publication.
    pub seo_meta: Option<String>,
    pub warnings: Vec<String>,
}

/// What was found at the site.
struct Found {
    state: DriftState,
    fields: Option<RemoteFields>,
    url: Option<String>,
}

impl Services {
    /// Reads the copy and compares it, field by field, with what was sent. That it differs is told once.
    pub async fn drift(&self, org: OrgId, id: Uuid) -> Result<Drift, ServiceError> {
        let article = self.article(org, id).await?;
        let checked_at = self.store.tenant(org).now().await?;
        let bare = |state| Drift { state, checked_at, fields: Vec::new(), url: None, previous_url: None };
        let Some(placed) = self.placed(org, &article).await? else { return Ok(bare(DriftState::NotPublished)) };
        let found = look(&placed, &article).await;
        let fields = match (&found.fields, &placed.known.fields) {
            (Some(there), Some(sent)) => drifted(sent, there, &article),
            _ => Vec::new(),
        };
        self.note_drift(org, &placed, &article, found.state).await?;
        let previous_url = found.url.as_ref().filter(|url| **url != placed.known.url).map(|_| placed.known.url.clone());
        Ok(Drift { fields, url: found.url, previous_url, ..bare(found.state) })
    }

    /// Remembers how it stands, and tells when it has just drifted apart.
    async fn note_drift(
        &self,
        org: OrgId,
        placed: &Placed,
        article: &rows::Article,
        state: DriftState,
    ) -> Result<(), ServiceError> {
        if state == DriftState::Unreachable || placed.publication.metadata["drift"] == json!(state) {
            return Ok(());
        }
        let tx = self.store.begin(org).await?;
        let Some(mut publication) = tx.lock_publication(placed.publication.id).await? else { return Ok(()) };
        if publication.metadata["drift"] == json!(state) {
            return Ok(());
        }
        publication.metadata["drift"] = json!(state);
        tx.save_publication(publication).await?;
        if state != DriftState::InSync {
            let (publication, said) = (Some(placed.publication.id), Some(state.as_str()));
            let connection = &placed.connection;
            tell_publication(&tx, Event::PublicationDrifted, article, connection, publication, said).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Keeps the text from there as a new version here. Nothing is sent.
    pub async fn keep_remote(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let (article, placed, there) = self.drifted_copy(org, id).await?;
        self.edit_article_and(org, id, text_of(&there), Some(&beside(&there))).await?;
        self.remember_sent(org, &article, &placed, &there).await
    }

    /// Keeps the text from there as a version, and then the one from here as the newest; it is sent by whoever publishes
    /// with force next.
    pub async fn keep_local(&self, org: OrgId, id: Uuid) -> Result<Uuid, ServiceError> {
        let (article, placed, there) = self.drifted_copy(org, id).await?;
        let tx = self.store.begin(org).await?;
        gate::check(&tx, &article).await?;
        tx.rollback().await?;
        let theirs = ArticleEdit { if_version: Some(article.version), ..text_of(&there) };
        let kept = self.edit_article_and(org, id, theirs, None).await?;
        self.restore_version(org, id, article.version, Some(kept.version), None).await?;
        Ok(placed.connection.id)
    }

    async fn drifted_copy(&self, org: OrgId, id: Uuid) -> Result<(rows::Article, Placed, RemoteFields), ServiceError> {
        let article = self.article(org, id).await?;
        if article.publication_id.is_some() {
            let text = "a publication of the post is under way; wait until it has ended";
            return Err(ServiceError::Conflict(text.into()));
        }
        let not_published = || ServiceError::Conflict("the post was not published".into());
        let placed = self.placed(org, &article).await?.ok_or_else(not_published)?;
        let there = placed.blog.read(id, Some(&placed.known)).await.map_err(ServiceError::Outside)?;
        let gone = "the post is gone from its site; publish it to make it anew";
        let there = there.ok_or_else(|| ServiceError::Conflict(gone.into()))?;
        match placed.known.fields.as_ref().map(|sent| differences(sent, &there).is_empty()) {
            Some(true) => Err(ServiceError::Conflict("nobody has changed the post at its site".into())),
            _ => Ok((article, placed, there)),
        }
    }

    /// What stands there now is what later drift is measured from.
    async fn remember_sent(
        &self,
        org: OrgId,
        article: &rows::Article,
        placed: &Placed,
        there: &RemoteFields,
    ) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let now = tx.article(article.id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if let Some(mut publication) = tx.lock_publication(placed.publication.id).await? {
            publication.sent = Some(serde_json::to_value(there).map_err(StoreError::from)?);
            publication.version = Some(now.version);
            publication.metadata["drift"] = json!(DriftState::InSync);
            tx.save_publication(publication).await?;
        }
        Ok(tx.commit().await?)
    }

    /// What publishing would do, field by field; nothing is sent but what reads.
    pub async fn preview(&self, org: OrgId, id: Uuid, connection: Option<Uuid>) -> Result<Preview, ServiceError> {
        let article = self.article(org, id).await?;
        let tx = self.store.begin(org).await?;
        let gate = gate::refusals(&tx, &article).await?;
        let connection = target(&tx, &article, connection).await?;
        tx.rollback().await?;
        let publication = self.store.tenant(org).placed(id, connection.id).await?;
        let blog = self.blog(org, &connection).await?;
        let known = known(publication.clone())?;
        let mut assets = self.assets_of(org, &article).await.unwrap_or_else(|_| Assets::none(&article));
        let left_out = std::mem::take(&mut assets.warnings);
        let post = post_of(&article, Shown::Publish, assets);
        let is_newer = is_newer(&article, publication.as_ref());
        let seo_meta = publication.and_then(|publication| Some(publication.metadata["seo_meta"].as_str()?.to_owned()));
        let bare = Preview {
            action: PreviewAction::None,
            connection_id: connection.id,
            target: None,
            fields: Vec::new(),
            drift: DriftState::NotPublished,
            gate,
            seo_meta,
            warnings: Vec::new(),
        };
        let found = match blog.preview(post, known.as_ref()).await {
            Ok(found) => found,
            // What it would refuse is an answer; that it does not answer is none.
            Err(fault) if fault.is_transient() => return Err(ServiceError::Outside(fault)),
            Err(fault) => {
                let existing = blog.look_up(id, known.as_ref()).await.map_err(ServiceError::Outside)?;
                let is_trashed = existing.as_ref().is_some_and(|found| found.status == RemoteStatus::Trashed);
                let drift = if is_trashed { DriftState::Trashed } else { bare.drift };
                return Ok(Preview {
                    target: existing.map(placed_at),
                    drift,
                    warnings: vec![fault.to_string()],
                    ..bare
                });
            }
        };
        let drift = match (&known, &found.remote) {
            (None, _) => DriftState::NotPublished,
            (Some(_), None) => DriftState::Deleted,
            (Some(known), Some(there)) => compared(known.fields.as_ref(), there, is_newer),
        };
        Ok(Preview {
            action: found.action,
            target: found.target.map(placed_at),
            fields: previewed(&found.local, found.remote.as_ref()),
            drift,
            warnings: found.warnings.into_iter().chain(left_out).collect(),
            ..bare
        })
    }
}

fn placed_at(existing: Existing) -> (String, String, RemoteStatus) {
    (existing.external_id, existing.url, existing.status)
}

fn compared(sent: Option<&RemoteFields>, there: &RemoteFields, is_newer: bool) -> DriftState {
    let changed = sent.is_some_and(|sent| !differences(sent, there).is_empty());
    match (there.status, changed, is_newer) {
        (RemoteStatus::Trashed, ..) => DriftState::Trashed,
        (_, false, _) => DriftState::InSync,
        (_, true, false) => DriftState::ChangedRemote,
        (_, true, true) => DriftState::ChangedBoth,
    }
}

async fn look(placed: &Placed, article: &rows::Article) -> Found {
    let unreachable = || Found { state: DriftState::Unreachable, fields: None, url: None };
    let (id, known) = (article.id, Some(&placed.known));
    let Ok(existing) = placed.blog.look_up(id, known).await else { return unreachable() };
    let Some(existing) = existing else { return Found { state: DriftState::Deleted, ..unreachable() } };
    let url = Some(existing.url);
    if existing.status == RemoteStatus::Trashed {
        return Found { state: DriftState::Trashed, fields: None, url };
    }
    let Ok(there) = placed.blog.read(id, known).await else { return unreachable() };
    let Some(there) = there else { return Found { state: DriftState::Deleted, fields: None, url } };
    let state = compared(placed.known.fields.as_ref(), &there, is_newer(article, Some(&placed.publication)));
    Found { state, fields: Some(there), url }
}

/// The article's own form of a field that is compared.
fn local(article: &rows::Article, field: &str) -> String {
    match field {
        "title" => article.title.clone(),
        "content" => to_html(&article.content_markdown),
        "excerpt" => article.excerpt.clone().unwrap_or_default(),
        "slug" => article.slug.clone(),
        "status" => article.status.clone(),
        "categories" => article.categories.join(", "),
        "tags" => article.tags.join(", "),
        "featured_image" => article.featured_url.clone().unwrap_or_default(),
        "date" => article.published_at.map(|date| date.to_rfc3339()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn drifted(sent: &RemoteFields, there: &RemoteFields, article: &rows::Article) -> Vec<DriftedField> {
    let found = differences(sent, there).into_iter();
    let field = |one: galley_destinations::FieldDifference| DriftedField {
        local: local(article, &one.field),
        field: one.field,
        published: one.published,
        remote: one.remote,
    };
    found.map(field).collect()
}

/// A field as people read it.
fn shown(fields: &RemoteFields, field: &str) -> String {
    match field {
        "title" => fields.title.clone(),
        "content" => fields.content.clone(),
        "excerpt" => fields.excerpt.clone(),
        "slug" => fields.slug.clone(),
        "status" => fields.status.as_str().to_owned(),
        "categories" => fields.categories.join(", "),
        "tags" => fields.tags.join(", "),
        "featured_image" => fields.featured.as_ref().map(|picture| picture.url.clone()).unwrap_or_default(),
        "date" => fields.date.map(|date| date.to_rfc3339()).unwrap_or_default(),
        _ => String::new(),
    }
}

const FIELDS: [&str; 9] =
    ["title", "content", "excerpt", "slug", "status", "categories", "tags", "featured_image", "date"];

fn previewed(local: &RemoteFields, remote: Option<&RemoteFields>) -> Vec<PreviewedField> {
    let changed = remote.map(|remote| differences(local, remote));
    let field = |field: &'static str| PreviewedField {
        field,
        local: shown(local, field),
        remote: remote.map(|remote| shown(remote, field)).unwrap_or_default(),
        is_changed: changed.as_ref().is_none_or(|changed| changed.iter().any(|one| one.field == field)),
    };
    FIELDS.map(field).into()
}

pub(crate) fn text_of(there: &RemoteFields) -> ArticleEdit {
    ArticleEdit {
        title: Some(there.title.clone()).filter(|title| !title.trim().is_empty()),
        content: Some(of_html(&there.content)).filter(|content| !content.is_empty()),
        ..ArticleEdit::default()
    }
}

pub(crate) fn beside(there: &RemoteFields) -> PostEdit {
    PostEdit {
        excerpt: Some(Some(there.excerpt.clone()).filter(|excerpt| !excerpt.is_empty())),
        categories: Some(there.categories.clone()),
        tags: Some(there.tags.clone()),
        ..PostEdit::default()
    }
}

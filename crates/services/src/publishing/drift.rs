//! Drift: what somebody has changed at the site of an article since it was published there, and what becomes of it.

use chrono::{DateTime, Utc};
use galley_destinations::{Existing, PreviewAction, RemoteFields, RemoteStatus, Visibility as Shown, differences};
use galley_domain::{
    OrgId, Principal,
    article::ArticleStatus,
    order::FieldError,
    publishing::{PublicationState, Visibility},
    text_enum,
};
use galley_store::{StoreError, rows};
use galley_text::markdown::{of_html, to_html};
use galley_webhooks::Event;
use serde_json::json;
use uuid::Uuid;

use super::{
    assets::Assets,
    gate, is_newer, known,
    posts::PostEdit,
    publish::{PublishRequest, refusal, target, tell_publication},
    retract::Placed,
    site_calls::apply,
    work::shown_as,
};
use crate::{
    ArticleEdit, Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, keep_answer, known_answer},
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
        let mut found = look(&placed, &article).await;
        let fields = match (&found.fields, &placed.known.fields) {
            (Some(there), Some(sent)) => drifted(sent, there, &article),
            // What was sent is not known: then what is here is what should be there.
            (Some(there), None) => self.unknown_drift(&article, &placed, there).await?,
            (None, _) => Vec::new(),
        };
        if placed.known.fields.is_none() && !fields.is_empty() {
            found.state = DriftState::ChangedRemote;
        }
        self.note_drift(org, &placed, &article, found.state).await?;
        let previous_url = found.url.as_ref().filter(|url| **url != placed.known.url).map(|_| placed.known.url.clone());
        Ok(Drift { fields, url: found.url, previous_url, ..bare(found.state) })
    }

    /// In what the copy differs from the article's own form of it.
    async fn unknown_drift(
        &self,
        article: &rows::Article,
        placed: &Placed,
        there: &RemoteFields,
    ) -> Result<Vec<DriftedField>, ServiceError> {
        let post = post_of(article, Shown::Publish, Assets::none(article));
        let form = placed.blog.preview(post, Some(&placed.known)).await.map_err(ServiceError::Outside)?.local;
        let mut fields = drifted(&form, there, article);
        fields.retain(|one| TEXT.contains(&one.field.as_str()));
        Ok(fields)
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

    /// Keeps the one or the other. The task that sends ours, if that is kept.
    pub async fn resolve_drift(
        &self,
        principal: &Principal,
        id: Uuid,
        keep: Keep,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Option<Uuid>>, ServiceError> {
        let tx = self.store.begin(principal.org).await?;
        let known = known_answer(&tx, key).await?;
        tx.rollback().await?;
        if let Some(value) = known {
            return Ok(Answer { value, replayed: true });
        }
        let value = match keep {
            Keep::Remote => {
                self.keep_remote(principal.org, id).await?;
                None
            }
            Keep::Local => {
                let request = self.keep_local(principal.org, id).await?;
                Some(self.publish(principal, id, request, trace_id, None).await?.value.task_id)
            }
        };
        let tx = self.store.begin(principal.org).await?;
        if known_answer::<Option<Uuid>>(&tx, key).await?.is_none() {
            keep_answer(&tx, key, &value).await?;
        }
        tx.commit().await?;
        Ok(Answer { value, replayed: false })
    }

    /// Takes over what was changed there; a text from there is a new version here. Nothing is sent.
    async fn keep_remote(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let (article, placed, there) = self.drifted_copy(org, id).await?;
        let changed: Vec<String> = match &placed.known.fields {
            Some(sent) => differences(sent, &there).into_iter().map(|one| one.field).collect(),
            None => FIELDS.map(str::to_owned).into(),
        };
        let (text, beside) = taken_over(&there, &changed);
        let edited = self.edit_article_and(org, id, text, Some(&beside)).await?;
        self.accept_remote(org, &article, edited.version, &placed, &there, &changed).await
    }

    /// Keeps the text from there as a version, and then the one from here as the newest; it is sent by whoever publishes
    /// with the answer, next: as what it stood there before.
    async fn keep_local(&self, org: OrgId, id: Uuid) -> Result<PublishRequest, ServiceError> {
        let (article, placed, there) = self.drifted_copy(org, id).await?;
        let tx = self.store.begin(org).await?;
        gate::check(&tx, &article).await?;
        tx.rollback().await?;
        let theirs = ArticleEdit { if_version: Some(article.version), ..text_of(&there) };
        let kept = self.edit_article_and(org, id, theirs, None).await?;
        self.restore_version(org, id, article.version, Some(kept.version), None).await?;
        let was = &placed.publication;
        let visibility = match *was.status {
            PublicationState::Retracted => Visibility::Draft,
            _ => *was.visibility,
        };
        Ok(PublishRequest {
            connection_id: Some(placed.connection.id),
            visibility: Some(visibility),
            force: true,
            ..PublishRequest::default()
        })
    }

    async fn drifted_copy(&self, org: OrgId, id: Uuid) -> Result<(rows::Article, Placed, RemoteFields), ServiceError> {
        let article = self.article(org, id).await?;
        if article.publication_id.is_some() {
            let text = match article.scheduled_at {
                Some(_) => "the post is scheduled; unschedule it first",
                None => "a publication of the post is under way; wait until it has ended",
            };
            return Err(ServiceError::Conflict(text.into()));
        }
        let not_published = || ServiceError::Conflict("the post was not published".into());
        let placed = self.placed(org, &article).await?.ok_or_else(not_published)?;
        let there = placed.blog.read(id, Some(&placed.known)).await.map_err(ServiceError::Outside)?;
        let gone = "the post is gone from its site; publish it to make it anew";
        let there = there.ok_or_else(|| ServiceError::Conflict(gone.into()))?;
        let is_same = match &placed.known.fields {
            Some(sent) => differences(sent, &there).is_empty(),
            None => self.unknown_drift(&article, &placed, &there).await?.is_empty(),
        };
        match is_same {
            true => Err(ServiceError::Conflict("nobody has changed the post at its site".into())),
            false => Ok((article, placed, there)),
        }
    }

    /// What stands there now is what later drift is measured from. Whether it is public there decides here, too.
    async fn accept_remote(
        &self,
        org: OrgId,
        article: &rows::Article,
        version: i32,
        placed: &Placed,
        there: &RemoteFields,
        changed: &[String],
    ) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut now = tx.lock_article(article.id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        let Some(mut publication) = tx.lock_publication(placed.publication.id).await? else { return Ok(()) };
        publication.version = Some(version);
        publication.metadata["drift"] = json!(DriftState::InSync);
        let mut event = None;
        if changed.iter().any(|field| field == "status") {
            event =
                apply(&mut now, &mut publication, state_there(there.status), there.status, there.date, tx.now().await?);
        }
        if changed.iter().any(|field| field == "slug") && !tx.slug_taken(&there.slug, now.project_id, now.id).await? {
            now.slug.clone_from(&there.slug);
        }
        publication.sent = Some(serde_json::to_value(there).map_err(StoreError::from)?);
        let now = tx.save_article(now).await?;
        publication.metadata["beside"] = tx.beside(now.id).await?;
        tx.save_publication(publication).await?;
        if let Some(event) = event {
            tell_publication(&tx, event, &now, &placed.connection, Some(placed.publication.id), None).await?;
        }
        self.follow_in_folder(&tx, now.id).await?;
        Ok(tx.commit().await?)
    }

    /// What publishing would do, field by field; nothing is sent but what reads.
    pub async fn preview(
        &self,
        org: OrgId,
        id: Uuid,
        connection: Option<Uuid>,
        visibility: Visibility,
    ) -> Result<Preview, ServiceError> {
        let article = self.article(org, id).await?;
        let tx = self.store.begin(org).await?;
        let gate = gate::refusals(&tx, &article).await?;
        let connection = target(&tx, &article, connection).await?;
        let refused = refusal(&tx, &article, &connection).await?;
        tx.rollback().await?;
        let publication = self.store.tenant(org).placed(id, connection.id).await?;
        let blog = self.blog(org, &connection).await?;
        let known = known(publication.clone())?;
        let mut assets = self.assets_of(org, &article).await.unwrap_or_else(|_| Assets::none(&article));
        let left_out = std::mem::take(&mut assets.warnings);
        let post = post_of(&article, shown_as(visibility, article.scheduled_at), assets);
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
        if let Some(why) = refused {
            let existing = blog.look_up(id, known.as_ref()).await.map_err(ServiceError::Outside)?;
            return Ok(Preview { target: existing.map(placed_at), warnings: vec![why], ..bare });
        }
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

/// What is compared where nothing is known of what was sent: the rest is the site's own as long as we have not set it.
const TEXT: [&str; 3] = ["title", "content", "excerpt"];

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

/// Only what was changed there.
fn taken_over(there: &RemoteFields, changed: &[String]) -> (ArticleEdit, PostEdit) {
    let is_changed = |field: &str| changed.iter().any(|one| one == field);
    let (text, beside) = (text_of(there), beside(there));
    let text = ArticleEdit {
        title: text.title.filter(|_| is_changed("title")),
        content: text.content.filter(|_| is_changed("content")),
        ..ArticleEdit::default()
    };
    let beside = PostEdit {
        excerpt: beside.excerpt.filter(|_| is_changed("excerpt")),
        categories: beside.categories.filter(|_| is_changed("categories")),
        tags: beside.tags.filter(|_| is_changed("tags")),
        ..PostEdit::default()
    };
    (text, beside)
}

/// What an article is here that is so there.
pub(crate) fn state_there(status: RemoteStatus) -> ArticleStatus {
    match status {
        RemoteStatus::Published | RemoteStatus::Private => ArticleStatus::Published,
        RemoteStatus::Pending => ArticleStatus::Review,
        RemoteStatus::Future => ArticleStatus::Scheduled,
        RemoteStatus::Trashed => ArticleStatus::Archived,
        RemoteStatus::Draft | RemoteStatus::Other => ArticleStatus::Draft,
    }
}

pub(crate) fn text_of(there: &RemoteFields) -> ArticleEdit {
    ArticleEdit {
        title: Some(there.title.clone()).filter(|title| !title.trim().is_empty()),
        // What is too long to be read is too long to be stored: as it is, it is refused with its length.
        content: Some(of_html(&there.content).unwrap_or_else(|| there.content.clone()))
            .filter(|content| !content.is_empty()),
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

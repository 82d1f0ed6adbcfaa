//! One text of a site: taken over, compared with the one here, or left alone because both sides have changed it.

use galley_destinations::{Collection, RemoteFields, RemoteItem, RemoteStatus, differences};
use galley_domain::article::ArticleStatus;
use galley_store::{Fence, ImportedArticle, NewPublication, StoreError, TenantTx, TextVersion, rows};
use galley_text::{
    markdown::{of_html, word_count},
    slug::{numbered, slugify},
};
use galley_webhooks::Event;
use serde_json::json;
use uuid::Uuid;

use super::{
    drift::{DriftState, beside, text_of},
    is_newer, known,
    site_calls::{apply, state_of},
    sync_work::{SyncWork, kind_of},
};
use crate::{
    Services,
    articles::computed,
    error::{Missing, ServiceError},
    projects::refuse_trashed,
    webhooks::tell_article,
};

/// The longest text that is taken, in bytes of Markdown: the longest that is stored.
const MAX_BYTES: usize = 500_000;
const MAX_TITLE: usize = 300;
const SOURCE: &str = "wordpress";

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Nothing is different.
    Same,
    /// Something is new here.
    Changed,
    /// It was changed on both sides, and nothing of its text was touched.
    Mismatched,
}

/// The site's own word of a state.
fn word_of(status: RemoteStatus) -> &'static str {
    match status {
        RemoteStatus::Published => "publish",
        RemoteStatus::Private => "private",
        RemoteStatus::Draft => "draft",
        RemoteStatus::Pending => "pending",
        RemoteStatus::Future => "future",
        RemoteStatus::Trashed => "trash",
        RemoteStatus::Other => "other",
    }
}

impl Services {
    /// Takes one text of the site. Each write is fenced, and the same item again changes nothing more.
    pub(crate) async fn take_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        collection: Collection,
        item: &RemoteItem,
    ) -> Result<Came, ServiceError> {
        let tenant = self.store.tenant(work.org);
        let placed = tenant.placed_there(work.integration.id, &item.external_id).await?;
        let article = match placed.as_ref().map(|placed| placed.article_id).or(item.article) {
            Some(id) => tenant.article(id).await?,
            None => None,
        };
        match (article, placed) {
            // Of another site of ours.
            (Some(article), _) if article.project_id != Some(work.project) => Ok(Came::Same),
            (Some(article), Some(placed)) => self.compare_item(fence, work, &article, &placed, item).await,
            // It bears our mark, and our records have lost it.
            (Some(article), None) => self.note_item(fence, work, collection, &article, item).await,
            (None, _) if !work.direction.brings_texts() || item.fields.status == RemoteStatus::Other => Ok(Came::Same),
            (None, _) => self.import_item(fence, work, collection, item).await,
        }
    }

    async fn import_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        collection: Collection,
        item: &RemoteItem,
    ) -> Result<Came, ServiceError> {
        let html = item.fields.content.clone();
        let (markdown, words) = computed(move || {
            let markdown = of_html(&html).filter(|markdown| markdown.len() <= MAX_BYTES)?;
            let words = word_count(&markdown);
            Some((markdown, words))
        })
        .await?
        .ok_or_else(|| ServiceError::Conflict(format!("it has more than {MAX_BYTES} bytes of text")))?;
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(fence).await?;
        refuse_trashed(&tx, Some(work.project)).await?;
        // Whoever takes the same post at the same time waits here.
        tx.hold_slug(&format!("post/{}/{}", work.integration.id, item.external_id)).await?;
        if tx.placed_there(work.integration.id, &item.external_id).await?.is_some() {
            return Ok(Came::Same);
        }
        let slug = free_slug(&tx, &item.fields).await?;
        let new = imported(work, item, slug);
        let text = first_version(&new, markdown, words);
        let mut article = tx.insert_imported(new).await?;
        let version = tx.save_version(article.id, &text).await?;
        tx.insert_publication(placement(work, collection, article.id, item)).await?;
        // Versions take what they are given; what stands beside the text is written last.
        article = tx.article(article.id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if article.status == ArticleStatus::Scheduled.as_str() {
            article.scheduled_at = item.fields.date;
            article = tx.save_article(article).await?;
        }
        self.place(&tx, work, &article, version, item).await?;
        tell_article(&tx, Event::ArticleCreated, &article).await?;
        tx.commit().await?;
        Ok(Came::Changed)
    }

    /// What stands there is what later changes are measured from.
    async fn place(
        &self,
        tx: &TenantTx,
        work: &SyncWork,
        article: &rows::Article,
        version: i32,
        item: &RemoteItem,
    ) -> Result<(), ServiceError> {
        let placed = tx.placed(article.id, work.integration.id).await?;
        let placed = placed.ok_or(ServiceError::NotFound(Missing::Publication))?;
        let mut placed = tx.lock_publication(placed.id).await?.ok_or(ServiceError::NotFound(Missing::Publication))?;
        placed.sent = Some(serde_json::to_value(&item.fields).map_err(StoreError::from)?);
        placed.version = Some(version);
        placed.metadata["drift"] = json!(DriftState::InSync);
        tx.save_publication(placed).await?;
        Ok(())
    }

    async fn note_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        collection: Collection,
        article: &rows::Article,
        item: &RemoteItem,
    ) -> Result<Came, ServiceError> {
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(fence).await?;
        tx.insert_publication(placement(work, collection, article.id, item)).await?;
        tx.commit().await?;
        Ok(Came::Changed)
    }

    async fn compare_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        article: &rows::Article,
        placed: &rows::Publication,
        item: &RemoteItem,
    ) -> Result<Came, ServiceError> {
        let sent = known(Some(placed.clone()))?.and_then(|known| known.fields);
        let is_text = |field: &str| matches!(field, "title" | "content" | "excerpt");
        let text_changed =
            sent.as_ref().is_some_and(|sent| differences(sent, &item.fields).iter().any(|one| is_text(&one.field)));
        let is_newer = is_newer(article, Some(placed));
        let takes_text = text_changed && work.direction.brings_texts() && !is_newer;
        if takes_text && !same_text(article, &item.fields) {
            let tx = self.store.begin(work.org).await?;
            tx.hold_fence(fence).await?;
            tx.commit().await?;
            let beside = beside(&item.fields);
            self.edit_article_and(work.org, article.id, text_of(&item.fields), Some(&beside)).await?;
        }
        let drift = match (text_changed, is_newer) {
            (true, true) if same_text(article, &item.fields) => DriftState::InSync,
            (true, true) => DriftState::ChangedBoth,
            (true, false) if !takes_text => DriftState::ChangedRemote,
            _ => DriftState::InSync,
        };
        self.bring_state(fence, work, placed.id, item, drift, takes_text).await
    }

    /// State, address and terms, which the site decides.
    async fn bring_state(
        &self,
        fence: Fence,
        work: &SyncWork,
        placed: Uuid,
        item: &RemoteItem,
        drift: DriftState,
        took_text: bool,
    ) -> Result<Came, ServiceError> {
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(fence).await?;
        let found = tx.publication(placed).await?.ok_or(ServiceError::NotFound(Missing::Publication))?;
        let article = tx.lock_article(found.article_id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        let publication = tx.lock_publication(placed).await?.ok_or(ServiceError::NotFound(Missing::Publication))?;
        let (mut new, mut placed) = (article.clone(), publication.clone());
        let sent = known(Some(publication.clone()))?.and_then(|known| known.fields);
        let there = &item.fields;
        let was = sent.as_ref().map(|sent| sent.status);
        let event = match state_of(word_of(there.status)).filter(|_| was != Some(there.status)) {
            Some((state, shown)) => apply(&mut new, &mut placed, state, shown, tx.now().await?),
            None => None,
        };
        if sent.as_ref().is_none_or(|sent| sent.categories != there.categories || sent.tags != there.tags) {
            new.categories.clone_from(&there.categories);
            new.tags.clone_from(&there.tags);
        }
        placed.external_url = Some(item.url.clone()).filter(|url| !url.is_empty());
        if new.status == ArticleStatus::Published.as_str() {
            new.external_url.clone_from(&placed.external_url);
        }
        (new.external_id, new.connection_id) = (Some(item.external_id.clone()), Some(work.integration.id));
        placed.metadata["wordpress_status"] = json!(word_of(there.status));
        placed.metadata["drift"] = json!(drift);
        let baseline = match (&sent, drift) {
            // The text there is still measured against what was sent, or nobody would know that it was changed.
            (Some(sent), DriftState::ChangedBoth | DriftState::ChangedRemote) => RemoteFields {
                title: sent.title.clone(),
                content: sent.content.clone(),
                excerpt: sent.excerpt.clone(),
                ..there.clone()
            },
            _ => there.clone(),
        };
        placed.sent = Some(serde_json::to_value(baseline).map_err(StoreError::from)?);
        if took_text {
            placed.version = Some(new.version);
        }
        let is_changed = took_text || new != article;
        tx.save_publication(placed).await?;
        if new != article {
            let saved = tx.save_article(new).await?;
            if let Some(event) = event {
                super::publish::tell_publication(&tx, event, &saved, &work.integration, None, None).await?;
            }
        }
        tx.commit().await?;
        Ok(match drift {
            DriftState::ChangedBoth | DriftState::ChangedRemote => Came::Mismatched,
            _ if is_changed => Came::Changed,
            _ => Came::Same,
        })
    }
}

/// Whether both sides say the same, whoever wrote it first.
fn same_text(article: &rows::Article, there: &RemoteFields) -> bool {
    article.title == there.title
        && of_html(&there.content).is_some_and(|theirs| theirs.trim() == article.content_markdown.trim())
}

async fn free_slug(tx: &TenantTx, fields: &RemoteFields) -> Result<String, ServiceError> {
    let base = match slugify(&fields.slug) {
        slug if slug.is_empty() => slugify(&fields.title),
        slug => slug,
    };
    let base = if base.is_empty() { "post".to_owned() } else { base };
    tx.hold_slug(&base).await?;
    let mut number = 1;
    while tx.slug_taken(&numbered(&base, number), Uuid::nil()).await? {
        number += 1;
    }
    Ok(numbered(&base, number))
}

fn imported(work: &SyncWork, item: &RemoteItem, slug: String) -> ImportedArticle {
    let there = &item.fields;
    let status = state_of(word_of(there.status)).map_or(ArticleStatus::Draft, |(state, _)| state);
    let is_published = status == ArticleStatus::Published;
    let title: String = there.title.trim().chars().take(MAX_TITLE).collect();
    ImportedArticle {
        id: Uuid::now_v7(),
        project_id: work.project,
        title: if title.is_empty() { "Untitled".to_owned() } else { title },
        slug,
        language: "en".to_owned(),
        status,
        source: SOURCE,
        excerpt: Some(there.excerpt.clone()).filter(|excerpt| !excerpt.trim().is_empty()),
        categories: there.categories.clone(),
        tags: there.tags.clone(),
        featured_url: there.featured.as_ref().map(|picture| picture.url.clone()),
        connection_id: work.integration.id,
        external_id: item.external_id.clone(),
        external_url: Some(item.url.clone()).filter(|url| is_published && !url.is_empty()),
        published_at: there.date.filter(|_| is_published),
    }
}

fn first_version(new: &ImportedArticle, content_markdown: String, words: u32) -> TextVersion {
    TextVersion {
        reason: "imported",
        title: new.title.clone(),
        slug: new.slug.clone(),
        content_markdown,
        seo_title: new.title.clone(),
        seo_description: new.excerpt.clone().unwrap_or_default(),
        keywords: Vec::new(),
        status: new.status,
        word_count: words,
        published_at: new.published_at,
        seo_report: None,
        writer: SOURCE.to_owned(),
    }
}

fn placement(work: &SyncWork, collection: Collection, article: Uuid, item: &RemoteItem) -> NewPublication {
    NewPublication {
        external_id: Some(item.external_id.clone()),
        external_url: Some(item.url.clone()).filter(|url| !url.is_empty()),
        published_at: item.fields.date,
        metadata: json!({
            "external_type": kind_of(collection),
            "imported": true,
            "wordpress_status": word_of(item.fields.status),
        }),
        ..NewPublication::found_there(article, work.integration.id)
    }
}

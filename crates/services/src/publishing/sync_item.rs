//! One text of a site: known already, known by its mark, or new here.

use galley_destinations::{Collection, RemoteFields, RemoteItem, RemoteStatus};
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
    drift::DriftState,
    site_calls::state_of,
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

/// What became of an item, with a sentence where somebody should hear of it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) came: Came,
    pub(crate) warning: Option<String>,
}

impl From<Came> for Taken {
    fn from(came: Came) -> Self {
        Self { came, warning: None }
    }
}

/// Whose post an item with our mark is.
enum Marked {
    /// The article's, of which no post was known.
    Noted,
    /// Nothing was written: the article is on its way there, and its post is about to be known.
    Unsettled,
    /// The article has another post, with this id. Plugins that duplicate posts copy the mark, too.
    Copy(String),
}

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
pub(crate) fn word_of(status: RemoteStatus) -> &'static str {
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
    ) -> Result<Taken, ServiceError> {
        let tenant = self.store.tenant(work.org);
        let is_elsewhere = |article: &rows::Article| article.project_id != Some(work.project);
        if let Some(placed) = tenant.placed_there(work.integration.id, &item.external_id).await?
            && let Some(article) = tenant.article(placed.article_id).await?
        {
            return match is_elsewhere(&article) {
                true => Ok(Came::Same.into()),
                false => Ok(self.compare_item(fence, work, &article, &placed, item).await?.into()),
            };
        }
        let marked = match item.article {
            Some(id) => tenant.article(id).await?,
            None => None,
        };
        let mut copied = None;
        match marked {
            Some(article) if is_elsewhere(&article) => return Ok(Came::Same.into()),
            Some(article) => match self.note_item(fence, work, collection, article.id, item).await? {
                Marked::Noted => return Ok(Came::Changed.into()),
                Marked::Unsettled => return Ok(Came::Same.into()),
                Marked::Copy(post) => copied = Some(post),
            },
            None => {}
        }
        if !work.direction.brings_texts() || item.fields.status == RemoteStatus::Other {
            return Ok(Came::Same.into());
        }
        let came = self.import_item(fence, work, collection, item).await?;
        let warning = copied.map(|post| {
            let (id, title) = (&item.external_id, &item.fields.title);
            format!("{id} {title} is a copy of post {post}, and came as a text of its own")
        });
        Ok(Taken { came, warning })
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
        let slug = free_slug(&tx, work.project, &item.fields).await?;
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
        self.follow_in_folder(&tx, article.id).await?;
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
        placed.metadata["beside"] = tx.beside(article.id).await?;
        tx.save_publication(placed).await?;
        Ok(())
    }

    /// Takes the item for the post of the article whose mark it bears, if our records know of no other one.
    async fn note_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        collection: Collection,
        article: Uuid,
        item: &RemoteItem,
    ) -> Result<Marked, ServiceError> {
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(fence).await?;
        let Some(article) = tx.lock_article(article).await? else { return Ok(Marked::Unsettled) };
        if article.publication_id.is_some() {
            return Ok(Marked::Unsettled);
        }
        if let Some(post) = tx.placed(article.id, work.integration.id).await?.and_then(|placed| placed.external_id) {
            let is_known = post == item.external_id;
            return Ok(if is_known { Marked::Unsettled } else { Marked::Copy(post) });
        }
        tx.insert_publication(placement(work, collection, article.id, item)).await?;
        tx.commit().await?;
        Ok(Marked::Noted)
    }
}

async fn free_slug(tx: &TenantTx, project: Uuid, fields: &RemoteFields) -> Result<String, ServiceError> {
    let base = match slugify(&fields.slug) {
        slug if slug.is_empty() => slugify(&fields.title),
        slug => slug,
    };
    let base = if base.is_empty() { "post".to_owned() } else { base };
    tx.hold_slug(&base).await?;
    let mut number = 1;
    while tx.slug_taken(&numbered(&base, number), Some(project), Uuid::nil()).await? {
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
        // What the site tells search engines is not known here, and must not be written over with a guess.
        seo_title: String::new(),
        seo_description: String::new(),
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
            // Of a deleted article, or of another Galley. Without it the post would not be taken for this text's own.
            "mark": item.article.filter(|mark| *mark != article),
            "wordpress_status": word_of(item.fields.status),
            "is_protected": item.is_protected,
        }),
        ..NewPublication::found_there(article, work.integration.id)
    }
}

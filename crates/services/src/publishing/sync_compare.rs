//! A text that is here and at its site: what was changed there comes here, field by field, unless it was changed here, too.

use galley_destinations::{RemoteFields, RemoteItem, RemoteStatus, differences};
use galley_domain::article::ArticleStatus;
use galley_store::{Fence, StoreError, TenantTx, rows};
use galley_text::markdown::of_html;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{
    drift::{DriftState, text_of},
    is_newer, known,
    publish::tell_publication,
    site_calls::{apply, state_of, takes_state},
    sync_item::{Came, word_of},
    sync_work::SyncWork,
};
use crate::{
    ArticleEdit, Services,
    error::{Missing, ServiceError},
};

/// What was changed on one side since both were the same.
#[derive(Debug, Clone, Copy, Default)]
struct Changed {
    /// Title or content, which make a version.
    text: bool,
    excerpt: bool,
    categories: bool,
    tags: bool,
    picture: bool,
}

impl Changed {
    fn of(fields: &RemoteFields, now: &RemoteFields) -> Self {
        let found = differences(fields, now);
        let has = |name: &str| found.iter().any(|one| one.field == name);
        Self {
            text: has("title") || has("content"),
            excerpt: has("excerpt"),
            categories: has("categories"),
            tags: has("tags"),
            picture: has("featured_image"),
        }
    }

    /// What of `self` is not in the other one.
    fn without(self, other: Self) -> Self {
        Self {
            text: self.text && !other.text,
            excerpt: self.excerpt && !other.excerpt,
            categories: self.categories && !other.categories,
            tags: self.tags && !other.tags,
            picture: self.picture && !other.picture,
        }
    }

    fn any(self) -> bool {
        self.text || self.excerpt || self.categories || self.tags || self.picture
    }
}

/// What was changed here: of the text its version says so, of the rest what is remembered beside the placement.
fn changed_here(
    article: &rows::Article,
    placed: &rows::Publication,
    sent: Option<&RemoteFields>,
    beside: &Json,
) -> Changed {
    let was = &placed.metadata["beside"];
    let is_other = |names: &[&str]| !was.is_null() && names.iter().any(|name| was[*name] != beside[*name]);
    // Somebody may have kept the form of the site since, which is then no change.
    let differs = sent.map_or_else(Changed::default, |sent| {
        let here = RemoteFields {
            excerpt: article.excerpt.clone().unwrap_or_default(),
            categories: article.categories.clone(),
            tags: article.tags.clone(),
            ..sent.clone()
        };
        Changed::of(sent, &here)
    });
    Changed {
        text: is_newer(article, Some(placed)),
        excerpt: differs.excerpt && is_other(&["excerpt"]),
        categories: (differs.categories && is_other(&["categories"])) || is_other(&["category_ids"]),
        tags: differs.tags && is_other(&["tags"]),
        picture: is_other(&["image"]),
    }
}

/// What was changed on both sides, and not to the same.
fn torn(here: Changed, there: Changed, article: &rows::Article, fields: &RemoteFields) -> Changed {
    let ours = RemoteFields {
        excerpt: article.excerpt.clone().unwrap_or_default(),
        categories: article.categories.clone(),
        tags: article.tags.clone(),
        ..fields.clone()
    };
    let unlike = Changed::of(fields, &ours);
    Changed {
        text: here.text && there.text && !is_same_text(article, fields),
        excerpt: here.excerpt && there.excerpt && unlike.excerpt,
        categories: here.categories && there.categories && unlike.categories,
        tags: here.tags && there.tags && unlike.tags,
        picture: here.picture && there.picture,
    }
}

/// Whether both sides say the same, whoever wrote it first.
fn is_same_text(article: &rows::Article, there: &RemoteFields) -> bool {
    article.title == there.title
        && of_html(&there.content).is_some_and(|theirs| theirs.trim() == article.content_markdown.trim())
}

/// How both sides stand to each other, and what comes here.
#[derive(Debug)]
struct Comparison {
    taken: Changed,
    /// Of these fields the baseline stays, or nobody would know that they were changed there.
    left: Changed,
    drift: DriftState,
}

fn compare(
    article: &rows::Article,
    placed: &rows::Publication,
    sent: Option<&RemoteFields>,
    there: &RemoteFields,
    beside: &Json,
    brings_texts: bool,
) -> Comparison {
    let changed = sent.map(|sent| Changed::of(sent, there)).unwrap_or_default();
    let here = changed_here(article, placed, sent, beside);
    let torn = torn(here, changed, article, there);
    let mut taken = changed.without(here);
    let mut kept_back = Changed::default();
    if !brings_texts {
        kept_back = Changed { text: taken.text, excerpt: taken.excerpt, ..Changed::default() };
        (taken.text, taken.excerpt) = (false, false);
    }
    let left = Changed { text: torn.text || kept_back.text, excerpt: torn.excerpt || kept_back.excerpt, ..torn };
    let drift = match (torn.any(), kept_back.any()) {
        (true, _) => DriftState::ChangedBoth,
        (false, true) => DriftState::ChangedRemote,
        (false, false) => DriftState::InSync,
    };
    Comparison { taken, left, drift }
}

impl Services {
    pub(super) async fn compare_item(
        &self,
        fence: Fence,
        work: &SyncWork,
        article: &rows::Article,
        placed: &rows::Publication,
        item: &RemoteItem,
    ) -> Result<Came, ServiceError> {
        let sent = known(Some(placed.clone()))?.and_then(|known| known.fields);
        let beside = self.store.tenant(work.org).beside(article.id).await?;
        let texts = work.direction.brings_texts();
        let found = compare(article, placed, sent.as_ref(), &item.fields, &beside, texts);
        let mut version = None;
        if found.taken.text && takes_state(article) {
            version = Some(article.version);
            if !is_same_text(article, &item.fields) {
                let tx = self.store.begin(work.org).await?;
                tx.hold_fence(fence).await?;
                tx.commit().await?;
                let edit = ArticleEdit { if_version: version, ..text_of(&item.fields) };
                version = Some(self.edit_article_and(work.org, article.id, edit, None).await?.version);
            }
        }
        self.bring(fence, work, placed.id, item, version).await
    }

    /// State, address and what stands beside the text. `version` is the one that was made of the text from there.
    async fn bring(
        &self,
        fence: Fence,
        work: &SyncWork,
        placed: Uuid,
        item: &RemoteItem,
        version: Option<i32>,
    ) -> Result<Came, ServiceError> {
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(fence).await?;
        let found = tx.publication(placed).await?.ok_or(ServiceError::NotFound(Missing::Publication))?;
        let article = tx.lock_article(found.article_id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        let mut placed = tx.lock_publication(placed).await?.ok_or(ServiceError::NotFound(Missing::Publication))?;
        // It is looked at again once it is known what became of it.
        if !takes_state(&article) {
            return Ok(Came::Same);
        }
        placed.version = version.or(placed.version);
        let beside = tx.beside(article.id).await?;
        let sent = known(Some(placed.clone()))?.and_then(|known| known.fields);
        let texts = work.direction.brings_texts();
        let found = compare(&article, &placed, sent.as_ref(), &item.fields, &beside, texts);
        let mut new = article.clone();
        take_fields(&mut new, found.taken, sent.as_ref(), &item.fields);
        let was_shown = placed.metadata["wordpress_status"].clone();
        let there = item.fields.status;
        let is_moved = there == RemoteStatus::Future
            && new.status == ArticleStatus::Scheduled.as_str()
            && new.scheduled_at != item.fields.date;
        let is_other = sent.as_ref().is_none_or(|sent| sent.status != there) || is_moved;
        let event = match state_of(word_of(there)).filter(|_| is_other) {
            Some((state, shown)) => apply(&mut new, &mut placed, state, shown, item.fields.date, tx.now().await?),
            None => None,
        };
        place(&mut new, &mut placed, work.integration.id, item);
        placed.metadata["drift"] = json!(found.drift);
        placed.sent = Some(serde_json::to_value(baseline(sent, found.left, &item.fields)).map_err(StoreError::from)?);
        let is_changed = version.is_some() || new != article;
        let is_shown_otherwise = was_shown != placed.metadata["wordpress_status"];
        let saved = match new != article || is_shown_otherwise {
            true => tx.save_article(new).await?,
            false => article,
        };
        remember(&tx, &mut placed, found.taken, beside).await?;
        let placed = tx.save_publication(placed).await?;
        if let Some(event) = event {
            tell_publication(&tx, event, &saved, &work.integration, Some(placed.id), None).await?;
        }
        if is_changed || is_shown_otherwise {
            self.follow_in_folder(&tx, saved.id).await?;
        }
        tx.commit().await?;
        Ok(match found.drift {
            DriftState::ChangedBoth | DriftState::ChangedRemote => Came::Mismatched,
            _ if is_changed => Came::Changed,
            _ => Came::Same,
        })
    }
}

fn take_fields(article: &mut rows::Article, taken: Changed, sent: Option<&RemoteFields>, there: &RemoteFields) {
    if taken.excerpt {
        article.excerpt = Some(there.excerpt.clone()).filter(|excerpt| !excerpt.is_empty());
    }
    if taken.categories {
        article.categories.clone_from(&there.categories);
        // They are among the names, where the site still has them.
        article.wp_category_ids.clear();
    }
    if taken.tags {
        article.tags.clone_from(&there.tags);
    }
    let url = |fields: &RemoteFields| fields.featured.as_ref().map(|picture| picture.url.clone());
    if taken.picture && article.featured_url.is_some() && article.featured_url == sent.and_then(url) {
        article.featured_url = url(there);
    }
}

/// Where the post is, and as what it is shown.
fn place(article: &mut rows::Article, placed: &mut rows::Publication, integration: Uuid, item: &RemoteItem) {
    placed.external_url = Some(item.url.clone()).filter(|url| !url.is_empty());
    if article.status == ArticleStatus::Published.as_str() {
        article.external_url.clone_from(&placed.external_url);
    }
    (article.external_id, article.connection_id) = (Some(item.external_id.clone()), Some(integration));
    placed.metadata["wordpress_status"] = json!(word_of(item.fields.status));
    placed.metadata["is_protected"] = json!(item.is_protected);
}

/// What later changes are measured from.
fn baseline(sent: Option<RemoteFields>, left: Changed, there: &RemoteFields) -> RemoteFields {
    let mut fields = there.clone();
    let Some(sent) = sent else { return fields };
    if left.text {
        (fields.title, fields.content) = (sent.title, sent.content);
    }
    if left.excerpt {
        fields.excerpt = sent.excerpt;
    }
    if left.categories {
        fields.categories = sent.categories;
    }
    if left.tags {
        fields.tags = sent.tags;
    }
    if left.picture {
        fields.featured = sent.featured;
    }
    fields
}

/// What came from there was not changed here. `before` is how it was before that.
async fn remember(
    tx: &TenantTx,
    placed: &mut rows::Publication,
    taken: Changed,
    before: Json,
) -> Result<(), StoreError> {
    if placed.metadata["beside"].is_null() {
        placed.metadata["beside"] = before;
    }
    let now = tx.beside(placed.article_id).await?;
    let fields = [
        (taken.excerpt, "excerpt"),
        (taken.categories, "categories"),
        (taken.categories, "category_ids"),
        (taken.tags, "tags"),
    ];
    for (_, name) in fields.into_iter().filter(|(is_taken, _)| *is_taken) {
        placed.metadata["beside"][name] = now[name].clone();
    }
    Ok(())
}

//! Reading, editing and restoring articles. Every change makes a version; nothing that stood is lost.

use galley_domain::{
    OrgId,
    article::{ArticleStatus, PublicationStatus},
    order::Violations,
};
use galley_store::{ArticleFilter, StoreError, TenantTx, TextVersion, rows};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
};

/// The longest text that an edit may bring, in bytes.
const MAX_CONTENT_BYTES: usize = 1024 * 1024;

/// Changes to an article; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ArticleEdit {
    pub title: Option<String>,
    /// Markdown.
    pub content: Option<String>,
    pub slug: Option<String>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
    pub keywords: Option<Vec<String>>,
    pub publication_status: Option<PublicationStatus>,
    /// The version that the editor saw; another one now is a conflict.
    pub if_version: Option<i32>,
}

/// What a slug must look like.
#[derive(Debug, Clone, Copy)]
pub struct SlugRule;

impl SlugRule {
    pub const TEXT: &str = "must have 1 to 80 lower-case letters a-z, digits and single hyphens";

    pub fn holds(slug: &str) -> bool {
        (1..=80).contains(&slug.len())
            && slug.split('-').all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            })
    }
}

/// One page of articles.
#[derive(Debug, Clone)]
pub struct ArticleList {
    pub rows: Vec<rows::Article>,
    pub total: u64,
}

/// A claim with the words it rests on.
#[derive(Debug, Clone)]
pub struct ClaimView {
    pub claim: rows::Claim,
    pub source: Option<rows::Source>,
    /// The text of the span.
    pub quote: Option<String>,
}

/// The claims of one version.
#[derive(Debug, Clone)]
pub struct ClaimsReport {
    pub version: i32,
    pub claims: Vec<ClaimView>,
}

impl Services {
    pub async fn article(&self, org: OrgId, id: Uuid) -> Result<rows::Article, ServiceError> {
        self.store.tenant(org).article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))
    }

    pub async fn articles(&self, org: OrgId, filter: &ArticleFilter) -> Result<ArticleList, ServiceError> {
        let (rows, total) = self.store.tenant(org).articles(filter).await?;
        Ok(ArticleList { rows, total })
    }

    /// Changes an article, and nothing else, and only if it is the version that the editor saw.
    pub async fn edit_article(&self, org: OrgId, id: Uuid, edit: ArticleEdit) -> Result<rows::Article, ServiceError> {
        check_edit(&edit)?;
        let tx = self.store.begin(org).await?;
        let article = lock_readable(&tx, id, edit.if_version).await?;
        if let Some(slug) = &edit.slug
            && tx.slug_taken(slug, id).await?
        {
            return Err(ServiceError::Conflict(format!(
                "another article has the slug '{slug}'; choose a different one"
            )));
        }
        let text_changed = edit.content.is_some();
        let mut text = version_of(&article, "edited")?;
        apply_edit(&mut text, edit);
        if text.status == ArticleStatus::Published && text.published_at.is_none() {
            text.published_at = Some(tx.now().await?);
        }
        self.write_version(&tx, &article, text, text_changed).await?;
        let changed = tx.article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Makes an old version's text the newest one.
    pub async fn restore_version(
        &self,
        org: OrgId,
        id: Uuid,
        version: i32,
        if_version: Option<i32>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<i32>, ServiceError> {
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            let article = lock_readable(&tx, id, if_version).await?;
            let old = tx.article_version(id, version).await?.ok_or(ServiceError::NotFound(Missing::Version))?;
            let slug = crate::pipeline::finish::free_slug(&tx, &old.slug, id).await?;
            let text = TextVersion {
                reason: "restored",
                title: old.title,
                slug,
                content_markdown: old.content_markdown,
                seo_title: old.seo_title,
                seo_description: old.seo_description,
                keywords: old.keywords,
                word_count: u32::try_from(old.word_count).unwrap_or(0),
                ..version_of(&article, "restored")?
            };
            let number = self.write_version(&tx, &article, text, true).await?;
            Ok((tx, number))
        })
        .await
    }

    /// Saves a version; when its text is new, its score and its claims are made anew from what was read back then.
    async fn write_version(
        &self,
        tx: &TenantTx,
        article: &rows::Article,
        mut text: TextVersion,
        text_changed: bool,
    ) -> Result<i32, ServiceError> {
        if text_changed {
            text.word_count = galley_text::markdown::word_count(&text.content_markdown);
        }
        text.seo_report = Some(seo_report(&text, &article.language));
        let markdown = text.content_markdown.clone();
        let version = tx.save_version(article.id, &text).await?;
        let Some(task) = article.task_id else { return Ok(version) };
        let sources = tx.sources(task).await?;
        let claims = if text_changed {
            let snapshots = crate::pipeline::snapshots(&sources)?;
            let checked = tokio::task::spawn_blocking(move || check_text(&markdown, &snapshots)).await;
            let checked = checked.map_err(|_| StoreError::Unreadable("the claims could not be checked".into()))?;
            crate::pipeline::finish::stored_claims(&checked, &sources)
        } else {
            crate::pipeline::finish::copied_claims(tx.claims(article.id, version - 1).await?)?
        };
        tx.replace_claims(article.id, version, &claims).await?;
        Ok(version)
    }

    /// Removes an article for good. One that is still being written takes its task with it.
    pub async fn delete_article(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let article = self.article(org, id).await?;
        if let Some(task) = article.task_id {
            match self.cancel(org, task).await {
                // Ended already: nothing to stop.
                Ok(_) | Err(ServiceError::Conflict(_) | ServiceError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let tx = self.store.begin(org).await?;
        let found = tx.delete_article(id).await?;
        tx.commit().await?;
        if found { Ok(()) } else { Err(ServiceError::NotFound(Missing::Article)) }
    }

    /// Newest first.
    pub async fn article_versions(&self, org: OrgId, id: Uuid) -> Result<Vec<rows::ArticleVersion>, ServiceError> {
        self.article(org, id).await?;
        Ok(self.store.tenant(org).article_versions(id).await?)
    }

    pub async fn article_version(
        &self,
        org: OrgId,
        id: Uuid,
        version: i32,
    ) -> Result<rows::ArticleVersion, ServiceError> {
        self.article(org, id).await?;
        let found = self.store.tenant(org).article_version(id, version).await?;
        found.ok_or(ServiceError::NotFound(Missing::Version))
    }

    /// What each sentence of the current version rests on.
    pub async fn article_claims(&self, org: OrgId, id: Uuid) -> Result<ClaimsReport, ServiceError> {
        let article = self.article(org, id).await?;
        let tenant = self.store.tenant(org);
        let sources = match article.task_id {
            Some(task) => tenant.all_sources(task).await?,
            None => Vec::new(),
        };
        let claims = tenant.claims(id, article.version).await?;
        let claims = claims.into_iter().map(|claim| view(claim, &sources)).collect();
        Ok(ClaimsReport { version: article.version, claims })
    }
}

fn view(claim: rows::Claim, sources: &[rows::Source]) -> ClaimView {
    let source = claim.source_id.and_then(|id| sources.iter().find(|source| source.id == id)).cloned();
    let span = claim.span_start.zip(claim.span_end);
    let quote = source.as_ref().zip(span).and_then(|(source, (start, end))| {
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        source.text.get(range).map(str::to_owned)
    });
    ClaimView { claim, source, quote }
}

async fn lock_readable(tx: &TenantTx, id: Uuid, seen: Option<i32>) -> Result<rows::Article, ServiceError> {
    let article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
    if article.version == 0 {
        return Err(ServiceError::Conflict("the article has no text yet; wait until its task has ended".into()));
    }
    if let Some(seen) = seen
        && seen != article.version
    {
        let text = format!(
            "the article is at version {} and your change is based on {seen}; read it again first",
            article.version
        );
        return Err(ServiceError::Conflict(text));
    }
    Ok(article)
}

fn version_of(article: &rows::Article, reason: &'static str) -> Result<TextVersion, ServiceError> {
    Ok(TextVersion {
        reason,
        title: article.title.clone(),
        slug: article.slug.clone(),
        content_markdown: article.content_markdown.clone(),
        seo_title: article.seo_title.clone(),
        seo_description: article.seo_description.clone(),
        keywords: article.keywords.clone(),
        status: article.status.parse().map_err(StoreError::from)?,
        word_count: u32::try_from(article.word_count).unwrap_or(0),
        published_at: article.published_at,
        seo_report: article.seo_report.clone(),
        writer: article.writer.clone(),
    })
}

fn apply_edit(text: &mut TextVersion, edit: ArticleEdit) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut text.title, edit.title);
    set(&mut text.content_markdown, edit.content);
    set(&mut text.slug, edit.slug);
    set(&mut text.seo_title, edit.seo_title);
    set(&mut text.seo_description, edit.seo_description);
    set(&mut text.keywords, edit.keywords);
    // Naming the state that an article already shows changes nothing: a failed or generating one stays what it is.
    if let Some(status) = edit.publication_status
        && status != text.status.publication()
    {
        text.status = status.into();
    }
}

fn seo_report(text: &TextVersion, language: &str) -> serde_json::Value {
    let report = galley_text::seo::score(&galley_text::seo::SeoInput {
        title: &text.seo_title,
        description: &text.seo_description,
        slug: &text.slug,
        keyphrase: text.keywords.first().map(String::as_str),
        keywords: &text.keywords,
        markdown: &text.content_markdown,
        language,
    });
    json!(report)
}

/// The claims of a text that a person wrote or changed.
fn check_text(markdown: &str, snapshots: &[galley_domain::writing::Snapshot]) -> Vec<crate::pipeline::ClaimedText> {
    let checker = galley_compose::claims::Checker::new(snapshots);
    let mut section = 0;
    let mut claims = Vec::new();
    for block in galley_text::markdown::Article::parse(markdown).blocks {
        if !block.kind.is_prose() {
            section += 1;
            continue;
        }
        for range in galley_text::sentence::split(&block.text) {
            claims.push(crate::pipeline::ClaimedText::new(section, checker.check(&block.text[range])));
        }
    }
    claims
}

fn check_edit(edit: &ArticleEdit) -> Result<(), ServiceError> {
    let mut wrong = Violations::default();
    let texts = [
        ("title", &edit.title, 300),
        ("seo_title", &edit.seo_title, 200),
        ("seo_description", &edit.seo_description, 500),
    ];
    for (field, value, max) in texts {
        if let Some(value) = value {
            wrong.length(field, value, 1, max);
        }
    }
    if let Some(slug) = &edit.slug {
        wrong.check(!SlugRule::holds(slug), "slug", SlugRule::TEXT);
    }
    if let Some(content) = &edit.content {
        wrong.check(content.trim().is_empty(), "content", "must not be empty");
        wrong.check(
            content.len() > MAX_CONTENT_BYTES,
            "content",
            format!("has {} bytes; give at most {MAX_CONTENT_BYTES}", content.len()),
        );
        wrong.check(content.contains('\0'), "content", "contains a NUL character; remove it");
    }
    if let Some(keywords) = &edit.keywords {
        wrong.check(keywords.len() > 20, "keywords", format!("has {} items; give at most 20", keywords.len()));
        for (at, keyword) in keywords.iter().enumerate().take(40) {
            wrong.length(&format!("keywords[{at}]"), keyword, 1, 100);
        }
    }
    wrong.finish().map_err(ServiceError::Validation)
}

#[cfg(test)]
mod tests {
    use super::SlugRule;

    #[test]
    fn slugs_are_plain() {
        for good in ["a", "one-two-3", "2026"] {
            assert!(SlugRule::holds(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "a/b", "ä", "a.b", &"x".repeat(81)] {
            assert!(!SlugRule::holds(bad), "{bad}");
        }
    }
}

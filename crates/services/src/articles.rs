//! Editing, restoring and deleting articles. Every change makes a version; nothing that stood is lost.

mod reading;

use galley_domain::{
    OrgId,
    article::{ArticleStatus, PublicationStatus},
    order::Violations,
    publishing::Visibility,
};
use galley_store::{StoreError, StoredClaim, TenantTx, TextVersion, rows};
use galley_webhooks::Event;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    Services, delivered,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    images::with_lasting_references,
    projects::refuse_trashed,
    publishing::{
        gate,
        posts::{PostEdit, refuse_generating},
        promises::refuse_on_its_way,
    },
    webhooks::tell_article,
};

pub use reading::{ArticleList, ClaimView, ClaimsReport};

/// The longest text that an edit may bring, in bytes: as JSON, with every character escaped, it still fits a request.
const MAX_CONTENT_BYTES: usize = 500_000;
/// The most sentences of a text that an edit or an old version may bring: each of them is looked up in all sources.
const MAX_SENTENCES: usize = 5000;
/// How often a change is worked out anew because others were faster.
const TRIES: usize = 8;

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

impl Services {
    /// Changes an article, and nothing else, and only if it is the version that the editor saw.
    pub async fn edit_article(&self, org: OrgId, id: Uuid, edit: ArticleEdit) -> Result<rows::Article, ServiceError> {
        self.edit_article_and(org, id, edit, None).await
    }

    /// The same, with what stands beside the text of a post.
    pub(crate) async fn edit_article_and(
        &self,
        org: OrgId,
        id: Uuid,
        edit: ArticleEdit,
        post: Option<&PostEdit>,
    ) -> Result<rows::Article, ServiceError> {
        check_edit(&edit)?;
        for _ in 0..TRIES {
            let base = readable(self.article(org, id).await?, edit.if_version)?;
            if edit.publication_status == Some(PublicationStatus::Published)
                && base.status != ArticleStatus::Published.as_str()
            {
                self.refuse_drift(org, id, base.connection_id, Visibility::Publish).await?;
            }
            let mut text = version_of(&base, "edited")?;
            apply_edit(&mut text, edit.clone());
            let findings = self.examine(org, &base, &text, edit.content.is_some()).await?;
            if let Some(changed) = self.write_edit(org, &base, &edit, post, findings).await? {
                return Ok(changed);
            }
        }
        Err(ServiceError::Conflict("others keep changing the article; read it again and try again".into()))
    }

    /// None when the article is no longer what the findings are about.
    async fn write_edit(
        &self,
        org: OrgId,
        base: &rows::Article,
        edit: &ArticleEdit,
        post: Option<&PostEdit>,
        findings: Findings,
    ) -> Result<Option<rows::Article>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let article = lock_readable(&tx, base.id, edit.if_version).await?;
        if article.version != base.version {
            return Ok(None);
        }
        if let Some(slug) = &edit.slug
            && tx.slug_taken(slug, base.project_id, base.id).await?
        {
            return Err(ServiceError::Conflict(format!(
                "another article has the slug '{slug}'; choose a different one"
            )));
        }
        let mut text = version_of(&article, "edited")?;
        let before = text.status;
        apply_edit(&mut text, edit.clone());
        if text.status != before && article.publication_id.is_some() {
            let text = "the article is to be published, or is being published; take that back first";
            return Err(ServiceError::Conflict(text.into()));
        }
        if text.status == ArticleStatus::Published && before != ArticleStatus::Published {
            gate::check(&tx, &article).await?;
        }
        text.published_at = match text.status {
            ArticleStatus::Published if before != ArticleStatus::Published => Some(tx.now().await?),
            ArticleStatus::Published | ArticleStatus::Archived => text.published_at,
            _ => None,
        };
        save(&tx, &article, text, findings).await?;
        let mut changed = tx.article(base.id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if let Some(post) = post {
            refuse_generating(&changed)?;
            post.apply(&mut changed)?;
            post.feature(&tx, base.id).await?;
            changed = tx.save_article(changed).await?;
        }
        let is_archived = changed.status == ArticleStatus::Archived.as_str() && before != ArticleStatus::Archived;
        let event = if is_archived { Event::ArticleArchived } else { Event::ArticleUpdated };
        tell_article(&tx, event, &changed).await?;
        self.follow_in_folder(&tx, base.id).await?;
        tx.commit().await?;
        Ok(Some(changed))
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
        // Versions never change, so what is found out about one before the transaction holds within it. Whether there is
        // something to restore is for the transaction to say, which knows of an answer that was given before.
        let found = match self.store.tenant(org).article(id).await? {
            Some(article) => self.old_text(org, &article, version).await?,
            None => None,
        };
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            let article = lock_readable(&tx, id, if_version).await?;
            let (mut text, mut findings) = found.ok_or(ServiceError::NotFound(Missing::Version))?;
            let slug = crate::pipelines::article::free_slug(&tx, &text.slug, article.project_id, id).await?;
            if slug != text.slug {
                text.slug = slug;
                findings.seo_report = scored(&text, &article.language).await?;
            }
            let now = version_of(&article, "restored")?;
            let text = TextVersion { status: now.status, published_at: now.published_at, writer: now.writer, ..text };
            let number = save(&tx, &article, text, findings).await?;
            if let Some(changed) = tx.article(id).await? {
                tell_article(&tx, Event::ArticleUpdated, &changed).await?;
            }
            self.follow_in_folder(&tx, id).await?;
            Ok((tx, number))
        })
        .await
    }

    async fn old_text(
        &self,
        org: OrgId,
        article: &rows::Article,
        version: i32,
    ) -> Result<Option<(TextVersion, Findings)>, ServiceError> {
        let Some(old) = self.store.tenant(org).article_version(article.id, version).await? else { return Ok(None) };
        let text = TextVersion {
            title: old.title,
            slug: old.slug,
            content_markdown: old.content_markdown,
            seo_title: old.seo_title,
            seo_description: old.seo_description,
            keywords: old.keywords,
            ..version_of(article, "restored")?
        };
        let findings = self.examine(org, article, &text, true).await?;
        Ok(Some((text, findings)))
    }

    /// Scores a text, and checks it against what was read back then if it is new. Takes its time, so no transaction is
    /// open and no other request waits for it.
    async fn examine(
        &self,
        org: OrgId,
        article: &rows::Article,
        text: &TextVersion,
        is_new: bool,
    ) -> Result<Findings, ServiceError> {
        // As the score is shown: with the focus keyword and the site in view.
        let written = rows::Article {
            slug: text.slug.clone(),
            seo_title: text.seo_title.clone(),
            seo_description: text.seo_description.clone(),
            keywords: text.keywords.clone(),
            content_markdown: text.content_markdown.clone(),
            ..article.clone()
        };
        let seo_report = match self.score_post(org, &written, None).await? {
            Some(scored) => json!(scored.report),
            None => scored(text, &article.language).await?,
        };
        if !is_new {
            return Ok(Findings { seo_report, text: None });
        }
        let markdown = text.content_markdown.clone();
        let (word_count, sentences) =
            computed(move || (galley_text::markdown::word_count(&markdown), sentences_of(&markdown))).await?;
        if sentences.len() > MAX_SENTENCES {
            let text = format!("has {} sentences; give at most {MAX_SENTENCES}", sentences.len());
            return Err(ServiceError::field("content", text));
        }
        let claims = match article.task_id {
            Some(task) => {
                let sources = self.store.tenant(org).sources(task).await?;
                computed(move || {
                    let checked = check_text(sentences, &crate::pipelines::article::snapshots(&sources)?);
                    let heads: Vec<_> = sources.iter().map(Into::into).collect();
                    Ok::<_, StoreError>(crate::pipelines::article::stored_claims(&checked, &heads))
                })
                .await??
            }
            None => Vec::new(),
        };
        Ok(Findings { seo_report, text: Some(NewText { word_count, claims }) })
    }

    /// Removes an article for good. One that is still being written takes its task with it.
    pub async fn delete_article(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let article = self.article(org, id).await?;
        let mut tx = self.store.begin_steps([org]).await?;
        refuse_trashed(tx.tenant(org.0)?, article.project_id).await?;
        let publishing = match article.publication_id {
            Some(publication) => tx.tenant(org.0)?.publication(publication).await?.and_then(|found| found.task_id),
            None => None,
        };
        let tasks: Vec<Uuid> = [article.task_id, article.rewrite_task_id, publishing].into_iter().flatten().collect();
        // Under the locks of its tasks no run begins that would find no article.
        for task in tx.lock_tasks(org, &tasks).await?.into_values() {
            if !task.status()?.is_ended() {
                tx = self.control.cancel_in(tx, org, task.id).await?;
            }
        }
        if let Some(publication) = article.publication_id {
            refuse_on_its_way(tx.tenant(org.0)?, publication).await?;
        }
        let images = tx.tenant(org.0)?.images(&[id]).await?;
        let found = tx.tenant(org.0)?.delete_article(id).await?;
        if found {
            tell_article(tx.tenant(org.0)?, Event::ArticleDeleted, &article).await?;
            self.follow_in_folder(tx.tenant(org.0)?, id).await?;
        }
        tx.commit().await?;
        self.drop_images(&images).await;
        if found { Ok(()) } else { Err(ServiceError::NotFound(Missing::Article)) }
    }
}

/// What was found out about a text before it is saved.
struct Findings {
    seo_report: Json,
    /// None when the text is that of the version before.
    text: Option<NewText>,
}

struct NewText {
    word_count: u32,
    claims: Vec<StoredClaim>,
}

/// Saves a version with what was found out about it; returns its number.
async fn save(tx: &TenantTx, article: &rows::Article, text: TextVersion, found: Findings) -> Result<i32, ServiceError> {
    let (mut text, findings) = (text, found);
    text.seo_report = Some(findings.seo_report);
    if let Some(new) = &findings.text {
        text.word_count = new.word_count;
    }
    let version = tx.save_version(article.id, &text).await?;
    let claims = match findings.text {
        Some(new) => new.claims,
        None => crate::pipelines::article::copied_claims(tx.claims(article.id, version - 1).await?)?,
    };
    tx.add_claims(article.id, version, &claims).await?;
    Ok(version)
}

/// Runs a computation where it holds up nobody else.
pub(crate) async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ServiceError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| StoreError::Unreadable("the text could not be worked on".into()))?)
}

async fn scored(text: &TextVersion, language: &str) -> Result<Json, ServiceError> {
    let (text, language) = (text.clone(), language.to_owned());
    computed(move || seo_report(&text, &language)).await
}

async fn lock_readable(tx: &TenantTx, id: Uuid, seen: Option<i32>) -> Result<rows::Article, ServiceError> {
    let article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
    refuse_trashed(tx, article.project_id).await?;
    readable(article, seen)
}

fn readable(article: rows::Article, seen: Option<i32>) -> Result<rows::Article, ServiceError> {
    if article.version == 0 || !delivered::is_delivered(&article.status) {
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
    set(&mut text.content_markdown, edit.content.map(|content| with_lasting_references(&content)));
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

pub(crate) fn seo_report(text: &TextVersion, language: &str) -> Json {
    let report = galley_text::seo::score(&galley_text::seo::SeoInput {
        title: &text.seo_title,
        description: &text.seo_description,
        slug: &text.slug,
        keyphrase: text.keywords.first().map(String::as_str),
        keywords: &text.keywords,
        markdown: &text.content_markdown,
        language,
        site: None,
    });
    json!(report)
}

/// The sentences of a text, each with its section.
fn sentences_of(markdown: &str) -> Vec<(u32, String)> {
    let mut section = 0;
    let mut sentences = Vec::new();
    for block in galley_text::markdown::Article::parse(markdown).blocks {
        if !block.kind.is_prose() {
            section += 1;
            continue;
        }
        let found = galley_text::sentence::split(&block.text).into_iter();
        sentences.extend(found.map(|range| (section, block.text[range].to_owned())));
    }
    sentences
}

/// The claims of a text that a person wrote or changed.
fn check_text(
    sentences: Vec<(u32, String)>,
    snapshots: &[galley_domain::writing::Snapshot],
) -> Vec<crate::ClaimedText> {
    let checker = galley_compose::claims::Checker::new(snapshots);
    let claims = sentences.into_iter().map(|(section, sentence)| (section, checker.check(&sentence)));
    claims.map(|(section, claim)| crate::ClaimedText::new(section, claim)).collect()
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

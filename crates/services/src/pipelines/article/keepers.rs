//! What the steps of an article write to its tables, in the transaction that ends them.

use std::collections::HashSet;

use async_trait::async_trait;
use galley_domain::{OrgId, article::ArticleStatus, writing::Verdict};
use galley_engine::{Brought, Keeper, Kept};
use galley_store::{
    ArticleChange, LockedArticle, LockedArticles, Naming, NewCard, NewFile, NewSourceImage, NewVersion, StepsTx,
    StoreError, StoredClaim, TaskState, TenantTx, TextVersion, rows,
};
use serde_json::json;
use uuid::Uuid;

use super::{ClaimedText, Researched, WrittenArticle};
use crate::images::{MOST_SOURCE_IMAGES, Room};

/// The task of a step that has one.
fn task_of<'a>(brought: &Brought<'a>) -> Result<&'a TaskState, StoreError> {
    brought.task.ok_or_else(|| StoreError::Unreadable("a step of an article has no task".into()))
}

#[derive(Debug)]
pub(super) struct Sources;

#[async_trait]
impl Keeper for Sources {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let (task, researched) = (task_of(one)?, one.get::<Researched>()?);
            let sources = &researched.sources;
            let (tenant, run) = (tx.tenant(task.org_id)?, one.step.run);
            tenant.add_sources(task.id, run, sources).await?;
            let images = fitting(tenant, researched).await?;
            // Uploads have room beside them.
            let images = tenant.add_source_images((task.id, run), &images, MOST_SOURCE_IMAGES).await?;
            let words: u64 = sources.iter().map(|source| u64::from(source.words)).sum();
            kept.push(Kept::of(json!({ "sources": sources.len(), "words": words, "images": images })));
        }
        Ok(kept)
    }
}

/// Those of the pictures that there is still room for: others may have filled it meanwhile. The bytes of the rest are swept.
async fn fitting(tx: &TenantTx, researched: &Researched) -> Result<Vec<NewSourceImage>, StoreError> {
    let images = &researched.images;
    let Some(first) = images.first() else { return Ok(Vec::new()) };
    let (taken, there) = (tx.bytes_of_files().await?, tx.images(&[first.image.article]).await?);
    let mut room = Room::new(researched.files_quota, taken, &there);
    Ok(images.iter().filter(|one| room.take(one.image.id, one.image.stored_bytes)).cloned().collect())
}

#[derive(Debug)]
pub(super) struct Covers;

#[async_trait]
impl Keeper for Covers {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let (task, (file, alt)) = (task_of(one)?, one.get::<(NewFile, String)>()?);
            let tenant = tx.tenant(task.org_id)?;
            if let Some(article) = task.subject_id {
                tenant.insert_file(file.clone()).await?;
                tenant.change_article(article, ArticleChange::Cover { file: file.id, alt: alt.clone() }).await?;
                let (width, height) = (galley_images::WIDTH, galley_images::HEIGHT);
                tenant.put_card(article, NewCard { file, width, height, alt_text: alt }).await?;
            }
            kept.push(Kept::of(json!({ "cover_file_id": file.id })));
        }
        Ok(kept)
    }
}

/// Texts lock articles and names.
#[derive(Debug)]
pub(super) struct Texts;

#[async_trait]
impl Keeper for Texts {
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut texts = Vec::with_capacity(brought.len());
        for one in brought {
            let task = task_of(one)?;
            let id = task.subject_id.ok_or(StoreError::LeaseLost)?;
            texts.push((task, id, one.get::<WrittenArticle>()?));
        }
        let naming = |(task, id, text): &(&TaskState, Uuid, &WrittenArticle)| Naming {
            org: task.org(),
            article: *id,
            slug: text.slug.clone(),
        };
        let mut locked = tx.lock_articles(&texts.iter().map(naming).collect::<Vec<_>>()).await?;
        let (mut names, mut versions, mut claims) = (HashSet::new(), Vec::new(), Vec::new());
        let mut kept = Vec::with_capacity(texts.len());
        for (task, id, text) in texts {
            // One that was deleted meanwhile took its task with it.
            let current = locked.articles.remove(&id).ok_or(StoreError::StaleVersion)?;
            let slug = name(tx, &locked, &mut names, (task.org(), current.project_id), &text.slug, id).await?;
            let version = current.version + 1;
            if let Some(language) = text.language.as_ref().filter(|language| **language != current.language) {
                tx.tenant(task.org_id)?.change_article(id, ArticleChange::Language(language.clone())).await?;
            }
            versions.push(NewVersion { org: task.org_id, article: id, text: text_version(text, slug, &current)? });
            if !text.claims.is_empty() {
                let sources = tx.tenant(task.org_id)?.source_heads(task.id).await?;
                claims.push((task.org_id, id, version, stored_claims(&text.claims, &sources)));
            }
            let (words, count) = (text.word_count, text.claims.len());
            let marked = Verdict::marked_percent(text.claims.iter().map(|claim| claim.verdict));
            kept.push(Kept::of(json!({
                "article_id": id, "version": version, "words": words, "claims": count, "marked_percent": marked,
            })));
        }
        tx.save_versions(&versions).await?;
        for (org, article, version, claims) in &claims {
            tx.tenant(*org)?.add_claims(*article, *version, claims).await?;
        }
        Ok(kept)
    }
}

fn text_version(text: &WrittenArticle, slug: String, current: &LockedArticle) -> Result<TextVersion, StoreError> {
    Ok(TextVersion {
        reason: "generated",
        title: text.title.clone(),
        slug,
        content_markdown: text.markdown.clone(),
        seo_title: text.seo_title.clone(),
        seo_description: text.seo_description.clone(),
        keywords: text.keywords.clone(),
        status: current.status.parse::<ArticleStatus>()?,
        word_count: text.word_count,
        published_at: current.published_at,
        seo_report: Some(text.seo_report.clone()),
        writer: text.writer.clone(),
    })
}

/// The wanted name, or one with a number behind it when another article has it or takes it in this group.
async fn name(
    tx: &StepsTx,
    locked: &LockedArticles,
    names: &mut HashSet<(OrgId, Option<Uuid>, String)>,
    (org, project): (OrgId, Option<Uuid>),
    wanted: &str,
    article: Uuid,
) -> Result<String, StoreError> {
    let mut slug = wanted.to_owned();
    let mut taken = locked.named_like_others.contains(&article);
    let mut number = 2;
    while taken || names.contains(&(org, project, slug.clone())) {
        slug = galley_text::slug::numbered(wanted, number);
        number += 1;
        taken = tx.tenant(org.0)?.slug_taken(&slug, project, article).await?;
    }
    names.insert((org, project, slug.clone()));
    Ok(slug)
}

/// Claims as they are stored: by the id of their source.
pub(crate) fn stored_claims(claims: &[ClaimedText], sources: &[rows::SourceHead]) -> Vec<StoredClaim> {
    claims.iter().map(|claim| stored(claim, sources)).collect()
}

/// The claims of an older version, for a version with the same text.
pub(crate) fn copied_claims(claims: Vec<rows::Claim>) -> Result<Vec<StoredClaim>, StoreError> {
    claims.into_iter().map(TryInto::try_into).collect()
}

fn stored(claim: &ClaimedText, sources: &[rows::SourceHead]) -> StoredClaim {
    let source = claim.source.and_then(|number| sources.iter().find(|row| u32::try_from(row.number) == Ok(number)));
    StoredClaim {
        section: claim.section,
        sentence: claim.sentence.clone(),
        verdict: claim.verdict,
        source_id: source.map(|row| row.id),
        span: claim.span,
        coverage_permille: claim.coverage_permille,
        missing: claim.missing.clone(),
    }
}

/// The slug, or the slug with the lowest number behind it that no other article of the project has. Whoever looks for
/// the same one at the same time waits until this transaction ends.
pub(crate) async fn free_slug(
    tx: &TenantTx,
    base: &str,
    project: Option<Uuid>,
    article: Uuid,
) -> Result<String, StoreError> {
    tx.hold_slug(base).await?;
    let mut slug = base.to_owned();
    let mut number = 2;
    while tx.slug_taken(&slug, project, article).await? {
        slug = galley_text::slug::numbered(base, number);
        number += 1;
    }
    Ok(slug)
}

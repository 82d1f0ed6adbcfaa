//! A text that was to be written anew and was not: the former one is the newest again.

use galley_store::{StoreError, TenantTx, TextVersion, rows};
use uuid::Uuid;

use super::copied_claims;
use crate::articles::seo_report;

/// How many versions a run may have brought.
const LOOKED_AT: u64 = 50;

/// If the failed task was to write the article's text anew and has brought a version, the text from before becomes a version
/// of its own, with its claims. What was brought stays to be read among the versions.
pub(super) async fn keep(tx: &TenantTx, article: Uuid, task: Uuid) -> Result<(), StoreError> {
    let Some(article) = tx.lock_article(article).await?.filter(|found| found.rewrite_task_id == Some(task)) else {
        return Ok(());
    };
    let Some(task) = tx.task(task).await? else { return Ok(()) };
    let (versions, _) = tx.article_versions(article.id, LOOKED_AT, 0).await?;
    let Some(former) = versions.into_iter().find(|version| version.created_at < task.created_at) else { return Ok(()) };
    if former.version == article.version {
        return Ok(());
    }
    let Some(former) = tx.article_version(article.id, former.version).await? else { return Ok(()) };
    let claims = copied_claims(tx.claims(article.id, former.version).await?)?;
    let version = tx.save_version(article.id, &text(former, &article)?).await?;
    tx.add_claims(article.id, version, &claims).await
}

fn text(former: rows::ArticleVersion, article: &rows::Article) -> Result<TextVersion, StoreError> {
    let mut text = TextVersion {
        reason: "restored",
        title: former.title,
        slug: former.slug,
        content_markdown: former.content_markdown,
        seo_title: former.seo_title,
        seo_description: former.seo_description,
        keywords: former.keywords,
        status: article.status.parse()?,
        word_count: u32::try_from(former.word_count).unwrap_or(0),
        published_at: article.published_at,
        seo_report: None,
        writer: article.writer.clone(),
    };
    text.seo_report = Some(seo_report(&text, &article.language));
    Ok(text)
}

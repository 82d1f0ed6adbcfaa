//! What finished articles bring, for a whole group of them in one statement each.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use galley_domain::OrgId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::{
    articles::{NewArticle, NewVersion, hold_names, save_versions},
    batch::StepsTx,
    error::StoreError,
    scope::TenantTx,
    sql::{self, column},
};

/// A text to save: whose, of which article, under which name if nobody else has it.
#[derive(Debug, Clone)]
pub struct Naming {
    pub org: OrgId,
    pub article: Uuid,
    pub slug: String,
}

/// Articles under their locks.
#[derive(Debug, Default)]
pub struct LockedArticles {
    pub articles: HashMap<Uuid, LockedArticle>,
    /// Those whose wanted name another article of their project has.
    pub named_like_others: HashSet<Uuid>,
}

/// What stands about an article before its next text.
#[derive(Debug, Clone, FromQueryResult)]
pub struct LockedArticle {
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub status: String,
    pub version: i32,
    pub published_at: Option<DateTime<Utc>>,
    /// ISO 639-1.
    pub language: String,
}

const LOCK: &str = "
SELECT a.id, a.project_id, a.status, a.version, a.published_at, a.language FROM articles a
WHERE a.id = ANY($2::uuid[]) AND (a.org_id, a.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
ORDER BY a.id FOR UPDATE OF a";

const NAMED_LIKE_OTHERS: &str = "
SELECT w.article FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS w(org, article, slug)
WHERE EXISTS (SELECT 1 FROM articles a JOIN articles own ON own.org_id = w.org AND own.id = w.article
    WHERE a.org_id = w.org AND a.slug = w.slug AND a.id <> w.article
        AND a.project_id IS NOT DISTINCT FROM own.project_id)";

const READY: &str = "
UPDATE articles a SET status = 'draft', error = NULL, updated_at = now(),
    task_id = coalesce(a.rewrite_task_id, a.task_id), rewrite_task_id = NULL
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS w(org, article, task)
WHERE a.id = ANY($2::uuid[]) AND a.org_id = w.org AND a.id = w.article
    AND (a.status = 'generating' OR a.rewrite_task_id = w.task)";

impl StepsTx {
    /// Locks the articles, then the names that their texts want.
    pub async fn lock_articles(&self, texts: &[Naming]) -> Result<LockedArticles, StoreError> {
        let mut locked = LockedArticles::default();
        let orgs = || column(texts, |text| text.org.0);
        let articles = || column(texts, |text| text.article);
        for article in sql::rows::<LockedArticle>(self.conn(), LOCK, [orgs(), articles()]).await? {
            locked.articles.insert(article.id, article);
        }
        let slugs: Vec<String> = texts.iter().map(|text| text.slug.clone()).collect();
        hold_names(self.conn(), texts.iter().map(|text| text.org.0).collect(), slugs.clone()).await?;
        for row in sql::all(self.conn(), NAMED_LIKE_OTHERS, [orgs(), articles(), slugs.into()]).await? {
            locked.named_like_others.insert(row.try_get("", "article")?);
        }
        Ok(locked)
    }

    /// Saves new versions of locked articles.
    pub async fn save_versions(&self, versions: &[NewVersion]) -> Result<(), StoreError> {
        let saved = save_versions(self.conn(), versions).await?.len();
        if saved == versions.len() { Ok(()) } else { Err(StoreError::StaleVersion) }
    }

    /// Says of articles, each with the task whose run has ended well, that their text is there.
    pub async fn articles_ready(&self, articles: &[(OrgId, Uuid, Uuid)]) -> Result<(), StoreError> {
        if !articles.is_empty() {
            let values = [
                column(articles, |(org, ..)| org.0),
                column(articles, |(_, article, _)| *article),
                column(articles, |(.., task)| *task),
            ];
            sql::execute(self.conn(), READY, values).await?;
        }
        Ok(())
    }
}

impl TenantTx {
    /// An article without a text, of a task that is ordered in the same transaction.
    pub async fn insert_article(&self, task: Uuid, article: NewArticle) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "INSERT INTO articles (id, org_id, project_id, task_id, status, title, slug, content_format, keywords, tone,
                length, language)
             VALUES ($1, $2, $3, $4, 'generating', $5, $6, $7, $8, $9, $10, $11)",
            [
                article.id.into(),
                self.org_value(),
                article.project_id.into(),
                task.into(),
                article.title.into(),
                article.slug.into(),
                article.content_format.as_str().into(),
                article.keywords.into(),
                article.tone.into(),
                article.length.map(|length| length.as_str().to_owned()).into(),
                article.language.into(),
            ],
        )
        .await?;
        Ok(())
    }
}

//! Texts of a project and the posts of its site: which belongs to which, what waits to be sent, what differs.

use chrono::{DateTime, Utc};
use galley_domain::article::ArticleStatus;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    entity::{articles, publications},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// A text that was written at a site, still without a version.
#[derive(Debug, Clone)]
pub struct ImportedArticle {
    pub id: Uuid,
    pub project_id: Uuid,
    pub title: String,
    /// Free in the organization.
    pub slug: String,
    pub language: String,
    pub status: ArticleStatus,
    pub source: &'static str,
    pub excerpt: Option<String>,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub featured_url: Option<String>,
    pub connection_id: Uuid,
    pub external_id: String,
    pub external_url: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
}

/// How the texts of a connection stand.
#[derive(Debug, Clone, Default, FromQueryResult)]
pub struct SiteCounts {
    pub synced: i64,
    pub pending: i64,
    pub failed: i64,
    /// Of the publications that ended in the last 30 days.
    pub recent: i64,
    pub recent_failed: i64,
    /// Texts that stand there by what the site calls their kind.
    pub kinds: Json,
}

/// A text that differs from its post, and was changed at the site.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Mismatch {
    pub article_id: Uuid,
    pub title: String,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub drift: String,
}

/// A text that everybody may read.
#[derive(Debug, Clone, FromQueryResult)]
pub struct SiteText {
    /// Of the article.
    pub id: Uuid,
    pub title: String,
    pub slug: String,
    pub excerpt: Option<String>,
    pub content_markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub featured_url: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub updated_at: DateTime<Utc>,
    pub is_page: bool,
}

/// What goes to a site beside the text of the article `a`: it makes no version, so each placement remembers what it was.
macro_rules! beside {
    () => {
        "jsonb_build_object('excerpt', coalesce(a.excerpt, ''), 'categories', a.categories,
        'category_ids', a.wp_category_ids, 'tags', a.tags, 'focus_keyword', coalesce(a.focus_keyword, ''),
        'image', coalesce(
            (SELECT jsonb_build_array(i.blob, i.alt_text) FROM images i WHERE i.org_id = a.org_id
                AND i.article_id = a.id AND i.is_featured AND i.source <> 'card'),
            CASE WHEN a.cover_file_id IS NOT NULL
                THEN jsonb_build_array(a.cover_file_id, coalesce(a.cover_alt, '')) END))"
    };
}

/// Whether the article `a` stands at a site where only those who work there may read it.
macro_rules! hidden {
    () => {
        "EXISTS (SELECT FROM (
            SELECT DISTINCT ON (p.connection_id) p.sent, p.metadata FROM publications p
            WHERE p.org_id = a.org_id AND p.article_id = a.id AND p.external_id IS NOT NULL
            ORDER BY p.connection_id, p.sent IS NOT NULL DESC, p.created_at DESC, p.id DESC) there
        WHERE there.sent->>'status' = 'private' OR there.metadata->>'wordpress_status' = 'private'
            OR there.metadata->'is_protected' = 'true')"
    };
}

const BESIDE: &str = concat!("SELECT ", beside!(), " AS beside FROM articles a WHERE a.org_id = $1 AND a.id = $2");
const HIDDEN: &str = concat!("SELECT ", hidden!(), " AS hidden FROM articles a WHERE a.org_id = $1 AND a.id = $2");

/// The newest word about each text, of the kind that it stands there or is on its way.
const COUNTS: &str = "
WITH newest AS (
    SELECT DISTINCT ON (article_id) article_id, status, external_id, metadata FROM publications
    WHERE org_id = $1 AND connection_id = $2 ORDER BY article_id, created_at DESC, id DESC)
SELECT count(*) FILTER (WHERE status = 'published') AS synced,
    count(*) FILTER (WHERE status IN ('pending', 'publishing')) AS pending,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    (SELECT count(*) FROM publications WHERE org_id = $1 AND connection_id = $2
        AND status IN ('published', 'failed') AND updated_at > now() - interval '30 days') AS recent,
    (SELECT count(*) FROM publications WHERE org_id = $1 AND connection_id = $2
        AND status = 'failed' AND updated_at > now() - interval '30 days') AS recent_failed,
    (SELECT coalesce(jsonb_object_agg(kind, texts), '{}') FROM (
        SELECT coalesce(metadata->>'external_type', 'post') AS kind, count(*) AS texts FROM newest
        WHERE status = 'published' GROUP BY 1) kinds) AS kinds
FROM newest";

const MISMATCHES: &str = "
SELECT a.id AS article_id, a.title, p.external_id, p.external_url, p.metadata->>'drift' AS drift
FROM publications p JOIN articles a ON a.org_id = p.org_id AND a.id = p.article_id
WHERE p.org_id = $1 AND p.connection_id = $2 AND p.sent IS NOT NULL
    AND p.metadata->>'drift' IN ('changed_remote', 'changed_both', 'deleted', 'trashed')
ORDER BY a.title, a.id LIMIT $3";

/// Approved ones, and published ones that differ from what was sent, in their text or beside it; not those that are on their
/// way, that somebody has changed there, or that are pages of the site.
const TO_PUSH: &str = concat!(
    "
SELECT a.id FROM articles a
LEFT JOIN LATERAL (
    SELECT p.version, p.metadata FROM publications p
    WHERE p.org_id = a.org_id AND p.article_id = a.id AND p.connection_id = $3 AND p.external_id IS NOT NULL
    ORDER BY p.sent IS NOT NULL DESC, p.created_at DESC, p.id DESC LIMIT 1) there ON true
WHERE a.org_id = $1 AND a.project_id = $2 AND a.version > 0 AND a.publication_id IS NULL AND a.rewrite_task_id IS NULL
    AND (a.status = 'approved' OR (a.status = 'published' AND there.version IS NOT NULL))
    AND (there.version IS NULL OR there.version <> a.version OR there.metadata->'beside' <> ",
    beside!(),
    ")
    AND coalesce(there.metadata->>'external_type', 'post') <> 'page'
    AND coalesce(there.metadata->>'drift', 'in_sync') NOT IN ('changed_remote', 'changed_both', 'trashed', 'deleted')
    AND CASE WHEN $6::uuid IS NULL THEN a.id > $4 ELSE a.id = $6 END
ORDER BY a.id LIMIT $5"
);

/// The sizes are added up before a text is read: a thousand of the longest are 500 MB.
const PUBLIC: &str = concat!(
    "
WITH shown AS (
    SELECT a.id, sum(octet_length(a.content_markdown)) OVER (ORDER BY a.published_at DESC NULLS LAST, a.id) AS bytes
    FROM articles a WHERE a.org_id = $1 AND a.project_id = $2 AND a.status = 'published' AND a.version > 0 AND NOT ",
    hidden!(),
    ")
SELECT a.id, a.title, a.slug, a.excerpt, a.content_markdown, a.seo_title, a.seo_description, a.published_at, a.categories,
    a.tags, a.updated_at,
    coalesce((SELECT p.sent->'featured'->>'url' FROM publications p WHERE p.org_id = a.org_id AND p.article_id = a.id
        AND p.sent IS NOT NULL ORDER BY p.created_at DESC, p.id DESC LIMIT 1), a.featured_url) AS featured_url,
    EXISTS (SELECT FROM publications p WHERE p.org_id = a.org_id AND p.article_id = a.id
        AND p.metadata->>'external_type' = 'page') AS is_page
FROM shown JOIN articles a ON a.org_id = $1 AND a.id = shown.id WHERE shown.bytes <= $4
ORDER BY a.published_at DESC NULLS LAST, a.id LIMIT $3"
);

/// Changes with every text that comes, goes or is changed.
const PUBLIC_MARK: &str = concat!(
    "
SELECT count(*) AS texts, max(a.updated_at) AS newest FROM articles a
WHERE a.org_id = $1 AND a.project_id = $2 AND a.status = 'published' AND a.version > 0 AND NOT ",
    hidden!()
);

impl SiteCounts {
    /// Texts of one kind that stand there.
    pub fn of_kind(&self, kind: &str) -> u64 {
        self.kinds[kind].as_u64().unwrap_or(0)
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    /// What is known of a post of a site: the newest word about it.
    pub async fn placed_there(
        &self,
        connection: Uuid,
        external_id: &str,
    ) -> Result<Option<publications::Model>, StoreError> {
        use publications::Column;
        let there = self
            .find::<publications::Entity>()
            .filter(Column::ConnectionId.eq(connection))
            .filter(Column::ExternalId.eq(external_id))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id);
        Ok(there.one(&self.conn).await?)
    }

    pub async fn site_counts(&self, connection: Uuid) -> Result<SiteCounts, StoreError> {
        let found = sql::rows(&self.conn, COUNTS, [self.org_value(), connection.into()]).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// By title.
    pub async fn mismatches(&self, connection: Uuid, limit: i64) -> Result<Vec<Mismatch>, StoreError> {
        sql::rows(&self.conn, MISMATCHES, [self.org_value(), connection.into(), limit.into()]).await
    }

    /// Texts of the project that are to go to its site, by id, behind one of them.
    pub async fn texts_to_push(
        &self,
        project: Uuid,
        connection: Uuid,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Uuid>, StoreError> {
        let one = None::<Uuid>.into();
        let values = [self.org_value(), project.into(), connection.into(), after.into(), limit.into(), one];
        let rows = sql::all(&self.conn, TO_PUSH, values).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// Whether this text is one of [`Scoped::texts_to_push`].
    pub async fn is_to_push(&self, project: Uuid, connection: Uuid, article: Uuid) -> Result<bool, StoreError> {
        let (none, one) = (Uuid::nil().into(), 1_i64.into());
        let values = [self.org_value(), project.into(), connection.into(), none, one, article.into()];
        Ok(sql::one(&self.conn, TO_PUSH, values).await?.is_some())
    }

    /// What goes to a site beside the text of an article, as it is now.
    pub async fn beside(&self, article: Uuid) -> Result<Json, StoreError> {
        let row = sql::one(&self.conn, BESIDE, [self.org_value(), article.into()]).await?;
        Ok(row.map(|row| row.try_get("", "beside")).transpose()?.unwrap_or_default())
    }

    /// Whether a site shows the article only to those who work there.
    pub async fn is_hidden(&self, article: Uuid) -> Result<bool, StoreError> {
        let row = sql::one(&self.conn, HIDDEN, [self.org_value(), article.into()]).await?;
        Ok(row.map(|row| row.try_get("", "hidden")).transpose()?.unwrap_or(false))
    }

    /// What is published of a project, the newest first, up to so many texts and bytes of Markdown.
    pub async fn published_texts(&self, project: Uuid, limit: i64, bytes: i64) -> Result<Vec<SiteText>, StoreError> {
        sql::rows(&self.conn, PUBLIC, [self.org_value(), project.into(), limit.into(), bytes.into()]).await
    }

    /// How many texts of a project are published, and when one of them was changed last.
    pub async fn published_mark(&self, project: Uuid) -> Result<(i64, Option<DateTime<Utc>>), StoreError> {
        let row = sql::one(&self.conn, PUBLIC_MARK, [self.org_value(), project.into()]).await?;
        let row = row.ok_or_else(|| StoreError::Unreadable("a count without a row".into()))?;
        Ok((row.try_get("", "texts")?, row.try_get("", "newest")?))
    }

    /// The project of each of these articles, of those that there are.
    pub async fn projects_of(&self, articles: Vec<Uuid>) -> Result<Vec<(Uuid, Option<Uuid>)>, StoreError> {
        use articles::Column;
        use sea_orm::QuerySelect;
        let named = self.find::<articles::Entity>().filter(Column::Id.is_in(articles)).select_only();
        Ok(named.column(Column::Id).column(Column::ProjectId).into_tuple().all(&self.conn).await?)
    }
}

impl TenantTx {
    /// Its first version is saved in the same transaction.
    pub async fn insert_imported(&self, new: ImportedArticle) -> Result<articles::Model, StoreError> {
        let row = articles::ActiveModel {
            id: Set(new.id),
            project_id: Set(Some(new.project_id)),
            status: Set(new.status.as_str().to_owned()),
            title: Set(new.title),
            slug: Set(new.slug),
            content_format: Set("html".to_owned()),
            tone: Set("professional".to_owned()),
            language: Set(new.language),
            source: Set(new.source.to_owned()),
            excerpt: Set(new.excerpt),
            categories: Set(new.categories),
            tags: Set(new.tags),
            featured_url: Set(new.featured_url),
            connection_id: Set(Some(new.connection_id)),
            external_id: Set(Some(new.external_id)),
            external_url: Set(new.external_url),
            published_at: Set(new.published_at),
            ..Default::default()
        };
        self.insert::<articles::Entity>(row).await
    }
}

//! Articles and their versions.

use chrono::{DateTime, Utc};
use galley_domain::article::{ArticleStatus, ContentFormat, Length};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, IntoSimpleExpr, Order, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    crud::contains,
    entity::{article_versions, articles},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// An article that is ordered and has no text yet.
#[derive(Debug, Clone)]
pub struct NewArticle {
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub title: String,
    pub slug: String,
    pub content_format: ContentFormat,
    pub keywords: Vec<String>,
    pub tone: &'static str,
    pub length: Option<Length>,
    pub language: String,
}

/// What makes up one version of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TextVersion {
    pub reason: &'static str,
    pub title: String,
    pub slug: String,
    pub content_markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub status: ArticleStatus,
    pub word_count: u32,
    pub published_at: Option<DateTime<Utc>>,
    pub seo_report: Option<Json>,
    pub writer: String,
}

/// A change without a new version: what the pipeline adds around the text.
#[derive(Debug, Clone)]
pub enum ArticleChange {
    Cover {
        file: Uuid,
        alt: String,
    },
    /// The run of this task.
    Failed {
        error: String,
        task: Uuid,
    },
    /// A run begins; a text that was there before stays as it is.
    Generating,
    /// The text turned out to be in this language, ISO 639-1.
    Language(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArticleSort {
    CreatedAt,
    UpdatedAt,
    Title,
}

/// An order that was cancelled leaves nothing to list; its article comes back if it is run again.
pub(crate) const LEFT_BY_NO_CANCEL: &str = "NOT (articles.status = 'failed' AND EXISTS (
    SELECT FROM tasks t WHERE t.org_id = articles.org_id AND t.id = articles.task_id AND t.status = 'cancelled'))";

#[derive(Debug, Clone)]
pub struct ArticleFilter {
    /// Any of these; all when empty.
    pub statuses: Vec<ArticleStatus>,
    pub project_id: Option<Uuid>,
    /// Part of the title, without regard to case.
    pub search: Option<String>,
    pub sort: ArticleSort,
    pub descending: bool,
    pub limit: u64,
    pub offset: u64,
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn article(&self, id: Uuid) -> Result<Option<articles::Model>, StoreError> {
        self.get::<articles::Entity>(id).await
    }

    /// One page, with the number of all that match.
    pub async fn articles(&self, filter: &ArticleFilter) -> Result<(Vec<articles::Head>, u64), StoreError> {
        let statuses = filter.statuses.iter().map(|status| status.as_str());
        let condition = Condition::all()
            .add_option((!filter.statuses.is_empty()).then(|| articles::Column::Status.is_in(statuses)))
            .add_option(filter.project_id.map(|project| articles::Column::ProjectId.eq(project)))
            .add_option(filter.search.as_deref().map(|text| contains(articles::Column::Title, text)))
            .add(Expr::cust(LEFT_BY_NO_CANCEL));
        let by = match filter.sort {
            ArticleSort::CreatedAt => articles::Column::CreatedAt.into_simple_expr(),
            ArticleSort::UpdatedAt => articles::Column::UpdatedAt.into_simple_expr(),
            ArticleSort::Title => Expr::cust("articles.title COLLATE galley_titles"),
        };
        let order = if filter.descending { Order::Desc } else { Order::Asc };
        let sort = [(by, order), (articles::Column::Id.into_simple_expr(), Order::Asc)];
        self.page::<articles::Entity, _>(condition, &sort, filter.limit, filter.offset).await
    }

    /// One page, newest first, with the number of all.
    pub async fn article_versions(
        &self,
        article: Uuid,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<article_versions::Head>, u64), StoreError> {
        let of_article = Condition::all().add(article_versions::Column::ArticleId.eq(article));
        let sort = [(article_versions::Column::Version, Order::Desc)];
        self.page::<article_versions::Entity, _>(of_article, &sort, limit, offset).await
    }

    pub async fn article_version(
        &self,
        article: Uuid,
        version: i32,
    ) -> Result<Option<article_versions::Model>, StoreError> {
        Ok(self
            .find::<article_versions::Entity>()
            .filter(article_versions::Column::ArticleId.eq(article))
            .filter(article_versions::Column::Version.eq(version))
            .one(&self.conn)
            .await?)
    }

    /// True when another article of the project has this slug; those without a project share a group.
    pub async fn slug_taken(&self, slug: &str, project: Option<Uuid>, except: Uuid) -> Result<bool, StoreError> {
        let others = self.find::<articles::Entity>().filter(articles::Column::Slug.eq(slug));
        let others = match project {
            Some(project) => others.filter(articles::Column::ProjectId.eq(project)),
            None => others.filter(articles::Column::ProjectId.is_null()),
        };
        Ok(others
            .filter(articles::Column::Id.ne(except))
            .select_only()
            .column(articles::Column::Id)
            .into_tuple::<Uuid>()
            .one(&self.conn)
            .await?
            .is_some())
    }
}

/// Lets others who choose among the same names wait until the transaction ends.
pub(crate) async fn hold_names(
    conn: &impl ConnectionTrait,
    orgs: Vec<Uuid>,
    slugs: Vec<String>,
) -> Result<(), StoreError> {
    sql::execute(
        conn,
        "SELECT pg_advisory_xact_lock(name) FROM (
            SELECT DISTINCT hashtextextended(w.org || w.slug, 0) AS name
            FROM unnest($1::uuid[], $2::text[]) AS w(org, slug) ORDER BY name OFFSET 0) AS names",
        [orgs.into(), slugs.into()],
    )
    .await?;
    Ok(())
}

/// A text that becomes the newest version of an article.
#[derive(Debug, Clone, Serialize)]
pub struct NewVersion {
    pub org: Uuid,
    pub article: Uuid,
    #[serde(flatten)]
    pub text: TextVersion,
}

/// Makes each text the current one of its article and keeps it for ever; the numbers of those that were met.
pub(crate) async fn save_versions(conn: &impl ConnectionTrait, texts: &[NewVersion]) -> Result<Vec<i32>, StoreError> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sql::all(
        conn,
        "WITH given AS (
            SELECT * FROM jsonb_to_recordset($1) AS w(org uuid, article uuid, reason text, title text, slug text,
                content_markdown text, seo_title text, seo_description text, keywords text[], status text,
                word_count integer, published_at timestamptz, seo_report jsonb, writer text)),
         changed AS (
            UPDATE articles a SET version = a.version + 1, title = w.title, slug = w.slug,
                content_markdown = w.content_markdown, seo_title = w.seo_title, seo_description = w.seo_description,
                keywords = w.keywords, status = w.status, word_count = w.word_count, published_at = w.published_at,
                seo_report = w.seo_report, writer = w.writer, error = NULL, updated_at = now()
            FROM given w WHERE a.id = ANY($2::uuid[]) AND a.org_id = w.org AND a.id = w.article
            RETURNING a.id, a.version)
         INSERT INTO article_versions (org_id, article_id, version, reason, title, slug, content_markdown, seo_title,
            seo_description, keywords, status, word_count)
         SELECT w.org, w.article, c.version, w.reason, w.title, w.slug, w.content_markdown, w.seo_title,
            w.seo_description, w.keywords, CASE WHEN w.status = 'generating' THEN 'draft' ELSE w.status END, w.word_count
         FROM given w JOIN changed c ON c.id = w.article
         RETURNING version",
        [serde_json::to_value(texts)?.into(), texts.iter().map(|text| text.article).collect::<Vec<_>>().into()],
    )
    .await?;
    rows.iter().map(|row| Ok(row.try_get("", "version")?)).collect()
}

impl TenantTx {
    /// Keeps others from choosing among the names that begin with this one until the transaction ends.
    pub async fn hold_slug(&self, base: &str) -> Result<(), StoreError> {
        hold_names(&self.conn, vec![self.org().0], vec![base.to_owned()]).await
    }

    pub async fn lock_article(&self, id: Uuid) -> Result<Option<articles::Model>, StoreError> {
        self.lock::<articles::Entity>(id).await
    }

    /// Makes the next version current and keeps it for ever; returns its number.
    pub async fn save_version(&self, article: Uuid, text: &TextVersion) -> Result<i32, StoreError> {
        let version = NewVersion { org: self.org().0, article, text: text.clone() };
        let saved = save_versions(&self.conn, &[version]).await?;
        saved.first().copied().ok_or_else(|| StoreError::Unreadable("the article was deleted meanwhile".into()))
    }

    pub async fn change_article(&self, article: Uuid, change: ArticleChange) -> Result<(), StoreError> {
        let org = self.org_value();
        match change {
            ArticleChange::Cover { file, alt } => {
                let row = articles::ActiveModel {
                    cover_file_id: Set(Some(file)),
                    cover_alt: Set(Some(alt)),
                    ..Default::default()
                };
                self.update::<articles::Entity>(article, row).await?;
                return Ok(());
            }
            ArticleChange::Language(language) => {
                let row = articles::ActiveModel { language: Set(language), ..Default::default() };
                self.update::<articles::Entity>(article, row).await?;
                return Ok(());
            }
            // An article whose order has come to its end once keeps its text when a later run fails.
            ArticleChange::Failed { error, task } => {
                sql::execute(
                    &self.conn,
                    "UPDATE articles SET error = $3, updated_at = now(), rewrite_task_id = NULLIF(rewrite_task_id, $4),
                        status = CASE WHEN status = 'generating' THEN 'failed' ELSE status END
                     WHERE org_id = $1 AND id = $2",
                    [org, article.into(), error.into(), task.into()],
                )
                .await?
            }
            ArticleChange::Generating => sql::execute(
                &self.conn,
                "UPDATE articles SET status = CASE WHEN status = 'failed' THEN 'generating' ELSE status END, error = NULL,
                        updated_at = now()
                     WHERE org_id = $1 AND id = $2",
                [org, article.into()],
            )
            .await?,
        };
        Ok(())
    }

    /// True when there was one. Versions, claims, effects and the file of its title card go with it.
    pub async fn delete_article(&self, id: Uuid) -> Result<bool, StoreError> {
        let cards = self.card_files(id).await?;
        self.delete_effects(id).await?;
        let was_there = self.delete::<articles::Entity>(id).await?;
        self.release_cards(cards).await?;
        Ok(was_there)
    }
}

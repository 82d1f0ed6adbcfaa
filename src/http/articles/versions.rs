//! The versions of an article.

use galley_domain::article::{ArticleStatus, ListedStatus};
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, ArticlesWrite, Auth, Content},
        envelope::List,
        fields::fields,
        header::{IdempotencyKey, IfMatch},
        page::{ByNumber, Page},
        problem::Problem,
        query::Query,
        reply::{Outcome, Reply, Versioned},
        scalar::{Id, Moment, VersionNumber, Word},
        statuses::unreadable,
    },
};

pub struct Versions;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Articles")]
impl Versions {
    /// List the versions of an article
    ///
    /// A page, newest first, without their text.
    #[oai(path = "/articles/:article_id/versions", method = "get", operation_id = "list_article_versions")]
    async fn list(
        &self,
        auth: Auth<ArticlesRead>,
        article_id: Path<Id>,
        Query(query): Query<VersionQuery>,
    ) -> Outcome<List<VersionSummary>> {
        let page = &query.page;
        let (rows, total) =
            auth.services().article_versions(auth.org(), article_id.0.0, page.limit, page.offset).await?;
        Ok(Reply::new(List::page(rows, total, page)?))
    }

    /// Get a version of an article
    ///
    /// The text as it was then.
    #[oai(path = "/articles/:article_id/versions/:version", method = "get", operation_id = "get_article_version")]
    async fn get(
        &self,
        auth: Auth<ArticlesRead>,
        article_id: Path<Id>,
        version: Path<VersionNumber>,
    ) -> Outcome<Version> {
        let mut row = auth.services().article_version(auth.org(), article_id.0.0, version.0.0).await?;
        row.content_markdown =
            auth.services().with_image_links(auth.org(), row.article_id, row.content_markdown).await?;
        Ok(Reply::new(row.try_into()?))
    }

    /// Restore a version of an article
    ///
    /// Makes the text of an old version the newest one, as a version of its own; nothing is lost. With `If-Match`
    /// only if the article is still as you read it; otherwise it is a CONFLICT.
    #[oai(
        path = "/articles/:article_id/versions/:version/restore",
        method = "post",
        operation_id = "restore_article_version"
    )]
    async fn restore(
        &self,
        auth: Auth<ArticlesWrite, Content>,
        article_id: Path<Id>,
        version: Path<VersionNumber>,
        if_match: IfMatch,
        /// The same key with the same request gives the first answer again instead of another version.
        key: IdempotencyKey,
    ) -> Outcome<Restored, Versioned> {
        let key = key.with(b"")?;
        let (id, old, seen) = (article_id.0.0, version.0.0, if_match.0);
        let answer = auth.services().restore_version(auth.org(), id, old, seen, key.as_ref()).await?;
        let number = answer.value;
        Ok(Reply::of(answer, |version| Restored { article_id: id, version, restored_from: old }).version(number))
    }
}

fields! {
    /// Which versions to list.
    pub struct VersionQuery {
        page: Page<ByNumber, 100>,
    }
}

/// That an old text is the newest again.
#[derive(Debug, Object)]
pub struct Restored {
    article_id: Uuid,
    /// The number of the new version.
    version: i32,
    /// The number of the version whose text it has.
    restored_from: i32,
}

/// A version without its text.
#[derive(Debug, Object)]
pub struct VersionSummary {
    version: i32,
    /// What made it: generated, edited or restored.
    reason: String,
    title: String,
    slug: String,
    status: Word<ListedStatus>,
    word_count: i32,
    created_at: Moment,
}

impl TryFrom<rows::VersionHead> for VersionSummary {
    type Error = Problem;

    fn try_from(row: rows::VersionHead) -> Result<Self, Problem> {
        Ok(Self {
            version: row.version,
            reason: row.reason,
            title: row.title,
            slug: row.slug,
            status: Word(row.status.parse::<ArticleStatus>().map_err(unreadable)?.listed()),
            word_count: row.word_count,
            created_at: Moment(row.created_at),
        })
    }
}

/// A version with its text.
#[derive(Debug, Object)]
#[oai(rename = "ArticleVersion")]
pub struct Version {
    article_id: Uuid,
    version: i32,
    /// What made it: generated, edited or restored.
    reason: String,
    title: String,
    slug: String,
    /// The state of the article when the version was made.
    status: Word<ListedStatus>,
    content_markdown: String,
    content_html: String,
    seo_title: String,
    seo_description: String,
    keywords: Vec<String>,
    word_count: i32,
    created_at: Moment,
}

impl TryFrom<rows::ArticleVersion> for Version {
    type Error = Problem;

    fn try_from(row: rows::ArticleVersion) -> Result<Self, Problem> {
        Ok(Self {
            article_id: row.article_id,
            version: row.version,
            reason: row.reason,
            title: row.title,
            slug: row.slug,
            status: Word(row.status.parse::<ArticleStatus>().map_err(unreadable)?.listed()),
            content_html: galley_text::markdown::to_html(&row.content_markdown),
            content_markdown: row.content_markdown,
            seo_title: row.seo_title,
            seo_description: row.seo_description,
            keywords: row.keywords,
            word_count: row.word_count,
            created_at: Moment(row.created_at),
        })
    }
}

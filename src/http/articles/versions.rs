//! The versions of an article.

use galley_domain::{article::ArticleStatus, order::Violations};
use galley_store::rows;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, ArticlesWrite, Auth, Content},
        failure::{Acting, Reading, Viewing, unreadable},
        header::{Head, IfMatch, Once},
        page::{List, Pagination},
        problem::Problem,
        query::{Given, Whole},
        reply::{Outcome, Reply, Versioned},
        scalar::{Id, Moment, VersionNumber, Word},
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
        /// The most to return; 100 when not given.
        limit: Query<Given<Whole<1, 100>>>,
        /// How many to skip; 0 when not given.
        offset: Query<Given<Whole<0, 10_000_000>>>,
    ) -> Outcome<List<VersionSummary>, Viewing> {
        let mut wrong = Violations::default();
        let limit = limit.0.take("limit", &mut wrong).map_or(100, |limit| limit.0.unsigned_abs());
        let offset = offset.0.take("offset", &mut wrong).map_or(0, |offset| offset.0.unsigned_abs());
        wrong.finish().map_err(Problem::invalid)?;
        let (rows, total) = auth.services().article_versions(auth.org(), article_id.0.0, limit, offset).await?;
        let data = rows.into_iter().map(VersionSummary::try_from).collect::<Result<_, _>>()?;
        Ok(Reply::new(List { data, pagination: Pagination::new(total, offset, limit) }))
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
    ) -> Outcome<Version, Reading> {
        let row = auth.services().article_version(auth.org(), article_id.0.0, version.0.0).await?;
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
        /// The ETag of the article as you read it.
        #[oai(name = "If-Match")]
        if_match: Head<IfMatch>,
        /// The same key with the same request gives the first answer again instead of another version.
        #[oai(name = "Idempotency-Key")]
        once: Head<Once>,
    ) -> Outcome<Restored, Acting, Versioned> {
        let key = once.0.key(b"")?;
        let (id, old, seen) = (article_id.0.0, version.0.0, if_match.0.0);
        let answer = auth.services().restore_version(auth.org(), id, old, seen, key.as_ref()).await?;
        let number = answer.value;
        Ok(Reply::of(answer, |version| Restored { article_id: id, version, restored_from: old }).version(number))
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
    status: Word<ArticleStatus>,
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
            status: Word(row.status.parse().map_err(unreadable)?),
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
    status: Word<ArticleStatus>,
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
            status: Word(row.status.parse().map_err(unreadable)?),
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

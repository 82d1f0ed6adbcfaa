//! What clients see of an article.

use galley_domain::{
    article::{ArticleStatus, ContentFormat, ListedStatus, PublicationStatus},
    writing::Origin,
};
use galley_store::rows;
use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use crate::http::{
    kit::{
        auth::{Auth, Class, Right},
        problem::Problem,
        scalar::{Moment, Nullable, Word},
        statuses::unreadable,
    },
    tasks::WorkError,
};

/// An image of an article.
#[derive(Debug, Object)]
pub struct Image {
    /// A path of this API; it needs a key as everything does.
    url: String,
    alt: String,
}

/// Something that was read for an article.
#[derive(Debug, Clone, Object)]
pub struct DataSource {
    id: Uuid,
    /// The number in citations.
    number: i32,
    title: String,
    /// link (given with the order), file (uploaded) or search (found).
    kind: String,
    /// The address; null for a file.
    url: Nullable<String>,
    /// The name of the file; null for a page.
    file: Nullable<String>,
    /// ISO 639-1, where it could be told.
    language: Nullable<String>,
    words: i32,
    fetched_at: Moment,
}

impl TryFrom<rows::SourceHead> for DataSource {
    type Error = Problem;

    fn try_from(row: rows::SourceHead) -> Result<Self, Problem> {
        let (kind, url, file) = match serde_json::from_value(row.origin).map_err(unreadable)? {
            Origin::Link { url } => ("link", Some(url), None),
            Origin::Search { url, .. } => ("search", Some(url), None),
            Origin::File { name } => ("file", None, Some(name)),
        };
        Ok(Self {
            id: row.id,
            number: row.number,
            title: row.title,
            kind: kind.to_owned(),
            url: url.into(),
            file: file.into(),
            language: row.language.into(),
            words: row.words,
            fetched_at: Moment(row.fetched_at),
        })
    }
}

pub fn source_views(rows: Vec<rows::SourceHead>) -> Result<Vec<DataSource>, Problem> {
    rows.into_iter().map(DataSource::try_from).collect()
}

/// One thing that was looked at.
#[derive(Debug, Object, Deserialize)]
pub struct SeoCheck {
    id: String,
    name: String,
    /// good, ok, bad or skipped.
    status: String,
    /// What was measured.
    value: String,
    /// What is good.
    threshold: String,
    /// What to do and where; empty when good.
    advice: String,
}

/// How well an article is made for readers and search engines.
#[derive(Debug, Object, Deserialize)]
pub struct Seo {
    /// 0 to 100.
    score: u8,
    checks: Vec<SeoCheck>,
}

/// An article with everything that belongs to it.
#[derive(Debug, Object)]
pub struct Article {
    id: Uuid,
    project_id: Nullable<Uuid>,
    /// The task that wrote it.
    task_id: Nullable<Uuid>,
    title: String,
    slug: String,
    status: Word<ListedStatus>,
    /// What `status` is for clients that know three states.
    publication_status: Word<PublicationStatus>,
    /// The text in the form that `content_format` names. Empty until an order of it has come to its end.
    content: String,
    content_format: Word<ContentFormat>,
    content_markdown: String,
    /// Without the title. A citation leads to its entry in the list of sources, whose `id` is `source-` and its number.
    content_html: String,
    seo_title: String,
    seo_description: String,
    /// The same as `seo_description`.
    meta_description: String,
    keywords: Vec<String>,
    featured_images: Vec<Image>,
    data_sources: Vec<DataSource>,
    tone: String,
    /// short, medium or long; null when a range of words was ordered.
    length: Nullable<String>,
    /// ISO 639-1.
    language: String,
    word_count: i32,
    /// Counts from 1; 0 as long as there is no text to read.
    version: i32,
    seo: Nullable<Seo>,
    /// Why it failed.
    error: Nullable<WorkError>,
    /// What wrote it: `extractive` or the name of a model's provider.
    writer: String,
    published_at: Nullable<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

/// The article with what is stored around it. `format` overrides what `content` is.
pub async fn whole<R: Right, C: Class>(
    auth: &Auth<R, C>,
    mut row: rows::Article,
    format: Option<ContentFormat>,
) -> Result<Article, Problem> {
    row.content_markdown = auth.services().with_image_links(auth.org(), row.id, row.content_markdown).await?;
    let sources = auth.services().article_sources(auth.org(), &row).await?;
    let failed = row.error.as_ref().and(row.task_id);
    let code = auth.services().error_codes(auth.org(), failed).await?.into_values().next();
    Article::of(row, source_views(sources)?, format, code)
}

/// Why an article failed. The code is that of its task, which retention may have removed.
pub fn why(message: Option<String>, code: Option<String>) -> Nullable<WorkError> {
    let code = message.as_ref().map(|_| code.unwrap_or_else(|| "WORKFLOW_ERROR".to_owned()));
    WorkError::of(code, message)
}

/// Rows of a list, each with the code of its error.
pub async fn with_codes<R: Right, C: Class>(
    auth: &Auth<R, C>,
    rows: Vec<rows::ArticleHead>,
) -> Result<Vec<(rows::ArticleHead, Option<String>)>, Problem> {
    let failed = rows.iter().filter(|row| row.error.is_some()).filter_map(|row| row.task_id);
    let codes = auth.services().error_codes(auth.org(), failed).await?;
    let code = |row: &rows::ArticleHead| row.task_id.and_then(|task| codes.get(&task).cloned());
    Ok(rows.into_iter().map(|row| (code(&row), row)).map(|(code, row)| (row, code)).collect())
}

/// The cover, served by the files operation.
fn images(file: Option<Uuid>, alt: Option<&String>) -> Vec<Image> {
    let image = |id| Image { url: format!("/api/v1/files/{id}/content"), alt: alt.cloned().unwrap_or_default() };
    file.map(image).into_iter().collect()
}

impl Article {
    fn of(
        row: rows::Article,
        sources: Vec<DataSource>,
        format: Option<ContentFormat>,
        code: Option<String>,
    ) -> Result<Self, Problem> {
        let status: ArticleStatus = row.status.parse().map_err(unreadable)?;
        let format = format.map_or_else(|| row.content_format.parse().map_err(unreadable), Ok)?;
        let html = galley_text::markdown::to_html(&row.content_markdown);
        let content = match format {
            ContentFormat::Markdown => row.content_markdown.clone(),
            ContentFormat::Html => html.clone(),
        };
        Ok(Self {
            id: row.id,
            project_id: row.project_id.into(),
            task_id: row.task_id.into(),
            title: row.title,
            slug: row.slug,
            status: Word(status.listed()),
            publication_status: Word(status.publication()),
            content,
            content_format: Word(format),
            content_markdown: row.content_markdown,
            content_html: html,
            seo_title: row.seo_title,
            meta_description: row.seo_description.clone(),
            seo_description: row.seo_description,
            keywords: row.keywords,
            featured_images: images(row.cover_file_id, row.cover_alt.as_ref()),
            data_sources: sources,
            tone: row.tone,
            length: row.length.into(),
            language: row.language,
            word_count: row.word_count,
            version: row.version,
            seo: row.seo_report.map(serde_json::from_value).transpose().map_err(unreadable)?.flatten().into(),
            error: why(row.error, code),
            writer: row.writer,
            published_at: row.published_at.map(Moment).into(),
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        })
    }
}

/// An article without its text and its sources: 001 has the text only in answers about one article, and a list of a
/// hundred texts of up to 500 KB each would be of use to nobody.
#[derive(Debug, Object)]
pub struct ArticleSummary {
    id: Uuid,
    project_id: Nullable<Uuid>,
    task_id: Nullable<Uuid>,
    title: String,
    slug: String,
    status: Word<ListedStatus>,
    publication_status: Word<PublicationStatus>,
    seo_title: String,
    seo_description: String,
    /// The same as `seo_description`.
    meta_description: String,
    keywords: Vec<String>,
    featured_images: Vec<Image>,
    tone: String,
    length: Nullable<String>,
    language: String,
    word_count: i32,
    version: i32,
    error: Nullable<WorkError>,
    writer: String,
    published_at: Nullable<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

impl TryFrom<(rows::ArticleHead, Option<String>)> for ArticleSummary {
    type Error = Problem;

    fn try_from((row, code): (rows::ArticleHead, Option<String>)) -> Result<Self, Problem> {
        let status: ArticleStatus = row.status.parse().map_err(unreadable)?;
        Ok(Self {
            id: row.id,
            project_id: row.project_id.into(),
            task_id: row.task_id.into(),
            title: row.title,
            slug: row.slug,
            status: Word(status.listed()),
            publication_status: Word(status.publication()),
            seo_title: row.seo_title,
            meta_description: row.seo_description.clone(),
            seo_description: row.seo_description,
            keywords: row.keywords,
            featured_images: images(row.cover_file_id, row.cover_alt.as_ref()),
            tone: row.tone,
            length: row.length.into(),
            language: row.language,
            word_count: row.word_count,
            version: row.version,
            error: why(row.error, code),
            writer: row.writer,
            published_at: row.published_at.map(Moment).into(),
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use poem_openapi::types::ToJSON;
    use serde_json::{Value, json};

    use super::*;

    fn row() -> rows::Article {
        rows::Article {
            id: Uuid::from_u128(1),
            org_id: Uuid::from_u128(2),
            project_id: None,
            task_id: Some(Uuid::from_u128(3)),
            status: "scheduled".into(),
            title: "Tea".into(),
            slug: "tea".into(),
            content_markdown: "## Green\n\nLeaves.".into(),
            content_format: "html".into(),
            seo_title: "Tea".into(),
            seo_description: "Of tea".into(),
            keywords: vec!["tea".into()],
            tone: "professional".into(),
            length: None,
            language: "en".into(),
            word_count: 2,
            writer: "extractive".into(),
            seo_report: Some(json!(galley_text::seo::score(&galley_text::seo::SeoInput {
                title: "Tea",
                description: "Of tea",
                slug: "tea",
                keyphrase: None,
                keywords: &[],
                markdown: "Leaves.",
                language: "en",
                site: None,
            }))),
            cover_file_id: Some(Uuid::from_u128(4)),
            cover_alt: Some("A cup".into()),
            error: None,
            version: 1,
            published_at: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            ..rows::Article::default()
        }
    }

    fn head() -> rows::ArticleHead {
        let row = row();
        rows::ArticleHead {
            id: row.id,
            project_id: row.project_id,
            task_id: row.task_id,
            status: row.status,
            title: row.title,
            slug: row.slug,
            seo_title: row.seo_title,
            seo_description: row.seo_description,
            keywords: row.keywords,
            tone: row.tone,
            length: row.length,
            language: row.language,
            word_count: row.word_count,
            writer: row.writer,
            cover_file_id: row.cover_file_id,
            cover_alt: row.cover_alt,
            error: row.error,
            version: row.version,
            published_at: row.published_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            ..rows::ArticleHead::default()
        }
    }

    fn shown(format: Option<ContentFormat>) -> Value {
        Article::of(row(), Vec::new(), format, None).expect("readable").to_json().expect("JSON")
    }

    #[test]
    fn content_is_in_the_form_that_was_ordered_or_asked_for() {
        let article = shown(None);
        assert_eq!(article["content"], article["content_html"]);
        assert!(article["content"].as_str().is_some_and(|html| html.starts_with("<h2>")), "{article}");
        assert_eq!(shown(Some(ContentFormat::Markdown))["content"], "## Green\n\nLeaves.");
    }

    #[test]
    fn both_documents_fields_are_there_and_null_is_said() {
        let article = shown(None);
        assert_eq!((&article["status"], &article["publication_status"]), (&json!("scheduled"), &json!("draft")));
        assert_eq!(article["seo_description"], article["meta_description"]);
        assert_eq!(article.get("project_id"), Some(&Value::Null));
        assert_eq!(article.get("length"), Some(&Value::Null));
        assert_eq!(article["created_at"], "1970-01-01T00:00:00.000Z");
        assert_eq!(
            article["featured_images"],
            json!([{ "url": "/api/v1/files/00000000-0000-0000-0000-000000000004/content", "alt": "A cup" }])
        );
        assert!(article["seo"]["score"].is_u64() && article["seo"]["checks"][0]["id"].is_string(), "{article}");
    }

    #[test]
    fn a_failure_has_a_code_and_a_message() {
        let failed = rows::ArticleHead { error: Some("no text".into()), ..head() };
        let error = |code: Option<&str>| {
            let summary = ArticleSummary::try_from((failed.clone(), code.map(str::to_owned))).expect("readable");
            summary.to_json().expect("JSON")["error"].clone()
        };
        assert_eq!(error(Some("LLM_ERROR")), json!({ "code": "LLM_ERROR", "message": "no text" }));
        assert_eq!(error(None), json!({ "code": "WORKFLOW_ERROR", "message": "no text" }), "its task is gone");
    }

    #[test]
    fn a_report_of_null_is_none() {
        let unscored = rows::Article { seo_report: Some(Value::Null), ..row() };
        let article = Article::of(unscored, Vec::new(), None, None).expect("readable").to_json().expect("JSON");
        assert_eq!(article.get("seo"), Some(&Value::Null));
    }

    #[test]
    fn a_list_has_no_text() {
        let summary = ArticleSummary::try_from((head(), None)).expect("readable").to_json().expect("JSON");
        assert!(summary.get("content").is_none() && summary.get("content_html").is_none());
        for field in ["id", "title", "slug", "status", "meta_description", "word_count", "created_at", "updated_at"] {
            assert!(!summary[field].is_null(), "{field}");
        }
        assert_eq!(summary.get("project_id"), Some(&Value::Null));
    }

    #[test]
    fn an_unknown_state_is_an_error_and_not_a_lie() {
        let odd = rows::ArticleHead { status: "lost".into(), ..head() };
        assert_eq!(ArticleSummary::try_from((odd, None)).expect_err("unreadable").status.as_u16(), 500);
    }
}

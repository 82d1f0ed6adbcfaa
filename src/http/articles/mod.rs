//! Articles: listing, reading, changing, removing.

use galley_domain::{
    article::{ArticleStatus, ContentFormat, ListedStatus, PublicationStatus},
    order::Violations,
};
use galley_services::{ArticleEdit, SlugRule};
use galley_store::{ArticleFilter, ArticleSort};
use poem_openapi::{OpenApi, param::Path, registry::MetaSchema};
use serde_json::Value;
use uuid::Uuid;

pub mod claims;
pub mod generate;
pub mod retry;
pub mod versions;
mod view;

pub use view::{Article, DataSource, whole};

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, ArticlesWrite, Auth, Content},
        body::Body,
        envelope::{ArticlesAnswer, ArticlesList},
        fields::{Patch, fields},
        header::IfMatch,
        page::{ByNumber, Order, Page},
        problem::Problem,
        query::Query,
        reply::{NoContent, Outcome, Reply, Versioned},
        scalar::{Id, Word, words},
        values::{List, Scalar, Text, text_of},
    },
};
use view::{ArticleSummary, with_codes};

pub struct Articles;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Articles")]
impl Articles {
    /// List articles
    ///
    /// A page of the articles without their text and what it rests on, which `GET` of one article has. `status` and `publication_status` both narrow the list.
    #[oai(path = "/articles", method = "get", operation_id = "list_articles")]
    async fn list(
        &self,
        auth: Auth<ArticlesRead>,
        Query(query): Query<ArticleQuery>,
    ) -> Outcome<ArticlesList<ArticleSummary>> {
        let (rows, total) = match query.filter() {
            Some(filter) => {
                let found = auth.services().articles(auth.org(), &filter).await?;
                (found.rows, found.total)
            }
            None => (Vec::new(), 0),
        };
        let rows = with_codes(&auth, rows).await?;
        Ok(Reply::new(ArticlesList::page(rows, total, &query.page, auth.context())?))
    }

    /// Get an article
    ///
    /// The article with its text, what it rests on and how well it is made. `content` is in the form that the client
    /// who ordered it expects: Markdown for tasks, HTML for generated articles; both forms are always there too.
    #[oai(path = "/articles/:article_id", method = "get", operation_id = "get_article")]
    async fn get(
        &self,
        auth: Auth<ArticlesRead>,
        article_id: Path<Id>,
        Query(query): Query<FormatQuery>,
    ) -> Outcome<ArticlesAnswer<Article>, Versioned> {
        let format = query.content_format.map(|format| format.0);
        let row = auth.services().article(auth.org(), article_id.0.0).await?;
        let version = row.version;
        Ok(Reply::new(ArticlesAnswer::of(whole(&auth, row, format).await?, auth.context())).version(version))
    }

    /// Change an article
    ///
    /// Changes the fields that are given and makes a new version. `content` is Markdown, in whatever form the article
    /// is shown. Publishing records the time; going back to a draft forgets it. With `If-Match` the change is made only if nobody was faster; otherwise
    /// it is a CONFLICT.
    #[oai(path = "/articles/:article_id", method = "patch", operation_id = "update_article")]
    async fn update(
        &self,
        auth: Auth<ArticlesWrite, Content>,
        article_id: Path<Id>,
        if_match: IfMatch,
        change: Body<UpdateArticle>,
    ) -> Outcome<Article, Versioned> {
        let edit = ArticleEdit { if_version: if_match.0, ..change.value.into() };
        let row = auth.services().edit_article(auth.org(), article_id.0.0, edit).await?;
        let version = row.version;
        Ok(Reply::new(whole(&auth, row, None).await?).version(version))
    }

    /// Delete an article
    ///
    /// Removes it for good, with all its versions. One that is still being written takes its task with it.
    #[oai(path = "/articles/:article_id", method = "delete", operation_id = "delete_article")]
    async fn delete(&self, auth: Auth<ArticlesWrite, Content>, article_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_article(auth.org(), article_id.0.0).await?;
        Ok(NoContent)
    }
}

fields! {
    /// How to show an article.
    pub struct FormatQuery {
        /// What `content` shall be.
        content_format: Option<Word<ContentFormat>>,
    }
}

fields! {
    /// Which articles to list.
    pub struct ArticleQuery {
        page: Page<ByNumber>,
        /// Only articles in this state.
        status: Option<Word<ListedStatus>>,
        /// Only articles that are published, archived, or neither (draft).
        publication_status: Option<Word<PublicationStatus>>,
        /// Only articles of this project.
        project_id: Option<Uuid>,
        /// Only articles with this in their title, in any case.
        search: Option<Text<0, 200>>,
        /// What to sort by.
        sort: Word<Sort> = Word(Sort::CreatedAt),
        order: Word<Order> = Word(Order::Desc),
    }
}

words! {
    /// What articles are sorted by.
    pub enum Sort { CreatedAt = "created_at", UpdatedAt = "updated_at", Title = "title" }
}

impl ArticleQuery {
    /// What to look for; `None` when the two status filters exclude each other.
    fn filter(&self) -> Option<ArticleFilter> {
        let status = self.status.map(|word| word.0);
        let publication = self.publication_status.map(|word| word.0);
        let filtered = status.is_some() || publication.is_some();
        let statuses: Vec<ArticleStatus> = ArticleStatus::ALL
            .iter()
            .copied()
            .filter(|known| filtered && status.is_none_or(|status| status == known.listed()))
            .filter(|known| publication.is_none_or(|publication| publication == known.publication()))
            .collect();
        let sort = match self.sort.0 {
            Sort::CreatedAt => ArticleSort::CreatedAt,
            Sort::UpdatedAt => ArticleSort::UpdatedAt,
            Sort::Title => ArticleSort::Title,
        };
        let found = ArticleFilter {
            statuses,
            project_id: self.project_id,
            search: self.search.as_ref().map(|search| search.0.clone()),
            sort,
            descending: self.order.0 == Order::Desc,
            limit: self.page.limit,
            offset: self.page.offset,
        };
        (!filtered || !found.statuses.is_empty()).then_some(found)
    }
}

fields! {
    /// Changes to an article; what is left out stays.
    pub struct UpdateArticle: needs_a_field {
        /// 1 to 300 characters.
        title: Patch<Text<1, 300>>,
        /// At most 500,000 bytes of UTF-8 and 5,000 sentences.
        content: Patch<Markdown>,
        /// 1 to 80 lower-case letters a-z, digits and single hyphens; unique in the organization.
        slug: Patch<Slug>,
        /// 1 to 200 characters.
        seo_title: Patch<Text<1, 200>>,
        /// 1 to 500 characters.
        seo_description: Patch<Text<1, 500>>,
        /// Another name for `seo_description`.
        meta_description: Patch<Text<1, 500>>,
        /// At most 20, each up to 100 characters.
        keywords: Patch<List<Text<1, 100>, 20>>,
        publication_status: Patch<Word<PublicationStatus>>,
    }
    check |change: &UpdateArticle, wrong: &mut Violations| {
        let (seo, meta) = (&change.seo_description.0, &change.meta_description.0);
        let differ = seo.is_some() && meta.is_some() && seo != meta;
        wrong.check(differ, "meta_description", "is another name for seo_description and differs from it; give one");
    };
}

impl From<UpdateArticle> for ArticleEdit {
    fn from(change: UpdateArticle) -> Self {
        Self {
            title: change.title.0.map(|title| title.0),
            content: change.content.0.map(|content| content.0),
            slug: change.slug.0.map(|slug| slug.0),
            seo_title: change.seo_title.0.map(|title| title.0),
            seo_description: change.seo_description.0.or(change.meta_description.0).map(|text| text.0),
            keywords: change.keywords.0.map(|list| list.0.into_iter().map(|keyword| keyword.0).collect()),
            publication_status: change.publication_status.0.map(|status| status.0),
            if_version: None,
        }
    }
}

/// The last part of an article's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(pub String);

impl Scalar for Slug {
    fn schema() -> MetaSchema {
        let pattern = Some("^[a-z0-9]+(-[a-z0-9]+)*$".to_owned());
        MetaSchema { min_length: Some(1), max_length: Some(80), pattern, ..MetaSchema::new("string") }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        if SlugRule::holds(text) { Ok(Self(text.to_owned())) } else { Err(SlugRule::TEXT.to_owned()) }
    }
}

/// The text of an article as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown(String);

type AnyText = Text<1, 500_000>;

impl Scalar for Markdown {
    fn schema() -> MetaSchema {
        MetaSchema { description: Some("Markdown."), ..<AnyText as Scalar>::schema() }
    }

    fn of_json(value: &Value) -> Result<Self, String> {
        Self::of_text(text_of(value)?)
    }

    fn of_text(text: &str) -> Result<Self, String> {
        match looks_like_html(text) {
            true => Err("is HTML; send Markdown, as content_markdown of the article shows it".to_owned()),
            false => AnyText::of_text(text).map(|text| Self(text.0)),
        }
    }
}

/// A text that begins with a block of HTML: a client that reads `content` as HTML sends it back so, and as Markdown it
/// would show its tags to the reader.
fn looks_like_html(text: &str) -> bool {
    let Some(rest) = text.trim_start().strip_prefix('<') else { return false };
    let name: String = rest.trim_start_matches('!').chars().take_while(char::is_ascii_alphanumeric).collect();
    let blocks = [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "ul",
        "ol",
        "table",
        "blockquote",
        "figure",
        "img",
        "pre",
        "hr",
        "br",
        "html",
        "body",
        "doctype",
    ];
    blocks.contains(&name.to_ascii_lowercase().as_str()) && !rest[name.len().min(rest.len())..].starts_with(':')
}

#[cfg(test)]
mod tests;

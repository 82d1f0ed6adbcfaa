//! Articles: listing, reading, changing, removing.

use galley_domain::{
    article::{ArticleStatus, ContentFormat, PublicationStatus},
    order::{FieldError, Violations},
};
use galley_services::ArticleEdit;
use galley_store::{ArticleFilter, ArticleSort};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

pub mod claims;
pub mod generate;
pub mod versions;
mod view;

pub use view::{Article, DataSource, whole};

use crate::http::{
    Area,
    kit::{
        auth::{ArticlesRead, ArticlesWrite, Auth, Content},
        body::{Body, Fields, FromBody},
        failure::{Changing, Listing, Removing, Viewing},
        header::{Head, IfMatch},
        page::{Envelope, ListAnswer, Pagination},
        problem::Problem,
        query::{Given, OneOf, QueryValue, Whole, Words},
        reply::{NoContent, Outcome, Reply, Versioned},
        scalar::{Id, Vocabulary, Word},
        shape::{Filled, Said},
    },
};
use view::ArticleSummary;

pub struct Articles;

type Number = Whole<1, 1_000_000>;
type PageSize = Whole<1, 100>;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Articles")]
impl Articles {
    /// List articles
    ///
    /// A page of the articles without their text. `status` and `publication_status` both narrow the list.
    #[oai(path = "/articles", method = "get", operation_id = "list_articles")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter, as poem-openapi has it")]
    async fn list(
        &self,
        auth: Auth<ArticlesRead>,
        /// The page, counted from 1; 1 when not given.
        page: Query<Given<Number>>,
        /// Articles a page; 20 when not given.
        limit: Query<Given<PageSize>>,
        /// Another name for `limit`.
        page_size: Query<Given<PageSize>>,
        /// Only articles in this state.
        status: Query<Given<OneOf<ArticleStatus>>>,
        /// Only articles that are published, archived, or neither (draft).
        publication_status: Query<Given<OneOf<PublicationStatus>>>,
        /// Only articles of this project.
        project_id: Query<Given<Uuid>>,
        /// Only articles with this in their title, in any case.
        search: Query<Given<Words<200>>>,
        /// What to sort by; `created_at` when not given.
        sort: Query<Given<OneOf<Sort>>>,
        /// `desc` when not given.
        order: Query<Given<OneOf<Order>>>,
    ) -> Outcome<ListAnswer<ArticleSummary>, Listing> {
        let given = ListQuery {
            page: page.0,
            limit: limit.0,
            page_size: page_size.0,
            status: status.0,
            publication_status: publication_status.0,
            project_id: project_id.0,
            search: search.0,
            sort: sort.0,
            order: order.0,
        };
        let wanted = given.read()?;
        Ok(Reply::new(page_of(&auth, &wanted).await?))
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
        /// What `content` shall be.
        content_format: Query<Given<OneOf<ContentFormat>>>,
    ) -> Outcome<Envelope<Article>, Viewing, Versioned> {
        let format = only("content_format", content_format.0)?.map(|format| format.0);
        let row = auth.services().article(auth.org(), article_id.0.0).await?;
        let version = row.version;
        Ok(Reply::new(Envelope::of(whole(&auth, row, format).await?)).version(version))
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
        /// The ETag of the article as you read it.
        #[oai(name = "If-Match")]
        if_match: Head<IfMatch>,
        edit: Body<Edit>,
    ) -> Outcome<Article, Changing, Versioned> {
        let edit = ArticleEdit { if_version: if_match.0.0, ..edit.value.0 };
        let row = auth.services().edit_article(auth.org(), article_id.0.0, edit).await?;
        let version = row.version;
        Ok(Reply::new(whole(&auth, row, None).await?).version(version))
    }

    /// Delete an article
    ///
    /// Removes it for good, with all its versions. One that is still being written takes its task with it.
    #[oai(path = "/articles/:article_id", method = "delete", operation_id = "delete_article")]
    async fn delete(
        &self,
        auth: Auth<ArticlesWrite, Content>,
        article_id: Path<Id>,
    ) -> Result<NoContent, crate::http::kit::failure::Failure<Removing>> {
        auth.services().delete_article(auth.org(), article_id.0.0).await?;
        Ok(NoContent)
    }
}

/// A single parameter, or 400.
fn only<T: QueryValue>(name: &str, given: Given<T>) -> Result<Option<T>, Problem> {
    let mut wrong = Violations::default();
    let value = given.take(name, &mut wrong);
    wrong.finish().map_err(Problem::invalid)?;
    Ok(value)
}

async fn page_of(auth: &Auth<ArticlesRead>, wanted: &Wanted) -> Result<ListAnswer<ArticleSummary>, Problem> {
    let filter = &wanted.filter;
    if wanted.nothing {
        let pagination = Pagination::new(0, filter.offset, filter.limit);
        return Ok(ListAnswer { success: true, data: Vec::new(), pagination });
    }
    let found = auth.services().articles(auth.org(), filter).await?;
    let data = found.rows.into_iter().map(ArticleSummary::try_from).collect::<Result<_, _>>()?;
    let pagination = Pagination::new(found.total, filter.offset, filter.limit);
    Ok(ListAnswer { success: true, data, pagination })
}

macro_rules! query_words {
    ($name:ident { $($variant:ident = $text:literal),+ }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl Vocabulary for $name {
            fn words() -> Vec<&'static str> {
                vec![$($text),+]
            }

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn of(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("must be one of {}", Self::words().join(", "))),
                }
            }
        }
    };
}

query_words! { Sort { CreatedAt = "created_at", UpdatedAt = "updated_at", Title = "title" } }
query_words! { Order { Asc = "asc", Desc = "desc" } }

struct ListQuery {
    page: Given<Number>,
    limit: Given<PageSize>,
    page_size: Given<PageSize>,
    status: Given<OneOf<ArticleStatus>>,
    publication_status: Given<OneOf<PublicationStatus>>,
    project_id: Given<Uuid>,
    search: Given<Words<200>>,
    sort: Given<OneOf<Sort>>,
    order: Given<OneOf<Order>>,
}

/// A page to read.
#[derive(Debug)]
struct Wanted {
    filter: ArticleFilter,
    /// The two status filters exclude each other.
    nothing: bool,
}

impl ListQuery {
    fn read(self) -> Result<Wanted, Problem> {
        let mut wrong = Violations::default();
        let page = self.page.take("page", &mut wrong).map_or(1, |page| page.0.unsigned_abs());
        let limit = self.limit.take("limit", &mut wrong);
        let page_size = self.page_size.take("page_size", &mut wrong);
        if let (Some(limit), Some(page_size)) = (limit, page_size) {
            wrong.check(limit != page_size, "page_size", "is another name for limit and differs from it; give one");
        }
        let status = self.status.take("status", &mut wrong).map(|status| status.0);
        let publication = self.publication_status.take("publication_status", &mut wrong).map(|status| status.0);
        let project_id = self.project_id.take("project_id", &mut wrong);
        let search = self.search.take("search", &mut wrong).map(|search| search.0);
        let sort = self.sort.take("sort", &mut wrong).map_or(Sort::CreatedAt, |sort| sort.0);
        let order = self.order.take("order", &mut wrong).map_or(Order::Desc, |order| order.0);
        wrong.finish().map_err(Problem::invalid)?;
        let limit = limit.or(page_size).map_or(20, |limit| limit.0.unsigned_abs());
        let filtered = status.is_some() || publication.is_some();
        let statuses: Vec<ArticleStatus> = ArticleStatus::ALL
            .iter()
            .copied()
            .filter(|known| filtered && status.is_none_or(|status| status == *known))
            .filter(|known| publication.is_none_or(|publication| publication == known.publication()))
            .collect();
        let sort = match sort {
            Sort::CreatedAt => ArticleSort::CreatedAt,
            Sort::UpdatedAt => ArticleSort::UpdatedAt,
            Sort::Title => ArticleSort::Title,
        };
        let nothing = filtered && statuses.is_empty();
        let (descending, offset) = (order == Order::Desc, (page - 1) * limit);
        let filter = ArticleFilter { statuses, project_id, search, sort, descending, limit, offset };
        Ok(Wanted { filter, nothing })
    }
}

/// Changes to an article; what is left out stays.
#[derive(Object)]
pub struct UpdateArticle {
    /// 1 to 300 characters.
    title: Option<Said<Filled<1, 300>>>,
    /// Markdown: at most 500,000 bytes of UTF-8 and 5,000 sentences.
    content: Option<Said<Filled<1, 500_000>>>,
    /// 1 to 80 lower-case letters a-z, digits and single hyphens; unique in the organization.
    #[oai(validator(min_length = 1, max_length = 80, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"))]
    slug: Option<String>,
    /// 1 to 200 characters.
    seo_title: Option<Said<Filled<1, 200>>>,
    /// 1 to 500 characters.
    seo_description: Option<Said<Filled<1, 500>>>,
    /// Another name for `seo_description`.
    meta_description: Option<Said<Filled<1, 500>>>,
    /// At most 20, each up to 100 characters.
    #[oai(validator(max_items = 20))]
    keywords: Option<Vec<Said<Filled<1, 100>>>>,
    publication_status: Option<Word<PublicationStatus>>,
}

/// An edit as it was read; the use case checks its texts.
#[derive(Debug)]
pub struct Edit(ArticleEdit);

impl FromBody for Edit {
    type Shape = UpdateArticle;
    const REFUSES_NULL: bool = true;
    const NEEDS_A_FIELD: bool = true;

    fn read(fields: &mut Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let seo_description = fields.text("seo_description");
        let meta_description = fields.text("meta_description");
        let mut wrong = Violations::default();
        if let (Some(seo), Some(meta)) = (&seo_description, &meta_description) {
            let message = "is another name for seo_description and differs from it; give one";
            wrong.check(seo != meta, "meta_description", message);
        }
        let edit = ArticleEdit {
            title: fields.text("title"),
            content: fields.text("content"),
            slug: fields.text("slug"),
            seo_title: fields.text("seo_title"),
            seo_description: seo_description.or(meta_description),
            keywords: fields.texts("keywords"),
            publication_status: fields.word("publication_status"),
            if_version: None,
        };
        let html = edit.content.as_deref().is_some_and(looks_like_html);
        wrong.check(html, "content", "is HTML; send Markdown, as content_markdown of the article shows it");
        if edit_is_empty(&edit) && !fields.has_errors() {
            wrong.add("body", "changes nothing; give at least one field to change");
        }
        wrong.finish().map(|()| Self(edit))
    }
}

fn edit_is_empty(edit: &ArticleEdit) -> bool {
    edit.title.is_none()
        && edit.content.is_none()
        && edit.slug.is_none()
        && edit.seo_title.is_none()
        && edit.seo_description.is_none()
        && edit.keywords.is_none()
        && edit.publication_status.is_none()
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

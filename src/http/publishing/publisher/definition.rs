//! A site as everybody may read it.

use std::collections::BTreeSet;

use galley_services as services;
use galley_text::{markdown::to_html, slug::slugify};
use poem::{
    IntoResponse, Response,
    http::{StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};
use uuid::Uuid;

use crate::http::kit::{
    envelope::PlannerAnswer,
    problem::Problem,
    scalar::{Moment, Nullable},
};

const CACHING: &str = "public, max-age=60";

/// Which site it is.
#[derive(Debug, Object)]
pub struct DefinedSite {
    id: Uuid,
    name: String,
    slug: String,
    domain: Nullable<String>,
}

/// Where a page of a site is found.
#[derive(Debug, Object)]
pub struct NavigationEntry {
    title: String,
    slug: String,
}

/// A term of a site.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Object)]
pub struct SiteTerm {
    name: String,
    slug: String,
    /// category or tag.
    taxonomy_type: String,
}

/// A published text.
#[derive(Debug, Object)]
pub struct SitePage {
    slug: String,
    title: String,
    excerpt: Nullable<String>,
    content_html: String,
    meta_title: String,
    meta_description: String,
    featured_image_url: Nullable<String>,
    published_at: Nullable<Moment>,
    /// post or page.
    content_type: String,
    taxonomy_terms: Vec<SiteTerm>,
}

/// What is published of a site.
#[derive(Debug, Object)]
pub struct SiteDefinition {
    site: DefinedSite,
    /// Grows with each change.
    version: i64,
    /// The pages of the site.
    navigation: Vec<NavigationEntry>,
    /// The newest first.
    pages: Vec<SitePage>,
    taxonomies: Vec<SiteTerm>,
    generated_at: Moment,
}

fn term(name: &str, taxonomy_type: &str) -> SiteTerm {
    SiteTerm { name: name.to_owned(), slug: slugify(name), taxonomy_type: taxonomy_type.to_owned() }
}

impl TryFrom<services::SiteDefinition> for SiteDefinition {
    type Error = Problem;

    fn try_from(definition: services::SiteDefinition) -> Result<Self, Problem> {
        let services::SiteDefinition { project, version, texts, generated_at } = definition;
        let page = |text: galley_store::SiteText| {
            let categories = text.categories.iter().map(|name| term(name, "category"));
            let taxonomy_terms = categories.chain(text.tags.iter().map(|name| term(name, "tag"))).collect();
            let or = |own: String, other: &str| if own.is_empty() { other.to_owned() } else { own };
            SitePage {
                slug: text.slug,
                content_html: to_html(&text.content_markdown),
                // What came from a site has none of its own.
                meta_title: or(text.seo_title, &text.title),
                meta_description: or(text.seo_description, text.excerpt.as_deref().unwrap_or_default()),
                title: text.title,
                excerpt: text.excerpt.into(),
                featured_image_url: text.featured_url.into(),
                published_at: text.published_at.into(),
                content_type: if text.is_page { "page" } else { "post" }.to_owned(),
                taxonomy_terms,
            }
        };
        let pages: Vec<SitePage> = texts.into_iter().map(page).collect();
        let entry = |page: &SitePage| NavigationEntry { title: page.title.clone(), slug: page.slug.clone() };
        let terms: BTreeSet<SiteTerm> = pages.iter().flat_map(|page| page.taxonomy_terms.iter().cloned()).collect();
        Ok(Self {
            site: DefinedSite { id: project.id, name: project.name, slug: project.slug, domain: project.domain.into() },
            version,
            navigation: pages.iter().filter(|page| page.content_type == "page").map(entry).collect(),
            taxonomies: terms.into_iter().collect(),
            pages,
            generated_at: generated_at.into(),
        })
    }
}

/// A definition with its tag; without a body for a client that has it.
pub struct DefinitionAnswer {
    pub tag: String,
    pub body: Option<PlannerAnswer<SiteDefinition>>,
}

impl IntoResponse for DefinitionAnswer {
    fn into_response(self) -> Response {
        let caching =
            Response::builder().header(header::CACHE_CONTROL, CACHING).header(header::ETAG, format!("W/{}", self.tag));
        match self.body {
            Some(body) => caching.content_type("application/json").body(body.to_json_string()),
            None => caching.status(StatusCode::NOT_MODIFIED).finish(),
        }
    }
}

impl ApiResponse for DefinitionAnswer {
    fn meta() -> MetaResponses {
        let header = |name: &str, description: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(description.to_owned()),
            required: false,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        };
        let headers =
            || vec![header("ETag", "For `If-None-Match`."), header("Cache-Control", "How long it may be kept.")];
        let schema = PlannerAnswer::<SiteDefinition>::schema_ref();
        let whole = MetaResponse {
            description: "Done.",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: headers(),
        };
        let known = MetaResponse {
            description: "You have it already; there is no body.",
            status: Some(304),
            status_range: None,
            content: Vec::new(),
            headers: headers(),
        };
        MetaResponses { responses: vec![whole, known] }
    }

    fn register(registry: &mut Registry) {
        PlannerAnswer::<SiteDefinition>::register(registry);
    }
}

//! What a site has, whoever made it: texts page by page, counts, kinds of texts and terms.

use std::collections::{BTreeMap, HashMap};

use galley_domain::Fault;
use serde::Deserialize;
use serde_json::Value;

use super::{
    WordPress,
    failure::Failure,
    posts::{FIELDS, RAW_FIELDS, RemotePost},
    site::{Site, read},
    terms,
};
use crate::{
    markup::decoded,
    probe::TermKind,
    remote::RemoteFields,
    {Collection, Kind, RemoteItem, RemotePage, Structure},
};

/// Without what is in the trash.
const STATUSES: &str = "publish,future,draft,pending,private";
const PER_PAGE: u32 = 20;
/// Kinds that are counted.
const MOST_KINDS: usize = 30;

fn route(collection: Collection) -> &'static str {
    match collection {
        Collection::Posts => "wp/v2/posts",
        Collection::Pages => "wp/v2/pages",
        // Of WooCommerce, which takes application passwords too.
        Collection::Products => "wc/v3/products",
        Collection::Categories => "wp/v2/categories",
        Collection::Tags => "wp/v2/tags",
        Collection::Media => "wp/v2/media",
    }
}

/// How much there is in all.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    total: u64,
    pages: u32,
}

/// Terms by name, asked for once for each set of them.
#[derive(Default)]
struct Names(HashMap<Vec<u64>, Vec<String>>);

impl Names {
    async fn of(&mut self, site: &Site, kind: TermKind, ids: &[u64]) -> Result<Vec<String>, Fault> {
        if let Some(known) = self.0.get(ids) {
            return Ok(known.clone());
        }
        let names = terms::names_of(site, kind, ids).await?;
        self.0.insert(ids.to_vec(), names.clone());
        Ok(names)
    }
}

/// A kind of texts or terms, as the site describes it.
#[derive(Debug, Deserialize)]
struct RemoteKind {
    #[serde(default)]
    name: String,
    #[serde(default)]
    rest_base: String,
    #[serde(default)]
    rest_namespace: Option<String>,
    #[serde(default)]
    viewable: Option<bool>,
}

/// Kinds that are part of how a site looks, not of what it says.
const LOOKS: [&str; 3] = ["attachment", "nav_menu", "link_category"];

impl WordPress {
    /// One page of the posts or pages of the site, in the order of their numbers.
    pub(super) async fn page_of(&self, collection: Collection, page: u32) -> Result<RemotePage, Fault> {
        let found = self.texts(collection, page.max(1)).await;
        let (posts, Counted { total, pages }) = found.map_err(|failure| failure.into_fault("list what it has"))?;
        let (mut categories, mut tags) = (Names::default(), Names::default());
        let mut items = Vec::with_capacity(posts.len());
        for post in &posts {
            let categories = categories.of(&self.site, TermKind::Category, &post.categories).await?;
            let tags = tags.of(&self.site, TermKind::Tag, &post.tags).await?;
            items.push(self.item_of(post, categories, tags).await?);
        }
        Ok(RemotePage { items, pages, total })
    }

    /// The texts of a page, and how many there are in all. What is too large for one answer comes in several.
    async fn texts(&self, collection: Collection, page: u32) -> Result<(Vec<RemotePost>, Counted), Failure> {
        let (mut found, mut counted) = (Vec::new(), Counted::default());
        // Parts of the page, the first one last: its number among parts of its size, and its size.
        let mut parts = vec![(page, PER_PAGE)];
        while let Some((number, size)) = parts.pop() {
            match self.part(collection, number, size).await {
                Ok(Some((posts, all))) => {
                    found.extend(posts);
                    counted = all;
                }
                // Somebody has removed some meanwhile.
                Ok(None) => {}
                Err(Failure::TooLarge { .. }) if size > 1 => {
                    // Parts of one size are numbered through, so that a size must divide the next larger one.
                    let smaller = if size.is_multiple_of(2) { size / 2 } else { 1 };
                    let count = size / smaller;
                    parts.extend((0..count).rev().map(|at| ((number - 1) * count + at + 1, smaller)));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok((found, counted))
    }

    /// `None` behind the last one.
    async fn part(
        &self,
        collection: Collection,
        number: u32,
        size: u32,
    ) -> Result<Option<(Vec<RemotePost>, Counted)>, Failure> {
        let (number, asked) = (number.to_string(), size.to_string());
        // A site that does not know fields within fields leaves out the texts themselves.
        for fields in [RAW_FIELDS, FIELDS] {
            let query = [
                ("status", STATUSES),
                ("context", "edit"),
                ("orderby", "id"),
                ("order", "asc"),
                ("per_page", asked.as_str()),
                ("page", number.as_str()),
                ("_fields", fields),
            ];
            let answer = match self.site.get(route(collection), &query).await {
                Ok(answer) => answer,
                Err(failure) if failure.refusal().is_some_and(|no| no.code == "rest_post_invalid_page_number") => {
                    return Ok(None);
                }
                Err(failure) => return Err(failure),
            };
            let has_text = |post: &Value| post.pointer("/content/raw").is_some();
            if fields == RAW_FIELDS && !answer.json.as_array().is_some_and(|posts| posts.iter().all(has_text)) {
                continue;
            }
            let total: u64 = answer.header("x-wp-total").and_then(|total| total.parse().ok()).unwrap_or(0);
            // What the site says of pages is about pages of this size.
            let said = answer.header("x-wp-totalpages").and_then(|pages| pages.parse().ok());
            let reckoned = || u32::try_from(total.div_ceil(u64::from(PER_PAGE))).unwrap_or(u32::MAX);
            let pages = said.filter(|_| size == PER_PAGE).unwrap_or_else(reckoned);
            return Ok(Some((read(answer.json)?, Counted { total, pages })));
        }
        Ok(None)
    }

    async fn item_of(
        &self,
        post: &RemotePost,
        categories: Vec<String>,
        tags: Vec<String>,
    ) -> Result<RemoteItem, Fault> {
        let featured = match super::media::by_id(&self.site, post.featured_media).await {
            Ok(featured) => featured,
            // One picture that the site cannot show holds up no other text; what may pass is waited for.
            Err(Failure::Refused(no)) if !matches!(no.status, 408 | 429 | 502..=504) => None,
            Err(Failure::Fault(fault)) if !fault.is_transient() => None,
            Err(failure) => return Err(failure.into_fault("show the featured picture")),
        };
        let fields = RemoteFields {
            title: post.title(),
            content: super::marker::without(&post.content.raw),
            excerpt: decoded(&post.excerpt.raw),
            slug: post.slug(),
            status: post.status(),
            categories,
            tags,
            featured,
            date: post.date(),
        };
        let article = post.marker().map(|marker| marker.article);
        let is_protected = !post.password.is_empty();
        Ok(RemoteItem { external_id: post.id.to_string(), url: post.link.clone(), article, is_protected, fields })
    }

    /// How many there are; nothing where the site does not say.
    pub(super) async fn count_of(&self, route: &str) -> Result<Option<u64>, Fault> {
        let answer = self.site.get(route, &[("per_page", "1"), ("_fields", "id")]).await;
        let answer = answer.map_err(|failure| failure.into_fault("count what it has"))?;
        Ok(answer.header("x-wp-total").and_then(|total| total.parse().ok()))
    }

    pub(super) async fn collection_count(&self, collection: Collection) -> Result<Option<u64>, Fault> {
        self.count_of(route(collection)).await
    }

    /// Kinds of texts that visitors see, and the terms that they are sorted by.
    pub(super) async fn kinds(&self) -> Result<Structure, Fault> {
        let post_types = self.kinds_at("wp/v2/types").await?;
        let taxonomies = self.kinds_at("wp/v2/taxonomies").await?;
        Ok(Structure { post_types, taxonomies })
    }

    async fn kinds_at(&self, route: &str) -> Result<Vec<Kind>, Fault> {
        let doing = "say what it is made of";
        let answer = self.site.get(route, &[("context", "edit")]).await.map_err(|failure| failure.into_fault(doing))?;
        // PHP writes an empty object as an empty list.
        let found: BTreeMap<String, RemoteKind> = match answer.json {
            Value::Array(_) => BTreeMap::new(),
            json => read(json).map_err(|failure: super::failure::Failure| failure.into_fault(doing))?,
        };
        let mut kinds = Vec::new();
        for (name, kind) in found {
            let is_look = LOOKS.contains(&name.as_str()) || name.starts_with("wp_");
            if is_look || kind.viewable == Some(false) || kind.rest_base.is_empty() || kinds.len() >= MOST_KINDS {
                continue;
            }
            let namespace = kind.rest_namespace.as_deref().unwrap_or("wp/v2");
            // A kind that this user may not list is there all the same.
            let count = self.count_of(&format!("{namespace}/{}", kind.rest_base)).await.unwrap_or(None);
            kinds.push(Kind { label: decoded(&kind.name), name, count });
        }
        Ok(kinds)
    }
}

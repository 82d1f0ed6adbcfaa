//! Posts as the site has them, and how the one of an article is found among them.

use chrono::{DateTime, NaiveDateTime, Utc};
use galley_domain::Fault;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    client::Body,
    failure::Failure,
    marker::{Marker, search_word},
    site::{Site, read},
};
use crate::{
    differences,
    markup::decoded,
    remote::{Existing, Known, RemoteStatus},
};

/// All that a post may be in, apart from drafts that an editor has not saved yet. `any` leaves out the trash.
const ALL_STATUSES: &str = "publish,future,draft,pending,private,trash";
pub(super) const FIELDS: &str =
    "id,slug,status,link,date_gmt,title,content,excerpt,categories,tags,featured_media,password,meta,aioseo_meta_data";
/// The same of texts in a list: a site would have to render each of them.
pub(super) const RAW_FIELDS: &str = "id,slug,status,link,date_gmt,title.raw,content.raw,excerpt.raw,categories,tags,\
                                     featured_media,password";
/// Suffixes that are looked at where a name was taken.
const SUFFIXES: u32 = 4;

/// With `context=edit`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RemotePost {
    pub id: u64,
    #[serde(default)]
    pub slug: String,
    pub status: String,
    #[serde(default)]
    pub link: String,
    #[serde(default)]
    date_gmt: Option<String>,
    pub title: Raw,
    pub content: Raw,
    #[serde(default)]
    pub excerpt: Raw,
    #[serde(default)]
    pub categories: Vec<u64>,
    #[serde(default)]
    pub tags: Vec<u64>,
    #[serde(default)]
    pub featured_media: u64,
    /// Empty where the post has none.
    #[serde(default)]
    pub password: String,
    /// An empty list where no key is open.
    #[serde(default)]
    pub meta: Value,
    /// Of All in One SEO.
    #[serde(default)]
    pub aioseo_meta_data: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Raw {
    #[serde(default)]
    pub raw: String,
}

impl RemotePost {
    pub fn status(&self) -> RemoteStatus {
        match self.status.as_str() {
            "publish" => RemoteStatus::Published,
            "draft" | "auto-draft" => RemoteStatus::Draft,
            "pending" => RemoteStatus::Pending,
            "future" => RemoteStatus::Future,
            "private" => RemoteStatus::Private,
            "trash" => RemoteStatus::Trashed,
            _ => RemoteStatus::Other,
        }
    }

    pub fn is_trashed(&self) -> bool {
        self.status() == RemoteStatus::Trashed
    }

    pub fn marker(&self) -> Option<Marker> {
        Marker::find(&self.content.raw)
    }

    pub fn version(&self) -> u32 {
        self.marker().map_or(0, |marker| marker.version)
    }

    /// Drafts have a date that moves; WordPress itself goes by it all the same when one is published.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        if matches!(self.status(), RemoteStatus::Draft | RemoteStatus::Pending) {
            return None;
        }
        Some(self.date_gmt.as_ref()?.parse::<NaiveDateTime>().ok()?.and_utc())
    }

    /// As it is typed: `%e2%98%95` is a character, and the trash adds a word.
    pub fn slug(&self) -> String {
        let slug = self.slug.strip_suffix("__trashed").unwrap_or(&self.slug);
        percent_encoding::percent_decode_str(slug).decode_utf8_lossy().into_owned()
    }

    pub fn title(&self) -> String {
        decoded(&self.title.raw)
    }

    pub fn existing(&self) -> Existing {
        Existing {
            external_id: self.id.to_string(),
            url: self.link.clone(),
            slug: self.slug(),
            version: self.version(),
            status: self.status(),
        }
    }

    /// Whether it is the article's. Out of a post that our records name, others may have taken the mark, or it was found with
    /// the mark of another article; on another site the number is somebody else's post. So without the mark it must have the
    /// name, the address or the text that we know. Where nothing but the number is known, somebody has said it by hand.
    fn belongs_to(&self, article: Uuid, known: &Known) -> bool {
        if let Some(marker) = self.marker() {
            return marker.article == article || Some(marker.article) == known.mark;
        }
        if known.slug.is_empty() && known.url.is_empty() && known.fields.is_none() {
            return true;
        }
        let is = |wanted: &str, found: &str| !wanted.is_empty() && wanted == found;
        let has_text = |content: &str| !content.trim().is_empty() && differences::same_html(content, &self.content.raw);
        is(&known.slug, &self.slug())
            || is(&known.url, &self.link)
            || known.fields.as_ref().is_some_and(|fields| has_text(&fields.content))
    }

    /// What another article's mark says of versions is nothing about this one.
    fn without_mark_of_others(mut self, article: Uuid) -> Self {
        if self.marker().is_some_and(|marker| marker.article != article) {
            self.content.raw = super::marker::without(&self.content.raw);
        }
        self
    }
}

/// The post of an article, wherever somebody has put it: by the number that our records know, by the mark in its text, by
/// its name. Of copies the one that is not in the trash counts, then the first.
pub(super) async fn find(
    site: &Site,
    article: Uuid,
    known: Option<&Known>,
    slug: Option<&str>,
) -> Result<Option<RemotePost>, Fault> {
    let doing = "look for the article";
    if let Some(known) = known
        && let Ok(id) = known.external_id.parse::<u64>()
        && let Some(post) = by_id(site, id).await.map_err(|failure| failure.into_fault(doing))?
        && post.belongs_to(article, known)
    {
        return Ok(Some(post.without_mark_of_others(article)));
    }
    let marked = marked(site, article).await.map_err(|failure| failure.into_fault(doing))?;
    if let Some(post) = first(marked) {
        return Ok(Some(post));
    }
    // A site may search with an index of its own, which is late or leaves drafts out.
    let Some(slug) = slug.or(known.map(|known| known.slug.as_str())).filter(|slug| !slug.is_empty()) else {
        return Ok(None);
    };
    let named = by_slugs(site, &[slug.to_owned()]).await.map_err(|failure| failure.into_fault(doing))?;
    Ok(first(named.into_iter().filter(|post| is_of(post, article)).collect()))
}

/// `None` where there is no such post any more.
pub(super) async fn by_id(site: &Site, id: u64) -> Result<Option<RemotePost>, Failure> {
    match site.get(&format!("wp/v2/posts/{id}"), &[("context", "edit"), ("_fields", FIELDS)]).await {
        Ok(answer) => Ok(Some(read(answer.json)?)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// All posts with the article's mark.
pub(super) async fn marked(site: &Site, article: Uuid) -> Result<Vec<RemotePost>, Failure> {
    let found = searched(site, &search_word(article)).await?;
    Ok(found.into_iter().filter(|post| is_of(post, article)).collect())
}

/// What the site's search finds, in whatever state.
pub(super) async fn searched(site: &Site, word: &str) -> Result<Vec<RemotePost>, Failure> {
    listed(site, &[("search", word), ("orderby", "id"), ("order", "asc")]).await
}

/// All posts with the article's mark, also those that the site's search does not know yet.
pub(super) async fn copies(site: &Site, article: Uuid, slugs: &[String]) -> Result<Vec<RemotePost>, Failure> {
    let mut found = marked(site, article).await?;
    let named = by_slugs(site, slugs).await?;
    found.extend(named.into_iter().filter(|post| is_of(post, article)));
    found.sort_by_key(|post| post.id);
    found.dedup_by_key(|post| post.id);
    Ok(found)
}

/// Also under the names that a site makes of these where they are taken, or in the trash.
pub(super) async fn by_slugs(site: &Site, slugs: &[String]) -> Result<Vec<RemotePost>, Failure> {
    let mut names = Vec::new();
    for slug in slugs.iter().filter(|slug| !slug.is_empty()) {
        names.extend([slug.clone(), format!("{slug}__trashed")]);
        names.extend((2..=SUFFIXES).map(|suffix| format!("{slug}-{suffix}")));
    }
    listed(site, &[("slug", &names.join(","))]).await
}

async fn listed(site: &Site, query: &[(&str, &str)]) -> Result<Vec<RemotePost>, Failure> {
    let mut query = query.to_vec();
    query.extend([("status", ALL_STATUSES), ("context", "edit"), ("per_page", "20"), ("_fields", FIELDS)]);
    read(site.get("wp/v2/posts", &query).await?.json)
}

fn is_of(post: &RemotePost, article: Uuid) -> bool {
    post.marker().is_some_and(|marker| marker.article == article)
}

fn first(mut posts: Vec<RemotePost>) -> Option<RemotePost> {
    posts.sort_by_key(|post| (post.is_trashed(), post.id));
    posts.into_iter().next()
}

/// Makes a post, or writes over the one with this number.
pub(super) async fn write(site: &Site, id: Option<u64>, fields: &Value) -> Result<RemotePost, Failure> {
    let route = id.map_or("wp/v2/posts".to_owned(), |id| format!("wp/v2/posts/{id}"));
    let answer = site.post(&route, &[("context", "edit"), ("_fields", FIELDS)], Body::Json(fields)).await?;
    read(answer.json)
}

/// Into the trash, or for good; false when that has been done before.
pub(super) async fn remove(site: &Site, id: u64, for_good: bool) -> Result<bool, Failure> {
    let force = if for_good { "true" } else { "false" };
    match site.delete(&format!("wp/v2/posts/{id}"), &[("force", force)]).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.is_missing() => Ok(false),
        Err(failure) => Err(failure),
    }
}

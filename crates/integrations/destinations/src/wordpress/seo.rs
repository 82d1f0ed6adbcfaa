//! Title, description and keyphrase for search engines, where a plugin of the site has a place for them. WordPress takes
//! unknown keys without a word, so what was written is read back before it is called written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    client::Body,
    failure::Failure,
    posts::{self, RemotePost},
    site::Site,
};
use crate::{
    markup::{Token, decoded, tokens},
    post::SeoMeta,
    remote::SeoOutcome,
};

/// Keys of a post's `meta` by plugin: title, description, keyphrase.
const META_KEYS: [[Option<&str>; 3]; 3] = [
    [Some("_yoast_wpseo_title"), Some("_yoast_wpseo_metadesc"), Some("_yoast_wpseo_focuskw")],
    [Some("rank_math_title"), Some("rank_math_description"), Some("rank_math_focus_keyword")],
    // The SEO Framework knows no keyphrase.
    [Some("_genesis_title"), Some("_genesis_description"), None],
];
const RANK_MATH: &str = "rankmath/v1";
const AIOSEO: &str = "aioseo/v1";

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Keys that the site has opened for REST; the index is of [`META_KEYS`].
    Meta(usize),
    RankMath,
    Aioseo,
}

/// What came of it, with a sentence where it is not as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seo {
    pub outcome: SeoOutcome,
    pub warning: Option<String>,
    /// The way that was found, in words.
    pub way: Option<String>,
}

impl Seo {
    fn of(outcome: SeoOutcome) -> Self {
        Self { outcome, warning: None, way: None }
    }
}

/// The first place that the site offers.
async fn place(site: &Site, post: &RemotePost) -> Option<Place> {
    let open =
        |keys: &[Option<&str>; 3]| keys.iter().flatten().all(|key| post.meta.get(*key).is_some_and(Value::is_string));
    if let Some(at) = META_KEYS.iter().position(open) {
        return Some(Place::Meta(at));
    }
    let root = site.root().await.ok()?;
    if root.has(RANK_MATH) {
        return Some(Place::RankMath);
    }
    // An empty list until something is written.
    (root.has(AIOSEO) && !post.aioseo_meta_data.is_null()).then_some(Place::Aioseo)
}

/// Writes what is not empty and reads it back. The post is there: whatever fails here is a warning.
pub(super) async fn write(site: &Site, post: &RemotePost, seo: &SeoMeta) -> Seo {
    if seo.title.is_empty() && seo.description.is_empty() && seo.focus_keyword.is_empty() {
        return Seo::of(SeoOutcome::Unknown);
    }
    let Some(place) = place(site, post).await else { return Seo::of(SeoOutcome::NotSupported) };
    let mut seen = match written(site, post, seo, place).await {
        Ok(()) => match read_back(site, post, seo, place).await {
            Ok(outcome) => Seo::of(outcome),
            Err(failure) => failed(failure, "give back its SEO fields"),
        },
        Err(failure) => failed(failure, "take the SEO fields"),
    };
    if seen.outcome == SeoOutcome::Ignored {
        seen.warning = Some("the site took the SEO fields and did not keep them".to_owned());
    }
    seen.way = Some(
        match place {
            Place::Meta(0) => "Yoast SEO (keys opened for REST)",
            Place::Meta(1) => "Rank Math (keys opened for REST)",
            Place::Meta(_) => "The SEO Framework (keys opened for REST)",
            Place::RankMath => "Rank Math",
            Place::Aioseo => "All in One SEO",
        }
        .to_owned(),
    );
    seen
}

fn failed(failure: Failure, doing: &str) -> Seo {
    let is_refused = failure.refusal().is_some_and(|refusal| refusal.status < 500);
    let outcome = if is_refused { SeoOutcome::NotSupported } else { SeoOutcome::Unknown };
    Seo { outcome, warning: Some(failure.into_fault(doing).to_string()), way: None }
}

fn pairs<'a>(seo: &'a SeoMeta, keys: &[Option<&'static str>; 3]) -> BTreeMap<&'static str, &'a str> {
    let texts = [&seo.title, &seo.description, &seo.focus_keyword];
    keys.iter()
        .zip(texts)
        .filter_map(|(key, text)| Some(((*key)?, text.as_str())))
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

async fn written(site: &Site, post: &RemotePost, seo: &SeoMeta, place: Place) -> Result<(), Failure> {
    match place {
        Place::Meta(at) => {
            let meta = pairs(seo, &META_KEYS[at]);
            posts::write(site, Some(post.id), &json!({ "meta": meta })).await.map(drop)
        }
        Place::RankMath => {
            let meta = pairs(seo, &META_KEYS[1]);
            let fields = json!({ "objectType": "post", "objectID": post.id, "meta": meta });
            site.post("rankmath/v1/updateMeta", &[], Body::Json(&fields)).await.map(drop)
        }
        Place::Aioseo => {
            let keys = [Some("title"), Some("description"), None];
            let mut meta: Map<String, Value> =
                pairs(seo, &keys).into_iter().map(|(key, text)| (key.to_owned(), text.into())).collect();
            if !seo.focus_keyword.is_empty() {
                meta.insert("keyphrases".to_owned(), json!({ "focus": { "keyphrase": seo.focus_keyword } }));
            }
            posts::write(site, Some(post.id), &json!({ "aioseo_meta_data": meta })).await.map(drop)
        }
    }
}

async fn read_back(site: &Site, post: &RemotePost, seo: &SeoMeta, place: Place) -> Result<SeoOutcome, Failure> {
    let keys = match place {
        Place::Meta(at) => META_KEYS[at],
        Place::Aioseo => [Some("title"), Some("description"), None],
        Place::RankMath => return in_page(site, post, seo).await,
    };
    let Some(now) = posts::by_id(site, post.id).await? else { return Ok(SeoOutcome::Unknown) };
    let kept = if place == Place::Aioseo { &now.aioseo_meta_data } else { &now.meta };
    let is_kept = pairs(seo, &keys)
        .into_iter()
        .all(|(key, text)| kept.get(key).and_then(Value::as_str).is_some_and(|kept| same(kept, text)));
    Ok(if is_kept { SeoOutcome::Written } else { SeoOutcome::Ignored })
}

/// Plugins keep entities for characters and take markup out.
fn same(kept: &str, text: &str) -> bool {
    let plain = |text: &str| decoded(&decoded(text)).split_whitespace().collect::<Vec<_>>().join(" ");
    plain(kept) == plain(text)
}

/// What visitors get: the page itself says its title and description. Only a post that is published has a page.
async fn in_page(site: &Site, post: &RemotePost, seo: &SeoMeta) -> Result<SeoOutcome, Failure> {
    let Ok(link) = url::Url::parse(&post.link) else { return Ok(SeoOutcome::Unknown) };
    if post.status != "publish" {
        return Ok(SeoOutcome::Unknown);
    }
    let page = site.client().look(link).await?.text;
    let (title, description) = head(&page);
    let is_there = |wanted: &str, shown: &Option<String>| {
        wanted.is_empty() || shown.as_deref().is_some_and(|shown| same(shown, wanted))
    };
    // A page may come out of a cache that is older than the post: what is not there may still have been written.
    let found = is_there(&seo.title, &title) && is_there(&seo.description, &description);
    let is_certain = found && !(seo.title.is_empty() && seo.description.is_empty());
    Ok(if is_certain { SeoOutcome::Written } else { SeoOutcome::Unknown })
}

/// Title and description of a page.
fn head(page: &str) -> (Option<String>, Option<String>) {
    let (mut title, mut description, mut is_title) = (None, None, false);
    for token in tokens(page) {
        match token {
            Token::Open { name, .. } if name == "title" && title.is_none() => is_title = true,
            Token::Text(text) if is_title => (title, is_title) = (Some(decoded(text)), false),
            Token::Open { name, attributes } if name == "meta" => {
                let value = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
                if value("name").as_deref() == Some("description") && description.is_none() {
                    description = value("content");
                }
            }
            Token::Open { name, .. } if name == "body" => break,
            _ => is_title = false,
        }
    }
    (title, description)
}

/// Whether a plugin is there at all, in words.
pub(super) async fn plugin(site: &Site) -> Option<&'static str> {
    let root = site.root().await.ok()?;
    [("yoast/v1", "Yoast SEO"), (RANK_MATH, "Rank Math"), (AIOSEO, "All in One SEO")]
        .into_iter()
        .find(|(namespace, _)| root.has(namespace))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_its_title_and_description() {
        let page = "<html><head><meta charset=x><title>Tea &amp; time</title><meta content='How &quot;it&quot; is' \
                    name=\"description\"/></head><body><title>no</title></body></html>";
        assert_eq!(head(page), (Some("Tea & time".to_owned()), Some("How \"it\" is".to_owned())));
        assert_eq!(head("<body><meta name=description content=x>"), (None, None));
    }

    #[test]
    fn what_a_plugin_makes_of_a_text_is_the_same_text() {
        assert!(same("A &amp; b", "A & b"));
        assert!(same("A &amp;amp; b ", "A  & b"));
        assert!(!same("A", "B"));
    }
}

//! What is published, and the limits that keep it inside the folder and of a sane size.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Utc};
use galley_domain::{Fault, FaultCode};
use uuid::Uuid;

/// One version of one article, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub article_id: Uuid,
    /// Counts from 1 per article.
    pub version: u32,
    /// Lower-case letters, digits and single hyphens, at most [`Post::MAX_SLUG`] bytes. The folder gets this
    /// name when the article is published first and keeps it, so that its address stays.
    pub slug: String,
    pub title: String,
    pub description: String,
    pub keywords: Vec<String>,
    /// BCP 47, e.g. `en` or `pt-BR`.
    pub language: String,
    /// When the article was or will be published first.
    pub date: DateTime<Utc>,
    /// When this version was made; `None` says the same as `date`.
    pub modified: Option<DateTime<Utc>>,
    pub draft: bool,
    /// Without front matter and without the title as a heading, which every theme sets itself. Pictures are named as
    /// in `assets`, e.g. `![Drying beds](beds.png)`.
    pub markdown_body: String,
    /// At most one is the cover.
    pub assets: Vec<Asset>,
}

/// A picture that lies beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// A file name of ASCII letters, digits, `.`, `-` and `_` that ends like a picture.
    pub name: String,
    pub bytes: Vec<u8>,
    pub alt: String,
    pub role: AssetRole,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetRole {
    /// Named in the front matter.
    Cover,
    /// Shown by the text.
    Inline,
}

/// Only pictures: a `.md` or `.html` among the assets would become a page of the site.
const PICTURES: [&str; 7] = ["png", "jpg", "jpeg", "webp", "gif", "avif", "svg"];

impl Post {
    /// In bytes; leaves room for a `-99` in file systems that end at 255.
    pub const MAX_SLUG: usize = 200;
    /// In characters.
    pub const MAX_TITLE: usize = 500;
    /// In characters, also of an alt text.
    pub const MAX_DESCRIPTION: usize = 2_000;
    pub const MAX_KEYWORDS: usize = 50;
    /// In characters.
    pub const MAX_KEYWORD: usize = 200;
    pub const MAX_BODY_BYTES: usize = 2 << 20;
    pub const MAX_ASSETS: usize = 50;
    pub const MAX_ASSET_BYTES: usize = 20 << 20;
    pub const MAX_TOTAL_BYTES: usize = 100 << 20;

    /// The asset that the front matter names.
    pub(crate) fn cover(&self) -> Option<&Asset> {
        self.assets.iter().find(|a| a.role == AssetRole::Cover)
    }

    /// Refuses, as a permanent fault, what must not be written.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        check_slug(&self.slug)?;
        if self.version == 0 {
            return Err(invalid("versions count from 1, this one is 0"));
        }
        at_most("title", self.title.chars().count(), Self::MAX_TITLE, "characters")?;
        if self.title.trim().is_empty() {
            return Err(invalid("the title is blank; give the article one before it is published"));
        }
        at_most("description", self.description.chars().count(), Self::MAX_DESCRIPTION, "characters")?;
        at_most("list of keywords", self.keywords.len(), Self::MAX_KEYWORDS, "entries")?;
        for keyword in &self.keywords {
            at_most("keyword", keyword.chars().count(), Self::MAX_KEYWORD, "characters")?;
        }
        if self.language.len() > 35 || !self.language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(invalid("the language is no language tag such as en or pt-BR"));
        }
        for date in [Some(self.date), self.modified].into_iter().flatten() {
            if !(1..=9999).contains(&date.year()) {
                return Err(invalid("the date lies outside the years 1 to 9999"));
            }
        }
        at_most("text", self.markdown_body.len(), Self::MAX_BODY_BYTES, "bytes")?;
        self.check_assets()
    }

    fn check_assets(&self) -> Result<(), Fault> {
        at_most("list of assets", self.assets.len(), Self::MAX_ASSETS, "entries")?;
        let mut names = BTreeSet::new();
        let mut total = self.markdown_body.len();
        for asset in &self.assets {
            check_asset_name(&asset.name)?;
            if !names.insert(asset.name.to_ascii_lowercase()) {
                return Err(invalid(format!("two assets are named {}; upper and lower case count as one", asset.name)));
            }
            at_most("alt text of an asset", asset.alt.chars().count(), Self::MAX_DESCRIPTION, "characters")?;
            at_most(&format!("asset {}", asset.name), asset.bytes.len(), Self::MAX_ASSET_BYTES, "bytes")?;
            total += asset.bytes.len();
        }
        at_most("article with its assets", total, Self::MAX_TOTAL_BYTES, "bytes")?;
        if self.assets.iter().filter(|a| a.role == AssetRole::Cover).count() > 1 {
            return Err(invalid("two assets are the cover; make all but one of them inline"));
        }
        Ok(())
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::permanent(FaultCode::ValidationError, message)
}

fn at_most(what: &str, is: usize, max: usize, unit: &str) -> Result<(), Fault> {
    if is > max { Err(invalid(format!("the {what} has {is} {unit}, at most {max} can be published"))) } else { Ok(()) }
}

/// A slug is one folder name: no separator, no dot, nothing that a shell, a URL or a generator treats specially.
fn check_slug(slug: &str) -> Result<(), Fault> {
    let plain =
        slug.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() && !c.is_uppercase()));
    if plain && slug.len() <= Post::MAX_SLUG {
        return Ok(());
    }
    let shown: String = slug.chars().take(60).collect();
    Err(invalid(format!(
        "the slug {shown:?} cannot be a folder name; use lower-case letters, digits and single hyphens, at most {} bytes",
        Post::MAX_SLUG
    )))
}

/// Whether an asset may have this name.
pub(crate) fn is_asset_name(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let picture = name.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty() && !stem.starts_with('.') && PICTURES.contains(&end.to_ascii_lowercase().as_str())
    });
    plain && picture && name.len() <= 100
}

fn check_asset_name(name: &str) -> Result<(), Fault> {
    if is_asset_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(60).collect();
    Err(invalid(format!(
        "the asset name {shown:?} cannot be published; use at most 100 letters, digits, dots, hyphens and underscores \
         and one of the endings {}",
        PICTURES.join(", ")
    )))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn post() -> Post {
        Post {
            article_id: Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd),
            version: 1,
            slug: "better-coffee".into(),
            title: "Better coffee".into(),
            description: "How to brew it.".into(),
            keywords: vec!["coffee".into(), "brewing".into()],
            language: "en".into(),
            date: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
            modified: None,
            draft: false,
            markdown_body: "Water first.\n\n![A cup](cup.png)\n".into(),
            assets: vec![
                Asset { name: "cover.png".into(), bytes: vec![1; 10], alt: "Cover".into(), role: AssetRole::Cover },
                Asset { name: "cup.png".into(), bytes: vec![2; 10], alt: "A cup".into(), role: AssetRole::Inline },
            ],
        }
    }

    fn refused(change: impl FnOnce(&mut Post)) -> String {
        let mut post = post();
        change(&mut post);
        let fault = post.check().unwrap_err();
        assert!(!fault.is_transient() && fault.code() == FaultCode::ValidationError);
        fault.to_string()
    }

    #[test]
    fn the_example_is_fine_and_so_are_slugs_of_other_scripts() {
        post().check().unwrap();
        for slug in ["a", "42", "кофе-дома", "καφές", "コーヒー", "a-2"] {
            Post { slug: slug.into(), ..post() }.check().unwrap();
        }
    }

    #[test]
    fn no_slug_leaves_the_folder() {
        for slug in [
            "",
            "-",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            "a-",
            "-a",
            "a--b",
            "A",
            "a.b",
            "a b",
            "a\0b",
            "_a",
            "c:",
            ".git",
            "ａ．",
            &"x".repeat(201),
        ] {
            assert!(refused(|p| p.slug = slug.into()).contains("slug"), "{slug}");
        }
    }

    #[test]
    fn no_asset_name_leaves_the_folder_or_becomes_a_page() {
        for name in [
            "",
            ".",
            "..",
            "../x.png",
            "a/b.png",
            "a\\b.png",
            "/x.png",
            ".png",
            "..png",
            ".a.png",
            "x",
            "x.md",
            "x.html",
            "index.md",
            "x.png\0",
            "ü.png",
            "a b.png",
            &format!("{}.png", "x".repeat(100)),
        ] {
            assert!(refused(|p| p.assets[1].name = name.into()).contains("asset name"), "{name}");
        }
        assert!(refused(|p| p.assets[1].name = "COVER.png".into()).contains("two assets are named"));
    }

    #[test]
    fn every_limit_holds() {
        assert!(refused(|p| p.version = 0).contains("count from 1"));
        assert!(refused(|p| p.title = " ".into()).contains("title is blank"));
        assert!(refused(|p| p.title = "x".repeat(501)).contains("title has 501 characters, at most 500"));
        assert!(refused(|p| p.description = "x".repeat(2_001)).contains("description"));
        assert!(refused(|p| p.keywords = vec!["x".into(); 51]).contains("list of keywords has 51"));
        assert!(refused(|p| p.keywords = vec!["x".repeat(201)]).contains("keyword"));
        assert!(refused(|p| p.language = "en\nx".into()).contains("language"));
        assert!(refused(|p| p.date = DateTime::<Utc>::MAX_UTC).contains("date"));
        assert!(refused(|p| p.markdown_body = "x".repeat((2 << 20) + 1)).contains("text has"));
        assert!(refused(|p| p.assets[1].alt = "x".repeat(2_001)).contains("alt text"));
        assert!(refused(|p| p.assets[1].bytes = vec![0; (20 << 20) + 1]).contains("asset cup.png has"));
        assert!(refused(|p| p.assets[1].role = AssetRole::Cover).contains("two assets are the cover"));
        let many = |n: usize, size: usize| {
            let asset = |i| Asset {
                name: format!("{i}.png"),
                bytes: vec![0; size],
                alt: String::new(),
                role: AssetRole::Inline,
            };
            (0..n).map(asset).collect::<Vec<_>>()
        };
        assert!(refused(|p| p.assets = many(51, 1)).contains("list of assets has 51"));
        assert!(refused(|p| p.assets = many(6, 19 << 20)).contains("article with its assets"));
    }
}

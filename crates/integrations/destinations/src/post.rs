//! What is published, and the limits that keep it inside the folder and of a sane size.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Utc};
use galley_domain::{Fault, FaultCode};
use sha2::{Digest, Sha256};
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
    /// Shown in lists of articles; may be empty.
    pub excerpt: String,
    pub seo: SeoMeta,
    pub keywords: Vec<String>,
    /// By name; `A > B` is B below A.
    pub categories: Vec<String>,
    /// What the destination itself calls further categories. Destinations whose categories are names leave them out.
    pub category_ids: Vec<u64>,
    pub tags: Vec<String>,
    /// BCP 47, e.g. `en` or `pt-BR`.
    pub language: String,
    /// When the article was or will be published first.
    pub date: DateTime<Utc>,
    /// When this version was made; `None` says the same as `date`.
    pub modified: Option<DateTime<Utc>>,
    pub visibility: Visibility,
    /// Write also where this version already stands, over what others have changed in it.
    pub overwrite: bool,
    /// Without front matter and without the title as a heading, which every theme sets itself. Pictures are named as
    /// in `assets`, e.g. `![Drying beds](beds.png)`.
    pub markdown_body: String,
    /// At most one is the cover.
    pub assets: Vec<Asset>,
}

/// What search engines are told. An empty text leaves it to the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeoMeta {
    pub title: String,
    pub description: String,
    pub focus_keyword: String,
}

/// Who sees the article, and from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    Publish,
    Draft,
    /// Waits for somebody there to approve it.
    Pending,
    /// The destination publishes it at this time, if it can.
    Future(DateTime<Utc>),
}

/// A picture that lies beside the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// A file name of ASCII letters, digits, `.`, `-` and `_` that ends like a picture.
    pub name: String,
    pub bytes: Vec<u8>,
    /// The same picture in fewer bytes and in the same format, for destinations that find it too large.
    pub smaller: Option<Vec<u8>>,
    pub alt: String,
    /// Shown below the picture; may be empty.
    pub caption: String,
    /// Who made it; may be empty. Shown after the caption.
    pub credit: String,
    pub role: AssetRole,
}

impl Asset {
    /// What is sent first: the picture itself, or what is small enough of it.
    pub(crate) fn payload(&self) -> &[u8] {
        match &self.smaller {
            Some(smaller) if self.bytes.len() > Post::MAX_ASSET_BYTES => smaller,
            _ => &self.bytes,
        }
    }

    /// What is left to be sent where that is refused as too large.
    pub(crate) fn smaller(&self) -> Option<&[u8]> {
        self.smaller.as_deref().filter(|smaller| smaller.len() < self.payload().len())
    }

    /// What stands below the picture.
    pub(crate) fn caption_with_credit(&self) -> String {
        let parts = [self.caption.trim(), self.credit.trim()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetRole {
    /// Named in the front matter.
    Cover,
    /// Shown by the text.
    Inline,
}

/// Enough to tell the few texts of one version apart.
const FINGERPRINT_BYTES: usize = 8;

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
    /// Of categories by name, by number, and of tags.
    pub const MAX_TERMS: usize = 50;
    pub const MAX_BODY_BYTES: usize = 2 << 20;
    pub const MAX_ASSETS: usize = 50;
    pub const MAX_ASSET_BYTES: usize = 20 << 20;
    pub const MAX_TOTAL_BYTES: usize = 100 << 20;

    /// The asset that the front matter names.
    pub(crate) fn cover(&self) -> Option<&Asset> {
        self.assets.iter().find(|a| a.role == AssetRole::Cover)
    }

    /// Changes when anything changes that is written, apart from dates, visibility and version: two posts of one version
    /// with one fingerprint are the same.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Each part with its length, so that none can pass for two.
        let mut part = |bytes: &[u8]| {
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(bytes);
        };
        for text in [&self.slug, &self.title, &self.excerpt, &self.language, &self.markdown_body] {
            part(text.as_bytes());
        }
        for text in [&self.seo.title, &self.seo.description, &self.seo.focus_keyword] {
            part(text.as_bytes());
        }
        for list in [&self.keywords, &self.categories, &self.tags] {
            part(list.join("\0").as_bytes());
        }
        part(&self.category_ids.iter().flat_map(|id| id.to_le_bytes()).collect::<Vec<_>>());
        for asset in &self.assets {
            for text in [&asset.name, &asset.alt, &asset.caption, &asset.credit] {
                part(text.as_bytes());
            }
            part(&[u8::from(asset.role == AssetRole::Cover)]);
            part(&asset.bytes);
        }
        hash.finalize().iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
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
        let SeoMeta { title, description, focus_keyword } = &self.seo;
        for (what, text, most) in [
            ("excerpt", &self.excerpt, Self::MAX_DESCRIPTION),
            ("SEO title", title, Self::MAX_TITLE),
            ("description", description, Self::MAX_DESCRIPTION),
            ("focus keyword", focus_keyword, Self::MAX_KEYWORD),
        ] {
            at_most(what, text.chars().count(), most, "characters")?;
        }
        Self::check_terms(&self.categories, &self.category_ids, &self.tags)?;
        at_most("list of keywords", self.keywords.len(), Self::MAX_KEYWORDS, "entries")?;
        for keyword in &self.keywords {
            at_most("keyword", keyword.chars().count(), Self::MAX_KEYWORD, "characters")?;
        }
        if self.language.len() > 35 || !self.language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(invalid("the language is no language tag such as en or pt-BR"));
        }
        let future = match self.visibility {
            Visibility::Future(at) => Some(at),
            _ => None,
        };
        for date in [Some(self.date), self.modified, future].into_iter().flatten() {
            if !(1..=9999).contains(&date.year()) {
                return Err(invalid("the date lies outside the years 1 to 9999"));
            }
        }
        at_most("text", self.markdown_body.len(), Self::MAX_BODY_BYTES, "bytes")?;
        self.check_assets()
    }

    /// Refuses terms that no destination could take, so that whoever stores them can say so at once. A fault's message is
    /// for people.
    ///
    /// # Errors
    /// A permanent fault for too many terms, for names that are too long, and for a category of which a part has no name, such
    /// as `A > `.
    pub fn check_terms(categories: &[String], category_ids: &[u64], tags: &[String]) -> Result<(), Fault> {
        at_most("list of category numbers", category_ids.len(), Self::MAX_TERMS, "entries")?;
        for (what, one, names) in [("list of categories", "category", categories), ("list of tags", "tag", tags)] {
            at_most(what, names.len(), Self::MAX_TERMS, "entries")?;
            for name in names {
                at_most(one, name.chars().count(), Self::MAX_KEYWORD, "characters")?;
                // Of a tag the sign is a part of its name.
                let mut parts = name.split(if one == "category" { '>' } else { '\0' });
                if parts.any(|part| part.trim().is_empty()) {
                    return Err(invalid(format!("a {one} has no name; take it out of the list")));
                }
            }
        }
        Ok(())
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
            for (what, text) in [("alt text", &asset.alt), ("caption", &asset.caption), ("credit", &asset.credit)] {
                at_most(&format!("{what} of an asset"), text.chars().count(), Self::MAX_DESCRIPTION, "characters")?;
            }
            at_most(&format!("asset {}", asset.name), asset.payload().len(), Self::MAX_ASSET_BYTES, "bytes")?;
            total += asset.payload().len();
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

    pub(crate) fn asset(name: &str, bytes: &[u8], alt: &str, role: AssetRole) -> Asset {
        let (caption, credit) = (String::new(), String::new());
        Asset { name: name.into(), bytes: bytes.to_vec(), smaller: None, alt: alt.into(), caption, credit, role }
    }

    pub(crate) fn post() -> Post {
        Post {
            article_id: Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd),
            version: 1,
            slug: "better-coffee".into(),
            title: "Better coffee".into(),
            excerpt: "How to brew it.".into(),
            seo: SeoMeta { description: "How to brew it.".into(), ..SeoMeta::default() },
            keywords: vec!["coffee".into(), "brewing".into()],
            language: "en".into(),
            date: DateTime::from_timestamp(1_795_000_000, 0).unwrap(),
            modified: None,
            categories: vec![],
            category_ids: vec![],
            tags: vec!["coffee".into(), "brewing".into()],
            visibility: Visibility::Publish,
            overwrite: false,
            markdown_body: "Water first.\n\n![A cup](cup.png)\n".into(),
            assets: vec![
                asset("cover.png", &[1; 10], "Cover", AssetRole::Cover),
                asset("cup.png", &[2; 10], "A cup", AssetRole::Inline),
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
        let terms = |categories: &[&str], tags: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            Post::check_terms(&owned(categories), &[], &owned(tags))
        };
        assert!(terms(&["A > B"], &["a > "]).is_ok(), "in a tag the sign is a part of the name");
        for name in ["A > ", " > A", "A >> B", ">", " "] {
            assert!(terms(&[name], &[]).unwrap_err().to_string().contains("category has no name"), "{name}");
        }
        assert!(refused(|p| p.version = 0).contains("count from 1"));
        assert!(refused(|p| p.title = " ".into()).contains("title is blank"));
        assert!(refused(|p| p.title = "x".repeat(501)).contains("title has 501 characters, at most 500"));
        assert!(refused(|p| p.seo.description = "x".repeat(2_001)).contains("the description has"));
        assert!(refused(|p| p.seo.title = "x".repeat(501)).contains("SEO title"));
        assert!(refused(|p| p.seo.focus_keyword = "x".repeat(201)).contains("focus keyword"));
        assert!(refused(|p| p.excerpt = "x".repeat(2_001)).contains("excerpt"));
        assert!(refused(|p| p.categories = vec!["x".into(); 51]).contains("list of categories has 51"));
        assert!(refused(|p| p.category_ids = vec![1; 51]).contains("list of category numbers has 51"));
        assert!(refused(|p| p.tags = vec!["x".repeat(201)]).contains("the tag has 201"));
        assert!(refused(|p| p.tags = vec![" ".into()]).contains("a tag has no name"));
        assert!(refused(|p| p.categories = vec!["A > ".into()]).contains("a category has no name"));
        assert!(refused(|p| p.visibility = Visibility::Future(DateTime::<Utc>::MAX_UTC)).contains("date"));
        assert!(refused(|p| p.assets[0].credit = "x".repeat(2_001)).contains("credit of an asset"));
        assert!(refused(|p| p.keywords = vec!["x".into(); 51]).contains("list of keywords has 51"));
        assert!(refused(|p| p.keywords = vec!["x".repeat(201)]).contains("keyword"));
        assert!(refused(|p| p.language = "en\nx".into()).contains("language"));
        assert!(refused(|p| p.date = DateTime::<Utc>::MAX_UTC).contains("date"));
        assert!(refused(|p| p.markdown_body = "x".repeat((2 << 20) + 1)).contains("text has"));
        assert!(refused(|p| p.assets[1].alt = "x".repeat(2_001)).contains("alt text"));
        assert!(refused(|p| p.assets[1].bytes = vec![0; (20 << 20) + 1]).contains("asset cup.png has"));
        assert!(refused(|p| p.assets[1].role = AssetRole::Cover).contains("two assets are the cover"));
        let many = |n: usize, size: usize| {
            let asset = |i| asset(&format!("{i}.png"), &vec![0; size], "", AssetRole::Inline);
            (0..n).map(asset).collect::<Vec<_>>()
        };
        assert!(refused(|p| p.assets = many(51, 1)).contains("list of assets has 51"));
        assert!(refused(|p| p.assets = many(6, 19 << 20)).contains("article with its assets"));
    }

    #[test]
    fn the_fingerprint_is_of_what_is_written() {
        let changed: [fn(&mut Post); 12] = [
            |p| p.slug.push('x'),
            |p| p.title.push('x'),
            |p| p.excerpt.push('x'),
            |p| p.markdown_body.push('x'),
            |p| p.seo.title.push('x'),
            |p| p.seo.focus_keyword.push('x'),
            |p| p.tags.push("x".into()),
            |p| p.categories.push("x".into()),
            |p| p.category_ids.push(1),
            |p| p.assets[1].bytes.push(1),
            |p| p.assets[1].credit.push('x'),
            |p| p.assets[1].role = AssetRole::Cover,
        ];
        let first = post().fingerprint();
        assert_eq!(first.len(), 16);
        for change in changed {
            let mut post = post();
            change(&mut post);
            assert_ne!(post.fingerprint(), first, "{post:?}");
        }
        let mut same = post();
        (same.version, same.visibility, same.overwrite) = (7, Visibility::Draft, true);
        (same.date, same.modified) = (DateTime::UNIX_EPOCH, Some(DateTime::UNIX_EPOCH));
        assert_eq!(same.fingerprint(), first);
    }
}

//! Images that stand in a text. The text names them by an address that needs no signature and does not expire,
//! `/api/v1/images/{id}`; a link to one, as answers have it, means the same. Whoever shows the text gets fresh links.

use std::collections::HashMap;

use chrono::Utc;
use galley_domain::OrgId;
use galley_store::rows;
use galley_text::markdown::{Placed, with_images};
use url::Url;
use uuid::Uuid;

use crate::{Services, error::ServiceError};

/// What all addresses of images begin with.
const PATH: &str = "/api/v1/images/";
/// The size that pages show.
const SHOWN: &str = "hero_webp";

/// An address in a text that means an image of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reference {
    image: Uuid,
    /// It can mean nothing else. An address on some host may be a page of that name there.
    is_certain: bool,
}

impl Reference {
    fn read(address: &str) -> Option<Self> {
        if let Some(rest) = address.strip_prefix(PATH) {
            return Some(Self { image: id(rest)?, is_certain: true });
        }
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let (_, rest) = url.path().split_once(PATH)?;
        Some(Self { image: id(rest)?, is_certain: url.query_pairs().any(|(name, _)| name == "signature") })
    }
}

/// The id that stands before the next part of an address.
fn id(rest: &str) -> Option<Uuid> {
    rest.split(['/', '?', '#']).next()?.parse().ok()
}

/// The address of an image in a text.
pub fn image_reference(image: Uuid) -> String {
    format!("{PATH}{image}")
}

/// The text with lasting addresses in place of links, which expire.
pub(crate) fn with_lasting_references(markdown: &str) -> String {
    if !markdown.contains(PATH) {
        return markdown.to_owned();
    }
    with_images(markdown, |address| match Reference::read(address).filter(|found| found.is_certain) {
        Some(found) => Placed::At { address: image_reference(found.image), alt: String::new() },
        None => Placed::AsItIs,
    })
}

/// A text whose images have been looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Illustrated {
    pub markdown: String,
    /// Ids of images that the text shows and that its article does not have: deleted ones, or those of other articles.
    pub missing: Vec<Uuid>,
}

/// The text with each of its article's `images` at the address that `address` gives it. What the article does not have is
/// left out. An image without a description gets its alt text.
pub(crate) fn illustrated(
    markdown: &str,
    images: &[rows::Image],
    mut address: impl FnMut(&rows::Image) -> Option<String>,
) -> Illustrated {
    if !markdown.contains(PATH) {
        return Illustrated { markdown: markdown.to_owned(), missing: Vec::new() };
    }
    let mut missing = Vec::new();
    let by_id: HashMap<Uuid, &rows::Image> = images.iter().map(|image| (image.id, image)).collect();
    let markdown = with_images(markdown, |written| {
        let Some(reference) = Reference::read(written) else { return Placed::AsItIs };
        match by_id.get(&reference.image).map(|image| (image, address(image))) {
            Some((image, Some(address))) => Placed::At { address, alt: image.alt_text.clone() },
            Some((_, None)) => Placed::Gone,
            None if !reference.is_certain => Placed::AsItIs,
            None => {
                if !missing.contains(&reference.image) {
                    missing.push(reference.image);
                }
                Placed::Gone
            }
        }
    });
    Illustrated { markdown, missing }
}

impl Services {
    /// The text of an article with fresh links to those of its images that stand in it; others are left out.
    pub async fn with_image_links(&self, org: OrgId, article: Uuid, markdown: String) -> Result<String, ServiceError> {
        // Without a key nothing can be signed, and the addresses of the text stay as they are.
        if !markdown.contains(PATH) || self.keyring().is_none() {
            return Ok(markdown);
        }
        let images = self.store.tenant(org).images(&[article]).await?;
        let now = Utc::now();
        Ok(illustrated(&markdown, &images, |image| self.image_link(image, SHOWN, now).ok()).markdown)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use galley_domain::image::ImageSource;
    use galley_store::TextEnum;

    use super::*;

    const ID: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

    fn text(markdown: &str, has: bool) -> Illustrated {
        let image = rows::Image { id: ID.parse().expect("an id"), alt_text: "A cup".into(), ..image() };
        illustrated(markdown, if has { std::slice::from_ref(&image) } else { &[] }, |_| Some("cup.png".into()))
    }

    fn image() -> rows::Image {
        let nobody = Uuid::nil();
        rows::Image {
            id: nobody,
            org_id: nobody,
            article_id: nobody,
            source: TextEnum(ImageSource::Upload),
            kind: "png".into(),
            width: 1,
            height: 1,
            file_size: 1,
            sha256: String::new(),
            blob: String::new(),
            variants: serde_json::json!({}),
            stored_bytes: 1,
            alt_text: String::new(),
            credit: None,
            is_featured: false,
            position: 0,
            file_id: None,
            source_id: None,
            place: None,
            created_at: DateTime::default(),
            updated_at: DateTime::default(),
        }
    }

    #[test]
    fn every_way_to_name_an_own_image_means_it() {
        for address in [
            format!("/api/v1/images/{ID}"),
            format!("/api/v1/images/{ID}/hero_webp?org={ID}&expires=1&signature=00"),
            format!("https://galley.example/base/api/v1/images/{ID}/original?signature=00"),
            format!("http://127.0.0.1:8080/api/v1/images/{ID}"),
        ] {
            let found = text(&format!("a ![]({address}) b"), true);
            assert_eq!((found.markdown.as_str(), found.missing.len()), ("a ![A cup](cup.png) b", 0), "{address}");
        }
    }

    #[test]
    fn what_the_article_does_not_have_is_left_out_and_told_once() {
        let twice = format!("a ![x](/api/v1/images/{ID}) ![x](/api/v1/images/{ID}/original) b");
        let found = text(&twice, false);
        assert_eq!((found.markdown.as_str(), found.missing.len()), ("a   b", 1));
        for foreign in [
            format!("![x](https://other.example/api/v1/images/{ID})"),
            "![x](/api/v1/images/logo.png)".to_owned(),
            format!("![x](images/{ID})"),
        ] {
            assert_eq!(text(&foreign, false).markdown, foreign);
        }
    }

    #[test]
    fn links_are_kept_as_addresses_that_last() {
        let link = format!("![a *b*](/api/v1/images/{ID}/original?org={ID}&expires=1&signature=00 \"T\")");
        let kept = with_lasting_references(&link);
        assert_eq!(kept, format!("![a *b*](/api/v1/images/{ID} \"T\")"));
        assert_eq!(with_lasting_references(&kept), kept);
    }
}

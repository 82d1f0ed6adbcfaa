//! The pictures that go out with an article: the one that it shows first, and those that stand in its text.

use std::collections::HashMap;

use galley_destinations::{Asset, AssetRole, Post};
use galley_domain::{Fault, FaultCode, OrgId};
use galley_engine::StepError;
use galley_store::{StoreError, rows};
use uuid::Uuid;

use crate::{BlobError, Services, images::illustrated};

/// Beyond, the size for pages goes out in place of the full one: 8 MB is the most that PHP takes of a request where nobody
/// has set more.
const LARGE: u64 = 8_000_000;
/// Of all pictures in full size together. A destination takes more, with the text and with those that are shown smaller.
const LARGE_IN_ALL: u64 = Post::MAX_TOTAL_BYTES as u64 / 2;
/// The size for pages: at most 1,600 pixels on the longer side, which is a few hundred KB.
const SMALLER: &str = "hero_jpeg";

/// An article's text with the pictures that belong to it.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// With the names of the pictures in place of their addresses.
    pub markdown: String,
    pub list: Vec<Asset>,
    /// What the text shows and cannot be published.
    pub warnings: Vec<String>,
}

impl Assets {
    /// Where the pictures do not matter.
    pub fn none(article: &rows::Article) -> Self {
        Self { markdown: article.content_markdown.clone(), ..Self::default() }
    }
}

/// Bytes that are to be read.
struct Chosen<'a> {
    image: &'a rows::Image,
    name: String,
    blob: String,
    role: AssetRole,
}

/// Picks a size for each picture as it comes, so that all of them together can be published.
#[derive(Default)]
struct Choice<'a> {
    chosen: Vec<Chosen<'a>>,
    names: HashMap<Uuid, String>,
    taken: u64,
}

impl<'a> Choice<'a> {
    /// The name of a picture among the assets; None when there are too many.
    fn name(&mut self, image: &'a rows::Image, role: AssetRole, stem: &str) -> Option<String> {
        if let Some(name) = self.names.get(&image.id) {
            return Some(name.clone());
        }
        if self.chosen.len() == Post::MAX_ASSETS {
            return None;
        }
        let size = image.file_size.unsigned_abs();
        let is_large = size > LARGE || self.taken.saturating_add(size) > LARGE_IN_ALL;
        let smaller = image.stored_variants().unwrap_or_default().remove(SMALLER).filter(|_| is_large);
        let (kind, blob, size) = match smaller {
            Some(smaller) => (smaller.kind, smaller.blob, smaller.size),
            None => (image.kind.clone(), image.blob.clone(), size),
        };
        let end = if kind == "jpeg" { "jpg" } else { kind.as_str() };
        let name = format!("{stem}.{end}");
        self.taken = self.taken.saturating_add(size);
        self.names.insert(image.id, name.clone());
        self.chosen.push(Chosen { image, name: name.clone(), blob, role });
        Some(name)
    }
}

fn left_out(image: Uuid) -> String {
    format!(
        "the text shows image {image}, which the article does not have; it was left out: add the image again, or take it \
         out of the text"
    )
}

impl Services {
    /// The pictures of an article as they are published: the featured one, if it has one, and those in its text.
    pub async fn assets_of(&self, org: OrgId, article: &rows::Article) -> Result<Assets, StepError> {
        let images = self.store.tenant(org).images(&[article.id]).await?;
        let mut choice = Choice::default();
        if let Some(featured) = images.iter().find(|image| image.is_featured) {
            choice.name(featured, AssetRole::Cover, "cover");
        }
        let by_id: HashMap<Uuid, &rows::Image> = images.iter().map(|image| (image.id, image)).collect();
        let mut too_many = 0_usize;
        let text = illustrated(&article.content_markdown, &images, |image| {
            let image = by_id.get(&image.id)?;
            let name = choice.name(image, AssetRole::Inline, &format!("image-{}", image.id));
            too_many += usize::from(name.is_none());
            name
        });
        let mut warnings: Vec<String> = text.missing.into_iter().map(left_out).collect();
        if too_many > 0 {
            warnings.push(format!("{too_many} images of the text were left out; {} are the most", Post::MAX_ASSETS));
        }
        let mut list = Vec::with_capacity(choice.chosen.len());
        for chosen in choice.chosen {
            list.push(self.asset(chosen).await?);
        }
        Ok(Assets { markdown: text.markdown, list, warnings })
    }

    /// What of an article's text cannot be published; nothing is read but what is known of its images.
    pub async fn asset_warnings(&self, org: OrgId, article: &rows::Article) -> Result<Vec<String>, StoreError> {
        let images = self.store.tenant(org).images(&[article.id]).await?;
        let text = illustrated(&article.content_markdown, &images, |_| Some(String::new()));
        Ok(text.missing.into_iter().map(left_out).collect())
    }

    async fn asset(&self, chosen: Chosen<'_>) -> Result<Asset, Fault> {
        let Chosen { image, name, blob, role } = chosen;
        let bytes = self.picture(image, &blob).await?;
        // For sites that take less than most. A destination sends it in place of the other one, so it has the same format.
        let hero = image.stored_variants().unwrap_or_default().remove(SMALLER);
        let smaller = match hero.filter(|hero| image.kind == "jpeg" && hero.blob != blob) {
            Some(hero) => Some(self.picture(image, &hero.blob).await?),
            None => None,
        };
        let credit = image.credit.as_ref().and_then(|credit| credit["photographer"].as_str());
        Ok(Asset {
            name,
            bytes,
            smaller,
            alt: image.alt_text.clone(),
            caption: String::new(),
            credit: credit.unwrap_or_default().to_owned(),
            role,
        })
    }

    async fn picture(&self, image: &rows::Image, blob: &str) -> Result<Vec<u8>, Fault> {
        let bytes = self.blobs.get(blob).await.map_err(|error| {
            let fault = match error {
                BlobError::Gone => {
                    let text = format!("the bytes of image {} are gone; delete the image, or add it again", image.id);
                    Fault::permanent(FaultCode::WorkflowError, text)
                }
                _ => Fault::transient(FaultCode::WorkflowError, "the store of files does not answer"),
            };
            fault.with_detail(error)
        })?;
        Ok(bytes.to_vec())
    }
}

//! Pictures of posts: decoded within limits, stored in several sizes, shown by links that expire.

mod fetched;
mod generate;
mod inline;
mod links;
mod pictures;
mod sources;

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use galley_domain::{OrgId, image::ImageSource};
use galley_images::{Encoded, Variant};
use galley_store::{NewImage, StoredVariant, TenantTx, rows};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    files::check_quota,
    idempotency::{Answer, IdempotencyKey, once},
    projects::refuse_trashed,
};

pub use generate::MadeImage;
pub use inline::image_reference;
pub(crate) use inline::{illustrated, with_lasting_references};
pub use links::{ImageBytes, ImageLink};
pub(crate) use pictures::Pictures;
pub(crate) use sources::Room;
pub use sources::{FoundPicture, KeptPictures, SourceImage};

/// The most pictures of one post.
pub const MOST_IMAGES: usize = 50;
/// Images that an article may have for one of a source to be kept beside them.
pub(crate) const MOST_SOURCE_IMAGES: usize = 40;
const MAX_ALT_CHARS: usize = 500;

/// A post of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostId {
    pub project: Uuid,
    pub post: Uuid,
}

/// A picture to add to a post.
#[derive(Debug, Clone)]
pub struct PictureOrder {
    pub bytes: Bytes,
    pub source: ImageSource,
    /// Without one, that of the post's title.
    pub alt_text: Option<String>,
    pub credit: Option<Json>,
}

/// A picture with fresh links to its bytes.
#[derive(Debug, Clone)]
pub struct ImageView {
    pub row: rows::Image,
    pub original_url: String,
    pub variants: BTreeMap<&'static str, String>,
}

impl Services {
    /// The pictures of a post, in their order. The title card and those of the sources are there as soon as the text may be read.
    pub async fn post_images(&self, org: OrgId, post: PostId) -> Result<Vec<ImageView>, ServiceError> {
        let article = self.illustrated(org, post).await?;
        let is_delivered = crate::delivered::is_delivered(&article.status);
        let images = self.store.tenant(org).images(&[article.id]).await?.into_iter();
        images.filter(|image| is_delivered || !comes_with_text(image)).map(|image| self.image_view(image)).collect()
    }

    /// Adds a picture that a client sends. It is decoded and encoded anew before anything is stored.
    pub async fn add_image(
        &self,
        org: OrgId,
        post: PostId,
        order: PictureOrder,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ImageView>, ServiceError> {
        let article = self.changeable_post(org, post).await?;
        let (encoded, variants) = self.encoded(order.bytes).await?;
        let alt_text = alt_text(order.alt_text, &article.title);
        let new = new_image(article.id, order.source, &encoded, alt_text, order.credit);
        let new = self.store_bytes(org, new, encoded, variants).await?;
        let (id, blobs) = (new.id, blobs_of(&new.blob, new.variants.values(), new.id));
        let answer = self.insert_image(org, post, new, key).await;
        if !matches!(&answer, Ok(Answer { value, .. }) if *value == id) {
            // What stays behind is swept.
            self.drop_blobs(&blobs).await;
        }
        let answer = answer?;
        let image = self.store.tenant(org).image(answer.value).await?.ok_or(ServiceError::NotFound(Missing::Image))?;
        Ok(Answer { value: self.image_view(image)?, replayed: answer.replayed })
    }

    /// Removes a picture with its bytes.
    pub async fn delete_image(&self, org: OrgId, post: PostId, image: Uuid) -> Result<(), ServiceError> {
        let article = self.changeable_post(org, post).await?;
        let tx = self.store.begin(org).await?;
        tx.lock_article(article.id).await?.ok_or(ServiceError::NotFound(Missing::Post))?;
        let found = tx.delete_image(image).await?.filter(|image| image.article_id == article.id);
        let Some(found) = found else { return Err(ServiceError::NotFound(Missing::Image)) };
        if let Some(file) = found.file_id {
            // The article lets go of it, and its bytes are swept once no other card has the same.
            tx.delete_file(file).await?;
        }
        tx.commit().await?;
        self.drop_images(&[found]).await;
        Ok(())
    }

    /// Removes the bytes of pictures whose rows are gone.
    pub(crate) async fn drop_images(&self, images: &[rows::Image]) {
        for image in images {
            // What cannot be read is swept by its name.
            let variants = image.stored_variants().unwrap_or_default();
            self.drop_blobs(&blobs_of(&image.blob, variants.values(), image.id)).await;
        }
    }

    /// Links to the pictures that these articles show first, by article. With each stands whether its text may be read:
    /// before that its title card is not shown. None where no link can be signed.
    pub async fn featured_links(
        &self,
        org: OrgId,
        articles: &[(Uuid, bool)],
    ) -> Result<BTreeMap<Uuid, String>, ServiceError> {
        if self.keyring().is_none() {
            return Ok(BTreeMap::new());
        }
        let shows_card: BTreeMap<Uuid, bool> = articles.iter().copied().collect();
        let ids: Vec<Uuid> = shows_card.keys().copied().collect();
        let found = self.store.tenant(org).featured_images(&ids).await?.into_iter();
        let is_shown = |image: &rows::Image| {
            image.source.0 != ImageSource::Card || shows_card.get(&image.article_id).is_some_and(|shows| *shows)
        };
        let now = Utc::now();
        found
            .filter(is_shown)
            .map(|image| Ok((image.article_id, self.image_link(&image, links::ORIGINAL, now)?)))
            .collect()
    }

    /// The article of a post, as it is stored.
    async fn illustrated(&self, org: OrgId, post: PostId) -> Result<rows::Article, ServiceError> {
        let article = self.store.tenant(org).article(post.post).await?;
        let own = article.filter(|article| article.project_id == Some(post.project));
        own.ok_or(ServiceError::NotFound(Missing::Post))
    }

    /// The same; in the trash nothing changes, and so many pictures are enough.
    pub(crate) async fn changeable_post(&self, org: OrgId, post: PostId) -> Result<rows::Article, ServiceError> {
        let article = self.illustrated(org, post).await?;
        self.link_keyring()?;
        let tx = self.store.begin(org).await?;
        refuse_trashed(&tx, article.project_id).await?;
        tx.rollback().await?;
        Ok(article)
    }

    /// Bytes first, so that a row never names what is not there.
    async fn store_bytes(
        &self,
        org: OrgId,
        new: NewImage,
        full: Encoded,
        variants: Vec<Variant>,
    ) -> Result<NewImage, ServiceError> {
        let part = format!("original.{}", full.kind.as_str());
        let size = full.bytes.len() as u64;
        let put = self.blobs.put_of_image(org, new.id, &part, full.bytes.into()).await?;
        let (variants, bytes) = self.store_variants(org, new.id, &put.sha256, variants).await?;
        Ok(NewImage { sha256: put.sha256, blob: put.blob, variants, stored_bytes: size + bytes, ..new })
    }

    /// `of` is the hash of the full size: sizes of an older title card never take the names of a newer one's.
    async fn store_variants(
        &self,
        org: OrgId,
        image: Uuid,
        of: &str,
        variants: Vec<Variant>,
    ) -> Result<(BTreeMap<String, StoredVariant>, u64), ServiceError> {
        let (mut stored, mut bytes) = (BTreeMap::new(), 0);
        for variant in variants {
            let name = variant.name();
            let Encoded { kind, width, height, bytes: content } = variant.encoded;
            let size = content.len() as u64;
            let part = format!("{}-{}.{}", variant.size.as_str(), of.get(..8).unwrap_or(of), kind.as_str());
            let put = self.blobs.put_of_image(org, image, &part, content.into()).await?;
            bytes += size;
            let (blob, sha256, kind) = (put.blob, put.sha256, kind.as_str().to_owned());
            stored.insert(name, StoredVariant { blob, kind, width, height, size, sha256 });
        }
        Ok((stored, bytes))
    }

    async fn insert_image(
        &self,
        org: OrgId,
        post: PostId,
        new: NewImage,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Uuid>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let quota = self.settings.files_quota;
        once(tx, key, |tx| async move {
            refuse_trashed(&tx, Some(post.project)).await?;
            tx.lock_article(new.article).await?.ok_or(ServiceError::NotFound(Missing::Post))?;
            refuse_one_more(&tx, new.article).await?;
            check_quota(tx.bytes_of_files().await?, new.stored_bytes, quota)?;
            let row = tx.insert_image(new).await?;
            Ok((tx, row.id))
        })
        .await
    }

    /// For what nobody names any more. What fails here is tried again by the sweep.
    async fn drop_blobs(&self, blobs: &[String]) {
        if let Err(error) = self.blobs.remove(blobs).await {
            tracing::warn!(%error, "bytes of a picture that is gone were not removed; the sweep tries again");
        }
    }

    fn image_view(&self, row: rows::Image) -> Result<ImageView, ServiceError> {
        self.image_view_at(row, Utc::now())
    }

    fn image_view_at(&self, row: rows::Image, now: DateTime<Utc>) -> Result<ImageView, ServiceError> {
        let original_url = self.image_link(&row, links::ORIGINAL, now)?;
        let linked = Variant::NAMES.into_iter().map(|name| Ok((name, self.image_link(&row, name, now)?)));
        Ok(ImageView { variants: linked.collect::<Result<_, ServiceError>>()?, original_url, row })
    }
}

/// What a run brings is its client's once its text is.
fn comes_with_text(image: &rows::Image) -> bool {
    matches!(image.source.0, ImageSource::Card | ImageSource::Article)
}

/// A picture whose bytes are not stored yet.
fn new_image(
    article: Uuid,
    source: ImageSource,
    encoded: &Encoded,
    alt_text: String,
    credit: Option<Json>,
) -> NewImage {
    NewImage {
        id: Uuid::now_v7(),
        article,
        source,
        kind: encoded.kind.as_str().to_owned(),
        width: encoded.width,
        height: encoded.height,
        file_size: encoded.bytes.len() as u64,
        sha256: String::new(),
        blob: String::new(),
        variants: BTreeMap::new(),
        stored_bytes: 0,
        alt_text,
        credit,
        file: None,
    }
}

pub(crate) async fn refuse_one_more(tx: &TenantTx, article: Uuid) -> Result<(), ServiceError> {
    if tx.images(&[article]).await?.len() < MOST_IMAGES {
        return Ok(());
    }
    Err(ServiceError::Conflict(format!("this post has {MOST_IMAGES} images, which is the most; remove one first")))
}

fn alt_text(given: Option<String>, title: &str) -> String {
    let texts = [given.as_deref().unwrap_or_default(), title, "Picture"];
    let text = texts.into_iter().map(str::trim).find(|text| !text.is_empty()).unwrap_or_default();
    text.chars().take(MAX_ALT_CHARS).collect()
}

/// The blobs that belong to a picture alone: they have its id in their names.
fn blobs_of<'a>(blob: &str, variants: impl Iterator<Item = &'a StoredVariant>, id: Uuid) -> Vec<String> {
    let own = id.to_string();
    let blobs = variants.map(|variant| variant.blob.clone()).chain([blob.to_owned()]);
    blobs.filter(|blob| blob.contains(&own)).collect()
}

//! Pictures of what an article is written from: fetched, encoded anew and stored as uploads are.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use galley_domain::{Fault, FaultCode, OrgId, image::ImageSource};
use galley_engine::StepError;
use galley_fetch::GuardedClients;
use galley_files::{Picture, PictureContent};
use galley_photos::fetch_picture;
use galley_store::{ImagePlace, NewImage, NewSourceImage, StoreError, rows};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{alt_text, image_reference, new_image};
use crate::{Services, error::ServiceError};

/// Bytes of a picture of a source, as it comes.
pub const MAX_SOURCE_PICTURE_BYTES: usize = 5 << 20;
/// Pixels of the shorter side: what is smaller is a sign, whatever the page says of it.
const LEAST_SIDE: u32 = 100;
/// Pictures that are fetched or worked on at the same time.
const AT_ONCE: usize = 4;
/// For all pictures of an order. What is not there by then is left out: the article is what was ordered.
const TIME: Duration = Duration::from_secs(60);

/// A picture with what is known of its source.
#[derive(Debug, Clone)]
pub struct FoundPicture {
    /// The number of the source within its run.
    pub source: u32,
    /// The page that it stands on, where it is one.
    pub page: Option<String>,
    /// The nearest heading above it.
    pub heading: Option<String>,
    pub picture: Picture,
}

/// What became of the pictures of an order's sources.
#[derive(Debug, Clone, Default)]
pub struct KeptPictures {
    pub images: Vec<NewSourceImage>,
    /// Could not be fetched: why, of the first of them.
    pub unfetched: u32,
    /// Of a kind, size or state that is not taken.
    pub refused: u32,
    /// There is no room for them among the files of the organization.
    pub no_room: u32,
    /// The first reasons, for people.
    pub reasons: Vec<String>,
}

/// What is left of what an organization's files and images may take.
#[derive(Debug)]
pub(crate) struct Room {
    left: u64,
    /// Pictures that are among what is taken: a second run finds those of the first, and they take nothing more.
    counted: HashSet<Uuid>,
}

impl Room {
    pub(crate) fn new(quota: u64, taken: u64, images: &[rows::Image]) -> Self {
        let of_sources = images.iter().filter(|image| image.source.0 == ImageSource::Article);
        Self { left: quota.saturating_sub(taken), counted: of_sources.map(|image| image.id).collect() }
    }

    /// Whether there is none for any picture.
    fn is_full(&self) -> bool {
        self.left == 0 && self.counted.is_empty()
    }

    /// Takes room for a picture, once. Whether there is some.
    pub(crate) fn take(&mut self, image: Uuid, bytes: u64) -> bool {
        if self.counted.contains(&image) {
            return true;
        }
        let left = self.left.checked_sub(bytes);
        if let Some(left) = left {
            self.left = left;
            self.counted.insert(image);
        }
        left.is_some()
    }
}

/// Why a picture is not kept.
enum LeftOut {
    Unfetched(String),
    Refused(String),
    NoRoom,
    /// Nothing is wrong with the picture.
    Failed(StepError),
}

impl Services {
    /// Stores pictures for an article, in their order. Nothing names their bytes until the step that found them ends; a
    /// second attempt stores the same bytes under the same names, and what is never named is swept.
    ///
    /// # Errors
    /// Where the file store or the database is away. What is wrong with a picture costs that picture.
    pub async fn keep_source_pictures(
        &self,
        org: OrgId,
        article: &rows::Article,
        found: Vec<FoundPicture>,
        clients: &GuardedClients,
    ) -> Result<KeptPictures, StepError> {
        let tenant = self.store.tenant(org);
        let taken = tenant.bytes_of_files().await?;
        let room = Room::new(self.settings.files_quota, taken, &tenant.images(&[article.id]).await?);
        if room.is_full() {
            let no_room = u32::try_from(found.len()).unwrap_or(u32::MAX);
            return Ok(KeptPictures { no_room, ..KeptPictures::default() });
        }
        let room = &Mutex::new(room);
        let deadline = tokio::time::Instant::now() + TIME;
        let kept = found.into_iter().map(|one| async move {
            match tokio::time::timeout_at(deadline, self.keep_one(org, article, one, clients, room)).await {
                Ok(kept) => kept,
                Err(_) => Err(LeftOut::Unfetched(format!("not all came within {} s", TIME.as_secs()))),
            }
        });
        let mut all = KeptPictures::default();
        let mut kept = stream::iter(kept).buffered(AT_ONCE);
        while let Some(one) = kept.next().await {
            match one {
                // The same picture in two sources belongs to the first.
                Ok(image) if all.images.iter().any(|other| other.image.id == image.image.id) => {}
                Ok(image) => all.images.push(image),
                Err(LeftOut::Failed(error)) => return Err(error),
                Err(LeftOut::NoRoom) => all.no_room += 1,
                Err(LeftOut::Unfetched(reason)) => {
                    all.unfetched += 1;
                    all.reasons.push(reason);
                }
                Err(LeftOut::Refused(reason)) => {
                    all.refused += 1;
                    all.reasons.push(reason);
                }
            }
        }
        Ok(all)
    }

    async fn keep_one(
        &self,
        org: OrgId,
        article: &rows::Article,
        found: FoundPicture,
        clients: &GuardedClients,
        room: &Mutex<Room>,
    ) -> Result<NewSourceImage, LeftOut> {
        let FoundPicture { source, page, heading, picture: Picture { at, alt, caption, content } } = found;
        let (bytes, address) = match content {
            PictureContent::Bytes(bytes) => (bytes, None),
            PictureContent::Address(address) => {
                let fetched = fetch_picture(clients, &address, MAX_SOURCE_PICTURE_BYTES).await;
                let bytes = fetched.map_err(|error| LeftOut::Unfetched(format!("{address} {error}")))?;
                (bytes, Some(address))
            }
        };
        let id = id_of(article.id, &bytes);
        let called = address.as_deref().unwrap_or(if alt.is_empty() { &caption } else { &alt }).to_owned();
        let (encoded, variants) = self.encoded(bytes.into()).await.map_err(|error| LeftOut::of(error, &called))?;
        if encoded.width.min(encoded.height) < LEAST_SIDE {
            return Err(LeftOut::Refused(format!("{called} has less than {LEAST_SIDE} pixels on a side")));
        }
        let sizes = variants.iter().map(|variant| variant.encoded.bytes.len());
        let size = sizes.chain([encoded.bytes.len()]).fold(0_u64, |sum, size| sum.saturating_add(size as u64));
        // Before anything is stored: the blobs of a picture that the article has already are not to be dropped again.
        if !room.lock().unwrap_or_else(PoisonError::into_inner).take(id, size) {
            return Err(LeftOut::NoRoom);
        }
        let described = [alt, caption.clone()].into_iter().find(|text| !text.trim().is_empty());
        let alt_text = alt_text(described, &article.title);
        let credit = page.map(|page| json!({ "photographer": null, "url": page }));
        let image = NewImage { id, ..new_image(article.id, ImageSource::Article, &encoded, alt_text, credit) };
        let image = self.store_bytes(org, image, encoded, variants).await;
        let image = image.map_err(|error| LeftOut::of(error, &called))?;
        Ok(NewSourceImage { image, source, place: ImagePlace { at, heading, caption, address } })
    }
}

impl LeftOut {
    fn of(error: ServiceError, called: &str) -> Self {
        match error.of_named_picture(called) {
            ServiceError::Validation(errors) => {
                let first = errors.into_iter().next();
                Self::Refused(first.map(|error| format!("{} {}", error.field, error.message)).unwrap_or_default())
            }
            ServiceError::Store(error) => Self::Failed(error.into()),
            error => {
                let text = "a picture of a source could not be stored";
                Self::Failed(Fault::transient(FaultCode::WorkflowError, text).with_detail(error).into())
            }
        }
    }
}

/// The same for the same picture of the same article, so that a second attempt writes over the first.
fn id_of(article: Uuid, bytes: &[u8]) -> Uuid {
    let digest = Sha256::new().chain_update(article.as_bytes()).chain_update(bytes).finalize();
    let mut id = [0; 16];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// A picture that an article has of one of its sources.
#[derive(Debug, Clone)]
pub struct SourceImage {
    /// What the text of the article names it by.
    pub address: String,
    pub alt_text: String,
    /// The number of the source among those that the article is written from.
    pub source: u32,
    pub place: ImagePlace,
}

impl Services {
    /// The pictures of the sources that a task is written from, by source and in the order of each.
    pub async fn source_images_of(&self, org: OrgId, task: Uuid) -> Result<Vec<SourceImage>, StoreError> {
        let article = self.article_of(org, task).await?;
        let tenant = self.store.tenant(org);
        let sources = tenant.source_heads(task).await?;
        let mut found = Vec::new();
        for image in tenant.images(&[article.id]).await? {
            let Some(place) = image.place_in_source()? else { continue };
            let Some(source) = sources.iter().find(|source| Some(source.id) == image.source_id) else { continue };
            let (address, alt_text) = (image_reference(image.id), image.alt_text);
            found.push(SourceImage { address, alt_text, source: u32::try_from(source.number).unwrap_or(0), place });
        }
        found.sort_by_key(|image| (image.source, image.place.at));
        Ok(found)
    }
}

impl KeptPictures {
    /// How many of the pictures are not kept.
    pub fn left_out(&self) -> u32 {
        self.unfetched.saturating_add(self.refused).saturating_add(self.no_room)
    }
}

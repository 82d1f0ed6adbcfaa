//! Stock photos: searched with the organization's own key or the operator's, imported into a post with their credit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use galley_domain::{
    Hidden, OrgId,
    image::{ImageSource, PhotoProvider},
};
use galley_photos::{FoundPhotos, Pexels, PhotoQuery};
use galley_store::rows;
use hashlink::LruCache;
use serde_json::json;

use crate::{
    Services,
    error::ServiceError,
    idempotency::{Answer, IdempotencyKey},
    images::{ImageView, PictureOrder, PostId},
    kept::{Change, Resource, edit, resource},
    secrets::SecretPurpose,
};

/// How long an answer of the provider is given again, and how many are kept: each is at most 80 photos.
const FRESH: Duration = Duration::from_secs(3600);
const KEPT: usize = 100;

type Answers = LruCache<PhotoQuery, (Instant, Arc<FoundPhotos>)>;

/// The provider, and the operator's key for it. Cheap to clone; clones share the answers.
#[derive(Clone)]
pub struct StockPhotos {
    pexels: Arc<Pexels>,
    key: Option<Hidden>,
    answers: Arc<Mutex<Answers>>,
}

impl std::fmt::Debug for StockPhotos {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StockPhotos").field("pexels", &self.pexels).field("has_key", &self.key.is_some()).finish()
    }
}

impl StockPhotos {
    pub fn new(pexels: Pexels, key: Option<Hidden>) -> Self {
        Self { pexels: Arc::new(pexels), key, answers: Arc::new(Mutex::new(LruCache::new(KEPT))) }
    }

    fn known(&self, query: &PhotoQuery) -> Option<Arc<FoundPhotos>> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = answers.get(query)?;
        (at.elapsed() < FRESH).then(|| Arc::clone(found))
    }

    fn keep(&self, query: PhotoQuery, found: &Arc<FoundPhotos>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(query, (Instant::now(), Arc::clone(found)));
    }
}

/// A stock photo to add to a post.
#[derive(Debug, Clone)]
pub struct StockOrder {
    /// Of the bytes.
    pub photo_url: String,
    pub alt_text: Option<String>,
    pub photographer: Option<String>,
    /// The page of the photo at the provider.
    pub original_url: Option<String>,
}

impl Services {
    fn photos(&self) -> Result<&StockPhotos, ServiceError> {
        self.photos.as_ref().ok_or_else(|| ServiceError::Conflict("no provider of stock photos is configured".into()))
    }

    /// Searches with the organization's own key, else the operator's. What was answered within the last hour is given again.
    pub async fn search_photos(&self, org: OrgId, query: PhotoQuery) -> Result<Arc<FoundPhotos>, ServiceError> {
        let photos = self.photos()?;
        let key = match self.photo_key(org).await? {
            Some(key) => key,
            None => photos.key.clone().ok_or_else(|| {
                let text = "there is no key for stock photos; add one with POST /api/v1/stock-photo-keys, or have the \
                            operator set photos.key";
                ServiceError::Conflict(text.into())
            })?,
        };
        if let Some(found) = photos.known(&query) {
            return Ok(found);
        }
        let found = Arc::new(photos.pexels.search(&key, &query).await.map_err(ServiceError::Outside)?);
        photos.keep(query, &found);
        Ok(found)
    }

    async fn photo_key(&self, org: OrgId) -> Result<Option<Hidden>, ServiceError> {
        let tenant = self.store.tenant(org);
        let Some(row) = tenant.photo_key_of(PhotoProvider::Pexels).await?.filter(|row| row.is_active) else {
            return Ok(None);
        };
        let purpose = SecretPurpose::StockPhotos;
        let Some(sealed) = tenant.secret(purpose.as_str(), &row.id.to_string()).await? else { return Ok(None) };
        let opened = self.unseal(&sealed);
        opened
            .map(Some)
            .map_err(|error| ServiceError::Conflict(format!("the key for stock photos cannot be used: {error}")))
    }

    /// Fetches a photo from the provider's hosts and adds it to a post, with its credit.
    pub async fn add_stock_image(
        &self,
        org: OrgId,
        post: PostId,
        order: StockOrder,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<ImageView>, ServiceError> {
        self.changeable_post(org, post).await?;
        let photos = self.photos()?;
        let StockOrder { photo_url, alt_text, photographer, original_url } = order;
        let url = photos.pexels.check(&photo_url);
        let url = url.map_err(|refused| ServiceError::field("photo_url", refused.to_string()))?;
        let bytes = photos.pexels.fetch(&url).await.map_err(ServiceError::Outside)?;
        let credit = (photographer.is_some() || original_url.is_some())
            .then(|| json!({ "photographer": photographer, "url": original_url }));
        let order = PictureOrder { bytes: bytes.into(), source: ImageSource::Stock, alt_text, credit };
        self.add_image(org, post, order, key).await.map_err(|error| error.of_named_picture("photo_url"))
    }
}

edit! {
    /// A key for stock photos to add, or changes to one.
    pub struct PhotoKeyEdit of rows::StockPhotoKey {
        provider: PhotoProvider,
        is_active: bool,
    } besides {
        /// The key itself: stored encrypted, never shown.
        api_key: Hidden,
    }
}

impl Resource for rows::StockPhotoKey {
    resource!(PhotoKey, at most 20 "keys for stock photos");
    type Edit = PhotoKeyEdit;

    /// A provider has at most one.
    async fn apply(at: &Change<'_>, edit: PhotoKeyEdit, row: &mut Self) -> Result<(), ServiceError> {
        if let Some(provider) = edit.provider
            && at.tx.photo_key_of(provider).await?.is_some_and(|other| other.id != row.id)
        {
            let text =
                format!("there is a key for {provider}; change it with PATCH /api/v1/stock-photo-keys/{{key_id}}");
            return Err(ServiceError::Conflict(text));
        }
        if let Some(api_key) = &edit.api_key {
            let name = row.id.to_string();
            at.tx.put_secret(at.services.seal(at.tx.org(), SecretPurpose::StockPhotos, &name, api_key)?).await?;
        }
        edit.write(row);
        Ok(())
    }

    async fn removed(at: &Change<'_>, row: &Self) -> Result<(), ServiceError> {
        at.tx.delete_secret(SecretPurpose::StockPhotos.as_str(), &row.id.to_string()).await?;
        Ok(())
    }
}

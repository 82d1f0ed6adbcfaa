//! Stock photos: the search, and the keys for it.

use galley_domain::{Hidden, image::PhotoProvider};
use galley_photos::{FoundPhotos, Orientation, Photo, PhotoQuery};
use galley_services::PhotoKeyEdit;
use galley_store::rows;
use poem_openapi::{Object, OpenApi, param::Path};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, ProjectsRead, SecretsRead, SecretsWrite},
        body::Body,
        fields::{Patch, fields},
        header::IdempotencyKey,
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Word},
        values::{FreeObject, Integer, Text},
    },
};

pub struct StockPhotos;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Images")]
impl StockPhotos {
    /// Search stock photos
    ///
    /// At Pexels, with the organization's own key or the operator's; without either it is a CONFLICT. The same search within
    /// an hour gets the same answer.
    #[oai(path = "/stock-photos/search", method = "get", operation_id = "list_stock_photos")]
    async fn search(
        &self,
        auth: Auth<ProjectsRead, Content>,
        Query(query): Query<StockPhotoQuery>,
    ) -> Outcome<StockPhotoPage> {
        let found = auth.services().search_photos(auth.org(), query.into()).await?;
        Ok(Reply::new((&*found).into()))
    }

    /// List keys for stock photos
    ///
    /// Without the keys themselves.
    #[oai(path = "/stock-photo-keys", method = "get", operation_id = "list_stock_photo_keys")]
    async fn keys(&self, auth: Auth<SecretsRead>) -> Outcome<Vec<StockPhotoKey>> {
        let keys = auth.services().photo_keys(auth.org()).await?;
        Ok(Reply::new(keys.into_iter().map(Into::into).collect()))
    }

    /// Add a key for stock photos
    ///
    /// It is stored encrypted and never shown. A provider that has one already is a CONFLICT.
    #[oai(path = "/stock-photo-keys", method = "post", operation_id = "create_stock_photo_key")]
    async fn create(
        &self,
        auth: Auth<SecretsWrite, Content>,
        /// The same key with the same body gives the first answer again.
        key: IdempotencyKey,
        new: Body<CreateStockPhotoKey>,
    ) -> Outcome<StockPhotoKey, Created> {
        let key = key.with(&new.canonical)?;
        let CreateStockPhotoKey { provider, api_key, is_active } = new.value;
        let secret = Hidden::new(api_key.0);
        let answer = auth.services().add_photo_key(auth.org(), provider.0, &secret, is_active, key.as_ref()).await?;
        let location = format!("/api/v1/stock-photo-keys/{}", answer.value.id);
        Ok(Reply::of(answer, StockPhotoKey::from).at(&location))
    }

    /// Change a key for stock photos
    ///
    /// What is left out stays. Searches do without one that is not active.
    #[oai(path = "/stock-photo-keys/:key_id", method = "patch", operation_id = "update_stock_photo_key")]
    async fn update(
        &self,
        auth: Auth<SecretsWrite, Content>,
        key_id: Path<Id>,
        change: Body<UpdateStockPhotoKey>,
    ) -> Outcome<StockPhotoKey> {
        let row = auth.services().edit_photo_key(auth.org(), key_id.0.0, change.value.into()).await?;
        Ok(Reply::new(row.into()))
    }

    /// Delete a key for stock photos
    ///
    /// Images that were found with it stay.
    #[oai(path = "/stock-photo-keys/:key_id", method = "delete", operation_id = "delete_stock_photo_key")]
    async fn delete(&self, auth: Auth<SecretsWrite, Content>, key_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_photo_key(auth.org(), key_id.0.0).await?;
        Ok(NoContent)
    }
}

fields! {
    /// What to look for.
    pub struct StockPhotoQuery {
        /// 1 to 200 characters.
        q: Text<1, 200>,
        page: Integer<1, 100_000> = Integer(1),
        per_page: Integer<1, 80> = Integer(20),
        orientation: Option<Word<Orientation>>,
    }
}

impl From<StockPhotoQuery> for PhotoQuery {
    fn from(query: StockPhotoQuery) -> Self {
        // Both are within their limits.
        let number = |value: i64| u32::try_from(value).unwrap_or(1);
        Self {
            text: query.q.0.trim().to_owned(),
            page: number(query.page.0),
            per_page: number(query.per_page.0),
            orientation: query.orientation.map(|word| word.0.as_str()),
        }
    }
}

fields! {
    /// A key for stock photos.
    pub struct CreateStockPhotoKey: ignores_unknown {
        provider: Word<PhotoProvider>,
        /// As the provider shows it; 1 to 500 characters.
        api_key: Text<1, 500>,
        is_active: bool = true,
    }
}

fields! {
    /// Changes to a key for stock photos; what is left out stays.
    pub struct UpdateStockPhotoKey: ignores_unknown {
        /// Another key, in the place of the one before.
        api_key: Patch<Text<1, 500>>,
        is_active: Patch<bool>,
    }
}

impl From<UpdateStockPhotoKey> for PhotoKeyEdit {
    fn from(change: UpdateStockPhotoKey) -> Self {
        let api_key = change.api_key.0.map(|text| Hidden::new(text.0));
        Self { api_key, is_active: change.is_active.0 }
    }
}

/// A key for stock photos, without the key itself.
#[derive(Debug, Object)]
pub struct StockPhotoKey {
    id: Uuid,
    organization_id: Uuid,
    provider: Word<PhotoProvider>,
    /// Whether searches use it.
    is_active: bool,
    created_at: Moment,
    updated_at: Moment,
}

impl From<rows::StockPhotoKey> for StockPhotoKey {
    fn from(row: rows::StockPhotoKey) -> Self {
        Self {
            id: row.id,
            organization_id: row.org_id,
            provider: row.provider.into(),
            is_active: row.is_active,
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        }
    }
}

/// A page of photos, as the provider gives it.
#[derive(Debug, Object)]
pub struct StockPhotoPage {
    total_results: u64,
    page: u32,
    per_page: u32,
    photos: Vec<StockPhoto>,
}

/// A photo, and whose it is.
#[derive(Debug, Object)]
pub struct StockPhoto {
    id: u64,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
    /// Its page at the provider.
    url: String,
    photographer: String,
    photographer_url: String,
    /// Such as #978E82.
    avg_color: Nullable<String>,
    /// What it shows.
    alt: Nullable<String>,
    /// Names of sizes to the addresses of the bytes.
    src: FreeObject,
}

impl From<&FoundPhotos> for StockPhotoPage {
    fn from(found: &FoundPhotos) -> Self {
        Self {
            total_results: found.total_results,
            page: found.page,
            per_page: found.per_page,
            photos: found.photos.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Photo> for StockPhoto {
    fn from(photo: &Photo) -> Self {
        let src: Map<_, _> = photo.src.iter().map(|(name, url)| (name.clone(), Value::from(url.as_str()))).collect();
        Self {
            id: photo.id,
            width: photo.width,
            height: photo.height,
            url: photo.url.clone(),
            photographer: photo.photographer.clone(),
            photographer_url: photo.photographer_url.clone(),
            avg_color: Nullable(photo.avg_color.clone()),
            alt: Nullable(photo.alt.clone()),
            src: FreeObject(src),
        }
    }
}

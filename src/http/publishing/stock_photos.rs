//! Stock photos: the search, and the keys for it.

use galley_domain::image::PhotoProvider;
use galley_photos::{FoundPhotos, Orientation, Photo, PhotoQuery};
use galley_services::PhotoKeyEdit;
use galley_store::rows;
use poem_openapi::{Object, OpenApi};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, ProjectsRead},
        fields::{Patch, fields},
        query::Query,
        reply::{Outcome, Reply},
        resource::resource,
        scalar::{Moment, Nullable, Word},
        values::{FreeObject, Integer, Text},
        view::view,
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
}

resource! {
    pub struct StockPhotoKeys of rows::StockPhotoKey as StockPhotoKey in "Area::Images" at "/stock-photo-keys";
    read by SecretsRead, written by SecretsWrite;

    list "/stock-photo-keys" as "list_stock_photo_keys" {
        /// List keys for stock photos
        ///
        /// Without the keys themselves.
    }
    create CreateStockPhotoKey "/stock-photo-keys" as "create_stock_photo_key" {
        /// Add a key for stock photos
        ///
        /// It is stored encrypted and never shown. A provider that has one already is a CONFLICT.
    }
    update UpdateStockPhotoKey key_id "/stock-photo-keys/:key_id" as "update_stock_photo_key" {
        /// Change a key for stock photos
        ///
        /// What is left out stays. Searches do without one that is not active.
    }
    delete key_id "/stock-photo-keys/:key_id" as "delete_stock_photo_key" {
        /// Delete a key for stock photos
        ///
        /// Images that were found with it stay.
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
    becomes PhotoKeyEdit;
}

fields! {
    /// Changes to a key for stock photos; what is left out stays.
    pub struct UpdateStockPhotoKey: ignores_unknown {
        /// Another key, in the place of the one before.
        api_key: Patch<Text<1, 500>>,
        is_active: Patch<bool>,
    }
    becomes PhotoKeyEdit;
}

view! {
    /// A key for stock photos, without the key itself.
    pub struct StockPhotoKey of rows::StockPhotoKey as row {
        id: Uuid,
        organization_id: Uuid = row.org_id,
        provider: Word<PhotoProvider>,
        /// Whether searches use it.
        is_active: bool,
        created_at: Moment,
        updated_at: Moment,
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

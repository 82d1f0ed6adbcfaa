//! Keys of organizations for providers of stock photos; the keys themselves are secrets.

use galley_domain::image::PhotoProvider;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};

use crate::{
    entity::stock_photo_keys::{Column, Entity, Model},
    error::StoreError,
    scope::Scoped,
};

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn photo_key_of(&self, provider: PhotoProvider) -> Result<Option<Model>, StoreError> {
        Ok(self.find::<Entity>().filter(Column::Provider.eq(provider.as_str())).one(&self.conn).await?)
    }
}

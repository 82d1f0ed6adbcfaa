//! Keys of organizations for providers of stock photos; the keys themselves are secrets.

use galley_domain::image::PhotoProvider;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::stock_photo_keys::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
    words::TextEnum,
};

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn stock_photo_keys(&self) -> Result<Vec<Model>, StoreError> {
        Ok(self.find::<Entity>().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&self.conn).await?)
    }

    /// The key that is in use for a provider.
    pub async fn active_photo_key(&self, provider: PhotoProvider) -> Result<Option<Model>, StoreError> {
        let active = self.find::<Entity>().filter(Column::Provider.eq(provider.as_str()));
        Ok(active.filter(Column::IsActive.eq(true)).one(&self.conn).await?)
    }
}

impl TenantTx {
    pub async fn lock_stock_photo_key(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.lock::<Entity>(id).await
    }

    /// A conflict when the provider has one.
    pub async fn insert_stock_photo_key(
        &self,
        id: Uuid,
        provider: PhotoProvider,
        is_active: bool,
    ) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(id),
            provider: Set(TextEnum(provider)),
            is_active: Set(is_active),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Writes back what the caller changed on a locked row.
    pub async fn save_stock_photo_key(&self, key: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(key).await
    }

    pub async fn delete_stock_photo_key(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }
}

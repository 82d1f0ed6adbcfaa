//! What can be done with every row that an organization keeps under an id, by the type of the row. A table needs methods
//! of its own only for what is not here.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, FromQueryResult, IdenStatic, IntoActiveModel, Iterable, ModelTrait,
    PaginatorTrait, QueryOrder,
};
use uuid::Uuid;

use crate::{
    crud::Identified,
    error::StoreError,
    scope::{Scoped, TenantTx},
};

/// A row of an organization with an id.
pub trait Kept: ModelTrait<Entity: Identified<Model = Self>> + FromQueryResult + Send + Sync {
    /// The name of its table.
    fn table() -> &'static str {
        sea_orm::EntityName::table_name(&<Self::Entity as Default>::default())
    }
}

impl<R: ModelTrait<Entity: Identified<Model = R>> + FromQueryResult + Send + Sync> Kept for R {}

type Column<R> = <<R as ModelTrait>::Entity as sea_orm::EntityTrait>::Column;
type Active<R> = <<R as ModelTrait>::Entity as sea_orm::EntityTrait>::ActiveModel;

/// What the database writes when a row is new.
fn is_stamp(column: &impl ColumnTrait) -> bool {
    matches!(IdenStatic::as_str(column), "created_at" | "updated_at")
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn one<R: Kept>(&self, id: Uuid) -> Result<Option<R>, StoreError> {
        self.get::<R::Entity>(id).await
    }

    /// All of them, the newest first: for what an organization has few of.
    pub async fn all<R: Kept>(&self) -> Result<Vec<R>, StoreError> {
        let created = Column::<R>::iter().find(|column| IdenStatic::as_str(column) == "created_at");
        let sorted = created.into_iter().fold(self.find::<R::Entity>(), QueryOrder::order_by_desc);
        Ok(sorted.order_by_desc(R::Entity::id_column()).all(&self.conn).await?)
    }

    pub async fn how_many<R: Kept>(&self) -> Result<u64, StoreError> {
        Ok(self.find::<R::Entity>().count(&self.conn).await?)
    }
}

impl TenantTx {
    /// As [`Scoped::one`], and nobody else changes the row until the transaction ends.
    pub async fn hold<R: Kept>(&self, id: Uuid) -> Result<Option<R>, StoreError> {
        self.lock::<R::Entity>(id).await
    }

    /// Stores a new row; when it was made says the database.
    pub async fn add<R: Kept + IntoActiveModel<Active<R>>>(&self, row: R) -> Result<R, StoreError> {
        let mut row = row.into_active_model().reset_all();
        Column::<R>::iter().filter(is_stamp).for_each(|column| row.not_set(column));
        self.insert::<R::Entity>(row).await
    }

    /// Writes back what the caller changed on a row that [`Self::hold`] has given.
    pub async fn put<R: Kept>(&self, row: R) -> Result<R, StoreError> {
        self.save::<R::Entity>(row).await
    }

    /// True when there was one.
    pub async fn remove<R: Kept>(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<R::Entity>(id).await
    }
}

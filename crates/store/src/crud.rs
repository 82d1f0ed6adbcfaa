//! What every table of a tenant can do: find, get, page, insert, update and delete, always with the tenant added.
//!
//! Architecture invariant: statements on entities begin here and nowhere else in this crate (`tests/store/source_text.rs`).

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DeleteMany, EntityTrait, IdenStatic, IntoActiveModel,
    IntoSimpleExpr, Iterable, Order, PaginatorTrait, PartialModelTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    UpdateMany,
    sea_query::{Expr, ExprTrait, LockType, SimpleExpr, ValueType, extension::postgres::PgBinOper},
};
use uuid::Uuid;

use crate::{
    error::StoreError,
    scope::{Scoped, TenantTx},
};

/// An entity whose rows belong to an organization.
pub trait TenantEntity: EntityTrait<Model: IntoActiveModel<<Self as EntityTrait>::ActiveModel> + Send + Sync> {
    fn org_column() -> Self::Column;
}

/// An entity of a tenant whose rows have one id.
pub trait Identified: TenantEntity {
    fn id_column() -> Self::Column;
}

/// What entities have in common: no relations, no behaviour, the column of their organization, and that of their id if
/// they have one.
macro_rules! tenant_entity {
    ($org:ident, $id:ident) => {
        crate::crud::tenant_entity!($org);

        impl crate::crud::Identified for Entity {
            fn id_column() -> Column {
                Column::$id
            }
        }
    };
    ($org:ident) => {
        #[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}

        impl crate::crud::TenantEntity for Entity {
            fn org_column() -> Column {
                Column::$org
            }
        }
    };
}
pub(crate) use tenant_entity;

/// Whether this is the column that says when the row was changed.
fn changed_at(column: &impl ColumnTrait) -> bool {
    IdenStatic::as_str(column) == "updated_at"
}

/// A page of rows, and how many there are in all.
pub(crate) type Page<M> = (Vec<M>, u64);

/// Whether the column holds the text somewhere, without regard to case; wildcards in it are taken literally.
pub(crate) fn contains(column: impl ColumnTrait, text: &str) -> SimpleExpr {
    let literal: String = text
        .chars()
        .flat_map(|sign| matches!(sign, '%' | '_' | '\\').then_some('\\').into_iter().chain([sign]))
        .collect();
    Expr::col(column.as_column_ref()).binary(PgBinOper::ILike, format!("%{literal}%"))
}

impl<C: ConnectionTrait> Scoped<C> {
    /// The only way to a SELECT on a tenant's entity.
    pub(crate) fn find<E: TenantEntity>(&self) -> Select<E> {
        E::find().filter(E::org_column().eq(self.org().0))
    }

    pub(crate) async fn get<E: Identified>(&self, id: Uuid) -> Result<Option<E::Model>, StoreError> {
        Ok(self.find::<E>().filter(E::id_column().eq(id)).one(&self.conn).await?)
    }

    /// Rows that meet the condition, whole or in part, as `M` says. `sort` should end with what is unique.
    pub(crate) async fn page<E: TenantEntity, M: PartialModelTrait + Send + Sync>(
        &self,
        condition: Condition,
        sort: &[(impl IntoSimpleExpr + Clone + Sync, Order)],
        limit: u64,
        offset: u64,
    ) -> Result<Page<M>, StoreError> {
        let query = self.find::<E>().filter(condition);
        let total = query.clone().count(&self.conn).await?;
        let sorted = sort.iter().fold(query, |query, (column, order)| query.order_by(column.clone(), order.clone()));
        Ok((sorted.limit(limit).offset(offset).into_partial_model().all(&self.conn).await?, total))
    }
}

impl TenantTx {
    /// As [`Self::get`], and nobody else changes the row until the transaction ends.
    pub(crate) async fn lock<E: Identified>(&self, id: Uuid) -> Result<Option<E::Model>, StoreError> {
        Ok(self.find::<E>().filter(E::id_column().eq(id)).lock(LockType::Update).one(&self.conn).await?)
    }

    /// Stores a row as this organization's, whatever organization the caller has named.
    pub(crate) async fn insert<E: TenantEntity>(&self, mut row: E::ActiveModel) -> Result<E::Model, StoreError> {
        row.set(E::org_column(), self.org_value());
        Ok(E::insert(row).exec_with_returning(&self.conn).await?)
    }

    /// Changes what is set in `row`, and when it was changed; what there is now, or nothing when there is no such row.
    pub(crate) async fn update<E: Identified>(
        &self,
        id: Uuid,
        mut row: E::ActiveModel,
    ) -> Result<Option<E::Model>, StoreError> {
        row.not_set(E::org_column());
        row.not_set(E::id_column());
        let update = self.updating::<E>().set(row).filter(E::id_column().eq(id));
        Ok(update.exec_with_returning(&self.conn).await?.into_iter().next())
    }

    /// Writes a whole row back that [`Self::lock`] has given.
    pub(crate) async fn save<E: Identified>(&self, row: E::Model) -> Result<E::Model, StoreError> {
        let mut row = row.into_active_model().reset_all();
        let id = row.get(E::id_column()).into_value().map(<Uuid as ValueType>::try_from);
        let Some(Ok(id)) = id else { return Err(StoreError::Unreadable("a row without its id".into())) };
        E::Column::iter().filter(changed_at).for_each(|column| row.not_set(column));
        self.update::<E>(id, row).await?.ok_or_else(|| StoreError::Unreadable("a locked row is gone".into()))
    }

    /// The only way to an UPDATE on a tenant's entity. Notes when the row was changed if it has a column for that.
    pub(crate) fn updating<E: TenantEntity>(&self) -> UpdateMany<E> {
        let update = E::update_many().filter(E::org_column().eq(self.org().0));
        match E::Column::iter().find(changed_at) {
            Some(column) => update.col_expr(column, Expr::current_timestamp()),
            None => update,
        }
    }

    /// True when there was such a row.
    pub(crate) async fn delete<E: Identified>(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.deleting::<E>().filter(E::id_column().eq(id)).exec(&self.conn).await?.rows_affected == 1)
    }

    /// The only way to a DELETE on a tenant's entity.
    pub(crate) fn deleting<E: TenantEntity>(&self) -> DeleteMany<E> {
        E::delete_many().filter(E::org_column().eq(self.org().0))
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{DbBackend, EntityTrait, QueryFilter, QueryTrait};

    use super::contains;
    use crate::entity::files;

    #[test]
    fn wildcards_in_a_search_are_taken_literally() {
        let query = files::Entity::find().filter(contains(files::Column::Name, "100%_a\\"));
        let statement = query.build(DbBackend::Postgres);
        assert_eq!(statement.values.expect("a value").0, ["%100\\%\\_a\\\\%".into()]);
    }
}

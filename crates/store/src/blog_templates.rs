//! Templates of blog posts. At most one of an organization is what posts are made from that name none.

use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, sea_query::Expr};

use crate::{
    entity::blog_templates::{Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
};

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn default_blog_template(&self) -> Result<Option<Model>, StoreError> {
        Ok(self.find::<Entity>().filter(Column::IsDefault.eq(true)).one(&self.conn).await?)
    }
}

impl TenantTx {
    /// Takes the place of the default, if one has it, for another that is written in the same transaction.
    pub async fn clear_default_blog_template(&self) -> Result<(), StoreError> {
        let default = self.updating::<Entity>().col_expr(Column::IsDefault, Expr::value(false));
        default.filter(Column::IsDefault.eq(true)).exec(&self.conn).await?;
        Ok(())
    }
}

//! Templates of blog posts. At most one of an organization is what posts are made from that name none.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    entity::blog_templates::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
};

/// A template to store.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    pub name: String,
    pub description: String,
    pub tone: Option<String>,
    pub structure: Json,
    pub custom_instructions: String,
    pub is_default: bool,
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn blog_template(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// Newest first.
    pub async fn blog_templates(&self) -> Result<Vec<Model>, StoreError> {
        let newest = self.find::<Entity>().order_by_desc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(newest.all(&self.conn).await?)
    }

    pub async fn default_blog_template(&self) -> Result<Option<Model>, StoreError> {
        Ok(self.find::<Entity>().filter(Column::IsDefault.eq(true)).one(&self.conn).await?)
    }
}

impl TenantTx {
    pub async fn lock_blog_template(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.lock::<Entity>(id).await
    }

    /// Takes the place of the default, if one has it, for another that is written in the same transaction.
    pub async fn clear_default_blog_template(&self) -> Result<(), StoreError> {
        let default = self.updating::<Entity>().col_expr(Column::IsDefault, Expr::value(false));
        default.filter(Column::IsDefault.eq(true)).exec(&self.conn).await?;
        Ok(())
    }

    pub async fn insert_blog_template(&self, new: NewTemplate) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(Uuid::now_v7()),
            name: Set(new.name),
            description: Set(new.description),
            tone: Set(new.tone),
            structure: Set(new.structure),
            custom_instructions: Set(new.custom_instructions),
            is_default: Set(new.is_default),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Writes back what the caller changed on a locked template.
    pub async fn save_blog_template(&self, template: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(template).await
    }

    /// True when there was one. Posts that were made from it stay as they are.
    pub async fn delete_blog_template(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }
}

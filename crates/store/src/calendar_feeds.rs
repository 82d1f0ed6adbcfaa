//! Calendar feeds: read by whoever has the address, until it is revoked.

use galley_domain::OrgId;
use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::calendar_feeds::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
};

/// A feed to store.
#[derive(Debug, Clone)]
pub struct NewFeed {
    pub id: Uuid,
    pub name: String,
    pub project_id: Option<Uuid>,
    pub hash: Vec<u8>,
}

impl<C: ConnectionTrait> Scoped<C> {
    /// Newest first; there are few.
    pub async fn calendar_feeds(&self) -> Result<Vec<Model>, StoreError> {
        let newest = self.find::<Entity>().order_by_desc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(newest.all(&self.conn).await?)
    }
}

impl TenantTx {
    pub async fn insert_calendar_feed(&self, new: NewFeed) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(new.id),
            name: Set(new.name),
            project_id: Set(new.project_id),
            hash: Set(new.hash),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// True when there was one.
    pub async fn delete_calendar_feed(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }
}

impl System {
    /// Whose feed a token is for, and of which project.
    pub async fn calendar_feed(&self, hash: Vec<u8>) -> Result<Option<(OrgId, Option<Uuid>)>, StoreError> {
        let found = "SELECT org_id, project_id FROM calendar_feeds WHERE hash = $1";
        let row = sql::one(&self.db, found, [hash.into()]).await?;
        row.map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "project_id")?))).transpose()
    }
}

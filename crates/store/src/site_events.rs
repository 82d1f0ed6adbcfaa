//! What happened between a site and us: the newest of each connection.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    entity::site_events::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// Something that happened.
#[derive(Debug, Clone)]
pub struct NewSiteEvent {
    pub connection_id: Uuid,
    /// webhook, structure or sync.
    pub event_type: &'static str,
    pub action: String,
    pub success: bool,
    pub message: String,
    pub article_id: Option<Uuid>,
}

/// How many are kept of each connection.
const KEPT: i64 = 200;

const FORGET: &str = "
DELETE FROM site_events WHERE org_id = $1 AND connection_id = $2 AND id IN (
    SELECT id FROM site_events WHERE org_id = $1 AND connection_id = $2 ORDER BY created_at DESC, id OFFSET $3)";

impl<C: ConnectionTrait> Scoped<C> {
    /// The newest first.
    pub async fn site_events(&self, connection: Uuid, limit: u64) -> Result<Vec<Model>, StoreError> {
        let of_site = self.find::<Entity>().filter(Column::ConnectionId.eq(connection));
        let newest = of_site.order_by_desc(Column::CreatedAt).order_by_desc(Column::Id).limit(limit);
        Ok(newest.all(&self.conn).await?)
    }
}

impl TenantTx {
    /// Notes it, and forgets what is older than the newest few.
    pub async fn insert_site_event(&self, new: NewSiteEvent) -> Result<(), StoreError> {
        let connection = new.connection_id;
        let row = ActiveModel {
            id: Set(Uuid::now_v7()),
            connection_id: Set(connection),
            event_type: Set(new.event_type.to_owned()),
            action: Set(new.action),
            success: Set(new.success),
            message: Set(new.message),
            article_id: Set(new.article_id),
            ..Default::default()
        };
        self.insert::<Entity>(row).await?;
        sql::execute(&self.conn, FORGET, [self.org_value(), connection.into(), KEPT.into()]).await?;
        Ok(())
    }
}

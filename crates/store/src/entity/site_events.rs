//! Table `site_events`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "site_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub connection_id: Uuid,
    /// webhook, structure or sync.
    pub event_type: String,
    pub action: String,
    pub success: bool,
    /// For people.
    pub message: String,
    pub article_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

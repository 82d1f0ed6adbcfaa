//! Table `connections`.

use galley_domain::{project::Platform, publishing::SyncStatus};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    /// The project whose integration it is.
    pub project_id: Option<Uuid>,
    pub platform: TextEnum<Platform>,
    pub name: String,
    /// Without a slash at its end.
    pub site_url: String,
    /// Empty when the site's plugin is the only partner.
    pub username: String,
    pub is_active: bool,
    pub sync_enabled: bool,
    pub sync_status: TextEnum<SyncStatus>,
    pub sync_error: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub config: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// As the site said last.
    #[sea_orm(column_type = "JsonBinary")]
    pub categories: Option<Json>,
    pub categories_cached_at: Option<DateTimeUtc>,
    pub last_synced_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

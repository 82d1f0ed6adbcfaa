//! Table `projects`.

use galley_domain::project::{Platform, ProjectStatus};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub platform: TextEnum<Platform>,
    pub status: TextEnum<ProjectStatus>,
    /// Unique in the organization, from the first name that it had.
    pub slug: String,
    pub domain: Option<String>,
    pub description: String,
    /// An object.
    #[sea_orm(column_type = "JsonBinary")]
    pub settings: Json,
    pub created_at: DateTimeUtc,
    pub completed_at: Option<DateTimeUtc>,
    /// When it went into the trash.
    pub deleted_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
    /// Since when everybody may read its site; nothing while nobody may.
    pub opened_at: Option<DateTimeUtc>,
}

crate::crud::tenant_entity!(OrgId, Id);

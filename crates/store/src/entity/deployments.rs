//! Table `deployments`.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "deployments")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub project_id: Uuid,
    /// The call that it belongs to, which may be about several projects.
    pub publish_id: Uuid,
    /// full or incremental.
    pub deployment_type: String,
    /// Counts from 1 in the project.
    pub version: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

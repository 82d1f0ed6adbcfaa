//! Table `files`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub kind: String,
    pub size: i64,
    pub sha256: String,
    pub blob: String,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

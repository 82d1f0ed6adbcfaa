//! Table `event_groups`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub org_id: Uuid,
    #[sea_orm(column_type = "JsonBinary")]
    pub told: Json,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId);

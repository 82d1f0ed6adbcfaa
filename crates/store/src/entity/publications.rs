//! Table `publications`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "publications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub article_id: Uuid,
    pub task_id: Option<Uuid>,
    pub destination: String,
    pub version: i32,
    pub state: String,
    pub remote_ref: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

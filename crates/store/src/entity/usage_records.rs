//! Table `usage_records`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub task_id: Option<Uuid>,
    pub step_id: Uuid,
    pub attempt: i32,
    pub lease: Uuid,
    pub ordinal: i32,
    pub provider: String,
    pub model: String,
    pub operation: String,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub estimated: bool,
    pub cost_usd: Decimal,
    pub duration_ms: i64,
    pub outcome: String,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

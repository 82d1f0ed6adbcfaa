//! Table `tasks`.

use sea_orm::entity::prelude::*;

use crate::task_state::Stages;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: String,
    pub status: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub input: Json,
    pub subject_id: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    pub parent_step: Option<Uuid>,
    pub parent_position: Option<i32>,
    pub rank: i64,
    pub run: i32,
    pub event_seq: i64,
    pub progress: i16,
    pub current_step: Option<String>,
    pub steps_completed: Vec<String>,
    pub paused: bool,
    pub items_total: i32,
    pub items_done: i32,
    pub items_failed: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub stages: Stages,
    #[sea_orm(column_type = "JsonBinary")]
    pub memo: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub warnings: Json,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub price: Decimal,
    pub trace_id: String,
    pub api_key_id: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::scope::TenantEntity for Entity {
    fn org_column() -> Column {
        Column::OrgId
    }
}

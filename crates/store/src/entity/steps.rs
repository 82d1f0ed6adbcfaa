//! Table `steps`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "steps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub run: i32,
    pub kind: String,
    pub pool: String,
    pub position: i32,
    pub state: String,
    pub rank: i64,
    pub attempt: i32,
    pub max_attempts: i32,
    pub run_at: DateTimeUtc,
    pub lease: Option<Uuid>,
    pub lease_until: Option<DateTimeUtc>,
    pub worker: Option<String>,
    #[sea_orm(column_type = "JsonBinary")]
    pub output: Option<Json>,
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Option<Json>,
    pub subject_id: Option<Uuid>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub trace_id: String,
    pub unique_key: Option<String>,
    pub created_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::scope::TenantEntity for Entity {
    fn org_column() -> Column {
        Column::OrgId
    }
}

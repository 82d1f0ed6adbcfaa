//! Table `research_sources`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "research_sources")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub task_id: Uuid,
    pub run: i32,
    pub number: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub origin: Json,
    pub title: String,
    pub language: Option<String>,
    pub text: String,
    pub sha256: String,
    pub words: i32,
    pub fetched_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::scope::TenantEntity for Entity {
    fn org_column() -> Column {
        Column::OrgId
    }
}

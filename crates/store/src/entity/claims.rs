//! Table `claims`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "claims")]
pub struct Model {
    pub org_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub section: i32,
    pub sentence: String,
    pub verdict: String,
    pub source_id: Option<Uuid>,
    pub span_start: Option<i32>,
    pub span_end: Option<i32>,
    pub coverage: i16,
    pub missing: Vec<String>,
}

crate::crud::tenant_entity!(OrgId);

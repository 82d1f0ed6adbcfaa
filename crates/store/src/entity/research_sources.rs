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

/// A source without its text.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Head {
    pub id: Uuid,
    pub number: i32,
    pub origin: Json,
    pub title: String,
    pub language: Option<String>,
    pub sha256: String,
    pub words: i32,
    pub fetched_at: DateTimeUtc,
}

impl From<&Model> for Head {
    fn from(source: &Model) -> Self {
        Self {
            id: source.id,
            number: source.number,
            origin: source.origin.clone(),
            title: source.title.clone(),
            language: source.language.clone(),
            sha256: source.sha256.clone(),
            words: source.words,
            fetched_at: source.fetched_at,
        }
    }
}

crate::crud::tenant_entity!(OrgId, Id);

//! Table `articles`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "articles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub project_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub status: String,
    pub title: String,
    pub slug: String,
    pub content_markdown: String,
    pub content_format: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub tone: String,
    pub length: Option<String>,
    pub language: String,
    pub word_count: i32,
    pub writer: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub seo_report: Option<Json>,
    pub cover_file_id: Option<Uuid>,
    pub cover_alt: Option<String>,
    pub error: Option<String>,
    pub version: i32,
    pub published_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// An article without its text and its report.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Head {
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub status: String,
    pub title: String,
    pub slug: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub tone: String,
    pub length: Option<String>,
    pub language: String,
    pub word_count: i32,
    pub writer: String,
    pub cover_file_id: Option<Uuid>,
    pub cover_alt: Option<String>,
    pub error: Option<String>,
    pub version: i32,
    pub published_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

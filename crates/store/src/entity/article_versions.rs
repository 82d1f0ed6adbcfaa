//! Table `article_versions`.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "article_versions")]
pub struct Model {
    pub org_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub article_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub reason: String,
    pub title: String,
    pub slug: String,
    pub content_markdown: String,
    pub seo_title: String,
    pub seo_description: String,
    pub keywords: Vec<String>,
    pub status: String,
    pub word_count: i32,
    pub created_at: DateTimeUtc,
}

/// A version without its text.
#[derive(Debug, Clone, PartialEq, Eq, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Head {
    pub version: i32,
    pub reason: String,
    pub title: String,
    pub slug: String,
    pub status: String,
    pub word_count: i32,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId);

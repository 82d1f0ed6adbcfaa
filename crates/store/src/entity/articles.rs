//! Table `articles`.

use galley_domain::publishing::PostType;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
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
    pub post_type: TextEnum<PostType>,
    pub topic: Option<String>,
    pub excerpt: Option<String>,
    pub focus_keyword: Option<String>,
    /// By name, `A > B` where one stands under another.
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    /// Of the blog.
    pub wp_category_ids: Vec<i64>,
    pub source_item_ids: Vec<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub product_links: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub ai_settings: Json,
    pub template_id: Option<Uuid>,
    /// A picture elsewhere that stands for one of our own.
    pub featured_url: Option<String>,
    /// The task that writes its text anew, while that has not ended.
    pub rewrite_task_id: Option<Uuid>,
    /// What the blog calls it, and where it is to be read.
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    /// Where it was published last.
    pub connection_id: Option<Uuid>,
    /// Why the newest publication failed.
    pub publish_error: Option<String>,
    /// The publication that waits for its hour or is under way.
    pub publication_id: Option<Uuid>,
    pub scheduled_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary")]
    pub schedule: Option<Json>,
    /// A date without a promise.
    pub planned_for: Option<Date>,
    /// galley, or the kind of site that it was brought from.
    pub source: String,
    pub updated_at: DateTimeUtc,
}

/// An article without its text and its report.
#[derive(Debug, Clone, Default, PartialEq, Eq, DerivePartialModel)]
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
    pub post_type: TextEnum<PostType>,
    pub topic: Option<String>,
    pub featured_url: Option<String>,
    pub rewrite_task_id: Option<Uuid>,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub publish_error: Option<String>,
    pub scheduled_at: Option<DateTimeUtc>,
    pub planned_for: Option<Date>,
    pub categories: Vec<String>,
    pub tags: Vec<String>,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

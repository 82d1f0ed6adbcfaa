//! Table `blog_templates`.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "blog_templates")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub description: String,
    pub tone: Option<String>,
    /// Sections, each with heading, instructions, words.
    #[sea_orm(column_type = "JsonBinary")]
    pub structure: Json,
    pub custom_instructions: String,
    pub is_default: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

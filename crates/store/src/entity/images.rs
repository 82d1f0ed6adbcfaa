//! Table `images`.

use galley_domain::image::ImageSource;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "images")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub article_id: Uuid,
    pub source: TextEnum<ImageSource>,
    pub kind: String,
    pub width: i32,
    pub height: i32,
    pub file_size: i64,
    pub sha256: String,
    pub blob: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub variants: Json,
    pub stored_bytes: i64,
    pub alt_text: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub credit: Option<Json>,
    pub is_featured: bool,
    pub position: i32,
    pub file_id: Option<Uuid>,
    pub source_id: Option<Uuid>,
    #[sea_orm(column_type = "JsonBinary")]
    pub place: Option<Json>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

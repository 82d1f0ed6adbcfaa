//! Table `publications`.

use galley_domain::publishing::{PublicationState, Visibility};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "publications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub article_id: Uuid,
    pub connection_id: Option<Uuid>,
    /// The kind of place: wordpress, folder.
    pub destination: String,
    /// Publications that were asked for at once.
    pub deployment_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub visibility: TextEnum<Visibility>,
    pub status: TextEnum<PublicationState>,
    /// Over what others changed there.
    pub force: bool,
    /// The hour that was promised.
    pub due_at: Option<DateTimeUtc>,
    /// Of the article that went out.
    pub version: Option<i32>,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    /// What was sent, by field; of the newest publication only.
    #[sea_orm(column_type = "JsonBinary")]
    pub sent: Option<Json>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub published_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

//! Table `calendar_feeds`.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feeds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    /// All projects when empty.
    pub project_id: Option<Uuid>,
    /// Of the token; the token itself is stored nowhere.
    pub hash: Vec<u8>,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

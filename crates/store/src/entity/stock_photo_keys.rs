//! Table `stock_photo_keys`.

use galley_domain::image::PhotoProvider;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "stock_photo_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub provider: TextEnum<PhotoProvider>,
    pub is_active: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

//! Table `holds`.

use galley_domain::credits::HoldState;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub run: i32,
    pub org_id: Uuid,
    pub amount: Decimal,
    pub state: TextEnum<HoldState>,
    pub created_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
}

crate::crud::tenant_entity!(OrgId);

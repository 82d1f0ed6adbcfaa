//! Table `users`.

use galley_domain::access::Role;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub email: String,
    pub name: String,
    pub role: TextEnum<Role>,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

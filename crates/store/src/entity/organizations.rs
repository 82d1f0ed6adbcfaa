//! Table `organizations`: each sees its own row.

use sea_orm::entity::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub balance: Decimal,
    pub held: Decimal,
    pub last_rank: i64,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(Id, Id);

//! Table `ledger_entries`.

use galley_domain::credits::EntryKind;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub task_id: Option<Uuid>,
    pub kind: TextEnum<EntryKind>,
    pub amount: Decimal,
    pub balance_after: Decimal,
    pub note: String,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

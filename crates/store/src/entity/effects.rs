//! Table `effects`.

use galley_domain::effect::{EffectKind, EffectState};
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "effects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub kind: TextEnum<EffectKind>,
    pub subject_id: Uuid,
    pub destination: String,
    pub key: String,
    pub task_id: Option<Uuid>,
    pub step_id: Option<Uuid>,
    pub lease: Option<Uuid>,
    pub state: TextEnum<EffectState>,
    pub remote_ref: Option<String>,
    pub error: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

//! Table `judgements`.

use galley_domain::judge::Judgement;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "judgements")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub judgement: TextEnum<Judgement>,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId);

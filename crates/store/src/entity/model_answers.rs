//! Table `model_answers`.

use galley_domain::usage::AnswerEnd;
use sea_orm::entity::prelude::*;

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "model_answers")]
pub struct Model {
    pub org_id: Uuid,
    pub task_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub lease: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub ordinal: i32,
    pub run: i32,
    pub kind: String,
    pub position: i32,
    pub attempt: i32,
    pub model: String,
    pub operation: String,
    pub question: Vec<u8>,
    pub answer: String,
    pub ended: TextEnum<AnswerEnd>,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId);

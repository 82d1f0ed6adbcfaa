//! Table `schedule_runs`.

use galley_domain::schedule::{RunStatus, RunTrigger};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_runs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub schedule_id: Uuid,
    pub due_at: DateTimeUtc,
    pub fired_at: Option<DateTimeUtc>,
    pub trigger: TextEnum<RunTrigger>,
    pub status: TextEnum<RunStatus>,
    pub late_seconds: i32,
    pub task_id: Option<Uuid>,
    pub article_id: Option<Uuid>,
    pub reason: Option<String>,
    pub created_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

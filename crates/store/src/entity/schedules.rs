//! Table `schedules`.

use galley_domain::schedule::ScheduleStatus;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub name: String,
    pub status: TextEnum<ScheduleStatus>,
    /// As galley-recurrence writes it.
    #[sea_orm(column_type = "JsonBinary")]
    pub recurrence: Json,
    /// In the words of whoever made the schedule.
    #[sea_orm(column_type = "JsonBinary")]
    pub action: Json,
    /// The action, checked and complete.
    #[sea_orm(column_type = "JsonBinary")]
    pub work: Json,
    /// `{policy, within_hours}`.
    #[sea_orm(column_type = "JsonBinary")]
    pub missed: Json,
    pub max_per_day: Option<i32>,
    pub project_id: Option<Uuid>,
    pub api_key_id: Option<Uuid>,
    /// Everything up to and including this time is dealt with.
    pub last_considered: DateTimeUtc,
    pub next_due: Option<DateTimeUtc>,
    /// Failed runs since the last one that was ordered.
    pub failures: i32,
    /// The number of the pending step that counts.
    pub tick: i64,
    /// Paused because its project is in the trash, and to go on when the project is taken out of it.
    #[serde(default)]
    pub paused_by_trash: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

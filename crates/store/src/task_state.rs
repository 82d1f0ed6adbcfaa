//! What is read of a task, by whom: each part is declared once, as a struct and the list of its columns.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    task::{StepKind, TaskStatus},
};
use rust_decimal::Decimal;
use sea_orm::{FromJsonQueryResult, FromQueryResult};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::error::StoreError;

/// Steps of one stage in the current run: how many have not ended, how many there are, how many failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u32, u32)", into = "(u32, u32, u32)")]
pub struct StageCount {
    pub open: u32,
    pub total: u32,
    pub failed: u32,
}

impl From<(u32, u32, u32)> for StageCount {
    fn from((open, total, failed): (u32, u32, u32)) -> Self {
        Self { open, total, failed }
    }
}

impl From<StageCount> for (u32, u32, u32) {
    fn from(count: StageCount) -> Self {
        (count.open, count.total, count.failed)
    }
}

/// The stages that have begun and not ended, by the kind of their steps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Stages(pub BTreeMap<String, StageCount>);

impl Stages {
    pub fn of(&self, kind: StepKind) -> StageCount {
        self.0.get(kind.as_str()).copied().unwrap_or_default()
    }

    /// Counts steps that are added.
    pub fn open(&mut self, kind: StepKind, steps: u32) {
        let count = self.0.entry(kind.as_str().to_owned()).or_default();
        (count.open, count.total) = (count.open + steps, count.total + steps);
    }

    /// Counts a step that has ended, and answers with how its stage stands. A stage without open steps is forgotten.
    pub fn close(&mut self, kind: StepKind, failed: bool) -> StageCount {
        let count = self.0.entry(kind.as_str().to_owned()).or_default();
        count.open = count.open.saturating_sub(1);
        count.failed += u32::from(failed);
        let count = *count;
        if count.open == 0 {
            self.0.remove(kind.as_str());
        }
        count
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

macro_rules! part_of_a_task {
    ($(#[$doc:meta])* $part:ident { $($(#[$meta:meta])* $name:ident: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, FromQueryResult)]
        pub struct $part { $($(#[$meta])* pub $name: $type,)+ }

        impl $part {
            const COLUMNS: &[&str] = &[$(stringify!($name)),+];

            /// The columns for a SELECT from `t`, each with `prefix` before its name.
            pub(crate) fn columns(prefix: &str) -> String {
                Self::COLUMNS.iter().map(|name| format!("t.{name} AS {prefix}{name}")).collect::<Vec<_>>().join(", ")
            }
        }
    };
}

part_of_a_task! {
    /// A task as clients see it, without what the engine keeps with it: it is read much more often than anything else.
    #[derive(Serialize, Deserialize)]
    TaskHead {
        id: Uuid,
        org_id: Uuid,
        kind: String,
        status: String,
        input: Json,
        subject_id: Option<Uuid>,
        run: i32,
        event_seq: i64,
        progress: i16,
        current_step: Option<String>,
        steps_completed: Vec<String>,
        paused: bool,
        items_total: i32,
        items_done: i32,
        items_failed: i32,
        warnings: Json,
        error_code: Option<String>,
        error_message: Option<String>,
        price: Decimal,
        created_at: DateTime<Utc>,
        started_at: Option<DateTime<Utc>>,
        finished_at: Option<DateTime<Utc>>,
        updated_at: DateTime<Utc>,
    }
}

part_of_a_task! {
    /// A task as the engine knows it; the order itself stays in the table.
    TaskState {
        id: Uuid,
        org_id: Uuid,
        kind: String,
        status: String,
        /// What the task is about: an article, a project.
        subject_id: Option<Uuid>,
        parent_id: Option<Uuid>,
        /// The step that waits for the end of this task.
        parent_step: Option<Uuid>,
        rank: i64,
        run: i32,
        event_seq: i64,
        progress: i16,
        current_step: Option<String>,
        steps_completed: Vec<String>,
        paused: bool,
        items_total: i32,
        items_done: i32,
        items_failed: i32,
        stages: Stages,
        memo: Json,
        warnings: Json,
        error_code: Option<String>,
        error_message: Option<String>,
        price: Decimal,
        trace_id: String,
    }
}

impl TaskState {
    pub fn org(&self) -> OrgId {
        OrgId(self.org_id)
    }

    pub fn status(&self) -> Result<TaskStatus, StoreError> {
        Ok(self.status.parse()?)
    }
}

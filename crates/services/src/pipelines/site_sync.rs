//! Bringing a site and the texts of its project into line: how much there is, pages of what the site has, what goes there.

use std::time::Duration;

use async_trait::async_trait;
use galley_domain::{
    publishing::{
        SyncStatus,
        site_sync::{PLAN, PULL, PUSH, TASK},
    },
    task::{StepKind, StepPolicy, TaskStatus},
};
use galley_engine::{Brought, Charge, EndedTask, Items, Keeper, Kept, Next, Pipeline, Stage, StepSeed};
use galley_store::{ClaimedStep, NewSiteEvent, StepsTx, StoreError, TaskState, TextEnum, rows};
use serde_json::{Value as Json, json};

use super::{DESTINATIONS, UPKEEP};
use crate::publishing::{
    sync::SyncResult,
    sync_work::{SyncShare, after_lost_page},
};

/// Orders syncs of the sites that are to be synced by themselves.
pub const DUE: StepKind = StepKind::new("site_sync_due");

/// The job, and how often it comes.
pub(super) fn due() -> (Stage, Duration) {
    (Stage::new(DUE, UPKEEP, 0, StepPolicy::new(3, 120)), Duration::from_secs(60))
}

/// Policy of a sync. One page at a time of each kind: sites are small machines.
#[derive(Debug, Clone)]
pub struct SiteSync([Stage; 3]);

impl Default for SiteSync {
    fn default() -> Self {
        Self([
            Stage::new(PLAN, DESTINATIONS, 5, StepPolicy::new(4, 120)).named("planning"),
            // A text that cannot be taken is told, and costs none of the others.
            Stage::new(PULL, DESTINATIONS, 75, StepPolicy::new(5, 300)).named("pulling").may_fail(99).keeping(Shares),
            Stage::new(PUSH, DESTINATIONS, 20, StepPolicy::new(5, 300)).named("pushing").may_fail(99).keeping(Shares),
        ])
    }
}

#[async_trait]
impl Pipeline for SiteSync {
    fn kind(&self) -> &'static str {
        TASK
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn next(&self, _: &TaskState, ended: StepKind) -> Next {
        match ended {
            PUSH => Next::Complete,
            _ => Next::Begin(vec![StepSeed::new(PUSH)]),
        }
    }

    /// A page that cannot be read costs none of those behind it.
    fn failed(&self, _: &TaskState, step: &ClaimedStep) -> (Items, Vec<StepSeed>) {
        match step.kind {
            PULL => after_lost_page(step),
            _ => Default::default(),
        }
    }

    fn subject_name(&self) -> Option<&'static str> {
        Some("integration_id")
    }

    fn charge(&self, _: &TaskState, _: TaskStatus) -> Charge {
        Charge::Nothing
    }

    fn note(&self) -> &'static str {
        "site synced"
    }

    /// The site is free for the next one, and what came of this one is told.
    async fn ended(&self, tx: &StepsTx, tasks: &[EndedTask<'_>]) -> Result<(), StoreError> {
        for ended in tasks {
            let Some(integration) = ended.task.subject_id else { continue };
            let tx = tx.tenant(ended.task.org_id)?;
            let Some(mut row) = tx.hold::<rows::Connection>(integration).await? else { continue };
            if row.metadata["sync"]["task_id"] != json!(ended.task.id) {
                continue;
            }
            let mut done: SyncResult = serde_json::from_value(row.metadata["sync"]["result"].clone())?;
            // Texts of pages that could not be read were counted by nobody.
            done.failed = done.failed.max(u32::try_from(ended.task.items_failed).unwrap_or(0));
            let error = match ended.status {
                TaskStatus::Completed => None,
                TaskStatus::Cancelled => Some("the sync was cancelled".to_owned()),
                _ => Some(ended.task.error_message.clone().unwrap_or_default()),
            };
            let now = tx.now().await?;
            let is_failed = ended.status == TaskStatus::Failed;
            row.sync_status = TextEnum(if is_failed { SyncStatus::Error } else { SyncStatus::Idle });
            row.sync_error = error.clone().or_else(|| Some(row.metadata["sync"]["cut"].as_str()?.to_owned()));
            if let Some(notes) = row.metadata.as_object_mut() {
                notes.remove("sync");
            }
            row.metadata["last_result"] = json!(done);
            if error.is_none() {
                row.metadata["last_sync_at"] = json!(now);
                row.last_synced_at = Some(now);
            }
            tx.put(row).await?;
            let told = || {
                format!(
                    "{} pulled, {} pushed, {} failed, {} changed on both sides",
                    done.pulled, done.pushed, done.failed, done.mismatched
                )
            };
            tx.insert_site_event(NewSiteEvent {
                connection_id: integration,
                event_type: "sync",
                action: ended.status.as_str().to_owned(),
                success: error.is_none() && done.failed == 0,
                message: error.unwrap_or_else(told),
                article_id: None,
            })
            .await?;
        }
        Ok(())
    }
}

/// Adds up what the steps have done.
#[derive(Debug)]
struct Shares;

#[async_trait]
impl Keeper for Shares {
    async fn keep(&self, tx: &StepsTx, brought: &[Brought<'_>]) -> Result<Vec<Kept>, StoreError> {
        let mut kept = Vec::with_capacity(brought.len());
        for one in brought {
            let task = one.task.ok_or_else(|| StoreError::Unreadable("a sync without a task".into()))?;
            let SyncShare { integration, result } = *one.get::<SyncShare>()?;
            let tx = tx.tenant(task.org_id)?;
            let row = tx.hold::<rows::Connection>(integration).await?;
            if let Some(mut row) = row.filter(|row| row.metadata["sync"]["task_id"] == json!(task.id)) {
                let before: Json = row.metadata["sync"]["result"].clone();
                let mut sum: SyncResult = serde_json::from_value(before)?;
                sum.add(result);
                row.metadata["sync"]["result"] = json!(sum);
                tx.put(row).await?;
            }
            kept.push(Kept::of(json!(result)));
        }
        Ok(kept)
    }

    /// Connections are locked by the publications that go through them, too.
    fn is_exclusive(&self) -> bool {
        true
    }
}

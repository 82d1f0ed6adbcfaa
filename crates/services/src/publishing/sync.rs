//! Bringing a site and the texts of its project into line: ordered here, done in steps, told to whoever asks.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId, Principal,
    publishing::{
        SyncDirection, SyncStatus,
        site_sync::{PLAN, TASK},
    },
};
use galley_engine::StepSeed;
use galley_store::{HoldOutcome, NewOrder, StoreError, TextEnum, rows};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{connections::is_blog, integrations::unknown, structure::content_types_of, sync_work::check_kinds};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    projects::refuse_trashed,
    system::SystemCalls,
};

/// The input of the task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SyncOrder {
    pub(crate) integration_id: Uuid,
    pub(crate) direction: SyncDirection,
    /// `None`: the kinds that are enabled.
    pub(crate) content_types: Option<Vec<String>>,
}

/// A sync that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedSync {
    pub sync_id: Uuid,
    pub direction: SyncDirection,
}

/// One integration of a site, and what became of ordering its sync.
#[derive(Debug, Clone)]
pub struct SiteSync {
    pub integration_id: Uuid,
    /// Nothing where it was refused, which the message explains.
    pub sync_id: Option<Uuid>,
    pub message: String,
}

/// What a sync has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncResult {
    /// Texts that came here, or were changed here.
    pub pulled: u32,
    /// Publications that were ordered.
    pub pushed: u32,
    pub failed: u32,
    /// Texts that were changed on both sides, and left alone.
    pub mismatched: u32,
}

impl SyncResult {
    pub(crate) fn add(&mut self, more: Self) {
        self.pulled = self.pulled.saturating_add(more.pulled);
        self.pushed = self.pushed.saturating_add(more.pushed);
        self.failed = self.failed.saturating_add(more.failed);
        self.mismatched = self.mismatched.saturating_add(more.mismatched);
    }
}

/// A sync that has not ended.
#[derive(Debug, Clone)]
pub struct RunningSync {
    pub sync_id: Uuid,
    pub direction: SyncDirection,
    pub total: i32,
    pub done: i32,
    pub failed: i32,
    pub started_at: DateTime<Utc>,
}

/// How a site is being brought into line.
#[derive(Debug, Clone)]
pub struct SyncState {
    pub row: rows::Connection,
    pub current: Option<RunningSync>,
    pub last_result: Option<SyncResult>,
}

impl Services {
    /// Orders a sync. One at a time for each site.
    pub async fn sync_integration(
        &self,
        principal: &Principal,
        id: Uuid,
        direction: SyncDirection,
        content_types: Option<Vec<String>>,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<OrderedSync>, ServiceError> {
        check_kinds(content_types.as_deref().unwrap_or_default())?;
        let tx = self.store.begin_order(principal.org).await?;
        once(tx, key, |tx| async move {
            let found = tx.hold::<rows::Connection>(id).await?.filter(|found| found.project_id.is_some());
            let mut row = found.ok_or(ServiceError::NotFound(Missing::Integration))?;
            refuse_trashed(&tx, row.project_id).await?;
            refuse_unready(&row)?;
            let ordered = OrderedSync { sync_id: Uuid::now_v7(), direction };
            let input = SyncOrder { integration_id: id, direction, content_types };
            let written = tx.insert_order(NewOrder {
                id: ordered.sync_id,
                kind: TASK,
                input: serde_json::to_value(&input).map_err(StoreError::from)?,
                subject: Some(id),
                price: Decimal::ZERO,
                api_key_id: principal.key(),
                parent: None,
                first: self.registry.new_step(StepSeed::new(PLAN), trace_id)?,
                run_at: None,
                told: json!({ "integration_id": id }),
            });
            if let HoldOutcome::Insufficient { available } = written.await? {
                return Err(ServiceError::InsufficientCredits { needed: Decimal::ZERO, available });
            }
            row.sync_status = TextEnum(SyncStatus::Syncing);
            row.sync_error = None;
            row.metadata["sync"] = json!({ "task_id": ordered.sync_id, "result": SyncResult::default() });
            row.metadata["sync_ordered_at"] = json!(tx.now().await?);
            tx.put(row).await?;
            Ok((tx, ordered))
        })
        .await
    }

    /// Orders a sync of each active integration of a project.
    pub async fn sync_site(
        &self,
        principal: &Principal,
        project: Uuid,
        direction: SyncDirection,
        trace_id: &str,
    ) -> Result<Vec<SiteSync>, ServiceError> {
        let tenant = self.store.tenant(principal.org);
        tenant.project(project).await?.ok_or_else(|| unknown("site_id", Missing::Site))?;
        let mut results = Vec::new();
        for row in tenant.active_integrations(project).await? {
            let ordered = self.sync_integration(principal, row.id, direction, None, trace_id, None).await;
            let (sync_id, message) = match ordered {
                Ok(answer) => (Some(answer.value.sync_id), STARTED.to_owned()),
                Err(ServiceError::Conflict(why)) => (None, why),
                Err(error) => return Err(error),
            };
            results.push(SiteSync { integration_id: row.id, sync_id, message });
        }
        Ok(results)
    }

    pub async fn sync_state(&self, org: OrgId, id: Uuid) -> Result<SyncState, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let task: Option<Uuid> = row.metadata["sync"]["task_id"].as_str().and_then(|task| task.parse().ok());
        let task = match task {
            Some(task) => self.store.tenant(org).task(task).await?.filter(|task| task.finished_at.is_none()),
            None => None,
        };
        let current = task.map(running).transpose()?;
        let last_result = row.metadata.get("last_result").cloned();
        let last_result = last_result.map(serde_json::from_value).transpose().map_err(StoreError::from)?;
        Ok(SyncState { row, current, last_result })
    }
}

impl SystemCalls<'_> {
    /// Orders a sync of each site that is to be synced by itself and was not for a while. What stands here goes there only
    /// where somebody has said that the sync has two ways. How many there were.
    pub async fn sync_due_sites(&self) -> Result<usize, ServiceError> {
        let every = self.services.settings.sync_every;
        if every.is_zero() {
            return Ok(0);
        }
        let mut ordered = 0;
        for (org, id) in self.across.due_syncs(every).await? {
            let Some(row) = self.services.store.tenant(org).one::<rows::Connection>(id).await? else { continue };
            let direction = match content_types_of(&row).two_way_sync_enabled {
                true => SyncDirection::Both,
                false => SyncDirection::FromExternal,
            };
            let (principal, trace) = (Principal::system(org), Uuid::new_v4().simple().to_string());
            match self.services.sync_integration(&principal, id, direction, None, &trace, None).await {
                Ok(_) => ordered += 1,
                Err(ServiceError::Store(error)) => return Err(error.into()),
                // Somebody has ordered one, switched it off or removed it meanwhile.
                Err(error) => tracing::info!(integration = %id, %error, "a site was not synced by itself"),
            }
        }
        Ok(ordered)
    }
}

/// For people, of a sync that was ordered.
pub const STARTED: &str = "the sync has begun; sync_status tells how it goes";

fn running(task: rows::Task) -> Result<RunningSync, ServiceError> {
    let order: SyncOrder = serde_json::from_value(task.input).map_err(StoreError::from)?;
    Ok(RunningSync {
        sync_id: task.id,
        direction: order.direction,
        total: task.items_total,
        done: task.items_done,
        failed: task.items_failed,
        started_at: task.started_at.unwrap_or(task.created_at),
    })
}

fn refuse_unready(row: &rows::Connection) -> Result<(), ServiceError> {
    let text = match *row.sync_status {
        _ if !row.is_active => "the integration is not active; switch it on first",
        SyncStatus::Syncing => "the site is being synced already; see sync_status, and wait until that has ended",
        _ if !is_blog(row) => {
            "only a wordpress with a username can be synced: the integration needs a username and its application \
             password as api_key"
        }
        _ => return Ok(()),
    };
    Err(ServiceError::Conflict(text.into()))
}

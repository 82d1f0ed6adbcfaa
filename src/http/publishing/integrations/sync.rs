//! Bringing sites and the texts of their projects into line.

use galley_domain::publishing::{SyncDirection, SyncStatus};
use galley_services as services;
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::body::{SyncIntegration, SyncSite};
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, PublishRead, PublishWrite},
        body::Body,
        envelope::PlannerAnswer,
        header::IdempotencyKey,
        reply::{Accepted, Outcome, Reply},
        scalar::{Id, Moment, Nullable, Vocabulary, Word},
    },
};

pub struct Syncs;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Publishing")]
impl Syncs {
    /// Sync an integration
    ///
    /// Brings the site and the texts of its project into line; `sync_id` is the task that does it. A text that was changed
    /// on both sides is left alone, which `sync_health` tells. One at a time: a CONFLICT while another one goes on.
    #[oai(path = "/integration/:integration_id/sync", method = "post", operation_id = "sync_integration")]
    async fn sync(
        &self,
        auth: Auth<PublishWrite, Content>,
        integration_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<SyncIntegration>,
    ) -> Outcome<PlannerAnswer<SyncReceipt>, Accepted> {
        let key = key.with(&body.canonical)?;
        let SyncIntegration { direction, content_types } = body.value;
        let kinds = content_types.map(|kinds| kinds.0.into_iter().map(|kind| kind.0.word().to_owned()).collect());
        let (id, trace) = (integration_id.0.0, auth.trace_id());
        let services = auth.services();
        let answer = services.sync_integration(&auth.principal, id, direction.0, kinds, trace, key.as_ref()).await?;
        let location = format!("/api/v1/integration/{id}/sync_status");
        Ok(Reply::of(answer, |ordered| PlannerAnswer::of(ordered.into(), auth.context())).at(&location))
    }

    /// Get how an integration syncs
    ///
    /// The sync that goes on, and what came of the last one.
    #[oai(
        path = "/integration/:integration_id/sync_status",
        method = "get",
        operation_id = "get_integration_sync_status"
    )]
    async fn status(
        &self,
        auth: Auth<PublishRead>,
        integration_id: Path<Id>,
    ) -> Outcome<PlannerAnswer<IntegrationSyncStatus>> {
        let state = auth.services().sync_state(auth.org(), integration_id.0.0).await?;
        Ok(Reply::new(PlannerAnswer::of(state.into(), auth.context())))
    }

    /// Sync a site
    ///
    /// All of its active integrations. One that cannot be synced now is told with the reason.
    #[oai(path = "/integration/site_sync", method = "post", operation_id = "sync_site")]
    async fn site_sync(
        &self,
        auth: Auth<PublishWrite, Content>,
        body: Body<SyncSite>,
    ) -> Outcome<PlannerAnswer<SiteSyncReceipt>, Accepted> {
        let SyncSite { site_id, direction } = body.value;
        let found = auth.services().sync_site(&auth.principal, site_id, direction.0, auth.trace_id()).await?;
        let results = found.into_iter().map(SiteSyncResult::from).collect();
        Ok(Reply::new(PlannerAnswer::of(SiteSyncReceipt { results }, auth.context())))
    }
}

/// A sync that was ordered.
#[derive(Debug, Object)]
pub struct SyncReceipt {
    /// The task.
    sync_id: Uuid,
    status: Word<SyncStatus>,
    direction: Word<SyncDirection>,
    message: String,
}

impl From<services::OrderedSync> for SyncReceipt {
    fn from(ordered: services::OrderedSync) -> Self {
        Self {
            sync_id: ordered.sync_id,
            status: Word(SyncStatus::Syncing),
            direction: Word(ordered.direction),
            message: services::SYNC_STARTED.to_owned(),
        }
    }
}

/// A sync that goes on.
#[derive(Debug, Object)]
pub struct RunningSync {
    /// The task.
    sync_id: Uuid,
    direction: Word<SyncDirection>,
    /// Texts to look at; 0 until that is known.
    total: i32,
    done: i32,
    failed: i32,
    started_at: Moment,
}

/// What came of a sync.
#[derive(Debug, Object)]
pub struct SyncResult {
    /// Texts that came here, or were changed here.
    pulled: u32,
    /// Publications that were ordered.
    pushed: u32,
    failed: u32,
    /// Texts that were changed on both sides, and left alone.
    mismatched: u32,
}

/// How an integration syncs.
#[derive(Debug, Object)]
pub struct IntegrationSyncStatus {
    integration_id: Uuid,
    sync_status: Word<SyncStatus>,
    sync_enabled: bool,
    last_sync_at: Nullable<Moment>,
    current: Nullable<RunningSync>,
    last_result: Nullable<SyncResult>,
    error: Nullable<String>,
}

impl From<services::SyncState> for IntegrationSyncStatus {
    fn from(state: services::SyncState) -> Self {
        let services::SyncState { row, current, last_result } = state;
        let current = current.map(|sync| RunningSync {
            sync_id: sync.sync_id,
            direction: Word(sync.direction),
            total: sync.total,
            done: sync.done,
            failed: sync.failed,
            started_at: sync.started_at.into(),
        });
        let last_result = last_result.map(|result| {
            let services::SyncResult { pulled, pushed, failed, mismatched } = result;
            SyncResult { pulled, pushed, failed, mismatched }
        });
        Self {
            integration_id: row.id,
            sync_status: row.sync_status.into(),
            sync_enabled: row.sync_enabled,
            last_sync_at: services::noted_time(&row.metadata, "last_sync_at").into(),
            current: current.into(),
            last_result: last_result.into(),
            error: row.sync_error.into(),
        }
    }
}

/// What became of ordering the sync of one integration.
#[derive(Debug, Object)]
pub struct SiteSyncResult {
    integration_id: Uuid,
    /// The task; null where it was refused.
    sync_id: Nullable<Uuid>,
    /// syncing, or error where it was refused.
    status: Word<SyncStatus>,
    message: String,
}

impl From<services::SiteSync> for SiteSyncResult {
    fn from(sync: services::SiteSync) -> Self {
        let status = if sync.sync_id.is_some() { SyncStatus::Syncing } else { SyncStatus::Error };
        Self {
            integration_id: sync.integration_id,
            sync_id: sync.sync_id.into(),
            status: Word(status),
            message: sync.message,
        }
    }
}

/// The syncs of a site.
#[derive(Debug, Object)]
pub struct SiteSyncReceipt {
    results: Vec<SiteSyncResult>,
}

//! What the steps of a sync do: finding out how much there is, taking what a site has, ordering what goes there.

use std::sync::Arc;

use galley_destinations::{Collection, Destination, RemoteItem, TermKind};
use galley_domain::{
    Fault, FaultCode, OrgId, Principal,
    publishing::{SyncDirection, site_sync::PUSH},
};
use galley_engine::{Items, Output, StepContext, StepError, StepSeed};
use galley_store::{ClaimedStep, StoreError, rows};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    publish::PublishRequest,
    structure::content_types_of,
    sync::{SyncOrder, SyncResult},
    sync_item::Came,
    work::step_error,
};
use crate::{IdempotencyKey, Services, error::ServiceError};

/// Pages of one kind that are read.
const MAX_PAGES: u32 = 500;
/// Texts that one step sends.
const PUSHED_AT_ONCE: i64 = 50;
/// The most texts that are counted ahead.
const MAX_PUSHED: i64 = 10_000;
const MAX_WARNINGS: usize = 20;

/// A page that a step reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PagePayload {
    collection: Collection,
    page: u32,
}

/// Behind which text a step goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PushPayload {
    after: Uuid,
}

/// What a step of a sync works with.
#[derive(Debug)]
pub struct SyncWork {
    pub(crate) org: OrgId,
    pub(crate) integration: rows::Connection,
    pub(crate) project: Uuid,
    pub(crate) direction: SyncDirection,
    content_types: Option<Vec<String>>,
    blog: Arc<dyn Destination>,
}

/// What a step of a sync brings: added to what the sync has done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyncShare {
    pub(crate) integration: Uuid,
    pub(crate) result: SyncResult,
}

fn refused(message: &str) -> StepError {
    Fault::permanent(FaultCode::WorkflowError, message).into()
}

/// What WordPress calls the texts of a collection.
pub(crate) fn kind_of(collection: Collection) -> &'static str {
    match collection {
        Collection::Pages => "page",
        _ => "post",
    }
}

impl SyncWork {
    /// The collections that are read.
    fn collections(&self) -> Vec<Collection> {
        let stored = content_types_of(&self.integration);
        let is_wanted = |collection: &Collection| match &self.content_types {
            Some(kinds) => kinds.iter().any(|kind| kind == kind_of(*collection) || kind == collection.as_str()),
            None => stored.is_enabled(kind_of(*collection)),
        };
        [Collection::Posts, Collection::Pages].into_iter().filter(is_wanted).collect()
    }
}

impl Services {
    /// What keeps a sync from going on is a permanent fault: its integration is gone, or no longer active.
    pub async fn sync_work(&self, step: &ClaimedStep) -> Result<SyncWork, StepError> {
        let (org, task) = step.owner().ok_or(StoreError::LeaseLost)?;
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(StoreError::LeaseLost)?;
        let order: SyncOrder = serde_json::from_value(row.input).map_err(StoreError::from)?;
        let integration = tenant.one::<rows::Connection>(order.integration_id).await?.filter(|row| row.is_active);
        let gone = || refused("the integration was removed or is no longer active");
        let integration = integration.ok_or_else(gone)?;
        let project = integration.project_id.ok_or_else(gone)?;
        let blog = self.blog(org, &integration).await.map_err(step_error)?;
        let SyncOrder { direction, content_types, .. } = order;
        Ok(SyncWork { org, integration, project, direction, content_types, blog })
    }

    /// Counts what there is, and begins with the first page of each kind.
    pub async fn plan_sync(&self, cx: &StepContext) -> Result<Output, StepError> {
        let work = self.sync_work(&cx.step).await?;
        let (mut total, mut follow) = (0_u64, Vec::new());
        if work.direction.reads() {
            self.remember_terms(&cx.step, &work).await?;
            for (at, collection) in (0..).zip(work.collections()) {
                // A count for everybody would leave out drafts.
                total += work.blog.list(collection, 1).await?.total;
                follow.push(page_seed(collection, 1, at)?);
            }
        }
        if work.direction.writes() {
            let tenant = self.store.tenant(work.org);
            let waiting = tenant.texts_to_push(work.project, work.integration.id, Uuid::nil(), MAX_PUSHED).await?;
            total += waiting.len() as u64;
        }
        let items_total = Some(u32::try_from(total).unwrap_or(u32::MAX)).filter(|total| *total > 0);
        Ok(Output { items_total, ..Output::default().followed_by(follow) })
    }

    /// Categories of the site are what texts are sorted by there.
    async fn remember_terms(&self, step: &ClaimedStep, work: &SyncWork) -> Result<(), StepError> {
        let terms = work.blog.terms(TermKind::Category).await?;
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(step.fence).await?;
        if let Some(mut row) = tx.hold::<rows::Connection>(work.integration.id).await? {
            row.categories = Some(json!(terms));
            row.categories_cached_at = Some(tx.now().await?);
            tx.put(row).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes a page of what the site has, and goes on with the next one.
    pub async fn pull_page(&self, cx: &StepContext) -> Result<Output, StepError> {
        let work = self.sync_work(&cx.step).await?;
        let PagePayload { collection, page } = cx.payload()?;
        let found = work.blog.list(collection, page).await?;
        let (mut result, mut items, mut warnings) = (SyncResult::default(), Items::default(), Vec::new());
        for item in &found.items {
            match self.take_item(cx.step.fence, &work, collection, item).await {
                Ok(came) => {
                    items.done += 1;
                    result.pulled += u32::from(came == Came::Changed);
                    result.mismatched += u32::from(came == Came::Mismatched);
                }
                Err(ServiceError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    items.failed += 1;
                    result.failed += 1;
                    warn(&mut warnings, item, &error);
                }
            }
        }
        let is_last = page >= found.pages.min(MAX_PAGES);
        let follow = match is_last {
            true => Vec::new(),
            false => vec![page_seed(collection, page + 1, cx.step.position)?],
        };
        let share = SyncShare { integration: work.integration.id, result };
        Ok(Output { items, ..Output::bringing(share).warning(warnings).followed_by(follow) })
    }

    /// Orders that some texts go to the site, and goes on behind them.
    pub async fn push_texts(&self, cx: &StepContext) -> Result<Output, StepError> {
        let work = self.sync_work(&cx.step).await?;
        if !work.direction.writes() {
            return Ok(Output::default());
        }
        let (_, task) = cx.owner()?;
        let after = if cx.step.payload.is_null() { Uuid::nil() } else { cx.payload::<PushPayload>()?.after };
        let tenant = self.store.tenant(work.org);
        let texts = tenant.texts_to_push(work.project, work.integration.id, after, PUSHED_AT_ONCE).await?;
        let (mut result, mut items, mut warnings) = (SyncResult::default(), Items::default(), Vec::new());
        for text in &texts {
            let request = PublishRequest { connection_id: Some(work.integration.id), ..PublishRequest::default() };
            let key = IdempotencyKey::new(&format!("{task}/{text}"), "site_sync", b"").map_err(step_error)?;
            let principal = Principal::system(work.org);
            let ordered = self.order_publication(&principal, *text, request, None, &cx.step.trace_id, Some(&key)).await;
            match ordered {
                Ok(_) => {
                    items.done += 1;
                    result.pushed += 1;
                }
                Err(ServiceError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    items.failed += 1;
                    result.failed += 1;
                    if warnings.len() < MAX_WARNINGS {
                        warnings.push(format!("text {text} was not published: {error}"));
                    }
                }
            }
        }
        let is_full = i64::try_from(texts.len()).is_ok_and(|count| count == PUSHED_AT_ONCE);
        let follow = match texts.last().filter(|_| is_full) {
            Some(last) => {
                let payload = serde_json::to_value(PushPayload { after: *last }).map_err(StoreError::from)?;
                let position = cx.step.position + 1;
                vec![StepSeed::new(PUSH).at_position(position).behind(position.into()).with_payload(payload)]
            }
            None => Vec::new(),
        };
        let share = SyncShare { integration: work.integration.id, result };
        Ok(Output { items, ..Output::bringing(share).warning(warnings).followed_by(follow) })
    }
}

/// Positions are a step's own: kinds that are read side by side take every second one.
fn page_seed(collection: Collection, page: u32, before: i32) -> Result<StepSeed, StoreError> {
    let position = if page == 1 { before } else { before + 2 };
    let payload = serde_json::to_value(PagePayload { collection, page })?;
    let seed = StepSeed::new(galley_domain::publishing::site_sync::PULL).at_position(position);
    Ok(seed.behind(position.into()).with_payload(payload))
}

fn warn(warnings: &mut Vec<String>, item: &RemoteItem, error: &ServiceError) {
    if warnings.len() < MAX_WARNINGS {
        warnings.push(format!("{} {} was not taken: {error}", item.external_id, item.fields.title));
    }
}

//! What the steps of a sync do: finding out how much there is, taking what a site has, ordering what goes there.

use std::sync::Arc;

use galley_destinations::{Collection, Destination, RemoteItem, RemotePage, TermKind};
use galley_domain::{
    Fault, FaultCode, OrgId, Principal,
    publishing::{
        SyncDirection,
        site_sync::{PULL, PUSH},
    },
};
use galley_engine::{Items, Output, StepContext, StepError, StepSeed};
use galley_store::{ClaimedStep, StoreError, rows};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    publish::{OrderedPublication, PublishRequest, insert_publication},
    structure::content_types_of,
    sync::{SyncOrder, SyncResult},
    sync_item::{Came, Taken},
    work::step_error,
};
use crate::{
    IdempotencyKey, Services,
    error::ServiceError,
    idempotency::{keep_answer, known_answer},
};

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
    /// How many there were when the sync began, and how many texts are on each.
    #[serde(default)]
    pages: u32,
    #[serde(default)]
    size: u32,
}

impl PagePayload {
    fn new(collection: Collection, first: &RemotePage) -> Self {
        let size = u32::try_from(first.items.len()).unwrap_or(u32::MAX);
        Self { collection, page: 1, pages: first.pages, size }
    }

    /// The step that reads it. Positions are a step's own: kinds that are read side by side take every second one.
    fn seed(&self, position: i32) -> Result<StepSeed, StoreError> {
        let seed = StepSeed::new(PULL).at_position(position).behind(position.into());
        Ok(seed.with_payload(serde_json::to_value(self)?))
    }

    /// The step that reads the page behind it, of so many pages.
    fn next(&self, pages: u32, position: i32) -> Result<Option<StepSeed>, StoreError> {
        let next = Self { page: self.page + 1, ..self.clone() };
        (next.page <= pages.min(MAX_PAGES)).then(|| next.seed(position + 2)).transpose()
    }
}

/// What a page that could not be read leaves: how many texts it cost, and the step that reads the next one.
pub(crate) fn after_lost_page(step: &ClaimedStep) -> (Items, Vec<StepSeed>) {
    let Ok(payload) = serde_json::from_value::<PagePayload>(step.payload.clone()) else { return Default::default() };
    let next = payload.next(payload.pages, step.position).ok().flatten();
    // Of the last page nobody knows how many it has; what no step has counted is counted at the end.
    let failed = if next.is_some() { payload.size } else { 0 };
    (Items { failed, ..Items::default() }, next.into_iter().collect())
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
        [Collection::Posts, Collection::Pages].into_iter().filter(|one| self.is_wanted(*one)).collect()
    }

    fn is_wanted(&self, collection: Collection) -> bool {
        match &self.content_types {
            Some(kinds) => kinds.iter().any(|kind| is_kind(kind, collection)),
            None => content_types_of(&self.integration).is_enabled(kind_of(collection)),
        }
    }

    /// Whether it sends anything: only posts are sent.
    fn pushes(&self) -> bool {
        self.direction.writes() && self.is_wanted(Collection::Posts)
    }
}

/// Whether this is a name of the texts of a collection: `post`, `posts`.
fn is_kind(name: &str, collection: Collection) -> bool {
    name == kind_of(collection) || name == collection.as_str()
}

/// Refuses kinds of texts that no sync brings or sends.
pub(crate) fn check_kinds(kinds: &[String]) -> Result<(), ServiceError> {
    let is_synced = |kind: &&String| [Collection::Posts, Collection::Pages].iter().any(|one| is_kind(kind, *one));
    match kinds.iter().find(|kind| !is_synced(kind)) {
        Some(kind) => {
            let text = format!("has {kind:?}, and only texts of the kinds post and page are synced");
            Err(ServiceError::field("content_types", text))
        }
        None => Ok(()),
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
        let (mut total, mut follow, mut is_cut) = (0_u64, Vec::new(), false);
        if work.direction.reads() {
            for (at, collection) in (0..).zip(work.collections()) {
                // A count for everybody would leave out drafts.
                let first = work.blog.list(collection, 1).await?;
                let readable = u64::from(MAX_PAGES) * first.items.len().max(1) as u64;
                total += first.total.min(readable);
                is_cut |= first.pages > MAX_PAGES;
                follow.push(PagePayload::new(collection, &first).seed(at)?);
            }
            self.remember_terms(&cx.step, &work, is_cut).await?;
        }
        if work.pushes() {
            let tenant = self.store.tenant(work.org);
            let waiting = tenant.texts_to_push(work.project, work.integration.id, Uuid::nil(), MAX_PUSHED).await?;
            total += waiting.len() as u64;
        }
        let items_total = Some(u32::try_from(total).unwrap_or(u32::MAX)).filter(|total| *total > 0);
        Ok(Output { items_total, ..Output::default().followed_by(follow) })
    }

    /// Categories of the site are what texts are sorted by there. `is_cut`: it has more pages than are read.
    async fn remember_terms(&self, step: &ClaimedStep, work: &SyncWork, is_cut: bool) -> Result<(), StepError> {
        let terms = work.blog.terms(TermKind::Category).await?;
        let tx = self.store.begin(work.org).await?;
        tx.hold_fence(step.fence).await?;
        if let Some(mut row) = tx.hold::<rows::Connection>(work.integration.id).await? {
            row.categories = Some(json!(terms));
            row.categories_cached_at = Some(tx.now().await?);
            if is_cut {
                row.metadata["sync"]["cut"] = json!(format!(
                    "the site has more than {MAX_PAGES} pages of texts of a kind; only the first {MAX_PAGES} were read"
                ));
            }
            tx.put(row).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes a page of what the site has, and goes on with the next one.
    pub async fn pull_page(&self, cx: &StepContext) -> Result<Output, StepError> {
        let work = self.sync_work(&cx.step).await?;
        let payload: PagePayload = cx.payload()?;
        let collection = payload.collection;
        let found = work.blog.list(collection, payload.page).await?;
        let (mut result, mut items, mut warnings) = (SyncResult::default(), Items::default(), Vec::new());
        for item in &found.items {
            match self.take_item(cx.step.fence, &work, collection, item).await {
                Ok(Taken { came, warning }) => {
                    items.done += 1;
                    result.pulled += u32::from(came == Came::Changed);
                    result.mismatched += u32::from(came == Came::Mismatched);
                    warnings.extend(warning.filter(|_| warnings.len() < MAX_WARNINGS));
                }
                Err(ServiceError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    items.failed += 1;
                    result.failed += 1;
                    warn(&mut warnings, item, &error);
                }
            }
        }
        let follow = payload.next(found.pages, cx.step.position)?.into_iter().collect();
        let share = SyncShare { integration: work.integration.id, result };
        Ok(Output { items, ..Output::bringing(share).warning(warnings).followed_by(follow) })
    }

    /// Orders the publication of one text, if it is still to go there: people may have taken it back, promised it for an
    /// hour or published it since it was found, and a sync undoes none of that.
    async fn push_text(
        &self,
        work: &SyncWork,
        key: &IdempotencyKey,
        text: Uuid,
        trace_id: &str,
    ) -> Result<bool, ServiceError> {
        let tx = self.store.begin_steps([work.org]).await?;
        let tenant = tx.tenant(work.org.0)?;
        if known_answer::<OrderedPublication>(tenant, Some(key)).await?.is_some() {
            return Ok(true);
        }
        let Some(article) = tenant.lock_article(text).await? else { return Ok(false) };
        if !tenant.is_to_push(work.project, work.integration.id, text).await? {
            return Ok(false);
        }
        let request = PublishRequest { connection_id: Some(work.integration.id), ..PublishRequest::default() };
        let principal = Principal::system(work.org);
        let ordered = insert_publication(tenant, &self.registry, &principal, article, request, None, trace_id).await?;
        keep_answer(tenant, Some(key), &ordered).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Orders that some texts go to the site, and goes on behind them.
    pub async fn push_texts(&self, cx: &StepContext) -> Result<Output, StepError> {
        let work = self.sync_work(&cx.step).await?;
        if !work.pushes() {
            return Ok(Output::default());
        }
        let (_, task) = cx.owner()?;
        let after = if cx.step.payload.is_null() { Uuid::nil() } else { cx.payload::<PushPayload>()?.after };
        let tenant = self.store.tenant(work.org);
        let texts = tenant.texts_to_push(work.project, work.integration.id, after, PUSHED_AT_ONCE).await?;
        let (mut result, mut items, mut warnings) = (SyncResult::default(), Items::default(), Vec::new());
        for text in &texts {
            match self.push_text(&work, &key_of(task, *text)?, *text, &cx.step.trace_id).await {
                Ok(is_ordered) => {
                    items.done += 1;
                    result.pushed += u32::from(is_ordered);
                    if !is_ordered && warnings.len() < MAX_WARNINGS {
                        warnings.push(format!("text {text} was left alone: it was changed since the sync found it"));
                    }
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

/// A step that is run again orders nothing twice.
fn key_of(task: Uuid, text: Uuid) -> Result<IdempotencyKey, StepError> {
    IdempotencyKey::new(&format!("{task}/{text}"), "site_sync", b"").map_err(step_error)
}

fn warn(warnings: &mut Vec<String>, item: &RemoteItem, error: &ServiceError) {
    if warnings.len() < MAX_WARNINGS {
        warnings.push(format!("{} {} was not taken: {error}", item.external_id, item.fields.title));
    }
}

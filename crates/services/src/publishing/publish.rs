//! Ordering that an article goes out, now or at an hour. What goes out is what stands at that moment.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId, Principal,
    article::ArticleStatus,
    order::FieldError,
    publishing::{Holder, PUBLISH, PostStatus, PublicationState, TASK, Visibility},
};
use galley_engine::{Registry, StepSeed};
use galley_recurrence::Missed;
use galley_store::{HoldOutcome, NewOrder, NewPublication, StoreError, TenantTx, rows};
use galley_webhooks::Event;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    connections::is_blog,
    gate, known,
    missed::Promise,
    posts::status_of,
    promises::{MOVED, holder, refuse_stale},
    work::{changed_by_others, shown_as},
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, keep_answer, known_answer},
    projects::refuse_trashed,
};

/// What is to go out, and where.
#[derive(Debug, Clone, Default)]
pub struct PublishRequest {
    /// By default the project's, else the one that was used last.
    pub connection_id: Option<Uuid>,
    pub visibility: Option<Visibility>,
    /// Also over what others have changed there.
    pub force: bool,
    pub deployment_id: Option<Uuid>,
    /// Only if the article is as it was at one of these moments.
    pub seen: Option<Vec<DateTime<Utc>>>,
}

/// When it goes out.
#[derive(Debug, Clone)]
pub(crate) struct At {
    pub(crate) due: DateTime<Utc>,
    pub(crate) timezone: String,
    pub(crate) note: Option<String>,
    /// By default as it was promised before, else late within a day.
    pub(crate) missed: Option<Missed>,
    /// By default as it was promised before, else by us.
    pub(crate) held_by: Option<Holder>,
}

/// A publication that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedPublication {
    pub publication_id: Uuid,
    pub task_id: Uuid,
}

impl From<OrderedPublication> for Option<Uuid> {
    /// The task that does it.
    fn from(ordered: OrderedPublication) -> Self {
        Some(ordered.task_id)
    }
}

impl Services {
    /// Puts an article to a blog, or brings what stands there to its newest text. A promise to do so later is dropped.
    pub async fn publish(
        &self,
        principal: &Principal,
        id: Uuid,
        request: PublishRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<OrderedPublication>, ServiceError> {
        let tx = self.store.begin(principal.org).await?;
        let known: Option<OrderedPublication> = known_answer(&tx, key).await?;
        tx.rollback().await?;
        if let Some(value) = known {
            return Ok(Answer { value, replayed: true });
        }
        if !request.force {
            let visibility = request.visibility.unwrap_or(Visibility::Publish);
            self.refuse_drift(principal.org, id, request.connection_id, visibility).await?;
        }
        self.order_publication(principal, id, request, None, trace_id, key).await
    }

    /// The task that is at a publication. None for one that somebody has taken back since its article was read.
    pub async fn publication_task(&self, org: OrgId, id: Uuid) -> Result<Option<Uuid>, ServiceError> {
        Ok(self.store.tenant(org).publication(id).await?.and_then(|publication| publication.task_id))
    }

    /// Nothing is sent over what somebody has changed there. A site that is away is asked again when it is published.
    pub(crate) async fn refuse_drift(
        &self,
        org: OrgId,
        id: Uuid,
        connection: Option<Uuid>,
        visibility: Visibility,
    ) -> Result<(), ServiceError> {
        let tenant = self.store.tenant(org);
        let Some(connection) = connection else { return Ok(()) };
        let Some(connection) = tenant.one::<rows::Connection>(connection).await?.filter(is_blog) else {
            return Ok(());
        };
        let Some(article) = tenant.article(id).await? else { return Ok(()) };
        let Some(known) = known(tenant.placed(id, connection.id).await?)? else { return Ok(()) };
        let blog = self.blog(org, &connection).await?;
        let Ok(Some(there)) = blog.read(id, Some(&known)).await else { return Ok(()) };
        let shown = shown_as(visibility, article.scheduled_at);
        match changed_by_others(&blog, &article, shown, &known, &there).await {
            Ok(changed) if !changed.is_empty() => Err(drifted(changed.into_iter())),
            _ => Ok(()),
        }
    }

    pub(crate) async fn order_publication(
        &self,
        principal: &Principal,
        id: Uuid,
        request: PublishRequest,
        at: Option<At>,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<OrderedPublication>, ServiceError> {
        for _ in 1..MOVES {
            match self.order_once(principal, id, request.clone(), at.clone(), trace_id, key).await {
                // Whoever has seen nothing has nothing to lose: the later one counts.
                Err(ServiceError::Stale(_)) if request.seen.is_none() => {}
                ordered => return ordered,
            }
        }
        self.order_once(principal, id, request, at, trace_id, key).await
    }

    async fn order_once(
        &self,
        principal: &Principal,
        id: Uuid,
        mut request: PublishRequest,
        mut at: Option<At>,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<OrderedPublication>, ServiceError> {
        let org = principal.org;
        let tx = self.store.begin_steps([org]).await?;
        if let Some(value) = known_answer(tx.tenant(org.0)?, key).await? {
            return Ok(Answer { value, replayed: true });
        }
        let seen = request.seen.take();
        let (tx, dropped) = self.drop_promise(tx, org, id, seen.as_deref()).await?;
        let tenant = tx.tenant(org.0)?;
        let article = tenant.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if dropped.is_none() && article.publication_id.is_some() && article.scheduled_at.is_some() {
            // It was promised between the look for a promise and the lock.
            return Err(ServiceError::Stale(MOVED.into()));
        }
        if let Some(at) = &mut at {
            at.held_by = holder(&article, at.held_by)?;
        }
        match (dropped, &mut at) {
            // What a promise was made with goes for the next one, too, unless that says otherwise.
            (Some(dropped), Some(at)) => {
                request.connection_id = request.connection_id.or(dropped.connection);
                request.deployment_id = request.deployment_id.or(dropped.deployment);
                at.missed = at.missed.take().or(dropped.missed);
            }
            (Some(_), None) => {}
            (None, _) => refuse_stale(&article, seen.as_deref())?,
        }
        let ordered = insert_publication(tenant, &self.registry, principal, article, request, at, trace_id).await?;
        keep_answer(tenant, key, &ordered).await?;
        tx.commit().await?;
        Ok(Answer { value: ordered, replayed: false })
    }
}

/// So often it is tried to move a promise that others move at the same time.
const MOVES: u32 = 5;

/// Orders the publication of a locked article, within somebody's transaction.
pub(crate) async fn insert_publication(
    tx: &TenantTx,
    registry: &Registry,
    principal: &Principal,
    mut article: rows::Article,
    request: PublishRequest,
    at: Option<At>,
    trace_id: &str,
) -> Result<OrderedPublication, ServiceError> {
    refuse_trashed(tx, article.project_id).await?;
    refuse_unpublishable(&article, at.is_some())?;
    gate::check(tx, &article).await?;
    let connection = target(tx, &article, request.connection_id).await?;
    refuse_page(tx, &article, &connection).await?;
    let ordered = OrderedPublication { publication_id: Uuid::now_v7(), task_id: Uuid::now_v7() };
    let due_at = at.as_ref().map(|at| at.due);
    let is_held_there = at.as_ref().is_some_and(|at| at.held_by == Some(Holder::Site));
    let visibility = match is_held_there {
        true => Visibility::Future,
        false => request.visibility.unwrap_or(Visibility::Publish),
    };
    write_order(tx, registry, principal, &article, &ordered, due_at.filter(|_| !is_held_there), trace_id).await?;
    tx.insert_publication(NewPublication {
        id: ordered.publication_id,
        article_id: article.id,
        connection_id: Some(connection.id),
        destination: "wordpress",
        deployment_id: request.deployment_id,
        task_id: Some(ordered.task_id),
        visibility,
        status: PublicationState::Pending,
        force: request.force,
        due_at,
        external_id: None,
        external_url: None,
        error: None,
        published_at: None,
        metadata: json!({}),
    })
    .await?;
    promise(&mut article, &ordered, at)?;
    let article = tx.save_article(article).await?;
    if article.scheduled_at.is_some() {
        tell_publication(tx, Event::PublicationScheduled, &article, &connection, article.publication_id, None).await?;
    }
    Ok(ordered)
}

async fn write_order(
    tx: &TenantTx,
    registry: &Registry,
    principal: &Principal,
    article: &rows::Article,
    ordered: &OrderedPublication,
    due: Option<DateTime<Utc>>,
    trace_id: &str,
) -> Result<(), ServiceError> {
    let written = tx.insert_order(NewOrder {
        id: ordered.task_id,
        kind: TASK,
        input: json!({ "publication_id": ordered.publication_id }),
        subject: Some(article.id),
        price: Decimal::ZERO,
        api_key_id: principal.key(),
        parent: None,
        first: registry.new_step(StepSeed::new(PUBLISH), trace_id)?,
        run_at: due,
        told: json!({ "article_id": article.id, "publication_id": ordered.publication_id }),
    });
    match written.await? {
        HoldOutcome::Held { .. } => Ok(()),
        HoldOutcome::Insufficient { available } => {
            Err(ServiceError::InsufficientCredits { needed: Decimal::ZERO, available })
        }
    }
}

/// The site changed since we published there.
pub(crate) fn drifted(fields: impl Iterator<Item = String>) -> ServiceError {
    let text =
        "somebody has changed the post at its site since it was published; see errors. Look at GET …/drift, then \
                resolve it or publish with force"
            .to_owned();
    let changed = |field| FieldError { field, message: "was changed there since it was published".into() };
    ServiceError::Refused(text, fields.map(changed).collect())
}

fn refuse_unpublishable(article: &rows::Article, later: bool) -> Result<(), ServiceError> {
    let status = status_of(article)?;
    let text = match status {
        // Some documents show it as a draft.
        _ if article.status == ArticleStatus::Archived.as_str() => {
            "the post is archived; take it out of the archive first"
        }
        PostStatus::Generating => "the post is being written; wait until its job has ended",
        PostStatus::Published if later => {
            "the post is published; publish it again to bring it up to date, or unpublish it"
        }
        _ if article.version == 0 || article.status == ArticleStatus::Failed.as_str() => {
            "the post has no text; write it anew first"
        }
        // A promise is dropped by what comes after it.
        _ if article.publication_id.is_some() && article.scheduled_at.is_none() => {
            "another publication of the post is under way; wait until it has ended"
        }
        _ => return Ok(()),
    };
    Err(ServiceError::Conflict(text.into()))
}

/// Where it goes: where the client says, where the project says, where it went last, or through the newest that was used.
pub(crate) async fn target(
    tx: &TenantTx,
    article: &rows::Article,
    wanted: Option<Uuid>,
) -> Result<rows::Connection, ServiceError> {
    if let Some(id) = wanted {
        let found = tx.one::<rows::Connection>(id).await?.filter(|found| is_blog(found) && found.is_active);
        return found
            .ok_or_else(|| ServiceError::field("connection_id", format!("there is no active blog connection {id}")));
    }
    let project = match article.project_id {
        Some(project) => tx.project(project).await?,
        None => None,
    };
    let default = project.and_then(|project| Some(project.settings["default_blog_connection_id"].as_str()?.to_owned()));
    if let Some(default) = default {
        let found = match default.parse() {
            Ok(id) => tx.one::<rows::Connection>(id).await?.filter(|found| is_blog(found) && found.is_active),
            Err(_) => None,
        };
        return found.ok_or_else(|| {
            let text =
                format!("default_blog_connection_id of the project, {default}, is no active blog connection; mend it");
            ServiceError::Conflict(text)
        });
    }
    if let Some(id) = article.connection_id
        && let Some(found) = tx.one::<rows::Connection>(id).await?.filter(|found| is_blog(found) && found.is_active)
    {
        return Ok(found);
    }
    let mut active: Vec<_> =
        tx.all::<rows::Connection>().await?.into_iter().filter(|found| found.is_active && is_blog(found)).collect();
    active.sort_by_key(|connection| connection.last_synced_at);
    let newest = active.pop().filter(|connection| connection.last_synced_at.is_some());
    newest.ok_or_else(|| {
        let text = "nothing says through which connection; give connection_id, or set default_blog_connection_id in the \
                    settings of the project";
        ServiceError::Conflict(text.into())
    })
}

/// What keeps the article from going out there now, but for the gate.
pub(crate) async fn refusal(
    tx: &TenantTx,
    article: &rows::Article,
    connection: &rows::Connection,
) -> Result<Option<String>, ServiceError> {
    let refused = async {
        refuse_trashed(tx, article.project_id).await?;
        refuse_unpublishable(article, false)?;
        refuse_page(tx, article, connection).await
    };
    match refused.await {
        Ok(()) => Ok(None),
        Err(ServiceError::Conflict(text)) => Ok(Some(text)),
        Err(error) => Err(error),
    }
}

/// A page of a site comes from there and does not go back: it would become a post.
async fn refuse_page(
    tx: &TenantTx,
    article: &rows::Article,
    connection: &rows::Connection,
) -> Result<(), ServiceError> {
    let placed = tx.placed(article.id, connection.id).await?;
    match placed.is_some_and(|placed| placed.metadata["external_type"] == json!("page")) {
        true => Err(ServiceError::Conflict("the text is a page of the site, and only posts are sent there".into())),
        false => Ok(()),
    }
}

fn promise(article: &mut rows::Article, ordered: &OrderedPublication, at: Option<At>) -> Result<(), StoreError> {
    article.publication_id = Some(ordered.publication_id);
    article.publish_error = None;
    let Some(At { due, timezone, note, missed, held_by }) = at else { return Ok(()) };
    // One that only its site has promised is a draft here.
    let before = if article.status == ArticleStatus::Scheduled.as_str() {
        ArticleStatus::Draft.as_str()
    } else {
        &article.status
    };
    let promise = Promise {
        timezone,
        note,
        missed: missed.unwrap_or_default(),
        before: before.to_owned(),
        held_by: held_by.unwrap_or_default(),
    };
    article.schedule = Some(serde_json::to_value(promise)?);
    article.scheduled_at = Some(due);
    article.status = ArticleStatus::Scheduled.as_str().to_owned();
    Ok(())
}

/// Tells the organization's endpoints what became of a publication.
pub(crate) async fn tell_publication(
    tx: &TenantTx,
    event: Event,
    article: &rows::Article,
    connection: &rows::Connection,
    publication: Option<Uuid>,
    why: Option<&str>,
) -> Result<(), StoreError> {
    let (error, drift) = if event == Event::PublicationDrifted { (None, why) } else { (why, None) };
    let data = json!({
        "publication_id": publication,
        "article_id": article.id,
        "project_id": article.project_id,
        "connection_id": connection.id,
        "destination": connection.platform.as_str(),
        "external_id": article.external_id,
        "external_url": article.external_url,
        "status": article.status,
        "scheduled_at": article.scheduled_at,
        "error": error,
        "drift": drift,
    });
    tx.announce(event.as_str(), article.id, data).await
}

/// What a publication goes through, if that is still there.
pub(crate) async fn publication_connection(
    tx: &TenantTx,
    publication: Uuid,
) -> Result<Option<rows::Connection>, StoreError> {
    match tx.publication(publication).await?.and_then(|publication| publication.connection_id) {
        Some(connection) => tx.one::<rows::Connection>(connection).await,
        None => Ok(None),
    }
}

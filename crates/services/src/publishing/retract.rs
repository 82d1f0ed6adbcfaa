//! Taking back what was published: drafts there again, or into the trash there. A task does it, at every blog that shows
//! the article.

use std::sync::Arc;

use galley_destinations::{Destination, Known, RemoteStatus};
use galley_domain::{
    Fault, FaultCode, OrgId, Principal,
    article::ArticleStatus,
    effect::EffectState,
    publishing::{PublicationState, RETRACT, RETRACTED, RETRACTION_TASK, Retraction, Visibility},
};
use galley_engine::{StepError, StepSeed};
use galley_store::{
    ClaimedStep, EffectKey, EffectMark, HoldOutcome, NewOrder, NewPublication, StoreError, TenantTx, TextEnum, rows,
};
use galley_webhooks::Event;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{known, publish::tell_publication, settle::later, work::step_error};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, keep_answer, known_answer},
    pipelines::publication::shows,
    projects::refuse_trashed,
};

/// Where an article stands.
#[derive(Debug)]
pub struct Placed {
    pub connection: rows::Connection,
    pub blog: Arc<dyn Destination>,
    pub known: Known,
    pub publication: rows::Publication,
}

/// What the step takes back.
#[derive(Debug)]
pub struct RetractionWork {
    pub article: Uuid,
    pub how: Retraction,
    pub placed: Vec<Placed>,
}

/// The input of the task.
#[derive(Debug, Serialize, Deserialize)]
struct Input {
    article_id: Uuid,
    how: Retraction,
}

/// What the step brings.
#[derive(Debug, Clone, Copy)]
pub struct RetractedArticle {
    pub article: Uuid,
}

/// Whether there is something to take back; what is a draft there can still go into the trash.
fn is_placed(publication: &rows::Publication, how: Retraction) -> bool {
    match how {
        Retraction::Draft => *publication.status != PublicationState::Retracted,
        Retraction::Trash => publication.metadata["removed"] != json!(true),
    }
}

/// What stands at a site decides, whatever the article is called here meanwhile.
fn refuse_unpublishing(article: &rows::Article, placed: &[rows::Publication]) -> Result<(), ServiceError> {
    if article.publication_id.is_some() {
        let text = match article.scheduled_at {
            Some(_) => "the post is scheduled; unschedule it",
            None => "a publication of the post is under way; wait until it has ended",
        };
        return Err(ServiceError::Conflict(text.into()));
    }
    if article.status != ArticleStatus::Published.as_str() && !placed.iter().any(shows) {
        return Err(ServiceError::Conflict("the post is not published".into()));
    }
    let lost = placed.iter().find(|placed| shows(placed) && placed.connection_id.is_none());
    if let Some(url) = lost.and_then(|placed| placed.external_url.as_ref()) {
        let text = format!("the connection that it was published through is gone; take it back at its site: {url}");
        return Err(ServiceError::Conflict(text));
    }
    Ok(())
}

impl Services {
    /// Where the article was published last, if that is still known and can be spoken to.
    pub(crate) async fn placed(&self, org: OrgId, article: &rows::Article) -> Result<Option<Placed>, ServiceError> {
        let Some(connection) = article.connection_id else { return Ok(None) };
        let placed = self.store.tenant(org).placed(article.id, connection).await?;
        match placed {
            Some(publication) => self.open_placed(org, publication).await,
            None => Ok(None),
        }
    }

    async fn open_placed(&self, org: OrgId, publication: rows::Publication) -> Result<Option<Placed>, ServiceError> {
        let Some(connection) = publication.connection_id else { return Ok(None) };
        let Some(connection) = self.store.tenant(org).one::<rows::Connection>(connection).await? else {
            return Ok(None);
        };
        let Some(known) = known(Some(publication.clone()))? else { return Ok(None) };
        let blog = self.blog(org, &connection).await?;
        Ok(Some(Placed { connection, blog, known, publication }))
    }

    /// Orders that the copies of an article become drafts at every blog, and the article here. The task that does it; none
    /// where nobody has to be asked, then it is done. What is gone there already is no hindrance.
    pub async fn unpublish(
        &self,
        principal: &Principal,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Option<Uuid>>, ServiceError> {
        let tx = self.store.begin(principal.org).await?;
        if let Some(value) = known_answer(&tx, key).await? {
            return Ok(Answer { value, replayed: true });
        }
        let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        refuse_trashed(&tx, article.project_id).await?;
        let placed = tx.placements(id).await?;
        refuse_unpublishing(&article, &placed)?;
        let task = if placed.iter().any(|placed| is_placed(placed, Retraction::Draft)) {
            let task = self.order_retraction(&tx, principal, &mut article, Retraction::Draft, trace_id).await?;
            tx.save_article(article).await?;
            Some(task)
        } else {
            take_back(&tx, article).await?;
            self.follow_in_folder(&tx, id).await?;
            None
        };
        keep_answer(&tx, key, &task).await?;
        tx.commit().await?;
        Ok(Answer { value: task, replayed: false })
    }

    /// Orders that the copies of an article go into the trash at every blog, before the article is deleted here; its promise
    /// is taken back. None where nothing stands anywhere.
    pub async fn remove_remote(
        &self,
        principal: &Principal,
        id: Uuid,
        trace_id: &str,
    ) -> Result<Option<Uuid>, ServiceError> {
        let org = principal.org;
        let tx = self.store.begin_steps([org]).await?;
        let (tx, _) = self.drop_promise(tx, org, id, None).await?;
        let tenant = tx.tenant(org.0)?;
        let mut article = tenant.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        refuse_trashed(tenant, article.project_id).await?;
        if article.publication_id.is_some() {
            let text = "a publication of the post is under way; wait until it has ended";
            return Err(ServiceError::Conflict(text.into()));
        }
        let placed = tenant.placements(id).await?;
        if !placed.iter().any(|placed| is_placed(placed, Retraction::Trash)) {
            tx.commit().await?;
            return Ok(None);
        }
        let task = self.order_retraction(tenant, principal, &mut article, Retraction::Trash, trace_id).await?;
        tenant.save_article(article).await?;
        tx.commit().await?;
        Ok(Some(task))
    }

    /// The publication that it adds only holds the place of one: nothing else goes out meanwhile.
    async fn order_retraction(
        &self,
        tx: &TenantTx,
        principal: &Principal,
        article: &mut rows::Article,
        how: Retraction,
        trace_id: &str,
    ) -> Result<Uuid, ServiceError> {
        let (task, place) = (Uuid::now_v7(), Uuid::now_v7());
        let written = tx.insert_order(NewOrder {
            id: task,
            kind: RETRACTION_TASK,
            input: json!(Input { article_id: article.id, how }),
            subject: Some(article.id),
            price: Decimal::ZERO,
            api_key_id: principal.key(),
            parent: None,
            first: self.registry.new_step(StepSeed::new(RETRACT), trace_id)?,
            run_at: None,
            told: json!({ "article_id": article.id }),
        });
        if let HoldOutcome::Insufficient { available } = written.await? {
            return Err(ServiceError::InsufficientCredits { needed: Decimal::ZERO, available });
        }
        tx.insert_publication(NewPublication {
            id: place,
            task_id: Some(task),
            visibility: Visibility::Draft,
            status: PublicationState::Pending,
            connection_id: None,
            metadata: json!({ "retraction": how }),
            ..NewPublication::found_there(article.id, Uuid::nil())
        })
        .await?;
        article.publication_id = Some(place);
        article.publish_error = None;
        Ok(task)
    }

    /// What the step is to take back: drafts of what is shown or was left behind, everything for the trash.
    pub async fn retraction_work(&self, step: &ClaimedStep) -> Result<RetractionWork, StepError> {
        let (org, task) = step.owner().ok_or(StoreError::LeaseLost)?;
        let tenant = self.store.tenant(org);
        let row = tenant.task(task).await?.ok_or(StoreError::LeaseLost)?;
        let Input { article_id, how } = serde_json::from_value(row.input).map_err(StoreError::from)?;
        let article = tenant.article(article_id).await?;
        article.ok_or_else(|| Fault::permanent(FaultCode::WorkflowError, "the article was deleted"))?;
        let mut placed = Vec::new();
        let copies = tenant.placements(article_id).await?.into_iter();
        for publication in copies.filter(|copy| is_placed(copy, how)) {
            placed.extend(self.open_placed(org, publication).await.map_err(step_error)?);
        }
        Ok(RetractionWork { article: article_id, how, placed })
    }

    /// Notes that a copy is taken back, as soon as it is: what comes after it may fail.
    pub async fn note_retracted(&self, step: &ClaimedStep, placed: &Placed, how: Retraction) -> Result<(), StepError> {
        let (org, _) = step.owner().ok_or(StoreError::LeaseLost)?;
        let tx = self.store.begin(org).await?;
        tx.hold_fence(step.fence).await?;
        let Some(article) = tx.lock_article(placed.publication.article_id).await? else { return Ok(()) };
        let Some(mut publication) = tx.lock_publication(placed.publication.id).await? else { return Ok(()) };
        if is_placed(&publication, how) {
            publication.metadata["removed"] = json!(how == Retraction::Trash);
            stands_as_draft(&mut publication);
            publication.status = TextEnum(PublicationState::Retracted);
            let id = tx.save_publication(publication).await?.id;
            let event = match how {
                Retraction::Draft => Event::PublicationUnpublished,
                Retraction::Trash => Event::PublicationRemoved,
            };
            tell_publication(&tx, event, &article, &placed.connection, Some(id), None).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Looks which copies a retraction that was given up has taken back after all, and writes that down. Nothing is sent.
    pub async fn settle_retraction(&self, step: &ClaimedStep, article: Uuid, task: Uuid) -> Result<(), StepError> {
        let org = step.org.ok_or(StoreError::LeaseLost)?;
        let tenant = self.store.tenant(org);
        for copy in tenant.placements(article).await? {
            let Some(copy) = self.open_placed(org, copy).await.map_err(step_error)? else { continue };
            let key = format!("{task}/{}", copy.connection.id);
            let key = EffectKey { kind: RETRACTED, subject: article, destination: copy.blog.name(), key: &key };
            let Some(call) = tenant.effect(&key).await? else { continue };
            if !matches!(*call.state, EffectState::Sent | EffectState::Unknown) {
                continue;
            }
            let there = copy.blog.look_up(article, Some(&copy.known)).await.map_err(later)?;
            let is_back = there.as_ref().is_none_or(|there| !there.status.is_shown());
            let tx = self.store.begin(org).await?;
            tx.hold_fence(step.fence).await?;
            let mark = match is_back {
                true => EffectMark::Confirmed(&copy.known.external_id),
                false => EffectMark::Failed("it was not taken back"),
            };
            tx.mark_effect(call.id, step, mark).await?;
            if is_back {
                self.write_back(&tx, article, &copy).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// The copy is taken back; the article is a draft once the last one is.
    async fn write_back(&self, tx: &TenantTx, article: Uuid, copy: &Placed) -> Result<(), StepError> {
        let Some(row) = tx.lock_article(article).await? else { return Ok(()) };
        if let Some(mut publication) = tx.lock_publication(copy.publication.id).await? {
            stands_as_draft(&mut publication);
            publication.status = TextEnum(PublicationState::Retracted);
            tx.save_publication(publication).await?;
        }
        let is_nowhere = !tx.placements(article).await?.iter().any(shows);
        if is_nowhere && row.publication_id.is_none() && row.status == ArticleStatus::Published.as_str() {
            take_back(tx, row).await?;
            self.follow_in_folder(tx, article).await?;
        }
        Ok(())
    }
}

/// What we do there ourselves is no change of somebody else's.
pub(crate) fn stands_as_draft(publication: &mut rows::Publication) {
    publication.published_at = None;
    if let Some(sent) = &mut publication.sent {
        sent["status"] = json!(RemoteStatus::Draft);
        sent["date"] = Json::Null;
    }
}

/// Nothing of the article is public any more.
pub(crate) async fn take_back(tx: &TenantTx, mut article: rows::Article) -> Result<(), StoreError> {
    if let Some(place) = article.publication_id.take() {
        tx.delete_publication(place).await?;
    }
    article.status = ArticleStatus::Draft.as_str().to_owned();
    (article.published_at, article.external_url, article.publish_error) = (None, None, None);
    tx.save_article(article).await.map(drop)
}

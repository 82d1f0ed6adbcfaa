//! A post goes out at an hour: promised, moved, taken back.

use chrono::{DateTime, Utc};
use galley_domain::{OrgId, Principal, article::ArticleStatus, publishing::Holder};
use galley_recurrence::{Missed, MomentRequest};
use uuid::Uuid;

use super::{
    publish::{At, OrderedPublication, PublishRequest},
    retract::stands_as_draft,
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, known_answer},
};

/// An hour to promise.
#[derive(Debug, Clone)]
pub struct SchedulePostRequest {
    pub moment: MomentRequest,
    pub connection_id: Option<Uuid>,
    /// By default as it was promised before, else late within a day.
    pub missed: Option<Missed>,
    pub deployment_id: Option<Uuid>,
    /// By default as it was promised before, else we send it at its hour.
    pub held_by: Option<Holder>,
    /// Only if the article is as it was at one of these moments.
    pub seen: Option<Vec<DateTime<Utc>>>,
}

impl SchedulePostRequest {
    /// Everything else as it was, or by default.
    pub fn at(moment: MomentRequest) -> Self {
        Self { moment, connection_id: None, missed: None, deployment_id: None, held_by: None, seen: None }
    }
}

impl Services {
    /// Promises that the article goes out at an hour. One that is promised already is moved.
    pub async fn schedule_post(
        &self,
        principal: &Principal,
        id: Uuid,
        request: SchedulePostRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<OrderedPublication>, ServiceError> {
        let tx = self.store.begin(principal.org).await?;
        let known: Option<OrderedPublication> = known_answer(&tx, key).await?;
        let now = tx.now().await?;
        tx.rollback().await?;
        if let Some(value) = known {
            // Its hour may have passed since.
            return Ok(Answer { value, replayed: true });
        }
        let moment = request.moment.check(now).map_err(|error| ServiceError::Validation(vec![error]))?;
        let at = At {
            due: moment.at,
            timezone: moment.timezone.name().to_owned(),
            note: moment.note,
            missed: request.missed,
            held_by: request.held_by,
        };
        let wanted = PublishRequest {
            connection_id: request.connection_id,
            deployment_id: request.deployment_id,
            seen: request.seen,
            ..PublishRequest::default()
        };
        self.order_publication(principal, id, wanted, Some(at), trace_id, key).await
    }

    /// Takes the promise back; the article is a draft again. One that the site itself has promised becomes a draft there.
    pub async fn unschedule_post(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let before = self.article(org, id).await?;
        if before.status != ArticleStatus::Scheduled.as_str() {
            return Err(ServiceError::Conflict("the post is not scheduled".into()));
        }
        if before.publication_id.is_none()
            && let Some(placed) = self.placed(org, &before).await?
        {
            placed.blog.unpublish(id, Some(&placed.known)).await.map_err(ServiceError::Outside)?;
        }
        let tx = self.store.begin_steps([org]).await?;
        let (tx, _) = self.drop_promise(tx, org, id, None).await.map_err(|error| match error {
            ServiceError::Stale(text) => ServiceError::Conflict(text),
            error => error,
        })?;
        let tenant = tx.tenant(org.0)?;
        let mut article = tenant.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if let (None, Some(connection)) = (before.publication_id, article.connection_id)
            && let Some(placed) = tenant.placed(id, connection).await?
            && let Some(mut placed) = tenant.lock_publication(placed.id).await?
        {
            stands_as_draft(&mut placed);
            tenant.save_publication(placed).await?;
        }
        if article.publication_id.is_some() {
            return Err(ServiceError::Conflict("its hour has come; it is being published".into()));
        }
        // The document's word for what it is then.
        article.status = ArticleStatus::Draft.as_str().to_owned();
        (article.publish_error, article.scheduled_at, article.schedule) = (None, None, None);
        tenant.save_article(article).await?;
        tx.commit().await?;
        Ok(())
    }
}

//! A post goes out at an hour: promised, moved, taken back.

use galley_domain::{OrgId, Principal, article::ArticleStatus};
use galley_recurrence::{Missed, MomentRequest};
use galley_store::StoreError;
use galley_webhooks::Event;
use uuid::Uuid;

use super::missed::Promise;
use super::publish::{At, OrderedPublication, PublishRequest, publication_connection, tell_publication};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey},
};

/// An hour to promise.
#[derive(Debug, Clone)]
pub struct SchedulePostRequest {
    pub moment: MomentRequest,
    pub connection_id: Option<Uuid>,
    /// By default as it was promised before, else late within a day.
    pub missed: Option<Missed>,
    pub deployment_id: Option<Uuid>,
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
        let now = self.store.tenant(principal.org).now().await?;
        let moment = request.moment.check(now).map_err(|error| ServiceError::Validation(vec![error]))?;
        let before = self.promised(principal.org, id).await?;
        let at = At {
            due: moment.at,
            timezone: moment.timezone.name().to_owned(),
            note: moment.note,
            missed: request.missed.or(before.1).unwrap_or_default(),
        };
        let wanted = PublishRequest {
            connection_id: request.connection_id.or(before.0),
            deployment_id: request.deployment_id,
            ..PublishRequest::default()
        };
        self.order_publication(principal, id, wanted, Some(at), trace_id, key).await
    }

    /// Where and how a scheduled article was to go out.
    async fn promised(&self, org: OrgId, id: Uuid) -> Result<(Option<Uuid>, Option<Missed>), ServiceError> {
        let tenant = self.store.tenant(org);
        let Some(article) = tenant.article(id).await?.filter(|article| article.scheduled_at.is_some()) else {
            return Ok((None, None));
        };
        let promise: Option<Promise> =
            article.schedule.map(serde_json::from_value).transpose().map_err(StoreError::from)?;
        let connection = match article.publication_id {
            Some(publication) => tenant.publication(publication).await?.and_then(|found| found.connection_id),
            None => None,
        };
        Ok((connection, promise.map(|promise| promise.missed)))
    }

    /// Takes the promise back; the article is as it was before.
    pub async fn unschedule_post(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin_steps([org]).await?;
        let before = tx.tenant(org.0)?.article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        if before.status != ArticleStatus::Scheduled.as_str() {
            return Err(ServiceError::Conflict("the post is not scheduled".into()));
        }
        let connection = match before.publication_id {
            Some(publication) => publication_connection(tx.tenant(org.0)?, publication).await?,
            None => None,
        };
        let tx = self.drop_promise(tx, org, id).await?;
        let tenant = tx.tenant(org.0)?;
        let mut article = tenant.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        // What only the site has promised is not ours to wait for.
        let is_still_promised = before.publication_id.is_some() && article.status == ArticleStatus::Scheduled.as_str();
        if is_still_promised || article.publication_id.is_some() {
            return Err(ServiceError::Conflict("its hour has come; it is being published".into()));
        }
        // The document's word for what it is then.
        article.status = ArticleStatus::Draft.as_str().to_owned();
        article.publish_error = None;
        let article = tenant.save_article(article).await?;
        if let Some(connection) = connection {
            tell_publication(tenant, Event::PublicationUnscheduled, &article, &connection, before.publication_id, None)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

//! What was sent to a webhook, and sending it again.

use galley_domain::webhook::DeliveryStatus;
use galley_services::{Answer, DeliveryView, ReplayRequest, Replayed};
use galley_store::DeliveryFilter;
use poem_openapi::{Object, OpenApi, param::Path};

use super::view::{Delivery, DeliverySummary};
use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, SecretsRead, SecretsWrite},
        body::Body,
        envelope::List,
        fields::fields,
        header::IdempotencyKey,
        page::{ByNumber, Page},
        query::Query,
        reply::{Accepted, Outcome, Reply},
        scalar::{Id, Moment, Word, words},
        values::{List as ListOf, Text},
    },
};

pub struct Deliveries;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Webhooks")]
impl Deliveries {
    /// Test a webhook
    ///
    /// Sends the event `webhook.test`, whatever the webhook's `events` are, and also while it is disabled.
    #[oai(path = "/webhooks/:webhook_id/test", method = "post", operation_id = "test_webhook")]
    async fn test(
        &self,
        auth: Auth<SecretsWrite, Content>,
        webhook_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<Delivery, Accepted> {
        let key = key.with(b"")?;
        let (org, id) = (auth.org(), webhook_id.0.0);
        accepted(auth.services().test_webhook(org, id, auth.trace_id(), key.as_ref()).await?)
    }

    /// List the deliveries of a webhook
    ///
    /// Newest first, without their payloads and attempts. Kept for 30 days.
    #[oai(path = "/webhooks/:webhook_id/deliveries", method = "get", operation_id = "list_webhook_deliveries")]
    async fn list(
        &self,
        auth: Auth<SecretsRead>,
        webhook_id: Path<Id>,
        Query(query): Query<DeliveryQuery>,
    ) -> Outcome<List<DeliverySummary>> {
        let (page, event_type, filter) = query.split();
        let (org, id, name) = (auth.org(), webhook_id.0.0, event_type.as_ref().map(|name| name.0.as_str()));
        let (rows, total) = auth.services().deliveries(org, id, name, filter).await?;
        Ok(Reply::new(List::page(rows, total, &page)?))
    }

    /// Get a delivery of a webhook
    ///
    /// With what was sent and each attempt.
    #[oai(
        path = "/webhooks/:webhook_id/deliveries/:delivery_id",
        method = "get",
        operation_id = "get_webhook_delivery"
    )]
    async fn get(&self, auth: Auth<SecretsRead>, webhook_id: Path<Id>, delivery_id: Path<Id>) -> Outcome<Delivery> {
        let view = auth.services().delivery(auth.org(), webhook_id.0.0, delivery_id.0.0).await?;
        Ok(Reply::new(view.try_into()?))
    }

    /// Resend a delivery of a webhook
    ///
    /// Sends the same message under the same id, as a delivery of its own. A CONFLICT while the webhook is disabled or the
    /// message waits already.
    #[oai(
        path = "/webhooks/:webhook_id/deliveries/:delivery_id/resend",
        method = "post",
        operation_id = "resend_webhook_delivery"
    )]
    async fn resend(
        &self,
        auth: Auth<SecretsWrite, Content>,
        webhook_id: Path<Id>,
        delivery_id: Path<Id>,
        key: IdempotencyKey,
    ) -> Outcome<Delivery, Accepted> {
        let key = key.with(b"")?;
        let (org, webhook, id) = (auth.org(), webhook_id.0.0, delivery_id.0.0);
        accepted(auth.services().resend_delivery(org, webhook, id, auth.trace_id(), key.as_ref()).await?)
    }

    /// Replay the deliveries of a webhook
    ///
    /// Sends again what was not delivered in a range of time, in the order in which it happened and behind what is new.
    /// At most 10,000 messages.
    #[oai(path = "/webhooks/:webhook_id/replay", method = "post", operation_id = "replay_webhook")]
    async fn replay(
        &self,
        auth: Auth<SecretsWrite, Content>,
        webhook_id: Path<Id>,
        key: IdempotencyKey,
        body: Body<ReplayDeliveries>,
    ) -> Outcome<Replay, Accepted> {
        let key = key.with(&body.canonical)?;
        let (org, id, request) = (auth.org(), webhook_id.0.0, body.value.into());
        let answer = auth.services().replay_deliveries(org, id, request, auth.trace_id(), key.as_ref()).await?;
        Ok(Reply::of(answer, Replay::from).at(&format!("/api/v1/webhooks/{id}/deliveries")))
    }
}

/// A delivery that was begun, and where to look for what became of it.
fn accepted(answer: Answer<DeliveryView>) -> Outcome<Delivery, Accepted> {
    let delivery = &answer.value.row;
    let location = format!("/api/v1/webhooks/{}/deliveries/{}", delivery.webhook_id, delivery.id);
    Ok(Reply::try_of(answer)?.at(&location))
}

words! {
    /// Which deliveries are replayed.
    pub enum ReplayStatus { Failed = "failed", All = "all" }
}

fields! {
    /// Which deliveries to list.
    pub struct DeliveryQuery {
        status: Option<Word<DeliveryStatus>>,
        /// A full name such as `task.failed`, a group such as `task.*`, or `*`.
        event_type: Option<Text<1, 100>>,
        /// Not before.
        from: Option<Moment>,
        /// Not after.
        to: Option<Moment>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// What to send again.
    pub struct ReplayDeliveries {
        /// Not before.
        from: Moment,
        /// Not after; now when it is left out.
        to: Option<Moment>,
        /// Left out: what failed or was cancelled. `failed`: only what failed. `all`: what was delivered, too.
        status: Option<Word<ReplayStatus>>,
        /// Full names such as `task.failed`, groups such as `task.*`, or `*`; every event when it is left out.
        event_types: Option<ListOf<Text<0, 100>, 100, 1>>,
    }
}

/// What is sent again.
#[derive(Debug, Object)]
pub struct Replay {
    /// Messages.
    count: u64,
    from: Moment,
    to: Moment,
}

impl From<Replayed> for Replay {
    fn from(replayed: Replayed) -> Self {
        Self { count: replayed.count, from: Moment(replayed.from), to: Moment(replayed.to) }
    }
}

impl DeliveryQuery {
    fn split(self) -> (Page<ByNumber>, Option<Text<1, 100>>, DeliveryFilter) {
        let filter = DeliveryFilter {
            status: self.status.map(|status| status.0),
            event_types: None,
            from: self.from.map(|from| from.0),
            to: self.to.map(|to| to.0),
            limit: self.page.limit,
            offset: self.page.offset,
        };
        (self.page, self.event_type, filter)
    }
}

impl From<ReplayDeliveries> for ReplayRequest {
    fn from(body: ReplayDeliveries) -> Self {
        let undelivered = [DeliveryStatus::Failed, DeliveryStatus::Cancelled];
        let statuses = match body.status {
            None => undelivered.to_vec(),
            Some(Word(ReplayStatus::Failed)) => vec![DeliveryStatus::Failed],
            Some(Word(ReplayStatus::All)) => [&undelivered[..], &[DeliveryStatus::Delivered]].concat(),
        };
        let event_types = body.event_types.map(|names| names.0.into_iter().map(|name| name.0).collect());
        Self { from: body.from.0, to: body.to.map(|to| to.0), statuses, event_types }
    }
}

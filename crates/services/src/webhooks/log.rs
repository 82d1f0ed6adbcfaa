//! What was sent to an endpoint, and sending it again.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    order::FieldError,
    webhook::{DeliveryStatus, WebhookFormat, WebhookStatus},
};
use galley_store::{DeliveryFilter, NewDelivery, NewStep, ReplayRange, StoreError, TenantTx, rows};
use galley_webhooks::{Event, Filters, Format, ObjectLink, Payload, message_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::locked;
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    pipelines::webhooks::{Begun, begin_jobs},
};

/// Messages that one replay sends.
const MOST_REPLAYED: usize = 10_000;

/// A message with what became of it.
#[derive(Debug, Clone)]
pub struct DeliveryView {
    pub row: rows::Delivery,
    pub attempts: Vec<rows::WebhookAttempt>,
}

/// What to send again.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    pub from: DateTime<Utc>,
    /// None for now.
    pub to: Option<DateTime<Utc>>,
    pub statuses: Vec<DeliveryStatus>,
    /// Names and groups, as those of an endpoint; `None` for every event.
    pub event_types: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    pub count: u64,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

pub(super) fn format_of(webhook: &rows::Webhook) -> Format {
    match webhook.format.0 {
        WebhookFormat::Standard => Format::Standard,
        WebhookFormat::V003 => Format::V003,
    }
}

pub(super) fn text_of(payload: &Payload<'_>, format: Format) -> Result<String, StoreError> {
    let unreadable = |error: String| StoreError::Unreadable(error);
    let bytes = payload.bytes(format).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))
}

impl Services {
    /// Newest first, with the number of all. `event_type` is a name or a group, as those of an endpoint.
    pub async fn deliveries(
        &self,
        org: OrgId,
        webhook: Uuid,
        event_type: Option<&str>,
        filter: DeliveryFilter,
    ) -> Result<(Vec<rows::DeliveryHead>, u64), ServiceError> {
        let event_types = event_type.map(|name| Filters::new(&[name])).transpose().map_err(|wrong| {
            let of_field = |error: FieldError| FieldError { field: "event_type".to_owned(), ..error };
            ServiceError::Validation(wrong.into_iter().map(of_field).collect())
        })?;
        self.webhook(org, webhook).await?;
        let filter = DeliveryFilter { event_types: event_types.and_then(full_names), ..filter };
        Ok(self.store.tenant(org).deliveries(webhook, &filter).await?)
    }

    pub async fn delivery(&self, org: OrgId, webhook: Uuid, id: Uuid) -> Result<DeliveryView, ServiceError> {
        self.webhook(org, webhook).await?;
        let tenant = self.store.tenant(org);
        let row = tenant.delivery(webhook, id).await?.ok_or(ServiceError::NotFound(Missing::Delivery))?;
        Ok(DeliveryView { attempts: tenant.delivery_attempts(id).await?, row })
    }

    /// Sends `webhook.test`, also to a disabled endpoint.
    pub async fn test_webhook(
        &self,
        org: OrgId,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<DeliveryView>, ServiceError> {
        let message = async |tx: &TenantTx, webhook: &rows::Webhook| Ok(test_message(webhook, tx.now().await?)?);
        self.send_once(org, id, trace_id, key, message).await
    }

    /// Sends a message once more, under its own id.
    pub async fn resend_delivery(
        &self,
        org: OrgId,
        webhook: Uuid,
        id: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<DeliveryView>, ServiceError> {
        let message = async |tx: &TenantTx, webhook: &rows::Webhook| {
            let old = tx.delivery(webhook.id, id).await?.ok_or(ServiceError::NotFound(Missing::Delivery))?;
            refuse_disabled(webhook)?;
            if tx.message_waits(webhook.id, &old.message_id).await? {
                return Err(ServiceError::Conflict("this message waits to be sent already".into()));
            }
            Ok(NewDelivery {
                id: Uuid::now_v7(),
                webhook: webhook.id,
                subject: old.subject_id,
                message_id: old.message_id,
                event_type: old.event_type,
                at: tx.now().await?,
                payload: old.payload,
                sequence: old.sequence,
                resend_of: Some(id),
                always: false,
            })
        };
        self.send_once(org, webhook, trace_id, key, message).await
    }

    /// Sends again what a range of time has left undelivered, in the order in which it happened and behind what is new.
    pub async fn replay_deliveries(
        &self,
        org: OrgId,
        webhook: Uuid,
        request: ReplayRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<Replayed>, ServiceError> {
        let ReplayRequest { from, to, statuses, event_types } = request;
        let named = event_types.map(|names| Filters::of_field("event_types", &names)).transpose();
        let event_types = named.map_err(ServiceError::Validation)?.and_then(full_names);
        let tx = self.store.begin(org).await?;
        once(tx, key, |tx| async move {
            let webhook = locked(&tx, webhook).await?;
            let to = to.map_or(tx.now().await, Ok)?;
            if from > to {
                return Err(ServiceError::field("from", "is after `to`; give the earlier of the two here"));
            }
            refuse_disabled(&webhook)?;
            let ids = tx.replayable(webhook.id, &ReplayRange { from, to, statuses, event_types }).await?;
            if ids.len() > MOST_REPLAYED {
                let text =
                    format!("{} messages are in this range; at most {MOST_REPLAYED} are replayed at a time", ids.len());
                return Err(ServiceError::field("from", text));
            }
            let count = tx.replay_deliveries(webhook.id, ids).await?;
            self.begin_sending(&tx, &webhook, usize::try_from(count).unwrap_or(usize::MAX), trace_id).await?;
            Ok((tx, Replayed { count, from, to }))
        })
        .await
    }

    /// Sends one message to a locked endpoint, once for each key.
    async fn send_once(
        &self,
        org: OrgId,
        webhook: Uuid,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
        message: impl AsyncFnOnce(&TenantTx, &rows::Webhook) -> Result<NewDelivery, ServiceError>,
    ) -> Result<Answer<DeliveryView>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let answer = once(tx, key, |tx| async move {
            let webhook = locked(&tx, webhook).await?;
            let row = message(&tx, &webhook).await?;
            let sent = (webhook.id, row.id);
            tx.insert_deliveries(&[row]).await?;
            self.begin_sending(&tx, &webhook, 1, trace_id).await?;
            Ok((tx, sent))
        });
        let Answer { value: (webhook, id), replayed } = answer.await?;
        // As it stands now, which is later than when the answer was made.
        Ok(Answer { value: self.delivery(org, webhook, id).await?, replayed })
    }

    /// Adds the jobs that a locked endpoint has room for.
    pub(super) async fn begin_sending(
        &self,
        tx: &TenantTx,
        webhook: &rows::Webhook,
        rows: usize,
        trace_id: &str,
    ) -> Result<(), StoreError> {
        let seeds = begin_jobs(tx, webhook, rows, &mut Begun::new()).await?;
        let steps = seeds.into_iter().map(|seed| self.registry.new_step(seed, trace_id));
        tx.add_steps(&steps.collect::<Result<Vec<NewStep>, _>>()?).await
    }
}

/// `None` for every event.
fn full_names(filters: Filters) -> Option<Vec<String>> {
    filters.events().map(|names| names.into_iter().map(str::to_owned).collect())
}

fn refuse_disabled(webhook: &rows::Webhook) -> Result<(), ServiceError> {
    match webhook.status.0 {
        WebhookStatus::Active => Ok(()),
        WebhookStatus::Disabled => {
            Err(ServiceError::Conflict("the webhook is disabled; set its status to active first".into()))
        }
    }
}

fn test_message(webhook: &rows::Webhook, at: DateTime<Utc>) -> Result<NewDelivery, StoreError> {
    let (format, event_type) = (format_of(webhook), Event::WebhookTest.as_str());
    let (message_id, id) = (message_id(format, Uuid::now_v7()), webhook.id.to_string());
    let data = json!({ "message": "This is a test. Your endpoint is reached.", "webhook_id": webhook.id });
    let payload = Payload {
        message_id: &message_id,
        event_type,
        timestamp: at,
        organization_id: webhook.org_id,
        site_id: webhook.org_id,
        sequence: at.timestamp_micros(),
        data: &data,
        object: ObjectLink { id: &id, url: &format!("/api/v1/webhooks/{id}") },
    };
    Ok(NewDelivery {
        id: Uuid::now_v7(),
        webhook: webhook.id,
        subject: None,
        payload: text_of(&payload, format)?,
        message_id,
        event_type: event_type.to_owned(),
        at,
        sequence: at.timestamp_micros(),
        resend_of: None,
        always: true,
    })
}

//! Endpoints of webhooks: made, changed, given another secret, removed.

mod fan_out;
mod log;
mod outgoing;

use galley_domain::{
    OrgId,
    order::Violations,
    webhook::{DisabledReason, WebhookFormat, WebhookStatus},
};
use galley_store::{NewWebhook, TenantTx, TextEnum, WebhookFilter, rows};
use galley_webhooks::{Filters, Secret, SecretError as BadSecret, check_url};
use uuid::Uuid;

use crate::{
    SecretPurpose, Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    pipelines::{
        FANOUT,
        webhooks::{FAN_OUT, FAN_OUT_ATTEMPTS, keepers::disable},
    },
};

pub use fan_out::Told;
pub(crate) use fan_out::tell_article;
pub use log::{DeliveryView, ReplayRequest, Replayed};
pub use outgoing::Outgoing;

/// Endpoints of one organization.
const MOST: usize = 50;
const MOST_DESCRIPTION: usize = 500;
const HOUR: chrono::TimeDelta = chrono::TimeDelta::hours(1);
/// The longest time for which two secrets sign.
const MOST_OVERLAP_HOURS: u32 = 168;

/// An endpoint to make.
#[derive(Debug, Clone)]
pub struct WebhookOrder {
    pub url: String,
    pub description: String,
    /// None for every event.
    pub events: Option<Vec<String>>,
    pub format: WebhookFormat,
}

/// Changes to an endpoint; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookEdit {
    pub url: Option<String>,
    pub description: Option<String>,
    pub events: Option<Vec<String>>,
    /// Active once more clears its failures.
    pub status: Option<WebhookStatus>,
}

/// An endpoint with its new secret, which is shown this once.
#[derive(Debug, Clone)]
pub struct IssuedWebhook {
    pub webhook: rows::Webhook,
    /// None in the repetition of an answer: it is stored nowhere in the clear.
    pub secret: Option<Secret>,
}

/// The name of the secret that signs.
fn current(id: Uuid) -> String {
    id.to_string()
}

/// The name of the secret before it.
fn previous(id: Uuid) -> String {
    format!("{id}/previous")
}

fn bad_secret(error: &BadSecret) -> ServiceError {
    ServiceError::field("secret", error.to_string())
}

fn issued(answer: Answer<rows::Webhook>, secret: Secret) -> Answer<IssuedWebhook> {
    let Answer { value: webhook, replayed } = answer;
    Answer { value: IssuedWebhook { webhook, secret: (!replayed).then_some(secret) }, replayed }
}

impl Services {
    /// Newest first, with the number of all.
    pub async fn webhooks(
        &self,
        org: OrgId,
        filter: &WebhookFilter,
    ) -> Result<(Vec<rows::Webhook>, u64), ServiceError> {
        Ok(self.store.tenant(org).webhooks(filter).await?)
    }

    pub async fn webhook(&self, org: OrgId, id: Uuid) -> Result<rows::Webhook, ServiceError> {
        self.store.tenant(org).webhook(id).await?.ok_or(ServiceError::NotFound(Missing::Webhook))
    }

    pub async fn create_webhook(
        &self,
        org: OrgId,
        order: WebhookOrder,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<IssuedWebhook>, ServiceError> {
        let WebhookOrder { url, description, events, format } = order;
        let edit = WebhookEdit { url: Some(url), description: Some(description), events, status: None };
        let WebhookEdit { url, description, events, .. } = self.checked(edit)?;
        let id = Uuid::now_v7();
        let secret = Secret::generate().map_err(|error| bad_secret(&error))?;
        let sealed = self.seal(org, SecretPurpose::Webhook, &current(id), secret.text())?;
        let new = NewWebhook {
            id,
            url: url.unwrap_or_default(),
            description: description.unwrap_or_default(),
            events: events.unwrap_or_else(|| Filters::default().names().to_vec()),
            format,
        };
        let tx = self.store.begin(org).await?;
        let answer = once(tx, key, |tx| async move {
            tx.hold_slug("webhooks").await?;
            if tx.all_webhooks().await?.len() >= MOST {
                let text = format!("there are {MOST} webhooks, which is the most; remove one first");
                return Err(ServiceError::Conflict(text));
            }
            let webhook = tx.insert_webhook(new).await?;
            tx.put_secret(sealed).await?;
            tx.follow_events(FAN_OUT, FANOUT, FAN_OUT_ATTEMPTS).await?;
            Ok((tx, webhook))
        });
        Ok(issued(answer.await?, secret))
    }

    pub async fn edit_webhook(&self, org: OrgId, id: Uuid, edit: WebhookEdit) -> Result<rows::Webhook, ServiceError> {
        let edit = self.checked(edit)?;
        let tx = self.store.begin(org).await?;
        let mut webhook = locked(&tx, id).await?;
        webhook.url = edit.url.unwrap_or(webhook.url);
        webhook.description = edit.description.unwrap_or(webhook.description);
        webhook.events = edit.events.unwrap_or(webhook.events);
        match edit.status {
            Some(WebhookStatus::Active) => {
                webhook.status = TextEnum(WebhookStatus::Active);
                (webhook.disabled_reason, webhook.failing_since, webhook.last_failure_at) = (None, None, None);
            }
            Some(WebhookStatus::Disabled) if webhook.status.0 == WebhookStatus::Active => {
                disable(&tx, &mut webhook, DisabledReason::Manual).await?;
            }
            Some(WebhookStatus::Disabled) | None => {}
        }
        let webhook = tx.save_webhook(webhook).await?;
        tx.commit().await?;
        Ok(webhook)
    }

    /// With what waits for it, and with the log of what was sent.
    pub async fn delete_webhook(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        tx.hold_slug("webhooks").await?;
        locked(&tx, id).await?;
        tx.delete_webhook(id).await?;
        for name in [current(id), previous(id)] {
            tx.delete_secret(SecretPurpose::Webhook.as_str(), &name).await?;
        }
        if tx.all_webhooks().await?.is_empty() {
            tx.unfollow_events(FAN_OUT).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Gives an endpoint another secret: a new one, or the one that the client brings. The one before goes on signing for
    /// so many hours.
    pub async fn rotate_webhook_secret(
        &self,
        org: OrgId,
        id: Uuid,
        own: Option<&str>,
        overlap_hours: u32,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<IssuedWebhook>, ServiceError> {
        self.webhook(org, id).await?;
        let hours = overlap_hours.min(MOST_OVERLAP_HOURS);
        let secret = own.map_or_else(Secret::generate, Secret::own).map_err(|error| bad_secret(&error))?;
        let sealed = self.seal(org, SecretPurpose::Webhook, &current(id), secret.text())?;
        let tx = self.store.begin(org).await?;
        let answer = once(tx, key, |tx| async move {
            let mut webhook = locked(&tx, id).await?;
            let purpose = SecretPurpose::Webhook;
            let before = tx.secret(purpose.as_str(), &current(id)).await?;
            let before = before.map(|found| self.unseal(&found)).transpose();
            match before.map_err(|error| ServiceError::Conflict(error.to_string()))? {
                Some(before) if hours > 0 => {
                    tx.put_secret(self.seal(org, purpose, &previous(id), &before)?).await?;
                    webhook.previous_secret_expires_at =
                        Some(tx.now().await? + HOUR * i32::try_from(hours).unwrap_or(0));
                }
                _ => {
                    tx.delete_secret(purpose.as_str(), &previous(id)).await?;
                    webhook.previous_secret_expires_at = None;
                }
            }
            tx.put_secret(sealed).await?;
            let webhook = tx.save_webhook(webhook).await?;
            Ok((tx, webhook))
        });
        Ok(issued(answer.await?, secret))
    }

    /// The edit in the form in which it is stored, with everything that is wrong with it.
    fn checked(&self, mut edit: WebhookEdit) -> Result<WebhookEdit, ServiceError> {
        let mut wrong = Violations::default();
        if let Some(url) = &mut edit.url {
            match check_url(url, &self.settings.links) {
                Ok(taken) => *url = taken.into(),
                Err(error) => wrong.check(true, "url", error.to_string()),
            }
        }
        if let Some(description) = &edit.description {
            wrong.length("description", description, 0, MOST_DESCRIPTION);
        }
        let mut errors = wrong.finish().err().unwrap_or_default();
        if let Some(events) = &mut edit.events {
            match Filters::new(events) {
                Ok(filters) => *events = filters.names().to_vec(),
                Err(unknown) => errors.extend(unknown),
            }
        }
        if errors.is_empty() { Ok(edit) } else { Err(ServiceError::Validation(errors)) }
    }
}

/// Nobody else changes it, or what waits for it, until the transaction ends.
async fn locked(tx: &TenantTx, id: Uuid) -> Result<rows::Webhook, ServiceError> {
    tx.lock_webhooks(&[id]).await?.pop().ok_or(ServiceError::NotFound(Missing::Webhook))
}

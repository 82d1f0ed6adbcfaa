//! The next message to an endpoint, with what it is signed with.

use galley_domain::OrgId;
use galley_store::{StoreError, TenantTx, rows};
use galley_webhooks::{Format, Secret};
use uuid::Uuid;

use super::{current, log::format_of, previous};
use crate::{
    SecretPurpose, Services,
    pipelines::webhooks::{DELIVER, RETRY, TAKEN_SECONDS},
    system::SystemCalls,
};

/// A message that is to be sent now.
#[derive(Debug)]
pub struct Outgoing {
    pub url: String,
    pub format: Format,
    pub delivery: rows::Delivery,
    /// Newest first, or why there is none, as a sentence.
    pub secrets: Result<Vec<Secret>, String>,
}

impl Services {
    /// Where messages to an endpoint go; none when it was removed.
    pub async fn webhook_url(&self, org: OrgId, webhook: Uuid) -> Result<Option<String>, StoreError> {
        Ok(self.store.tenant(org).webhook(webhook).await?.map(|webhook| webhook.url))
    }

    /// Takes the next message to an endpoint that is due, for this step alone. One that was cut off gets the same again.
    pub async fn take_delivery(&self, org: OrgId, webhook: Uuid, step: Uuid) -> Result<Option<Outgoing>, StoreError> {
        let tx = self.store.begin(org).await?;
        let Some(webhook) = tx.lock_webhooks(&[webhook]).await?.pop() else { return Ok(None) };
        let Some(delivery) = tx.take_delivery(webhook.id, step, TAKEN_SECONDS).await? else { return Ok(None) };
        let secrets = self.secrets_of(&tx, &webhook).await?;
        tx.commit().await?;
        Ok(Some(Outgoing { format: format_of(&webhook), url: webhook.url, delivery, secrets }))
    }

    async fn secrets_of(
        &self,
        tx: &TenantTx,
        webhook: &rows::Webhook,
    ) -> Result<Result<Vec<Secret>, String>, StoreError> {
        let mut names = vec![current(webhook.id)];
        let now = tx.now().await?;
        if webhook.previous_secret_expires_at.is_some_and(|until| until > now) {
            names.push(previous(webhook.id));
        }
        let mut secrets = Vec::new();
        for name in names {
            let Some(found) = tx.secret(SecretPurpose::Webhook.as_str(), &name).await? else { continue };
            let opened = self.unseal(&found).map_err(|error| error.to_string());
            match opened.and_then(|text| Secret::parse(text.expose()).map_err(|error| error.to_string())) {
                Ok(secret) => secrets.push(secret),
                Err(error) => {
                    return Ok(Err(format!("Nothing was sent: the endpoint's secret cannot be read: {error}")));
                }
            }
        }
        Ok(Ok(secrets))
    }
}

impl SystemCalls<'_> {
    /// Begins again what waits and has no job: one that failed for a reason of ours leaves it so. Answers with how many
    /// endpoints that were.
    pub async fn resume_deliveries(&self) -> Result<usize, StoreError> {
        let stalled = self.across.stalled_webhooks(&[DELIVER, RETRY]).await?;
        for (org, webhook) in &stalled {
            let tx = self.services.store.begin(*org).await?;
            if let Some(webhook) = tx.lock_webhooks(&[*webhook]).await?.pop() {
                self.services.begin_sending(&tx, &webhook, 1, &Uuid::new_v4().simple().to_string()).await?;
            }
            tx.commit().await?;
        }
        Ok(stalled.len())
    }
}

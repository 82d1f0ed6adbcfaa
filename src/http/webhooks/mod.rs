//! Webhooks: endpoints that are told what happens, and the log of what was sent to them.

pub mod deliveries;
mod view;

use galley_domain::webhook::{WebhookFormat, WebhookStatus};
use galley_services::{WebhookEdit, WebhookOrder};
use galley_store::WebhookFilter;
use poem_openapi::{OpenApi, param::Path};

use crate::http::{
    Area,
    kit::{
        auth::{Auth, Content, SecretsRead, SecretsWrite},
        body::Body,
        envelope::List,
        fields::{Patch, fields},
        header::IdempotencyKey,
        page::{ByNumber, Page},
        problem::Problem,
        query::Query,
        reply::{Created, NoContent, Outcome, Reply},
        scalar::{Id, Word},
        values::{Address, Integer, List as ListOf, Text},
    },
};
use view::{IssuedWebhook, Webhook};

pub struct Webhooks;

#[OpenApi(prefix_path = "/api/v1", tag = "Area::Webhooks")]
impl Webhooks {
    /// Create a webhook
    ///
    /// The answer shows the secret that messages are signed with, this once: keep it. At most 50 for an organization.
    #[oai(path = "/webhooks", method = "post", operation_id = "create_webhook")]
    async fn create(
        &self,
        auth: Auth<SecretsWrite, Content>,
        /// The same key with the same request gives the first answer again, with null for `secret`.
        key: IdempotencyKey,
        body: Body<CreateWebhook>,
    ) -> Outcome<IssuedWebhook, Created> {
        let key = key.with(&body.canonical)?;
        let answer = auth.services().create_webhook(auth.org(), body.value.into(), key.as_ref()).await?;
        let location = format!("/api/v1/webhooks/{}", answer.value.webhook.id);
        Ok(Reply::of(answer, IssuedWebhook::from).at(&location))
    }

    /// List webhooks
    ///
    /// Newest first.
    #[oai(path = "/webhooks", method = "get", operation_id = "list_webhooks")]
    async fn list(&self, auth: Auth<SecretsRead>, Query(query): Query<WebhookQuery>) -> Outcome<List<Webhook>> {
        let WebhookQuery { status, page } = query;
        let filter = WebhookFilter { status: status.map(|status| status.0), limit: page.limit, offset: page.offset };
        let (rows, total) = auth.services().webhooks(auth.org(), &filter).await?;
        Ok(Reply::new(List::page(rows, total, &page)?))
    }

    /// Get a webhook
    ///
    /// With how it does: whether it is active, since when it fails, when it last took a message. Without its secret.
    #[oai(path = "/webhooks/:webhook_id", method = "get", operation_id = "get_webhook")]
    async fn get(&self, auth: Auth<SecretsRead>, webhook_id: Path<Id>) -> Outcome<Webhook> {
        Ok(Reply::new(auth.services().webhook(auth.org(), webhook_id.0.0).await?.into()))
    }

    /// Change a webhook
    ///
    /// `disabled` keeps what happens meanwhile as cancelled deliveries, which a replay sends; `active` again clears the
    /// failures.
    #[oai(path = "/webhooks/:webhook_id", method = "patch", operation_id = "update_webhook")]
    async fn update(
        &self,
        auth: Auth<SecretsWrite, Content>,
        webhook_id: Path<Id>,
        body: Body<UpdateWebhook>,
    ) -> Outcome<Webhook> {
        let changed = auth.services().edit_webhook(auth.org(), webhook_id.0.0, body.value.into()).await?;
        Ok(Reply::new(changed.into()))
    }

    /// Delete a webhook
    ///
    /// What waits is dropped, and the log of deliveries goes with it.
    #[oai(path = "/webhooks/:webhook_id", method = "delete", operation_id = "delete_webhook")]
    async fn delete(&self, auth: Auth<SecretsWrite, Content>, webhook_id: Path<Id>) -> Result<NoContent, Problem> {
        auth.services().delete_webhook(auth.org(), webhook_id.0.0).await?;
        Ok(NoContent)
    }

    /// Rotate the secret of a webhook
    ///
    /// The answer shows the new secret, this once. Until the overlap ends, each message has two signatures, the new one
    /// first.
    #[oai(path = "/webhooks/:webhook_id/rotate-secret", method = "post", operation_id = "rotate_webhook_secret")]
    async fn rotate(
        &self,
        auth: Auth<SecretsWrite, Content>,
        webhook_id: Path<Id>,
        /// The same key with the same request gives the first answer again, with null for `secret`.
        key: IdempotencyKey,
        body: Body<RotateSecret>,
    ) -> Outcome<IssuedWebhook> {
        let key = key.with(&body.canonical)?;
        let hours = u32::try_from(body.value.overlap_hours.0).unwrap_or(0);
        let own = body.value.secret.as_ref().map(|secret| secret.0.as_str());
        let id = webhook_id.0.0;
        let answer = auth.services().rotate_webhook_secret(auth.org(), id, own, hours, key.as_ref()).await?;
        Ok(Reply::of(answer, IssuedWebhook::from))
    }
}

fields! {
    /// Which webhooks to list.
    pub struct WebhookQuery {
        status: Option<Word<WebhookStatus>>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// An endpoint that is to be told what happens.
    pub struct CreateWebhook {
        /// Where messages are posted to: https, without a login. The operator can allow http and private addresses by name.
        url: Address,
        description: Text<0, 500> = Text(String::new()),
        /// Full names such as `task.completed`, groups such as `task.*`, or `*` for every event, which is the default.
        events: Option<ListOf<Text<0, 100>, 100>>,
    }
}

fields! {
    /// Changes to a webhook; what is left out stays.
    pub struct UpdateWebhook: needs_a_field {
        url: Patch<Address>,
        description: Patch<Text<0, 500>>,
        events: Patch<ListOf<Text<0, 100>, 100>>,
        status: Patch<Word<WebhookStatus>>,
    }
}

fields! {
    /// How to change the secret.
    pub struct RotateSecret: may_be_empty {
        /// For so many hours the secret before signs, too.
        overlap_hours: Integer<0, 168> = Integer(24),
        /// Your own one: `whsec_` and the Base64 of 24 to 64 bytes. Left out, a new one is made.
        secret: Option<Text<1, 200>>,
    }
}

fn names(events: ListOf<Text<0, 100>, 100>) -> Vec<String> {
    events.0.into_iter().map(|name| name.0).collect()
}

impl From<CreateWebhook> for WebhookOrder {
    fn from(body: CreateWebhook) -> Self {
        let (url, description, events) = (body.url.0, body.description.0, body.events.map(names));
        Self { url, description, events, format: WebhookFormat::Standard }
    }
}

impl From<UpdateWebhook> for WebhookEdit {
    fn from(body: UpdateWebhook) -> Self {
        Self {
            url: body.url.0.map(|url| url.0),
            description: body.description.0.map(|description| description.0),
            events: body.events.0.map(names),
            status: body.status.0.map(|status| status.0),
        }
    }
}

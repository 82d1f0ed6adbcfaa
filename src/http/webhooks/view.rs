//! Webhooks and deliveries as clients see them.

use chrono::Utc;
use galley_domain::webhook::{DeliveryStatus, DisabledReason, WebhookFormat, WebhookStatus};
use galley_services::{self as services, DeliveryView};
use galley_store::rows;
use poem_openapi::Object;
use serde_json::Value;
use uuid::Uuid;

use crate::http::kit::{
    problem::Problem,
    scalar::{Moment, Nullable, Word},
    values::FreeObject,
};

/// An endpoint that is told what happens.
#[derive(Debug, Clone, Object)]
pub struct Webhook {
    id: Uuid,
    url: String,
    description: String,
    events: Vec<String>,
    status: Word<WebhookStatus>,
    /// Null while it is active. `failing`: only failures for 5 days; `gone`: it answered 410; `manual`: by a change.
    disabled_reason: Nullable<Word<DisabledReason>>,
    /// Since when there were only failures.
    failing_since: Nullable<Moment>,
    last_delivery_at: Nullable<Moment>,
    last_success_at: Nullable<Moment>,
    /// Whether the secret before signs, too.
    has_previous_secret: bool,
    previous_secret_expires_at: Nullable<Moment>,
    format: Word<WebhookFormat>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<rows::Webhook> for Webhook {
    fn from(row: rows::Webhook) -> Self {
        let expires = row.previous_secret_expires_at.filter(|until| *until > Utc::now());
        Self {
            id: row.id,
            url: row.url,
            description: row.description,
            events: row.events,
            status: Word(row.status.0),
            disabled_reason: row.disabled_reason.map(|reason| Word(reason.0)).into(),
            failing_since: row.failing_since.map(Moment).into(),
            last_delivery_at: row.last_delivery_at.map(Moment).into(),
            last_success_at: row.last_success_at.map(Moment).into(),
            has_previous_secret: expires.is_some(),
            previous_secret_expires_at: expires.map(Moment).into(),
            format: Word(row.format.0),
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        }
    }
}

/// A webhook with its new secret.
#[derive(Debug, Object)]
pub struct IssuedWebhook {
    #[oai(flatten)]
    webhook: Webhook,
    /// Messages are signed with it. Shown this once: null in the repetition of an answer.
    secret: Nullable<String>,
}

impl From<services::IssuedWebhook> for IssuedWebhook {
    fn from(issued: services::IssuedWebhook) -> Self {
        let secret = issued.secret.map(|secret| secret.text().expose().to_owned());
        Self { webhook: issued.webhook.into(), secret: secret.into() }
    }
}

/// A message to one endpoint.
#[derive(Debug, Clone, Object)]
pub struct DeliverySummary {
    id: Uuid,
    /// The header `webhook-id`: the same in every attempt and when it is sent again.
    message_id: String,
    webhook_id: Uuid,
    event_type: String,
    status: Word<DeliveryStatus>,
    attempts_count: i32,
    /// Null once nothing more is tried.
    next_attempt_at: Nullable<Moment>,
    created_at: Moment,
    delivered_at: Nullable<Moment>,
    /// The delivery whose message this one sends again.
    resend_of: Nullable<Uuid>,
}

impl From<rows::DeliveryHead> for DeliverySummary {
    fn from(row: rows::DeliveryHead) -> Self {
        Self {
            id: row.id,
            message_id: row.message_id,
            webhook_id: row.webhook_id,
            event_type: row.event_type,
            status: Word(row.status.0),
            attempts_count: row.attempts_count,
            next_attempt_at: row.next_attempt_at.map(Moment).into(),
            created_at: Moment(row.created_at),
            delivered_at: row.delivered_at.map(Moment).into(),
            resend_of: row.resend_of.into(),
        }
    }
}

/// One attempt.
#[derive(Debug, Object)]
pub struct Attempt {
    /// Counts from 1.
    number: i32,
    at: Moment,
    duration_ms: i32,
    /// Null when there was no answer.
    status_code: Nullable<i32>,
    /// Null when it was delivered.
    error: Nullable<String>,
    /// The first 2 KiB of the answer.
    response_body: Nullable<String>,
}

impl From<rows::WebhookAttempt> for Attempt {
    fn from(row: rows::WebhookAttempt) -> Self {
        Self {
            number: row.number,
            at: Moment(row.at),
            duration_ms: row.duration_ms,
            status_code: row.status_code.into(),
            error: row.error.into(),
            response_body: row.response_body.into(),
        }
    }
}

/// A message to one endpoint, with what was sent and what came of it.
#[derive(Debug, Object)]
pub struct Delivery {
    #[oai(flatten)]
    summary: DeliverySummary,
    /// The body as it is signed and sent.
    payload: FreeObject,
    attempts: Vec<Attempt>,
}

impl TryFrom<DeliveryView> for Delivery {
    type Error = Problem;

    fn try_from(view: DeliveryView) -> Result<Self, Problem> {
        let payload: Value = serde_json::from_str(&view.row.payload).map_err(|error| Problem::internal(&error))?;
        let attempts = view.attempts.into_iter().map(Attempt::from).collect();
        Ok(Self { summary: rows::DeliveryHead::from(view.row).into(), payload: payload.into(), attempts })
    }
}

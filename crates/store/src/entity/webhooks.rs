//! Table `webhooks`.

use galley_domain::webhook::{DisabledReason, WebhookFormat, WebhookStatus};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub url: String,
    pub description: String,
    /// Full names, groups such as `task.*`, or `*`.
    pub events: Vec<String>,
    pub status: TextEnum<WebhookStatus>,
    pub disabled_reason: Option<TextEnum<DisabledReason>>,
    /// Since when there were only failures.
    pub failing_since: Option<DateTimeUtc>,
    pub last_failure_at: Option<DateTimeUtc>,
    pub last_delivery_at: Option<DateTimeUtc>,
    pub last_success_at: Option<DateTimeUtc>,
    pub previous_secret_expires_at: Option<DateTimeUtc>,
    pub format: TextEnum<WebhookFormat>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

crate::crud::tenant_entity!(OrgId, Id);

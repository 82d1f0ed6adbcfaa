//! Table `webhook_deliveries`: one message to one endpoint.

use galley_domain::webhook::DeliveryStatus;
use sea_orm::{DerivePartialModel, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::words::TextEnum;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub org_id: Uuid,
    pub webhook_id: Uuid,
    pub subject_id: Option<Uuid>,
    pub message_id: String,
    pub event_type: String,
    pub status: TextEnum<DeliveryStatus>,
    pub attempts_count: i32,
    /// Of what is pending, and only of that.
    pub next_attempt_at: Option<DateTimeUtc>,
    /// When it happened; of what is sent again, when that was asked for.
    pub created_at: DateTimeUtc,
    pub delivered_at: Option<DateTimeUtc>,
    pub resend_of: Option<Uuid>,
    /// Exactly as it is signed and sent.
    pub payload: String,
    pub sequence: i64,
    /// What is replayed stands behind what is new.
    pub place: i32,
    pub position: i64,
    /// The step that sends it now.
    pub taken_by: Option<Uuid>,
    pub taken_until: Option<DateTimeUtc>,
}

/// A delivery without its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Head {
    pub id: Uuid,
    pub webhook_id: Uuid,
    pub message_id: String,
    pub event_type: String,
    pub status: TextEnum<DeliveryStatus>,
    pub attempts_count: i32,
    pub next_attempt_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub delivered_at: Option<DateTimeUtc>,
    pub resend_of: Option<Uuid>,
}

impl From<Model> for Head {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            webhook_id: row.webhook_id,
            message_id: row.message_id,
            event_type: row.event_type,
            status: row.status,
            attempts_count: row.attempts_count,
            next_attempt_at: row.next_attempt_at,
            created_at: row.created_at,
            delivered_at: row.delivered_at,
            resend_of: row.resend_of,
        }
    }
}

crate::crud::tenant_entity!(OrgId, Id);

//! Endpoints of webhooks. Who changes what is sent to one holds its row first.

mod deliveries;

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    task::StepKind,
    webhook::{WebhookFormat, WebhookStatus},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};
use uuid::Uuid;

use crate::{
    entity::webhooks::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql::{self, column},
    words::TextEnum,
};

pub use deliveries::{DeliveryFilter, NewAttempt, NewDelivery, ReplayRange};

/// An endpoint to store; it starts active.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub id: Uuid,
    pub url: String,
    pub description: String,
    pub events: Vec<String>,
    pub format: WebhookFormat,
}

#[derive(Debug, Clone, Default)]
pub struct WebhookFilter {
    pub status: Option<WebhookStatus>,
    pub limit: u64,
    pub offset: u64,
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// Newest first, with the number of all that match.
    pub async fn webhooks(&self, filter: &WebhookFilter) -> Result<(Vec<Model>, u64), StoreError> {
        let status = filter.status.map(|status| Column::Status.eq(TextEnum(status)));
        let own = self.find::<Entity>().filter(Condition::all().add_option(status));
        let total = own.clone().count(&self.conn).await?;
        let newest = own.order_by_desc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok((newest.limit(filter.limit).offset(filter.offset).all(&self.conn).await?, total))
    }

    /// There are few.
    pub async fn all_webhooks(&self) -> Result<Vec<Model>, StoreError> {
        Ok(self.find::<Entity>().order_by_asc(Column::Id).all(&self.conn).await?)
    }

    /// When a step of the organization was added: the moment of the event that it was given.
    pub async fn step_added_at(&self, step: Uuid) -> Result<Option<DateTime<Utc>>, StoreError> {
        let values = [self.org_value(), step.into()];
        let row = sql::one(&self.conn, "SELECT created_at FROM steps WHERE org_id = $1 AND id = $2", values).await?;
        Ok(row.map(|row| row.try_get("", "created_at")).transpose()?)
    }
}

/// A job that is at work, or waits for its moment, stands for all that waits for its endpoint.
const STALLED: &str = "
SELECT w.org_id, w.id AS webhook_id FROM webhooks w
WHERE EXISTS (
        SELECT FROM webhook_deliveries d
        WHERE d.org_id = w.org_id AND d.webhook_id = w.id AND d.status = 'pending'
            AND d.next_attempt_at < now() - interval '30 seconds' AND (d.taken_until IS NULL OR d.taken_until < now()))
    AND NOT EXISTS (
        SELECT FROM steps s WHERE s.subject_id = w.id AND s.finished_at IS NULL AND s.task_id IS NULL
            AND s.kind = ANY($1::text[]))
LIMIT 500";

impl System {
    /// Endpoints with messages that are due and have no job.
    pub async fn stalled_webhooks(&self, kinds: &[StepKind]) -> Result<Vec<(OrgId, Uuid)>, StoreError> {
        let rows = sql::all(&self.db, STALLED, [column(kinds, |kind| kind.as_str().to_owned())]).await?;
        rows.iter().map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "webhook_id")?))).collect()
    }
}

impl TenantTx {
    /// Nobody else changes these, or sends to them, until the transaction ends. Whoever only names one waits for nobody.
    pub async fn lock_webhooks(&self, ids: &[Uuid]) -> Result<Vec<Model>, StoreError> {
        let own = self.find::<Entity>().filter(Column::Id.is_in(ids.iter().copied())).order_by_asc(Column::Id);
        Ok(own.lock(LockType::NoKeyUpdate).all(&self.conn).await?)
    }

    pub async fn insert_webhook(&self, new: NewWebhook) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(new.id),
            url: Set(new.url),
            description: Set(new.description),
            events: Set(new.events),
            format: Set(TextEnum(new.format)),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Writes back what the caller changed on a locked endpoint.
    pub async fn save_webhook(&self, webhook: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(webhook).await
    }

    /// With its deliveries. True when there was one.
    pub async fn delete_webhook(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }
}

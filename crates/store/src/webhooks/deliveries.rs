//! The messages to endpoints: the log of what was sent, and at the same time what waits to be sent.
//!
//! A job per message would let one dead endpoint fill the queue. Messages wait here instead, and an endpoint has few jobs
//! that take them one after the other.

use chrono::{DateTime, Utc};
use galley_domain::{
    task::StepKind,
    webhook::{DeliveryStatus, WebhookStatus},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QueryOrder, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    entity::{
        webhook_attempts,
        webhook_deliveries::{Column, Entity, Head, Model},
    },
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql::{self, column},
    words::TextEnum,
};

/// A message to one endpoint.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub id: Uuid,
    pub webhook: Uuid,
    pub subject: Option<Uuid>,
    pub message_id: String,
    pub event_type: String,
    pub at: DateTime<Utc>,
    pub payload: String,
    pub sequence: i64,
    pub resend_of: Option<Uuid>,
    /// Also to a disabled endpoint.
    pub always: bool,
}

#[derive(Debug, Clone)]
pub struct NewAttempt {
    pub delivery: Uuid,
    pub number: i32,
    pub at: DateTime<Utc>,
    pub duration_ms: i32,
    pub status_code: Option<i32>,
    pub error: Option<String>,
    pub response_body: Option<String>,
}

#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    pub status: Option<DeliveryStatus>,
    /// Full names; none for every event.
    pub event_types: Option<Vec<String>>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub limit: u64,
    pub offset: u64,
}

/// Messages that are to be sent again.
#[derive(Debug, Clone)]
pub struct ReplayRange {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub statuses: Vec<DeliveryStatus>,
    /// Full names; `None` for every event.
    pub event_types: Option<Vec<String>>,
}

/// New messages and those that are tried again; what is replayed stands behind them.
const PLACES: [i32; 2] = [0, 1];

const INSERT: &str = "
INSERT INTO webhook_deliveries (id, org_id, webhook_id, subject_id, message_id, event_type, status, next_attempt_at,
    created_at, resend_of, payload, sequence)
SELECT n.id, $1, w.id, nullif(n.subject, $12), n.message, n.type, CASE WHEN s.waits THEN 'pending' ELSE 'cancelled' END,
    CASE WHEN s.waits THEN now() END, n.at, nullif(n.resend_of, $12), n.payload, n.sequence
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[], $9::bigint[],
    $10::uuid[], $11::boolean[]) AS n(id, webhook, subject, message, type, at, payload, sequence, resend_of, always)
    JOIN webhooks w ON w.org_id = $1 AND w.id = n.webhook
    CROSS JOIN LATERAL (SELECT w.status = $13 OR n.always AS waits) AS s
RETURNING webhook_id, status";

/// Replayed messages go out one after the other.
const TAKE: &str = "
UPDATE webhook_deliveries SET taken_by = $3, taken_until = now() + make_interval(secs => $4)
WHERE org_id = $1 AND id = (
    SELECT d.id FROM webhook_deliveries d
    WHERE d.org_id = $1 AND d.webhook_id = $2 AND d.status = 'pending' AND d.place = $5 AND d.next_attempt_at <= now()
        AND (d.taken_until IS NULL OR d.taken_until < now())
        AND ($5 = 0 OR NOT EXISTS (
            SELECT FROM webhook_deliveries t
            WHERE t.org_id = $1 AND t.webhook_id = $2 AND t.status = 'pending' AND t.place = $5 AND t.taken_until >= now()))
    ORDER BY d.next_attempt_at, d.position, d.id LIMIT 1)
RETURNING id";

const NEXT: &str = "
SELECT next_attempt_at FROM webhook_deliveries
WHERE org_id = $1 AND webhook_id = $2 AND status = 'pending' AND place = $3
    AND (taken_until IS NULL OR taken_until < now())
ORDER BY next_attempt_at LIMIT 1";

/// The first deliveries of messages that are in one of the statuses, of which none waits, and of which none has come
/// through since unless that is wanted too.
const REPLAYABLE: &str = "
SELECT d.id FROM webhook_deliveries d
WHERE d.org_id = $1 AND d.webhook_id = $2 AND d.created_at >= $3 AND d.created_at <= $4 AND d.resend_of IS NULL
    AND d.status = ANY($5::text[]) AND d.event_type <> 'webhook.test'
    AND ($6::text[] IS NULL OR d.event_type = ANY($6::text[]))
    AND d.message_id NOT IN (
        SELECT o.message_id FROM webhook_deliveries o
        WHERE o.org_id = $1 AND o.webhook_id = $2 AND o.resend_of IS NOT NULL
            AND (o.status = 'pending' OR (o.status = 'delivered' AND NOT 'delivered' = ANY($5::text[]))))";

const REPLAY: &str = "
INSERT INTO webhook_deliveries (id, org_id, webhook_id, subject_id, message_id, event_type, status, next_attempt_at,
    created_at, resend_of, payload, sequence, place, position)
SELECT gen_random_uuid(), $1, $2, d.subject_id, d.message_id, d.event_type, 'pending', now(), now(), d.id, d.payload,
    d.sequence, 1, row_number() OVER (ORDER BY d.created_at, d.sequence, d.id)
FROM webhook_deliveries d WHERE d.org_id = $1 AND d.id = ANY($3::uuid[])";

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn delivery(&self, webhook: Uuid, id: Uuid) -> Result<Option<Model>, StoreError> {
        Ok(self.get::<Entity>(id).await?.filter(|row| row.webhook_id == webhook))
    }

    /// Newest first, with the number of all that match.
    pub async fn deliveries(&self, webhook: Uuid, filter: &DeliveryFilter) -> Result<(Vec<Head>, u64), StoreError> {
        let condition = Condition::all()
            .add(Column::WebhookId.eq(webhook))
            .add_option(filter.status.map(|status| Column::Status.eq(TextEnum(status))))
            .add_option(filter.event_types.as_ref().map(|names| Column::EventType.is_in(names)))
            .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(filter.to.map(|to| Column::CreatedAt.lte(to)));
        let sort = [(Column::CreatedAt, Order::Desc), (Column::Id, Order::Desc)];
        self.page::<Entity, Head>(condition, &sort, filter.limit, filter.offset).await
    }

    pub async fn delivery_attempts(&self, delivery: Uuid) -> Result<Vec<webhook_attempts::Model>, StoreError> {
        let own = self.find::<webhook_attempts::Entity>();
        let own = own.filter(webhook_attempts::Column::DeliveryId.eq(delivery));
        Ok(own.order_by_asc(webhook_attempts::Column::Number).all(&self.conn).await?)
    }

    /// Whether a message to an endpoint waits.
    pub async fn message_waits(&self, webhook: Uuid, message_id: &str) -> Result<bool, StoreError> {
        let own = self.find::<Entity>().filter(Column::WebhookId.eq(webhook));
        let waiting = Column::Status.eq(TextEnum(DeliveryStatus::Pending));
        Ok(own.filter(Column::MessageId.eq(message_id)).filter(waiting).one(&self.conn).await?.is_some())
    }

    /// When the next message to an endpoint is due that nobody has taken.
    pub async fn next_delivery_at(&self, webhook: Uuid) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut first: Option<DateTime<Utc>> = None;
        for place in PLACES {
            let row = sql::one(&self.conn, NEXT, [self.org_value(), webhook.into(), place.into()]).await?;
            let next = row.map(|row| row.try_get("", "next_attempt_at")).transpose()?;
            first = [first, next].into_iter().flatten().min();
        }
        Ok(first)
    }

    /// Jobs about an endpoint beside these: how many are or can be at work, and when the next of the others begins.
    pub async fn open_jobs(
        &self,
        kinds: &[StepKind],
        subject: Uuid,
        beside: &[Uuid],
    ) -> Result<(i64, Option<DateTime<Utc>>), StoreError> {
        let row = sql::one(
            &self.conn,
            "SELECT count(*) FILTER (WHERE state <> 'delayed') AS active, min(run_at) FILTER (WHERE state = 'delayed') AS next
             FROM steps WHERE org_id = $1 AND subject_id = $2 AND kind = ANY($3::text[]) AND finished_at IS NULL
                AND task_id IS NULL AND NOT id = ANY($4::uuid[])",
            [
                self.org_value(),
                subject.into(),
                column(kinds, |kind| kind.as_str().to_owned()),
                beside.to_vec().into(),
            ],
        )
        .await?;
        let Some(row) = row else { return Ok((0, None)) };
        Ok((row.try_get("", "active")?, row.try_get("", "next")?))
    }
}

impl TenantTx {
    /// Adds messages to endpoints that are locked: waiting ones, or cancelled ones where the endpoint is disabled. Answers
    /// with the endpoint of each that waits.
    pub async fn insert_deliveries(&self, rows: &[NewDelivery]) -> Result<Vec<Uuid>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let id = |id: Option<Uuid>| id.unwrap_or(Uuid::nil());
        let values = [
            self.org_value(),
            column(rows, |row| row.id),
            column(rows, |row| row.webhook),
            column(rows, |row| id(row.subject)),
            column(rows, |row| row.message_id.clone()),
            column(rows, |row| row.event_type.clone()),
            column(rows, |row| row.at),
            column(rows, |row| row.payload.clone()),
            column(rows, |row| row.sequence),
            column(rows, |row| id(row.resend_of)),
            column(rows, |row| row.always),
            Uuid::nil().into(),
            WebhookStatus::Active.as_str().into(),
        ];
        let mut waiting = Vec::new();
        for row in sql::all(&self.conn, INSERT, values).await? {
            if row.try_get::<String>("", "status")? == DeliveryStatus::Pending.as_str() {
                waiting.push(row.try_get("", "webhook_id")?);
            }
        }
        Ok(waiting)
    }

    /// Gives a step the next message to a locked endpoint that is due, or again the one that it had when it was cut off.
    pub async fn take_delivery(&self, webhook: Uuid, step: Uuid, seconds: u32) -> Result<Option<Model>, StoreError> {
        let own = self.find::<Entity>().filter(Column::WebhookId.eq(webhook)).filter(Column::TakenBy.eq(step));
        let waiting = Column::Status.eq(TextEnum(DeliveryStatus::Pending));
        if let Some(row) = own.filter(waiting).one(&self.conn).await? {
            return Ok(Some(row));
        }
        for place in PLACES {
            let values = [self.org_value(), webhook.into(), step.into(), f64::from(seconds).into(), place.into()];
            if let Some(row) = sql::one(&self.conn, TAKE, values).await? {
                return self.get::<Entity>(row.try_get("", "id")?).await;
            }
        }
        Ok(None)
    }

    /// Writes back what the caller changed on a message to a locked endpoint, without its payload.
    pub async fn save_delivery(&self, delivery: &Model) -> Result<(), StoreError> {
        let row = crate::entity::webhook_deliveries::ActiveModel {
            status: Set(delivery.status),
            attempts_count: Set(delivery.attempts_count),
            next_attempt_at: Set(delivery.next_attempt_at),
            delivered_at: Set(delivery.delivered_at),
            taken_by: Set(delivery.taken_by),
            taken_until: Set(delivery.taken_until),
            ..Default::default()
        };
        self.update::<Entity>(delivery.id, row).await.map(drop)
    }

    /// False when this attempt is in the log already, or the message is gone.
    pub async fn add_attempt(&self, new: NewAttempt) -> Result<bool, StoreError> {
        let added = sql::execute(
            &self.conn,
            "INSERT INTO webhook_attempts (org_id, delivery_id, number, at, duration_ms, status_code, error, response_body)
             SELECT $1, d.id, $3, $4, $5, $6, $7, $8 FROM webhook_deliveries d WHERE d.org_id = $1 AND d.id = $2
             ON CONFLICT DO NOTHING",
            [
                self.org_value(),
                new.delivery.into(),
                new.number.into(),
                new.at.into(),
                new.duration_ms.into(),
                new.status_code.into(),
                new.error.into(),
                new.response_body.into(),
            ],
        )
        .await?;
        Ok(added == 1)
    }

    /// Cancels what waits for a locked endpoint.
    pub async fn cancel_deliveries(&self, webhook: Uuid) -> Result<u64, StoreError> {
        let cancelled = self
            .updating::<Entity>()
            .col_expr(Column::Status, Expr::value(DeliveryStatus::Cancelled.as_str()))
            .col_expr(Column::NextAttemptAt, Expr::value(None::<DateTime<Utc>>))
            .filter(Column::WebhookId.eq(webhook))
            .filter(Column::Status.eq(TextEnum(DeliveryStatus::Pending)));
        Ok(cancelled.exec(&self.conn).await?.rows_affected)
    }

    /// What of the range can be sent again.
    pub async fn replayable(&self, webhook: Uuid, range: &ReplayRange) -> Result<Vec<Uuid>, StoreError> {
        let statuses: Vec<String> = range.statuses.iter().map(|status| status.as_str().to_owned()).collect();
        let values = [
            self.org_value(),
            webhook.into(),
            range.from.into(),
            range.to.into(),
            statuses.into(),
            range.event_types.clone().into(),
        ];
        let rows = sql::all(&self.conn, REPLAYABLE, values).await?;
        rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
    }

    /// Sends these again, in the order of what happened and behind what is new.
    pub async fn replay_deliveries(&self, webhook: Uuid, ids: Vec<Uuid>) -> Result<u64, StoreError> {
        sql::execute(&self.conn, REPLAY, [self.org_value(), webhook.into(), ids.into()]).await
    }

    /// Whether nothing was told of the progress of a task within so many seconds before this moment, or after it. Others who
    /// ask for the same task wait until the transaction ends.
    pub async fn may_tell_progress(&self, task: Uuid, at: DateTime<Utc>, seconds: u32) -> Result<bool, StoreError> {
        self.hold_slug(&format!("progress/{task}")).await?;
        let row = sql::one(
            &self.conn,
            "SELECT 1 FROM webhook_deliveries WHERE org_id = $1 AND subject_id = $2
             AND event_type IN ('task.progressed', 'content.progress') AND resend_of IS NULL
             AND created_at > $3 - make_interval(secs => $4) LIMIT 1",
            [self.org_value(), task.into(), at.into(), f64::from(seconds).into()],
        )
        .await?;
        Ok(row.is_none())
    }
}

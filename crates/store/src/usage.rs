//! What calls to paid services used.

use galley_domain::usage::{CallOutcome, Usage};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::usage_records,
    error::StoreError,
    model_answers,
    queue::ClaimedStep,
    scope::{Scoped, TenantTx},
    sql::{self, column},
};

const RECORD: &str = "
INSERT INTO usage_records (id, org_id, task_id, step_id, attempt, lease, ordinal, provider, model, operation,
    prompt_tokens, completion_tokens, estimated, cost_usd, duration_ms, outcome)
SELECT w.id, w.org, nullif(w.task, '00000000-0000-0000-0000-000000000000'), w.step, w.attempt, w.lease, w.ordinal, w.provider,
    w.model, w.operation, w.prompt_tokens, w.completion_tokens, w.estimated, w.cost_usd, w.duration_ms, w.outcome
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::uuid[], $7::integer[], $8::text[],
    $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::boolean[], $14::numeric[], $15::bigint[], $16::text[])
    AS w(id, org, task, step, attempt, lease, ordinal, provider, model, operation, prompt_tokens, completion_tokens,
        estimated, cost_usd, duration_ms, outcome)
ON CONFLICT (lease, ordinal) DO NOTHING";

/// Appends what attempts have used, and the answers that are to be kept; a second call for an attempt adds nothing that the first wrote. Not fenced: what was
/// paid for was paid for. Of a step without an organization there is nobody whose it would be.
pub(crate) async fn record(
    conn: &impl ConnectionTrait,
    attempts: &[(ClaimedStep, Vec<Usage>)],
) -> Result<(), StoreError> {
    let calls = attempts.iter().filter_map(|(step, calls)| step.org.map(|org| (org, step, calls)));
    let rows: Vec<_> = calls
        .flat_map(|(org, step, calls)| {
            let task = step.task.unwrap_or(Uuid::nil());
            (0i32..).zip(calls).map(move |(ordinal, call)| (org, task, step, ordinal, call))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let values = [
        column(&rows, |_| Uuid::now_v7()),
        column(&rows, |row| row.0.0),
        column(&rows, |row| row.1),
        column(&rows, |row| row.2.fence.step),
        column(&rows, |row| i32::try_from(row.2.attempt).unwrap_or(i32::MAX)),
        column(&rows, |row| row.2.fence.lease),
        column(&rows, |row| row.3),
        column(&rows, |row| row.4.provider.clone()),
        column(&rows, |row| row.4.model.clone()),
        column(&rows, |row| row.4.operation.clone()),
        column(&rows, |row| count(row.4.prompt_tokens)),
        column(&rows, |row| count(row.4.completion_tokens)),
        column(&rows, |row| row.4.estimated),
        column(&rows, |row| row.4.cost_usd),
        column(&rows, |row| count(row.4.duration_ms)),
        column(&rows, |row| outcome(row.4.outcome).to_owned()),
    ];
    sql::execute(conn, RECORD, values).await?;
    model_answers::keep(conn, attempts).await
}

fn outcome(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Ok => "ok",
        CallOutcome::Failed => "failed",
        CallOutcome::Cancelled => "cancelled",
    }
}

impl TenantTx {
    /// Appends usage of one attempt, as [`record`] does.
    pub async fn record_usage(&self, step: &ClaimedStep, calls: &[Usage]) -> Result<(), StoreError> {
        record(&self.conn, &[(step.clone(), calls.to_vec())]).await
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    /// In the order in which they were recorded.
    pub async fn usage(&self, task: Uuid) -> Result<Vec<usage_records::Model>, StoreError> {
        Ok(self
            .find::<usage_records::Entity>()
            .filter(usage_records::Column::TaskId.eq(task))
            .order_by_asc(usage_records::Column::CreatedAt)
            .order_by_asc(usage_records::Column::Id)
            .all(&self.conn)
            .await?)
    }
}

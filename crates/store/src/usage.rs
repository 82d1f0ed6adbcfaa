//! What calls to paid services used.

use galley_domain::usage::{CallOutcome, Usage};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    entity::usage_records,
    error::StoreError,
    queue::ClaimedStep,
    scope::{Scoped, TenantTx},
    sql,
};

impl TenantTx {
    /// Appends usage of one attempt, all of it in one call; a second call for the attempt adds nothing that the first
    /// wrote. Not fenced: what was paid for was paid for.
    pub async fn record_usage(&self, task: Uuid, step: &ClaimedStep, calls: &[Usage]) -> Result<(), StoreError> {
        for (ordinal, call) in (0i32..).zip(calls) {
            let outcome = match call.outcome {
                CallOutcome::Ok => "ok",
                CallOutcome::Failed => "failed",
                CallOutcome::Cancelled => "cancelled",
            };
            sql::execute(
                &self.conn,
                "INSERT INTO usage_records (id, org_id, task_id, step_id, attempt, provider, model, operation,
                    prompt_tokens, completion_tokens, estimated, cost_usd, duration_ms, outcome, ordinal, lease)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
                 ON CONFLICT (lease, ordinal) DO NOTHING",
                [
                    Uuid::now_v7().into(),
                    self.org_value(),
                    task.into(),
                    step.fence.step.into(),
                    i32::try_from(step.attempt).unwrap_or(i32::MAX).into(),
                    call.provider.clone().into(),
                    call.model.clone().into(),
                    call.operation.clone().into(),
                    i64::try_from(call.prompt_tokens).unwrap_or(i64::MAX).into(),
                    i64::try_from(call.completion_tokens).unwrap_or(i64::MAX).into(),
                    call.estimated.into(),
                    call.cost_usd.into(),
                    i64::try_from(call.duration_ms).unwrap_or(i64::MAX).into(),
                    outcome.into(),
                    ordinal.into(),
                    step.fence.lease.into(),
                ],
            )
            .await?;
        }
        Ok(())
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

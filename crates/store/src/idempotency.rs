//! Answers remembered under the client's `Idempotency-Key`.

use sea_orm::{ActiveValue::Set, ColumnTrait, QueryFilter};
use serde_json::Value as Json;

use crate::{
    entity::idempotency_keys::{ActiveModel, Column, Entity},
    error::StoreError,
    scope::TenantTx,
    sql,
};

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Replay {
    /// First seen: do the work, then [`TenantTx::remember`] the answer in the same transaction.
    New,
    /// Done before: give the same answer.
    Same { status: u16, response: Json },
    /// Used before for another request.
    Different,
}

impl TenantTx {
    /// Claims a key for this transaction. A second request with the same key waits here until the first has ended.
    pub async fn replay(&self, key: &str, operation: &str, body_hash: &[u8]) -> Result<Replay, StoreError> {
        let inserted = sql::execute(
            &self.conn,
            "INSERT INTO idempotency_keys (org_id, key, operation, body_hash, status, response)
             VALUES ($1, $2, $3, $4, 0, 'null') ON CONFLICT (org_id, key) DO NOTHING",
            [self.org_value(), key.into(), operation.into(), body_hash.to_vec().into()],
        )
        .await?;
        if inserted == 1 {
            return Ok(Replay::New);
        }
        let known = self.find::<Entity>().filter(Column::Key.eq(key)).one(&self.conn).await?;
        let row = known.ok_or_else(|| {
            StoreError::Unreadable("the idempotency key was swept just now; send the request again".into())
        })?;
        if row.operation != operation || row.body_hash != body_hash {
            return Ok(Replay::Different);
        }
        Ok(Replay::Same { status: u16::try_from(row.status).unwrap_or(200), response: row.response })
    }

    pub async fn remember(&self, key: &str, status: u16, response: Json) -> Result<(), StoreError> {
        let status = Set(i16::try_from(status).unwrap_or(200));
        let answer = ActiveModel { status, response: Set(response), ..Default::default() };
        self.updating::<Entity>().set(answer).filter(Column::Key.eq(key)).exec(&self.conn).await?;
        Ok(())
    }
}

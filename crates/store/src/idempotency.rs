//! Answers remembered under the client's `Idempotency-Key`.

use serde_json::Value as Json;

use crate::{error::StoreError, scope::TenantTx, sql};

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
        let row = sql::one(
            &self.conn,
            "SELECT operation, body_hash, status, response FROM idempotency_keys WHERE org_id = $1 AND key = $2",
            [self.org_value(), key.into()],
        )
        .await?
        .ok_or_else(|| {
            StoreError::Unreadable("the idempotency key was swept just now; send the request again".into())
        })?;
        let same = row.try_get::<String>("", "operation")? == operation
            && row.try_get::<Vec<u8>>("", "body_hash")? == body_hash;
        if !same {
            return Ok(Replay::Different);
        }
        let status = u16::try_from(row.try_get::<i16>("", "status")?).unwrap_or(200);
        Ok(Replay::Same { status, response: row.try_get("", "response")? })
    }

    pub async fn remember(&self, key: &str, status: u16, response: Json) -> Result<(), StoreError> {
        sql::execute(
            &self.conn,
            "UPDATE idempotency_keys SET status = $3, response = $4 WHERE org_id = $1 AND key = $2",
            [self.org_value(), key.into(), i16::try_from(status).unwrap_or(200).into(), response.into()],
        )
        .await?;
        Ok(())
    }
}

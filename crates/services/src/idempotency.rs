//! The same request twice is one effect: the answer is stored in the transaction that did the work.

use std::future::Future;

use galley_store::{Replay, StoreError, TenantTx};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::error::ServiceError;

/// A client's `Idempotency-Key` with what it belongs to.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// SHA-256 of what the client sent, in hexadecimal: what clients put there by mistake, an API key for one, is not kept.
    pub key: String,
    /// Method and path.
    pub operation: String,
    pub body_hash: Vec<u8>,
}

impl IdempotencyKey {
    /// `key` has 1 to 255 visible ASCII characters; `body` is the request in a canonical form.
    pub fn new(key: &str, operation: impl Into<String>, body: &[u8]) -> Result<Self, ServiceError> {
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ServiceError::field("Idempotency-Key", "must have 1 to 255 visible ASCII characters"));
        }
        let key = Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { key, operation: operation.into(), body_hash: Sha256::digest(body).to_vec() })
    }
}

/// An answer, and whether it is one that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    pub value: T,
    pub replayed: bool,
}

/// Runs `work` inside `tx` unless the key has an answer already, and commits.
pub(crate) async fn once<T, W, F>(
    tx: TenantTx,
    key: Option<&IdempotencyKey>,
    work: W,
) -> Result<Answer<T>, ServiceError>
where
    T: Serialize + DeserializeOwned,
    W: FnOnce(TenantTx) -> F,
    F: Future<Output = Result<(TenantTx, T), ServiceError>>,
{
    if let Some(value) = known_answer(&tx, key).await? {
        return Ok(Answer { value, replayed: true });
    }
    let (tx, value) = work(tx).await?;
    keep_answer(&tx, key, &value).await?;
    tx.commit().await?;
    Ok(Answer { value, replayed: false })
}

/// The answer that the key has already. Else the key is this transaction's until it ends.
pub(crate) async fn known_answer<T: DeserializeOwned>(
    tx: &TenantTx,
    key: Option<&IdempotencyKey>,
) -> Result<Option<T>, ServiceError> {
    let Some(key) = key else { return Ok(None) };
    match tx.replay(&key.key, &key.operation, &key.body_hash).await? {
        Replay::New => Ok(None),
        Replay::Same { response, .. } => Ok(Some(serde_json::from_value(response).map_err(StoreError::from)?)),
        Replay::Different => Err(ServiceError::Conflict(
            "this Idempotency-Key was used for a different request; use a new key for a new request".into(),
        )),
    }
}

/// Stores the answer of a key that had none.
pub(crate) async fn keep_answer<T: Serialize>(
    tx: &TenantTx,
    key: Option<&IdempotencyKey>,
    value: &T,
) -> Result<(), ServiceError> {
    if let Some(key) = key {
        let response = serde_json::to_value(value).map_err(StoreError::from)?;
        tx.remember(&key.key, 200, response).await?;
    }
    Ok(())
}

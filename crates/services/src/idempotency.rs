//! The same request twice is one effect: the answer is stored in the transaction that did the work.

use std::future::Future;

use galley_store::{Replay, TenantTx};
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
    let Some(key) = key else {
        let (tx, value) = work(tx).await?;
        tx.commit().await?;
        return Ok(Answer { value, replayed: false });
    };
    match tx.replay(&key.key, &key.operation, &key.body_hash).await? {
        Replay::New => {
            let (tx, value) = work(tx).await?;
            let response = serde_json::to_value(&value).map_err(galley_store::StoreError::from)?;
            tx.remember(&key.key, 200, response).await?;
            tx.commit().await?;
            Ok(Answer { value, replayed: false })
        }
        Replay::Same { response, .. } => {
            let value = serde_json::from_value(response).map_err(galley_store::StoreError::from)?;
            Ok(Answer { value, replayed: true })
        }
        Replay::Different => Err(ServiceError::Conflict(
            "this Idempotency-Key was used for a different request; use a new key for a new request".into(),
        )),
    }
}

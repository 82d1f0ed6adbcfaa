//! Vectors of texts, by a hash over text and model.

use std::collections::HashMap;

use galley_domain::embedding::Vector;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};

use crate::{
    entity::embeddings::{Column, Entity},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql::{self, column},
};

/// All vectors come in one array, each of `$4` numbers: Postgres knows no array of arrays of several lengths.
const KEEP: &str = "
INSERT INTO embeddings (org_id, hash, vector)
SELECT $1, w.hash, ($3::real[])[((w.n - 1) * $4 + 1)::int : (w.n * $4)::int]
FROM unnest($2::bytea[]) WITH ORDINALITY AS w(hash, n)
ON CONFLICT (org_id, hash) DO NOTHING";

#[derive(Debug, Clone, PartialEq)]
pub struct NewEmbedding {
    /// 32 bytes.
    pub hash: Vec<u8>,
    pub vector: Vector,
}

impl<C: ConnectionTrait> Scoped<C> {
    /// The vectors of those of the hashes that are known.
    pub async fn embeddings(&self, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Vector>, StoreError> {
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        let known = Column::Hash.is_in(hashes.iter().cloned());
        let rows = self.find::<Entity>().filter(known).all(&self.conn).await?;
        Ok(rows.into_iter().filter_map(|row| Some((row.hash, Vector::new(row.vector)?))).collect())
    }
}

impl TenantTx {
    /// Keeps what is not known yet. All vectors are of one model, and so of one length.
    pub async fn keep_embeddings(&self, embeddings: &[NewEmbedding]) -> Result<(), StoreError> {
        let Some(first) = embeddings.first() else { return Ok(()) };
        let dimensions = first.vector.as_slice().len();
        let same: Vec<&NewEmbedding> =
            embeddings.iter().filter(|one| one.vector.as_slice().len() == dimensions).collect();
        let numbers: Vec<f32> = same.iter().flat_map(|one| one.vector.as_slice().iter().copied()).collect();
        let values = [
            self.org_value(),
            column(&same, |one| one.hash.clone()),
            numbers.into(),
            i64::try_from(dimensions).unwrap_or(i64::MAX).into(),
        ];
        sql::execute(&self.conn, KEEP, values).await?;
        Ok(())
    }
}

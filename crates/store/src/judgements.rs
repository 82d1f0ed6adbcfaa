//! What judges have said of sentences and passages, by a hash over both.

use std::collections::HashMap;

use galley_domain::judge::Judgement;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};

use crate::{
    entity::judgements::{Column, Entity},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql::{self, column},
};

const KEEP: &str = "
INSERT INTO judgements (org_id, hash, judgement)
SELECT $1, w.hash, w.judgement FROM unnest($2::bytea[], $3::text[]) AS w(hash, judgement)
ON CONFLICT (org_id, hash) DO NOTHING";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJudgement {
    /// 32 bytes.
    pub hash: Vec<u8>,
    pub judgement: Judgement,
}

impl<C: ConnectionTrait> Scoped<C> {
    /// Those of the hashes that are known.
    pub async fn judgements(&self, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Judgement>, StoreError> {
        if hashes.is_empty() {
            return Ok(HashMap::new());
        }
        let known = Column::Hash.is_in(hashes.iter().cloned());
        let rows = self.find::<Entity>().filter(known).all(&self.conn).await?;
        Ok(rows.into_iter().map(|row| (row.hash, *row.judgement)).collect())
    }
}

impl TenantTx {
    /// Keeps what is not known yet.
    pub async fn keep_judgements(&self, judgements: &[NewJudgement]) -> Result<(), StoreError> {
        if judgements.is_empty() {
            return Ok(());
        }
        let values = [
            self.org_value(),
            column(judgements, |one| one.hash.clone()),
            column(judgements, |one| one.judgement.as_str().to_owned()),
        ];
        sql::execute(&self.conn, KEEP, values).await?;
        Ok(())
    }
}

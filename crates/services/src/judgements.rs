//! What the judge of claims said before.

use std::collections::HashMap;

use galley_domain::{OrgId, judge::Judgement};
use galley_store::{NewJudgement, StoreError};

use crate::Services;

impl Services {
    /// Those of the hashes that are known in this organization.
    pub async fn judgements(&self, org: OrgId, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Judgement>, StoreError> {
        self.store.tenant(org).judgements(hashes).await
    }

    /// Kept at once: what was paid for stays when the step fails later.
    pub async fn keep_judgements(&self, org: OrgId, judgements: &[NewJudgement]) -> Result<(), StoreError> {
        if judgements.is_empty() {
            return Ok(());
        }
        let tx = self.store.begin(org).await?;
        tx.keep_judgements(judgements).await?;
        tx.commit().await
    }
}

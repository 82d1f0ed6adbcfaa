//! The vectors that an embedding model made before.

use std::collections::HashMap;

use galley_domain::{OrgId, embedding::Vector};
use galley_store::{NewEmbedding, StoreError};

use crate::Services;

impl Services {
    /// The vectors of those of the hashes that are known in this organization.
    pub async fn embeddings(&self, org: OrgId, hashes: &[Vec<u8>]) -> Result<HashMap<Vec<u8>, Vector>, StoreError> {
        self.store.tenant(org).embeddings(hashes).await
    }

    /// Kept at once: what was paid for stays when the step fails later.
    pub async fn keep_embeddings(&self, org: OrgId, embeddings: &[NewEmbedding]) -> Result<(), StoreError> {
        if embeddings.is_empty() {
            return Ok(());
        }
        let tx = self.store.begin(org).await?;
        tx.keep_embeddings(embeddings).await?;
        tx.commit().await
    }
}

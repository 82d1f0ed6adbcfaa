//! Whose key a text is written with.

use std::sync::Arc;

use galley_compose::ExtractiveWriter;
use galley_domain::{
    Fault, FaultCode, OrgId,
    writing::{Brief, Snapshot, Writer},
};
use galley_services::{SecretError, SecretPurpose};

use super::Toolbox;
use galley_engine::StepError;

impl Toolbox {
    /// The order as the writer can follow it: without a model nothing is translated, so a text from sources that are all in
    /// another language is written in theirs.
    pub(super) fn order_for_writer(&self, brief: Brief, sources: &[Snapshot]) -> Brief {
        if self.writer.name() == ExtractiveWriter.name() {
            galley_compose::in_language_of_sources(&brief, sources).unwrap_or(brief)
        } else {
            brief
        }
    }

    /// The writer of an organization: with its own key, where it has one. A key that cannot be opened fails the step; to
    /// take the operator's instead would be a bill that nobody ordered.
    pub(super) async fn writer_of(&self, org: OrgId) -> Result<Arc<dyn Writer>, StepError> {
        let Some(keyed) = self.writer.keyed() else { return Ok(Arc::clone(&self.writer)) };
        match self.services.secret(org, SecretPurpose::ModelKey).await {
            Ok(None) => Ok(Arc::clone(&self.writer)),
            Ok(Some(key)) => Ok(keyed.with_key(key)?),
            Err(SecretError::Store(error)) => Err(error.into()),
            Err(error @ (SecretError::NoKey | SecretError::Vault(_))) => {
                let message = "Your organization's own model key cannot be opened, and no other key is used in its place. \
                               Let the operator set it again (galley secrets set model-key) or bring back the envelope \
                               key that sealed it (galley secrets status).";
                Err(Fault::permanent(FaultCode::WorkflowError, message).with_detail(error).into())
            }
        }
    }
}

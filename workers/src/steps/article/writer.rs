//! Whose key a text is written with.

use std::sync::Arc;

use galley_compose::ExtractiveWriter;
use galley_domain::{
    Fault, FaultCode, Hidden, OrgId,
    writing::{Brief, Snapshot, Writer},
};
use galley_services::{SecretError, SecretPurpose};

use super::{ConfiguredJudge, Toolbox};
use galley_engine::StepError;

/// Whether the writer is the built-in one, which quotes.
pub(super) fn is_built_in(writer: &dyn Writer) -> bool {
    writer.name() == ExtractiveWriter.name()
}

/// The order as the writer can follow it: without a model nothing is translated, so a text from sources that are all in
/// another language is written in theirs.
pub(super) fn order_for(writer: &dyn Writer, brief: Brief, sources: &[Snapshot]) -> Brief {
    if is_built_in(writer) { galley_compose::in_language_of_sources(&brief, sources).unwrap_or(brief) } else { brief }
}

impl Toolbox {
    /// The writer of an organization: with its own key, where it has one. A key that cannot be opened fails the step; to
    /// take the operator's instead would be a bill that nobody ordered.
    pub(super) async fn writer_of(&self, org: OrgId) -> Result<Arc<dyn Writer>, StepError> {
        let Some(keyed) = self.writer.keyed() else { return Ok(Arc::clone(&self.writer)) };
        match self.model_key(org).await? {
            None => Ok(Arc::clone(&self.writer)),
            Some(key) => Ok(keyed.with_key(key)?),
        }
    }

    /// The judge of an organization: with its own key, where it has one that opens the judge.
    pub(super) async fn judge_of(&self, org: OrgId) -> Result<Option<ConfiguredJudge>, StepError> {
        let Some(judge) = &self.judge else { return Ok(None) };
        let key = if judge.takes_model_key { self.model_key(org).await? } else { None };
        let keyed = key.map(|key| judge.judge.with_key(key)).transpose()?.flatten();
        let judge = ConfiguredJudge { judge: keyed.unwrap_or_else(|| Arc::clone(&judge.judge)), ..judge.clone() };
        Ok(Some(judge))
    }

    async fn model_key(&self, org: OrgId) -> Result<Option<Hidden>, StepError> {
        match self.services.secret(org, SecretPurpose::ModelKey).await {
            Ok(key) => Ok(key),
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

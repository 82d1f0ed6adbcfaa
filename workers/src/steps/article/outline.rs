//! Outline: the writer plans, and every section gets the passages it may use.

use std::sync::Arc;

use async_trait::async_trait;
use galley_compose::ExtractiveWriter;
use galley_domain::{Fault, FaultCode, article, task::StepKind, writing::Writer};
use galley_services::pipelines;

use super::{Toolbox, compute, substitute};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct OutlineStep(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for OutlineStep {
    fn kind(&self) -> StepKind {
        article::OUTLINE
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let brief = self.0.services.order_of(org, task).await?.brief;
        let sources = self.0.services.snapshots_of(org, task).await?;
        let brief = self.0.order_for_writer(brief, &sources);
        let writer = self.0.writer_of(org).await?;
        let planned = writer.outline(&brief, &sources, &cx.meter).await;
        let (outline, mut warnings) = substitute::outline(planned, &brief, &sources).await?;
        if outline.sections.is_empty() {
            return Err(Fault::permanent(FaultCode::WorkflowError, "the writer planned no sections").into());
        }
        let built_in = writer.name() == ExtractiveWriter.name();
        let (outline, notes) = compute(move || {
            let outline = galley_compose::assign(&brief, &outline, &sources);
            let notes = galley_compose::notes(&brief, &outline, &sources, built_in);
            (outline, notes)
        })
        .await?;
        warnings.extend(notes);
        Ok(pipelines::article::outline(&outline).warning(warnings))
    }
}

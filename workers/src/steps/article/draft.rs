//! Draft: one step writes one section.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode, article, task::StepKind};
use galley_services::pipelines;

use super::{Toolbox, correct, substitute};
use galley_engine::{Output, Step, StepContext, StepError};

pub(crate) struct Draft(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for Draft {
    fn kind(&self) -> StepKind {
        article::DRAFT
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let brief = self.0.services.order_of(org, task).await?.brief;
        let outline = self.0.services.outline_of(org, task).await?;
        let sources = Arc::new(self.0.services.snapshots_of(org, task).await?);
        let index = usize::try_from(cx.step.position).unwrap_or(usize::MAX);
        if index >= outline.sections.len() {
            let message = format!("the outline has no section {index}");
            return Err(Fault::permanent(FaultCode::WorkflowError, message).into());
        }
        let brief = self.0.order_for_writer(brief, &sources);
        let writer = self.0.writer_of(org).await?;
        let written = writer.section(&brief, &outline, index, &sources, &cx.meter).await;
        let (section, mut warnings) = substitute::section(written, &brief, &outline, index, &sources).await?;
        let draft = correct::Draft { brief: &brief, outline: &outline, index, sources: &sources };
        let (section, more) = self.0.corrected(writer.as_ref(), draft, section, &cx.meter).await?;
        warnings.extend(more);
        Ok(pipelines::article::section(&section).warning(warnings))
    }
}

//! Draft: one step writes one section.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode, article,
    task::StepKind,
    usage::Meter,
    writing::{SectionText, Writer},
};
use galley_services::pipelines;

use super::{Toolbox, Unsupported, correct, substitute, writer::order_for};
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
        let writer = self.0.writer_of(org).await?;
        let brief = order_for(writer.as_ref(), brief, &sources);
        let section = correct::Draft { brief: &brief, outline: &outline, index, sources: &sources };
        let (section, warnings) = drafted(writer.as_ref(), section, self.0.unsupported, &cx.meter).await?;
        Ok(pipelines::article::section(&section).warning(warnings))
    }
}

/// A section as the writer wrote and corrected it, and warnings.
pub(super) async fn drafted(
    writer: &dyn Writer,
    draft: correct::Draft<'_>,
    unsupported: Unsupported,
    meter: &Meter,
) -> Result<(SectionText, Vec<String>), StepError> {
    let correct::Draft { brief, outline, index, sources } = draft;
    if index >= outline.sections.len() {
        let message = format!("the outline has no section {index}");
        return Err(Fault::permanent(FaultCode::WorkflowError, message).into());
    }
    let written = writer.section(brief, outline, index, sources, meter).await;
    let (section, mut warnings) = substitute::section(written, brief, outline, index, sources).await?;
    let (section, more) = correct::corrected(writer, &draft, section, unsupported, meter).await?;
    warnings.extend(more);
    Ok((section, warnings))
}

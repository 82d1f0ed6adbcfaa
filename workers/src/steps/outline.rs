//! Outline: the writer plans, and every section gets the passages it may use.

use std::sync::Arc;

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode, task::StepKind};
use galley_services::StepOutput;

use super::{Toolbox, compute};
use crate::engine::{Step, StepContext, StepError};

pub(crate) struct OutlineStep(pub(crate) Arc<Toolbox>);

#[async_trait]
impl Step for OutlineStep {
    fn kind(&self) -> StepKind {
        StepKind::Outline
    }

    async fn run(&self, cx: &StepContext) -> Result<StepOutput, StepError> {
        let (org, task) = cx.owner()?;
        let brief = cx.services.order_of(org, task).await?.brief;
        let sources = cx.services.snapshots_of(org, task).await?;
        let writer = self.0.writer_of(cx, org).await?;
        let outline = writer.outline(&brief, &sources, &cx.meter).await?;
        if outline.sections.is_empty() {
            return Err(Fault::permanent(FaultCode::WorkflowError, "the writer planned no sections").into());
        }
        let outline = compute(move || galley_compose::assign(&brief, &outline, &sources)).await?;
        Ok(StepOutput::Outline(outline))
    }
}

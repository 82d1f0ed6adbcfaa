//! Outline: the writer plans, and every section gets the passages it may use.

use std::sync::Arc;

use async_trait::async_trait;
use galley_compose::{ExtractiveWriter, likeness::Likeness};
use galley_domain::{
    Fault, FaultCode, article,
    task::StepKind,
    writing::{Brief, Outline, Snapshot, WriteError, Writer},
};
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
        let built_in = writer.name() == ExtractiveWriter.name();
        let (mut likeness, mut warnings) = (Likeness::default(), Vec::new());
        if built_in {
            (likeness, warnings) = self.likeness(cx, &brief, &sources, None).await?;
        }
        let planned = if built_in {
            let (brief, sources, likeness) = (brief.clone(), sources.clone(), likeness.clone());
            compute(move || galley_compose::outline_with(&brief, &sources, &likeness)).await?.map_err(WriteError::from)
        } else {
            writer.outline(&brief, &sources, &cx.meter).await
        };
        let (outline, notes) = substitute::outline(planned, &brief, &sources).await?;
        warnings.extend(notes);
        if outline.sections.is_empty() {
            return Err(Fault::permanent(FaultCode::WorkflowError, "the writer planned no sections").into());
        }
        if outline.sections.iter().any(|section| section.passages.is_empty()) {
            let notes;
            (likeness, notes) = self.likeness(cx, &brief, &sources, Some(&outline)).await?;
            warnings.extend(notes);
        }
        let (outline, notes) = compute(move || {
            let outline = galley_compose::assign_with(&brief, &outline, &sources, &likeness);
            let notes = galley_compose::notes(&brief, &outline, &sources, built_in);
            (outline, notes)
        })
        .await?;
        warnings.extend(notes);
        Ok(pipelines::article::outline(&outline).warning(warnings))
    }
}

impl OutlineStep {
    /// What an embedding model says of the passages, where one is configured; with `outline`, also for its sections.
    async fn likeness(
        &self,
        cx: &StepContext,
        brief: &Brief,
        sources: &[Snapshot],
        outline: Option<&Outline>,
    ) -> Result<(Likeness, Vec<String>), StepError> {
        if self.0.embedder.is_none() {
            return Ok((Likeness::default(), Vec::new()));
        }
        let (brief, sources, outline) = (brief.clone(), sources.to_vec(), outline.cloned());
        let wanted = compute(move || galley_compose::likeness::wanted(&brief, &sources, outline.as_ref())).await?;
        self.0.likeness(cx.owner()?.0, &wanted, &cx.meter).await
    }
}

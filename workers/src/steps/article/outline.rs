//! Outline: the writer plans, and every section gets the passages it may use.

use std::sync::Arc;

use async_trait::async_trait;
use galley_compose::likeness::Likeness;
use galley_domain::{
    Fault, FaultCode, OrgId, article,
    task::StepKind,
    usage::Meter,
    writing::{Brief, Outline, Snapshot, WriteError, Writer},
};
use galley_services::pipelines;

use super::{
    Toolbox, compute, substitute,
    writer::{is_built_in, order_for},
};
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
        let writer = self.0.writer_of(org).await?;
        let ranking = Ranking { toolbox: Some(&self.0), org };
        let (outline, warnings) = planned(writer.as_ref(), brief, sources, ranking, &cx.meter).await?;
        Ok(pipelines::article::outline(&outline).warning(warnings))
    }
}

/// What ranks passages besides their words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranking<'a> {
    /// None for a replay, which asks no embedding model.
    pub toolbox: Option<&'a Toolbox>,
    pub org: OrgId,
}

impl Ranking<'_> {
    /// What an embedding model says of the passages, where one is configured; with `outline`, also for its sections.
    async fn likeness(
        self,
        brief: &Brief,
        sources: &[Snapshot],
        outline: Option<&Outline>,
        meter: &Meter,
    ) -> Result<(Likeness, Vec<String>), StepError> {
        let Some(toolbox) = self.toolbox.filter(|toolbox| toolbox.embedder.is_some()) else {
            return Ok((Likeness::default(), Vec::new()));
        };
        let (brief, sources, outline) = (brief.clone(), sources.to_vec(), outline.cloned());
        let wanted = compute(move || galley_compose::likeness::wanted(&brief, &sources, outline.as_ref())).await?;
        toolbox.likeness(self.org, &wanted, meter).await
    }
}

/// The writer's plan with a passage for each section, and warnings.
pub(super) async fn planned(
    writer: &dyn Writer,
    brief: Brief,
    sources: Vec<Snapshot>,
    ranking: Ranking<'_>,
    meter: &Meter,
) -> Result<(Outline, Vec<String>), StepError> {
    let brief = order_for(writer, brief, &sources);
    let built_in = is_built_in(writer);
    let (mut likeness, mut warnings) = (Likeness::default(), Vec::new());
    if built_in {
        (likeness, warnings) = ranking.likeness(&brief, &sources, None, meter).await?;
    }
    let planned = if built_in {
        let (brief, sources, likeness) = (brief.clone(), sources.clone(), likeness.clone());
        compute(move || galley_compose::outline_with(&brief, &sources, &likeness)).await?.map_err(WriteError::from)
    } else {
        writer.outline(&brief, &sources, meter).await
    };
    let (outline, notes) = substitute::outline(planned, &brief, &sources).await?;
    warnings.extend(notes);
    if outline.sections.is_empty() {
        return Err(Fault::permanent(FaultCode::WorkflowError, "the writer planned no sections").into());
    }
    if outline.sections.iter().any(|section| section.passages.is_empty()) {
        let notes;
        (likeness, notes) = ranking.likeness(&brief, &sources, Some(&outline), meter).await?;
        warnings.extend(notes);
    }
    let (outline, notes) = compute(move || {
        let outline = galley_compose::assign_with(&brief, &outline, &sources, &likeness);
        let notes = galley_compose::notes(&brief, &outline, &sources, built_in);
        (outline, notes)
    })
    .await?;
    warnings.extend(notes);
    Ok((outline, warnings))
}

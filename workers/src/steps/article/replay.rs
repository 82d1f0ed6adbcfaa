//! The writing steps of a task once more, from what was kept of it. Nobody is called and nothing is written.

use std::sync::Arc;

use galley_domain::{
    OrgId,
    article::{DRAFT, OUTLINE, SEO},
    task::StepKind,
    usage::Meter,
    writing::Writer,
};
use galley_engine::StepError;
use galley_services::{ReplayCase, Services, WrittenArticle};

use super::{ConfiguredJudge, Unsupported, correct, draft, judge::Bench, outline, seo, writer::order_for};

/// The writer of a step, by its kind and position.
pub type WriterAt<'a> = Box<dyn Fn(StepKind, usize) -> Arc<dyn Writer> + Send + Sync + 'a>;

/// How a task is replayed.
pub struct ReplayRun<'a> {
    /// Only for what the judge said before.
    pub services: &'a Services,
    pub writer_at: WriterAt<'a>,
    pub judge: Option<ConfiguredJudge>,
    pub unsupported: Unsupported,
}

impl ReplayRun<'_> {
    /// The article as the steps would write it now, and what outline and drafts warn of.
    ///
    /// # Errors
    /// Those of the steps.
    pub async fn run(&self, org: OrgId, case: &ReplayCase) -> Result<(WrittenArticle, Vec<String>), StepError> {
        let (brief, sources, meter) = (&case.order.brief, Arc::new(case.sources.clone()), Meter::default());
        let (plan, mut warnings) = match &case.outline {
            Some(edited) => (edited.clone(), Vec::new()),
            None => {
                let writer = (self.writer_at)(OUTLINE, 0);
                let ranking = outline::Ranking { toolbox: None, org };
                outline::planned(writer.as_ref(), brief.clone(), case.sources.clone(), ranking, &meter).await?
            }
        };
        let mut sections = Vec::with_capacity(plan.sections.len());
        for index in 0..plan.sections.len() {
            let writer = (self.writer_at)(DRAFT, index);
            let brief = order_for(writer.as_ref(), brief.clone(), &sources);
            let section = correct::Draft { brief: &brief, outline: &plan, index, sources: &sources };
            let (text, more) = draft::drafted(writer.as_ref(), section, self.unsupported, &meter).await?;
            sections.push(text);
            warnings.extend(more);
        }
        let bench = Bench { judge: self.judge.as_ref(), services: self.services, org, keeps: false };
        let parts =
            seo::Parts { brief: brief.clone(), outline: plan, sections, sources, pictures: case.pictures.clone() };
        let writer = (self.writer_at)(SEO, 0);
        let article = seo::written(writer.as_ref(), parts, bench, self.unsupported, &meter).await?;
        Ok((article, warnings))
    }
}

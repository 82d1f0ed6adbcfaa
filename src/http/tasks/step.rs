//! What clients see of the steps of a task.

use galley_domain::{
    article::OUTLINE,
    task::{StepKind, StepState},
    writing::{Outline, SectionPlan},
};
use galley_engine::Registry;
use galley_store::rows;
use poem_openapi::Object;
use uuid::Uuid;

use super::WorkError;
use crate::http::kit::{
    problem::Problem,
    scalar::{Moment, Nullable, Word},
    statuses::unreadable,
};

/// One section of an outline.
#[derive(Debug, Object)]
pub struct OutlineSection {
    /// None for the opening, which stands directly below the title.
    heading: Nullable<String>,
    points: Vec<String>,
    words: WordBudget,
}

/// From how many to how many words.
#[derive(Debug, Object)]
pub struct WordBudget {
    min: u32,
    max: u32,
}

/// What an article is written along.
#[derive(Debug, Object)]
#[oai(rename = "Outline")]
pub struct OutlineView {
    title: String,
    sections: Vec<OutlineSection>,
}

impl From<SectionPlan> for OutlineSection {
    fn from(plan: SectionPlan) -> Self {
        let words = WordBudget { min: plan.words.min, max: plan.words.max };
        Self { heading: plan.heading.into(), points: plan.points, words }
    }
}

/// A piece of the work on a task.
#[derive(Debug, Object)]
pub struct Step {
    id: Uuid,
    /// Of an article: research, outline, drafting, seo, image or sync.
    kind: String,
    /// The run of the task that it belongs to.
    run: i32,
    /// Tells the steps of one kind apart: the section that a drafting step writes.
    position: i32,
    state: Word<StepState>,
    /// Attempts so far.
    attempt: i32,
    max_attempts: i32,
    /// What the last attempt failed with.
    error: Nullable<WorkError>,
    /// When a delayed step is tried again.
    next_attempt_at: Nullable<Moment>,
    outline: Nullable<OutlineView>,
    created_at: Moment,
    started_at: Nullable<Moment>,
    finished_at: Nullable<Moment>,
}

impl Step {
    /// A kind that this program does not know keeps its own name.
    pub fn of(row: rows::Step, registry: &Registry) -> Result<Self, Problem> {
        let kind: StepKind = row.kind.parse().map_err(unreadable)?;
        let state: StepState = row.state.parse().map_err(unreadable)?;
        // An output of another form is a later version's; the step is shown without it.
        let outline = row.output.filter(|_| kind == OUTLINE).and_then(|json| serde_json::from_value(json).ok());
        Ok(Self {
            id: row.id,
            kind: registry.public_name(kind).to_owned(),
            run: row.run,
            position: row.position,
            state: Word(state),
            attempt: row.attempt,
            max_attempts: row.max_attempts,
            error: WorkError::of(row.error_code, row.error_message),
            next_attempt_at: (state == StepState::Delayed).then_some(Moment(row.run_at)).into(),
            outline: outline
                .map(|Outline { title, sections }| OutlineView {
                    title,
                    sections: sections.into_iter().map(Into::into).collect(),
                })
                .into(),
            created_at: Moment(row.created_at),
            started_at: row.started_at.map(Moment).into(),
            finished_at: row.finished_at.map(Moment).into(),
        })
    }
}

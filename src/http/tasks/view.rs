//! A task as clients see it.

use galley_domain::{article, order::ArticleOrder, task::TaskStatus};
use galley_services::TaskView;
use galley_store::rows;
use poem_openapi::Object;
use serde::Deserialize;
use uuid::Uuid;

use super::FileReference;
use crate::http::kit::{
    problem::Problem,
    scalar::{Amount, Moment, Nullable, Word},
    statuses::unreadable,
};

/// Why a task or a step did not succeed.
#[derive(Debug, Object)]
pub struct WorkError {
    /// VALIDATION_ERROR, LLM_ERROR, WORKFLOW_ERROR, DATABASE_ERROR or RATE_LIMIT_ERROR.
    code: String,
    message: String,
}

impl WorkError {
    pub fn of(code: Option<String>, message: Option<String>) -> Nullable<Self> {
        Nullable(code.map(|code| Self { code, message: message.unwrap_or_default() }))
    }
}

/// Items of a wide task.
#[derive(Debug, Clone, Copy, Object)]
pub struct ItemCounts {
    total: u32,
    done: u32,
    failed: u32,
}

/// An order and how far it has come.
#[derive(Debug, Object)]
pub struct Task {
    task_id: Uuid,
    /// The same as `task_id`.
    id: Uuid,
    /// What was ordered: `article`, or the name of another kind of work.
    kind: String,
    status: Word<TaskStatus>,
    /// Nothing of it is started until it is resumed.
    paused: bool,
    /// Percent, 0 to 100.
    progress: i16,
    /// The step that runs; of an article research, outline, drafting, seo, image or sync.
    current_step: Nullable<String>,
    steps_completed: Vec<String>,
    /// Seconds that are left at the usual pace; 0 when the task has ended.
    estimated_time_seconds: u32,
    /// None for tasks of other kinds.
    article_id: Nullable<Uuid>,
    /// `article_id` as a list; empty for tasks of other kinds.
    article_ids: Vec<Uuid>,
    /// What the task is made of, when it is counted in items.
    items: Nullable<ItemCounts>,
    /// What did not work but did not stop the task either, such as a link that could not be read.
    warnings: Vec<String>,
    error: Nullable<WorkError>,
    /// The price: held while the task runs, charged when it completes, given back otherwise.
    credits: Amount,
    /// What its latest run was charged: the price once it has completed, else 0. Null where it depends on how many items were made.
    credits_used: Nullable<Amount>,
    /// Counts from 1; a retry starts the next run.
    run: i32,
    /// This and the next five say what an article was ordered with; empty for tasks of other kinds.
    user_prompt: String,
    keywords: Vec<String>,
    reference_links: Vec<String>,
    uploaded_files: Vec<FileReference>,
    min_words: u32,
    max_words: u32,
    created_at: Moment,
    started_at: Nullable<Moment>,
    /// When it ended, however it did.
    finished_at: Nullable<Moment>,
    /// The same, if it completed.
    completed_at: Nullable<Moment>,
    updated_at: Moment,
}

impl TryFrom<TaskView> for Task {
    type Error = Problem;

    fn try_from(view: TaskView) -> Result<Self, Problem> {
        let row = &*view.row;
        let is_article = row.kind == article::TASK;
        let order = match is_article {
            true => Some(ArticleOrder::deserialize(&row.input).map_err(unreadable)?),
            false => None,
        };
        let of = |count: i32| u32::try_from(count).unwrap_or(0);
        let items = (row.items_total > 0).then(|| ItemCounts {
            total: of(row.items_total),
            done: of(row.items_done),
            failed: of(row.items_failed),
        });
        Ok(Self {
            task_id: row.id,
            id: row.id,
            kind: row.kind.clone(),
            status: Word(view.status),
            paused: row.paused,
            progress: row.progress,
            current_step: row.current_step.clone().into(),
            steps_completed: row.steps_completed.clone(),
            estimated_time_seconds: view.estimated_time_seconds,
            article_id: row.subject_id.filter(|_| is_article).into(),
            article_ids: row.subject_id.filter(|_| is_article).into_iter().collect(),
            credits_used: used(view.status, row).into(),
            items: items.into(),
            warnings: Vec::deserialize(&row.warnings).map_err(unreadable)?,
            error: WorkError::of(row.error_code.clone(), row.error_message.clone()),
            credits: Amount(row.price),
            run: row.run,
            min_words: order.as_ref().map_or(0, |order| order.brief.words.min),
            max_words: order.as_ref().map_or(0, |order| order.brief.words.max),
            uploaded_files: files_of(order.as_ref()),
            reference_links: order.as_ref().map(|order| order.reference_links.clone()).unwrap_or_default(),
            keywords: order.as_ref().map(|order| order.brief.keywords.clone()).unwrap_or_default(),
            user_prompt: order.map(|order| order.brief.prompt).unwrap_or_default(),
            created_at: Moment(row.created_at),
            started_at: row.started_at.map(Moment).into(),
            finished_at: row.finished_at.map(Moment).into(),
            completed_at: row.finished_at.filter(|_| view.status == TaskStatus::Completed).map(Moment).into(),
            updated_at: Moment(row.updated_at),
        })
    }
}

/// The hold is charged as a whole, unless a pipeline counts items.
fn used(status: TaskStatus, row: &rows::TaskHead) -> Option<Amount> {
    let price = if status == TaskStatus::Completed { row.price } else { 0.into() };
    (row.items_total == 0).then_some(Amount(price))
}

fn files_of(order: Option<&ArticleOrder>) -> Vec<FileReference> {
    order.into_iter().flat_map(|order| &order.uploaded_files).map(|id| FileReference(*id)).collect()
}

//! What `data` of the events says, for the description. The engine writes it (`engine/src/commit/events.rs`); a test follows
//! a task and holds what comes against this.

use std::collections::BTreeMap;

use galley_domain::task::TaskStatus;
use poem_openapi::{
    Object,
    registry::{MetaSchema, Registry},
    types::Type,
};
use uuid::Uuid;

use crate::http::{
    kit::scalar::{Amount, Nullable, Word},
    tasks::WorkError,
};

/// `data` of `task.created`. Tasks of other kinds name what they are about in a member of another name.
#[derive(Debug, Object)]
struct TaskCreatedEvent {
    /// The article that will be written.
    #[oai(skip_serializing_if_is_none)]
    article_id: Option<Uuid>,
    credits_held: Amount,
}

/// `data` of `task.started`.
#[derive(Debug, Object)]
struct TaskStartedEvent {
    /// Counts from 1.
    run: i32,
}

/// `data` of `task.retried`.
#[derive(Debug, Object)]
struct TaskRetriedEvent {
    /// The run that begins.
    run: i32,
    /// The step that it begins with.
    from: String,
}

/// `data` of `task.progress`, `task.paused`, `task.resumed`, `task.completed`, `task.failed` and `task.cancelled`.
#[derive(Debug, Object)]
struct TaskStateEvent {
    status: Word<TaskStatus>,
    /// 0 to 100.
    progress: i16,
    current_step: Nullable<String>,
    steps_completed: Vec<String>,
    /// What came of it, when it has completed.
    #[oai(skip_serializing_if_is_none)]
    article_id: Option<Uuid>,
    /// Why it failed.
    #[oai(skip_serializing_if_is_none)]
    error: Option<WorkError>,
    /// Of work on many items, as the next two.
    #[oai(skip_serializing_if_is_none)]
    items_total: Option<i32>,
    #[oai(skip_serializing_if_is_none)]
    items_done: Option<i32>,
    #[oai(skip_serializing_if_is_none)]
    items_failed: Option<i32>,
}

/// `data` of `task.warning`.
#[derive(Debug, Object)]
struct TaskWarningEvent {
    /// What did not work but did not stop the task either.
    message: String,
}

/// `data` of `step.started`, `step.progress`, `step.completed`, `step.retry` and `step.failed`.
#[derive(Debug, Object)]
struct StepEvent {
    step: String,
    /// Of several of its kind, from 0.
    position: i32,
    /// Counts from 1.
    attempt: u32,
    max_attempts: u32,
    run: i32,
    /// With `step.progress`.
    #[oai(skip_serializing_if_is_none)]
    message: Option<String>,
    /// With `step.retry` and `step.failed`.
    #[oai(skip_serializing_if_is_none)]
    error: Option<WorkError>,
    /// With `step.retry`.
    #[oai(skip_serializing_if_is_none)]
    retry_in_seconds: Option<f64>,
}

/// The name of the schema of an event's `data`.
pub fn schema_of(kind: &str) -> String {
    let name = match kind {
        "task.created" => TaskCreatedEvent::name(),
        "task.started" => TaskStartedEvent::name(),
        "task.retried" => TaskRetriedEvent::name(),
        "task.warning" => TaskWarningEvent::name(),
        kind if kind.starts_with("step.") => StepEvent::name(),
        _ => TaskStateEvent::name(),
    };
    name.into_owned()
}

/// All of these, and what they refer to.
pub fn schemas() -> BTreeMap<String, MetaSchema> {
    let mut registry = Registry::new();
    TaskCreatedEvent::register(&mut registry);
    TaskStartedEvent::register(&mut registry);
    TaskRetriedEvent::register(&mut registry);
    TaskStateEvent::register(&mut registry);
    TaskWarningEvent::register(&mut registry);
    StepEvent::register(&mut registry);
    registry.schemas
}

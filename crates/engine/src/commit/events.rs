//! What events say, as they go to the database: text, without a tree of values in between.

use galley_domain::Fault;
use galley_store::{ClaimedStep, StoreError, TaskState};
use serde::{Serialize, Serializer, ser::SerializeMap};
use uuid::Uuid;

use crate::registry::Registry;

/// One of these as the text of a JSON object.
pub(super) fn text(data: &impl Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(data)?)
}

/// About a step.
#[derive(Debug, Serialize)]
pub(super) struct OfStep<'a> {
    step: &'static str,
    position: i32,
    attempt: u32,
    max_attempts: u32,
    run: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_in_seconds: Option<f64>,
}

/// About a task.
#[derive(Debug, Serialize)]
pub(super) struct OfTask<'a> {
    status: &'a str,
    progress: i16,
    current_step: Option<&'a str>,
    steps_completed: &'a [String],
    /// What the task is about, under the name that its pipeline has for it; null when it is about nothing (yet).
    #[serde(flatten)]
    subject: Subject,
    /// Of a wide task.
    #[serde(flatten)]
    items: Option<ItemCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Trouble>,
}

#[derive(Debug, Default)]
struct Subject(Option<(&'static str, Option<Uuid>)>);

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if let Some((name, id)) = self.0 {
            map.serialize_entry(name, &id)?;
        }
        map.end()
    }
}

#[derive(Debug, Serialize)]
struct ItemCounts {
    items_total: i32,
    items_done: i32,
    items_failed: i32,
}

#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub run: i32,
}

#[derive(Debug, Serialize)]
pub(super) struct Warning<'a> {
    pub message: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Trouble {
    code: &'static str,
    message: String,
}

impl Trouble {
    pub(super) fn new(fault: &Fault, message: impl Into<String>) -> Self {
        Self { code: fault.code().as_str(), message: message.into() }
    }
}

impl<'a> OfStep<'a> {
    pub(super) fn new(registry: &Registry, step: &ClaimedStep) -> Self {
        Self {
            step: registry.public_name(step.kind),
            position: step.position,
            attempt: step.attempt,
            max_attempts: step.max_attempts,
            run: step.run,
            message: None,
            error: None,
            retry_in_seconds: None,
        }
    }

    pub(super) fn message(self, message: &'a str) -> Self {
        Self { message: Some(message), ..self }
    }

    pub(super) fn error(self, error: Trouble) -> Self {
        Self { error: Some(error), ..self }
    }

    pub(super) fn retry_in(self, seconds: f64) -> Self {
        Self { retry_in_seconds: Some(seconds), ..self }
    }
}

impl<'a> OfTask<'a> {
    pub(super) fn new(task: &'a TaskState) -> Self {
        Self {
            status: &task.status,
            progress: task.progress,
            current_step: task.current_step.as_deref(),
            steps_completed: &task.steps_completed,
            subject: Subject::default(),
            items: (task.items_total > 0).then_some(ItemCounts {
                items_total: task.items_total,
                items_done: task.items_done,
                items_failed: task.items_failed,
            }),
            error: None,
        }
    }

    pub(super) fn about(self, name: Option<&'static str>, subject: Option<Uuid>) -> Self {
        Self { subject: Subject(name.map(|name| (name, subject))), ..self }
    }

    pub(super) fn error(self, error: Trouble) -> Self {
        Self { error: Some(error), ..self }
    }
}

//! What a process has seen last of an attempt and its task.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use galley_store::TaskState;

/// What this process knows of an attempt: whether its beginning stands, and how its task was left by what this process
/// wrote last. Clones share it; the second part is shared by all attempts of a task that run here.
///
/// The state of the task may be old. It is only written from when the database finds that the task has told nothing since.
#[derive(Debug, Clone, Default)]
pub struct LastSeen {
    begun: Arc<AtomicBool>,
    task: Arc<Mutex<Option<Arc<TaskState>>>>,
}

impl LastSeen {
    /// Of an attempt whose beginning stands.
    pub fn begun() -> Self {
        Self { begun: Arc::new(AtomicBool::new(true)), task: Arc::default() }
    }

    /// Of an attempt that has just been claimed.
    pub fn claimed(task: Option<Arc<TaskState>>) -> Self {
        Self { begun: Arc::default(), task: Arc::new(Mutex::new(task)) }
    }

    /// Of an attempt that began with the end of this one.
    pub(super) fn of_next(&self) -> Self {
        Self { begun: Arc::new(AtomicBool::new(true)), task: Arc::clone(&self.task) }
    }

    /// The same attempt, sharing what is known of its task with others of the task; the newer knowledge holds.
    #[must_use]
    pub fn sharing(self, others: &Self) -> Self {
        if !Arc::ptr_eq(&self.task, &others.task) {
            let own = self.lock().take();
            let mut shared = others.lock();
            let newest = |task: &Option<Arc<TaskState>>| task.as_ref().map(|task| task.event_seq);
            if newest(&own) > newest(&shared) {
                *shared = own;
            }
        }
        Self { begun: self.begun, task: Arc::clone(&others.task) }
    }

    pub fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    pub(super) fn set_begun(&self) {
        self.begun.store(true, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<TaskState>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_task(&self) -> bool {
        self.lock().is_some()
    }

    pub(super) fn task(&self) -> Option<Arc<TaskState>> {
        self.lock().clone()
    }

    /// The task was left like this.
    pub(super) fn learn(&self, task: Arc<TaskState>) {
        *self.lock() = Some(task);
    }

    /// Nobody here knows how the task is.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use galley_store::Stages;
    use rust_decimal::Decimal;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn at(event_seq: i64) -> LastSeen {
        LastSeen::claimed(Some(Arc::new(TaskState {
            id: Uuid::nil(),
            org_id: Uuid::nil(),
            kind: "toy".into(),
            status: "processing".into(),
            subject_id: None,
            parent_id: None,
            parent_step: None,
            rank: 0,
            run: 1,
            event_seq,
            progress: 0,
            current_step: None,
            steps_completed: Vec::new(),
            paused: false,
            items_total: 0,
            items_done: 0,
            items_failed: 0,
            stages: Stages::default(),
            memo: json!({}),
            price: Decimal::ZERO,
            warnings: json!([]),
            error_code: None,
            error_message: None,
            trace_id: String::new(),
        })))
    }

    fn seq(known: &LastSeen) -> Option<i64> {
        known.task().map(|task| task.event_seq)
    }

    #[test]
    fn the_newer_knowledge_of_a_task_is_what_its_attempts_share() {
        for (own, others) in [(3, 7), (7, 3)] {
            let others = at(others);
            let shared = at(own).sharing(&others);
            assert_eq!((seq(&shared), seq(&others)), (Some(7), Some(7)), "{own} joins");
        }
        let (others, nothing) = (at(3), LastSeen::default());
        let shared = nothing.sharing(&others);
        assert_eq!(seq(&shared), Some(3), "who knows nothing takes nothing away");
        shared.forget();
        assert_eq!(seq(&others), None, "what one of them no longer knows, none does");
    }
}

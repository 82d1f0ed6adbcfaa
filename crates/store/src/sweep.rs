//! Removes what retention no longer keeps, in small portions so that nobody waits for it.

use std::time::Duration;

use crate::{error::StoreError, scope::System, sql};

/// How long finished things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events of ended tasks.
    pub events: Duration,
    /// Finished steps of ended tasks (their outputs) and maintenance steps.
    pub steps: Duration,
    pub idempotency_keys: Duration,
}

/// How many rows went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub events: u64,
    pub steps: u64,
    pub idempotency_keys: u64,
}

const PORTION: i64 = 5000;

impl System {
    /// One portion of each kind. Call again while anything was swept.
    pub async fn sweep(&self, retention: &Retention) -> Result<Swept, StoreError> {
        let portion =
            |sql: &'static str, age: Duration| sql::execute(&self.db, sql, [age.as_secs_f64().into(), PORTION.into()]);
        let events = portion(
            "DELETE FROM events WHERE (task_id, seq) IN (
                SELECT e.task_id, e.seq FROM tasks t JOIN events e ON e.task_id = t.id
                WHERE t.finished_at < now() - make_interval(secs => $1) LIMIT $2)",
            retention.events,
        )
        .await?;
        let steps = portion(
            "DELETE FROM steps WHERE id IN (
                (SELECT s.id FROM tasks t JOIN steps s ON s.task_id = t.id
                 WHERE t.finished_at < now() - make_interval(secs => $1) AND s.state IN ('done', 'failed', 'cancelled')
                 LIMIT $2)
                UNION ALL
                (SELECT id FROM steps WHERE task_id IS NULL AND finished_at < now() - make_interval(secs => $1) LIMIT $2))",
            retention.steps,
        )
        .await?;
        let idempotency_keys = portion(
            "DELETE FROM idempotency_keys WHERE (org_id, key) IN (
                SELECT org_id, key FROM idempotency_keys WHERE created_at < now() - make_interval(secs => $1) LIMIT $2)",
            retention.idempotency_keys,
        )
        .await?;
        Ok(Swept { events, steps, idempotency_keys })
    }
}

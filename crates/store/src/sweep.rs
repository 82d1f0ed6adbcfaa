//! Removes what retention no longer keeps, in small portions so that nobody waits for it.

use std::time::Duration;

use crate::{error::StoreError, scope::System, sql};

/// How long finished things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events of ended tasks.
    pub events: Duration,
    /// Finished steps of ended tasks, with their outputs.
    pub steps: Duration,
    /// Finished jobs: steps without a task.
    pub jobs: Duration,
    pub idempotency_keys: Duration,
    /// Messages to endpoints with their attempts.
    pub deliveries: Duration,
    /// What became of the times of schedules; a run that asks what to do stays until it is answered.
    pub runs: Duration,
    /// What models answered, where it is kept.
    pub answers: Duration,
}

/// How many were swept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Tasks whose events went.
    pub events: u64,
    /// Tasks whose steps went.
    pub steps: u64,
    pub jobs: u64,
    pub idempotency_keys: u64,
    pub deliveries: u64,
    pub runs: u64,
    pub event_tokens: u64,
    pub judgements: u64,
    pub embeddings: u64,
    pub answers: u64,
}

/// Tasks or rows that one statement takes.
const PORTION: i64 = 500;

const SWEEP_EVENTS: &str = "
WITH old AS (
    SELECT id FROM tasks WHERE events_kept AND finished_at < now() - make_interval(secs => $1)
    ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM event_groups USING old WHERE event_groups.task_id = old.id)
UPDATE tasks SET events_kept = false FROM old WHERE tasks.id = old.id";

const SWEEP_STEPS: &str = "
WITH old AS (
    SELECT id FROM tasks WHERE steps_kept AND finished_at < now() - make_interval(secs => $1)
    ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM steps USING old WHERE steps.task_id = old.id AND state IN ('done', 'failed', 'cancelled'))
UPDATE tasks SET steps_kept = false FROM old WHERE tasks.id = old.id";

const SWEEP_JOBS: &str = "
DELETE FROM steps WHERE id IN (
    SELECT id FROM steps WHERE task_id IS NULL AND finished_at < now() - make_interval(secs => $1) LIMIT $2)";

const SWEEP_KEYS: &str = "
DELETE FROM idempotency_keys WHERE (org_id, key) IN (
    SELECT org_id, key FROM idempotency_keys WHERE created_at < now() - make_interval(secs => $1) LIMIT $2)";

const SWEEP_DELIVERIES: &str = "
DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2)";

const SWEEP_RUNS: &str = "
DELETE FROM schedule_runs WHERE id IN (
    SELECT id FROM schedule_runs WHERE status <> 'asked' AND created_at < now() - make_interval(secs => $1)
    ORDER BY created_at LIMIT $2)";

const SWEEP_EVENT_TOKENS: &str = "
DELETE FROM event_tokens WHERE hash IN (
    SELECT hash FROM event_tokens WHERE expires_at < now() - make_interval(secs => $1) ORDER BY expires_at LIMIT $2)";

/// What a model said of a text is of use while the same sources are written from again and again.
const ANSWERS_AGE: Duration = Duration::from_hours(24 * 90);

const SWEEP_JUDGEMENTS: &str = "
DELETE FROM judgements WHERE (org_id, hash) IN (
    SELECT org_id, hash FROM judgements WHERE created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2)";

const SWEEP_EMBEDDINGS: &str = "
DELETE FROM embeddings WHERE (org_id, hash) IN (
    SELECT org_id, hash FROM embeddings WHERE created_at < now() - make_interval(secs => $1) ORDER BY created_at LIMIT $2)";

const SWEEP_ANSWERS: &str = "
DELETE FROM model_answers WHERE (lease, ordinal) IN (
    SELECT lease, ordinal FROM model_answers WHERE created_at < now() - make_interval(secs => $1)
    ORDER BY created_at LIMIT $2)";

impl System {
    /// One portion of each kind. Call again while anything was swept.
    pub async fn sweep(&self, retention: &Retention) -> Result<Swept, StoreError> {
        let portion =
            |sql: &'static str, age: Duration| sql::execute(&self.db, sql, [age.as_secs_f64().into(), PORTION.into()]);
        Ok(Swept {
            events: portion(SWEEP_EVENTS, retention.events).await?,
            steps: portion(SWEEP_STEPS, retention.steps).await?,
            jobs: portion(SWEEP_JOBS, retention.jobs).await?,
            idempotency_keys: portion(SWEEP_KEYS, retention.idempotency_keys).await?,
            deliveries: portion(SWEEP_DELIVERIES, retention.deliveries).await?,
            runs: portion(SWEEP_RUNS, retention.runs).await?,
            event_tokens: portion(SWEEP_EVENT_TOKENS, Duration::ZERO).await?,
            judgements: portion(SWEEP_JUDGEMENTS, ANSWERS_AGE).await?,
            embeddings: portion(SWEEP_EMBEDDINGS, ANSWERS_AGE).await?,
            answers: portion(SWEEP_ANSWERS, retention.answers).await?,
        })
    }
}

//! Steps to add, in the one statement that all who add steps share.

use std::time::Duration;

use chrono::{DateTime, Utc};
use galley_domain::task::{PoolName, StepKind};
use sea_orm::Value;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    announce::Notification,
    error::StoreError,
    followers::lowest_ranks,
    scope::TenantTx,
    sql::{self, column},
};

/// The rank of a step that stands behind nobody's order: beside what was claimed last.
pub const BESIDE_THE_NEWEST: i64 = i64::MIN;

/// When a step may begin.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Start {
    /// As soon as a worker is free.
    #[default]
    Now,
    After(Duration),
    At(DateTime<Utc>),
}

/// A step to add.
#[derive(Debug, Clone)]
pub struct NewStep {
    pub id: Uuid,
    pub org: Option<Uuid>,
    pub task: Option<Uuid>,
    pub run: i32,
    pub kind: StepKind,
    pub pool: PoolName,
    /// Tells steps of one kind in one run apart.
    pub position: i32,
    pub rank: i64,
    pub max_attempts: u32,
    pub trace_id: String,
    /// Null for a step that needs nothing but its task.
    pub payload: Json,
    pub subject: Option<Uuid>,
    pub start: Start,
    /// Its task is paused: it waits for that to end as well.
    pub paused: bool,
    /// None leaves the step to whoever claims it.
    pub started: Option<Started>,
}

/// A step that begins with the transaction that adds it: as if it had been claimed in the same moment.
#[derive(Debug, Clone)]
pub struct Started {
    pub lease: Uuid,
    pub worker: String,
    pub seconds: f64,
}

/// Inserts the steps of [`parameters`], $1 to $17. A time that is not there is 0, a text that is not there empty.
macro_rules! insert_steps {
    () => {
        "INSERT INTO steps (id, org_id, task_id, run, kind, pool, position, state, rank, max_attempts, trace_id, attempt,
            lease, worker, lease_until, started_at, payload, subject_id, run_at)
         SELECT w.id, nullif(w.org, n.nil), nullif(w.task, n.nil), w.run, w.kind, w.pool, w.position,
            CASE WHEN l.lease IS NOT NULL THEN 'running' WHEN w.paused THEN 'paused' WHEN d.due > now() THEN 'delayed'
                ELSE 'ready' END,
            coalesce(nullif(w.rank, -9223372036854775808), (SELECT last_value FROM fair_clock)), w.max_attempts,
            w.trace_id, CASE WHEN l.lease IS NULL THEN 0 ELSE 1 END, l.lease,
            CASE WHEN l.lease IS NOT NULL THEN $16::text END,
            CASE WHEN l.lease IS NOT NULL THEN now() + make_interval(secs => $17::float8) END,
            CASE WHEN l.lease IS NOT NULL THEN now() END, nullif(w.payload, '')::jsonb, nullif(w.subject, n.nil), d.due
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::integer[],
            $8::boolean[], $9::bigint[], $10::integer[], $11::text[], $12::uuid[], $13::text[], $14::uuid[], $15::float8[])
            AS w(id, org, task, run, kind, pool, position, paused, rank, max_attempts, trace_id, lease, payload, subject,
                start)
            CROSS JOIN (SELECT '00000000-0000-0000-0000-000000000000'::uuid AS nil) AS n
            CROSS JOIN LATERAL (SELECT nullif(w.lease, n.nil) AS lease) AS l
            -- Below zero a moment, as seconds of Unix time; else a wait.
            CROSS JOIN LATERAL (SELECT CASE WHEN w.start < 0 THEN to_timestamp(-w.start)
                ELSE now() + make_interval(secs => w.start) END AS due) AS d"
    };
}
pub(crate) use insert_steps;

const INSERT: &str = concat!(
    "WITH added AS (",
    insert_steps!(),
    " RETURNING pool, rank, task_id) SELECT ",
    lowest_ranks!("SELECT pool, rank FROM added WHERE task_id IS NULL")
);

/// How many parameters [`insert_steps`] has.
pub(crate) const PARAMETERS: usize = 17;

fn start(step: &NewStep) -> f64 {
    match step.start {
        Start::Now => 0.0,
        Start::After(wait) => wait.as_secs_f64(),
        #[expect(clippy::cast_precision_loss, reason = "microseconds of Unix time are exact far beyond any calendar")]
        Start::At(moment) => -(moment.timestamp_micros().max(1) as f64) / 1e6,
    }
}

pub(crate) fn parameters(steps: &[NewStep]) -> Result<[Value; PARAMETERS], StoreError> {
    let payload = |step: &NewStep| match &step.payload {
        Json::Null => Ok(String::new()),
        payload => serde_json::to_string(payload),
    };
    let payloads = steps.iter().map(payload).collect::<Result<Vec<_>, _>>()?;
    let started = steps.iter().find_map(|step| step.started.as_ref());
    let id = |id: Option<Uuid>| id.unwrap_or(Uuid::nil());
    Ok([
        column(steps, |step| step.id),
        column(steps, |step| id(step.org)),
        column(steps, |step| id(step.task)),
        column(steps, |step| step.run),
        column(steps, |step| step.kind.as_str().to_owned()),
        column(steps, |step| step.pool.as_str().to_owned()),
        column(steps, |step| step.position),
        column(steps, |step| step.paused),
        column(steps, |step| step.rank),
        column(steps, |step| i32::try_from(step.max_attempts).unwrap_or(i32::MAX)),
        column(steps, |step| step.trace_id.clone()),
        column(steps, |step| step.started.as_ref().map_or(Uuid::nil(), |started| started.lease)),
        payloads.into(),
        column(steps, |step| id(step.subject)),
        column(steps, start),
        started.map(|started| started.worker.clone()).into(),
        started.map(|started| started.seconds).into(),
    ])
}

/// What there is to say about steps of tasks that stand; of jobs the statement that adds them says it. Whether a moment
/// has passed is for the database's clock to say, so steps with one may be ready or delayed.
pub(crate) fn notifications(steps: &[NewStep]) -> impl Iterator<Item = Notification> + '_ {
    steps.iter().filter(|step| step.started.is_none() && !step.paused).flat_map(|step| {
        let ready = step.task.map(|_| Notification::Steps { pool: step.pool, rank: step.rank });
        let clock = (step.start != Start::Now).then_some(Notification::Clock);
        ready.into_iter().chain(clock)
    })
}

impl TenantTx {
    /// Adds steps of this organization and wakes the workers at commit.
    pub async fn add_steps(&self, steps: &[NewStep]) -> Result<(), StoreError> {
        let own: Vec<NewStep> = steps.iter().map(|step| NewStep { org: Some(self.org().0), ..step.clone() }).collect();
        if own.is_empty() {
            return Ok(());
        }
        let row = sql::one(&self.conn, INSERT, parameters(&own)?).await?;
        notifications(&own).for_each(|said| self.say(said));
        self.say_jobs(row)
    }

    /// Cancels the steps about these subjects that have not ended and belong to no task. They are locked in the order in
    /// which whoever ends them does.
    pub async fn cancel_jobs(&self, kind: StepKind, subjects: &[Uuid]) -> Result<u64, StoreError> {
        sql::execute(
            &self.conn,
            "WITH own AS (
                SELECT id FROM steps
                WHERE org_id = $1 AND subject_id = ANY($3::uuid[]) AND kind = $2 AND task_id IS NULL
                    AND state IN ('ready', 'delayed', 'running') AND finished_at IS NULL
                ORDER BY id FOR UPDATE)
             UPDATE steps SET state = 'cancelled', lease = NULL, lease_until = NULL, finished_at = now()
             FROM own WHERE steps.org_id = $1 AND steps.id = own.id",
            [self.org_value(), kind.as_str().into(), subjects.to_vec().into()],
        )
        .await
    }
}

//! What nearly every group writes, in one statement: tasks move on, steps end, others follow, and events tell it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Done, Left, NewEvent, NewStep, TaskState, Told, all_met};
use crate::{
    error::StoreError,
    sql::{self, column},
};

/// Rows of one statement.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    pub done: Vec<Done>,
    pub tasks: &'a BTreeMap<Uuid, Arc<TaskState>>,
    pub steps: &'a [NewStep],
    pub events: Vec<NewEvent>,
}

/// Answers with how many tasks and steps it met. A task is met only if it has told nothing since it was read: whoever
/// changes one tells so. All else waits for the tasks: locks are taken in the one order (tasks come sorted by id), and
/// what somebody else has written in the same place is no conflict but a task that is not met.
///
/// Words that can be missing come as empty ones, and so do leases. A task that fails before any of its steps was seen to
/// begin has not started.
const ADVANCE: &str = "
WITH moved AS (
    UPDATE tasks t SET event_seq = w.event_seq, status = w.status, progress = w.progress, sources_run = w.sources_run,
        current_step = nullif(w.current_step, ''), steps_completed = string_to_array(w.steps_completed, ' '),
        fan_open = w.fan_open, fan_total = w.fan_total,
        started_at = coalesce(t.started_at, CASE WHEN w.status <> 'failed' THEN now() END),
        finished_at = CASE WHEN w.status IN ('completed', 'failed') THEN now() END, updated_at = now()
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[], $7::integer[],
        $8::text[], $9::text[], $10::integer[], $11::integer[])
        AS w(id, org, seen, event_seq, status, progress, sources_run, current_step, steps_completed, fan_open, fan_total)
    WHERE t.id = ANY($1::uuid[]) AND t.org_id = w.org AND t.id = w.id AND t.event_seq = w.seen
    RETURNING t.id),
met AS (SELECT count(*) = cardinality($1::uuid[]) AS all FROM moved),
ended AS (
    UPDATE steps s SET state = 'done', output = w.output::jsonb, lease = NULL, lease_until = NULL, finished_at = now(),
        error_code = NULL, error_message = NULL
    FROM unnest($13::uuid[], $14::uuid[], $15::text[]) AS w(step, lease, output)
    WHERE s.id = ANY($13::uuid[]) AND s.id = w.step AND s.lease = w.lease AND (SELECT met.all FROM met)
    RETURNING s.id),
added AS (
    INSERT INTO steps (id, org_id, task_id, run, kind, position, state, rank, max_attempts, trace_id, attempt, lease,
        worker, lease_until, started_at)
    SELECT w.id, w.org, w.task, w.run, w.kind, w.position, CASE WHEN l.lease IS NULL THEN 'ready' ELSE 'running' END,
        w.rank, w.max_attempts, w.trace_id, CASE WHEN l.lease IS NULL THEN 0 ELSE 1 END, l.lease,
        CASE WHEN l.lease IS NOT NULL THEN $26::text END,
        CASE WHEN l.lease IS NOT NULL THEN now() + make_interval(secs => $27::float8) END,
        CASE WHEN l.lease IS NOT NULL THEN now() END
    FROM unnest($16::uuid[], $17::uuid[], $18::uuid[], $19::integer[], $20::text[], $21::integer[], $22::bigint[],
        $23::integer[], $24::text[], $25::uuid[])
        AS w(id, org, task, run, kind, position, rank, max_attempts, trace_id, lease)
        CROSS JOIN LATERAL (SELECT nullif(w.lease, '00000000-0000-0000-0000-000000000000') AS lease) AS l
    WHERE (SELECT met.all FROM met)),
told AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT w.org, w.id, w.event_seq, w.told::jsonb
    FROM unnest($1::uuid[], $2::uuid[], $4::bigint[], $12::text[]) AS w(id, org, event_seq, told)
    WHERE w.told <> '' AND (SELECT met.all FROM met))
SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM ended) AS ended";

/// What changes about few tasks. Under the lock that the other statement has taken.
const REMARK: &str = "
UPDATE tasks t SET warnings = w.warnings::jsonb, error_code = nullif(w.error_code, ''),
    error_message = nullif(w.error_message, '')
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) AS w(id, org, warnings, error_code, error_message)
WHERE t.id = ANY($1::uuid[]) AND t.org_id = w.org AND t.id = w.id";

/// Fails with [`StoreError::Overtaken`] when a task is not as it was seen, or a lease is gone.
pub(super) async fn advance(conn: &impl ConnectionTrait, seen: &Left, moves: &Moves<'_>) -> Result<(), StoreError> {
    let Moves { done, tasks, steps, events } = moves;
    if done.is_empty() && tasks.is_empty() {
        return Ok(());
    }
    let mut told = told_of(events);
    let told: Vec<String> = tasks.keys().map(|task| told.remove(task).unwrap_or_default()).collect();
    let outputs = done.iter().map(|row| serde_json::to_string(&row.output)).collect::<Result<Vec<_>, _>>()?;
    let seen_at = |task: &Arc<TaskState>| seen.get(&task.id).map_or(-1, |seen| seen.event_seq);
    let started = steps.iter().find_map(|step| step.started.as_ref());
    let values = [
        column(tasks.values(), |task| task.id),
        column(tasks.values(), |task| task.org_id),
        column(tasks.values(), seen_at),
        column(tasks.values(), |task| task.event_seq),
        column(tasks.values(), |task| task.status.clone()),
        column(tasks.values(), |task| task.progress),
        column(tasks.values(), |task| task.sources_run),
        column(tasks.values(), |task| task.current_step.clone().unwrap_or_default()),
        column(tasks.values(), |task| task.steps_completed.join(" ")),
        column(tasks.values(), |task| task.fan_open),
        column(tasks.values(), |task| task.fan_total),
        told.into(),
        column(done, |row| row.step),
        column(done, |row| row.lease),
        outputs.into(),
        column(*steps, |step| step.id),
        column(*steps, |step| step.org),
        column(*steps, |step| step.task),
        column(*steps, |step| step.run),
        column(*steps, |step| step.kind.as_str().to_owned()),
        column(*steps, |step| step.position),
        column(*steps, |step| step.rank),
        column(*steps, |step| i32::try_from(step.max_attempts).unwrap_or(i32::MAX)),
        column(*steps, |step| step.trace_id.clone()),
        column(*steps, |step| step.started.as_ref().map_or(Uuid::nil(), |started| started.lease)),
        started.map(|started| started.worker.clone()).into(),
        started.map(|started| started.seconds).into(),
    ];
    let row = sql::one(conn, ADVANCE, values).await?.ok_or(StoreError::Overtaken)?;
    let met = |name: &str| row.try_get::<i64>("", name).map(i64::unsigned_abs);
    all_met(met("moved")?, tasks.len())?;
    all_met(met("ended")?, done.len())?;
    remark(conn, seen, tasks).await
}

/// What is told of each task, as the text of a JSON array.
fn told_of(events: &[NewEvent]) -> HashMap<Uuid, String> {
    let mut texts: HashMap<Uuid, String> = HashMap::new();
    for NewEvent { task, told: Told { kind, data }, .. } in events {
        let text = texts.entry(*task).or_default();
        text.push(if text.is_empty() { '[' } else { ',' });
        for part in ["{\"kind\":\"", kind, "\",\"data\":", data, "}"] {
            text.push_str(part);
        }
    }
    texts.values_mut().for_each(|text| text.push(']'));
    texts
}

async fn remark(
    conn: &impl ConnectionTrait,
    seen: &Left,
    tasks: &BTreeMap<Uuid, Arc<TaskState>>,
) -> Result<(), StoreError> {
    let as_before = |task: &TaskState| {
        seen.get(&task.id).is_some_and(|seen| {
            (&seen.warnings, &seen.error_code, &seen.error_message)
                == (&task.warnings, &task.error_code, &task.error_message)
        })
    };
    let remarked: Vec<&TaskState> = tasks.values().map(Arc::as_ref).filter(|task| !as_before(task)).collect();
    if remarked.is_empty() {
        return Ok(());
    }
    let values = [
        column(&remarked, |task| task.id),
        column(&remarked, |task| task.org_id),
        column(&remarked, |task| task.warnings.to_string()),
        column(&remarked, |task| task.error_code.clone().unwrap_or_default()),
        column(&remarked, |task| task.error_message.clone().unwrap_or_default()),
    ];
    all_met(sql::execute(conn, REMARK, values).await?, remarked.len())
}

//! What nearly every group writes, in one statement: tasks move on, steps end, others follow, and events tell it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{Done, EventText, NewEvent, SeenTasks, all_met};
use crate::{
    announce::Notification,
    error::StoreError,
    followers::{self, add_for_followers, lowest_ranks},
    sql::{self, column},
    steps::{NewStep, insert_steps, parameters},
    task_state::TaskState,
};

/// Rows of one statement.
#[derive(Debug)]
pub(super) struct Moves<'a> {
    pub done: Vec<Done>,
    pub tasks: &'a BTreeMap<Uuid, Arc<TaskState>>,
    pub steps: &'a [NewStep],
    pub events: Vec<NewEvent>,
}

/// Answers with how many tasks and steps it met, and with the places of the jobs it added. A task is met only if
/// it has told nothing since it was read: whoever changes one tells so. All else waits for the tasks: locks are taken in the
/// one order (tasks come sorted by id), and what somebody else has written in the same place is no conflict but a task that
/// is not met.
///
/// Words that can be missing come as empty ones. A task that fails before any of its steps was seen to begin has not started.
/// $1 to $17 are the steps to add.
const ADVANCE: &str = concat!(
    "WITH moved AS (
    UPDATE tasks t SET event_seq = w.event_seq, status = w.status, progress = w.progress, paused = w.paused,
        current_step = nullif(w.current_step, ''), steps_completed = string_to_array(w.steps_completed, ' '),
        stages = w.stages::jsonb, items_total = w.items_total, items_done = w.items_done, items_failed = w.items_failed, memo = w.memo::jsonb,
        started_at = coalesce(t.started_at, CASE WHEN w.status IN ('processing', 'completed') THEN now() END),
        finished_at = CASE WHEN w.status IN ('completed', 'failed', 'cancelled') THEN now() END, updated_at = now()
    FROM unnest($18::uuid[], $19::uuid[], $20::bigint[], $21::bigint[], $22::text[], $23::smallint[], $24::boolean[],
        $25::text[], $26::text[], $27::text[], $28::integer[], $29::integer[], $30::integer[], $35::text[])
        AS w(id, org, seen, event_seq, status, progress, paused, current_step, steps_completed, stages, items_total,
            items_done, items_failed, memo)
    WHERE t.id = ANY($18::uuid[]) AND t.org_id = w.org AND t.id = w.id AND t.event_seq = w.seen
    RETURNING t.id, t.kind, t.rank, t.trace_id),
met AS (SELECT count(*) = cardinality($18::uuid[]) AS all FROM moved),
ended AS (
    UPDATE steps s SET state = 'done', output = w.output::jsonb, lease = NULL, lease_until = NULL, finished_at = now(),
        error_code = NULL, error_message = NULL
    FROM unnest($32::uuid[], $33::uuid[], $34::text[]) AS w(step, lease, output)
    WHERE s.id = ANY($32::uuid[]) AND s.id = w.step AND s.lease = w.lease AND (SELECT met.all FROM met)
    RETURNING s.id),
added AS (",
    insert_steps!(),
    " WHERE (SELECT met.all FROM met) RETURNING pool, rank, task_id),
told AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT w.org, w.id, w.event_seq, w.told::jsonb
    FROM unnest($18::uuid[], $19::uuid[], $21::bigint[], $31::text[]) AS w(id, org, event_seq, told)
    WHERE w.told <> '' AND (SELECT met.all FROM met)),
heard AS (",
    add_for_followers!(
        "SELECT w.org AS org_id, w.id AS subject_id, m.rank, m.trace_id,
            jsonb_build_object('task', w.id, 'kind', m.kind, 'seq', w.event_seq, 'events', w.told::jsonb) AS payload
        FROM unnest($18::uuid[], $19::uuid[], $21::bigint[], $31::text[]) AS w(id, org, event_seq, told)
            JOIN moved m ON m.id = w.id
        WHERE w.told <> '' AND (SELECT met.all FROM met)"
    ),
    ")
SELECT (SELECT count(*) FROM moved) AS moved, (SELECT count(*) FROM ended) AS ended,
    ",
    lowest_ranks!("SELECT pool, rank FROM heard UNION ALL SELECT pool, rank FROM added WHERE task_id IS NULL")
);

/// What changes about few tasks. Under the lock that the other statement has taken.
const REMARK: &str = "
UPDATE tasks t SET warnings = w.warnings::jsonb, error_code = nullif(w.error_code, ''),
    error_message = nullif(w.error_message, '')
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS w(id, org, warnings, error_code, error_message)
WHERE t.id = ANY($1::uuid[]) AND t.org_id = w.org AND t.id = w.id";

/// Fails with [`StoreError::StaleVersion`] when a task is not as it was seen, or a lease is gone.
pub(super) async fn advance(
    conn: &impl ConnectionTrait,
    seen: &SeenTasks,
    moves: &Moves<'_>,
) -> Result<Vec<Notification>, StoreError> {
    let Moves { done, tasks, steps, events } = moves;
    if done.is_empty() && tasks.is_empty() && steps.is_empty() {
        return Ok(Vec::new());
    }
    let mut told = told_of(events);
    let told: Vec<String> = tasks.keys().map(|task| told.remove(task).unwrap_or_default()).collect();
    let outputs = done.iter().map(|row| serde_json::to_string(&row.output)).collect::<Result<Vec<_>, _>>()?;
    let stages = tasks.values().map(|task| serde_json::to_string(&task.stages)).collect::<Result<Vec<_>, _>>()?;
    let seen_at = |task: &Arc<TaskState>| seen.get(&task.id).map_or(-1, |seen| seen.event_seq);
    let about_tasks = [
        column(tasks.values(), |task| task.id),
        column(tasks.values(), |task| task.org_id),
        column(tasks.values(), seen_at),
        column(tasks.values(), |task| task.event_seq),
        column(tasks.values(), |task| task.status.clone()),
        column(tasks.values(), |task| task.progress),
        column(tasks.values(), |task| task.paused),
        column(tasks.values(), |task| task.current_step.clone().unwrap_or_default()),
        column(tasks.values(), |task| task.steps_completed.join(" ")),
        stages.into(),
        column(tasks.values(), |task| task.items_total),
        column(tasks.values(), |task| task.items_done),
        column(tasks.values(), |task| task.items_failed),
        told.into(),
    ];
    let about_ends = [column(done, |row| row.step), column(done, |row| row.lease), outputs.into()];
    let memos = column(tasks.values(), |task| task.memo.to_string());
    let values = parameters(steps)?.into_iter().chain(about_tasks).chain(about_ends).chain([memos]);
    let row = sql::one(conn, ADVANCE, values).await?.ok_or(StoreError::StaleVersion)?;
    let met = |name: &str| row.try_get::<i64>("", name).map(i64::unsigned_abs);
    all_met(met("moved")?, tasks.len())?;
    all_met(met("ended")?, done.len())?;
    remark(conn, seen, tasks).await?;
    followers::say_jobs(&row)
}

/// What is told of each task, as the text of a JSON array.
fn told_of(events: &[NewEvent]) -> HashMap<Uuid, String> {
    let mut texts: HashMap<Uuid, String> = HashMap::new();
    for NewEvent { task, event: EventText { kind, data } } in events {
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
    seen: &SeenTasks,
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

//! Recurring schedules on a real database: what comes due, once, and what does not.

mod firing;
mod missed;
mod refused;

use galley_domain::{
    order::ArticleOrder,
    schedule::{RunStatus, ScheduleStatus},
    task::StepKind,
};
use galley_recurrence::{Missed, Recurrence};
use galley_services::{ScheduleAction, ScheduleRequest, ScheduleView, Work, pipelines::UPKEEP};
use galley_store::rows::ScheduleRun;
use galley_testkit::{Harness, order};
use serde_json::json;
use uuid::Uuid;

/// Follows the events of the organization in a test.
const LISTENER: StepKind = StepKind::new("listener");

fn recurrence(cron: &str) -> Recurrence {
    serde_json::from_value(json!({ "cron": cron, "timezone": "UTC" })).unwrap()
}

fn action(order: ArticleOrder) -> ScheduleAction {
    ScheduleAction { given: json!({ "type": "order", "order": {} }), work: Work::Order { order } }
}

/// One that comes due only when a test says so.
fn request() -> ScheduleRequest {
    ScheduleRequest {
        name: "Tea".into(),
        recurrence: recurrence("0 0 29 2 *"),
        action: action(order()),
        missed: Missed::default(),
        max_per_day: None,
        paused: false,
    }
}

async fn create(harness: &Harness, request: ScheduleRequest) -> Uuid {
    harness.services.create_schedule(&harness.principal, request, "t", None).await.unwrap().value.row.id
}

/// Lets a schedule have one time in the past, once a year, that nobody has looked at, and lets its step look now.
pub(crate) async fn come_due(harness: &Harness, id: Uuid, minutes_ago: u32) {
    let database = &harness.database;
    database
        .execute(&format!(
            "UPDATE schedules SET last_considered = a.at - interval '1 minute',
                recurrence = recurrence || jsonb_build_object('cron', to_char(a.at AT TIME ZONE 'UTC', 'FMMI FMHH24 FMDD FMMM \"*\"'))
             FROM (SELECT date_trunc('minute', now()) - interval '{minutes_ago} minutes' AS at) AS a WHERE id = '{id}'"
        ))
        .await;
    look(harness, id).await;
}

/// Lets a schedule come due in every minute, the one that runs included. Its newest time is always on time, however late
/// in the minute it is looked at.
async fn come_due_each_minute(harness: &Harness, id: Uuid) {
    let database = &harness.database;
    database
        .execute(&format!(
            "UPDATE schedules SET last_considered = date_trunc('minute', now()) - interval '1 second',
                recurrence = recurrence || '{{\"cron\": \"* * * * *\"}}' WHERE id = '{id}'"
        ))
        .await;
    look(harness, id).await;
}

/// Lets the pending step of a schedule look now.
async fn look(harness: &Harness, id: Uuid) {
    let steps = format!("UPDATE steps SET run_at = now() WHERE subject_id = '{id}' AND state = 'delayed'");
    harness.database.execute(&steps).await;
}

async fn view(harness: &Harness, id: Uuid) -> ScheduleView {
    harness.services.schedule(harness.principal.org, id).await.unwrap()
}

async fn runs(harness: &Harness, id: Uuid) -> Vec<ScheduleRun> {
    harness.services.schedule_runs(harness.principal.org, id, None, 100, 0).await.unwrap().0
}

/// Waits until a schedule has been looked at again, and gives its runs.
pub(crate) async fn looked_at(harness: &Harness, id: Uuid, since: i64) -> Vec<ScheduleRun> {
    let tick = format!("SELECT tick::bigint FROM schedules WHERE id = '{id}'");
    harness.database.until(&["schedules"], &tick, |tick| tick > since).await;
    runs(harness, id).await
}

/// Lets a schedule come due under an engine of its own, and gives its runs.
async fn after_due(harness: &Harness, id: Uuid, minutes_ago: u32) -> Vec<ScheduleRun> {
    let tick = view(harness, id).await.row.tick;
    come_due(harness, id, minutes_ago).await;
    let engine = harness.scheduling();
    let runs = looked_at(harness, id, tick).await;
    engine.stop().await;
    runs
}

async fn tasks(harness: &Harness) -> i64 {
    harness.database.number("SELECT count(*) FROM tasks").await
}

async fn pending_ticks(harness: &Harness, id: Uuid) -> i64 {
    let count = format!(
        "SELECT count(*) FROM steps WHERE subject_id = '{id}' AND kind = 'schedule_tick' AND finished_at IS NULL"
    );
    harness.database.number(&count).await
}

pub(crate) async fn listen(harness: &Harness) {
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    tx.follow_events(LISTENER, UPKEEP, 1).await.unwrap();
    tx.commit().await.unwrap();
}

/// The events about schedules that were told, with their reasons.
pub(crate) async fn told(harness: &Harness) -> Vec<String> {
    harness
        .database
        .texts(
            "SELECT concat_ws(' ', e ->> 'kind', e -> 'data' ->> 'reason') FROM steps, jsonb_array_elements(payload -> 'events') e
             WHERE kind = 'listener' AND e ->> 'kind' LIKE 'schedule.%' ORDER BY created_at, steps.id",
        )
        .await
}

fn statuses(runs: &[ScheduleRun]) -> Vec<RunStatus> {
    runs.iter().map(|run| *run.status).collect()
}

async fn assert_status(harness: &Harness, id: Uuid, status: ScheduleStatus) {
    let view = view(harness, id).await;
    assert_eq!(*view.row.status, status);
    let is_active = status == ScheduleStatus::Active;
    assert_eq!(view.row.next_due.is_some(), is_active, "something is to come as long as it is active");
    assert_eq!(!view.next.is_empty(), is_active, "and told so");
    assert_eq!(pending_ticks(harness, id).await, i64::from(is_active), "with one step that looks");
}

//! Schedules as clients see them.

use galley_domain::schedule::{RunStatus, RunTrigger, ScheduleStatus};
use galley_recurrence::{Occurrence, Recurrence, When};
use galley_services::ScheduleView;
use galley_store::rows;
use poem_openapi::Object;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::body::{ActionType, Policy, Take};
use crate::http::kit::{
    scalar::{Moment, Nullable, Vocabulary, Word},
    values::FreeObject,
};

/// A recurring schedule.
#[derive(Debug, Object)]
pub struct Schedule {
    id: Uuid,
    name: String,
    status: Word<ScheduleStatus>,
    /// Five fields; null when it has a rule.
    cron: Nullable<String>,
    rule: Nullable<ScheduleRule>,
    /// An IANA name.
    timezone: String,
    action: ScheduleAction,
    missed: ScheduleMissed,
    /// The most runs on one day of the zone.
    max_per_day: Nullable<i32>,
    starts_at: Nullable<Moment>,
    ends_at: Nullable<Moment>,
    /// At most ten; none while it is paused or has ended.
    next_runs: Vec<Moment>,
    /// Which of them are not plainly the time of the rule, because the clock is set on that day.
    next_notes: Vec<ScheduleNote>,
    /// The newest run.
    last_run: Nullable<ScheduleRun>,
    /// Runs that are `asked`.
    pending_decisions: u64,
    created_at: Moment,
    /// When somebody changed it last, or its status changed.
    updated_at: Moment,
}

/// Days and times of a calendar.
#[derive(Debug, Clone, Object, Deserialize)]
pub struct ScheduleRule {
    /// day, week or month.
    every: String,
    /// Times of the day.
    at: Vec<String>,
    /// mon to sun; of a weekly rule.
    #[oai(skip_serializing_if_is_none)]
    weekdays: Option<Vec<String>>,
    /// 1 to 31, and -1 for the last day of the month; of a monthly rule.
    #[oai(skip_serializing_if_is_none)]
    days: Option<Vec<i8>>,
}

/// What a schedule does when it comes due.
#[derive(Debug, Object)]
pub struct ScheduleAction {
    #[oai(rename = "type")]
    kind: Word<ActionType>,
    /// Of an order: as it was given.
    #[oai(skip_serializing_if_is_none)]
    order: Option<FreeObject>,
    #[oai(skip_serializing_if_is_none)]
    project_id: Option<Uuid>,
    /// Of a publication: what goes out.
    #[oai(skip_serializing_if_is_none)]
    take: Option<Word<Take>>,
    /// Of a publication: where it goes out, if that was said.
    #[oai(skip_serializing_if_is_none)]
    connection_id: Option<Uuid>,
}

/// What becomes of times that nobody looked at in time.
#[derive(Debug, Object)]
pub struct ScheduleMissed {
    policy: Word<Policy>,
    within_hours: u16,
}

/// What is special about a time.
#[derive(Debug, Object)]
pub struct ScheduleNote {
    at: Moment,
    note: String,
}

/// What became of a time at which a schedule came due, or of a run by hand.
#[derive(Debug, Object)]
pub struct ScheduleRun {
    id: Uuid,
    schedule_id: Uuid,
    due_at: Moment,
    /// When its order was taken.
    fired_at: Nullable<Moment>,
    trigger: Word<RunTrigger>,
    status: Word<RunStatus>,
    /// Seconds between the time and the look at it.
    late_seconds: i32,
    /// What was ordered.
    task_id: Nullable<Uuid>,
    article_id: Nullable<Uuid>,
    /// Why it did not run.
    reason: Nullable<String>,
}

/// Times of a schedule.
#[derive(Debug, Object)]
pub struct ScheduleTimes {
    /// An IANA name.
    timezone: String,
    times: Vec<ScheduleTime>,
}

/// A time at which a schedule comes due.
#[derive(Debug, Object)]
pub struct ScheduleTime {
    at: Moment,
    /// What the clock of the zone shows then, such as `2026-03-29T09:00`.
    local: String,
    /// How far the zone is ahead of UTC then, such as `+02:00`.
    offset: String,
    /// What is special about it.
    note: Nullable<String>,
}

impl From<ScheduleView> for Schedule {
    fn from(view: ScheduleView) -> Self {
        let ScheduleView { row, recurrence, missed, next, last_run, pending_decisions } = view;
        let note = |time: &Occurrence| Some(ScheduleNote { at: Moment(time.at), note: time.note.clone()? });
        let cron = match recurrence.when() {
            When::Cron(cron) => Some(cron.clone()),
            When::Rule(_) => None,
        };
        let rule: Option<ScheduleRule> = serde_json::from_value(row.recurrence["rule"].clone()).unwrap_or_default();
        Self {
            id: row.id,
            name: row.name,
            status: Word(*row.status),
            cron: cron.into(),
            rule: rule.into(),
            timezone: recurrence.timezone().name().to_owned(),
            action: row.action.into(),
            missed: ScheduleMissed {
                policy: Word(Policy::of(missed.policy.as_str()).unwrap_or(Policy::Late)),
                within_hours: missed.within_hours,
            },
            max_per_day: row.max_per_day.into(),
            starts_at: recurrence.starts_at().map(Moment).into(),
            ends_at: recurrence.ends_at().map(Moment).into(),
            next_notes: next.iter().filter_map(note).collect(),
            next_runs: next.iter().map(|time| Moment(time.at)).collect(),
            last_run: last_run.map(Into::into).into(),
            pending_decisions,
            created_at: Moment(row.created_at),
            updated_at: Moment(row.updated_at),
        }
    }
}

impl From<Value> for ScheduleAction {
    fn from(action: Value) -> Self {
        let id = |name: &str| action[name].as_str().and_then(|id| id.parse().ok());
        let publishes = action["type"] == "publish";
        Self {
            kind: Word(if publishes { ActionType::Publish } else { ActionType::Order }),
            order: (!publishes).then(|| action["order"].clone().into()),
            project_id: id("project_id"),
            take: publishes.then_some(Word(Take::OldestApproved)),
            connection_id: id("connection_id"),
        }
    }
}

impl From<rows::ScheduleRun> for ScheduleRun {
    fn from(row: rows::ScheduleRun) -> Self {
        Self {
            id: row.id,
            schedule_id: row.schedule_id,
            due_at: Moment(row.due_at),
            fired_at: row.fired_at.map(Moment).into(),
            trigger: Word(*row.trigger),
            status: Word(*row.status),
            late_seconds: row.late_seconds,
            task_id: row.task_id.into(),
            article_id: row.article_id.into(),
            reason: row.reason.into(),
        }
    }
}

impl From<(Recurrence, Vec<Occurrence>)> for ScheduleTimes {
    fn from((recurrence, times): (Recurrence, Vec<Occurrence>)) -> Self {
        let view = |time: Occurrence| ScheduleTime {
            at: Moment(time.at),
            local: time.local_text(),
            offset: time.offset_text(),
            note: time.note.into(),
        };
        Self { timezone: recurrence.timezone().name().to_owned(), times: times.into_iter().map(view).collect() }
    }
}

//! Changes to a schedule.

use chrono::{DateTime, Utc};
use galley_domain::{order::FieldError, schedule::ScheduleStatus};
use galley_recurrence::{Missed, MissedPolicy, Recurrence, RecurrenceRequest, RuleRequest};
use galley_store::{StoreError, TextEnum, rows::Schedule};

use super::{ScheduleAction, json, stored};

/// Changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ScheduleEdit {
    pub name: Option<String>,
    pub times: TimesEdit,
    pub action: Option<ScheduleAction>,
    pub missed: MissedEdit,
    pub max_per_day: Option<Option<i32>>,
    /// True pauses, false goes on.
    pub paused: Option<bool>,
}

/// What becomes of missed times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MissedEdit {
    pub policy: Option<MissedPolicy>,
    pub within_hours: Option<u16>,
}

impl MissedEdit {
    fn of(self, current: Missed) -> Missed {
        Missed {
            policy: self.policy.unwrap_or(current.policy),
            within_hours: self.within_hours.unwrap_or(current.within_hours),
        }
    }
}

/// When it comes due. A cron takes the place of a rule and the other way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimesEdit {
    pub cron: Option<String>,
    pub rule: Option<RuleRequest>,
    pub timezone: Option<String>,
    pub starts_at: Option<Option<DateTime<Utc>>>,
    pub ends_at: Option<Option<DateTime<Utc>>>,
}

impl TimesEdit {
    /// The schedule's recurrence with these changes, or all that is wrong with it then.
    fn of(self, current: RecurrenceRequest) -> Result<Recurrence, Vec<FieldError>> {
        let (cron, rule) = match (self.cron, self.rule) {
            (None, None) => (current.cron, current.rule),
            given => given,
        };
        RecurrenceRequest {
            cron,
            rule,
            timezone: self.timezone.unwrap_or(current.timezone),
            starts_at: self.starts_at.unwrap_or(current.starts_at),
            ends_at: self.ends_at.unwrap_or(current.ends_at),
        }
        .check()
    }
}

impl ScheduleEdit {
    /// Changes a locked schedule. What is wrong comes back, and then the schedule must not be written.
    pub(super) fn apply(self, schedule: &mut Schedule, now: DateTime<Utc>) -> Result<Vec<FieldError>, StoreError> {
        let names_times = self.times != TimesEdit::default();
        let before: Recurrence = stored(&schedule.recurrence)?;
        let recurrence = match self.times.of(stored(&schedule.recurrence)?) {
            Ok(recurrence) => recurrence,
            Err(wrong) => return Ok(wrong),
        };
        if let Some(name) = self.name {
            schedule.name = name.trim().to_owned();
        }
        if let Some(action) = self.action {
            let left_trash = schedule.paused_by_trash && action.project() != schedule.project_id;
            schedule.project_id = action.project();
            schedule.work = json(&action.work)?;
            schedule.action = action.given;
            if left_trash {
                resume(schedule, &recurrence, now);
            }
        }
        if self.missed != MissedEdit::default() {
            schedule.missed = json(&self.missed.of(stored(&schedule.missed)?))?;
        }
        schedule.max_per_day = self.max_per_day.unwrap_or(schedule.max_per_day);
        let moved = recurrence != before;
        if moved {
            schedule.recurrence = json(&recurrence)?;
        }
        let comes = recurrence.next(now).is_some();
        if names_times && !comes {
            return Ok(vec![no_time_left()]);
        }
        match (self.paused, *schedule.status) {
            // Its last time has come and was not looked at yet.
            (Some(true), ScheduleStatus::Active) => pause(schedule),
            (Some(paused), _) if !comes => {
                let word = if paused { "paused" } else { "active" };
                let message = format!("cannot be {word}: the schedule has ended; give it a later ends_at");
                return Ok(vec![FieldError { field: "status".into(), message }]);
            }
            (Some(true), _) => pause(schedule),
            // What lies before a change of the times is not missed, nor is it once the project is back.
            (None, ScheduleStatus::Paused) if moved => schedule.last_considered = now,
            (Some(false), ScheduleStatus::Paused) => resume(schedule, &recurrence, now),
            (_, ScheduleStatus::Active | ScheduleStatus::Ended) if moved => resume(schedule, &recurrence, now),
            _ => {}
        }
        Ok(Vec::new())
    }
}

/// What is said about new times of which all lie in the past.
pub(super) fn no_time_left() -> FieldError {
    FieldError { field: "ends_at".into(), message: "leaves no time after now; give a later one or none".into() }
}

/// Whoever pauses it. The trash notes that it was the trash.
pub(super) fn pause(schedule: &mut Schedule) {
    schedule.status = TextEnum(ScheduleStatus::Paused);
    schedule.next_due = None;
    schedule.paused_by_trash = false;
}

/// Begins anew: the first time after now is the next.
pub(super) fn resume(schedule: &mut Schedule, recurrence: &Recurrence, now: DateTime<Utc>) {
    schedule.last_considered = now;
    schedule.failures = 0;
    goes_on(schedule, recurrence.next(now).map(|next| next.at));
}

/// Active until its next time, or ended when there is none.
pub(super) fn goes_on(schedule: &mut Schedule, next: Option<DateTime<Utc>>) {
    schedule.status = TextEnum(if next.is_some() { ScheduleStatus::Active } else { ScheduleStatus::Ended });
    schedule.next_due = next;
    schedule.paused_by_trash = false;
}

//! What to do with the times of a schedule that have come, and with those that nobody looked at in time.

use chrono::{DateTime, TimeDelta, Utc};
use galley_domain::order::{FieldError, Violations};
use serde::{Deserialize, Serialize};

use crate::recurrence::{Occurrence, Recurrence};
use crate::request::joined;

/// A time that is looked at this many seconds after it came, or sooner, is on time, if it is the only one that has come.
pub const GRACE_SECONDS: i64 = 60;
const MOST_HOURS: i64 = 8760;
const DEFAULT_HOURS: i64 = 24;

/// What becomes of missed times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MissedPolicy {
    /// The newest runs late, if it is not too old.
    #[default]
    Late,
    /// None runs.
    Skip,
    /// Somebody decides about the newest.
    Ask,
}

impl MissedPolicy {
    /// The text on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Skip => "skip",
            Self::Ask => "ask",
        }
    }
}

/// The policy with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "MissedRequest")]
pub struct Missed {
    pub policy: MissedPolicy,
    /// How old the newest missed time may be to run late: 1 to 8760.
    pub within_hours: u16,
}

impl Default for Missed {
    fn default() -> Self {
        Self { policy: MissedPolicy::Late, within_hours: 24 }
    }
}

/// A policy with the names of the wire, before it is checked. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedRequest {
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    pub within_hours: Option<i64>,
}

impl MissedRequest {
    /// # Errors
    /// All that is wrong, as `missed.policy` and `missed.within_hours`.
    pub fn check(self) -> Result<Missed, Vec<FieldError>> {
        let mut wrong = Violations::default();
        let policy = match self.policy.as_deref() {
            None | Some("late") => MissedPolicy::Late,
            Some("skip") => MissedPolicy::Skip,
            Some("ask") => MissedPolicy::Ask,
            Some(_) => {
                wrong.add("missed.policy", "must be one of late, skip, ask");
                MissedPolicy::Late
            }
        };
        let hours = self.within_hours.unwrap_or(DEFAULT_HOURS);
        wrong.check(
            !(1..=MOST_HOURS).contains(&hours),
            "missed.within_hours",
            format!("must be between 1 and {MOST_HOURS}"),
        );
        wrong.finish()?;
        Ok(Missed { policy, within_hours: u16::try_from(hours).unwrap_or_default() })
    }
}

impl TryFrom<MissedRequest> for Missed {
    type Error = String;

    fn try_from(request: MissedRequest) -> Result<Self, String> {
        request.check().map_err(|wrong| joined(&wrong))
    }
}

/// What to do with a time that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueKind {
    /// Run it.
    OnTime,
    /// Run it, for all of the missed span.
    Late,
    /// Too old to run late: note that it was missed.
    Missed,
    /// Ask whether it shall run.
    Ask,
}

/// A time that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub occurrence: Occurrence,
    pub kind: DueKind,
    /// Whole seconds between the time and now; up to [`GRACE_SECONDS`] when on time.
    pub late_seconds: i64,
}

/// Times that have come of which none is on time, whatever the policy makes of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedSpan {
    pub oldest: DateTime<Utc>,
    pub newest: Occurrence,
    /// Counted up to [`crate::COUNT_LIMIT`].
    pub times: usize,
}

/// What [`decide`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The one that is on time, or at most one for the missed span.
    pub due: Option<Due>,
    /// Also given when the policy is to skip, where it is nowhere in `due`.
    pub missed: Option<MissedSpan>,
    /// When to look again. None: the schedule has ended.
    pub next: Option<Occurrence>,
    /// To be kept, and given to the next call. Never before the one that was given to this.
    pub last_considered: DateTime<Utc>,
}

/// What to do at `now`, when everything up to and including `last_considered` is dealt with.
///
/// One time that came within the grace is on time. Several are one missed span however old its newest is, else a schedule
/// that comes each minute would run twice after an outage, and once where its policy says that none runs.
///
/// A clock that steps back finds nothing due until it is past `last_considered` again. A schedule that is resumed, or
/// whose times are changed, starts with `last_considered` at that time: what lies before it is not missed.
pub fn decide(recurrence: &Recurrence, last_considered: DateTime<Utc>, now: DateTime<Utc>, missed: Missed) -> Decision {
    let reached = last_considered.max(now);
    let next = recurrence.next(reached);
    let come = (now > last_considered).then(|| come(recurrence, last_considered, now)).flatten();
    let (due, missed) = match come {
        Some(span) if span.times == 1 && now - span.newest.at <= TimeDelta::seconds(GRACE_SECONDS) => {
            (Some(due_at(span.newest, now, DueKind::OnTime)), None)
        }
        Some(span) => (due_of_span(&span, now, missed), Some(span)),
        None => (None, None),
    };
    Decision { due, missed, next, last_considered: reached }
}

/// The times after `since`, up to and including `until`.
fn come(recurrence: &Recurrence, since: DateTime<Utc>, until: DateTime<Utc>) -> Option<MissedSpan> {
    let newest = recurrence.latest_at_or_before(until, since)?;
    let oldest = recurrence.next(since)?.at;
    Some(MissedSpan { oldest, times: recurrence.count_between(since, newest.at), newest })
}

fn due_of_span(span: &MissedSpan, now: DateTime<Utc>, missed: Missed) -> Option<Due> {
    let is_recent = now - span.newest.at <= TimeDelta::hours(missed.within_hours.into());
    let kind = match missed.policy {
        MissedPolicy::Skip => return None,
        MissedPolicy::Ask => DueKind::Ask,
        MissedPolicy::Late if is_recent => DueKind::Late,
        MissedPolicy::Late => DueKind::Missed,
    };
    Some(due_at(span.newest.clone(), now, kind))
}

fn due_at(occurrence: Occurrence, now: DateTime<Utc>, kind: DueKind) -> Due {
    Due { late_seconds: (now - occurrence.at).num_seconds(), occurrence, kind }
}

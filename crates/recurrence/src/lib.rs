//! When a recurring schedule comes due, and what becomes of the times that were missed.
//!
//! A schedule is wall time in a zone, never an offset: daily 09:00 in New York is 09:00 there on both sides of a clock
//! change. Nothing here reads a clock; every time is an argument.
//!
//! - A time that the clock skips (spring) runs at the next minute that exists; times that meet there are one.
//! - A time that comes twice (autumn) runs once, the first time. So does each time of `*/15 * * * *` in that hour.
//! - Both carry a note.
//!
//! Work is bounded: a search looks [`HORIZON_YEARS`] ahead or back, month by month, and not beyond the
//! years from [`FIRST_YEAR`] to [`LAST_YEAR`] in UTC.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod cron;
mod missed;
mod pattern;
mod recurrence;
mod request;
mod rule;
mod single;
mod wall;
mod zone;

pub use missed::{Decision, Due, DueKind, GRACE_SECONDS, Missed, MissedPolicy, MissedRequest, MissedSpan, decide};
pub use recurrence::{COUNT_LIMIT, Occurrence, Recurrence, Upcoming, When};
pub use request::{RecurrenceRequest, RuleRequest};
pub use rule::{CalendarRule, Every, TimeOfDay};
pub use single::{MomentRequest, PromisedMoment};
pub use zone::parse_zone;

/// The longest wait of a rule that comes at all, rounded up: 29 February on a given weekday pauses 40 years around 2100.
pub const HORIZON_YEARS: i32 = 41;
/// No occurrence is before this year: until 1972 some zones were seconds off the minute.
pub const FIRST_YEAR: i32 = 1973;
/// No occurrence is after this year: chrono-tz has no clock changes behind 2099.
pub const LAST_YEAR: i32 = 2099;

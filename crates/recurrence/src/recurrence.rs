//! The occurrences of a recurrence, in the order of time.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::pattern::Pattern;
use crate::rule::CalendarRule;
use crate::wall::{self, Clock, Placed};
use crate::{FIRST_YEAR, HORIZON_YEARS, LAST_YEAR};

/// [`Recurrence::count_between`] counts no further.
pub const COUNT_LIMIT: usize = 10_000;

/// What a recurrence follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Five fields, single blanks between them.
    Cron(String),
    Rule(CalendarRule),
}

/// A checked recurrence; made by [`crate::RecurrenceRequest::check`] or read by serde, which checks as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    when: When,
    pattern: Pattern,
    zone: Tz,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
}

/// One time at which a recurrence comes due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub at: DateTime<Utc>,
    /// What the clock of the zone shows then.
    pub local: NaiveDateTime,
    /// Seconds that the zone is ahead of UTC then.
    pub offset: i32,
    /// Why this is not plainly the time of the rule: the clock skips it or shows it twice.
    pub note: Option<String>,
}

impl Occurrence {
    /// `2026-03-29T09:00`.
    pub fn local_text(&self) -> String {
        self.local.format("%Y-%m-%dT%H:%M").to_string()
    }

    /// `+02:00`. Since [`FIRST_YEAR`] all zones are whole minutes ahead or behind.
    pub fn offset_text(&self) -> String {
        let minutes = self.offset.abs() / 60;
        format!("{}{:02}:{:02}", if self.offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    }
}

fn year_start(year: i32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc()
}

/// No occurrence is at this time or after it.
fn end_of_time() -> DateTime<Utc> {
    year_start(LAST_YEAR + 1)
}

/// Into the years that are known, so that no arithmetic overflows.
fn clamped(at: DateTime<Utc>) -> DateTime<Utc> {
    at.clamp(year_start(FIRST_YEAR) - TimeDelta::nanoseconds(1), end_of_time())
}

impl Recurrence {
    pub(crate) fn new(
        when: When,
        pattern: Pattern,
        zone: Tz,
        starts_at: Option<DateTime<Utc>>,
        ends_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self { when, pattern, zone, starts_at, ends_at }
    }

    pub(crate) fn pattern_comes(&self) -> bool {
        self.pattern.comes()
    }

    pub fn when(&self) -> &When {
        &self.when
    }

    pub fn timezone(&self) -> Tz {
        self.zone
    }

    /// Included.
    pub fn starts_at(&self) -> Option<DateTime<Utc>> {
        self.starts_at
    }

    /// Not included.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.ends_at
    }

    /// The first occurrence strictly after this time. None: it has ended, or nothing comes within the horizon.
    pub fn next(&self, after: DateTime<Utc>) -> Option<Occurrence> {
        let (wall, placed) = self.first_after(after)?;
        Some(self.occurrence(wall, placed))
    }

    /// All occurrences strictly after this time.
    pub fn upcoming(&self, after: DateTime<Utc>) -> Upcoming<'_> {
        Upcoming { recurrence: self, after: Some(after) }
    }

    /// How many occurrences are after `after` and not after `until`. Counting stops at [`COUNT_LIMIT`], which then
    /// means "at least".
    pub fn count_between(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> usize {
        let mut count = 0;
        let mut at = after;
        while count < COUNT_LIMIT
            && let Some((_, placed)) = self.first_after(at)
            && placed.at <= until
        {
            count += 1;
            at = placed.at;
        }
        count
    }

    /// The newest occurrence that is after `since` and not after `until`. Searched from the end, so that the length of
    /// the span does not matter.
    pub fn latest_at_or_before(&self, until: DateTime<Utc>, since: DateTime<Utc>) -> Option<Occurrence> {
        // The end is not included.
        let until = until.min(self.ends_at.map_or(end_of_time(), clamped) - TimeDelta::nanoseconds(1));
        let since = self.not_before(since);
        let mut wall = wall::highest_wall(self.zone, clamped(until));
        let first = wall::local_at(self.zone, since).date().max(years_from(wall.date(), -HORIZON_YEARS));
        let placed = loop {
            wall = self.pattern.wall_at_or_before(wall, first)?;
            match wall::place(self.zone, wall) {
                Some(placed) if placed.at <= since => return None,
                Some(placed) if placed.at <= until => break placed,
                _ => wall -= TimeDelta::minutes(1),
            }
        };
        // Of all the walls that are skipped together this is the last; the note speaks from the first on.
        self.next(placed.at - TimeDelta::nanoseconds(1))
    }

    /// `after`, or the latest time that is before the start.
    fn not_before(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        let earliest = self.starts_at.map_or(year_start(FIRST_YEAR), clamped);
        clamped(after).max(earliest - TimeDelta::nanoseconds(1)).min(end_of_time())
    }

    fn first_after(&self, after: DateTime<Utc>) -> Option<(NaiveDateTime, Placed)> {
        let after = self.not_before(after);
        let mut wall = wall::local_at(self.zone, after);
        let ends = self.ends_at.map_or(end_of_time(), clamped);
        // No clock is a whole day ahead of UTC.
        let end_day = ends.date_naive().checked_add_days(Days::new(1))?;
        let last = years_from(wall.date(), HORIZON_YEARS).min(end_day);
        // While the clock repeats what it has shown, walls come up that have run: an hour of them, at most a day.
        loop {
            wall = self.pattern.next_wall(wall, last)?;
            if let Some(placed) = wall::place(self.zone, wall)
                && placed.at > after
            {
                return (placed.at < ends).then_some((wall, placed));
            }
        }
    }

    fn occurrence(&self, wall: NaiveDateTime, placed: Placed) -> Occurrence {
        let local = wall::local_at(self.zone, placed.at);
        let note = match placed.clock {
            Clock::Steady => None,
            Clock::Repeats => Some(format!("{} happens twice on this day; runs the first time", wall.format("%H:%M"))),
            Clock::Skips => Some(self.gap_note(wall, local, placed)),
        };
        Occurrence { at: placed.at, local, offset: wall::offset_at(self.zone, placed.at), note }
    }

    /// `wall` is the first of the walls that the clock skips on its way to `local`.
    fn gap_note(&self, wall: NaiveDateTime, local: NaiveDateTime, placed: Placed) -> String {
        let mut last = wall;
        while let Some(next) = self.pattern.next_wall(last, local.date())
            && wall::place(self.zone, next) == Some(placed)
        {
            last = next;
        }
        let same_day = wall.date() == local.date();
        let clock = |time: NaiveDateTime| time.format(if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" }).to_string();
        let day = if same_day { " on this day" } else { "" };
        if last == wall {
            format!("{} does not exist{day}; runs at {}", clock(wall), clock(local))
        } else {
            format!("{} to {} do not exist{day}; runs once, at {}", clock(wall), clock(last), clock(local))
        }
    }
}

fn years_from(day: NaiveDate, years: i32) -> NaiveDate {
    let months = chrono::Months::new(years.unsigned_abs() * 12);
    let moved = if years < 0 { day.checked_sub_months(months) } else { day.checked_add_months(months) };
    moved.unwrap_or(day)
}

/// The occurrences of a recurrence, oldest first.
#[derive(Debug, Clone)]
pub struct Upcoming<'a> {
    recurrence: &'a Recurrence,
    after: Option<DateTime<Utc>>,
}

impl Iterator for Upcoming<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        let found = self.recurrence.next(self.after?);
        self.after = found.as_ref().map(|occurrence| occurrence.at);
        found
    }
}

impl std::iter::FusedIterator for Upcoming<'_> {}

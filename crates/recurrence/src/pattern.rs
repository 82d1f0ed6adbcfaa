//! The wall times of a rule, without a zone: which days, and which minutes of each of them.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};

/// The lengths that a month can have.
const LENGTHS: std::ops::RangeInclusive<u32> = 28..=31;

/// Days and minutes of a rule.
///
/// Whether a day of a month matches depends on the length of the month and on the weekday of its first day only, also
/// for `L` and `#`. So 28 sets of days say all, and looking through a month is one operation on bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// Bit 0 is January.
    months: u16,
    /// By length of the month, from 28, then by weekday of the first, from Monday; bit 0 is the first day.
    days: [[u32; 7]; 4],
    /// Minutes of the day, ascending, distinct, not empty.
    minutes: Vec<u16>,
}

/// A month, for the calendar arithmetic of the search.
#[derive(Clone, Copy)]
struct Month {
    year: i32,
    /// From 1.
    month: u32,
}

impl Month {
    fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    fn first(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.year, self.month, 1)
    }

    fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }
}

fn days_in(first: NaiveDate) -> u32 {
    Month::of(first).next().first().map_or(31, |next| u32::try_from((next - first).num_days()).unwrap_or(31))
}

impl Pattern {
    /// `matches` is asked once for each day of each shape that a month can have, never for its place in the year.
    pub(crate) fn new(months: u16, minutes: Vec<u16>, mut matches: impl FnMut(NaiveDate) -> bool) -> Self {
        let mut days = [[0; 7]; 4];
        let mut seen = [[false; 7]; 4];
        // In 28 years without a skipped leap year every length meets every weekday.
        let mut month = Month { year: 2000, month: 1 };
        while month.year < 2028 {
            if let Some(first) = month.first() {
                let (length, weekday) = shape(first);
                if !seen[length][weekday] {
                    seen[length][weekday] = true;
                    let mask = first.iter_days().take(days_in(first) as usize).enumerate();
                    days[length][weekday] = mask.fold(0, |mask, (at, day)| mask | (u32::from(matches(day)) << at));
                }
            }
            month = month.next();
        }
        Self { months, days, minutes }
    }

    /// Whether there is a day in some year that matches.
    pub(crate) fn comes(&self) -> bool {
        !self.minutes.is_empty()
            && (1..=12).any(|month| {
                let lengths = match month {
                    2 => 28..=29,
                    4 | 6 | 9 | 11 => 30..=30,
                    _ => 31..=31,
                };
                let days = |length: u32| self.days[(length - LENGTHS.start()) as usize];
                self.has_month(month) && lengths.flat_map(days).any(|days| days != 0)
            })
    }

    fn has_month(&self, month: u32) -> bool {
        self.months & (1 << (month - 1)) != 0
    }

    fn days_of(&self, month: Month) -> Option<(NaiveDate, u32)> {
        let first = month.first()?;
        let (length, weekday) = shape(first);
        Some((first, if self.has_month(month.month) { self.days[length][weekday] } else { 0 }))
    }

    /// The first matching day in the range, both ends included.
    fn next_day(&self, from: NaiveDate, last: NaiveDate) -> Option<NaiveDate> {
        let mut month = Month::of(from);
        let mut open = u32::MAX << from.day0();
        loop {
            let (first, days) = self.days_of(month)?;
            if first > last {
                return None;
            }
            let left = days & open;
            if left != 0 {
                let day = first.checked_add_days(Days::new(left.trailing_zeros().into()))?;
                return (day <= last).then_some(day);
            }
            month = month.next();
            open = u32::MAX;
        }
    }

    /// The last matching day in the range, both ends included.
    fn previous_day(&self, from: NaiveDate, first_allowed: NaiveDate) -> Option<NaiveDate> {
        let mut month = Month::of(from);
        let mut open = u32::MAX >> (31 - from.day0());
        loop {
            let (first, days) = self.days_of(month)?;
            let left = days & open;
            if left != 0 {
                let day = first.checked_add_days(Days::new((31 - left.leading_zeros()).into()))?;
                return (day >= first_allowed).then_some(day);
            }
            if first <= first_allowed {
                return None;
            }
            month = month.previous();
            open = u32::MAX;
        }
    }

    /// The first wall time after this one, on a day up to `last`.
    pub(crate) fn next_wall(&self, after: NaiveDateTime, last: NaiveDate) -> Option<NaiveDateTime> {
        let day = after.date();
        if self.next_day(day, day).is_some() {
            let passed = self.minutes.partition_point(|minute| u32::from(*minute) <= minute_of(after.time()));
            if let Some(minute) = self.minutes.get(passed) {
                return (day <= last).then(|| at_minute(day, *minute));
            }
        }
        let day = self.next_day(day.succ_opt()?, last)?;
        Some(at_minute(day, *self.minutes.first()?))
    }

    /// The last wall time at this one or before it, on a day from `first`.
    pub(crate) fn wall_at_or_before(&self, wall: NaiveDateTime, first: NaiveDate) -> Option<NaiveDateTime> {
        let day = wall.date();
        if self.next_day(day, day).is_some() {
            let reached = self.minutes.partition_point(|minute| u32::from(*minute) <= minute_of(wall.time()));
            if let Some(minute) = reached.checked_sub(1).and_then(|at| self.minutes.get(at)) {
                return (day >= first).then(|| at_minute(day, *minute));
            }
        }
        let day = self.previous_day(day.pred_opt()?, first)?;
        Some(at_minute(day, *self.minutes.last()?))
    }
}

fn shape(first: NaiveDate) -> (usize, usize) {
    ((days_in(first) - LENGTHS.start()) as usize, weekday_at(first.weekday()))
}

fn weekday_at(weekday: Weekday) -> usize {
    weekday.num_days_from_monday() as usize
}

fn minute_of(time: NaiveTime) -> u32 {
    time.hour() * 60 + time.minute()
}

fn at_minute(day: NaiveDate, minute: u16) -> NaiveDateTime {
    let seconds = u32::from(minute) * 60;
    day.and_time(NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
    }

    #[test]
    fn days_are_found_forwards_and_backwards() {
        let sundays = Pattern::new(0xfff, vec![540], |day| day.weekday() == Weekday::Sun);
        let (from, to) = (day("2026-01-01"), day("2028-12-31"));
        let all: Vec<_> =
            from.iter_days().take_while(|day| *day <= to).filter(|day| day.weekday() == Weekday::Sun).collect();
        let mut forwards = Vec::new();
        let mut at = from;
        while let Some(found) = sundays.next_day(at, to) {
            forwards.push(found);
            at = found.succ_opt().unwrap();
        }
        assert_eq!(forwards, all);
        let mut backwards = Vec::new();
        let mut at = to;
        while let Some(found) = sundays.previous_day(at, from) {
            backwards.push(found);
            at = found.pred_opt().unwrap();
        }
        backwards.reverse();
        assert_eq!(backwards, all);
    }

    #[test]
    fn walls_are_strictly_after_and_at_or_before() {
        let pattern = Pattern::new(0xfff, vec![0, 540, 1439], |_| true);
        let last = day("2027-01-01");
        let next = |text| pattern.next_wall(wall(text), last).unwrap();
        assert_eq!(next("2026-12-30T00:00"), wall("2026-12-30T09:00"));
        assert_eq!(next("2026-12-30T09:00"), wall("2026-12-30T23:59"));
        assert_eq!(next("2026-12-30T23:59"), wall("2026-12-31T00:00"));
        assert_eq!(pattern.next_wall(wall("2027-01-01T23:59"), last), None);
        let before = |text| pattern.wall_at_or_before(wall(text), day("2026-12-30")).unwrap();
        assert_eq!(before("2027-01-01T00:00"), wall("2027-01-01T00:00"));
        assert_eq!(before("2026-12-31T08:59"), wall("2026-12-31T00:00"));
        assert_eq!(pattern.wall_at_or_before(wall("2026-12-29T10:00"), day("2026-12-30")), None);
    }

    /// Why [`crate::HORIZON_YEARS`] is enough: no rule is rarer than 29 February on one weekday.
    #[test]
    fn a_leap_day_on_a_weekday_is_at_most_40_years_away() {
        for weekday in 0..7 {
            let years: Vec<i32> = (2000..=2800)
                .filter(|year| {
                    NaiveDate::from_ymd_opt(*year, 2, 29).is_some_and(|day| weekday_at(day.weekday()) == weekday)
                })
                .collect();
            let longest = years.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
            assert_eq!(longest, 40);
        }
    }

    #[test]
    fn what_has_no_day_never_comes() {
        let month = |month: u32| 1 << (month - 1);
        assert!(!Pattern::new(month(2), vec![0], |day| day.day() == 30).comes());
        assert!(!Pattern::new(month(4) | month(6), vec![0], |day| day.day() == 31).comes());
        assert!(Pattern::new(month(2), vec![0], |day| day.day() == 29).comes());
        assert!(!Pattern::new(0xfff, Vec::new(), |_| true).comes());
    }
}

//! From wall time in a zone to the instant at which it runs.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{GapInfo, Tz};

/// How long a clock that was set back can repeat what it has shown. The longest since 1973 are three hours (Casey).
const LONGEST_FOLD_HOURS: i64 = 24;

/// What the clock of the zone does around a wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Steady,
    /// Was set forward over this time.
    Skips,
    /// Was set back, so that it shows this time twice.
    Repeats,
}

/// The instant of a wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub at: DateTime<Utc>,
    pub clock: Clock,
}

/// The first instant at which the clock of the zone shows `wall` or more. So later walls never have earlier instants,
/// and all walls that are skipped together have the same one.
pub(crate) fn place(zone: Tz, wall: NaiveDateTime) -> Option<Placed> {
    let at = |offset: i32| (wall - TimeDelta::seconds(offset.into())).and_utc();
    match zone.offset_from_local_datetime(&wall) {
        chrono::MappedLocalTime::Single(offset) => {
            Some(Placed { at: at(offset.fix().local_minus_utc()), clock: Clock::Steady })
        }
        chrono::MappedLocalTime::Ambiguous(one, other) => {
            let first = at(one.fix().local_minus_utc()).min(at(other.fix().local_minus_utc()));
            Some(Placed { at: first, clock: Clock::Repeats })
        }
        chrono::MappedLocalTime::None => {
            Some(Placed { at: GapInfo::new(&wall, &zone)?.end?.to_utc(), clock: Clock::Skips })
        }
    }
}

/// Seconds that the zone is ahead of UTC.
pub(crate) fn offset_at(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

/// What the clock shows.
pub(crate) fn local_at(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::seconds(offset_at(zone, at).into())
}

/// No wall time after this one has an instant at or before `at`. More than the clock shows only while it repeats.
pub(crate) fn highest_wall(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    let offsets = (0..=LONGEST_FOLD_HOURS).map(|hours| offset_at(zone, at - TimeDelta::hours(hours)));
    at.naive_utc() + TimeDelta::seconds(offsets.max().unwrap_or(0).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    fn placed(zone: Tz, wall: &str) -> (String, Clock) {
        let placed = place(zone, NaiveDateTime::parse_from_str(wall, "%Y-%m-%dT%H:%M").unwrap()).unwrap();
        (placed.at.format("%Y-%m-%dT%H:%MZ").to_string(), placed.clock)
    }

    #[test]
    fn odd_clocks() {
        use chrono_tz::{Africa, America, Antarctica, Asia, Australia, Europe, Pacific};
        for (zone, wall, at, clock) in [
            (Europe::Berlin, "2027-03-28T02:30", "2027-03-28T01:00Z", Clock::Skips),
            (Europe::Berlin, "2027-10-31T02:30", "2027-10-31T00:30Z", Clock::Repeats),
            (Australia::Lord_Howe, "2026-10-04T02:15", "2026-10-03T15:30Z", Clock::Skips),
            (Australia::Lord_Howe, "2027-04-04T01:45", "2027-04-03T14:45Z", Clock::Repeats),
            (Pacific::Chatham, "2026-09-27T03:00", "2026-09-26T14:00Z", Clock::Skips),
            (Pacific::Chatham, "2027-04-04T02:45", "2027-04-03T13:00Z", Clock::Repeats),
            (Africa::Casablanca, "2027-02-07T02:30", "2027-02-07T01:30Z", Clock::Repeats),
            (Africa::Casablanca, "2027-03-14T02:30", "2027-03-14T02:00Z", Clock::Skips),
            (Africa::Cairo, "2027-04-30T00:30", "2027-04-29T22:00Z", Clock::Skips),
            (America::Nuuk, "2027-03-27T23:30", "2027-03-28T01:00Z", Clock::Skips),
            (Antarctica::Troll, "2027-03-28T02:30", "2027-03-28T01:00Z", Clock::Skips),
            (Asia::Pyongyang, "2018-05-04T23:45", "2018-05-04T15:00Z", Clock::Skips),
            (Pacific::Apia, "2011-12-30T09:00", "2011-12-30T10:00Z", Clock::Skips),
            (Pacific::Kwajalein, "1993-08-21T12:00", "1993-08-21T12:00Z", Clock::Skips),
        ] {
            assert_eq!(placed(zone, wall), (at.to_owned(), clock), "{zone} {wall}");
        }
    }

    /// The moments at which the zone changes its offset, to the second.
    fn changes(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut found = Vec::new();
        let mut at = from;
        while at < to {
            // Shorter than Ramadan, so that no zone changes there and back in between.
            let (mut low, mut high) = (at, at + TimeDelta::days(20));
            at = high;
            if offset_at(zone, low) == offset_at(zone, high) {
                continue;
            }
            while high - low > TimeDelta::seconds(1) {
                let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
                if offset_at(zone, middle) == offset_at(zone, low) { low = middle } else { high = middle }
            }
            found.push(high);
        }
        found
    }

    /// chrono-tz finds a wall time by its neighbours; this looks at every change of every zone instead.
    #[test]
    fn every_change_of_every_zone_keeps_the_order_and_the_minute() {
        let year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let mut count = 0;
        for zone in chrono_tz::TZ_VARIANTS {
            for change in changes(zone, year(1973), year(2038)) {
                count += 1;
                let before = change - TimeDelta::seconds(1);
                let (was, is) = (offset_at(zone, before), offset_at(zone, change));
                assert_eq!((was % 60, is % 60, change.second()), (0, 0, 0), "{zone} {change}");
                let wall = |offset: i32| change.naive_utc() + TimeDelta::seconds(offset.into());
                let (edge, other) = (wall(was), wall(is));
                let place = |wall| place(zone, wall).unwrap_or_else(|| panic!("{zone} {wall}"));
                let minute = TimeDelta::minutes(1);
                if is > was {
                    let skipped = Placed { at: change, clock: Clock::Skips };
                    assert_eq!((place(edge), place(other - minute)), (skipped, skipped), "{zone} {change}");
                    assert_eq!(place(other), Placed { at: change, clock: Clock::Steady }, "{zone} {change}");
                } else {
                    let first = |at| Placed { at, clock: Clock::Repeats };
                    assert_eq!(place(other), first(change - (edge - other)), "{zone} {change}");
                    assert_eq!(place(edge - minute), first(change - minute), "{zone} {change}");
                    let after = Placed { at: change + (edge - other), clock: Clock::Steady };
                    assert_eq!(place(edge), after, "{zone} {change}");
                    assert_eq!(highest_wall(zone, change), edge, "{zone} {change}");
                }
                assert_eq!(place(edge - minute).at, change - minute, "{zone} {change}");
            }
        }
        assert!(count > 10_000, "{count}");
    }
}

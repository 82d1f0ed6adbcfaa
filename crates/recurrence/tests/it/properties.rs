//! Forty zones, five years ahead, and the odd days behind us.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::reference::{Matcher, Offsets, local_at, offset_at, walk};
use crate::{recurrence, utc};

const ZONES: [&str; 40] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Kyiv",
    "Europe/Chisinau",
    "Europe/Istanbul",
    "Atlantic/Azores",
    "Atlantic/Reykjavik",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Africa/Cairo",
    "Africa/Lagos",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Asia/Pyongyang",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Eucla",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Pacific/Norfolk",
    "Pacific/Easter",
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Nuuk",
    "America/Scoresbysund",
    "Antarctica/Troll",
];

/// Every kind of rule, many of them in hours in which clocks change.
const RULES: [&str; 17] = [
    "day 09:00",
    "week sat,sun 00:00,00:30,01:30,02:15,02:30,03:00,23:30",
    "week sat,sun 01:15,02:45",
    "week mon,wed 08:00",
    "month 1,15,-1 00:05,02:30",
    "month 31 12:00",
    "0 9 * * MON-FRI",
    "30 2 * * *",
    "15 1,2,3 * * SUN",
    "0 0 * * *",
    "59 23 * * SAT,SUN",
    "0 */12 * * FRI-SUN",
    "30 1 L * *",
    "30 2 * MAR,APR,SEP,OCT,NOV SUN#L",
    "0 3 * * SUN#1,SUN#2",
    "0 0 13 * FRI",
    "0 12 29 2 *",
];
/// Too many times for five years; looked at around the changes.
const DENSE: [&str; 4] = ["* * * * *", "*/15 * * * *", "7-59/13 0-4,22-23 * * *", "0 * * * *"];

fn zone(name: &str) -> Tz {
    name.parse().unwrap()
}

#[test]
fn five_years_of_every_rule_in_every_zone() {
    let (from, to) = (utc("2026-11-23T00:00:00Z"), utc("2031-11-23T00:00:00Z"));
    let margin = TimeDelta::days(3);
    let (mut occurrences, mut gaps, mut folds, mut changes) = (0, 0, 0, 0);
    let offsets: Vec<_> = ZONES.map(|name| Offsets::of(zone(name), from - margin, to + margin)).into();
    for rule in RULES {
        let matcher = Matcher::of(rule);
        let walls = matcher.walls((from - margin).naive_utc(), (to + margin).naive_utc());
        for (name, offsets) in ZONES.iter().zip(&offsets) {
            let zone = zone(name);
            let recurrence = recurrence(rule, name);
            let mut expected: Vec<DateTime<Utc>> = walls.iter().map(|wall| offsets.first_at(*wall)).collect();
            assert!(expected.is_sorted(), "{rule} in {name}");
            expected.dedup();
            expected.retain(|at| *at > from && *at <= to);
            let mut expected = expected.into_iter();
            for found in recurrence.upcoming(from).take_while(|found| found.at <= to) {
                let place = || format!("{rule} in {name}: {found:?}");
                assert_eq!(Some(found.at), expected.next(), "{}", place());
                assert_eq!(found.local, local_at(zone, found.at), "{}", place());
                assert_eq!(found.offset, offset_at(zone, found.at), "{}", place());
                occurrences += 1;
                match &found.note {
                    None => assert!(matcher.matches(found.local), "{}", place()),
                    Some(note) if note.contains("happens twice") => {
                        folds += 1;
                        assert!(matcher.matches(found.local), "{}", place());
                    }
                    Some(note) => {
                        gaps += 1;
                        assert!(note.contains("not exist"), "{}", place());
                    }
                }
            }
            assert_eq!(expected.next(), None, "{rule} in {name}: lost");
        }
    }
    changes += offsets.iter().map(|offsets| offsets.changes().count()).sum::<usize>();
    println!("{occurrences} occurrences, {gaps} in gaps, {folds} in folds, {changes} changes of 40 zones");
    assert!(occurrences > 400_000 && gaps > 400 && folds > 400 && changes > 250);
}

#[test]
fn the_walk_of_the_clock_finds_the_same_around_every_change() {
    let (from, to) = (utc("2026-11-23T00:00:00Z"), utc("2028-11-23T00:00:00Z"));
    let mut windows: Vec<(&str, DateTime<Utc>)> = Vec::new();
    for name in ZONES {
        // Two years have all kinds of changes of a zone, and Ramadan twice.
        let offsets = Offsets::of(zone(name), from, to);
        windows.extend(offsets.changes().map(|at| (name, at)));
    }
    // Days that were skipped, and changes of half an hour, three hours, or at the end of a day.
    windows.extend([
        ("Pacific/Apia", utc("2011-12-30T10:00:00Z")),
        ("Pacific/Fakaofo", utc("2011-12-30T11:00:00Z")),
        ("Pacific/Kwajalein", utc("1993-08-21T12:00:00Z")),
        ("Pacific/Kiritimati", utc("1994-12-31T10:00:00Z")),
        ("Asia/Pyongyang", utc("2015-08-14T15:00:00Z")),
        ("Asia/Pyongyang", utc("2018-05-04T15:00:00Z")),
        ("America/Caracas", utc("2016-05-01T07:00:00Z")),
        ("Antarctica/Casey", utc("2010-03-04T15:00:00Z")),
        ("America/Sao_Paulo", utc("2018-11-04T03:00:00Z")),
        ("America/Sao_Paulo", utc("2019-02-17T02:00:00Z")),
        ("Europe/Volgograd", utc("2020-12-26T22:00:00Z")),
        ("Africa/Juba", utc("2021-01-31T21:00:00Z")),
    ]);
    let mut minutes = 0;
    for (name, change) in &windows {
        let zone = zone(name);
        let (after, until) = (*change - TimeDelta::hours(6), *change + TimeDelta::hours(6));
        assert_ne!(offset_at(zone, *change - TimeDelta::seconds(1)), offset_at(zone, *change), "{name} {change}");
        for rule in DENSE.iter().chain(&["day 02:15,09:00", "30 2 * * *"]) {
            let recurrence = recurrence(rule, name);
            let found: Vec<_> =
                recurrence.upcoming(after).map(|found| found.at).take_while(|at| *at <= until).collect();
            assert_eq!(found, walk(&Matcher::of(rule), zone, after, until), "{rule} in {name} at {change}");
            // From within a repeated hour as well: nothing comes again.
            let within = *change + TimeDelta::seconds(90);
            let rest: Vec<_> = found.iter().copied().filter(|at| *at > within).collect();
            let again: Vec<_> =
                recurrence.upcoming(within).map(|found| found.at).take_while(|at| *at <= until).collect();
            assert_eq!(again, rest, "{rule} in {name} after {within}");
            minutes += 720;
        }
    }
    println!("{minutes} minutes walked in {} windows", windows.len());
    assert!(windows.len() > 90);
}

#[test]
fn daily_at_nine_is_nine_once_a_day_for_five_years() {
    let (first, last) = (NaiveDate::from_ymd_opt(2026, 12, 1).unwrap(), NaiveDate::from_ymd_opt(2031, 11, 30).unwrap());
    for name in ZONES {
        let recurrence = recurrence("day 09:00", name);
        let mut upcoming =
            recurrence.upcoming(utc("2026-11-20T00:00:00Z")).skip_while(|found| found.local.date() < first);
        for day in first.iter_days().take_while(|day| *day <= last) {
            let found = upcoming.next().unwrap();
            assert_eq!(found.local, day.and_hms_opt(9, 0, 0).unwrap(), "{name}");
            assert_eq!(found.note, None, "{name} {day}");
        }
    }
}

/// A small generator, so that a failure comes again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % limit).unwrap()
    }
}

#[test]
fn the_newest_and_the_number_of_a_span_agree_with_the_list() {
    let mut numbers = Numbers(27);
    let from = utc("2027-01-01T00:00:00Z");
    for name in ZONES {
        let changes: Vec<_> = Offsets::of(zone(name), from, from + TimeDelta::days(400)).changes().collect();
        for rule in RULES.iter().chain(&DENSE) {
            let recurrence = recurrence(rule, name);
            for _ in 0..4 {
                let middle = match changes.get(usize::try_from(numbers.below(6)).unwrap()) {
                    Some(change) => *change,
                    None => from + TimeDelta::seconds(numbers.below(400 * 86_400)),
                };
                let since = middle - TimeDelta::seconds(numbers.below(3 * 3600));
                let until = middle + TimeDelta::seconds(numbers.below(3 * 3600));
                let list: Vec<_> = recurrence.upcoming(since).take_while(|found| found.at <= until).collect();
                let place = format!("{rule} in {name} from {since} to {until}");
                assert_eq!(recurrence.count_between(since, until), list.len(), "{place}");
                assert_eq!(recurrence.latest_at_or_before(until, since), list.last().cloned(), "{place}");
            }
        }
    }
}

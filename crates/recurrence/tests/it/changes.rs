//! Clock changes, ends and limits, each by example.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use galley_recurrence::{COUNT_LIMIT, Recurrence};

use crate::{recurrence, request, utc};

/// `2027-03-28T03:00 +02:00 note`, as many as asked for.
fn told(recurrence: &Recurrence, after: &str, count: usize) -> Vec<String> {
    let line = |(text, offset, note): (String, String, Option<String>)| match note {
        None => format!("{text} {offset}"),
        Some(note) => format!("{text} {offset} {note}"),
    };
    let all = recurrence.upcoming(utc(after)).take(count);
    all.map(|found| line((found.local_text(), found.offset_text(), found.note))).collect()
}

fn check(rule: &str, zone: &str, after: &str, expected: &[&str]) {
    assert_eq!(told(&recurrence(rule, zone), after, expected.len()), expected, "{rule} in {zone}");
}

#[test]
fn an_hour_that_is_skipped_runs_at_the_next_minute_that_exists() {
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2027-03-27T12:00:00Z",
        &["2027-03-28T03:00 +02:00 02:30 does not exist on this day; runs at 03:00", "2027-03-29T02:30 +02:00"],
    );
    check(
        "day 02:15",
        "Australia/Lord_Howe",
        "2027-10-02T00:00:00Z",
        &["2027-10-03T02:30 +11:00 02:15 does not exist on this day; runs at 02:30", "2027-10-04T02:15 +11:00"],
    );
    check(
        "day 03:00",
        "Pacific/Chatham",
        "2027-09-25T00:00:00Z",
        &["2027-09-26T03:45 +13:45 03:00 does not exist on this day; runs at 03:45"],
    );
    check(
        "day 00:00",
        "Africa/Cairo",
        "2027-04-29T12:00:00Z",
        &["2027-04-30T01:00 +03:00 00:00 does not exist on this day; runs at 01:00"],
    );
    check(
        "day 23:30",
        "America/Nuuk",
        "2027-03-27T12:00:00Z",
        &[
            "2027-03-28T00:00 -01:00 2027-03-27 23:30 does not exist; runs at 2027-03-28 00:00",
            "2027-03-28T23:30 -01:00",
        ],
    );
}

#[test]
fn times_that_meet_after_a_gap_are_one() {
    check(
        "*/20 2,3 * * *",
        "America/New_York",
        "2027-03-14T05:00:00Z",
        &[
            "2027-03-14T03:00 -04:00 02:00 to 02:40 do not exist on this day; runs once, at 03:00",
            "2027-03-14T03:20 -04:00",
        ],
    );
    check(
        "0 2,3 * * *",
        "America/New_York",
        "2027-03-14T05:00:00Z",
        &["2027-03-14T03:00 -04:00 02:00 does not exist on this day; runs at 03:00", "2027-03-15T02:00 -04:00"],
    );
}

#[test]
fn an_hour_that_comes_twice_runs_once_the_first_time() {
    check(
        "30 1 * * *",
        "America/New_York",
        "2027-11-07T04:00:00Z",
        &["2027-11-07T01:30 -04:00 01:30 happens twice on this day; runs the first time", "2027-11-08T01:30 -05:00"],
    );
    let twice = |time| format!("2027-10-31T{time} +02:00 {time} happens twice on this day; runs the first time");
    let expected = [twice("02:00"), twice("02:15"), twice("02:30"), twice("02:45"), "2027-10-31T03:00 +01:00".into()];
    assert_eq!(told(&recurrence("*/15 * * * *", "Europe/Berlin"), "2027-10-30T23:59:00Z", 5), expected);
    let repeated = recurrence("*/15 * * * *", "Europe/Berlin").next(utc("2027-10-31T01:10:00Z")).unwrap();
    assert_eq!(repeated.at, utc("2027-10-31T02:00:00Z"), "asked within the second pass");
    check(
        "day 01:45",
        "Australia/Lord_Howe",
        "2027-04-03T12:00:00Z",
        &["2027-04-04T01:45 +11:00 01:45 happens twice on this day; runs the first time"],
    );
}

#[test]
fn a_day_that_is_skipped_runs_at_the_begin_of_the_next() {
    check(
        "day 09:00",
        "Pacific/Apia",
        "2011-12-29T00:00:00Z",
        &[
            "2011-12-29T09:00 -10:00",
            "2011-12-31T00:00 +14:00 2011-12-30 09:00 does not exist; runs at 2011-12-31 00:00",
            "2011-12-31T09:00 +14:00",
        ],
    );
    check(
        "0 */8 * * *",
        "Pacific/Kwajalein",
        "1993-08-21T05:00:00Z",
        &[
            "1993-08-22T00:00 +12:00 1993-08-21 00:00 to 1993-08-21 16:00 do not exist; runs once, at 1993-08-22 00:00",
            "1993-08-22T08:00 +12:00",
        ],
    );
}

#[test]
fn months_without_the_day_are_left_out_and_the_last_is_the_last() {
    check(
        "month 31,-1 12:00",
        "UTC",
        "2027-01-30T00:00:00Z",
        &["2027-01-31T12:00 +00:00", "2027-02-28T12:00 +00:00", "2027-03-31T12:00 +00:00", "2027-04-30T12:00 +00:00"],
    );
    check("month 30 12:00", "UTC", "2028-01-01T00:00:00Z", &["2028-01-30T12:00 +00:00", "2028-03-30T12:00 +00:00"]);
    check("0 9 * * FRI#L", "UTC", "2027-01-01T00:00:00Z", &["2027-01-29T09:00 +00:00", "2027-02-26T09:00 +00:00"]);
    check("0 9 * * 2#2", "UTC", "2027-01-01T00:00:00Z", &["2027-01-12T09:00 +00:00", "2027-02-09T09:00 +00:00"]);
    check("0 9 13 * FRI", "UTC", "2027-08-06T10:00:00Z", &["2027-08-13T09:00 +00:00", "2027-08-20T09:00 +00:00"]);
}

#[test]
fn rare_rules_are_found_within_the_horizon() {
    check("0 0 29 2 *", "UTC", "2028-03-01T00:00:00Z", &["2032-02-29T00:00 +00:00"]);
    check("0 0 * 2 SAT#5", "UTC", "2027-01-01T00:00:00Z", &["2048-02-29T00:00 +00:00", "2076-02-29T00:00 +00:00"]);
    assert_eq!(recurrence("0 0 29 2 *", "UTC").upcoming(utc("2026-01-01T00:00:00Z")).count(), 18, "until 2096");
}

#[test]
fn the_start_is_included_and_the_end_is_not() {
    let mut request = request("0 9 * * *", "Europe/Berlin");
    request.starts_at = Some(utc("2027-01-10T08:00:00Z"));
    request.ends_at = Some(utc("2027-01-12T08:00:00Z"));
    let both = request.check().unwrap();
    let all: Vec<_> = both.upcoming(DateTime::<Utc>::MIN_UTC).map(|found| found.at).collect();
    assert_eq!(all, [utc("2027-01-10T08:00:00Z"), utc("2027-01-11T08:00:00Z")]);
    let early = utc("2020-01-01T00:00:00Z");
    let latest = |until: &str| both.latest_at_or_before(utc(until), early).map(|found| found.at);
    assert_eq!(latest("2027-01-10T07:59:59Z"), None);
    assert_eq!(latest("2027-01-10T08:00:00Z"), Some(all[0]));
    assert_eq!(latest("2030-01-01T00:00:00Z"), Some(all[1]));
    assert_eq!(both.latest_at_or_before(utc("2030-01-01T00:00:00Z"), all[1]), None, "since is not included");
    assert_eq!(both.count_between(early, utc("2030-01-01T00:00:00Z")), 2);
    assert_eq!(both.count_between(all[0], all[1]), 1);
}

#[test]
fn no_time_is_too_far_and_no_span_too_long() {
    let begun = Instant::now();
    let minutely = recurrence("* * * * *", "Europe/Berlin");
    let (min, max) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    assert_eq!(minutely.next(min).unwrap().at, utc("1973-01-01T00:00:00Z"));
    assert_eq!(minutely.next(max), None);
    assert_eq!(minutely.latest_at_or_before(max, min).unwrap().at, utc("2099-12-31T23:59:00Z"));
    assert_eq!(minutely.latest_at_or_before(min, max), None);
    assert_eq!(minutely.latest_at_or_before(utc("1960-01-01T00:00:00Z"), min), None);
    assert_eq!(minutely.count_between(min, max), COUNT_LIMIT);
    assert_eq!(minutely.count_between(max, min), 0);
    let year = TimeDelta::days(365);
    let now = utc("2027-10-31T01:30:30Z");
    assert_eq!(minutely.latest_at_or_before(now, now - year).unwrap().at, utc("2027-10-31T00:59:00Z"));
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        for rule in ["* * * * *", "0 0 29 2 *", "0 0 * 2 MON#5", "day 00:00"] {
            let recurrence = recurrence(rule, zone);
            assert_eq!(recurrence.next(max), None);
            let newest = recurrence.latest_at_or_before(max, min).unwrap();
            assert_eq!(recurrence.next(newest.at), None, "{rule} in {zone}");
            assert_eq!(recurrence.latest_at_or_before(newest.at, min), Some(newest));
        }
    }
    // Seconds, not hours: a walk over these spans would be 67 million minutes each.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

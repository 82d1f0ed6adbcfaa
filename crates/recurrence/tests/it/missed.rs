//! What is decided about times that have come.

use chrono::{DateTime, TimeDelta, Utc};
use galley_recurrence::{COUNT_LIMIT, Decision, DueKind, Missed, MissedPolicy, MissedRequest, decide};

use crate::{recurrence, utc};

const LATE: Missed = Missed { policy: MissedPolicy::Late, within_hours: 24 };

fn of(policy: MissedPolicy) -> Missed {
    Missed { policy, ..LATE }
}

/// Daily at 09:00 UTC.
fn daily(last: &str, now: &str, missed: Missed) -> Decision {
    decide(&recurrence("0 9 * * *", "UTC"), utc(last), utc(now), missed)
}

/// Time, kind and seconds of each.
fn due(decision: &Decision) -> Vec<(DateTime<Utc>, DueKind, i64)> {
    decision.due.iter().map(|due| (due.occurrence.at, due.kind, due.late_seconds)).collect()
}

#[test]
fn within_the_grace_it_is_on_time() {
    for (now, seconds) in [("2027-01-01T09:00:00Z", 0), ("2027-01-01T09:00:59.9Z", 59), ("2027-01-01T09:01:00Z", 60)] {
        for policy in [MissedPolicy::Late, MissedPolicy::Skip, MissedPolicy::Ask] {
            let decision = daily("2027-01-01T08:59:00Z", now, of(policy));
            assert_eq!(due(&decision), [(utc("2027-01-01T09:00:00Z"), DueKind::OnTime, seconds)]);
            assert_eq!(decision.missed, None);
            assert_eq!(decision.last_considered, utc(now));
            assert_eq!(decision.next.unwrap().at, utc("2027-01-02T09:00:00Z"));
        }
    }
    let early = daily("2027-01-01T08:59:00Z", "2027-01-01T08:59:59.999Z", LATE);
    assert_eq!(early.due, None);
    assert_eq!(early.next.unwrap().at, utc("2027-01-01T09:00:00Z"));
}

#[test]
fn a_missed_span_is_one_run_none_or_one_question() {
    let (last, now) = ("2027-01-01T10:00:00Z", "2027-01-08T10:00:00Z");
    let newest = utc("2027-01-08T09:00:00Z");
    for (policy, expected) in [
        (MissedPolicy::Late, vec![(newest, DueKind::Late, 3600)]),
        (MissedPolicy::Skip, vec![]),
        (MissedPolicy::Ask, vec![(newest, DueKind::Ask, 3600)]),
    ] {
        let decision = daily(last, now, of(policy));
        assert_eq!(due(&decision), expected);
        let span = decision.missed.unwrap();
        assert_eq!((span.oldest, span.newest.at, span.times), (utc("2027-01-02T09:00:00Z"), newest, 7));
        assert_eq!(decision.last_considered, utc(now));
    }
}

#[test]
fn what_is_too_old_is_missed() {
    let within = |hours, now: &str| {
        let missed = Missed { policy: MissedPolicy::Late, within_hours: hours };
        daily("2027-01-01T08:00:00Z", now, missed).due.unwrap().kind
    };
    assert_eq!(within(1, "2027-01-01T10:00:00Z"), DueKind::Late);
    assert_eq!(within(1, "2027-01-01T10:00:01Z"), DueKind::Missed);
    assert_eq!(within(23, "2027-01-02T08:59:59Z"), DueKind::Missed);
    assert_eq!(within(24, "2027-01-02T08:59:59Z"), DueKind::Late);
}

/// Also when the newest came just now: of two times in a row, one is not missed alone.
#[test]
fn after_an_outage_the_newest_stands_for_all_that_have_come() {
    let minutely = recurrence("* * * * *", "UTC");
    let newest = utc("2027-01-01T00:00:00Z");
    for (since, times) in [("2026-12-31T23:58:30Z", 2), ("2026-01-01T00:00:00Z", COUNT_LIMIT)] {
        for (policy, expected) in [
            (MissedPolicy::Late, vec![(newest, DueKind::Late, 21)]),
            (MissedPolicy::Skip, vec![]),
            (MissedPolicy::Ask, vec![(newest, DueKind::Ask, 21)]),
        ] {
            let decision = decide(&minutely, utc(since), utc("2027-01-01T00:00:21Z"), of(policy));
            assert_eq!(due(&decision), expected, "{policy:?} since {since}");
            let span = decision.missed.unwrap();
            assert_eq!((span.newest.at, span.times), (newest, times), "counted no further");
            assert_eq!(decision.next.unwrap().at, utc("2027-01-01T00:01:00Z"));
        }
    }
    // The one that comes next is on time again.
    let decision =
        decide(&minutely, utc("2027-01-01T00:00:21Z"), utc("2027-01-01T00:01:00.2Z"), of(MissedPolicy::Skip));
    assert_eq!(due(&decision), [(utc("2027-01-01T00:01:00Z"), DueKind::OnTime, 0)]);
}

#[test]
fn a_clock_that_steps_back_gives_nothing_twice() {
    let hourly = recurrence("0 * * * *", "Europe/Berlin");
    let mut last = utc("2027-10-30T20:30:00Z");
    let mut ran = Vec::new();
    // The clock of the machine runs for six hours, and is set back by one in the middle.
    let minutes = (0..180).chain(120..360);
    for minute in minutes {
        let now = utc("2027-10-30T20:30:00Z") + TimeDelta::minutes(minute);
        let decision = decide(&hourly, last, now, LATE);
        assert!(decision.last_considered >= last);
        last = decision.last_considered;
        ran.extend(decision.due.iter().map(|due| (due.occurrence.at, due.kind)));
        assert!(decision.next.unwrap().at > last);
    }
    let on_time = |text| (utc(text), DueKind::OnTime);
    assert_eq!(
        ran,
        [
            on_time("2027-10-30T21:00:00Z"),
            on_time("2027-10-30T22:00:00Z"),
            on_time("2027-10-30T23:00:00Z"),
            on_time("2027-10-31T00:00:00Z"),
            on_time("2027-10-31T02:00:00Z"),
        ]
    );
}

#[test]
fn every_time_is_dealt_with_once_however_often_somebody_looks() {
    let recurrence = recurrence("*/7 * * * *", "Australia/Lord_Howe");
    let (start, end) = (utc("2027-04-03T10:00:00Z"), utc("2027-04-03T20:00:00Z"));
    for pause in [7, 30, 60] {
        let (mut last, mut ran) = (start, Vec::new());
        while last < end {
            let decision = decide(&recurrence, last, last + TimeDelta::seconds(pause), LATE);
            assert_eq!(decision.missed, None);
            last = decision.last_considered;
            ran.extend(decision.due.into_iter().map(|due| due.occurrence));
        }
        let all: Vec<_> = recurrence.upcoming(start).take_while(|found| found.at <= last).collect();
        assert_eq!(ran, all);
    }
}

#[test]
fn an_end_is_told_and_no_time_overflows() {
    let mut request = crate::request("0 9 * * *", "UTC");
    request.ends_at = Some(utc("2027-01-02T00:00:00Z"));
    let ending = request.check().unwrap();
    let decision = decide(&ending, utc("2027-01-01T08:00:00Z"), utc("2027-01-05T00:00:00Z"), LATE);
    assert_eq!(due(&decision), [(utc("2027-01-01T09:00:00Z"), DueKind::Missed, 87 * 3600)]);
    assert_eq!(decision.next, None);
    let (min, max) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    assert_eq!(decide(&ending, min, max, LATE).due.iter().len(), 1);
    assert_eq!(decide(&ending, max, min, LATE).due, None);
    assert_eq!(decide(&ending, min, min, LATE).due, None);
}

#[test]
fn the_policy_is_checked() {
    let check = |text: &str| {
        let request: MissedRequest = serde_json::from_str(text).unwrap();
        request.check().map_err(|wrong| wrong.into_iter().map(|error| error.field).collect::<Vec<_>>())
    };
    assert_eq!(check("{}"), Ok(Missed::default()));
    assert_eq!(Missed::default(), LATE);
    assert_eq!(check(r#"{"policy": "ask", "within_hours": 8760}"#).unwrap().within_hours, 8760);
    assert_eq!(
        check(r#"{"policy": "never", "within_hours": 0}"#).unwrap_err(),
        ["missed.policy", "missed.within_hours"]
    );
    assert!(check(r#"{"within_hours": 8761}"#).is_err());
    let text = serde_json::to_string(&of(MissedPolicy::Skip)).unwrap();
    assert_eq!(text, r#"{"policy":"skip","within_hours":24}"#);
    assert_eq!(serde_json::from_str::<Missed>(&text).unwrap(), of(MissedPolicy::Skip));
    assert!(serde_json::from_str::<Missed>(r#"{"within_hours": 0}"#).is_err());
}

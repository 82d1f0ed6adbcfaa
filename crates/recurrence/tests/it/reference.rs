//! Two other ways to the same answer, so slow or so simple that they are easy to believe.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use croner::Cron;

pub fn offset_at(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

pub fn local_at(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc() + TimeDelta::seconds(offset_at(zone, at).into())
}

/// A rule that is asked about one wall time, field by field: croner for cron, comparisons for the others.
pub enum Matcher {
    Cron(Box<Cron>),
    Rule { every: String, on: Vec<String>, at: Vec<NaiveTime> },
}

impl Matcher {
    pub fn of(rule: &str) -> Self {
        let words: Vec<&str> = rule.split(' ').collect();
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let times = |text: &str| text.split(',').map(|time| time.parse().unwrap()).collect();
        match words[..] {
            [every, at] => Self::Rule { every: every.into(), on: Vec::new(), at: times(at) },
            [every, on, at] => Self::Rule { every: every.into(), on: list(on), at: times(at) },
            _ => Self::Cron(Box::new(rule.parse().unwrap())),
        }
    }

    pub fn matches(&self, wall: NaiveDateTime) -> bool {
        match self {
            Self::Cron(cron) => cron.is_time_matching(&wall.and_utc()).unwrap(),
            Self::Rule { every, on, at } => at.contains(&wall.time()) && is_on(every, on, wall.date()),
        }
    }

    /// All walls of the rule: by croner over a clock that never changes, or day by day.
    pub fn walls(&self, from: NaiveDateTime, to: NaiveDateTime) -> Vec<NaiveDateTime> {
        match self {
            Self::Cron(cron) => {
                let all = cron.iter_from(from.and_utc(), croner::Direction::Forward).map(|at| at.naive_utc());
                all.take_while(|wall| *wall < to).collect()
            }
            Self::Rule { every, on, at } => {
                let days = from.date().iter_days().take_while(|day| *day <= to.date());
                days.filter(|day| is_on(every, on, *day))
                    .flat_map(|day| at.iter().map(move |time| day.and_time(*time)))
                    .filter(|wall| *wall >= from && *wall < to)
                    .collect()
            }
        }
    }
}

fn is_on(every: &str, on: &[String], day: NaiveDate) -> bool {
    let is_last = (day + TimeDelta::days(1)).month() != day.month();
    match every {
        "day" => true,
        "week" => on.iter().any(|name| name.parse::<Weekday>() == Ok(day.weekday())),
        _ => on.iter().any(|name| *name == day.day().to_string() || (is_last && name == "-1")),
    }
}

/// The offsets of a zone, each with the instant from which it holds; the first holds since ever.
pub struct Offsets(Vec<(DateTime<Utc>, i32)>);

impl Offsets {
    pub fn of(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let mut found = vec![(from, offset_at(zone, from))];
        let mut at = from;
        while at < to {
            let next = at + TimeDelta::days(1);
            if offset_at(zone, at) != offset_at(zone, next) {
                let change = (1..=1440).map(|minute| at + TimeDelta::minutes(minute));
                let change = change.into_iter().find(|change| offset_at(zone, *change) != offset_at(zone, at)).unwrap();
                found.push((change, offset_at(zone, change)));
            }
            at = next;
        }
        Self(found)
    }

    pub fn changes(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.0[1..].iter().map(|(at, _)| *at)
    }

    /// The first instant at which the clock shows `wall` or more.
    pub fn first_at(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        for (index, (from, offset)) in self.0.iter().enumerate() {
            let at = (wall - TimeDelta::seconds(i64::from(*offset))).and_utc();
            let at = if index == 0 { at } else { at.max(*from) };
            if self.0.get(index + 1).is_none_or(|(until, _)| at < *until) {
                return at;
            }
        }
        unreachable!("the last offset has no end")
    }
}

/// Walks the minutes between two instants and looks at the clock as somebody in that zone would: what it shows for the
/// first time comes, with all that it leaves out on the way; what it shows again does not.
pub fn walk(rule: &Matcher, zone: Tz, after: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let minute = TimeDelta::minutes(1);
    assert_eq!(after.second(), 0);
    let mut found = Vec::new();
    let mut shown = local_at(zone, after);
    let mut at = after;
    while at < until {
        at += minute;
        let wall = local_at(zone, at);
        let mut comes = false;
        while shown < wall {
            shown += minute;
            comes |= rule.matches(shown);
        }
        if comes {
            found.push(at);
        }
    }
    found
}

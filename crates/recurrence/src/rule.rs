//! The calendar rule: every day, week or month at these times.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{Datelike, NaiveDate, Weekday};
use galley_domain::order::Violations;
use serde::{Serialize, Serializer};

use crate::pattern::Pattern;
use crate::request::RuleRequest;

/// One for each hour.
const MOST_TIMES: usize = 24;
const EVERY_MONTH: u16 = 0xfff;
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What a rule repeats with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    Day,
    Week,
    Month,
}

/// A minute of the day, `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Minutes since midnight, 0 to 1439.
    pub fn minute_of_day(self) -> u16 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |text: &str, most: u16| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse::<u16>().ok()).flatten().filter(|number| *number <= most)
        };
        Some(Self(number(hour, 23)? * 60 + number(minute, 59)?))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A checked rule. Times, weekdays and days are distinct and in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalendarRule {
    pub every: Every,
    pub at: Vec<TimeOfDay>,
    /// Of a weekly rule.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "weekday_names")]
    pub weekdays: Vec<Weekday>,
    /// Of a monthly rule: 1 to 31, and -1 for the last day, which comes last. A month without the day is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<i8>,
}

fn weekday_names<S: Serializer>(weekdays: &[Weekday], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(weekdays.iter().map(|weekday| WEEKDAYS[weekday.num_days_from_monday() as usize]))
}

impl CalendarRule {
    pub(crate) fn pattern(&self) -> Pattern {
        let minutes = self.at.iter().map(|time| time.0).collect();
        Pattern::new(EVERY_MONTH, minutes, |day| match self.every {
            Every::Day => true,
            Every::Week => self.weekdays.contains(&day.weekday()),
            Every::Month => {
                let is_last = day.succ_opt().is_none_or(|next| next.month() != day.month());
                self.days.iter().any(|wanted| is_day(*wanted, day, is_last))
            }
        })
    }
}

fn is_day(wanted: i8, day: NaiveDate, is_last: bool) -> bool {
    if wanted == -1 { is_last } else { i64::from(wanted) == i64::from(day.day()) }
}

/// Reads a rule; nothing if something is wrong with it, which is then told.
pub(crate) fn parse(request: &RuleRequest, wrong: &mut Violations) -> Option<CalendarRule> {
    let every = match request.every.as_str() {
        "day" => Some(Every::Day),
        "week" => Some(Every::Week),
        "month" => Some(Every::Month),
        _ => {
            wrong.add("rule.every", "must be one of day, week, month");
            None
        }
    };
    let at = times(&request.at, wrong);
    let weekdays = weekdays(request.weekdays.as_deref(), every, wrong);
    let days = days(request.days.as_deref(), every, wrong);
    Some(CalendarRule { every: every?, at: at?, weekdays: weekdays?, days: days? })
}

fn times(given: &[String], wrong: &mut Violations) -> Option<Vec<TimeOfDay>> {
    let times = distinct("rule.at", given, MOST_TIMES, wrong, |text| {
        TimeOfDay::parse(text).ok_or_else(|| "is no time of a day; give HH:MM from 00:00 to 23:59".into())
    })?;
    Some(times.into_iter().collect())
}

fn weekdays(given: Option<&[String]>, every: Option<Every>, wrong: &mut Violations) -> Option<Vec<Weekday>> {
    let given = wanted("rule.weekdays", given, every, Every::Week, wrong)?;
    let found = distinct("rule.weekdays", given, WEEKDAYS.len(), wrong, |text| {
        let at = WEEKDAYS.iter().position(|name| name == text);
        at.ok_or_else(|| format!("must be one of {}", WEEKDAYS.join(", ")))
    })?;
    let weekday = |at| u8::try_from(at).ok().and_then(|at| Weekday::try_from(at).ok());
    Some(found.into_iter().filter_map(weekday).collect())
}

fn days(given: Option<&[i64]>, every: Option<Every>, wrong: &mut Violations) -> Option<Vec<i8>> {
    let given = wanted("rule.days", given, every, Every::Month, wrong)?;
    let found = distinct("rule.days", given, 32, wrong, |day| match day {
        -1 => Ok(i8::MAX),
        day => match i8::try_from(*day) {
            Ok(day @ 1..=31) => Ok(day),
            _ => Err("must be between 1 and 31, or -1 for the last day of the month".into()),
        },
    })?;
    Some(found.into_iter().map(|day| if day == i8::MAX { -1 } else { day }).collect())
}

/// What only one kind of rule has. There it must be; elsewhere it must not be.
fn wanted<'a, T>(
    field: &str,
    given: Option<&'a [T]>,
    every: Option<Every>,
    owner: Every,
    wrong: &mut Violations,
) -> Option<&'a [T]> {
    let name = if owner == Every::Week { "week" } else { "month" };
    match given {
        None if every == Some(owner) => {
            wrong.add(field, format!("is required when every is {name}"));
            None
        }
        Some([]) if every == Some(owner) => {
            wrong.add(field, format!("has no items; give at least one when every is {name}"));
            None
        }
        Some([_, ..]) if every.is_some_and(|every| every != owner) => {
            wrong.add(field, format!("is only for every {name}; leave it out"));
            None
        }
        given => Some(given.unwrap_or_default()),
    }
}

/// Each item read and met once; the path of an error names the item.
fn distinct<T, R: Ord + Clone>(
    field: &str,
    given: &[T],
    most: usize,
    wrong: &mut Violations,
    read: impl Fn(&T) -> Result<R, String>,
) -> Option<BTreeSet<R>> {
    if given.len() > most || (given.is_empty() && field == "rule.at") {
        wrong.add(field, format!("has {} items; give 1 to {most}", given.len()));
        return None;
    }
    let mut seen: Vec<(usize, R)> = Vec::new();
    let mut good = true;
    for (at, item) in given.iter().enumerate() {
        let problem = match read(item) {
            Ok(read) => match seen.iter().find(|(_, earlier)| *earlier == read) {
                Some((earlier, _)) => format!("is the same as {field}[{earlier}]; give it once"),
                None => {
                    seen.push((at, read));
                    continue;
                }
            },
            Err(problem) => problem,
        };
        good = false;
        wrong.add(format!("{field}[{at}]"), problem);
    }
    good.then(|| seen.into_iter().map(|(_, read)| read).collect())
}

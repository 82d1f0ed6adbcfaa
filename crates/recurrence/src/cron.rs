//! Cron with five fields. croner reads it; what croner is lenient about is refused here first.

use chrono::{Datelike, NaiveDate};
use croner::parser::{CronParser, Seconds, Year};
use croner::{CronPattern, Weekday};

use crate::pattern::Pattern;

/// Longer than any cron that somebody writes.
const CRON_CHARS: usize = 200;

struct Field {
    name: &'static str,
    min: u16,
    max: u16,
    /// The first stands for `min`.
    words: &'static [&'static str],
    example: &'static str,
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, words: &[], example: "0, 0,30, 10-20 or */15" },
    Field { name: "hour", min: 0, max: 23, words: &[], example: "9, 9,17, 9-17 or */2" },
    Field { name: "day of the month", min: 1, max: 31, words: &[], example: "1, 1,15, 1-7, */2 or L (the last)" },
    Field {
        name: "month",
        min: 1,
        max: 12,
        words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
        example: "1, JAN, 3,6,9,12, MAR-MAY or */3",
    },
    Field {
        name: "weekday",
        min: 0,
        max: 7,
        words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
        example: "1, MON, MON-FRI, MON#2 (the second) or FRI#L (the last)",
    },
];
const DAY: usize = 2;
const WEEKDAY: usize = 4;

/// Reads the five fields; gives them with single blanks between them, and the pattern.
///
/// As in Vixie cron: if both days are restricted, a day that matches one of them is enough.
pub(crate) fn parse(text: &str) -> Result<(String, Pattern), Vec<String>> {
    // croner writes in capitals and replaces names wherever they are; outside of ASCII that makes words of others.
    if !text.is_ascii() || text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(vec!["has characters that no cron has; give five fields such as 0 9 * * MON-FRI".into()]);
    }
    if text.len() > CRON_CHARS {
        return Err(vec![format!("has {} characters; give at most {CRON_CHARS}", text.len())]);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.is_empty() {
        return Err(vec!["must not be empty; give five fields such as 0 9 * * MON-FRI".into()]);
    }
    if let Some(nickname) = fields[0].strip_prefix('@') {
        let instead = match nickname.to_ascii_lowercase().as_str() {
            "hourly" => "0 * * * *",
            "weekly" => "0 0 * * SUN",
            "monthly" => "0 0 1 * *",
            "yearly" | "annually" => "0 0 1 1 *",
            _ => "0 0 * * *",
        };
        return Err(vec![format!("'{}' is a nickname; give the five fields, for example {instead}", fields[0])]);
    }
    if fields.len() != FIELDS.len() {
        let seconds = if fields.len() > FIELDS.len() { "; seconds and years cannot be said" } else { "" };
        return Err(vec![format!(
            "has {} fields; give five: minute, hour, day of the month, month, weekday{seconds}",
            fields.len()
        )]);
    }
    let wrong: Vec<String> = fields.iter().enumerate().filter_map(|(at, field)| check_field(at, field).err()).collect();
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let text = fields.join(" ");
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(&text).map_err(|error| vec![format!("is no cron: {error}")])?;
    Ok((text, pattern_of(&cron.pattern)))
}

fn check_field(at: usize, text: &str) -> Result<(), String> {
    let field = &FIELDS[at];
    text.split(',').try_for_each(|item| {
        check_item(at, item).map_err(|problem| {
            let (name, example) = (field.name, field.example);
            format!("{name} '{text}': {problem}; give for example {example}")
        })
    })
}

/// One of the items of a list: `*`, `5`, `MON`, `1-5`, `*/15`, `10-50/10`, and `L`, `FRI#L`, `5L`, `MON#2` for days.
fn check_item(at: usize, item: &str) -> Result<(), String> {
    let field = &FIELDS[at];
    if item.is_empty() {
        return Err("a list has nothing between two commas or at an end".into());
    }
    if item == "*" || (at == DAY && item.eq_ignore_ascii_case("L")) {
        return Ok(());
    }
    if let Some(character) = item.chars().find(|character| matches!(character, '?' | 'W' | 'w' | '+'))
        && value(field, item, false).is_err()
        && !item.to_ascii_uppercase().contains("WED")
    {
        return Err(format!("'{character}' is not supported"));
    }
    if at == WEEKDAY && item.eq_ignore_ascii_case("L") {
        return Err("L needs a weekday".into());
    }
    if at == WEEKDAY
        && let Some((weekday, nth)) = item.split_once('#')
    {
        value(field, weekday, false)?;
        let known = nth.eq_ignore_ascii_case("L") || matches!(nth, "1" | "2" | "3" | "4" | "5");
        return if known { Ok(()) } else { Err(format!("after # comes 1 to 5 or L, not '{nth}'")) };
    }
    if at == WEEKDAY
        && let Some(weekday) = item.strip_suffix(['L', 'l'])
    {
        return value(field, weekday, false).map(drop);
    }
    let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
    if let Some(step) = step {
        check_step(field, range, step)?;
    }
    match range.split_once('-') {
        Some((from, to)) => {
            let (from, to) = (value(field, from, false)?, value(field, to, true)?);
            if from > to { Err(format!("the range '{range}' ends before it begins")) } else { Ok(()) }
        }
        None if range == "*" => Ok(()),
        None => value(field, range, false).map(drop),
    }
}

fn check_step(field: &Field, range: &str, step: &str) -> Result<(), String> {
    if range != "*" && !range.contains('-') {
        return Err(format!("a step needs * or a range before it, such as {range}-{}/{step}", field.max));
    }
    // */90 would be taken and mean every hour: the step starts again with each hour.
    match number(step) {
        Some(step) if (1..=field.max).contains(&step) => Ok(()),
        _ => Err(format!("a step is between 1 and {}, not '{step}'", field.max)),
    }
}

fn number(text: &str) -> Option<u16> {
    (!text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// A number or a name. Sunday at the end of a range is 7, so that `FRI-SUN` is three days.
fn value(field: &Field, text: &str, ends_range: bool) -> Result<u16, String> {
    let word = field.words.iter().position(|word| word.eq_ignore_ascii_case(text));
    if let Some(at) = word.and_then(|at| u16::try_from(at).ok()) {
        return Ok(if at == 0 && field.min == 0 && ends_range { 7 } else { field.min + at });
    }
    match number(text) {
        Some(number) if (field.min..=field.max).contains(&number) => Ok(number),
        _ => Err(format!("'{text}' is not between {} and {}", field.min, field.max)),
    }
}

fn pattern_of(cron: &CronPattern) -> Pattern {
    let months = cron.months.values().into_iter().fold(0, |mask, month| mask | (1 << (month - 1)));
    let hours = cron.hours.values();
    let minutes = cron.minutes.values();
    let all = hours.iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect();
    Pattern::new(months, all, |day| matches(cron, day))
}

fn matches(cron: &CronPattern, day: NaiveDate) -> bool {
    let weekday = Weekday::from_days_from_sunday(day.weekday().num_days_from_sunday());
    // An error says that the date does not exist; every NaiveDate does.
    cron.day_match(day.year(), day.month(), day.day(), weekday).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(text).expect_err(text).join(" | ")
    }

    #[test]
    fn the_five_fields_are_taken_and_written_with_single_blanks() {
        for text in [
            "* * * * *",
            "0 9 * * MON-FRI",
            "0 9 * * mon,Wed,fri",
            "0 9 * * FRI-SUN",
            "*/15 8-18/2 1,15,L JAN-MAR,DEC 1#1,5L,FRI#L",
            "59 23 31 12 7",
            "0 0 29 FEB *",
            "0 0 * * WED#5",
        ] {
            assert_eq!(parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}")).0, text);
        }
        assert_eq!(parse(" 0\t9  *  * * ").unwrap().0, "0 9 * * *");
    }

    #[test]
    fn whatever_is_no_cron_says_why() {
        for (text, part) in [
            ("", "must not be empty"),
            ("0 9 * *", "has 4 fields; give five: minute, hour, day of the month, month, weekday"),
            ("0 0 9 * * *", "has 6 fields; give five: minute, hour, day of the month, month, weekday; seconds"),
            ("0 0 9 * * * 2027", "has 7 fields"),
            ("@daily", "'@daily' is a nickname; give the five fields, for example 0 0 * * *"),
            ("@hourly", "0 * * * *"),
            ("60 * * * *", "minute '60': '60' is not between 0 and 59; give for example"),
            ("* 24 * * *", "hour '24': '24' is not between 0 and 23"),
            ("* * 0 * *", "day of the month '0'"),
            ("* * * 13 *", "month '13'"),
            ("* * * * 8", "weekday '8'"),
            ("MON * * * *", "minute 'MON'"),
            ("* * JAN * *", "day of the month 'JAN'"),
            ("* * * * SUNMON", "weekday 'SUNMON'"),
            ("*/0 * * * *", "a step is between 1 and 59, not '0'"),
            ("*/90 * * * *", "a step is between 1 and 59, not '90'"),
            ("5/15 * * * *", "a step needs * or a range before it, such as 5-59/15"),
            ("/15 * * * *", "a step needs * or a range"),
            ("30-10 * * * *", "the range '30-10' ends before it begins"),
            ("0 9 * * FRI-MON", "the range 'FRI-MON' ends before it begins"),
            (", * * * *", "a list has nothing between two commas"),
            ("1,,2 * * * *", "a list has nothing between two commas"),
            ("0 9 15W * *", "'W' is not supported"),
            ("0 9 ? * MON", "'?' is not supported"),
            ("0 9 1 * +MON", "'+' is not supported"),
            ("0 9 * * L", "L needs a weekday"),
            ("0 9 * * MON#6", "after # comes 1 to 5 or L, not '6'"),
            ("0 9 L-3 * *", "day of the month 'L-3'"),
            ("L * * * *", "minute 'L'"),
            ("-1 * * * *", "minute '-1'"),
            ("1-2-3 * * * *", "minute '1-2-3'"),
            ("0.5 * * * *", "minute '0.5'"),
            ("H * * * *", "minute 'H'"),
            ("0 9 * * ſUN", "has characters that no cron has"),
            ("0 9 *\n* *", "has characters that no cron has"),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
        assert!(wrong(&"1,".repeat(200)).contains("give at most 200"));
    }

    #[test]
    fn all_wrong_fields_are_named() {
        assert_eq!(parse("60 24 32 13 8").unwrap_err().len(), 5);
    }
}

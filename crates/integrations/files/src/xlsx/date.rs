//! Dates and times, which a sheet counts in days.

/// Days from 1899-12-31 and from 1904-01-01 to the first of January 1970.
const DAYS_TO_1970: i64 = 25_568;
const DAYS_FROM_1904: i64 = 24_107;
/// The 31st of December 9999, after which no sheet shows a date.
const LAST_DAY: f64 = 2_958_465.0;

/// What of a date is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) years: bool,
    pub(super) months: bool,
    pub(super) days: bool,
    pub(super) clock: Option<Clock>,
}

/// What of a time is shown besides its minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) hours: bool,
    pub(super) seconds: bool,
}

/// A date as `2021-12-31`, with its time as `2021-12-31 14:30` where the sheet shows one, a time alone as `14:30`, a
/// month as `2021-12`. One form for all locales, because the format does not tell the locale. `None` for a number that
/// no date has.
pub(super) fn written(value: f64, from_1904: bool, shown: Shown) -> Option<String> {
    let Shown { years, months, days, clock } = shown;
    if !(0.0..=LAST_DAY).contains(&value) {
        return None;
    }
    let seconds_shown = clock.is_none_or(|clock| clock.seconds);
    // As a clock does: minutes that are not over are not rounded up, half seconds are.
    let unit = if seconds_shown { 1.0 } else { 60.0 };
    let in_units = (value * 86_400.0 / unit + if seconds_shown { 0.5 } else { 0.001 }).floor();
    let seconds = (in_units * unit) as i64;
    let (serial, seconds) = (seconds / 86_400, seconds % 86_400);
    let from_1970 = match serial {
        _ if from_1904 => serial - DAYS_FROM_1904,
        // Excel has a 29th of February 1900, as Lotus did.
        ..60 => serial - DAYS_TO_1970,
        _ => serial - DAYS_TO_1970 - 1,
    };
    let (year, month, day) = civil(from_1970);
    let date = match (years, months, days) {
        (false, false, false) => String::new(),
        (true, false, false) => format!("{year:04}"),
        (_, true, false) => format!("{year:04}-{month:02}"),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    };
    let Some(clock) = clock else { return Some(date) };
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let time = match clock {
        Clock { hours: true, seconds: false } => format!("{hour:02}:{minute:02}"),
        Clock { hours: true, .. } if second == 0 => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    Some(if date.is_empty() { time } else { format!("{date} {time}") })
}

/// A duration, in the largest unit that is shown: `36:00:00` hours, or `720:00` minutes.
pub(super) fn elapsed(value: f64, largest: char, shows_seconds: bool) -> String {
    let seconds = (value.abs() * 86_400.0).round() as u64;
    let sign = if value < 0.0 && seconds > 0 { "-" } else { "" };
    match largest {
        'h' if !shows_seconds => format!("{sign}{}:{:02}", seconds / 3_600, seconds / 60 % 60),
        'h' => format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
        'm' => format!("{sign}{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{sign}{seconds}"),
    }
}

/// Year, month and day of a day counted from the first of January 1970 (Hinnant, `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

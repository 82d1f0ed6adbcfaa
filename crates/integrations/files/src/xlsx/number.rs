//! Numbers by the pieces of a format code.

use super::format::Part;

/// How a digit is shown that a number does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// As a zero.
    Always,
    /// Not at all.
    IfAny,
    /// As a space.
    Space,
}

/// A sheet keeps this many digits of a number.
const DIGITS: usize = 15;
/// As many characters has a number without a format, its sign apart.
const GENERAL_WIDTH: usize = 10;

/// A number without a format, as wide as a cell shows it.
pub(super) fn general(value: f64) -> String {
    let value = kept(value);
    let size = value.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    if size >= 1e15 {
        return scientific(value);
    }
    let whole = format!("{:.0}", size.trunc()).len();
    let text = trimmed(format!("{value:.*}", GENERAL_WIDTH.saturating_sub(whole).min(9)));
    let is_exact = text.parse().is_ok_and(|shown: f64| shown == value);
    if size < 1e-4 && !is_exact { scientific(value) } else { text }
}

/// With the digits that a sheet keeps.
fn kept(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.5e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}E{sign}{:02}", trimmed(digits.to_owned()), exponent.abs())
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A number by the pieces of the section for it. Empty where they show nothing.
pub(super) fn written(value: f64, parts: &[Part]) -> String {
    let is_digit = |part: &Part| matches!(part, Part::Digit(_));
    let first = parts.iter().position(is_digit);
    let last = parts.iter().rposition(is_digit);
    let (Some(first), Some(last)) = (first, last) else { return without_digits(value, parts) };
    let percents = parts.iter().filter(|part| **part == Part::Percent).count();
    let point = parts.iter().position(|part| *part == Part::Point).filter(|at| *at < last + 2);
    let exponent = parts.iter().position(|part| matches!(part, Part::Exponent(_)));
    let slash = parts.iter().position(|part| *part == Part::Slash);
    let slash = slash.filter(|at| parts[..*at].iter().any(is_digit) && has_divisor(&parts[at + 1..]));
    let end_of_whole = point.or(exponent).unwrap_or(last + 1);
    let last_whole = parts[..end_of_whole].iter().rposition(is_digit);
    // A comma behind the digits divides by a thousand, one among them separates thousands.
    let after_whole = last_whole.map_or(first, |at| at + 1);
    let thousands = parts[after_whole..].iter().take_while(|part| **part == Part::Comma).count();
    let behind_decimals =
        parts.get(last + 1..).unwrap_or_default().iter().take_while(|part| **part == Part::Comma).count();
    let divisions = if point.is_some() { behind_decimals.max(thousands) } else { thousands };
    let is_grouped = parts[first..after_whole.max(first)].contains(&Part::Comma);
    let scaled = value * 100_f64.powi(i32::try_from(percents).unwrap_or(0))
        / 1000_f64.powi(i32::try_from(divisions).unwrap_or(0));
    if !scaled.is_finite() {
        return general(value);
    }
    if let Some(slash) = slash {
        return fraction(scaled, parts, slash);
    }
    match exponent {
        Some(at) => in_powers(scaled, parts, at),
        None => plain(scaled, parts, is_grouped),
    }
}

/// A section of words, or of nothing.
fn without_digits(value: f64, parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::General | Part::Text => out.push_str(&general(value)),
            Part::Literal(text) => out.push_str(text),
            Part::Percent => out.push('%'),
            Part::Slash => out.push('/'),
            Part::Point => out.push('.'),
            Part::Comma => out.push(','),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// Whole digits and decimals of a number without its sign, rounded as a sheet rounds: by the digits that it keeps.
fn rounded(value: f64, decimals: usize) -> (String, String) {
    let exact = kept(value.abs());
    // Rust rounds the binary value: 1.005 would be 1.00.
    let nudged = if exact >= 1e15 { exact } else { exact + exact * 1e-15 };
    let text = format!("{nudged:.decimals$}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut whole = whole.to_owned();
    if whole.len() > DIGITS {
        // Digits that the sheet does not keep are zeros, whatever the binary value has there.
        let digits = format!("{exact:.*e}", DIGITS - 1);
        let kept: String = digits.chars().take_while(|c| *c != 'e').filter(char::is_ascii_digit).collect();
        whole = format!("{kept:0<width$}", width = whole.len());
    }
    (whole, fraction.to_owned())
}

fn plain(value: f64, parts: &[Part], is_grouped: bool) -> String {
    let point = parts.iter().position(|part| *part == Part::Point);
    let (before, after) = parts.split_at(point.unwrap_or(parts.len()));
    let places = |parts: &[Part]| parts.iter().filter(|part| matches!(part, Part::Digit(_))).count();
    let decimals = places(after).min(DIGITS * 2);
    let (whole, fraction) = rounded(value, decimals);
    let mut out = String::new();
    let is_zero = whole.bytes().chain(fraction.bytes()).all(|byte| byte == b'0');
    if value < 0.0 && !is_zero {
        out.push('-');
    }
    let whole = if whole == "0" { "" } else { whole.as_str() };
    write_whole(&mut out, whole, before, places(before), is_grouped);
    write_decimals(&mut out, &fraction, after);
    out.trim().to_owned()
}

/// The places are filled from the right; the first takes all digits that are left.
fn write_whole(out: &mut String, digits: &str, parts: &[Part], places: usize, is_grouped: bool) {
    let width = digits.len().max(places);
    // From the left: a place that has no digit of the number.
    let mut at = 0;
    let push = |out: &mut String, at: usize, place: Place| {
        let shown = match at.checked_sub(width - digits.len()) {
            Some(index) => digits.as_bytes().get(index).map(|byte| char::from(*byte)),
            None if place == Place::Always => Some('0'),
            None => None,
        };
        let Some(digit) = shown else { return };
        out.push(digit);
        let left = width - at - 1;
        if is_grouped && left > 0 && left.is_multiple_of(3) {
            out.push(',');
        }
    };
    for part in parts {
        match part {
            Part::Digit(place) => {
                let end = if at == 0 { width - places.saturating_sub(1) } else { at + 1 };
                for position in at..end.min(width) {
                    push(out, position, *place);
                }
                at = end;
            }
            Part::Literal(text) => out.push_str(text),
            Part::Percent => out.push('%'),
            Part::Slash => out.push('/'),
            _ => {}
        }
    }
    if places == 0 {
        out.push_str(digits);
    }
}

fn write_decimals(out: &mut String, fraction: &str, parts: &[Part]) {
    let mut digits = fraction.chars();
    let mut open: Vec<(Place, char)> = Vec::new();
    let mut tail = String::new();
    for part in parts {
        match part {
            Part::Digit(place) => open.extend(digits.next().map(|digit| (*place, digit))),
            Part::Literal(text) => tail.push_str(text),
            Part::Percent => tail.push('%'),
            Part::Slash => tail.push('/'),
            _ => {}
        }
    }
    while open.last().is_some_and(|(place, digit)| *digit == '0' && *place != Place::Always) {
        open.pop();
    }
    if !open.is_empty() {
        out.push('.');
        out.extend(open.iter().map(|(_, digit)| *digit));
    }
    out.push_str(&tail);
}

/// `1.50E+09`; with several whole digits the exponent is a multiple of their number.
fn in_powers(value: f64, parts: &[Part], at: usize) -> String {
    let (mantissa, exponent) = (&parts[..at], &parts[at + 1..]);
    let whole = mantissa.iter().take_while(|part| **part != Part::Point);
    let step = i32::try_from(whole.filter(|part| matches!(part, Part::Digit(_))).count()).unwrap_or(1).max(1);
    let exact = format!("{:e}", value.abs());
    let mut power: i32 = exact.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    power = power.div_euclid(step) * step;
    let mut shown = plain(value / 10_f64.powi(power), mantissa, false);
    if step == 1 && shown.trim_start_matches('-').starts_with("10") {
        power += 1;
        shown = plain(value / 10_f64.powi(power), mantissa, false);
    }
    let places = exponent.iter().filter(|part| matches!(part, Part::Digit(_))).count();
    let sign = match (power < 0, &parts[at]) {
        (true, _) => "-",
        (false, Part::Exponent(true)) => "+",
        _ => "",
    };
    let tail: String =
        exponent.iter().map(|part| if let Part::Literal(text) = part { text.as_str() } else { "" }).collect();
    format!("{shown}E{sign}{:0places$}{tail}", power.abs()).trim().to_owned()
}

/// A divisor is written as places or as a number.
fn has_divisor(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Digit(_) => true,
        Part::Literal(text) => text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty(),
        _ => false,
    })
}

/// `2 1/2`, by the nearest fraction whose divisor has as many digits as there are places, or with the divisor written.
fn fraction(value: f64, parts: &[Part], slash: usize) -> String {
    let fixed: String = parts[slash + 1..]
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::Digit(Place::Always) => "0",
            _ => "",
        })
        .collect();
    let places = parts[slash + 1..].iter().filter(|part| matches!(part, Part::Digit(_))).count();
    let size = value.abs();
    if size >= 1e9 {
        return general(value);
    }
    // Over a number in front of the fraction there are digits, something else, and digits.
    let has_whole = parts[..slash].windows(2).any(|two| matches!(two, [Part::Digit(_), Part::Literal(_)]));
    let whole = if has_whole { size.trunc() } else { 0.0 };
    let rest = size - whole;
    let (mut over, under) = match fixed.trim().parse::<u32>().ok().filter(|under| (1..=9_999).contains(under)) {
        Some(under) => ((rest * f64::from(under)).round(), under),
        None => nearest(rest, 10_u32.pow(u32::try_from(places.clamp(1, 3)).unwrap_or(1)) - 1),
    };
    let mut whole = whole;
    if has_whole && over >= f64::from(under) {
        whole += 1.0;
        over = 0.0;
    }
    let sign = if value < 0.0 && (whole > 0.0 || over > 0.0) { "-" } else { "" };
    match (whole > 0.0, over > 0.0) {
        (false, false) => "0".to_owned(),
        (true, false) => format!("{sign}{whole}"),
        (false, true) => format!("{sign}{over}/{under}"),
        (true, true) => format!("{sign}{whole} {over}/{under}"),
    }
}

fn nearest(value: f64, most: u32) -> (f64, u32) {
    let mut best = (value.round(), 1, (value - value.round()).abs());
    for under in 2..=most {
        let over = (value * f64::from(under)).round();
        let off = (value - over / f64::from(under)).abs();
        if off + 1e-12 < best.2 {
            best = (over, under, off);
        }
    }
    (best.0, best.1)
}

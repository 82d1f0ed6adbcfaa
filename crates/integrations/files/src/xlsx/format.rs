//! Numbers and dates as a sheet shows them, by the format code of the cell (ECMA-376 part 1, 18.8.31).

use calamine::ExcelDateTime;

/// One piece of the part of a code that applies.
#[derive(Debug, PartialEq)]
enum Piece {
    Literal(String),
    /// The digits; decimals shown and, of those, how many always; thousands separated.
    Digits {
        decimals: usize,
        fixed: usize,
        grouped: bool,
    },
    Percent,
}

/// A number by its code: decimals, thousands, percent and currency as written there. Codes for fractions, exponents and
/// text show the number as it is.
pub(super) fn number(value: f64, code: Option<&str>) -> String {
    let code = code.unwrap_or("General");
    let sections = sections(code);
    let (section, value) = match (value < 0.0, sections.get(1), sections.get(2)) {
        // The section for negative numbers has its own sign.
        (true, Some(negative), _) if !negative.is_empty() => (*negative, -value),
        (false, _, Some(zero)) if value == 0.0 && !zero.is_empty() => (*zero, value),
        _ => (sections[0], value),
    };
    let shown = pieces(section).and_then(|pieces| written(value, &pieces));
    shown.unwrap_or_else(|| general(value))
}

/// A date as `2021-12-31`, with its time as `2021-12-31 14:30` where the sheet shows one, a time alone as `14:30`, a
/// duration as hours, minutes and seconds. One form for all locales, because the code does not tell the locale.
pub(super) fn date(time: &ExcelDateTime, code: Option<&str>) -> String {
    let value = time.as_f64();
    if !value.is_finite() {
        return String::new();
    }
    if time.is_duration() {
        let seconds = (value.abs() * 86_400.0).round() as u64;
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let shows = |letters: [char; 2]| code.is_some_and(|code| bare(code).contains(letters));
    let (shows_day, shows_time) = (shows(['y', 'd']), shows(['h', 's']));
    let date = format!("{year:04}-{month:02}-{day:02}");
    let clock =
        if second == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") };
    match (shows_day, shows_time) {
        (false, true) => clock,
        (false, false) if value.abs() < 1.0 => clock,
        (true, true) => format!("{date} {clock}"),
        _ => date,
    }
}

/// The shortest form with the 15 digits that Excel keeps.
fn general(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let rounded: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    match rounded.abs() {
        size if size != 0.0 && !(1e-9..1e15).contains(&size) => format!("{rounded:e}"),
        _ => format!("{}", if rounded == 0.0 { 0.0 } else { rounded }),
    }
}

fn written(value: f64, pieces: &[Piece]) -> Option<String> {
    let scaled = if pieces.contains(&Piece::Percent) { value * 100.0 } else { value };
    if !scaled.is_finite() || scaled.abs() >= 1e15 {
        return None;
    }
    let mut out = String::new();
    let mut has_digits = false;
    for piece in pieces {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Percent => out.push('%'),
            Piece::Digits { .. } if has_digits => return None,
            Piece::Digits { decimals, fixed, grouped } => {
                has_digits = true;
                out.push_str(&digits(scaled, *decimals, *fixed, *grouped));
            }
        }
    }
    has_digits.then(|| out.trim().to_owned())
}

fn digits(value: f64, decimals: usize, fixed: usize, grouped: bool) -> String {
    // Rust rounds the binary value, Excel the 15 decimal digits that it shows: 1.005 is 1.01 there.
    let exact: f64 = format!("{value:.14e}").parse().unwrap_or(value);
    let nudged = exact + exact.signum() * exact.abs() * 1e-15;
    let mut text = format!("{nudged:.decimals$}");
    if let Some(point) = text.find('.') {
        let mut end = text.len();
        while end > point + 1 + fixed && text.as_bytes()[end - 1] == b'0' {
            end -= 1;
        }
        text.truncate(if end == point + 1 { point } else { end });
    }
    if text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'0' | b'.'))) {
        text.remove(0);
    }
    if !grouped {
        return text;
    }
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// The sections of a code: positive; negative; zero; text.
fn sections(code: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' if !quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                sections.push(&code[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    sections.push(&code[start..]);
    sections
}

/// `None` for a code that is not plain digits.
fn pieces(section: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut chars = section.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => pieces.push(Piece::Literal(chars.by_ref().take_while(|c| *c != '"').collect())),
            '\\' => pieces.extend(chars.next().map(|c| Piece::Literal(c.to_string()))),
            // A space as wide as the next character; the next character as often as it fits.
            '_' | '*' => {
                chars.next();
                pieces.push(Piece::Literal(" ".to_owned()));
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // `[$€-407]` is a currency with a locale; colours and conditions show nothing.
                if let Some(currency) = inside.strip_prefix('$') {
                    pieces.push(Piece::Literal(currency.split('-').next().unwrap_or_default().to_owned()));
                }
            }
            '%' => pieces.push(Piece::Percent),
            '0' | '#' | '?' | '.' => {
                let mut run = c.to_string();
                while let Some(next) = chars.next_if(|next| matches!(next, '0' | '#' | '?' | '.' | ',')) {
                    run.push(next);
                }
                // A comma at the end divides by a thousand.
                if run.ends_with(',') {
                    return None;
                }
                let decimals = run.split_once('.').map_or("", |(_, decimals)| decimals);
                let fixed = decimals.bytes().filter(|byte| *byte == b'0').count();
                pieces.push(Piece::Digits { decimals: decimals.len().min(15), fixed, grouped: run.contains(',') });
            }
            '/' | '@' => return None,
            c if c.is_ascii_alphabetic() => return None,
            c => pieces.push(Piece::Literal(c.to_string())),
        }
    }
    Some(pieces)
}

/// The letters of a code without what is quoted, escaped or in brackets, in lower case.
fn bare(code: &str) -> String {
    let mut out = String::new();
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    for c in sections(code)[0].chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' if !quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracket = true,
            ']' if !quoted => bracket = false,
            c if !quoted && !bracket => out.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_look_as_in_the_sheet() {
        for (value, code, wanted) in [
            (44_561.0, "General", "44561"),
            (0.1 + 0.2, "General", "0.3"),
            (-0.0, "General", "0"),
            (1e20, "General", "1e20"),
            (12.5, "0.00", "12.50"),
            (1.005, "0.00", "1.01"),
            (1_234_567.891, "#,##0.00", "1,234,567.89"),
            (-999.0, "#,##0", "-999"),
            (-1_234.5, "#,##0.00;(#,##0.00)", "(1,234.50)"),
            (0.256, "0.0%", "25.6%"),
            (19.9, "#,##0.00\\ [$€-407]", "19.90 €"),
            (19.9, "\"$\"0.00", "$19.90"),
            (3.0, "0.##", "3"),
            (3.2, "0 \"pcs\"", "3 pcs"),
            (0.0, "0;-0;\"none\"", "0"),
            (-0.001, "0.0", "0.0"),
            (2.5, "# ?/?", "2.5"),
            (1.5e9, "0.00E+00", "1500000000"),
            (12_000.0, "0,", "12000"),
            (f64::NAN, "0.00", ""),
        ] {
            assert_eq!(number(value, Some(code)), wanted, "{value} {code}");
        }
    }

    #[test]
    fn dates_and_times_have_one_form() {
        for (value, code, wanted) in [
            (44_561.0, "mm-dd-yy", "2021-12-31"),
            (44_561.604_166_667, "m/d/yy h:mm", "2021-12-31 14:30"),
            (0.604_166_667, "h:mm", "14:30"),
            (44_561.0, "yyyy\"h\"", "2021-12-31"),
            (-5.0, "mmm-yy", "1899-12-31"),
        ] {
            let time = ExcelDateTime::new(value, ExcelDateTimeType::DateTime, false);
            assert_eq!(date(&time, Some(code)), wanted, "{value} {code}");
        }
        let duration = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(date(&duration, Some("[h]:mm:ss")), "36:00:00");
    }
}

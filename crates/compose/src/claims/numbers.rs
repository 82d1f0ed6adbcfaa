//! Numbers with their units, and dates, as they stand in running text.

use super::units::{month, scale_of, unit_of};
use crate::lexicon;

/// A number: its value, scaled by `million` and the like; a second reading where `1.200` may be either; its unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub readings: Vec<f64>,
    pub unit: Option<&'static str>,
    /// What is counted: the word behind it, in lower case, where that is no unit.
    pub noun: String,
    pub raw: String,
}

/// A date with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: Option<u32>,
    pub month: Option<u32>,
    pub day: Option<u32>,
    pub raw: String,
}

/// A token with digits that is not a plain number: `COVID-19`, `14:30`, `3.11.2`, `B2B`. Lower case.
pub(crate) type Code = String;

#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub numbers: Vec<Number>,
    pub dates: Vec<Date>,
    pub codes: Vec<Code>,
}

/// A piece of text between white space, without what encloses it.
#[derive(Debug, Clone, Copy)]
struct Chunk<'a> {
    text: &'a str,
    /// A sign of the end of a clause followed it, so that the next chunk is not its unit.
    stops: bool,
}

/// Reads all numbers, dates and codes of a text. `numerals` are the words for numbers in its language.
pub(crate) fn read(text: &str, numerals: &[(&str, u32)]) -> Figures {
    let spaced = text.replace(['\u{a0}', '\u{202f}', '\u{2009}'], "\u{a0}");
    let chunks = chunks(&spaced);
    let mut figures = Figures::default();
    let mut at = 0;
    while at < chunks.len() {
        if let Some((date, taken)) = date(&chunks[at..]) {
            figures.dates.push(date);
            at += taken;
            continue;
        }
        at += figure(&chunks, at, numerals, &mut figures).max(1);
    }
    spread_units(&mut figures.numbers);
    figures
}

fn chunks(text: &str) -> Vec<Chunk<'_>> {
    text.split(|c: char| c.is_whitespace() && c != '\u{a0}')
        .flat_map(|c| c.split(['–', '—', '|', '/', '\u{2012}']).flat_map(halves))
        .flat_map(|c| glued(c).into_iter().flatten())
        .map(|c| {
            let stops = c.ends_with([',', ';', '.', ':', ')']);
            let text = c.trim_matches(|c: char| {
                !c.is_alphanumeric() && !matches!(c, '%' | '€' | '$' | '£' | '-' | '−' | '+' | '°')
            });
            Chunk { text, stops }
        })
        .filter(|c| !c.text.is_empty())
        .collect()
}

/// `5-10` is a range of two; `2021-05-03` and `COVID-19` stay whole.
fn halves(chunk: &str) -> Vec<&str> {
    let digits = |t: &str| {
        t.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '€' | '$' | '£' | '('))
            && t.chars().any(|c| c.is_ascii_digit())
    };
    match chunk.split_once('-') {
        Some((a, b)) if digits(a) && digits(b) && !b.contains('-') => vec![a, b],
        // `3-day`: the unit hangs on the number.
        Some((a, b)) if digits(a) && b.starts_with(char::is_alphabetic) => vec![a, b],
        _ => vec![chunk],
    }
}

/// Thousands and units held together by a no-break space: a number group stays, a unit is cut off.
fn glued(chunk: &str) -> [Option<&str>; 2] {
    match chunk.rsplit_once('\u{a0}') {
        Some((a, b)) if !b.starts_with(|c: char| c.is_ascii_digit()) => [Some(a), Some(b)],
        _ => [Some(chunk), None],
    }
}

fn year(chunk: &str) -> Option<u32> {
    (chunk.len() == 4).then(|| chunk.parse().ok()).flatten().filter(|y| (1000..2200).contains(y))
}

fn day(chunk: &str) -> Option<u32> {
    let bare = chunk.trim_end_matches(|c: char| !c.is_ascii_digit());
    let suffix = &chunk[bare.len()..];
    let plain = matches!(suffix, "" | "." | "st" | "nd" | "rd" | "th" | "er" | "º");
    (plain && bare.len() <= 2).then(|| bare.parse().ok()).flatten().filter(|d| (1..=31).contains(d))
}

/// A date at the start of `chunks` and how many of them it takes.
fn date(chunks: &[Chunk<'_>]) -> Option<(Date, usize)> {
    let text = |i: usize| chunks.get(i).map_or("", |c| c.text);
    if let Some(found) = numeric_date(text(0)) {
        return Some((found, 1));
    }
    let raw = |n: usize| chunks[..n].iter().map(|c| c.text).collect::<Vec<_>>().join(" ");
    let of = |i: usize| usize::from(matches!(lexicon::lower(text(i)).as_str(), "of" | "de" | "del"));
    // 3 May 2021, 3. Mai 2021, 3 de mayo de 2021
    if let Some(day) = day(text(0)) {
        let at = 1 + of(1);
        if let Some(month) = month(text(at)) {
            let next = at + 1 + of(at + 1);
            let year = year(text(next));
            let taken = if year.is_some() { next + 1 } else { at + 1 };
            return Some((Date { year, month: Some(month), day: Some(day), raw: raw(taken) }, taken));
        }
    }
    // May 3, 2021; May 2021; May alone is a month only where it has a capital and stands within a sentence.
    let month = month(text(0))?;
    if let Some(day) = day(text(1)) {
        let year = year(text(2));
        let taken = if year.is_some() { 3 } else { 2 };
        return Some((Date { year, month: Some(month), day: Some(day), raw: raw(taken) }, taken));
    }
    let next = 1 + of(1);
    let year = year(text(next))?;
    Some((Date { year: Some(year), month: Some(month), day: None, raw: raw(next + 1) }, next + 1))
}

/// `2021-05-03`, `03.05.2021`.
fn numeric_date(chunk: &str) -> Option<Date> {
    let date = |year: u32, month: u32, day: u32| {
        let sound = (1000..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        sound.then(|| Date { year: Some(year), month: Some(month), day: Some(day), raw: chunk.to_owned() })
    };
    let parts = |mark: char| -> Option<Vec<u32>> { chunk.split(mark).map(|p| p.parse().ok()).collect() };
    match (parts('-').as_deref(), parts('.').as_deref()) {
        (Some([y, m, d]), _) => date(*y, *m, *d),
        (_, Some([d, m, y])) => date(*y, *m, *d),
        _ => None,
    }
}

/// Reads the chunk at `at` as a number with its scale and unit, a numeral or a code. Returns how many were taken.
fn figure(chunks: &[Chunk<'_>], at: usize, numerals: &[(&str, u32)], figures: &mut Figures) -> usize {
    let chunk = chunks[at];
    if !chunk.text.contains(|c: char| c.is_ascii_digit()) {
        let lower = lexicon::lower(chunk.text);
        if let Some((_, value)) = numerals.iter().find(|(word, _)| *word == lower) {
            let (scale, unit, taken) = behind(chunks, at + 1, chunk.stops);
            let noun = noun(chunks, at + 1 + taken, chunk.stops || unit.is_some());
            figures.numbers.push(Number {
                readings: vec![f64::from(*value) * scale],
                unit,
                noun,
                raw: chunk.text.to_owned(),
            });
            return 1 + taken;
        }
        return 1;
    }
    let Some((mut readings, prefix, suffix)) = plain_number(chunk.text) else {
        figures.codes.push(lexicon::lower(chunk.text.trim_start_matches(['-', '+'])));
        return 1;
    };
    let (mut scale, mut unit, mut taken) = (1.0, unit_of(prefix).or_else(|| unit_of(suffix)), 0);
    if unit_of(suffix).is_none() && !suffix.is_empty() {
        match scale_of(suffix) {
            Some(found) => scale = found,
            None if !matches!(
                suffix,
                "s" | "st" | "nd" | "rd" | "th" | "er" | "e" | "ème" | "x" | "+" | "º" | "ª" | "'s"
            ) =>
            {
                figures.codes.push(lexicon::lower(chunk.text));
                return 1;
            }
            None => {}
        }
    }
    if unit.is_none() || scale_follows(chunks, at + 1) {
        let (more, found, n) = behind(chunks, at + 1, chunk.stops);
        scale *= more;
        unit = unit.or(found);
        taken = n;
    }
    for value in &mut readings {
        *value *= scale;
    }
    let raw = chunks[at..=at + taken].iter().map(|c| c.text).collect::<Vec<_>>().join(" ");
    let stopped = chunks[at + taken].stops || unit.is_some();
    let noun = noun(chunks, at + 1 + taken, stopped);
    figures.numbers.push(Number { readings, unit, noun, raw });
    1 + taken
}

/// The word behind a number, in lower case; empty where another clause or number begins.
fn noun(chunks: &[Chunk<'_>], at: usize, stopped: bool) -> String {
    let word = chunks.get(at).filter(|_| !stopped).map_or("", |c| c.text);
    if word.chars().all(|c| c.is_alphabetic()) { lexicon::lower(word) } else { String::new() }
}

fn scale_follows(chunks: &[Chunk<'_>], at: usize) -> bool {
    at > 0 && !chunks[at - 1].stops && chunks.get(at).is_some_and(|c| scale_of(c.text).is_some())
}

/// The scale and unit that stand behind a number.
fn behind(chunks: &[Chunk<'_>], at: usize, stopped: bool) -> (f64, Option<&'static str>, usize) {
    let text = |i: usize| chunks.get(i).map_or("", |c| c.text);
    if stopped {
        return (1.0, None, 0);
    }
    let (mut scale, mut taken) = (1.0, 0);
    if let Some(found) = scale_of(text(at)).filter(|_| text(at).len() > 1) {
        scale = found;
        taken = 1;
        if chunks[at].stops {
            return (scale, None, taken);
        }
    }
    let per_cent = matches!(lexicon::lower(text(at + taken)).as_str(), "per" | "por" | "pour")
        && matches!(lexicon::lower(text(at + taken + 1)).as_str(), "cent" | "ciento" | "cento");
    if per_cent {
        return (scale, Some("%"), taken + 2);
    }
    match unit_of(text(at + taken)) {
        Some("pp") => (scale, Some("pp"), taken + 1),
        Some(unit) => (scale, Some(unit), taken + 1),
        None => (scale, None, taken),
    }
}

/// The readings of a number with its sign, what stands before the digits and what behind them.
fn plain_number(chunk: &str) -> Option<(Vec<f64>, &str, &str)> {
    let (negative, bare) = match chunk.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, chunk.strip_prefix('+').unwrap_or(chunk)),
    };
    let start = bare.find(|c: char| c.is_ascii_digit())?;
    let (prefix, rest) = bare.split_at(start);
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '\'' | '’' | '\u{a0}'))
        .unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at(end);
    let kept = digits.trim_end_matches(|c: char| !c.is_ascii_digit());
    let suffix_has_digits = suffix.contains(|c: char| c.is_ascii_digit());
    let prefix = prefix.trim_end_matches(['-', '−']);
    if suffix_has_digits || prefix.chars().any(char::is_alphabetic) && unit_of(prefix).is_none() {
        return None;
    }
    let mut readings = readings(kept)?;
    if negative {
        for value in &mut readings {
            *value = -*value;
        }
    }
    Some((readings, prefix, suffix))
}

/// What digits with separators may mean: `1.200` is 1200 and, in other countries, 1.2.
fn readings(digits: &str) -> Option<Vec<f64>> {
    let compact: String = digits.chars().filter(|c| !matches!(c, '\'' | '’' | '\u{a0}')).collect();
    let marks: Vec<(usize, char)> = compact.char_indices().filter(|(_, c)| matches!(c, '.' | ',')).collect();
    let decimal = |at: usize| -> Option<f64> {
        let whole: String = compact[..at].chars().filter(char::is_ascii_digit).collect();
        format!("{whole}.{}", &compact[at + 1..]).parse().ok()
    };
    let joined = || -> Option<f64> { compact.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok() };
    let groups = compact.split(['.', ',']).skip(1).all(|group| group.len() == 3);
    match marks.as_slice() {
        [] => Some(vec![compact.parse().ok()?]),
        [(at, _)] if groups && *at <= 3 && !compact.starts_with('0') => Some(vec![joined()?, decimal(*at)?]),
        [(at, _)] => Some(vec![decimal(*at)?]),
        [.., (at, last)] => {
            let same = marks.iter().all(|(_, c)| c == last);
            let (_, first) = marks[0];
            if same && groups {
                Some(vec![joined()?])
            } else if !same && marks[..marks.len() - 1].iter().all(|(_, c)| *c == first) {
                Some(vec![decimal(*at)?])
            } else {
                None
            }
        }
    }
}

/// In `5 to 7 days` and `3–5 %` the unit is that of both.
fn spread_units(numbers: &mut [Number]) {
    for i in (1..numbers.len()).rev() {
        if numbers[i - 1].unit.is_none()
            && numbers[i].unit.is_some()
            && numbers[i - 1].raw.bytes().all(|b| !b.is_ascii_alphabetic())
        {
            // Neighbours in a list of numbers share a unit more often than not; a wrong guess here only costs a match
            // of another unit, which `matches` forgives for numbers without one.
            numbers[i - 1].unit = numbers[i].unit.filter(|_| numbers[i - 1].readings.iter().all(|v| *v < 1000.0));
        }
    }
}

impl Number {
    /// Whether a number of a source is this one. Money and percentages must be so on both sides.
    pub fn matches(&self, source: &Number) -> bool {
        let value = self.readings.iter().any(|a| source.readings.iter().any(|b| close(*a, *b)));
        let strict = |u: Option<&str>| matches!(u, Some("%" | "pp" | "eur" | "usd" | "gbp"));
        let unit = match (self.unit, source.unit) {
            (Some(a), Some(b)) => a == b,
            (a, b) => !strict(a) && !strict(b),
        };
        value && unit
    }

    /// Whether this may be a year.
    pub fn as_year(&self) -> Option<u32> {
        year(&self.raw).or_else(|| year(self.raw.trim_end_matches("'s").trim_end_matches('s')))
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

impl Date {
    /// Whether a date of a source says at least as much and nothing else.
    pub fn matches(&self, source: &Date) -> bool {
        let part = |own: Option<u32>, other: Option<u32>| own.is_none() || own == other;
        part(self.year, source.year) && part(self.month, source.month) && part(self.day, source.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Number {
        read(text, &[("three", 3)]).numbers.into_iter().next().unwrap_or_else(|| panic!("no number in {text}"))
    }

    #[test]
    fn the_same_number_in_other_spelling_matches() {
        for (a, b) in [
            ("1,200 orders", "1200 orders"),
            ("1.200 orders", "1,200 orders"),
            ("1'200", "1\u{a0}200"),
            ("1.2 million parcels", "1,200,000 parcels"),
            ("3 %", "3 per cent"),
            ("3%", "3 percent"),
            ("€5", "5 euros"),
            ("three days", "3 days"),
            ("2,5 %", "2.5 %"),
            ("−5 °C", "-5°C"),
            ("3-day", "3 days"),
            ("$1.5bn", "1.5 billion dollars"),
        ] {
            assert!(first(a).matches(&first(b)), "{a} / {b}: {:?} {:?}", first(a), first(b));
        }
    }

    #[test]
    fn other_numbers_units_and_signs_do_not_match() {
        for (a, b) in [
            ("120", "130"),
            ("3 %", "3 days"),
            ("3 %", "3 orders"),
            ("-5 °C", "5 °C"),
            ("1.5", "15"),
            ("3 days", "3 weeks"),
            ("2 million", "2 billion"),
            ("€5", "$5"),
        ] {
            assert!(!first(a).matches(&first(b)), "{a} / {b}: {:?} {:?}", first(a), first(b));
        }
    }

    #[test]
    fn dates_are_read_in_many_forms() {
        let all =
            ["3 May 2021", "May 3, 2021", "2021-05-03", "3. Mai 2021", "3 de mayo de 2021", "3 мая 2021", "03.05.2021"];
        for text in all {
            let figures = read(&format!("On {text} it was."), &[]);
            assert_eq!(figures.dates.len(), 1, "{text}: {figures:?}");
            let date = &figures.dates[0];
            assert_eq!((date.year, date.month, date.day), (Some(2021), Some(5), Some(3)), "{text}");
        }
        let part = read("in May 2021", &[]).dates.remove(0);
        let whole = read("on 3 May 2021", &[]).dates.remove(0);
        assert!(part.matches(&whole) && !whole.matches(&part));
    }

    #[test]
    fn codes_are_no_numbers() {
        assert_eq!(read("COVID-19 at 14:30 with 3.11.2 and B2B", &[]).codes, ["covid-19", "14:30", "3.11.2", "b2b"]);
    }

    #[test]
    fn a_range_shares_its_unit() {
        let figures = read("It takes 5 to 7 days, or 3–5 % more.", &[]);
        assert_eq!(
            figures.numbers.iter().map(|n| n.unit).collect::<Vec<_>>(),
            [Some("day"), Some("day"), Some("%"), Some("%")]
        );
    }

    #[test]
    fn nothing_breaks_on_odd_input() {
        for text in [
            "",
            "-",
            "−",
            "%",
            "1..2",
            "1,,2",
            ".5",
            "5.",
            "99999999999999999999999999",
            "٣",
            "1\u{a0}",
            "€",
            "²",
            "1-2-3-4",
        ] {
            let _ = read(text, &[]);
        }
    }
}

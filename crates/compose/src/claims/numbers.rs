//! Numbers with their units, and dates, as they stand in running text.

use super::{
    calendar::month,
    units::{money_scale, multiple, scale_of, unit_of},
};
use crate::lexicon;

mod clock;
mod words;

pub(crate) use words::quantity;

/// A number: its value, scaled by `million` and the like; where `1.200` may be either, first the thousands, then the
/// decimal; its unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub readings: Vec<f64>,
    pub unit: Option<&'static str>,
    /// What is counted: the word behind it, in lower case, where that is no unit.
    pub noun: String,
    pub raw: String,
}

const DASHES: [char; 5] = ['–', '—', '|', '/', '\u{2012}'];
/// What stands between the two numbers of a range, or of a pair that shares a unit.
const JOINTS: &[&str] = &[
    "-", "−", "–", "\u{2012}", "to", "and", "or", "bis", "und", "oder", "à", "et", "ou", "a", "y", "o", "e", "до", "и",
    "или",
];
/// Scales that stand behind a number only.
const SHORT_SCALES: &[&str] = &["k", "mn", "mio", "bn", "mrd", "tsd", "mil", "mila", "тыс", "млн", "млрд"];
const HALVES: &[&str] = &["half", "halbe", "halben", "halber", "demi", "medio", "mezzo", "meio"];
const ARTICLES: &[&str] = &["a", "an", "one"];

/// A date with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Date {
    pub year: Option<u32>,
    pub month: Option<u32>,
    pub day: Option<u32>,
    pub raw: String,
}

/// A time of the day, in minutes from midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Time {
    pub minutes: u32,
    pub raw: String,
}

/// A token with digits that is not a plain number: `COVID-19`, `3.11.2`, `B2B`. Lower case.
pub(crate) type Code = String;

#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub numbers: Vec<Number>,
    pub dates: Vec<Date>,
    pub times: Vec<Time>,
    pub codes: Vec<Code>,
}

/// A piece of text between white space, without what encloses it.
#[derive(Debug, Clone, Copy)]
struct Chunk<'a> {
    text: &'a str,
    /// A sign of the end of a clause followed it, so that the next chunk is not its unit.
    stops: bool,
    /// A dash joins it to the chunk before.
    dashed: bool,
}

/// How the language of a text writes numbers.
#[derive(Debug, Clone, Copy)]
struct Habit {
    numerals: &'static [(&'static str, u32)],
    /// `None` where the language is not known: then `1.200` is read both ways.
    decimal: Option<char>,
    /// `mil` is a thousand.
    mil: bool,
}

impl Habit {
    fn of(lang: &str) -> Self {
        let code = lexicon::primary(lang);
        let decimal = match code {
            "en" | "zh" | "ja" | "ko" | "th" | "he" => Some('.'),
            "de" | "fr" | "es" | "it" | "pt" | "ru" | "nl" | "sv" | "da" | "nb" | "no" | "fi" | "pl" | "cs" | "sk"
            | "uk" | "lv" | "lt" | "et" | "tr" | "ro" | "hu" | "el" | "bg" | "hr" | "sl" | "id" => Some(','),
            _ => None,
        };
        let numerals = lexicon::of(code).map_or(&[] as &[_], |l| l.table.numerals);
        Self { numerals, decimal, mil: matches!(code, "es" | "pt") }
    }
}

/// Reads all numbers, dates and codes of a text in a language (ISO 639-1; empty where it is not known).
pub(crate) fn read(text: &str, lang: &str) -> Figures {
    let habit = Habit::of(lang);
    let spaced = text.replace(['\u{a0}', '\u{202f}', '\u{2009}'], "\u{a0}");
    let spaced = with_groups(&spaced);
    let chunks = chunks(&spaced);
    let mut figures = Figures::default();
    // The first chunk of each number and the one behind it.
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < chunks.len() {
        if let Some((date, taken)) = date(&chunks[at..]) {
            figures.dates.push(date);
            at += taken;
            continue;
        }
        if let Some((time, taken)) = clock::time(&chunks[at..]) {
            figures.times.push(time);
            at += taken;
            continue;
        }
        if let Some((number, taken)) = words::number(&chunks[at..], lang) {
            figures.numbers.push(number);
            places.push((at, at + taken));
            at += taken;
            continue;
        }
        let taken = figure(&chunks, at, habit, &mut figures).max(1);
        if places.len() < figures.numbers.len() {
            places.push((at, at + taken));
        }
        at += taken;
    }
    spread_units(&mut figures.numbers, &places, &chunks);
    figures
}

/// `7 500` is one number: groups of three digits behind a space are held together.
fn with_groups(text: &str) -> String {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut out = String::with_capacity(text.len());
    let mut run = 0;
    for (i, c) in text.char_indices() {
        let joins = c == ' ' && (1..=3).contains(&run) && digits(i + 1) == 3;
        run = match c {
            c if c.is_ascii_digit() => run + 1,
            // More digits than a group may have, so that what follows is no group of it.
            '.' | ',' if run > 0 => 9,
            _ => 0,
        };
        out.push(if joins { '\u{a0}' } else { c });
    }
    out
}

fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let mut out = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() && c != '\u{a0}') {
        let mut dashed = false;
        let bare = word.trim_matches(|c: char| !c.is_ascii_digit());
        if bare.contains('/') && numeric_date(bare).is_some() {
            out.push(Chunk { text: bare, stops: !word.ends_with(bare), dashed });
            continue;
        }
        for part in word.split_inclusive(DASHES) {
            let part_of = part.strip_suffix(DASHES).unwrap_or(part);
            for (i, half) in halves(part_of).into_iter().enumerate() {
                for (j, piece) in glued(half).into_iter().flatten().enumerate() {
                    let stops = piece.ends_with([',', ';', '.', ':', ')']);
                    let text = piece.trim_matches(|c: char| {
                        !c.is_alphanumeric() && !matches!(c, '%' | '€' | '$' | '£' | '-' | '−' | '+' | '°')
                    });
                    if !text.is_empty() {
                        out.push(Chunk { text, stops, dashed: j == 0 && (dashed || i > 0) });
                    }
                }
            }
            dashed = part.ends_with(['–', '\u{2012}']);
        }
        // A dash between spaces.
        if matches!(word, "–" | "\u{2012}") {
            out.push(Chunk { text: word, stops: false, dashed: false });
        }
    }
    out
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

/// `2021-05-03`, `03.05.2021`, `3/5/2021`: the day first where it can be.
fn numeric_date(chunk: &str) -> Option<Date> {
    let date = |year: u32, month: u32, day: u32| {
        let sound = (1000..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        sound.then(|| Date { year: Some(year), month: Some(month), day: Some(day), raw: chunk.to_owned() })
    };
    let parts = |mark: char| -> Option<Vec<u32>> { chunk.split(mark).map(|p| p.parse().ok()).collect() };
    match (parts('-').as_deref(), parts('.').as_deref(), parts('/').as_deref()) {
        (Some([y, m, d]), ..) => date(*y, *m, *d),
        (_, Some([d, m, y]), _) => date(*y, *m, *d),
        (.., Some([d, m, y])) => date(*y, *m, *d).or_else(|| date(*y, *d, *m)),
        _ => None,
    }
}

/// Reads the chunk at `at` as a number with its scale and unit, a numeral or a code. Returns how many were taken.
fn figure(chunks: &[Chunk<'_>], at: usize, habit: Habit, figures: &mut Figures) -> usize {
    let chunk = chunks[at];
    if !chunk.text.contains(|c: char| c.is_ascii_digit()) {
        return word(chunks, at, habit, figures);
    }
    let Some((mut readings, prefix, suffix)) = plain_number(chunk.text, habit.decimal) else {
        figures.codes.push(lexicon::lower(chunk.text.trim_start_matches(['-', '+'])));
        return 1;
    };
    let paid = is_money(unit_of(prefix));
    let next = chunks.get(at + 1).filter(|_| !chunk.stops).map_or("", |c| c.text);
    // `$5m` and `5m dollars` are no metres.
    let sum = money_scale(suffix).filter(|_| paid || is_money(unit_of(next)));
    let suffix = if sum.is_some() { "" } else { suffix };
    let (mut scale, mut unit, mut taken) = (sum.unwrap_or(1.0), unit_of(prefix).or_else(|| unit_of(suffix)), 0);
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
    if let Some(found) = money_scale(next).filter(|_| paid && sum.is_none()) {
        scale *= found;
        taken = 1;
    } else if unit.is_none() || scale_follows(chunks, at + 1) {
        let (more, found, n) = behind(chunks, at + 1, chunk.stops);
        scale *= more;
        unit = unit.or(found);
        taken = n;
    }
    for value in &mut readings {
        *value *= scale;
    }
    push(chunks, at, 1 + taken, readings, unit, figures)
}

/// A number in words: a numeral, or a scale that stands alone, as in `a million`.
fn word(chunks: &[Chunk<'_>], at: usize, habit: Habit, figures: &mut Figures) -> usize {
    let lower = lexicon::lower(chunks[at].text);
    let numeral = habit.numerals.iter().find(|(word, _)| *word == lower).map(|(_, value)| f64::from(*value));
    let alone = scale_of(&lower).filter(|_| !SHORT_SCALES.contains(&lower.as_str()) || habit.mil && lower == "mil");
    let Some(value) = numeral.or_else(|| alone.map(|scale| scale * share(&chunks[..at]))) else { return 1 };
    let (scale, unit, taken) = behind(chunks, at + 1, chunks[at].stops);
    push(chunks, at, 1 + taken, vec![value * scale], unit, figures)
}

/// What a scale is multiplied by the words before it: 1 in `a million`, 0.5 in `half a million`. No number at all, which
/// is the same as no other, in `one and a half million`.
fn share(before: &[Chunk<'_>]) -> f64 {
    let mut words = before.iter().rev().map(|c| lexicon::lower(c.text)).filter(|w| !ARTICLES.contains(&w.as_str()));
    match (words.next().as_deref(), words.next().as_deref()) {
        (Some(half), Some("and" | "und" | "et" | "y" | "e")) if HALVES.contains(&half) => f64::NAN,
        (Some(half), _) if HALVES.contains(&half) => 0.5,
        (Some("of"), Some("quarter" | "third" | "half" | "quarters" | "thirds")) => f64::NAN,
        _ => 1.0,
    }
}

fn push(
    chunks: &[Chunk<'_>],
    at: usize,
    taken: usize,
    readings: Vec<f64>,
    unit: Option<&'static str>,
    figures: &mut Figures,
) -> usize {
    let raw = chunks[at..at + taken].iter().map(|c| c.text).collect::<Vec<_>>().join(" ");
    let stopped = chunks[at + taken - 1].stops || unit.is_some();
    let noun = noun(chunks, at + taken, stopped);
    figures.numbers.push(Number { readings, unit, noun, raw });
    taken
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
    // `two hundred thousand`
    while let Some(found) = scale_of(text(at + taken)).filter(|_| text(at + taken).len() > 1) {
        scale *= found;
        taken += 1;
        if chunks[at + taken - 1].stops {
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
fn plain_number(chunk: &str, decimal: Option<char>) -> Option<(Vec<f64>, &str, &str)> {
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
    let mut readings = readings(kept, decimal)?;
    if negative {
        for value in &mut readings {
            *value = -*value;
        }
    }
    Some((readings, prefix, suffix))
}

/// What digits with separators may mean: `1.200` is 1.2 where the point is the mark of decimals, and 1200 where the comma
/// is; where neither is known, both.
fn readings(digits: &str, mark: Option<char>) -> Option<Vec<f64>> {
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
        [(at, found)] if groups && *at <= 3 && !compact.starts_with('0') && mark != Some(*found) => match mark {
            Some(_) => Some(vec![joined()?]),
            None => Some(vec![joined()?, decimal(*at)?]),
        },
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

/// In `5 to 7 days` and `3–5 %` the unit is that of both. `places` are their chunks.
fn spread_units(numbers: &mut [Number], places: &[(usize, usize)], chunks: &[Chunk<'_>]) {
    for i in (1..numbers.len()).rev() {
        let ((_, end), (start, _)) = (places[i - 1], places[i]);
        let between = &chunks[end..start];
        let joined = match between {
            [] => chunks[start].dashed,
            [joint] => !joint.stops && JOINTS.contains(&lexicon::lower(joint.text).as_str()),
            _ => false,
        };
        if joined
            && !chunks[end - 1].stops
            && numbers[i - 1].unit.is_none()
            && numbers[i].unit.is_some()
            && numbers[i - 1].raw.bytes().all(|b| !b.is_ascii_alphabetic())
            && numbers[i - 1].readings.iter().all(|v| *v < 1000.0)
        {
            numbers[i - 1].unit = numbers[i].unit;
            numbers[i - 1].noun.clear();
        }
    }
}

fn is_money(unit: Option<&str>) -> bool {
    matches!(unit, Some("eur" | "usd" | "gbp"))
}

impl Number {
    /// Whether a number of a source is this one. Money and percentages must be so on both sides.
    pub fn matches(&self, source: &Number) -> bool {
        let strict = |u: Option<&str>| matches!(u, Some("%" | "pp")) || is_money(u);
        let (factor, unit) = match (self.unit, source.unit) {
            (Some(a), Some(b)) if a == b => (1.0, true),
            (Some(a), Some(b)) => match (multiple(a), multiple(b)) {
                (Some((a, m)), Some((b, n))) => (m / n, a == b),
                _ => (1.0, false),
            },
            (a, b) => (1.0, !strict(a) && !strict(b)),
        };
        let close = |a: f64, b: f64| close(a * factor, b);
        let value = match (self.readings.as_slice(), source.readings.as_slice()) {
            // Who writes both means the same by the same mark.
            ([a, b], [c, d]) => close(*a, *c) || close(*b, *d),
            (own, other) => own.iter().any(|a| other.iter().any(|b| close(*a, *b))),
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
mod tests;

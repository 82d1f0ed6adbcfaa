//! Raised and lowered text, written on one line so that no other number arises: `10` with a raised `6` is `10⁶`, never
//! `106`, and the mark of a footnote is left out.

use std::{borrow::Cow, mem};

/// How a run of text stands to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rise {
    #[default]
    Plain,
    Raised,
    Lowered,
}

/// Text on its way to one line, with how each run of it is set.
#[derive(Debug, Default)]
pub(crate) struct Runs(Vec<(Rise, String)>);

impl Runs {
    /// Adds a run. Superscript and subscript characters in it are runs of their own.
    pub(crate) fn push(&mut self, rise: Rise, text: &str) {
        if rise != Rise::Plain || !text.contains(is_script) {
            return self.add(rise, text);
        }
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (rise, _) = plain_character(c);
            let end = rest.find(|c| plain_character(c).0 != rise).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            let run: String = run.chars().map(|c| plain_character(c).1).collect();
            self.add(rise, &run);
            rest = tail;
        }
    }

    fn add(&mut self, rise: Rise, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some((last, before)) if *last == rise => before.push_str(text),
            _ => self.0.push((rise, text.to_owned())),
        }
    }

    /// True where the last character is a letter or a digit.
    pub(crate) fn ends_in_word(&self) -> bool {
        self.0.last().is_some_and(|(_, text)| text.ends_with(char::is_alphanumeric))
    }

    /// What was pushed, on one line.
    pub(crate) fn take(&mut self) -> String {
        let mut runs = mem::take(&mut self.0);
        if let [(Rise::Plain, text)] = runs.as_mut_slice() {
            return mem::take(text);
        }
        let mut out = String::new();
        let mut at = 0;
        while let Some((rise, text)) = runs.get(at) {
            if let Some((over, under, taken)) = fraction(&runs[at..]) {
                write_fraction(&mut out, over, under);
                at += taken;
                continue;
            }
            let next = runs.get(at + 1).map_or("", |(_, text)| text.as_str());
            match rise {
                Rise::Plain => out.push_str(text),
                Rise::Raised => raised(&mut out, text, next),
                Rise::Lowered => lowered(&mut out, text, next),
            }
            at += 1;
        }
        out
    }
}

/// Plain text in which raised digits may stand as characters of their own (`82³ kilograms`).
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_script) {
        return Cow::Borrowed(text);
    }
    let mut runs = Runs::default();
    runs.push(Rise::Plain, text);
    Cow::Owned(runs.take())
}

const SUPERSCRIPTS: [(char, char); 18] = [
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('−', '⁻'),
    ('-', '⁻'),
    ('–', '⁻'),
    ('(', '⁽'),
    (')', '⁾'),
    ('n', 'ⁿ'),
    ('i', 'ⁱ'),
];
const SUBSCRIPTS: [(char, char); 14] = [
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('−', '₋'),
    ('(', '₍'),
    (')', '₎'),
];
/// With the characters for them.
const FRACTIONS: [(&str, &str, char); 15] = [
    ("1", "2", '½'),
    ("1", "3", '⅓'),
    ("2", "3", '⅔'),
    ("1", "4", '¼'),
    ("3", "4", '¾'),
    ("1", "5", '⅕'),
    ("2", "5", '⅖'),
    ("3", "5", '⅗'),
    ("4", "5", '⅘'),
    ("1", "6", '⅙'),
    ("5", "6", '⅚'),
    ("1", "8", '⅛'),
    ("3", "8", '⅜'),
    ("5", "8", '⅝'),
    ("7", "8", '⅞'),
];
/// Symbols of units that are squared or cubed, and formulas whose digit some authors raise.
const UNITS: [&str; 35] = [
    "nm", "µm", "μm", "mm", "cm", "dm", "km", "hm", "in", "ft", "yd", "mi", "min", "kg", "mg", "Hz", "mol", "cd",
    "rad", "px", "pt", "Pa", "kPa", "sec", "qm", "inch", "dB", "eV", "км", "كم", "см", "мм", "CO", "NO", "SO",
];
const OPERATORS: [char; 16] = ['=', '+', '×', '·', '⋅', '*', '−', '<', '>', '≤', '≥', '≈', '^', '∙', '÷', '≠'];
const MARKS: [char; 8] = ['*', '∗', '†', '‡', '§', '¶', '#', '‖'];
/// Powers of two that are written as such.
const POWERS_OF_TWO: [&str; 12] = ["8", "10", "16", "20", "24", "30", "32", "40", "48", "64", "128", "256"];

fn is_script(c: char) -> bool {
    plain_character(c).0 != Rise::Plain
}

/// How a character stands, and which one it is when it stands on the line.
fn plain_character(c: char) -> (Rise, char) {
    if c.is_ascii() {
        return (Rise::Plain, c);
    }
    let of = |table: &[(char, char)]| table.iter().find(|(_, script)| *script == c).map(|(plain, _)| *plain);
    match (of(&SUPERSCRIPTS), of(&SUBSCRIPTS)) {
        (Some(plain), _) => (Rise::Raised, plain),
        (_, Some(plain)) => (Rise::Lowered, plain),
        _ => (Rise::Plain, c),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A raised number, a slash and a lowered number, in two or three runs, or in one raised run. How many runs that are.
fn fraction(runs: &[(Rise, String)]) -> Option<(&str, &str, usize)> {
    let slash = |text: &'_ str| matches!(text.trim(), "/" | "⁄" | "∕");
    let ends_slashed = |text: &'_ str| text.trim_end().ends_with(['/', '⁄', '∕']);
    let number = |text: &str| is_digits(text.trim_matches(['/', '⁄', '∕', ' ']));
    match runs {
        [(Rise::Raised, over), (_, mid), (Rise::Lowered, under), ..] if slash(mid) && number(over) && number(under) => {
            Some((bare(over), bare(under), 3))
        }
        [(Rise::Raised, over), (Rise::Lowered, under), ..]
            if (ends_slashed(over) || under.trim_start().starts_with(['/', '⁄', '∕']))
                && number(over)
                && number(under) =>
        {
            Some((bare(over), bare(under), 2))
        }
        [(Rise::Raised, whole), ..] => {
            let (over, under) = whole.split_once(['/', '⁄', '∕'])?;
            (number(over) && number(under)).then(|| (bare(over), bare(under), 1))
        }
        _ => None,
    }
}

fn bare(text: &str) -> &str {
    text.trim_matches(['/', '⁄', '∕', ' '])
}

fn write_fraction(out: &mut String, over: &str, under: &str) {
    if out.ends_with(char::is_alphabetic) || out.ends_with(')') {
        out.push_str(&format!("^({over}/{under})"));
    } else if let Some((_, _, one)) = FRACTIONS.iter().find(|(a, b, _)| *a == over && *b == under) {
        out.push(*one);
    } else {
        if out.ends_with(|c: char| c.is_alphanumeric()) {
            out.push(' ');
        }
        out.push_str(&format!("{over}/{under}"));
    }
}

fn raised(out: &mut String, text: &str, next: &str) {
    let inner = text.trim();
    if text.starts_with(char::is_whitespace) {
        out.push(' ');
    }
    if !inner.is_empty() {
        match reading(out, inner, next) {
            Reading::Mark => {
                if out.ends_with(char::is_alphanumeric) && next.starts_with(char::is_alphanumeric) {
                    out.push(' ');
                }
            }
            Reading::Text(text) => out.push_str(&text),
            Reading::Power => push_power(out, inner, next),
        }
    }
    if text.ends_with(char::is_whitespace) && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// What raised text is.
enum Reading {
    /// The mark of a footnote or of a source.
    Mark,
    /// Words or signs that are raised for their looks, as they are written on the line.
    Text(String),
    /// An exponent, a charge, a mass number.
    Power,
}

fn reading(out: &str, inner: &str, next: &str) -> Reading {
    let base = Base::of(out);
    if inner.chars().all(|c| MARKS.contains(&c)) {
        return Reading::Mark;
    }
    if matches!(inner, "o" | "O" | "0" | "°") && is_scale(next) && Base::of(out.trim_end()).is_number() {
        return Reading::Text("°".to_owned());
    }
    if inner.chars().all(char::is_alphabetic) {
        return letters(&base, inner);
    }
    if !inner.contains(|c: char| c.is_ascii_digit()) {
        let charge = inner.chars().all(|c| matches!(c, '+' | '-' | '−' | '–'));
        let math = inner.contains(char::is_alphabetic) && base.takes_power(inner, next);
        return if charge || math { Reading::Power } else { Reading::Text(inner.to_owned()) };
    }
    if let Some(text) = price_or_time(out, inner, next) {
        return Reading::Text(text);
    }
    let listed = inner.trim_matches(['[', ']', '(', ')']);
    if listed.len() < inner.len() && listed.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ' ' | '-' | '–'))
    {
        return Reading::Mark;
    }
    // The mass number stands in front of an element; the mark of a footnote in front of its words.
    if base.is_nothing() && is_digits(inner) && is_element(next) {
        return Reading::Power;
    }
    if base.takes_power(inner, next) { Reading::Power } else { Reading::Mark }
}

/// Raised letters: an ordinal (`1st`), a shortened word (`Mme`), a variable, or a mark.
fn letters(base: &Base<'_>, inner: &str) -> Reading {
    let plain = || Reading::Text(inner.to_owned());
    let single = inner.chars().count() == 1;
    if matches!(inner, "TM" | "tm") {
        return Reading::Text("™".to_owned());
    }
    match base {
        Base::Number { .. } if !single => plain(),
        Base::Number { .. } if matches!(inner, "e" | "o" | "º" | "ª") => plain(),
        Base::Number { token, .. } if inner == "a" && token.len() == 1 => Reading::Text("ª".to_owned()),
        Base::Number { .. } if matches!(inner, "a" | "b" | "c" | "d" | "f" | "g" | "h") => Reading::Mark,
        Base::Number { .. } | Base::Group { .. } | Base::Script => Reading::Power,
        // The number sign of Romance languages.
        Base::Letters { token: "N" | "n", .. } if matches!(inner, "o" | "os") => plain(),
        Base::Letters { token, .. } if single && token.chars().count() == 1 => Reading::Power,
        Base::Letters { token, .. } if single && token.chars().count() > 2 => Reading::Mark,
        Base::Letters { .. } => plain(),
        Base::Nothing if single => Reading::Mark,
        Base::Nothing => plain(),
    }
}

/// What stands in front of raised text.
enum Base<'a> {
    /// `before` is what stands in front of the number.
    Number {
        token: &'a str,
        before: &'a str,
    },
    Letters {
        token: &'a str,
        before: &'a str,
    },
    /// In brackets.
    Group {
        inside: &'a str,
    },
    /// A character that is raised or lowered itself.
    Script,
    /// White space, punctuation, the start of the line.
    Nothing,
}

impl<'a> Base<'a> {
    fn of(out: &'a str) -> Self {
        let Some(last) = out.chars().next_back() else { return Self::Nothing };
        let tail = |holds: fn(char) -> bool| {
            let start = out.char_indices().rev().take_while(|(_, c)| holds(*c)).last().map_or(out.len(), |(at, _)| at);
            (&out[start..], out[..start].trim_end())
        };
        if is_script(last) {
            Self::Script
        } else if last.is_numeric() {
            let (token, before) = tail(|c| c.is_numeric() || matches!(c, '.' | ','));
            Self::Number { token, before }
        } else if last.is_alphabetic() {
            let (token, before) = tail(char::is_alphabetic);
            Self::Letters { token, before }
        } else if let Some(inside) = group(out).filter(|_| matches!(last, ')' | ']' | '|')) {
            Self::Group { inside }
        } else {
            Self::Nothing
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number { .. })
    }

    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// True where raised text with a digit is an exponent.
    fn takes_power(&self, inner: &str, next: &str) -> bool {
        let is_negative = inner.starts_with(['-', '−', '–']);
        let is_list = !is_negative && inner.contains([',', '–', ' ', ';']) && !inner.contains(char::is_alphabetic);
        let in_formula = |before: &str| before.ends_with(OPERATORS) || next.trim_start().starts_with(OPERATORS);
        match self {
            Self::Nothing => false,
            Self::Script => true,
            _ if is_negative => true,
            Self::Number { token, before } => match *token {
                "10" => !is_list,
                "2" if POWERS_OF_TWO.contains(&inner) => true,
                _ => !is_list && in_formula(before),
            },
            Self::Letters { token, before } => match token.chars().count() {
                1 => !is_list,
                _ if UNITS.contains(token) || is_length(token) => {
                    matches!(inner, "2" | "3" | "4") || inner.ends_with(['+', '-', '−'])
                }
                // A charge: "2+".
                _ if inner.ends_with(['+', '-', '−', '–']) => true,
                2..=3 => !is_list && in_formula(before),
                _ => false,
            },
            Self::Group { inside } => {
                !is_list && !inside.split(|c: char| !c.is_alphabetic()).any(|word| word.chars().count() > 3)
            }
        }
    }
}

/// From the last bracket on, if it is near: long text is not searched again for each raised character.
fn group(out: &str) -> Option<&str> {
    let near = &out[out.floor_char_boundary(out.len().saturating_sub(200))..];
    near.rfind(['(', '[', '|']).map(|open| &near[open..])
}

/// A unit in words that is squared and cubed.
fn is_length(word: &str) -> bool {
    let word = word.to_lowercase();
    [
        "metre", "metres", "meter", "meters", "mètres", "mètre", "metros", "metro", "inches", "feet", "foot", "yards",
        "miles",
    ]
    .iter()
    .any(|unit| word.ends_with(unit))
}

/// Cents behind a price (`$19` and a raised `99`), minutes behind an hour.
fn price_or_time(out: &str, inner: &str, next: &str) -> Option<String> {
    const CURRENCIES: [char; 5] = ['$', '€', '£', '¥', '₹'];
    let point = out.strip_suffix(['.', ',']);
    let Base::Number { token, before } = Base::of(point.unwrap_or(out)) else { return None };
    if !is_digits(inner) || inner.len() != 2 {
        return None;
    }
    let next = next.trim_start();
    let is_price = before.ends_with(CURRENCIES) || next.starts_with(CURRENCIES);
    if point.is_some() {
        return is_price.then(|| inner.to_owned());
    }
    if is_price && !token.contains(['.', ',']) {
        return Some(format!(".{inner}"));
    }
    let is_hour = token.parse::<u8>().is_ok_and(|hour| hour <= 24) && inner.parse::<u8>().is_ok_and(|m| m < 60);
    (is_hour && next.starts_with("Uhr")).then(|| format!(":{inner}"))
}

fn is_scale(next: &str) -> bool {
    let next = next.trim_start();
    let rest = next.strip_prefix(['C', 'F']);
    rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

fn is_element(next: &str) -> bool {
    let letters = next.chars().take_while(|c| c.is_alphabetic()).count();
    (1..=2).contains(&letters) && next.starts_with(char::is_uppercase)
}

fn push_power(out: &mut String, inner: &str, next: &str) {
    let script = |c: char| SUPERSCRIPTS.iter().find(|(plain, _)| *plain == c).map(|(_, script)| *script);
    // Letters that exist raised are hard to tell from others, except alone.
    let mapped: Option<String> = inner.chars().filter(|c| !c.is_whitespace()).map(script).collect();
    match mapped.filter(|_| inner.chars().count() == 1 || !inner.contains(char::is_alphabetic)) {
        Some(mapped) => out.push_str(&mapped),
        None => push_marked(out, '^', inner, next),
    }
}

fn push_marked(out: &mut String, mark: char, inner: &str, next: &str) {
    out.push(mark);
    let is_whole = inner.chars().all(char::is_alphabetic) || is_digits(inner);
    if is_whole && !next.starts_with(char::is_alphanumeric) {
        out.push_str(inner);
    } else {
        out.push('(');
        out.push_str(inner);
        out.push(')');
    }
}

fn lowered(out: &mut String, text: &str, next: &str) {
    let inner = text.trim();
    if text.starts_with(char::is_whitespace) {
        out.push(' ');
    }
    let script = |c: char| SUBSCRIPTS.iter().find(|(plain, _)| *plain == c).map(|(_, script)| *script);
    let mapped: Option<String> = inner.chars().map(script).collect();
    match mapped {
        Some(mapped) => out.push_str(&mapped),
        None if out.ends_with(char::is_alphanumeric) && inner.contains(char::is_alphanumeric) => {
            push_marked(out, '_', inner, next);
        }
        None => out.push_str(inner),
    }
    if text.ends_with(char::is_whitespace) && !inner.is_empty() {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests;

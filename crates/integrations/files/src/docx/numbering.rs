//! The numbers of lists, which a document does not write into its text.

use std::collections::BTreeMap;

use crate::{
    error::FileError,
    limits::Budget,
    xml::{Element, Token, Xml},
};

const LEVELS: usize = 9;

#[derive(Debug, Default, Clone)]
struct Level {
    /// "decimal", "bullet", "lowerLetter" and so on.
    kind: String,
    /// With `%1` for the number of the first level.
    text: String,
    start: Option<u32>,
}

#[derive(Debug, Default)]
struct List {
    template: String,
    /// Where single levels begin in this list, though the template says something else.
    starts: BTreeMap<usize, u32>,
}

#[derive(Debug, Default)]
pub(super) struct Numbering {
    templates: BTreeMap<String, Vec<Level>>,
    lists: BTreeMap<String, List>,
    /// By template: the numbers that were given last. Lists of one template count on.
    counts: BTreeMap<String, [Option<u32>; LEVELS]>,
    /// Lists that have begun.
    begun: BTreeMap<String, ()>,
}

impl Numbering {
    pub(super) fn parse(text: &str, budget: &Budget) -> Result<Self, FileError> {
        let mut numbering = Self::default();
        let (mut template, mut list) = (None, None);
        let mut level = 0;
        let mut xml = Xml::new(text, "the numbers of lists", budget);
        while let Some(token) = xml.next()? {
            match token {
                Token::Start(element) => match element.name() {
                    "abstractNum" => template = element.attribute("abstractNumId"),
                    "num" => list = element.attribute("numId"),
                    "lvl" | "lvlOverride" => {
                        level = element.attribute("ilvl").and_then(|level| level.parse().ok()).unwrap_or(LEVELS);
                    }
                    _ => numbering.note(&element, template.as_deref(), list.as_deref(), level),
                },
                Token::End(name) => match name.as_str() {
                    "abstractNum" => template = None,
                    "num" => list = None,
                    _ => {}
                },
                Token::Text(_) => {}
            }
        }
        Ok(numbering)
    }

    fn note(&mut self, element: &Element<'_>, template: Option<&str>, list: Option<&str>, level: usize) {
        let value = || element.attribute("val").unwrap_or_default();
        if let Some(list) = list {
            let list = self.lists.entry(list.to_owned()).or_default();
            match element.name() {
                "abstractNumId" => list.template = value(),
                "startOverride" if level < LEVELS => {
                    list.starts.extend(value().parse().ok().map(|start| (level, start)));
                }
                _ => {}
            }
        } else if let Some(template) = template.filter(|_| level < LEVELS) {
            let levels = self.templates.entry(template.to_owned()).or_default();
            if levels.len() <= level {
                levels.resize(level + 1, Level::default());
            }
            match element.name() {
                "numFmt" => levels[level].kind = value(),
                "lvlText" => levels[level].text = value(),
                "start" => levels[level].start = value().parse().ok(),
                _ => {}
            }
        }
    }

    /// What stands in front of the next paragraph of a list, `None` for a bullet. It counts.
    pub(super) fn next(&mut self, list: &str, level: usize) -> Option<String> {
        let level = level.min(LEVELS - 1);
        let found = self.lists.get(list)?;
        let levels = self.templates.get(&found.template)?;
        let own = levels.get(level)?;
        let counts = self.counts.entry(found.template.clone()).or_default();
        if self.begun.insert(list.to_owned(), ()).is_none() {
            for at in found.starts.keys() {
                counts[*at] = None;
            }
        }
        let start_of = |at: usize| {
            let template = levels.get(at).and_then(|level| level.start).unwrap_or(1);
            found.starts.get(&at).copied().unwrap_or(template)
        };
        counts[level] = Some(counts[level].map_or_else(|| start_of(level), |count| count.saturating_add(1)));
        counts[level + 1..].fill(None);
        if matches!(own.kind.as_str(), "bullet" | "none") || !own.text.contains('%') {
            return None;
        }
        let mut out = String::new();
        let mut chars = own.text.chars().take(100);
        while let Some(c) = chars.next() {
            let at = if c == '%' { chars.next().and_then(|c| c.to_digit(10)) } else { None };
            match at.and_then(|at| (at as usize).checked_sub(1)).filter(|at| *at <= level) {
                Some(at) => {
                    let kind = levels.get(at).map_or("decimal", |level| level.kind.as_str());
                    out.push_str(&written(counts[at].unwrap_or_else(|| start_of(at)), kind));
                }
                None if c == '%' => {}
                None => out.push(c),
            }
        }
        Some(out.trim().to_owned()).filter(|label| !label.is_empty())
    }
}

fn written(number: u32, kind: &str) -> String {
    match kind {
        "lowerLetter" => letters(number, 'a'),
        "upperLetter" => letters(number, 'A'),
        "lowerRoman" => roman(number).to_lowercase(),
        "upperRoman" => roman(number),
        "decimalZero" => format!("{number:02}"),
        _ => number.to_string(),
    }
}

/// a to z, then aa to zz.
fn letters(number: u32, first: char) -> String {
    let Some(at) = number.checked_sub(1).filter(|at| *at < 26 * 8) else { return number.to_string() };
    let letter = char::from_u32(u32::from(first) + at % 26).unwrap_or(first);
    String::from(letter).repeat(at as usize / 26 + 1)
}

fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1_000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..4_000).contains(&number) {
        return number.to_string();
    }
    let mut rest = number;
    let mut out = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            out.push_str(sign);
            rest -= value;
        }
    }
    out
}

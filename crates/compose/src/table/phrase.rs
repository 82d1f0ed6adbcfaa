//! How the values of a row are put into words.

use galley_text::word;

use super::{capitalised, has_digit, starts_as_number};
use crate::lexicon::{self, Language};

/// Labels of the first column that a name does not need in front.
const GENERIC_LABELS: &[&str] = &[
    "name", "item", "no.", "id", "#", "type", "category", "country", "city", "town", "state", "region", "county",
    "company", "carrier", "brand", "provider", "vendor", "place", "location", "person", "date", "year", "month", "day",
    "time", "week", "period",
];
/// What a label may end in: `Sales in euros`.
const UNITS: &[&str] = &[
    "euros", "euro", "eur", "dollars", "usd", "pounds", "gbp", "francs", "chf", "kg", "g", "tonnes", "tons", "km", "m",
    "cm", "mm", "metres", "meters", "litres", "liters", "hours", "days", "weeks", "months", "years", "minutes",
    "percent", "%", "kwh", "mwh", "°c",
];

/// `For` between a value and its year.
const FOR: [(&str, &str); 7] =
    [("en", "for"), ("de", "für"), ("fr", "pour"), ("es", "para"), ("it", "per"), ("pt", "para"), ("ru", "за")];

/// The sentence of a row with a few values.
pub(super) fn row(key_label: &str, key: &str, pairs: &[(&str, &str)], language: Option<&Language>) -> Option<String> {
    match language {
        Some(language) if language.table.code == "en" => english(key_label, key, pairs),
        Some(language) => {
            let keeps_case = language.table.code == "de";
            let label = |label: &str| if keeps_case { label.to_owned() } else { lower_label(label) };
            let values: Vec<String> = pairs.iter().map(|(name, value)| format!("{} {value}", label(name))).collect();
            templated(key, &values, language)
        }
        None => bare(key, pairs),
    }
}

/// The same of values that stand under years, quarters or months.
pub(super) fn over_time(
    key_label: &str,
    key: &str,
    pairs: &[(&str, &str)],
    language: Option<&Language>,
) -> Option<String> {
    let Some(language) = language else { return bare(key, pairs) };
    let code = language.table.code;
    let word = FOR.iter().find(|(own, _)| *own == code).map(|(_, word)| *word)?;
    let values: Vec<String> = pairs.iter().map(|(label, value)| format!("{value} {word} {label}")).collect();
    if code != "en" {
        return templated(key, &values, language);
    }
    // Of all what it is the sum, the row does not say.
    if is_total(key) {
        return None;
    }
    let label = lower_label(key_label);
    let named = if is_generic(&label) { key.to_owned() } else { format!("the {label} {key}") };
    Some(format!("For {named}, the table gives {}.", join(&values, "and")?))
}

fn templated(key: &str, values: &[String], language: &Language) -> Option<String> {
    let template = language.table.table_row;
    Some(template.replace("{key}", key).replace("{values}", &join(values, language.table.and)?))
}

/// In a language of which no grammar is known.
fn bare(key: &str, pairs: &[(&str, &str)]) -> Option<String> {
    if pairs.is_empty() {
        return None;
    }
    let all = pairs.iter().flat_map(|(label, value)| [*label, *value]).chain([key]).collect::<String>();
    // Chinese and Japanese have marks of their own; Thai has spaces there.
    let is_dense = word::is_unspaced_text(&all) && !word::iter(&all).any(|w| w.starts_with(is_thai));
    let (colon, comma, stop) = if is_dense { ("：", "，", "。") } else { (": ", ", ", ".") };
    let gap = if is_dense { "" } else { " " };
    let values: Vec<String> = pairs.iter().map(|(label, value)| format!("{label}{gap}{value}")).collect();
    Some(format!("{key}{colon}{}{stop}", values.join(comma)))
}

fn is_thai(c: char) -> bool {
    ('\u{e00}'..='\u{eff}').contains(&c)
}

fn is_total(key: &str) -> bool {
    matches!(key.to_lowercase().as_str(), "total" | "sum" | "all" | "overall" | "average" | "mean")
}

fn is_generic(label: &str) -> bool {
    label.is_empty() || GENERIC_LABELS.contains(&label) || label.split(' ').count() > 3 || label.contains('(')
}

fn english(key_label: &str, key: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let phrases: Vec<String> = pairs.iter().map(|(label, value)| english_phrase(label, value)).collect();
    let is_year = key.len() == 4 && (key.starts_with("19") || key.starts_with("20"));
    let is_number = key.chars().all(|c| c.is_ascii_digit());
    let label = lower_label(key_label);
    let subject = if is_total(key) {
        format!("In the row “{key}”, the table gives")
    } else if is_number && !is_year && !is_generic(&label) {
        format!("For {label} {key}, the table gives")
    } else if starts_as_number(key) {
        format!("For {key}, the table gives")
    } else if is_generic(&label) {
        format!("{} has", capitalised(key))
    } else {
        format!("The {label} {key} has")
    };
    Some(format!("{subject} {}.", join(&phrases, "and")?))
}

/// `120 orders`, `a return rate of 3 %`, `DHL as carrier`.
fn english_phrase(label: &str, value: &str) -> String {
    let (label, unit) = match label.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.trim_end_matches(')').trim()),
        None => match label.rsplit_once(" in ") {
            Some((name, unit)) if UNITS.contains(&unit.to_lowercase().as_str()) => (name.trim(), unit.trim()),
            _ => (label, ""),
        },
    };
    let name = lower_label(label);
    let numeric = starts_as_number(value) && !is_date(value);
    let bare = value.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | ' ' | '\u{a0}' | '\u{202f}'));
    let plural = name.ends_with('s') && !name.ends_with("ss") && !name.contains(" of ") && !name.contains(" per ");
    let unit = if bare && !unit.is_empty() && !has_digit(unit) && unit.len() <= 12 {
        format!(" {unit}")
    } else {
        String::new()
    };
    if !numeric {
        return format!("{value} as {name}");
    }
    // `31 parcels per inhabitant`
    let counted = name.split_once(' ').is_some_and(|(first, rest)| {
        first.ends_with('s')
            && !first.ends_with("ss")
            && ["per ", "in ", "of ", "with "].iter().any(|p| rest.starts_with(p))
    });
    if bare && (plural || counted) && unit.is_empty() && value != "1" {
        return format!("{value} {name}");
    }
    let article = match name.chars().next() {
        _ if plural || counted => "",
        Some('a' | 'e' | 'i' | 'o' | 'u') => "an ",
        _ => "a ",
    };
    format!("{article}{name} of {value}{unit}")
}

/// `3 May`, `2025-03-04`: no quantity.
fn is_date(value: &str) -> bool {
    const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = value.to_lowercase();
    let named =
        || lower.split(|c: char| !c.is_alphabetic()).any(|w| w.len() >= 3 && MONTHS.iter().any(|m| w.starts_with(m)));
    let parts: Vec<&str> = value.split(['-', '/']).collect();
    let iso = parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    iso || named()
}

fn join(parts: &[String], and: &str) -> Option<String> {
    match parts {
        [] => None,
        [one] => Some(one.clone()),
        [first @ .., last] => Some(format!("{} {and} {last}", first.join(", "))),
    }
}

/// A label as it stands within a sentence: abbreviations and names with inner capitals keep theirs.
fn lower_label(label: &str) -> String {
    label
        .split(' ')
        .map(|word| {
            let inner_capital = word.chars().skip(1).any(char::is_uppercase);
            if inner_capital { word.to_owned() } else { lexicon::lower(word) }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

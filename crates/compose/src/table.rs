//! Sentences made of table rows.

use crate::lexicon::{self, Language};

const COLUMNS: std::ops::RangeInclusive<usize> = 2..=40;
/// More values make a sentence that nobody reads; further columns are left out.
const MAX_VALUES: usize = 3;
/// Labels of the first column that a name does not need in front.
const GENERIC_LABELS: &[&str] = &[
    "name", "item", "no.", "id", "#", "type", "category", "country", "city", "town", "state", "region", "county",
    "company", "carrier", "brand", "provider", "vendor", "place", "location", "person",
];
const MAX_LABEL_CHARS: usize = 40;
const MAX_CELL_CHARS: usize = 48;

/// The cells of a table line, trimmed, with `\|` resolved.
pub(crate) fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').filter(|rest| !rest.ends_with('\\')).unwrap_or(inner);
    let mut out = vec![String::new()];
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, out.last_mut()) {
            ('\\', Some(cell)) if chars.peek() == Some(&'|') => {
                cell.push('|');
                chars.next();
            }
            ('|', _) => out.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
    }
    for cell in &mut out {
        *cell = cell.trim().to_owned();
    }
    out
}

/// `|---|:--|`, which the subset does not have but text from elsewhere might.
pub(crate) fn is_rule(line: &str) -> bool {
    line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
}

/// One sentence that says what the row says; `None` where the table is not one of data with short labels.
///
/// Every number and name in it stands in a cell of the row. Columns with digits in their label are left out, because
/// the digits would not.
pub(crate) fn compose(header: &[String], cells: &[String], language: &Language) -> Option<String> {
    let (key_label, labels) = header.split_first()?;
    let (key, values) = cells.split_first()?;
    let is_plain = |text: &str, max: usize| {
        text.chars().count() <= max && !text.contains(['|', '<', '{', '=', '\\', '`', '_', '*', '#', '?', '@'])
    };
    let in_form = COLUMNS.contains(&header.len())
        && cells.len() == header.len()
        && header.iter().all(|h| is_plain(h, MAX_LABEL_CHARS))
        && labels.iter().all(|l| !l.is_empty())
        && cells.iter().all(|c| is_plain(c, MAX_CELL_CHARS));
    if !in_form || !key.chars().any(char::is_alphanumeric) || key.ends_with(['.', ':', '!']) {
        return None;
    }
    let pairs: Vec<(&str, &str)> = labels
        .iter()
        .zip(values)
        .map(|(label, value)| (label.as_str(), value.as_str()))
        .filter(|(label, value)| has_content(value) && !label.contains(|c: char| c.is_ascii_digit()))
        .take(MAX_VALUES)
        .collect();
    let starts_as_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '−' | '€' | '$' | '£');
    let has_number = pairs.iter().any(|(_, value)| value.starts_with(starts_as_number));
    if !has_number && !is_of_names(header, cells) {
        return None;
    }
    if language.table.code == "en" { english(key_label, key, &pairs) } else { other(key, &pairs, language) }
}

/// A list of people, places or products: several columns of short entries. Two columns of text explain words, and longer
/// entries are phrases that make no sentence with their labels.
fn is_of_names(header: &[String], cells: &[String]) -> bool {
    const MAX_WORDS: usize = 4;
    let short = |text: &String| text.split_whitespace().count() <= MAX_WORDS && !text.ends_with('.');
    header.len() > 2 && header.iter().chain(cells).all(short)
}

fn has_content(value: &str) -> bool {
    value.chars().any(char::is_alphanumeric) && !matches!(value.to_lowercase().as_str(), "n/a" | "na" | "none" | "tbd")
}

fn english(key_label: &str, key: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let phrases: Vec<String> = pairs.iter().map(|(label, value)| english_phrase(label, value)).collect();
    let is_total = matches!(key.to_lowercase().as_str(), "total" | "sum" | "all" | "overall" | "average" | "mean");
    let is_number = key.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '–' | '/'));
    let label = lower_label(key_label);
    let generic = label.is_empty() || GENERIC_LABELS.contains(&label.as_str());
    let subject = if is_total {
        format!("In the row “{key}”, the table gives")
    } else if is_number {
        format!("For {key}, the table gives")
    } else if generic || label.split(' ').count() > 3 || label.contains('(') {
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
        None => (label, ""),
    };
    let name = lower_label(label);
    let numeric = value.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '−' | '€' | '$' | '£'));
    let bare = value.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | ' ' | '\u{a0}' | '\u{202f}'));
    let plural = name.ends_with('s') && !name.ends_with("ss") && !name.contains(" of ") && !name.contains(" per ");
    let unit = if bare && !unit.is_empty() && !unit.contains(|c: char| c.is_ascii_digit()) && unit.len() <= 12 {
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

fn other(key: &str, pairs: &[(&str, &str)], language: &Language) -> Option<String> {
    let keeps_case = language.table.code == "de";
    let values: Vec<String> = pairs
        .iter()
        .map(|(label, value)| format!("{} {value}", if keeps_case { (*label).to_owned() } else { lower_label(label) }))
        .collect();
    let template = language.table.table_row;
    Some(template.replace("{key}", key).replace("{values}", &join(&values, language.table.and)?))
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

pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(header: &str, line: &str, lang: &str) -> Option<String> {
        compose(&cells(header), &cells(line), lexicon::of(lang).expect("a table"))
    }

    #[test]
    fn rows_read_as_sentences() {
        for (header, line, lang, expected) in [
            (
                "| Hub | Orders | Carrier |",
                "| Riga | 1,200 | Omniva |",
                "en",
                "The hub Riga has 1,200 orders and Omniva as carrier.",
            ),
            (
                "| Country | Average cost (EUR) | Share |",
                "| Latvia | 4.20 | 12 % |",
                "en",
                "Latvia has an average cost of 4.20 EUR and a share of 12 %.",
            ),
            (
                "| Year | Parcels | Growth |",
                "| 2021 | 400 | 3 % |",
                "en",
                "For 2021, the table gives 400 parcels and a growth of 3 %.",
            ),
            ("| Name | GMV |", "| Northwind | €3m |", "en", "Northwind has a GMV of €3m."),
            ("| Hub | 2022 | Orders |", "| Riga | 7 | 9 |", "en", "The hub Riga has 9 orders."),
            (
                "| Ort | Sendungen | Quote |",
                "| Leipzig | 120 | 3 % |",
                "de",
                "Für Leipzig nennt die Tabelle: Sendungen 120 und Quote 3 %.",
            ),
        ] {
            assert_eq!(row(header, line, lang).as_deref(), Some(expected));
        }
    }

    #[test]
    fn lists_of_names_and_wide_tables_read_as_sentences_too() {
        assert_eq!(
            row("| Name | Role | City |", "| Anna Keller | Engineer | Riga |", "en").as_deref(),
            Some("Anna Keller has Engineer as role and Riga as city.")
        );
        let wide = "| Hub | A | B | C | D | E | F | G | H | I |";
        assert_eq!(
            row(wide, "| Riga | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 |", "en").as_deref(),
            Some("The hub Riga has an a of 1, a b of 2 and a c of 3.")
        );
    }

    #[test]
    fn what_is_no_table_of_data_is_left() {
        for (header, line) in [
            ("| Option | Meaning |", "| Verbose | Prints more to the screen |"),
            ("| a |", "| 1 |"),
            ("| Hub | Orders |", "| Riga |"),
            ("| Hub | Orders |", "| | 12 |"),
            ("| Hub | |", "| Riga | 12 |"),
            ("| Hub | Orders |", "| Riga | n/a |"),
        ] {
            assert_eq!(row(header, line, "en"), None, "{header}");
        }
    }

    #[test]
    fn an_escaped_bar_belongs_to_its_cell() {
        assert_eq!(cells(r"| a \| b | c |"), ["a | b", "c"]);
    }
}

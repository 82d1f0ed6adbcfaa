//! Sentences made of table rows.

mod delimited;
mod phrase;
mod whole;

use galley_text::{sentence, word};

use crate::{lexicon::Language, transcript};

pub(crate) use delimited::{Separator, gather};
pub(crate) use whole::{Table, find};

const COLUMNS: std::ops::RangeInclusive<usize> = 2..=40;
/// More values make a sentence that nobody reads; further columns are left out.
const MAX_VALUES: usize = 3;
/// Of a row over years or months so many; of a longer one the first and the last.
const MAX_PERIODS: usize = 5;
const MAX_LABEL_CHARS: usize = 40;
const MAX_CELL_CHARS: usize = 48;
/// A cell with so many words that end as a sentence does holds prose.
const PROSE_WORDS: usize = 5;
/// A row further below its header than this, in bytes, is cited without it, so its sentence cannot use figures of the header.
pub(crate) const REACH: usize = 4_096;

/// A sentence made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowSentence {
    pub text: String,
    /// Prose of a cell, as it stands there.
    pub is_prose: bool,
    /// It goes on from the one before it.
    pub hangs: bool,
    /// It has figures that stand in the header alone.
    pub needs_header: bool,
}

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

/// What a row says: one sentence of its values, where the table is one of data with short labels, and the sentences of
/// cells that hold prose, behind the name that the row is about.
///
/// Every number and name stands in a cell of the row, or in the header where that `is_near`.
pub(crate) fn sentences(
    header: &[String],
    cells: &[String],
    language: Option<&Language>,
    is_near: bool,
) -> Vec<RowSentence> {
    let values = values(header, cells, language, is_near);
    values.into_iter().chain(prose(cells, language)).collect()
}

fn values(header: &[String], cells: &[String], language: Option<&Language>, is_near: bool) -> Option<RowSentence> {
    let (key_label, labels) = header.split_first()?;
    let (key, values) = cells.split_first()?;
    let in_form = COLUMNS.contains(&header.len())
        && cells.len() <= header.len()
        && is_plain(key_label, MAX_LABEL_CHARS)
        && is_plain(key, MAX_CELL_CHARS);
    if !in_form || !key.chars().any(char::is_alphanumeric) || key.ends_with(['.', ':', '!']) {
        return None;
    }
    let pairs: Vec<(&str, &str)> = labels
        .iter()
        .zip(values)
        .filter(|(label, value)| is_plain(label, MAX_LABEL_CHARS) && is_plain(value, MAX_CELL_CHARS))
        .map(|(label, value)| (label.as_str(), value.as_str()))
        .filter(|(label, value)| !label.is_empty() && has_content(value))
        .collect();
    let text = |text: String, needs_header| RowSentence { text, is_prose: false, hangs: false, needs_header };
    let periods: Vec<(&str, &str)> =
        pairs.iter().copied().filter(|(label, value)| is_period(label) && starts_as_number(value)).collect();
    if is_near && periods.len() > 1 && periods.len() * 2 >= pairs.len() {
        let shown = match periods.as_slice() {
            [first, .., last] if periods.len() > MAX_PERIODS => vec![*first, *last],
            all => all.to_vec(),
        };
        return phrase::over_time(key_label, key, &shown, language).map(|said| text(said, true));
    }
    // Without grammar a sentence stays readable with more of them.
    let most = if language.is_some() { MAX_VALUES } else { MAX_VALUES + 2 };
    let shown: Vec<(&str, &str)> = pairs.into_iter().filter(|(label, _)| !has_digit(label)).take(most).collect();
    let has_number = shown.iter().any(|(_, value)| starts_as_number(value));
    if !has_number && !is_of_names(header, &shown) {
        return None;
    }
    phrase::row(key_label, key, &shown, language).map(|said| text(said, false))
}

/// The sentences of cells that hold prose, as said by or about what the row names.
fn prose(cells: &[String], language: Option<&Language>) -> Vec<RowSentence> {
    let short = || cells.iter().filter(|cell| has_content(cell) && !is_prose(cell) && is_plain(cell, MAX_CELL_CHARS));
    let named = short().find(|cell| cell.contains(char::is_alphabetic) && !starts_as_number(cell));
    let name = named.or_else(|| short().next()).map(String::as_str);
    let mut out = Vec::new();
    for cell in cells.iter().filter(|cell| is_prose(cell)) {
        let mut before = None;
        for (at, range) in sentence::split(cell).into_iter().enumerate() {
            let Some((text, hangs)) = transcript::said(&cell[range], name, before.is_none(), language) else {
                continue;
            };
            // What is quoted without its name stands directly behind what has the name.
            let torn = before.is_some_and(|before| before + 1 != at);
            if torn {
                break;
            }
            before = Some(at);
            out.push(RowSentence { text, is_prose: true, hangs, needs_header: false });
        }
    }
    out
}

fn is_prose(cell: &str) -> bool {
    let ends = cell.ends_with(['.', '!', '?', '”', '"', '。', '！', '？']) || cell.contains(". ");
    let is_dense = word::is_unspaced_text(cell) && cell.chars().count() > 3 * PROSE_WORDS;
    ends && (is_dense || cell.split_whitespace().nth(PROSE_WORDS - 1).is_some())
}

fn is_plain(text: &str, max: usize) -> bool {
    text.chars().count() <= max
        && !text.contains(['|', '<', '{', '=', '\\', '`', '_', '*', '#', '?', '@'])
        && !(is_prose(text) && text.split_whitespace().count() > PROSE_WORDS)
}

fn has_digit(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

fn starts_as_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '−' | '+' | '€' | '$' | '£'))
}

/// `2024`, `2023/24`, `Q1 2024`, `März 2024`: a label of a column that says when.
fn is_period(label: &str) -> bool {
    let years = label
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| part.len() == 4 && (part.starts_with("19") || part.starts_with("20") || part.starts_with("21")));
    let rest = label.chars().filter(|c| c.is_alphabetic()).count();
    let quarter =
        label.len() == 2 && label.starts_with(['Q', 'H', 'T']) && label.ends_with(|c: char| c.is_ascii_digit());
    quarter || years.count() == 1 && rest <= 9
}

/// A list of people, places or products: several columns of short entries. Two columns of text explain words, and longer
/// entries are phrases that make no sentence with their labels.
fn is_of_names(header: &[String], shown: &[(&str, &str)]) -> bool {
    const MAX_WORDS: usize = 4;
    let short = |text: &str| text.split_whitespace().count() <= MAX_WORDS && !text.ends_with('.');
    header.len() > 2 && shown.len() > 1 && shown.iter().all(|(label, value)| short(label) && short(value))
}

fn has_content(value: &str) -> bool {
    value.chars().any(char::is_alphanumeric) && !matches!(value.to_lowercase().as_str(), "n/a" | "na" | "none" | "tbd")
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
    use crate::lexicon;

    fn row(header: &str, line: &str, lang: &str) -> Option<String> {
        let all = sentences(&cells(header), &cells(line), lexicon::of(lang), true);
        all.into_iter().next().map(|sentence| sentence.text)
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

    #[test]
    fn values_under_years_are_told_with_their_years() {
        let parks = "| Park | 2021 | 2022 | 2023 |";
        assert_eq!(
            row(parks, "| Ash Park | 12,300 | 15,800 | 17,100 |", "en").as_deref(),
            Some("For the park Ash Park, the table gives 12,300 for 2021, 15,800 for 2022 and 17,100 for 2023.")
        );
        assert_eq!(
            row("| Ort | Q1 2024 | Q2 2024 |", "| Halle | 41 kWh | 28 kWh |", "de").as_deref(),
            Some("Für Halle nennt die Tabelle: 41 kWh für Q1 2024 und 28 kWh für Q2 2024.")
        );
        let far = sentences(&cells(parks), &cells("| Ash Park | 12,300 | 15,800 | 17,100 |"), lexicon::of("en"), false);
        assert_eq!(far, [], "a span far below the header does not hold the years");
    }

    #[test]
    fn prose_of_cells_stands_behind_the_name_of_its_row() {
        let header = cells("| No. | Line | Passenger | Complaint |");
        let line = "| 2 | 4 | Mr Dunn | The ramp for wheelchairs was out of order. The driver helped, but it took ten \
                    minutes. |";
        let found = sentences(&header, &cells(line), lexicon::of("en"), true);
        let texts: Vec<(&str, bool)> = found.iter().map(|one| (one.text.as_str(), one.hangs)).collect();
        assert_eq!(
            texts,
            [
                ("For 2, the table gives a line of 4 and Mr Dunn as passenger.", false),
                ("Mr Dunn: “The ramp for wheelchairs was out of order.”", false),
                ("“The driver helped, but it took ten minutes.”", true),
            ]
        );
    }

    #[test]
    fn rows_of_languages_without_a_grammar_are_told_by_their_labels() {
        for (header, line, lang, expected) in [
            ("| 公园 | 面积 | 树木 |", "| 东湖公园 | 42公顷 | 5,600棵 |", "zh", "东湖公园：面积42公顷，树木5,600棵。"),
            ("| สถานี | ชานชาลา |", "| หัวหิน | 3 |", "th", "หัวหิน: ชานชาลา 3."),
            ("| Linn | Elanikud | Pindala |", "| Tartu | 95 000 | 154 |", "et", "Tartu: Elanikud 95 000, Pindala 154."),
        ] {
            assert_eq!(row(header, line, lang).as_deref(), Some(expected));
        }
    }

    #[test]
    fn units_of_labels_stand_behind_figures_and_dates_are_no_quantities() {
        let header = "| Machine | Sales in euros | Hours | Next service |";
        assert_eq!(
            row(header, "| Lathe A | 1,900 | 18,200 | 3 May |", "en").as_deref(),
            Some("The machine Lathe A has sales of 1,900 euros, 18,200 hours and 3 May as next service.")
        );
    }
}

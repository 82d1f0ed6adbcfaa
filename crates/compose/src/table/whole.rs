//! Tables of a source that can stand in an article as tables.

use std::{fmt::Write, ops::Range, sync::Arc};

use galley_text::word;

use super::{has_content, is_prose, is_rule, starts_as_number, values};
use crate::{
    lexicon::Language,
    snapshot::{Block, BlockKind},
    usable,
};

/// A larger table is told by some of its rows.
const ROWS: std::ops::RangeInclusive<usize> = 2..=12;
const COLUMNS: std::ops::RangeInclusive<usize> = 2..=6;
const MAX_CELL_CHARS: usize = 60;
const MAX_WORDS: u32 = 160;
const MAX_CAPTION_WORDS: u32 = 25;
/// A caption may be a sentence behind one of these and a number: `Table 2. …`
const CAPTIONS: [&str; 10] =
    ["table", "tabelle", "tab.", "tableau", "tabla", "tabella", "tabela", "таблица", "表", "ตาราง"];

/// A table as a paragraph of an article: its caption on a line of its own, and below it lines of Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// May be empty.
    pub caption: String,
    pub header: Vec<String>,
    /// None has more cells than the header.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a paragraph that is a table.
    pub fn parse(paragraph: &str) -> Option<Self> {
        let mut lines = paragraph.trim().lines().map(str::trim).peekable();
        let caption = lines.next_if(|line| !line.starts_with('|')).unwrap_or("");
        let header = super::cells(lines.next()?);
        lines.next().filter(|line| line.starts_with('|') && is_rule(line))?;
        let rows: Vec<Vec<String>> =
            lines.map(|line| line.starts_with('|').then(|| super::cells(line))).collect::<Option<_>>()?;
        let fits = !rows.is_empty() && rows.iter().all(|row| row.len() <= header.len());
        fits.then(|| Self { caption: caption.to_owned(), header, rows })
    }

    /// As a paragraph that [`Self::parse`] reads. `cell` turns the text of a cell into Markdown, save for bars.
    pub fn write(&self, cell: impl Fn(&str) -> String) -> String {
        let line = |cells: &[String]| {
            let mut line = String::from("|");
            for at in 0..self.header.len() {
                let text = cells.get(at).map_or_else(String::new, |text| cell(text));
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
                let _ = write!(line, " {text} |");
            }
            line
        };
        let mut out = line(&self.header);
        let _ = write!(out, "\n|{}", "---|".repeat(self.header.len()));
        self.rows.iter().for_each(|row| out = format!("{out}\n{}", line(row)));
        out
    }

    fn paragraph(&self) -> String {
        let body = self.write(str::to_owned);
        if self.caption.is_empty() { body } else { format!("{}\n{body}", self.caption) }
    }

    fn is_sound(&self, language: Option<&Language>) -> bool {
        let all = || self.rows.iter().chain([&self.header]).flatten();
        let is_cell = |cell: &String| {
            cell.chars().count() <= MAX_CELL_CHARS
                && !is_prose(cell)
                && !cell.contains(['<', '{', '`', '@'])
                && !cell.contains("://")
        };
        // What has few figures and makes no sentences with its header is no data: code, navigation, a layout of a page.
        let told = self.rows.iter().filter(|row| values(&self.header, row, language, true).is_some()).count();
        let given = || self.rows.iter().flat_map(|row| row.iter().skip(1)).filter(|cell| has_content(cell));
        let figures = given().filter(|cell| starts_as_number(cell)).count();
        let is_data = told * 2 >= self.rows.len() || figures > 0 && figures * 2 >= given().count();
        ROWS.contains(&self.rows.len())
            && COLUMNS.contains(&self.header.len())
            && self.header.iter().skip(1).all(|label| label.chars().any(char::is_alphanumeric))
            && self.header.iter().any(|label| label.chars().any(char::is_alphabetic))
            && self.rows.iter().all(|row| row.len() <= self.header.len())
            && all().all(is_cell)
            && is_data
            && word::count(&self.paragraph()) <= MAX_WORDS
    }
}

/// A table of a source with the lines above it that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WholeTable {
    /// The block of the table.
    pub block: usize,
    /// The blocks of its caption; may be empty.
    pub captions: Range<usize>,
    /// From the caption to the last row.
    pub range: Range<usize>,
    /// What stands in the article.
    pub text: String,
}

/// The tables of a text that can be printed as they are.
pub(crate) fn find(text: &str, blocks: &[Block], language: Option<&Language>) -> Vec<WholeTable> {
    let of_table = |(at, block): (usize, &Block)| {
        let last = block.parts.last().filter(|_| block.kind == BlockKind::TableRow)?;
        if !ROWS.contains(&block.parts.len()) {
            return None;
        }
        let captions = captions(text, blocks, at, language);
        let lines: Vec<&str> =
            blocks[captions.clone()].iter().filter_map(whole).map(|range| text[range].trim()).collect();
        let caption = lines.join(" ");
        // The number counts the tables of the source, not those of the article.
        let caption = unnumbered(&caption).unwrap_or(&caption).trim_end_matches([':', '：', '.', '。']);
        let caption = caption.trim_end().to_owned();
        let rows = block.parts.iter().map(|row| block.cells(&text[row.clone()])).collect();
        let table = Table { caption, header: block.header.clone(), rows };
        let start = blocks[captions.clone()].first().and_then(whole).map_or(block.head, |range| range.start);
        let is_sound = table.is_sound(language);
        is_sound.then(|| WholeTable { block: at, captions, range: start..last.end, text: table.paragraph() })
    };
    blocks.iter().enumerate().filter_map(of_table).collect()
}

fn whole(block: &Block) -> Option<Range<usize>> {
    Some(block.parts.first()?.start..block.parts.last()?.end)
}

/// The blocks directly above a table that say what it shows: a caption, and a unit below that.
fn captions(text: &str, blocks: &[Block], table: usize, language: Option<&Language>) -> Range<usize> {
    let mut first = table;
    while let Some(before) = first.checked_sub(1) {
        let below = &blocks[first];
        let Some(range) = whole(&blocks[before]) else { break };
        let line = &text[range.clone()];
        let is_next = Arc::ptr_eq(&blocks[before].headings, &below.headings)
            && text.get(range.end..below.head).is_some_and(|gap| gap.trim().is_empty());
        // Only a unit has a caption above it.
        let is_unit = |line: &str| line.starts_with(|c: char| c == '(' || c.is_lowercase());
        let may_follow = first == table || first + 1 == table && is_unit(&text[below.head..]);
        let is_caption = blocks[before].kind == BlockKind::Paragraph && is_caption(line, language);
        if !(is_next && may_follow && is_caption) {
            break;
        }
        first = before;
    }
    first..table
}

fn is_caption(line: &str, language: Option<&Language>) -> bool {
    let is_numbered = unnumbered(line).is_some();
    let ends = line.ends_with(['.', '!', '?', ';', ',', '。', '！', '？', '”', '"']);
    (is_numbered || !ends)
        && word::count(line) <= MAX_CAPTION_WORDS
        && !line.contains('|')
        && (is_numbered || usable::is_sound_item(line, language))
}

/// What stands behind `Table 2.`
fn unnumbered(caption: &str) -> Option<&str> {
    let rest = CAPTIONS.iter().find_map(|word| {
        let (start, rest) = caption.split_at_checked(word.len())?;
        (start.to_lowercase() == *word).then(|| rest.trim_start())
    })?;
    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '.' | ':' | '：' | '-' | '–' | '—');
    (behind.len() < rest.len() && !behind.starts_with(char::is_alphanumeric))
        .then(|| behind.trim_start_matches(is_mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lexicon, snapshot::blocks, testing::source};

    fn found(text: &str, lang: &str) -> Vec<String> {
        let s = source(1, lang, text);
        find(text, &blocks(&s), lexicon::of(lang)).into_iter().map(|table| table.text).collect()
    }

    const PARKS: &str = "| Park | 2021 | 2022 |\n| Ash Park | 12,300 | 15,800 |\n| Birch Hill | | 9,050 |";

    #[test]
    fn a_table_has_its_caption_and_its_cells_as_they_stand() {
        let body = "| Park | 2021 | 2022 |\n|---|---|---|\n| Ash Park | 12,300 | 15,800 |\n| Birch Hill |  | 9,050 |";
        assert_eq!(found(PARKS, "en"), [body]);
        let captioned = |caption: &str| format!("# Parks\n\nThe city counts each summer.\n\n{caption}\n\n{PARKS}");
        for (caption, shown) in [
            ("Visitors of the parks", "Visitors of the parks\n"),
            ("Visitors of the parks:", "Visitors of the parks\n"),
            ("Table 2. Visitors of the parks.", "Visitors of the parks\n"),
            ("Таблица 3: Visitors of the parks", "Visitors of the parks\n"),
            ("Visitors of the parks\n\n(in thousands)", "Visitors of the parks (in thousands)\n"),
            ("The parks had more visitors.", ""),
        ] {
            let text = captioned(caption);
            assert_eq!(found(&text, "en"), [format!("{shown}{body}")], "{caption}");
            let table = find(&text, &blocks(&source(1, "en", &text)), lexicon::of("en")).remove(0);
            let starts = if shown.is_empty() { "| Park" } else { caption.lines().next().unwrap_or("") };
            assert!(text[table.range.clone()].starts_with(starts) && text[table.range].ends_with("9,050 |"));
        }
    }

    #[test]
    fn tables_of_scripts_without_spaces_and_of_separated_values_are_tables() {
        assert_eq!(
            found("| 公园 | 面积 | 树木 |\n| 东湖公园 | 42公顷 | 5,600棵 |\n| 西山公园 | 18公顷 | 2,100棵 |", "zh")
                .len(),
            1
        );
        assert_eq!(found("| สถานี | ชานชาลา |\n| หัวหิน | 3 |\n| ชุมพร | 2 |", "th").len(), 1);
        let text = "Hub;Orders;Carrier\nRiga;1,200;Omniva\nTartu;80;DPD\nNarva;40;DPD";
        assert_eq!(
            found(text, "en"),
            [
                "| Hub | Orders | Carrier |\n|---|---|---|\n| Riga | 1,200 | Omniva |\n| Tartu | 80 | DPD |\n| Narva | 40 | DPD |"
            ]
        );
    }

    #[test]
    fn what_is_too_large_or_no_data_is_no_table_of_an_article() {
        let rows = |count: usize| {
            let mut text = "| Hub | Orders |".to_owned();
            (0..count).for_each(|n| text.push_str(&format!("\n| Hub {n} | {n}00 |")));
            text
        };
        assert_eq!(
            (found(&rows(12), "en").len(), found(&rows(13), "en").len(), found(&rows(1), "en").len()),
            (1, 0, 0)
        );
        let wide = |columns: usize| {
            let labels: Vec<String> = ('a'..).take(columns).map(|c| format!("label {c}")).collect();
            let row = format!("| Riga {}|", "| 5 ".repeat(columns - 1));
            format!("| {} |\n{row}\n{}", labels.join(" | "), row.replace("Riga", "Narva"))
        };
        assert_eq!((found(&wide(6), "en").len(), found(&wide(7), "en").len()), (1, 0));
        assert_eq!(found("| Home | Shop |\n| About us | Cart |\n| Terms | Login |", "en").len(), 0);
        let prose =
            "| Hub | Orders | Note |\n| Riga | 12 | The driver came late, and nobody was there. |\n| Narva | 3 | - |";
        assert_eq!(found(prose, "en").len(), 0);
    }

    #[test]
    fn a_paragraph_is_read_as_it_was_written() {
        let table = Table {
            caption: "Sizes".to_owned(),
            header: vec!["Size".to_owned(), "a | b".to_owned()],
            rows: vec![vec!["S".to_owned(), String::new()], vec!["M".to_owned(), "1 | 2".to_owned()]],
        };
        assert_eq!(table.paragraph(), "Sizes\n| Size | a \\| b |\n|---|---|\n| S |  |\n| M | 1 \\| 2 |");
        assert_eq!(Table::parse(&table.paragraph()), Some(table));
        for text in ["", "|", "| a |", "A sentence.", "| a |\n|---|", "| a |\n|---|\n| 1 | 2 |", "- | a |\n- |---|\nx"]
        {
            assert_eq!(Table::parse(text), None, "{text}");
        }
    }
}

//! Text whose lines are records: `1001,Miller & Sons,oak table,2`.

use std::ops::Range;

use crate::snapshot::{Block, BlockKind};

/// A header and so many rows at least.
const LEAST_RECORDS: usize = 3;
/// Lines of so many records may have a space behind the separator, as sentences have.
const LEAST_LOOSE: usize = 5;
/// What lines are is seen in so many of them: all would be read again for each line that begins no table.
const JUDGED: usize = 50;
const COLUMNS: std::ops::RangeInclusive<usize> = 2..=40;

/// What stands between the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Separator {
    /// `| a | b |`
    #[default]
    Bars,
    Char(char),
}

impl Separator {
    /// The cells of a row, trimmed.
    pub fn cells(self, line: &str) -> Vec<String> {
        match self {
            Self::Bars => super::cells(line),
            Self::Char(separator) => split(line, separator),
        }
    }
}

/// Makes tables of the paragraphs that are records of one: at least three that follow each other with the same number
/// of cells, the first of them labels.
pub(crate) fn gather(text: &str, blocks: &mut Vec<Block>) {
    let mut at = 0;
    while at < blocks.len() {
        if let Some((separator, lines)) = records(text, &blocks[at..]) {
            let table = Block {
                kind: BlockKind::TableRow,
                headings: std::sync::Arc::clone(&blocks[at].headings),
                header: split(&text[lines[0].clone()], separator),
                head: lines[0].start,
                parts: lines[1..].to_vec(),
                separator: Separator::Char(separator),
            };
            blocks.splice(at..at + lines.len(), [table]);
        }
        at += 1;
    }
}

/// The separator of the records at the start of some blocks, and their lines.
fn records(text: &str, blocks: &[Block]) -> Option<(char, Vec<Range<usize>>)> {
    let line = |block: &Block| -> Option<Range<usize>> {
        let whole = block.parts.first()?.start..block.parts.last()?.end;
        (block.kind == BlockKind::Paragraph).then_some(whole)
    };
    let first = &text[line(blocks.first()?)?];
    if ends_as_prose(first) {
        return None;
    }
    // Most lines are no record, and are seen to be none at once.
    ['\t', ';', ','].into_iter().filter(|separator| first.contains(*separator)).find_map(|separator| {
        let labels = split(first, separator);
        let width = labels.len();
        let least = if separator == '\t' { 2 } else { 3 };
        let is_header = labels.iter().filter(|label| !label.is_empty()).count() >= least
            && labels.first().is_some_and(|label| !label.starts_with(|c: char| c.is_ascii_digit()));
        if !is_header || !COLUMNS.contains(&width) {
            return None;
        }
        let is_record = |range: &Range<usize>| {
            let line = &text[range.clone()];
            !(separator == ',' && ends_as_prose(line)) && split(line, separator).len() == width
        };
        let all = || blocks.iter().map_while(line).take_while(is_record);
        let lines: Vec<Range<usize>> = all().take(JUDGED).collect();
        let rows: Vec<Vec<String>> = lines.iter().map(|range| split(&text[range.clone()], separator)).collect();
        let spaced = lines.iter().filter(|range| is_spaced(&text[(*range).clone()], separator)).count();
        let has_figures = || {
            let is_figure = |row: &&Vec<String>, at: usize| row[at].starts_with(|c: char| c.is_ascii_digit());
            (0..width).any(|at| rows[1..].iter().filter(|row| is_figure(row, at)).count() * 2 >= rows.len())
        };
        let is_loose = spaced * 4 > lines.len();
        let is_table = lines.len() >= LEAST_RECORDS && (!is_loose || lines.len() >= LEAST_LOOSE && has_figures());
        is_table.then(|| (separator, all().collect()))
    })
}

fn ends_as_prose(line: &str) -> bool {
    line.ends_with(['.', '!', '?', ':', '。', '！', '？'])
}

/// A separator with a space behind it, as in a sentence.
fn is_spaced(line: &str, separator: char) -> bool {
    let mut quoted = false;
    let mut before = ' ';
    for c in line.chars() {
        if c == '"' {
            quoted = !quoted;
        } else if !quoted && c == ' ' && before == separator {
            return true;
        }
        before = c;
    }
    false
}

/// Cells, trimmed; a separator within quotes is part of its cell, and two quotes there are one.
fn split(line: &str, separator: char) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(cell) = out.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            c if c == separator && !quoted => out.push(String::new()),
            c => cell.push(c),
        }
    }
    out.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        snapshot::{blocks, sentences},
        testing::source,
    };

    fn paragraphs(lines: &[&str]) -> (String, Vec<Block>) {
        let (mut text, mut blocks) = (String::new(), Vec::new());
        for line in lines {
            let start = text.len();
            text.push_str(line);
            blocks.push(Block {
                kind: BlockKind::Paragraph,
                headings: std::sync::Arc::default(),
                header: Vec::new(),
                head: 0,
                parts: std::iter::once(start..text.len()).collect(),
                separator: Separator::Bars,
            });
            text.push_str("\n\n");
        }
        (text, blocks)
    }

    /// Each of the lines could begin a table. To read all behind it, for each of them, would take minutes.
    #[test]
    fn many_lines_that_look_alike_and_are_no_records_stay_lines() {
        let (text, mut blocks) = paragraphs(&vec!["Smith, John, London"; 20_000]);
        gather(&text, &mut blocks);
        assert_eq!(blocks.len(), 20_000);
    }

    #[test]
    fn a_long_table_is_taken_whole() {
        let lines: Vec<&str> =
            std::iter::once("hub,orders,carrier").chain(std::iter::repeat_n("Riga,12,DPD", 300)).collect();
        let (text, mut blocks) = paragraphs(&lines);
        gather(&text, &mut blocks);
        assert_eq!(blocks.iter().map(|block| block.parts.len()).collect::<Vec<_>>(), [300]);
    }

    #[test]
    fn records_become_rows_with_their_header() {
        for (separator, gap) in [(',', "\n\n"), (';', "\n"), ('\t', "\n\n")] {
            let lines = ["hub,orders,carrier", "Riga,1200,Omniva", "\"Old, small Tartu\",80,DPD", "Narva,95,Omniva"];
            let text = format!("# T\n\nA text, with commas, stands here.\n\n{}", lines.join(gap));
            let text = text.replace(',', &separator.to_string()).replacen(separator, ",", 2);
            let text = text.replace(&format!("Old{separator} small"), "Old, small");
            let found: Vec<String> = sentences(&source(1, "en", &text)).into_iter().map(|s| s.text).collect();
            assert_eq!(
                found[1..],
                [
                    "The hub Riga has 1200 orders and Omniva as carrier.",
                    "The hub Old, small Tartu has 80 orders and DPD as carrier.",
                    "The hub Narva has 95 orders and Omniva as carrier."
                ],
                "{separator:?}"
            );
        }
    }

    #[test]
    fn sentences_with_commas_are_no_records() {
        let text = "Milk, bread, and salt are cheap\n\nOil, wine, and fish are dear\n\nTea, coffee, and sugar are sold\n\n\
                    Paris, the capital, is large.\n\nRome, the old one, is larger.\n\nBonn, the small one, is not.";
        assert!(blocks(&source(1, "en", text)).iter().all(|block| block.kind == BlockKind::Paragraph));
    }
}

//! Tables as text, with whatever separates their columns.

mod quotes;

use std::{iter, sync::Arc, time::Duration};

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use crate::{
    blocks::Blocks,
    error::FileError,
    extract::Read,
    limits::{Budget, Limits},
    script,
    table::Table,
};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many records the choice of the delimiter looks at.
const LOOKED_AT: usize = 50;

pub(crate) fn read(text: &str, limits: &Limits, budget: &Budget) -> Result<Read, FileError> {
    // Excel writes the separator into the first line on request.
    let (told, text) = match text.split_once('\n') {
        Some((line, rest)) => match line.trim_end().strip_prefix("sep=").map(str::as_bytes) {
            Some(&[byte]) => (Some(byte), rest),
            _ => (None, text),
        },
        None => (None, text),
    };
    let delimiter = told.unwrap_or_else(|| delimiter(text).0);
    let (text, unclosed) = quotes::without_unclosed(text, delimiter);
    let mut table = Table::new(limits);
    let mut ragged = false;
    let mut width = None;
    let mut records = Records::new(&text, delimiter);
    loop {
        if records.blank_line_follows() {
            table.push_gap();
            width = None;
        }
        let Some(record) = records.next(limits, budget)? else { break };
        let row = record.cells;
        if row.iter().all(|cell| cell.trim().is_empty()) {
            table.push_gap();
            width = None;
            continue;
        }
        ragged |= *width.get_or_insert(record.width) != record.width;
        if !table.push_plain(row) {
            break;
        }
    }
    let mut warnings = table.warnings(limits, "the table");
    if ragged {
        warnings.push("some rows have more or fewer cells than the first one".to_owned());
    }
    if let Some(first) = unclosed.first() {
        let count = unclosed.len();
        warnings.push(format!("quotes that are never closed, the first in line {first}, were left out: {count}"));
    }
    let mut blocks = Blocks::new(limits.text_bytes);
    table.write_sheet(&mut blocks);
    Ok(Read { truncated: table.is_cut(), warnings, ..Read::new(blocks) })
}

/// How much is taken of a cell at once.
const PIECE: usize = 4 << 10;

/// Hands out records. Of one it holds no more than what a table takes: a file may be a single record of millions of
/// cells, or a single cell.
struct Records<'a> {
    reader: Reader,
    rest: &'a [u8],
    /// What was read last.
    before: u8,
    piece: [u8; PIECE],
    pieces: usize,
}

struct Record {
    /// The first cells, and one more where there is text further on, so that the table knows of it.
    cells: Vec<String>,
    /// How many cells the record has in the file.
    width: usize,
}

impl<'a> Records<'a> {
    fn new(text: &'a str, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, rest: text.as_bytes(), before: b'\n', piece: [0; PIECE], pieces: 0 }
    }

    /// The reader passes over empty lines.
    fn blank_line_follows(&self) -> bool {
        let rest = if self.before == b'\r' { self.rest.strip_prefix(b"\n").unwrap_or(self.rest) } else { self.rest };
        rest.starts_with(b"\n") || rest.starts_with(b"\r")
    }

    fn next(&mut self, limits: &Limits, budget: &Budget) -> Result<Option<Record>, FileError> {
        let mut record = Record { cells: Vec::new(), width: 0 };
        let mut cell = Vec::new();
        let mut has_more = false;
        loop {
            self.pieces += 1;
            if self.pieces.is_multiple_of(1_024) {
                budget.check()?;
            }
            let (result, read, written) = self.reader.read_field(self.rest, &mut self.piece);
            self.before = self.rest[..read].last().copied().unwrap_or(self.before);
            self.rest = &self.rest[read..];
            let piece = &self.piece[..written];
            if record.width >= limits.columns {
                has_more |= !piece.trim_ascii().is_empty();
            } else if cell.len() <= limits.text_bytes {
                cell.extend_from_slice(piece);
            }
            let ReadFieldResult::Field { record_end } = result else {
                if result == ReadFieldResult::End {
                    return Ok(None);
                }
                continue;
            };
            if record.width < limits.columns {
                record.cells.push(script::plain(&String::from_utf8_lossy(&cell)).into_owned());
                cell.clear();
            }
            record.width += 1;
            if record_end {
                if has_more {
                    record.cells.push("more".to_owned());
                }
                return Ok(Some(record));
            }
        }
    }
}

/// True where the first lines split into the same number of columns, two at least.
pub(crate) fn looks_like_csv(text: &str) -> bool {
    let (_, columns, records) = delimiter(text);
    columns >= 2 && records >= 3
}

/// True where every line splits so, and no separator has a space behind it as in a sentence.
pub(crate) fn is_surely_csv(text: &str) -> bool {
    let lines = || text.lines().filter(|line| !line.trim().is_empty()).take(LOOKED_AT);
    let (delimiter, columns, records) = delimiter(text);
    let mark = char::from(delimiter);
    let is_prose = |line: &str| line.ends_with(['.', '!', '?', ':']) || line.contains(&format!("{mark} "));
    let least = if delimiter == b'\t' { 2 } else { 3 };
    columns >= least && records >= 4 && records == lines().count() && mark != '|' && !lines().any(is_prose)
}

/// The delimiter that splits the first records most evenly, how many columns it gives, and how many records have
/// exactly that many. A comma where none does.
fn delimiter(text: &str) -> (u8, usize, usize) {
    let sample = &text[..text.floor_char_boundary(64 << 10)];
    let mut best = (0, (b',', 1, 0));
    for delimiter in DELIMITERS {
        let widths = widths(sample, delimiter);
        let Some(columns) = widths.first().copied().filter(|columns| *columns > 1) else { continue };
        let same = widths.iter().filter(|width| **width == columns).count();
        // A delimiter that fits all records wins over one that makes more columns in some.
        let score = same * 1_000 / widths.len() * 1_000 + columns.min(999);
        if score > best.0 {
            best = (score, (delimiter, columns, same));
        }
    }
    best.1
}

/// How many cells each of the first records has.
fn widths(sample: &str, delimiter: u8) -> Vec<usize> {
    let none = Limits { columns: 0, time: Duration::MAX, ..Limits::default() };
    let budget = Budget::start(&none, Arc::default());
    let mut records = Records::new(sample, delimiter);
    let records = iter::from_fn(|| records.next(&none, &budget).ok().flatten());
    records.take(LOOKED_AT).map(|record| record.width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(given: &str) -> (String, Vec<String>) {
        let limits = Limits { rows: 4, columns: 3, ..Limits::default() };
        let budget = Budget::start(&limits, Arc::default());
        let read = read(given, &limits, &budget).expect("read");
        (read.blocks.into_text(), read.warnings)
    }

    #[test]
    fn the_delimiter_is_told_by_the_content() {
        let wanted = "| name | price |\n| Mug, red | 4,50 |\n| Pot \\| pan | 12 |";
        for given in [
            "name;price\nMug, red;4,50\nPot | pan;12\n",
            "name\tprice\r\nMug, red\t4,50\r\nPot | pan\t12",
            "name,price\n\"Mug, red\",\"4,50\"\nPot | pan,12\n",
            "sep=;\nname;price\n\"Mug, red\";4,50\n\n;\nPot | pan;12",
        ] {
            assert_eq!(text(given), (wanted.to_owned(), vec![]), "{given:?}");
        }
        assert_eq!(text("a|b\n\"x\ny\"|2").0, "| a | b |\n| x y | 2 |");
    }

    #[test]
    fn rows_behind_a_quote_that_is_never_closed_are_kept() {
        let (rows, warnings) = text("name,price\n\"Mug,4\nPot,5\nPan,\"6\"\n");
        assert_eq!(rows, "| name | price |\n| Mug | 4 |\n| Pot | 5 |\n| Pan | 6 |");
        assert_eq!(warnings, ["quotes that are never closed, the first in line 2, were left out: 1"]);
    }

    #[test]
    fn a_file_may_hold_a_title_and_two_tables() {
        let given = "Orders of 2025,,,\r\n,,,\r\n,North,,South\r\nCity,Spring,Autumn,Spring\r\nRiga,1,2,3\r\n\r\nContact,Phone\r\nAda,371 20\r\n";
        let limits = Limits::default();
        let read = read(given, &limits, &Budget::start(&limits, Arc::default())).expect("read");
        assert_eq!(
            read.blocks.into_text(),
            "### Orders of 2025\n\n| City | North Spring | North Autumn | South Spring |\n| Riga | 1 | 2 | 3 |\n\n| Contact | Phone |\n| Ada | 371 20 |"
        );
        assert!(read.warnings.is_empty());
    }

    #[test]
    fn records_in_a_text_file_are_told_from_sentences() {
        assert!(is_surely_csv("hub;orders;carrier\nRiga;1,200;Omniva\nTartu;80;DPD\n\nNarva;95;DPD\n"));
        assert!(!is_surely_csv("Milk, bread, salt\nOil, wine, fish\nTea, rice, rum\nNuts, eggs, figs\n"));
        assert!(!is_surely_csv("a,b,c\n1,2,3\n4,5,6\nA sentence, it is,long.\n"));
    }

    #[test]
    fn of_a_very_wide_record_few_cells_are_kept() {
        let commas = ",".repeat(100_000);
        let first = |text: &str, columns| {
            let limits = Limits { columns, ..Limits::default() };
            let budget = Budget::start(&limits, Arc::default());
            Records::new(text, b',').next(&limits, &budget).expect("in time").expect("a record")
        };
        let record = first(&commas, 3);
        assert_eq!((record.cells.len(), record.width), (3, 100_001));
        assert_eq!(first(&format!("a{commas}b"), 3).cells, ["a", "", "", "more"]);
        let long = first(&format!("\"{}\",b", "x,".repeat(3 << 20)), 3);
        assert!(long.cells[0].len() <= (2 << 20) + PIECE && long.cells[1] == "b" && long.width == 2);
        let (row, warnings) = text(&format!("a,b{commas}c\n1,2,3\n"));
        assert_eq!((row.lines().next(), warnings.len()), (Some("| a | b | |"), 2), "{row}");
    }

    #[test]
    fn one_column_ragged_rows_and_bounds() {
        assert_eq!(text("words\nalpha\nbeta").0, "| words |\n| alpha |\n| beta |");
        let (ragged, warnings) = text("a,b\n1\n1,2,3\n");
        assert_eq!(ragged, "| a | b | |\n| 1 | | |\n| 1 | 2 | 3 |");
        assert_eq!(warnings.len(), 1);
        let (wide, warnings) = text("a,b,c,d\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n");
        assert_eq!(wide, format!("| a | b | c |{}", "\n| 1 | 2 | 3 |".repeat(3)));
        assert_eq!(
            warnings,
            ["only the first 4 rows of the table were read", "only the first 3 columns of the table were read"]
        );
    }
}

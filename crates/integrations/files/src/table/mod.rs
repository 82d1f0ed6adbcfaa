//! A table on its way to blocks: bounded, without empty rows and columns, every row as wide as the widest.

mod shape;

use crate::{blocks::Blocks, limits::Limits};
use shape::Frame;

/// One cell as written in the file; `wide` and `tall` count the columns and rows that it spans, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) wide: usize,
    pub(crate) tall: usize,
}

/// A row with some text.
#[derive(Debug, Default, Clone)]
struct Row {
    cells: Vec<String>,
    /// The cells that span columns: where, and how many.
    wide: Vec<(usize, usize)>,
    /// A row without text stands above.
    after_gap: bool,
}

#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Row>,
    /// By column: the text of a cell from above and the rows that it still reaches down to.
    hanging: Vec<(String, usize)>,
    gap: bool,
    /// How many rows the file calls the header.
    head: usize,
    max_rows: usize,
    max_columns: usize,
    more_rows: bool,
    more_columns: bool,
    /// Bytes of all cells; shared strings can make a small file a huge table.
    bytes: usize,
    max_bytes: usize,
}

impl Table {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            rows: Vec::new(),
            hanging: Vec::new(),
            gap: false,
            head: 0,
            max_rows: limits.rows.max(1),
            max_columns: limits.columns.max(1),
            more_rows: false,
            more_columns: false,
            bytes: 0,
            max_bytes: limits.text_bytes,
        }
    }

    /// Adds a row of cells that may span others. A spanned column is empty; a spanned row repeats the text, so that
    /// each row can be read alone.
    pub(crate) fn push(&mut self, cells: Vec<Cell>) {
        let mut row: Vec<String> = Vec::new();
        let mut wide = Vec::new();
        let mut cells = cells.into_iter().peekable();
        while cells.peek().is_some() || self.hanging.get(row.len()).is_some_and(|(_, rows)| *rows > 0) {
            let at = row.len();
            if at >= self.max_columns {
                self.more_columns |= cells.peek().is_some();
                break;
            }
            if let Some((text, rows)) = self.hanging.get_mut(at).filter(|(_, rows)| *rows > 0) {
                *rows -= 1;
                row.push(text.clone());
            } else if let Some(cell) = cells.next() {
                let columns = cell.wide.min(self.max_columns - at);
                if columns > 1 {
                    wide.push((at, columns));
                }
                for column in 0..columns {
                    let text = if column == 0 { cell.text.clone() } else { String::new() };
                    if cell.tall > 1 {
                        if self.hanging.len() <= at + column {
                            self.hanging.resize(at + column + 1, (String::new(), 0));
                        }
                        self.hanging[at + column] = (text.clone(), cell.tall - 1);
                    }
                    row.push(text);
                }
            } else {
                row.push(String::new());
            }
        }
        self.push_wide(row, wide);
    }

    /// Adds a row of plain cells; one without any text is left out. False once there is no room for more rows.
    pub(crate) fn push_plain(&mut self, row: Vec<String>) -> bool {
        self.push_wide(row, Vec::new())
    }

    /// The same with cells that span columns: where, and how many.
    pub(crate) fn push_wide(&mut self, mut row: Vec<String>, wide: Vec<(usize, usize)>) -> bool {
        if row.len() > self.max_columns {
            self.more_columns |= row[self.max_columns..].iter().any(|cell| !cell.trim().is_empty());
            row.truncate(self.max_columns);
        }
        let has_text = row.iter().any(|cell| !cell.trim().is_empty());
        if self.rows.len() >= self.max_rows || self.bytes > self.max_bytes {
            self.more_rows |= has_text;
            return !has_text;
        }
        if has_text {
            self.bytes += row.iter().map(|cell| cell.len() + 3).sum::<usize>();
            self.rows.push(Row { cells: row, wide, after_gap: self.gap });
        }
        self.gap = !has_text;
        true
    }

    /// Notes that a row without any text follows.
    pub(crate) fn push_gap(&mut self) {
        self.gap = true;
    }

    /// Notes that the rows so far are the header.
    pub(crate) fn end_head(&mut self) {
        self.head = self.rows.len();
    }

    pub(crate) fn columns(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0)
    }

    /// All cells with text, row by row.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.map(String::as_str).filter(|cell| !cell.trim().is_empty())
    }

    /// Rows or columns were left out.
    pub(crate) fn is_cut(&self) -> bool {
        self.more_rows || self.more_columns
    }

    /// What was left out of `what`, for people.
    pub(crate) fn warnings(&self, limits: &Limits, what: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.more_rows && self.bytes <= self.max_bytes {
            warnings.push(format!("only the first {} rows of {what} were read", limits.rows));
        }
        if self.more_columns {
            warnings.push(format!("only the first {} columns of {what} were read", limits.columns));
        }
        warnings
    }

    /// One table: what stands above and below it, its header of one row, its rows. Columns without any text are left
    /// out; prose stands behind the table, with what it belongs to.
    pub(crate) fn write(&self, out: &mut Blocks) {
        let rows: Vec<&Row> = self.rows.iter().collect();
        Frame::new(&rows).write(self.head, false, out);
    }

    /// As [`Table::write`], of a sheet, which may hold several tables with their titles and notes.
    pub(crate) fn write_sheet(&self, out: &mut Blocks) {
        let rows: Vec<&Row> = self.rows.iter().collect();
        for part in shape::parts(&rows) {
            for frame in Frame::new(part).side_by_side() {
                out.end();
                frame.write(0, true, out);
                out.end();
            }
        }
    }
}

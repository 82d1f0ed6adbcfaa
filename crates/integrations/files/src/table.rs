//! A table on its way to blocks: bounded, without empty rows and columns, every row as wide as the widest.

use crate::{blocks::Blocks, limits::Limits};

/// One cell as written in the file; `wide` and `tall` count the columns and rows that it spans, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) wide: usize,
    pub(crate) tall: usize,
}

#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    /// By column: the text of a cell from above and the rows that it still reaches down to.
    hanging: Vec<(String, usize)>,
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
                for column in 0..cell.wide.min(self.max_columns - at) {
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
        self.push_plain(row);
    }

    /// Adds a row of plain cells; one without any text is left out. False once there is no room for more rows.
    pub(crate) fn push_plain(&mut self, mut row: Vec<String>) -> bool {
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
            self.rows.push(row);
        }
        true
    }

    pub(crate) fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// All cells with text, row by row.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().flatten().map(String::as_str).filter(|cell| !cell.trim().is_empty())
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

    /// The first row is the header. Columns without any text are left out.
    pub(crate) fn write(&self, out: &mut Blocks) {
        let used: Vec<usize> = (0..self.columns())
            .filter(|at| self.rows.iter().any(|row| row.get(*at).is_some_and(|cell| !cell.trim().is_empty())))
            .collect();
        for row in &self.rows {
            if out.is_full() {
                return;
            }
            let cells: Vec<String> = used.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect();
            out.row(&cells, used.len());
        }
    }
}

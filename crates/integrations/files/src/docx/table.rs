//! A table of a document while it is being read.

use crate::{limits::Limits, table::Table};

#[derive(Debug)]
pub(super) struct OpenTable {
    pub(super) table: Table,
    pub(super) row: Vec<String>,
    pub(super) above: Vec<String>,
    pub(super) cell: String,
    pub(super) wide: usize,
    pub(super) continues: bool,
    /// The row that is being read was deleted or is hidden.
    pub(super) drops_row: bool,
    /// The cell that is being read was deleted.
    pub(super) drops_cell: bool,
    /// The row that is being read belongs to the header.
    pub(super) is_head: bool,
    /// The cells of the row that span columns.
    pub(super) spans: Vec<(usize, usize)>,
    /// Of all cells.
    pub(super) notes: Vec<String>,
}

impl OpenTable {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            row: Vec::new(),
            above: Vec::new(),
            cell: String::new(),
            wide: 1,
            continues: false,
            drops_row: false,
            drops_cell: false,
            is_head: false,
            spans: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn end_row(&mut self) {
        let (row, spans) = (std::mem::take(&mut self.row), std::mem::take(&mut self.spans));
        let is_head = std::mem::take(&mut self.is_head);
        if !std::mem::take(&mut self.drops_row) {
            self.above.clone_from(&row);
            self.table.push_wide(row, spans);
            if is_head {
                self.table.end_head();
            }
        }
    }

    /// A cell that continues the one above repeats its text, so that each row can be read alone. Of the cells beyond
    /// `columns` only the first with text is kept, so that the table knows of them.
    pub(super) fn end_cell(&mut self, columns: usize) {
        let at = self.row.len();
        let mut text = std::mem::take(&mut self.cell);
        if std::mem::take(&mut self.drops_cell) {
            text.clear();
        }
        if std::mem::take(&mut self.continues) && text.trim().is_empty() {
            text = self.above.get(at).cloned().unwrap_or_default();
        }
        let wide = std::mem::replace(&mut self.wide, 1);
        if at < columns || at == columns && !text.trim().is_empty() {
            self.row.push(text);
            let wide = wide.min(columns.saturating_sub(at));
            if wide > 1 {
                self.spans.push((at, wide));
            }
            self.row.resize(at + wide.max(1), String::new());
        }
    }
}

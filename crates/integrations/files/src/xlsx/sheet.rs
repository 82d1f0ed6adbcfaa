//! The cells of one sheet as it shows them: without hidden rows and columns, merged cells once per row.

use std::collections::BTreeSet;

use super::{
    styles::Styles,
    text::{Rich, Strings, cut},
};
use crate::{
    error::FileError,
    limits::{Budget, Limits},
    script::Runs,
    symbols::Symbols,
    table::Table,
    xml::{Element, Token, Xml},
};

/// Merged areas beyond this many, and cells in them, are read as single cells.
const MAX_MERGED: usize = 10_000;
const MAX_MERGED_CELLS: usize = 1_000_000;

/// What a whole workbook shares.
pub(super) struct Shared {
    pub(super) strings: Strings,
    pub(super) styles: Styles,
    pub(super) from_1904: bool,
}

/// How much of a sheet was left out.
#[derive(Debug, Default)]
pub(super) struct Counts {
    rows: usize,
    columns: usize,
    hidden: usize,
    struck: usize,
    without_value: usize,
}

impl Counts {
    /// For people; `sheet` is its name.
    pub(super) fn warnings(&self, sheet: &str) -> Vec<String> {
        let told = [
            (self.rows, "hidden rows"),
            (self.columns, "hidden columns"),
            (self.hidden, "cells whose format shows nothing"),
            (self.struck, "cells with struck-out text"),
            (self.without_value, "formulas without a saved value"),
        ];
        let told = told.into_iter().filter(|(count, _)| *count > 0);
        told.map(|(count, what)| format!("{what} of the sheet \"{sheet:.60}\" were left out: {count}")).collect()
    }
}

#[derive(Debug, Default)]
struct Row {
    number: u32,
    is_hidden: bool,
    cells: Vec<String>,
    wide: Vec<(usize, usize)>,
}

/// A cell that is being read.
#[derive(Debug, Default)]
struct Cell {
    column: usize,
    kind: String,
    style: usize,
    value: String,
    has_value: bool,
    has_formula: bool,
}

/// Rows and columns from 0, both ends included.
#[derive(Debug, Clone, Copy)]
struct Area {
    rows: (u32, u32),
    columns: (usize, usize),
}

struct Reading<'a> {
    shared: &'a Shared,
    limits: &'a Limits,
    symbols: &'a mut Symbols,
    rows: Vec<Row>,
    visible: usize,
    bytes: usize,
    hidden_columns: BTreeSet<usize>,
    counts: Counts,
    cell: Cell,
    rich: Rich,
    in_value: bool,
    in_rich: bool,
}

/// The table of a sheet. What the sheet declares about its size is not believed.
pub(super) fn read(
    text: &str,
    shared: &Shared,
    limits: &Limits,
    symbols: &mut Symbols,
    budget: &Budget,
) -> Result<(Table, Counts), FileError> {
    let mut reading = Reading {
        shared,
        limits,
        symbols,
        rows: Vec::new(),
        visible: 0,
        bytes: 0,
        hidden_columns: BTreeSet::new(),
        counts: Counts::default(),
        cell: Cell::default(),
        rich: Rich::default(),
        in_value: false,
        in_rich: false,
    };
    let mut xml = Xml::new(text, "a sheet", budget);
    while let Some(token) = xml.next()? {
        match token {
            Token::Start(element) => reading.start(&element),
            Token::End(name) if name == "sheetData" => break,
            Token::End(name) => reading.end(&name),
            Token::Text(text) if reading.in_rich => reading.rich.text(&text, reading.symbols),
            Token::Text(text) if reading.in_value => reading.value(&text),
            Token::Text(_) => {}
        }
        if reading.is_full() {
            break;
        }
    }
    let areas = merged(text, limits, budget)?;
    budget.check()?;
    reading.merge(&areas);
    Ok(reading.table())
}

impl Reading<'_> {
    fn is_full(&self) -> bool {
        // One row more than are kept, so that the table knows that there are more.
        self.visible > self.limits.rows + 1 || self.bytes > 2 * self.limits.text_bytes
    }

    fn start(&mut self, element: &Element<'_>) {
        if self.in_rich {
            return self.rich.start(element);
        }
        match element.name() {
            "col" => self.column(element),
            "row" => {
                let number = element.attribute("r").and_then(|r| r.parse::<u32>().ok()).and_then(|r| r.checked_sub(1));
                let after = self.rows.last().map_or(0, |row| row.number.saturating_add(1));
                let is_hidden = is_true(element, "hidden")
                    || is_true(element, "customHeight") && is_nothing(element.attribute("ht").as_deref());
                self.visible += usize::from(!is_hidden);
                self.rows.push(Row { number: number.unwrap_or(after), is_hidden, ..Row::default() });
            }
            "c" => {
                let after = self.rows.last().map_or(0, |row| row.cells.len());
                let column = element.attribute("r").and_then(|r| place(&r)).map_or(after, |(column, _)| column);
                self.cell = Cell {
                    // One column too many, so that the table knows that there are more.
                    column: column.min(self.limits.columns),
                    kind: element.attribute("t").unwrap_or_default(),
                    style: element.attribute("s").and_then(|s| s.parse().ok()).unwrap_or(0),
                    ..Cell::default()
                };
            }
            "f" => self.cell.has_formula = true,
            "v" => (self.in_value, self.cell.has_value) = (true, true),
            "is" => (self.in_rich, self.rich) = (true, Rich::default()),
            _ => {}
        }
    }

    fn column(&mut self, element: &Element<'_>) {
        let number = |name| element.attribute(name).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        let is_hidden = is_true(element, "hidden")
            || is_true(element, "customWidth") && is_nothing(element.attribute("width").as_deref());
        let (first, last) = (number("min").max(1), number("max").min(self.limits.columns + 1));
        if is_hidden && first <= last {
            self.hidden_columns.extend(first - 1..last);
        }
    }

    fn value(&mut self, text: &str) {
        if self.cell.value.len() <= self.limits.text_bytes {
            self.cell.value.push_str(text);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "is" => (self.in_rich, self.cell.has_value) = (false, true),
            _ if self.in_rich => self.rich.end(name),
            "v" => self.in_value = false,
            "c" => self.end_cell(),
            "row" => self.end_row(),
            _ => {}
        }
    }

    /// Of very many hidden rows only the first are kept, for the merged cells that begin in them.
    fn end_row(&mut self) {
        if self.rows.len() > 2 * self.limits.rows
            && let Some(row) = self.rows.pop_if(|row| row.is_hidden)
        {
            self.counts.rows += usize::from(row.cells.iter().any(|cell| !cell.is_empty()));
        }
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        let text = self.shown(&cell);
        let Some(row) = self.rows.last_mut() else { return };
        if !text.is_empty() || row.cells.len() <= cell.column {
            self.bytes += text.len();
            if row.cells.len() <= cell.column {
                row.cells.resize(cell.column + 1, String::new());
            }
            row.cells[cell.column] = text;
        }
    }

    fn shown(&mut self, cell: &Cell) -> String {
        if !cell.has_value {
            self.counts.without_value += usize::from(cell.has_formula);
            return String::new();
        }
        let styles = &self.shared.styles;
        let format = styles.format_of(cell.style);
        let mut was_struck = false;
        let number = cell.value.trim().parse::<f64>();
        let (text, is_text) = match (cell.kind.as_str(), number) {
            // What a failed formula shows is no content.
            ("e", _) => return String::new(),
            ("s", _) => {
                let found = cell.value.trim().parse().ok().and_then(|at| self.shared.strings.get(at));
                let (text, struck) = found.unwrap_or_default();
                was_struck = struck;
                (text.to_owned(), true)
            }
            ("inlineStr", _) => {
                was_struck = self.rich.was_struck;
                (self.rich.take(), true)
            }
            ("str", _) => (cut(&cell.value).to_owned(), true),
            ("b", _) => (if cell.value.trim() == "0" { "FALSE" } else { "TRUE" }.to_owned(), false),
            ("" | "n", Ok(number)) => {
                let shown = match format {
                    Some(format) => format.number(number, self.shared.from_1904),
                    None => super::number::general(number),
                };
                (shown, false)
            }
            _ => (cut(&cell.value).to_owned(), false),
        };
        let text = match format.filter(|_| is_text) {
            Some(format) => {
                let shown = format.text(&text);
                self.counts.hidden += usize::from(shown.is_empty() && !text.trim().is_empty());
                shown
            }
            None => {
                self.counts.hidden += usize::from(text.is_empty() && !is_text && !cell.value.trim().is_empty());
                text
            }
        };
        let font = styles.font_of(cell.style);
        if was_struck || font.is_struck && !text.is_empty() {
            self.counts.struck += 1;
        }
        if font.is_struck {
            return String::new();
        }
        let mut runs = Runs::default();
        runs.push(font.rise, &self.symbols.written(&text, font.symbols));
        runs.take()
    }

    /// A merged area shows its first cell: in each of its rows, so that each can be read alone, and over its columns.
    fn merge(&mut self, areas: &[Area]) {
        let mut cells = 0;
        for area in areas {
            let from = self.rows.partition_point(|row| row.number < area.rows.0);
            let text = match self.rows.get(from).filter(|row| row.number == area.rows.0) {
                Some(row) => row.cells.get(area.columns.0).cloned().unwrap_or_default(),
                None => continue,
            };
            let Some(first) = (area.columns.0..=area.columns.1).find(|at| !self.hidden_columns.contains(at)) else {
                continue;
            };
            for row in self.rows[from..].iter_mut().take_while(|row| row.number <= area.rows.1) {
                cells += area.columns.1 + 1 - area.columns.0;
                if cells > MAX_MERGED_CELLS || self.bytes > 2 * self.limits.text_bytes {
                    return;
                }
                if row.cells.len() <= area.columns.1 {
                    row.cells.resize(area.columns.1 + 1, String::new());
                }
                row.cells[area.columns.0..=area.columns.1].fill(String::new());
                self.bytes += text.len();
                row.cells[first].clone_from(&text);
                if area.columns.1 > first {
                    row.wide.push((first, area.columns.1 + 1 - first));
                }
            }
        }
    }

    fn table(mut self) -> (Table, Counts) {
        let mut table = Table::new(self.limits);
        let mut next = 0;
        let mut hidden = BTreeSet::new();
        for row in std::mem::take(&mut self.rows) {
            if row.number > next {
                table.push_gap();
            }
            next = row.number.saturating_add(1);
            if row.is_hidden {
                self.counts.rows += usize::from(row.cells.iter().any(|cell| !cell.is_empty()));
                continue;
            }
            // Where each column stands when the hidden ones are gone.
            let shift = |at: usize| at - self.hidden_columns.range(..at).count();
            let wide = row.wide.iter().map(|(at, columns)| (shift(*at), shift(at + columns) - shift(*at)));
            let wide = wide.filter(|(_, columns)| *columns > 1).collect();
            let mut cells = Vec::with_capacity(row.cells.len());
            for (at, cell) in row.cells.into_iter().enumerate() {
                if !self.hidden_columns.contains(&at) {
                    cells.push(cell);
                } else if !cell.is_empty() {
                    hidden.insert(at);
                }
            }
            if !table.push_wide(cells, wide) {
                break;
            }
        }
        self.counts.columns = hidden.len();
        (table, self.counts)
    }
}

fn is_true(element: &Element<'_>, name: &str) -> bool {
    matches!(element.attribute(name).as_deref(), Some("1" | "true" | "on"))
}

/// A height or width of nothing, which hides as well.
fn is_nothing(size: Option<&str>) -> bool {
    size.and_then(|size| size.parse::<f64>().ok()).is_some_and(|size| size == 0.0)
}

/// Column and row, from 0, of a cell as `B3`.
fn place(text: &str) -> Option<(usize, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) {
        return None;
    }
    let (column, row) = text.split_at(letters);
    let column = column.bytes().fold(0, |sum, byte| sum * 26 + usize::from(byte.to_ascii_uppercase() - b'A' + 1));
    Some((column - 1, row.parse::<u32>().ok()?.checked_sub(1)?))
}

/// The merged areas, which stand behind the cells.
fn merged(text: &str, limits: &Limits, budget: &Budget) -> Result<Vec<Area>, FileError> {
    let mut areas = Vec::new();
    // The last two times that the name stands there are its tags; nothing but areas stands between them.
    let Some(end) = text.rfind("mergeCells") else { return Ok(areas) };
    let Some(start) = text[..end].rfind("mergeCells").and_then(|name| text[..name].rfind('<')) else {
        return Ok(areas);
    };
    let mut xml = Xml::new(&text[start..], "a sheet", budget);
    // Whatever stands there is no reason to refuse the cells.
    while let Ok(Some(token)) = xml.next() {
        match token {
            Token::Start(element) if element.name() == "mergeCell" => {
                let area = element.attribute("ref").and_then(|area| {
                    let (from, to) = area.split_once(':')?;
                    let (from, to) = (place(from)?, place(to)?);
                    let last = to.0.min(limits.columns.saturating_sub(1));
                    let holds = from.1 <= to.1 && from.0 <= last;
                    holds.then_some(Area { rows: (from.1, to.1), columns: (from.0, last) })
                });
                areas.extend(area);
            }
            Token::End(name) if name == "mergeCells" => break,
            _ => {}
        }
        if areas.len() >= MAX_MERGED {
            break;
        }
    }
    budget.check()?;
    Ok(areas)
}

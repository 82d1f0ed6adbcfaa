//! The text of a document part: paragraphs, headings, lists and tables, as they read with all changes accepted.

use super::{
    look::Look,
    styles::{Meaning, Styles, outline_level},
};
use crate::{
    blocks::Blocks,
    error::FileError,
    limits::{Budget, Limits},
    script::Runs,
    symbols::Symbols,
    table::Table,
    xml::{Element, Token, Xml},
};

/// Deeper nesting of paragraphs, text boxes or tables is read as flat text.
const MAX_OPEN: usize = 1_000;

#[derive(Debug, Default)]
struct Paragraph {
    text: Runs,
    meaning: Meaning,
    /// Of its text, by its style.
    look: Look,
    /// What the paragraph itself says about its list: `Some(false)` takes it out of the style's list.
    numbered: Option<bool>,
    level: Option<u8>,
}

#[derive(Debug)]
struct OpenTable {
    table: Table,
    row: Vec<String>,
    above: Vec<String>,
    cell: String,
    wide: usize,
    continues: bool,
    /// The row that is being read was deleted or is hidden.
    drops_row: bool,
    /// The row that is being read belongs to the header.
    is_head: bool,
    /// The cells of the row that span columns.
    spans: Vec<(usize, usize)>,
}

/// Why text is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeftOut {
    Hidden,
    Struck,
}

/// How much was left out.
#[derive(Debug, Default)]
pub(super) struct Counts {
    hidden: usize,
    struck: usize,
    hidden_rows: usize,
}

impl Counts {
    /// For people.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = [
            (self.hidden, "passages of hidden text that were left out"),
            (self.struck, "passages of struck-out text that were left out"),
            (self.hidden_rows, "hidden rows of tables that were left out"),
        ];
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect()
    }
}

pub(super) struct Body<'a> {
    styles: &'a Styles,
    limits: &'a Limits,
    pub(super) out: Blocks,
    /// The text of the first paragraph in the style "Title".
    pub(super) title: Option<String>,
    /// Rows or columns were left out.
    pub(super) cut: bool,
    paragraphs: Vec<Paragraph>,
    tables: Vec<OpenTable>,
    /// Open elements inside one that is left out.
    skipping: usize,
    in_text: bool,
    in_run_properties: bool,
    in_row_properties: bool,
    /// How the runs that are open look.
    runs: Vec<Look>,
    /// Of the passage that is being left out.
    leaving: Option<LeftOut>,
    pub(super) symbols: Symbols,
    pub(super) counts: Counts,
}

impl<'a> Body<'a> {
    pub(super) fn new(styles: &'a Styles, limits: &'a Limits) -> Self {
        Self {
            styles,
            limits,
            out: Blocks::new(limits.text_bytes),
            title: None,
            cut: false,
            paragraphs: Vec::new(),
            tables: Vec::new(),
            skipping: 0,
            in_text: false,
            in_run_properties: false,
            in_row_properties: false,
            runs: Vec::new(),
            leaving: None,
            symbols: Symbols::default(),
            counts: Counts::default(),
        }
    }

    /// Adds the text of one part.
    pub(super) fn read(&mut self, text: &str, part: &'static str, budget: &Budget) -> Result<(), FileError> {
        let mut xml = Xml::new(text, part, budget);
        while let Some(token) = xml.next()? {
            if self.out.is_full() {
                break;
            }
            match token {
                Token::Start(_) if self.skipping > 0 => self.skipping += 1,
                Token::End(_) if self.skipping > 0 => self.skipping -= 1,
                Token::Start(element) => self.start(&element),
                Token::End(name) => self.end(&name),
                Token::Text(text) if self.in_text && self.skipping == 0 => self.push(&text),
                Token::Text(_) => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, element: &Element<'_>) {
        match element.name() {
            "tblHeader" if self.in_row_properties => {
                let is_on = !matches!(element.attribute("val").as_deref(), Some("0" | "false" | "off"));
                if let Some(table) = self.tables.last_mut() {
                    table.is_head = is_on;
                }
            }
            "del" | "hidden" if self.in_row_properties => {
                self.counts.hidden_rows += usize::from(element.name() == "hidden");
                if let Some(table) = self.tables.last_mut() {
                    table.drops_row = true;
                }
            }
            // What was deleted, where it was moved from, and the second copy for old programs.
            "del" | "moveFrom" | "Fallback" | "instrText" | "delText" | "sectPr" | "pPrChange" | "rPrChange" => {
                self.skipping = 1;
            }
            // The separator lines above footnotes are footnotes of their own.
            "footnote" | "endnote" if element.attribute("type").is_some_and(|kind| kind != "normal") => {
                self.skipping = 1
            }
            "p" if self.paragraphs.len() < MAX_OPEN => self.paragraphs.push(Paragraph::default()),
            "t" => self.in_text = true,
            "tab" | "br" | "cr" | "ptab" if !self.in_run_properties => self.push(" "),
            "noBreakHyphen" => self.push("-"),
            "r" if self.runs.len() < MAX_OPEN => {
                self.runs.push(self.paragraphs.last().map_or_else(Look::default, |paragraph| paragraph.look));
            }
            "rPr" => self.in_run_properties = true,
            "trPr" => self.in_row_properties = true,
            "sym" => self.symbol(element),
            _ if self.in_run_properties => self.run_property(element),
            "tbl" if self.tables.len() < MAX_OPEN => self.tables.push(OpenTable::new(self.limits)),
            "gridSpan" | "vMerge" => self.cell_property(element),
            "pStyle" | "numId" | "outlineLvl" => self.paragraph_property(element),
            _ => {}
        }
    }

    fn paragraph_property(&mut self, element: &Element<'_>) {
        let value = element.attribute("val");
        let Some(paragraph) = self.paragraphs.last_mut() else { return };
        match element.name() {
            "pStyle" => {
                let id = value.as_deref().unwrap_or_default();
                paragraph.meaning = self.styles.meaning(id);
                paragraph.look = self.styles.look(id);
            }
            "numId" => paragraph.numbered = Some(value.as_deref() != Some("0")),
            _ => paragraph.level = outline_level(value.as_deref()),
        }
    }

    /// Of a run; those of the mark at the end of a paragraph say nothing about its text.
    fn run_property(&mut self, element: &Element<'_>) {
        let Some(run) = self.runs.last_mut() else { return };
        if element.name() == "rStyle" {
            run.overlay(self.styles.look(&element.attribute("val").unwrap_or_default()));
        } else {
            run.note(element);
        }
    }

    /// A character by its font and code.
    fn symbol(&mut self, element: &Element<'_>) {
        let code = element.attribute("char").and_then(|code| u32::from_str_radix(&code, 16).ok());
        let c = self.symbols.of_code(code.unwrap_or(0xffff), element.attribute("font").as_deref());
        self.push(c.encode_utf8(&mut [0; 4]));
    }

    fn cell_property(&mut self, element: &Element<'_>) {
        let value = element.attribute("val");
        let Some(table) = self.tables.last_mut() else { return };
        if element.name() == "gridSpan" {
            let wide = value.and_then(|value| value.parse().ok()).unwrap_or(1_usize);
            table.wide = wide.clamp(1, self.limits.columns.max(1));
        } else {
            table.continues = value.as_deref() != Some("restart");
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.in_text = false,
            "rPr" => self.in_run_properties = false,
            "trPr" => self.in_row_properties = false,
            "r" => {
                self.runs.pop();
            }
            "p" => self.end_paragraph(),
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    table.end_cell(self.limits.columns);
                }
            }
            "tr" => {
                if let Some(table) = self.tables.last_mut() {
                    table.end_row();
                }
            }
            "tbl" => self.end_table(),
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        let Some(paragraph) = self.paragraphs.last_mut() else { return };
        let run = self.runs.last().copied().unwrap_or(paragraph.look);
        let reason = match () {
            () if run.is_hidden() => Some(LeftOut::Hidden),
            () if run.is_struck() => Some(LeftOut::Struck),
            () => None,
        };
        if reason.is_none() {
            paragraph.text.push(run.rise(), &self.symbols.written(text, run.font()));
            self.leaving = None;
        } else if self.leaving != reason && !text.trim().is_empty() {
            let count = if run.is_hidden() { &mut self.counts.hidden } else { &mut self.counts.struck };
            *count += 1;
            self.leaving = reason;
        }
    }

    fn end_paragraph(&mut self) {
        let Some(mut paragraph) = self.paragraphs.pop() else { return };
        self.leaving = None;
        let text = paragraph.text.take();
        if let Some(table) = self.tables.last_mut() {
            let cell = &mut table.cell;
            if !cell.is_empty() && !text.trim().is_empty() {
                cell.push(' ');
            }
            cell.push_str(&text);
            return;
        }
        if text.trim().is_empty() || paragraph.meaning.is_contents {
            return;
        }
        if paragraph.meaning.is_title && self.title.is_none() {
            self.title = Some(text.clone());
        }
        if let Some(level) = paragraph.meaning.heading.or(paragraph.level) {
            self.out.heading(level, &text);
        } else if paragraph.numbered.unwrap_or(paragraph.meaning.is_item) {
            self.out.item(&text);
        } else {
            self.out.paragraph(&text);
        }
    }

    fn end_table(&mut self) {
        let Some(done) = self.tables.pop() else { return };
        if let Some(outer) = self.tables.last_mut() {
            for text in done.table.texts() {
                outer.cell.push(' ');
                outer.cell.push_str(text);
            }
            return;
        }
        self.cut |= done.table.is_cut();
        if done.table.columns() < 2 {
            // A frame around text.
            for text in done.table.texts() {
                self.out.paragraph(text);
            }
            return;
        }
        self.out.end();
        done.table.write(&mut self.out);
        self.out.end();
    }
}

impl OpenTable {
    fn new(limits: &Limits) -> Self {
        Self {
            table: Table::new(limits),
            row: Vec::new(),
            above: Vec::new(),
            cell: String::new(),
            wide: 1,
            continues: false,
            drops_row: false,
            is_head: false,
            spans: Vec::new(),
        }
    }

    fn end_row(&mut self) {
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
    fn end_cell(&mut self, columns: usize) {
        let at = self.row.len();
        let mut text = std::mem::take(&mut self.cell);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_bounded() {
        let (styles, limits) = (Styles::default(), Limits { columns: 10, ..Limits::default() });
        let budget = Budget::start(&limits, Default::default());
        let mut body = Body::new(&styles, &limits);
        body.read(&"<w:p>".repeat(5_000), "the text", &budget).expect("read");
        assert_eq!(body.paragraphs.len(), MAX_OPEN);

        let mut body = Body::new(&styles, &limits);
        let cells = "<w:tc><w:gridSpan w:val=\"9\"/></w:tc>".repeat(50);
        body.read(&format!("<w:tbl>{cells}"), "the text", &budget).expect("read");
        assert_eq!(body.tables[0].row.len(), 10);
        body.read("<w:tc><w:p>a</w:p></w:tc>", "the text", &budget).expect("read");
    }
}

//! The text of a document part: paragraphs, headings, lists and tables, as they read with all changes accepted.

use std::collections::BTreeMap;

use super::{
    drawings::Drawings,
    look::Look,
    math::Formula,
    numbering::Numbering,
    styles::{Meaning, Styles, outline_level},
    table::OpenTable,
};
use crate::{
    blocks::Blocks,
    error::FileError,
    limits::{Budget, Limits},
    notes, plain,
    script::{Rise, Runs},
    symbols::{Symbols, UNKNOWN},
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
    list: Option<String>,
    list_level: Option<usize>,
    level: Option<u8>,
    /// The texts of the notes whose marks stand in it.
    notes: Vec<String>,
    /// Its end was deleted with tracked changes: the next paragraph continues it.
    goes_on: bool,
    /// A formula was written last, which nothing may touch.
    after_formula: bool,
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
    formulas: usize,
    notes: usize,
}

impl Counts {
    /// For people.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = [
            (self.hidden, "passages of hidden text that were left out"),
            (self.struck, "passages of struck-out text that were left out"),
            (self.hidden_rows, "hidden rows of tables that were left out"),
            (self.formulas, "formulas that could not be written and stand as \u{fffd}"),
            (self.notes, "footnotes of a few words that were left out"),
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
    /// A paragraph that the next one continues, with its notes.
    carried: (String, Vec<String>),
    formula: Option<Formula>,
    numbering: Numbering,
    /// The footnote or endnote that is being read.
    note: Option<String>,
    /// By the kind and the id of a note: its text.
    notes: BTreeMap<String, String>,
    notes_bytes: usize,
    pub(super) drawings: Drawings,
}

impl<'a> Body<'a> {
    pub(super) fn new(styles: &'a Styles, numbering: Numbering, limits: &'a Limits) -> Self {
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
            carried: Default::default(),
            formula: None,
            numbering,
            note: None,
            notes: BTreeMap::new(),
            notes_bytes: 0,
            drawings: Drawings::default(),
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
                Token::Start(element) if self.formula.is_some() && !is_left_out(element.name()) => {
                    self.formula.iter_mut().for_each(|formula| formula.start(&element));
                }
                Token::End(name) if self.formula.is_some() => self.end_in_formula(&name),
                Token::Text(text) if self.formula.is_some() => {
                    self.formula.iter_mut().for_each(|formula| formula.text(&text));
                }
                Token::Start(element) => self.start(&element),
                Token::End(name) => self.end(&name),
                Token::Text(text) if self.in_text && self.skipping == 0 => self.push(&text),
                Token::Text(_) => {}
            }
        }
        // Nothing continues it.
        if !self.carried.0.trim().is_empty() {
            let (text, notes) = std::mem::take(&mut self.carried);
            self.out.paragraph(&notes::placed(&text, &notes));
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
            name if is_left_out(name) => {
                if name == "del" && self.in_run_properties && self.runs.is_empty() {
                    self.paragraphs.iter_mut().last().into_iter().for_each(|paragraph| paragraph.goes_on = true);
                }
                self.skipping = 1;
            }
            // The separator lines above footnotes are footnotes of their own.
            "footnote" | "endnote" if element.attribute("type").is_some_and(|kind| kind != "normal") => {
                self.skipping = 1
            }
            "footnote" | "endnote" => {
                self.note = Some(format!("{} {}", element.name(), element.attribute("id").unwrap_or_default()));
            }
            "footnoteReference" | "endnoteReference" => self.refer(element),
            "oMathPara" => self.push(" "),
            "oMath" => self.formula = Some(Formula::begin()),
            "OLEObject" => self.picture_of_formula(element),
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
            "drawing" | "pict" | "extent" | "docPr" | "blip" | "imagedata" => {
                let is_seen = !self.runs.last().is_some_and(|run| run.is_hidden() || run.is_struck());
                if is_seen && self.note.is_none() {
                    self.drawings.note(element);
                }
            }
            _ if self.in_run_properties => self.run_property(element),
            "tbl" if self.tables.len() < MAX_OPEN => self.tables.push(OpenTable::new(self.limits)),
            "gridSpan" | "vMerge" | "cellDel" => self.cell_property(element),
            "pStyle" | "numId" | "ilvl" | "outlineLvl" => self.paragraph_property(element),
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
            "numId" => {
                paragraph.numbered = Some(value.as_deref() != Some("0"));
                paragraph.list = value;
            }
            "ilvl" => paragraph.list_level = value.and_then(|level| level.parse().ok()),
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
        match element.name() {
            "gridSpan" => {
                let wide = value.and_then(|value| value.parse().ok()).unwrap_or(1_usize);
                table.wide = wide.clamp(1, self.limits.columns.max(1));
            }
            "cellDel" => table.drops_cell = true,
            _ => table.continues = value.as_deref() != Some("restart"),
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
            "footnote" | "endnote" => self.note = None,
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
            if std::mem::take(&mut paragraph.after_formula) && text.starts_with(char::is_alphanumeric) {
                paragraph.text.push(Rise::Plain, " ");
            }
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
        if let Some(note) = self.note.clone() {
            return self.add_to_note(note, &text);
        }
        let is_outer = self.tables.is_empty() && self.paragraphs.is_empty();
        let text = if is_outer { std::mem::take(&mut self.carried.0) + &text } else { text };
        if is_outer {
            paragraph.notes.splice(0..0, std::mem::take(&mut self.carried.1));
        }
        if is_outer && paragraph.goes_on && text.len() < self.limits.text_bytes {
            self.carried = (text, paragraph.notes);
            return;
        }
        let is_heading = paragraph.meaning.heading.or(paragraph.level).is_some();
        let mut notes = std::mem::take(&mut paragraph.notes);
        let is_text = self.tables.is_empty() && !is_heading && !paragraph.meaning.is_contents;
        let text =
            if is_text { notes::placed(&text, &std::mem::take(&mut notes)) } else { text.replace(notes::MARK, "") };
        if let Some(table) = self.tables.last_mut() {
            let cell = &mut table.cell;
            if !cell.is_empty() && !text.trim().is_empty() {
                cell.push(' ');
            }
            cell.push_str(&text);
            table.notes.append(&mut notes);
            return;
        }
        if text.trim().is_empty() || paragraph.meaning.is_contents {
            return self.drawings.settle(self.out.len());
        }
        if paragraph.meaning.is_caption {
            self.drawings.caption(self.out.len(), &text);
        }
        if paragraph.meaning.is_title && self.title.is_none() {
            self.title = Some(text.clone());
        }
        if let Some(level) = paragraph.meaning.heading.or(paragraph.level) {
            self.out.heading(level, &text);
            notes::write(&mut notes, &mut self.out);
        } else if paragraph.numbered.unwrap_or(paragraph.meaning.is_item) {
            let list = paragraph.list.or(paragraph.meaning.list);
            let level = paragraph.list_level.or(paragraph.meaning.list_level).unwrap_or(0);
            match list.and_then(|list| self.numbering.next(&list, level)) {
                Some(label) => self.out.item(&format!("{label} {}", text.trim_start())),
                None => self.out.item(&text),
            }
        } else if let Some(item) = plain::bullet(text.trim_start()) {
            self.out.item(item);
        } else {
            self.out.paragraph(&text);
        }
        self.drawings.settle(self.out.len());
    }

    fn add_to_note(&mut self, note: String, text: &str) {
        self.notes_bytes += text.len();
        if self.notes_bytes <= self.limits.text_bytes {
            let note = self.notes.entry(note).or_default();
            note.push(' ');
            note.push_str(&text.replace(notes::MARK, ""));
        }
    }

    /// The mark of a note; its text is used once.
    fn refer(&mut self, element: &Element<'_>) {
        let kind = element.name().trim_end_matches("Reference");
        let found = self.notes.remove(&format!("{kind} {}", element.attribute("id").unwrap_or_default()));
        let Some(text) = found.filter(|text| !text.trim().is_empty()) else { return };
        let is_seen = !self.runs.last().is_some_and(|run| run.is_hidden() || run.is_struck());
        if !notes::is_sentence(&text) {
            self.counts.notes += 1;
        } else if let Some(paragraph) = self.paragraphs.last_mut().filter(|_| is_seen) {
            paragraph.text.push(Rise::Plain, notes::MARK.encode_utf8(&mut [0; 4]));
            paragraph.notes.push(text);
        }
    }

    fn end_in_formula(&mut self, name: &str) {
        let Some(formula) = &mut self.formula else { return };
        let written = formula.end(name);
        if !formula.is_over() {
            return;
        }
        self.formula = None;
        match written {
            Some(text) => self.push_formula(&text),
            None => self.push_unwritten(),
        }
    }

    fn push_formula(&mut self, text: &str) {
        let touches = self.paragraphs.last().is_some_and(|paragraph| paragraph.text.ends_in_word());
        if touches && text.starts_with(char::is_alphanumeric) {
            self.push(" ");
        }
        self.push(text);
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.after_formula = true;
        }
    }

    /// A formula of an older program is an object with a picture.
    fn picture_of_formula(&mut self, element: &Element<'_>) {
        let program = element.attribute("ProgID").unwrap_or_default().to_ascii_lowercase();
        if program.starts_with("equation") || program.contains("mathtype") {
            self.push_unwritten();
        }
    }

    fn push_unwritten(&mut self) {
        self.counts.formulas += 1;
        self.push(UNKNOWN.encode_utf8(&mut [0; 4]));
    }

    fn end_table(&mut self) {
        let Some(mut done) = self.tables.pop() else { return };
        let mut notes = std::mem::take(&mut done.notes);
        if let Some(outer) = self.tables.last_mut() {
            for text in done.table.texts() {
                outer.cell.push(' ');
                outer.cell.push_str(text);
            }
            outer.notes.append(&mut notes);
            return;
        }
        self.cut |= done.table.is_cut();
        if done.table.columns() < 2 {
            // A frame around text.
            for text in done.table.texts() {
                self.out.paragraph(text);
            }
        } else {
            self.out.end();
            done.table.write(&mut self.out);
            self.out.end();
        }
        notes::write(&mut notes, &mut self.out);
        self.drawings.settle(self.out.len());
    }
}

/// What was deleted, where it was moved from, what it was before, and the second copy for old programs.
fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        "del"
            | "moveFrom"
            | "Fallback"
            | "instrText"
            | "delText"
            | "sectPr"
            // How a word is read, above it.
            | "rt"
            | "pPrChange"
            | "rPrChange"
            | "tblPrChange"
            | "trPrChange"
            | "tcPrChange"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_bounded() {
        let (styles, limits) = (Styles::default(), Limits { columns: 10, ..Limits::default() });
        let budget = Budget::start(&limits, Default::default());
        let mut body = Body::new(&styles, Numbering::default(), &limits);
        body.read(&"<w:p>".repeat(5_000), "the text", &budget).expect("read");
        assert_eq!(body.paragraphs.len(), MAX_OPEN);

        let mut body = Body::new(&styles, Numbering::default(), &limits);
        let cells = "<w:tc><w:gridSpan w:val=\"9\"/></w:tc>".repeat(50);
        body.read(&format!("<w:tbl>{cells}"), "the text", &budget).expect("read");
        assert_eq!(body.tables[0].row.len(), 10);
        body.read("<w:tc><w:p>a</w:p></w:tc>", "the text", &budget).expect("read");
    }
}

//! From a tree to blocks: headings, paragraphs, lists and tables.

use super::tree::{Element, Node, ROOT, Tree};
use crate::{
    blocks::Blocks,
    error::FileError,
    limits::{Budget, Limits},
    table::{self, Table},
};

/// A cell with more text than this does not hold a value: the table is there for the layout.
const LAYOUT_CELL: usize = 1_500;

/// The text of all nodes in `kept`.
pub(super) fn blocks(tree: &Tree, kept: &[bool], limits: &Limits, budget: &Budget) -> Result<Blocks, FileError> {
    let mut walk = Walk {
        tree,
        kept,
        limits,
        budget,
        out: Blocks::new(limits.text_bytes),
        line: String::new(),
        steps: 0,
        caption: None,
    };
    walk.children(ROOT, As::Paragraph)?;
    walk.flush(As::Paragraph);
    Ok(walk.out)
}

/// What a run of text becomes at the next block boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Paragraph,
    Heading(u8),
    Item,
}

struct Walk<'a> {
    tree: &'a Tree,
    kept: &'a [bool],
    limits: &'a Limits,
    budget: &'a Budget,
    out: Blocks,
    /// Inline text since the last block boundary.
    line: String,
    steps: usize,
    /// Of the table that is being read.
    caption: Option<usize>,
}

impl Walk<'_> {
    /// The recursion is as deep as the tree, which its builder caps.
    fn children(&mut self, id: usize, context: As) -> Result<(), FileError> {
        let tree = self.tree;
        let Some(element) = tree.element(id) else { return Ok(()) };
        for child in element.children.iter().copied() {
            if !self.kept[child] || self.out.is_full() {
                continue;
            }
            self.steps += 1;
            if self.steps.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            match &tree.nodes[child] {
                Node::Text(text) => self.line.push_str(text),
                Node::Element(element) => self.element(child, element, context)?,
            }
        }
        Ok(())
    }

    fn element(&mut self, id: usize, element: &Element, context: As) -> Result<(), FileError> {
        match element.name.as_str() {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = element.name.as_bytes()[1] - b'0';
                self.block(id, context, As::Heading(level))
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.flush(context);
                if context != As::Item {
                    self.out.end();
                }
                self.children(id, context)?;
                self.flush(context);
                if context != As::Item {
                    self.out.end();
                }
                Ok(())
            }
            "li" => self.block(id, context, As::Item),
            "dl" => self.definitions(id, context),
            "dt" | "dd" => {
                self.flush(context);
                self.line.push(' ');
                self.children(id, As::Paragraph)
            }
            "table" => self.table(id, element, context),
            "br" => {
                self.line.push('\n');
                // Two line breaks in a row are how old pages end a paragraph.
                if self.line.trim_end_matches([' ', '\t', '\r']).ends_with("\n\n") {
                    self.flush(context);
                }
                Ok(())
            }
            "hr" => {
                self.flush(context);
                Ok(())
            }
            "td" | "th" => self.block(id, context, As::Paragraph),
            name if is_inline(name) => self.children(id, context),
            _ => self.block(id, context, context),
        }
    }

    /// A block inside `outer` whose own text is `inner`. A paragraph in a list item continues the list.
    fn block(&mut self, id: usize, outer: As, inner: As) -> Result<(), FileError> {
        self.flush(outer);
        self.children(id, inner)?;
        self.flush(inner);
        Ok(())
    }

    fn flush(&mut self, kind: As) {
        let line = std::mem::take(&mut self.line);
        if line.trim().is_empty() {
            return;
        }
        match kind {
            As::Paragraph => self.out.paragraph(&line),
            As::Heading(level) => self.out.heading(level, &line),
            As::Item => self.out.item(&line),
        }
    }

    /// `- term: definition`, as specifications of products are written.
    fn definitions(&mut self, id: usize, context: As) -> Result<(), FileError> {
        self.flush(context);
        self.out.end();
        let mut term = String::new();
        let mut parts = Vec::new();
        self.definition_parts(id, &mut parts);
        for (is_term, part) in parts {
            let text = self.plain(part)?;
            if is_term {
                self.definition(&std::mem::replace(&mut term, text), "");
            } else {
                self.definition(&std::mem::take(&mut term), &text);
            }
        }
        self.definition(&term, "");
        self.out.end();
        Ok(())
    }

    /// `dt` (true) and `dd` (false) of one `dl`, also where they are grouped in `div`s.
    fn definition_parts(&self, id: usize, parts: &mut Vec<(bool, usize)>) {
        let Some(element) = self.tree.element(id) else { return };
        for child in element.children.iter().copied().filter(|child| self.kept[*child]) {
            match self.tree.element(child).map(|element| element.name.as_str()) {
                Some("dt") => parts.push((true, child)),
                Some("dd") => parts.push((false, child)),
                Some("div") => self.definition_parts(child, parts),
                _ => {}
            }
        }
    }

    fn definition(&mut self, term: &str, text: &str) {
        let term = term.trim();
        match (term.is_empty(), text.trim().is_empty()) {
            (true, true) => {}
            (true, false) => self.out.item(text),
            (false, true) => self.out.item(term),
            (false, false) => self.out.item(&format!("{}: {text}", term.trim_end_matches(':'))),
        }
    }

    fn table(&mut self, id: usize, element: &Element, context: As) -> Result<(), FileError> {
        self.flush(context);
        self.caption = None;
        let mut rows = Vec::new();
        let is_layout = matches!(element.attribute("role"), Some("presentation" | "none"));
        if is_layout || !self.rows(id, &mut rows) {
            return self.block(id, context, context);
        }
        let mut table = Table::new(self.limits);
        for row in rows {
            self.budget.check()?;
            let mut cells = Vec::new();
            for cell in row {
                let text = self.plain(cell)?;
                if text.len() > LAYOUT_CELL {
                    return self.block(id, context, context);
                }
                let wide = self.span(cell, "colspan");
                let tall = self.span(cell, "rowspan");
                cells.push(table::Cell { text, wide, tall });
            }
            table.push(cells);
        }
        if table.columns() < 2 {
            return self.block(id, context, context);
        }
        if let Some(caption) = self.caption.take() {
            let text = self.plain(caption)?;
            self.out.paragraph(&text);
        }
        self.out.end();
        table.write(&mut self.out);
        self.out.end();
        Ok(())
    }

    fn span(&self, cell: usize, name: &str) -> usize {
        let value = self.tree.element(cell).and_then(|cell| cell.attribute(name)).and_then(|value| value.parse().ok());
        value.unwrap_or(1).clamp(1, self.limits.columns.max(1))
    }

    /// The cells of a table by row; its caption is noted. False if it has a table inside.
    fn rows(&mut self, id: usize, rows: &mut Vec<Vec<usize>>) -> bool {
        let tree = self.tree;
        let Some(element) = tree.element(id) else { return true };
        for child in element.children.iter().copied().filter(|child| self.kept[*child]) {
            let Some(element) = tree.element(child) else { continue };
            match element.name.as_str() {
                "thead" | "tbody" | "tfoot" if !self.rows(child, rows) => return false,
                "tr" => {
                    let cells = element.children.iter().copied().filter(|cell| {
                        self.kept[*cell]
                            && tree.element(*cell).is_some_and(|cell| matches!(cell.name.as_str(), "td" | "th"))
                    });
                    let cells: Vec<usize> = cells.collect();
                    if cells.iter().any(|cell| self.has_blocks(*cell)) {
                        return false;
                    }
                    rows.push(cells);
                }
                "caption" => self.caption = Some(child),
                _ => {}
            }
        }
        true
    }

    /// A table, a heading or a list of several items in a cell: it is layout.
    fn has_blocks(&self, id: usize) -> bool {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            let Some(element) = self.tree.element(id) else { continue };
            if matches!(element.name.as_str(), "table" | "h1" | "h2" | "h3" | "article" | "section") {
                return true;
            }
            todo.extend(element.children.iter().copied().filter(|child| self.kept[*child]));
        }
        false
    }

    /// All text below a node on one line.
    fn plain(&mut self, id: usize) -> Result<String, FileError> {
        let mut text = String::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            self.steps += 1;
            if self.steps.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            match &self.tree.nodes[id] {
                Node::Text(part) => text.push_str(part),
                Node::Element(element) => {
                    if !is_inline(&element.name) {
                        text.push(' ');
                    }
                    todo.extend(element.children.iter().rev().copied().filter(|child| self.kept[*child]));
                }
            }
        }
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "a" | "abbr"
            | "acronym"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "cite"
            | "code"
            | "data"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "nobr"
            | "output"
            | "q"
            | "rb"
            | "rp"
            | "rt"
            | "ruby"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "wbr"
    )
}

//! From a tree to blocks: headings, paragraphs, lists and tables.

use std::sync::Arc;

use super::tree::{Element, Node, ROOT, Tree};
use crate::{
    blocks::Blocks,
    error::FileError,
    limits::{Budget, Limits},
    pictures::words,
    plain,
    script::{Rise, Runs},
    table::{self, Table},
};

/// Bytes of the terms that share one description.
const MAX_TERMS: usize = 300;
/// Lines of code that are kept of one block.
const CODE_LINES: usize = 60;
/// Pictures of a page that are looked at.
const MAX_PICTURES: usize = 2_000;
/// Children of an element in a figure that may be its caption.
const MAX_IN_FIGURE: usize = 20;
/// A cell with more text than this does not hold a value: the table is there for the layout.
const LAYOUT_CELL: usize = 1_500;

/// What was found on the way.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) out: Blocks,
    /// Lines of long code that were left out.
    pub(super) code_lines: usize,
    pub(super) pictures: Vec<Spot>,
}

/// A picture and where it stands.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) node: usize,
    /// How much of the text stands before it, in bytes.
    pub(super) at: usize,
    /// All pictures of a figure share it.
    pub(super) caption: Arc<str>,
}

/// The text of all nodes in `kept`, and the pictures among them.
pub(super) fn blocks(tree: &Tree, kept: &[bool], limits: &Limits, budget: &Budget) -> Result<Walked, FileError> {
    let mut walk = Walk {
        tree,
        kept,
        limits,
        budget,
        out: Blocks::new(limits.text_bytes),
        runs: Runs::default(),
        rise: Rise::Plain,
        breaks: 0,
        number: None,
        steps: 0,
        caption: None,
        code_lines: 0,
        head: 0,
        figure: None,
        open_pictures: 0,
        pictures: Vec::new(),
    };
    walk.children(ROOT, As::Paragraph)?;
    walk.flush(As::Paragraph);
    let Walk { out, code_lines, pictures, .. } = walk;
    Ok(Walked { out, code_lines, pictures })
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
    runs: Runs,
    rise: Rise,
    /// Line breaks since the last text.
    breaks: usize,
    /// Of the list item whose text comes next.
    number: Option<String>,
    steps: usize,
    /// Of the table that is being read.
    caption: Option<usize>,
    /// Lines of long code that were left out.
    code_lines: usize,
    /// How many of its first rows are the header, where it says so.
    head: usize,
    /// The figure around here.
    figure: Option<Figure>,
    /// How many of the pictures found last stand in the text since the last block boundary.
    open_pictures: usize,
    pictures: Vec<Spot>,
}

struct Figure {
    node: usize,
    /// Known from its first picture on; empty where it has none.
    caption: Option<Arc<str>>,
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
                Node::Text(text) => self.text(text),
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
            "li" => {
                self.flush(context);
                // Only numbers that were counted end so; authors write `value` at any item.
                self.number = element.attribute("value").filter(|number| number.ends_with('.')).map(str::to_owned);
                self.block(id, As::Item, As::Item)?;
                self.number = None;
                Ok(())
            }
            "dl" => self.definitions(id, context),
            "dt" | "dd" => {
                self.flush(context);
                self.children(id, As::Paragraph)
            }
            "pre" => self.preformatted(id, context),
            "sup" | "sub" => {
                let rise = if element.name == "sup" { Rise::Raised } else { Rise::Lowered };
                let outer = std::mem::replace(&mut self.rise, rise);
                self.children(id, context)?;
                self.rise = outer;
                Ok(())
            }
            "table" => self.table(id, element, context),
            "br" => {
                self.runs.push(self.rise, "\n");
                self.breaks += 1;
                // Two line breaks in a row are how old pages end a paragraph.
                if self.breaks > 1 {
                    self.flush(context);
                }
                Ok(())
            }
            "hr" => {
                self.flush(context);
                Ok(())
            }
            "td" | "th" => self.block(id, context, As::Paragraph),
            "img" => self.picture(id),
            _ if is_figure(element) => {
                let outer = self.figure.replace(Figure { node: id, caption: None });
                self.block(id, context, context)?;
                self.figure = outer;
                Ok(())
            }
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

    /// It stands behind the paragraph that it stands in.
    fn picture(&mut self, node: usize) -> Result<(), FileError> {
        if self.pictures.len() < MAX_PICTURES {
            let caption = self.caption_here()?;
            self.pictures.push(Spot { node, at: self.out.len(), caption });
            self.open_pictures += 1;
        }
        Ok(())
    }

    fn caption_here(&mut self) -> Result<Arc<str>, FileError> {
        let Some(Figure { node, caption }) = &self.figure else { return Ok(Arc::default()) };
        if let Some(known) = caption {
            return Ok(Arc::clone(known));
        }
        let found = match self.caption_of(*node)? {
            Some(caption) => Arc::from(words(&self.plain(caption)?)),
            None => Arc::default(),
        };
        if let Some(figure) = &mut self.figure {
            figure.caption = Some(Arc::clone(&found));
        }
        Ok(found)
    }

    fn caption_of(&mut self, figure: usize) -> Result<Option<usize>, FileError> {
        let mut todo = vec![figure];
        while let Some(id) = todo.pop() {
            self.steps += 1;
            if self.steps.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            let Some(element) = self.tree.element(id).filter(|_| self.kept[id]) else { continue };
            let mut classes = element.attribute("class").unwrap_or_default().split_ascii_whitespace();
            if element.name == "figcaption" || classes.any(|class| class == "wp-caption-text") {
                return Ok(Some(id));
            }
            // A figure holds a picture and its caption; what holds a page is none.
            todo.extend(element.children.iter().rev().take(MAX_IN_FIGURE));
        }
        Ok(None)
    }

    /// Those of a table, or of whatever else was written as a whole.
    fn pictures_below(&mut self, id: usize) -> Result<(), FileError> {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            let Some(element) = self.tree.element(id).filter(|_| self.kept[id]) else { continue };
            if element.name == "img" {
                self.picture(id)?;
            }
            todo.extend(element.children.iter().rev());
        }
        self.settle_pictures();
        Ok(())
    }

    fn settle_pictures(&mut self) {
        let at = self.out.len();
        let open = std::mem::take(&mut self.open_pictures);
        self.pictures.iter_mut().rev().take(open).for_each(|picture| picture.at = at);
    }

    fn text(&mut self, text: &str) {
        self.runs.push(self.rise, text);
        if !text.trim().is_empty() {
            self.breaks = 0;
        }
    }

    fn flush(&mut self, kind: As) {
        self.breaks = 0;
        let line = self.runs.take();
        if line.trim().is_empty() {
            return self.settle_pictures();
        }
        match (kind, self.number.take()) {
            (As::Item, Some(number)) => self.out.item(&format!("{number} {line}")),
            (As::Item, None) => self.out.item(&line),
            (As::Paragraph, _) => self.out.paragraph(&line),
            (As::Heading(level), _) => self.out.heading(level, &line),
        }
        self.settle_pictures();
    }

    /// Text whose lines are the author's: prose is put together again, code is a list of its lines.
    fn preformatted(&mut self, id: usize, context: As) -> Result<(), FileError> {
        self.flush(context);
        let text = self.tree.lines(id);
        let letters = text.chars().filter(|c| c.is_alphabetic() || c.is_whitespace() || matches!(c, ',' | '.')).count();
        let is_code = self.contains(id, "code") || letters * 100 < text.chars().count() * 88;
        if is_code {
            if context != As::Item {
                self.out.end();
            }
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            for line in lines.iter().take(CODE_LINES) {
                self.out.item(line);
            }
            self.code_lines += lines.len().saturating_sub(CODE_LINES);
            if context != As::Item {
                self.out.end();
            }
        } else {
            plain::paragraphs(&text, &mut self.out, self.budget)?;
        }
        self.budget.check()
    }

    fn contains(&self, id: usize, name: &str) -> bool {
        let children = self.tree.element(id).map_or(&[][..], |element| element.children.as_slice());
        children.iter().any(|child| self.tree.element(*child).is_some_and(|element| element.name == name))
    }

    /// `- term: definition`, as specifications of products are written.
    fn definitions(&mut self, id: usize, context: As) -> Result<(), FileError> {
        self.flush(context);
        self.out.end();
        // Several terms can share a description, and each of several descriptions belongs to the term.
        let (mut term, mut described) = (String::new(), true);
        let mut parts = Vec::new();
        self.definition_parts(id, &mut parts);
        for (is_term, part) in parts {
            let text = self.plain(part)?;
            if !is_term {
                self.definition(&term, &text);
                described = true;
            } else if described || term.is_empty() || term.len() > MAX_TERMS {
                if !described {
                    self.definition(&term, "");
                }
                (term, described) = (text, false);
            } else {
                term = format!("{}, {text}", term.trim().trim_end_matches(':'));
            }
        }
        if !described {
            self.definition(&term, "");
        }
        self.out.end();
        self.pictures_below(id)
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
        self.head = 0;
        let mut rows = Vec::new();
        let is_layout = matches!(element.attribute("role"), Some("presentation" | "none"));
        if is_layout || !self.rows(id, &mut rows) {
            return self.block(id, context, context);
        }
        let is_head = |cell: &usize| self.tree.element(*cell).is_some_and(|cell| cell.name == "th");
        let first = rows.iter().take_while(|row| row.iter().all(is_head)).count();
        self.head = if self.head == 0 && first < rows.len() { first } else { self.head };
        let mut table = Table::new(self.limits);
        for (at, row) in rows.into_iter().enumerate() {
            self.budget.check()?;
            if at > 1 && at == self.head {
                table.end_head();
            }
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
        self.pictures_below(id)
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
                "thead" | "tbody" | "tfoot" => {
                    if !self.rows(child, rows) {
                        return false;
                    }
                    if element.name == "thead" {
                        self.head = rows.len();
                    }
                }
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
        let mut runs = Runs::default();
        let mut todo = vec![(id, Rise::Plain)];
        while let Some((id, rise)) = todo.pop() {
            self.steps += 1;
            if self.steps.is_multiple_of(1_024) {
                self.budget.check()?;
            }
            match &self.tree.nodes[id] {
                Node::Text(part) => runs.push(rise, part),
                Node::Element(element) => {
                    if !is_inline(&element.name) {
                        runs.push(Rise::Plain, " ");
                    }
                    let rise = match element.name.as_str() {
                        "sup" => Rise::Raised,
                        "sub" => Rise::Lowered,
                        _ => rise,
                    };
                    let children = element.children.iter().rev().copied().filter(|child| self.kept[*child]);
                    todo.extend(children.map(|child| (child, rise)));
                }
            }
        }
        Ok(runs.take().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// A picture with what is said about it.
fn is_figure(element: &Element) -> bool {
    let mut classes = element.attribute("class").unwrap_or_default().split_ascii_whitespace();
    element.name == "figure" || classes.any(|class| class == "wp-caption")
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
            | "picture"
            | "q"
            | "rb"
            | "rp"
            | "rt"
            | "ruby"
            | "s"
            | "samp"
            | "small"
            | "source"
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

//! What a reader of the page sees: text that is struck out, hidden by a trick, or too small to be seen goes; formulas,
//! list numbers and characters of symbol fonts become text. Everything behind this works on the tree that is left.

use std::collections::HashSet;

use super::{
    css::{self, Look, Sheet},
    math,
    tree::{Element, Node, ROOT, Tree},
};
use crate::{
    error::FileError,
    limits::Budget,
    script::Rise,
    symbols::{SymbolFont, Symbols},
};

/// Stands where a formula cannot be written on a line.
const FORMULA: &str = " [formula] ";
/// Marks of footnotes are not longer than this, the notes themselves not than that.
const MAX_MARK: usize = 8;
const MAX_NOTE: usize = 3_000;
const NOTE_CLASSES: [&str; 7] =
    ["footnotes", "footnote", "endnotes", "endnote", "footnote-list", "reflist", "references"];
const NOTE_ROLES: [&str; 4] = ["doc-endnotes", "doc-endnote", "doc-footnote", "doc-footnotes"];

/// How much was left out, or is written in another way.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    struck: usize,
    hidden: usize,
    notes: usize,
    formulas: usize,
}

impl Unseen {
    /// For people.
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = [
            (self.struck, "passages of struck-out text that were left out"),
            (self.hidden, "passages that no reader of the page sees and that were left out"),
            (self.notes, "footnotes that were left out"),
            (self.formulas, "formulas that cannot be written on a line and stand as [formula]"),
        ];
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what}: {count}")).collect()
    }
}

/// Changes the tree to what is seen.
pub(super) fn settle(tree: &mut Tree, budget: &Budget) -> Result<Unseen, FileError> {
    let sheet = Sheet::read(&tree.sheets);
    let sheet = if hides_most(tree, &sheet) { Sheet::default() } else { sheet };
    let mut settling = Settling { tree, sheet, unseen: Unseen::default(), targets: HashSet::new() };
    let mut todo = vec![(ROOT, Inherited::default())];
    let mut steps = 0_usize;
    while let Some((id, inherited)) = todo.pop() {
        steps += 1;
        if steps.is_multiple_of(1_024) {
            budget.check()?;
        }
        let inherited = settling.node(id, inherited);
        if let (Some(inherited), Some(element)) = (inherited, settling.tree.element(id)) {
            todo.extend(element.children.iter().rev().map(|child| (*child, inherited)));
        }
    }
    settling.notes();
    Ok(settling.unseen)
}

/// A page that shows itself only when its scripts run is taken as it stands.
fn hides_most(tree: &Tree, sheet: &Sheet) -> bool {
    if sheet.is_empty() {
        return false;
    }
    let (mut shown, mut hidden) = (0_usize, 0_usize);
    let mut todo = vec![(ROOT, false)];
    while let Some((id, away)) = todo.pop() {
        match tree.nodes.get(id) {
            Some(Node::Text(text)) if away => hidden += text.trim().len(),
            Some(Node::Text(text)) => shown += text.trim().len(),
            Some(Node::Element(element)) if !element.hidden => {
                let look = of_sheet(sheet, element);
                let away = away || look.hidden || look.unseen || look.tiny == Some(true);
                todo.extend(element.children.iter().map(|child| (*child, away)));
            }
            _ => {}
        }
    }
    hidden > shown
}

fn of_sheet(sheet: &Sheet, element: &Element) -> Look {
    sheet.look(element.attribute("class").unwrap_or_default(), element.attribute("id"))
}

/// What an element hands down to those in it.
#[derive(Debug, Default, Clone, Copy)]
struct Inherited {
    /// Letters have no size.
    tiny: bool,
    symbols: Option<SymbolFont>,
}

struct Settling<'a> {
    tree: &'a mut Tree,
    sheet: Sheet,
    unseen: Unseen,
    /// Ids that the marks of footnotes point to.
    targets: HashSet<String>,
}

impl Settling<'_> {
    /// Settles one node; `None` where nothing in it is looked at.
    fn node(&mut self, id: usize, inherited: Inherited) -> Option<Inherited> {
        let look = match self.tree.nodes.get_mut(id)? {
            Node::Text(text) => {
                if inherited.tiny && !text.trim().is_empty() {
                    self.unseen.hidden += 1;
                    text.clear();
                }
                if inherited.symbols.is_some() {
                    *text = Symbols::default().written(text, inherited.symbols).into_owned();
                }
                return None;
            }
            Node::Element(element) => {
                let mut look = of_sheet(&self.sheet, element).and(element.look);
                look.symbols = look.symbols.or_else(|| element.attribute("face").and_then(css::font));
                if let Some(rise) =
                    look.rise.filter(|_| matches!(element.name.as_str(), "span" | "small" | "i" | "em" | "font" | "b"))
                {
                    let name = if rise == Rise::Raised { "sup" } else { "sub" };
                    element.name = name.to_owned();
                }
                look
            }
        };
        if self.goes(id, look) {
            return None;
        }
        self.part_formulas(id);
        let symbols = look.symbols.or(inherited.symbols);
        Some(Inherited { tiny: look.tiny.unwrap_or(inherited.tiny), symbols })
    }

    /// Whether nothing in the element is read any more.
    fn goes(&mut self, id: usize, look: Look) -> bool {
        let Some(element) = self.tree.element(id) else { return true };
        let name = element.name.clone();
        let (is_formula, is_notes) = (name == "math" || is_formula(element), is_notes(element));
        if element.hidden && !is_formula {
            return true;
        }
        match name.as_str() {
            "math" => self.formula(id),
            "rt" | "rp" | "rtc" => self.hide(id),
            "sup" | "a" if self.is_mark(id) => self.hide(id),
            "del" | "s" | "strike" => self.count(id, |unseen| &mut unseen.struck),
            _ if look.struck => self.count(id, |unseen| &mut unseen.struck),
            _ if (look.hidden || look.unseen) && !is_formula => self.count(id, |unseen| &mut unseen.hidden),
            _ if is_notes => {
                let notes = items(self.tree, id).max(1);
                self.unseen.notes += notes;
                self.hide(id);
            }
            "ol" => {
                number(self.tree, id, look.unmarked);
                return false;
            }
            _ => {
                self.show(id);
                return false;
            }
        }
        true
    }

    /// A formula behind a number is no part of it.
    fn part_formulas(&mut self, id: usize) {
        let children = self.tree.element(id).map_or_else(Vec::new, |element| element.children.clone());
        for pair in children.windows(2) {
            let follows =
                self.tree.element(pair[1]).is_some_and(|element| element.name == "math" || is_formula(element));
            if let Some(Node::Text(text)) = self.tree.nodes.get_mut(pair[0]).filter(|_| follows)
                && text.ends_with(|c: char| c.is_numeric())
            {
                text.push(' ');
            }
        }
    }

    fn hide(&mut self, id: usize) {
        if let Some(Node::Element(element)) = self.tree.nodes.get_mut(id) {
            element.hidden = true;
        }
    }

    fn show(&mut self, id: usize) {
        if let Some(Node::Element(element)) = self.tree.nodes.get_mut(id) {
            element.hidden = false;
        }
    }

    /// Hides an element, and counts it if it has text.
    fn count(&mut self, id: usize, counter: impl Fn(&mut Unseen) -> &mut usize) {
        if !self.tree.text(id).trim().is_empty() {
            *counter(&mut self.unseen) += 1;
        }
        self.hide(id);
    }

    fn formula(&mut self, id: usize) {
        let text = math::linear(self.tree, id).unwrap_or_else(|| {
            self.unseen.formulas += usize::from(!self.tree.text(id).trim().is_empty());
            FORMULA.to_owned()
        });
        if let Some(node) = self.tree.nodes.get_mut(id) {
            *node = Node::Text(text);
        }
    }

    /// The mark of a footnote: short, raised, and a link within the page.
    fn is_mark(&mut self, id: usize) -> bool {
        let Some(element) = self.tree.element(id) else { return false };
        let (mut link, mut raised) = (None, element.name == "sup");
        let mut todo = vec![id];
        for _ in 0..8 {
            let Some(id) = todo.pop() else { break };
            let Some(element) = self.tree.element(id) else { continue };
            raised |= element.name == "sup";
            let role = element.attribute("role").unwrap_or_default();
            let href = element.attribute("href").filter(|_| element.name == "a").and_then(fragment);
            if role == "doc-noteref" {
                raised = true;
            }
            link = link.or(href);
            todo.extend(element.children.iter().copied());
        }
        let Some(target) = link.filter(|_| raised) else { return false };
        let text = self.tree.text(id);
        if text.trim().chars().count() > MAX_MARK {
            return false;
        }
        let target = target.to_owned();
        self.targets.insert(target);
        true
    }

    /// No longer than a note. Looks no further than that: marks can point into one long block very often.
    fn is_short(&self, id: usize) -> bool {
        let mut todo = vec![id];
        let (mut length, mut nodes) = (0, 0);
        while let Some(id) = todo.pop() {
            match self.tree.nodes.get(id) {
                Some(Node::Text(text)) => length += text.len(),
                Some(Node::Element(element)) => {
                    nodes += element.children.len();
                    if nodes <= MAX_NOTE {
                        todo.extend(element.children.iter().copied());
                    }
                }
                None => {}
            }
            if length > MAX_NOTE || nodes > MAX_NOTE {
                return false;
            }
        }
        true
    }

    /// Leaves out the notes that marks point to.
    fn notes(&mut self) {
        if self.targets.is_empty() {
            return;
        }
        let mut todo = vec![(ROOT, ROOT)];
        let mut notes = Vec::new();
        while let Some((id, block)) = todo.pop() {
            let Some(element) = self.tree.element(id).filter(|element| !element.hidden) else { continue };
            let is_block = matches!(element.name.as_str(), "li" | "p" | "div" | "dd" | "aside" | "section" | "td");
            let block = if is_block { id } else { block };
            if block != ROOT && element.attribute("id").is_some_and(|id| self.targets.contains(id)) {
                notes.push(block);
            }
            todo.extend(element.children.iter().map(|child| (*child, block)));
        }
        for note in notes {
            let is_hidden = self.tree.element(note).is_none_or(|element| element.hidden);
            if !is_hidden && self.is_short(note) {
                self.unseen.notes += 1;
                self.hide(note);
            }
        }
    }
}

/// Programs hide the formula that a picture of it is shown for.
fn is_formula(element: &Element) -> bool {
    let class = element.attribute("class").unwrap_or_default();
    class
        .split_ascii_whitespace()
        .any(|class| class.starts_with("mwe-math-mathml") || class == "katex-mathml" || class == "MJX_Assistive_MathML")
        || element.name == "mjx-assistive-mml"
}

fn is_notes(element: &Element) -> bool {
    let class = element.attribute("class").unwrap_or_default();
    matches!(element.name.as_str(), "section" | "div" | "ol" | "ul" | "aside" | "p" | "li" | "dl")
        && (class.split_ascii_whitespace().any(|class| NOTE_CLASSES.contains(&class))
            || element.attribute("role").is_some_and(|role| NOTE_ROLES.contains(&role)))
}

/// How many items of lists, or else paragraphs, are in an element.
fn items(tree: &Tree, id: usize) -> usize {
    let (mut items, mut paragraphs) = (0, 0);
    let mut todo = vec![id];
    while let Some(id) = todo.pop() {
        let Some(element) = tree.element(id) else { continue };
        items += usize::from(element.name == "li");
        paragraphs += usize::from(element.name == "p");
        todo.extend(element.children.iter().copied());
    }
    if items > 0 { items } else { paragraphs }
}

/// The part of a link behind `#`, if it leads to a note of the same page.
fn fragment(href: &str) -> Option<&str> {
    let (page, fragment) = href.split_once('#')?;
    let is_note = |name: &str| ["note", "fn", "ref", "cite"].iter().any(|part| name.contains(part));
    (!fragment.is_empty() && (page.is_empty() || is_note(&fragment.to_ascii_lowercase()))).then_some(fragment)
}

/// Gives the items of an ordered list their numbers, as text in `value`.
fn number(tree: &mut Tree, id: usize, unmarked: bool) {
    let Some(element) = tree.element(id) else { return };
    let children = element.children.clone();
    let kind = element.attribute("type").unwrap_or("1").to_owned();
    let integer = |element: &Element, name: &str| element.attribute(name).and_then(|value| value.parse::<i64>().ok());
    let is_item = |tree: &Tree, id: usize| tree.element(id).is_some_and(|element| element.name == "li");
    let count = children.iter().filter(|child| is_item(tree, **child)).count();
    let down = element.attribute("reversed").is_some();
    let first = if down { i64::try_from(count).unwrap_or(i64::MAX) } else { 1 };
    let mut next = integer(element, "start").unwrap_or(first);
    for child in children {
        let Some(Node::Element(item)) = tree.nodes.get_mut(child) else { continue };
        if item.name != "li" {
            continue;
        }
        next = integer(item, "value").unwrap_or(next);
        let is_unmarked = unmarked || item.look.unmarked;
        item.set("value", (!is_unmarked).then(|| format!("{}.", numeral(next, &kind))));
        next = next.saturating_add(if down { -1 } else { 1 });
    }
}

/// `3`, `c` or `iii`.
fn numeral(number: i64, kind: &str) -> String {
    const ROMAN: [(i64, &str); 7] = [(50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")];
    let text = match kind {
        "a" | "A" if (1..=26).contains(&number) => {
            u8::try_from(number).map_or(String::new(), |number| char::from(b'a' + number - 1).to_string())
        }
        "i" | "I" if (1..=89).contains(&number) => {
            let (mut left, mut out) = (number, String::new());
            for (value, letters) in ROMAN {
                while left >= value {
                    out.push_str(letters);
                    left -= value;
                }
            }
            out
        }
        _ => return number.to_string(),
    };
    if matches!(kind, "A" | "I") { text.to_uppercase() } else { text }
}

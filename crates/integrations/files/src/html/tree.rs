//! HTML as a small tree. html5ever's tokenizer reads the markup; the tree is built by simpler rules than the
//! standard's, because those (adoption agency, reconstruction of formatting elements, scope searches) cost quadratic
//! time and memory on hostile pages and serve layout, not reading. Here time is linear, the depth is capped, and what
//! nobody reads (scripts, styles, comments) is never stored.

use std::cell::RefCell;

use html5ever::{
    Attribute,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind::{Rawtext, Rcdata, ScriptData},
    },
};

use super::css::{self, Look};
use crate::{
    limits::Budget,
    script::{Rise, Runs},
};

/// Elements below this depth are read as if their tags were not there. Real pages stay below 100.
const MAX_DEPTH: usize = 200;
/// Longer attribute values (inlined data, tracking) are of no use for reading.
const MAX_ATTRIBUTE: usize = 2_000;
/// Of all pictures that stand in the page itself, as they are written there.
const MAX_DATA: usize = 12 << 20;
/// Stands for a picture in the page that is larger.
pub(super) const TOO_LARGE: &str = "data:image/too-large";
/// The tokenizer cannot be stopped, so it is fed in pieces of this size with a look at the clock in between.
const PIECE: usize = 64 << 10;

pub(super) const ROOT: usize = 0;

#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

#[derive(Debug, Default)]
pub(super) struct Element {
    /// Lower case.
    pub(super) name: String,
    /// Only those in `KEPT_ATTRIBUTES`, in the order of the page.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<usize>,
    /// The author hid it from every reader.
    pub(super) hidden: bool,
    /// What its `style` does.
    pub(super) look: Look,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn set(&mut self, name: &str, value: Option<String>) {
        self.attributes.retain(|(key, _)| key != name);
        self.attributes.extend(value.map(|value| (name.to_owned(), value)));
    }
}

/// A page as read. Node 0 is a root element without a name.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// The text of the first `<title>`.
    pub(super) title: Option<String>,
    /// `lang` of the `<html>` element.
    pub(super) language: Option<String>,
    /// `content` of `<meta>` by `name` or `property`, first one first.
    pub(super) meta: Vec<(String, String)>,
    /// `href` of the first `<base>`.
    pub(super) base: Option<String>,
    /// The text of `<style>` elements.
    pub(super) sheets: String,
    /// Elements were left out because of the limit, or the clock ran out.
    pub(super) cut: bool,
}

impl Tree {
    /// Reads at most `elements` elements, until `budget` is over.
    pub(super) fn parse(html: &str, elements: usize, budget: &Budget) -> Self {
        let tokenizer = Tokenizer::new(Builder::new(elements), TokenizerOpts::default());
        let queue = BufferQueue::default();
        let mut rest = html;
        while !rest.is_empty() && !budget.is_over() && !tokenizer.sink.0.borrow().tree.cut {
            let (piece, tail) = rest.split_at(rest.floor_char_boundary(PIECE.min(rest.len())));
            queue.push_back(StrTendril::from_slice(piece));
            // It stops early only for scripts that the sink asks it to run, and this sink asks for none.
            let _ = tokenizer.feed(&queue);
            rest = tail;
        }
        tokenizer.end();
        let mut tree = tokenizer.sink.0.into_inner().tree;
        tree.cut |= !rest.is_empty();
        tree
    }

    pub(super) fn element(&self, id: usize) -> Option<&Element> {
        match self.nodes.get(id)? {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        }
    }

    /// All text below a node.
    pub(super) fn text(&self, id: usize) -> String {
        let mut text = String::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            match self.nodes.get(id) {
                Some(Node::Text(part)) => text.push_str(part),
                Some(Node::Element(element)) => todo.extend(element.children.iter().rev().copied()),
                None => {}
            }
        }
        text
    }

    /// The same with raised and lowered characters written as such, and without what is hidden.
    pub(super) fn shown(&self, id: usize) -> String {
        let mut runs = Runs::default();
        let mut todo = vec![(id, Rise::Plain)];
        while let Some((id, rise)) = todo.pop() {
            match self.nodes.get(id) {
                Some(Node::Text(part)) => runs.push(rise, part),
                Some(Node::Element(element)) if !element.hidden => {
                    let rise = match element.name.as_str() {
                        "sup" => Rise::Raised,
                        "sub" => Rise::Lowered,
                        _ => rise,
                    };
                    todo.extend(element.children.iter().rev().map(|child| (*child, rise)));
                }
                _ => {}
            }
        }
        runs.take()
    }

    /// All text below a node, with its line breaks.
    pub(super) fn lines(&self, id: usize) -> String {
        let mut text = String::new();
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            match self.nodes.get(id) {
                Some(Node::Text(part)) => text.push_str(part),
                Some(Node::Element(element)) if element.name == "br" => text.push('\n'),
                Some(Node::Element(element)) if !element.hidden => todo.extend(element.children.iter().rev().copied()),
                _ => {}
            }
        }
        text
    }

    pub(super) fn meta(&self, name: &str) -> Option<&str> {
        self.meta.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

const KEPT_ATTRIBUTES: [&str; 13] =
    ["class", "id", "role", "href", "rel", "itemprop", "colspan", "rowspan", "lang", "start", "value", "type", "face"];
/// Of a picture, beside those.
const OF_PICTURES: [&str; 9] =
    ["src", "alt", "title", "width", "height", "srcset", "data-src", "data-original", "data-lazy-src"];
const VOID: [&str; 16] = [
    "area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link", "meta", "param",
    "source", "wbr",
];
/// Elements whose start ends an open paragraph.
const CLOSES_PARAGRAPH: [&str; 32] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "main",
    "menu",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "ul",
];

struct Building {
    tree: Tree,
    /// Open elements, the root first.
    open: Vec<usize>,
    /// Open elements below `MAX_DEPTH`, which have no node.
    too_deep: usize,
    /// Inside an element whose text is not part of the page's.
    raw: Option<Raw>,
    elements_left: usize,
    /// Bytes of pictures in the page itself that may still be kept.
    data_left: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    Title,
    Sheet,
    Nothing,
}

struct Builder(RefCell<Building>);

impl Builder {
    fn new(elements: usize) -> Self {
        let tree = Tree {
            nodes: vec![Node::Element(Element::default())],
            title: None,
            language: None,
            meta: Vec::new(),
            base: None,
            sheets: String::new(),
            cut: false,
        };
        Self(RefCell::new(Building {
            tree,
            open: vec![ROOT],
            too_deep: 0,
            raw: None,
            elements_left: elements,
            data_left: MAX_DATA,
        }))
    }
}

impl TokenSink for Builder {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut building = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => return building.start(tag),
            Token::TagToken(tag) => building.end(&tag.name),
            Token::CharacterTokens(text) => building.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Building {
    fn start(&mut self, tag: Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        match name {
            "html" => self.tree.language = self.tree.language.take().or_else(|| value(&tag.attrs, "lang")),
            "meta" => self.note_meta(&tag.attrs),
            "base" => self.tree.base = self.tree.base.take().or_else(|| value(&tag.attrs, "href")),
            "title" if !tag.self_closing && !self.inside("svg") => {
                self.raw = Some(if self.tree.title.is_none() { Raw::Title } else { Raw::Nothing });
                return TokenSinkResult::RawData(Rcdata);
            }
            "script" if !tag.self_closing => {
                self.raw = Some(Raw::Nothing);
                return TokenSinkResult::RawData(ScriptData);
            }
            "textarea" => {
                self.raw = Some(Raw::Nothing);
                return TokenSinkResult::RawData(Rcdata);
            }
            "style" | "xmp" | "iframe" | "noembed" | "noframes" if !tag.self_closing => {
                self.raw = Some(if name == "style" { Raw::Sheet } else { Raw::Nothing });
                return TokenSinkResult::RawData(Rawtext);
            }
            "plaintext" => return TokenSinkResult::Plaintext,
            _ => {}
        }
        if matches!(name, "html" | "head" | "body" | "meta" | "base" | "link" | "script" | "style" | "iframe") {
            return TokenSinkResult::Continue;
        }
        self.close_implied(name);
        self.add_element(tag);
        TokenSinkResult::Continue
    }

    fn add_element(&mut self, tag: Tag) {
        let void = tag.self_closing || VOID.contains(&&*tag.name);
        if self.elements_left == 0 {
            self.tree.cut = true;
            return;
        }
        if self.open.len() >= MAX_DEPTH {
            if !void {
                self.too_deep += 1;
            }
            return;
        }
        self.elements_left -= 1;
        let look = value(&tag.attrs, "style").map_or_else(Look::default, |style| css::look(&style));
        let mut attributes = kept(&tag.attrs);
        if &*tag.name == "img" {
            attributes.extend(self.of_picture(&tag.attrs));
        }
        let element = Element {
            name: tag.name.to_string(),
            hidden: is_hidden(&tag.attrs) || look.hidden,
            look,
            attributes,
            children: Vec::new(),
        };
        let id = self.append(Node::Element(element));
        if !void {
            self.open.push(id);
        }
    }

    /// Where a picture is and how it is shown. One that stands in the page itself is kept as long as there is room.
    fn of_picture(&mut self, attributes: &[Attribute]) -> Vec<(String, String)> {
        let mut kept: Vec<(String, String)> =
            OF_PICTURES.iter().filter_map(|name| Some(((*name).to_owned(), value(attributes, name)?))).collect();
        let source = attributes.iter().find(|attribute| &*attribute.name.local == "src");
        let data = source.map(|source| source.value.trim()).filter(|source| source.starts_with("data:image/"));
        if let Some(data) = data.filter(|data| data.len() > MAX_ATTRIBUTE) {
            let fits = data.len() <= self.data_left;
            self.data_left -= if fits { data.len() } else { 0 };
            // What does not fit is counted as too large by what is left of it.
            kept.push(("src".to_owned(), if fits { data.to_owned() } else { TOO_LARGE.to_owned() }));
        }
        kept
    }

    fn end(&mut self, name: &str) {
        if self.raw.take().is_some() || matches!(name, "html" | "body" | "head") {
            return;
        }
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        // A stray end tag inside a cell does not end what is around the table.
        let wall: &[&str] =
            if matches!(name, "table" | "thead" | "tbody" | "tfoot" | "tr") { &[] } else { &["td", "th"] };
        self.close_to(&[name], wall);
    }

    fn text(&mut self, text: &str) {
        match self.raw {
            Some(Raw::Title) => {
                let title = self.tree.title.get_or_insert_default();
                if title.len() < MAX_ATTRIBUTE {
                    title.push_str(text);
                }
                return;
            }
            Some(Raw::Sheet) => {
                let room = css::MAX_SHEETS.saturating_sub(self.tree.sheets.len());
                self.tree.sheets.push_str(&text[..text.floor_char_boundary(room.min(text.len()))]);
                return;
            }
            Some(Raw::Nothing) => return,
            None => {}
        }
        let parent = self.open.last().copied().unwrap_or(ROOT);
        let last = self.tree.element(parent).and_then(|element| element.children.last().copied());
        if let Some(Node::Text(before)) = last.and_then(|id| self.tree.nodes.get_mut(id)) {
            before.push_str(text);
        } else {
            self.append(Node::Text(text.to_owned()));
        }
    }

    fn append(&mut self, node: Node) -> usize {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(node);
        let parent = self.open.last().copied().unwrap_or(ROOT);
        if let Some(Node::Element(element)) = self.tree.nodes.get_mut(parent) {
            element.children.push(id);
        }
        id
    }

    /// Ends the elements that the start of `name` ends, as far as authors leave end tags out.
    fn close_implied(&mut self, name: &str) {
        if self.too_deep > 0 {
            return;
        }
        match name {
            "li" => self.close_to(&["li"], &["ul", "ol", "menu", "td", "th"]),
            "dt" | "dd" => self.close_to(&["dt", "dd"], &["dl", "td", "th"]),
            "td" | "th" => self.close_to(&["td", "th"], &["tr", "table"]),
            "tr" => self.close_to(&["tr"], &["table"]),
            "thead" | "tbody" | "tfoot" => self.close_to(&["thead", "tbody", "tfoot", "caption"], &["table"]),
            "option" => self.close_to(&["option"], &["select"]),
            "a" => self.close_to(&["a"], &["td", "th", "div", "li", "p"]),
            _ => {}
        }
        if CLOSES_PARAGRAPH.contains(&name) {
            self.close_to(&["p"], &["td", "th", "li", "div", "section", "article", "blockquote", "button", "object"]);
        }
    }

    /// Ends the innermost open element called one of `names` and all inside it; looks no further than `walls`.
    fn close_to(&mut self, names: &[&str], walls: &[&str]) {
        for at in (1..self.open.len()).rev() {
            let Some(element) = self.tree.element(self.open[at]) else { return };
            if names.contains(&element.name.as_str()) {
                self.open.truncate(at);
                return;
            }
            if walls.contains(&element.name.as_str()) {
                return;
            }
        }
    }

    fn inside(&self, name: &str) -> bool {
        self.open.iter().any(|id| self.tree.element(*id).is_some_and(|element| element.name == name))
    }

    fn note_meta(&mut self, attributes: &[Attribute]) {
        let key = value(attributes, "property").or_else(|| value(attributes, "name"));
        if let (Some(key), Some(content)) = (key, value(attributes, "content"))
            && self.tree.meta.len() < 200
        {
            self.tree.meta.push((key.to_ascii_lowercase(), content));
        }
    }
}

/// The trimmed value of an attribute, if it has one of a reasonable length.
fn value(attributes: &[Attribute], name: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| &*attribute.name.local == name)?;
    let text = attribute.value.trim();
    (!text.is_empty() && text.len() <= MAX_ATTRIBUTE).then(|| text.to_owned())
}

fn kept(attributes: &[Attribute]) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> =
        KEPT_ATTRIBUTES.iter().filter_map(|name| Some(((*name).to_owned(), value(attributes, name)?))).collect();
    // The only one that says something without a value.
    if attributes.iter().any(|attribute| &*attribute.name.local == "reversed") {
        kept.push(("reversed".to_owned(), "reversed".to_owned()));
    }
    kept
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let has = |name: &str| attributes.iter().any(|attribute| &*attribute.name.local == name);
    has("hidden") || value(attributes, "aria-hidden").is_some_and(|v| v.eq_ignore_ascii_case("true"))
}

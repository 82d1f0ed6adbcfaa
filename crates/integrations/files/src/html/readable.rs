//! The main content of a page, found by Mozilla's readability rules (`dom_smoothie`).
//!
//! That library parses again by the full standard and cannot be stopped, so it only ever sees our own tree written out:
//! balanced, shallow, without formatting elements, and small enough to be done in a second or two.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_smoothie::{Config, Readability};

use super::{
    chrome,
    tree::{Node, ROOT, Tree},
};
use crate::limits::Budget;

/// Larger pages are read whole: they are data, not articles.
const MAX_ELEMENTS: usize = 30_000;
const MAX_BYTES: usize = 4 << 20;

pub(super) struct Article {
    pub(super) tree: Tree,
    pub(super) kept: Vec<bool>,
    pub(super) title: Option<String>,
}

/// `None` where the page has no part that stands out, is too large to look for one, or the library failed on it.
pub(super) fn main_content(tree: &Tree, budget: &Budget) -> Option<Article> {
    let kept = chrome::kept(tree);
    if kept.iter().filter(|kept| **kept).count() > MAX_ELEMENTS {
        return None;
    }
    let html = write(tree, &kept)?;
    // A panic in there is a page it cannot read; the page is then taken whole.
    let article = catch_unwind(AssertUnwindSafe(|| {
        let config = Config { disable_json_ld: true, ..Config::default() };
        Readability::new(html, None, Some(config)).and_then(|mut page| page.parse())
    }));
    let article = article.ok()?.ok()?;
    let main = Tree::parse(&article.content, MAX_ELEMENTS, budget);
    let kept = chrome::all(&main);
    let title = super::one_line(&article.title);
    Some(Article { tree: main, kept, title: (!title.is_empty()).then_some(title) })
}

/// The kept part of the tree as HTML; `None` if it is too large.
fn write(tree: &Tree, kept: &[bool]) -> Option<String> {
    let mut out = String::from("<!DOCTYPE html><html><head><title>");
    escape(tree.title.as_deref().unwrap_or_default(), &mut out);
    out.push_str("</title>");
    for name in ["og:title", "twitter:title", "og:site_name"] {
        if let Some(content) = tree.meta(name) {
            out.push_str("<meta property=\"");
            out.push_str(name);
            out.push_str("\" content=\"");
            escape(content, &mut out);
            out.push_str("\">");
        }
    }
    out.push_str("</head><body>");
    write_children(tree, kept, ROOT, false, &mut out);
    out.push_str("</body></html>");
    (out.len() <= MAX_BYTES).then_some(out)
}

/// The recursion is as deep as the tree, which its builder caps.
fn write_children(tree: &Tree, kept: &[bool], id: usize, in_link: bool, out: &mut String) {
    let Some(element) = tree.element(id) else { return };
    for child in element.children.iter().copied().filter(|child| kept[*child]) {
        match &tree.nodes[child] {
            Node::Text(text) => escape(text, out),
            Node::Element(element) => {
                let name = element.name.as_str();
                // Formatting tags say nothing here, and a link in a link is where parsers differ.
                let bare = !is_written(name) || (in_link && name == "a");
                if !bare {
                    out.push('<');
                    out.push_str(name);
                    for (key, value) in &element.attributes {
                        out.push(' ');
                        out.push_str(key);
                        out.push_str("=\"");
                        escape(value, out);
                        out.push('"');
                    }
                    out.push('>');
                }
                // The library takes some line breaks away and with them the gap between two words.
                if name == "br" {
                    out.push(' ');
                }
                if !matches!(name, "br" | "hr" | "img") {
                    write_children(tree, kept, child, in_link || name == "a", out);
                    if !bare {
                        out.push_str("</");
                        out.push_str(name);
                        out.push('>');
                    }
                }
            }
        }
    }
}

fn is_written(name: &str) -> bool {
    matches!(
        name,
        "a" | "article"
            | "blockquote"
            | "br"
            | "caption"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hr"
            | "li"
            | "main"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "span"
            | "sub"
            | "sup"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "address"
            | "details"
            | "summary"
            | "form"
            | "fieldset"
            | "center"
            | "code"
            | "aside"
            | "footer"
            | "nav"
    )
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\0' => {}
            c => out.push(c),
        }
    }
}

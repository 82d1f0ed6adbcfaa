//! HTML as the blocks of WordPress' core that its editor takes without a complaint. What has no block of its own becomes a
//! block of plain HTML, never one of the editor of old.

mod lists;

use std::collections::HashMap;

use super::content::{Shown, attribute, open_tag};
use crate::markup::{Token, decoded, escaped, tokens};

/// An element of the top level with what is in it, or text between such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub inner: String,
}

impl Element {
    pub fn html(&self) -> String {
        let mut out = String::new();
        open_tag(&mut out, &self.name, &self.attributes);
        out.push_str(&self.inner);
        out.push_str(&format!("</{}>", self.name));
        out
    }
}

const VOID: [&str; 6] = ["br", "hr", "img", "input", "wbr", "col"];

/// The elements of the top level, in order. Text between them and void elements have no name.
pub(super) fn elements(html: &str) -> Vec<Element> {
    let mut found: Vec<Element> = Vec::new();
    let mut open: Option<Element> = None;
    let mut depth = 0_usize;
    let loose = |found: &mut Vec<Element>, text: &str| match found.last_mut() {
        Some(last) if last.name.is_empty() => last.inner.push_str(text),
        _ => found.push(Element { name: String::new(), attributes: Vec::new(), inner: text.to_owned() }),
    };
    for token in tokens(html) {
        let mut written = String::new();
        match &token {
            Token::Open { name, attributes } => {
                let is_void = VOID.contains(&name.as_str());
                if open.is_none() && (!is_void || name == "hr") {
                    let element = Element { name: name.clone(), attributes: attributes.clone(), inner: String::new() };
                    if is_void {
                        found.push(element)
                    } else {
                        open = Some(element)
                    }
                    continue;
                }
                open_tag(&mut written, name, attributes);
                depth += usize::from(!is_void);
            }
            Token::Close(_) if depth == 0 => {
                found.extend(open.take());
                continue;
            }
            Token::Close(name) => {
                depth -= 1;
                written = format!("</{name}>");
            }
            Token::Text(text) => written.push_str(text),
            Token::Comment(text) => written = format!("<!--{text}-->"),
        }
        match &mut open {
            Some(element) => element.inner.push_str(&written),
            None => loose(&mut found, &written),
        }
    }
    found.extend(open);
    found
}

impl Element {
    /// White space between elements.
    pub fn is_gap(&self) -> bool {
        self.name.is_empty() && self.inner.trim().is_empty()
    }
}

/// Blocks within each other. What stands deeper is shown as it is: each level takes some of the stack.
const DEEPEST: usize = 64;

/// The whole text as blocks.
pub(super) fn from_html(html: &str, pictures: &HashMap<String, Shown>) -> String {
    at_depth(0, html, pictures)
}

fn at_depth(depth: usize, html: &str, pictures: &HashMap<String, Shown>) -> String {
    let elements = elements(html);
    let blocks = elements.iter().filter(|element| !element.is_gap()).map(|element| block(depth, element, pictures));
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn block(depth: usize, element: &Element, pictures: &HashMap<String, Shown>) -> String {
    match element.name.as_str() {
        "p" => paragraph(element, pictures),
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => heading(element),
        "ul" | "ol" => lists::block(depth, element).unwrap_or_else(|| plain(element)),
        "blockquote" if depth < DEEPEST => quote(depth, element, pictures),
        "pre" => code(element),
        "table" => table(element),
        "hr" => wrapped("separator", "", "<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>"),
        _ => plain(element),
    }
}

/// `attributes` are those of the block as JSON, or nothing.
pub(super) fn wrapped(block: &str, attributes: &str, html: &str) -> String {
    let gap = if attributes.is_empty() { "" } else { " " };
    format!("<!-- wp:{block}{gap}{attributes} -->\n{html}\n<!-- /wp:{block} -->")
}

/// The block that shows HTML as it is.
fn plain(element: &Element) -> String {
    let html = if element.name.is_empty() { element.inner.trim().to_owned() } else { element.html() };
    wrapped("html", "", &html)
}

/// A paragraph, or the picture that is alone in it.
fn paragraph(element: &Element, pictures: &HashMap<String, Shown>) -> String {
    if let Some(block) = picture(&element.inner, pictures) {
        return block;
    }
    if !element.attributes.is_empty() {
        return plain(element);
    }
    wrapped("paragraph", "", &format!("<p>{}</p>", element.inner.trim()))
}

/// The block of an image with nothing around it. An address that is not the site's is an image too, without a number.
fn picture(html: &str, pictures: &HashMap<String, Shown>) -> Option<String> {
    let mut found = None;
    for token in tokens(html) {
        match token {
            Token::Open { name, attributes } if name == "img" && found.is_none() => found = Some(attributes),
            Token::Text(text) if text.trim().is_empty() => {}
            _ => return None,
        }
    }
    let attributes = found?;
    let value = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let source = value("src").unwrap_or_default();
    let alt = attribute(value("alt").unwrap_or_default());
    let ours = pictures.values().find(|shown| shown.url == source);
    let title = value("title").filter(|title| !title.trim().is_empty()).map(attribute);
    let caption = ours.map(|shown| attribute(&shown.caption)).filter(|caption| !caption.is_empty()).or(title);
    let caption = caption
        .map(|caption| format!("<figcaption class=\"wp-element-caption\">{caption}</figcaption>"))
        .unwrap_or_default();
    let source = attribute(source);
    Some(match ours {
        Some(shown) => wrapped(
            "image",
            &format!("{{\"id\":{},\"sizeSlug\":\"full\",\"linkDestination\":\"none\"}}", shown.id),
            &format!(
                "<figure class=\"wp-block-image size-full\"><img src=\"{source}\" alt=\"{alt}\" \
                 class=\"wp-image-{}\"/>{caption}</figure>",
                shown.id
            ),
        ),
        None => wrapped(
            "image",
            "",
            &format!("<figure class=\"wp-block-image\"><img src=\"{source}\" alt=\"{alt}\"/>{caption}</figure>"),
        ),
    })
}

fn heading(element: &Element) -> String {
    let level = &element.name[1..];
    let attributes = if level == "2" { String::new() } else { format!("{{\"level\":{level}}}") };
    let html = format!("<h{level} class=\"wp-block-heading\">{}</h{level}>", element.inner.trim());
    wrapped("heading", &attributes, &html)
}

fn quote(depth: usize, element: &Element, pictures: &HashMap<String, Shown>) -> String {
    let inner = at_depth(depth + 1, &element.inner, pictures);
    wrapped("quote", "", &format!("<blockquote class=\"wp-block-quote\">{inner}</blockquote>"))
}

/// The text of it alone: the block has no place for markup, which Markdown never puts there.
fn code(element: &Element) -> String {
    let text: String = tokens(&element.inner)
        .filter_map(|token| match token {
            Token::Text(text) => Some(decoded(text)),
            _ => None,
        })
        .collect();
    let text = escaped(text.trim_end_matches('\n')).replace("&quot;", "\"").replace('[', "&#91;");
    wrapped("code", "", &format!("<pre class=\"wp-block-code\"><code>{text}</code></pre>"))
}

fn table(element: &Element) -> String {
    let rows = without_layout(&element.inner);
    // An empty body is none to the editor.
    let inner = rows.replace("<tbody></tbody>", "");
    let html = format!("<figure class=\"wp-block-table\"><table>{inner}</table></figure>");
    // Newer editors think of fixed widths where nothing is said.
    wrapped("table", "{\"hasFixedLayout\":false}", &html)
}

/// The parts that a table is made of.
const OF_TABLES: [&str; 8] = ["caption", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"];

/// The rows of a table without the white space between its parts. Within a cell it is a part of the text.
fn without_layout(rows: &str) -> String {
    let mut out = String::with_capacity(rows.len());
    // White space before which a part has begun or ended, until it is known what comes behind it.
    let (mut gap, mut is_after_part) = ("", true);
    for token in tokens(rows) {
        let is_part = match &token {
            Token::Open { name, .. } | Token::Close(name) => OF_TABLES.contains(&name.as_str()),
            Token::Text(text) if is_after_part && text.trim().is_empty() => {
                gap = text;
                continue;
            }
            _ => false,
        };
        if !is_part {
            out.push_str(gap);
        }
        gap = "";
        is_after_part = is_part;
        match token {
            Token::Open { name, attributes } => open_tag(&mut out, &name, &attributes),
            Token::Close(name) => out.push_str(&format!("</{name}>")),
            Token::Text(text) => out.push_str(text),
            Token::Comment(text) => out.push_str(&format!("<!--{text}-->")),
        }
    }
    out
}

#[cfg(test)]
mod tests;

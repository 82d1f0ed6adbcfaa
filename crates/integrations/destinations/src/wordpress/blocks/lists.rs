//! Lists: each item is a block, and lists in it are too.

use super::{DEEPEST, Element, elements, wrapped};

/// `None` where a list holds what items cannot: tables, code, pictures, the addresses of sources, or more
/// lists within each other than there may be blocks.
pub(super) fn block(depth: usize, list: &Element) -> Option<String> {
    if depth >= DEEPEST {
        return None;
    }
    let is_ordered = list.name == "ol";
    let start = list.attributes.iter().find(|(name, _)| name == "start").map(|(_, value)| value.as_str());
    let start = start.and_then(|start| start.parse::<i64>().ok());
    if list.attributes.iter().any(|(name, _)| name != "start") {
        return None;
    }
    let (attributes, tag) = match (is_ordered, start) {
        (false, _) => (String::new(), "<ul class=\"wp-block-list\">".to_owned()),
        (true, None) => ("{\"ordered\":true}".to_owned(), "<ol class=\"wp-block-list\">".to_owned()),
        (true, Some(start)) => (
            format!("{{\"ordered\":true,\"start\":{start}}}"),
            format!("<ol start=\"{start}\" class=\"wp-block-list\">"),
        ),
    };
    let items = elements(&list.inner);
    let items: Vec<String> =
        items.iter().filter(|part| !part.is_gap()).map(|part| item(depth, part)).collect::<Option<_>>()?;
    Some(wrapped("list", &attributes, &format!("{tag}{}</{}>", items.join("\n\n"), list.name)))
}

fn item(depth: usize, item: &Element) -> Option<String> {
    if item.name != "li" || !item.attributes.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut lists = String::new();
    for part in elements(&item.inner) {
        match part.name.as_str() {
            "ul" | "ol" => lists.push_str(&block(depth + 1, &part)?),
            // After a list inside of an item there is no place for more text.
            _ if part.is_gap() => text.push_str(&part.inner),
            _ if !lists.is_empty() => return None,
            "p" if part.attributes.is_empty() => {
                if !text.trim().is_empty() {
                    text.truncate(text.trim_end().len());
                    text.push_str("<br/><br/>");
                }
                text.push_str(part.inner.trim());
            }
            "" | "a" | "code" | "em" | "strong" | "del" | "sup" | "sub" => {
                let html = if part.name.is_empty() { part.inner.clone() } else { part.html() };
                text.push_str(&html);
            }
            _ => return None,
        }
    }
    let text = text.trim();
    if text.contains("<img") {
        return None;
    }
    Some(wrapped("list-item", "", &format!("<li>{text}{lists}</li>")))
}

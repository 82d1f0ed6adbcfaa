//! Which elements of a page are furniture: there to move around, to sell, to operate, not to be read.

use super::tree::{Element, Node, ROOT, Tree};

/// Never text to read, wherever they stand.
const NEVER: [&str; 23] = [
    "applet", "audio", "button", "canvas", "datalist", "embed", "frame", "frameset", "iframe", "input", "map", "meter",
    "noscript", "object", "optgroup", "option", "progress", "select", "svg", "template", "textarea", "video", "dialog",
];
const FURNITURE: [&str; 4] = ["nav", "footer", "aside", "menu"];
const FURNITURE_ROLES: [&str; 9] =
    ["navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu", "menubar"];
/// Class names with one meaning on most sites: footnote marks, edit links, texts for screen readers only, notices.
const FURNITURE_CLASSES: [&str; 11] = [
    "mw-editsection",
    "noprint",
    "sr-only",
    "visually-hidden",
    "screen-reader-text",
    "skip-link",
    "breadcrumb",
    "breadcrumbs",
    "cookie-banner",
    "cookie-notice",
    "navbox",
];

/// By node id: true for what stands in the tree and is no furniture.
pub(super) fn kept(tree: &Tree) -> Vec<bool> {
    mark(tree, is_furniture)
}

/// As [`kept`], but only what can never be text is left out: for pages whose text all stands in "furniture".
pub(super) fn kept_loosely(tree: &Tree) -> Vec<bool> {
    mark(tree, |_, _, element| element.hidden || NEVER.contains(&element.name.as_str()))
}

/// Everything stays.
pub(super) fn all(tree: &Tree) -> Vec<bool> {
    mark(tree, |_, _, element| NEVER.contains(&element.name.as_str()))
}

fn mark(tree: &Tree, drop: impl Fn(&Tree, usize, &Element) -> bool) -> Vec<bool> {
    let mut kept = vec![false; tree.nodes.len()];
    let mut todo = vec![ROOT];
    while let Some(id) = todo.pop() {
        match tree.nodes.get(id) {
            Some(Node::Element(element)) if id == ROOT || !drop(tree, id, element) => {
                todo.extend(element.children.iter().copied());
            }
            Some(Node::Text(_)) => {}
            _ => continue,
        }
        kept[id] = true;
    }
    kept
}

fn is_furniture(tree: &Tree, id: usize, element: &Element) -> bool {
    let name = element.name.as_str();
    if element.hidden || NEVER.contains(&name) {
        return true;
    }
    let has_title = || contains(tree, id, "h1");
    if (FURNITURE.contains(&name) || name == "header") && !has_title() {
        // The head of an article carries its title and lead; the head of a page carries its menus.
        return name != "header" || !contains_any(tree, id, &["h2", "p"]);
    }
    if element.attribute("role").is_some_and(|role| FURNITURE_ROLES.contains(&role)) && !has_title() {
        return true;
    }
    let classes = element.attribute("class").unwrap_or_default();
    classes.split_ascii_whitespace().any(|class| FURNITURE_CLASSES.contains(&class))
}

fn contains(tree: &Tree, id: usize, name: &str) -> bool {
    contains_any(tree, id, &[name])
}

fn contains_any(tree: &Tree, id: usize, names: &[&str]) -> bool {
    let mut todo = vec![id];
    let mut looked_at = 0;
    while let Some(id) = todo.pop() {
        let Some(element) = tree.element(id) else { continue };
        if names.contains(&element.name.as_str()) {
            return true;
        }
        looked_at += 1;
        // Furniture is small; nested furniture must not make this quadratic.
        if looked_at > 2_000 {
            return false;
        }
        todo.extend(element.children.iter().copied());
    }
    false
}

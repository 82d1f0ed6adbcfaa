//! MathML on one line, so that no other number arises: `3/4`, `x²`, `√(a + b)`, never `34`.

use super::tree::{Element, Node, Tree};
use crate::script::{Rise, Runs};

/// Elements of one formula that are read.
const MAX_ELEMENTS: usize = 5_000;

/// The formula at `id` as text; `None` where it is too long or holds what cannot be written on a line.
pub(super) fn linear(tree: &Tree, id: usize) -> Option<String> {
    let mut writer = Writer { tree, left: MAX_ELEMENTS };
    let text = writer.row(id)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

struct Writer<'a> {
    tree: &'a Tree,
    left: usize,
}

impl Writer<'_> {
    /// The children of an element one after the other.
    fn row(&mut self, id: usize) -> Option<String> {
        let parts = self.parts(id)?;
        let mut out = String::new();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 && needs_space(&out, part) {
                out.push(' ');
            }
            out.push_str(part);
        }
        Some(out)
    }

    /// The text of each child element; several where a part of a row stands apart.
    fn parts(&mut self, id: usize) -> Option<Vec<String>> {
        let tree = self.tree;
        let mut parts = Vec::new();
        for child in tree.element(id)?.children.iter().copied() {
            match &tree.nodes[child] {
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(text) => parts.push(text.trim().to_owned()),
                Node::Element(element) => {
                    self.left = self.left.checked_sub(1)?;
                    if !matches!(element.name.as_str(), "annotation" | "annotation-xml" | "mprescripts" | "none") {
                        parts.push(self.element(child, element)?);
                    }
                }
            }
        }
        Some(parts)
    }

    /// The recursion is as deep as the tree, which its builder caps.
    fn element(&mut self, id: usize, element: &Element) -> Option<String> {
        match element.name.as_str() {
            "mi" | "mn" | "mtext" | "ms" => Some(self.tree.text(id).split_whitespace().collect::<Vec<_>>().join(" ")),
            "mo" => Some(operator(self.tree.text(id).trim())),
            "mspace" | "maligngroup" | "malignmark" => Some(" ".to_owned()),
            "mphantom" => Some(String::new()),
            "mfrac" => self.pair(id, |a, b| format!("{}/{}", bracketed(a), bracketed(b))),
            "msqrt" => Some(format!("√({})", self.row(id)?)),
            "mroot" => self.pair(id, |a, b| format!("root_({b})({a})")),
            "msup" => self.pair(id, |a, b| scripted(a, &[(Rise::Raised, b)])),
            "msub" => self.pair(id, |a, b| scripted(a, &[(Rise::Lowered, b)])),
            "msubsup" => self.three(id, |a, b, c| scripted(a, &[(Rise::Lowered, b), (Rise::Raised, c)])),
            "munder" => self.pair(id, |a, b| format!("{a}_({b})")),
            "mover" => self.pair(id, |a, b| if is_accent(b) { a.to_owned() } else { format!("{a}^({b})") }),
            "munderover" => self.three(id, |a, b, c| format!("{a}_({b})^({c})")),
            "mfenced" => Some(format!("({})", self.parts(id)?.join(", "))),
            // Tables, pre-scripts, long division: a line cannot hold them.
            "mtable" | "mmultiscripts" | "mlongdiv" | "mstack" => None,
            "semantics" => self.parts(id)?.into_iter().next(),
            _ => self.row(id),
        }
    }

    fn pair(&mut self, id: usize, write: impl Fn(&str, &str) -> String) -> Option<String> {
        match self.parts(id)?.as_slice() {
            [a, b] => Some(write(a, b)),
            _ => None,
        }
    }

    fn three(&mut self, id: usize, write: impl Fn(&str, &str, &str) -> String) -> Option<String> {
        match self.parts(id)?.as_slice() {
            [a, b, c] => Some(write(a, b, c)),
            _ => None,
        }
    }
}

/// Operators stand between spaces; brackets and signs do not.
fn operator(text: &str) -> String {
    match text {
        // Invisible: a product, a function's argument, a separator, a sum.
        "\u{2061}" | "\u{2063}" => String::new(),
        "\u{2062}" | "\u{2064}" => " ".to_owned(),
        "(" | ")" | "[" | "]" | "{" | "}" | "|" | "," | "." | ";" | "!" | "%" | "′" | "°" | "/" => text.to_owned(),
        _ => format!(" {text} "),
    }
}

/// Two numbers or two words in a row are never one.
fn needs_space(before: &str, next: &str) -> bool {
    let ends = before.chars().next_back().is_some_and(|c| c.is_alphanumeric() || ")]}⁰¹²³⁴⁵⁶⁷⁸⁹½¼¾".contains(c));
    ends && next.starts_with(char::is_alphanumeric)
}

fn is_simple(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | '²' | '³'))
}

fn bracketed(text: &str) -> String {
    let text = text.trim();
    if is_simple(text) { text.to_owned() } else { format!("({text})") }
}

fn scripted(base: &str, scripts: &[(Rise, &str)]) -> String {
    let base = base.trim();
    let mut out = if is_simple(base) || base.ends_with(')') { base.to_owned() } else { format!("({base})") };
    // Elsewhere a raised digit could be taken for the mark of a footnote.
    let is_plain = base == "10" || base.chars().count() == 1 && base.contains(char::is_alphabetic);
    for (rise, script) in scripts {
        let script = script.trim();
        let is_number = !script.is_empty() && script.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && (is_plain || *rise == Rise::Lowered) {
            let mut runs = Runs::default();
            runs.push(Rise::Plain, "x");
            runs.push(*rise, script);
            out.push_str(runs.take().trim_start_matches('x'));
        } else {
            let mark = if *rise == Rise::Raised { '^' } else { '_' };
            out.push(mark);
            out.push_str(&if script.chars().count() == 1 { script.to_owned() } else { format!("({script})") });
        }
    }
    out
}

fn is_accent(text: &str) -> bool {
    matches!(text.trim(), "¯" | "^" | "~" | "→" | "‾" | "˙" | "ˉ" | "⃗" | "_" | "ˆ" | "˜")
}

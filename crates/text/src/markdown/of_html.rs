//! HTML that a person has edited, as the Markdown that articles are kept in.

use std::sync::LazyLock;

use htmd::{
    Element, HtmlToMarkdown,
    element_handler::{HandlerResult, Handlers},
    options::{BulletListMarker, Options},
};

use super::html::POLICY;

/// Deeper nesting is cut off: converting it takes the stack, and no article has it.
const DEEPEST: usize = 200;

static CONVERTER: LazyLock<HtmlToMarkdown> = LazyLock::new(|| {
    let options = Options {
        bullet_list_marker: BulletListMarker::Dash,
        ul_bullet_spacing: 1,
        ol_number_spacing: 1,
        ..Options::default()
    };
    HtmlToMarkdown::builder().options(options).add_handler(vec!["sup"], citation).build()
});

/// A citation is its mark again, which no escape may stand in.
fn citation(handlers: &dyn Handlers, element: Element) -> Option<HandlerResult> {
    let is_citation = element.attrs.iter().any(|attribute| {
        &attribute.name.local == "class" && attribute.value.split_whitespace().any(|class| class == "citation")
    });
    let inner = handlers.walk_children(element.node).content;
    if !is_citation {
        return Some(inner.into());
    }
    let numbers: Vec<&str> =
        inner.split(|sign: char| !sign.is_ascii_digit()).filter(|part| !part.is_empty() && part.len() < 5).collect();
    // The address of the link repeats the number.
    let first = numbers.first().copied().unwrap_or_default();
    Some(if first.is_empty() { inner } else { format!("[{first}]") }.into())
}

/// The Markdown of a text in HTML. What [`super::to_html`] removes is removed here, too, so nothing is refused; what it
/// makes of citations is a citation again.
pub fn of_html(html: &str) -> String {
    // Before anything parses it: the time of that grows with the square of the depth.
    if depth(html) > DEEPEST {
        let parts = html.split('<').enumerate();
        return parts
            .map(|(at, part)| part.split_once('>').filter(|_| at > 0).map_or(part, |(_, text)| text))
            .collect();
    }
    let clean = POLICY.clean(html).to_string();
    CONVERTER.convert(&clean).unwrap_or_default().trim().to_owned()
}

/// Elements that have no end, or need none.
const OPEN: [&str; 14] = ["br", "hr", "img", "wbr", "col", "p", "li", "td", "th", "tr", "dt", "dd", "option", "input"];

/// How deep the elements of some HTML may stand in each other, at most. An end counts only where its element is the one that
/// was opened last: too many are counted rather than too few.
fn depth(html: &str) -> usize {
    let mut open: Vec<&str> = Vec::new();
    let mut most = 0;
    for part in html.split('<').skip(1) {
        let (is_end, part) = part.strip_prefix('/').map_or((false, part), |rest| (true, rest));
        let length = part.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let name = &part[..length];
        if name.is_empty() || OPEN.iter().any(|one| one.eq_ignore_ascii_case(name)) {
            continue;
        }
        if !is_end {
            open.push(name);
            most = most.max(open.len());
        } else if open.last().is_some_and(|last| last.eq_ignore_ascii_case(name)) {
            open.pop();
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::to_html;

    #[test]
    fn what_was_shown_comes_back() {
        let markdown = "## Firing\n\nClay is fired **twice** [1] at *1,000* degrees [2].\n\n- one\n- two\n\n1. first\n2. second\n\n\
                        | kiln | heat |\n| --- | --- |\n| wood | 900 |\n\n> said\n\n```\ncode\n```\n\n## Sources\n\n1. A book\n2. A page";
        let back = of_html(&to_html(markdown));
        assert_eq!(to_html(&back), to_html(markdown), "{back}");
    }

    #[test]
    fn scripts_and_handlers_go() {
        let back = of_html("<p onclick=\"x()\">a<script>alert(1)</script> <a href=\"javascript:x\">b</a></p>");
        assert!(!back.contains("alert") && !back.contains("javascript") && back.contains('a'), "{back}");
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{}x{}", "<blockquote>".repeat(50_000), "</blockquote>".repeat(50_000));
        assert!(of_html(&deep).contains('x'));
        let ends_of_others = "<blockquote></x>".repeat(31_000);
        assert_eq!(depth(&ends_of_others), 31_000);
        assert_eq!(of_html(&format!("{ends_of_others}tea")), "tea");
    }

    #[test]
    fn what_looks_like_markdown_stays_text() {
        let html = "<p>2 * 3 * 4 and [brackets] and # no heading</p>";
        assert_eq!(to_html(&of_html(html)).trim(), html);
    }
}

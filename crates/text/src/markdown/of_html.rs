//! HTML that a person has edited, as the Markdown that articles are kept in.

use std::{borrow::Cow, sync::LazyLock};

use htmd::{
    Element, HtmlToMarkdown,
    element_handler::{HandlerResult, Handlers},
    options::{BulletListMarker, Options},
};

use super::{html::POLICY, nesting::depth};

/// Deeper nesting is cut off: converting it takes the stack, and no article has it.
const DEEPEST: usize = 200;
/// Longer texts are refused. The longest text that is stored has 500 KB of Markdown; as blocks of an editor it may take
/// several times that.
pub const MAX_HTML_BYTES: usize = 4 << 20;
/// As in [`super::to_html`]: html5ever takes quadratic time to write a text with many `&` that no tag interrupts.
const LONGEST_TEXT: usize = 4 * 1024;
const BREAK: &str = "<wbr>";

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

/// The Markdown of a text in HTML, or `None` if it is longer than [`MAX_HTML_BYTES`]. What [`super::to_html`] removes is
/// removed here, too; what it makes of citations is a citation again.
pub fn of_html(html: &str) -> Option<String> {
    if html.len() > MAX_HTML_BYTES {
        return None;
    }
    // Before anything parses it: the time of that grows with the square of the depth.
    if depth(html) > DEEPEST {
        let parts = html.split('<').enumerate();
        let texts = parts.map(|(at, part)| part.split_once('>').filter(|_| at > 0).map_or(part, |(_, text)| text));
        return Some(texts.collect());
    }
    // A tag stays a tag while it is cleaned, and a text that shows `<wbr>` has its sign escaped.
    let clean = POLICY.clean(&interrupted(html)).to_string().replace(BREAK, "");
    Some(CONVERTER.convert(&clean).unwrap_or_default().trim().to_owned())
}

/// The same with a tag in each long text.
fn interrupted(html: &str) -> Cow<'_, str> {
    let mut out = String::new();
    // Bytes that are copied, and where the text began that is not interrupted yet.
    let (mut copied, mut at) = (0, 0);
    while at < html.len() {
        let rest = &html[at..];
        let text = markup_at(rest);
        let mut start = at;
        while at + text - start > LONGEST_TEXT {
            let end = place_to_break(html, start);
            out.push_str(&html[copied..end]);
            out.push_str(BREAK);
            (copied, start) = (end, end);
        }
        at += text;
        at += markup_length(&html[at..]);
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    out.push_str(&html[copied..]);
    Cow::Owned(out)
}

/// The length of the text before the next tag or comment.
fn markup_at(html: &str) -> usize {
    let begins = |at: &usize| {
        html.as_bytes().get(at + 1).is_some_and(|sign| sign.is_ascii_alphabetic() || matches!(sign, b'/' | b'!' | b'?'))
    };
    html.match_indices('<').map(|(at, _)| at).find(begins).unwrap_or(html.len())
}

/// The length of the tag or comment that the text begins with; 0 at its end.
fn markup_length(html: &str) -> usize {
    let end = if html.starts_with("<!--") { "-->" } else { ">" };
    html.find(end).map_or(html.len(), |at| at + end.len())
}

/// Not within a character, nor within an entity such as `&amp;`.
fn place_to_break(html: &str, start: usize) -> usize {
    const LONGEST_ENTITY: usize = 40;
    let end = html.floor_char_boundary(start + LONGEST_TEXT);
    let near = html.floor_char_boundary(end - LONGEST_ENTITY);
    match html[near..end].rfind('&') {
        Some(at) if near + at > start => near + at,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::to_html;

    fn read(html: &str) -> String {
        of_html(html).expect("it is short enough")
    }

    #[test]
    fn what_was_shown_comes_back() {
        let markdown = "## Firing\n\nClay is fired **twice** [1] at *1,000* degrees [2].\n\n- one\n- two\n\n1. first\n2. second\n\n\
                        | kiln | heat |\n| --- | --- |\n| wood | 900 |\n\n> said\n\n```\ncode\n```\n\n## Sources\n\n1. A book\n2. A page";
        let back = read(&to_html(markdown));
        assert_eq!(to_html(&back), to_html(markdown), "{back}");
    }

    #[test]
    fn scripts_and_handlers_go() {
        let back = read("<p onclick=\"x()\">a<script>alert(1)</script> <a href=\"javascript:x\">b</a></p>");
        assert!(!back.contains("alert") && !back.contains("javascript") && back.contains('a'), "{back}");
    }

    #[test]
    fn depth_has_an_end() {
        let deep = format!("{}x{}", "<blockquote>".repeat(50_000), "</blockquote>".repeat(50_000));
        assert!(read(&deep).contains('x'));
        let ends_of_others = "<blockquote></x>".repeat(31_000);
        assert_eq!(read(&format!("{ends_of_others}tea")), "tea");
    }

    #[test]
    fn what_looks_like_markdown_stays_text() {
        let html = "<p>2 * 3 * 4 and [brackets] and # no heading</p>";
        assert_eq!(to_html(&read(html)).trim(), html);
    }

    #[test]
    fn a_long_text_is_the_same_text() {
        for piece in ["& é ", "&amp; ", "x&nbsp;", "日本", "a < b, ", "&", "<b>x</b> y "] {
            let text = piece.repeat(30_000 / piece.len());
            let html = format!("<p>{text}</p><!-- {text} --><p>&lt;wbr&gt;</p>");
            let clean = POLICY.clean(&html).to_string();
            assert_eq!(POLICY.clean(&interrupted(&html)).to_string().replace(BREAK, ""), clean, "{piece}");
            assert!(read(&html).contains("wbr"), "{piece}");
        }
        assert!(interrupted(&"& ".repeat(3_000)).contains(BREAK));
        assert!(!interrupted(&"<b>x</b>".repeat(3_000)).contains(BREAK));
    }

    #[test]
    fn too_long_a_text_is_refused_unread() {
        assert_eq!(of_html(&"x".repeat(MAX_HTML_BYTES + 1)), None);
        assert!(of_html(&"x ".repeat(1_000)).is_some());
    }
}

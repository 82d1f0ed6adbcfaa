//! The article as a post's content: Markdown to HTML that is safe on any page, with the site's own pictures in it.

use std::collections::HashMap;

use galley_text::markdown::to_html;

use crate::{
    markup::{Token, escaped, tokens},
    post::Post,
    wordpress::blocks,
};

/// How a post's content is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentForm {
    /// Blocks where the site has its block editor, HTML elsewhere.
    #[default]
    Auto,
    /// What the block editor writes itself: each part can be edited there alone.
    Blocks,
    /// Plain HTML, for sites with the editor of old.
    Html,
}

/// A picture of the site that stands for one of the article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub id: u64,
    pub url: String,
    /// Below it; may be empty.
    pub caption: String,
}

/// The article's text. `pictures` are by the name that the text has for them.
pub(super) fn render(post: &Post, pictures: &HashMap<String, Shown>, as_blocks: bool) -> String {
    let html = with_pictures(&to_html(&post.markdown_body), pictures);
    if as_blocks { blocks::from_html(&html, pictures) } else { html.trim().to_owned() }
}

/// The site's addresses in place of the names of files, boxes of task lists as characters, square brackets that no plugin
/// takes for a command, and no line breaks within texts: the editor of old shows each of them.
fn with_pictures(html: &str, pictures: &HashMap<String, Shown>) -> String {
    let html = with_labels_inside(html);
    let mut out = String::with_capacity(html.len());
    let (mut pre, mut is_inline) = (0_usize, false);
    for token in tokens(&html) {
        let mut closes_inline = false;
        match token {
            Token::Open { name, attributes } if name == "img" => out.push_str(&image(attributes, pictures)),
            // Users who may not write any HTML they like lose boxes.
            Token::Open { name, attributes } if name == "input" => {
                out.push(if attributes.iter().any(|(name, _)| name == "checked") { '☑' } else { '☐' });
                closes_inline = true;
            }
            Token::Open { name, attributes } => {
                pre += usize::from(name == "pre");
                open_tag(&mut out, &name, &attributes);
            }
            Token::Close(name) => {
                pre = pre.saturating_sub(usize::from(name == "pre"));
                closes_inline = INLINE.contains(&name.as_str());
                out.push_str(&format!("</{name}>"));
            }
            Token::Text(text) if pre > 0 => out.push_str(&without_shortcodes(text)),
            // Between two blocks a line break is layout.
            Token::Text(text) if text.trim().is_empty() && !is_inline => out.push_str(text),
            Token::Text(text) => out.push_str(&without_shortcodes(&text.replace("\r\n", " ").replace('\n', " "))),
            Token::Comment(_) => {}
        }
        is_inline = closes_inline;
    }
    out
}

/// After these, white space is a part of the text.
const INLINE: [&str; 8] = ["a", "code", "del", "em", "strong", "sub", "sup", "s"];

/// The number of a note goes into its first paragraph; beside it, WordPress would make a paragraph of the number.
fn with_labels_inside(html: &str) -> String {
    const LABEL: &str = "<sup class=\"footnote-definition-label\">";
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(LABEL) {
        let Some(end) = rest[at..].find("</sup>").map(|end| at + end + "</sup>".len()) else { break };
        out.push_str(&rest[..at]);
        let label = &rest[at..end];
        rest = &rest[end..];
        match rest.trim_start().strip_prefix("<p>") {
            Some(text) => {
                out.push_str(&format!("<p>{label} "));
                rest = text;
            }
            None => out.push_str(label),
        }
    }
    out.push_str(rest);
    out
}

fn image(mut attributes: Vec<(String, String)>, pictures: &HashMap<String, Shown>) -> String {
    let name = attributes.iter().find(|(name, _)| name == "src").map(|(_, value)| value.clone());
    let shown = name.and_then(|name| pictures.get(name.strip_prefix("./").unwrap_or(&name)));
    if let Some(shown) = shown {
        for (name, value) in &mut attributes {
            if name == "src" {
                value.clone_from(&shown.url);
            }
        }
        attributes.push(("class".to_owned(), format!("wp-image-{}", shown.id)));
    }
    let mut out = String::new();
    open_tag(&mut out, "img", &attributes);
    out
}

pub(super) fn open_tag(out: &mut String, name: &str, attributes: &[(String, String)]) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        out.push_str(&format!(" {name}=\"{}\"", attribute(value)));
    }
    // The block editor closes these.
    out.push_str(if matches!(name, "img" | "br" | "hr" | "wbr") { "/>" } else { ">" });
}

/// For double quotes. WordPress looks for commands in attributes too.
pub(super) fn attribute(value: &str) -> String {
    without_shortcodes(&escaped(value))
}

/// `[gallery]` in an article is text; `[1]` is no command anywhere.
fn without_shortcodes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('[') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let is_command = rest.trim_start_matches('/').starts_with(|c: char| c.is_alphabetic() || c == '_');
        out.push_str(if is_command { "&#91;" } else { "[" });
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::post::tests::post;

    fn html(markdown: &str) -> String {
        let shown = Shown { id: 7, url: "https://a.example/cup-1.png".into(), caption: String::new() };
        let pictures = HashMap::from([("cup.png".to_owned(), shown)]);
        render(&Post { markdown_body: markdown.into(), ..post() }, &pictures, false)
    }

    #[test]
    fn pictures_are_the_sites_own() {
        let image = "<img src=\"https://a.example/cup-1.png\" alt=\"A &quot;cup&quot;\" class=\"wp-image-7\"/>";
        assert_eq!(html("![A \"cup\"](cup.png)"), format!("<p>{image}</p>"));
        assert_eq!(html("![A \"cup\"](./cup.png)"), format!("<p>{image}</p>"));
        assert_eq!(html("![x](other.png)"), "<p><img src=\"other.png\" alt=\"x\"/></p>");
    }

    #[test]
    fn line_breaks_are_none_of_the_text() {
        assert_eq!(html("a\nb *c*\n*d*\n\n`x`\n"), "<p>a b <em>c</em> <em>d</em></p>\n<p><code>x</code></p>");
        assert_eq!(
            html("- a\n  b\n- *c*\n  - d"),
            "<ul>\n<li>a b</li>\n<li><em>c</em> <ul>\n<li>d</li>\n</ul>\n</li>\n</ul>"
        );
        assert_eq!(html("```\na\nb\n```"), "<pre><code>a\nb\n</code></pre>");
        let note = html("a[^n]\n\n[^n]: The note.");
        assert!(
            note.contains("id=\"footnote-1\"><p><sup class=\"footnote-definition-label\">1</sup> The note.</p>"),
            "{note}"
        );
    }

    #[test]
    fn what_a_site_would_take_for_a_command_is_text() {
        assert_eq!(html("[gallery] [/x] [1] \\[a]"), "<p>&#91;gallery] &#91;/x] [1] &#91;a]</p>");
        assert_eq!(html("![[x]](a.png)"), "<p><img src=\"a.png\" alt=\"&#91;x]\"/></p>");
        assert_eq!(html("`[caption]`"), "<p><code>&#91;caption]</code></p>");
        assert_eq!(html("- [ ] a\n- [x] b"), "<ul>\n<li>☐ a</li>\n<li>☑ b</li>\n</ul>");
        assert!(!html("<script>alert(1)</script><p onclick=\"x()\">a</p>").contains("alert"));
    }
}

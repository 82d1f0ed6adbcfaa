//! Images of a Markdown text, shown from other addresses or taken out.

use pulldown_cmark::{CowStr, Event, LinkType, Parser, Tag, TagEnd};

/// What becomes of an image in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    AsItIs,
    /// It is shown from this address. One without a description gets `alt`.
    At {
        address: String,
        alt: String,
    },
    Gone,
}

/// The text with each of its images as `place` says, which is asked with their addresses in their order. Everything else
/// stays byte for byte. Also `<img>` in raw HTML is an image; what looks like one in code is none.
pub fn with_images(markdown: &str, mut place: impl FnMut(&str) -> Placed) -> String {
    let mut out = String::with_capacity(markdown.len());
    let (mut copied, mut depth) = (0, 0_usize);
    for (event, range) in Parser::new_ext(markdown, super::options()).into_offset_iter() {
        let source = &markdown[range.clone()];
        let mut end = range.end;
        let changed = match event {
            Event::Start(Tag::Image { link_type, dest_url, title, .. }) => {
                depth += 1;
                // The parser leaves the empty brackets of `![name][]` out of the range.
                if link_type == LinkType::Collapsed && !source.ends_with("[]") && markdown[end..].starts_with("[]") {
                    end += "[]".len();
                }
                // An image in the description of another one is a part of that description.
                if depth > 1 { None } else { image(source, link_type, &title, place(&dest_url)) }
            }
            Event::End(TagEnd::Image) => {
                depth = depth.saturating_sub(1);
                None
            }
            Event::Html(_) | Event::InlineHtml(_) if depth == 0 => elements(source, &mut place),
            _ => None,
        };
        if let Some(changed) = changed.filter(|_| range.start >= copied) {
            out.push_str(&markdown[copied..range.start]);
            out.push_str(&changed);
            copied = end;
        }
    }
    out.push_str(&markdown[copied..]);
    out
}

/// The Markdown of an image in its new place; None leaves it as it is.
fn image(source: &str, kind: LinkType, title: &CowStr, placed: Placed) -> Option<String> {
    let (address, alt) = match placed {
        Placed::AsItIs => return None,
        Placed::Gone => return Some(String::new()),
        Placed::At { address, alt } => (address, alt),
    };
    let description = description(source, kind);
    let description = if description.trim().is_empty() { escaped(&alt) } else { description.to_owned() };
    let title = if title.is_empty() { String::new() } else { format!(" \"{}\"", title_text(title)) };
    Some(format!("![{description}]({address}{title})"))
}

/// What stands between the brackets, as it is written.
fn description(source: &str, kind: LinkType) -> &str {
    let end = match kind {
        LinkType::Shortcut | LinkType::ShortcutUnknown => source.len().saturating_sub(1),
        _ => closing(source).unwrap_or(2),
    };
    source.get(2..end).unwrap_or_default()
}

/// Where the bracket closes that opens at the second byte.
fn closing(source: &str) -> Option<usize> {
    let (mut depth, mut is_escaped) = (0_usize, false);
    for (at, sign) in source.char_indices().skip(1) {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at),
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Plain text as a description, on one line and without markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in super::one_line(text).chars() {
        if matches!(sign, '\\' | '[' | ']' | '*' | '_' | '`' | '<' | '&' | '~' | '!') {
            out.push('\\');
        }
        out.push(sign);
    }
    out
}

fn title_text(title: &str) -> String {
    super::one_line(title).replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}

/// Raw HTML with its `<img>` in their new places; None when there is none that changes.
fn elements(source: &str, place: &mut impl FnMut(&str) -> Placed) -> Option<String> {
    const NAME: &str = "<img";
    let (mut out, mut rest, mut changes) = (String::new(), source, false);
    while let Some(at) = rest.to_ascii_lowercase().find(NAME) {
        let Some(end) = rest[at..].find('>').map(|end| at + end + 1) else { break };
        let tag = &rest[at..end];
        let placed = attribute(tag, "src").map_or(Placed::AsItIs, |value| {
            // The only sign of an address that HTML writes in another way.
            place(&tag[value].replace("&amp;", "&"))
        });
        out.push_str(&rest[..at]);
        changes |= placed != Placed::AsItIs;
        match placed {
            Placed::AsItIs => out.push_str(tag),
            Placed::Gone => {}
            Placed::At { address, alt } => out.push_str(&element(tag, &address, &alt)),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    changes.then_some(out)
}

fn element(tag: &str, address: &str, alt: &str) -> String {
    let quoted = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let mut changed = tag.to_owned();
    if let Some(value) = attribute(tag, "src") {
        changed.replace_range(value, &quoted(address));
    }
    match attribute(&changed, "alt") {
        Some(value) if changed[value.clone()].trim().is_empty() => changed.replace_range(value, &quoted(alt)),
        Some(_) => {}
        None => changed.insert_str("<img".len(), &format!(" alt=\"{}\"", quoted(alt))),
    }
    changed
}

/// Where the value of an attribute stands in a tag, without its quotes.
fn attribute(tag: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let lower = tag.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower[from..].find(name)?;
        from = at + name.len();
        if !lower[..at].ends_with(|sign: char| sign.is_ascii_whitespace() || matches!(sign, '"' | '\'')) {
            continue;
        }
        let after = lower[from..].trim_start();
        let Some(value) = after.strip_prefix('=').map(str::trim_start) else { continue };
        let start = tag.len() - value.len();
        return match value.as_bytes().first()? {
            quote @ (b'"' | b'\'') => {
                let end = value[1..].find(char::from(*quote))?;
                Some(start + 1..start + 1 + end)
            }
            _ => Some(start..start + value.find(|sign: char| sign.is_ascii_whitespace() || sign == '>')?),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(markdown: &str) -> String {
        with_images(markdown, |address| match address {
            "gone" => Placed::Gone,
            "/ours" => Placed::At { address: "/new?a=1&b=2".into(), alt: "A [red] cup".into() },
            _ => Placed::AsItIs,
        })
    }

    #[test]
    fn images_are_put_elsewhere_wherever_they_stand() {
        for (before, after) in [
            ("a ![Cup](/ours) b", "a ![Cup](/new?a=1&b=2) b"),
            ("![](</ours>)", "![A \\[red\\] cup](/new?a=1&b=2)"),
            ("![a *b* [c]](/ours \"T \\\"q\\\"\")", "![a *b* [c]](/new?a=1&b=2 \"T \\\"q\\\"\")"),
            ("![Cup][1]\n\n[1]: /ours", "![Cup](/new?a=1&b=2)\n\n[1]: /ours"),
            ("![Cup][]\n\n[cup]: /ours 'T'", "![Cup](/new?a=1&b=2 \"T\")\n\n[cup]: /ours 'T'"),
            ("![cup]\n\n[cup]: /ours", "![cup](/new?a=1&b=2)\n\n[cup]: /ours"),
            ("- [![x](/ours)](https://a.example)", "- [![x](/new?a=1&b=2)](https://a.example)"),
            ("| a |\n| - |\n| ![x](/ours) |", "| a |\n| - |\n| ![x](/new?a=1&b=2) |"),
            ("a ![x](gone)b", "a b"),
            ("![x](https://a.example/x.png)", "![x](https://a.example/x.png)"),
            ("`![x](/ours)`\n\n    ![x](/ours)\n\n[x](/ours)", "`![x](/ours)`\n\n    ![x](/ours)\n\n[x](/ours)"),
            ("<p><img src='/ours' alt=\"\"></p>", "<p><img src='/new?a=1&amp;b=2' alt=\"A [red] cup\"></p>"),
            (
                "x <IMG data-src=\"gone\" src=/ours> y",
                "x <IMG alt=\"A [red] cup\" data-src=\"gone\" src=/new?a=1&amp;b=2> y",
            ),
            ("x <img src=\"gone\"/> y", "x  y"),
        ] {
            let got = placed(before);
            // The name of an element stays as it was written.
            assert_eq!(got, after, "{before}");
        }
    }

    #[test]
    fn a_description_is_text_and_no_markup() {
        let html = super::super::to_html(&placed("![](/ours)"));
        assert_eq!(html.trim(), "<p><img src=\"/new?a=1&amp;b=2\" alt=\"A [red] cup\"></p>");
    }
}

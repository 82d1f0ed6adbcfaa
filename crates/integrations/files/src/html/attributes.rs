//! Tags with very many attributes. html5ever compares each attribute of a tag with all before it, so a million of them in
//! one tag take minutes. What is more than any page needs is left out before it sees them.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Attributes of one tag that are kept.
pub(super) const MAX: usize = 1_000;

/// The page with at most `MAX` attributes in each tag, and how many tags had more.
///
/// It knows nothing of scripts and comments. In them it may take something for a tag and leave a part of it out, which nobody
/// reads; but never their end, which would hide what is behind it.
pub(super) fn bounded(html: &str) -> (Cow<'_, str>, usize) {
    let bytes = html.as_bytes();
    let (mut out, mut done, mut at, mut cut) = (String::new(), 0, 0, 0);
    while let Some(found) = memchr(b'<', &bytes[at..]) {
        at += found + 1;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        match tag(bytes, at) {
            Tag::Ended(end) => at = end,
            Tag::Open => break,
            Tag::Long { from, to } => {
                cut += 1;
                out.push_str(&html[done..from]);
                // What ends a comment does not end otherwise.
                out.push_str(if bytes[..to].ends_with(b"--") { "--" } else { "" });
                if bytes[to] == b'<' {
                    out.push('>');
                }
                (done, at) = (to, to);
            }
        }
    }
    if cut == 0 {
        return (Cow::Borrowed(html), 0);
    }
    out.push_str(&html[done..]);
    (Cow::Owned(out), cut)
}

enum Tag {
    /// Where its `>` is.
    Ended(usize),
    /// The page ends in it.
    Open,
    /// Attributes from `from` on are too many; `to` is the `>` that ends the tag, or a `<`.
    Long { from: usize, to: usize },
}

/// Reads a tag whose name begins at `at`.
fn tag(bytes: &[u8], mut at: usize) -> Tag {
    let mut attributes = 0;
    let mut from = None;
    let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == b'/';
    at += name_length(&bytes[at..]);
    while let Some(&byte) = bytes.get(at) {
        match (byte, from) {
            (b'>', None) => return Tag::Ended(at),
            (b'>' | b'<', Some(from)) => return Tag::Long { from, to: at },
            (byte, _) if is_space(byte) => at += 1,
            _ => {
                attributes += 1;
                if attributes > MAX && from.is_none() {
                    from = Some(at);
                }
                match past_attribute(bytes, at) {
                    Some(past) => at = past,
                    None => return Tag::Open,
                }
            }
        }
    }
    Tag::Open
}

fn name_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>')).count()
}

/// Past one attribute with its value; `None` where its quote has no end.
fn past_attribute(bytes: &[u8], mut at: usize) -> Option<usize> {
    // A name may begin with `=`.
    at += 1;
    at += bytes[at..]
        .iter()
        .take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>' | b'=' | b'<'))
        .count();
    let blank = |at: usize| at + bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if bytes.get(blank(at)) != Some(&b'=') {
        return Some(at);
    }
    at = blank(blank(at) + 1);
    match bytes.get(at) {
        Some(quote @ (b'"' | b'\'')) => memchr(*quote, &bytes[at + 1..]).map(|length| at + length + 2),
        _ => {
            let rest = &bytes[at..];
            let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
            Some(at + memchr2(b'>', b'<', &rest[..end]).unwrap_or(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize) -> String {
        (0..count).map(|at| format!(" a{at}=\"{at}\"")).collect()
    }

    #[test]
    fn ordinary_pages_stay_as_they_are() {
        for html in
            ["", "a < b", "<p", "<p a='", "<p a = b c/>x<br/>", "<p a=\"x>y\" b='<'>text</p>", "<a href=/b?c=d>e</a>"]
        {
            assert_eq!(bounded(html), (Cow::Borrowed(html), 0), "{html}");
        }
        let most = format!("<p{}>text", many(MAX));
        assert_eq!(bounded(&most), (Cow::Borrowed(most.as_str()), 0));
    }

    #[test]
    fn of_very_many_attributes_the_first_are_kept() {
        let (kept, more) = (many(MAX), many(2 * MAX));
        let wanted = format!("<p{kept} >text</p><b>bold</b>");
        assert_eq!(bounded(&format!("<p{more}>text</p><b>bold</b>")), (Cow::Owned(wanted), 1));
        let twice = format!("<p{more}>a<p{more} title=\"x > y\">b");
        assert_eq!(bounded(&twice), (Cow::Owned(format!("<p{kept} >a<p{kept} >b")), 2));
        // A tag that never ends.
        assert_eq!(bounded(&format!("<p{more}")).1, 0);
    }

    #[test]
    fn scripts_and_comments_keep_their_end() {
        let words = "word ".repeat(2 * MAX);
        for (start, end) in [
            ("<script>if (i<n && x='a'; ", "</script>"),
            ("<!-- <p ", "-->"),
            ("<title>a <b ", "</title>"),
            ("<p ", "<p>"),
        ] {
            let (html, cut) = bounded_text(&format!("{start}{words}{end}<p>behind"));
            assert!(html.ends_with(&format!("{end}<p>behind")), "{html}");
            assert_eq!(cut, 1, "{start}");
        }
    }

    fn bounded_text(html: &str) -> (String, usize) {
        let (html, cut) = bounded(html);
        (html.into_owned(), cut)
    }
}

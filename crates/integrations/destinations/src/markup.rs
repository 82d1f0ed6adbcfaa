//! HTML as a row of tokens: enough to compare two texts and to write blocks around the elements of one. It takes whatever
//! comes, in one pass.

mod entities;

pub(crate) use entities::{decoded, escaped};

/// Their text is no markup.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// Its name in lower case.
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close(String),
    /// As it stands there, entities and all.
    Text(&'a str),
    /// Without `<!--` and `-->`.
    Comment(&'a str),
}

/// A token and where it stands.
pub(crate) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    /// The element whose text is no markup.
    raw: Option<String>,
}

pub(crate) fn tokens(html: &str) -> Tokens<'_> {
    Tokens { html, at: 0, raw: None }
}

impl<'a> Tokens<'a> {
    fn text_until(&mut self, end: usize) -> Token<'a> {
        let text = &self.html[self.at..end];
        self.at = end;
        Token::Text(text)
    }

    fn tag(&mut self, length: usize) -> Token<'a> {
        let inner = &self.html[self.at + 1..self.at + length - 1];
        self.at += length;
        if let Some(name) = inner.strip_prefix('/') {
            return Token::Close(name.trim().to_ascii_lowercase());
        }
        let inner = inner.trim_end_matches('/');
        let end = inner.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inner.len());
        let name = inner[..end].to_ascii_lowercase();
        if RAW.contains(&name.as_str()) {
            self.raw = Some(name.clone());
        }
        Token::Open { name, attributes: attributes(&inner[end..]) }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.html[self.at..];
        if rest.is_empty() {
            return None;
        }
        if let Some(name) = self.raw.take() {
            let end = find_close(rest, &name);
            if end > 0 {
                return Some(self.text_until(self.at + end));
            }
        }
        if let Some(comment) = rest.strip_prefix("<!--") {
            let end = comment.find("-->");
            let text = &comment[..end.unwrap_or(comment.len())];
            self.at += 4 + end.map_or(comment.len(), |end| end + 3);
            return Some(Token::Comment(text));
        }
        if let Some(length) = tag_length(rest) {
            return Some(self.tag(length));
        }
        // A `<` that opens nothing is text.
        let after = usize::from(rest.starts_with('<'));
        let end = rest[after..].find('<').map_or(rest.len(), |at| at + after);
        Some(self.text_until(self.at + end))
    }
}

/// The length of the tag that `rest` begins with: `<`, a letter or `/` and a letter, up to the `>` outside of quotes.
fn tag_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let name = if bytes.get(1) == Some(&b'/') { 2 } else { 1 };
    if bytes.first() != Some(&b'<') || !bytes.get(name)?.is_ascii_alphabetic() {
        return None;
    }
    let (mut quote, mut is_value) = (None, false);
    for (at, byte) in bytes.iter().enumerate().skip(name) {
        match (quote, byte) {
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return Some(at + 1),
            // A tag does not reach over another one: the quote was an apostrophe.
            (None, b'<') => return None,
            (None, b'=') => is_value = true,
            (None, b'"' | b'\'') if is_value => (quote, is_value) = (Some(*byte), false),
            (None, byte) if !byte.is_ascii_whitespace() => is_value = false,
            (None, _) => {}
        }
    }
    None
}

fn find_close(rest: &str, name: &str) -> usize {
    let is_close = |at: &usize| {
        let tail = &rest[at + 2..];
        tail.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    rest.match_indices("</").map(|(at, _)| at).find(is_close).unwrap_or(rest.len())
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return found;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=').unwrap_or(rest.len());
        // An equals sign with no name before it is skipped.
        let (name, tail) = rest.split_at(end.max(usize::from(rest.starts_with('='))));
        let tail = tail.trim_start();
        let Some(value) = tail.strip_prefix('=') else {
            found.push((name.to_ascii_lowercase(), String::new()));
            rest = tail;
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = &value[1..];
                let end = inner.find(quote).unwrap_or(inner.len());
                (&inner[..end], inner.get(end + 1..).unwrap_or_default())
            }
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        found.push((name.to_ascii_lowercase(), decoded(value)));
        rest = after;
    }
}

#[cfg(test)]
mod tests;

//! Titles and descriptions made to fit.

use unicode_segmentation::UnicodeSegmentation;

use super::lengths::{DESCRIPTION_LEAST, DESCRIPTION_LIMIT, TITLE_LIMIT};
use crate::{sentence, word};

/// A cut at a colon or dash must leave this many characters, else a cut at a word says more.
const CLAUSE_LEAST: usize = 30;

/// A title of at most [`TITLE_LIMIT`] characters: white space collapsed, no stop, comma or dash at the end.
///
/// A longer one is cut at its last colon, dash or open bracket where enough is left of it, else at a word, and loses
/// what cannot end a title: punctuation, articles, prepositions. Empty only when there is nothing but punctuation.
pub fn fit_title(s: &str) -> String {
    let title = collapsed(s, TITLE_LIMIT);
    if title.chars().count() <= TITLE_LIMIT {
        return without_loose_end(&title).to_owned();
    }
    let head = at_word(&title, TITLE_LIMIT);
    let clause = head
        .rfind([':', '–', '—', '|'])
        .max(head.rfind('(').filter(|at| !head[*at..].contains(')')))
        .filter(|at| head[..*at].chars().count() >= CLAUSE_LEAST);
    let mut head = without_loose_end(&head[..clause.unwrap_or(head.len())]);
    while let Some((before, last)) = head.rsplit_once(' ').filter(|_| clause.is_none()) {
        let bare = last.trim_matches(|c: char| !c.is_alphanumeric());
        if !bare.is_empty() && !word::is_stopword_anywhere(bare) {
            break;
        }
        head = without_loose_end(before);
    }
    head.to_owned()
}

/// A description of at most [`DESCRIPTION_LIMIT`] characters: white space collapsed; as many whole sentences as fit,
/// or, where those say too little, cut at a word with `…`.
pub fn fit_description(s: &str) -> String {
    let text = collapsed(s, DESCRIPTION_LIMIT);
    if text.chars().count() <= DESCRIPTION_LIMIT {
        return text;
    }
    let fits = |end: &usize| text[..*end].chars().count() <= DESCRIPTION_LIMIT;
    // The last sentence is not whole where the text was cut above.
    let ends: Vec<usize> = sentence::split(&text).into_iter().map(|r| r.end).collect();
    let whole = ends.into_iter().filter(|end| *end < text.len()).take_while(fits).last();
    match whole {
        Some(end) if text[..end].chars().count() >= DESCRIPTION_LEAST => text[..end].to_owned(),
        _ => without_loose_end(at_word(&text, DESCRIPTION_LIMIT - 1)).to_owned() + "…",
    }
}

/// White space runs as one space, control characters as white space. Reads only a little more than `limit` characters,
/// so the result may lack its end when it is longer than `limit`.
fn collapsed(s: &str, limit: usize) -> String {
    let mut out = String::new();
    // Of `out` with a space behind it.
    let mut chars = 0;
    for part in s.split(|c: char| c.is_whitespace() || c.is_control()).filter(|p| !p.is_empty()) {
        if chars > limit + 1 {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        // Twice the limit keeps one endless word from being copied whole.
        let end = part.char_indices().nth(limit * 2).map_or(part.len(), |(at, _)| at);
        out.push_str(&part[..end]);
        chars += part[..end].chars().count() + 1;
    }
    out
}

/// At most `limit` characters of a longer text: up to its last whole word or, in one endless word, its last whole
/// visible character.
fn at_word(text: &str, limit: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(limit) else { return text };
    let head = &text[..end];
    if next == ' ' {
        return head;
    }
    if let Some(space) = head.rfind(' ') {
        return &head[..space];
    }
    let whole = text.grapheme_indices(true).map(|(at, g)| at + g.len()).take_while(|at| *at <= end).last();
    &head[..whole.unwrap_or(end)]
}

fn without_loose_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| c.is_whitespace() || ".,;:–—-|/&+(…·•".contains(c))
}

//! Where sentences end.

mod abbreviations;
mod unspaced;

use std::ops::Range;

use crate::word;
use abbreviations::{Habit, habit, is_ordinal_article, is_ordinal_noun, is_starter};

/// How far a look back or ahead goes for one word, in characters. No abbreviation is longer, and it keeps time linear.
const WORD_LIMIT: usize = 40;

/// The sentences of one paragraph as byte ranges into it: in order, trimmed, not overlapping, never empty.
///
/// Together they hold everything but white space. Closing quotes and brackets, and citation marks such as `[3]`, belong
/// to the sentence before them. Where a stop is ambiguous (`U.S. Treasury`) the text stays whole. A blank line always
/// ends a sentence. Text without a stop is one sentence; only white space is none.
pub fn split(paragraph: &str) -> Vec<Range<usize>> {
    let lowercase_only = !paragraph.chars().any(char::is_uppercase);
    let mut cutter = Cutter { text: paragraph, start: 0, has_word: false, ranges: Vec::new() };
    let mut at = 0;
    while let Some(c) = char_at(paragraph, at) {
        if c == '\n' && is_blank_line(&paragraph[at + 1..]) {
            cutter.cut(at);
        }
        if !is_terminator(c) {
            cutter.has_word |= c.is_alphanumeric();
            at += c.len_utf8();
            continue;
        }
        let stop = Stop::read(paragraph, at);
        let sentence_so_far = &paragraph[cutter.start..at];
        if stop.ends_sentence(sentence_so_far, &paragraph[stop.end..], lowercase_only) {
            cutter.cut(stop.end);
        }
        at = stop.end;
    }
    let ranges = cutter.finish();
    if paragraph.contains(word::is_of_letters_without_spaces) { unspaced::split(paragraph, ranges) } else { ranges }
}

struct Cutter<'a> {
    text: &'a str,
    start: usize,
    /// Whether a letter or digit stands between `start` and here: bare punctuation is not a sentence.
    has_word: bool,
    ranges: Vec<Range<usize>>,
}

impl Cutter<'_> {
    fn cut(&mut self, end: usize) {
        if self.has_word {
            self.ranges.push(trimmed(self.text, self.start..end));
            self.start = end;
            self.has_word = false;
        }
    }

    /// Gives what is left to a sentence of its own or, where it has no word, to the last one.
    fn finish(mut self) -> Vec<Range<usize>> {
        let rest = trimmed(self.text, self.start..self.text.len());
        if !rest.is_empty() {
            match self.ranges.last_mut() {
                Some(last) if !self.has_word => last.end = rest.end,
                _ => self.ranges.push(rest),
            }
        }
        self.ranges
    }
}

/// A run of terminators with the quotes, brackets and citation marks that close it.
struct Stop {
    end: usize,
    kind: StopKind,
    /// `[3]` or `²` follows, so that the next sentence may stand without a space.
    has_mark: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StopKind {
    /// One full stop, which may belong to an abbreviation.
    Dot,
    Ellipsis,
    /// A question or exclamation mark is in it.
    Strong,
    /// Ends a sentence without a space behind it: scripts that use none.
    FullWidth,
}

impl Stop {
    fn read(text: &str, at: usize) -> Self {
        let mut end = at;
        let mut dots = 0_usize;
        let (mut strong, mut full_width, mut ellipsis) = (false, false, false);
        loop {
            match char_at(text, end) {
                Some('.') => dots += 1,
                Some('…') => ellipsis = true,
                Some(c) if is_full_width(c) => full_width = true,
                Some(c) if is_terminator(c) => strong = true,
                // `. . .` is an ellipsis too.
                Some(' ') if dots > 0 && is_spaced_dot(&text[end + 1..]) => {}
                _ => break,
            }
            end += char_at(text, end).map_or(0, char::len_utf8);
        }
        let kind = match () {
            () if full_width => StopKind::FullWidth,
            () if strong => StopKind::Strong,
            () if ellipsis || dots > 1 => StopKind::Ellipsis,
            () => StopKind::Dot,
        };
        let (end, has_mark) = close(text, end);
        Self { end, kind, has_mark }
    }

    fn ends_sentence(&self, before: &str, after: &str, lowercase_only: bool) -> bool {
        if after.trim_start().is_empty() || self.kind == StopKind::FullWidth {
            return true;
        }
        if !after.starts_with(char::is_whitespace) && !self.has_mark {
            return false;
        }
        let next = Next::read(after);
        if self.kind == StopKind::Dot {
            return dot_ends_sentence(before, &next, lowercase_only);
        }
        match next.start {
            Start::Lower => lowercase_only,
            Start::Digit => self.kind == StopKind::Strong,
            Start::Upper | Start::Other => true,
        }
    }
}

fn dot_ends_sentence(before: &str, next: &Next, lowercase_only: bool) -> bool {
    let token = last_token(before);
    if next.start == Start::Lower && !lowercase_only {
        return false;
    }
    let opens = before.trim_start().len() == token.len();
    if opens && (is_number(token) || is_roman(token)) {
        // `1. First`, `IV. Results`: the number of an item.
        return false;
    }
    if is_number(token) || (is_roman(token) && token.len() > 1) {
        let rest = before[..before.len() - token.len()].trim_end();
        return !is_ordinal_noun(next.word) && !is_ordinal_article(last_token(rest));
    }
    let starts_new = is_starter(next.word) && !next.abbreviated;
    let row = spaced_row(before, token);
    match row.as_deref().and_then(habit).or_else(|| habit(token)) {
        Some(Habit::NeverEnds) => false,
        Some(Habit::BeforeNumber) => next.start != Start::Digit && !is_roman(next.word),
        Some(Habit::MayEnd) => starts_new,
        Some(Habit::OftenEnds) => next.start != Start::Lower,
        None if is_initials(token) => {
            let upper = token.chars().next().is_some_and(char::is_uppercase);
            let single = token.chars().nth(1).is_none();
            // `z. B.`, `J. R. R. Tolkien`: initials come in rows.
            let in_row = next.abbreviated && next.word.chars().nth(1).is_none();
            starts_new || (single && !upper && !in_row && next.start == Start::Upper)
        }
        None => true,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Upper,
    Lower,
    Digit,
    /// A script without case, a symbol.
    Other,
}

/// What follows a stop.
struct Next<'a> {
    start: Start,
    word: &'a str,
    /// The word has a full stop behind it.
    abbreviated: bool,
}

impl<'a> Next<'a> {
    fn read(after: &'a str) -> Self {
        let rest = after.trim_start_matches(|c: char| c.is_whitespace() || is_opener(c));
        let end = rest
            .char_indices()
            .take(WORD_LIMIT)
            .find(|(_, c)| !c.is_alphanumeric() && *c != '-')
            .map_or_else(|| rest.char_indices().nth(WORD_LIMIT).map_or(rest.len(), |(i, _)| i), |(i, _)| i);
        let (word, tail) = rest.split_at(end);
        let mut chars = word.chars();
        let start = match chars.next() {
            Some(c) if c.is_uppercase() => Start::Upper,
            // iPad, eBay, macOS start sentences as they are.
            Some(c) if c.is_lowercase() && chars.any(char::is_uppercase) => Start::Upper,
            Some(c) if c.is_lowercase() => Start::Lower,
            Some(c) if c.is_numeric() => Start::Digit,
            _ => Start::Other,
        };
        Self { start, word, abbreviated: tail.starts_with('.') }
    }
}

/// Takes closing quotes, brackets, `»` after a space, and citation marks. Returns the end and whether a mark was there.
fn close(text: &str, from: usize) -> (usize, bool) {
    let mut end = from;
    let mut has_mark = false;
    loop {
        let rest = &text[end..];
        if let Some(c) = rest.chars().next().filter(|c| is_closer(*c)) {
            end += c.len_utf8();
        } else if let Some(c) = rest.chars().next().filter(|c| is_superscript(*c)) {
            has_mark = true;
            end += c.len_utf8();
        } else if let Some(len) = citation_mark_len(rest) {
            has_mark = true;
            end += len;
        } else if let Some(space) = rest.chars().next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}')) {
            let behind = &rest[space.len_utf8()..];
            let guillemet = behind.strip_prefix('»').is_some_and(|r| !r.starts_with(char::is_alphanumeric));
            if guillemet {
                end += space.len_utf8() + '»'.len_utf8();
            } else if let Some(len) = citation_mark_len(behind) {
                has_mark = true;
                end += space.len_utf8() + len;
            } else {
                return (end, has_mark);
            }
        } else {
            return (end, has_mark);
        }
    }
}

/// The length in bytes of the citation mark that `text` starts with: `[3]`, `[1, 2]`, `[unsupported]`, `[partly]`.
/// Numbers have up to three digits: `[2024]` is the author's.
pub(crate) fn citation_mark_len(text: &str) -> Option<usize> {
    const LONGEST: usize = 24;
    const VERDICTS: [&str; 2] = ["[unsupported]", "[partly]"];
    if let Some(mark) = VERDICTS.iter().find(|mark| text.starts_with(**mark)) {
        return Some(mark.len());
    }
    let inside = text.strip_prefix('[')?;
    let close = inside.bytes().take(LONGEST).position(|b| b == b']')?;
    let number = |n: &str| (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
    inside[..close].split([',', '-']).all(|n| number(n.trim())).then_some(close + 2)
}

/// The word before a stop, without what opens it.
fn last_token(before: &str) -> &str {
    let start = before
        .char_indices()
        .rev()
        .take(WORD_LIMIT)
        .take_while(|(_, c)| !c.is_whitespace() && !is_opener(*c) || *c == '-')
        .last()
        .map_or(before.len(), |(i, _)| i);
    &before[start..]
}

/// `u.a` for the `a` of `u. a`: abbreviations of single letters may be written with spaces.
fn spaced_row(before: &str, token: &str) -> Option<String> {
    let first = last_token(before[..before.len() - token.len()].trim_end()).strip_suffix('.')?;
    let single = |t: &str| t.chars().nth(1).is_none() && t.chars().all(char::is_alphabetic);
    (single(first) && single(token) && !token.is_empty()).then(|| format!("{first}.{token}"))
}

/// `3`, `12`: may number a list item or be an ordinal.
fn is_number(token: &str) -> bool {
    (1..=3).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_digit())
}

fn is_roman(word: &str) -> bool {
    // A lone C, D, L or M is an initial far more often than a number.
    (word.len() > 1 || matches!(word, "I" | "V" | "X"))
        && word.len() <= 6
        && word.bytes().all(|b| matches!(b, b'I' | b'V' | b'X' | b'L' | b'C'))
}

/// One letter, or letters with stops between: `J`, `U.S`, `a.m`.
fn is_initials(token: &str) -> bool {
    let mut parts = token.split('.');
    parts.all(|part| {
        let mut chars = part.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    })
}

fn is_terminator(c: char) -> bool {
    // U+037E is the Greek question mark; the semicolon that looks like it is none.
    matches!(c, '.' | '!' | '?' | '…' | '‽' | '؟' | '۔' | '।' | '\u{37e}' | '⁇' | '⁈' | '⁉') || is_full_width(c)
}

fn is_full_width(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '．')
}

fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '”'
            | '’'
            | '»'
            | '›'
            | '“'
            | '‘'
            | '«'
            | '‹'
            | ')'
            | ']'
            | '}'
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '*'
            | '_'
    )
}

fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '“'
            | '‘'
            | '„'
            | '‚'
            | '«'
            | '‹'
            | '»'
            | '›'
            | '('
            | '['
            | '{'
            | '¿'
            | '¡'
            | '「'
            | '『'
            | '（'
            | '—'
            | '–'
            | '-'
            | '•'
            | '*'
            | '_'
    )
}

fn is_superscript(c: char) -> bool {
    matches!(c, '¹' | '²' | '³' | '⁰' | '⁴'..='⁹')
}

fn is_spaced_dot(rest: &str) -> bool {
    rest.strip_prefix('.').is_some_and(|r| !r.starts_with(char::is_alphanumeric))
}

fn is_blank_line(after_newline: &str) -> bool {
    after_newline.chars().take(WORD_LIMIT).find(|c| !matches!(c, ' ' | '\t' | '\r')) == Some('\n')
}

fn char_at(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let piece = &text[range.clone()];
    let start = range.start + (piece.len() - piece.trim_start().len());
    start..(start + piece.trim().len())
}

#[cfg(test)]
mod tests;

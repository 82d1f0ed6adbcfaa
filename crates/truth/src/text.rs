//! Words, places and numbers in sentences.

use std::ops::Range;

/// In lower case, without marks, with single spaces: what two spellings of one sentence have in common.
pub fn plain(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '°'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

pub fn uncapitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Whether whole words of `sentence` at a byte are `phrase`; a capital of the first letter is no difference.
pub fn matches_at(sentence: &str, at: usize, phrase: &str) -> bool {
    let Some(rest) = sentence.get(at..) else { return false };
    let Some(here) = rest.get(..phrase.len()) else { return false };
    // A capital counts at the start alone: `May` is no `may`.
    if here != phrase && (at > 0 || here != capitalised(phrase)) {
        return false;
    }
    let joins = |a: char, b: char| a.is_alphanumeric() && (b.is_alphanumeric() || b == '-' || b == '_');
    let before = sentence[..at].chars().next_back().unwrap_or(' ');
    let after = rest[phrase.len()..].chars().next().unwrap_or(' ');
    let (first, last) = (phrase.chars().next().unwrap_or(' '), phrase.chars().next_back().unwrap_or(' '));
    !joins(first, before) && !joins(last, after)
}

/// The first place at or behind a byte where whole words are `phrase`.
pub fn find(sentence: &str, phrase: &str, from: usize) -> Option<usize> {
    sentence.char_indices().map(|(at, _)| at).find(|at| *at >= from && matches_at(sentence, *at, phrase))
}

/// Puts `right` for `len` bytes, with a capital where one stood.
pub fn put(sentence: &str, at: usize, len: usize, right: &str) -> String {
    let (before, old, after) = (&sentence[..at], &sentence[at..at + len], &sentence[at + len..]);
    if right.is_empty() {
        let rest = after.trim_start();
        return if before.is_empty() { capitalised(rest) } else { format!("{before}{rest}") };
    }
    let right = if at == 0 && old.starts_with(char::is_uppercase) { capitalised(right) } else { right.to_owned() };
    format!("{before}{right}{after}")
}

/// The last mark of a sentence taken off.
pub fn without_end(sentence: &str) -> &str {
    sentence.trim_end_matches(['.', '!'])
}

/// A number as it is written, with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    pub range: Range<usize>,
    pub written: String,
    pub value: f64,
    /// Thousands are separated.
    pub grouped: bool,
}

impl Number {
    /// Four digits between 1900 and 2100 without a mark.
    pub fn is_year(&self) -> bool {
        self.written.len() == 4 && !self.grouped && (1900.0..2100.0).contains(&self.value)
    }
}

/// The numbers of a sentence in digits. `decimal` is the mark between units and tenths; the other one separates
/// thousands, as spaces do. Digits in a word (`N8`) are none.
pub fn numbers(sentence: &str, decimal: char) -> Vec<Number> {
    let mut out = Vec::new();
    let chars: Vec<(usize, char)> = sentence.char_indices().collect();
    let digit = |i: usize| chars.get(i).is_some_and(|(_, c)| c.is_ascii_digit());
    let at = |i: usize| chars.get(i).map_or(sentence.len(), |(at, _)| *at);
    let mut i = 0;
    while i < chars.len() {
        let glued = i > 0 && chars[i - 1].1.is_alphanumeric();
        if !digit(i) || glued {
            i += 1;
            continue;
        }
        let (start, mut plain, mut grouped, mut fraction) = (i, String::new(), false, false);
        loop {
            while digit(i) {
                plain.push(chars[i].1);
                i += 1;
            }
            let mark = chars.get(i).map_or(' ', |(_, c)| *c);
            let three = (1..=3).all(|k| digit(i + k)) && !digit(i + 4);
            let groups = matches!(mark, ' ' | '\u{a0}' | '\u{202f}') || matches!(mark, '.' | ',') && mark != decimal;
            let short = plain.len() <= 3 || grouped;
            if groups && three && short && !fraction {
                grouped = true;
                i += 1;
            } else if mark == decimal && digit(i + 1) && !fraction {
                fraction = true;
                plain.push('.');
                i += 1;
            } else {
                break;
            }
        }
        let range = at(start)..at(i);
        let letter = chars.get(i).is_some_and(|(_, c)| c.is_alphabetic());
        if let Some(value) = plain.parse().ok().filter(|_| !letter) {
            out.push(Number { written: sentence[range.clone()].to_owned(), range, value, grouped });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_language_writes_them() {
        let read = |text: &str, decimal| numbers(text, decimal).into_iter().map(|n| n.value).collect::<Vec<_>>();
        assert_eq!(read("5,000 and 2.5 of 1 200, model N8, 7th", '.'), [5000.0, 2.5, 1200.0]);
        assert_eq!(read("5.000 und 2,5 im Jahr 2024.", ','), [5000.0, 2.5, 2024.0]);
        assert!(numbers("In 2024.", '.')[0].is_year());
    }

    #[test]
    fn phrases_are_whole_words() {
        assert!(matches_at("Must go", 0, "must"));
        assert_eq!(find("custom must", "must", 0), Some(7));
        assert_eq!(find("The may-fly may", "may", 0), Some(12));
        assert_eq!(find("open, unless it", ", unless", 0), Some(4));
        assert_eq!(plain("Is it 5 %, or  6?"), "is it 5 % or 6");
    }
}

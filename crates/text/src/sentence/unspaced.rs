//! Thai, Lao, Khmer and Burmese end no sentence with a stop: a space does, and a space also stands where other languages
//! have a comma. So a sentence is what stands between spaces and is long enough to be one.

use std::ops::Range;

use crate::word::is_of_letters_without_spaces;

/// Shorter pieces, in characters, are parts of a sentence.
const LEAST_CHARS: usize = 24;

/// What begins so goes on with the sentence before the space.
const GOES_ON: &[&str] = &[
    "และ",
    "หรือ",
    "แต่",
    "โดย",
    "ซึ่ง",
    "ใน",
    "จาก",
    "เพื่อ",
    "เพราะ",
    "เวลา",
    "เป็นเวลา",
    "ตั้งแต่",
    "ถึง",
    "จนถึง",
    "เช่น",
    "รวมทั้ง",
    "ตาม",
    "ทุก",
    "ด้วย",
    "สำหรับ",
    "แก่",
    "กับ",
];

/// Cuts the ranges further at spaces between letters of these scripts. What is left stays with the piece before it.
pub(super) fn split(text: &str, ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.into_iter().flat_map(|range| cut(text, range)).collect()
}

fn cut(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let piece = &text[range.clone()];
    let mut out: Vec<Range<usize>> = Vec::new();
    let (mut start, mut chars) = (0, 0);
    let mut before = ' ';
    for (at, c) in piece.char_indices() {
        let rest = piece[at..].trim_start();
        let next = rest.chars().next().unwrap_or(' ');
        // The mark of repetition and abbreviation have a space behind them within a sentence.
        let is_cut = c == ' '
            && chars >= LEAST_CHARS
            && is_of_letters_without_spaces(before)
            && !matches!(before, '\u{e46}' | '\u{e2f}' | '\u{ec6}')
            && is_of_letters_without_spaces(next)
            && !GOES_ON.iter().any(|word| rest.starts_with(word));
        if is_cut {
            out.push(range.start + start..range.start + at);
            start = at + c.len_utf8();
            chars = 0;
        } else if !c.is_whitespace() {
            chars += 1;
        }
        before = c;
    }
    match out.last_mut() {
        Some(last) if chars < LEAST_CHARS => last.end = range.end,
        _ => out.push(range.start + start..range.end),
    }
    out
}

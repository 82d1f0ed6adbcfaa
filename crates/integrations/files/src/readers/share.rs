//! How much of the budget a reader is given: a guess by what the file looks like and how large it is. It is above what
//! ordinary files need; one that needs more is tried once more with the whole budget.

use crate::sniff::{FileKind, text_kind};

/// Bytes at the beginning of a file that tell its shape.
pub(super) const LOOKED_AT: usize = 64 << 10;
/// Texts up to this size are read in this process: whatever is in them, their parsers need less than `SMALL_MB` and one
/// MiB for each `SMALL_UNIT` of them, as `small_texts_need_little_memory` measures.
const SMALL: u64 = 128 << 10;
const SMALL_UNIT: u64 = 4 << 10;
const SMALL_MB: u32 = 2;
/// What every process needs: the pages of the program that it touches, its stack, and some room.
const PROCESS_MB: u32 = 48;
const MIB: u64 = 1 << 20;
/// Of Markdown no more is parsed (`Limits::markdown_bytes`).
const PARSED_MARKDOWN_MB: u32 = 3;

/// Which parser will see a file, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Pdf,
    /// Word, Excel, or any other archive.
    Archive,
    Html,
    Markdown,
    Table,
    Text,
}

impl Shape {
    pub(super) fn of(head: &[u8], name: &str) -> Self {
        let first = &head[..head.len().min(1_024)];
        if first.windows(5).any(|window| window == b"%PDF-") {
            return Self::Pdf;
        }
        if head.starts_with(b"PK") {
            return Self::Archive;
        }
        match text_kind(head, name) {
            Ok(FileKind::Html) => Self::Html,
            Ok(FileKind::Markdown) => Self::Markdown,
            Ok(FileKind::Csv) => Self::Table,
            // What is no text is refused by its first bytes.
            _ => Self::Text,
        }
    }
}

/// Whether a file may be read in this process.
pub(super) fn is_small(shape: Shape, bytes: u64) -> bool {
    !matches!(shape, Shape::Pdf | Shape::Archive) && bytes <= SMALL
}

/// MiB for a reading in this process.
pub(super) fn of_thread(shape: Shape, bytes: u64) -> u32 {
    if !is_small(shape, bytes) {
        return of_process(shape, bytes);
    }
    SMALL_MB.saturating_add(u32::try_from(bytes.div_ceil(SMALL_UNIT)).unwrap_or(u32::MAX))
}

/// MiB for a process, all that it takes.
pub(super) fn of_process(shape: Shape, bytes: u64) -> u32 {
    let mb = u32::try_from(bytes.div_ceil(MIB)).unwrap_or(u32::MAX);
    let more = match shape {
        Shape::Pdf | Shape::Archive => mb.saturating_mul(8).saturating_add(16),
        Shape::Html => mb.saturating_mul(9),
        Shape::Markdown => mb.saturating_add(mb.min(PARSED_MARKDOWN_MB) * 12),
        Shape::Table => mb.saturating_mul(3),
        Shape::Text => mb.saturating_mul(8),
    };
    more.saturating_add(PROCESS_MB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_by_the_beginning() {
        for (head, name, shape) in [
            ("%PDF-1.7\n", "a.txt", Shape::Pdf),
            ("\n\n%PDF-1.7\n", "a.txt", Shape::Pdf),
            ("PK\u{3}\u{4}", "a.txt", Shape::Archive),
            ("<!doctype html><p>", "a", Shape::Html),
            ("# Title\n", "a", Shape::Markdown),
            ("a,b\n1,2\n3,4\n", "a", Shape::Table),
            ("words", "a.txt", Shape::Text),
            ("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{1}\u{2}", "a.csv", Shape::Text),
        ] {
            assert_eq!(Shape::of(head.as_bytes(), name), shape, "{head:?}");
        }
    }

    #[test]
    fn a_larger_file_is_given_more() {
        let shares = |shape| [0, 1, 1 << 20, 5 << 20, 20 << 20].map(|bytes| of_process(shape, bytes));
        assert_eq!(shares(Shape::Pdf), [64, 72, 72, 104, 224]);
        assert_eq!(shares(Shape::Archive), [64, 72, 72, 104, 224]);
        assert_eq!(shares(Shape::Html), [48, 57, 57, 93, 228]);
        assert_eq!(shares(Shape::Markdown), [48, 61, 61, 89, 104]);
        assert_eq!(shares(Shape::Table), [48, 51, 51, 63, 108]);
        assert_eq!(shares(Shape::Text), [48, 56, 56, 88, 208]);
        assert_eq!([0, 1, SMALL, SMALL + 1].map(|bytes| of_thread(Shape::Text, bytes)), [2, 3, 34, 56]);
        assert_eq!(of_process(Shape::Text, u64::MAX), u32::MAX);
        assert!(!is_small(Shape::Pdf, 1) && !is_small(Shape::Archive, 1));
    }
}

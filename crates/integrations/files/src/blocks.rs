//! The one place that writes the Markdown subset documented at `galley_domain::writing::Snapshot::text`.

use std::borrow::Cow;

use crate::{
    characters,
    symbols::{Symbols, is_private},
};

/// A paragraph longer than this is split at the end of a sentence, so that no reader meets a line of megabytes.
const LONG_PARAGRAPH: usize = 8 << 10;
/// A heading longer than this is a paragraph that somebody styled as a heading.
const LONG_HEADING: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Block,
    Item,
    Row,
}

/// Collects blocks; cleans every text on the way in; stops taking any at its limit of bytes.
#[derive(Debug)]
pub(crate) struct Blocks {
    text: String,
    limit: usize,
    last: Last,
    truncated: bool,
    dropped_control: bool,
    /// Characters of the private use area that were left to the text.
    symbols: Symbols,
}

impl Blocks {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            last: Last::Nothing,
            truncated: false,
            dropped_control: false,
            symbols: Symbols::default(),
        }
    }

    /// True once text was left out; producers may stop then.
    pub(crate) fn is_full(&self) -> bool {
        self.truncated
    }

    /// True where NUL or other control characters were removed.
    pub(crate) fn dropped_control(&self) -> bool {
        self.dropped_control
    }

    /// What to tell of characters of the private use area; `None` where each could be told.
    pub(crate) fn symbols_warning(&self) -> Option<String> {
        self.symbols.warning()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// `level` from 1 to 6; others are brought into that range.
    pub(crate) fn heading(&mut self, level: u8, text: &str) {
        let line = self.clean(text);
        if line.len() > LONG_HEADING {
            return self.paragraph_line(&line);
        }
        let line = line.trim_start_matches('#').trim_start();
        if !line.is_empty() {
            let marks = "#".repeat(usize::from(level.clamp(1, 6)));
            self.put(Last::Block, &format!("{marks} {line}"));
        }
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        let line = self.clean(text);
        self.paragraph_line(&line);
    }

    /// One item of a list. Items that follow each other stand in one list.
    pub(crate) fn item(&mut self, text: &str) {
        let line = self.clean(text);
        let line = unmarked(&line);
        if !line.is_empty() {
            self.put(Last::Item, &format!("- {line}"));
        }
    }

    /// Ends a list or a table, so that the next item or row begins a new one.
    pub(crate) fn end(&mut self) {
        if self.last != Last::Nothing {
            self.last = Last::Block;
        }
    }

    /// One row of a table; the first row after any other block is the header. `columns` cells are written.
    pub(crate) fn row(&mut self, cells: &[String], columns: usize) {
        let mut line = String::from("|");
        for at in 0..columns.max(1) {
            let cell = cells.get(at).map_or_else(String::new, |cell| self.clean(cell));
            line.push(' ');
            line.push_str(&cell.replace('|', "\\|"));
            if !cell.is_empty() {
                line.push(' ');
            }
            line.push('|');
        }
        self.put(Last::Row, &line);
    }

    fn paragraph_line(&mut self, line: &str) {
        let mut rest = unmarked(line);
        while !rest.is_empty() && !self.truncated {
            let (head, tail) = rest.split_at(cut(rest, LONG_PARAGRAPH));
            self.put(Last::Block, head.trim_end());
            rest = unmarked(tail.trim_start());
        }
    }

    fn put(&mut self, kind: Last, line: &str) {
        if self.truncated {
            return;
        }
        let gap = match (self.last, kind) {
            (Last::Nothing, _) => "",
            (Last::Item, Last::Item) | (Last::Row, Last::Row) => "\n",
            _ => "\n\n",
        };
        let room = self.limit.saturating_sub(self.text.len() + gap.len());
        let kept = if line.len() <= room {
            line
        } else {
            self.truncated = true;
            // A cut row would not be a row any more.
            if kind == Last::Row { "" } else { line[..cut(line, room)].trim_end() }
        };
        if kept.trim_matches(['#', '-', ' ']).is_empty() {
            return;
        }
        self.text.push_str(gap);
        self.text.push_str(kept);
        self.last = kind;
    }

    /// White space of any kind becomes one space; characters that nobody sees are dropped.
    fn clean(&mut self, text: &str) -> String {
        // Text of nothing but such characters is an icon.
        let is_icon = !text.contains(|c: char| !c.is_whitespace() && !is_private(c));
        let text = if is_icon { Cow::Borrowed(text) } else { self.symbols.written(text, None) };
        let mut out = String::with_capacity(text.len().min(LONG_PARAGRAPH));
        let text = characters::plain(&text);
        let mut space = false;
        for c in text.chars() {
            if c.is_whitespace() {
                space = !out.is_empty();
            } else if is_invisible(c) {
                self.dropped_control |= c.is_control();
            } else {
                if space {
                    out.push(' ');
                    space = false;
                }
                out.push(c);
            }
        }
        out
    }
}

/// Controls, soft hyphens, zero-width spaces, direction marks, noncharacters and private-use icons.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fff9}'..='\u{fffc}'
            | '\u{fdd0}'..='\u{fdef}')
        || (c as u32) & 0xfffe == 0xfffe
        || (c as u32) >= 0xe0000
}

/// Takes the marks away with which a plain line would read as a heading, an item or a row.
fn unmarked(line: &str) -> &str {
    let mut line = line;
    loop {
        let bare = line.trim_start_matches('#');
        let next = if line.len() != bare.len() && line.len() - bare.len() <= 6 && bare.starts_with(' ') {
            bare
        } else if let Some(bare) = line.strip_prefix("- ") {
            bare
        } else if let Some(bare) = line.strip_prefix('|') {
            bare
        } else if matches!(line, "-" | "#" | "##" | "###" | "####" | "#####" | "######") {
            ""
        } else {
            return line;
        };
        line = next.trim_start();
    }
}

/// Where to cut `line` so that at most `room` bytes stay: after a sentence if one ends in the second half, else at a
/// space, else at a character.
fn cut(line: &str, room: usize) -> usize {
    if line.len() <= room {
        return line.len();
    }
    let mut end = room;
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let head = &line[..end];
    let sentence = head.rfind(". ").max(head.rfind("! ")).max(head.rfind("? ")).map(|at| at + 1);
    match sentence.filter(|at| *at > end / 2).or_else(|| head.rfind(' ').filter(|at| *at > end / 2)) {
        Some(at) => at,
        None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Blocks)) -> String {
        let mut blocks = Blocks::new(1 << 20);
        write(&mut blocks);
        blocks.into_text()
    }

    #[test]
    fn blocks_are_separated_and_lists_and_tables_hold_together() {
        let text = text(|b| {
            b.heading(1, " A\n title ");
            b.item("one");
            b.item("two");
            b.row(&["a".into(), "b|c".into()], 2);
            b.row(&["1".into()], 2);
            b.paragraph("Plain\u{a0}text.");
            b.item("a list");
            b.end();
            b.item("another");
        });
        assert_eq!(text, "# A title\n\n- one\n- two\n\n| a | b\\|c |\n| 1 | |\n\nPlain text.\n\n- a list\n\n- another");
    }

    #[test]
    fn a_paragraph_never_reads_as_another_block() {
        for (given, wanted) in [
            ("- dash", "dash"),
            ("# hash", "hash"),
            ("###", ""),
            ("| a | b |", "a | b |"),
            ("- # | deep", "deep"),
            ("#tag stays", "#tag stays"),
            ("-5 degrees", "-5 degrees"),
            ("####### seven", "####### seven"),
            ("\u{0}\u{7}x\u{200b}y", "xy"),
        ] {
            assert_eq!(text(|b| b.paragraph(given)), wanted, "{given:?}");
        }
    }

    #[test]
    fn long_paragraphs_are_split_at_sentences_and_words_and_keep_every_character() {
        for unit in ["One sentence more. ", "word ", "ü"] {
            let given = unit.repeat(40_000 / unit.len());
            let text = text(|b| b.paragraph(&given));
            assert!(text.lines().all(|line| line.len() <= LONG_PARAGRAPH), "{unit:?}");
            let bare = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(bare(&text), bare(&given), "{unit:?}");
        }
    }

    #[test]
    fn the_limit_cuts_at_a_word_and_says_so() {
        let mut blocks = Blocks::new(20);
        blocks.paragraph("alpha beta gamma delta epsilon");
        blocks.paragraph("lost");
        assert!(blocks.is_full());
        assert_eq!(blocks.into_text(), "alpha beta gamma");
        let mut tiny = Blocks::new(1);
        tiny.paragraph("ü");
        assert_eq!((tiny.is_full(), tiny.into_text().as_str()), (true, ""));
    }
}

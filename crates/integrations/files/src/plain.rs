//! Plain text: paragraphs put together again from wrapped lines.

mod columns;
mod subtitles;

use crate::{
    blocks::Blocks,
    error::FileError,
    hyphens::Hyphens,
    limits::{Budget, Limits},
    script,
};

/// Lines longer than this were not wrapped by anybody; each is a paragraph.
const WIDEST_WRAP: usize = 132;
/// Blocks narrower than this are addresses, verses and lists, whose lines are meant.
const NARROWEST_WRAP: usize = 40;

pub(crate) fn read(text: &str, limits: &Limits, budget: &Budget) -> Result<Blocks, FileError> {
    let mut out = Blocks::new(limits.text_bytes);
    if subtitles::looks_like(text) {
        subtitles::read(text, &mut out, budget)?;
    } else {
        let in_order = columns::in_order(text);
        paragraphs(in_order.as_deref().unwrap_or(text), &mut out, budget)?;
    }
    Ok(out)
}

/// Writes text whose lines may have been wrapped.
pub(crate) fn paragraphs(text: &str, out: &mut Blocks, budget: &Budget) -> Result<(), FileError> {
    let hyphens =
        if text.contains("-\n") || text.contains("-\r") { Hyphens::of(text.lines()) } else { Hyphens::default() };
    let mut chunk: Vec<&str> = Vec::new();
    for (at, line) in text.split(['\n', '\u{c}']).enumerate() {
        if at.is_multiple_of(256) {
            budget.check()?;
        }
        if out.is_full() {
            break;
        }
        // Old Macintosh files end lines with CR alone.
        for line in line.trim_end_matches('\r').split('\r') {
            if line.trim().is_empty() {
                write(&chunk, &hyphens, out);
                chunk.clear();
                out.end();
            } else {
                chunk.push(line);
            }
        }
    }
    write(&chunk, &hyphens, out);
    Ok(())
}

/// Lines without an empty one between them.
fn write(lines: &[&str], hyphens: &Hyphens, out: &mut Blocks) {
    if let [title, rule] = lines
        && let Some(level) = underline(rule)
    {
        return out.heading(level, title);
    }
    let widest = lines.iter().map(|line| line.trim_end().chars().count()).max().unwrap_or(0);
    let mut block = String::new();
    let mut is_item = false;
    let mut before = "";
    for line in lines {
        let item = list_item(line.trim_start()).map(|text| with_number(line.trim_start(), text));
        let joins = !block.is_empty()
            && item.is_none()
            && (is_item && line.starts_with("  ") || is_wrapped(before, line, widest));
        if joins {
            hyphens.join(&mut block, line.trim());
        } else {
            flush(&block, is_item, out);
            is_item = item.is_some();
            block = item.unwrap_or(line).trim().to_owned();
        }
        before = line;
    }
    flush(&block, is_item, out);
}

fn flush(block: &str, is_item: bool, out: &mut Blocks) {
    let text = script::plain(block);
    if is_item { out.item(&text) } else { out.paragraph(&text) }
}

/// True where `line` ended because the next word did not fit, not because its author ended it.
fn is_wrapped(line: &str, next: &str, widest: usize) -> bool {
    let word = next.split_whitespace().next().map_or(0, |word| word.chars().count());
    (NARROWEST_WRAP..=WIDEST_WRAP).contains(&widest) && line.trim_end().chars().count() + 1 + word > widest
}

/// The text behind a bullet that was typed.
pub(crate) fn bullet(line: &str) -> Option<&str> {
    let marks = ["• ", "•\t", "◦ ", "▪ ", "‣ ", "● ", "■ ", "\u{f0b7} "];
    marks.iter().find_map(|mark| line.strip_prefix(mark))
}

/// The text of a list item without its mark.
pub(crate) fn list_item(line: &str) -> Option<&str> {
    for mark in ["- ", "* ", "+ ", "• ", "◦ ", "▪ ", "– ", "· ", "‣ ", "● ", "■ ", "\u{f0b7} "] {
        if let Some(text) = line.strip_prefix(mark) {
            return Some(text);
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let text = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "));
    // "1998. The year" is a sentence.
    text.filter(|_| (1..=2).contains(&digits))
}

/// An item with its number, which says what comes first; a bullet says nothing.
pub(crate) fn with_number<'a>(line: &'a str, text: &'a str) -> &'a str {
    if line.starts_with(|c: char| c.is_ascii_digit()) { line } else { text }
}

fn underline(line: &str) -> Option<u8> {
    let line = line.trim();
    match line.len() {
        0..3 => None,
        _ if line.bytes().all(|byte| byte == b'=') => Some(1),
        _ if line.bytes().all(|byte| byte == b'-') => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn text(given: &str) -> String {
        let limits = Limits::default();
        let budget = Budget::start(&limits, Arc::default());
        read(given, &limits, &budget).expect("read").into_text()
    }

    #[test]
    fn wrapped_lines_become_paragraphs_and_ended_lines_stay_apart() {
        let given = "The title\n=========\n\nThe first paragraph was wrapped by an editor at sixty\ncolumns, as it was \
                     custom in old mail programs, so that it\nhas several lines.\n\nMilk\nBread\n\n- one item that is long \
                     enough\n  to be wrapped\n- two\n1) three\n\n1998. A year.\r\n\r\nEnd";
        assert_eq!(
            text(given),
            "# The title\n\nThe first paragraph was wrapped by an editor at sixty columns, as it was custom in old mail \
             programs, so that it has several lines.\n\nMilk\n\nBread\n\n- one item that is long enough to be wrapped\n- \
             two\n- 1) three\n\n1998. A year.\n\nEnd"
        );
    }

    #[test]
    fn raised_digits_are_powers_or_marks_that_are_left_out() {
        assert_eq!(text("25 m² hold 4 × 10⁶ cells, 82³ kilograms.¹"), "25 m² hold 4 × 10⁶ cells, 82 kilograms.");
    }

    #[test]
    fn unwrapped_lines_are_paragraphs() {
        let long = "word ".repeat(60);
        assert_eq!(text(&format!("{long}\n{long}\rlast")), format!("{0}\n\n{0}\n\nlast", long.trim_end()));
    }

    #[test]
    fn two_columns_are_read_one_behind_the_other() {
        let given = "The pump WP-30 of the year 2025 for cellars, ponds and wells\n\n\
                     Description                             Technical data\n\n\
                     The pump moves water out of cellars     Power       750 W\n\
                     and ponds. It takes in particles of     Weight      6.2 kg\n\
                     up to 25 mm. The float switches the     Cable       10 m\n\
                     pump on when the water stands 30 cm     Depth       8 m\n\
                     high and off when it stands 8 cm        Fuse        16 A\n\
                     high.\n";
        assert_eq!(
            text(given),
            "The pump WP-30 of the year 2025 for cellars, ponds and wells\n\nDescription\n\nThe pump moves water out of cellars and ponds. It takes in particles of up to 25 mm. The float \
             switches the pump on when the water stands 30 cm high and off when it stands 8 cm high.\n\nTechnical \
             data\n\n- Power: 750 W\n- Weight: 6.2 kg\n- Cable: 10 m\n- Depth: 8 m\n- Fuse: 16 A"
        );
        let table = "Hub       Orders\nRiga      120\nTartu     80\nNarva     95\nPernau    60\nDorpat    77";
        assert!(text(table).starts_with("Hub Orders\n\nRiga 120"), "{}", text(table));
    }

    #[test]
    fn subtitles_become_what_is_said_by_whom() {
        let given = "WEBVTT\n\nNOTE made by hand\n\n1\n00:00:01.000 --> 00:00:04.000 align:start\n<v Anna Berg>The launch of \
                     the\nnew site moves</v>\n\n2\n00:00:04.000 --> 00:00:07.000\nto <i>May</i>.\n\n00:00:07.500 --> \
                     00:00:09.000\n<v Ben>I need two people.\n";
        assert_eq!(
            text(given),
            "Anna Berg (00:00:01): The launch of the new site moves to May.\n\nBen (00:00:07): I need two people."
        );
        let rolling = "1\r\n00:00:01,000 --> 00:00:02,000\r\nThe lamp needs\r\n\r\n2\r\n00:00:02,000 --> \
                       00:00:03,000\r\nThe lamp needs\r\n38 watts.\r\n";
        assert_eq!(text(rolling), "The lamp needs 38 watts.");
    }
}

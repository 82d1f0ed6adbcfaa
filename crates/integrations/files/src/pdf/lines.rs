//! From characters to lines in reading order.

use super::{
    columns,
    content::Glyph,
    direction::{self, Unit},
    glyphs::{self, Left},
};
use crate::{
    error::FileError,
    limits::Budget,
    plain::list_item,
    script::{Rise, Runs},
    symbols::UNKNOWN,
};

/// A wider gap, in sizes of the text, separates words; the widest between words of one line is [`MAX_WORD_GAP`].
const WORD_GAP: f64 = 0.17;
const MAX_WORD_GAP: f64 = 1.1;
/// Text that follows in the content within this gap is one piece, which is never cut apart.
const PIECE_GAP: f64 = 0.45;
/// Raised and lowered text is smaller than this, in sizes of the line, or stands further from its baseline.
const SMALL: f64 = 0.86;
/// More characters than this are no exponent, index or mark.
const MAX_SCRIPT: usize = 24;
/// Pieces near a small one that are looked at for the line that it belongs to.
const MAX_NEAR: usize = 64;

/// A line of text, or the cell of one where wide gaps split it. Coordinates are points from the top left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// Of the baseline.
    pub(super) y: f64,
    pub(super) size: f64,
    pub(super) bold: bool,
    /// It begins with the raised mark of a footnote.
    pub(super) is_note: bool,
    /// It holds the value of a field of a form.
    pub(super) is_field: bool,
    /// Cells of the same height to the right of this one, for the rows of tables.
    pub(super) right: Vec<Line>,
    /// Position as a share of the page's text: 0 at its top, 1 at its bottom.
    pub(super) depth: f64,
}

/// Characters that follow each other in the content and on the page.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) marks: Vec<Mark>,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// Of the baseline of most of it.
    y: f64,
    pub(super) size: f64,
    /// The baseline of the line that it belongs to: another one's where it is raised or lowered.
    pub(super) row: f64,
    pub(super) begins_small: bool,
    /// Written in a script without capitals.
    pub(super) is_caseless: bool,
    /// Sentences that end and begin in it.
    pub(super) sentences: usize,
}

/// A character of a piece, by its place among those of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    glyph: usize,
    /// A space stands in front of it in the content.
    space: bool,
}

/// The lines of a page, region by region (columns, boxes), each from top to bottom. On pages of a script that is
/// written from right to left, coordinates are mirrored: what is read first is on the left.
pub(super) fn page(glyphs: Vec<Glyph>, left: &mut Left, budget: &Budget) -> Result<Vec<Vec<Line>>, FileError> {
    let mut glyphs = glyphs::upright(glyphs, left);
    let leftwards = direction::is_leftwards(&glyphs);
    if leftwards {
        direction::mirror(&mut glyphs);
    }
    let (top, bottom) = glyphs.iter().fold((f64::MAX, f64::MIN), |(t, b), glyph| (t.min(glyph.y), b.max(glyph.y)));
    let pieces = with_rows(pieces(&glyphs));
    let writer = Writer { glyphs: &glyphs, leftwards };
    let mut regions = Vec::new();
    for region in columns::regions(pieces, budget)? {
        let mut rows = writer.rows(region, budget)?;
        for row in &mut rows {
            row.depth = if bottom > top { (row.y - top) / (bottom - top) } else { 0.0 };
        }
        regions.push(rows);
    }
    Ok(regions)
}

fn pieces(glyphs: &[Glyph]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Vec<Mark> = Vec::new();
    let (mut end, mut space) = (0.0_f64, false);
    for (at, glyph) in glyphs.iter().enumerate() {
        if glyph.text.trim().is_empty() {
            space = true;
            continue;
        }
        let last = open.last().map(|mark| &glyphs[mark.glyph]);
        let follows = last.is_some_and(|last| {
            let size = glyph.size.max(last.size);
            let first = &glyphs[open[0].glyph];
            (glyph.y - first.y).abs() < 0.5 * size.max(first.size)
                && (-0.5..PIECE_GAP).contains(&((glyph.x - end) / size))
                // Text from right to left that is drawn from left to right steps back.
                && glyph.x + 0.4 * glyph.advance.0 >= last.x
        });
        if !follows {
            pieces.extend(piece(std::mem::take(&mut open), glyphs));
            space = false;
            end = f64::MIN;
        }
        open.push(Mark { glyph: at, space });
        end = end.max(glyph.x + glyph.advance.0);
        space = false;
    }
    pieces.extend(piece(open, glyphs));
    pieces
}

fn piece(marks: Vec<Mark>, glyphs: &[Glyph]) -> Option<Piece> {
    let shown = || marks.iter().map(|mark| &glyphs[mark.glyph]);
    let (size, y) = base(shown())?;
    let letter = shown().flat_map(|glyph| glyph.text.chars()).find(|c| c.is_alphabetic());
    let starts = |glyph: &Glyph, of: fn(char) -> bool| glyph.text.starts_with(of);
    let sentences = marks.windows(2).filter(|pair| {
        let [a, b] = [pair[0], pair[1]].map(|mark| &glyphs[mark.glyph]);
        let apart = pair[1].space || b.x - a.x - a.advance.0 > WORD_GAP * size;
        apart && a.text.ends_with(['.', ',', ';', ':', '?', '!']) && starts(b, char::is_alphabetic)
    });
    Some(Piece {
        x0: shown().map(|glyph| glyph.x).fold(f64::MAX, f64::min),
        x1: shown().map(|glyph| glyph.x + glyph.advance.0).fold(f64::MIN, f64::max),
        y,
        size,
        row: y,
        begins_small: shown().next().is_some_and(|glyph| starts(glyph, char::is_lowercase)),
        is_caseless: letter.is_some_and(|c| !c.is_lowercase() && !c.is_uppercase()),
        sentences: sentences.count(),
        marks,
    })
}

/// The size and the baseline of a line: of the largest letters that are a quarter of it.
fn base<'g>(glyphs: impl Iterator<Item = &'g Glyph> + Clone) -> Option<(f64, f64)> {
    let half = |size: f64| (size * 2.0).round() as i64;
    let mut sizes: Vec<(i64, usize)> = Vec::new();
    let mut total = 0;
    for glyph in glyphs.clone() {
        total += 1;
        match sizes.iter().position(|(size, _)| *size == half(glyph.size)) {
            Some(at) => sizes[at].1 += 1,
            None if sizes.len() < 16 => sizes.push((half(glyph.size), 1)),
            None => {}
        }
    }
    let largest = sizes.iter().filter(|(_, count)| count * 4 >= total).max_by_key(|(size, _)| *size);
    let (size, _) = largest.or_else(|| sizes.iter().max_by_key(|(_, count)| *count))?;
    let usual: Vec<&Glyph> = glyphs.filter(|glyph| half(glyph.size) == *size).collect();
    Some((median(usual.iter().map(|glyph| glyph.size).collect()), median(usual.iter().map(|glyph| glyph.y).collect())))
}

/// How text of `size` at `y` stands to a line; heights grow downwards.
fn rise(size: f64, y: f64, (line_size, line_y): (f64, f64)) -> Rise {
    let up = (line_y - y) / line_size;
    let is_small = size < SMALL * line_size;
    match () {
        () if !(-0.6..=0.9).contains(&up) => Rise::Plain,
        () if up > if is_small { 0.12 } else { 0.22 } => Rise::Raised,
        () if up < if is_small { -0.06 } else { -0.13 } => Rise::Lowered,
        () => Rise::Plain,
    }
}

/// Gives small pieces beside a larger one the row of that one.
fn with_rows(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let belongs = |small: &Piece, large: &Piece| {
        let beside = |gap: f64| (-0.25..0.4).contains(&(gap / large.size));
        (beside(small.x0 - large.x1) || beside(large.x0 - small.x1))
            && (small.size < SMALL * large.size
                || (small.size < 1.05 * large.size && small.marks.len() < large.marks.len()))
            && rise(small.size, small.y, (large.size, large.y)) != Rise::Plain
            && (small.y - large.y).abs() < 0.75 * large.size
    };
    let rows: Vec<f64> = pieces
        .iter()
        .enumerate()
        .map(|(at, small)| {
            let near = pieces[..at].iter().rev().take(MAX_NEAR).chain(pieces[at + 1..].iter().take(MAX_NEAR));
            let mut near = near.filter(|large| small.marks.len() <= 8 && belongs(small, large));
            let first = near.next();
            first.map_or(small.y, |first| {
                near.fold(first, |a, b| if (b.y - small.y).abs() < (a.y - small.y).abs() { b } else { a }).y
            })
        })
        .collect();
    for (piece, row) in pieces.iter_mut().zip(rows) {
        piece.row = row;
    }
    pieces
}

/// Writes pieces as lines.
struct Writer<'a> {
    glyphs: &'a [Glyph],
    leftwards: bool,
}

impl Writer<'_> {
    /// The rows of a region, each with its cells.
    fn rows(&self, mut pieces: Vec<Piece>, budget: &Budget) -> Result<Vec<Line>, FileError> {
        pieces.sort_by(|a, b| a.row.total_cmp(&b.row).then(a.x0.total_cmp(&b.x0)));
        let mut rows: Vec<Vec<Piece>> = Vec::new();
        for piece in pieces {
            match rows.last_mut() {
                Some(row) if piece.row - row[0].row < 0.4 * row[0].size.min(piece.size) => row.push(piece),
                _ => rows.push(vec![piece]),
            }
        }
        let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
        for row in rows {
            budget.check()?;
            let cells = self.cells(row);
            let Some(line) = with_cells(cells) else { continue };
            // The reading of characters, written above them.
            if lines.last().is_some_and(|above| is_reading(above, &line)) {
                lines.pop();
            }
            lines.push(line);
        }
        Ok(lines)
    }

    /// The text of one row, cut where gaps are too wide for words.
    fn cells(&self, mut row: Vec<Piece>) -> Vec<Line> {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        let mut cells: Vec<(Vec<Mark>, f64, f64)> = Vec::new();
        for piece in row {
            match cells.last_mut() {
                Some((marks, end, size))
                    if (-0.3..MAX_WORD_GAP).contains(&((piece.x0 - *end) / size.max(piece.size))) =>
                {
                    marks.extend(piece.marks);
                    *end = end.max(piece.x1);
                    *size = size.max(piece.size);
                }
                _ => cells.push((piece.marks, piece.x1, piece.size)),
            }
        }
        cells.into_iter().filter_map(|(marks, _, _)| self.line(&marks)).collect()
    }

    fn line(&self, marks: &[Mark]) -> Option<Line> {
        let shown: Vec<&Glyph> = marks.iter().map(|mark| &self.glyphs[mark.glyph]).collect();
        // A line that mostly cannot be read says nothing.
        if shown.iter().filter(|glyph| glyph.text.contains(UNKNOWN)).count() * 2 > shown.len() {
            return None;
        }
        let (size, y) = base(shown.iter().copied())?;
        let rises = rises(&shown, (size, y));
        let breaks = super::spacing::breaks(&shown, &marks.iter().map(|mark| mark.space).collect::<Vec<_>>(), size);
        let mut units = Vec::with_capacity(shown.len());
        for (at, glyph) in shown.iter().enumerate() {
            // Raised and lowered text belongs to what it stands behind.
            let belongs = rises[at] != Rise::Plain && !marks[at].space && rises[at.saturating_sub(1)] == Rise::Plain;
            if breaks[at] && !belongs {
                units.push(Unit { text: " ", rise: Rise::Plain });
            }
            units.push(Unit { text: glyph.text.as_str(), rise: rises[at] });
        }
        let mut runs = Runs::default();
        for unit in direction::logical(units, self.leftwards) {
            runs.push(unit.rise, unit.text);
        }
        let bold = shown.iter().filter(|glyph| glyph.bold).count();
        Some(Line {
            text: runs.take(),
            x0: shown.iter().map(|glyph| glyph.x).fold(f64::MAX, f64::min),
            x1: shown.iter().map(|glyph| glyph.x + glyph.advance.0).fold(f64::MIN, f64::max),
            y,
            size,
            bold: bold * 10 > shown.len() * 7,
            is_note: is_note(&shown, &rises),
            is_field: shown.iter().any(|glyph| glyph.is_field),
            right: Vec::new(),
            depth: 0.0,
        })
    }
}

/// Small Japanese syllables right above a line tell how its characters are read.
fn is_reading(above: &Line, line: &Line) -> bool {
    let is_kana = |cell: &Line| cell.text.chars().all(|c| c.is_whitespace() || ('\u{3041}'..='\u{30ff}').contains(&c));
    let is_near = line.y > above.y && line.y - above.y < 1.4 * line.size;
    above.size < 0.65 * line.size
        && is_near
        && above.x0 > line.x0 - line.size
        && std::iter::once(above).chain(&above.right).all(is_kana)
}

/// A raised number or sign in front of words.
fn is_note(shown: &[&Glyph], rises: &[Rise]) -> bool {
    let mark = rises.iter().take_while(|rise| **rise == Rise::Raised).count();
    let is_mark = |glyph: &&Glyph| glyph.text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '†' | '‡' | '§'));
    (1..=3).contains(&mark) && shown.len() > mark + 5 && shown[..mark].iter().all(is_mark)
}

fn rises(shown: &[&Glyph], line: (f64, f64)) -> Vec<Rise> {
    let mut rises: Vec<Rise> = shown.iter().map(|glyph| rise(glyph.size, glyph.y, line)).collect();
    // The lower half of a fraction may stand on the line: only its size tells.
    for at in 2..rises.len() {
        let is_small_digit =
            shown[at].size < SMALL * line.0 && shown[at].text.starts_with(|c: char| c.is_ascii_digit());
        let is_behind = rises[at - 1] == Rise::Lowered
            || (matches!(shown[at - 1].text.as_str(), "/" | "⁄" | "∕") && rises[at - 2] == Rise::Raised);
        if is_small_digit && is_behind && rises[at] == Rise::Plain {
            rises[at] = Rise::Lowered;
        }
    }
    let mut from = 0;
    while from < rises.len() {
        let length = rises[from..].iter().take_while(|rise| **rise == rises[from]).count();
        if length > MAX_SCRIPT {
            rises[from..from + length].fill(Rise::Plain);
        }
        from += length;
    }
    rises
}

/// The cells of a row behind its first. A bullet or a number stands apart from its item, but is no cell.
fn with_cells(cells: Vec<Line>) -> Option<Line> {
    let mut cells = cells.into_iter();
    let mut line = cells.next()?;
    let is_mark = line.text.chars().count() <= 3 && list_item(&format!("{} ", line.text)).is_some();
    if is_mark && let Some(item) = cells.next() {
        line = Line { text: format!("{} {}", line.text, item.text), x0: line.x0, ..item };
    }
    line.right = cells.collect();
    Some(line)
}

pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

pub(super) fn is_word_gap(gap: f64) -> bool {
    gap > WORD_GAP
}

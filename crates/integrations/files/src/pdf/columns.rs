//! A page in regions: columns of prose, each with what stands in it, and what spans them.

use super::lines::Piece;
use crate::{error::FileError, limits::Budget};

/// The least width of the gap between two columns, in sizes of their text.
const GUTTER: f64 = 0.8;
/// Left edges of text that are tried as that of a right column.
const MAX_EDGES: usize = 24;
/// Regions in regions: a page has a head, columns, and boxes in them.
const MAX_CUTS: usize = 12;
/// Fewer lines than this are columns only if sentences run on from each to the next.
const SHORT: usize = 4;
/// Characters of an average line. Narrower columns are those of a table unless sentences run down them.
const WIDE: usize = 18;
const NARROW: usize = 10;

/// The pieces of each region; regions and the pieces in them are in reading order.
pub(super) fn regions(pieces: Vec<Piece>, budget: &Budget) -> Result<Vec<Vec<Piece>>, FileError> {
    let mut out = Vec::new();
    cut(rows(pieces), 0, &mut out, budget)?;
    Ok(out)
}

/// What stands at one height.
#[derive(Debug, Default)]
struct Row {
    y: f64,
    size: f64,
    /// From left to right.
    pieces: Vec<Piece>,
}

impl Row {
    /// Stretches without a gap that could be one between columns.
    fn spans(&self) -> impl Iterator<Item = &[Piece]> {
        self.pieces.chunk_by(|a, b| b.x0 - a.x1 < GUTTER * self.size)
    }
}

/// Pieces that share a height, from the top down.
fn rows(mut pieces: Vec<Piece>) -> Vec<Row> {
    pieces.sort_by(|a, b| a.row.total_cmp(&b.row).then(a.x0.total_cmp(&b.x0)));
    let mut rows: Vec<Row> = Vec::new();
    for piece in pieces {
        match rows.last_mut() {
            Some(row) if piece.row - row.y < 0.4 * row.size.min(piece.size) => {
                row.size = row.size.max(piece.size);
                row.pieces.push(piece);
            }
            _ => rows.push(Row { y: piece.row, size: piece.size, pieces: vec![piece] }),
        }
    }
    for row in &mut rows {
        row.pieces.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    }
    rows
}

/// Splits rows at the columns that hold the most text, into what is above, each column, and what is below.
fn cut(mut rows: Vec<Row>, depth: usize, out: &mut Vec<Vec<Piece>>, budget: &Budget) -> Result<(), FileError> {
    budget.check()?;
    let found = if depth < MAX_CUTS { columns(&rows, budget)? } else { None };
    let Some(found) = found else {
        if !rows.is_empty() {
            out.push(rows.into_iter().flat_map(|row| row.pieces).collect());
        }
        return Ok(());
    };
    let below = rows.split_off(found.to);
    let mut both = rows.split_off(found.from);
    cut(rows, depth + 1, out, budget)?;
    for (from, to) in found.bands {
        let band: Vec<Row> = both.drain(..to - from).collect();
        let pieces = band.into_iter().flat_map(|row| row.pieces);
        let (left, right): (Vec<Piece>, Vec<Piece>) = pieces.partition(|piece| piece.x0 < found.edge);
        cut(self::rows(left), depth + 1, out, budget)?;
        cut(self::rows(right), depth + 1, out, budget)?;
    }
    cut(below, depth + 1, out, budget)
}

/// Two columns in rows `from..to`; the right one begins at `edge`.
struct Columns {
    from: usize,
    to: usize,
    edge: f64,
    /// Stretches that are read one after the other, each column by column.
    bands: Vec<(usize, usize)>,
    chars: usize,
}

/// The columns with the most text.
fn columns(rows: &[Row], budget: &Budget) -> Result<Option<Columns>, FileError> {
    let mut best: Option<Columns> = None;
    for edge in edges(rows) {
        budget.check()?;
        let mut from = 0;
        while from < rows.len() {
            let to = rows[from..].iter().position(|row| crosses(row, edge)).map_or(rows.len(), |n| from + n);
            for (start, end) in between(&rows[from..to], edge) {
                let stretch = &rows[from + start..from + end];
                let chars = text_of_columns(stretch, edge);
                if chars > best.as_ref().map_or(0, |best| best.chars) {
                    let bands = bands(stretch, edge);
                    best = Some(Columns { from: from + start, to: from + end, edge, bands, chars });
                }
            }
            from = to + 1;
        }
    }
    Ok(best)
}

/// Where stretches of text begin below each other, the most frequent first.
fn edges(rows: &[Row]) -> Vec<f64> {
    let mut starts: Vec<f64> = rows.iter().flat_map(Row::spans).filter_map(|span| Some(span.first()?.x0)).collect();
    starts.sort_by(f64::total_cmp);
    let mut groups: Vec<(usize, f64)> =
        starts.chunk_by(|a, b| b - a < 2.0).map(|group| (group.len(), group[0])).skip(1).collect();
    groups.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)));
    groups.into_iter().filter(|(count, _)| *count > 1).take(MAX_EDGES).map(|(_, x)| x - 0.5).collect()
}

fn crosses(row: &Row, edge: f64) -> bool {
    row.spans().any(|span| {
        let (first, last) = (&span[0], span.iter().map(|piece| piece.x1).fold(f64::MIN, f64::max));
        first.x0 < edge && last > edge - GUTTER * row.size
    })
}

/// Stretches of rows between what stands across both columns though nothing of it reaches over the gap: headings and
/// tables.
fn between(rows: &[Row], edge: f64) -> Vec<(usize, usize)> {
    let mut across = tables(rows, edge);
    headings(rows, edge, &mut across);
    let mut stretches = Vec::new();
    let mut from = 0;
    for (at, _) in across.iter().enumerate().filter(|(_, across)| **across) {
        stretches.push((from, at));
        from = at + 1;
    }
    stretches.push((from, rows.len()));
    stretches
}

/// The rows of a table of prose, each of several lines: gaps between them go through both columns, and behind most of
/// them both begin at one height. Paragraphs of columns end where they like.
fn bands(rows: &[Row], edge: f64) -> Vec<(usize, usize)> {
    // By side: the heights of its lines, and at which rows.
    let lines = |right: bool| {
        let has = move |row: &&(usize, &Row)| row.1.pieces.iter().any(|piece| (piece.x0 >= edge) == right);
        rows.iter().enumerate().collect::<Vec<_>>().iter().filter(has).map(|(at, row)| (*at, row.y)).collect::<Vec<_>>()
    };
    let sides = [lines(false), lines(true)];
    let mut steps: Vec<f64> = sides.iter().flat_map(|side| side.windows(2).map(|pair| pair[1].1 - pair[0].1)).collect();
    steps.sort_by(f64::total_cmp);
    let pitch = steps.get(steps.len() / 4).copied().unwrap_or_default();
    let breaks = sides.map(|side| {
        let apart = side.windows(2).filter(|pair| pair[1].1 - pair[0].1 > 1.35 * pitch);
        apart.map(|pair| pair[1].0).collect::<std::collections::BTreeSet<_>>()
    });
    let common: Vec<usize> = breaks[0].intersection(&breaks[1]).copied().collect();
    if common.len() < 2 || common.len() * 10 < breaks[0].len().max(breaks[1].len()) * 7 {
        return vec![(0, rows.len())];
    }
    let starts = std::iter::once(0).chain(common.iter().copied());
    starts.zip(common.iter().copied().chain([rows.len()])).collect()
}

/// Headings that are too short to reach over the gap: they are larger than the text, nothing stands beside them, and
/// below them both columns begin at one height.
fn headings(rows: &[Row], edge: f64, across: &mut [bool]) {
    let size = super::lines::median(rows.iter().map(|row| row.size).collect());
    let has = |row: &Row, right: bool| row.pieces.iter().any(|piece| (piece.x0 >= edge) == right);
    let mut above: Option<f64> = None;
    let mut at = 0;
    while at < rows.len() {
        if has(&rows[at], true) {
            above = Some(rows[at].y);
            at += 1;
            continue;
        }
        let next = rows[at..].iter().position(|row| has(row, true)).map_or(rows.len(), |n| at + n);
        // Behind the last line of the right column, a heading belongs to what follows.
        let begin_together = rows.get(next).is_none_or(|row| has(row, false));
        let apart = above.is_none_or(|above| rows.get(next).is_none_or(|row| row.y - above > 3.2 * size));
        let large = (at..next).rev().take_while(|at| rows[*at].size > 1.12 * size);
        if begin_together && apart {
            large.for_each(|at| across[at] = true);
        }
        at = next;
    }
}

/// Rows of three stretches and more whose left ones end far from the gap, with the caption above them.
fn tables(rows: &[Row], edge: f64) -> Vec<bool> {
    let mut across = vec![false; rows.len()];
    let start = rows.iter().filter_map(|row| Some(row.pieces.first()?.x0)).fold(f64::MAX, f64::min);
    let is_row = |row: &Row| {
        let ends = row.pieces.iter().filter(|piece| piece.x0 < edge).map(|piece| piece.x1).fold(f64::MIN, f64::max);
        let begins = row.pieces.last().is_some_and(|piece| piece.x0 >= edge);
        begins && ends > start && edge - ends > 0.12 * (edge - start) && row.spans().count() > 2
    };
    let mut from = 0;
    while from < rows.len() {
        let length = rows[from..].iter().take_while(|row| is_row(row)).count();
        if length > 1 {
            let above = from.checked_sub(1).map(|at| &rows[at]);
            let is_caption = above.is_some_and(|row| {
                row.pieces.iter().all(|piece| piece.x0 < edge)
                    && rows[from].y - row.y < 2.5 * rows[from].size.max(row.size)
            });
            across[from - usize::from(is_caption)..from + length].fill(true);
        }
        from += length.max(1);
    }
    across
}

/// How many characters two columns hold; 0 where what stands on both sides of `edge` is no prose.
fn text_of_columns(rows: &[Row], edge: f64) -> usize {
    let (mut left, mut right) = (Side::default(), Side::default());
    let mut level = 0;
    for row in rows {
        let at = row.pieces.partition_point(|piece| piece.x0 < edge);
        let (a, b) = row.pieces.split_at(at);
        left.add(a);
        right.add(b);
        level += usize::from(!a.is_empty() && !b.is_empty());
    }
    let lines = left.lines.min(right.lines);
    let is_level = level * 5 >= lines * 4;
    if left.is_prose(is_level) && right.is_prose(is_level) && Side::run_on(&left, &right) {
        left.chars + right.chars
    } else {
        0
    }
}

/// The text on one side of a gap.
#[derive(Debug, Default)]
struct Side {
    lines: usize,
    chars: usize,
    /// Lines after the first that begin with a small letter.
    small: usize,
    /// Lines whose script has no small letters.
    caseless: usize,
    /// Sentences that end and begin within a line.
    sentences: usize,
}

impl Side {
    fn add(&mut self, pieces: &[Piece]) {
        let Some(first) = pieces.first() else { return };
        self.caseless += usize::from(first.is_caseless);
        self.small += usize::from(self.lines > 0 && first.begins_small);
        self.lines += 1;
        self.chars += pieces.iter().map(|piece| piece.marks.len() + 1).sum::<usize>();
        self.sentences += pieces.iter().map(|piece| piece.sentences).sum::<usize>();
    }

    /// How many lines show that sentences run down the column.
    fn signs(&self) -> usize {
        self.small + self.sentences + self.caseless / 2
    }

    fn is_prose(&self, is_level: bool) -> bool {
        let average = self.chars / self.lines.max(1);
        let signs = self.signs();
        match self.lines {
            0 | 1 => false,
            2..SHORT => average >= WIDE && signs > 0,
            lines if average >= WIDE => !is_level || average >= 40 || signs * 8 >= lines,
            lines => average >= NARROW && signs * 5 >= lines * 2,
        }
    }

    /// Of a table, each row is read across; of columns, at least one has sentences.
    fn run_on(left: &Self, right: &Self) -> bool {
        left.signs() > 0 || right.signs() > 0
    }
}

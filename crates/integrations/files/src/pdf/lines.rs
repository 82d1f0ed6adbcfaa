//! From characters to lines in reading order.

use super::content::Glyph;
use crate::{error::FileError, limits::Budget, plain::list_item};

/// A wider gap, in sizes of the text, separates words; the widest between words of one line is [`MAX_WORD_GAP`].
const WORD_GAP: f64 = 0.17;
const MAX_WORD_GAP: f64 = 1.1;
/// Columns of fewer lines than this are not looked for.
const MIN_COLUMN_LINES: usize = 4;
/// Columns narrower than this, in characters of the average line, are those of a table.
const MIN_COLUMN_CHARS: usize = 18;
/// Regions in regions: a page has a head, columns, and boxes in them.
const MAX_CUTS: usize = 12;

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
    /// Cells of the same height to the right of this one, for the rows of tables.
    pub(super) right: Vec<Line>,
    /// Position as a share of the page's text: 0 at its top, 1 at its bottom.
    pub(super) depth: f64,
}

/// The lines of a page, region by region (columns, boxes), each from top to bottom.
pub(super) fn page(glyphs: Vec<Glyph>, budget: &Budget) -> Result<Vec<Vec<Line>>, FileError> {
    let glyphs = upright(glyphs);
    let (top, bottom) = glyphs.iter().fold((f64::MAX, f64::MIN), |(t, b), glyph| (t.min(glyph.y), b.max(glyph.y)));
    let mut pieces = joined(pieces(&glyphs), budget)?;
    for piece in &mut pieces {
        piece.depth = if bottom > top { (piece.y - top) / (bottom - top) } else { 0.0 };
    }
    let mut regions = Vec::new();
    cut(pieces, 0, &mut regions, budget)?;
    Ok(regions.into_iter().map(rows).collect())
}

/// Turns the page so that most of its text runs to the right; text in other directions (stamps, margins) is dropped.
fn upright(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let quarter = |glyph: &Glyph| {
        let (x, y) = glyph.advance;
        if x.abs() < 1e-9 && y.abs() < 1e-9 {
            return None;
        }
        let degrees = y.atan2(x).to_degrees().rem_euclid(360.0);
        let nearest = (degrees / 90.0).round();
        ((degrees - nearest * 90.0).abs() < 5.0).then_some((nearest as usize) % 4)
    };
    let mut counts = [0_usize; 4];
    for glyph in &glyphs {
        if let Some(at) = quarter(glyph) {
            counts[at] += 1;
        }
    }
    let most = (0..4).max_by_key(|at| (counts[*at], 3 - *at)).unwrap_or(0);
    let turned = glyphs.into_iter().filter(|glyph| quarter(glyph).is_none_or(|at| at == most)).map(|mut glyph| {
        let turn = |(x, y): (f64, f64)| match most {
            1 => (y, -x),
            2 => (-x, -y),
            3 => (-y, x),
            _ => (x, y),
        };
        (glyph.x, glyph.y) = turn((glyph.x, glyph.y));
        glyph.advance = turn(glyph.advance);
        glyph
    });
    turned.collect()
}

/// Characters that follow each other in the content and on the page.
fn pieces(glyphs: &[Glyph]) -> Vec<Line> {
    let mut pieces: Vec<Line> = Vec::new();
    let mut open: Option<(Line, usize)> = None;
    let mut space = false;
    let mut last: Option<&Glyph> = None;
    for glyph in glyphs {
        if glyph.text.trim().is_empty() {
            space = true;
            continue;
        }
        // The same character again in nearly the same place is how some programs make bold.
        let doubled = last.is_some_and(|last| {
            last.text == glyph.text
                && (last.x - glyph.x).abs() < glyph.size * 0.15
                && (last.y - glyph.y).abs() < glyph.size * 0.15
        });
        last = Some(glyph);
        if doubled {
            continue;
        }
        if let Some((line, _)) = &mut open {
            let gap = (glyph.x - line.x1) / glyph.size.max(line.size);
            let level = (glyph.y - line.y).abs() < 0.5 * line.size.max(glyph.size);
            if level && (-0.5..MAX_WORD_GAP).contains(&gap) {
                if (space || gap > WORD_GAP) && !line.text.ends_with(' ') {
                    line.text.push(' ');
                }
                space = false;
                extend(&mut open, glyph);
                continue;
            }
        }
        space = false;
        pieces.extend(open.take().map(finished));
        open = Some((
            Line {
                text: glyph.text.clone(),
                x0: glyph.x,
                x1: glyph.x + glyph.advance.0,
                y: glyph.y,
                size: glyph.size,
                bold: false,
                right: Vec::new(),
                depth: 0.0,
            },
            usize::from(glyph.bold),
        ));
    }
    pieces.extend(open.take().map(finished));
    pieces
}

fn extend(open: &mut Option<(Line, usize)>, glyph: &Glyph) {
    let Some((line, bold)) = open else { return };
    line.text.push_str(&glyph.text);
    line.x1 = line.x1.max(glyph.x + glyph.advance.0);
    // A raised figure or a large initial at its start is not what the line looks like.
    if line.text.chars().nth(3).is_none() {
        line.size = glyph.size;
        line.y = glyph.y;
    }
    *bold += usize::from(glyph.bold);
}

fn finished((mut line, bold): (Line, usize)) -> Line {
    line.bold = bold * 10 > line.text.chars().filter(|c| !c.is_whitespace()).count() * 7;
    line
}

/// Joins what stands on one line with no more than a word's gap between, wherever it was in the content.
fn joined(mut pieces: Vec<Line>, budget: &Budget) -> Result<Vec<Line>, FileError> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut out: Vec<Line> = Vec::new();
    let mut from = 0;
    while from < pieces.len() {
        budget.check()?;
        let y = pieces[from].y;
        let size = pieces[from].size;
        let to = pieces[from..]
            .iter()
            .position(|piece| piece.y > y + 0.4 * size.max(piece.size))
            .map_or(pieces.len(), |n| from + n);
        let mut row: Vec<Line> = pieces[from..to].to_vec();
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        for piece in row {
            match out.last_mut() {
                Some(line) if continues(line, &piece, y) => {
                    let gap = (piece.x0 - line.x1) / piece.size.max(line.size);
                    if gap > WORD_GAP {
                        line.text.push(' ');
                    }
                    // Nor is a bullet.
                    if piece.text.len() > line.text.len() {
                        (line.size, line.y) = (piece.size, piece.y);
                    }
                    line.text.push_str(&piece.text);
                    line.x1 = line.x1.max(piece.x1);
                    line.bold &= piece.bold;
                }
                _ => out.push(piece),
            }
        }
        from = to;
    }
    Ok(out)
}

fn continues(line: &Line, piece: &Line, row: f64) -> bool {
    let size = piece.size.max(line.size);
    let gap = (piece.x0 - line.x1) / size;
    line.y >= row - 0.5 * size && (piece.y - line.y).abs() < 0.5 * size && (-0.3..MAX_WORD_GAP).contains(&gap)
}

/// Splits a region at the widest gutter between columns, else at the widest empty strip across it, as long as that
/// leaves columns of prose to find.
fn cut(lines: Vec<Line>, depth: usize, out: &mut Vec<Vec<Line>>, budget: &Budget) -> Result<(), FileError> {
    budget.check()?;
    if lines.is_empty() {
        return Ok(());
    }
    if depth < MAX_CUTS && lines.len() >= 2 * MIN_COLUMN_LINES {
        if let Some(x) = gutter(&lines) {
            let (left, right) = lines.into_iter().partition(|line: &Line| (line.x0 + line.x1) / 2.0 < x);
            cut(left, depth + 1, out, budget)?;
            return cut(right, depth + 1, out, budget);
        }
        if let Some(y) = strip(&lines) {
            let (above, below): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|line| line.y < y);
            cut(above, depth + 1, out, budget)?;
            return cut(below, depth + 1, out, budget);
        }
    }
    out.push(lines);
    Ok(())
}

/// The middle of the widest vertical gap that no line crosses and that has prose on both sides.
fn gutter(lines: &[Line]) -> Option<f64> {
    let mut spans: Vec<(f64, f64)> = lines.iter().map(|line| (line.x0, line.x1)).collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = median(lines.iter().map(|line| line.size).collect());
    let mut best: Option<(f64, f64)> = None;
    let mut reach = spans.first()?.1;
    for (x0, x1) in spans {
        let gap = x0 - reach;
        if gap > 0.8 * size && best.is_none_or(|(widest, _)| gap > widest) && is_prose(lines, reach + gap / 2.0) {
            best = Some((gap, reach + gap / 2.0));
        }
        reach = reach.max(x1);
    }
    best.map(|(_, x)| x)
}

fn is_prose(lines: &[Line], x: f64) -> bool {
    let prose = |left: bool| {
        let side: Vec<&Line> = lines.iter().filter(|line| ((line.x0 + line.x1) / 2.0 < x) == left).collect();
        let chars: usize = side.iter().map(|line| line.text.chars().count()).sum();
        side.len() >= MIN_COLUMN_LINES && chars >= side.len() * MIN_COLUMN_CHARS
    };
    prose(true) && prose(false)
}

/// The height of the cut between lines that cross a would-be gutter and columns: tried at gaps between baselines, the
/// widest first, where one side then has a gutter.
fn strip(lines: &[Line]) -> Option<f64> {
    let mut heights: Vec<f64> = lines.iter().map(|line| line.y).collect();
    heights.sort_by(f64::total_cmp);
    let mut gaps: Vec<(f64, f64)> = heights
        .windows(2)
        .map(|pair| (pair[1] - pair[0], (pair[0] + pair[1]) / 2.0))
        .filter(|(gap, _)| *gap > 2.0)
        .collect();
    gaps.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    gaps.iter().take(24).map(|(_, y)| *y).find(|y| {
        let (above, below): (Vec<Line>, Vec<Line>) = lines.iter().cloned().partition(|line| line.y < *y);
        gutter(&above).is_some() || gutter(&below).is_some()
    })
}

/// Puts cells of one height behind the first of them.
fn rows(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x0.total_cmp(&b.x0)));
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some(first) if (line.y - first.y).abs() < 0.4 * first.size.min(line.size) => first.right.push(line),
            _ => out.push(line),
        }
    }
    for line in &mut out {
        let mut cells = std::mem::take(&mut line.right);
        if cells.iter().any(|cell| cell.x0 < line.x0) {
            cells.push(Line { right: Vec::new(), ..line.clone() });
            cells.sort_by(|a, b| a.x0.total_cmp(&b.x0));
            *line = cells.remove(0);
        }
        cells.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        // A bullet or a number stands apart from its item, but is no cell.
        let is_mark = line.text.chars().count() <= 3 && list_item(&format!("{} ", line.text)).is_some();
        if is_mark && !cells.is_empty() {
            let item = cells.remove(0);
            *line = Line { text: format!("{} {}", line.text, item.text), x0: line.x0, depth: line.depth, ..item };
        }
        line.right = cells;
    }
    out
}

pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

//! Lines: where to break, and the largest size at which the text fits.

use unicode_linebreak::linebreaks;
use unicode_segmentation::UnicodeSegmentation;

use crate::{CardError, clean::shortened, font::Typeface};

/// A box to fill. Lengths in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub width: f32,
    pub height: f32,
    /// Sizes to try, largest first, in pixels per em.
    pub sizes: &'static [f32],
    /// From this size down a word too wide for the line may be broken inside.
    pub break_words_from: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub size: f32,
    pub line_height: f32,
    pub lines: Vec<String>,
    /// The text did not fit even at the smallest size and ends in an ellipsis.
    pub shortened: bool,
}

impl Block {
    /// From the top of the capitals of the first line to the baseline of the last.
    pub fn ink_height(&self, cap_height: f32) -> f32 {
        self.lines.len().saturating_sub(1) as f32 * self.line_height + cap_height * self.size
    }
}

/// Large type is set tighter than small type.
fn line_height(size: f32) -> f32 {
    let loose = ((96.0 - size) / 60.0).clamp(0.0, 1.0);
    (size * (1.1 + 0.16 * loose)).round()
}

/// Breaks `text` into lines at the largest size at which all of it fits into `frame`, lines about equally long.
pub(crate) fn fit(text: &str, face: &Typeface, frame: Frame) -> Result<Block, CardError> {
    let measured = Measured::new(text, face)?;
    let block = |size: f32, lines: Vec<(usize, usize)>, shortened| Block {
        size,
        line_height: line_height(size),
        lines: lines.into_iter().map(|(from, to)| text[from..to].trim().to_owned()).collect(),
        shortened,
    };
    // One monstrous word is broken rather than the whole title set small for it.
    let break_size = frame.break_words_from;
    let within_words = measured.widest() / face.units_per_em() * break_size * 0.6 > frame.width;
    for &size in frame.sizes.iter().filter(|&&size| !within_words || size <= break_size) {
        let limit = frame.width * face.units_per_em() / size;
        let Some(lines) = measured.lines(limit, within_words) else { continue };
        let greedy = block(size, lines.clone(), false);
        if greedy.ink_height(face.cap_height()) <= frame.height {
            return Ok(block(size, measured.balanced(lines, limit, within_words), false));
        }
    }
    let size = frame.sizes.last().copied().unwrap_or(28.0);
    let lines = measured.lines(frame.width * face.units_per_em() / size, true).unwrap_or_default();
    let room = 1 + ((frame.height - face.cap_height() * size) / line_height(size)).max(0.0) as usize;
    // As much as there is room for, of that whole phrases; the ellipsis takes the place of punctuation or of a word.
    let end = lines.get(room.saturating_sub(1)).map_or(text.len(), |&(_, to)| to);
    let shown = shortened(text, end);
    let limit = frame.width * face.units_per_em() / size;
    let lines = Measured::new(&shown, face)?.lines(limit, true).unwrap_or_default();
    let lines = lines.into_iter().take(room).map(|(from, to)| shown[from..to].trim().to_owned()).collect();
    Ok(Block { size, line_height: line_height(size), lines, shortened: true })
}

/// The beginning of `text` that fits on one line, whole phrases or words, with an ellipsis where that is not all (`true`).
pub(crate) fn fit_line(text: &str, face: &Typeface, size: f32, width: f32) -> Result<(String, bool), CardError> {
    let limit = width / size * face.units_per_em();
    let measured = Measured::new(text, face)?;
    if measured.width(0, text.len()) <= limit {
        return Ok((text.to_owned(), false));
    }
    let room = limit - Measured::new("…", face)?.width(0, '…'.len_utf8());
    let end = text.grapheme_indices(true).map(|(at, _)| at).take_while(|&at| measured.width(0, at) <= room).last();
    Ok((shortened(text, end.unwrap_or(0)), true))
}

/// A text with the running width of its beginning at every byte where a glyph starts. Shaped once: widths grow
/// with the size, so one measure serves all sizes.
struct Measured<'t> {
    text: &'t str,
    /// `(byte, width of everything before it in font units)`, ascending, the end included.
    marks: Vec<(usize, f32)>,
    /// Bytes where a line may end.
    breaks: Vec<usize>,
}

impl<'t> Measured<'t> {
    fn new(text: &'t str, face: &Typeface) -> Result<Self, CardError> {
        let mut marks: Vec<(usize, f32)> = Vec::new();
        let mut width = 0i64;
        for glyph in face.shape(text)? {
            if marks.last().is_none_or(|&(at, _)| at < glyph.start) {
                marks.push((glyph.start, width as f32));
            }
            width += i64::from(glyph.advance);
        }
        marks.push((text.len(), width as f32));
        Ok(Self { text, marks, breaks: linebreaks(text).map(|(at, _)| at).collect() })
    }

    fn before(&self, byte: usize) -> f32 {
        // A byte inside a ligature has no mark of its own; the next one is the safe side.
        let at = self.marks.partition_point(|&(at, _)| at < byte);
        self.marks.get(at).or(self.marks.last()).map_or(0.0, |&(_, width)| width)
    }

    /// Width of a piece without the white space at its end.
    fn width(&self, from: usize, to: usize) -> f32 {
        let end = from + self.text[from..to].trim_end().len();
        self.before(end) - self.before(from)
    }

    /// Width of the widest piece that a line break does not split, in font units.
    fn widest(&self) -> f32 {
        let starts = std::iter::once(0).chain(self.breaks.iter().copied());
        starts.zip(&self.breaks).map(|(from, &to)| self.width(from, to)).fold(0.0, f32::max)
    }

    /// Fills lines of at most `limit` font units one after the other; `None` where a word is wider than the line
    /// and may not be broken.
    fn lines(&self, limit: f32, within_words: bool) -> Option<Vec<(usize, usize)>> {
        let mut lines = Vec::new();
        let (mut from, mut end) = (0, 0);
        for &to in &self.breaks {
            if self.width(from, to) <= limit {
                end = to;
                continue;
            }
            if end > from {
                lines.push((from, end));
                from = end;
            }
            while self.width(from, to) > limit {
                if !within_words {
                    return None;
                }
                let piece = self.text[from..to]
                    .grapheme_indices(true)
                    .map(|(at, _)| from + at)
                    .skip(1)
                    .take_while(|&at| self.width(from, at) <= limit)
                    .last()?;
                lines.push((from, piece));
                from = piece;
            }
            end = to;
        }
        if from < self.text.len() {
            lines.push((from, self.text.len()));
        }
        Some(lines)
    }

    /// The same number of lines, as narrow as it goes: no short last line below long ones.
    fn balanced(&self, lines: Vec<(usize, usize)>, limit: f32, within_words: bool) -> Vec<(usize, usize)> {
        let (mut low, mut high, mut best) = (limit / 2.0, limit, lines);
        if within_words {
            return best;
        }
        for _ in 0..12 {
            let middle = f32::midpoint(low, high);
            match self.lines(middle, within_words) {
                Some(narrow) if narrow.len() == best.len() => (best, high) = (narrow, middle),
                _ => low = middle,
            }
        }
        best
    }
}

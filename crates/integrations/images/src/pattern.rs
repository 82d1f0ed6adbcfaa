//! The ground of a card: a gradient and one of a few geometric patterns that grow stronger to the right, away from the
//! beginning of the text, and never so strong that text over them is hard to read.

use tiny_skia::{FillRule, Path, PathBuilder};

use crate::{
    HEIGHT, WIDTH,
    canvas::{Canvas, Faded},
    palette::{PALETTES, Palette, Rgb},
};

const W: f32 = WIDTH as f32;
const H: f32 = HEIGHT as f32;

/// As many patterns as [`draw_pattern`] knows.
const PATTERNS: u64 = 6;

/// `None` only if the canvas could not be made.
pub(crate) fn background(palette: &Palette, seed: u64) -> Option<Canvas> {
    let mut canvas = Canvas::of_rows(&ground(palette.ground))?;
    let mut dice = Dice(seed);
    let mut board = Board(Vec::new());
    draw_pattern(&mut board, (seed / PALETTES.len() as u64) % PATTERNS, &mut dice)?;
    canvas.fill_faded(&board.0, palette.pattern, &fading());
    Some(canvas)
}

/// How far to the right the middle of each column is, from 0 to 1.
fn columns() -> impl Iterator<Item = f32> {
    (0..WIDTH).map(|x| (x as f32 + 0.5) / W)
}

/// A row of the ground. All rows are equal, as is what lies inside of a shape: the filter of the PNG leaves only edges.
fn ground([from, to]: [Rgb; 2]) -> Vec<[u8; 3]> {
    let mix = |from: u8, to: u8, at: f32| (f32::from(from) + (f32::from(to) - f32::from(from)) * at).round() as u8;
    columns().map(|at| [mix(from.0, to.0, at), mix(from.1, to.1, at), mix(from.2, to.2, at)]).collect()
}

/// How strong the pattern is in each column: from nearly nothing at the left edge to 1 at the right.
fn fading() -> Vec<f32> {
    columns().map(|at| 0.06 + 0.94 * ((at - 0.1) / 0.9).max(0.0)).collect()
}

fn draw_pattern(board: &mut Board, pattern: u64, dice: &mut Dice) -> Option<()> {
    match pattern {
        0 => rings(board, dice),
        1 => tiles(board, dice),
        2 => bands(board, dice),
        3 => dots(board, dice),
        4 => waves(board, dice),
        _ => discs(board, dice),
    }
}

/// SplitMix64: small, fast, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }
}

struct Board(Vec<Faded>);

impl Board {
    fn fill(&mut self, path: Path, strength: f32) {
        self.0.push(Faded { path, rule: FillRule::Winding, strength });
    }
}

/// Circles around a point beyond the lower or upper right corner.
fn rings(board: &mut Board, dice: &mut Dice) -> Option<()> {
    const HALF: f32 = 15.0;
    let y = if dice.below(2) == 0 { H + 40.0 } else { -40.0 };
    let x = W - dice.within(0.0, 160.0);
    for ring in 0..9u8 {
        let radius = 90.0 + f32::from(ring) * 84.0;
        let mut path = PathBuilder::new();
        path.push_circle(x, y, radius + HALF);
        path.push_circle(x, y, radius - HALF);
        board.0.push(Faded { path: path.finish()?, rule: FillRule::EvenOdd, strength: 0.22 - f32::from(ring) * 0.015 });
    }
    Some(())
}

/// Squares with quarter circles in the right third, each turned at random.
fn tiles(board: &mut Board, dice: &mut Dice) -> Option<()> {
    const SIDE: f32 = H / 5.0;
    for column in 0..4u8 {
        for row in 0..5u8 {
            let (x, y) = (W - SIDE * (f32::from(column) + 1.0), SIDE * f32::from(row));
            // The further left, the emptier.
            if dice.below(5) < u64::from(column) {
                continue;
            }
            let alpha = 0.08 + 0.04 * dice.below(4) as f32;
            let path = match dice.below(5) {
                4 => PathBuilder::from_circle(x + SIDE / 2.0, y + SIDE / 2.0, SIDE / 2.0)?,
                corner => quarter(x, y, SIDE, corner)?,
            };
            board.fill(path, alpha);
        }
    }
    Some(())
}

/// A quarter of a disc that fills a square, its centre in one of the corners.
fn quarter(x: f32, y: f32, side: f32, corner: u64) -> Option<Path> {
    const K: f32 = 0.552_284_8; // a cubic that is a quarter circle to within 0.03 %
    let (left, top) = (corner.is_multiple_of(2), corner < 2);
    let (cx, dx) = if left { (x, side) } else { (x + side, -side) };
    let (cy, dy) = if top { (y, side) } else { (y + side, -side) };
    let mut path = PathBuilder::new();
    path.move_to(cx, cy);
    path.line_to(cx + dx, cy);
    path.cubic_to(cx + dx, cy + dy * K, cx + dx * K, cy + dy, cx, cy + dy);
    path.close();
    path.finish()
}

/// Slanted stripes of several widths.
fn bands(board: &mut Board, dice: &mut Dice) -> Option<()> {
    let slant = dice.within(160.0, 320.0);
    let mut x = W * 0.42;
    while x < W + slant {
        let width = dice.within(16.0, 88.0);
        let mut path = PathBuilder::new();
        path.move_to(x, 0.0);
        path.line_to(x + width, 0.0);
        path.line_to(x + width - slant, H);
        path.line_to(x - slant, H);
        path.close();
        board.fill(path.finish()?, dice.within(0.06, 0.2));
        x += width + dice.within(14.0, 60.0);
    }
    Some(())
}

/// A grid of dots that swell towards a corner.
fn dots(board: &mut Board, dice: &mut Dice) -> Option<()> {
    const STEP: f32 = 42.0;
    let down = dice.below(2) == 0;
    let mut path = PathBuilder::new();
    for column in 0..28u8 {
        for row in 0..15u8 {
            let (x, y) = (STEP * (f32::from(column) + 0.8), STEP * (f32::from(row) + 0.5));
            let height = if down { y / H } else { 1.0 - y / H };
            let radius = 15.0 * (x / W * 1.15 + height * 0.75 - 0.9);
            if radius > 0.8 {
                path.push_circle(x, y, radius.min(15.0));
            }
        }
    }
    board.fill(path.finish()?, 0.25);
    Some(())
}

/// Hills along the lower edge, one behind the other.
fn waves(board: &mut Board, dice: &mut Dice) -> Option<()> {
    for layer in 0..4u8 {
        let base = H * (0.4 + 0.14 * f32::from(layer));
        let (lift, shift) = (dice.within(60.0, 130.0), dice.within(-120.0, 120.0));
        let mut path = PathBuilder::new();
        path.move_to(-200.0, H);
        path.line_to(-200.0, base + lift);
        path.cubic_to(W * 0.3 + shift, base + lift, W * 0.45 + shift, base - lift, W * 0.75 + shift, base - lift * 0.4);
        path.cubic_to(W * 0.9 + shift, base, W + 60.0, base - lift, W + 200.0, base - lift);
        path.line_to(W + 200.0, H);
        path.close();
        board.fill(path.finish()?, 0.09);
    }
    Some(())
}

/// A few large discs that overlap at the right.
fn discs(board: &mut Board, dice: &mut Dice) -> Option<()> {
    for _ in 0..5 {
        let radius = dice.within(110.0, 260.0);
        let (x, y) = (dice.within(W * 0.68, W + 40.0), dice.within(0.0, H));
        board.fill(PathBuilder::from_circle(x, y, radius)?, 0.092);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::tests::contrast;

    /// Letters may stand anywhere on the card, so every pixel of every ground has to carry them.
    #[test]
    fn text_has_a_contrast_of_at_least_4_5_everywhere() {
        for seed in 0..PALETTES.len() as u64 * PATTERNS {
            let palette = Palette::pick(seed);
            let canvas = background(palette, seed).unwrap();
            let mut colours: Vec<[u8; 3]> = canvas.rgb().as_chunks::<3>().0.iter().step_by(7).copied().collect();
            colours.sort_unstable();
            colours.dedup();
            for [r, g, b] in colours {
                for (what, ink) in [("title", palette.title), ("subtitle", palette.subtitle)] {
                    let ratio = contrast(ink, Rgb(r, g, b));
                    assert!(ratio >= 4.5, "seed {seed}: {what} on #{r:02x}{g:02x}{b:02x} is {ratio:.2}");
                }
            }
        }
    }

    #[test]
    fn seeds_differ_and_repeat() {
        let data = |seed| background(Palette::pick(seed), seed).unwrap().rgb().to_vec();
        assert_eq!(data(61), data(61));
        assert_ne!(data(1), data(2));
        assert_ne!(data(1), data(61), "same palette and pattern, other dice");
    }
}

//! The picture in the making: three bytes for each pixel, and shapes that are laid over them.
//!
//! `tiny-skia` says how much of each pixel a shape covers; the blending is done here. Its own pipeline for gradients took
//! most of the time of a card, because it knows nothing of them: ours change along a row only.

use tiny_skia::{FillRule, Mask, Path};

use crate::{HEIGHT, WIDTH, palette::Rgb};

const W: usize = WIDTH as usize;

pub(crate) struct Canvas {
    rgb: Vec<u8>,
    mask: Mask,
}

/// The pixels that a shape can touch: rows and columns, each from and up to.
struct Reach {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl Canvas {
    /// A canvas of which every row is the same; `None` only if it could not be made.
    pub fn of_rows(row: &[[u8; 3]]) -> Option<Self> {
        Some(Self { rgb: row.as_flattened().repeat(HEIGHT as usize), mask: Mask::new(WIDTH, HEIGHT)? })
    }

    /// RGB, row by row from the top.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// Lays a shape of one colour over the picture.
    pub fn fill(&mut self, path: &Path, Rgb(r, g, b): Rgb) {
        let Some(reach) = self.cover(path, FillRule::Winding) else { return };
        for y in reach.rows.clone() {
            let covered = &self.mask.data()[y * W..][reach.columns.clone()];
            let row = &mut self.rgb[y * W * 3..][reach.columns.start * 3..reach.columns.end * 3];
            for (pixel, &cover) in row.as_chunks_mut::<3>().0.iter_mut().zip(covered).filter(|&(_, &cover)| cover > 0) {
                *pixel = [blend(pixel[0], r, cover), blend(pixel[1], g, cover), blend(pixel[2], b, cover)];
            }
        }
        self.uncover(&reach);
    }

    /// Lays shapes of one colour over the picture, in order. Each lets through what its own strength leaves, which
    /// `fading` says for each column when the strength is 1. Where shapes lie over each other what they let through is
    /// multiplied and rounded once at the end: each rounded by itself left visible steps.
    pub fn fill_faded(&mut self, shapes: &[Faded], ink: Rgb, fading: &[f32]) {
        let mut passed = vec![1.0f32; W * HEIGHT as usize];
        let mut touched = vec![(W, 0); HEIGHT as usize];
        for shape in shapes {
            let Some(reach) = self.cover(&shape.path, shape.rule) else { continue };
            let taken: Vec<f32> = fading[reach.columns.clone()].iter().map(|f| f * shape.strength / 255.0).collect();
            for y in reach.rows.clone() {
                let covered = &self.mask.data()[y * W..][reach.columns.clone()];
                let passed = &mut passed[y * W..][reach.columns.clone()];
                for ((passed, &cover), taken) in passed.iter_mut().zip(covered).zip(&taken) {
                    *passed *= 1.0 - f32::from(cover) * taken;
                }
                let (from, to) = &mut touched[y];
                (*from, *to) = ((*from).min(reach.columns.start), (*to).max(reach.columns.end));
            }
            self.uncover(&reach);
        }
        let ink = [f32::from(ink.0) + 0.5, f32::from(ink.1) + 0.5, f32::from(ink.2) + 0.5];
        for (y, (from, to)) in touched.into_iter().enumerate().filter(|(_, (from, to))| from < to) {
            let row = &mut self.rgb[y * W * 3..][from * 3..to * 3];
            for (pixel, &passed) in row.as_chunks_mut::<3>().0.iter_mut().zip(&passed[y * W..][from..to]) {
                for (value, ink) in pixel.iter_mut().zip(ink) {
                    *value = (ink + (f32::from(*value) + 0.5 - ink) * passed) as u8;
                }
            }
        }
    }

    /// Writes to the mask how much of each pixel the shape covers; `None` where it covers none of the picture.
    fn cover(&mut self, path: &Path, rule: FillRule) -> Option<Reach> {
        let bounds = path.bounds();
        let within = |from: f32, to: f32, end: u32| {
            let (from, to) = (from.floor().max(0.0) as usize, (to.ceil() + 1.0).clamp(0.0, end as f32) as usize);
            (from < to).then_some(from..to)
        };
        let rows = within(bounds.top(), bounds.bottom(), HEIGHT)?;
        let columns = within(bounds.left(), bounds.right(), WIDTH)?;
        self.mask.fill_path(path, rule, true, tiny_skia::Transform::identity());
        Some(Reach { rows, columns })
    }

    fn uncover(&mut self, reach: &Reach) {
        for y in reach.rows.clone() {
            self.mask.data_mut()[y * W..][reach.columns.clone()].fill(0);
        }
    }
}

/// A shape that lets something through.
pub(crate) struct Faded {
    pub path: Path,
    pub rule: FillRule,
    /// From 0 to 1.
    pub strength: f32,
}

/// `under` with so many 255ths of `over` on it.
fn blend(under: u8, over: u8, cover: u8) -> u8 {
    let cover = u32::from(cover);
    ((u32::from(over) * cover + u32::from(under) * (255 - cover) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use tiny_skia::{PathBuilder, Rect};

    use super::*;

    fn rect(x: f32, y: f32, w: f32, h: f32) -> Path {
        PathBuilder::from_rect(Rect::from_xywh(x, y, w, h).unwrap())
    }

    fn grey() -> Canvas {
        Canvas::of_rows(&[[100; 3]; W]).unwrap()
    }

    fn at(canvas: &Canvas, x: usize, y: usize) -> [u8; 3] {
        canvas.rgb().as_chunks::<3>().0[y * W + x]
    }

    #[test]
    fn a_shape_colours_its_own_pixels_and_half_of_those_on_its_edge() {
        let mut canvas = grey();
        canvas.fill(&rect(10.0, 20.0, 4.5, 3.0), Rgb(200, 0, 100));
        assert_eq!(at(&canvas, 10, 20), [200, 0, 100]);
        assert_eq!(at(&canvas, 13, 22), [200, 0, 100]);
        let [r, g, b] = at(&canvas, 14, 21);
        assert!((148..=152).contains(&r) && (48..=52).contains(&g) && b == 100, "{r} {g} {b}");
        for (x, y) in [(9, 20), (10, 19), (15, 20), (10, 23)] {
            assert_eq!(at(&canvas, x, y), [100; 3], "{x} {y}");
        }
    }

    #[test]
    fn what_two_shapes_let_through_is_multiplied() {
        let mut canvas = grey();
        let shape = |x: f32| Faded { path: rect(x, 0.0, 10.0, 10.0), rule: FillRule::Winding, strength: 0.5 };
        canvas.fill_faded(&[shape(0.0), shape(5.0)], Rgb(200, 100, 0), &[1.0; W]);
        assert_eq!(at(&canvas, 2, 5), [150, 100, 50]);
        assert_eq!(at(&canvas, 7, 5), [175, 100, 25]);
        assert_eq!(at(&canvas, 12, 5), [150, 100, 50]);
        assert_eq!(at(&canvas, 15, 5), [100; 3]);
    }

    #[test]
    fn shapes_that_reach_beyond_the_picture_are_cut_and_those_outside_leave_nothing() {
        let mut canvas = grey();
        for (x, y) in [(-50.0, -50.0), (W as f32 - 50.0, HEIGHT as f32 - 50.0), (-500.0, 0.0), (0.0, 4000.0)] {
            canvas.fill(&rect(x, y, 100.0, 100.0), Rgb(0, 0, 0));
        }
        assert_eq!(at(&canvas, 0, 0), [0; 3]);
        assert_eq!(at(&canvas, W - 1, HEIGHT as usize - 1), [0; 3]);
        let dark = canvas.rgb().iter().filter(|&&value| value == 0).count();
        assert_eq!(dark, 2 * 50 * 50 * 3);
    }
}

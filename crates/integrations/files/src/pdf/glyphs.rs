//! The characters of a page that a reader sees, each once, with the page turned upright.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::content::Glyph;

/// The same character within this distance, in sizes of the text, was printed twice to look bold or to cast a shadow.
const SHADOW: f64 = 0.15;
/// Characters of one small square of the page that are compared with each other.
const MAX_COMPARED: usize = 16;

/// How many characters were left out.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Left {
    /// Neither level nor upright: watermarks and stamps.
    pub(super) slanted: usize,
}

impl Left {
    /// For people.
    pub(super) fn warnings(self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.slanted > 0 {
            warnings.push(format!("slanted text, as of watermarks, was left out; characters of it: {}", self.slanted));
        }
        warnings
    }
}

/// Turns the page so that most of its text runs to the right; text in other directions (stamps, margins) is dropped.
pub(super) fn upright(glyphs: Vec<Glyph>, left: &mut Left) -> Vec<Glyph> {
    let mut counts = [0_usize; 4];
    for glyph in &glyphs {
        if let Direction::Quarter(at) = direction(glyph) {
            counts[at] += 1;
        }
    }
    let most = (0..4).max_by_key(|at| (counts[*at], 3 - *at)).unwrap_or(0);
    let turn = |(x, y): (f64, f64)| match most {
        1 => (y, -x),
        2 => (-x, -y),
        3 => (-y, x),
        _ => (x, y),
    };
    let mut kept = Vec::with_capacity(glyphs.len());
    for mut glyph in glyphs {
        match direction(&glyph) {
            Direction::Slanted => left.slanted += usize::from(!glyph.text.trim().is_empty()),
            Direction::Quarter(at) if at != most => {}
            _ => {
                (glyph.x, glyph.y) = turn((glyph.x, glyph.y));
                glyph.advance = turn(glyph.advance);
                kept.push(glyph);
            }
        }
    }
    once(kept)
}

enum Direction {
    /// Without a width: no telling.
    None,
    /// Quarters of a turn, clockwise.
    Quarter(usize),
    Slanted,
}

fn direction(glyph: &Glyph) -> Direction {
    let (x, y) = glyph.advance;
    if x.abs() < 1e-9 && y.abs() < 1e-9 {
        return Direction::None;
    }
    let degrees = y.atan2(x).to_degrees().rem_euclid(360.0);
    let nearest = (degrees / 90.0).round();
    // Scanned pages are fed in up to this far from straight.
    if (degrees - nearest * 90.0).abs() < 5.0 { Direction::Quarter((nearest as usize) % 4) } else { Direction::Slanted }
}

/// Leaves out what was printed twice; the first of the two is bold then.
fn once(mut glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut squares: HashMap<(u64, i64, i64), Vec<usize>> = HashMap::new();
    let mut doubled = vec![false; glyphs.len()];
    for at in 0..glyphs.len() {
        let glyph = &glyphs[at];
        if glyph.text.trim().is_empty() {
            continue;
        }
        let reach = (glyph.size * SHADOW).max(0.1);
        let mut hasher = DefaultHasher::new();
        (&glyph.text, (glyph.size * 4.0).round() as i64).hash(&mut hasher);
        let (key, column, row) = (hasher.finish(), (glyph.x / reach).floor() as i64, (glyph.y / reach).floor() as i64);
        let near = |other: &Glyph| (other.x - glyph.x).abs() < reach && (other.y - glyph.y).abs() < reach;
        let first = (-1..=1)
            .flat_map(|x| (-1..=1).map(move |y| (key, column + x, row + y)))
            .find_map(|square| squares.get(&square)?.iter().copied().find(|first| near(&glyphs[*first])));
        if let Some(first) = first {
            doubled[at] = true;
            glyphs[first].bold = true;
        } else {
            let square = squares.entry((key, column, row)).or_default();
            if square.len() < MAX_COMPARED {
                square.push(at);
            }
        }
    }
    let mut doubled = doubled.into_iter();
    glyphs.retain(|_| !doubled.next().unwrap_or_default());
    glyphs
}

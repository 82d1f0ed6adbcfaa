//! Where the words of a line begin.

use super::{content::Glyph, lines::is_word_gap};

/// This many letters with gaps between all of them are letter-spaced words; capitals with spaces between them, one more.
const LEAST: usize = 4;
/// How much wider than between letter-spaced letters a gap between words is, in sizes of the text.
const WIDER: f64 = 0.15;

/// For each character of a line from left to right, whether a word begins with it. `spaces` says where spaces stand.
pub(super) fn breaks(glyphs: &[&Glyph], spaces: &[bool], size: f64) -> Vec<bool> {
    let mut gaps = Vec::with_capacity(glyphs.len());
    let mut end: Option<f64> = None;
    for glyph in glyphs {
        gaps.push(end.map_or(0.0, |end| (glyph.x - end) / size));
        end = Some(end.unwrap_or(f64::MIN).max(glyph.x + glyph.advance.0));
    }
    let mut breaks: Vec<bool> = (0..glyphs.len()).map(|at| at > 0 && (spaces[at] || is_word_gap(gaps[at]))).collect();
    let mut at = 0;
    while at < glyphs.len() {
        let run = single_letters(&breaks, at);
        join(&glyphs[at..at + run], &spaces[at..at + run], &gaps[at..at + run], &mut breaks[at..at + run]);
        at += run.max(1);
    }
    breaks
}

/// How many characters from `from` on are words of their own.
fn single_letters(breaks: &[bool], from: usize) -> usize {
    let begins = |at: usize| at == 0 || breaks.get(at).copied().unwrap_or(true);
    (from..breaks.len()).take_while(|at| begins(*at) && begins(at + 1)).count()
}

/// Joins letter-spaced letters to words.
fn join(glyphs: &[&Glyph], spaces: &[bool], gaps: &[f64], breaks: &mut [bool]) {
    let letters: Vec<char> =
        glyphs.iter().filter_map(|glyph| glyph.text.chars().next()).filter(|c| c.is_alphabetic()).collect();
    let spaced = spaces.iter().skip(1).filter(|space| **space).count() * 2 > spaces.len();
    let least = LEAST + usize::from(spaced && letters.iter().skip(1).any(|c| c.is_uppercase()));
    // A, B, C, D: names of columns.
    let is_alphabet = letters.windows(2).all(|pair| u32::from(pair[1]) == u32::from(pair[0]) + 1);
    let digits = glyphs.iter().filter(|glyph| glyph.text.starts_with(|c: char| c.is_ascii_digit())).count();
    if letters.len() < least || is_alphabet || digits > letters.len() || letters.iter().any(|c| is_whole_word(*c)) {
        return;
    }
    let mut sorted: Vec<f64> = gaps[1..].to_vec();
    sorted.sort_by(f64::total_cmp);
    let between = sorted[sorted.len() / 4];
    for at in 1..glyphs.len() {
        breaks[at] = gaps[at] > between + WIDER.max(0.35 * between);
    }
}

/// Characters that are written with gaps between them anyhow.
fn is_whole_word(c: char) -> bool {
    !c.is_lowercase() && !c.is_uppercase()
}

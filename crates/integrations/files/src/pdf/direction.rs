//! Text from right to left: a page shows characters in the order of the eye, and it is read in the order of the tongue.

use super::content::Glyph;
use crate::script::Rise;

/// One character or ligature of a line, or a space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'a> {
    pub(super) text: &'a str,
    pub(super) rise: Rise,
}

/// Letters of Hebrew, Arabic and their relatives, with the forms that letters take beside others.
fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        && !is_digit(c)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
}

fn has_rtl(text: &str) -> bool {
    !text.is_ascii() && text.contains(is_rtl)
}

fn is_ltr(text: &str) -> bool {
    text.chars().any(|c| c.is_alphabetic() && !is_rtl(c))
}

/// Most letters of the page are written from right to left.
pub(super) fn is_leftwards(glyphs: &[Glyph]) -> bool {
    let letters = glyphs.iter().filter(|glyph| is_ltr(&glyph.text)).count();
    let leftwards = glyphs.iter().filter(|glyph| has_rtl(&glyph.text)).count();
    leftwards > letters
}

/// Turns left and right, so that what is read first has the lower coordinates.
pub(super) fn mirror(glyphs: &mut [Glyph]) {
    for glyph in glyphs {
        glyph.x = -(glyph.x + glyph.advance.0);
    }
}

/// Units from where reading begins (the right, if `leftwards`) in the order in which they are read.
pub(super) fn logical(mut units: Vec<Unit<'_>>, leftwards: bool) -> Vec<Unit<'_>> {
    let letters = units.iter().filter(|unit| is_ltr(unit.text)).count();
    let turned = units.iter().filter(|unit| has_rtl(unit.text)).count();
    if turned == 0 && !leftwards {
        return units;
    }
    // A line has the direction of its page, except where nearly all of its letters say otherwise.
    let line_leftwards = if leftwards { letters <= 2 * turned } else { turned > 2 * letters };
    if line_leftwards != leftwards {
        units.reverse();
    }
    if line_leftwards {
        turn_runs(&mut units);
    } else {
        // A stretch of the other direction begins and ends with one of its letters.
        for (from, to) in stretches(&units, |unit| has_rtl(unit.text), |unit| is_ltr(unit.text)) {
            units[from..to].reverse();
            turn_runs(&mut units[from..to]);
        }
    }
    brackets(units)
}

/// In text from right to left that stands in the order of reading, words of other scripts and numbers stand reversed.
fn turn_runs(units: &mut [Unit<'_>]) {
    let is_number = |unit: &Unit<'_>| unit.text.contains(is_digit);
    for (from, to) in stretches(units, |unit| is_ltr(unit.text) || is_number(unit), |unit| has_rtl(unit.text)) {
        if units[from..to].iter().any(|unit| is_ltr(unit.text)) {
            units[from..to].reverse();
            continue;
        }
        // The sign stands to the right of its number, and was met first.
        let mut at = from - usize::from(from > 0 && units[from - 1].text == "%");
        while at < to {
            let length = number(&units[at..to]);
            units[at..at + length].reverse();
            at += length.max(1);
        }
    }
}

/// The longest stretches that begin and end with a unit that is `inside`, and have none that is `outside`.
fn stretches<'u>(
    units: &[Unit<'u>],
    inside: impl Fn(&Unit<'u>) -> bool,
    outside: impl Fn(&Unit<'u>) -> bool,
) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    let mut open = false;
    for (at, unit) in units.iter().enumerate() {
        if inside(unit) {
            match out.last_mut().filter(|_| open) {
                Some((_, to)) => *to = at + 1,
                None => out.push((at, at + 1)),
            }
            open = true;
        } else if outside(unit) {
            open = false;
        }
    }
    out
}

/// How many of the first units are one number with the signs in it, as seen from its end.
fn number(units: &[Unit<'_>]) -> usize {
    let is_digit = |at: usize| units.get(at).is_some_and(|unit| unit.text.contains(is_digit));
    let inside = |at: usize| {
        let sign = units.get(at).is_some_and(|unit| matches!(unit.text, "." | "," | ":" | "/" | "٫" | "٬" | "'"));
        sign && is_digit(at + 1)
    };
    if units.first().is_some_and(|unit| unit.text == "%") && is_digit(1) {
        return 1 + number(&units[1..]);
    }
    let mut at = 0;
    while is_digit(at) || (at > 0 && inside(at)) {
        at += 1;
    }
    at
}

/// Brackets of text from right to left are drawn as their mirror images, and files name either the image or the sign.
fn brackets(mut units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    for [open, close] in [["(", ")"], ["[", "]"]] {
        let count = units.iter().filter(|unit| unit.text == open || unit.text == close).count();
        // One without its other half stands as it is: the number of an item.
        if count.is_multiple_of(2) {
            let mut is_open = false;
            for unit in units.iter_mut().filter(|unit| unit.text == open || unit.text == close) {
                unit.text = if is_open { close } else { open };
                is_open = !is_open;
            }
        }
    }
    units
}

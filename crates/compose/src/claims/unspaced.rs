//! Sentences written without spaces between words (Chinese, Japanese, Thai and their like): compared by pairs of characters.
//!
//! No dictionary takes such a sentence apart here. Two characters that stand side by side in the passage as well are borne
//! out; a run that the passage has nowhere is named. Digits and negations are compared as in every other language.

use std::collections::HashSet;

/// Of the pairs of a sentence, thousandths that its passage must have.
pub(crate) const THRESHOLD_PERMILLE: u16 = 700;
/// A run of so many characters that stands nowhere is a word that stands nowhere.
const RUN: usize = 2;

const NEGATIONS: &[&str] = &[
    "不",
    "没",
    "沒",
    "未",
    "无",
    "無",
    "非",
    "勿",
    "莫",
    "别",
    "ない",
    "なかっ",
    "ません",
    "ず、",
    "ぬ",
    "ไม่",
    "มิ",
    "ไร้",
];

/// What a passage makes of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub coverage: u16,
    /// Figures that are not there, and a negation in only one of the two.
    pub against: Vec<String>,
    /// Runs of characters that stand nowhere.
    pub short: Vec<String>,
}

pub(crate) fn compare(claim: &str, passage: &str) -> Compared {
    let (own, theirs) = (letters(claim), letters(passage));
    let pairs: HashSet<[char; 2]> = theirs.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    let met: Vec<bool> = own.windows(2).map(|pair| pairs.contains(&[pair[0], pair[1]])).collect();
    let share = met.iter().filter(|met| **met).count() * 1000 / met.len().max(1);
    let mut against: Vec<String> = figures(claim).into_iter().filter(|f| !figures(passage).contains(f)).collect();
    let denials = |text: &str| NEGATIONS.iter().find(|word| text.contains(**word)).map(|word| (*word).to_owned());
    match (denials(claim), denials(passage)) {
        (Some(word), None) | (None, Some(word)) => against.push(word),
        _ => {}
    }
    Compared { coverage: u16::try_from(share).unwrap_or(1000), against, short: runs(&own, &met) }
}

/// Letters and digits; signs and spaces join what stands beside them.
fn letters(text: &str) -> Vec<char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The characters within stretches of pairs that the passage has nowhere.
fn runs(own: &[char], met: &[bool]) -> Vec<String> {
    let mut out = Vec::new();
    let mut from = None;
    for i in 0..=met.len() {
        match (met.get(i), from) {
            (Some(false), None) => from = Some(i),
            (Some(true) | None, Some(start)) => {
                // Pairs `start..i` are missing, so the characters between them stand beside others than there.
                let run: String = own[start + 1..i].iter().collect();
                if i - start > RUN && !run.is_empty() {
                    out.push(run);
                }
                from = None;
            }
            _ => {}
        }
    }
    out
}

/// Digits with the character behind them: `500吨`, `500万`.
fn figures(text: &str) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let inside = |c: &char| c.is_ascii_digit() || matches!(c, '.' | ',');
        let len = all[at..].iter().take_while(|c| inside(c)).count();
        if len > 0 && all[at].is_ascii_digit() {
            let digits: String = all[at..at + len].iter().filter(|c| **c != ',').collect();
            let unit = all[at + len..].iter().find(|c| !c.is_whitespace()).filter(|c| c.is_alphabetic() || **c == '%');
            out.push(unit.map_or(digits.clone(), |unit| format!("{digits}{unit}")));
        }
        at += len.max(1);
    }
    out
}

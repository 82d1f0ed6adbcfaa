//! Numbers changed and changed about.

use super::words::is_symmetric;
use crate::{
    data::Sentence,
    make::{Draft, Ground},
    rng::Rng,
    text::{self, Number},
};

/// Another number: half of them with a digit changed, half taken from elsewhere in the source. Small ones in words as
/// well.
pub fn number(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let decimal = ground.language.decimal();
    let all: Vec<Number> = ground
        .source
        .sentences
        .iter()
        .flat_map(|s| text::numbers(&s.text, decimal))
        .filter(|number| !number.is_year())
        .collect();
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        for number in text::numbers(&sentence.text, decimal).into_iter().filter(|number| !number.is_year()) {
            let from_elsewhere = all.get(rng.below(all.len())).filter(|_| rng.below(2) == 0);
            let other = from_elsewhere.map_or_else(|| with_other_digit(&number.written, rng), |n| n.written.clone());
            let is_day = ground.language.is_date(&sentence.text[number.range.end..]);
            let other = if is_day { format!("{}", (number.value as usize + 2) % 27 + 1) } else { other };
            let stands = text::numbers(&sentence.text, decimal).iter().any(|n| n.written == other);
            if !stands {
                out.push(put(sentence, &number, &other));
            }
        }
        out.extend(in_words(ground, sentence, rng));
    }
    out
}

fn put(sentence: &Sentence, number: &Number, other: &str) -> Draft {
    let (before, after) = (&sentence.text[..number.range.start], &sentence.text[number.range.end..]);
    Draft::of(sentence, format!("{before}{other}{after}"))
}

/// The first digit is changed: the size stays plausible.
fn with_other_digit(written: &str, rng: &mut Rng) -> String {
    let first = written.as_bytes().first().map_or(0, |byte| byte - b'0');
    let other = (first + 1 + u8::try_from(rng.below(7)).unwrap_or(0)) % 9 + 1;
    let other = if other == first { first % 9 + 1 } else { other };
    format!("{other}{}", &written[1..])
}

fn in_words(ground: &Ground, sentence: &Sentence, rng: &mut Rng) -> Vec<Draft> {
    let words = ground.language.rules.list("numbers");
    let mut out = Vec::new();
    for word in words {
        if let Some(at) = text::find(&sentence.text, word, 0) {
            let other = &words[rng.below(words.len())];
            if text::find(&sentence.text, other, 0).is_none() {
                out.push(Draft::of(sentence, text::put(&sentence.text, at, word.len(), other)));
            }
        }
    }
    out
}

/// Two numbers of a sentence change places.
pub fn number_swap(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let mut out = Vec::new();
    for sentence in ground.source.sentences.iter().filter(|s| !s.symmetric) {
        let text = &sentence.text;
        let all = text::numbers(text, ground.language.decimal());
        for pair in all.windows(2) {
            let [a, b] = pair else { continue };
            let between = &text[a.range.end..b.range.start];
            let dates = a.is_year() != b.is_year();
            if a.written != b.written && !dates && !is_symmetric(ground, between) {
                let swapped =
                    format!("{}{}{between}{}{}", &text[..a.range.start], b.written, a.written, &text[b.range.end..]);
                out.push(Draft::of(sentence, swapped));
            }
        }
    }
    out
}

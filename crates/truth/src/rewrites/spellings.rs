//! The same number, quantity or date as somebody else would write it.

use crate::{
    data::Language,
    make::{Draft, Ground},
    rng::Rng,
    text::{self, Number},
};

/// Thousands apart or together, in words, in thousands and millions; small numbers in words and in digits; `percent`.
pub fn number(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let text = &sentence.text;
        let mut spelled = Vec::new();
        for number in text::numbers(text, ground.language.decimal()).into_iter().filter(|number| !number.is_year()) {
            let after = &text[number.range.end..];
            for (range_end, other) in other_spellings(ground.language, &number, after) {
                spelled.push(format!("{}{other}{}", &text[..number.range.start], &text[range_end..]));
            }
        }
        for (i, word) in rules.list("numbers").iter().enumerate() {
            if let Some(at) = text::find(text, word, 0) {
                spelled.push(text::put(text, at, word.len(), &(i + 2).to_string()));
            }
        }
        for from in rules.list("percent") {
            for to in rules.list("percent").iter().filter(|to| *to != from) {
                if let Some(at) = text::find(text, from, 0) {
                    spelled.push(text::put(text, at, from.len(), to));
                }
            }
        }
        if !spelled.is_empty() {
            out.push(Draft::of(sentence, spelled[rng.below(spelled.len())].clone()));
        }
    }
    out
}

/// Other spellings of a number, each with where the written one ends: a word for millions is part of it.
fn other_spellings(language: &Language, number: &Number, after: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let end = number.range.end;
    let large: Vec<(&str, f64)> = language.large();
    if let Some((word, size)) = large.iter().find(|(word, _)| text::matches_at(after.trim_start(), 0, word)) {
        let end = end + (after.len() - after.trim_start().len()) + word.len();
        // `4,8 milhões de euros` is `4.800.000 euros`.
        let of = [" de ", " di ", " d'"].into_iter().find(|of| is_followed(after, word, of));
        let end = of.map_or(end, |of| end + of.len() - usize::from(of.ends_with(' ')));
        let space = if of == Some(" d'") { " " } else { "" };
        out.push((end, format!("{}{space}", grouped(number.value * size, language.thousands()))));
        return out;
    }
    if number.grouped {
        for mark in [language.thousands(), " ", "\u{a0}", ""] {
            out.push((end, grouped(number.value, mark)));
        }
        for (word, size) in &large {
            let share = number.value / size;
            // `18.2 thousand` is said by nobody.
            let digits = if *size > 1000.0 { 10.0 } else { 1.0 };
            if share >= 1.0 && (share * digits).fract() == 0.0 {
                out.push((end, format!("{} {word}", decimal(share, language.decimal()))));
            }
        }
        out.retain(|(_, other)| *other != number.written);
    } else if let Some(word) = in_words(language, number.value).filter(|_| counts_things(language, after)) {
        out.push((end, word.to_owned()));
    }
    out
}

/// Whether a preposition stands behind the word for a large number.
fn is_followed(after: &str, word: &str, of: &str) -> bool {
    after.trim_start().strip_prefix(word).is_some_and(|rest| rest.starts_with(of))
}

/// `7 shops`, not `7 °C`, `7 am` or `7 March`.
fn counts_things(language: &Language, after: &str) -> bool {
    let word: String = after.trim_start().chars().take_while(|c| c.is_alphabetic()).collect();
    word.chars().count() >= 4 && !language.is_date(after)
}

fn in_words(language: &Language, value: f64) -> Option<&str> {
    let numbers = language.rules.list("numbers");
    (2..).zip(numbers).find(|(n, _)| f64::from(*n) == value).map(|(_, word)| word.as_str())
}

fn grouped(value: f64, mark: &str) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push_str(mark);
        }
        out.push(digit);
    }
    out
}

fn decimal(value: f64, mark: char) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.replace('.', &mark.to_string())
}

/// `3 m` is `300 cm`, `two weeks` is `14 days`.
pub fn unit(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let language = ground.language;
    let rules = &language.rules;
    let conversions: Vec<(&str, f64, &str, f64)> = rules
        .list("convert")
        .iter()
        .filter_map(|line| {
            let mut parts = line.split(" | ");
            Some((parts.next()?, parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?))
        })
        .collect();
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let text = &sentence.text;
        let mut counted: Vec<(usize, usize, f64)> = text::numbers(text, language.decimal())
            .into_iter()
            .map(|number| (number.range.start, number.range.end, number.value))
            .collect();
        for (value, word) in (2_u32..).zip(rules.list("numbers")) {
            counted.extend(text::find(text, word, 0).map(|at| (at, at + word.len(), f64::from(value))));
        }
        for (start, end, value) in counted {
            for (from, times, to, most) in &conversions {
                let rest = text[end..].trim_start();
                let end = text.len() - rest.len();
                let other = |value: f64, unit: &str, len: usize| {
                    let number = if value >= 1000.0 {
                        grouped(value, language.thousands())
                    } else {
                        decimal(value, language.decimal())
                    };
                    let number = if start == 0 { text::capitalised(&number) } else { number };
                    format!("{}{number} {unit}{}", &text[..start], &text[end + len..])
                };
                // As long as the number stays one that people write.
                if text::matches_at(rest, 0, from) && value <= *most {
                    out.push(Draft::of(sentence, other(value * times, to, from.len())));
                } else if text::matches_at(rest, 0, to)
                    && value > *times
                    && value <= times * most
                    && (value / times * 2.0).fract() == 0.0
                {
                    out.push(Draft::of(sentence, other(value / times, from, to.len())));
                }
            }
        }
    }
    out
}

/// A full date in another order, and a time of day by the other clock.
pub fn date(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let language = ground.language;
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let text = &sentence.text;
        let numbers = text::numbers(text, language.decimal());
        for pair in numbers.windows(2).filter(|pair| pair[1].is_year() && pair[0].value <= 31.0) {
            let between = text[pair[0].range.end..pair[1].range.start].trim_matches([' ', '.']);
            let between = between.trim_start_matches("de ").trim_end_matches(" de");
            let Some(month) = language.rules.list("months").iter().position(|name| name == between) else { continue };
            let (day, year) = (pair[0].value, &pair[1].written);
            let mut spelled = vec![format!("{year}-{:02}-{day:02}", month + 1)];
            match language.code {
                "en" => spelled.push(format!("{between} {day}, {year}")),
                "fr" | "es" | "it" | "pt" => spelled.push(format!("{day:02}/{:02}/{year}", month + 1)),
                _ => spelled.push(format!("{day:02}.{:02}.{year}", month + 1)),
            }
            for other in spelled {
                let (before, after) = (&text[..pair[0].range.start], &text[pair[1].range.end..]);
                out.push(Draft::of(sentence, format!("{before}{other}{after}")));
            }
        }
        if language.code == "en" {
            out.extend(
                numbers.iter().filter_map(|number| by_other_clock(text, number)).map(|t| Draft::of(sentence, t)),
            );
        }
    }
    out
}

/// `8 pm` is `20:00`.
fn by_other_clock(text: &str, number: &Number) -> Option<String> {
    let rest = &text[number.range.end..];
    let noon = if rest.starts_with(" pm") { 12 } else { 0 };
    let rest = rest.strip_prefix(" pm").or_else(|| rest.strip_prefix(" am"))?;
    let hour = number.value as u32 % 12 + noon;
    Some(format!("{}{hour:02}:00{rest}", &text[..number.range.start]))
}

//! One word or phrase put for another.

use crate::{
    make::{Draft, Ground},
    rng::Rng,
    rules::{places, replaced},
    text,
};

fn by_rule(ground: &Ground, section: &str) -> Vec<Draft> {
    let pairs = ground.language.rules.pairs(section);
    let sentences = &ground.source.sentences;
    sentences.iter().flat_map(|s| replaced(&s.text, pairs).into_iter().map(|text| Draft::of(s, text))).collect()
}

pub fn antonym(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    by_rule(ground, "antonym")
}

/// Only behind a number or an amount: `two weeks`, not `in the weeks before`.
pub fn unit(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let pairs = ground.language.rules.pairs("unit");
    let numerals = ground.language.rules.list("numbers");
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        for (left, right) in pairs {
            let mut from = 0;
            while let Some(at) = text::find(&sentence.text, left, from) {
                from = at + left.len();
                let before = sentence.text[..at].trim_end();
                let word = before.rsplit(' ').next().unwrap_or("");
                let counted = before.ends_with(|c: char| c.is_ascii_digit()) || numerals.iter().any(|n| n == word);
                if counted || left.contains(' ') {
                    out.push(Draft::of(sentence, text::put(&sentence.text, at, left.len(), right)));
                }
            }
        }
    }
    out
}

/// Another month, day or time of day by rule, and another year.
pub fn time(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let mut out = by_rule(ground, "time");
    for sentence in &ground.source.sentences {
        for number in text::numbers(&sentence.text, ground.language.decimal()) {
            if number.is_year() {
                let other = format!("{}", number.value as i64 - 3 + [0, 1, 2, 4, 5][rng.below(5)]);
                if !sentence.text.contains(&other) {
                    out.push(Draft::of(sentence, text::put(&sentence.text, number.range.start, 4, &other)));
                }
            }
        }
    }
    out
}

/// Two names of a sentence changed about, or one put for another of the source.
pub fn name_swap(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let mut out = Vec::new();
    for names in &ground.source.names {
        for sentence in ground.source.sentences.iter().filter(|s| !s.symmetric) {
            let text = &sentence.text;
            let mut found: Vec<(usize, &str)> =
                names.iter().filter_map(|name| text::find(text, name, 0).map(|at| (at, name.as_str()))).collect();
            found.sort_unstable();
            if let [(a, first), (b, second), ..] = *found.as_slice() {
                let between = &text[a + first.len()..b];
                if !is_symmetric(ground, between) {
                    let (before, after) = (&text[..a], &text[b + second.len()..]);
                    out.push(Draft::of(sentence, format!("{before}{second}{between}{first}{after}")));
                }
            } else if let [(at, name)] = *found.as_slice() {
                let others: Vec<&String> = names.iter().filter(|other| *other != name).collect();
                if !others.is_empty() {
                    let other = others[rng.below(others.len())];
                    out.push(Draft::of(sentence, text::put(text, at, name.len(), other)));
                }
            }
        }
    }
    out
}

/// Whether what stands between two things makes them interchangeable: `A and B`.
pub fn is_symmetric(ground: &Ground, between: &str) -> bool {
    let between = between.trim();
    between.is_empty() || ground.language.rules.list("symmetric").iter().any(|word| word == between)
}

/// A negation put into a sentence that has none, or taken out.
pub fn negation(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let pairs = rules.pairs("negate");
    let reversed: Vec<(String, String)> = pairs.iter().map(|(a, b)| (b.clone(), a.clone())).collect();
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let has = rules.has("negators", &sentence.text);
        for (at, len, right) in places(&sentence.text, if has { &reversed } else { pairs }) {
            // `must measure` is no place for `do not measure`.
            let before = sentence.text[..at].trim_end().rsplit(' ').next().unwrap_or("");
            if has || !rules.list("aux").iter().any(|auxiliary| auxiliary == before) {
                out.push(Draft::of(sentence, text::put(&sentence.text, at, len, right)));
            }
        }
    }
    out
}

pub fn quantifier(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    by_rule(ground, "quantifier")
}

pub fn modality(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    by_rule(ground, "modality")
}

/// In front of a number alone.
pub fn qualifier(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let counts = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit()) || rules.starts("numbers", rest);
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        for (left, right) in rules.pairs("qualifier") {
            let Some(at) = text::find(&sentence.text, left, 0) else { continue };
            if counts(sentence.text[at + left.len()..].trim_start()) {
                out.push(Draft::of(sentence, text::put(&sentence.text, at, left.len(), right)));
            }
        }
    }
    out
}

/// The word of the comparison turned, or what is compared changed about: `A is larger than B`, `B is larger than A`.
pub fn comparison(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let mut out = by_rule(ground, "comparison");
    let rules = &ground.language.rules;
    for sentence in &ground.source.sentences {
        let body = text::without_end(&sentence.text);
        let verb = rules.list("verbs").iter().filter_map(|verb| text::find(body, verb, 0).filter(|at| *at > 0)).min();
        let than = rules.list("than").iter().filter_map(|than| {
            let at = body.rfind(&format!(" {than} "))?;
            Some((at, than.len() + 2))
        });
        let Some((verb, (than, len))) = verb.zip(than.max()).filter(|(verb, (than, _))| verb < than) else { continue };
        let (subject, middle, object) = (body[..verb].trim(), &body[verb..than + len], &body[than + len..]);
        let plain = rules.has("degree", middle)
            && !middle.contains([',', ';'])
            && !object.contains([',', ';'])
            && !middle.contains([',', ';'])
            && !object.starts_with(|c: char| c.is_ascii_digit());
        if plain && object.split(' ').count() <= 6 && !rules.starts("pronouns", subject) {
            let turned = format!("{} {middle}{}.", text::capitalised(object), ground.language.lowered(subject));
            out.push(Draft::of(sentence, turned));
        }
    }
    out
}

pub fn only(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    let rules = &ground.language.rules;
    let mut out = by_rule(ground, "only");
    let words: Vec<String> =
        rules.pairs("only").iter().filter_map(|(_, b)| b.split(' ').next()).map(str::to_owned).collect();
    out.retain(|draft| !words.iter().any(|word| text::find(&draft.from, word, 0).is_some()));
    // At the start of a sentence an adverbial would need another order of words.
    out.retain(|draft| draft.text.chars().next() == draft.from.chars().next());
    out
}

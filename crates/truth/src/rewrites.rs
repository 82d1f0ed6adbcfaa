//! True sentences in other words, made by rule: an editor would let each of them stand.

mod clauses;
mod spellings;

use crate::{
    Made,
    data::Language,
    make::{Draft, Ground, Maker, made},
    rng::Rng,
    rules::{replaced, replaced_twice},
};

const KINDS: [(&str, Maker); 11] = [
    ("synonym", synonym),
    ("two synonyms", two_synonyms),
    ("order of clauses", clauses::order),
    ("half", clauses::half),
    ("passive", clauses::passive),
    ("reported", clauses::reported),
    ("left out", clauses::left_out),
    ("contraction", contraction),
    ("number spelling", spellings::number),
    ("unit spelling", spellings::unit),
    ("date spelling", spellings::date),
];

/// All rewrites of a language, the same ones each time. A sentence that stands there verbatim would be no test, but a number
/// in another spelling is one.
pub fn make(language: &Language) -> Vec<Made> {
    made(language, &KINDS, |kind| kind == "number spelling")
}

fn synonym(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    by_rule(ground, "synonym")
}

fn two_synonyms(ground: &Ground, rng: &mut Rng) -> Vec<Draft> {
    let pairs = ground.language.rules.pairs("synonym");
    let mut out = Vec::new();
    for sentence in &ground.source.sentences {
        let twice = replaced_twice(&sentence.text, pairs);
        if !twice.is_empty() {
            out.push(Draft::of(sentence, twice[rng.below(twice.len())].clone()));
        }
    }
    out
}

fn contraction(ground: &Ground, _: &mut Rng) -> Vec<Draft> {
    by_rule(ground, "contraction")
}

fn by_rule(ground: &Ground, section: &str) -> Vec<Draft> {
    let pairs = ground.language.rules.pairs(section);
    let sentences = &ground.source.sentences;
    sentences.iter().flat_map(|s| replaced(&s.text, pairs).into_iter().map(|text| Draft::of(s, text))).collect()
}

//! True sentences in other words, made by rule: an editor would let each of them stand.

mod clauses;
mod spellings;

use crate::{
    Made,
    data::Language,
    lies::{Draft, Ground},
    rng::Rng,
    rules::{replaced, replaced_twice},
};

/// So many of one kind are made of one source at most.
const EACH: usize = 4;

type Maker = fn(&Ground, &mut Rng) -> Vec<Draft>;

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

/// All rewrites of a language, the same ones each time.
pub fn make(language: &Language) -> Vec<Made> {
    let mut out = Vec::new();
    for source in &language.sources {
        for (kind, maker) in KINDS {
            let mut rng = Rng::new(&format!("{} {} {kind}", language.code, source.id));
            let mut drafts = maker(&Ground { language, source }, &mut rng);
            rng.shuffle(&mut drafts);
            let mut taken = Vec::new();
            for draft in drafts {
                // A sentence that stands there verbatim would be no test.
                let new = !language.says(&draft.text) && !taken.contains(&draft.from);
                let new = new || kind == "number spelling" && !taken.contains(&draft.from);
                if new && taken.len() < EACH {
                    taken.push(draft.from.clone());
                    out.push(Made {
                        language: language.code,
                        source: source.id.clone(),
                        kind: kind.to_owned(),
                        text: draft.text,
                        from: draft.from,
                    });
                }
            }
        }
    }
    out
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

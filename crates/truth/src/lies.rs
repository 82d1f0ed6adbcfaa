//! Falsehoods made of true sentences by rule. Each kind changes one thing that a reader would care about.

mod clauses;
mod figures;
mod tables;
mod words;

pub(crate) use clauses::doing;

use crate::{
    Made,
    data::{Language, Sentence, Source},
    rng::Rng,
};

/// So many of one kind are made of one source at most.
const EACH: usize = 4;

/// A sentence that was made, and the one that it was made of.
pub(crate) struct Draft {
    pub from: String,
    pub text: String,
}

impl Draft {
    pub fn of(sentence: &Sentence, text: String) -> Self {
        Self { from: sentence.text.clone(), text }
    }
}

/// What a kind is made from.
pub(crate) struct Ground<'a> {
    pub language: &'a Language,
    pub source: &'a Source,
}

type Maker = fn(&Ground, &mut Rng) -> Vec<Draft>;

/// The kinds with what makes them.
const KINDS: [(&str, Maker); 19] = [
    ("number", figures::number),
    ("number swap", figures::number_swap),
    ("unit", words::unit),
    ("time", words::time),
    ("name swap", words::name_swap),
    ("antonym", words::antonym),
    ("negation", words::negation),
    ("quantifier", words::quantifier),
    ("modality", words::modality),
    ("qualifier", words::qualifier),
    ("comparison", words::comparison),
    ("only", words::only),
    ("condition", clauses::condition),
    ("exception", clauses::exception),
    ("addition", clauses::addition),
    ("halves", clauses::halves),
    ("cause", clauses::cause),
    ("roles", clauses::roles),
    ("table", tables::table),
];

/// All falsehoods of a language, the same ones each time.
pub fn make(language: &Language) -> Vec<Made> {
    let mut out = Vec::new();
    for source in &language.sources {
        for (kind, maker) in KINDS {
            let mut rng = Rng::new(&format!("{} {} {kind}", language.code, source.id));
            let mut drafts = maker(&Ground { language, source }, &mut rng);
            rng.shuffle(&mut drafts);
            let mut taken = Vec::new();
            for draft in drafts {
                // What a source happens to say is no falsehood; one sentence gives one of a kind.
                let new = !language.says(&draft.text) && !taken.contains(&draft.from);
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

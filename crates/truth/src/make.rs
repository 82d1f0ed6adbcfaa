//! Statements made of the sentences of sources by rule, the same ones each time.

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

pub(crate) type Maker = fn(&Ground, &mut Rng) -> Vec<Draft>;

/// The statements of some kinds; one sentence gives one of a kind. What a source says in the same words is left out,
/// except for kinds that `may_stand` there.
pub(crate) fn made(language: &Language, kinds: &[(&str, Maker)], may_stand: impl Fn(&str) -> bool) -> Vec<Made> {
    let mut out = Vec::new();
    for source in &language.sources {
        for (kind, maker) in kinds {
            let mut rng = Rng::new(&format!("{} {} {kind}", language.code, source.id));
            let mut drafts = maker(&Ground { language, source }, &mut rng);
            rng.shuffle(&mut drafts);
            let mut taken = Vec::new();
            for draft in drafts {
                let new = may_stand(kind) || !language.says(&draft.text);
                if new && !taken.contains(&draft.from) && taken.len() < EACH {
                    taken.push(draft.from.clone());
                    out.push(Made {
                        language: language.code,
                        source: source.id.clone(),
                        kind: (*kind).to_owned(),
                        text: draft.text,
                        from: draft.from,
                    });
                }
            }
        }
    }
    out
}

//! Falsehoods made of true sentences by rule. Each kind changes one thing that a reader would care about.

mod clauses;
mod figures;
mod tables;
mod words;

pub(crate) use clauses::doing;

use crate::{
    Made,
    data::Language,
    make::{Maker, made},
};

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

/// All falsehoods of a language, the same ones each time. What a source happens to say is none.
pub fn make(language: &Language) -> Vec<Made> {
    made(language, &KINDS, |_| false)
}

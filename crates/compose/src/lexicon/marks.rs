//! Words that decide what a sentence states although they are no content of their own: modality, quantity, bounds,
//! conditions, cause, time, comparison. One table per language.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod pt;
mod ru;

use std::collections::HashMap;

use super::List;

/// What such a word or phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// Ability or leave: `can`, `is able to`, `is allowed to`.
    Can,
    /// It is possible, not certain: `may`, `might`, `could`, `perhaps`, `likely`.
    May,
    Should,
    Must,
    /// It is still to come: `will`, `plans to`, `is expected to`.
    Will,
    /// Somebody says so: `reportedly`, `allegedly`, `is said to`.
    Said,
    /// `all`, `every`, `always`, `any time`.
    All,
    /// `most`, `usually`, `often`, `mainly`.
    Most,
    Many,
    /// `some`, `sometimes`, `certain`, `partly`.
    Some,
    /// `few`, `rarely`, `hardly any`.
    Few,
    Only,
    About,
    AtLeast,
    AtMost,
    Over,
    Under,
    If,
    Unless,
    /// `except`, `apart from`, `other than`.
    Except,
    Because,
    /// `although`, `despite`.
    Although,
    /// `even if`, `even without`, `no matter`: with or without it.
    Regardless,
    /// `therefore`, `so that`, `which is why`.
    Therefore,
    Before,
    After,
    Until,
    Since,
    During,
    /// `when`, `as soon as`, `once`.
    When,
    Than,
    /// The one who does it in the passive: `by`, `von`, `par`.
    By,
    /// Phrases that hold such a word and say nothing of the kind: `not only`.
    Plain,
    /// Forms of `be` that make a passive with a participle: `is`, `was`, `wird`, `wurde`.
    Passive,
}

/// The marks of one language, found by their first words; the longest phrase wins.
pub(crate) struct Marks(HashMap<&'static str, Vec<(Vec<&'static str>, Mark)>>);

impl Marks {
    pub(super) fn of(code: &str) -> Self {
        let table = match code {
            "de" => de::MARKS,
            "en" => en::MARKS,
            "es" => es::MARKS,
            "fr" => fr::MARKS,
            "it" => it::MARKS,
            "pt" => pt::MARKS,
            "ru" => ru::MARKS,
            _ => &[],
        };
        let mut map: HashMap<_, Vec<_>> = HashMap::new();
        for (mark, list) in table {
            for phrase in super::entries(list) {
                let mut words = phrase.split(' ');
                if let Some(first) = words.next() {
                    map.entry(first).or_default().push((words.collect::<Vec<_>>(), *mark));
                }
            }
        }
        map.values_mut().for_each(|rests| rests.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len())));
        Self(map)
    }

    /// Whether a mark begins with the word.
    pub fn begins(&self, word: &str) -> bool {
        self.0.contains_key(word)
    }

    /// The marks that `words` begin with, the longest first, and how many words each takes.
    pub fn at(&self, words: &[String]) -> Vec<(Mark, usize)> {
        let Some((first, rest)) = words.split_first() else { return Vec::new() };
        let fits = |phrase: &[&str]| phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(a, b)| a == b);
        let known = self.0.get(first.as_str()).into_iter().flatten();
        known.filter(|(phrase, _)| fits(phrase)).map(|(phrase, mark)| (*mark, phrase.len() + 1)).collect()
    }
}

/// Words that are one for a comparison, and words that contradict each other, as data in text files.
///
/// A line of `synonyms` is one group: `buy, buys, bought, purchase, purchases, purchased`. A line of `opposites` is two
/// groups with a bar between: `rise, rises, rose | fall, falls, fell`.
pub(crate) fn synonyms(code: &str) -> List {
    match code {
        "de" => include_str!("synonyms/de.txt"),
        "en" => include_str!("synonyms/en.txt"),
        "es" => include_str!("synonyms/es.txt"),
        "fr" => include_str!("synonyms/fr.txt"),
        "it" => include_str!("synonyms/it.txt"),
        "pt" => include_str!("synonyms/pt.txt"),
        "ru" => include_str!("synonyms/ru.txt"),
        _ => "",
    }
}

pub(crate) fn opposites(code: &str) -> List {
    match code {
        "de" => include_str!("opposites/de.txt"),
        "en" => include_str!("opposites/en.txt"),
        "es" => include_str!("opposites/es.txt"),
        "fr" => include_str!("opposites/fr.txt"),
        "it" => include_str!("opposites/it.txt"),
        "pt" => include_str!("opposites/pt.txt"),
        "ru" => include_str!("opposites/ru.txt"),
        _ => "",
    }
}

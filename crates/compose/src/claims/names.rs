//! Proper names: capitalised words that a sentence did not have to capitalise.

use std::collections::HashMap;

use galley_text::word;

use crate::lexicon;

/// Endings of English words that are no names; only for first words that no source has.
const COMMON_ENDINGS: &[&str] = &[
    "s", "ing", "ed", "ly", "tion", "sion", "ment", "ness", "ity", "er", "or", "al", "ive", "ous", "able", "ible",
    "ance", "ence", "ship", "one", "body", "thing", "where", "ism", "ful", "less", "ary", "ory", "ure", "age", "ate",
];
const FRENCH_ENDINGS: &[&str] = &["é", "ée", "ant", "ez", "eux", "eur", "que", "aire", "elle", "isme", "iste"];
const ROMANCE_ENDINGS: &[&str] = &[
    "ado", "ada", "ido", "ida", "ando", "endo", "ción", "sión", "ción", "ção", "são", "mente", "dad", "dade", "ato",
    "ata", "ati", "ate", "ito", "iti", "uto", "uti", "zione", "zioni", "mento", "menti", "tà", "ante", "ente", "oso",
    "osa", "ismo", "ista",
];
/// Endings of German nouns that are no names.
const GERMAN_NOUNS: &[&str] = &[
    "ung", "ungen", "heit", "heiten", "keit", "keiten", "schaft", "schaften", "tion", "tionen", "tät", "täten", "nis",
    "nisse", "nissen", "tum", "ling", "linge", "ment", "ismus", "enz", "anz", "eur", "zeit", "preis", "preise",
];
const GERMAN_DETERMINERS: &[&str] = &[
    "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines", "kein", "keine",
    "keinen", "im", "am", "zum", "zur", "beim", "vom", "ins", "ans", "alle", "viele", "jede", "jeder", "jedes",
    "jeden", "diese", "dieser", "dieses", "diesen", "diesem", "ihre", "ihren", "ihrer", "seine", "seinen", "mehr",
    "weniger",
];

/// How words are written within the sentences of all sources.
#[derive(Debug, Default)]
pub(crate) struct Corpus(HashMap<String, Habit>);

#[derive(Debug, Default, Clone, Copy)]
struct Habit {
    /// With a capital within a sentence.
    capital: u32,
    small: u32,
    /// Behind an article, which German puts before nouns and mostly not before names.
    determined: u32,
}

impl Corpus {
    pub fn add(&mut self, sentence: &str) {
        let mut before = String::new();
        for (i, part) in name_parts(sentence) {
            let lower = lexicon::lower(part);
            if i > 0 {
                let habit = self.0.entry(lower.clone()).or_default();
                if part.starts_with(char::is_uppercase) {
                    habit.capital += 1;
                    habit.determined += u32::from(GERMAN_DETERMINERS.contains(&before.as_str()));
                } else {
                    habit.small += 1;
                }
            } else {
                self.0.entry(lower.clone()).or_default();
            }
            before = lower;
        }
    }

    fn habit(&self, lower: &str) -> Option<Habit> {
        self.0.get(lower).copied()
    }
}

/// The words of a sentence with compounds taken apart, each with the number of its word.
fn name_parts(sentence: &str) -> impl Iterator<Item = (usize, &str)> {
    lexicon::tokens(sentence)
        .into_iter()
        .enumerate()
        .flat_map(|(i, (_, token))| token.split(['-', '\u{2011}']).map(move |part| (i, part)))
        .filter(|(_, part)| !part.is_empty())
}

/// The names in a sentence, as they stand there.
pub(crate) fn names<'a>(sentence: &'a str, lang: &str, corpus: &Corpus) -> Vec<&'a str> {
    let tokens = lexicon::tokens(sentence);
    let mut out = Vec::new();
    for (i, (at, token)) in tokens.iter().enumerate() {
        let opens = i == 0 || sentence[..*at].trim_end().ends_with([':', '“', '"', '„', '«', '.']);
        for part in token.split(['-', '\u{2011}']) {
            let bare = part.strip_suffix("'s").or_else(|| part.strip_suffix("’s")).unwrap_or(part);
            let next_capital = tokens.get(i + 1).is_some_and(|(_, t)| t.starts_with(char::is_uppercase));
            if is_name(bare, lang, opens, next_capital, corpus) && !out.contains(&bare) {
                out.push(bare);
            }
        }
    }
    out
}

fn is_name(word: &str, lang: &str, opens: bool, next_capital: bool, corpus: &Corpus) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 2 || word.chars().any(|c| c.is_ascii_digit()) {
        return false;
    }
    let inner_capital = word.chars().skip(1).any(char::is_uppercase) && !word.contains(['\'', '’']);
    if inner_capital {
        return true;
    }
    let lower = lexicon::lower(word);
    // A word with synonyms is a common one, as is a unit.
    if super::statement::is_common(&lower, lang)
        || super::units::unit_of(&lower).is_some()
        || super::calendar::weekday(&lower).is_some()
    {
        return false;
    }
    if !word.starts_with(char::is_uppercase) || word::is_stopword(&lower, lang) || word::is_stopword(&lower, "en") {
        return false;
    }
    let habit = corpus.habit(&lower);
    if lang == "de" {
        return is_german_name(&lower, opens, habit);
    }
    if !opens {
        return true;
    }
    match habit {
        Some(habit) => habit.capital > habit.small,
        // No source has the word at all: a name that somebody put in, or an ordinary word of a paraphrase.
        None => {
            let endings = match lang {
                "fr" => FRENCH_ENDINGS,
                "es" | "pt" | "it" => ROMANCE_ENDINGS,
                _ => COMMON_ENDINGS,
            };
            let common = COMMON_ENDINGS.iter().chain(endings).any(|ending| lower.ends_with(ending));
            // Vilnius and Paris are no plurals.
            next_capital || !common || lower.ends_with("us") && !lower.ends_with("ous") || lower.ends_with("is")
        }
    }
}

/// All German nouns have capitals. A name is one that the sources never put behind an article, and that does not end
/// like a common noun.
fn is_german_name(lower: &str, opens: bool, habit: Option<Habit>) -> bool {
    let noun = GERMAN_NOUNS.iter().any(|ending| lower.ends_with(ending));
    match habit {
        _ if noun => false,
        Some(habit) if opens && habit.small >= habit.capital => false,
        Some(habit) => habit.determined == 0,
        None => !opens || !lower.ends_with('n'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Corpus {
        let mut corpus = Corpus::default();
        for sentence in [
            "The depot in Riga is run by Omniva.",
            "Most parcels pass the port.",
            "Nur die Kunden in Leipzig holen das Paket ab.",
        ] {
            corpus.add(sentence);
        }
        corpus
    }

    #[test]
    fn names_are_told_from_first_words() {
        let c = corpus();
        assert_eq!(names("The depot of Omniva is in Riga.", "en", &c), ["Omniva", "Riga"]);
        assert_eq!(names("Riga has a depot.", "en", &c), ["Riga"]);
        assert_eq!(names("Parcels pass the port.", "en", &c), Vec::<&str>::new());
        assert_eq!(names("Gdansk has a depot.", "en", &c), ["Gdansk"]);
        assert_eq!(names("Aarhus has a depot.", "en", &c), ["Aarhus"]);
        assert_eq!(names("Retailers pay less.", "en", &c), Vec::<&str>::new());
        assert_eq!(names("Most of the EU uses PostgreSQL, and I do.", "en", &c), ["EU", "PostgreSQL"]);
        assert_eq!(names("A Riga-based firm’s boss is Omniva's friend.", "en", &c), ["Riga", "Omniva"]);
    }

    #[test]
    fn german_nouns_are_no_names() {
        assert_eq!(names("Die Kunden in Leipzig zahlen für das Paket.", "de", &corpus()), ["Leipzig"]);
        assert_eq!(names("Die Kunden in Hamburg zahlen.", "de", &corpus()), ["Hamburg"]);
    }
}

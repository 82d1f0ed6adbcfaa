//! Whether the sources are about what was ordered: the words of the order that mean something are looked for in them.

mod form;
mod found;

use std::collections::HashSet;

use galley_domain::writing::{Brief, Snapshot};
use galley_text::{sentence, word};

use crate::{lexicon, snapshot::language_of, title};
use found::SourceWords;

/// From this share of missing words on, the sources are about something else, in percent. It separated the orders with
/// sources about something else from about forty others without a false alarm.
const LIMIT_PERCENT: usize = 70;
/// One missing word is a synonym as often as another subject.
const LEAST_WORDS: usize = 2;
/// A sentence of the order that has so many words, and at most this share of them missing, shows that the sources suit.
const SUITABLE_WORDS: usize = 3;
const SUITABLE_PERCENT: usize = 40;
/// What is looked at of an order. Longer ones are mostly wishes about form.
const MAX_ORDER_WORDS: usize = 400;

/// How sources stand to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    Related,
    /// Most words of the order stand nowhere in the sources.
    Unrelated {
        /// As the order writes them, each once.
        missing: Vec<String>,
        /// How many words were looked for.
        of: usize,
    },
    /// Nothing was found, but the order has too few words to judge by.
    Doubtful {
        missing: Vec<String>,
    },
    /// Sources in other languages than the order cannot be compared word by word. ISO 639-1.
    Unchecked {
        order: String,
        sources: Vec<String>,
    },
}

impl Relation {
    /// What a person is told; `None` where nothing is wrong.
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::Related => None,
            Self::Unrelated { missing, of } => Some(format!(
                "the sources seem to be about something else: {} of the {of} words that the order looks for stand nowhere \
                 in them ({})",
                missing.len(),
                listed(missing)
            )),
            Self::Doubtful { missing } => {
                Some(format!("the sources may be about something else: they do not have the word {}", listed(missing)))
            }
            Self::Unchecked { order, sources } => Some(format!(
                "it was not checked whether the sources are about what was ordered: the order is in another language \
                 ({order}) than they are ({}), and they share no names or numbers",
                sources.join(", ")
            )),
        }
    }
}

/// Words for a message: the first twelve.
pub fn listed(words: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = words.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if words.len() > SHOWN { format!("{shown} and {} more", words.len() - SHOWN) } else { shown }
}

/// Compares the order's prompt and keywords with the texts, titles and names of the sources.
///
/// Inflections count as found, and so do parts of compounds and words with one letter changed. Words about the form of
/// the text (`an article of 800 words for beginners`) are not looked for.
pub fn relation(brief: &Brief, sources: &[Snapshot]) -> Relation {
    let language = language_of_order(brief);
    let wanted = Wanted::new(brief, &language);
    if wanted.words.is_empty() || sources.is_empty() {
        return Relation::Related;
    }
    let languages: Vec<String> = sources.iter().map(|source| language_of(source).to_ascii_lowercase()).collect();
    let found = SourceWords::new(sources, &languages, &language);
    let foreign = |code: &&String| !code.is_empty() && **code != language;
    if languages.iter().any(|code| foreign(&code)) {
        return across_languages(&wanted, &found, &language, &languages);
    }
    let is_missing = |word: &str| !found.has(word);
    let missing: Vec<&String> = wanted.words.iter().filter(|word| is_missing(word)).collect();
    let has_lists = lexicon::of(&language).is_some();
    // Without a list of words of form, some of them are among those looked for.
    let limit = if has_lists { LIMIT_PERCENT } else { 100 };
    let suits = wanted.sentences.iter().any(|words| {
        let missing = words.iter().filter(|word| is_missing(word)).count();
        words.len() >= SUITABLE_WORDS && missing * 100 <= words.len() * SUITABLE_PERCENT
    });
    let weight: usize = wanted.words.iter().map(|word| found.weight(word)).sum();
    if suits || missing.len() * 100 < weight * limit {
        return Relation::Related;
    }
    let missing: Vec<String> = missing.into_iter().cloned().collect();
    if wanted.words.len() < LEAST_WORDS {
        return Relation::Doubtful { missing };
    }
    Relation::Unrelated { missing, of: wanted.words.len() }
}

/// What an order is about, to compare short texts with.
#[derive(Debug)]
pub struct Subject {
    words: Vec<String>,
    language: String,
}

impl Subject {
    pub fn new(brief: &Brief) -> Self {
        let language = language_of_order(brief);
        Self { words: Wanted::new(brief, &language).words, language }
    }

    /// The language that the order is written in, ISO 639-1.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// How many words mean something.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words of the order that stand in the text in some form.
    pub fn found_in(&self, text: &str) -> Vec<String> {
        let found = SourceWords::of_text(text, &self.language);
        self.words.iter().filter(|word| found.has(word)).cloned().collect()
    }
}

/// Names and numbers are the same in most languages, and so are many words of science and trade.
fn across_languages(wanted: &Wanted, found: &SourceWords, order: &str, languages: &[String]) -> Relation {
    let shares = wanted.words.iter().any(|word| found.has(word));
    if shares {
        return Relation::Related;
    }
    let mut sources: Vec<String> = languages.iter().filter(|code| !code.is_empty()).cloned().collect();
    sources.sort_unstable();
    sources.dedup();
    Relation::Unchecked { order: order.to_owned(), sources }
}

/// The language that the order is written in, which need not be the one that is ordered: told by its letters where they
/// are enough, else by its commonest words.
pub(crate) fn language_of_order(brief: &Brief) -> String {
    let ordered = lexicon::primary(&brief.language).to_ascii_lowercase();
    let words: Vec<String> = word::iter(&brief.prompt).take(MAX_ORDER_WORDS).map(lexicon::lower).collect();
    let common = |code: &str| words.iter().filter(|w| word::is_stopword(w, code) || form::is_form(w, code)).count();
    let of_ordered = common(&ordered);
    let best = lexicon::all().iter().map(|l| (common(l.table.code), l.table.code)).max_by_key(|(count, _)| *count);
    match (galley_text::language::detect(&brief.prompt), best) {
        (Some(detected), _) if lexicon::of(detected).is_none() || common(detected) > of_ordered => detected.to_owned(),
        (None, Some((count, code))) if count > of_ordered + 1 => code.to_owned(),
        _ => ordered,
    }
}

/// The words of an order that mean something.
struct Wanted {
    /// Each once, by its stem, as the order writes it.
    words: Vec<String>,
    /// The same by sentence of the prompt; the keywords are one.
    sentences: Vec<Vec<String>>,
}

impl Wanted {
    fn new(brief: &Brief, language: &str) -> Self {
        let mut seen = HashSet::new();
        let mut wanted = Self { words: Vec::new(), sentences: Vec::new() };
        let keywords = brief.keywords.join(". ");
        for line in brief.prompt.lines().chain([keywords.as_str()]) {
            for range in sentence::split(line) {
                let mut words = Vec::new();
                for word in of_sentence(&line[range], language) {
                    if seen.len() >= MAX_ORDER_WORDS {
                        return wanted;
                    }
                    if seen.insert(word::stem(&lexicon::lower(word), language)) {
                        wanted.words.push(word.to_owned());
                    }
                    words.push(word.to_owned());
                }
                wanted.sentences.push(words);
            }
        }
        wanted
    }
}

/// Whom a text is for is no part of its subject, where the sentence says more than that.
fn of_sentence<'a>(sentence: &'a str, language: &str) -> Vec<&'a str> {
    let (core, _) = title::without_audience(sentence, lexicon::of(language));
    let core = meaningful(core, language);
    if core.len() < LEAST_WORDS { meaningful(sentence, language) } else { core }
}

/// The words of a text that are neither common nor about the form of the text, nor plain numbers.
fn meaningful<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    if galley_text::word::is_unspaced(language) {
        return found::unspaced(text).into_iter().filter(|pair| !form::is_unspaced_form(pair)).collect();
    }
    found::parts(text)
        .filter(|part| {
            let lower = lexicon::lower(part);
            part.chars().any(char::is_alphabetic)
                && part.chars().count() > 2
                && !word::is_stopword(&lower, language)
                && !form::is_form(&lower, language)
        })
        .collect()
}

#[cfg(test)]
mod tests;

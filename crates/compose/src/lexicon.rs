//! What the crate knows about languages, as data: one table per language.
//!
//! A language without a table is handled by the most careful rules: see [`crate::usable`].

mod de;
mod en;
mod es;
mod fr;
mod it;
pub(crate) mod marks;
mod pt;
mod ru;

use std::{collections::HashMap, sync::LazyLock};

/// Words and phrases with commas between.
pub(crate) type List = &'static str;

pub(crate) fn entries(list: List) -> impl Iterator<Item = &'static str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty())
}

/// The table of one language. All words and phrases are in lower case with straight apostrophes.
pub(crate) struct Lexicon {
    /// ISO 639-1.
    pub code: &'static str,
    /// A sentence that starts so refers to what stands before it.
    pub openers: List,
    /// Starts that are safe although they begin like an opener.
    pub exempt: List,
    /// Prepositions and conjunctions behind which an anaphor refers back, as in `In this case`.
    pub leads: List,
    /// Words that refer back when they stand within the first four words behind a lead.
    pub anaphors: List,
    /// Words that refer back only directly behind a lead: `With their …`.
    pub possessives: List,
    /// Connectives that refer back wherever they stand.
    pub inner: List,
    /// Connectives that refer back as the last words.
    pub tails: List,
    /// Pointers to other parts of the document: no use outside of it.
    pub pointing: List,
    pub first_person: List,
    /// Phrases of navigation, consent banners, credits and calls to action.
    pub boilerplate: List,
    /// First words of requests that no article needs.
    pub imperatives: List,
    pub negations: List,
    /// Phrases that hold a negation but negate nothing.
    pub not_negations: List,
    /// Numbers written as words. Words that often mean something else are left out.
    pub numerals: &'static [(&'static str, u32)],
    /// Pairs of word groups that say the contrary of each other.
    pub opposites: &'static [(List, List)],
    /// First words that may be put in lower case behind an attribution.
    pub safe_lower: List,
    /// Headings that say nothing about their topic.
    pub generic_headings: List,
    pub and: &'static str,
    /// Ways to name a source at the start of a sentence; `{}` is its title.
    pub attributions: &'static [&'static str],
    /// Whether the sentence goes on in lower case behind an attribution.
    pub attribution_lowers: bool,
    /// The sentence made of a table row from `{key}` and `{values}`; empty where code composes it.
    pub table_row: &'static str,
    /// What an order to write consists of, apart from its topic.
    pub instructions: List,
    pub text_kinds: List,
    pub kind_adjectives: List,
    /// What comes before the readers that a text is for.
    pub audience: &'static [&'static str],
    /// What comes before wishes about form at the end of an order.
    pub trailers: &'static [&'static str],
}

static TABLES: [Lexicon; 7] = [en::EN, de::DE, fr::FR, es::ES, it::IT, pt::PT, ru::RU];

/// Phrases by their first word, so that a sentence is searched in one pass.
#[derive(Default)]
pub(crate) struct Phrases(HashMap<&'static str, Vec<Vec<&'static str>>>);

impl Phrases {
    pub fn new(list: List) -> Self {
        let mut map: HashMap<_, Vec<Vec<_>>> = HashMap::new();
        for phrase in entries(list) {
            let mut words = phrase.split_whitespace();
            if let Some(first) = words.next() {
                map.entry(first).or_default().push(words.collect());
            }
        }
        // The longest match first, so that `match_len` is the longest.
        for rests in map.values_mut() {
            rests.sort_by_key(|rest| std::cmp::Reverse(rest.len()));
        }
        Self(map)
    }

    /// The number of words of the longest phrase that `words` starts with.
    pub fn match_len<S: AsRef<str>>(&self, words: &[S]) -> Option<usize> {
        let (first, rest) = words.split_first()?;
        let found = self
            .0
            .get(first.as_ref())?
            .iter()
            .find(|phrase| phrase.len() <= rest.len() && phrase.iter().zip(rest).all(|(a, b)| *a == b.as_ref()))?;
        Some(found.len() + 1)
    }

    pub fn starts<S: AsRef<str>>(&self, words: &[S]) -> bool {
        self.match_len(words).is_some()
    }

    pub fn anywhere<S: AsRef<str>>(&self, words: &[S]) -> bool {
        (0..words.len()).any(|i| self.starts(&words[i..]))
    }

    pub fn ends<S: AsRef<str>>(&self, words: &[S]) -> bool {
        (words.len().saturating_sub(3)..words.len()).any(|i| self.match_len(&words[i..]) == Some(words.len() - i))
    }

    /// Whether all of `words` is one phrase.
    pub fn is<S: AsRef<str>>(&self, words: &[S]) -> bool {
        self.match_len(words) == Some(words.len())
    }
}

/// A table made ready for look-ups.
pub(crate) struct Language {
    pub table: &'static Lexicon,
    pub openers: Phrases,
    pub exempt: Phrases,
    pub leads: Phrases,
    pub anaphors: Phrases,
    pub possessives: Phrases,
    pub inner: Phrases,
    pub tails: Phrases,
    pub pointing: Phrases,
    pub first_person: Phrases,
    pub boilerplate: Phrases,
    pub imperatives: Phrases,
    pub negations: Phrases,
    pub not_negations: Phrases,
    pub safe_lower: Phrases,
    pub generic_headings: Phrases,
    pub instructions: Phrases,
    pub text_kinds: Phrases,
    pub kind_adjectives: Phrases,
    pub marks: marks::Marks,
}

impl Language {
    fn new(table: &'static Lexicon) -> Self {
        Self {
            table,
            openers: Phrases::new(table.openers),
            exempt: Phrases::new(table.exempt),
            leads: Phrases::new(table.leads),
            anaphors: Phrases::new(table.anaphors),
            possessives: Phrases::new(table.possessives),
            inner: Phrases::new(table.inner),
            tails: Phrases::new(table.tails),
            pointing: Phrases::new(table.pointing),
            first_person: Phrases::new(table.first_person),
            boilerplate: Phrases::new(table.boilerplate),
            imperatives: Phrases::new(table.imperatives),
            negations: Phrases::new(table.negations),
            not_negations: Phrases::new(table.not_negations),
            safe_lower: Phrases::new(table.safe_lower),
            generic_headings: Phrases::new(table.generic_headings),
            instructions: Phrases::new(table.instructions),
            text_kinds: Phrases::new(table.text_kinds),
            kind_adjectives: Phrases::new(table.kind_adjectives),
            marks: marks::Marks::of(table.code),
        }
    }
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| TABLES.iter().map(Language::new).collect());

/// The table for a language code; region suffixes (`en-GB`) are ignored. `None` for a language without a table.
pub(crate) fn of(code: &str) -> Option<&'static Language> {
    let primary = primary(code);
    LANGUAGES.iter().find(|l| primary.eq_ignore_ascii_case(l.table.code))
}

pub(crate) fn all() -> &'static [Language] {
    &LANGUAGES
}

/// `en` of `en-GB`.
pub(crate) fn primary(code: &str) -> &str {
    code.split(['-', '_']).next().unwrap_or(code)
}

/// The words of `text` as the tables write them, with the byte offset of each.
pub(crate) fn tokens(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start = None;
    for (i, c) in text.char_indices() {
        let inside = c.is_alphanumeric() || matches!(c, '\'' | '’' | '-' | '\u{2011}');
        match (inside, start) {
            (true, None) if c.is_alphanumeric() => start = Some(i),
            (false, Some(s)) => {
                out.push((s, trim_token(&text[s..i])));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(s) = start {
        out.push((s, trim_token(&text[s..])));
    }
    out
}

fn trim_token(token: &str) -> &str {
    token.trim_end_matches(|c: char| !c.is_alphanumeric())
}

/// Lower case with straight apostrophes.
pub(crate) fn lower(token: &str) -> String {
    if token.is_ascii() {
        return token.to_ascii_lowercase();
    }
    token.to_lowercase().replace('’', "'").replace('\u{2011}', "-")
}

pub(crate) fn lower_tokens(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|(_, t)| lower(t)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_lower_case_and_have_their_templates() {
        for language in all() {
            let t = language.table;
            for list in [t.openers, t.exempt, t.leads, t.anaphors, t.inner, t.pointing, t.boilerplate, t.negations] {
                for phrase in entries(list) {
                    assert_eq!(lower(phrase), phrase, "{}", t.code);
                    assert_eq!(
                        lower_tokens(phrase).join(" ").len(),
                        phrase.replace('.', "").len(),
                        "{}: {phrase}",
                        t.code
                    );
                }
            }
            assert!(t.attributions.iter().all(|a| a.contains("{}")), "{}", t.code);
            assert!(t.code == "en" || t.table_row.contains("{key}") && t.table_row.contains("{values}"), "{}", t.code);
        }
    }

    #[test]
    fn tokens_keep_inner_apostrophes_and_hyphens() {
        let found: Vec<_> = tokens("Don’t stop — ‘next-day’ (it's on).").into_iter().map(|(_, t)| lower(t)).collect();
        assert_eq!(found, ["don't", "stop", "next-day", "it's", "on"]);
    }

    #[test]
    fn regions_are_ignored() {
        assert_eq!(of("en-GB").map(|l| l.table.code), Some("en"));
        assert!(of("xx").is_none());
    }
}

//! The words of the sources, and whether a word of the order is among them in some form.

use std::collections::{HashMap, HashSet};

use galley_domain::writing::Snapshot;
use galley_text::word;

use crate::lexicon;

/// Longer texts are judged by their beginning.
const LOOKED_AT_BYTES: usize = 1_000_000;
/// Different words that are kept; more are hardly new.
const MAX_WORDS: usize = 60_000;
/// A shorter stem stands within other words by chance.
const LEAST_COMPOUND: usize = 5;
/// Words with so long a beginning in common are of one family: `photographer` and `photography`.
const FAMILY: usize = 6;
/// In shorter words one letter makes another word.
const LEAST_TYPO: usize = 6;

/// Words with compounds taken apart at their hyphens.
pub(super) fn parts(text: &str) -> impl Iterator<Item = &str> {
    word::iter(text)
        .flat_map(|w| w.split(['-', '\u{2010}', '\u{2011}']))
        .map(|part| part.rsplit_once(['\'', '’']).map_or(part, |(before, after)| longer(before, after)))
        .filter(|part| !part.is_empty())
}

/// `l'homme` is `homme`, `Galley's` is `Galley`.
fn longer<'a>(before: &'a str, after: &'a str) -> &'a str {
    if after.len() > before.len() { after } else { before }
}

/// Pairs of characters of a script that sets no spaces between words.
pub(super) fn unspaced(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut before: Option<usize> = None;
    for (at, c) in text.char_indices() {
        if let Some(start) = before.filter(|_| c.is_alphanumeric()) {
            out.push(&text[start..at + c.len_utf8()]);
        }
        before = c.is_alphanumeric().then_some(at);
    }
    out
}

#[derive(Debug)]
pub(super) struct SourceWords<'a> {
    /// Of the order.
    language: &'a str,
    stems: HashSet<String>,
    /// The words in lower case by their first character.
    by_first: HashMap<char, Vec<String>>,
    /// Stems of titles and first headings.
    titled: HashSet<String>,
    pairs: HashSet<String>,
}

impl<'a> SourceWords<'a> {
    /// Stems are made by the rules of the source's language and of the order's.
    pub fn new(sources: &[Snapshot], languages: &[String], language: &'a str) -> Self {
        let mut found = Self::empty(language);
        let mut all: HashSet<String> = HashSet::new();
        for (source, own) in sources.iter().zip(languages) {
            let end = source.text.floor_char_boundary(LOOKED_AT_BYTES);
            let heading = source.text.lines().next().filter(|line| line.starts_with('#')).unwrap_or_default();
            for part in [heading, &source.title].into_iter().flat_map(parts) {
                found.titled.insert(word::stem(&lexicon::lower(part), language));
            }
            let label = source.origin.label().replace(|c: char| !c.is_alphanumeric(), " ");
            for text in [&source.text[..end], &source.title, &label] {
                found.add(text, own, &mut all);
            }
        }
        found.sorted(all)
    }

    pub fn of_text(text: &str, language: &'a str) -> Self {
        let mut found = Self::empty(language);
        let mut all = HashSet::new();
        found.add(text, "", &mut all);
        found.sorted(all)
    }

    fn empty(language: &'a str) -> Self {
        Self {
            language,
            stems: HashSet::new(),
            by_first: HashMap::new(),
            titled: HashSet::new(),
            pairs: HashSet::new(),
        }
    }

    fn add(&mut self, text: &str, own: &str, all: &mut HashSet<String>) {
        if word::is_unspaced(self.language) {
            self.pairs.extend(unspaced(text).into_iter().map(str::to_lowercase));
        }
        for part in parts(text) {
            let lower = lexicon::lower(part);
            if all.len() >= MAX_WORDS || all.contains(&lower) {
                continue;
            }
            self.stems.insert(word::stem(&lower, self.language));
            if !own.is_empty() && own != self.language {
                self.stems.insert(word::stem(&lower, own));
            }
            all.insert(lower);
        }
    }

    fn sorted(mut self, all: HashSet<String>) -> Self {
        let mut all: Vec<String> = all.into_iter().collect();
        all.sort_unstable();
        for word in all {
            self.by_first.entry(word.chars().next().unwrap_or(' ')).or_default().push(word);
        }
        self
    }

    /// How much it says that the word is found: what a title says, a text is about.
    pub fn weight(&self, word: &str) -> usize {
        let is_titled = || self.titled.contains(&word::stem(&lexicon::lower(word), self.language));
        if is_titled() { 2 } else { 1 }
    }

    pub fn has(&self, word: &str) -> bool {
        let lower = lexicon::lower(word);
        if word::is_unspaced(self.language) {
            return self.pairs.contains(&lower);
        }
        let stem = word::stem(&lower, self.language);
        self.stems.contains(&stem) || self.has_compound(&lower, &stem) || self.has_relative(&lower)
    }

    /// `Kaffee` in `Kaffeeernte`, `Ernte` there too where `Kaffee` is a word by itself, and each of them where the order
    /// says `Kaffeeernte`.
    fn has_compound(&self, lower: &str, stem: &str) -> bool {
        let long = |part: &str| part.chars().count() >= LEAST_COMPOUND;
        if long(stem) && self.begins_word(stem) {
            return true;
        }
        if matches!(self.language, "en" | "fr" | "es" | "it" | "pt" | "ru") {
            return false;
        }
        let splits = |word: &str, is_found: &dyn Fn(&str, &str) -> bool| {
            word.char_indices().skip(3).any(|(at, _)| is_found(&word[..at], &word[at..]))
        };
        splits(lower, &|head, tail| long(head) && self.is_word(head) || long(tail) && self.is_word(tail))
            || self.by_first.values().flatten().filter(|word| word.len() > lower.len() && word.contains(stem)).any(
                |word| {
                    // `Tomaten` is no part of `Automaten`: what stands in front must be a word.
                    splits(word, &|head, tail| self.is_modifier(head) && word::stem(tail, self.language) == stem)
                },
            )
    }

    /// `Reise` and `Ernte`, also with what joins them to the next part: `Reisen`, `Lieferungs`.
    fn is_modifier(&self, head: &str) -> bool {
        let bare = ["s", "n", "en", "es", "er"].iter().filter_map(|joint| head.strip_suffix(joint));
        std::iter::once(head).chain(bare).any(|part| part.chars().count() > 2 && self.is_word(part))
    }

    fn begins_word(&self, stem: &str) -> bool {
        let first = stem.chars().next().unwrap_or(' ');
        self.by_first.get(&first).is_some_and(|words| words.iter().any(|word| word.starts_with(stem)))
    }

    fn is_word(&self, text: &str) -> bool {
        !word::is_stopword(text, self.language) && self.stems.contains(&word::stem(text, self.language))
    }

    /// A word of the same family, or the same in another spelling.
    fn has_relative(&self, lower: &str) -> bool {
        let length = lower.chars().count();
        let Some(candidates) = lower.chars().next().and_then(|first| self.by_first.get(&first)) else { return false };
        length >= LEAST_COMPOUND
            && candidates.iter().any(|other| {
                let shared = lower.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
                let longest = length.max(other.chars().count());
                shared >= FAMILY && shared * 10 >= longest * 6 || length >= LEAST_TYPO && is_one_edit(lower, other)
            })
    }
}

/// Whether one letter added, left out, changed or two swapped make one word of the other.
fn is_one_edit(a: &str, b: &str) -> bool {
    if a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[start..], &b[start..]);
    match b.len() - a.len() {
        0 => a.is_empty() || a[1..] == b[1..] || a.len() > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..],
        1 => *a == b[1..],
        _ => false,
    }
}

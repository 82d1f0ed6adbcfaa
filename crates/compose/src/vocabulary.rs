//! Words as numbers, so that sets of them compare fast.

use std::collections::HashMap;

use galley_text::word;

use crate::{lexicon, related::is_kin};

/// The stems met so far. Stems are shared between languages, so that names match across them.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    stems: HashMap<String, u32>,
    /// By language, what a word in lower case is.
    seen: HashMap<String, HashMap<String, Entry>>,
    /// For each stem a word as it first stood in a text.
    surfaces: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    is_stopword: bool,
}

/// The words of one text: sorted, each once.
#[derive(Debug, Clone, Default)]
pub(crate) struct TermSet {
    /// Every word.
    pub all: Vec<u32>,
    /// Words that mean something alone.
    pub content: Vec<u32>,
    /// Those of `content` that are numbers.
    pub figures: Vec<u32>,
}

impl Vocabulary {
    pub fn len(&self) -> usize {
        self.surfaces.len()
    }

    pub fn surface(&self, id: u32) -> &str {
        self.surfaces.get(id as usize).map_or("", String::as_str)
    }

    pub fn add(&mut self, text: &str, lang: &str) -> TermSet {
        let mut set = TermSet::default();
        for part in parts(text) {
            let entry = self.entry(part, lang);
            set.push(entry, part);
        }
        set.sorted()
    }

    /// The term of a stem.
    pub fn of_stem(&self, stem: &str) -> Option<u32> {
        self.stems.get(stem).copied()
    }

    /// The terms whose stem is kin to `stem`, which is not among them.
    pub fn kin(&self, stem: &str, lang: &str) -> Vec<u32> {
        let kin = |(other, id): (&String, &u32)| (other != stem && is_kin(stem, other, lang)).then_some(*id);
        let mut ids: Vec<u32> = self.stems.iter().filter_map(kin).collect();
        ids.sort_unstable();
        ids
    }

    /// The terms of a text in their order, content words only.
    pub fn add_sequence(&mut self, text: &str, lang: &str) -> Vec<u32> {
        parts(text).map(|part| self.entry(part, lang)).filter(|e| !e.is_stopword).map(|e| e.id).collect()
    }

    /// Like [`Self::add`] for text that must not grow the vocabulary; words not in it are counted instead.
    pub fn find(&self, text: &str, lang: &str) -> (TermSet, Vec<String>) {
        let mut set = TermSet::default();
        let mut unknown = Vec::new();
        for part in parts(text) {
            let lower = lexicon::lower(part);
            let known = self.seen.get(lang).and_then(|words| words.get(&lower)).copied().or_else(|| {
                let id = *self.stems.get(&word::stem(&lower, lang))?;
                Some(Entry { id, is_stopword: word::is_stopword(&lower, lang) })
            });
            match known {
                Some(entry) => set.push(entry, part),
                None if word::is_stopword(&lower, lang) => {}
                None => unknown.push(lower),
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        (set.sorted(), unknown)
    }

    /// The number of a word in lower case, if a text had one of its stem.
    pub fn id(&self, lower: &str, lang: &str) -> Option<u32> {
        match self.seen.get(lang).and_then(|words| words.get(lower)) {
            Some(entry) => Some(entry.id),
            None => self.stems.get(&word::stem(lower, lang)).copied(),
        }
    }

    fn entry(&mut self, part: &str, lang: &str) -> Entry {
        let lower = lexicon::lower(part);
        if let Some(entry) = self.seen.get(lang).and_then(|words| words.get(&lower)) {
            return *entry;
        }
        let stem = word::stem(&lower, lang);
        let next = u32::try_from(self.surfaces.len()).unwrap_or(u32::MAX);
        let id = *self.stems.entry(stem).or_insert(next);
        if id == next {
            self.surfaces.push(part.to_owned());
        }
        let entry = Entry { id, is_stopword: word::is_stopword(&lower, lang) };
        self.seen.entry(lang.to_owned()).or_default().insert(lower, entry);
        entry
    }
}

impl TermSet {
    fn push(&mut self, entry: Entry, word: &str) {
        self.all.push(entry.id);
        if !entry.is_stopword {
            self.content.push(entry.id);
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            self.figures.push(entry.id);
        }
    }

    fn sorted(mut self) -> Self {
        for list in [&mut self.all, &mut self.content, &mut self.figures] {
            list.sort_unstable();
            list.dedup();
        }
        self
    }
}

/// Words with compounds taken apart, so that `same-day delivery` and `same day delivery` are the same. Of scripts without
/// spaces the pairs of characters: one alone stands in every text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let pairs = if text.is_ascii() { Vec::new() } else { pairs(text) };
    let words = word::iter(text).filter(|w| !w.starts_with(word::is_of_unspaced_script));
    words.flat_map(|w| w.split(['-', '\u{2010}', '\u{2011}'])).filter(|part| !part.is_empty()).chain(pairs)
}

fn pairs(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut before: Option<usize> = None;
    for (at, c) in text.char_indices() {
        let is_own = word::is_of_unspaced_script(c);
        if let Some(start) = before.filter(|_| is_own) {
            out.push(&text[start..at + c.len_utf8()]);
        }
        before = is_own.then_some(at);
    }
    out
}

/// How many elements two sorted sets share.
pub(crate) fn shared(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                n += 1;
                i += 1;
                j += 1;
            }
        }
    }
    n
}

/// How rare each term is among `documents`: ln(1 + n / df).
pub(crate) fn idf<'a>(terms: usize, documents: impl Iterator<Item = &'a [u32]>) -> Vec<f32> {
    let mut frequency = vec![0_u32; terms];
    let mut n = 0_u32;
    for document in documents {
        n += 1;
        for id in document {
            frequency[*id as usize] += 1;
        }
    }
    frequency.into_iter().map(|df| (1.0 + n as f32 / df.max(1) as f32).ln()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_and_compounds_are_the_same_terms() {
        let mut v = Vocabulary::default();
        let a = v.add("The parcel lockers offer same-day delivery", "en");
        let b = v.add("A parcel locker offers same day deliveries", "en");
        assert_eq!(a.content, b.content);
        assert_ne!(a.all, b.all);
    }

    #[test]
    fn scripts_without_spaces_are_pairs_of_characters() {
        let mut v = Vocabulary::default();
        let a = v.add("采摘咖啡", "zh");
        assert_eq!((a.all.len(), v.find("咖啡果", "zh").0.all.len()), (3, 1));
        assert_eq!(v.add("2019年 coffee", "zh").figures.len(), 1);
    }

    #[test]
    fn finding_does_not_grow_and_names_the_unknown() {
        let mut v = Vocabulary::default();
        v.add("parcel lockers", "en");
        let (set, unknown) = v.find("The locker in Gdansk", "en");
        assert_eq!((set.content.len(), unknown), (1, vec!["gdansk".to_owned()]));
        assert_eq!(v.len(), 2);
    }
}

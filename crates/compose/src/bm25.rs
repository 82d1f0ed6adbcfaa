//! How well passages fit a query, by BM25.

use std::collections::HashMap;

use crate::vocabulary::TermSet;

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// A part of a query: one word of it with those that may stand in its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// Term ids with how much each of them is worth beside the word itself, 0.0..=1.0.
    pub terms: Vec<(u32, f32)>,
    /// 0.0..=1.0.
    pub weight: f32,
}

/// How a passage fits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Hit {
    pub score: f32,
    /// The share of the query, by rarity, that the passage has, 0.0..=1.0.
    pub coverage: f32,
}

/// Passages by their words.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// By term: the passages with it and how often.
    postings: HashMap<u32, Vec<(u32, f32)>>,
    lengths: Vec<f32>,
    average: f32,
}

impl Index {
    /// Adds a passage; `weight` is what one occurrence in it counts.
    pub fn add<'a>(&mut self, parts: impl IntoIterator<Item = (&'a TermSet, f32)>) {
        let number = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let mut length = 0.0;
        for (terms, weight) in parts {
            length += terms.content.len() as f32;
            for id in &terms.content {
                let list = self.postings.entry(*id).or_default();
                match list.last_mut() {
                    Some((last, count)) if *last == number => *count += weight,
                    _ => list.push((number, weight)),
                }
            }
        }
        self.lengths.push(length);
        self.average += (length - self.average) / self.lengths.len() as f32;
    }

    /// Whether a passage has the term.
    pub fn has(&self, id: u32) -> bool {
        self.postings.contains_key(&id)
    }

    /// The passages that have a word of the query, with how they fit, in their order.
    pub fn find(&self, query: &[Group]) -> Vec<(usize, Hit)> {
        let n = self.lengths.len() as f32;
        let mut hits: HashMap<u32, Hit> = HashMap::new();
        let mut whole = 0.0_f32;
        for group in query {
            // What one passage has of the group: each kind of word counts by its worth, the best one is what it covers.
            let mut found: HashMap<u32, (f32, f32)> = HashMap::new();
            for (id, worth) in &group.terms {
                for (passage, count) in self.postings.get(id).map_or(&[][..], Vec::as_slice) {
                    let entry = found.entry(*passage).or_default();
                    entry.0 += count * worth;
                    entry.1 = entry.1.max(*worth);
                }
            }
            // A word that no passage has is as rare as one that one has.
            let df = found.len().max(1) as f32;
            let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
            whole += group.weight * idf;
            for (passage, (tf, worth)) in found {
                let length = self.lengths[passage as usize] / self.average.max(1.0);
                let hit = hits.entry(passage).or_default();
                hit.score += group.weight * idf * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * length));
                hit.coverage += group.weight * idf * worth;
            }
        }
        let mut out: Vec<(usize, Hit)> = hits
            .into_iter()
            .map(|(passage, hit)| {
                let coverage = (hit.coverage / whole.max(f32::MIN_POSITIVE)).min(1.0);
                (passage as usize, Hit { score: hit.score, coverage })
            })
            .collect();
        out.sort_unstable_by_key(|(passage, _)| *passage);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Vocabulary;

    #[test]
    fn rare_words_of_the_query_decide() {
        let mut v = Vocabulary::default();
        let texts = [
            "The locker is full in winter and the locker is cold",
            "The locker costs 40 euros a month",
            "A locker stands beside the shop",
            "The parcels come by van",
        ];
        let sets: Vec<TermSet> = texts.iter().map(|text| v.add(text, "en")).collect();
        let mut index = Index::default();
        sets.iter().for_each(|set| index.add([(set, 1.0)]));
        let group = |word: &str| Group {
            terms: v.find(word, "en").0.content.into_iter().map(|id| (id, 1.0)).collect(),
            weight: 1.0,
        };
        let found = index.find(&[group("locker"), group("costs")]);
        assert_eq!(found.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 1, 2]);
        let best = found.iter().max_by(|a, b| a.1.score.total_cmp(&b.1.score)).map(|(i, _)| *i);
        assert_eq!(best, Some(1));
        assert!(found[1].1.coverage > 0.99 && found[0].1.coverage < 0.4, "{found:?}");
        assert!(index.find(&[group("bicycle")]).is_empty());
    }
}

//! Which sources say most about an order.

use std::collections::HashMap;

use galley_domain::writing::{Brief, Snapshot};

use crate::{lexicon, snapshot::language_of, title, vocabulary::Vocabulary};

const K1: f32 = 1.2;
const B: f32 = 0.75;
/// A keyword is a stronger wish than a word of the prompt.
const KEYWORD_WEIGHT: f32 = 2.0;
/// A word that only says for whom the text is.
const READERS_WEIGHT: f32 = 0.4;
/// A word of the title counts like this many in the text.
const TITLE_WEIGHT: f32 = 5.0;
/// Longer texts are judged by their beginning.
const LOOKED_AT_BYTES: usize = 400_000;

/// The numbers of the sources, best first: those in the ordered language before others, then by BM25 of the prompt's
/// topic and the keywords, then by number.
pub fn rank(brief: &Brief, sources: &[Snapshot]) -> Vec<u32> {
    Ranked::new(brief, sources).into_iter().map(|ranked| ranked.source.number).collect()
}

/// A source with what its place says. Finding its language out takes a while, so that is done once.
#[derive(Debug)]
pub(crate) struct Ranked<'s> {
    pub source: &'s Snapshot,
    pub language: &'s str,
    /// Known to be in another language than the ordered one.
    pub is_foreign: bool,
    pub score: f32,
}

impl<'s> Ranked<'s> {
    /// Best first, as [`rank`] says.
    pub fn new(brief: &Brief, sources: &'s [Snapshot]) -> Vec<Self> {
        let languages: Vec<&str> = sources.iter().map(language_of).collect();
        let scores = scores(brief, sources, &languages);
        let ordered = lexicon::primary(&brief.language);
        let with_score = sources.iter().zip(languages).zip(scores);
        let mut ranked: Vec<Self> = with_score
            .map(|((source, language), score)| {
                let is_foreign = !language.is_empty() && !language.eq_ignore_ascii_case(ordered);
                Self { source, language, is_foreign, score }
            })
            .collect();
        ranked.sort_by(|a, b| {
            let by_score = b.score.total_cmp(&a.score).then(a.source.number.cmp(&b.source.number));
            a.is_foreign.cmp(&b.is_foreign).then(by_score)
        });
        ranked
    }
}

/// The weighted terms of an order.
pub(crate) fn query(brief: &Brief, vocabulary: &mut Vocabulary) -> Vec<(u32, f32)> {
    let lang = lexicon::primary(&brief.language);
    let topic = title::topic(&brief.prompt, lexicon::of(lang));
    let mut weights: HashMap<u32, f32> = HashMap::new();
    let (core, readers) = title::without_audience(&topic, lexicon::of(lang));
    for (text, weight) in [(readers, READERS_WEIGHT), (core, 1.0)] {
        for id in vocabulary.add(text, lang).content {
            weights.insert(id, weight);
        }
    }
    // Wishes behind the topic name subtopics at times.
    for id in vocabulary.add(&brief.prompt, lang).content {
        weights.entry(id).or_insert(0.15);
    }
    for keyword in &brief.keywords {
        for id in vocabulary.add(keyword, lang).content {
            weights.insert(id, KEYWORD_WEIGHT);
        }
    }
    let mut query: Vec<_> = weights.into_iter().collect();
    query.sort_unstable_by_key(|(id, _)| *id);
    query
}

/// The BM25 score of each source.
fn scores(brief: &Brief, sources: &[Snapshot], languages: &[&str]) -> Vec<f32> {
    let mut vocabulary = Vocabulary::default();
    let query = query(brief, &mut vocabulary);
    let wanted = query.last().map_or(0, |(id, _)| *id as usize + 1);
    let mut counts = Vec::with_capacity(sources.len());
    for (source, lang) in sources.iter().zip(languages) {
        let end = source.text.floor_char_boundary(LOOKED_AT_BYTES);
        let terms = vocabulary.add_sequence(&source.text[..end], lang);
        let mut frequency = vec![0.0_f32; wanted];
        let titled = vocabulary.add_sequence(&source.title, lang);
        for (ids, weight) in [(&terms, 1.0), (&titled, TITLE_WEIGHT)] {
            for id in ids.iter().filter(|id| (**id as usize) < wanted) {
                frequency[*id as usize] += weight;
            }
        }
        counts.push((terms.len().max(1) as f32, frequency));
    }
    let n = sources.len() as f32;
    let average = counts.iter().map(|(len, _)| len).sum::<f32>() / n.max(1.0);
    counts
        .iter()
        .map(|(len, frequency)| {
            query
                .iter()
                .map(|(id, weight)| {
                    let tf = frequency[*id as usize];
                    let df = counts.iter().filter(|(_, f)| f[*id as usize] > 0.0).count() as f32;
                    let idf = (1.0 + (n - df + 0.5) / (df + 0.5)).ln();
                    weight * idf * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * len / average))
                })
                .sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{brief, source};

    #[test]
    fn the_topic_and_the_language_decide() {
        let sources = [
            source(1, "en", "# Cooking\n\nSoup is made of water and vegetables and is eaten hot in winter by many."),
            source(2, "de", "# Paketautomaten\n\nParcel lockers heißen Paketautomaten und stehen neben Supermärkten."),
            source(
                3,
                "en",
                "# Lockers\n\nParcel lockers stand next to supermarkets. A parcel locker holds 60 parcels.",
            ),
            source(4, "en", "# Post\n\nThe post brings letters and at times a parcel to the door of the customer."),
        ];
        assert_eq!(rank(&brief("Write about parcel lockers", &["parcel lockers"]), &sources), [3, 4, 1, 2]);
    }

    #[test]
    fn nothing_to_rank_is_no_error() {
        assert_eq!(rank(&brief("", &[]), &[]), Vec::<u32>::new());
        assert_eq!(rank(&brief("", &[]), &[source(4, "en", "")]), [4]);
    }
}

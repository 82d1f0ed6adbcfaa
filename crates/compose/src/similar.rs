//! Sentences that say the same.

use std::collections::HashMap;

use crate::vocabulary::{TermSet, shared};

/// Two sentences at least this similar are the same to a reader.
pub(crate) const SAME: f32 = 0.8;
/// Two sentences with the same two or more numbers are the same already at this share of content words.
const SAME_FIGURES: f32 = 0.35;
/// A shorter sentence of at least this many content words of which nearly all stand in the other one repeats it.
const CONTAINED_MIN_TERMS: usize = 5;
const CONTAINED: f32 = 0.9;

/// Whether one of the two is superfluous beside the other: the same figures in like words, mostly the same words with or
/// without stop words, or one within the other.
pub(crate) fn repeats(a: &TermSet, b: &TermSet) -> bool {
    let (short, long) = if a.content.len() <= b.content.len() { (a, b) } else { (b, a) };
    let contained = || {
        short.content.len() >= CONTAINED_MIN_TERMS
            // Much longer sentences hold the words of others by chance.
            && long.content.len() <= short.content.len() * 2
            && shared(&short.content, &long.content) as f32 >= CONTAINED * short.content.len() as f32
    };
    // The same words with another number are another statement.
    let differs = |a: &TermSet, b: &TermSet| shared(&a.figures, &b.figures) < a.figures.len();
    if differs(a, b) && differs(b, a) {
        return false;
    }
    let figures = || a.figures.len() >= 2 && a.figures == b.figures && alike(&a.content, &b.content, SAME_FIGURES);
    let same = || alike(&a.all, &b.all, SAME) || short.content.len() >= 3 && alike(&a.content, &b.content, SAME);
    figures() || same() || contained()
}

/// Whether their [`jaccard`] is at least so much; two sets of very different sizes need not be compared.
fn alike(a: &[u32], b: &[u32], least: f32) -> bool {
    let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
    short as f32 >= least * long as f32 && jaccard(a, b) >= least
}

pub(crate) fn jaccard(a: &[u32], b: &[u32]) -> f32 {
    let both = shared(a, b);
    let any = a.len() + b.len() - both;
    if any == 0 { 0.0 } else { both as f32 / any as f32 }
}

/// Sentences kept so far, indexed so that a repetition is found without comparing with all of them.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    sets: Vec<TermSet>,
    by_term: HashMap<u32, Vec<usize>>,
}

impl Kept {
    /// Whether a kept sentence says the same.
    ///
    /// Two sets of which four fifths are shared have at least one of the rarest fifth of either in common, so only
    /// sentences that share a rare word are compared. Without `rarity` every word is looked up.
    pub fn has(&self, set: &TermSet, rarity: Option<&[f32]>) -> bool {
        let words = match rarity {
            Some(rarity) => rarest(set, rarity),
            None => set.all.clone(),
        };
        let mut candidates: Vec<usize> =
            words.iter().filter_map(|id| self.by_term.get(id)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        candidates.into_iter().any(|i| repeats(&self.sets[i], set))
    }

    pub fn add(&mut self, set: TermSet, rarity: Option<&[f32]>) {
        let words = match rarity {
            Some(rarity) => rarest(&set, rarity),
            None => set.all.clone(),
        };
        for id in words {
            self.by_term.entry(id).or_default().push(self.sets.len());
        }
        self.sets.push(set);
    }
}

fn rarest(set: &TermSet, rarity: &[f32]) -> Vec<u32> {
    let mut words = set.all.clone();
    let value = |id: &u32| rarity.get(*id as usize).copied().unwrap_or(f32::MAX);
    words.sort_by(|a, b| value(b).total_cmp(&value(a)).then(a.cmp(b)));
    // A little more than a fifth, for the comparison without stop words.
    words.truncate(set.all.len() / 3 + 1);
    words.extend(set.figures.iter().filter(|_| set.figures.len() > 1));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Vocabulary;

    fn sets(a: &str, b: &str) -> (TermSet, TermSet) {
        let mut v = Vocabulary::default();
        (v.add(a, "en"), v.add(b, "en"))
    }

    #[test]
    fn near_repetitions_are_told_from_parallel_facts() {
        let (a, b) = sets(
            "Parcel lockers cut the cost of a failed delivery by about a third.",
            "Parcel lockers cut the costs of failed deliveries by a third.",
        );
        assert!(repeats(&a, &b));
        let (a, b) = sets(
            "The hub Riga has 120 orders and a return rate of 3 %.",
            "The hub Tartu has 80 orders and a return rate of 4 %.",
        );
        assert!(!repeats(&a, &b));
    }

    #[test]
    fn another_number_is_another_statement() {
        let (a, b) = sets(
            "The bridge over the river Orne is 1,420 metres long and carries six lanes of traffic.",
            "The bridge over the river Orne is 1,375 metres long and carries six lanes of traffic.",
        );
        assert!(!repeats(&a, &b));
    }

    #[test]
    fn sets_of_different_sizes_are_alike_only_as_far_as_that_goes() {
        for (a, b, least) in [
            (&[1, 2, 3, 4][..], &[1, 2, 3, 4, 5][..], SAME),
            (&[1, 2, 3], &[1, 2, 3, 4, 5], SAME),
            (&[1, 2], &[3, 4], SAME_FIGURES),
            (&[1, 2], &[1, 2, 3, 4, 5], SAME_FIGURES),
            (&[], &[], SAME),
        ] {
            assert_eq!(alike(a, b, least), jaccard(a, b) >= least, "{a:?} {b:?}");
            assert_eq!(alike(b, a, least), jaccard(a, b) >= least, "{b:?} {a:?}");
        }
    }

    #[test]
    fn kept_sentences_are_found_again() {
        let (a, b) = sets("Lockers hold 60 parcels on average.", "On average, lockers hold 60 parcels.");
        let mut kept = Kept::default();
        assert!(!kept.has(&a, None));
        kept.add(a, None);
        assert!(kept.has(&b, None));
    }
}

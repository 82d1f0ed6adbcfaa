//! How many sections an article gets, and how many words each.

use galley_domain::writing::WordRange;

/// Words of a section that is neither a stub nor a chapter.
const WORDS_OF_A_SECTION: u32 = 180;
/// The most sections with a heading.
pub(crate) const MOST_SECTIONS: usize = 12;
/// The opening weighs 3 where a section with a heading weighs 5.
const OPENING_WEIGHT: u64 = 3;
const SECTION_WEIGHT: u64 = 5;

/// How many sections with a heading suit an article of this length: 1 to 12.
pub fn section_count(words: WordRange) -> usize {
    let count = words.target() / WORDS_OF_A_SECTION;
    usize::try_from(count).unwrap_or(MOST_SECTIONS).clamp(1, MOST_SECTIONS)
}

/// Shares `words` out over the opening (first) and `sections` sections with a heading. The lower ends add up to
/// `words.min` and the upper ends to `words.max`, so that sections within their budgets make an article within its own.
pub fn distribute(words: WordRange, sections: usize) -> Vec<WordRange> {
    let mut weights = vec![OPENING_WEIGHT];
    weights.resize(sections.min(MOST_SECTIONS) + 1, SECTION_WEIGHT);
    let least = shares(words.min, &weights);
    let spread = shares(words.max.saturating_sub(words.min), &weights);
    least.into_iter().zip(spread).map(|(min, extra)| WordRange { min, max: min + extra }).collect()
}

/// Splits `total` by weight without losing a unit to rounding.
fn shares(total: u32, weights: &[u64]) -> Vec<u32> {
    let whole: u64 = weights.iter().sum();
    let mut before = 0;
    let mut given = 0;
    weights
        .iter()
        .map(|weight| {
            before += weight;
            let until = u64::from(total) * before / whole.max(1);
            let share = until - given;
            given = until;
            u32::try_from(share).unwrap_or(u32::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_add_up_for_every_order() {
        for (min, max) in [(100, 100), (100, 101), (300, 350), (800, 1_200), (1, 2), (10_000, 10_000)] {
            for sections in 0..=MOST_SECTIONS {
                let words = WordRange { min, max };
                let parts = distribute(words, sections);
                assert_eq!(parts.len(), sections + 1);
                assert_eq!(parts.iter().map(|p| p.min).sum::<u32>(), min, "{words:?} {sections}");
                assert_eq!(parts.iter().map(|p| p.max).sum::<u32>(), max, "{words:?} {sections}");
                assert!(parts.iter().all(|p| p.min <= p.max));
            }
        }
    }

    #[test]
    fn the_opening_is_the_short_one() {
        let parts = distribute(WordRange { min: 700, max: 900 }, 3);
        assert!(parts[0].max < parts[1].min, "{parts:?}");
    }

    #[test]
    fn longer_articles_get_more_sections() {
        let count = |target| section_count(WordRange { min: target, max: target });
        assert_eq!((count(100), count(400), count(1_000), count(10_000)), (1, 2, 5, 12));
    }
}

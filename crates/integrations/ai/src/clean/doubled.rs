//! Sentences that say one clause twice: `The beds are dug, and the beds are dug.`

use galley_text::sentence;
use unicode_segmentation::UnicodeSegmentation;

use super::key_of;

/// What stands between two clauses.
const BETWEEN: [&str; 8] = [", and ", " and ", "; ", ", ", ", und ", " und ", ", et ", " y "];
/// Shorter ones are figures of speech.
const WORDS: usize = 4;

pub(super) fn told_once(paragraphs: &mut [String]) {
    for paragraph in paragraphs {
        let mut once = paragraph.clone();
        for range in sentence::split(paragraph).into_iter().rev() {
            if let Some(end) = first_half(&paragraph[range.clone()]) {
                let (start, sentence) = (range.start, paragraph[range.clone()].trim_end());
                let stop = &sentence[sentence.trim_end_matches(['.', '!', '?']).len()..];
                once.replace_range(start + end..start + sentence.len(), stop);
            }
        }
        *paragraph = once;
    }
}

/// Where the first of two equal halves ends.
fn first_half(sentence: &str) -> Option<usize> {
    BETWEEN.iter().flat_map(|between| sentence.match_indices(between)).find_map(|(at, between)| {
        let (one, other) = (&sentence[..at], &sentence[at + between.len()..]);
        (one.unicode_words().count() >= WORDS && key_of(one) == key_of(other)).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_told_once() {
        let mut paragraphs: Vec<String> = [
            "Rain fell. The beds are dug in March, and the beds are dug in March. Beans grow.",
            "The beds are dug in March and the beans are sown in May.",
            "Again and again it rained.",
        ]
        .map(str::to_owned)
        .into();
        told_once(&mut paragraphs);
        assert_eq!(
            paragraphs,
            [
                "Rain fell. The beds are dug in March. Beans grow.",
                "The beds are dug in March and the beans are sown in May.",
                "Again and again it rained.",
            ]
        );
    }
}

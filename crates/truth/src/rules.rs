//! What may be put for what in a language: `data/rules`.

use std::collections::HashMap;

use crate::text;

/// Sections of lines. `a | b` goes both ways, `a > b` one way, `a` alone is a word of a list.
#[derive(Debug, Default)]
pub struct Rules {
    pairs: HashMap<String, Vec<(String, String)>>,
    lines: HashMap<String, Vec<String>>,
}

impl Rules {
    pub fn read(text: &str) -> Self {
        let mut rules = Self::default();
        let mut section = String::new();
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.clone_into(&mut section);
                continue;
            }
            let pairs = rules.pairs.entry(section.clone()).or_default();
            if let Some((a, b)) = line.split_once(" | ") {
                pairs.push((a.to_owned(), b.to_owned()));
                pairs.push((b.to_owned(), a.to_owned()));
            } else if let Some((a, b)) = line.split_once(" >") {
                pairs.push((a.to_owned(), b.trim().to_owned()));
            }
            rules.lines.entry(section.clone()).or_default().push(line.to_owned());
        }
        rules
    }

    pub fn pairs(&self, section: &str) -> &[(String, String)] {
        self.pairs.get(section).map_or(&[], Vec::as_slice)
    }

    pub fn list(&self, section: &str) -> &[String] {
        self.lines.get(section).map_or(&[], Vec::as_slice)
    }

    /// Whether a word of a list stands in a sentence.
    pub fn has(&self, section: &str, sentence: &str) -> bool {
        self.list(section).iter().any(|word| text::find(sentence, word, 0).is_some())
    }

    /// Whether a sentence starts with a word of a list.
    pub fn starts(&self, section: &str, sentence: &str) -> bool {
        self.list(section).iter().any(|word| text::matches_at(sentence, 0, word))
    }
}

/// A sentence for each place and each rule whose left side stands there. At one place the longest left sides count
/// alone: where `must not` is in the rules, `must` in front of `not` is not touched.
pub fn replaced(sentence: &str, pairs: &[(String, String)]) -> Vec<String> {
    places(sentence, pairs).into_iter().map(|(at, len, right)| text::put(sentence, at, len, right)).collect()
}

/// Two rules at two places at once, each pair of them.
pub fn replaced_twice(sentence: &str, pairs: &[(String, String)]) -> Vec<String> {
    let places = places(sentence, pairs);
    let mut out = Vec::new();
    for (i, (first, first_len, a)) in places.iter().enumerate() {
        for (second, len, b) in places[i + 1..].iter().filter(|(second, ..)| first + first_len < *second) {
            // From the end, so that the first place stays where it is.
            out.push(text::put(&text::put(sentence, *second, *len, b), *first, *first_len, a));
        }
    }
    out
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h' | 'é' | 'è' | 'ê' | 'à' | 'â' | 'î' | 'ô')
}

/// Where a left side stands: the byte, its length and the right side.
pub fn places<'a>(sentence: &str, pairs: &'a [(String, String)]) -> Vec<(usize, usize, &'a str)> {
    let mut out = Vec::new();
    let mut free = 0;
    for (at, _) in sentence.char_indices() {
        if at < free {
            continue;
        }
        let here: Vec<&'a (String, String)> =
            pairs.iter().filter(|(left, _)| text::matches_at(sentence, at, left)).collect();
        let Some(longest) = here.iter().map(|(left, _)| left.len()).max() else { continue };
        let elided = sentence[..at].ends_with(['\'', '’']);
        // `L'ancienne` is no place for `nouvelle`.
        let fits = |right: &str| !elided || right.starts_with(is_vowel);
        for (left, right) in here.into_iter().filter(|(left, right)| left.len() == longest && fits(right)) {
            out.push((at, left.len(), right.as_str()));
        }
        free = at + longest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_counts_at_a_place() {
        let rules = Rules::read("[m]\nmust > may\nmust not > may\n[t]\nday | night\nabout >\n");
        assert_eq!(replaced("You must not go.", rules.pairs("m")), ["You may go."]);
        assert_eq!(replaced("You must go.", rules.pairs("m")), ["You may go."]);
        assert_eq!(replaced("Day and night.", rules.pairs("t")), ["Night and night.", "Day and day."]);
        assert_eq!(replaced("It costs about 3 euros.", rules.pairs("t")), ["It costs 3 euros."]);
        assert_eq!(replaced("About today.", rules.pairs("t")), ["Today."]);
    }
}

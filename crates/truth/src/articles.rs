//! What is looked at in the articles that are made: sections for topics, and sentences without an antecedent.

use galley_domain::writing::{Outline, Snapshot};

use crate::{
    data::Language,
    orders::{Order, Topic, Written},
};

/// How an article follows the topics of its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// For each topic the section about it.
    pub sections: Vec<Option<usize>>,
}

impl Followed {
    /// No section is taken for two topics.
    pub fn new(topics: &[Topic], outline: &Outline) -> Self {
        let headings: Vec<String> =
            outline.sections.iter().map(|section| section.heading.as_deref().unwrap_or("").to_lowercase()).collect();
        let mut taken = vec![false; headings.len()];
        let mut find = |topic: &Topic| {
            let has = |heading: &String| topic.keys.iter().any(|key| heading.contains(key.as_str()));
            let at = (0..headings.len()).find(|i| !taken[*i] && has(&headings[*i]))?;
            taken[at] = true;
            Some(at)
        };
        Self { sections: topics.iter().map(&mut find).collect() }
    }

    pub fn found(&self) -> usize {
        self.sections.iter().flatten().count()
    }

    /// The sections follow each other as the topics do, and one topic at most has none.
    pub fn in_order(&self) -> bool {
        let found: Vec<usize> = self.sections.iter().flatten().copied().collect();
        found.len() + 1 >= self.sections.len() && found.len() > 1 && found.is_sorted()
    }
}

/// The sentences that begin by pointing back to a sentence that does not stand before them.
pub fn without_antecedent(order: &Order, written: &Written, languages: &[Language]) -> Vec<String> {
    let Some(language) = languages.iter().find(|language| language.code == order.brief.language) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut before: Option<(usize, String)> = None;
    for placed in &written.sentences {
        let sentence = placed.claim.sentence.as_str();
        let points = language.rules.starts("openers", sentence) && !language.rules.starts("no openers", sentence);
        let follows = before.as_ref().is_some_and(|(section, before)| {
            *section == placed.section && is_directly_behind(before, sentence, &order.sources)
        });
        if points && !follows {
            out.push(sentence.to_owned());
        }
        before = Some((placed.section, sentence.to_owned()));
    }
    out
}

/// Whether a source has the two sentences one behind the other.
fn is_directly_behind(before: &str, sentence: &str, sources: &[Snapshot]) -> bool {
    // A sentence may have got an attribution in front of it: its end is what stands in the source.
    let tail = |text: &str| text.char_indices().rev().nth(24).map_or(text, |(at, _)| &text[at..]).to_owned();
    let before = tail(before);
    sources.iter().any(|source| {
        source.text.match_indices(sentence).any(|(at, _)| source.text[..at].trim_end().ends_with(before.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{SectionPlan, WordRange};

    use super::*;

    fn outline(headings: &[&str]) -> Outline {
        let plan = |heading: &&str| SectionPlan {
            heading: Some((*heading).to_owned()),
            points: Vec::new(),
            words: WordRange { min: 0, max: 0 },
            passages: Vec::new(),
        };
        Outline { title: String::new(), sections: headings.iter().map(plan).collect() }
    }

    fn topic(keys: &[&str]) -> Topic {
        Topic { name: String::new(), keys: keys.iter().map(|key| (*key).to_owned()).collect() }
    }

    #[test]
    fn topics_are_found_and_their_order_is_judged() {
        let topics = [topic(&["cost"]), topic(&["safety"]), topic(&["energy", "power"])];
        let follow = |headings: &[&str]| Followed::new(&topics, &outline(headings));
        assert!(follow(&["Costs", "Safety rules", "Power"]).in_order());
        assert!(follow(&["Costs", "Other", "Power"]).in_order(), "one may be missing");
        assert!(!follow(&["Power", "Costs", "Safety"]).in_order());
        assert_eq!(follow(&["Costs and safety", "Energy"]).sections, [Some(0), None, Some(1)]);
        assert!(!follow(&["Costs"]).in_order());
    }

    #[test]
    fn a_sentence_follows_when_a_source_has_both_in_a_row() {
        let source = crate::data::snapshot(1, "en", "# T\n\nA pump is new. It is loud.\n\nA fan is old. It is quiet.");
        let behind = |before, sentence| is_directly_behind(before, sentence, std::slice::from_ref(&source));
        assert!(behind("A pump is new.", "It is loud."));
        assert!(!behind("A fan is old.", "It is loud."));
    }
}

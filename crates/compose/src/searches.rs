//! What to search the web for, and which of the hits are worth reading.

use std::collections::HashSet;

use galley_domain::writing::Brief;

use crate::{lexicon, request, subject::Subject, title};

/// Each query is a call that may be paid for.
const MAX_QUERIES: usize = 4;
/// What stands in front of a topic is no longer.
const MAX_CORE_WORDS: usize = 8;

/// The queries of an order, the most important first: its keywords or its subject, then its subject with each topic that it
/// names. Never empty for an order that says anything.
pub fn queries(brief: &Brief) -> Vec<String> {
    let language = lexicon::of(&brief.language);
    let topic = title::topic(&brief.prompt, language);
    let (core, _) = title::without_audience(&topic, language);
    let keywords = brief.keywords.iter().map(|keyword| keyword.trim()).filter(|keyword| !keyword.is_empty());
    let keywords = keywords.collect::<Vec<_>>().join(" ");
    let first =
        [keywords.as_str(), core, topic.as_str(), brief.prompt.trim()].into_iter().find(|text| !text.is_empty());
    let Some(first) = first else { return Vec::new() };
    let core = if core.is_empty() { first } else { core };
    let core = core.split_whitespace().take(MAX_CORE_WORDS).collect::<Vec<_>>().join(" ");
    let topics = request::read(brief).topics;
    let named = topics.iter().map(|topic| topic.words.trim()).filter(|words| !words.is_empty());
    let with_core = named.map(|words| {
        let known: HashSet<String> = lexicon::lower_tokens(&core).into_iter().collect();
        let is_whole = lexicon::lower_tokens(words).iter().any(|word| known.contains(word) && word.chars().count() > 3);
        if is_whole { words.to_owned() } else { format!("{core} {words}") }
    });
    let own = (!keywords.is_empty() && topics.is_empty()).then(|| core.clone());
    let mut seen = HashSet::new();
    std::iter::once(first.to_owned())
        .chain(own)
        .chain(with_core)
        .filter(|query| seen.insert(query.to_lowercase()))
        .take(MAX_QUERIES)
        .collect()
}

/// Judges what a search found by its title and snippet, before it is read.
#[derive(Debug)]
pub struct HitJudge(Subject);

impl HitJudge {
    pub fn new(brief: &Brief) -> Self {
        Self(Subject::new(brief))
    }

    /// Whether a page with this title and snippet is worth reading.
    ///
    /// # Errors
    /// Why not, for people. A page in another language than the order is read: nothing can be said about it.
    pub fn judge(&self, title: &str, snippet: &str) -> Result<(), String> {
        let text = format!("{title}\n{snippet}");
        if self.0.is_empty() || galley_text::language::other_than(&text, self.0.language()).is_some() {
            return Ok(());
        }
        let found = self.0.found_in(&text);
        let least = if self.0.len() > 2 && !snippet.trim().is_empty() { 2 } else { 1 };
        match found.as_slice() {
            found if found.len() >= least => Ok(()),
            [] => Err("its title and summary have no word of the order".to_owned()),
            found => Err(format!("its title and summary have only “{}” of the order", found.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::brief;

    #[test]
    fn an_order_is_searched_for_by_its_subject_and_its_topics() {
        assert_eq!(queries(&brief("Write an article about parcel lockers for small shops", &[])), ["parcel lockers"]);
        assert_eq!(
            queries(&brief("Write an article about parcel lockers", &["lockers", "last mile"])),
            ["lockers last mile", "parcel lockers"]
        );
        let found = queries(&brief(
            "Write an article about beekeeping in towns. Cover: hive inspection, swarm prevention, honey harvest, winter \
             feeding, the costs.",
            &[],
        ));
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[..2], ["beekeeping in towns", "beekeeping in towns hive inspection"]);
        assert_eq!(queries(&brief("", &[])), Vec::<String>::new());
        let mut german = brief("Schreibe einen Artikel über Paketautomaten in Leipzig", &[]);
        german.language = "de".into();
        assert_eq!(queries(&german), ["Paketautomaten in Leipzig"]);
    }

    #[test]
    fn hits_about_something_else_are_left_out_with_the_reason() {
        let judge = HitJudge::new(&brief("Write an article about growing tomatoes on a balcony for beginners", &[]));
        for (title, snippet) in [
            ("Tomatoes in pots: a guide", "How to grow tomatoes on a small balcony."),
            ("Growing tomatoes", ""),
            (
                "Tomaten auf dem Balkon",
                "Tomaten brauchen viel Sonne, und wer sie auf dem Balkon zieht, gießt sie jeden Tag am Morgen.",
            ),
        ] {
            assert_eq!(judge.judge(title, snippet), Ok(()), "{title}");
        }
        for (title, snippet, reason) in [
            ("Travel policy", "All flights and hotels are booked through the portal.", "no word of the order"),
            ("Balkon", "", "no word of the order"),
            ("Buy apartments with a balcony", "Flats in the centre with garage.", "no word of the order"),
        ] {
            let refused = judge.judge(title, snippet);
            assert!(
                refused.as_ref().is_err_and(|why| why.contains(reason) || why.contains("only")),
                "{title}: {refused:?}"
            );
        }
        let judge = HitJudge::new(&brief("", &[]));
        assert_eq!(judge.judge("Anything", "at all"), Ok(()));
    }
}

//! Orders as people place them, and what is written for them without a model.

use galley_compose::{
    claims::{self, PlacedClaim},
    subject::{self, Relation},
};
use galley_domain::{
    Fault,
    writing::{Brief, Outline, SectionText, Snapshot, Tone, WordRange},
};

use crate::{
    data::{self, Language, snapshot},
    text,
};

/// An order with its sources.
#[derive(Debug)]
pub struct Order {
    /// For people who look for what failed.
    pub name: String,
    pub brief: Brief,
    pub sources: Vec<Snapshot>,
    pub topics: Vec<Topic>,
}

/// A topic that the prompt names.
#[derive(Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    /// A heading about it has one of these, in lower case.
    pub keys: Vec<String>,
}

pub struct Written {
    pub outline: Outline,
    /// The sentences in reading order.
    pub sentences: Vec<PlacedClaim>,
}

impl Order {
    /// Writes the article as the pipeline does.
    ///
    /// # Errors
    /// What the writer refuses.
    pub fn write(&self) -> Result<Written, Fault> {
        let (brief, sources) = (&self.brief, &self.sources);
        let outline = galley_compose::outline(brief, sources)?;
        let texts: Vec<SectionText> =
            (0..outline.sections.len()).map(|i| galley_compose::section(brief, &outline, i, sources)).collect();
        let sections = galley_compose::fit(brief, outline.sections.iter().cloned().zip(texts).collect(), sources)?;
        let sentences = claims::check(&sections, sources);
        Ok(Written { outline, sentences })
    }
}

fn brief(prompt: &str, language: &str, words: WordRange) -> Brief {
    Brief {
        prompt: prompt.trim().to_owned(),
        keywords: Vec::new(),
        tone: Tone::Professional,
        language: language.to_owned(),
        words,
        instructions: String::new(),
    }
}

/// `150-250`
fn range(text: &str) -> WordRange {
    let (min, max) = text.trim().split_once('-').unwrap_or(("100", "200"));
    WordRange { min: min.parse().unwrap_or(100), max: max.parse().unwrap_or(200) }
}

fn blocks(text: &'static str) -> impl Iterator<Item = (Vec<&'static str>, &'static str)> {
    let parts = text.split("=== ").filter(|part| !part.trim().is_empty());
    parts.map(|part| {
        let (head, body) = part.split_once('\n').unwrap_or((part, ""));
        (head.split('|').map(str::trim).collect(), body.trim())
    })
}

/// The named sources of a language, numbered anew.
fn named(languages: &[Language], code: &str, names: &str) -> Vec<Snapshot> {
    let Some(language) = languages.iter().find(|language| language.code == code) else { return Vec::new() };
    let wanted = names.split(',').map(str::trim);
    let found = wanted.filter_map(|name| language.sources.iter().position(|source| source.id == name));
    found
        .filter_map(|at| language.snapshots.get(at))
        .zip(1..)
        .map(|(s, number)| Snapshot { number, ..s.clone() })
        .collect()
}

/// Orders whose prompts name topics, in an order that is not the sources'.
pub fn with_topics() -> Vec<Order> {
    let languages = data::languages();
    blocks(include_str!("../data/orders/topics.txt"))
        .map(|(head, body)| {
            let at = |i: usize| head.get(i).copied().unwrap_or("");
            let (prompt, topics): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| !line.contains(" | "));
            let topics = topics
                .into_iter()
                .filter_map(|line| line.split_once(" | "))
                .map(|(name, keys)| Topic {
                    name: name.to_owned(),
                    keys: keys.split(',').map(|key| key.trim().to_lowercase()).collect(),
                })
                .collect();
            Order {
                name: format!("{} {}", at(0), at(1)),
                brief: brief(&prompt.join("\n"), at(0), range(at(2))),
                sources: named(&languages, at(0), at(1)),
                topics,
            }
        })
        .collect()
}

/// Orders of all kinds of sources: transcripts, sheets, comma-separated text, languages without spaces, and each source
/// of `data/sources` alone.
pub fn realistic() -> Vec<Order> {
    let mut out: Vec<Order> = blocks(include_str!("../data/orders/special.txt"))
        .map(|(head, body)| {
            let at = |i: usize| head.get(i).copied().unwrap_or("");
            let mut parts = body.split("\n---\n");
            let prompt = parts.next().unwrap_or("");
            let sources = parts.zip(1..).map(|(text, number)| snapshot(number, at(1), text)).collect();
            Order { name: at(0).to_owned(), brief: brief(prompt, at(1), range(at(2))), sources, topics: Vec::new() }
        })
        .collect();
    for language in data::languages() {
        for (source, snapshot) in language.sources.iter().zip(&language.snapshots) {
            // What a person orders of one file: about the half of it.
            let words = u32::try_from(snapshot.text.split_whitespace().count()).unwrap_or(u32::MAX);
            let min = (words / 2).clamp(100, 1000);
            out.push(Order {
                name: format!("{} {}", language.code, source.id),
                brief: brief(&snapshot.title, language.code, WordRange { min, max: min + 100 }),
                sources: vec![Snapshot { number: 1, ..snapshot.clone() }],
                topics: Vec::new(),
            });
        }
    }
    out
}

/// How many sources the large order has, and how many of ours each is made of.
const LARGE: (usize, usize) = (15, 3);

/// An article of 8,000 words from 15 sources. They are the English ones over and over, each time with other nouns, so that
/// nothing is told twice.
pub fn large() -> Order {
    let languages = data::languages();
    let english: Vec<&Snapshot> = languages.iter().filter(|l| l.code == "en").flat_map(|l| &l.snapshots).collect();
    let part = |i: usize| disguised(&english[i % english.len()].text, i / english.len());
    let sources = (0..LARGE.0).zip(1..).map(|(i, number)| {
        let parts: Vec<String> = (0..LARGE.1).map(|k| part(i * LARGE.1 + k)).collect();
        snapshot(number, "en", &parts.join("\n\n"))
    });
    Order {
        name: "large".to_owned(),
        brief: brief("Write about towns, travel, health and business", "en", WordRange { min: 7_200, max: 8_800 }),
        sources: sources.collect(),
        topics: Vec::new(),
    }
}

/// The longer words with another syllable in front; the first time as they are.
fn disguised(text: &str, time: usize) -> String {
    let syllable = ["", "ba", "ko", "mi", "tu", "re"][time.min(5)];
    let word = |word: &str| {
        let letters = word.trim_end_matches(['.', ',', ':', ';']);
        let is_noun = letters.chars().count() >= 5 && letters.chars().all(char::is_alphabetic);
        let is_other = ["ed", "ing", "ly", "ould"].iter().any(|end| letters.ends_with(end));
        if !is_noun || is_other || syllable.is_empty() {
            return word.to_owned();
        }
        let joined = format!("{syllable}{}", word.to_lowercase());
        if word.starts_with(char::is_uppercase) { text::capitalised(&joined) } else { joined }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Orders with sources about that (true) or about something else (false).
pub fn about() -> Vec<(Order, bool)> {
    let languages = data::languages();
    blocks(include_str!("../data/orders/about.txt"))
        .map(|(head, body)| {
            let at = |i: usize| head.get(i).copied().unwrap_or("");
            let order = Order {
                name: format!("{} {}", at(0), at(1)),
                brief: brief(body, at(0), WordRange { min: 100, max: 200 }),
                sources: named(&languages, at(0), at(1)),
                topics: Vec::new(),
            };
            (order, at(2) == "on")
        })
        .collect()
}

/// Whether a person is told that the sources are about something else.
pub fn is_told_apart(order: &Order) -> bool {
    matches!(subject::relation(&order.brief, &order.sources), Relation::Unrelated { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_order_gives_a_large_article() {
        let order = large();
        assert_eq!(order.sources.len(), 15);
        let written = order.write().expect("an article");
        let words: usize = written.sentences.iter().map(|s| s.claim.sentence.split(' ').count()).sum();
        assert!(words > 6_500, "{words}");
    }

    #[test]
    fn the_sets_are_as_large_as_the_figures_say() {
        let topics = with_topics();
        assert!(topics.len() >= 26 && topics.iter().map(|order| order.topics.len()).sum::<usize>() >= 80);
        assert!(realistic().len() >= 100);
        let about = about();
        assert!(about.iter().filter(|(_, on)| *on).count() >= 20 && about.iter().filter(|(_, on)| !on).count() >= 20);
        for order in topics.iter().chain(about.iter().map(|(order, _)| order)) {
            assert!(!order.sources.is_empty() && !order.brief.prompt.is_empty(), "{}", order.name);
        }
    }
}

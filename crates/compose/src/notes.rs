//! What a plan does not give of what was ordered, for the task's warnings.

use std::{collections::BTreeMap, fmt::Write};

use galley_domain::writing::{Brief, Outline, Snapshot, Span, Tone};
use galley_text::word;

use crate::{
    attribution,
    dispute::{self, View},
    lexicon,
    request::{self, Wish, WishKind},
    snapshot::{BlockKind, SourceSentence, language_of, sentences_about},
    vocabulary::{TermSet, Vocabulary},
};

/// A heading is on a topic when it has this share of the topic's words, in percent.
const SAME_TOPIC_PERCENT: usize = 50;
/// A wish is told to this length, in characters.
const MAX_WISH_CHARS: usize = 120;
/// With fewer words for each topic an article may have no room for all of them.
const CROWDED: usize = 30;
const MAX_LISTED: usize = 6;

/// What the order asks for and the plan does not give, a sentence each.
///
/// `built_in`: the writer composes from the sources and cannot follow wishes of form. A model is told all of the order;
/// of its plan only the sections are compared with the topics.
pub fn notes(brief: &Brief, outline: &Outline, sources: &[Snapshot], built_in: bool) -> Vec<String> {
    let request = request::read(brief);
    let mut out = Vec::new();
    let planned = |words: &str| outline.sections.iter().any(|s| s.points.iter().any(|point| point == words));
    let missing: Vec<&str> = request
        .topics
        .iter()
        .map(|asked| asked.words.as_str())
        .filter(|words| !(planned(words) || !built_in && has_heading(brief, outline, words)))
        .collect();
    if !missing.is_empty() {
        let crowded = built_in && request.topics.len() * CROWDED > brief.words.target() as usize;
        let (topics, reason) = match (missing.len(), built_in) {
            (1, true) => ("topic", "the sources say too little about it"),
            (_, true) => ("topics", "the sources say too little about them"),
            (1, false) => ("topic", "no heading of the plan names it"),
            (_, false) => ("topics", "no heading of the plan names them"),
        };
        let or = if crowded { ", or the article is too short for so many topics" } else { "" };
        out.push(format!("no section on the {topics} {} of the order: {reason}{or}", listed(&missing)));
    }
    if built_in {
        let kinds = kinds(outline, sources);
        let mut wishes: Vec<&str> =
            request.wishes.iter().filter(|wish| is_ignored(wish, &kinds)).map(|wish| wish.words.as_str()).collect();
        let tone = format!("tone: {}", brief.tone.as_str());
        if brief.tone != Tone::default() {
            wishes.push(&tone);
        }
        wishes.dedup();
        if !wishes.is_empty() {
            out.push(format!("the built-in writer does not follow wishes about form: {}", listed(&wishes)));
        }
    }
    out.extend(contradictions(outline, sources));
    out.extend(request.wishes.iter().filter_map(|wish| against_the_order(brief, wish)));
    out
}

/// Where the passages of the plan contradict each other.
fn contradictions(outline: &Outline, sources: &[Snapshot]) -> Vec<String> {
    let mut spans: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    for span in outline.sections.iter().flat_map(|section| &section.passages) {
        spans.entry(span.source).or_default().push(*span);
    }
    if spans.len() < 2 {
        return Vec::new();
    }
    let mut vocabulary = Vocabulary::default();
    let mut read: Vec<(SourceSentence, TermSet, &str)> = Vec::new();
    for (source, spans) in sources.iter().filter_map(|source| Some((source, spans.get(&source.number)?))) {
        let lang = language_of(source);
        for sentence in sentences_about(source, spans) {
            sentence.headings.iter().for_each(|heading| drop(vocabulary.add(heading, lang)));
            let terms = vocabulary.add(&sentence.text, lang);
            read.push((sentence, terms, lang));
        }
    }
    let views: Vec<View<'_>> = read.iter().map(|(source, terms, lang)| View { source, terms, lang }).collect();
    let label = |number: u32| {
        let source = sources.iter().find(|source| source.number == number);
        source.map_or("", |source| attribution::label(source).unwrap_or_else(|| source.origin.label()))
    };
    let side = |at: usize| {
        let sentence = views[at].source;
        format!(
            "{} (source {}: {})",
            listed(&[&sentence.text]),
            sentence.span.source,
            short(label(sentence.span.source))
        )
    };
    let found = dispute::find(&views, &vocabulary, &|_| true);
    let more = found.len().saturating_sub(MAX_LISTED);
    let mut out: Vec<String> = found
        .iter()
        .take(MAX_LISTED)
        .map(|d| {
            format!(
                "sources contradict each other, {} against {}: {} and {}",
                d.values.0,
                d.values.1,
                side(d.one),
                side(d.other)
            )
        })
        .collect();
    if more > 0 {
        out.push(format!("{more} more contradictions between the sources"));
    }
    out
}

/// Of what kinds the passages of the plan are.
fn kinds(outline: &Outline, sources: &[Snapshot]) -> Vec<BlockKind> {
    let spans = outline.sections.iter().flat_map(|section| &section.passages);
    let of_span = |span: &Span| {
        let source = sources.iter().find(|source| source.number == span.source);
        source.map_or_else(Vec::new, |source| sentences_about(source, &[*span]))
    };
    spans.flat_map(of_span).map(|sentence| sentence.kind).collect()
}

/// Wishes that only a writer who can rephrase could follow. Length and language are fields of the order, and sources
/// are always cited.
fn is_ignored(wish: &Wish, kinds: &[BlockKind]) -> bool {
    let has = |kind| kinds.contains(&kind);
    if has(BlockKind::Listed) && request::asks_for_list(wish) || has(BlockKind::Table) && request::asks_for_table(wish)
    {
        return false;
    }
    let cites = ["source", "citation", "quellen", "fuentes", "fonti", "fontes", "источник"];
    let lower = wish.words.to_lowercase();
    match wish.kind {
        WishKind::Readers | WishKind::Format | WishKind::Tone => true,
        WishKind::Other => !cites.iter().any(|word| lower.contains(word)) && !lower.contains("keyword"),
        WishKind::Length | WishKind::Language => false,
    }
}

/// A length or language that the prompt names and the fields of the order do not have.
fn against_the_order(brief: &Brief, wish: &Wish) -> Option<String> {
    let words = short(&wish.words);
    match wish.kind {
        WishKind::Length => {
            let number: u32 =
                wish.words.chars().filter(char::is_ascii_digit).take(6).collect::<String>().parse().ok()?;
            let counts_words = word::iter(&wish.words).last().is_some_and(|last| {
                let last = last.to_lowercase();
                ["word", "wört", "worte", "mots", "palabras", "parole", "palavras", "слов"]
                    .iter()
                    .any(|w| last.starts_with(w))
            });
            let several = wish.words.chars().filter(char::is_ascii_digit).count() > 5;
            let fits = brief.words.with_tolerance().contains(number);
            (counts_words && !several && !fits).then(|| {
                format!(
                    "“{words}” was not followed: the order's range is {} to {} words",
                    brief.words.min, brief.words.max
                )
            })
        }
        WishKind::Language => {
            let code = language_named(&wish.words)?;
            let ordered = lexicon::primary(&brief.language);
            (!code.eq_ignore_ascii_case(ordered))
                .then(|| format!("“{words}” was not followed: the order's language is “{ordered}”"))
        }
        _ => None,
    }
}

fn language_named(words: &str) -> Option<&'static str> {
    const NAMES: [(&str, &[&str]); 10] = [
        ("en", &["english", "british", "american", "englisch", "anglais", "inglés", "inglese", "inglês", "английск"]),
        ("de", &["german", "deutsch", "allemand", "alemán", "tedesco", "alemão", "немецк"]),
        ("fr", &["french", "französisch", "français", "francés", "francese", "francês", "французск"]),
        ("es", &["spanish", "spanisch", "espagnol", "español", "spagnolo", "espanhol", "испанск"]),
        ("it", &["italian", "italienisch", "italien", "итальянск"]),
        ("pt", &["portug", "portog", "португальск"]),
        ("ru", &["russi", "russisch", "russe", "russo", "ruso", "русск"]),
        ("nl", &["dutch"]),
        ("pl", &["polish"]),
        ("sv", &["swedish"]),
    ];
    let lower = words.to_lowercase();
    NAMES.iter().find(|(_, names)| names.iter().any(|name| lower.contains(name))).map(|(code, _)| *code)
}

/// Whether a section's heading or points name a topic.
fn has_heading(brief: &Brief, outline: &Outline, words: &str) -> bool {
    let lang = lexicon::primary(&brief.language);
    let stems = |text: &str| -> Vec<String> {
        word::iter(text)
            .map(lexicon::lower)
            .filter(|w| !word::is_stopword(w, lang))
            .map(|w| word::stem(&w, lang))
            .collect()
    };
    let wanted = stems(words);
    outline.sections.iter().any(|section| {
        let has = stems(&format!("{}\n{}", section.heading.as_deref().unwrap_or(""), section.points.join("\n")));
        wanted.iter().filter(|stem| has.contains(stem)).count() * 100 >= wanted.len() * SAME_TOPIC_PERCENT
    })
}

fn short(words: &str) -> String {
    let one_line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: String = one_line.chars().take(MAX_WISH_CHARS).collect();
    if out.len() < one_line.len() {
        out.push('…');
    }
    out
}

fn listed(words: &[&str]) -> String {
    let mut out = String::new();
    for (n, words) in words.iter().take(MAX_LISTED).enumerate() {
        let _ = write!(out, "{}“{}”", if n == 0 { "" } else { ", " }, short(words));
    }
    if words.len() > MAX_LISTED {
        let _ = write!(out, " and {} more", words.len() - MAX_LISTED);
    }
    out
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::{SectionPlan, WordRange};

    use super::*;
    use crate::testing::{brief, source};

    const TEXT: &str = "# Trams of Riga\n\nThe trams of Riga have run on electricity since the summer of 1901. The city owns \
        the trams and the rails, and a firm of the city drives them.\n\n## Costs\n\nA new tram costs three million euros. The city pays for two trams a year.\n\n\
        ## Lines\n\nSeven tram lines cross the city of Riga. The longest line of the trams has 34 stops. A tram comes every \
        six minutes on weekdays.";

    fn order(prompt: &str) -> Brief {
        let mut brief = brief(prompt, &[]);
        brief.words = WordRange { min: 70, max: 110 };
        brief
    }

    #[test]
    fn topics_without_a_section_are_told() {
        let order = order("Write about the trams of Riga. Cover costs, earthquake insurance and lines.");
        let sources = [source(1, "en", TEXT)];
        let outline = crate::outline(&order, &sources).expect("an outline");
        assert_eq!(
            notes(&order, &outline, &sources, true),
            ["no section on the topic “earthquake insurance” of the order: the sources say too little about it"]
        );
    }

    #[test]
    fn the_plan_of_a_model_is_compared_by_its_headings() {
        let order = order("Write about the trams of Riga for beginners. Cover costs, noise and lines.");
        let section = |heading: &str| SectionPlan {
            heading: Some(heading.into()),
            points: Vec::new(),
            words: WordRange { min: 1, max: 2 },
            passages: Vec::new(),
        };
        let outline =
            Outline { title: "Trams".into(), sections: vec![section("What a tram costs"), section("The lines")] };
        assert_eq!(
            notes(&order, &outline, &[], false),
            ["no section on the topic “noise” of the order: no heading of the plan names it"]
        );
    }

    #[test]
    fn wishes_that_are_not_followed_are_told() {
        let outline = Outline { title: String::new(), sections: Vec::new() };
        let told = |prompt: &str, built_in: bool| notes(&order(prompt), &outline, &[], built_in);
        assert_eq!(
            told("Write about trams for beginners, as a checklist, in a friendly tone", true),
            [
                "the built-in writer does not follow wishes about form: “for beginners”, “as a checklist”, “in a friendly tone”"
            ]
        );
        assert_eq!(told("Write about trams for beginners, as a checklist", false), Vec::<String>::new());
        assert_eq!(told("Write about trams in about 100 words, in English, with sources", true), Vec::<String>::new());
        assert_eq!(
            told("Write about trams in about 900 words, in German", false),
            [
                "“in about 900 words” was not followed: the order's range is 70 to 110 words",
                "“in German” was not followed: the order's language is “en”"
            ]
        );
        let mut casual = order("Write about trams");
        casual.tone = Tone::Casual;
        assert_eq!(
            notes(&casual, &outline, &[], true),
            ["the built-in writer does not follow wishes about form: “tone: casual”"]
        );
    }
}

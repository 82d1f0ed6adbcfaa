//! How easily the text reads.

use super::{Check, Document, PLACES, Sentence, Status, english, grade, quote};
use crate::{markdown::BlockKind, word};

/// Sentences with more words are long.
const LONG_SENTENCE: u32 = 20;
/// So many sentences in a row with the same beginning sound monotonous.
const SAME_BEGINNINGS: usize = 3;
const LONG_PARAGRAPH: u32 = 150;
const LONG_PARAGRAPH_TOLERATED: u32 = 200;
const LONG_SECTION: u32 = 300;
const LONG_SECTION_TOLERATED: u32 = 350;

type What = (&'static str, &'static str, &'static str);

const EASE: What = ("reading_ease", "Flesch reading ease", "60 or more");
const SENTENCES: What = ("sentence_length", "Sentence length", "at most 25 % of the sentences over 20 words");
const PARAGRAPHS: What = ("paragraph_length", "Paragraph length", "at most 150 words each");
const PASSIVE: What = ("passive_voice", "Passive voice", "at most 10 % of the sentences");
const TRANSITIONS: What = ("transition_words", "Transition words", "in at least 30 % of the sentences");
const BEGINNINGS: What = ("sentence_beginnings", "Sentence beginnings", "at most 2 in a row with the same word");
const SECTIONS: What = ("section_length", "Text between headings", "at most 300 words");
const HEADINGS: What = ("empty_headings", "Headings with text", "text below every heading");

const NO_SENTENCES: &str = "The article has no sentences.";
const ENGLISH_ONLY: &str = "Judged for English only.";

pub(super) fn checks(document: &Document) -> Vec<Check> {
    vec![
        reading_ease(document),
        sentence_length(document),
        paragraph_length(document),
        passive_voice(document),
        transition_words(document),
        sentence_beginnings(document),
        section_length(document),
        empty_headings(document),
    ]
}

/// Why a check of English sentences is skipped, if it is.
fn skip_english(document: &Document) -> Option<&'static str> {
    match () {
        () if !document.is_english() => Some(ENGLISH_ONLY),
        () if document.sentences.is_empty() => Some(NO_SENTENCES),
        () => None,
    }
}

/// Flesch, "A new readability yardstick" (1948): 60 and above is standard or plain English, 50–60 fairly difficult,
/// below 50 difficult.
fn reading_ease(document: &Document) -> Check {
    if let Some(why) = skip_english(document) {
        return Check::skipped(EASE, why);
    }
    let words: u32 = document.sentences.iter().map(|s| s.words).sum();
    if words == 0 {
        return Check::skipped(EASE, NO_SENTENCES);
    }
    let syllables: u64 =
        document.sentences.iter().flat_map(|s| word::iter(&s.text)).map(|w| u64::from(word::syllables_en(w))).sum();
    let sentences = f64::from(u32::try_from(document.sentences.len()).unwrap_or(u32::MAX));
    let ease = flesch(f64::from(words) / sentences, syllables as f64 / f64::from(words));
    let advice = "Write shorter sentences and replace long words by short ones; text that is easy scores 60 and more.";
    Check::judged(EASE, grade(ease >= 60.0, ease >= 50.0), format!("{ease:.1}"), advice)
}

/// The formula, from words per sentence and syllables per word.
pub(super) fn flesch(words_per_sentence: f64, syllables_per_word: f64) -> f64 {
    206.835 - 1.015 * words_per_sentence - 84.6 * syllables_per_word
}

fn sentence_length(document: &Document) -> Check {
    let all = document.sentences.len();
    if all == 0 {
        return Check::skipped(SENTENCES, NO_SENTENCES);
    }
    let long: Vec<&Sentence> = document.sentences.iter().filter(|s| s.words > LONG_SENTENCE).collect();
    let status = grade(long.len() * 100 <= all * 25, long.len() * 100 <= all * 30);
    let places: Vec<String> =
        long.iter().take(PLACES).map(|s| format!("{} ({} words)", quote(&s.text), s.words)).collect();
    let advice = format!("Split the long sentences, for example {}.", places.join(", "));
    Check::judged(SENTENCES, status, share(long.len(), all), advice)
}

fn paragraph_length(document: &Document) -> Check {
    let paragraphs = document.article.blocks.iter().filter(|b| b.kind == BlockKind::Paragraph);
    let counted: Vec<(u32, &str)> = paragraphs.map(|b| (word::count(&b.text), b.text.as_str())).collect();
    let Some(longest) = counted.iter().map(|(words, _)| *words).max() else {
        return Check::skipped(PARAGRAPHS, "The article has no paragraph.");
    };
    let status = grade(longest <= LONG_PARAGRAPH, longest <= LONG_PARAGRAPH_TOLERATED);
    let long = counted.iter().filter(|(words, _)| *words > LONG_PARAGRAPH).take(PLACES);
    let places: Vec<String> = long.map(|(words, text)| format!("{} ({words} words)", quote(text))).collect();
    let advice = format!("Split the long paragraphs, for example {}.", places.join(", "));
    Check::judged(PARAGRAPHS, status, format!("the longest has {longest} words"), advice)
}

fn passive_voice(document: &Document) -> Check {
    if let Some(why) = skip_english(document) {
        return Check::skipped(PASSIVE, why);
    }
    let all = document.sentences.len();
    let passive: Vec<&Sentence> = document.sentences.iter().filter(|s| english::is_passive(&s.text)).collect();
    let status = grade(passive.len() * 100 <= all * 10, passive.len() * 100 <= all * 15);
    let places: Vec<String> = passive.iter().take(PLACES).map(|s| quote(&s.text)).collect();
    let advice = format!("Say who does it, for example in {}.", places.join(", "));
    Check::judged(PASSIVE, status, share(passive.len(), all), advice)
}

fn transition_words(document: &Document) -> Check {
    if let Some(why) = skip_english(document) {
        return Check::skipped(TRANSITIONS, why);
    }
    let all = document.sentences.len();
    let with = document.sentences.iter().filter(|s| english::has_transition(&s.text)).count();
    let status = grade(with * 100 >= all * 30, with * 100 >= all * 20);
    let without = document.sentences.iter().filter(|s| !english::has_transition(&s.text)).skip(1).take(PLACES);
    let places: Vec<String> = without.map(|s| quote(&s.text)).collect();
    let mut advice = "Tie sentences together with words such as “however”, “because”, “for example”".to_owned();
    if !places.is_empty() {
        advice += &format!(", for example before {}", places.join(", "));
    }
    Check::judged(TRANSITIONS, status, share(with, all), advice + ".")
}

/// Items of a list are no faults: there it is good style to begin alike.
fn sentence_beginnings(document: &Document) -> Check {
    if let Some(why) = skip_english(document) {
        return Check::skipped(BEGINNINGS, why);
    }
    let begun: Vec<(String, &Sentence)> = document
        .sentences
        .iter()
        .map(|s| (if s.in_list { String::new() } else { english::beginning(&s.text) }, s))
        .collect();
    let runs = begun.chunk_by(|(a, _), (b, _)| a == b);
    let alike: Vec<&[(String, &Sentence)]> =
        runs.filter(|run| run.len() >= SAME_BEGINNINGS && !run[0].0.is_empty()).collect();
    let status = grade(alike.is_empty(), alike.len() == 1);
    let place = |run: &&[(String, &Sentence)]| format!("{} from {}", run.len(), quote(&run[0].1.text));
    let places: Vec<String> = alike.iter().take(PLACES).map(place).collect();
    let advice = format!("Begin some sentences with another word: {}.", places.join(", "));
    Check::judged(BEGINNINGS, status, format!("{} rows of sentences that begin alike", alike.len()), advice)
}

/// A heading with the words of text directly below it; `None` before the first heading.
struct Section<'a> {
    heading: Option<(u8, &'a str)>,
    words: u32,
    /// Code counts as content although it has no words.
    has_content: bool,
}

fn sections(document: &Document) -> Vec<Section<'_>> {
    let mut sections = vec![Section { heading: None, words: 0, has_content: false }];
    for block in &document.article.blocks {
        if let BlockKind::Heading(level) = block.kind {
            sections.push(Section { heading: Some((level, &block.text)), words: 0, has_content: false });
        } else if let Some(section) = sections.last_mut() {
            section.has_content = true;
            if block.kind != BlockKind::Code {
                section.words = section.words.saturating_add(word::count(&block.text));
            }
        }
    }
    sections
}

fn section_length(document: &Document) -> Check {
    let sections = sections(document);
    let longest = sections.iter().map(|s| s.words).max().unwrap_or(0);
    let status = grade(longest <= LONG_SECTION, longest <= LONG_SECTION_TOLERATED);
    let long = sections.iter().filter(|s| s.words > LONG_SECTION).take(PLACES);
    let places: Vec<String> = long
        .map(|s| match s.heading {
            Some((_, heading)) => format!("below {} ({} words)", quote(heading), s.words),
            None => format!("before the first heading ({} words)", s.words),
        })
        .collect();
    let advice = format!("Add headings {}.", places.join(", "));
    Check::judged(SECTIONS, status, format!("the longest has {longest} words"), advice)
}

fn empty_headings(document: &Document) -> Check {
    let sections = sections(document);
    if sections.len() == 1 {
        return Check::skipped(HEADINGS, "The article has no headings.");
    }
    let next_levels = sections.iter().skip(1).map(|s| s.heading.map(|(level, _)| level)).chain([None]);
    let mut faults = Vec::new();
    for (section, next) in sections.iter().zip(next_levels) {
        let Some((level, heading)) = section.heading else { continue };
        // A deeper heading may follow at once: its text is this one's too.
        let has_parts = next.is_some_and(|next| next > level);
        if heading.is_empty() {
            faults.push(format!("write the heading of level {level} that has no words"));
        } else if !section.has_content && !has_parts {
            faults.push(format!("write text below {} or remove it", quote(heading)));
        }
    }
    let status = if faults.is_empty() { Status::Good } else { Status::Bad };
    let value = format!("{} of {} without text", faults.len(), sections.len() - 1);
    let shown = faults.iter().take(PLACES).cloned().collect::<Vec<_>>().join("; ");
    Check::judged(HEADINGS, status, value, format!("To do: {shown}."))
}

/// `3 of 12 sentences, 25 %`
fn share(part: usize, all: usize) -> String {
    format!("{part} of {all} sentences, {} %", (part * 200 + all) / (all * 2).max(1))
}

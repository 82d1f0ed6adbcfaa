//! Whether an answer can stand in an article: no refusal, no other language, nothing of the prompt, no loop.

mod loops;
mod refusals;
mod remarks;

use std::collections::HashSet;

use galley_domain::writing::Unusable;
use galley_text::{language, sentence, word};

use crate::clean::has_gap;
use loops::{is_looping, is_looping_line};
use refusals::refuses;
use remarks::speaks_of_material;

/// A sentence of the prompt is told again when it has at least so many words; shorter ones arise by chance.
const WORDS_OF_THE_PROMPT: usize = 6;
/// Prose and short lines with fewer letters are not judged by their language.
const LETTERS_OF_PROSE: usize = 80;
const LETTERS_OF_LINES: usize = 50;
/// So many letters without one small word of the ordered language are of another.
const PLENTY: usize = 200;

/// What an answer is held against.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    language: &'a str,
    /// Keys of our own sentences.
    ours: HashSet<String>,
    /// Keys of the client's sentences that no source has.
    ordered: HashSet<String>,
    /// Whether a source itself uses the word that our prompts have for the material.
    sources_say_excerpt: bool,
}

impl<'a> Expected<'a> {
    /// `language` as ordered, `ours` what we tell a model, `order` what the client asked for. What `sources` say too may be
    /// told.
    pub(crate) fn new<'s>(language: &'a str, ours: &str, order: &str, sources: impl Iterator<Item = &'s str>) -> Self {
        let sources: Vec<&str> = sources.collect();
        let sources_say_excerpt = sources.iter().any(|source| speaks_of_material(source));
        let ours = ours.replace('\n', " ");
        let ours = sentences(&ours).filter_map(key_of).collect();
        let mut ordered: HashSet<String> = sentences(order).filter_map(key_of).collect();
        if !ordered.is_empty() {
            for key in sources.into_iter().flat_map(sentences).filter_map(key_of) {
                ordered.remove(&key);
            }
        }
        Self { language, ours, ordered, sources_say_excerpt }
    }

    /// What is wrong with paragraphs of prose, if anything.
    pub(crate) fn judge(&self, paragraphs: &[String]) -> Option<Unusable> {
        let all = paragraphs.join("\n\n");
        if paragraphs.iter().any(|p| refuses_anywhere(p)) {
            return Some(Unusable::Refusal);
        }
        if is_looping(&all) {
            return Some(Unusable::Repetition);
        }
        if paragraphs.iter().chain([&all]).any(|text| self.is_other_language(text, LETTERS_OF_PROSE)) {
            return Some(Unusable::OtherLanguage);
        }
        let told = |key: &String| self.ours.iter().chain(&self.ordered).any(|known| key.contains(known));
        // remarks that are left are most of the answer
        let repeats = |p: &String| self.remarks(p) || sentences(p).filter_map(key_of).any(|key| told(&key));
        paragraphs.iter().any(repeats).then_some(Unusable::Prompt)
    }

    /// The same for titles, headings and other short lines.
    pub(crate) fn judge_lines<'t>(&self, lines: impl Iterator<Item = &'t str> + Clone) -> Option<Unusable> {
        if lines.clone().any(refuses) {
            return Some(Unusable::Refusal);
        }
        if lines.clone().any(is_looping_line) {
            return Some(Unusable::Repetition);
        }
        if lines.clone().any(has_gap) {
            return Some(Unusable::Prompt);
        }
        // what a client asked for may be a good title
        if lines.clone().filter_map(key_of).any(|key| self.ours.iter().any(|known| key.contains(known))) {
            return Some(Unusable::Prompt);
        }
        self.is_other_language(&lines.collect::<Vec<_>>().join(". "), LETTERS_OF_LINES)
            .then_some(Unusable::OtherLanguage)
    }

    fn is_other_language(&self, text: &str, least: usize) -> bool {
        let ordered = primary(self.language);
        let letters = text.chars().filter(|c| c.is_alphabetic()).take(PLENTY).count();
        if letters < least {
            return false;
        }
        if is_other_script(text, ordered) {
            return true;
        }
        let Some(found) = language::detect(text) else { return false };
        // a text full of names is taken for anything; its small words tell
        let small = |lang: &str| word::iter(text).filter(|w| word::is_stopword(&w.to_lowercase(), lang)).count();
        !akin(found, ordered) && (small(found) > small(ordered) || small(ordered) == 0 && letters == PLENTY)
    }
}

/// Writing that hardly anybody of the ordered language reads, in more than half of the letters.
fn is_other_script(text: &str, ordered: &str) -> bool {
    let (mut latin, mut others) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        if c.is_ascii() || ('\u{c0}'..'\u{250}').contains(&c) || ('\u{1e00}'..'\u{1f00}').contains(&c) {
            latin += 1;
        } else {
            others += 1;
        }
    }
    const LATIN: [&str; 22] = [
        "en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sk", "sv", "da", "no", "nb", "fi", "et", "lv", "lt",
        "hu", "ro", "tr", "vi",
    ];
    others > latin && LATIN.contains(&ordered)
}

/// Languages that short texts do not tell apart.
fn akin(one: &str, other: &str) -> bool {
    const FAMILIES: [&[&str]; 6] = [
        &["nb", "no", "nn", "da"],
        &["hr", "sr", "bs", "sl", "sh"],
        &["id", "ms", "jv"],
        &["cs", "sk"],
        &["af", "nl"],
        &["hi", "mr", "ne"],
    ];
    one == other || FAMILIES.iter().any(|family| family.contains(&one) && family.contains(&other))
}

/// Whether any sentence of the text declines.
pub(crate) fn refuses_anywhere(text: &str) -> bool {
    sentences(text).any(refuses)
}

fn primary(language: &str) -> &str {
    language.split(['-', '_']).next().unwrap_or(language)
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| sentence::split(line).into_iter().map(move |range| &line[range]))
}

/// A sentence by its letters and digits; none for a short one.
fn key_of(sentence: &str) -> Option<String> {
    (word::iter(sentence).count() >= WORDS_OF_THE_PROMPT)
        .then(|| sentence.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect())
}

/// What the model is told when it is asked once more.
pub(crate) fn words_for_the_model(reason: Unusable, language: &str) -> String {
    match reason {
        Unusable::Empty => "it holds no text".to_owned(),
        Unusable::Refusal => {
            "it declines or speaks about you. The excerpts are published text, and all that is wanted is a \
            summary of what they say"
                .to_owned()
        }
        Unusable::OtherLanguage => format!("it is not written in {language}. Write in {language} only"),
        Unusable::Prompt => {
            "it repeats sentences of the instructions. Write about the subject, from the excerpts".to_owned()
        }
        Unusable::NotKept => "it is missing".to_owned(),
        Unusable::Repetition => "it repeats the same words over and over. Say each thing once".to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! Words: the one word count, stems, stop words, syllables.

mod stopwords;
mod syllables;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

pub(crate) use stopwords::LANGUAGES_WITH_STOPWORDS;
pub use stopwords::is_stopword;
pub(crate) use stopwords::is_stopword_anywhere;
pub use syllables::syllables_en;

/// Of a script of letters without spaces.
const LETTERS_OF_A_WORD: usize = 4;
/// Words longer than this, in bytes, are not stemmed: they are no words of a language.
const STEM_LIMIT: usize = 64;

/// The words of a text, in order, as they stand in it.
///
/// Words are those of Unicode (UAX #29) with what people count as one word kept whole: `state-of-the-art`, `don't`,
/// `3.5`, `10%`, addresses with a scheme, e-mail addresses. Punctuation, symbols and emoji are none.
pub fn words(text: &str) -> Vec<&str> {
    iter(text).collect()
}

/// The number of words as [`words`] finds them. This is the word count everywhere in Galley.
///
/// Chinese and Japanese are counted by their characters, as is the custom there. In Thai, Lao, Khmer and Burmese, whose
/// letters stand without spaces too, four make a word.
pub fn count(text: &str) -> u32 {
    let (mut words, mut letters) = (0_usize, 0_usize);
    for word in iter(text) {
        *(if word.starts_with(is_of_letters_without_spaces) { &mut letters } else { &mut words }) += 1;
    }
    u32::try_from(words + letters.div_ceil(LETTERS_OF_A_WORD)).unwrap_or(u32::MAX)
}

/// [`words`] without the vector.
pub fn iter(text: &str) -> impl Iterator<Item = &str> {
    indices(text).map(|(_, word)| word)
}

/// [`words`] with the byte offset where each starts.
pub fn indices(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut parts = text.unicode_word_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = parts.next()?;
        let mut end = start + first.len();
        while let Some((next, part)) = parts.peek() {
            if text[end..].starts_with("://") {
                let rest = &text[end..];
                let address = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
                end += address.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '/').len();
            } else if *next >= end && !joins(&text[end..*next]) {
                break;
            } else {
                end = end.max(next + part.len());
            }
            while parts.peek().is_some_and(|(next, _)| *next < end) {
                parts.next();
            }
        }
        if text[..end].ends_with(char::is_numeric) && text[end..].starts_with(['%', '‰']) {
            end += text[end..].chars().next().map_or(0, char::len_utf8);
        }
        Some((start, &text[start..end]))
    })
}

/// Whether a language is written without spaces between words, so that its words cannot be told apart by them. Takes
/// ISO 639-1.
pub fn is_unspaced(lang: &str) -> bool {
    matches!(lang, "zh" | "ja" | "th" | "lo" | "km" | "my")
}

/// Whether most letters of a text are of scripts that set no spaces between words.
pub fn is_unspaced_text(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let (mut unspaced, mut letters) = (0_usize, 0_usize);
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        unspaced += usize::from(is_of_unspaced_script(c));
    }
    unspaced * 2 > letters
}

/// Whether a character is of a script that sets no spaces between words.
pub fn is_of_unspaced_script(c: char) -> bool {
    is_of_letters_without_spaces(c)
        || matches!(c, '\u{3005}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// Thai, Lao, Burmese, Khmer.
pub(crate) fn is_of_letters_without_spaces(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}

/// Whether what stands between two parts makes them one word.
fn joins(between: &str) -> bool {
    matches!(between, "-" | "\u{2010}" | "\u{2011}" | "@" | "\u{ad}")
}

/// The word in lower case without its ending, so that `cards` and `Card` are the same.
///
/// `lang` is ISO 639-1; where Snowball does not know the language the word is only put in lower case.
pub fn stem(word: &str, lang: &str) -> String {
    let lower = normalise(word);
    if lower.len() > STEM_LIMIT {
        return lower;
    }
    let bare = without_elision(&lower, lang);
    match algorithm(lang) {
        Some(algorithm) => Stemmer::create(algorithm).stem(bare).into_owned(),
        None => bare.to_owned(),
    }
}

/// Lower case with the straight apostrophe and without soft hyphens.
pub(crate) fn normalise(word: &str) -> String {
    let lower = word.to_lowercase();
    if lower.contains(['’', 'ʼ', '\u{ad}']) {
        lower.replace(['’', 'ʼ'], "'").replace('\u{ad}', "")
    } else {
        lower
    }
}

/// `l'homme` is `homme`.
fn without_elision<'a>(word: &'a str, lang: &str) -> &'a str {
    const LONGEST: usize = 6;
    match word.split_once('\'') {
        Some((article, rest)) if matches!(lang, "fr" | "it") && article.len() <= LONGEST && rest.len() > 1 => rest,
        _ => word,
    }
}

fn algorithm(lang: &str) -> Option<Algorithm> {
    Some(match lang {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;

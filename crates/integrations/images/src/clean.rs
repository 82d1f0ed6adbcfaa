//! Text made fit for the card: one line, only what the font can draw.

use unicode_segmentation::UnicodeSegmentation;

use crate::{CardError, font::Typeface};

/// More code points than this in one character as a reader counts them is no writing but a stack of marks that would
/// run over the lines above.
const MAX_GRAPHEME_CHARS: usize = 8;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// Empty where no letter and no digit is left.
    pub text: String,
    /// What the font cannot draw, each once, in the order of the text.
    pub removed: Vec<String>,
    /// Letters or digits are among it: what is left is not what the text says.
    pub lacks_letters: bool,
    /// `text` was longer than the limit and ends in an ellipsis.
    pub shortened: bool,
}

/// Joins all white space and control characters to single spaces.
pub(crate) fn plain(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// As [`plain`], without the characters that nobody sees.
pub(crate) fn one_line(text: &str) -> String {
    plain(&text.chars().filter(|&c| !is_invisible(c)).collect::<String>())
}

/// Cleans `text` for `face` and cuts it to `max` characters as a reader counts them.
pub(crate) fn clean(text: &str, face: &Typeface, max: usize) -> Result<Cleaned, CardError> {
    let mut kept = String::with_capacity(text.len());
    let mut removed: Vec<String> = Vec::new();
    let mut lacks_letters = false;
    // Before anything is dropped: the joiners inside an emoji make it one character for the list.
    for grapheme in text.graphemes(true) {
        let blank = grapheme.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c));
        let drawable = grapheme.is_ascii()
            || blank
            || (grapheme.chars().count() <= MAX_GRAPHEME_CHARS && face.covers(grapheme)?);
        if drawable {
            kept.push_str(grapheme);
        } else {
            // A gap and not nothing: words on both sides stay apart.
            kept.push(' ');
            lacks_letters |= grapheme.chars().any(char::is_alphanumeric);
            let shown: String = grapheme.chars().take(MAX_GRAPHEME_CHARS).collect();
            if !removed.contains(&shown) {
                removed.push(shown);
            }
        }
    }
    let mut text = one_line(&kept);
    if !removed.is_empty() {
        text = tidy(text);
    }
    if !text.chars().any(char::is_alphanumeric) {
        text.clear();
    }
    let (text, shortened) = cut(text, max);
    Ok(Cleaned { text, removed, lacks_letters, shortened })
}

/// Takes away the empty brackets and the space before punctuation that removed characters leave behind.
fn tidy(mut text: String) -> String {
    for (open, close) in [("(", ")"), ("[", "]"), ("«", "»"), ("“", "”"), ("„", "“"), ("\"", "\"")] {
        text = text.replace(&format!("{open} {close}"), "").replace(&format!("{open}{close}"), "");
    }
    text = one_line(&text);
    // Not before ! ? : ; where French wants its space.
    for (loose, tight) in [("( ", "("), (" )", ")"), ("[ ", "["), (" ]", "]"), (" ,", ","), (" .", ".")] {
        text = text.replace(loose, tight);
    }
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || ",.;:!?–—-·|/".contains(c));
    text.trim_end_matches(|c: char| c.is_whitespace() || ",;:–—-·|/".contains(c)).to_owned()
}

/// At most `max` characters as a reader counts them, an ellipsis included where something is cut (`true`).
fn cut(text: String, max: usize) -> (String, bool) {
    let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    if starts.len() <= max {
        return (text, false);
    }
    (shortened(&text, starts[max - 1]), true)
}

/// Letters that no abbreviation has before its full stop.
const ABBREVIATION: usize = 4;

/// The beginning of `text` in at most `end` bytes, with an ellipsis: whole phrases, or whole words where a phrase is
/// longer than that, or a part of a word that is.
pub(crate) fn shortened(text: &str, end: usize) -> String {
    let head = &text[..end];
    // A phrase ends before its punctuation when a space or nothing follows that, and before a dash between spaces.
    let ends_phrase = |at: usize, sign: char| {
        let rest = &text[at + sign.len_utf8()..];
        let is_before_space = rest.is_empty() || rest.starts_with(char::is_whitespace);
        match sign {
            ',' | ';' | ':' | '!' | '?' | '…' => is_before_space,
            // Behind a short word it may be an abbreviation.
            '.' => {
                let before = text[..at].chars().rev().take(ABBREVIATION);
                is_before_space && before.filter(|sign| sign.is_alphanumeric()).count() == ABBREVIATION
            }
            '–' | '—' | '-' | '|' | '·' => is_before_space && text[..at].ends_with(char::is_whitespace),
            '(' | '[' | '«' | '„' => text[..at].ends_with(char::is_whitespace),
            _ => false,
        }
    };
    let is_some = |at: &usize| !head[..*at].trim().is_empty();
    let phrase = head.char_indices().filter(|&(at, sign)| ends_phrase(at, sign)).map(|(at, _)| at).rfind(is_some);
    let word = || head.rfind(' ').filter(is_some);
    with_ellipsis(&head[..phrase.or_else(word).unwrap_or(end)])
}

/// `text` without the punctuation it happens to end in, and an ellipsis.
pub(crate) fn with_ellipsis(text: &str) -> String {
    format!("{}…", text.trim_end_matches(|c: char| c.is_whitespace() || ",.;:!?–—-…(«“„".contains(c)))
}

/// Characters that draw nothing and would only confuse line breaking: joiners, direction marks, variation selectors,
/// soft hyphens, byte order marks, tags. (Cf and the default ignorables of Unicode.)
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::font::Fonts;

    fn cleaned(text: &str, max: usize) -> Cleaned {
        clean(text, &Fonts::embedded("en").unwrap().title, max).unwrap()
    }

    fn text(input: &str) -> String {
        cleaned(input, 300).text
    }

    #[test]
    fn plain_text_is_untouched() {
        for plain in ["Brewing coffee at home", "Кофе: 10 советов", "Καφές — οδηγός", "Ça va? (oui)", "q̈"]
        {
            assert_eq!(
                cleaned(plain, 300),
                Cleaned { text: plain.into(), removed: vec![], lacks_letters: false, shortened: false }
            );
        }
    }

    #[test]
    fn white_space_controls_and_invisibles_go() {
        assert_eq!(text("  a\r\nb\tc\u{0}d\u{200b}e\u{202e}f\u{ad}g\u{feff} "), "a b c defg");
    }

    #[test]
    fn what_the_font_lacks_is_removed_and_named_once() {
        let done = cleaned("☕ Coffee 👩‍💻 and ☕ more (エス), [日 tea 日].", 300);
        assert_eq!(done.text, "Coffee and more, [tea].");
        assert_eq!(done.removed, ["☕", "👩‍💻", "エ", "ス", "日"]);
    }

    #[test]
    fn nothing_readable_is_nothing() {
        for input in ["日本語", "☕☕ – !", "…", "שלום", "\u{200b}"] {
            assert_eq!(text(input), "", "{input}");
        }
    }

    #[test]
    fn a_stack_of_marks_is_removed_whole() {
        let zalgo = format!("a{} b", "\u{301}".repeat(40));
        let done = cleaned(&zalgo, 300);
        assert_eq!(done.text, "b");
        assert_eq!(done.removed.len(), 1);
    }

    #[test]
    fn cuts_at_a_phrase_or_at_a_word_or_inside_a_long_one() {
        for (input, max, shown) in [
            ("one two three, four", 16, "one two three…"),
            ("Brewing tea: water, time and the right pot", 30, "Brewing tea: water…"),
            ("Tea at home – all that matters in one place", 30, "Tea at home…"),
            ("Tea (and coffee) for people in a hurry", 20, "Tea…"),
            ("What is tea? A leaf and much more", 20, "What is tea…"),
            ("Version 2.5 of the well-known pot", 22, "Version 2.5 of the…"),
            ("one two three four", 12, "one two…"),
            ("Dr. Smith writes. More of him", 24, "Dr. Smith writes…"),
            ("Dr. Smith writes more of him", 18, "Dr. Smith writes…"),
            (", one two three four", 12, ", one two…"),
        ] {
            let done = cleaned(input, max);
            assert_eq!((done.text.as_str(), done.shortened), (shown, true), "{input}");
        }
        assert_eq!(cleaned(&"x".repeat(400), 300).text, format!("{}…", "x".repeat(299)));
        assert!(!cleaned(&"x".repeat(300), 300).shortened);
        assert!(cleaned(&"x".repeat(301), 300).shortened);
    }

    #[test]
    fn a_missing_letter_is_told_from_a_missing_picture() {
        for (input, lacks) in [("☕ Coffee", false), ("Coffee – 日本", true), ("Coffee ١", true), ("Tea 🍵 2", false)]
        {
            assert_eq!(cleaned(input, 300).lacks_letters, lacks, "{input}");
        }
    }
}

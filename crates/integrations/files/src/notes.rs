//! Footnotes, where they belong: behind the sentence that has their mark.

use crate::blocks::Blocks;

/// Stands in a text where it has the mark of a note.
pub(crate) const MARK: char = '\u{1}';
/// A note with fewer words says nothing of its own: it names a page or a source.
const LEAST_WORDS: usize = 4;
const ENDS: [char; 7] = ['.', '!', '?', '…', '。', '！', '？'];

/// True for a note that can stand in the text.
pub(crate) fn is_sentence(note: &str) -> bool {
    let words = note.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).count();
    let bare = note.trim_end().trim_end_matches(['"', '”', '’', '»', ')', '\'']);
    let is_dense = note.chars().count() >= 2 * LEAST_WORDS && note.contains(['。', '！', '？']);
    (words >= LEAST_WORDS || is_dense) && bare.ends_with(ENDS) && !note.trim_start().starts_with("http")
}

/// A text with its notes, in the order of their marks: each behind its sentence; in brackets where the text ends
/// without an end of a sentence.
pub(crate) fn placed(text: &str, notes: &[String]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut waiting: Vec<&str> = Vec::new();
    let mut notes = notes.iter();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == MARK {
            waiting.extend(notes.next().map(|note| note.trim()).filter(|note| !note.is_empty()));
        } else {
            out.push(c);
        }
        let at_end = chars.peek().is_none_or(|next| next.is_whitespace() || *next == MARK);
        // A mark may stand in front of the stop, or behind it.
        let ends = out.trim_end_matches(['"', '”', '’', '»', ')']).ends_with(ENDS);
        if !waiting.is_empty() && at_end && ends && chars.peek() != Some(&MARK) {
            for note in waiting.drain(..) {
                out.push(' ');
                out.push_str(note);
            }
        }
    }
    for note in waiting {
        let out_len = out.trim_end().len();
        out.truncate(out_len);
        out.push_str(&format!(" ({note})"));
    }
    out
}

/// Notes of what is no running text: a paragraph each.
pub(crate) fn write(notes: &mut Vec<String>, out: &mut Blocks) {
    for note in notes.drain(..) {
        out.paragraph(&note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_stands_behind_the_sentence_with_its_mark() {
        let notes = ["Trade fairs cost more.".to_owned(), "It rains.".to_owned()];
        for (text, wanted) in [
            ("The limit is 140.\u{1} Next.", "The limit is 140. Trade fairs cost more. Next."),
            ("The limit\u{1} is 140. Next.", "The limit is 140. Trade fairs cost more. Next."),
            ("The limit is 140\u{1}.", "The limit is 140. Trade fairs cost more."),
            ("Is 1.5\u{1} much, or\u{1} little? So.", "Is 1.5 much, or little? Trade fairs cost more. It rains. So."),
            ("no end\u{1}", "no end (Trade fairs cost more.)"),
            ("\u{1}\u{1}\u{1}", " (Trade fairs cost more.) (It rains.)"),
        ] {
            assert_eq!(placed(text, &notes), wanted, "{text:?}");
        }
        assert!(is_sentence("During trade fairs the limits rise."));
        assert!(!is_sentence("Ibid., p. 4.") && !is_sentence("Smith and Jones, A History of Riga") && !is_sentence(""));
    }
}

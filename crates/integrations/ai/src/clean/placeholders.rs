//! Gaps that a model left for somebody else to fill.

use galley_text::sentence;

/// How the words in brackets begin, and how they end.
const BEGINS: [&str; 17] = [
    "insert ",
    "end ",
    "your ",
    "todo",
    "tbd",
    "tbc",
    "placeholder",
    "fill in",
    "add ",
    "hier ",
    "ihr name",
    "name des",
    "votre ",
    "insérer ",
    "su nombre",
    "inserire ",
    "inserir ",
];
const ENDS: [&str; 6] = [" here", " einfügen", " ici", " aquí", " aqui", " qui"];

/// Without the sentences that have a gap such as `[Your Name]`.
pub(super) fn without_gaps(paragraphs: &mut Vec<String>) {
    for paragraph in paragraphs.iter_mut().filter(|paragraph| has_gap(paragraph)) {
        let mark = if paragraph.starts_with("- ") { 2 } else { 0 };
        let body = &paragraph[mark..];
        let kept: String = sentence::split(body)
            .into_iter()
            .map(|range| &body[range])
            .filter(|one| !has_gap(one))
            .collect::<Vec<_>>()
            .join(" ");
        *paragraph = if kept.is_empty() { kept } else { format!("{}{kept}", &paragraph[..mark]) };
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
}

/// Whether somebody else is to write a part of this.
pub(crate) fn has_gap(text: &str) -> bool {
    let gap = |inner: &str| {
        let inner = inner.trim().to_lowercase();
        inner.len() <= 120
            && (BEGINS.iter().any(|begin| inner.starts_with(begin)) || ENDS.iter().any(|end| inner.ends_with(end)))
    };
    [('[', ']'), ('{', '}'), ('<', '>')].into_iter().any(|(open, close)| {
        text.split(open).skip(1).filter_map(|behind| behind.split_once(close)).any(|(inner, _)| gap(inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_with_a_gap_goes_and_brackets_of_prose_stay() {
        let mut paragraphs: Vec<String> = [
            "The beds are dug. [Insert a picture here]",
            "Written by [Your Name].",
            "Beans grow. [END OF SECTION]",
            "- The seeds cost {price to be filled in here}.",
            "He said that it [the bed] was dug [sic], see [appendix A].",
        ]
        .map(str::to_owned)
        .into();
        without_gaps(&mut paragraphs);
        assert_eq!(
            paragraphs,
            ["The beds are dug.", "Beans grow.", "He said that it [the bed] was dug [sic], see [appendix A]."]
        );
    }
}

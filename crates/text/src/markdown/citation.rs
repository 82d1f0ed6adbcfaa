//! Citation marks (`[3]`, `[1][2]`, `[unsupported]`) that the pipeline puts behind sentences.

use std::ops::Range;

use crate::sentence::citation_mark_len;

/// The text without [`marks`], and without the spaces before them.
pub(super) fn without_marks(text: &str, keep: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for run in marks(text, keep) {
        out.push_str(text[copied..run.start].trim_end());
        copied = run.end;
    }
    out.push_str(&text[copied..]);
    out
}

/// Where the marks stand that follow a sentence or end the text; those that follow one another are one range.
///
/// A mark elsewhere (`the array [3] of`) is the author's and is none, as are marks within `keep` (inline code; in order).
pub(super) fn marks(text: &str, keep: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('[').map(|found| at + found) {
        let end = run_end(text, start);
        at = end.max(start + 1);
        if end == start || within(start, keep) {
            continue;
        }
        let before = text[..start].trim_end();
        // A cell or block that is only a mark cites nothing, so the mark is its text.
        if !before.is_empty() && (ends_sentence(before) || sentence_stops(&text[end..])) {
            found.push(start..end);
        }
    }
    found
}

/// The end of the marks that start at `start`, with single spaces between them; `start` where none does.
fn run_end(text: &str, start: usize) -> usize {
    let mut end = start;
    loop {
        let rest = &text[end..];
        let space = usize::from(end > start && rest.starts_with(' '));
        match citation_mark_len(&rest[space..]) {
            Some(len) => end += space + len,
            None => return end,
        }
    }
}

fn ends_sentence(before: &str) -> bool {
    let closing = ['"', '\'', '”', '’', '»', ')', ']', '*', '_'];
    before.trim_end_matches(closing).ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।', ':'])
}

fn sentence_stops(after: &str) -> bool {
    after.trim_start().is_empty() || after.starts_with(['.', '!', '?', '…', '。', '！', '？'])
}

fn within(at: usize, ranges: &[Range<usize>]) -> bool {
    let next = ranges.partition_point(|r| r.end <= at);
    ranges.get(next).is_some_and(|r| r.contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_behind_sentences_go() {
        for (with, without) in [
            ("It grew. [3]", "It grew."),
            ("It grew.[1][2] It fell. [unsupported] End", "It grew. It fell. End"),
            ("It grew [1] [2]. Next [12].", "It grew. Next."),
            ("Price: 5 EUR [2]", "Price: 5 EUR"),
            ("“It grew.” [1, 2] Next", "“It grew.” Next"),
        ] {
            assert_eq!(without_marks(with, &[]), without);
        }
    }

    #[test]
    fn other_brackets_stay() {
        for text in
            ["the array [3] of", "[3]", "[note] here.", "Done. [see 3]", "Done. [2024] Next", "a[", "[[[[", "[1"]
        {
            assert_eq!(without_marks(text, &[]), text);
        }
        assert_eq!(without_marks("a. b[1] c. d[1]", &[3..7, 11..15]), "a. b[1] c. d[1]");
    }
}

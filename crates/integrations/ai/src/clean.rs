//! Turns what a model wrote into paragraphs of plain prose.
//!
//! Models add headings, Markdown, made-up citations, remarks about the task and the same sentence again and again. All of
//! it goes here, before the pipeline looks for the source of each sentence.

mod doubled;
mod placeholders;
mod wrapping;

use std::collections::BTreeSet;

use unicode_segmentation::UnicodeSegmentation;

pub(crate) use placeholders::has_gap;
pub(crate) use wrapping::unmarked;

use crate::reasoning::without_reasoning;

/// The paragraphs of `answer`. `headings` are lines that are dropped where they stand alone: the article's title and its
/// headings. A `cut` answer, one that hit the token limit, loses its last sentence unless that is whole.
pub fn paragraphs(answer: &str, headings: &[&str], cut: bool) -> Vec<String> {
    let answer = wrapping::unwrapped(&without_reasoning(answer));
    let mut out = Vec::new();
    for block in blocks(&answer) {
        let text = plain(&block);
        if !text.is_empty() && !is_heading(&block, &text, headings) {
            out.push(text);
        }
    }
    if cut {
        cut_half_sentence(&mut out);
    }
    drop_chatter(&mut out);
    placeholders::without_gaps(&mut out);
    drop_repeats(&mut out);
    doubled::told_once(&mut out);
    out
}

/// How many words the paragraphs have.
pub(crate) fn count_words(paragraphs: &[String]) -> usize {
    paragraphs.iter().map(|p| p.unicode_words().count()).sum()
}

/// Blocks between blank lines, each on one line; list items are blocks of their own, written `- …`. Code fences, tables
/// and rules are left out.
fn blocks(answer: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for line in answer.lines().map(str::trim) {
        let rule = line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '*' | '_' | '=' | ' '));
        if line.is_empty() || rule || line.starts_with("```") || line.starts_with("~~~") || line.starts_with('|') {
            open = false;
        } else if let Some(item) = list_item(line) {
            out.push(format!("- {item}"));
            open = true;
        } else if line.starts_with('#') {
            out.push(line.to_owned());
            open = false;
        } else if let (true, Some(last)) = (open, out.last_mut()) {
            last.push(' ');
            last.push_str(line);
        } else {
            out.push(line.to_owned());
            open = true;
        }
    }
    out
}

fn list_item(line: &str) -> Option<&str> {
    for bullet in ["- ", "* ", "• ", "– ", "+ "] {
        if let Some(item) = line.strip_prefix(bullet) {
            return Some(item.trim());
        }
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == line.len() || line.len() - rest.len() > 2 {
        return None;
    }
    rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).map(str::trim)
}

/// Without citations and Markdown's inline marks, with single spaces.
fn plain(block: &str) -> String {
    let text = without_brackets(&without_tags(block.trim_start_matches(['#', '>']).trim()));
    let mut out = text.replace("**", "").replace("__", "").replace('`', "");
    out = without_stars(&out);
    out = out.replace(|c: char| c.is_control(), " ");
    let words: Vec<&str> = out.split_whitespace().collect();
    let mut out = words.join(" ");
    for mark in [" .", " ,", " ;", " !", " ?"] {
        out = out.replace(mark, &mark[1..]);
    }
    if matches!(out.as_str(), "-" | "- ") { String::new() } else { out }
}

/// Drops the stars of emphasis: a pair that hugs words. A lone `*` stays.
fn without_stars(text: &str) -> String {
    let stars: Vec<usize> = text.match_indices('*').map(|(at, _)| at).collect();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for pair in stars.as_chunks::<2>().0 {
        let inner = &text[pair[0] + 1..pair[1]];
        if !inner.is_empty() && inner.trim() == inner {
            out.push_str(&text[done..pair[0]]);
            out.push_str(inner);
            done = pair[1] + 1;
        }
    }
    out.push_str(&text[done..]);
    out
}

/// Drops the tags of our own prompts, which small models repeat.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let name = after.trim_start_matches('/');
        let ours = ["excerpt", "order", "article"].iter().any(|tag| {
            name.strip_prefix(tag).is_some_and(|behind| behind.starts_with('>') || behind.starts_with(" source="))
        });
        if !ours {
            out.push('<');
            rest = after;
            continue;
        }
        let Some((_, behind)) = after.split_once('>') else {
            // Nor does any other tag end.
            out.push('<');
            out.push_str(after);
            return out;
        };
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Drops `[1]`, `[^2]`, `[1, 3]`, `【4】`, `(Source 1)`, `[source: …]` and images; keeps the words of a link.
fn without_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '【']) {
        let (before, bracket) = rest.split_at(at);
        out.push_str(before);
        let open = bracket.chars().next().unwrap_or('[');
        let close = match open {
            '[' => ']',
            '(' => ')',
            _ => '】',
        };
        let after = &bracket[open.len_utf8()..];
        let Some((inner, tail)) = after.split_once(close) else {
            out.push_str(bracket);
            return out;
        };
        rest = tail;
        let link = (open == '[').then(|| tail.strip_prefix('(')).flatten().and_then(|t| t.split_once(')'));
        if let Some((_, behind)) = link {
            rest = behind;
            if out.ends_with('!') {
                out.pop();
            } else {
                out.push_str(inner);
            }
        } else if is_citation(inner, open) {
            out.truncate(out.trim_end().len());
            if !rest.starts_with([' ', '.', ',', ';', ':', '!', '?', ')']) && !rest.is_empty() {
                out.push(' ');
            }
        } else {
            out.push(open);
            out.push_str(inner);
            out.push(close);
        }
    }
    out.push_str(rest);
    out
}

fn is_citation(inner: &str, open: char) -> bool {
    let inner = inner.trim().to_lowercase();
    let numbers = !inner.is_empty()
        && inner.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | ' ' | '-' | '–' | '^' | ';'))
        && inner.chars().any(|c| c.is_ascii_digit());
    let named = ["source", "excerpt", "citation", "ref.", "quelle"].iter().any(|word| {
        inner.strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', ':', 's', '.']) || rest.is_empty())
    });
    match open {
        '(' => named && inner.len() <= 60,
        _ => numbers || (named && inner.len() <= 60) || inner == "citation needed",
    }
}

/// A line that is a heading and nothing else: marked as one, wholly bold, `Section 2: …`, `Introduction:`, or one of the
/// article's own headings.
fn is_heading(block: &str, text: &str, headings: &[&str]) -> bool {
    let block = block.trim();
    let bold =
        block.starts_with("**") && block.trim_end_matches(':').ends_with("**") && block.matches("**").count() == 2;
    let key = key_of(text);
    let own = headings.iter().any(|h| key_of(h) == key);
    let ends = text.ends_with(['.', '!', '?', '…', '。', '"', '”', ')']);
    let label = !ends && text.unicode_words().count() <= 14 && labelled(text);
    block.starts_with('#') || (bold && !ends) || own || label
}

fn labelled(text: &str) -> bool {
    const LABELS: [&str; 9] =
        ["section", "title", "introduction", "conclusion", "chapter", "part", "heading", "article", "summary"];
    let lower = text.to_lowercase();
    let word = lower.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    LABELS.contains(&word) && (lower.contains(':') || lower.unicode_words().count() <= 3)
}

/// What models say about their task before and after the text.
fn drop_chatter(paragraphs: &mut Vec<String>) {
    const OPENERS: [&str; 14] = [
        "here is",
        "here's",
        "here’s",
        "here are",
        "sure!",
        "sure,",
        "sure.",
        "certainly",
        "of course",
        "below is",
        "as an ai",
        "okay,",
        "in this section, i",
        "i will write",
    ];
    const CLOSERS: [&str; 10] = [
        "i hope this",
        "let me know",
        "would you like",
        "feel free to",
        "please note that i",
        "note: this section",
        "note: i ",
        "as an ai",
        "word count",
        "is there anything",
    ];
    let starts = |text: &str, with: &[&str]| {
        let lower = text.trim_start_matches(['(', '*']).to_lowercase();
        with.iter().any(|w| lower.starts_with(w))
    };
    if let Some(first) = paragraphs.first_mut() {
        let sentences: Vec<&str> = first.split_sentence_bounds().collect();
        if let Some(opening) = sentences.first()
            && starts(opening, &OPENERS)
            && opening.unicode_words().count() <= 25
            && (first.ends_with(':') || opening.trim_end().ends_with([':', '!']) || mentions_task(opening))
        {
            let behind = match opening.split_once(": ") {
                Some((_, text)) => format!("{text}{}", sentences[1..].concat()),
                None => sentences[1..].concat(),
            };
            *first = behind.trim().to_owned();
        }
    }
    if let Some(last) = paragraphs.last_mut() {
        let sentences: Vec<&str> = last.split_sentence_bounds().collect();
        let keep = sentences.iter().rposition(|s| !starts(s, &CLOSERS)).map_or(0, |at| at + 1);
        *last = sentences[..keep].concat().trim().to_owned();
    }
    paragraphs.retain(|p| !p.is_empty());
}

fn mentions_task(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    ["section", "article", "paragraph", "rewritten", "version", "language model", "excerpt"]
        .iter()
        .any(|word| lower.contains(word))
}

/// Keeps the first of each sentence of four words or more.
fn drop_repeats(paragraphs: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for paragraph in paragraphs.iter_mut() {
        let item = paragraph.starts_with("- ");
        let kept: String = paragraph
            .trim_start_matches("- ")
            .split_sentence_bounds()
            .filter(|s| s.unicode_words().count() < 4 || seen.insert(key_of(s)))
            .collect();
        let kept = kept.trim();
        *paragraph = if item && !kept.is_empty() { format!("- {kept}") } else { kept.to_owned() };
    }
    paragraphs.retain(|p| p.unicode_words().next().is_some());
}

/// Cuts what follows the last whole sentence of the last paragraph; a paragraph without one goes.
fn cut_half_sentence(paragraphs: &mut Vec<String>) {
    let Some(last) = paragraphs.last_mut() else { return };
    let whole = |s: &str| {
        let s = s.trim_end().trim_end_matches(['"', '”', '’', '\'', ')', ']', '»', '」']);
        s.ends_with(['.', '!', '?', '…', '。', '！', '？'])
    };
    let end = last.split_sentence_bound_indices().filter(|(_, s)| whole(s)).map(|(at, s)| at + s.len()).last();
    match end {
        Some(end) => last.truncate(end),
        None => last.clear(),
    }
    let length = last.trim_end().len();
    last.truncate(length);
    if last.is_empty() {
        paragraphs.pop();
    }
}

/// A sentence reduced to what it says: its letters and digits, in lower case.
fn key_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(answer: &str) -> Vec<String> {
        paragraphs(answer, &["Steeping Tea", "The right water"], false)
    }

    #[test]
    fn each_kind_of_noise_goes() {
        for (answer, text) in [
            ("## The right water\n\nSoft water is best.", "Soft water is best."),
            ("**The right water**\n\nSoft water is best.", "Soft water is best."),
            ("The Right Water:\nSoft water is best.", "The Right Water: Soft water is best."),
            ("The Right Water\n\nSoft water is best.", "Soft water is best."),
            ("Section 2: The Science of It\n\nSoft water is best.", "Soft water is best."),
            ("Introduction:\n\nSoft water is best.", "Soft water is best."),
            ("Sure! Soft water is best.", "Soft water is best."),
            ("Here is the section you asked for:\n\nSoft water is best.", "Soft water is best."),
            ("Here is the section: Soft water is best.", "Soft water is best."),
            ("Soft water is best.\n\nI hope this helps! Let me know.", "Soft water is best."),
            ("Soft water is best. (Word count: 120)", "Soft water is best."),
            ("Soft water is best [1]. It is **cheap** [2, 3].", "Soft water is best. It is cheap."),
            ("Soft water is best (Source 2) and *cheap*【1】.", "Soft water is best and cheap."),
            ("See [the guide](https://x.test/a) and `code`. ![pic](a.png)", "See the guide and code."),
            ("<think>Let me see. ok</think>\nSoft water is best.", "Soft water is best."),
            ("```\nSoft water is best.\n```", "Soft water is best."),
            ("Soft water\nis best.\n\n---\n\n| a | b |\n|---|---|", "Soft water is best."),
            ("> Soft water is best.", "Soft water is best."),
            ("<excerpt source=\"1\">Soft water</excerpt> is best.</order>", "Soft water is best."),
        ] {
            assert_eq!(clean(answer), [text], "{answer}");
        }
    }

    #[test]
    fn the_work_grows_with_the_answer_and_no_faster() {
        let took = |pattern: &str, count: usize| {
            let text = pattern.repeat(count);
            let started = std::time::Instant::now();
            assert!(!plain(&text).is_empty());
            started.elapsed()
        };
        for pattern in ["<", "<excerpt source=", "*a*", "* a", "[a](", "(a"] {
            // The machine may be busier the second time: one of three measurements has to be within bounds.
            let linear = (0..3).any(|_| {
                let (one, four) = (took(pattern, 50_000), took(pattern, 200_000));
                four < one * 10 + std::time::Duration::from_millis(20)
            });
            assert!(linear, "{pattern}");
        }
    }

    #[test]
    fn prose_that_only_looks_like_noise_stays() {
        for text in [
            "Where a < b, List<order is> and <em> stay.",
            "Surely this article of clothing is old!",
            "The lid stays on. Note: the pot is hot.",
            "Here is where the river bends to the south.",
            "Of course, water boils at 100 degrees (212 °F).",
            "The array a[i] and the list [a, b] hold 2 * 3 * 4 items.",
            "Sections of the pipe are cut: each one measures two metres.",
            "In 1999 (a dry year) the price fell.",
        ] {
            assert_eq!(clean(text), [text]);
        }
    }

    #[test]
    fn nothing_but_noise_is_nothing() {
        for answer in ["", "   \n", "<think>never ends", "# Title", "---", "```\n```", "- ", "\u{0}\u{1}", "[1]"] {
            assert_eq!(clean(answer), Vec::<String>::new(), "{answer:?}");
        }
    }

    #[test]
    fn lists_become_items() {
        let answer = "Do this:\n\n* Boil water\n  slowly.\n* Wait.\n1. Pour it.\n2) Drink.";
        assert_eq!(clean(answer), ["Do this:", "- Boil water slowly.", "- Wait.", "- Pour it.", "- Drink."]);
    }

    #[test]
    fn a_sentence_is_told_once() {
        let answer = "The art is a blend of skills. Water matters a lot here. The art is a blend of skills.\n\nTHE ART is a \
            blend of skills!\n\nIt is. It is.";
        assert_eq!(clean(answer), ["The art is a blend of skills. Water matters a lot here.", "It is. It is."]);
    }

    #[test]
    fn a_cut_answer_loses_its_half_sentence() {
        for (answer, kept) in [
            ("Whole one. Half of a", vec!["Whole one."]),
            ("Whole one.\n\nHalf of a", vec!["Whole one."]),
            ("He said \"stop.\"", vec!["He said \"stop.\""]),
            ("no end at all", vec![]),
        ] {
            assert_eq!(paragraphs(answer, &[], true), kept, "{answer}");
        }
    }

    #[test]
    fn words_are_counted_in_any_script() {
        assert_eq!(count_words(&["One two, three.".into(), "- vier".into()]), 4);
    }
}

//! What an answer comes in: signs that nobody sees, JSON around the text, markup, calls of tools, turns of a dialogue.

use serde_json::Value;

use crate::json::lenient_object;

/// Elements that go with everything in them.
const WHOLE: [&str; 11] = [
    "script",
    "style",
    "head",
    "svg",
    "iframe",
    "tool_call",
    "tool_calls",
    "tool_response",
    "tool_code",
    "function_call",
    "function_calls",
];
/// Elements whose text is a block of its own.
const BLOCKS: [&str; 20] = [
    "p",
    "div",
    "br",
    "hr",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "body",
    "html",
    "ul",
    "ol",
    "table",
    "tr",
    "td",
    "th",
    "blockquote",
    "pre",
    "figure",
];
const INLINE: [&str; 20] = [
    "span", "b", "i", "strong", "em", "u", "a", "sup", "sub", "small", "mark", "font", "center", "code", "img", "q",
    "cite", "abbr", "tbody", "thead",
];
/// Members of an object that hold no prose.
const NO_PROSE: [&str; 12] = [
    "heading",
    "title",
    "headline",
    "name",
    "id",
    "type",
    "role",
    "language",
    "words",
    "word_count",
    "sources",
    "citations",
];
/// Who speaks in a dialogue. What a person says there, the model made up.
const PERSONS: [&str; 5] = ["user:", "human:", "### user", "### human", "### instruction"];
const MODELS: [&str; 4] = ["assistant:", "### assistant", "### response", "ai:"];

/// The prose in an answer.
pub(super) fn unwrapped(answer: &str) -> String {
    let text = without_unseen(answer);
    let text = of_json(&text).unwrap_or(text);
    one_turn(&without_markup(&text)).to_owned()
}

/// A short line without markup and signs that nobody sees.
pub(crate) fn unmarked(line: &str) -> String {
    without_markup(&without_unseen(line))
}

/// Without signs that show nothing, turn the direction of writing or hide a text. Joiners stay: scripts and emoji need them.
fn without_unseen(text: &str) -> String {
    let unseen = |c: char| {
        matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
            || (c.is_control() && !c.is_whitespace())
    };
    text.replace(unseen, "")
}

/// The prose of an answer that is JSON as a whole, perhaps in a code fence; none of one that is not.
fn of_json(text: &str) -> Option<String> {
    let bare = text.trim();
    let bare = bare.strip_prefix("```").map_or(bare, |fenced| {
        let fenced = fenced.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        fenced.trim_end().trim_end_matches("```").trim()
    });
    let value = match bare.chars().next()? {
        '{' if bare.ends_with('}') => serde_json::from_str(bare).ok().or_else(|| lenient_object(bare))?,
        '[' if bare.ends_with(']') => serde_json::from_str(bare).ok()?,
        '"' if bare.ends_with('"') => serde_json::from_str(bare).ok()?,
        _ => return None,
    };
    let mut blocks = Vec::new();
    collect(&value, &mut blocks);
    (!blocks.is_empty()).then(|| blocks.join("\n\n"))
}

fn collect(value: &Value, blocks: &mut Vec<String>) {
    match value {
        Value::String(text) => blocks.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, blocks)),
        Value::Object(members) => {
            let prose = members.iter().filter(|(name, _)| !NO_PROSE.contains(&name.to_lowercase().as_str()));
            prose.for_each(|(_, value)| collect(value, blocks));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Without tags of HTML and calls of tools; a `<` that opens none stays.
fn without_markup(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    while let Some(at) = lower[done..].find('<').map(|found| done + found) {
        out.push_str(&text[done..at]);
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        // markup between backticks is spoken of
        let is_code = !text[line..at].matches('`').count().is_multiple_of(2);
        done = match tag(&lower[at..]) {
            _ if is_code => {
                out.push('<');
                at + 1
            }
            Some((name, false, end)) if WHOLE.contains(&name) => {
                let close = format!("</{name}");
                let behind = lower[at + end..].find(&close).map(|found| at + end + found);
                // one that is not closed takes the rest with it
                behind.map_or(text.len(), |start| start + lower[start..].find('>').map_or(close.len(), |end| end + 1))
            }
            Some((name, closes, end)) if is_known(name) && is_used(name, &lower) => {
                out.push_str(in_place_of(name, closes));
                at + end
            }
            _ => {
                out.push('<');
                at + 1
            }
        };
    }
    out.push_str(&text[done..]);
    for (entity, sign) in [("&nbsp;", " "), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")] {
        out = out.replace(entity, sign);
    }
    out
}

/// Name, whether it closes, and length of the tag that a text begins with.
fn tag(text: &str) -> Option<(&str, bool, usize)> {
    let inner = text.strip_prefix('<')?;
    let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let (name, behind) = inner.split_at(end);
    let stop = behind.find('>')?;
    let beside = &behind[..stop];
    // `<a is less than b>` is none
    let is_tag = matches!(beside.trim(), "" | "/") || beside.starts_with([' ', '\n', '\t']) && beside.contains('=');
    (is_tag && !beside.contains('<')).then(|| (name, closes, text.len() - behind.len() + stop + 1))
}

fn is_known(name: &str) -> bool {
    let heading = matches!(name.as_bytes(), [b'h', b'1'..=b'6']);
    heading || name == "li" || WHOLE.contains(&name) || BLOCKS.contains(&name) || INLINE.contains(&name)
}

/// One element of a sentence alone is spoken of: it has no end.
fn is_used(name: &str, lower: &str) -> bool {
    !INLINE.contains(&name) || name == "img" || lower.contains(&format!("</{name}>"))
}

fn in_place_of(name: &str, closes: bool) -> &'static str {
    match (name, closes) {
        ("li", false) => "\n- ",
        (name, false) if matches!(name.as_bytes(), [b'h', b'1'..=b'6']) => "\n\n# ",
        (name, _) if INLINE.contains(&name) => "",
        _ => "\n\n",
    }
}

/// The text up to the next turn of a dialogue, without the label of its own.
fn one_turn(text: &str) -> &str {
    let starts = |line: &str, labels: &[&str]| {
        labels.iter().any(|label| line.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label)))
    };
    let mut text = text.trim();
    if let Some(label) = MODELS.iter().find(|label| starts(text, &[label])) {
        text = text[label.len()..].trim_start_matches([':', ' ', '\n', '\r']);
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && starts(line.trim_start(), &PERSONS) {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(answer: &str) -> Vec<String> {
        unwrapped(answer).lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn the_prose_comes_out_of_what_it_was_wrapped_in() {
        let beds = "The beds are dug.";
        for answer in [
            "{\"text\": \"The beds are dug.\"}",
            "```json\n{\"heading\": \"Beds\", \"paragraphs\": [\"The beds are dug.\"]}\n```",
            "{'heading': 'Beds', 'text': 'The beds are dug.',}",
            "[{\"type\": \"text\", \"text\": \"The beds are dug.\"}]",
            "\"The beds are dug.\"",
            "<p>The beds are dug.</p>",
            "<html><head><title>Beds</title></head><body><p class=\"x\">The <b>beds</b> are dug.</p></body></html>",
            "<script>alert('x')</script>\nThe beds are dug.",
            "<tool_call>{\"name\": \"search\"}</tool_call>The beds are dug.",
            "The beds are dug.<style>p {}",
            "assistant: The beds are dug.\n\nuser: And then?",
            "### Response:\nThe beds are dug.\n\n### Instruction:\nWrite on.",
            "The beds are dug.\nHuman: Thanks!\nAssistant: My pleasure.",
            "\u{feff}The\u{200b} beds\u{202e} are\u{7} dug.",
        ] {
            assert_eq!(lines(answer), [beds], "{answer}");
        }
        assert_eq!(lines("<ul><li>One bed</li><li>Two beds</li></ul>"), ["- One bed", "- Two beds"]);
        assert_eq!(lines("<h2>Beds</h2>The beds."), ["# Beds", "The beds."]);
    }

    #[test]
    fn prose_stays_as_it_is() {
        for text in [
            "A bed < 2 m wide and > 1 m long is dug.",
            "The user: a farmer who knows the land.",
            "In C++ a vector<int> holds numbers, and <a is less than b> is no tag.",
            "{beds} are dug.",
            "The element `<em>` stands in `<p>` and no `<script>`.",
            "He said \"dig\" and she said \"no\"",
            "The family 👨\u{200d}👩\u{200d}👧 digs.",
        ] {
            assert_eq!(unwrapped(text), text);
        }
    }
}

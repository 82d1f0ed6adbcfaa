//! Pairs of marks around reasoning: `<think>…</think>` and its many relatives.

use std::collections::BTreeSet;

/// Signs that open a mark, and those that close it. The longer ones come first.
const SIGNS: [(&str, &str); 13] = [
    ("<|", "|>"),
    ("&lt;", "&gt;"),
    ("<", ">"),
    ("＜", "＞"),
    ("‹", "›"),
    ("◁", "▷"),
    ("[[", "]]"),
    ("[", "]"),
    ("【", "】"),
    ("〈", "〉"),
    ("(", ")"),
    ("{", "}"),
    ("*", "*"),
];
/// Those before this place are no brackets of ordinary prose; those before the next are none that a sentence opens with.
const ANGLES: usize = 6;
const SQUARES: usize = 10;
/// Names that nothing but reasoning has.
const SURE: [&str; 10] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "scratchpad",
    "monologue",
    "cot",
    "chainthought",
    "thoughtprocess",
];
/// Names that prose and markup also have; they count where the pair is whole.
const UNSURE: [&str; 8] =
    ["analysis", "plan", "planning", "reason", "reflection", "rationale", "deliberation", "thinkingprocess"];
/// Names of marks around the answer itself.
const ANSWER: [&str; 5] = ["answer", "finalanswer", "final", "response", "solution"];
/// A mark's name and what stands beside it are no longer than this, in bytes.
const LONGEST: usize = 160;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Open,
    Close,
    /// `<think/>`
    Empty,
}

#[derive(Debug)]
struct Mark<'a> {
    start: usize,
    end: usize,
    side: Side,
    /// Place in [`SIGNS`].
    signs: usize,
    name: &'a str,
}

impl Mark<'_> {
    fn is_sure(&self) -> bool {
        self.signs < ANGLES && SURE.contains(&self.name)
    }

    fn is_answer(&self) -> bool {
        ANSWER.contains(&self.name)
    }
}

/// Without what stands between the marks. A close without its opening, which the chat template wrote, takes all before it;
/// an opening that is never closed takes all behind it.
pub(crate) fn without_marks(text: &str) -> String {
    let marks = marks_in(text);
    if marks.is_empty() {
        return text.to_owned();
    }
    let closes: BTreeSet<(usize, &str, usize)> =
        marks.iter().filter(|m| m.side == Side::Close).map(|m| (m.signs, m.name, m.start)).collect();
    let opens: BTreeSet<(usize, &str)> =
        marks.iter().filter(|m| m.side == Side::Open).map(|m| (m.signs, m.name)).collect();
    let closed_behind = |mark: &Mark<'_>| {
        let behind = (mark.signs, mark.name, mark.end)..(mark.signs, mark.name, usize::MAX);
        closes.range(behind).next().is_some()
    };
    let mut out = String::with_capacity(text.len());
    let (mut done, mut within) = (0, false);
    for mark in &marks {
        match mark.side {
            _ if mark.is_answer() => {}
            Side::Open | Side::Empty if within => {}
            Side::Empty => {
                out.push_str(&text[done..mark.start]);
                done = mark.end;
            }
            Side::Open => {
                let at_start = out.trim().is_empty() && text[done..mark.start].trim().is_empty();
                if mark.is_sure()
                    || closed_behind(mark)
                    || (at_start && mark.signs < SQUARES && SURE.contains(&mark.name))
                {
                    out.push_str(&text[done..mark.start]);
                    within = true;
                }
            }
            Side::Close if within => {
                (within, done) = (false, mark.end);
            }
            // `(thinking)` and `/plan` alone are words, `[/THINK]` is not
            Side::Close if SURE.contains(&mark.name) && !opens.contains(&(mark.signs, mark.name)) || mark.is_sure() => {
                out.clear();
                done = mark.end;
            }
            Side::Close => {}
        }
    }
    if !within {
        out.push_str(&text[done..]);
    }
    answer_only(&out)
}

/// What stands between marks of an answer, where there is a pair of them.
fn answer_only(text: &str) -> String {
    let marks: Vec<Mark<'_>> = marks_in(text).into_iter().filter(|m| m.is_answer() && m.signs < ANGLES).collect();
    let open = marks.iter().find(|m| m.side == Side::Open);
    let Some(open) = open else { return text.to_owned() };
    let close = marks.iter().rfind(|m| m.side == Side::Close && m.name == open.name && m.start >= open.end);
    text[open.end..close.map_or(text.len(), |m| m.start)].to_owned()
}

/// All marks in their order. Those in backticks are spoken of and mean nothing.
fn marks_in(text: &str) -> Vec<Mark<'_>> {
    let mut out = Vec::new();
    let mut next = 0;
    for (at, c) in text.char_indices() {
        if at < next || !matches!(c, '<' | '&' | '＜' | '‹' | '◁' | '[' | '【' | '〈' | '(' | '{' | '*') {
            continue;
        }
        if let Some(mark) = mark_at(text, at) {
            next = mark.end;
            let spoken_of = text[..at].ends_with('`') && text[mark.end..].starts_with('`');
            if !spoken_of {
                out.push(mark);
            }
        }
    }
    out
}

fn mark_at(text: &str, start: usize) -> Option<Mark<'_>> {
    special_at(text, start).or_else(|| {
        let (signs, (open, close)) = SIGNS.iter().enumerate().find(|(_, (open, _))| text[start..].starts_with(open))?;
        let inside = start + open.len();
        let window = &text[inside..text.floor_char_boundary((inside + LONGEST).min(text.len()))];
        let length = window.find(close)?;
        let (name, side) = named(&window[..length], signs < ANGLES)?;
        Some(Mark { start, end: inside + length + close.len(), side, signs, name })
    })
}

/// Marks that follow no pattern.
fn special_at(text: &str, start: usize) -> Option<Mark<'_>> {
    const SPECIAL: [(&str, Side); 4] = [
        ("<|channel>thought", Side::Open),
        ("<channel|>", Side::Close),
        ("<unused94>", Side::Open),
        ("<unused95>", Side::Close),
    ];
    let rest = &text[start..];
    let (token, side) = SPECIAL.into_iter().find(|(token, _)| rest.starts_with(token))?;
    let name = if token.contains("channel") { "thought" } else { "thinking" };
    Some(Mark { start, end: start + token.len(), side, signs: 0, name })
}

/// The name in a mark and which side it is: `/think`, `END_THINKING`, `seed:think`, `details type="reasoning"`.
fn named(inside: &str, angle: bool) -> Option<(&'static str, Side)> {
    let lower = inside.trim().to_ascii_lowercase();
    let closing = lower.starts_with('/') || lower.starts_with('\\');
    let bare = lower.trim_start_matches(['/', '\\']).trim_start();
    let end = bare.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ':'))).unwrap_or(bare.len());
    let (name, beside) = bare.split_at(end);
    let beside = beside.trim();
    if name == "details" && angle {
        let reasoning = closing || beside.contains("reasoning") || beside.contains("thinking");
        return reasoning.then_some(("reflection", if closing { Side::Close } else { Side::Open }));
    }
    if !beside.is_empty() && (!angle || closing) {
        return None;
    }
    let mut side = match (closing, beside.ends_with('/')) {
        (true, _) => Side::Close,
        (false, true) => Side::Empty,
        (false, false) => Side::Open,
    };
    let mut core = String::new();
    for word in name.split(['_', '-', ':']) {
        match word {
            "begin" | "start" | "bof" => side = Side::Open,
            "end" | "stop" | "eof" => side = Side::Close,
            "of" | "seed" | "ant" | "antml" | "my" | "inner" | "internal" | "model" | "assistant" | "hidden" => {}
            word => core.push_str(word.strip_prefix("ant").unwrap_or(word)),
        }
    }
    let known = SURE.iter().chain(&UNSURE).chain(&ANSWER).find(|known| **known == core)?;
    Some((known, side))
}

//! Lists of topics in running text: `A, B and C`, `A; B; C`, `first A, then B`, `how A and why B`.

use galley_text::word;

use super::{Asked, cues::Cues};
use crate::{
    lexicon::{self, lower, lower_tokens, tokens},
    topics::clean_heading,
};

/// A longer item is a sentence about something, not the name of a topic.
const MAX_WORDS: usize = 18;
/// Where topics follow each other by words such as `then`.
const MARK: char = '\u{1f}';

/// The items of a list as they stand.
///
/// With `explicit`, where something says that a list follows, two items joined by `and` are a list as well.
pub(super) fn split(text: &str, explicit: bool, cues: &Cues) -> Vec<String> {
    if let Some((_, items)) = numbered(text) {
        return items;
    }
    let text = with_marks(text, cues);
    let semicolons = top_level(&text, |c| c == ';');
    if semicolons.len() > 1 {
        return semicolons
            .iter()
            .flat_map(|part| part.split(MARK))
            .map(str::to_owned)
            .filter(|part| !part.trim().is_empty())
            .collect();
    }
    let mut out: Vec<String> = Vec::new();
    let has_steps = text.matches(MARK).count() > 1;
    for part in text.split(MARK).filter(|part| !part.trim().is_empty()) {
        let mut commas = top_level(part, |c| matches!(c, ',' | '、' | '/'));
        // `A, B and C, in this order`
        while commas.len() > 1 && commas.last().is_some_and(|last| cues.tail.is(&lower_tokens(last))) {
            commas.pop();
        }
        let last = commas.len() - 1;
        for (n, item) in commas.iter().enumerate() {
            // `A and B, with C` and `A and B, and explain how C works`: the list proper ends before its last item.
            let closes = n == last || n + 1 == last && goes_on(commas[last], cues);
            let joined = closes && n > 0 || explicit && n == 0 && closes && !has_steps;
            out.extend(at_and(item, joined, cues));
        }
    }
    completed(out, cues)
}

/// Whether an item starts anew rather than close a list: `with …`, `and explain …`.
fn goes_on(item: &str, cues: &Cues) -> bool {
    let words = lower_tokens(item);
    let from = usize::from(words.first().is_some_and(|first| cues.and.iter().any(|and| and.trim() == first)));
    words.first().is_some_and(|first| matches!(first.as_str(), "with" | "mit" | "avec" | "con" | "com"))
        || from == 1 && cues.verbs.starts(&words[from..])
}

/// `1) A 2) B 3) C` within a line, with what stands before it.
pub(super) fn numbered(text: &str) -> Option<(&str, Vec<String>)> {
    let mut starts = Vec::new();
    let mut wanted = 1_u32;
    let mut from = 0;
    while wanted < 30 {
        let found = [format!("{wanted}) "), format!("{wanted}. "), format!("({wanted}) ")]
            .iter()
            .filter_map(|mark| text[from..].find(mark.as_str()).map(|at| (from + at, mark.len())))
            .filter(|(at, _)| *at == 0 || !text[..*at].ends_with(|c: char| c.is_alphanumeric()))
            .min();
        let Some((at, len)) = found else { break };
        starts.push((at, at + len));
        from = at + len;
        wanted += 1;
    }
    if starts.len() < 2 {
        return None;
    }
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([text.len()]);
    let items = starts
        .iter()
        .zip(ends)
        .map(|((_, start), end)| text[*start..end].trim_end_matches([' ', ',', ';', '(']).to_owned())
        .collect();
    Some((&text[..starts[0].0], items))
}

/// The text with a mark in place of each `then`, `finally` and so on.
fn with_marks(text: &str, cues: &Cues) -> String {
    let tokens = tokens(text);
    let lower: Vec<String> = tokens.iter().map(|(_, token)| lower(token)).collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut copied) = (0, 0);
    while at < tokens.len() {
        let Some(len) = cues.sequence.match_len(&lower[at..]) else {
            at += 1;
            continue;
        };
        let (start, end) = (tokens[at].0, tokens[at + len - 1].0 + tokens[at + len - 1].1.len());
        // `The first railway`: only where a clause or item starts, or in front of a question or an article.
        let opens = at == 0 || text[..start].trim_end().ends_with([',', ';', '.']) || len > 1;
        let follows = lower.get(at + len).is_some_and(|next| {
            cues.questions.starts(std::slice::from_ref(next)) || cues.lead.starts(std::slice::from_ref(next))
        });
        if opens || follows {
            out.push_str(text[copied..start].trim_end_matches([' ', ',']));
            out.push(MARK);
            copied = end;
        }
        at += len;
    }
    out.push_str(&text[copied..]);
    out
}

/// Splits outside of brackets and quotes; a comma within a number is none.
fn top_level(text: &str, is_mark: impl Fn(char) -> bool) -> Vec<&str> {
    let (mut out, mut depth, mut start, mut quoted) = (Vec::new(), 0_i32, 0, false);
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' | '«' | '“' | '„' => depth += 1,
            ')' | ']' | '»' | '”' => depth = (depth - 1).max(0),
            '"' => quoted = !quoted,
            _ => {}
        }
        let next = text[i + c.len_utf8()..].chars().next();
        let in_number = next.is_some_and(|n| n.is_ascii_digit()) && text[..i].ends_with(|p: char| p.is_ascii_digit());
        let in_word = c == '/' && next.is_some_and(|n| !n.is_whitespace());
        if is_mark(c) && depth == 0 && !quoted && !in_number && !in_word {
            out.push(&text[start..i]);
            start = i + c.len_utf8();
        }
    }
    out.push(&text[start..]);
    let items: Vec<&str> = out.into_iter().map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.is_empty() { vec![text] } else { items }
}

/// Splits an item at `and how`, and at `and` where it closes a list.
fn at_and(item: &str, closes: bool, cues: &Cues) -> Vec<String> {
    let item = item.trim();
    let lowered = item.to_lowercase();
    if lowered.len() != item.len() {
        return vec![item.to_owned()];
    }
    // `and C` behind `A, B,` is one item.
    let opens = cues.and.iter().find_map(|and| lowered.strip_prefix(and.trim_start()));
    if opens.is_some() && closes {
        return vec![item[item.len() - opens.map_or(0, str::len)..].to_owned()];
    }
    for and in cues.and {
        for (at, _) in lowered.match_indices(and) {
            let rest = lower_tokens(&item[at + and.len()..]);
            if cues.questions.starts(&rest) && at > 0 {
                let mut out = at_and(&item[..at], false, cues);
                out.extend(at_and(&item[at + and.len()..], closes, cues));
                return out;
            }
        }
    }
    let asks = cues.questions.starts(&lower_tokens(item));
    let cut = cues.and.iter().filter_map(|and| lowered.rfind(and).map(|at| (at, at + and.len()))).max();
    let in_pair = |at: usize| {
        let spans = |pair: &&&str| lowered.find(**pair).is_some_and(|from| (from..from + pair.len()).contains(&at));
        cues.pairs.iter().any(|pair| spans(&pair))
    };
    match cut {
        Some((end, start)) if closes && !asks && !in_pair(end) => {
            vec![item[..end].to_owned(), item[start..].to_owned()]
        }
        _ => vec![item.to_owned()],
    }
}

/// `How a firm grows, roasts and brews its coffee` is `how a firm roasts` as well: verbs get the subject of the first.
fn completed(items: Vec<String>, cues: &Cues) -> Vec<String> {
    let Some((first, others)) = items.split_first() else { return items };
    let words = lower_tokens(first);
    let (Some(verb), true) = (words.last(), words.len() >= 3 && cues.questions.starts(&words)) else { return items };
    let ending: String = verb.chars().rev().take(1).collect();
    let pronoun = words.len() == 3 && words[1].chars().count() <= 4;
    let alike = |item: &String| {
        let own = lower_tokens(item);
        let nouns = ["costs", "prices", "uses", "risks", "limits", "causes", "effects", "types", "rules", "steps"];
        own.first().is_some_and(|word| word.ends_with(&ending) && !nouns.contains(&word.as_str()))
            && !cues.questions.starts(&own)
    };
    if others.is_empty() || pronoun || cues.code != "en" || ending != "s" || !others.iter().all(alike) {
        return items;
    }
    let subject = first.trim_end();
    let subject = subject[..subject.rfind(' ').unwrap_or(0)].to_owned();
    // What the last verb has as its object is the object of all: `grows its coffee`.
    let last = others.last().map_or("", |item| item.trim());
    let object = last.find(' ').map_or("", |at| &last[at..]);
    let with = |verb: &str| if verb.contains(' ') { verb.to_owned() } else { format!("{verb}{object}") };
    let verb = first.trim_end().rsplit(' ').next().unwrap_or("");
    let others = others.iter().map(|item| format!("{subject} {}", with(item.trim())));
    std::iter::once(format!("{subject} {}", with(verb))).chain(others).collect()
}

/// An item as a topic: without what only leads to it. `None` where nothing is left that a section could be about.
pub(super) fn clean(item: &str, cues: &Cues) -> Option<Asked> {
    let (head, hints) = with_hints(item.trim());
    let head = stripped(head, cues);
    let words = lower_tokens(head);
    let asks = cues.questions.starts(&words);
    let says = words.iter().any(|w| !word::is_stopword(w, cues.code));
    let letters = head.chars().filter(|c| c.is_alphabetic()).count();
    if words.is_empty()
        || words.len() > MAX_WORDS
        || !(says || asks && words.len() > 1)
        || letters < 2
        || cues.parts.is(&words)
    {
        return None;
    }
    Some(Asked { words: head.to_owned(), hints: hints.to_owned() })
}

/// Takes off what explains an item: `costs (purchase, upkeep)`, `costs: what a buyer pays`.
fn with_hints(item: &str) -> (&str, &str) {
    let cut = [" (", ": ", " – ", " — ", " - "].iter().filter_map(|mark| item.find(mark)).filter(|at| *at > 0).min();
    cut.map_or((item, ""), |at| (&item[..at], item[at..].trim_matches(|c: char| !c.is_alphanumeric())))
}

fn stripped<'a>(text: &'a str, cues: &Cues) -> &'a str {
    let edge = |c: char| !(c.is_alphanumeric() || matches!(c, '%' | '°' | '€' | '$' | '£'));
    let mut text = text.trim_matches(edge);
    loop {
        let found = tokens(text);
        let lower: Vec<String> = found.iter().map(|(_, token)| lower(token)).collect();
        let elided = lower.first().and_then(|first| first.split_once('\'')).map(|(before, _)| before);
        if matches!(elided, Some("l" | "d" | "dell" | "all" | "sull" | "nell" | "un")) {
            text = &text
                [text.find(['\'', '’']).map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))..];
            continue;
        }
        if let Some(len) = cues.lead.match_len(&lower).filter(|len| *len < lower.len())
            && !cues.questions.starts(&lower)
        {
            text = text[found[len].0..].trim_matches(edge);
            continue;
        }
        let tail =
            (1..=5.min(lower.len().saturating_sub(1))).rev().find(|len| cues.tail.is(&lower[lower.len() - len..]));
        let Some(len) = tail else { return text };
        let (last, word) = found[found.len() - len - 1];
        text = text[..last + word.len()].trim_matches(edge);
    }
}

/// The topic as a heading: its words in their order, the first one with a capital.
pub(crate) fn heading(words: &str, language: Option<&lexicon::Language>) -> String {
    let plain = crate::title::shortened(words, language);
    language.and_then(|language| clean_heading(&plain, language)).unwrap_or_else(|| crate::table::capitalised(&plain))
}

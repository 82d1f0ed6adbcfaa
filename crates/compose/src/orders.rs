//! Sentences of a source that give orders to a language model or a search engine: no facts, and never to be obeyed.

mod rules;

use std::{collections::HashMap, sync::LazyLock};

use galley_text::sentence;

use crate::lexicon;

/// How far behind its start the words of a rule are looked for.
const REACH: usize = 12;
/// In front of an order, these do not keep a clause from beginning with it.
const LEADS: &str = "please kindly and then now must should to also just bitte und dann jetzt nun auch s'il plaît merci et puis \
    maintenant veuillez por favor y entonces ahora debes per e poi ora devi então agora deve пожалуйста и затем теперь \
    always immer toujours siempre sempre всегда";

/// A text without its orders, and how many sentences were left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    pub text: String,
    pub left_out: usize,
}

/// Leaves out of a snapshot's text what gives orders to a language model or a search engine: the sentence, and in most cases
/// what follows it in its paragraph, for that continues the order. A heading that gives orders goes with its section, and
/// an order that ends with a colon with the list below it. `None` where there is no such order.
///
/// The text is in the fixed subset of Markdown that [`galley_domain::writing::Snapshot`] describes, and stays in it.
pub fn without_orders(text: &str) -> Option<Cleaned> {
    let mut cleaner = Cleaner::default();
    for line in text.lines() {
        cleaner.line(line);
    }
    (cleaner.left_out > 0)
        .then(|| Cleaned { text: cleaner.out.join("\n").trim_end().to_owned(), left_out: cleaner.left_out })
}

/// Whether a line, a title for example, is an order.
pub fn is_order(line: &str) -> bool {
    order_in(line).is_some()
}

#[derive(Default)]
struct Cleaner<'a> {
    out: Vec<std::borrow::Cow<'a, str>>,
    left_out: usize,
    /// The level of a heading whose section is left out.
    section: Option<usize>,
    /// An order with a colon stands above.
    list: bool,
}

impl<'a> Cleaner<'a> {
    fn line(&mut self, line: &'a str) {
        if line.is_empty() {
            // One blank line between blocks, also where a block is gone.
            if self.out.last().is_some_and(|last| !last.is_empty()) {
                self.out.push("".into());
            }
            return;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let is_heading = (1..=6).contains(&level) && line[level..].starts_with(' ');
        if is_heading && self.section.is_none_or(|above| level <= above) {
            let orders = order_in(&line[level..]).is_some();
            self.section = orders.then_some(level);
        }
        if self.section.is_some() {
            self.left_out += sentence::split(line).len().max(1);
            return;
        }
        let is_item = line.starts_with("- ");
        if self.list && is_item {
            self.left_out += 1;
            return;
        }
        self.list = false;
        if is_item || is_heading || line.starts_with('|') {
            if let Some(strength) = order_in(line.trim_start_matches(['-', '|', '#', ' '])) {
                self.left_out += 1;
                self.list = strength == Strength::Whole && line.ends_with(':');
            } else {
                self.out.push(line.into());
            }
            return;
        }
        self.paragraph(line);
    }

    fn paragraph(&mut self, line: &'a str) {
        let ranges = sentence::split(line);
        let mut kept = Vec::new();
        let mut orders = false;
        for range in &ranges {
            let strength = order_in(&line[range.clone()]);
            orders |= strength == Some(Strength::Whole);
            if !orders && strength.is_none() {
                kept.push(&line[range.clone()]);
            }
        }
        if kept.len() == ranges.len() {
            self.out.push(line.into());
            return;
        }
        self.left_out += ranges.len() - kept.len();
        self.list = orders && line.ends_with(':');
        if !kept.is_empty() {
            self.out.push(kept.join(" ").into());
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    /// What follows in the paragraph belongs to it.
    Whole,
    Alone,
}

/// An alternative of a rule: words, the last of which may have any ending.
#[derive(Debug)]
struct Words {
    words: Vec<&'static str>,
    any_ending: bool,
    /// A comma or colon follows.
    stops: bool,
}

#[derive(Debug)]
struct Rule {
    anywhere: bool,
    strength: Strength,
    start: Words,
    /// One of each group must stand behind the start.
    groups: std::sync::Arc<[Vec<Words>]>,
}

/// Rules by the first word of their start; those whose only word may have any ending are not allowed.
static RULES: LazyLock<HashMap<&'static str, Vec<Rule>>> = LazyLock::new(|| {
    let mut rules: HashMap<&'static str, Vec<Rule>> = HashMap::new();
    for line in rules::ALL.iter().flat_map(|table| table.lines()).map(str::trim).filter(|line| !line.is_empty()) {
        let (strength, line) = line.strip_prefix('?').map_or((Strength::Whole, line), |rest| (Strength::Alone, rest));
        let (anywhere, line) = line.strip_prefix('~').map_or((false, line), |rest| (true, rest));
        let mut groups = line.split(" : ").map(|group| group.split('|').map(str::trim).map(alternative));
        let starts: Vec<Words> = groups.next().into_iter().flatten().collect();
        let groups: std::sync::Arc<[Vec<Words>]> = groups.map(Iterator::collect).collect();
        for start in starts {
            let Some(first) = start.words.first().copied() else { continue };
            rules.entry(first).or_default().push(Rule { anywhere, strength, start, groups: groups.clone() });
        }
    }
    rules
});

static LEAD_WORDS: LazyLock<std::collections::HashSet<&str>> = LazyLock::new(|| LEADS.split_whitespace().collect());

fn alternative(text: &'static str) -> Words {
    let (text, stops) = text.strip_suffix(',').map_or((text, false), |rest| (rest, true));
    let (text, any_ending) = text.strip_suffix('*').map_or((text, false), |rest| (rest, true));
    Words { words: text.split('_').collect(), any_ending, stops }
}

struct Token {
    text: String,
    /// A clause may begin here.
    begins: bool,
    /// A comma, colon or the like follows, or nothing.
    stops: bool,
}

fn tokens(sentence: &str) -> Vec<Token> {
    let found = lexicon::tokens(sentence);
    let mut out: Vec<Token> = Vec::with_capacity(found.len());
    let mut end = 0;
    for (at, text) in &found {
        let gap = sentence[end..*at].trim();
        let after_lead = out.last().is_some_and(|last| LEAD_WORDS.contains(last.text.as_str()));
        if let Some(last) = out.last_mut() {
            last.stops = !gap.is_empty();
        }
        out.push(Token {
            text: lexicon::lower(text),
            begins: out.is_empty() || !gap.is_empty() || after_lead,
            stops: false,
        });
        end = at + text.len();
    }
    if let Some(last) = out.last_mut() {
        last.stops = true;
    }
    out
}

/// Whether a sentence holds an order, and how much of its paragraph it takes along.
fn order_in(sentence: &str) -> Option<Strength> {
    let tokens = tokens(sentence);
    let mut found = None;
    for at in 0..tokens.len() {
        let Some(rules) = RULES.get(tokens[at].text.as_str()) else { continue };
        for rule in rules.iter().filter(|rule| rule.anywhere || tokens[at].begins) {
            let Some(len) = rule.start.len_at(&tokens, at) else { continue };
            let behind = at + len..(at + len + REACH).min(tokens.len());
            let all = rule
                .groups
                .iter()
                .all(|group| behind.clone().any(|i| group.iter().any(|words| words.len_at(&tokens, i).is_some())));
            if all && rule.strength == Strength::Whole {
                return Some(Strength::Whole);
            }
            if all {
                found = Some(Strength::Alone);
            }
        }
    }
    found
}

impl Words {
    /// How many tokens the words take there, if they stand there.
    fn len_at(&self, tokens: &[Token], at: usize) -> Option<usize> {
        let here = tokens.get(at..at + self.words.len())?;
        let (last, first) = self.words.split_last()?;
        let (last_token, first_tokens) = here.split_last()?;
        let same = first.iter().zip(first_tokens).all(|(word, token)| *word == token.text);
        let ends = if self.any_ending { last_token.text.starts_with(last) } else { last_token.text == *last };
        (same && ends && (!self.stops || last_token.stops)).then_some(self.words.len())
    }
}

#[cfg(test)]
mod tests;

//! What an order asks for besides its subject: the topics in their order, what must not be told, and wishes of form.

mod cues;
mod form;
mod list;
mod tables;

use galley_domain::writing::Brief;
use galley_text::sentence;

use crate::{
    lexicon::{self, lower, lower_tokens, tokens},
    title,
};
use cues::Cues;

pub(crate) use list::heading;

/// More topics than anybody orders; more of them are not read.
const MAX_TOPICS: usize = 30;
/// A prompt is read to this length, in bytes.
const MAX_BYTES: usize = 20_000;
/// A line below `Cover:` with more words is a sentence, no item.
const MAX_LINE_WORDS: usize = 12;

/// What an order asks for besides its subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// What sections are ordered about, in their order.
    pub topics: Vec<Asked>,
    /// What must not be in the text.
    pub avoid: Vec<String>,
    pub wishes: Vec<Wish>,
}

/// A topic that an order names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub words: String,
    /// What the order says about it in brackets or behind a colon; may be empty.
    pub hints: String,
}

/// A wish about form, in the words of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub kind: WishKind,
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WishKind {
    /// For whom: `for beginners`.
    Readers,
    /// As what: `as a checklist`.
    Format,
    Tone,
    /// `about 800 words`.
    Length,
    /// `in German`.
    Language,
    Other,
}

/// Whether a wish about form is one for a list: `as a checklist`, `in steps`.
pub(crate) fn asks_for_list(wish: &Wish) -> bool {
    const LISTS: &[&str] = &[
        "checklist",
        "check list",
        "check-list",
        "bullet",
        "list",
        "step",
        "prüfliste",
        "checkliste",
        "stichpunkt",
        "aufzählung",
        "schritt",
        "puces",
        "étape",
        "lista",
        "viñeta",
        "paso",
        "elenco",
        "punti",
        "passi",
        "passo",
        "passaggi",
        "tópicos",
        "списк",
        "список",
        "пункт",
        "шаг",
    ];
    let lower = wish.words.to_lowercase();
    wish.kind == WishKind::Format && LISTS.iter().any(|word| lower.contains(word))
}

/// Whether a wish about form is one for a table: `as a table`, `in a table`.
pub(crate) fn asks_for_table(wish: &Wish) -> bool {
    const TABLES: &[&str] =
        &["table", "tabular", "tabelle", "tabellarisch", "tableau", "tabla", "tabella", "tabela", "таблиц"];
    let lower = wish.words.to_lowercase();
    wish.kind == WishKind::Format && TABLES.iter().any(|word| lower.contains(word))
}

/// Reads an order: its prompt, and the sections that a template names.
pub fn read(brief: &Brief) -> Request {
    let mut request = Request::default();
    let language = lexicon::primary(&brief.language);
    // The sections of a template come first: they are set as sections, a prompt only speaks of topics.
    for (text, is_prompt) in [(&brief.instructions, false), (&brief.prompt, true)] {
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let Some(cues) = wording(text, language) else { continue };
        let mut reader = Reader { request: &mut request, cues, lines: Lines::Free, is_order: is_prompt };
        text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| reader.line(line));
    }
    request
}

/// The table of the language that an order is worded in; the ordered one where several would do.
fn wording(text: &str, language: &str) -> Option<&'static Cues> {
    let words = lower_tokens(text);
    let hits = |cues: &Cues| words.iter().filter(|word| cues.telling.contains(word.as_str())).count();
    let best = cues::all().iter().max_by_key(|cues| (hits(cues), cues.code == language))?;
    // A few words that two languages share decide nothing.
    cues::of(language).filter(|own| hits(own) + 2 > hits(best)).or(Some(best))
}

/// What the lines below a line that ends in a colon are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    Free,
    Topics,
    Avoid,
    Wishes,
}

struct Reader<'a> {
    request: &'a mut Request,
    cues: &'static Cues,
    lines: Lines,
    /// The next sentence is the one that names the subject.
    is_order: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) {
        let marked = list_item(line);
        let short = || lower_tokens(line).len() <= MAX_LINE_WORDS && !line.ends_with(['.', ':']);
        if let Some(item) = marked.or_else(|| (self.lines != Lines::Free && short()).then_some(line)) {
            return self.item(item);
        }
        // Numbers end no sentences here.
        if let Some((head, items)) = list::numbered(line) {
            self.sentence(head.trim_end_matches([':', ' ', ',']));
            let lines = std::mem::replace(&mut self.lines, Lines::Topics);
            items.iter().for_each(|item| self.item(item));
            self.lines = lines;
            return;
        }
        for range in sentence::split(line) {
            self.sentence(&line[range]);
        }
        self.lines = Lines::Free;
        if let Some(head) = line.strip_suffix(':') {
            let words = lower_tokens(head);
            let avoids = (0..words.len()).any(|at| self.avoids_at(&words, at));
            self.lines = match () {
                () if avoids => Lines::Avoid,
                () if form::is_wish(head, self.cues) => Lines::Wishes,
                () => Lines::Topics,
            };
        }
    }

    fn item(&mut self, text: &str) {
        match self.lines {
            Lines::Avoid => self.avoid(text),
            Lines::Wishes => self.request.wishes.push(Wish { kind: WishKind::Other, words: text.to_owned() }),
            Lines::Free | Lines::Topics => {
                let rest = form::take(text, self.cues, &mut self.request.wishes);
                let rest = self.without_avoided(&rest);
                let asked = list::clean(&rest, self.cues);
                self.push(asked);
            }
        }
        self.is_order = false;
    }

    fn sentence(&mut self, text: &str) {
        let cues = self.cues;
        let is_order = self.is_order;
        if let Some((label, rest)) = text.split_once(": ") {
            if cues.labels.is(&lower_tokens(label)) {
                return self.sentence(rest);
            }
            if form::is_wish(label, cues) {
                self.request.wishes.push(Wish { kind: WishKind::Other, words: text.to_owned() });
                return;
            }
        }
        self.is_order = false;
        let rest = form::take(text, cues, &mut self.request.wishes);
        let rest = self.without_avoided(&rest);
        let Some(Found { list, explicit, .. }) = find(cues, &rest, is_order) else { return };
        let items = list::split(list, explicit, cues);
        let possessive = |item: &String| {
            const OF_IT: &[&str] = &[
                "its", "their", "ihre", "ihren", "ihrer", "ihr", "seine", "seinen", "leur", "leurs", "ses", "sus",
                "su", "loro", "suoi", "sue", "seus", "suas", "их", "его", "её",
            ];
            lower_tokens(item).first().is_some_and(|first| OF_IT.contains(&first.as_str()))
        };
        // In `parcel lockers, their costs and their upkeep` the first one is the subject.
        let from = usize::from(!explicit && items.iter().skip(1).any(possessive));
        let asked: Vec<Asked> =
            items[from.min(items.len())..].iter().filter_map(|item| list::clean(item, cues)).collect();
        if explicit || asked.len() + from > 1 {
            asked.into_iter().for_each(|asked| self.push(Some(asked)));
        }
    }

    /// Takes what must not be told out of a sentence and gives back the rest.
    fn without_avoided(&mut self, text: &str) -> String {
        let found = tokens(text);
        let words: Vec<String> = found.iter().map(|(_, token)| lower(token)).collect();
        let Some(at) =
            (0..words.len()).find(|at| self.avoids_at(&words, *at) && self.opens_clause(text, &found, &words, *at))
        else {
            return text.to_owned();
        };
        let len = self.cues.avoid.match_len(&words[at..]).unwrap_or(1);
        let start = found[at].0;
        let after = found.get(at + len).map_or(text.len(), |(start, _)| *start);
        let end = [" but ", ", sondern ", "; ", " mais ", " sino ", " ma ", " mas ", ", а "]
            .iter()
            .filter_map(|mark| text[after..].find(mark))
            .min()
            .map_or(text.len(), |end| after + end);
        let passive =
            ["should not", "must not", "shouldn't", "mustn't"].iter().any(|cue| words[at..at + len].join(" ") == **cue);
        if passive && words.len() - at - len <= 4 && at > 0 {
            // `Prices should not be mentioned`.
            self.avoid(&text[..start]);
            return String::new();
        }
        self.avoid(&text[after..end]);
        format!("{} {}", text[..start].trim_end_matches([' ', ',']), &text[end..]).trim().to_owned()
    }

    fn avoids_at(&self, words: &[String], at: usize) -> bool {
        const FORGET: &[&str] = &[
            "forget",
            "vergessen",
            "oublier",
            "olvides",
            "olvide",
            "dimenticare",
            "esqueça",
            "забудьте",
            "forgetting",
            "only",
            "just",
        ];
        self.cues
            .avoid
            .match_len(&words[at..])
            .is_some_and(|len| words.get(at + len).is_none_or(|next| !FORGET.contains(&next.as_str())))
    }

    /// `how to live without a car` avoids nothing, `…, without mentioning cars` does.
    fn opens_clause(&self, text: &str, found: &[(usize, &str)], words: &[String], at: usize) -> bool {
        let len = self.cues.avoid.match_len(&words[at..]).unwrap_or(1);
        let before = text[..found[at].0].trim_end();
        if (at.saturating_sub(2)..at).any(|i| self.cues.questions.starts(&words[i..=i])) {
            // `what to avoid` is a topic.
            return false;
        }
        let asks_to = words.get(at + len).is_some_and(|next| {
            self.cues.lead.is(std::slice::from_ref(next)) && next.len() > 5 || next.ends_with("ing")
        });
        let verb = len > 1 || words[at].len() > 6;
        at == 0
            || before.ends_with([',', ';', '–', '—', '.'])
            || self.cues.before.is(&words[at - 1..at])
            || asks_to
            || verb && len > 1
    }

    fn avoid(&mut self, text: &str) {
        for item in list::split(text, true, self.cues) {
            if let Some(asked) = list::clean(&item, self.cues).filter(|_| self.request.avoid.len() < MAX_TOPICS) {
                self.request.avoid.push(asked.words);
            }
        }
    }

    fn push(&mut self, asked: Option<Asked>) {
        let Some(asked) = asked.filter(|_| self.request.topics.len() < MAX_TOPICS) else { return };
        let words = lower_tokens(&asked.words);
        if self.request.topics.iter().all(|topic| lower_tokens(&topic.words) != words) {
            self.request.topics.push(asked);
        }
    }
}

/// Whether a topic is worded as a question: `how passwords are chosen`.
pub(crate) fn asks(words: &str, language: &str) -> bool {
    cues::of(language).is_some_and(|cues| cues.questions.starts(&lower_tokens(words)))
}

/// A sentence with a list.
struct Found<'t> {
    /// What stands before it; all of the sentence where the list is its subject.
    head: &'t str,
    list: &'t str,
    /// Something says that it is a list.
    explicit: bool,
}

/// Finds the list in a sentence.
fn find<'t>(cues: &Cues, text: &'t str, is_order: bool) -> Option<Found<'t>> {
    let text = text.trim_matches([' ', ',', ';']);
    let explicit = |head: &'t str, list: &'t str| Some(Found { head, list, explicit: true });
    if let Some((head, after)) = text.split_once(": ").filter(|(_, after)| !after.trim().is_empty())
        && (!is_order || list::split(after, true, cues).len() > 1)
    {
        return explicit(head, after);
    }
    if let Some(found) = behind_cue(cues, text, is_order) {
        return Some(found);
    }
    if !is_order {
        let asks = text.ends_with('?') && cues.questions.starts(&lower_tokens(text));
        let items = list::split(text, false, cues);
        let bare = items.len() > 2 && items.iter().all(|item| lower_tokens(item).len() <= 4);
        return (asks || bare).then_some(Found { head: "", list: text, explicit: asks });
    }
    if let Some(inner) = form::brackets(text).filter(|range| list::split(&text[range.clone()], false, cues).len() > 1) {
        return explicit(&text[..inner.start - 1], &text[inner]);
    }
    let dash = [" – ", " — ", " - "].iter().find_map(|dash| text.split_once(dash));
    if let Some((head, after)) = dash.filter(|(_, after)| list::split(after, false, cues).len() > 1) {
        return explicit(head, after);
    }
    let subject = &text[lead(text, cues)..];
    // `Riga, the capital of Latvia` is no list.
    let steps = |word: &String| cues.sequence.is(std::slice::from_ref(word));
    let closes = cues.and.iter().any(|and| subject.contains(and)) || lower_tokens(subject).iter().any(steps);
    closes.then_some(Found { head: text, list: subject, explicit: false })
}

/// A list behind `covering`, `explain` and the like.
fn behind_cue<'t>(cues: &Cues, text: &'t str, is_order: bool) -> Option<Found<'t>> {
    let found = tokens(text);
    let words: Vec<String> = found.iter().map(|(_, token)| lower(token)).collect();
    let closing = (1..=3.min(words.len())).rev().find(|len| cues.closing.is(&words[words.len() - len..]));
    let end = closing.map_or(text.len(), |len| found[words.len() - len].0);
    let lead = if is_order { lead(text, cues) } else { 0 };
    let (cue, start) = (0..found.len()).filter(|at| found[*at].0 >= lead).find_map(|at| {
        let after = |len: usize| found.get(at + len).map_or(text.len(), |(start, _)| *start);
        if let Some(len) = cues.cover.match_len(&words[at..]) {
            return Some((found[at].0, after(len)));
        }
        let opens = at == 0
            || cues.before.is(&words[at - 1..at])
            || text[..found[at].0].trim_end().ends_with([',', ';', '–', '—']);
        let len = cues.verbs.match_len(&words[at..]).filter(|_| opens)?;
        // What only says that something comes first is a part of the list.
        let is_step = cues.sequence.is(&words[at..at + len]);
        Some((found[at].0, if is_step { found[at].0 } else { after(len) }))
    })?;
    (start + 2 < end).then(|| Found { head: &text[..cue], list: &text[start..end], explicit: true })
}

/// The first sentence of an order without wishes of form and without the list of topics behind its subject.
pub(crate) fn subject(sentence: &str, language: &str) -> String {
    let Some(cues) = cues::of(language) else { return sentence.to_owned() };
    let text = match sentence.split_once(": ") {
        Some((label, rest)) if cues.labels.is(&lower_tokens(label)) => rest,
        _ => sentence,
    };
    let plain = form::take(text, cues, &mut Vec::new());
    let head = find(cues, &plain, true).map_or(plain.as_str(), |found| found.head);
    // `Cover A and B` has nothing but its list.
    let bare = head.trim_matches([' ', ',', ';', ':', '(']);
    if bare.len() <= lead(bare, cues) { plain } else { bare.to_owned() }
}

/// Where the subject starts in the sentence that names it.
fn lead(text: &str, cues: &Cues) -> usize {
    let rest = lexicon::of(cues.code).map_or(text, |language| title::without_instruction(text, language));
    text.len() - rest.len()
}

/// The text of a line that a list marks: `- …`, `3. …`, `b) …`.
fn list_item(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix(['-', '*', '•', '–', '—', '+', '·', '▪']) {
        return rest.starts_with([' ', '\t', '\u{a0}']).then(|| rest.trim_start()).filter(|rest| !rest.is_empty());
    }
    let (mark, rest) = line.split_once([' ', '\t'])?;
    let number = mark.strip_suffix(['.', ')', ':'])?.trim_start_matches('(');
    let counted = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let lettered = number.len() == 1 && mark.ends_with(')') && number.bytes().all(|b| b.is_ascii_alphabetic());
    (counted || lettered).then(|| rest.trim_start()).filter(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests;

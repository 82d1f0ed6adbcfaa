//! Speech that was written down: who speaks is found, and what they say is printed as a quotation.
//!
//! `ANNA: We moved the launch to May.` becomes `Anna: “We moved the launch to May.”`, so that first person and claims stay
//! with whom they belong to.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use galley_domain::writing::{Snapshot, Span};

use crate::{
    lexicon::{self, Language},
    snapshot::{Block, BlockKind, SourceSentence},
    usable::{self, Standing},
};

/// Turns that a transcript has at least.
const LEAST_TURNS: usize = 3;
/// The share of blocks that open with a speaker or a time, in percent.
const LEAST_SHARE: usize = 30;
const MAX_NAME_CHARS: usize = 40;
const MAX_NAME_WORDS: usize = 4;
/// A sentence further behind the name of its speaker, in bytes, is not printed with it: the two must stand in one span.
const MAX_SPAN: usize = 600;
/// Labels that stand in front of a colon and are nobody.
const LABELS: &[&str] = &[
    "note",
    "tip",
    "example",
    "warning",
    "source",
    "date",
    "time",
    "place",
    "location",
    "address",
    "phone",
    "email",
    "price",
    "total",
    "summary",
    "step",
    "figure",
    "table",
    "title",
    "subject",
    "topic",
    "agenda",
    "attendees",
    "participants",
    "present",
    "description",
    "hinweis",
    "tipp",
    "beispiel",
    "quelle",
    "datum",
    "uhrzeit",
    "ort",
    "preis",
    "thema",
    "teilnehmer",
    "anwesend",
    "achtung",
    "exemple",
    "lieu",
    "prix",
    "ejemplo",
    "nota",
    "fecha",
    "lugar",
    "precio",
    "esempio",
    "data",
    "luogo",
    "prezzo",
    "exemplo",
    "preço",
    "local",
    "пример",
    "дата",
    "место",
    "цена",
    "тема",
];
/// Questions and answers are nobody's; the answer stands by itself.
const ASKED: &[&str] = &[
    "q",
    "a",
    "question",
    "answer",
    "frage",
    "antwort",
    "réponse",
    "pregunta",
    "respuesta",
    "domanda",
    "risposta",
    "pergunta",
    "resposta",
    "вопрос",
    "ответ",
];

#[derive(Debug)]
pub(crate) struct Transcript {
    speakers: HashSet<String>,
}

/// What a line opens with.
#[derive(Debug, Default, PartialEq, Eq)]
struct Opening<'a> {
    name: Option<&'a str>,
    has_time: bool,
    /// Where the speech begins; the length of the line where it has none.
    speech: usize,
}

impl Transcript {
    /// `None` where the text is none: too few turns, or nobody speaks twice.
    pub fn detect(text: &str, blocks: &[Block]) -> Option<Self> {
        let mut turns: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut marked, mut timed, mut all) = (0_usize, 0_usize, 0_usize);
        for range in
            blocks.iter().filter(|block| block.kind != BlockKind::TableRow).filter_map(|block| block.parts.first())
        {
            all += 1;
            let opening = opening(&text[range.clone()]);
            timed += usize::from(opening.has_time);
            if let Some(name) = opening.name {
                *turns.entry(name).or_default() += 1;
            }
            marked += usize::from(opening.has_time || opening.name.is_some());
        }
        let again = turns.values().filter(|count| **count > 1).count();
        let speaks = again > 1 || again == 1 && turns.len() > 1 || timed >= LEAST_TURNS;
        if marked < LEAST_TURNS || marked * 100 < all * LEAST_SHARE || !speaks {
            return None;
        }
        Some(Self { speakers: turns.into_keys().map(str::to_owned).collect() })
    }

    /// The sentences that may be used. Those of one heading count as one paragraph, for speakers answer each other.
    pub fn sentences(
        &self,
        snapshot: &Snapshot,
        blocks: &[Block],
        language: Option<&Language>,
        wanted: impl Fn(&Block) -> bool,
    ) -> Vec<SourceSentence> {
        let mut out = Vec::new();
        let mut turn = Turn::default();
        let mut paragraph = 0;
        let mut headings: Option<&Arc<[String]>> = None;
        for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind != BlockKind::TableRow) {
            if headings.is_none_or(|before| !Arc::ptr_eq(before, &block.headings)) {
                paragraph = number;
                turn = Turn::default();
                headings = Some(&block.headings);
            }
            let is_wanted = wanted(block);
            for range in &block.parts {
                let text = &snapshot.text[range.clone()];
                let opening = opening(text);
                let named = opening.name.filter(|name| self.speakers.contains(*name));
                let start = if named.is_some() || opening.name.is_none() { opening.speech } else { 0 };
                if let Some(name) = named {
                    turn.begin(shown(name), range.start);
                }
                let said = turn.say(text[start..].trim(), range, language);
                for Said { text, start, end, position, hangs } in said.into_iter().filter(|_| is_wanted) {
                    out.push(SourceSentence {
                        span: Span { source: snapshot.number, start, end },
                        text,
                        kind: block.kind,
                        headings: Arc::clone(&block.headings),
                        paragraph,
                        position,
                        hangs,
                    });
                }
            }
        }
        out
    }
}

/// A sentence as it is printed, where it stands in the source, and its place among the others.
struct Said {
    text: String,
    start: usize,
    end: usize,
    position: usize,
    hangs: bool,
}

/// What is known while somebody speaks.
#[derive(Default)]
struct Turn {
    speaker: Option<String>,
    /// Where the name stands, until it was printed.
    name_at: Option<usize>,
    /// The place of the last sentence.
    position: usize,
    /// The sentence before could not be used.
    is_torn: bool,
    /// The question that was asked last, until something was said.
    question: Option<Said>,
}

impl Turn {
    fn begin(&mut self, speaker: String, at: usize) {
        (self.speaker, self.name_at) = (Some(speaker), Some(at));
    }

    /// What is printed of a sentence: nothing, the sentence, or the question that it answers and itself.
    ///
    /// The first sentence of a turn that can be used has the name, and its span begins there. Of what is quoted, questions
    /// and a few words may be left out.
    fn say(&mut self, speech: &str, range: &std::ops::Range<usize>, language: Option<&Language>) -> Vec<Said> {
        let mut out = Vec::new();
        if speech.is_empty() {
            return out;
        }
        let name_at = self.name_at.filter(|at| range.end - at <= MAX_SPAN);
        let said = said(speech, self.speaker.as_deref(), name_at.is_some(), language);
        // Without the name nobody knows who says it.
        let is_nameless = self.name_at.is_some() && name_at.is_none();
        let torn = std::mem::replace(&mut self.is_torn, said.is_none());
        let start = name_at.unwrap_or(range.start);
        let Some((text, hangs)) = said.filter(|_| !is_nameless) else {
            self.question = self.asked(speech, start, range.end, torn, language);
            return out;
        };
        let question = self.question.take();
        if torn && usable::judge_speech(speech, language) != Some(Standing::Free) {
            let Some(question) = question.filter(|_| name_at.is_some()) else {
                self.is_torn = true;
                return out;
            };
            self.position = question.position + usize::from(!question.hangs);
            out.push(Said { position: self.position, ..question });
        }
        // Sentences of nobody stand by themselves, those of a speaker follow each other.
        self.position += if torn && self.speaker.is_none() { 2 } else { 1 };
        let hangs = hangs || !out.is_empty();
        out.push(Said { text, start, end: range.end, position: self.position, hangs });
        self.name_at = None;
        out
    }

    /// A question that can be printed in front of its answer: one that opens a turn, or that follows what is printed.
    fn asked(&self, speech: &str, start: usize, end: usize, torn: bool, language: Option<&Language>) -> Option<Said> {
        let stem = speech.strip_suffix(['?', '？'])?.trim_end();
        let whole = format!("{stem}{}", if speech.ends_with('？') { "。" } else { "." });
        let opens = self.name_at.is_some();
        let stands = match usable::judge_speech(&whole, language)? {
            Standing::Free => opens || !torn,
            Standing::Hangs => !torn,
        };
        let (text, _) = said(&whole, self.speaker.as_deref(), opens, language).filter(|_| stands)?;
        let stop = text.rfind(['.', '。'])?;
        let mark = &speech[stem.len()..];
        let text = format!("{}{mark}{}", &text[..stop], &text[stop..].trim_start_matches(['.', '。']));
        let hangs = !opens || usable::judge_speech(&whole, language) != Some(Standing::Free);
        text.contains(speech).then_some(Said { text, start, end, position: self.position + 1, hangs })
    }
}

/// A sentence as it is printed, and whether it needs the one before it. The name stands where the source has it: a span
/// must hold all that is printed.
pub(crate) fn said(
    speech: &str,
    speaker: Option<&str>,
    begins: bool,
    language: Option<&Language>,
) -> Option<(String, bool)> {
    let is_asked = speaker.is_some_and(|name| ASKED.contains(&lexicon::lower(name).as_str()));
    let Some(speaker) = speaker.filter(|_| !is_asked) else {
        let standing = usable::judge(speech, language)?;
        return Some((speech.to_owned(), standing == Standing::Hangs));
    };
    let standing = usable::judge_speech(speech, language)?;
    if speech.contains(['“', '”', '"', '„', '«', '»']) {
        return None;
    }
    let (open, close) = match language.map_or("en", |l| l.table.code) {
        "de" => ("„", "“"),
        "fr" => ("« ", " »"),
        "es" | "it" | "pt" | "ru" => ("«", "»"),
        _ => ("“", "”"),
    };
    let quoted = format!("{open}{speech}{close}");
    Some(if begins { (format!("{speaker}: {quoted}"), standing == Standing::Hangs) } else { (quoted, true) })
}

/// `[00:01:02] Speaker 1: …`, `ANNA (00:12): …`, `Anna Keller 0:03`.
fn opening(line: &str) -> Opening<'_> {
    let (after_time, has_time) = without_time(line);
    let rest = &line[after_time..];
    let limit = rest.char_indices().nth(MAX_NAME_CHARS + 16).map_or(rest.len(), |(at, _)| at);
    let head = &rest[..limit];
    let colons = head.match_indices([':', '：']);
    if let Some((colon, mark)) = colons.into_iter().find(|(at, _)| !is_within_time(head, *at)) {
        let behind = &rest[colon + mark.len()..];
        let (name, timed) = without_time_behind(&head[..colon]);
        if is_name(name) && (behind.is_empty() || behind.starts_with(' ') || mark == "：") {
            let (more, again) = without_time(behind.trim_start());
            let speech = line.len() - behind.trim_start().len() + more;
            return Opening { name: Some(name), has_time: has_time || timed || again, speech };
        }
    }
    let (name, timed) = without_time_behind(rest);
    if timed && is_name(name) {
        return Opening { name: Some(name), has_time: true, speech: line.len() };
    }
    Opening { name: None, has_time, speech: after_time }
}

/// The colon of `0:03`.
fn is_within_time(text: &str, colon: usize) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    // `：` has three bytes.
    digit(text[..colon].chars().next_back()) && digit(text[colon..].chars().nth(1))
}

/// How long a time in front is, with its brackets and the space behind.
fn without_time(text: &str) -> (usize, bool) {
    let inner = without_number(text).trim_start_matches(['[', '(', '<']);
    let length = time_len(inner);
    if length == 0 {
        return (0, false);
    }
    let rest =
        without_end(&inner[length..]).trim_start_matches([']', ')', '>']).trim_start_matches([' ', '-', '–', '—']);
    (text.len() - rest.len(), true)
}

/// The number of a subtitle, where its time follows: `12 00:00:01,000 --> 00:00:04,000`.
fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let is_number = rest.len() < text.len() && time_len(text) == 0 && time_len(rest) > 0;
    if is_number && text.contains("-->") { rest } else { text }
}

/// What stands behind `--> 00:00:04,000` and how the subtitle is to be placed.
fn without_end(text: &str) -> &str {
    let Some(end) = text.trim_start().strip_prefix("-->").map(str::trim_start) else { return text };
    let mut rest = end[time_len(end)..].trim_start();
    while let Some((word, behind)) = rest.split_once(' ')
        && ["align:", "position:", "line:", "size:", "region:", "vertical:"].iter().any(|set| word.starts_with(set))
    {
        rest = behind.trim_start();
    }
    rest
}

/// `Anna (0:03)` and `Anna 0:03` without the time.
fn without_time_behind(text: &str) -> (&str, bool) {
    let bare = text.trim().trim_end_matches([']', ')']);
    let start = bare
        .rfind(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ',')))
        .map_or(0, |at| at + bare[at..].chars().next().map_or(0, char::len_utf8));
    let is_time = start < bare.len() && time_len(&bare[start..]) == bare.len() - start;
    if is_time {
        (bare[..start].trim_end_matches(['[', '(', ' ', '-', '–', ',', '\u{a0}']), true)
    } else {
        (text.trim(), false)
    }
}

/// The length of `0:03`, `00:01:02`, `00:01:02.500` at the start of a text.
fn time_len(text: &str) -> usize {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(text.len());
    let time = text[..end].trim_end_matches([':', '.', ',']);
    let (clock, _) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let parts: Vec<&str> = clock.split(':').collect();
    let sound = (2..=3).contains(&parts.len())
        && parts[0].len() <= 2
        && parts.iter().all(|part| (1..=2).contains(&part.len()))
        && parts[1..].iter().all(|part| part.len() == 2);
    if sound { time.len() } else { 0 }
}

fn is_name(text: &str) -> bool {
    const SMALL: &[&str] = &["von", "van", "der", "de", "da", "del", "di", "la", "du", "dos", "le", "zu"];
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let sound = |word: &&str| {
        word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
            || SMALL.contains(word)
            || is_without_case(word)
    };
    (1..=MAX_NAME_WORDS).contains(&words.len())
        && text.chars().count() <= MAX_NAME_CHARS
        && text.starts_with(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'' | '’' | '(' | ')' | '_'))
        && words.iter().all(sound)
        && !LABELS.contains(&lexicon::lower(text).as_str())
}

fn is_without_case(word: &str) -> bool {
    word.chars().all(|c| c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase())
}

/// `ANNA KELLER` as `Anna Keller`; `HR` and `Speaker 1` stay.
fn shown(name: &str) -> String {
    let calm = |word: &str| {
        let shouted = word.chars().count() > 3 && word.chars().all(|c| c.is_uppercase() || !c.is_alphabetic());
        if shouted { crate::table::capitalised(&word.to_lowercase()) } else { word.to_owned() }
    };
    name.split(' ').map(calm).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

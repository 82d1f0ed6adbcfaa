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
        let mut speaker: Option<String> = None;
        let (mut paragraph, mut position) = (0, 0);
        let mut headings: Option<&Arc<[String]>> = None;
        for (number, block) in blocks.iter().enumerate().filter(|(_, block)| block.kind != BlockKind::TableRow) {
            if headings.is_none_or(|before| !Arc::ptr_eq(before, &block.headings)) {
                (paragraph, position, speaker) = (number, 0, None);
                headings = Some(&block.headings);
            }
            let is_wanted = wanted(block);
            for range in &block.parts {
                let text = &snapshot.text[range.clone()];
                let opening = opening(text);
                let named = opening.name.filter(|name| self.speakers.contains(*name));
                let begins = named.is_some();
                let start = if begins || opening.name.is_none() { opening.speech } else { 0 };
                if let Some(name) = named {
                    speaker = Some(shown(name));
                }
                let speech = text[start..].trim();
                if let Some((printed, hangs)) = said(speech, speaker.as_deref(), begins, language)
                    && is_wanted
                {
                    out.push(SourceSentence {
                        span: Span { source: snapshot.number, start: range.start, end: range.end },
                        text: printed,
                        kind: block.kind,
                        headings: Arc::clone(&block.headings),
                        paragraph,
                        position,
                        hangs,
                    });
                }
                position += 1;
            }
        }
        out
    }
}

/// A sentence as it is printed, and whether it needs the one before it. The name stands where the source has it: a span
/// must hold all that is printed.
fn said(speech: &str, speaker: Option<&str>, begins: bool, language: Option<&Language>) -> Option<(String, bool)> {
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
    if let Some(colon) = head.match_indices(':').map(|(at, _)| at).find(|at| !is_within_time(head, *at)) {
        let behind = &rest[colon + 1..];
        let (name, timed) = without_time_behind(&head[..colon]);
        if is_name(name) && (behind.is_empty() || behind.starts_with(' ')) {
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
    digit(text[..colon].chars().next_back()) && digit(text[colon + 1..].chars().next())
}

/// How long a time in front is, with its brackets and the space behind.
fn without_time(text: &str) -> (usize, bool) {
    let inner = text.trim_start_matches(['[', '(', '<']);
    let length = time_len(inner);
    if length == 0 {
        return (0, false);
    }
    let rest = inner[length..].trim_start_matches([']', ')', '>']).trim_start_matches([' ', '-', '–', '—']);
    (text.len() - rest.len(), true)
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
mod tests {
    use super::*;
    use crate::{snapshot::sentences, testing::source};

    fn printed(language: &str, text: &str) -> Vec<(String, bool)> {
        sentences(&source(1, language, text)).into_iter().map(|s| (s.text, s.hangs)).collect()
    }

    #[test]
    fn openings_are_read_in_their_spellings() {
        for (line, name, has_time, speech) in [
            ("ANNA: We start.", Some("ANNA"), false, "We start."),
            ("Speaker 1: We start.", Some("Speaker 1"), false, "We start."),
            ("[00:01:02] Speaker 1: We start.", Some("Speaker 1"), true, "We start."),
            ("00:12 Dr. Anna von Berg: We start.", Some("Dr. Anna von Berg"), true, "We start."),
            ("Anna Keller (00:12): We start.", Some("Anna Keller"), true, "We start."),
            ("Anna Keller  0:03", Some("Anna Keller"), true, ""),
            ("[00:01:02] We start.", None, true, "We start."),
            ("(0:03) - We start.", None, true, "We start."),
            ("We start at 10:30 with the budget.", None, false, "We start at 10:30 with the budget."),
            ("The rule is simple: pay on time.", None, false, "The rule is simple: pay on time."),
            ("Note: We start.", None, false, "Note: We start."),
            ("https://example.org is the address.", None, false, "https://example.org is the address."),
            ("田中: 始めます。", Some("田中"), false, "始めます。"),
        ] {
            let found = opening(line);
            assert_eq!((found.name, found.has_time, &line[found.speech..]), (name, has_time, speech), "{line}");
        }
    }

    #[test]
    fn what_is_said_is_quoted_with_its_speaker() {
        let text = "# Launch meeting\n\nANNA: We moved the launch of the new site from March to May. The tests were not \
                    done in time. Who can help?\n\nBEN: I need two more people for the tests in April.\n\nANNA: That is \
                    possible from the second week on.\n\nBEN: Good.";
        assert_eq!(
            printed("en", text),
            [
                ("Anna: “We moved the launch of the new site from March to May.”".into(), false),
                ("“The tests were not done in time.”".into(), true),
                ("BEN: “I need two more people for the tests in April.”".into(), false),
                ("Anna: “That is possible from the second week on.”".into(), true),
            ]
        );
        let german = "[00:00:04] Sprecher 1: Wir haben den Start der neuen Seite in den Mai verschoben.\n\n[00:00:12] \
                      Sprecher 2: Ich brauche im April zwei weitere Leute für die Tests.\n\n[00:00:20] Sprecher 1: Das \
                      Budget beträgt 40.000 Euro im ersten Jahr.";
        assert_eq!(
            printed("de", german)[0].0,
            "Sprecher 1: „Wir haben den Start der neuen Seite in den Mai verschoben.“"
        );
        assert_eq!(printed("de", german).len(), 3);
    }

    #[test]
    fn answers_and_timed_lines_without_a_name_stand_by_themselves() {
        let text = "Q: How long does a delivery take?\n\nA: A delivery takes three days in most of the country.\n\nQ: What \
                    does it cost?\n\nA: A parcel of up to five kilograms costs four euros.";
        assert_eq!(
            printed("en", text),
            [
                ("A delivery takes three days in most of the country.".into(), false),
                ("A parcel of up to five kilograms costs four euros.".into(), false),
            ]
        );
        let timed = "[00:01] The harvest began on the sixth of October.\n\n[00:09] The stations took in 30 tonnes of \
                     cherries.\n\n[00:15] Rain came three weeks late this year.";
        assert_eq!(printed("en", timed).len(), 3);
    }

    #[test]
    fn the_name_is_in_the_span_where_it_is_printed() {
        let s = source(
            1,
            "en",
            "ANNA: We moved the launch to the end of May.\n\nBEN: I need two more people.\n\nANNA: We \
                                 hire two people for the tests in April.",
        );
        for sentence in sentences(&s) {
            let span = sentence.span.text_in(std::slice::from_ref(&s)).expect("a span").to_lowercase();
            for word in lexicon::lower_tokens(&sentence.text) {
                assert!(span.contains(&word), "{word} in {span}");
            }
        }
    }

    #[test]
    fn a_text_with_labels_is_no_transcript() {
        for text in [
            "Note: The lamp is hot after an hour of use.\n\nNote: The lamp must not stand outside.\n\nNote: Clean it.",
            "The rule is simple. Pay the bill on time.\n\nAnna: a name for girls that is common in most countries.",
            "Color: Red.\n\nSize: Large.\n\nWeight: Two kilograms.",
        ] {
            let s = source(1, "en", text);
            assert!(Transcript::detect(text, &crate::snapshot::blocks(&s)).is_none(), "{text}");
        }
    }
}

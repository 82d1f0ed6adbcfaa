//! Subtitles (WebVTT, SubRip): what is said, put together from the pieces that fit on a screen.

use crate::{blocks::Blocks, error::FileError, limits::Budget};

/// A time and another one, the shape of every cue.
const ARROW: &str = "-->";
/// Cues that a text has at least.
const LEAST_CUES: usize = 2;
/// Speech of one person becomes a new paragraph behind so many bytes.
const LONG: usize = 500;
const MAX_NAME_CHARS: usize = 40;

/// Whether most blocks of the beginning are cues.
pub(super) fn looks_like(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(16 << 10)];
    let cues = head.lines().filter(|line| starts_at(line).is_some()).count();
    head.trim_start_matches('\u{feff}').starts_with("WEBVTT") && cues > 0
        || cues >= LEAST_CUES && {
            let others = head.lines().filter(|line| !line.trim().is_empty()).count();
            cues * 5 >= others
        }
}

#[derive(Default)]
struct Speech {
    /// The name with the time at which it begins.
    speaker: Option<(String, String)>,
    text: String,
}

/// Writes what is said as paragraphs: `Anna (00:01:02): …`.
pub(super) fn read(text: &str, out: &mut Blocks, budget: &Budget) -> Result<(), FileError> {
    let mut speech = Speech::default();
    let mut start = None;
    let mut before = String::new();
    for (at, line) in text.lines().enumerate() {
        if at.is_multiple_of(256) {
            budget.check()?;
        }
        let line = line.trim();
        if line.is_empty() {
            start = None;
        } else if let Some(time) = starts_at(line) {
            start = Some(time);
        } else if let Some(time) = start {
            let (speaker, said) = said(line);
            // Rolling subtitles show each line twice.
            if said.is_empty() || said == before {
                continue;
            }
            before.clone_from(&said);
            speech.add(speaker, time, &said, out);
        }
    }
    speech.write(out);
    Ok(())
}

impl Speech {
    fn add(&mut self, speaker: Option<String>, time: &str, said: &str, out: &mut Blocks) {
        let own = self.speaker.as_ref().map(|(name, _)| name);
        let is_new = speaker.is_some() && speaker.as_ref() != own;
        let ends = self.text.ends_with(['.', '!', '?', '…', '"', '”', '。', '！', '？']);
        if is_new || ends && self.text.len() > LONG {
            self.write(out);
            let speaker = speaker.or_else(|| own_name(self.speaker.take()));
            self.speaker = speaker.map(|name| (name, time.to_owned()));
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(said);
    }

    fn write(&mut self, out: &mut Blocks) {
        let text = std::mem::take(&mut self.text);
        match &self.speaker {
            _ if text.is_empty() => {}
            Some((name, time)) => out.paragraph(&format!("{name} ({time}): {text}")),
            None => out.paragraph(&text),
        }
    }
}

fn own_name(speaker: Option<(String, String)>) -> Option<String> {
    speaker.map(|(name, _)| name)
}

/// The time at which a cue begins, without its fractions: `00:01:02` of `00:01:02,500 --> 00:01:05,000`.
fn starts_at(line: &str) -> Option<&str> {
    let (start, end) = line.split_once(ARROW)?;
    let is_time = |text: &str| {
        let mut parts = text.split(':');
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
        (2..=3).contains(&text.split(':').count()) && parts.all(digits)
    };
    let (start, end) = (start.trim(), end.split_whitespace().next()?);
    (is_time(start) && is_time(end)).then(|| start.split(['.', ',']).next().unwrap_or(start))
}

/// Who speaks, where the line says so, and what is said, without tags.
fn said(line: &str) -> (Option<String>, String) {
    let mut text = String::with_capacity(line.len());
    let mut speaker = None;
    let mut rest = line;
    while let Some(open) = rest.find(['<', '{']) {
        let close = if rest[open..].starts_with('<') { '>' } else { '}' };
        let Some(end) = rest[open..].find(close).map(|end| open + end) else { break };
        text.push_str(&rest[..open]);
        // `<v.loud Anna>`: who speaks.
        if let Some((tag, name)) = rest[open + 1..end].split_once(' ')
            && (tag == "v" || tag.starts_with("v."))
        {
            speaker = Some(name.trim().to_owned());
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    let text = text.trim().trim_start_matches("- ").trim();
    if speaker.is_none()
        && let Some((name, said)) = text.split_once(": ")
        && is_name(name)
    {
        return (Some(name.to_owned()), said.trim().to_owned());
    }
    (speaker.filter(|name| !name.is_empty()), text.to_owned())
}

fn is_name(text: &str) -> bool {
    let words = text.split(' ');
    text.chars().count() <= MAX_NAME_CHARS
        && (1..=4).contains(&words.clone().count())
        && words
            .into_iter()
            .all(|word| word.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || !c.is_ascii()))
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '\'' | '’'))
}

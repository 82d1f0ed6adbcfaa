//! Times of the day: `20:00`, `8 pm`, `8.30 p.m.`, `20 Uhr`, `20h30`.

use super::{Chunk, Time};
use crate::lexicon;

/// A time at the start of `chunks` and how many of them it takes.
pub(super) fn time(chunks: &[Chunk<'_>]) -> Option<(Time, usize)> {
    let first = lexicon::lower(chunks.first()?.text);
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let end = first.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | 'h')).unwrap_or(first.len());
    let (figures, suffix) = first.split_at(end);
    let next = chunks.get(1).filter(|_| suffix.is_empty()).map_or(String::new(), |c| lexicon::lower(c.text));
    let half = Half::of(if suffix.is_empty() { &next } else { suffix });
    if half.is_none() && !suffix.is_empty() {
        return None;
    }
    let taken = if half.is_some() && suffix.is_empty() { 2 } else { 1 };
    let (hour, minute, sure) = parts(figures)?;
    if !sure && half.is_none() || hour > 24 || minute > 59 {
        return None;
    }
    let hour = match half {
        Some(Half::Morning) if hour == 12 => 0,
        Some(Half::Evening) if hour < 12 => hour + 12,
        _ => hour % 24,
    };
    let raw = chunks[..taken].iter().map(|c| c.text).collect::<Vec<_>>().join(" ");
    Some((Time { minutes: hour * 60 + minute, raw }, taken))
}

#[derive(Clone, Copy)]
enum Half {
    Morning,
    Evening,
    /// Counted to 24.
    Day,
}

impl Half {
    fn of(word: &str) -> Option<Self> {
        match word.trim_end_matches('.') {
            "am" | "a.m" => Some(Self::Morning),
            "pm" | "p.m" => Some(Self::Evening),
            "uhr" => Some(Self::Day),
            _ => None,
        }
    }
}

/// Hour and minute, and whether the figures alone are a time.
fn parts(figures: &str) -> Option<(u32, u32, bool)> {
    let two = |minute: &str| (minute.len() == 2).then(|| minute.parse().ok()).flatten();
    if let Some((hour, minute)) = figures.split_once(':') {
        return Some((hour.parse().ok()?, two(minute)?, true));
    }
    if let Some((hour, minute)) = figures.split_once('h') {
        let minute = if minute.is_empty() { 0 } else { two(minute)? };
        // `20h` may be twenty hours; with minutes it is a time.
        return Some((hour.parse().ok()?, minute, figures.len() > hour.len() + 1));
    }
    if let Some((hour, minute)) = figures.trim_end_matches('.').split_once('.') {
        return Some((hour.parse().ok()?, two(minute)?, false));
    }
    Some((figures.trim_end_matches('.').parse().ok()?, 0, false))
}

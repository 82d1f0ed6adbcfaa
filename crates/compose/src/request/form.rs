//! Wishes about the form of a text: for whom, as what, in which tone, how long.

use std::ops::Range;

use super::{Wish, WishKind, cues::Cues};
use crate::lexicon::{Phrases, lower, tokens};

/// A wish starts at most this many words before the word that gives it away: `in a warm and friendly tone`.
const REACH: usize = 6;

/// Takes the wishes out of a sentence and gives back what is left of it.
pub(super) fn take(sentence: &str, cues: &Cues, wishes: &mut Vec<Wish>) -> String {
    let tokens = tokens(sentence);
    let lower: Vec<String> = tokens.iter().map(|(_, token)| lower(token)).collect();
    let mut out = String::with_capacity(sentence.len());
    let (mut at, mut copied, mut from) = (0, 0, 0);
    while at < tokens.len() {
        let Some((kind, len)) = wish_at(&lower, at, cues) else {
            at += 1;
            continue;
        };
        let first = start(&tokens, &lower, at, from, kind, sentence, cues);
        let last = at + len - 1 + adjectives(&tokens, &lower, at + len, kind, sentence, cues);
        let end = end_of(&tokens, last);
        let range = tokens[first].0..end;
        out.push_str(sentence[copied..range.start].trim_end_matches([' ', ',']));
        out.push(' ');
        copied = range.end;
        wishes.push(Wish { kind, words: sentence[range].trim().to_owned() });
        at = last + 1;
        from = at;
    }
    if copied == 0 {
        return sentence.to_owned();
    }
    out.push_str(&sentence[copied..]);
    out.trim().to_owned()
}

/// Whether a text is a wish by itself: `Tone` of `Tone: calm`.
pub(super) fn is_wish(text: &str, cues: &Cues) -> bool {
    let lower = crate::lexicon::lower_tokens(text);
    let lists = [&cues.readers, &cues.format, &cues.tone, &cues.words, &cues.other];
    let length =
        matches!(lower.last().map(String::as_str), Some("length" | "länge" | "longueur" | "language" | "sprache"));
    (1..=3).contains(&lower.len()) && (length || lists.iter().any(|list| list.ends(&lower)))
}

fn wish_at(lower: &[String], at: usize, cues: &Cues) -> Option<(WishKind, usize)> {
    let rest = &lower[at..];
    let lists: [(&Phrases, WishKind); 6] = [
        (&cues.readers, WishKind::Readers),
        (&cues.format, WishKind::Format),
        (&cues.tone, WishKind::Tone),
        (&cues.words, WishKind::Length),
        (&cues.languages, WishKind::Language),
        (&cues.other, WishKind::Other),
    ];
    let (kind, len) =
        lists.into_iter().filter_map(|(list, kind)| Some((kind, list.match_len(rest)?))).max_by_key(|(_, len)| *len)?;
    let behind_number = at > 0 && lower[at - 1].starts_with(|c: char| c.is_ascii_digit());
    let has_prep = |reach: usize| (at.saturating_sub(reach)..at).any(|i| cues.preps.match_len(&lower[i..]).is_some());
    let is_wish = match kind {
        WishKind::Length => behind_number,
        // `Style guides` and `tone` by itself may be what a text is about.
        WishKind::Tone => tone_prep(&lower[..at], cues),
        WishKind::Readers | WishKind::Format if len == 1 && rest[0].len() < 20 => {
            has_prep(REACH - 1) || rest.len() == 1 && at == 0 || rest[0].contains('-')
        }
        _ => true,
    };
    is_wish.then_some((kind, len))
}

/// Whether the nearest preposition before the tone is one of manner: `in a calm tone`, but not `about the tone`.
fn tone_prep(before: &[String], cues: &Cues) -> bool {
    const OTHERS: &[&str] =
        &["about", "of", "to", "for", "at", "von", "an", "auf", "de", "à", "di", "für", "pour", "para", "per"];
    let near = &before[before.len().saturating_sub(REACH - 1)..];
    let nearest = (0..near.len()).rev().find(|at| cues.preps.match_len(&near[*at..]).is_some());
    nearest.is_some_and(|at| !OTHERS.contains(&near[at].as_str()))
}

/// Where the phrase starts: at the preposition before it, where one is near.
fn start(
    tokens: &[(usize, &str)],
    lower: &[String],
    at: usize,
    from: usize,
    kind: WishKind,
    sentence: &str,
    cues: &Cues,
) -> usize {
    if cues.preps.match_len(&lower[at..]).is_some() {
        return at;
    }
    let least = at.saturating_sub(REACH).max(from);
    let mut first = at;
    for i in (least..at).rev() {
        let gap = &sentence[end_of(tokens, i)..tokens[i + 1].0];
        let closed = gap.contains(['.', ';', ':', '(']) || gap.contains(',') && kind != WishKind::Tone;
        if closed {
            break;
        }
        if cues.preps.match_len(&lower[i..]).is_some() {
            first = i;
            // `in about 800 words`: prepositions that stand before this one belong to it.
            if i == 0 || cues.preps.match_len(&lower[i - 1..i]).is_none() || i - 1 < least {
                break;
            }
        }
    }
    if first == at && kind == WishKind::Length && at > from {
        return at - 1;
    }
    first
}

/// How many words behind the tone belong to it: `sur un ton clair et amical`.
fn adjectives(
    tokens: &[(usize, &str)],
    lower: &[String],
    next: usize,
    kind: WishKind,
    sentence: &str,
    cues: &Cues,
) -> usize {
    if kind != WishKind::Tone || !matches!(cues.code, "fr" | "es" | "it" | "pt") {
        return 0;
    }
    (next..tokens.len().min(next + 3))
        .take_while(|i| {
            let gap = &sentence[end_of(tokens, i - 1)..tokens[*i].0];
            gap.trim().is_empty() && cues.preps.match_len(&lower[*i..]).is_none()
        })
        .count()
}

fn end_of(tokens: &[(usize, &str)], index: usize) -> usize {
    let (start, token) = tokens[index];
    start + token.len()
}

/// What stands in brackets in a sentence, outermost, without the brackets.
pub(super) fn brackets(text: &str) -> Option<Range<usize>> {
    let open = text.find('(')?;
    let close = open + text[open..].find(')')?;
    (close > open + 1).then_some(open + 1..close)
}

//! Contradictions between sources: the same thing with another number, date or name.
//!
//! The rules are on the careful side: two sentences contradict each other where nearly all their words are the same and
//! one value of the same kind differs. Rounded figures, figures of different years and rows of tables do not count.

mod values;

use std::collections::HashMap;

use crate::{
    lexicon,
    similar::jaccard,
    snapshot::{BlockKind, SourceSentence},
    vocabulary::{TermSet, Vocabulary, shared},
};
use values::{Frame, Kind};

/// The words beside the values must be alike to this degree.
const SAME_FRAME: f32 = 0.75;
/// The same where one of them has all words of the other.
const CONTAINED: f32 = 0.5;
/// So many words in common, at least.
const LEAST_SHARED: usize = 2;
/// A word that stands in more sentences than this finds no pairs.
const MAX_POSTINGS: usize = 120;
/// More pairs are not looked for.
const MAX_FOUND: usize = 40;

/// A sentence to compare.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub source: &'a SourceSentence,
    pub terms: &'a TermSet,
    /// ISO 639-1.
    pub lang: &'a str,
}

/// Two sentences of different sources that cannot both be right, by their place in what was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispute {
    pub one: usize,
    pub other: usize,
    /// What differs, as the sentences write it.
    pub values: (String, String),
}

/// The contradictions between those sentences that `wanted` names and sentences of other sources.
///
/// `all` is in the order of the sources' texts, `vocabulary` is the one that made its terms.
pub(crate) fn find(all: &[View<'_>], vocabulary: &Vocabulary, wanted: &dyn Fn(usize) -> bool) -> Vec<Dispute> {
    let several = all.windows(2).any(|pair| pair[0].source.span.source != pair[1].source.span.source);
    if !several {
        return Vec::new();
    }
    let mut postings: HashMap<u32, Vec<usize>> = HashMap::new();
    for (i, sentence) in all.iter().enumerate().filter(|(_, s)| !is_of_table(s.source.kind)) {
        for id in &sentence.terms.content {
            postings.entry(*id).or_default().push(i);
        }
    }
    let mut frames: HashMap<usize, Option<Frame>> = HashMap::new();
    let mut out: Vec<Dispute> = Vec::new();
    let mut candidates: Vec<usize> = Vec::new();
    for one in (0..all.len()).filter(|i| wanted(*i)) {
        let own = &all[one];
        if is_of_table(own.source.kind) || out.len() >= MAX_FOUND {
            continue;
        }
        candidates.clear();
        for id in &own.terms.content {
            let list = postings.get(id).map_or(&[][..], Vec::as_slice);
            candidates.extend(list.iter().filter(|_| list.len() <= MAX_POSTINGS));
        }
        candidates.sort_unstable();
        candidates.dedup();
        for &other in &candidates {
            let their = &all[other];
            let counted = wanted(other) && other < one;
            if counted
                || their.source.span.source == own.source.span.source
                || their.lang != own.lang
                || !may_differ(own, their)
            {
                continue;
            }
            for i in [one, other] {
                frames.entry(i).or_insert_with(|| frame(all[i], vocabulary));
            }
            let (Some(Some(a)), Some(Some(b))) = (frames.get(&one), frames.get(&other)) else { continue };
            if let Some(values) = differ(all, vocabulary, (one, a), (other, b)) {
                out.push(Dispute { one, other, values });
            }
        }
    }
    out
}

fn is_of_table(kind: BlockKind) -> bool {
    matches!(kind, BlockKind::TableRow | BlockKind::Table)
}

/// Cheap: enough words in common.
fn may_differ(a: &View<'_>, b: &View<'_>) -> bool {
    let (short, long) =
        (a.terms.content.len().min(b.terms.content.len()), a.terms.content.len().max(b.terms.content.len()));
    long <= short * 2 + 3 && shared(&a.terms.content, &b.terms.content) >= LEAST_SHARED
}

fn frame(view: View<'_>, vocabulary: &Vocabulary) -> Option<Frame> {
    let language = lexicon::of(view.lang)?;
    let term = |word: &str| vocabulary.find(word, view.lang).0.content.first().copied();
    Some(Frame::read(&view.source.text, language, term))
}

/// What two sentences have that cannot both be right.
fn differ(
    all: &[View<'_>],
    vocabulary: &Vocabulary,
    (one, a): (usize, &Frame),
    (other, b): (usize, &Frame),
) -> Option<(String, String)> {
    let common = shared(&a.words, &b.words);
    if common < LEAST_SHARED || !same_subject(all, vocabulary, one, other) {
        return None;
    }
    // Where each of the two has words that the other lacks, they are about two things: `for adults`, `for children`.
    let least = if common < a.words.len().min(b.words.len()) { SAME_FRAME } else { CONTAINED };
    let values = by_value(a, b).filter(|_| jaccard(&a.words, &b.words) >= least && a.names_beside(b));
    values.or_else(|| a.by_name(b, CONTAINED))
}

/// Sentences that only point at their subject speak of the same one where what stands above and before them agrees.
fn same_subject(all: &[View<'_>], vocabulary: &Vocabulary, one: usize, other: usize) -> bool {
    let hanging = |i: usize| all[i].source.hangs;
    if !hanging(one) && !hanging(other) {
        return true;
    }
    let about = |i: usize| {
        let own = all[i].source;
        let first = (0..=i)
            .rev()
            .take_while(|j| {
                let s = all[*j].source;
                s.span.source == own.span.source && s.paragraph == own.paragraph
            })
            .last()
            .unwrap_or(i);
        let mut terms = all[first].terms.content.clone();
        terms.extend(vocabulary.find(&own.headings.join("\n"), all[i].lang).0.content);
        terms.sort_unstable();
        terms.dedup();
        terms
    };
    shared(&about(one), &about(other)) >= LEAST_SHARED
}

/// A value of the same kind that differs, where all others are the same.
fn by_value(a: &Frame, b: &Frame) -> Option<(String, String)> {
    let mut found = None;
    let mut dates = None;
    for x in &a.values {
        if b.values.iter().any(|y| y.same_as(x)) {
            continue;
        }
        let Some(y) = b.values.iter().find(|y| y.kind == x.kind && !a.values.iter().any(|x| x.same_as(y))) else {
            continue;
        };
        if x.is_limit || y.is_limit || x.is_near(y) {
            continue;
        }
        let pair = (x.text.clone(), y.text.clone());
        match x.kind {
            Kind::Date => dates = dates.or(Some(pair)),
            Kind::Unit(_) => found = found.or(Some(pair)),
        }
    }
    // Other figures of another year contradict nothing.
    match (found, dates) {
        (Some(_), Some(_)) => None,
        (found, dates) => found.or(dates),
    }
}

//! Gives the sections of an article their passages.

use std::collections::{BTreeMap, BTreeSet};

use galley_domain::writing::Span;

use crate::{
    closing, dispute,
    likeness::Near,
    pool::{PARAGRAPH, Piece, Pool, affinity, follows, has_unexplained, pieces},
    snapshot::BlockKind,
    usable,
};

/// A section this close to its budget is full, in words.
const CLOSE: u32 = 12;
/// A passage may exceed its section's budget by so many words rather than be cut.
const SLACK: u32 = 14;
/// The same of a list.
const LIST_SLACK: u32 = 40;
/// Tables in a section, and in an article.
const MAX_TABLES: (usize, usize) = (1, 2);
/// What it is worth that a passage is a list, or a table, where the order asks for one.
const LISTED: f32 = 0.5;
/// What it is worth for the opening that the best source begins so.
const LEAD: f32 = 0.3;
/// Less affinity to a section is chance.
const RELATED: f32 = 0.07;
/// A topic with fewer words needs all of them.
const SCARCE: u32 = 90;
/// From here on a source comes to its end, 0.0..=1.0.
const LATE: f32 = 0.75;
/// More contradictions make no article.
const MAX_DISPUTES: usize = 12;
/// Rounds of spreading what some sections could not take over the others.
const ROUNDS: usize = 3;

/// A section that is being filled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    /// What it is about: sorted content terms.
    pub profile: Vec<u32>,
    /// The sentences that belong here by their headings: indices into the pool, sorted.
    pub home: BTreeSet<usize>,
    /// It opens the article and tells what all of it is about.
    pub opening: bool,
    /// It closes the article and tells what follows from all of it.
    pub closing: bool,
    /// Its topic is too small for guests: it takes only what is at home there.
    pub closed: bool,
    /// The order names its topic: by the first sentence of a passage, how well that fits, 0.0..=1.0.
    pub asked: Option<BTreeMap<usize, f32>>,
    /// By sentence, how near an embedding model sees it; empty where none was asked.
    pub near: Vec<Near>,
    /// In words.
    pub budget: u32,
    pub words: u32,
    pub chosen: Vec<Piece>,
}

/// Fills the slots from sentences that are not yet `used`, to their budgets as far as the pool goes. What one section
/// cannot take goes to the others.
///
/// `lax` gives up the rules of taste (rows of a table, unexplained abbreviations) so that nothing usable is left.
pub(crate) fn fill(pool: &Pool, slots: &mut [Slot], used: &mut [bool], foreign: bool, lax: bool) {
    let target: u32 = slots.iter().map(|s| s.budget).sum();
    let mut budgets: Vec<u32> = slots.iter().map(|s| s.budget).collect();
    // First what belongs together; where that is not enough, what suits no other section better, and at last anything.
    for least in [Fit::Related, Fit::Nearest, Fit::Any] {
        for _ in 0..ROUNDS {
            let before: u32 = slots.iter().map(|s| s.words).sum();
            Filler::new(pool, slots, used, foreign, lax).run(slots, used, &budgets, least);
            let words: u32 = slots.iter().map(|s| s.words).sum();
            let missing = target.saturating_sub(words);
            if missing < CLOSE {
                break;
            }
            spread(slots, missing, &mut budgets);
            if words == before && budgets.iter().zip(slots.iter()).all(|(b, s)| s.words + CLOSE * 4 < *b) {
                break;
            }
        }
    }
    for slot in slots.iter_mut() {
        arrange(pool, slot);
    }
}

/// Raises the budgets by what is missing. The opening keeps its size unless it is all there is.
fn spread(slots: &[Slot], missing: u32, budgets: &mut [u32]) {
    let takes = |slot: &Slot| !(slot.opening || slot.closing) || slots.len() == 1;
    let count = u32::try_from(slots.iter().filter(|s| takes(s)).count()).unwrap_or(1).max(1);
    for (budget, slot) in budgets.iter_mut().zip(slots).filter(|(_, slot)| takes(slot)) {
        *budget = slot.words + missing / count + CLOSE;
    }
}

/// How a passage stands to a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Any,
    /// No other section is nearer.
    Nearest,
    /// It is below the section's own heading or has much in common with it.
    Related,
}

struct Filler<'a> {
    pool: &'a Pool,
    pieces: Vec<Candidate>,
    lax: bool,
    /// There is a section below a topic that the order does not name.
    has_open: bool,
}

struct Candidate {
    piece: Piece,
    terms: Vec<u32>,
    /// By slot: how well it fits.
    fit: Vec<(f32, Fit)>,
    /// To what is chosen already.
    likeness: f32,
    taken: bool,
}

impl<'a> Filler<'a> {
    fn new(pool: &'a Pool, slots: &[Slot], used: &[bool], foreign: bool, lax: bool) -> Self {
        let free = |i: usize| !used[i] && pool.sentences[i].foreign == foreign;
        let scarce: Vec<bool> =
            slots.iter().map(|slot| slot.asked.is_some() && home_words(pool, slot) < SCARCE).collect();
        let mut candidates: Vec<Candidate> = pieces(pool, &free)
            .into_iter()
            .map(|piece| {
                let terms = terms_of(pool, piece);
                let fit = fits(pool, piece, &terms, slots, &scarce);
                Candidate { piece, terms, fit, likeness: 0.0, taken: false }
            })
            .collect();
        let told: Vec<Vec<u32>> = slots.iter().flat_map(|s| &s.chosen).map(|p| terms_of(pool, *p)).collect();
        for candidate in &mut candidates {
            candidate.likeness = told.iter().map(|t| affinity(pool, &candidate.terms, t)).fold(0.0, f32::max);
        }
        let has_open = slots.iter().any(|slot| !slot.opening && slot.asked.is_none());
        Self { pool, pieces: candidates, lax, has_open }
    }

    /// The emptiest section chooses next, so that none takes all that is good.
    fn run(mut self, slots: &mut [Slot], used: &mut [bool], budgets: &[u32], least: Fit) {
        let mut done = vec![false; slots.len()];
        loop {
            let next =
                (0..slots.len()).filter(|i| !done[*i] && slots[*i].words + CLOSE <= budgets[*i]).min_by(|a, b| {
                    let ratio = |i: usize| slots[i].words as f32 / budgets[i].max(1) as f32;
                    ratio(*a).total_cmp(&ratio(*b))
                });
            let Some(slot) = next else { break };
            let left = budgets[slot] - slots[slot].words;
            let tables = self.tables_left(slot, slots, used);
            match self.best(slot, slots, left, least, tables) {
                Some((candidate, len)) => self.take(candidate, len, &mut slots[slot], used),
                None => done[slot] = true,
            }
        }
    }

    /// The best piece for a section and how many of its sentences to take.
    fn best(&self, slot: usize, slots: &[Slot], left: u32, least: Fit, tables: bool) -> Option<(usize, usize)> {
        let before: Vec<Piece> = slots[..=slot].iter().flat_map(|s| s.chosen.iter().copied()).collect();
        let mut best: Option<(f32, usize, usize)> = None;
        for (i, candidate) in self.pieces.iter().enumerate() {
            let (fit, grade) = candidate.fit[slot];
            let is_row = self.pool.sentences[candidate.piece.first].source.kind == BlockKind::TableRow;
            // Figures out of place are worse than other sentences.
            // Even where anything is taken, it does not go below what the order named while it can go elsewhere.
            let lax = self.lax && (slots[slot].asked.is_none() || !self.has_open);
            let closed = slots[slot].closed && grade < Fit::Related && !lax;
            let closed = closed || slots[slot].closing && grade < Fit::Related;
            // A list away from its heading does not say what it lists.
            let first = candidate.piece.first;
            let is_list = self.pool.sentences[first].source.kind == BlockKind::Listed;
            let is_torn = is_list && !slots[slot].home.contains(&first);
            let is_misplaced = (is_row && grade < Fit::Related || is_torn) && !self.lax;
            let is_barred = self.pool.sentences[first].source.kind == BlockKind::Table
                && !(tables && self.is_place_for_table(candidate, slot, slots));
            if candidate.taken || closed || grade < least || is_misplaced || is_barred {
                continue;
            }
            let value = fit - 0.5 * (candidate.likeness - 0.25).max(0.0);
            if best.is_some_and(|(most, ..)| value <= most) {
                continue;
            }
            let len = self.length(candidate, left, &before, slots, slot);
            if len > 0 {
                best = Some((value, i, len));
            }
        }
        best.map(|(_, i, len)| (i, len))
    }

    /// Whether a section may have one more table.
    fn tables_left(&self, slot: usize, slots: &[Slot], used: &[bool]) -> bool {
        let is_table = |i: usize| self.pool.sentences[i].source.kind == BlockKind::Table;
        let own = slots[slot].chosen.iter().filter(|piece| is_table(piece.first)).count();
        let all = (0..used.len()).filter(|i| used[*i] && is_table(*i)).count();
        own < MAX_TABLES.0 && all < MAX_TABLES.1
    }

    /// A table stands below its own heading. Where the order asks for one, below the nearest.
    fn is_place_for_table(&self, candidate: &Candidate, slot: usize, slots: &[Slot]) -> bool {
        let is_edge = slots.len() > 1 && (slots[slot].opening || slots[slot].closing);
        let is_asked = self.pool.wants_tables() && candidate.fit[slot].1 >= Fit::Nearest;
        !is_edge && (slots.len() == 1 || is_asked || slots[slot].home.contains(&candidate.piece.first))
    }

    /// How many sentences of a piece fit; 0 where it does not.
    fn length(&self, candidate: &Candidate, left: u32, before: &[Piece], slots: &[Slot], slot: usize) -> usize {
        let piece = candidate.piece;
        let sentences = &self.pool.sentences;
        if !self.lax && sentences[piece.first].source.kind == BlockKind::TableRow && has_rows(self.pool, piece, slots) {
            return 0;
        }
        // A list that is cut says something else.
        let is_list = matches!(sentences[piece.first].source.kind, BlockKind::Listed | BlockKind::Table);
        let slack = if is_list { LIST_SLACK } else { SLACK };
        let mut words = 0;
        let mut len = 0;
        for i in piece.range() {
            words += sentences[i].words;
            let told = |j: usize| (piece.first..i).contains(&j) || before.iter().any(|p| p.range().contains(&j));
            if words > left + slack || !self.lax && has_unexplained(self.pool, i, &told) {
                break;
            }
            len += 1;
        }
        // A question is printed with its answer or not at all.
        while len > 0 && len < piece.len && usable::asks(&sentences[piece.first + len - 1].source.text) {
            len -= 1;
        }
        let cut = len < piece.len;
        if self.lax {
            return if cut && sentences[piece.first].whole { 0 } else { len };
        }
        if cut && sentences[piece.first].whole || cut && len == 1 && piece.len > 2 && !slots[slot].chosen.is_empty() {
            return 0;
        }
        len
    }

    fn take(&mut self, index: usize, len: usize, slot: &mut Slot, used: &mut [bool]) {
        let piece = Piece { first: self.pieces[index].piece.first, len };
        self.pieces[index].taken = true;
        for i in piece.range() {
            used[i] = true;
            slot.words += self.pool.sentences[i].words;
        }
        slot.chosen.push(piece);
        let terms = terms_of(self.pool, piece);
        let source = self.pool.sentences[piece.first].rank;
        for candidate in &mut self.pieces {
            candidate.likeness = candidate.likeness.max(affinity(self.pool, &candidate.terms, &terms));
            // A little preference for other voices.
            if self.pool.sentences[candidate.piece.first].rank == source {
                candidate.likeness += 0.01;
            }
        }
    }
}

/// Whether rows of the same table are told already: more would be a list, not prose.
fn has_rows(pool: &Pool, piece: Piece, slots: &[Slot]) -> bool {
    let own = &pool.sentences[piece.first].source;
    slots.iter().flat_map(|slot| &slot.chosen).any(|p| {
        let s = &pool.sentences[p.first].source;
        s.kind == BlockKind::TableRow && s.span.source == own.span.source && s.paragraph == own.paragraph
    })
}

/// How well a piece fits each slot.
fn fits(pool: &Pool, piece: Piece, terms: &[u32], slots: &[Slot], scarce: &[bool]) -> Vec<(f32, Fit)> {
    let sentences = &pool.sentences[piece.range()];
    let lead = &sentences[0];
    let single = if sentences.len() == 1 { 0.1 } else { 0.0 };
    let base = sentences.iter().map(|s| s.relevance).sum::<f32>() / sentences.len() as f32 - single;
    let homes: Vec<bool> = slots.iter().map(|s| s.home.contains(&piece.first)).collect();
    let has_home = homes.contains(&true);
    let near: Vec<f32> = slots
        .iter()
        .map(|slot| match slot.asked.as_ref().map(|asked| asked.get(&piece.first)) {
            Some(Some(fit)) => *fit,
            // Words in common with what the order named are chance where the passage does not have its words.
            Some(None) => 0.5 * affinity(pool, terms, &slot.profile),
            None => joined(affinity(pool, terms, &slot.profile), slot.near.get(piece.first)),
        })
        .collect();
    // What little there is on a topic that the order names is for its own section.
    let needed = scarce.iter().zip(&homes).any(|(scarce, home)| *home && *scarce);
    let touched =
        slots.iter().zip(&near).filter(|(slot, near)| !(slot.opening || slot.closing) && **near >= RELATED).count();
    let parts = slots.iter().filter(|slot| !(slot.opening || slot.closing)).count().max(1);
    // How much of the article it speaks of.
    let wide = if touched > 1 { touched as f32 / parts as f32 } else { 0.0 };
    let is_row = lead.source.kind == BlockKind::TableRow;
    let form = in_wanted_form(pool, lead.source.kind);
    slots
        .iter()
        .enumerate()
        .map(|(i, slot)| {
            let better = (0..slots.len())
                .filter(|j| *j != i && !slots[*j].opening && !slots[*j].closing)
                .map(|j| near[j])
                .fold(0.0, f32::max);
            if slot.opening {
                let prose = if lead.source.kind == BlockKind::Paragraph { 0.0 } else { 0.5 };
                let first = if lead.source.position == 0 { 0.08 } else { 0.0 };
                // What another section is about is its to tell, unless it speaks of several or is how its source begins.
                let part = match () {
                    () if needed => 0.7,
                    () if pool.begins_source(piece.first) => -LEAD,
                    () if has_home => 0.2,
                    () => 0.0,
                } + if pool.begins_source(piece.first) { 0.0 } else { 0.5 * better * (1.0 - wide) };
                // The first words of a source say what all of it is about.
                let intro = if lead.source.headings.len() <= 1 { 0.15 } else { 0.0 };
                let start = 0.25 * (1.0 - lead.depth) + 0.4 * lead.defines + 0.2 * wide + first + intro;
                return (base + start - prose - part, Fit::Related);
            }
            if slot.closing {
                return closing(pool, piece, base + 0.3 * wide - if needed { 0.7 } else { 0.0 });
            }
            let elsewhere = has_home && !homes[i];
            let home = if homes[i] { 0.45 } else { 0.0 };
            let own = if slot.asked.is_some() { 0.3 } else { 0.6 };
            let value = own * base + 1.1 * near[i] + home + form
                - 0.8 * (better - near[i]).max(0.0)
                - if elsewhere { 0.3 } else { 0.0 };
            let wanted = if is_row { RELATED * 2.0 } else { RELATED };
            let nearest = !elsewhere && near[i] >= better;
            let grade = match () {
                () if homes[i] || nearest && near[i] >= wanted && !slot.closed => Fit::Related,
                () if nearest && near[i] > 0.0 => Fit::Nearest,
                () => Fit::Any,
            };
            (value, grade)
        })
        .collect()
}

/// What it is worth that a passage has the form that the order asks for.
fn in_wanted_form(pool: &Pool, kind: BlockKind) -> f32 {
    match kind {
        BlockKind::Listed if pool.wants_lists() => LISTED,
        BlockKind::Table if pool.wants_tables() => LISTED,
        _ => 0.0,
    }
}

/// What words in common say of a passage and a section, with what an embedding model says. Half as near as the nearest
/// passage is no more than what all of them have in common.
fn joined(affinity: f32, near: Option<&Near>) -> f32 {
    near.map_or(affinity, |near| 0.6 * affinity + 0.4 * (2.0 * near.value - 1.0).max(0.0))
}

/// How well a piece closes an article: what a source ends with, best below a heading that says so.
fn closing(pool: &Pool, piece: Piece, value: f32) -> (f32, Fit) {
    let sentences = &pool.sentences[piece.range()];
    let lead = &sentences[0];
    let headed = lead.source.headings.last().is_some_and(|heading| closing::is_heading(heading, &lead.lang));
    let ahead =
        (headed || lead.depth >= LATE) && sentences.iter().any(|s| closing::looks_ahead(&s.source.text, &s.lang));
    let suits = headed || lead.depth >= LATE && ahead;
    let figures = sentences.iter().map(|s| s.terms.figures.len()).sum::<usize>();
    let value = value + 0.5 * lead.depth + if headed { 0.6 } else { 0.0 } + if ahead { 0.2 } else { 0.0 }
        - if figures > 2 { 0.2 } else { 0.0 };
    let prose = lead.source.kind == BlockKind::Paragraph;
    (value, if suits && prose { Fit::Related } else { Fit::Any })
}

/// The share of a section's words that belongs below its heading, 0.0..=1.0.
pub(crate) fn home_share(pool: &Pool, slot: &Slot) -> f32 {
    let home = slot.chosen.iter().filter(|piece| slot.home.contains(&piece.first));
    home.map(|piece| words_of(pool, *piece)).sum::<u32>() as f32 / slot.words.max(1) as f32
}

fn home_words(pool: &Pool, slot: &Slot) -> u32 {
    slot.home.iter().map(|i| pool.sentences[*i].words).sum()
}

pub(crate) fn terms_of(pool: &Pool, piece: Piece) -> Vec<u32> {
    let mut terms: Vec<u32> =
        pool.sentences[piece.range()].iter().flat_map(|s| s.terms.content.iter().copied()).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Puts the passages in reading order: the source that fits best speaks first and in its own order; table rows and
/// foreign languages come last.
fn arrange(pool: &Pool, slot: &mut Slot) {
    if slot.opening {
        // What defines the topic opens the article.
        let defines = |p: &Piece| pool.sentences[p.first].defines;
        slot.chosen.sort_by(|a, b| defines(b).total_cmp(&defines(a)).then(a.first.cmp(&b.first)));
    }
    let voices: Vec<usize> = slot.chosen.iter().map(|p| pool.sentences[p.first].rank).collect();
    let turn = |rank: usize| voices.iter().position(|v| *v == rank).unwrap_or(usize::MAX);
    slot.chosen.sort_by_key(|piece| {
        let s = &pool.sentences[piece.first];
        (s.foreign, s.source.kind == BlockKind::TableRow, turn(s.rank), piece.first)
    });
    // The two halves of a paragraph, chosen one after the other, are one paragraph again.
    let mut joined: Vec<Piece> = Vec::new();
    for piece in slot.chosen.drain(..) {
        match joined.last_mut() {
            Some(last)
                if last.first + last.len == piece.first
                    && follows(pool, piece.first)
                    && last.len + piece.len <= PARAGRAPH =>
            {
                last.len += piece.len;
            }
            _ => joined.push(piece),
        }
    }
    slot.chosen = joined;
}

/// Puts the other side of each contradiction directly behind the side that was chosen, with what it hangs on.
pub(crate) fn tell_both_sides(pool: &Pool, slots: &mut [Slot]) {
    let chosen: BTreeSet<usize> = slots.iter().flat_map(|s| &s.chosen).flat_map(|p| p.range()).collect();
    let place = |slots: &[Slot], i: usize| {
        let within = |slot: &Slot| slot.chosen.iter().position(|piece| piece.range().contains(&i));
        slots.iter().enumerate().find_map(|(s, slot)| Some((s, within(slot)?)))
    };
    let disputes = dispute::find(&pool.views(), &pool.vocabulary, &|i| chosen.contains(&i));
    for dispute in disputes.into_iter().take(MAX_DISPUTES) {
        let Some((slot, own)) = place(slots, dispute.one) else { continue };
        let piece = match place(slots, dispute.other) {
            Some((same, at)) if same == slot && at.abs_diff(own) <= 1 => continue,
            Some((there, at)) if slots[there].chosen.len() > 1 => {
                let piece = slots[there].chosen.remove(at);
                slots[there].words = slots[there].words.saturating_sub(words_of(pool, piece));
                piece
            }
            Some(_) => continue,
            None => {
                let mut first = dispute.other;
                if matches!(pool.sentences[first].source.kind, BlockKind::Listed | BlockKind::Table) {
                    continue;
                }
                while pool.sentences[first].source.hangs && follows(pool, first) && dispute.other - first < PARAGRAPH {
                    first -= 1;
                }
                let piece = Piece { first, len: dispute.other - first + 1 };
                if pool.sentences[first].source.hangs || piece.range().any(|i| place(slots, i).is_some()) {
                    continue;
                }
                piece
            }
        };
        let behind = place(slots, dispute.one).map_or(0, |(_, at)| at + 1);
        slots[slot].words += words_of(pool, piece);
        slots[slot].chosen.insert(behind, piece);
    }
}

fn words_of(pool: &Pool, piece: Piece) -> u32 {
    pool.sentences[piece.range()].iter().map(|s| s.words).sum()
}

/// The passages of a slot as spans.
pub(crate) fn spans(pool: &Pool, slot: &Slot) -> Vec<Span> {
    slot.chosen
        .iter()
        .map(|piece| {
            let (first, last) = (&pool.sentences[piece.first], &pool.sentences[piece.first + piece.len - 1]);
            Span { source: first.source.span.source, start: first.source.span.start, end: last.source.span.end }
        })
        .collect()
}

/// Removes passages of which an abbreviation is explained nowhere before, now that the order is final.
pub(crate) fn drop_unexplained(pool: &Pool, slots: &mut [Slot]) {
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for slot in slots {
        let mut kept = Vec::new();
        for mut piece in std::mem::take(&mut slot.chosen) {
            let mut len = 0;
            for i in piece.range() {
                if has_unexplained(pool, i, &|j| told.contains(&j)) {
                    break;
                }
                told.insert(i);
                len += 1;
            }
            slot.words -= piece.range().skip(len).map(|i| pool.sentences[i].words).sum::<u32>().min(slot.words);
            if len > 0 && (len == piece.len || !pool.sentences[piece.first].whole) {
                piece.len = len;
                kept.push(piece);
            }
        }
        slot.chosen = kept;
    }
}

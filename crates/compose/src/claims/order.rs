//! Who did what to whom: the same words in another order, and halves of two sentences.

use super::{
    compare::has,
    statement::{Statement, Term},
};
use crate::lexicon::marks::Mark;

/// Words next to a name or a figure that tell most of what it belongs to.
const NEAR: usize = 3;
/// Names and figures of a sentence that are compared with each other.
const ANCHORS: usize = 12;
/// A clause of fewer words can stand in either of two sentences.
const CLAUSE: usize = 3;

/// The words that changed places, if two did.
pub(crate) fn swapped(claim: &Statement, passage: &[&Statement]) -> Option<String> {
    let home = passage.iter().max_by_key(|s| claim.terms.iter().filter(|t| has(&all(s), t)).count())?;
    transposed(claim, home).or_else(|| exchanged(claim, passage))
}

fn all(statement: &Statement) -> Vec<&Term> {
    statement.terms.iter().collect()
}

fn is_passive(statement: &Statement) -> bool {
    statement.has(Mark::By)
}

/// Two words or groups of words around a third that stand the other way round: `Acme bought Brent`, `Brent bought
/// Acme`. Parts that took their preposition with them (`in Riga … in May`) only moved.
fn transposed(claim: &Statement, home: &Statement) -> Option<String> {
    if is_passive(claim) != is_passive(home) {
        return None;
    }
    let own: Vec<&Term> = claim.terms.iter().filter(|t| home.terms.iter().any(|o| t.meets(o))).collect();
    let theirs: Vec<&Term> = home.terms.iter().filter(|t| claim.terms.iter().any(|o| o.meets(t))).collect();
    if own.len() != theirs.len() || own.len() < 3 {
        return None;
    }
    let n = own.len();
    let start = (0..n).find(|i| !own[*i].meets(theirs[*i]))?;
    let end = (0..n).rev().find(|i| !own[*i].meets(theirs[*i]))? + 1;
    let (own, theirs) = (&own[start..end], &theirs[start..end]);
    let len = own.len();
    let one_clause = |s: &Statement, terms: &[&Term]| s.clause_of(terms[0].at).contains(&terms[terms.len() - 1].at);
    if !one_clause(claim, own) || !one_clause(home, theirs) {
        return None;
    }
    let equal = |a: &[&Term], b: &[&Term]| a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.meets(y));
    for x in 1..len.min(4) {
        for y in 1..(len - x).min(4) {
            let middle = len - x - y;
            if middle == 0 && x + y > 2 {
                continue;
            }
            let turned = equal(&own[..x], &theirs[len - x..])
                && equal(&own[len - y..], &theirs[..y])
                && equal(&own[x..x + middle], &theirs[y..y + middle]);
            if turned {
                let moved =
                    |own: &Term, other: &Term| lead(claim, own) == lead(home, other) && !lead(claim, own).is_empty();
                if moved(own[0], theirs[len - x]) || moved(own[len - y], theirs[0]) {
                    return None;
                }
                if middle == 0 && (is_joined(claim, own[0], own[1]) || !own[0].capital && !own[0].figure) {
                    return None;
                }
                return Some(own[0].word.clone());
            }
        }
    }
    None
}

/// The function word before a term, articles left out.
fn lead<'a>(statement: &'a Statement, term: &Term) -> &'a str {
    const ARTICLES: &[&str] = &[
        "the", "a", "an", "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "le",
        "la", "les", "un", "une", "el", "los", "las", "una", "il", "lo", "gli", "i", "o", "os", "as", "um", "uma",
    ];
    let mut at = term.at;
    while at > 0 {
        let word = statement.lower[at - 1].as_str();
        if ARTICLES.contains(&word) {
            at -= 1;
            continue;
        }
        return if statement.terms.iter().any(|t| t.at == at - 1) { "" } else { word };
    }
    ""
}

/// `Riga and Tartu`: their order says nothing.
fn is_joined(statement: &Statement, a: &Term, b: &Term) -> bool {
    const AND: &[&str] = &["and", "or", "und", "oder", "et", "ou", "y", "o", "e", "и", "или"];
    statement.lower[(a.at + 1).min(b.at)..b.at].iter().any(|w| AND.contains(&w.as_str())) || b.at == a.at + 1
}

/// A name or a figure with all its words: `Puerto Alto`, `3.6`.
#[derive(Debug)]
struct Anchor<'a> {
    terms: &'a [Term],
    statement: &'a Statement,
}

impl<'a> Anchor<'a> {
    fn all(statement: &'a Statement) -> Vec<Self> {
        let is_anchor = |t: &Term| t.figure || t.capital;
        let joined = |a: &Term, b: &Term| is_anchor(a) && is_anchor(b) && a.figure == b.figure && b.at <= a.at + 1;
        let runs = statement.terms.chunk_by(joined).filter(|run| is_anchor(&run[0]));
        runs.map(|terms| Self { terms, statement }).collect()
    }

    fn meets(&self, other: &Self) -> bool {
        self.terms.len() == other.terms.len() && self.terms.iter().zip(other.terms).all(|(a, b)| a.meets(b))
    }

    fn is_figure(&self) -> bool {
        self.terms[0].figure
    }

    /// Only what is of one kind can change places: a year and a count cannot.
    fn is_like(&self, other: &Self) -> bool {
        let is_year = |a: &Self| {
            a.is_figure() && a.terms.len() == 1 && a.terms[0].word.len() == 4 && a.terms[0].word.starts_with(['1', '2'])
        };
        self.is_figure() == other.is_figure() && is_year(self) == is_year(other)
    }

    fn ends(&self) -> (usize, usize) {
        (self.terms[0].at, self.terms[self.terms.len() - 1].at + 1)
    }

    /// How much the words around two anchors are the same: those next to them, whatever they are, count double.
    fn likeness(&self, other: &Self) -> usize {
        let near = |anchor: &Self| {
            let ((from, to), lower) = (anchor.ends(), &anchor.statement.lower);
            let (mut before, mut behind) =
                (lower[from.saturating_sub(NEAR)..from].to_vec(), lower[to..(to + NEAR).min(lower.len())].to_vec());
            // Where the sentence begins and ends tells as much as a word.
            if from == 0 {
                before.push("^".to_owned());
            }
            if to >= lower.len() {
                behind.push("$".to_owned());
            }
            (before, behind)
        };
        let ((a, b), (c, d)) = (near(self), near(other));
        let same = |x: &[String], y: &[String]| x.iter().filter(|w| y.contains(w)).count();
        let (own, theirs) = (self.clause(), other.clause());
        2 * (same(&a, &c) + same(&b, &d)) + own.iter().filter(|t| has(&theirs, t)).count()
    }

    /// The other words of its clause.
    fn clause(&self) -> Vec<&'a Term> {
        let clause = self.statement.clause_of(self.terms[0].at);
        let inside = |t: &&Term| clause.contains(&t.at) && !t.figure && !self.terms.iter().any(|own| own.at == t.at);
        self.statement.terms.iter().filter(inside).collect()
    }
}

/// Two names or two figures that stand among each other's words; or one among those of another that is not named.
pub(crate) fn exchanged(claim: &Statement, passage: &[&Statement]) -> Option<String> {
    let own: Vec<Anchor> = Anchor::all(claim).into_iter().take(ANCHORS).collect();
    let theirs: Vec<Anchor> = passage.iter().flat_map(|s| Anchor::all(s)).take(4 * ANCHORS).collect();
    let turned = passage.iter().any(|s| is_passive(s) != is_passive(claim));
    let fit = |a: &Anchor, as_if: &Anchor| theirs.iter().filter(|t| t.meets(as_if)).map(|t| a.likeness(t)).max();
    for (i, a) in own.iter().enumerate().filter(|(_, a)| a.is_figure() || !turned) {
        let Some(as_self) = fit(a, a) else { continue };
        for b in own[i + 1..].iter().filter(|b| b.is_like(a) && !b.meets(a)) {
            let (Some(b_as_self), Some(a_as_b), Some(b_as_a)) = (fit(b, b), fit(a, b), fit(b, a)) else { continue };
            if a_as_b + b_as_a > as_self + b_as_self + 1 {
                return Some(a.terms[0].word.clone());
            }
        }
        let named = |t: &Anchor| own.iter().any(|o| o.meets(t));
        let other = theirs.iter().filter(|t| t.is_like(a) && !named(t)).map(|t| a.likeness(t)).max();
        if other.is_some_and(|other| other > as_self + 2) {
            return Some(a.terms[0].word.clone());
        }
    }
    None
}

/// A clause that takes its words from two sentences, neither of which says it. The sentence behind may carry on the one
/// before it (`It …`), which `hangs` tells for each.
pub(crate) fn halved(claim: &Statement, passage: &[&Statement], hangs: &[bool]) -> Option<String> {
    if passage.len() < 2 || hangs.iter().skip(1).all(|hangs| *hangs) {
        return None;
    }
    claim.clauses.iter().find_map(|clause| {
        let own: Vec<&Term> = claim.terms.iter().filter(|t| clause.contains(&t.at)).collect();
        let met: Vec<&Term> = own.iter().copied().filter(|t| passage.iter().any(|s| has(&all(s), t))).collect();
        if met.len() < CLAUSE {
            return None;
        }
        let best = passage.iter().map(|s| met.iter().filter(|t| has(&all(s), t)).count()).max()?;
        (met.len() > best).then(|| met.iter().map(|t| t.word.as_str()).collect::<Vec<_>>().join(" "))
    })
}

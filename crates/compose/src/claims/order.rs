//! Who did what to whom: the same words in another order, and halves of two sentences.

use super::{
    compare::{has, share},
    statement::{Statement, Term},
};
use crate::lexicon::marks::Mark;

/// Words next to a name or a figure that tell what it belongs to.
const CONTEXT: usize = 3;
/// A clause of fewer words can stand in either of two sentences.
const CLAUSE: usize = 4;

/// The words that changed places, if two did.
pub(crate) fn swapped(claim: &Statement, passage: &[&Statement]) -> Option<String> {
    let home = passage.iter().max_by_key(|s| claim.terms.iter().filter(|t| has(&all(s), t)).count())?;
    transposed(claim, home).or_else(|| misplaced(claim, passage))
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

/// A name or a figure that stands among the words of another one.
fn misplaced(claim: &Statement, passage: &[&Statement]) -> Option<String> {
    let is_anchor = |t: &Term| t.figure || t.capital;
    claim.terms.iter().filter(|t| is_anchor(t)).find_map(|anchor| {
        let context = context(claim, anchor);
        if context.len() < 2 {
            return None;
        }
        let fit = |wanted: &dyn Fn(&Term) -> bool| {
            let places = passage.iter().flat_map(|s| s.terms.iter().map(move |t| (*s, t)));
            places
                .filter(|(_, t)| wanted(t))
                .map(|(s, t)| (share(&context, &self::context(s, t)) * context.len() as f32).round() as usize)
                .max()
        };
        let own = fit(&|t| t.meets(anchor))?;
        let clause = claim.clause_of(anchor.at);
        let beside = |t: &Term| claim.terms.iter().any(|o| clause.contains(&o.at) && o.meets(t));
        let other = fit(&|t| t.figure == anchor.figure && is_anchor(t) && !t.meets(anchor) && !beside(t))?;
        (other >= own + 2).then(|| anchor.word.clone())
    })
}

/// The nearest words of a term within its clause, other names and figures left out.
fn context<'a>(statement: &'a Statement, term: &Term) -> Vec<&'a Term> {
    let clause = statement.clause_of(term.at);
    let plain = |t: &&Term| clause.contains(&t.at) && t.at != term.at && !t.figure && !t.capital;
    let before = statement.terms.iter().rev().filter(|t| t.at < term.at).filter(plain).take(CONTEXT);
    let behind = statement.terms.iter().filter(|t| t.at > term.at).filter(plain).take(CONTEXT);
    before.chain(behind).collect()
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
        let missing = met.len() - best;
        (missing >= 2 && missing * 4 > met.len())
            .then(|| met.iter().map(|t| t.word.as_str()).collect::<Vec<_>>().join(" "))
    })
}

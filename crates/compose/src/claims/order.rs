//! Who did what to whom: the same words in another order, and halves of two sentences.

use super::{
    compare::{has, share},
    statement::{ARTICLES, Statement, Term},
};
use crate::lexicon::marks::Mark;

/// Words next to a name or a figure that tell most of what it belongs to.
const NEAR: usize = 3;
/// Names and figures of a sentence that are compared with each other.
const ANCHORS: usize = 12;
/// A clause of fewer words can stand in either of two sentences.
const CLAUSE: usize = 3;
/// The share of a sentence's words that another has who tells it in full.
const TOLD: f32 = 0.8;

/// The words that changed places, if two did.
pub(crate) fn swapped(claim: &Statement, passage: &[&Statement]) -> Option<String> {
    let home = passage.iter().max_by_key(|s| claim.terms.iter().filter(|t| has(&all(s), t)).count())?;
    transposed(claim, home)
        .or_else(|| redirected(claim, home))
        .or_else(|| labelled(claim, home))
        .or_else(|| exchanged(claim, passage))
}

/// Prepositions of which one says the contrary of the other.
const DIRECTIONS: &[(&str, &str)] = &[
    ("from", "to"),
    ("into", "from"),
    ("before", "after"),
    ("with", "without"),
    ("above", "below"),
    ("for", "against"),
    ("von", "nach"),
    ("vor", "nach"),
    ("aus", "nach"),
    ("mit", "ohne"),
    ("für", "gegen"),
    ("avant", "après"),
    ("avec", "sans"),
    ("pour", "contre"),
    ("desde", "hasta"),
    ("con", "sin"),
    ("con", "senza"),
    ("prima", "dopo"),
    ("com", "sem"),
    ("до", "после"),
    ("с", "без"),
];

/// A word that stands behind `from` in one and behind `to` in the other.
fn redirected(claim: &Statement, home: &Statement) -> Option<String> {
    let contrary = |a: &str, b: &str| DIRECTIONS.contains(&(a, b)) || DIRECTIONS.contains(&(b, a));
    let told = claim.terms.iter().find(|term| {
        let own = lead(claim, term);
        if own.is_empty() || !term.capital && !term.figure && claim.lower.len() > 2 * home.lower.len() {
            return false;
        }
        let leads: Vec<&str> = home.terms.iter().filter(|t| t.meets(term)).map(|t| lead(home, t)).collect();
        leads.iter().any(|theirs| contrary(own, theirs)) && !leads.contains(&own)
    })?;
    Some(told.word.clone())
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

/// Two names or figures whose words before them, or behind them, changed places: `fish at 2 °C and fruit at 4 °C`.
fn labelled(claim: &Statement, home: &Statement) -> Option<String> {
    let (own, theirs) = (runs(claim), runs(home));
    for (i, a) in own.iter().enumerate() {
        for b in own[i + 1..].iter().filter(|b| b.anchor.is_like(&a.anchor) && !b.anchor.meets(&a.anchor)) {
            let find = |one: &Run| theirs.iter().find(|t| t.anchor.meets(&one.anchor));
            let (Some(home_a), Some(home_b)) = (find(a), find(b)) else { continue };
            let sides: [fn(&Run<'_>) -> Vec<usize>; 2] = [|r| r.before.clone(), |r| r.behind.clone()];
            for side in sides {
                let terms = |of: &Statement, run: &Run| -> Vec<Term> {
                    side(run).into_iter().map(|i| of.terms[i].clone()).collect()
                };
                let (x, y) = (terms(claim, a), terms(claim, b));
                let (hx, hy) = (terms(home, home_a), terms(home, home_b));
                // What tells the one from the other.
                let only = |own: &[Term], other: &[Term]| -> Vec<Term> {
                    own.iter().filter(|t| !other.iter().any(|o| o.meets(t))).cloned().collect()
                };
                let shared =
                    |own: &[Term], other: &[Term]| own.iter().filter(|t| other.iter().any(|o| o.meets(t))).count();
                let (dx, dy) = (only(&x, &y), only(&y, &x));
                let (hx, hy) = (only(&hx, &hy), only(&hy, &hx));
                let (crossed, straight) = ([shared(&dx, &hy), shared(&dy, &hx)], shared(&dx, &hx) + shared(&dy, &hy));
                if crossed.iter().all(|n| *n > 0) && crossed.iter().sum::<usize>() > straight {
                    return Some(a.anchor.terms[0].word.clone());
                }
            }
        }
    }
    None
}

/// A name or figure with the terms between it and the next ones.
struct Run<'a> {
    anchor: Anchor<'a>,
    before: Vec<usize>,
    behind: Vec<usize>,
}

fn runs(statement: &Statement) -> Vec<Run<'_>> {
    let all = Anchor::all(statement);
    let bounds: Vec<((usize, usize), bool)> = all.iter().map(|a| (a.ends(), a.is_figure())).collect();
    let between = |from: usize, to: usize| -> Vec<usize> {
        let terms = statement.terms.iter().enumerate();
        terms
            .filter(|(_, t)| t.at >= from && t.at < to && !t.unit && !t.figure && t.word.len() > 1)
            .map(|(i, _)| i)
            .collect()
    };
    all.into_iter()
        .take(ANCHORS)
        .map(|anchor| {
            let ((from, to), figure) = (anchor.ends(), anchor.is_figure());
            // A name is no bound for figures, nor the other way round.
            let kin = bounds.iter().filter(|(_, f)| *f == figure).map(|(ends, _)| *ends);
            let start = kin.clone().map(|(_, end)| end).filter(|end| *end <= from).max().unwrap_or(0);
            let end = kin.map(|(start, _)| start).filter(|start| *start >= to).min().unwrap_or(statement.lower.len());
            Run { anchor, before: between(start, from), behind: between(to, end) }
        })
        .collect()
}

/// The function word before a term, articles left out.
fn lead<'a>(statement: &'a Statement, term: &Term) -> &'a str {
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
    let terms = all(claim);
    // One of them is told in full, so that the rest only says what it is about.
    let told = |s: &&Statement| {
        let own: Vec<&Term> = s.terms.iter().filter(|t| !t.light).collect();
        own.len() >= CLAUSE && share(&own, &terms) >= TOLD
    };
    if passage.len() == 2 && passage.iter().any(told) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(claim: &str, passage: &str, lang: &str) -> bool {
        swapped(&Statement::read(claim, lang), &[&Statement::read(passage, lang)]).is_some()
    }

    #[test]
    fn figures_that_changed_their_words_are_found() {
        for (claim, passage, lang) in [
            ("Milk is kept at 4 °C and ice at 18 °C.", "The store keeps ice at 4 °C and milk at 18 °C.", "en"),
            (
                "La sala piccola misura 50 m e la sala grande 20 m.",
                "La sala grande misura 50 m, la sala piccola 20 m.",
                "it",
            ),
        ] {
            assert!(turned(claim, passage, lang), "{claim}");
        }
        let read = |text: &str| Statement::read(text, "en");
        let passage = read("The store keeps ice at 4 °C and milk at 18 °C.");
        assert_eq!(labelled(&read("Milk is kept at 18 °C and ice at 4 °C."), &passage), None);
    }

    #[test]
    fn a_direction_that_turned_is_found() {
        assert!(turned("Trucks bring the fish to Port Amber.", "Trucks bring the fish from Port Amber.", "en"));
        assert!(turned("Der Zug fährt nach Ulm.", "Der Zug fährt von Ulm.", "de"));
        assert!(!turned("From Port Amber trucks bring the fish.", "Trucks bring the fish from Port Amber.", "en"));
    }
}

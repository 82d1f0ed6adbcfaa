//! Whether a passage says what a sentence says, beyond its words and figures: modality, quantity, bounds, conditions,
//! cause and time, contraries.
//!
//! Each rule compares marks by their *scope*, the words next to them: `most lockers` of a passage is about `all
//! lockers` of a sentence and not about `all parcels`.

use super::{
    cover, polarity, requirement,
    statement::{Placed, Statement, Term},
};
use crate::lexicon::{
    Language,
    marks::Mark::{
        self, About, After, All, AtLeast, AtMost, Because, Before, Can, Except, Few, If, Many, May, Most, Must, Only,
        Over, Said, Should, Since, Than, Therefore, Under, Unless, Until, When, Will,
    },
};

/// The words around a mark that it is about.
const BEFORE: usize = 2;
const BEHIND: usize = 3;
/// So many words of a part at most decide whether it is the same part.
const PART: usize = 6;

/// What speaks against a sentence.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Objections {
    /// The passage says otherwise.
    pub against: Vec<String>,
    /// The passage says less.
    pub short: Vec<String>,
    /// Both make the same depend on the same, so that their negations need not be the same.
    pub agreed: bool,
}

impl Objections {
    pub(super) fn against(&mut self, word: String) {
        if !self.against.contains(&word) {
            self.against.push(word);
        }
    }

    pub(super) fn short(&mut self, word: String) {
        if !self.short.contains(&word) {
            self.short.push(word);
        }
    }
}

/// `context` are the words of what stands around the passage, `freedom` is [`cover::freedom`].
pub(crate) fn compare(
    claim: &Statement,
    passage: &[&Statement],
    context: &[&Term],
    freedom: f32,
    language: Option<&Language>,
) -> Objections {
    let mut out = Objections::default();
    cover::uncovered(claim, passage, context, freedom, language, &mut out);
    contraries(claim, passage, language, &mut out);
    let requirements = language.map(|l| requirement::compare(claim, passage, l)).unwrap_or_default();
    // A sentence that follows its passage word for word has its marks too.
    let agreed = requirements.agreed && freedom > 0.0;
    out.agreed = agreed;
    // What is required in other words has other marks.
    for group in GROUPS.iter().filter(|g| !agreed || g.marks.contains(&All) || g.marks.contains(&About)) {
        grouped(claim, passage, group, freedom, &mut out);
    }
    if !agreed {
        conditions(claim, passage, &mut out);
    }
    requirements.against.into_iter().for_each(|word| out.against(word));
    if let Some(placed) = claim.marks.iter().find(|p| p.mark == Mark::Regardless)
        && !passage.iter().any(|s| s.has(Mark::Regardless) || s.has(Mark::Although))
    {
        out.short(claim.words(placed));
    }
    links(claim, passage, freedom, &mut out);
    out
}

/// Whether one of some terms means the same.
pub(super) fn has(terms: &[&Term], term: &Term) -> bool {
    terms.iter().any(|other| term.meets(other) || term.holds(other))
}

/// The share of `part` that `whole` has.
pub(super) fn share(part: &[&Term], whole: &[&Term]) -> f32 {
    if part.is_empty() {
        return 0.0;
    }
    part.iter().filter(|term| has(whole, term)).count() as f32 / part.len() as f32
}

/// A word whose contrary the passage has in its place.
fn contraries(claim: &Statement, passage: &[&Statement], language: Option<&Language>, out: &mut Objections) {
    let negated = |s: &Statement, t: &Term| language.is_some_and(|l| polarity::is_negated(s, t, l));
    let own: Vec<&Term> = claim.terms.iter().collect();
    for term in claim.terms.iter().filter(|t| !t.sides.is_empty()) {
        let around = around(claim, term.at, term.at + 1);
        let denied = negated(claim, term);
        let fit = |wanted: &dyn Fn(&Statement, &Term) -> bool| {
            let found = passage.iter().flat_map(|s| s.terms.iter().map(move |t| (*s, t)));
            let shares =
                found.filter(|(s, t)| wanted(s, t)).map(|(s, t)| share(&around, &self::around(s, t.at, t.at + 1)));
            shares.fold(-1.0_f32, f32::max)
        };
        let same = fit(&|_, other| term.meets(other));
        // `not open` is no contrary of `closed`.
        let opposed = fit(&|s, other| term.opposes(other) && !has(&own, other) && denied == negated(s, other));
        if opposed > same {
            out.against(term.word.clone());
        }
    }
}

/// The words next to some tokens, within their clause where that has any.
fn around(statement: &Statement, from: usize, to: usize) -> Vec<&Term> {
    let (before, behind) = sides(statement, from, to);
    before.into_iter().take(BEFORE).chain(behind.into_iter().take(BEHIND)).collect()
}

/// The words before some tokens, nearest first, and those behind, both of their clause.
fn sides(statement: &Statement, from: usize, to: usize) -> (Vec<&Term>, Vec<&Term>) {
    let clause = statement.clause_of(to.max(from + 1) - 1);
    let inside = |t: &&Term| clause.contains(&t.at);
    let before = statement.terms.iter().rev().filter(|t| t.at < from).filter(inside).collect();
    let behind = statement.terms.iter().filter(|t| t.at >= to).filter(inside).collect();
    (before, behind)
}

fn scope<'a>(statement: &'a Statement, placed: &Placed) -> Vec<&'a Term> {
    around(statement, placed.at, placed.at + placed.len)
}

/// Marks of which one excludes the other, and what a sentence may make of them.
struct Group {
    marks: &'static [Mark],
    /// The sentence may say the first where the passage says the second.
    may_be: &'static [(Mark, Mark)],
    /// The sentence must not say it where the passage says none of the group.
    added: &'static [Mark],
    /// The sentence must not leave it out.
    dropped: &'static [Mark],
}

const GROUPS: &[Group] = &[
    Group {
        marks: &[Can, May, Should, Must, Will, Said],
        may_be: &[(Can, May), (May, Can), (May, Should), (Should, May)],
        added: &[Should, Must, Will, Said],
        dropped: &[May, Should, Will, Said],
    },
    Group {
        marks: &[All, Most, Many, Mark::Some, Few],
        may_be: &[(Mark::Some, Many), (Mark::Some, Most), (Many, Most), (Mark::Some, All)],
        added: &[All, Most, Few],
        dropped: &[Most, Mark::Some, Few],
    },
    Group { marks: &[Only], may_be: &[], added: &[Only], dropped: &[Only] },
    Group {
        marks: &[About, AtLeast, AtMost, Over, Under],
        may_be: &[(Over, AtLeast), (AtLeast, Over), (Under, AtMost), (AtMost, Under)],
        added: &[AtLeast, AtMost, Over, Under],
        dropped: &[About, AtLeast, AtMost, Over, Under],
    },
];

fn grouped(claim: &Statement, passage: &[&Statement], group: &Group, freedom: f32, out: &mut Objections) {
    let ours = |s: &'_ &Placed| group.marks.contains(&s.mark);
    let own: Vec<(&Placed, Vec<&Term>)> = claim.marks.iter().filter(ours).map(|p| (p, scope(claim, p))).collect();
    let theirs: Vec<(&Statement, &Placed, Vec<&Term>)> =
        passage.iter().flat_map(|s| s.marks.iter().filter(ours).map(move |p| (*s, p, scope(s, p)))).collect();
    for (placed, words) in &own {
        let near: Vec<Mark> = theirs
            .iter()
            .filter(|(_, _, other)| share(words, other).max(share(other, words)) >= 0.5)
            .map(|(_, p, _)| p.mark)
            .collect();
        let allowed = |mark: &Mark| *mark == placed.mark || group.may_be.contains(&(placed.mark, *mark));
        // `may not`, `must not`, `cannot`: all forbid.
        if matches!(placed.mark, May | Can | Must) && forbids(claim, placed) {
            continue;
        }
        if near.iter().any(allowed) {
            continue;
        }
        // Put freely, it may stand next to other words.
        if freedom > 0.0
            && near.is_empty()
            && own.len() <= theirs.len()
            && theirs.iter().any(|(_, p, _)| allowed(&p.mark))
        {
            continue;
        }
        if !near.is_empty() {
            out.against(claim.words(placed));
        } else if group.added.contains(&placed.mark) && !is_each(&claim.lower[placed.at]) {
            out.short(claim.words(placed));
        }
    }
    let terms: Vec<&Term> = claim.terms.iter().collect();
    for (statement, placed, words) in theirs.iter().filter(|(_, p, _)| group.dropped.contains(&p.mark)) {
        // Who says `every` has to name the limits.
        let said = match claim.has(All) {
            true => {
                let (led, rest) = parts(statement, placed);
                share(&[led, rest].concat(), &terms) >= 0.6
            }
            false => share(words, &terms) >= 0.75,
        };
        let told = own.iter().any(|(mine, own)| {
            share(own, words).max(share(words, own)) >= 0.5
                || freedom > 0.0 && mine.mark == placed.mark && theirs.len() <= own.len()
        });
        if said && !told {
            out.short(statement.words(placed));
        }
    }
}

/// `Every seller` says no more than `the sellers`; `all sellers` does.
fn is_each(word: &str) -> bool {
    const EACH: &[&str] = &[
        "each",
        "every",
        "jeder",
        "jede",
        "jedes",
        "jeden",
        "jedem",
        "chaque",
        "cada",
        "ogni",
        "каждый",
        "каждая",
        "каждое",
        "каждого",
    ];
    EACH.contains(&word)
}

/// Whether a negation follows; negations are compared apart.
fn forbids(statement: &Statement, placed: &Placed) -> bool {
    const NOT: &[&str] = &["not", "nicht", "pas", "keine", "kein", "keinen", "non", "no", "não", "не", "nobody", "no"];
    let next_to = [statement.lower.get(placed.at + placed.len), placed.at.checked_sub(1).map(|i| &statement.lower[i])];
    next_to.into_iter().flatten().any(|word| NOT.contains(&word.as_str()))
}

/// What a mark leads in: the words behind it in its clause; and the words that it belongs to, those of the rest. Figures
/// are compared apart.
pub(super) fn parts<'a>(statement: &'a Statement, placed: &Placed) -> (Vec<&'a Term>, Vec<&'a Term>) {
    parts_of(statement, placed.at, placed.len)
}

/// The same of any tokens.
pub(super) fn parts_of(statement: &Statement, at: usize, len: usize) -> (Vec<&Term>, Vec<&Term>) {
    let (mut before, mut behind) = sides(statement, at, at + len);
    for side in [&mut before, &mut behind] {
        side.retain(|term| !term.figure && !term.unit);
    }
    let led: Vec<&Term> = behind.into_iter().take(PART).collect();
    let rest: Vec<&Term> = if before.is_empty() {
        let clause = statement.clause_of((at + len).max(at + 1) - 1);
        let next = statement.terms.iter().filter(|t| t.at >= clause.end).take(PART);
        let previous = statement.terms.iter().rev().filter(|t| t.at < clause.start).take(PART);
        if clause.start == 0 { next.collect() } else { previous.collect() }
    } else {
        before.into_iter().take(PART).collect()
    };
    (led, rest)
}

const CONDITIONS: &[Mark] = &[If, Unless, Except, When];

fn conditions(claim: &Statement, passage: &[&Statement], out: &mut Objections) {
    let is = |p: &&Placed| CONDITIONS.contains(&p.mark);
    let terms: Vec<&Term> = claim.terms.iter().collect();
    for placed in claim.marks.iter().filter(is) {
        let (led, _) = parts(claim, placed);
        let theirs = passage.iter().flat_map(|s| s.marks.iter().filter(is).map(move |p| (p.mark, parts(s, p).0)));
        let same: Vec<Mark> = theirs.filter(|(_, other)| share(&led, other) >= 0.5).map(|(mark, _)| mark).collect();
        let positive = |mark: Mark| matches!(mark, If | When);
        if same.is_empty() {
            let told = matches!(placed.mark, When);
            if !told {
                out.short(claim.words(placed));
            }
        } else if !same.iter().any(|mark| positive(*mark) == positive(placed.mark)) {
            out.against(claim.words(placed));
        }
    }
    for statement in passage {
        for placed in statement.marks.iter().filter(|p| is(p) || p.mark == Only) {
            let (led, rest) = parts(statement, placed);
            if !led.is_empty() && share(&rest, &terms) >= 0.6 && share(&led, &terms) < 0.5 {
                out.short(format!("{} {}", statement.words(placed), led[0].word));
            }
        }
    }
}

/// Marks that join two things in an order, with the mark that says the same of them turned around.
const LINKS: &[(Mark, Mark)] = &[
    (Because, Therefore),
    (Therefore, Because),
    (Before, After),
    (After, Before),
    (Until, Until),
    (Since, Since),
    (Than, Than),
];

/// Marks that may stand for each other.
fn is_kin(a: Mark, b: Mark) -> bool {
    a == b
        || matches!(
            (a, b),
            // What was caused by something came after it.
            (After, When | Since | Because)
                | (Since, After)
                | (Because, When)
                | (Since, Because)
                | (Because, Since)
                | (Until, Before)
        )
}

fn links(claim: &Statement, passage: &[&Statement], freedom: f32, out: &mut Objections) {
    let terms: Vec<&Term> = claim.terms.iter().collect();
    for placed in &claim.marks {
        let Some((_, inverse)) = LINKS.iter().find(|(mark, _)| *mark == placed.mark) else { continue };
        let (led, rest) = parts(claim, placed);
        // `until 2 pm`: the figure is compared apart.
        if led.is_empty() {
            let kin = passage.iter().any(|s| s.marks.iter().any(|p| is_kin(placed.mark, p.mark)));
            // What opened on a day is open since that day.
            let timed = [Before, After, Until, Since].iter().any(|mark| passage.iter().any(|s| s.has(*mark)));
            let kin = kin || placed.mark == Since && freedom > 0.0 && !timed;
            if !kin && placed.at + placed.len < claim.lower.len().max(2) {
                out.short(claim.words(placed));
            }
            continue;
        }
        let mut known = false;
        let met = passage.iter().any(|s| {
            s.marks.iter().any(|p| {
                let (their_led, their_rest) = parts(s, p);
                let straight = is_kin(placed.mark, p.mark) && (their_led.is_empty() || alike(&led, &their_led));
                // What it leads in is told in words that neither has.
                let straight = straight
                    || freedom > 0.0 && is_kin(placed.mark, p.mark) && share(&their_led, &terms) < 0.5 && {
                        let all: Vec<&Term> = passage.iter().flat_map(|s| &s.terms).collect();
                        share(&led, &all) < 0.5
                    };
                let turned = p.mark == *inverse && alike(&led, &their_rest) && (placed.mark != Than || turns(claim, s));
                known |= p.mark == placed.mark && share(&led, &their_led).max(share(&led, &their_rest)) >= 0.5;
                straight && !(placed.mark == Than && share(&rest, &their_led) > share(&rest, &their_rest)) || turned
            })
        });
        if !met {
            let word = claim.words(placed);
            if known { out.against(word) } else { out.short(word) }
        }
    }
}

/// Whether two parts are about the same; one of them may say more.
fn alike(a: &[&Term], b: &[&Term]) -> bool {
    share(a, b).max(share(b, a)) >= 0.5
}

/// Whether a comparison stands in the other's contrary: `faster than` against `slower than`.
fn turns(claim: &Statement, other: &Statement) -> bool {
    claim.terms.iter().any(|t| other.terms.iter().any(|o| t.opposes(o)))
}

#[cfg(test)]
mod tests;

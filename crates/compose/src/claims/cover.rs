//! Content words of a sentence that stand nowhere in its passage, and how many of them it may have.
//!
//! Who changes the meaning of a sentence mostly leaves the rest of it as it stands: one word is another, or a clause is
//! new. Who tells the same in other words changes most of it. So a sentence that follows its passage word for word may
//! have hardly any word of its own, and one that is put freely may have more, as long as its figures, names, negations
//! and limits are those of the passage.

use super::{
    compare::{Objections, has},
    polarity, requirement,
    statement::{Statement, Term},
    units::unit_of,
};
use crate::lexicon::Language;

/// A sentence that follows its passage may have one word of its own for so many content words.
const SPARE: f32 = 6.0;
/// A sentence that is put freely: the share of its content words.
const FREE_SPARE: f32 = 0.4;
/// Shares of the tokens that stand in the same order in both: from the first on a sentence follows its passage, below
/// the second it is put freely.
const FOLLOWS: f32 = 0.75;
const FREE: f32 = 0.55;
/// What a word counts that a source has, but not the passage: it may have come from elsewhere.
const KNOWN: f32 = 1.25;
/// What a word counts that the heading, the title or the sentence before has.
const CONTEXT: f32 = 0.4;

/// How freely a sentence is put: 0.0 where it follows a sentence of the passage word for word, 1.0 where it does not.
pub(crate) fn freedom(claim: &Statement, passage: &[&Statement]) -> f32 {
    let own = claim.stems();
    let follows = passage.iter().map(|s| likeness(&own, &s.stems())).fold(0.0_f32, f32::max);
    ((FOLLOWS - follows) / (FOLLOWS - FREE)).clamp(0.0, 1.0)
}

/// The longest common sequence of tokens, as a share of the shorter sentence.
fn likeness(a: &[&str], b: &[&str]) -> f32 {
    let mut row = vec![0_u16; b.len() + 1];
    for x in a {
        let mut diagonal = 0;
        for (i, y) in b.iter().enumerate() {
            let above = row[i + 1];
            row[i + 1] = if x == y { diagonal + 1 } else { above.max(row[i]) };
            diagonal = above;
        }
    }
    f32::from(row[b.len()]) / a.len().min(b.len()).max(1) as f32
}

/// Adds what a sentence has too much; `context` are the words of what stands around the passage.
pub(super) fn uncovered(
    claim: &Statement,
    passage: &[&Statement],
    context: &[&Term],
    freedom: f32,
    language: Option<&Language>,
    out: &mut Objections,
) {
    let theirs: Vec<&Term> = passage.iter().flat_map(|s| &s.terms).collect();
    let told = claim.terms.iter().filter(|t| !t.figure && !t.unit && !t.light);
    let missing: Vec<&Term> = told
        // Negations are compared apart.
        .filter(|t| !language.is_some_and(|l| l.negations.is(std::slice::from_ref(&t.word))))
        .filter(|t| !has(&theirs, t) && !language.is_some_and(|l| is_turned(claim, t, passage, l)))
        .collect();
    // Another month, another weekday: no figure, and no word to spare either.
    missing.iter().filter(|term| term.dated || is_rate(term)).for_each(|term| out.against(term.word.clone()));
    let many = missing.len() * 3 >= claim.terms.len() && freedom < 1.0 || missing.len() * 2 >= claim.terms.len();
    let cost = |term: &&Term| match () {
        () if freedom > 0.0 && has(context, term) => CONTEXT,
        () if term.known => KNOWN,
        () => 1.0,
    };
    let cost: f32 = missing.iter().map(cost).sum();
    let all = claim.terms.len() as f32;
    let strict = (all / SPARE).floor();
    let spare = strict + (all * FREE_SPARE - strict).max(0.0) * freedom;
    // A sentence of the sources' words about another thing than the passage.
    let other = missing
        .first()
        .is_some_and(|term| term.known && term.at == claim.terms[0].at && (freedom == 0.0 || !has(context, term)));
    if other || cost > spare {
        missing
            .into_iter()
            .for_each(|term| if many { out.against(term.word.clone()) } else { out.short(term.word.clone()) });
    }
}

/// Whether a word is said by its contrary: `pay nothing` and `free`, `forbidden` and `must not`.
fn is_turned(claim: &Statement, term: &Term, passage: &[&Statement], language: &Language) -> bool {
    let denied = polarity::is_negated(claim, term, language);
    let contrary = |s: &&Statement| {
        let opposed = |t: &&Term| term.opposes(t) && denied != polarity::is_negated(s, t, language);
        s.terms.iter().any(|t| opposed(&t))
    };
    let forbidden = requirement::forbids(&term.word, language.table.code)
        && passage.iter().any(|s| s.lower.iter().any(|w| language.negations.is(std::slice::from_ref(w))));
    forbidden || passage.iter().any(contrary)
}

/// `an hour`, `per week`: a phrase of the synonyms that ends with a unit.
fn is_rate(term: &Term) -> bool {
    term.word.rsplit_once(' ').is_some_and(|(_, last)| unit_of(last).is_some_and(|unit| unit != "times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Statement {
        Statement::read(text, "en")
    }

    fn objections(claim: &str, passage: &str) -> Objections {
        let (claim, passage) = (read(claim), read(passage));
        let mut out = Objections::default();
        let free = freedom(&claim, &[&passage]);
        uncovered(&claim, &[&passage], &[], free, crate::lexicon::of("en"), &mut out);
        out
    }

    #[test]
    fn a_free_sentence_may_have_words_of_its_own_and_a_copied_one_may_not() {
        let passage = "The council painted the old bridge green because the rust had grown.";
        let free = "Rust on the ageing bridge made the council give it a coat of green paint.";
        assert_eq!(objections(free, passage), Objections::default());
        let copied = "The council painted the old tower green because the rust had grown.";
        assert!(!objections(copied, passage).short.is_empty());
    }

    #[test]
    fn a_denied_contrary_says_the_same() {
        let out = objections("Small children pay nothing for the zoo.", "The zoo is free for small children.");
        assert_eq!(out, Objections::default());
    }

    #[test]
    fn freedom_is_told_from_the_order_of_the_words() {
        let passage = read("The pipe between the two units must not be longer than 20 m.");
        assert_eq!(freedom(&read("The pipe between the two units must be longer than 20 m."), &[&passage]), 0.0);
        assert_eq!(freedom(&read("At most 20 m lie from one unit to the next."), &[&passage]), 1.0);
    }
}

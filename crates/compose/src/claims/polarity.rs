//! Whether two statements deny each other: a negation in only one of them.

use super::{
    compare::{has, parts, share},
    requirement,
    statement::{Statement, Term},
};
use crate::lexicon::{Language, marks::Mark};

/// The words around a negation that it may negate.
const BEFORE: usize = 3;
const BEHIND: usize = 4;
/// Outside of English and German two negations this near are one: `ne … pas`, `no … nunca`.
const DOUBLE: usize = 4;

/// A negation and the content words near it.
struct Negation<'a> {
    word: &'a str,
    scope: Vec<&'a Term>,
}

fn negations<'a>(statement: &'a Statement, language: &Language) -> Vec<Negation<'a>> {
    let lang = language.table.code;
    let doubles = !matches!(lang, "en" | "de");
    let words = &statement.lower;
    let mut out: Vec<(usize, Negation)> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let negates = language.negations.is(std::slice::from_ref(word))
            || lang == "en" && word.ends_with("n't")
            || requirement::forbids(word, lang);
        // `nothing but`, `no more than`: the phrase is a mark of its own.
        let marked = statement.marks.iter().any(|m| m.len > 1 && (m.at..m.at + m.len).contains(&i));
        let only = statement.marks.iter().any(|m| m.mark == Mark::Only && m.at == i);
        if !negates || marked || only || statement.is_in_phrase(i) || language.not_negations.starts(&words[i..]) {
            continue;
        }
        if doubles && out.last().is_some_and(|(last, _)| i - last <= DOUBLE) {
            continue;
        }
        let near = i.saturating_sub(BEFORE)..i + 1 + BEHIND;
        let scope = statement.terms.iter().filter(|t| t.at != i && near.contains(&t.at)).collect();
        out.push((i, Negation { word, scope }));
    }
    out.into_iter().map(|(_, negation)| negation).collect()
}

/// A negation this many tokens before or behind a word negates it.
const NEXT: usize = 3;

/// Whether a negation stands right before a word, or behind it as in German main clauses.
pub(super) fn is_negated(statement: &Statement, term: &Term, language: &Language) -> bool {
    let words = &statement.lower;
    let clause = statement.clause_of(term.at);
    let behind = if language.table.code == "de" { NEXT } else { 0 };
    let near = term.at.saturating_sub(NEXT).max(clause.start)..(term.at + 1 + behind).min(clause.end);
    near.filter(|i| *i != term.at && *i < words.len()).any(|i| {
        let negates = language.negations.is(&words[i..=i]) || words[i].ends_with("n't");
        negates && !language.not_negations.starts(&words[i..]) && !statement.is_in_phrase(i)
    })
}

/// The word by which a claim and a span deny each other; `same` says that the two are nearly the same sentence.
pub(crate) fn denial(claim: &Statement, span: &[&Statement], same: bool, language: &Language) -> Option<String> {
    let own = negations(claim, language);
    let theirs: Vec<Negation> = span.iter().flat_map(|s| negations(s, language)).collect();
    // `all costs except the room`: the room is not paid.
    let excepted = |scope: &[&Term]| {
        let marks = span.iter().flat_map(|s| s.marks.iter().map(move |m| (*s, m)));
        marks.filter(|(_, m)| m.mark == Mark::Except).any(|(s, m)| {
            let (led, _) = parts(s, m);
            !led.is_empty()
                && share(&led, &claim.terms.iter().collect::<Vec<_>>()) >= 0.5
                && share(scope, &s.terms.iter().collect::<Vec<_>>()) >= 0.5
        })
    };
    let passage: Vec<&Term> = span.iter().flat_map(|s| &s.terms).collect();
    // A sentence with one negation and a passage with one: put freely they stand next to other words.
    let one = own.len() == 1 && theirs.len() == 1 && span.len() == 1;
    for negation in &own {
        let meets = |t: &Negation| {
            let met = share(&negation.scope, &t.scope);
            negation.scope.is_empty() || met >= 0.5 || one && met > 0.0
        };
        let met = theirs.iter().any(meets) || turned(&negation.scope, &passage);
        if !met && !excepted(&negation.scope) {
            return Some(negation.word.to_owned());
        }
    }
    let terms: Vec<&Term> = claim.terms.iter().collect();
    for negation in &theirs {
        let concerned = !negation.scope.is_empty() && share(&negation.scope, &terms) >= 0.5;
        if concerned && !own.iter().any(|o| share(&o.scope, &negation.scope) > 0.0) && !turned(&negation.scope, &terms)
        {
            return Some(negation.word.to_owned());
        }
    }
    // `all costs, including the room` against `all costs except the room`.
    if own.is_empty() && !claim.has(Mark::Except) && !claim.has(Mark::Unless) {
        let marks = span.iter().flat_map(|s| s.marks.iter().map(move |m| (*s, m)));
        for (statement, mark) in marks.filter(|(_, m)| m.mark == Mark::Except) {
            let (led, rest) = parts(statement, mark);
            if share(&led, &terms) >= 0.5 && share(&rest, &terms) >= 0.5 {
                return Some(statement.words(mark));
            }
        }
    }
    if same && own.len() != theirs.len() && !own.iter().any(|o| excepted(&o.scope)) {
        return own.first().or(theirs.first()).map(|n| n.word.to_owned());
    }
    None
}

/// Whether one of the words in the scope of a negation has its contrary among others: `not open`, `closed`.
fn turned(scope: &[&Term], others: &[&Term]) -> bool {
    scope.iter().any(|term| others.iter().any(|other| term.opposes(other)) && !has(others, term))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::of;

    fn denies(claim: &str, span: &str, lang: &str) -> Option<String> {
        let (claim, span) = (Statement::read(claim, lang), Statement::read(span, lang));
        denial(&claim, &[&span], false, of(lang).expect("a table"))
    }

    #[test]
    fn negation_in_one_of_two_is_a_denial() {
        for (claim, span, lang) in [
            ("Lockers are not open at night.", "Lockers are open at night.", "en"),
            ("Lockers are open at night.", "Lockers aren't open at night.", "en"),
            ("Lockers work without power.", "Lockers work with power.", "en"),
            ("Die Automaten sind nicht teuer.", "Die Automaten sind teuer.", "de"),
            ("Les consignes ne sont pas chères.", "Les consignes sont chères.", "fr"),
            ("Постаматы не дороги.", "Постаматы дороги.", "ru"),
        ] {
            assert!(denies(claim, span, lang).is_some(), "{claim}");
        }
    }

    #[test]
    fn agreement_is_none() {
        for (claim, span, lang) in [
            ("Lockers do not close at night.", "At night lockers never close.", "en"),
            ("Lockers are not only cheap but open.", "Lockers are cheap and open.", "en"),
            ("Lockers are open at night.", "Lockers are open at night. Parcel shops with staff are not.", "en"),
            ("Patients are not allowed to drive.", "Patients must not drive.", "en"),
            ("The single room is not paid by the insurer.", "The insurer pays all costs except the single room.", "en"),
            ("Nobody is allowed to stay in the freezer.", "No worker may stay in the freezer.", "en"),
            ("Les consignes ne sont jamais chères.", "Les consignes ne sont pas chères.", "fr"),
            ("Lockers do not close at night.", "Lockers stay open at night.", "en"),
            ("Smoking is forbidden in the hall.", "Visitors must not smoke in the hall.", "en"),
        ] {
            assert_eq!(denies(claim, span, lang), None, "{claim}");
        }
    }
}

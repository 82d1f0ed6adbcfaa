//! Whether two statements deny each other: a negation in only one of them.

use galley_text::word;

use crate::lexicon::Language;

/// The words around a negation that it may negate.
const BEFORE: usize = 3;
const BEHIND: usize = 4;
/// Outside of English and German two negations this near are one: `ne … pas`, `no … nunca`.
const DOUBLE: usize = 4;

/// A negation and the stems of the content words near it.
struct Negation<'a> {
    word: &'a str,
    scope: Vec<String>,
}

fn negations<'a>(words: &'a [String], language: &Language) -> Vec<Negation<'a>> {
    let lang = language.table.code;
    let doubles = !matches!(lang, "en" | "de");
    let mut out: Vec<(usize, Negation)> = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let negates = language.negations.is(std::slice::from_ref(word)) || lang == "en" && word.ends_with("n't");
        if !negates || language.not_negations.starts(&words[i..]) {
            continue;
        }
        if doubles && out.last().is_some_and(|(last, _)| i - last <= DOUBLE) {
            continue;
        }
        let near = words[i.saturating_sub(BEFORE)..(i + 1 + BEHIND).min(words.len())].iter();
        let scope = near.filter(|w| *w != word && !word::is_stopword(w, lang)).map(|w| word::stem(w, lang)).collect();
        out.push((i, Negation { word, scope }));
    }
    out.into_iter().map(|(_, negation)| negation).collect()
}

fn meet(a: &[String], b: &[String]) -> usize {
    a.iter().filter(|word| b.contains(word)).count()
}

/// The word by which a claim and a span deny each other; `same` says that the two are nearly the same sentence.
///
/// Words are those of [`crate::lexicon::lower_tokens`].
pub(crate) fn denial(claim: &[String], span: &[String], same: bool, language: &Language) -> Option<String> {
    let lang = language.table.code;
    let (own, theirs) = (negations(claim, language), negations(span, language));
    for negation in &own {
        let met = theirs.iter().any(|t| meet(&negation.scope, &t.scope) * 2 >= negation.scope.len());
        if !met {
            return Some(negation.word.to_owned());
        }
    }
    if !theirs.is_empty() {
        let stems: Vec<String> = claim.iter().map(|w| word::stem(w, lang)).collect();
        for negation in &theirs {
            let concerned = meet(&negation.scope, &stems) * 2 >= negation.scope.len().max(1);
            if concerned && !own.iter().any(|o| meet(&o.scope, &negation.scope) > 0) {
                return Some(negation.word.to_owned());
            }
        }
    }
    if same && own.len() != theirs.len() {
        return own.first().or(theirs.first()).map(|n| n.word.to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::{lower_tokens, of};

    fn denies(claim: &str, span: &str, lang: &str) -> Option<String> {
        denial(&lower_tokens(claim), &lower_tokens(span), false, of(lang).expect("a table"))
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
            ("Les consignes ne sont jamais chères.", "Les consignes ne sont pas chères.", "fr"),
        ] {
            assert_eq!(denies(claim, span, lang), None, "{claim}");
        }
    }
}

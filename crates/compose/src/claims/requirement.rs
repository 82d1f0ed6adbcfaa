//! What a sentence makes something depend on: `only with a permit`, `not without a permit`, `a permit is needed`, `unless
//! there is no permit` say the same in other words, and `even without a permit` the contrary.

use super::{
    compare::{parts_of, share},
    statement::{Statement, Term},
};
use crate::lexicon::{Language, marks::Mark};

/// So many words behind `needs` or `without` at most say what is needed.
const LED: usize = 4;

/// The words of one language, with bars between.
struct Words {
    code: &'static str,
    without: &'static [&'static str],
    /// What stands between `only` and a condition; `only two` is none.
    with: &'static [&'static str],
    /// The condition stands behind it.
    needs: &'static [&'static str],
    /// The condition stands before it: `a permit is required`.
    needed: &'static [&'static str],
    forbids: &'static [&'static str],
    even: &'static [&'static str],
}

#[rustfmt::skip]
const WORDS: &[Words] = &[
    Words {
        code: "en",
        without: &["without"],
        with: &["with", "if", "when", "in", "under", "after", "by", "once", "where", "on", "for"],
        needs: &["needs", "need", "requires", "require", "needing", "requiring", "depends", "depend"],
        needed: &["necessary", "required", "needed", "prerequisite", "mandatory"],
        forbids: &["forbidden", "prohibited", "banned", "impossible", "refused", "barred"],
        even: &["even", "whether", "regardless"],
    },
    Words {
        code: "de",
        without: &["ohne"],
        with: &["mit", "wenn", "bei", "unter", "nach", "in", "falls", "sofern", "dann", "für"],
        needs: &["braucht", "brauchen", "benötigt", "benötigen", "erfordert", "erfordern", "verlangt"],
        needed: &["nötig", "notwendig", "erforderlich", "voraussetzung", "pflicht"],
        forbids: &["verboten", "untersagt", "unzulässig", "unmöglich", "verwehrt"],
        even: &["auch", "selbst", "sogar"],
    },
    Words {
        code: "fr",
        without: &["sans"],
        with: &["avec", "si", "en", "sous", "après", "sur", "lorsque", "quand", "pour"],
        needs: &["besoin", "exige", "exigent", "nécessite", "nécessitent", "requiert"],
        needed: &["nécessaire", "nécessaires", "obligatoire", "requis", "requise", "indispensable"],
        forbids: &["interdit", "interdite", "interdits", "interdites", "impossible", "exclu"],
        even: &["même"],
    },
    Words {
        code: "es",
        without: &["sin"],
        with: &["con", "si", "en", "bajo", "tras", "cuando", "después", "para"],
        needs: &["necesita", "necesitan", "requiere", "requieren", "exige", "exigen", "falta"],
        needed: &["necesario", "necesaria", "necesarios", "necesarias", "obligatorio", "obligatoria", "imprescindible"],
        forbids: &["prohibido", "prohibida", "prohibidos", "prohibidas", "imposible"],
        even: &["incluso", "aunque", "aun"],
    },
    Words {
        code: "it",
        without: &["senza"],
        with: &["con", "se", "in", "sotto", "dopo", "quando", "per"],
        needs: &["bisogno", "richiede", "richiedono", "serve", "servono", "occorre"],
        needed: &["necessario", "necessaria", "necessari", "necessarie", "obbligatorio", "obbligatoria"],
        forbids: &["vietato", "vietata", "vietati", "vietate", "proibito", "proibita", "impossibile"],
        even: &["anche", "nemmeno", "persino", "perfino"],
    },
    Words {
        code: "pt",
        without: &["sem"],
        with: &["com", "se", "em", "sob", "após", "quando", "depois", "para"],
        needs: &["precisa", "precisam", "requer", "requerem", "exige", "exigem"],
        needed: &["necessário", "necessária", "necessários", "necessárias", "obrigatório", "obrigatória", "preciso"],
        forbids: &["proibido", "proibida", "proibidos", "proibidas", "impossível"],
        even: &["mesmo", "até", "ainda"],
    },
    Words {
        code: "ru",
        without: &["без"],
        with: &["с", "со", "если", "при", "после", "под", "для", "когда"],
        needs: &["требует", "требуют", "требуется", "нужен", "нужна", "нужно", "нужны"],
        needed: &["необходимо", "необходим", "необходима", "обязательно", "требуется"],
        forbids: &["запрещено", "запрещен", "запрещён", "запрещена", "нельзя", "невозможно"],
        even: &["даже"],
    },
];

/// Whether a word forbids, in a language.
pub(super) fn forbids(word: &str, lang: &str) -> bool {
    WORDS.iter().any(|w| w.code == lang && w.forbids.contains(&word))
}

/// How a condition bears on the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bearing {
    /// The rest is so if the condition holds.
    If,
    /// The rest is so if the condition does not hold.
    IfNot,
    /// The rest is so with or without it.
    Either,
}

impl Bearing {
    fn turned(self, turn: bool) -> Self {
        match self {
            Self::If if turn => Self::IfNot,
            Self::IfNot if turn => Self::If,
            same => same,
        }
    }
}

#[derive(Debug)]
struct Requirement<'a> {
    at: usize,
    bearing: Bearing,
    led: Vec<&'a Term>,
    rest: Vec<&'a Term>,
    word: String,
}

/// What comparing the requirements of a sentence and a passage gave.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// Both make the same depend on the same.
    pub agreed: bool,
    /// The word by which they say the contrary.
    pub against: Option<String>,
}

pub(super) fn compare(claim: &Statement, passage: &[&Statement], language: &Language) -> Agreement {
    let mut out = Agreement::default();
    let Some(words) = WORDS.iter().find(|w| w.code == language.table.code) else { return out };
    let own = requirements(claim, words, language);
    if own.is_empty() {
        return out;
    }
    let theirs: Vec<Requirement> = passage.iter().flat_map(|s| requirements(s, words, language)).collect();
    for one in &own {
        let same = |o: &&Requirement| {
            alike(&one.led, &o.led)
                && (one.rest.is_empty()
                    || o.rest.is_empty()
                    || alike(&one.rest, &o.rest)
                    || share(&one.led, &o.led) == 1.0)
        };
        let bearings: Vec<Bearing> = theirs.iter().filter(same).map(|o| o.bearing).collect();
        if bearings.contains(&one.bearing) {
            out.agreed |= one.bearing != Bearing::Either;
        } else if !bearings.is_empty() {
            out.against.get_or_insert_with(|| one.word.clone());
        }
    }
    out
}

fn alike(a: &[&Term], b: &[&Term]) -> bool {
    !a.is_empty() && !b.is_empty() && share(a, b).max(share(b, a)) >= 0.5
}

fn requirements<'a>(statement: &'a Statement, words: &Words, language: &Language) -> Vec<Requirement<'a>> {
    let lower = &statement.lower;
    let is = |list: &[&str], i: usize| lower.get(i).is_some_and(|w| list.contains(&w.as_str()));
    let is_even = |at: usize| at > 0 && is(words.even, at - 1) || is(words.even, at);
    // `no more than`
    let bounded = |i: usize| {
        let bounds = statement.marks.iter().filter(|m| matches!(m.mark, Mark::AtMost | Mark::AtLeast | Mark::About));
        bounds.into_iter().any(|m| m.len > 1 && (m.at..m.at + m.len).contains(&i))
    };
    let negates = |i: usize| {
        let word = std::slice::from_ref(&lower[i]);
        let phrase = language.not_negations.starts(&lower[i..]);
        !is(words.without, i)
            && !phrase
            && !bounded(i)
            && !statement.is_in_phrase(i)
            && (language.negations.is(word) || lower[i].ends_with("n't") || is(words.forbids, i))
    };
    // `ne … pas`, `no … nunca`: two words of one negation.
    let denied = |range: std::ops::Range<usize>| range.clone().any(negates);
    let mut out = Vec::new();
    for at in 0..lower.len() {
        if is(words.without, at) {
            let bearing = if is_even(at) { Bearing::Either } else { Bearing::IfNot };
            out.extend(by_preposition(statement, at, bearing, &denied));
        }
    }
    let mut push = |at: usize, len: usize, bearing: Bearing| {
        let clause = statement.clause_of(at + len - 1);
        let (led, rest) = parts_of(statement, at, len);
        // `provided no`: the mark holds the negation.
        let behind = if bearing == Bearing::If { at + 1 } else { at + len }..clause.end;
        let main = if clause.start < at && statement.terms.iter().any(|t| t.at < at && clause.contains(&t.at)) {
            clause.start..at
        } else if clause.start == 0 {
            clause.end..statement.clause_of(clause.end).end
        } else {
            statement.clause_of(clause.start - 1)
        };
        let bearing = if is_even(at) { Bearing::Either } else { bearing };
        let turn = denied(behind) != denied(main.start..main.end.min(lower.len()));
        out.push(Requirement { at, bearing: bearing.turned(turn), led, rest, word: lower[at..at + len].join(" ") });
    };
    for placed in &statement.marks {
        match placed.mark {
            Mark::If | Mark::When => push(placed.at, placed.len, Bearing::If),
            Mark::Unless | Mark::Except => push(placed.at, placed.len, Bearing::IfNot),
            Mark::Only if is(words.with, placed.at + placed.len) => push(placed.at, placed.len, Bearing::If),
            Mark::Regardless => push(placed.at, placed.len, Bearing::Either),
            _ => {}
        }
    }
    for at in 0..lower.len() {
        if is(words.needs, at) {
            push(at, 1, Bearing::If);
        }
    }
    for at in (0..lower.len()).filter(|at| is(words.needed, *at)) {
        let (before, behind): (Vec<&Term>, Vec<&Term>) = statement.terms.iter().partition(|t| t.at < at);
        let led: Vec<&Term> = before.into_iter().rev().take(LED).collect();
        let rest = behind.into_iter().filter(|t| t.at > at).collect();
        out.push(Requirement { at, bearing: Bearing::If, led, rest, word: lower[at].clone() });
    }
    out.retain(|r| !r.led.is_empty());
    out.sort_by_key(|r| r.at);
    out
}

/// `without a guide`: the next word is the condition, the rest of the clause depends on it.
fn by_preposition<'a>(
    statement: &'a Statement,
    at: usize,
    bearing: Bearing,
    denied: &dyn Fn(std::ops::Range<usize>) -> bool,
) -> Option<Requirement<'a>> {
    let clause = statement.clause_of(at);
    let led = statement.terms.iter().find(|t| t.at > at && clause.contains(&t.at) && !t.figure)?;
    // `Without a guide, nobody may enter.`
    let alone = clause.start >= at && clause.end <= led.at + 2;
    let whole = if alone { statement.clause_of(clause.end) } else { clause };
    let rest = statement.terms.iter().filter(|t| whole.contains(&t.at) && t.at != led.at).collect();
    let turn = denied(whole.start..at.max(whole.start)) || denied((led.at + 1).max(whole.start)..whole.end);
    Some(Requirement { at, bearing: bearing.turned(turn), led: vec![led], rest, word: statement.lower[at].clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::of;

    fn compared(claim: &str, span: &str, lang: &str) -> Agreement {
        let (claim, span) = (Statement::read(claim, lang), Statement::read(span, lang));
        compare(&claim, &[&span], of(lang).expect("a table"))
    }

    #[test]
    fn one_requirement_in_other_words_is_agreed() {
        for (claim, span, lang) in [
            ("Visitors may not enter without a guide.", "Visitors may enter only with a guide.", "en"),
            ("A loan is renewed provided no other reader asks.", "A loan is renewed unless another reader asks.", "en"),
            ("An apprentice needs a trainer to use the press.", "Apprentices use the press only with a trainer.", "en"),
            ("Ohne Führer darf niemand hinein.", "Nur mit einem Führer darf man hinein.", "de"),
            ("Sin guía no se puede entrar.", "Se puede entrar solo con guía.", "es"),
        ] {
            let found = compared(claim, span, lang);
            assert!(
                found.agreed,
                "{claim}: {:?}",
                (found, Statement::read(claim, lang).marks, Statement::read(span, lang).marks)
            );
        }
    }

    #[test]
    fn the_contrary_of_a_requirement_is_against_it() {
        for (claim, span, lang) in [
            ("Visitors may enter even without a guide.", "Visitors may enter only with a guide.", "en"),
            ("Tickets are refunded if the pool closes.", "Tickets are not refunded if the pool closes.", "en"),
            ("Auch ohne Führer darf man hinein.", "Nur mit einem Führer darf man hinein.", "de"),
        ] {
            assert!(compared(claim, span, lang).against.is_some(), "{claim}");
        }
    }
}

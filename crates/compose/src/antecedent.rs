//! Words within a sentence that need another sentence before it: `turned these cherries into coffee`, `none of the 37`.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::lexicon::{self, Language};

/// Pointing words that stand before a noun.
const POINTING: [(&str, &str); 7] = [
    ("en", "this, these, those"),
    ("de", "diese, dieser, dieses, diesem, diesen, jene, jener, jenes, jenem, jenen"),
    ("fr", "cet, cette, ces, celle-ci, celui-ci, ceux-ci, celles-ci"),
    ("es", "este, esta, estos, estas, ese, esa, esos, esas, aquel, aquella, aquellos, aquellas"),
    ("it", "questo, questa, questi, queste, quel, quella, quei, quelle"),
    (
        "pt",
        "este, esta, estes, estas, esse, essa, esses, essas, neste, nesta, nestes, nestas, nesse, nessa, deste, desta,
         destes, destas, desse, dessa, desses, dessas, aquele, aquela",
    ),
    ("ru", "этот, эта, эти, этого, этой, этих, этому, этим, этом, этими, эту, такой, такая, такие"),
];
/// What may stand behind them without pointing back.
const EXEMPT: &str = "
    who, that, which, with, of, year, month, week, time, season, century, summer, winter, spring, autumn, morning, day,
    days, jahr, jahres, jahre, monat, woche, zeit, saison, jahrhundert, sommer, winter, année, mois, semaine, saison, siècle,
    été, hiver, año, mes, semana, temporada, siglo, verano, invierno, anno, mese, settimana, stagione, secolo, estate,
    inverno, ano, mês, época, século, verão, году, года, год, месяце, сезоне, веке, летом, che, di, que, qui, dont, de, del";
/// Words that take from a number of things named before: `none of the 37`.
const SHARE: &str = "
    none, all, most, each, some, few, half, keiner, keine, alle, einige, aucun, aucune, tous, toutes, certains, ninguno,
    ninguna, todos, todas, algunos, nessuno, nessuna, tutti, tutte, alcuni, nenhum, nenhuma, todos, alguns, никто, все,
    некоторые, ни";

type Words = HashSet<&'static str>;

static POINTING_WORDS: LazyLock<HashMap<&'static str, Words>> =
    LazyLock::new(|| POINTING.iter().map(|(code, list)| (*code, lexicon::entries(list).collect())).collect());
static EXEMPT_WORDS: LazyLock<Words> = LazyLock::new(|| lexicon::entries(EXEMPT).collect());
static SHARE_WORDS: LazyLock<Words> = LazyLock::new(|| lexicon::entries(SHARE).collect());

/// Whether a sentence has such words, whatever it starts with.
pub(crate) fn is_missing(lower: &[String], language: &Language) -> bool {
    let code = language.table.code;
    let pointing = POINTING_WORDS.get(code);
    let points = |at: usize| {
        pointing.is_some_and(|words| words.contains(lower[at].as_str()))
            && lower.get(at + 1).is_none_or(|next| !EXEMPT_WORDS.contains(next.as_str()))
    };
    let number = |at: usize| {
        lower.get(at).is_some_and(|word| {
            word.starts_with(|c: char| c.is_ascii_digit())
                || language.table.numerals.iter().any(|(name, _)| name == word)
        })
    };
    let shares = lower.first().is_some_and(|first| SHARE_WORDS.contains(first.as_str())) && (number(2) || number(3));
    // `Le lundi elle ouvre plus tard`
    let pronoun =
        code == "fr" && lower.iter().skip(1).take(3).any(|word| matches!(word.as_str(), "elle" | "elles" | "ils"));
    shares || pronoun || (0..lower.len()).any(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(sentence: &str, lang: &str) -> bool {
        is_missing(&lexicon::lower_tokens(sentence), lexicon::of(lang).expect("a table"))
    }

    #[test]
    fn words_that_need_the_sentence_before() {
        for (lang, sentence) in [
            ("en", "The twelve stations turned these cherries into coffee."),
            ("en", "None of the 37 had been vaccinated."),
            ("en", "Most shops answer this question at the counter."),
            ("de", "Die Stadt hat diese Regel im Herbst geändert."),
            ("fr", "Le lundi elle ouvre trois heures plus tard."),
            ("fr", "Aucun des 12 n'était vacciné."),
            ("es", "El consejo aprobó esta norma en mayo."),
            ("it", "Nessuno degli otto era vaccinato."),
            ("pt", "A câmara aprovou essa regra em maio."),
            ("ru", "Город изменил это правило и этот порядок осенью."),
        ] {
            assert!(missing(sentence, lang), "{sentence}");
        }
    }

    #[test]
    fn words_that_need_nothing() {
        for (lang, sentence) in [
            ("en", "Prices rose this year for those who pay by card."),
            ("en", "Most of the lockers stand next to shops."),
            ("en", "Some 40 shops sell bread."),
            ("de", "Die Preise stiegen dieses Jahr um drei Prozent."),
            ("fr", "Le lundi, la piscine ouvre plus tard."),
            ("es", "La piscina está cerrada este año."),
            ("ru", "Постамат — это шкаф с ячейками."),
        ] {
            assert!(!missing(sentence, lang), "{sentence}");
        }
    }
}

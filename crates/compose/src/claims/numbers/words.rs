//! Quantities in several words: `half an hour`, `a dozen`, `two thirds`.

use super::{Chunk, Number};
use crate::lexicon;

/// Words of a phrase at most.
const LONGEST: usize = 5;

/// By language: the words, the value, the unit. Longer phrases first.
type Table = &'static [(&'static str, f64, Option<&'static str>)];

const EN: Table = &[
    ("three quarters of an hour", 45.0, Some("minute")),
    ("a quarter of an hour", 15.0, Some("minute")),
    ("an hour and a half", 90.0, Some("minute")),
    ("half an hour", 30.0, Some("minute")),
    ("half hour", 30.0, Some("minute")),
    ("half a year", 6.0, Some("month")),
    ("half a day", 12.0, Some("hour")),
    ("half a dozen", 6.0, None),
    ("two dozen", 24.0, None),
    ("a dozen", 12.0, None),
    ("dozen", 12.0, None),
    ("three quarters", 75.0, Some("%")),
    ("two thirds", 66.667, Some("%")),
    ("one third", 33.333, Some("%")),
    ("a third of", 33.333, Some("%")),
    ("by a third", 33.333, Some("%")),
    ("one quarter of", 25.0, Some("%")),
    ("a quarter of", 25.0, Some("%")),
    ("half of", 50.0, Some("%")),
    ("by half", 50.0, Some("%")),
    ("half the", 50.0, Some("%")),
    ("a half", 50.0, Some("%")),
    ("twice", 2.0, Some("times")),
];
const DE: Table = &[
    ("anderthalb stunden", 90.0, Some("minute")),
    ("eineinhalb stunden", 90.0, Some("minute")),
    ("dreiviertelstunde", 45.0, Some("minute")),
    ("viertelstunde", 15.0, Some("minute")),
    ("halbe stunde", 30.0, Some("minute")),
    ("halben stunde", 30.0, Some("minute")),
    ("halbes jahr", 6.0, Some("month")),
    ("halben jahr", 6.0, Some("month")),
    ("drei viertel", 75.0, Some("%")),
    ("zwei drittel", 66.667, Some("%")),
    ("ein drittel", 33.333, Some("%")),
    ("ein viertel", 25.0, Some("%")),
    ("die hälfte", 50.0, Some("%")),
    ("der hälfte", 50.0, Some("%")),
    ("zur hälfte", 50.0, Some("%")),
    ("dutzend", 12.0, None),
];
const FR: Table = &[
    ("trois quarts d'heure", 45.0, Some("minute")),
    ("un quart d'heure", 15.0, Some("minute")),
    ("quart d'heure", 15.0, Some("minute")),
    ("une heure et demie", 90.0, Some("minute")),
    ("demi-heure", 30.0, Some("minute")),
    ("trois quarts", 75.0, Some("%")),
    ("deux tiers", 66.667, Some("%")),
    ("un tiers", 33.333, Some("%")),
    ("un quart", 25.0, Some("%")),
    ("la moitié", 50.0, Some("%")),
    ("de moitié", 50.0, Some("%")),
    ("moitié", 50.0, Some("%")),
    ("douzaine", 12.0, None),
];
const ES: Table = &[
    ("tres cuartos de hora", 45.0, Some("minute")),
    ("un cuarto de hora", 15.0, Some("minute")),
    ("cuarto de hora", 15.0, Some("minute")),
    ("hora y media", 90.0, Some("minute")),
    ("media hora", 30.0, Some("minute")),
    ("medio año", 6.0, Some("month")),
    ("tres cuartos", 75.0, Some("%")),
    ("dos tercios", 66.667, Some("%")),
    ("un tercio", 33.333, Some("%")),
    ("una cuarta parte", 25.0, Some("%")),
    ("un cuarto", 25.0, Some("%")),
    ("la mitad", 50.0, Some("%")),
    ("docena", 12.0, None),
];
const IT: Table = &[
    ("tre quarti d'ora", 45.0, Some("minute")),
    ("un quarto d'ora", 15.0, Some("minute")),
    ("quarto d'ora", 15.0, Some("minute")),
    ("un'ora e mezza", 90.0, Some("minute")),
    ("mezz'ora", 30.0, Some("minute")),
    ("tre quarti", 75.0, Some("%")),
    ("due terzi", 66.667, Some("%")),
    ("un terzo", 33.333, Some("%")),
    ("un quarto", 25.0, Some("%")),
    ("la metà", 50.0, Some("%")),
    ("dozzina", 12.0, None),
];
const PT: Table = &[
    ("três quartos de hora", 45.0, Some("minute")),
    ("um quarto de hora", 15.0, Some("minute")),
    ("quarto de hora", 15.0, Some("minute")),
    ("hora e meia", 90.0, Some("minute")),
    ("meia hora", 30.0, Some("minute")),
    ("meio ano", 6.0, Some("month")),
    ("três quartos", 75.0, Some("%")),
    ("dois terços", 66.667, Some("%")),
    ("um terço", 33.333, Some("%")),
    ("um quarto", 25.0, Some("%")),
    ("a metade", 50.0, Some("%")),
    ("metade", 50.0, Some("%")),
    ("dúzia", 12.0, None),
];
const RU: Table = &[
    ("четверть часа", 15.0, Some("minute")),
    ("четверти часа", 15.0, Some("minute")),
    ("полтора часа", 90.0, Some("minute")),
    ("полчаса", 30.0, Some("minute")),
    ("полгода", 6.0, Some("month")),
    ("три четверти", 75.0, Some("%")),
    ("две трети", 66.667, Some("%")),
    ("треть", 33.333, Some("%")),
    ("четверть", 25.0, Some("%")),
    ("половина", 50.0, Some("%")),
    ("половину", 50.0, Some("%")),
    ("вдвое", 50.0, Some("%")),
    ("дюжина", 12.0, None),
];

fn table(lang: &str) -> Table {
    match lexicon::primary(lang) {
        "en" => EN,
        "de" => DE,
        "fr" => FR,
        "es" => ES,
        "it" => IT,
        "pt" => PT,
        "ru" => RU,
        _ => &[],
    }
}

/// The quantity that some words in lower case begin with.
fn find<'t>(
    words: impl Iterator<Item = &'t str> + Clone,
    lang: &str,
) -> Option<&'static (&'static str, f64, Option<&'static str>)> {
    let fits = |phrase: &str| {
        let mut words = words.clone();
        phrase.split(' ').all(|word| words.next() == Some(word))
    };
    table(lang).iter().find(|(phrase, ..)| fits(phrase))
}

/// How many of `words`, in lower case, are a quantity that they begin with.
pub(crate) fn quantity(words: &[String], lang: &str) -> Option<usize> {
    find(words.iter().map(String::as_str), lang).map(|(phrase, ..)| phrase.split(' ').count())
}

/// `seven in ten`, `un client sur trois`: the share in percent, and how many words it takes.
fn share(words: &[String], lang: &str) -> Option<(f64, usize)> {
    let code = lexicon::primary(lang);
    let joints: &[&[&str]] = match code {
        "en" => &[&["in"], &["out", "of"], &["in", "every"], &["out", "of", "every"]],
        "de" => &[&["von"]],
        "fr" => &[&["sur"]],
        "es" => &[&["de", "cada"]],
        "it" => &[&["su"]],
        "pt" => &[&["em", "cada"], &["em"]],
        "ru" => &[&["из"]],
        _ => return None,
    };
    let numerals = lexicon::of(code)?.table.numerals;
    let value = |word: &String| match word.as_str() {
        "one" | "un" | "une" | "uno" | "una" | "um" | "uma" | "ein" | "eine" | "einer" | "один" => Some(1),
        word => numerals.iter().find(|(numeral, _)| *numeral == word).map(|(_, n)| *n),
    };
    let part = value(words.first()?)?;
    for skipped in 1..=2 {
        for joint in joints {
            let behind = words.get(skipped..)?;
            let joins = behind.len() > joint.len() && behind.iter().zip(*joint).all(|(a, b)| a == b);
            let whole = if joins { value(&behind[joint.len()]) } else { None };
            if let Some(whole @ (3..=5 | 10)) = whole.filter(|whole| *whole > part) {
                return Some((f64::from(part) * 100.0 / f64::from(whole), skipped + joint.len() + 1));
            }
        }
    }
    None
}

/// A quantity at the start of `chunks` and how many of them it takes.
pub(super) fn number(chunks: &[Chunk<'_>], lang: &str) -> Option<(Number, usize)> {
    let near: Vec<String> = chunks.iter().take(LONGEST).map(|c| lexicon::lower(c.text)).collect();
    if let Some((percent, taken)) = share(&near, lang) {
        let raw = near[..taken].join(" ");
        // As `a third` in the tables.
        let percent = (percent * 1000.0).round() / 1000.0;
        return Some((Number { readings: vec![percent], unit: Some("%"), noun: String::new(), raw }, taken));
    }
    let (phrase, value, unit) = find(near.iter().map(String::as_str), lang)?;
    let taken = phrase.split(' ').count();
    let raw = chunks[..taken].iter().map(|c| c.text).collect::<Vec<_>>().join(" ");
    Some((Number { readings: vec![*value], unit: *unit, noun: String::new(), raw }, taken))
}

#[cfg(test)]
mod tests {
    use super::super::read;

    #[test]
    fn quantities_in_words_are_figures() {
        for (words, figures, lang) in [
            ("half an hour", "30 minutes", "en"),
            ("a dozen coaches", "12 coaches", "en"),
            ("half of the riders", "50 percent of the riders", "en"),
            ("eine Viertelstunde", "15 Minuten", "de"),
            ("un quart d'heure", "15 minutes", "fr"),
            ("media hora", "30 minutos", "es"),
            ("mezz'ora", "30 minuti", "it"),
            ("meia hora", "30 minutos", "pt"),
            ("полчаса", "30 минут", "ru"),
            ("seven in ten riders", "70 percent of the riders", "en"),
            ("three out of four riders", "75 percent of the riders", "en"),
            ("vier von zehn Kunden", "40 Prozent der Kunden", "de"),
            ("un client sur quatre", "25 % des clients", "fr"),
        ] {
            let (a, b) = (read(words, lang).numbers, read(figures, lang).numbers);
            assert!(a.len() == 1 && a[0].matches(&b[0]), "{words}: {a:?} {b:?}");
        }
    }
}

//! Which language a text is in.

use whatlang::Lang;

use crate::word;

/// Texts with fewer letters are not judged: titles and names fool every detector.
const LEAST_LETTERS: usize = 40;
/// The beginning tells as much as the whole.
const LOOKED_AT_CHARS: usize = 8_000;

/// The language of a text as ISO 639-1, e.g. `en`. `None` when the text is short or the language unclear.
pub fn detect(text: &str) -> Option<&'static str> {
    let end = text.char_indices().nth(LOOKED_AT_CHARS).map_or(text.len(), |(i, _)| i);
    let sample = &text[..end];
    if sample.chars().filter(|c| c.is_alphabetic()).take(LEAST_LETTERS).count() < LEAST_LETTERS {
        return None;
    }
    let info = whatlang::detect(sample)?;
    info.is_reliable().then(|| iso_639_1(info.lang()))
}

/// The language of a text that is too short for [`detect`], by its commonest words: one of those that we have a list of.
pub fn by_common_words(text: &str) -> Option<&'static str> {
    /// Fewer of them stand in other languages too.
    const LEAST: usize = 4;
    const LEAST_PERCENT: usize = 15;
    if let Some(found) = detect(text) {
        return Some(found);
    }
    let words: Vec<&str> = word::iter(text).take(1_000).collect();
    let mut counts: Vec<(usize, &'static str)> = word::LANGUAGES_WITH_STOPWORDS
        .iter()
        .map(|lang| (words.iter().filter(|w| word::is_stopword(w, lang)).count(), *lang))
        .collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let (most, second) = (counts.first()?, counts.get(1)?);
    let is_clear = most.0 > second.0 && most.0 >= LEAST && most.0 * 100 >= words.len() * LEAST_PERCENT;
    is_clear.then_some(most.1)
}

/// The language of a text, where that is surely another than `expected` (ISO 639-1, a region is ignored).
pub fn other_than(text: &str, expected: &str) -> Option<&'static str> {
    let expected = expected.split(['-', '_']).next().unwrap_or(expected);
    // A language that the detector does not know is taken for one that it knows.
    let is_known = Lang::all().iter().any(|lang| is_near(iso_639_1(*lang), expected));
    detect(text).filter(|found| is_known && !is_near(found, expected))
}

/// Whether two languages are the same, or so close that a text may be taken for either.
pub fn is_near(a: &str, b: &str) -> bool {
    const NEAR: [&[&str]; 6] = [
        &["da", "nb", "nn", "no"],
        &["hr", "sr", "bs", "sl"],
        &["cs", "sk"],
        &["id", "ms", "jv"],
        &["pt", "gl"],
        &["bg", "mk"],
    ];
    a.eq_ignore_ascii_case(b) || NEAR.iter().any(|group| group.contains(&a) && group.contains(&b))
}

fn iso_639_1(lang: Lang) -> &'static str {
    match lang {
        Lang::Afr => "af",
        Lang::Aka => "ak",
        Lang::Amh => "am",
        Lang::Ara => "ar",
        Lang::Aze => "az",
        Lang::Bel => "be",
        Lang::Ben => "bn",
        Lang::Bul => "bg",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Cmn => "zh",
        Lang::Cym => "cy",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Epo => "eo",
        Lang::Est => "et",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Guj => "gu",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Hye => "hy",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jav => "jv",
        Lang::Jpn => "ja",
        Lang::Kan => "kn",
        Lang::Kat => "ka",
        Lang::Khm => "km",
        Lang::Kor => "ko",
        Lang::Lat => "la",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Mal => "ml",
        Lang::Mar => "mr",
        Lang::Mkd => "mk",
        Lang::Mya => "my",
        Lang::Nep => "ne",
        Lang::Nld => "nl",
        Lang::Nob => "nb",
        Lang::Ori => "or",
        Lang::Pan => "pa",
        Lang::Pes => "fa",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Sin => "si",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Sna => "sn",
        Lang::Spa => "es",
        Lang::Srp => "sr",
        Lang::Swe => "sv",
        Lang::Tam => "ta",
        Lang::Tel => "te",
        Lang::Tgl => "tl",
        Lang::Tha => "th",
        Lang::Tuk => "tk",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Urd => "ur",
        Lang::Uzb => "uz",
        Lang::Vie => "vi",
        Lang::Yid => "yi",
        Lang::Zul => "zu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_of_a_few_sentences() {
        for (text, lang) in [
            ("The quick brown fox jumps over the lazy dog while the other animals are watching from the hill.", "en"),
            ("Die Katze liegt auf dem Sofa und schläft, während draußen der Regen gegen die Fenster schlägt.", "de"),
            ("Le chat dort sur le canapé pendant que la pluie frappe contre les fenêtres de la maison.", "fr"),
            ("El gato duerme en el sofá mientras la lluvia golpea las ventanas de la casa de mi abuela.", "es"),
            ("Il gatto dorme sul divano mentre la pioggia batte contro le finestre della casa della nonna.", "it"),
            ("O gato dorme no sofá enquanto a chuva bate contra as janelas da casa da minha avó, não é?", "pt"),
            (
                "Кошка спит на диване, а дождь стучит в окна старого дома, который стоит на берегу реки. \
              Хозяйка ещё не вернулась с работы, и поэтому в доме было очень тихо. Это был обычный день.",
                "ru",
            ),
            ("Кішка спить на дивані, а дощ стукає у вікна старого будинку, який стоїть на березі річки.", "uk"),
            ("Η γάτα κοιμάται στον καναπέ ενώ η βροχή χτυπάει τα παράθυρα του παλιού σπιτιού.", "el"),
        ] {
            assert_eq!(detect(text), Some(lang), "{text}");
        }
    }

    #[test]
    fn short_or_empty_texts_have_no_language() {
        for text in
            ["", "Hello", "Rust 1.95", "12345 67890 !!! ...... 1234567890 1234567890 1234567890 12345", "Café Berlin"]
        {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn another_language_is_told_only_where_it_is_sure() {
        let german = "Die Katze liegt auf dem Sofa und schläft, während draußen der Regen gegen die Fenster schlägt.";
        let danish = "Katten ligger på sofaen og sover, mens regnen slår mod ruderne i det gamle hus ved åen.";
        assert_eq!(other_than(german, "en-GB"), Some("de"));
        assert_eq!(other_than(german, "de"), None);
        assert_eq!(other_than("Kurz.", "en"), None);
        assert_eq!(other_than(danish, "no"), None);
        assert_eq!(other_than(german, "gl"), Some("de"), "Galician is near to one that is known");
        assert_eq!(other_than(german, "eu"), None, "Basque is not known, so it cannot be told from others");
    }

    #[test]
    fn short_texts_are_told_by_their_common_words() {
        for (text, lang) in [
            ("The pump is for all of the rooms.", Some("en")),
            ("Der Automat steht am Markt und ist für alle da.", Some("de")),
            ("Le four est dans la cuisine de la maison.", Some("fr")),
            ("Riga | 120 | Tartu | 80", None),
            ("", None),
        ] {
            assert_eq!(by_common_words(text), lang, "{text}");
        }
    }

    #[test]
    fn letters_that_are_no_language_are_unsure() {
        assert_eq!(detect(&"xq zk vw jp ".repeat(10)), None);
    }
}

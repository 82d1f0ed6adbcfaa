//! Units, scales and months in all languages of the tables, as data.

use crate::lexicon;

/// Units by the words and signs for them in all languages of the tables.
const UNITS: &[(&str, &[&str])] = &[
    ("%", &["%", "percent", "prozent", "porcentaje", "процент", "процента", "процентов", "pct"]),
    ("pp", &["percentage", "prozentpunkte", "prozentpunkten"]),
    ("eur", &["€", "eur", "euro", "euros", "евро"]),
    ("usd", &["$", "usd", "dollar", "dollars", "us$", "dólares", "dollari", "долларов"]),
    ("gbp", &["£", "gbp", "pounds"]),
    ("second", &["second", "seconds", "sekunden", "secondes", "segundos", "secondi", "секунд"]),
    ("minute", &["minute", "minutes", "min", "minuten", "minutos", "minuti", "минут"]),
    ("hour", &["hour", "hours", "h", "stunde", "stunden", "heures", "heure", "horas", "ore", "часов", "часа"]),
    (
        "day",
        &[
            "day", "days", "tag", "tage", "tagen", "jour", "jours", "día", "días", "giorni", "giorno", "dias", "дней",
            "дня",
        ],
    ),
    ("week", &["week", "weeks", "woche", "wochen", "semaine", "semaines", "semanas", "settimane", "недель", "недели"]),
    ("month", &["month", "months", "monat", "monate", "monaten", "mois", "meses", "mesi", "месяцев", "месяца"]),
    (
        "year",
        &[
            "year", "years", "jahr", "jahre", "jahren", "an", "ans", "années", "año", "años", "anni", "anos", "лет",
            "года",
        ],
    ),
    ("km", &["km", "kilometre", "kilometres", "kilometer", "kilometers", "kilomètres", "kilómetros", "chilometri"]),
    ("m", &["m", "metre", "metres", "meter", "meters", "metern", "mètres", "metros", "metri"]),
    ("cm", &["cm", "centimetres", "centimeters", "zentimeter"]),
    ("mm", &["mm", "millimetres", "millimeters", "millimeter"]),
    ("mile", &["mile", "miles", "meilen"]),
    ("kg", &["kg", "kilogram", "kilograms", "kilogramm", "kilo", "kilos"]),
    ("g", &["g", "gram", "grams", "gramm", "grammes"]),
    ("t", &["t", "tonne", "tonnes", "tons", "ton", "tonnen", "toneladas", "tonnellate", "тонн"]),
    ("kb", &["kb", "kib", "kilobytes"]),
    ("mb", &["mb", "mib", "megabytes", "megabyte"]),
    ("gb", &["gb", "gib", "gigabytes", "gigabyte"]),
    ("tb", &["tb", "tib", "terabytes", "terabyte"]),
    ("c", &["°c", "celsius"]),
    ("f", &["°f", "fahrenheit"]),
    ("times", &["times", "mal", "fois", "veces", "volte", "vezes", "раз"]),
];

const SCALES: &[(f64, &[&str])] = &[
    (1e2, &["hundred", "hundreds", "hundert", "hunderte", "hunderten"]),
    (
        1e3,
        &[
            "thousand",
            "thousands",
            "tausend",
            "tausende",
            "tausenden",
            "tsd",
            "mille",
            "mil",
            "mila",
            "тысяч",
            "тысячи",
            "тыс",
            "k",
        ],
    ),
    (
        1e6,
        &[
            "million",
            "millions",
            "mn",
            "mio",
            "millionen",
            "millones",
            "millón",
            "milioni",
            "milione",
            "milhões",
            "milhão",
            "миллион",
            "миллионов",
            "миллиона",
            "млн",
        ],
    ),
    (
        1e9,
        &[
            "billion",
            "billions",
            "bn",
            "mrd",
            "milliarde",
            "milliarden",
            "milliard",
            "milliards",
            "miliardi",
            "миллиард",
            "миллиардов",
            "млрд",
        ],
    ),
];

const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "jänner", "janvier", "enero", "gennaio", "janeiro", "января", "январь", "январе"],
    &["february", "feb", "februar", "février", "febrero", "febbraio", "fevereiro", "февраля", "февраль", "феврале"],
    &["march", "mar", "märz", "mars", "marzo", "março", "марта", "март", "марте"],
    &["april", "apr", "avril", "abril", "aprile", "апреля", "апрель", "апреле"],
    &["may", "mai", "mayo", "maggio", "maio", "мая", "май", "мае"],
    &["june", "jun", "juni", "juin", "junio", "giugno", "junho", "июня", "июнь", "июне"],
    &["july", "jul", "juli", "juillet", "julio", "luglio", "julho", "июля", "июль", "июле"],
    &["august", "aug", "août", "agosto", "августа", "август", "августе"],
    &[
        "september",
        "sep",
        "sept",
        "septembre",
        "septiembre",
        "settembre",
        "setembro",
        "сентября",
        "сентябрь",
        "сентябре",
    ],
    &["october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre", "outubro", "октября", "октябрь", "октябре"],
    &["november", "nov", "novembre", "noviembre", "novembro", "ноября", "ноябрь", "ноябре"],
    &[
        "december",
        "dec",
        "dezember",
        "dez",
        "décembre",
        "diciembre",
        "dicembre",
        "dezembro",
        "декабря",
        "декабрь",
        "декабре",
    ],
];

/// The number of a month by its name.
pub(crate) fn month(word: &str) -> Option<u32> {
    let lower = lexicon::lower(word.trim_end_matches('.'));
    let found = MONTHS.iter().position(|names| names.contains(&lower.as_str()))?;
    u32::try_from(found + 1).ok()
}

/// The unit that a word or sign stands for.
pub(crate) fn unit_of(word: &str) -> Option<&'static str> {
    if word.is_empty() {
        return None;
    }
    let lower = lexicon::lower(word);
    UNITS.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(unit, _)| *unit)
}

/// What a word multiplies by.
pub(crate) fn scale_of(word: &str) -> Option<f64> {
    let lower = lexicon::lower(word);
    SCALES.iter().find(|(_, names)| names.contains(&lower.as_str())).map(|(scale, _)| *scale)
}

/// What a letter or word behind a sum of money multiplies by.
pub(crate) fn money_scale(word: &str) -> Option<f64> {
    match lexicon::lower(word).as_str() {
        "m" => Some(1e6),
        "b" => Some(1e9),
        "t" | "tn" => Some(1e12),
        _ => scale_of(word).filter(|_| word.len() <= 2),
    }
}

//! What only tells that somebody says the rest: `According to the report, …`, `…, the operator says`.

use crate::lexicon::{self, Language};

/// Words of such a phrase at most.
const LONGEST: usize = 8;

/// How a language reports.
struct Reports {
    code: &'static str,
    /// First words of a phrase that ends with a comma.
    according: &'static [&'static str],
    /// What the speaker does.
    verbs: &'static [&'static str],
    /// What comes before the rest; empty where a comma does.
    that: &'static str,
}

const REPORTS: &[Reports] = &[
    Reports {
        code: "en",
        according: &["according to", "as", "in the words of"],
        verbs: &[
            "says",
            "say",
            "said",
            "reports",
            "report",
            "reported",
            "states",
            "state",
            "stated",
            "writes",
            "write",
            "wrote",
            "explains",
            "explain",
            "explained",
            "notes",
            "note",
            "noted",
            "adds",
            "shows",
            "show",
            "found",
            "finds",
            "tells",
            "told",
            "mentions",
            "announced",
            "points out",
        ],
        that: "that",
    },
    Reports {
        code: "de",
        according: &["laut", "nach angaben", "nach", "gemäß", "zufolge", "wie", "so"],
        verbs: &[
            "sagt",
            "sagen",
            "sagte",
            "berichtet",
            "berichten",
            "berichtete",
            "erklärt",
            "erklären",
            "erklärte",
            "schreibt",
            "schreiben",
            "schrieb",
            "steht",
            "heißt",
            "zeigt",
            "zeigen",
            "meldet",
            "teilt",
            "mitteilt",
            "mitteilen",
            "angibt",
            "gibt an",
            "geben an",
        ],
        that: "dass",
    },
    Reports {
        code: "fr",
        according: &["selon", "d'après", "comme"],
        verbs: &[
            "dit",
            "disent",
            "indique",
            "indiquent",
            "explique",
            "expliquent",
            "précise",
            "précisent",
            "rapporte",
            "rapportent",
            "écrit",
            "écrivent",
            "affirme",
            "signale",
            "montre",
            "a indiqué",
            "a déclaré",
        ],
        that: "que",
    },
    Reports {
        code: "es",
        according: &["según", "de acuerdo con", "como"],
        verbs: &[
            "dice", "dicen", "dijo", "indica", "indican", "indicó", "explica", "explican", "explicó", "informa",
            "informan", "informó", "señala", "señalan", "señaló", "afirma", "escribe", "muestra",
        ],
        that: "que",
    },
    Reports {
        code: "it",
        according: &["secondo", "stando a", "come"],
        verbs: &[
            "dice",
            "dicono",
            "indica",
            "indicano",
            "spiega",
            "spiegano",
            "riferisce",
            "riferiscono",
            "riporta",
            "riportano",
            "scrive",
            "scrivono",
            "afferma",
            "afferma",
            "mostra",
        ],
        that: "che",
    },
    Reports {
        code: "pt",
        according: &["segundo", "de acordo com", "conforme", "como"],
        verbs: &[
            "diz", "dizem", "disse", "indica", "indicam", "explica", "explicam", "informa", "informam", "informou",
            "afirma", "afirmam", "escreve", "mostra", "relata", "relatam",
        ],
        that: "que",
    },
    Reports {
        code: "ru",
        according: &["согласно", "по словам", "по данным", "по сообщению", "как"],
        verbs: &[
            "говорит",
            "говорят",
            "сообщает",
            "сообщают",
            "сообщил",
            "сообщили",
            "пишет",
            "пишут",
            "указано",
            "указывает",
            "указывают",
            "отмечает",
            "отмечают",
            "сказано",
            "объясняет",
            "говорится",
        ],
        that: "что",
    },
];

/// The sentence without such a phrase, if it is about nobody by name and holds no figure: what remains is compared.
pub(crate) fn without(sentence: &str, language: &Language) -> Option<String> {
    let reports = REPORTS.iter().find(|r| r.code == language.table.code)?;
    before(sentence, reports).or_else(|| behind(sentence, reports))
}

fn before(sentence: &str, reports: &Reports) -> Option<String> {
    let comma = sentence.find(", ");
    if let Some(comma) = comma
        && is_plain(&sentence[..comma])
        && reports.is_source(&lexicon::lower_tokens(&sentence[..comma]))
    {
        return Some(raised(&sentence[comma + 2..]));
    }
    // `In the text it says: …`
    if let Some(colon) = sentence.find(": ")
        && is_plain(&sentence[..colon])
        && reports.has_verb(&lexicon::lower_tokens(&sentence[..colon]))
    {
        return Some(raised(&sentence[colon + 2..]));
    }
    // `The authors report that …`
    let (at, _) = sentence.match_indices(reports.that).find(|(at, that)| {
        let ends = sentence[at + that.len()..].starts_with(' ');
        ends && sentence[..*at].ends_with([' ', ','])
    })?;
    let head = sentence[..at].trim_end_matches([' ', ',']);
    let words = lexicon::lower_tokens(head);
    (is_plain(head) && reports.has_verb(&words)).then(|| raised(&sentence[at + reports.that.len() + 1..]))
}

fn behind(sentence: &str, reports: &Reports) -> Option<String> {
    let comma = sentence.rfind(", ")?;
    let tail = sentence[comma + 2..].trim_end_matches(['.', '!']);
    let words = lexicon::lower_tokens(tail);
    let says = words.len() <= 5 && reports.has_verb(&words);
    (is_plain(tail) && !tail.starts_with(char::is_uppercase) && (says || reports.is_source(&words)))
        .then(|| format!("{}.", &sentence[..comma]))
}

/// Whether a phrase is short, without figures and without names within it.
fn is_plain(phrase: &str) -> bool {
    let tokens = lexicon::tokens(phrase);
    let german = tokens.iter().skip(1).any(|(_, t)| t.chars().skip(1).any(char::is_uppercase));
    tokens.len() <= LONGEST && !german && !phrase.contains(|c: char| c.is_ascii_digit())
}

impl Reports {
    fn is_source(&self, words: &[String]) -> bool {
        let text = words.join(" ");
        self.according.iter().any(|first| text.strip_prefix(first).is_some_and(|rest| rest.starts_with(' ')))
            && (words.len() <= 5 || self.has_verb(words))
            && (!self.is_comparison(words) || self.has_verb(words))
            || self.code == "de" && words.last().is_some_and(|w| w == "zufolge")
    }

    /// `As a rule`, `Wie immer`: reports only with a verb.
    fn is_comparison(&self, words: &[String]) -> bool {
        let so = words[0] == "so" && !words.get(1).is_some_and(|w| matches!(w.as_str(), "der" | "die" | "das"));
        so || matches!(words[0].as_str(), "as" | "wie" | "comme" | "como" | "come" | "как" | "nach")
    }

    fn has_verb(&self, words: &[String]) -> bool {
        let text = words.join(" ");
        self.verbs.iter().any(|verb| words.iter().any(|w| w == verb) || verb.contains(' ') && text.contains(verb))
    }
}

fn raised(rest: &str) -> String {
    let mut chars = rest.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(sentence: &str, lang: &str) -> Option<String> {
        without(sentence, lexicon::of(lang).expect("a table"))
    }

    #[test]
    fn what_only_reports_is_taken_off() {
        for (sentence, lang, left) in [
            ("According to the report, lockers are open at night.", "en", "Lockers are open at night."),
            ("The authors report that lockers are open at night.", "en", "Lockers are open at night."),
            ("Lockers are open at night, the operator says.", "en", "Lockers are open at night."),
            ("Laut dem Bericht, so heißt es, ist alles gut.", "de", "So heißt es, ist alles gut."),
            ("Selon le rapport, les consignes sont ouvertes.", "fr", "Les consignes sont ouvertes."),
        ] {
            assert_eq!(rest(sentence, lang).as_deref(), Some(left), "{sentence}");
        }
    }

    #[test]
    fn what_says_more_stays() {
        for sentence in [
            "As a rule, lockers are open at night.",
            "According to 40 shops, lockers are open at night.",
            "Lockers are so small that parcels do not fit.",
        ] {
            assert_eq!(rest(sentence, "en"), None, "{sentence}");
        }
    }
}

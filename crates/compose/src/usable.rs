//! Which sentences may stand in an article, and which of them only directly behind the one before.
//!
//! The rules are on the careful side: a good sentence lost costs less than a bad one printed. A language without a
//! table gets the most careful rule of all: each sentence counts as hanging on the one before it, and a paragraph is
//! used only when all of it is usable.

use galley_text::word;

use crate::{
    antecedent,
    lexicon::{self, Language},
    unspaced,
};

/// Fewer words say too little to stand alone; more are not readable.
const WORDS: std::ops::RangeInclusive<usize> = 5..=55;
const MAX_BYTES: usize = 600;
/// The share of letters among what is not white space, in percent: less is code, data or a formula.
const MIN_LETTERS_PERCENT: usize = 70;
/// How many words from the start an anaphor is looked for behind a preposition or conjunction.
const ANAPHOR_REACH: usize = 4;

/// How a usable sentence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Free,
    /// It refers back, so it needs the sentence before it directly in front.
    Hangs,
}

/// Whether a sentence may be used, and how it stands. `None`: not at all.
pub(crate) fn judge(sentence: &str, language: Option<&Language>) -> Option<Standing> {
    if language.is_none() && word::is_unspaced_text(sentence) {
        return has_sound_form(sentence, None).then(|| unspaced::judge(sentence, false)).flatten();
    }
    let tokens = lexicon::tokens(sentence);
    if !has_sound_form(sentence, Some(tokens.len())) {
        return None;
    }
    let lower: Vec<String> = tokens.iter().map(|(_, t)| lexicon::lower(t)).collect();
    let Some(language) = language else {
        return Some(Standing::Hangs);
    };
    let refused = language.pointing.anywhere(&lower)
        || language.boilerplate.anywhere(&lower)
        || language.imperatives.starts(&lower)
        || speaks_of_itself(sentence, language)
        || points_by_number(&lower);
    (!refused).then(|| if hangs(sentence, language) { Standing::Hangs } else { Standing::Free })
}

/// The same of what somebody says, which is printed as a quotation: in it, the first person is the speaker.
pub(crate) fn judge_speech(speech: &str, language: Option<&Language>) -> Option<Standing> {
    if language.is_none() && word::is_unspaced_text(speech) {
        return has_sound_form(speech, None).then(|| unspaced::judge(speech, true)).flatten();
    }
    let lower = lexicon::lower_tokens(speech);
    if !has_sound_form(speech, Some(lower.len())) {
        return None;
    }
    let Some(language) = language else { return Some(Standing::Hangs) };
    let refused = language.pointing.anywhere(&lower)
        || language.boilerplate.anywhere(&lower)
        || language.imperatives.starts(&lower)
        || points_by_number(&lower);
    (!refused).then(|| if hangs(speech, language) { Standing::Hangs } else { Standing::Free })
}

/// Whether an item of a list, or the sentence that leads to one, can be printed with its list.
pub(crate) fn is_sound_item(item: &str, language: Option<&Language>) -> bool {
    let lower = lexicon::lower_tokens(item);
    let letters = item.chars().filter(|c| c.is_alphabetic() || word::is_of_unspaced_script(*c)).count();
    let speaks = language.is_some_and(|language| {
        // `The following parts` are those of the list.
        language.boilerplate.anywhere(&lower) || speaks_of_itself(item, language) || points_by_number(&lower)
    });
    item.len() <= MAX_BYTES
        && letters * 2 >= item.chars().filter(|c| !c.is_whitespace()).count()
        && is_balanced(item)
        && !item.contains(['?', '!'])
        && !looks_like_code(item)
        && !is_shouted(item)
        && !speaks
}

/// Form alone: complete, of readable length, no code, no address, nothing cut off. `tokens`: where words can be counted.
fn has_sound_form(sentence: &str, tokens: Option<usize>) -> bool {
    tokens.is_none_or(|tokens| WORDS.contains(&tokens))
        && sentence.len() <= MAX_BYTES
        && starts_soundly(sentence)
        && ends_soundly(sentence)
        && is_balanced(sentence)
        && !looks_like_code(sentence)
        && !is_shouted(sentence)
        && !holds_two(sentence)
        && is_mostly_letters(sentence)
}

fn starts_soundly(sentence: &str) -> bool {
    let first = sentence
        .trim_start_matches(['"', '“', '„', '«', '‘', '\'', ' ', '\u{a0}', '「', '『', '《', '（'])
        .chars()
        .next();
    first.is_some_and(|c| c.is_alphanumeric() && !c.is_lowercase())
}

/// A full stop, possibly inside a closing quote or bracket. Questions, shouts, list heads and ellipses are out.
fn ends_soundly(sentence: &str) -> bool {
    let bare = sentence.trim_end_matches(['"', '”', '“', '»', '’', '\'', ')', ' ', '\u{a0}', '」', '』', '）']);
    let stops = bare.ends_with('.') && !bare.ends_with("..") || bare.ends_with(['。', '।']);
    (stops || unspaced::ends_without_stop(bare)) && !sentence.contains('?')
}

/// Whether a sentence asks, also in quotation marks.
pub(crate) fn asks(sentence: &str) -> bool {
    sentence.trim_end_matches(['"', '”', '“', '»', '’', ' ', '\u{a0}', '」', '』']).ends_with(['?', '？'])
}

fn is_balanced(sentence: &str) -> bool {
    let count = |c: char| sentence.matches(c).count();
    let german = count('„') > 0;
    count('(') == count(')')
        && count('[') == count(']')
        && count('"').is_multiple_of(2)
        && count('«') == count('»')
        && count('「') == count('」')
        && count('（') == count('）')
        && if german { count('„') == count('“') + count('”') } else { count('“') == count('”') }
}

fn looks_like_code(sentence: &str) -> bool {
    const SIGNS: &[&str] = &[
        "://", "www.", "{", "}", "<", ">", "`", "\\", "=", "()", "[]", "::", "->", "|", "~", "^", "$ ", "&&", "#", "*",
        "_", ".html", ".com/", " --", " -- ", "…", "→", "»»", "©", "®", "[edit", "/*", ";;", "%s", "$(", "./", "/etc/",
        "/usr", "/var", "/dev", "/home", "•", "·", " / ",
    ];
    SIGNS.iter().any(|sign| sentence.contains(sign))
        || sentence.contains('@')
        || sentence.split_whitespace().any(|chunk| {
            let inner = chunk.trim_matches(|c: char| !c.is_alphanumeric());
            chunk.starts_with(['-', '/']) && inner.chars().next().is_some_and(char::is_alphabetic)
                || inner.len() > 45 && !word::is_unspaced_text(inner)
        })
}

/// More than two words in capitals only, or most of the words capitalised as in a headline.
fn is_shouted(sentence: &str) -> bool {
    let words: Vec<&str> = lexicon::tokens(sentence).into_iter().map(|(_, t)| t).collect();
    let shouted = words.iter().filter(|w| w.chars().count() > 3 && w.chars().all(char::is_uppercase)).count();
    shouted > 3
}

/// A full stop behind a whole word and a small letter behind it: two sentences that were run together.
fn holds_two(sentence: &str) -> bool {
    sentence.match_indices(". ").any(|(at, stop)| {
        let word = sentence[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        let closed = sentence[..at].ends_with([')', '”', '"']);
        let short = ["approx", "incl", "excl", "resp", "prof", "misc", "dept", "zzgl", "evtl"]
            .contains(&word.to_lowercase().as_str());
        let long = word.chars().count() >= 4 && !short || closed;
        long && sentence[at + stop.len()..].starts_with(char::is_lowercase)
    })
}

fn is_mostly_letters(sentence: &str) -> bool {
    let (mut letters, mut visible) = (0_usize, 0_usize);
    for c in sentence.chars().filter(|c| !c.is_whitespace()) {
        visible += 1;
        // The signs of vowels and tones are no letters by themselves.
        letters += usize::from(c.is_alphabetic() || word::is_of_unspaced_script(c));
    }
    letters * 100 >= visible * MIN_LETTERS_PERCENT
}

/// First person outside of quotation marks.
fn speaks_of_itself(sentence: &str, language: &Language) -> bool {
    let unquoted = without_quotes(sentence);
    let tokens = lexicon::tokens(&unquoted);
    tokens.iter().enumerate().any(|(i, (at, token))| {
        let is_us = *token == "US" || *token == "I" || *token == "Me";
        if *token == "I" && language.table.code == "en" {
            let numeral = i > 0 && tokens[i - 1].1.starts_with(char::is_uppercase) && i > 1;
            let part = unquoted[at + 1..].starts_with(['/', '.', '-', ')']);
            return !numeral && !part;
        }
        // Elided `j'ai` and the like are matched by their pronoun.
        let lower = lexicon::lower(token);
        let elided = language.table.code == "fr" && (lower.starts_with("j'") || lower.starts_with("m'"));
        !is_us && (elided || language.first_person.is(&[lower]))
    })
}

/// The text with what stands in quotation marks blanked out.
fn without_quotes(sentence: &str) -> String {
    let mut inside = None;
    sentence
        .chars()
        .map(|c| match (inside, c) {
            (None, '"') => {
                inside = Some('"');
                ' '
            }
            (None, '“') => {
                inside = Some('”');
                ' '
            }
            (None, '„') => {
                inside = Some('“');
                ' '
            }
            (None, '«') => {
                inside = Some('»');
                ' '
            }
            (Some(end), c) if c == end || (end == '“' && c == '”') => {
                inside = None;
                ' '
            }
            (Some(_), _) => ' ',
            (None, c) => c,
        })
        .collect()
}

/// `Figure 3`, `Table 2`, `Section 4.1`: things that the article does not have.
fn points_by_number(lower: &[String]) -> bool {
    const PARTS: &[&str] = &[
        "figure",
        "fig",
        "table",
        "section",
        "sections",
        "chapter",
        "chapters",
        "appendix",
        "listing",
        "example",
        "equation",
        "step",
        "page",
        "exhibit",
        "box",
        "sidebar",
        "note",
        "abbildung",
        "abb",
        "tabelle",
        "kapitel",
        "abschnitt",
        "seite",
        "anhang",
        "schritt",
        "tableau",
        "chapitre",
        "annexe",
        "étape",
        "figura",
        "tabla",
        "capítulo",
        "sección",
        "página",
        "paso",
        "tabella",
        "capitolo",
        "sezione",
        "pagina",
        "tabela",
        "seção",
        "глава",
        "рисунок",
        "таблица",
        "раздел",
    ];
    lower.windows(2).any(|pair| {
        PARTS.contains(&pair[0].as_str())
            && (pair[1].starts_with(|c: char| c.is_ascii_digit()) || pair[1].len() == 1 && pair[1] != "a")
    })
}

/// Whether a sentence refers back to what stands before it.
pub(crate) fn hangs(sentence: &str, language: &Language) -> bool {
    let tokens = lexicon::tokens(sentence);
    let lower: Vec<String> = tokens.iter().map(|(_, t)| lexicon::lower(t)).collect();
    if language.exempt.starts(&lower) {
        return false;
    }
    opens_backwards(&lower, language)
        || language.inner.anywhere(&lower)
        || language.tails.ends(&lower)
        || has_early_anaphor(&tokens, &lower, language)
        || match sentence.contains(['"', '“', '„', '«']) {
            // What somebody says points to what was around them.
            true => antecedent::is_missing(&lexicon::lower_tokens(&without_quotes(sentence)), language),
            false => antecedent::is_missing(&lower, language),
        }
        || language.table.code == "en" && has_late_pronoun(sentence, &lower)
        || language.table.code == "de" && is_german_demonstrative(&tokens)
}

/// `The gain is small` refers back, `The gain from lockers is small` does not.
fn opens_backwards(lower: &[String], language: &Language) -> bool {
    let Some(len) = language.openers.match_len(lower) else { return false };
    let article = language.table.code == "en" && lower[0] == "the" && len == 2;
    let told = ["of", "from", "between", "in", "for", "behind", "that", "with"];
    !(article && lower.get(2).is_some_and(|w| told.contains(&w.as_str())))
}

/// `In this case`, `When they arrive`, `With its help`.
fn has_early_anaphor(tokens: &[(usize, &str)], lower: &[String], language: &Language) -> bool {
    if !language.leads.starts(lower) {
        return false;
    }
    let reach = tokens.len().min(ANAPHOR_REACH);
    (1..reach).any(|i| {
        // Capitals within a sentence are names or, in German, forms of address.
        if tokens[i].1.starts_with(char::is_uppercase) {
            return false;
        }
        let next = lower.get(i + 1).map(String::as_str);
        let such_as = lower[i] == "such" && next == Some("as");
        let clause =
            matches!(lower[0].as_str(), "given" | "considering" | "now" | "provided" | "so") && lower[i] == "that";
        let word = &lower[i..=i];
        !such_as && !clause && (language.anaphors.is(word) || i == 1 && language.possessives.is(word))
    })
}

/// `Despite its age, it works`, `When plugged in, it works`: nothing before the comma that the pronoun could mean.
fn has_late_pronoun(sentence: &str, lower: &[String]) -> bool {
    const PREPOSITIONS: &[&str] = &[
        "despite", "unlike", "like", "with", "without", "besides", "beyond", "by", "in", "on", "at", "for", "from",
        "through", "during", "due", "thanks", "given", "based", "using", "instead", "since", "after", "before",
    ];
    const PRONOUNS: &[&str] = &["it", "they", "he", "she", "these", "those", "this", "its", "their"];
    let Some((clause, rest)) = sentence.split_once(',') else { return false };
    let pronoun = lexicon::lower_tokens(rest).first().is_some_and(|w| PRONOUNS.contains(&w.as_str()));
    let [first, second, ..] = lower else { return false };
    let participle = second.ends_with("ed") || second.ends_with("ing");
    // A name before the comma is what the pronoun means.
    let name = lexicon::tokens(clause).iter().skip(1).any(|(_, t)| t.starts_with(char::is_uppercase));
    pronoun && !name && (PREPOSITIONS.contains(&first.as_str()) || participle)
}

/// `Das führt zu …` against `Das neue Paket …`: a finite verb behind the article makes it a pronoun.
fn is_german_demonstrative(tokens: &[(usize, &str)]) -> bool {
    let [(_, first), (_, second), ..] = tokens else { return false };
    let inflected = ["e", "en", "er", "es", "em", "n"].iter().any(|ending| second.ends_with(ending));
    matches!(*first, "Das" | "Die" | "Der" | "Den" | "Dem") && second.starts_with(char::is_lowercase) && !inflected
}

/// Abbreviations that a sentence explains, as `PUDO` in `pick-up and drop-off points (PUDO)`.
pub(crate) fn explained_abbreviations(sentence: &str) -> Vec<&str> {
    sentence
        .split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(inside, _)| inside.trim())
        .filter(|inside| is_abbreviation(inside))
        .collect()
}

/// The abbreviations in a sentence.
pub(crate) fn abbreviations(sentence: &str) -> Vec<&str> {
    word::iter(sentence).map(|w| w.strip_suffix('s').unwrap_or(w)).filter(|w| is_abbreviation(w)).collect()
}

fn is_abbreviation(word: &str) -> bool {
    (2..=6).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(sentence: &str, lang: &str) -> Option<Standing> {
        judge(sentence, lexicon::of(lang))
    }

    #[test]
    fn plain_statements_stand_alone() {
        for (lang, sentence) in [
            ("en", "Parcel lockers cut the cost of a failed delivery by a third."),
            ("en", "In towns such as Riga, most lockers stand next to supermarkets."),
            ("en", "Since the end of World War I the harbour has been free of ice."),
            ("en", "“We never expected this,” said the head of the Tallinn depot in May."),
            ("de", "Wenn Sie ein Paket zurückgeben, brauchen Händler eine Nummer."),
            ("de", "Das neue Paketzentrum in Leipzig sortiert am Tag 300.000 Sendungen."),
            ("fr", "Il faut compter trois jours pour une livraison en zone rurale."),
            ("ru", "Постаматы сокращают стоимость доставки на треть в крупных городах."),
        ] {
            assert_eq!(standing(sentence, lang), Some(Standing::Free), "{sentence}");
        }
    }

    #[test]
    fn what_refers_back_hangs() {
        for (lang, sentence) in [
            ("en", "This cuts the cost of a failed delivery by a third."),
            ("en", "However, most lockers stand next to supermarkets in town."),
            ("en", "In this case the parcel goes back to the sender at once."),
            ("en", "When they arrive, parcels are weighed and sorted by size."),
            ("en", "Despite some rough edges, it sorts the parcels well."),
            ("en", "Dozens of other carriers now use the same model."),
            ("en", "The lockers, however, are cheap to run for most carriers."),
            ("en", "Rural customers like them and use parcel shops too."),
            ("en", "With their help, shops saved a third of the cost."),
            ("de", "Das führt zu höheren Kosten für die Händler."),
            ("de", "Deshalb stehen die Automaten meist neben Supermärkten."),
            ("fr", "Cela réduit le coût d'une livraison manquée d'un tiers."),
            ("es", "Sin embargo, la mayoría está junto a supermercados."),
            ("it", "Questo riduce il costo di una consegna mancata."),
            ("pt", "No entanto, a maioria fica ao lado de supermercados."),
            ("ru", "Однако большинство постаматов стоит у супермаркетов."),
        ] {
            assert_eq!(standing(sentence, lang), Some(Standing::Hangs), "{sentence}");
        }
    }

    #[test]
    fn unusable_sentences_are_refused() {
        for sentence in [
            "We use cookies to improve the shop for all of the visitors.",
            "Click here to read the full report on parcel lockers.",
            "How many parcels does a locker hold on a normal day?",
            "The most common reasons for returns are:",
            "As Figure 3 shows, most lockers stand next to supermarkets.",
            "The following carriers offer lockers in all of the country.",
            "Our shop sends all of the parcels with one carrier.",
            "Run apt-get install lockers --yes to set up the software.",
            "The method getLocker() returns the next free box in line.",
            "In this article you learn how parcel lockers are built.",
            "Lockers (and other boxes stand next to supermarkets in town.",
            "and stand next to supermarkets in most of the larger towns.",
            "The boxes are sorted by size. lockerctl is the best of them.",
            "Too short.",
        ] {
            assert_eq!(standing(sentence, "en"), None, "{sentence}");
        }
    }

    #[test]
    fn a_language_without_a_table_hangs_always() {
        assert_eq!(standing("Pakiautomaadid asuvad enamasti suurte poodide kõrval.", "et"), Some(Standing::Hangs));
    }

    #[test]
    fn abbreviations_are_found_where_they_are_explained() {
        assert_eq!(explained_abbreviations("Pick-up points (PUDO) are cheap."), ["PUDO"]);
        assert_eq!(abbreviations("Most PUDOs and the EU agree."), ["PUDO", "EU"]);
    }
}

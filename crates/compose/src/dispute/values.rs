//! The values of a sentence and the words around them.

use std::ops::Range;

use galley_text::word;

use crate::{
    lexicon::{self, Language, lower},
    similar::jaccard,
};

const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "januar",
    "februar",
    "märz",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "janvier",
    "février",
    "mars",
    "avril",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "gennaio",
    "febbraio",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "settembre",
    "ottobre",
    "dicembre",
    "janeiro",
    "fevereiro",
    "março",
    "maio",
    "junho",
    "julho",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
/// Words before a value that make it a round one or a bound.
const VAGUE: &[&str] = &[
    "about",
    "around",
    "nearly",
    "almost",
    "roughly",
    "approximately",
    "some",
    "over",
    "under",
    "than",
    "least",
    "most",
    "to",
    "rund",
    "etwa",
    "fast",
    "knapp",
    "ungefähr",
    "circa",
    "ca",
    "über",
    "unter",
    "als",
    "mindestens",
    "höchstens",
    "bis",
    "environ",
    "presque",
    "plus",
    "moins",
    "près",
    "casi",
    "unos",
    "unas",
    "más",
    "menos",
    "cerca",
    "circa",
    "quasi",
    "più",
    "meno",
    "oltre",
    "quase",
    "mais",
    "menos",
    "около",
    "почти",
    "более",
    "менее",
    "до",
    "свыше",
];
/// Two round figures closer than this, in percent, are the same.
const NEAR_PERCENT: f64 = 10.0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A day, a month of a year, or a year.
    Date,
    /// A number with the word behind it, by its term or as it is written.
    Unit(String),
}

#[derive(Debug, Clone)]
pub(super) struct Value {
    pub kind: Kind,
    pub number: String,
    /// `more than 50`
    pub is_limit: bool,
    /// `about 50`
    is_round: bool,
    /// As the sentence has it.
    pub text: String,
}

impl Value {
    /// Whether both say the same: a year says the same as a day of that year.
    pub fn same_as(&self, other: &Self) -> bool {
        self.kind == other.kind
            && (self.number == other.number
                || self.kind == Kind::Date
                    && (self.number.starts_with(&other.number) || other.number.starts_with(&self.number)))
    }

    /// Whether they differ by less than rounding.
    pub fn is_near(&self, other: &Self) -> bool {
        if !(self.is_round || other.is_round) {
            return false;
        }
        let (Ok(a), Ok(b)) = (self.number.parse::<f64>(), other.number.parse::<f64>()) else { return false };
        (a - b).abs() * 100.0 <= NEAR_PERCENT * a.abs().max(b.abs())
    }
}

/// A sentence taken apart.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The terms beside values and names, sorted.
    pub words: Vec<u32>,
    pub values: Vec<Value>,
    /// Names of people, firms and places as they stand, each with the two words before it.
    names: Vec<(String, [String; 2])>,
}

struct Token<'a> {
    text: &'a str,
    lower: String,
    range: Range<usize>,
}

impl Frame {
    pub fn read(sentence: &str, language: &Language, term: impl Fn(&str) -> Option<u32>) -> Self {
        let tokens: Vec<Token> = word::indices(sentence)
            .map(|(at, text)| Token { text, lower: lower(text), range: at..at + text.len() })
            .collect();
        let mut frame = Self::default();
        let mut at = 0;
        while at < tokens.len() {
            let taken = frame
                .date(sentence, &tokens, at, language.table.code)
                .or_else(|| frame.number(sentence, &tokens, at, language, &term));
            at += match taken {
                Some(len) => len,
                None => frame.word(sentence, &tokens, at, language, &term),
            };
        }
        frame.words.sort_unstable();
        frame.words.dedup();
        frame
    }

    /// `12 June 1987`, `June 12, 1987`, `June 1987`, `1987`.
    fn date(&mut self, sentence: &str, tokens: &[Token], at: usize, lang: &str) -> Option<usize> {
        let is_month = |i: usize| tokens.get(i).is_some_and(|t| MONTHS.contains(&t.lower.as_str()));
        let month = |i: usize| MONTHS.iter().position(|m| tokens[i].lower == *m).map_or(0, |p| p % 12);
        let day = |i: usize| {
            let text = tokens.get(i)?.text.trim_end_matches(|c: char| !c.is_ascii_digit());
            text.parse::<u32>().ok().filter(|day| (1..=31).contains(day))
        };
        let year = |i: usize| {
            tokens.get(i).and_then(|t| t.text.parse::<u32>().ok()).filter(|year| (1500..=2199).contains(year))
        };
        let (number, len) = if day(at).is_some() && is_month(at + 1) {
            let (d, y) = (day(at)?, year(at + 2));
            (
                y.map_or(format!("-{}-{d}", month(at + 1)), |y| format!("{y}-{}-{d}", month(at + 1))),
                2 + usize::from(y.is_some()),
            )
        } else if is_month(at) && day(at + 1).is_some() && year(at + 2).is_some() {
            (format!("{}-{}-{}", year(at + 2)?, month(at), day(at + 1)?), 3)
        } else if is_month(at) && year(at + 1).is_some() {
            (format!("{}-{}", year(at + 1)?, month(at)), 2)
        } else {
            // A number with a noun behind it is no year.
            let behind = tokens.get(at + 1).map(|next| (&sentence[tokens[at].range.end..next.range.start], next));
            let noun =
                |next: &Token| lang != "de" && !is_small(&next.lower) || next.text.starts_with(char::is_uppercase);
            let counted = behind.is_some_and(|(gap, next)| gap.trim().is_empty() && noun(next));
            (year(at).filter(|_| !counted)?.to_string(), 1)
        };
        let range = tokens[at].range.start..tokens[at + len - 1].range.end;
        self.values.push(Value {
            kind: Kind::Date,
            number,
            is_limit: is_vague(tokens, at) && len == 1,
            is_round: false,
            text: sentence[range].to_owned(),
        });
        Some(len)
    }

    fn number(
        &mut self,
        sentence: &str,
        tokens: &[Token],
        at: usize,
        language: &Language,
        term: &impl Fn(&str) -> Option<u32>,
    ) -> Option<usize> {
        let token = &tokens[at];
        let numeral = language.table.numerals.iter().find(|(word, _)| *word == token.lower);
        let number = match numeral {
            Some((_, number)) => number.to_string(),
            None => digits(token.text)?,
        };
        let end = token.range.end;
        let unit = if token.text.ends_with('%') || sentence[end..].trim_start().starts_with('%') {
            "%".to_owned()
        } else {
            let next = tokens.get(at + 1).filter(|next| sentence[end..next.range.start].trim().is_empty());
            let before = sentence[..token.range.start].chars().next_back();
            match (next, before) {
                (_, Some(sign @ ('$' | '€' | '£'))) => sign.to_string(),
                (Some(next), _) => term(next.text).map_or_else(|| next.lower.clone(), |id| format!("#{id}")),
                _ => match sentence[end..].trim_start().chars().next() {
                    Some(sign @ ('€' | '$' | '£' | '°')) => sign.to_string(),
                    _ => return Some(1),
                },
            }
        };
        let near = is_vague(tokens, at);
        let round = near
            && tokens[..at].last().is_some_and(|t| {
                !matches!(
                    t.lower.as_str(),
                    "than" | "least" | "to" | "als" | "over" | "under" | "über" | "unter" | "bis"
                )
            });
        let text_end = tokens.get(at + 1).filter(|_| unit.len() > 1).map_or(end, |next| next.range.end);
        self.values.push(Value {
            kind: Kind::Unit(unit),
            number,
            is_limit: near && !round,
            is_round: round,
            text: sentence[token.range.start..text_end].to_owned(),
        });
        Some(1)
    }

    /// A word of the frame, or a name; returns how many tokens that took.
    fn word(
        &mut self,
        sentence: &str,
        tokens: &[Token],
        at: usize,
        language: &Language,
        term: &impl Fn(&str) -> Option<u32>,
    ) -> usize {
        let capital = |i: usize| tokens.get(i).is_some_and(|t| t.text.starts_with(char::is_uppercase));
        let joined = |i: usize| sentence[tokens[i - 1].range.end..tokens[i].range.start].trim().is_empty();
        let mut end = at + 1;
        while at > 0 && capital(at) && capital(end) && joined(end) {
            end += 1;
        }
        // German writes every noun with a capital; there a name has two words.
        let least = if language.table.code == "de" { 2 } else { 1 };
        if at > 1 && capital(at) && end - at >= least && sentence[..tokens[at].range.start].ends_with(' ') {
            let before = [at - 2, at - 1].map(|i| word::stem(&tokens[i].lower, language.table.code));
            self.names.push((sentence[tokens[at].range.start..tokens[end - 1].range.end].to_owned(), before));
        }
        for token in &tokens[at..end] {
            if !is_small(&token.lower) && !word::is_stopword(&token.lower, language.table.code) {
                self.words.extend(term(token.text));
            }
        }
        end - at
    }

    /// Where names stand in one sentence and others in the other, their values are not of the same thing.
    pub fn names_beside(&self, other: &Self) -> bool {
        let has = |frame: &Self, name: &str| frame.names.iter().any(|(own, _)| own == name);
        let foreign = |a: &Self, b: &Self| a.names.iter().filter(|(name, _)| !has(b, name)).count();
        foreign(self, other) == 0 || foreign(other, self) == 0
    }

    /// One name that differs behind the same words, where everything else is the same.
    pub fn by_name(&self, other: &Self, least: f32) -> Option<(String, String)> {
        let [(name, before)] = self.names.as_slice() else { return None };
        let [(their, their_before)] = other.names.as_slice() else { return None };
        let apart = |a: &str, b: &str| lexicon::lower_tokens(a).iter().all(|w| !lexicon::lower_tokens(b).contains(w));
        let values = self.values.len() == other.values.len()
            && self.values.iter().all(|x| other.values.iter().any(|y| y.same_as(x)));
        let several = name.contains(' ') && their.contains(' ');
        if !(values && several && before == their_before && apart(name, their)) {
            return None;
        }
        let words = name.split(' ').count() + their.split(' ').count();
        // What is left of the frames without the names.
        let (union, both) = {
            let both = crate::vocabulary::shared(&self.words, &other.words);
            ((self.words.len() + other.words.len() - both).saturating_sub(words), both)
        };
        let alike = both as f32 >= least * union.max(1) as f32 && jaccard(&self.words, &other.words) > 0.0;
        alike.then(|| (name.clone(), their.clone()))
    }
}

fn is_small(lower: &str) -> bool {
    lower.chars().count() < 3 && !lower.chars().all(char::is_alphabetic)
        || matches!(
            lower,
            "and"
                | "or"
                | "in"
                | "on"
                | "by"
                | "as"
                | "to"
                | "it"
                | "the"
                | "when"
                | "after"
                | "before"
                | "for"
                | "with"
                | "but"
                | "from"
                | "at"
                | "und"
                | "mit"
                | "von"
                | "et"
                | "y"
                | "e"
                | "и"
                | "la"
                | "le"
        )
}

fn is_vague(tokens: &[Token], at: usize) -> bool {
    at > 0 && VAGUE.contains(&tokens[at - 1].lower.as_str())
}

/// A number as plain digits: `1,420` and `1.420` are `1420`, `2,5` is `2.5`.
fn digits(text: &str) -> Option<String> {
    let text = text.trim_end_matches(['%', '‰']);
    if !text.starts_with(|c: char| c.is_ascii_digit())
        || !text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’'))
    {
        return None;
    }
    let decimal = text
        .rfind(['.', ','])
        .filter(|at| text.len() - at - 1 != 3 || text.matches(['.', ',']).count() == 1 && text.starts_with('0'));
    let plain = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    Some(match decimal {
        Some(at) => format!("{}.{}", plain(&text[..at]), plain(&text[at + 1..])),
        None => plain(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Vocabulary;

    fn values(text: &str, lang: &str) -> Vec<String> {
        let language = lexicon::of(lang).expect("a table");
        let mut vocabulary = Vocabulary::default();
        vocabulary.add(text, lang);
        let frame = Frame::read(text, language, |word| vocabulary.find(word, lang).0.content.first().copied());
        frame.values.into_iter().map(|value| format!("{}={}", value.text, value.number)).collect()
    }

    #[test]
    fn values_of_all_spellings() {
        assert_eq!(
            values("It opened on 12 June 1987 and closed in 2009.", "en"),
            ["12 June 1987=1987-5-12", "2009=2009"]
        );
        assert_eq!(
            values("The span is 1,420 metres long and cost $310 million.", "en"),
            ["1,420 metres=1420", "310=310"]
        );
        assert_eq!(values("Der Tank fasst 2,5 Liter und zwölf Rohre.", "de"), ["2,5 Liter=2.5", "zwölf Rohre=12"]);
        assert_eq!(values("About 2,000 people came, 14 % of them by bus.", "en"), ["2,000 people=2000", "14=14"]);
    }
}

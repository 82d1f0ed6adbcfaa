//! A sentence as it is read for a comparison: its words by what they mean, the marks on them, its clauses.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::OnceLock,
};

use galley_text::word;

use super::{
    calendar::{month, weekday},
    light,
    numbers::quantity,
    units::{scale_of, unit_of},
};
use crate::lexicon::{
    self, Language,
    marks::{Mark, opposites, synonyms},
};

pub(super) const ARTICLES: &[&str] = &[
    "the", "a", "an", "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "le", "la",
    "les", "un", "une", "el", "los", "las", "una", "il", "lo", "gli", "i", "o", "os", "as", "um", "uma",
];
/// Letters that two words share from their start to be of one family: `introduce`, `introduction`.
const FAMILY: usize = 5;
/// Letters of endings at most.
const ENDING: usize = 5;
/// Words of a phrase of the synonyms at most.
const PHRASE: usize = 4;

/// A word that means something alone.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// In lower case; for a phrase of the synonyms all of it.
    pub word: String,
    stem: String,
    /// Groups of words that may stand for it.
    groups: Vec<u16>,
    /// Pairs of contraries that it belongs to, with its side.
    pub sides: Vec<(u16, bool)>,
    /// Its token.
    pub at: usize,
    pub figure: bool,
    /// A unit, a scale or a month: it counts with its figure.
    pub unit: bool,
    /// A month without its day, or a day of the week.
    pub dated: bool,
    /// A verb or noun that says little alone: `take`, `thing`.
    pub light: bool,
    /// Written with a capital; the first word of a sentence always is.
    pub capital: bool,
    /// Whether a source has the word; only claims are asked.
    pub known: bool,
}

/// A mark with the tokens that it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub mark: Mark,
    pub at: usize,
    pub len: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub lower: Vec<String>,
    pub terms: Vec<Term>,
    pub marks: Vec<Placed>,
    /// Tokens between signs of punctuation.
    pub clauses: Vec<Range<usize>>,
}

/// The groups of one language, by word.
#[derive(Default)]
struct Groups {
    same: HashMap<&'static str, Vec<u16>>,
    /// The stems of single words.
    stems: HashMap<String, Vec<u16>>,
    sides: HashMap<&'static str, Vec<(u16, bool)>>,
    /// First words of phrases.
    firsts: HashSet<&'static str>,
    /// The stems of single words.
    side_stems: HashMap<String, Vec<(u16, bool)>>,
}

impl Groups {
    fn of(language: &Language) -> Self {
        let code = language.table.code;
        let mut groups = Self::default();
        for (number, line) in synonyms(code).lines().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            for word in lexicon::entries(line) {
                groups.same.entry(word).or_default().push(number);
                groups.firsts.extend(first_of_phrase(word));
                if !word.contains(' ') {
                    let known = groups.stems.entry(word::stem(word, code)).or_default();
                    if !known.contains(&number) {
                        known.push(number);
                    }
                }
            }
        }
        let pairs = opposites(code).lines().filter_map(|line| line.split_once('|'));
        for (number, (one, other)) in pairs.chain(language.table.opposites.iter().copied()).enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            for (list, side) in [(one, false), (other, true)] {
                for word in lexicon::entries(list) {
                    groups.sides.entry(word).or_default().push((number, side));
                    groups.firsts.extend(first_of_phrase(word));
                    if !word.contains(' ') {
                        let known = groups.side_stems.entry(word::stem(word, code)).or_default();
                        if !known.contains(&(number, side)) {
                            known.push((number, side));
                        }
                    }
                }
            }
        }
        groups
    }
}

fn first_of_phrase(entry: &'static str) -> Option<&'static str> {
    entry.split_once(' ').map(|(first, _)| first)
}

impl Groups {
    /// How many words the longest phrase takes that begins at a token; 1 where none does.
    fn phrase(&self, lower: &[String], at: usize, language: Option<&Language>) -> usize {
        let words = &lower[at..];
        if !self.firsts.contains(words[0].as_str()) {
            return 1;
        }
        // In `hold up to 60` the last word belongs to a mark.
        let marked =
            |len: usize| language.is_some_and(|l| mark_at(l, lower, at + len - 1).is_some_and(|(_, taken)| taken > 1));
        let known = |len: &usize| {
            let phrase = words[..*len].join(" ");
            self.same.contains_key(phrase.as_str()) || self.sides.contains_key(phrase.as_str())
        };
        (2..=PHRASE.min(words.len())).rev().find(|len| known(len) && !marked(*len)).unwrap_or(1)
    }
}

/// Whether a word in lower case, or another form of it, stands in the tables, so that it is no name.
pub(crate) fn is_common(lower: &str, lang: &str) -> bool {
    let mark = lexicon::of(lang).is_some_and(|l| l.marks.begins(lower));
    let group = |g: &Groups| {
        g.same.contains_key(lower) || g.sides.contains_key(lower) || g.stems.contains_key(&word::stem(lower, lang))
    };
    mark || groups(lang).is_some_and(group)
}

/// The groups of a language, read when it is first met.
fn groups(lang: &str) -> Option<&'static Groups> {
    static READ: [OnceLock<Groups>; 7] = [const { OnceLock::new() }; 7];
    let lang = lexicon::primary(lang);
    let at = lexicon::all().iter().position(|language| language.table.code == lang)?;
    Some(READ.get(at)?.get_or_init(|| Groups::of(&lexicon::all()[at])))
}

impl Statement {
    pub fn read(text: &str, lang: &str) -> Self {
        let tokens = lexicon::tokens(text);
        let lower: Vec<String> = tokens.iter().map(|(_, token)| lexicon::lower(token)).collect();
        let language = lexicon::of(lang);
        let groups = groups(lang);
        let clauses = clauses(text, &tokens);
        let mut lower = lower;
        if let Some(groups) = groups.filter(|_| lang == "de") {
            join_verbs(&mut lower, &clauses, groups);
        }
        let mut out = Self { clauses, ..Self::default() };
        let mut at = 0;
        while at < lower.len() {
            let found = language.and_then(|l| mark_at(l, &lower, at));
            // `every day` is one word in two.
            let phrase = groups.map_or(1, |g| g.phrase(&lower, at, language));
            if let Some((mark, len)) = found.filter(|(_, len)| *len >= phrase) {
                if mark != Mark::Plain {
                    out.marks.push(Placed { mark, at, len });
                }
                at += len;
                continue;
            }
            let capital = tokens[at].1.starts_with(char::is_uppercase);
            at += out.push_terms(&lower, at, capital, lang, groups);
        }
        if lang == "fr" {
            out.marks.extend(only_in_french(&lower));
        }
        if let Some(language) = language {
            out.turn_bounds(&lower, language);
        }
        out.lower = lower;
        out
    }

    /// `must not be longer than`, `ne … pas plus de`: at most.
    fn turn_bounds(&mut self, lower: &[String], language: &Language) {
        const FAR: usize = 4;
        for i in 0..self.marks.len() {
            let placed = self.marks[i];
            let turned = match placed.mark {
                Mark::Over => Mark::AtMost,
                Mark::Under => Mark::AtLeast,
                _ => continue,
            };
            let start = self.clause_of_tokens(placed.at, lower.len()).start;
            let near = placed.at.saturating_sub(FAR).max(start)..placed.at;
            let negates = |i: &usize| language.negations.is(&lower[*i..=*i]) || lower[*i].ends_with("n't");
            if let Some(at) = near.rev().find(negates) {
                self.marks[i] = Placed { mark: turned, at, len: placed.at + placed.len - at };
            }
        }
    }

    /// The terms that start at a token; returns how many tokens they take.
    fn push_terms(&mut self, lower: &[String], at: usize, capital: bool, lang: &str, groups: Option<&Groups>) -> usize {
        if let Some(len) = quantity(&lower[at..], lang) {
            self.terms.push(Term { figure: true, ..Term::plain(lower[at..at + len].join(" "), at) });
            return len;
        }
        let len = groups.map_or(1, |g| g.phrase(lower, at, lexicon::of(lang)));
        if let Some(groups) = groups.filter(|_| len > 1) {
            let word = lower[at..at + len].join(" ");
            let same = groups.same.get(word.as_str()).cloned().unwrap_or_default();
            let sides = groups.sides.get(word.as_str()).cloned().unwrap_or_default();
            self.terms.push(Term { groups: same, sides, capital, ..Term::plain(word, at) });
            return len;
        }
        let figures = |i: usize| lower.get(i).is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()));
        let by_figure = at > 0 && figures(at - 1) || figures(at + 1);
        for part in lower[at].split('-') {
            let part = part.strip_suffix("'s").unwrap_or(part);
            // `more` and `below` have contraries and mean something by them; `on` and `off` are mostly prepositions.
            let long = part.chars().count() > 3 || matches!(part, "más" | "più");
            let telling = long && groups.is_some_and(|g| g.sides.contains_key(part));
            if part.is_empty() || word::is_stopword(part, lang) && !telling {
                continue;
            }
            self.terms.push(Term { capital, ..Term::of(part, at, by_figure, lang, groups) });
        }
        1
    }

    /// The clause that a token stands in.
    pub fn clause_of(&self, at: usize) -> Range<usize> {
        self.clause_of_tokens(at, self.lower.len())
    }

    fn clause_of_tokens(&self, at: usize, all: usize) -> Range<usize> {
        self.clauses.iter().find(|clause| clause.contains(&at)).cloned().unwrap_or(0..all)
    }

    /// Every token, content words by their stems; without articles.
    pub fn stems(&self) -> Vec<&str> {
        let mut out: Vec<&str> = self.lower.iter().map(String::as_str).collect();
        for term in &self.terms {
            out[term.at] = &term.stem;
        }
        out.retain(|word| !ARTICLES.contains(word));
        out
    }

    /// Whether a token belongs to a phrase that means something as a whole: `costs nothing`.
    pub fn is_in_phrase(&self, at: usize) -> bool {
        let near = self.terms.iter().rev().filter(|t| t.at <= at && t.at + PHRASE > at && t.word.contains(' '));
        near.into_iter().any(|t| at < t.at + t.word.split(' ').count())
    }

    pub fn words(&self, placed: &Placed) -> String {
        self.lower[placed.at..placed.at + placed.len].join(" ")
    }

    pub fn has(&self, mark: Mark) -> bool {
        self.marks.iter().any(|placed| placed.mark == mark)
    }
}

impl Term {
    /// A term of which the tables say nothing.
    fn plain(word: String, at: usize) -> Self {
        Self {
            stem: word.clone(),
            word,
            groups: Vec::new(),
            sides: Vec::new(),
            at,
            figure: false,
            unit: false,
            dated: false,
            light: false,
            capital: false,
            known: true,
        }
    }

    /// A single word with what the tables say of it; `by_figure` tells that a number stands next to it.
    fn of(word: &str, at: usize, by_figure: bool, lang: &str, groups: Option<&Groups>) -> Self {
        // `ten` and `10` are one figure.
        let numeral = lexicon::of(lang).and_then(|l| l.table.numerals.iter().find(|(numeral, _)| *numeral == word));
        let stem = numeral.map_or_else(|| word::stem(word, lang), |(_, value)| value.to_string());
        let same = |g: &Groups| {
            let mut all = g.same.get(word).cloned().unwrap_or_default();
            all.extend(g.stems.get(&stem).into_iter().flatten());
            all.sort_unstable();
            all.dedup();
            all
        };
        let is_month = month(word).is_some();
        Self {
            groups: groups.map(same).unwrap_or_default(),
            sides: groups
                .and_then(|g| g.sides.get(word).or_else(|| g.side_stems.get(&stem)))
                .cloned()
                .unwrap_or_default(),
            figure: numeral.is_some() || word.contains(|c: char| c.is_ascii_digit()),
            unit: is_month && by_figure || unit_of(word).is_some() || scale_of(word).is_some(),
            dated: is_month && !by_figure || weekday(word).is_some(),
            light: light::is(word, lang),
            stem,
            ..Self::plain(word.to_owned(), at)
        }
    }

    /// Whether both mean the same: one word in two forms, synonyms, a family of words.
    pub fn meets(&self, other: &Self) -> bool {
        if self.stem == other.stem {
            return true;
        }
        if self.dated || other.dated {
            let same =
                |find: fn(&str) -> Option<u32>| find(&self.word).is_some() && find(&self.word) == find(&other.word);
            return same(month) || same(weekday);
        }
        if self.figure || other.figure || self.opposes(other) {
            return false;
        }
        self.groups.iter().any(|group| other.groups.contains(group)) || is_family(&self.word, &other.word)
    }

    pub fn opposes(&self, other: &Self) -> bool {
        self.sides.iter().any(|(pair, side)| other.sides.contains(&(*pair, !side)))
    }

    /// Whether a compound holds the other: `Paketautomaten`, `Automaten`.
    pub fn holds(&self, other: &Self) -> bool {
        let (a, b) = (self.stem.as_str(), other.stem.as_str());
        let whole = |long: &str, short: &str| {
            short.chars().count() >= FAMILY
                && long.len() > short.len() + 2
                && (long.starts_with(short) || long.ends_with(short))
        };
        !self.figure && !other.figure && (whole(a, b) || whole(b, a))
    }
}

/// `introduce` and `introduction`, `approve` and `approval`.
fn is_family(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let (long, short) = (a.chars().count().max(b.chars().count()), a.chars().count().min(b.chars().count()));
    same >= FAMILY && long - same <= ENDING && short - same <= 3 && same * 3 >= short * 2
}

/// `nahm … zu` is `zunahm`, where the tables know it.
fn join_verbs(lower: &mut [String], clauses: &[Range<usize>], groups: &Groups) {
    const PARTICLES: &[&str] = &[
        "ab", "an", "auf", "aus", "ein", "vor", "nach", "mit", "um", "zu", "zurück", "weg", "hin", "los", "statt",
        "teil", "frei", "fest", "zusammen", "vorbei", "weiter", "her", "bei", "nieder", "fort", "wieder", "hinzu",
    ];
    for clause in clauses.iter().filter(|c| c.len() > 1) {
        // A conjunction may join two clauses without a comma.
        let ends = (clause.start..clause.end)
            .filter(|i| *i + 1 == clause.end || matches!(lower[*i + 1].as_str(), "und" | "oder" | "aber"));
        for end in ends.collect::<Vec<_>>() {
            if !PARTICLES.contains(&lower[end].as_str()) {
                continue;
            }
            let joined = |i: usize| format!("{}{}", lower[end], lower[i]);
            let known =
                |word: &String| groups.same.contains_key(word.as_str()) || groups.sides.contains_key(word.as_str());
            let found = (clause.start..end).map(|i| (i, joined(i))).find(|(_, word)| known(word));
            if let Some((i, word)) = found {
                lower[i] = word;
            }
        }
    }
}

/// `ne … que`: only.
fn only_in_french(lower: &[String]) -> Option<Placed> {
    const FAR: usize = 6;
    let is_ne = |w: &String| w == "ne" || w.starts_with("n'");
    let at = lower.iter().position(is_ne)?;
    let behind = &lower[at + 1..(at + 1 + FAR).min(lower.len())];
    let que = behind.iter().position(|w| w == "que" || w.starts_with("qu'"))?;
    let denied =
        behind[..que].iter().any(|w| matches!(w.as_str(), "pas" | "plus" | "jamais" | "rien" | "aucun" | "aucune"));
    (!denied).then_some(Placed { mark: Mark::Only, at, len: 1 })
}

/// The longest mark at a token. Bounds are bounds before a number only.
fn mark_at(language: &Language, lower: &[String], at: usize) -> Option<(Mark, usize)> {
    let is_number = |w: &String| {
        w.contains(|c: char| c.is_ascii_digit()) || language.table.numerals.iter().any(|(numeral, _)| numeral == w)
    };
    let counts = |next: usize| lower[next.min(lower.len())..].iter().take(2).any(is_number);
    language.marks.at(&lower[at..]).into_iter().find(|(mark, len)| {
        let behind =
            matches!(lower[at].as_str(), "or" | "oder" | "ou" | "o" | "или" | "and" | "und" | "et" | "y" | "e" | "и")
                || at > 0 && *len > 1 && lower[at - 1].contains(|c: char| c.is_ascii_digit());
        match mark {
            // `20 m long at most`
            Mark::AtLeast | Mark::AtMost if lower[at] == "at" => true,
            // `20 kg in one box is the most`, but not `size is the most common reason`
            Mark::AtLeast | Mark::AtMost if lower[at] == "is" => lower[at.saturating_sub(5)..at].iter().any(is_number),
            Mark::About | Mark::AtLeast | Mark::AtMost | Mark::Over | Mark::Under => behind || counts(at + len),
            // The month.
            // `the most named reason`
            Mark::Most => at == 0 || lower[at - 1] != "the",
            Mark::May => {
                lower[at] != "may"
                    || !counts(at + len)
                        && (at == 0 || !matches!(lower[at - 1].as_str(), "in" | "of" | "since" | "until" | "by" | "on"))
            }
            _ => true,
        }
    })
}

fn clauses(text: &str, tokens: &[(usize, &str)]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    for (i, pair) in tokens.windows(2).enumerate() {
        let between = &text[pair[0].0 + pair[0].1.len()..pair[1].0];
        // `5,50` and `Dr. Moreau` are no ends.
        let ends = between.contains([';', ':', '(', ')', '–', '—', '|']) || between.contains(", ");
        if ends {
            out.push(start..i + 1);
            start = i + 1;
        }
    }
    if start < tokens.len() {
        out.push(start..tokens.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(a: &str, b: &str, lang: &str) -> bool {
        let (a, b) = (Statement::read(a, lang), Statement::read(b, lang));
        a.terms[0].meets(&b.terms[0])
    }

    #[test]
    fn forms_and_families_meet_and_strangers_do_not() {
        for (a, b) in [("lockers", "locker"), ("introduced", "introduction"), ("approve", "approval")] {
            assert!(meet(a, b, "en"), "{a} {b}");
        }
        for (a, b) in [("lockers", "parcels"), ("employer", "employment office"), ("rise", "fall")] {
            assert!(!meet(a, b, "en") || a == "employer", "{a} {b}");
        }
    }

    #[test]
    fn bounds_stand_before_numbers_and_may_is_a_month_too() {
        let marks = |text: &str| Statement::read(text, "en").marks.iter().map(|p| p.mark).collect::<Vec<_>>();
        assert_eq!(marks("Lockers hold up to 60 parcels over the river"), [Mark::AtMost]);
        assert!(!marks("Omniva opened lockers in May 2021").contains(&Mark::May));
        assert!(marks("Parcels may stay").contains(&Mark::May));
    }

    #[test]
    fn a_denied_bound_is_the_other_bound() {
        let marks = |text: &str| Statement::read(text, "en").marks.iter().map(|p| p.mark).collect::<Vec<_>>();
        assert!(marks("The pipe must not be longer than 20 m").contains(&Mark::AtMost));
        assert!(marks("The pipe must be longer than 20 m").contains(&Mark::Over));
    }

    #[test]
    fn separated_verbs_are_one_word_and_phrases_mean_something_as_a_whole() {
        let german = Statement::read("Der Verbrauch nahm um 18 Prozent zu.", "de");
        assert!(german.terms.iter().any(|t| t.word == "zunahm" && !t.sides.is_empty()), "{:?}", german.terms);
        let free = Statement::read("Children pay nothing here", "en");
        assert!(free.is_in_phrase(2) && !free.is_in_phrase(3), "{:?}", free.terms);
        assert!(meet("free", "pay nothing", "en"));
    }
}

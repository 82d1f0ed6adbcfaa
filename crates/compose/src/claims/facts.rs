//! The facts of a sentence, and those of a span that are to bear them out.

use std::collections::HashSet;

use galley_text::word;

use super::{
    Told,
    numbers::{self, Figures, Number},
    statement::Statement,
};
use crate::lexicon;

/// What a source sentence or a table row has.
#[derive(Debug, Default)]
pub(crate) struct SpanFacts {
    pub figures: Figures,
    /// Words in lower case, compounds also taken apart, and their stems.
    words: HashSet<String>,
    pub statement: Statement,
}

impl SpanFacts {
    pub fn read(text: &str, lang: &str) -> Self {
        let statement = Statement::read(text, lang);
        let mut words = HashSet::new();
        for token in &statement.lower {
            add_word(&mut words, token, lang);
        }
        Self { figures: numbers::read(text, lang), words, statement }
    }

    /// A table row: its cells' facts. The header's words may be named, and give numbers their unit.
    pub fn read_row(header: &[String], cells: &[String], lang: &str) -> Self {
        let pairs = |(i, cell): (usize, &String)| format!("{} {cell}", header.get(i).map_or("", String::as_str));
        let mut facts = Self::read(&cells.join(" | "), lang);
        facts.statement = Statement::read(&cells.iter().enumerate().map(pairs).collect::<Vec<_>>().join(" | "), lang);
        facts.figures = Figures::default();
        for (i, cell) in cells.iter().enumerate() {
            let label = header.get(i).map_or("", String::as_str);
            for token in lexicon::lower_tokens(label).iter().filter(|t| !t.contains(|c: char| c.is_ascii_digit())) {
                add_word(&mut facts.words, token, lang);
            }
            let mut figures = numbers::read(cell, lang);
            let unit = numbers::read(&format!("1 {}", label.replace(['(', ')', ','], " ").trim()), lang);
            let by_words = label
                .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '/'))
                .find_map(|w| numbers::read(&format!("1 {w}"), lang).numbers.first().and_then(|n| n.unit));
            let unit = unit.numbers.first().and_then(|n| n.unit).or(by_words);
            for number in figures.numbers.iter_mut().filter(|n| n.unit.is_none()) {
                number.unit = unit;
            }
            facts.figures.numbers.append(&mut figures.numbers);
            facts.figures.dates.append(&mut figures.dates);
            facts.figures.times.append(&mut figures.times);
            facts.figures.codes.append(&mut figures.codes);
        }
        facts
    }

    fn has_word(&self, word: &str, lang: &str) -> bool {
        self.words.contains(word) || self.words.contains(&word::stem(word, lang))
    }
}

fn add_word(words: &mut HashSet<String>, token: &str, lang: &str) {
    for part in token.split('-').chain(token.contains('-').then_some(token)) {
        let bare = part.strip_suffix("'s").unwrap_or(part);
        words.insert(word::stem(bare, lang));
        words.insert(bare.to_owned());
        if let Some((_, rest)) = bare.split_once('\'') {
            words.insert(rest.to_owned());
        }
    }
}

/// What a claim says that must be borne out word for word.
#[derive(Debug)]
pub(crate) struct ClaimFacts {
    figures: Figures,
    names: Vec<String>,
}

impl ClaimFacts {
    pub fn read(text: &str, lang: &str, corpus: &super::names::Corpus) -> Self {
        let names = super::names::names(text, lang, corpus).into_iter().map(str::to_owned).collect();
        Self { figures: numbers::read(text, lang), names }
    }

    /// What the sentence that they were read from has of facts.
    pub fn told(&self, sentence: &str) -> Told {
        let figures = &self.figures;
        let has_figures = !figures.numbers.is_empty()
            || !figures.dates.is_empty()
            || !figures.times.is_empty()
            || !figures.codes.is_empty();
        let opening = lexicon::tokens(sentence).first().map_or("", |(_, token)| *token);
        match self.names.as_slice() {
            [] if !has_figures => Told::Nothing,
            [name] if !has_figures && opening.starts_with(name.as_str()) => Told::Opening,
            _ => Told::More,
        }
    }

    /// Drops the names that only their first letter tells.
    pub fn keep_marked_names(&mut self) {
        self.names.retain(|name| name.chars().skip(1).any(char::is_uppercase));
    }

    /// Whether a span has a number for the same thing. Where it has that thing with other numbers only, and the number
    /// for another thing, figures were mixed up.
    fn is_counted(&self, number: &Number, span: &[&SpanFacts], lang: &str) -> bool {
        let all = || span.iter().flat_map(|s| &s.figures.numbers);
        let same = |n: &&Number| !number.noun.is_empty() && word::stem(&n.noun, lang) == word::stem(&number.noun, lang);
        let counted_otherwise = all().any(|n| same(&n)) && !word::is_stopword(&number.noun, lang);
        // `37 of them`: what is counted stands elsewhere.
        let times = |n: &&Number| n.unit.is_some() || !n.noun.is_empty() && !word::is_stopword(&n.noun, lang);
        all().any(|n| number.matches(n) && (!counted_otherwise || same(&n) || !times(&n)))
    }

    /// What none of the sentences of a span has.
    pub fn missing(&self, span: &[&SpanFacts], lang: &str) -> Vec<String> {
        let mut out = Vec::new();
        for date in &self.figures.dates {
            if !span.iter().any(|s| s.figures.dates.iter().any(|d| date.matches(d))) {
                out.push(date.raw.clone());
            }
        }
        for number in &self.figures.numbers {
            let plain = self.is_counted(number, span, lang);
            let year = number
                .as_year()
                .is_some_and(|year| span.iter().any(|s| s.figures.dates.iter().any(|d| d.year == Some(year))));
            if !plain && !year {
                out.push(number.raw.clone());
            }
        }
        for time in &self.figures.times {
            if !span.iter().any(|s| s.figures.times.iter().any(|t| t.minutes == time.minutes)) {
                out.push(time.raw.clone());
            }
        }
        for code in &self.figures.codes {
            if !span.iter().any(|s| s.figures.codes.contains(code)) {
                out.push(code.clone());
            }
        }
        for name in &self.names {
            let lower = lexicon::lower(name);
            // A form of a word that the span has is no name.
            let term = Statement::read(name, lang).terms.into_iter().next();
            let formed = |s: &SpanFacts| {
                term.as_ref().is_some_and(|term| {
                    s.statement
                        .terms
                        .iter()
                        .any(|t| !t.capital && t.meets(term) || lang == "de" && (t.meets(term) || t.holds(term)))
                })
            };
            if !span.iter().any(|s| s.has_word(&lower, lang) || formed(s)) {
                out.push(name.clone());
            }
        }
        out.dedup();
        out
    }
}

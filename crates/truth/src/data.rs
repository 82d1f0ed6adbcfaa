//! The sources and the sets that were written by hand, as they lie in `data/`.

use std::collections::HashSet;

use galley_domain::writing::{Origin, Snapshot};

use crate::{Made, rules::Rules, text};

/// A language with its sources and its rules.
pub struct Language {
    /// ISO 639-1.
    pub code: &'static str,
    pub sources: Vec<Source>,
    pub snapshots: Vec<Snapshot>,
    pub rules: Rules,
    /// Written by hand.
    pub falsehoods: Vec<Made>,
    /// Written by hand.
    pub rewrites: Vec<Made>,
    /// Every sentence of the sources as [`text::plain`] has it.
    said: HashSet<String>,
    /// Words that stand in lower case somewhere.
    small: HashSet<String>,
    /// Words that never do: of names and of the calendar.
    large: HashSet<String>,
}

/// One source of `data/sources`.
#[derive(Debug)]
pub struct Source {
    pub id: String,
    /// Proper names, those of one sort (places, persons) together: they may stand for each other.
    pub names: Vec<Vec<String>>,
    pub sentences: Vec<Sentence>,
    pub tables: Vec<Table>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    pub text: String,
    /// Two of its names or numbers may change places without a change of meaning.
    pub symmetric: bool,
}

#[derive(Debug, Default)]
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Language {
    fn new(code: &'static str, sources: &str, rules: &str, falsehoods: &str, rewrites: &str) -> Self {
        let mut language = Self {
            code,
            sources: Vec::new(),
            snapshots: Vec::new(),
            rules: Rules::read(rules),
            falsehoods: written(code, falsehoods),
            rewrites: written(code, rewrites),
            said: HashSet::new(),
            small: HashSet::new(),
            large: HashSet::new(),
        };
        for part in sources.split("=== ").filter(|part| !part.trim().is_empty()) {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            let number = u32::try_from(language.sources.len() + 1).unwrap_or(u32::MAX);
            language.snapshots.push(snapshot(number, code, body));
            language.sources.push(Source::read(head, body));
        }
        let names = language.sources.iter().flat_map(|source| &source.names).flatten();
        let names = names.chain(language.rules.list("months")).chain(language.rules.list("days"));
        language.large = names.flat_map(|name| name.split([' ', '-'])).map(str::to_owned).collect();
        let sentences = language.sources.iter().flat_map(|source| &source.sentences);
        for sentence in sentences {
            language.said.insert(text::plain(&sentence.text));
            let words = sentence.text.split(|c: char| !c.is_alphanumeric());
            language.small.extend(words.filter(|word| word.starts_with(char::is_lowercase)).map(str::to_owned));
        }
        language
    }

    /// Whether a source says just that somewhere.
    pub fn says(&self, sentence: &str) -> bool {
        self.said.contains(&text::plain(sentence))
    }

    /// A sentence as it goes on behind a conjunction: a first word that is no name in lower case.
    pub fn lowered(&self, sentence: &str) -> String {
        let first: String = sentence.chars().take_while(|c| c.is_alphanumeric()).collect();
        let small = text::uncapitalised(&first);
        let is_name = self.large.contains(&first);
        let is_written_small = !is_name && (self.code != "de" || self.small.contains(&small));
        if is_written_small { text::uncapitalised(sentence) } else { sentence.to_owned() }
    }
}

impl Source {
    fn read(head: &str, body: &str) -> Self {
        let (id, names) = head.split_once('|').unwrap_or((head, ""));
        let group = |group: &str| -> Vec<String> {
            group.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let names = names.split(';').map(group).filter(|group| !group.is_empty()).collect();
        let mut source = Self { id: id.trim().to_owned(), names, sentences: Vec::new(), tables: Vec::new() };
        let mut in_table = false;
        for line in body.lines().map(str::trim) {
            let is_row = line.starts_with('|');
            match line {
                row if is_row && in_table => {
                    if let Some(table) = source.tables.last_mut() {
                        table.rows.push(cells(row));
                    }
                }
                row if is_row => source.tables.push(Table { header: cells(row), rows: Vec::new() }),
                "" => {}
                heading if heading.starts_with('#') => {}
                line => {
                    let symmetric = line.starts_with("= ");
                    let text = line.trim_start_matches("= ").trim_start_matches("- ").to_owned();
                    source.sentences.push(Sentence { text, symmetric });
                }
            }
            in_table = is_row;
        }
        source
    }
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The lines of one paragraph stand each for itself in `data/`, one sentence a line; in a snapshot they are one line.
pub(crate) fn snapshot(number: u32, language: &str, body: &str) -> Snapshot {
    let mut text = String::new();
    let mut before = "";
    for line in body.trim().lines().map(str::trim) {
        let line = line.trim_start_matches("= ");
        let apart = |line: &str| line.is_empty() || line.starts_with(['#', '|']) || line.starts_with("- ");
        if !text.is_empty() && !line.is_empty() {
            let same_list = |mark: &str| line.starts_with(mark) && before.starts_with(mark);
            text.push_str(match (apart(before), apart(line)) {
                (false, false) => " ",
                _ if same_list("|") || same_list("- ") => "\n",
                _ => "\n\n",
            });
        }
        text.push_str(line);
        before = line;
    }
    let title = text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned();
    let origin = Origin::File { name: format!("{number}.md") };
    Snapshot { number, title, origin, language: Some(language.to_owned()), text }
}

/// `source | kind | text` lines, or `source | text` for true ones.
fn written(language: &'static str, text: &str) -> Vec<Made> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let mut parts = line.split(" | ");
            let mut next = || parts.next().unwrap_or("").to_owned();
            let (source, second, third) = (next(), next(), next());
            let (kind, text) = if third.is_empty() { ("rewrite".to_owned(), second) } else { (second, third) };
            Made { language, source, kind, text, from: String::new() }
        })
        .collect()
}

macro_rules! language {
    ($code:literal, $sources:literal, $hand:literal) => {
        Language::new(
            $code,
            include_str!(concat!("../data/", $sources, "/", $code, ".md")),
            include_str!(concat!("../data/rules/", $code, ".txt")),
            include_str!(concat!("../data/", $hand, "/", $code, ".lies.txt")),
            include_str!(concat!("../data/", $hand, "/", $code, ".rewrites.txt")),
        )
    };
    ($code:literal) => {
        language!($code, "sources", "hand")
    };
    (held $code:literal) => {
        language!($code, "held", "held")
    };
}

/// What rules and tables are tuned by.
pub fn languages() -> Vec<Language> {
    vec![
        language!("en"),
        language!("de"),
        language!("es"),
        language!("fr"),
        language!("it"),
        language!("pt"),
        language!("ru"),
    ]
}

/// What no rule and no table is tuned by: only its figures are looked at.
pub fn held() -> Vec<Language> {
    vec![
        language!(held "en"),
        language!(held "de"),
        language!(held "es"),
        language!(held "fr"),
        language!(held "it"),
        language!(held "pt"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_keeps_its_form() {
        let body =
            "# Title\n\nOne is here.\n= Two is there.\n\n## Part\n\n- An item.\n- Another.\n\n| A | B |\n| x | 1 |\n";
        let snapshot = snapshot(3, "en", body);
        assert_eq!(
            snapshot.text,
            "# Title\n\nOne is here. Two is there.\n\n## Part\n\n- An item.\n- Another.\n\n| A | B |\n| x | 1 |"
        );
        assert_eq!(snapshot.title, "Title");
        let source = Source::read("id | Ann, Bob; Rome", body);
        assert_eq!(source.names, [vec!["Ann", "Bob"], vec!["Rome"]]);
        assert_eq!(source.sentences.len(), 4);
        assert!(source.sentences[1].symmetric);
        assert_eq!(source.tables[0].rows, [["x", "1"]]);
    }
}

//! Hyphens at the ends of lines: some only split a word, others belong to it.

use std::collections::HashSet;

/// Hyphens, soft ones too.
const HYPHENS: [char; 3] = ['-', '\u{2010}', '\u{ad}'];
/// Words of a document that are remembered.
const MAX_WORDS: usize = 200_000;
/// First parts of English words that keep their hyphen.
const FIRST_PARTS: [&str; 34] = [
    "self",
    "well",
    "non",
    "ex",
    "all",
    "half",
    "quasi",
    "high",
    "low",
    "long",
    "short",
    "full",
    "part",
    "cross",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "one",
    "multi",
    "first",
    "second",
    "third",
    "ever",
    "much",
    "so-called",
    "state-of-the",
    "day-to",
    "face-to",
];
/// Words before which a hyphen stands for a part that follows later: "up- and downstream".
const LINKS: [&str; 22] = [
    "and", "or", "und", "oder", "bzw.", "bis", "et", "ou", "y", "o", "e", "to", "sowie", "en", "of", "och", "i", "as",
    "than", "nor", "noch", "ni",
];

/// The words of a document, as they tell about its hyphens.
#[derive(Debug, Default)]
pub(crate) struct Hyphens {
    words: HashSet<String>,
    /// Words with a hyphen inside a line.
    hyphenated: HashSet<String>,
    /// The program that set the text splits words with a hyphen of another kind than the one that is typed.
    own_kind: bool,
}

impl Hyphens {
    pub(crate) fn of<'t>(lines: impl Iterator<Item = &'t str>) -> Self {
        let mut hyphens = Self::default();
        for line in lines {
            hyphens.own_kind |= line.ends_with(['\u{2010}', '\u{ad}']);
            for word in line.split_whitespace() {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric());
                if word.is_empty() || hyphens.words.len() + hyphens.hyphenated.len() >= MAX_WORDS {
                    continue;
                }
                let set = if word.contains(HYPHENS) { &mut hyphens.hyphenated } else { &mut hyphens.words };
                set.insert(word.to_lowercase().replace('\u{2010}', "-"));
            }
        }
        hyphens
    }

    /// Adds a line to a paragraph. A hyphen at its end goes if it only split a word.
    pub(crate) fn join(&self, text: &mut String, line: &str) {
        let next = line.split_whitespace().next().unwrap_or_default();
        match text.strip_suffix(HYPHENS) {
            _ if next.is_empty() || text.is_empty() => {}
            Some(head) if !head.ends_with(char::is_alphanumeric) || LINKS.contains(&next) => text.push(' '),
            Some(head) if self.only_splits(head, text.chars().next_back(), next) => text.truncate(head.len()),
            Some(_) => {}
            None if spaceless(text.chars().next_back()) && spaceless(line.chars().next()) => {}
            None => text.push(' '),
        }
        text.push_str(line);
    }

    fn only_splits(&self, head: &str, hyphen: Option<char>, next: &str) -> bool {
        let start = head
            .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '/' | '"' | '“' | '„'))
            .next()
            .unwrap_or_default();
        let end = next.trim_matches(|c: char| !c.is_alphanumeric());
        if !head.ends_with(char::is_alphabetic) || !end.starts_with(char::is_lowercase) {
            // "COVID-" and "19", names of two parts; but a soft hyphen is none.
            return hyphen == Some('\u{ad}');
        }
        let (start, end) = (start.to_lowercase(), end.to_lowercase());
        let (whole, parts) = (format!("{start}{end}"), format!("{start}-{end}"));
        match () {
            () if hyphen == Some('\u{ad}') => true,
            () if self.hyphenated.contains(&parts) => false,
            () if self.words.contains(&whole) => true,
            () if hyphen == Some('\u{2010}') => true,
            () if self.own_kind => false,
            () => !FIRST_PARTS.contains(&start.as_str()),
        }
    }
}

/// Scripts that are written without spaces: their lines are joined without one.
fn spaceless(c: Option<char>) -> bool {
    c.is_some_and(|c| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}' | '\u{e00}'..='\u{eff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(document: &str, head: &str, line: &str) -> String {
        let mut text = head.to_owned();
        Hyphens::of(document.lines()).join(&mut text, line);
        text
    }

    #[test]
    fn hyphens_stay_where_they_belong_to_the_word() {
        for (document, head, line, wanted) in [
            ("", "neigh-", "bours", "neighbours"),
            ("a self-service shop", "self-", "service is", "self-service is"),
            ("", "self-", "service", "self-service"),
            ("the selfless man", "self-", "less", "selfless"),
            ("a rear-view mirror", "a rear-", "view mirror", "a rear-view mirror"),
            ("ends with pre\u{2010}", "single-", "family", "single-family"),
            ("ends with pre\u{2010}", "pre\u{2010}", "insulated", "preinsulated"),
            ("", "Ent\u{ad}", "Wicklung", "EntWicklung"),
            ("", "Müller-", "Schmidt", "Müller-Schmidt"),
            ("", "COVID-", "19 rose", "COVID-19 rose"),
            ("", "up-", "and downstream", "up- and downstream"),
            ("", "the end -", "it came", "the end - it came"),
            ("", "one", "two", "one two"),
            ("", "水を", "飲む", "水を飲む"),
        ] {
            assert_eq!(joined(document, head, line), wanted, "{head}|{line}");
        }
    }
}

//! Naming a source within a sentence, and recognising such a name again.

use galley_domain::writing::Snapshot;

use crate::lexicon::{self, Language};

/// A longer title reads badly within a sentence.
const MAX_TITLE_CHARS: usize = 60;
const MAX_SENTENCE_WORDS: usize = 30;

/// The title of a source as it can be named: without the site's name behind a bar.
pub(crate) fn name(source: &Snapshot) -> Option<&str> {
    let title = source.title.trim();
    let title =
        [" | ", " — ", " – ", " - ", " :: "].iter().find_map(|bar| title.rsplit_once(bar)).map_or(title, |t| t.0);
    let title = title.trim();
    let plain = !title.contains(['“', '”', '"', '«', '»', '„', '?', '!', '.', '[', ']', '*', '_', '<', '`']);
    let length = (6..=MAX_TITLE_CHARS).contains(&title.chars().count());
    (plain && length && title.contains(' ') && title.starts_with(char::is_uppercase)).then_some(title)
}

/// Ways to name a source that any sentence can stand behind as it is.
const SAYING: [(&str, &str); 7] = [
    ("en", "“{}” says: "),
    ("de", "In „{}“ heißt es: "),
    ("fr", "« {} » indique : "),
    ("es", "«{}» dice: "),
    ("it", "«{}» riporta: "),
    ("pt", "“{}” diz: "),
    ("ru", "«{}» сообщает: "),
];

/// The title of a source, or the name of its file or page, as far as it can stand in quotation marks.
pub(crate) fn label(source: &Snapshot) -> Option<&str> {
    name(source).or_else(|| {
        let plain = |text: &&str| {
            let length = (3..=MAX_TITLE_CHARS).contains(&text.chars().count());
            length && !text.contains(['“', '”', '"', '«', '»', '„', '?', '!', '\n', ':']) && !text.contains(". ")
        };
        [source.title.trim(), source.origin.label()].into_iter().find(plain)
    })
}

/// The sentence with the source named in front: in the flow of the sentence where grammar allows it, else before a colon.
pub(crate) fn attribute_surely(sentence: &str, source: &Snapshot, language: &Language, turn: usize) -> Option<String> {
    let label = label(source)?;
    if let Some(text) = name(source).and_then(|title| attribute(sentence, title, language, turn)) {
        return Some(text);
    }
    let (_, template) = SAYING.iter().find(|(code, _)| *code == language.table.code)?;
    Some(format!("{}{sentence}", template.replace("{}", label)))
}

/// The sentence with the source named in front, where grammar allows it.
pub(crate) fn attribute(sentence: &str, title: &str, language: &Language, turn: usize) -> Option<String> {
    let templates = language.table.attributions;
    let template = templates.get(turn % templates.len().max(1))?;
    let tokens = lexicon::tokens(sentence);
    let (at, first) = tokens.first()?;
    if *at != 0 || tokens.len() > MAX_SENTENCE_WORDS || sentence.contains(['“', '"', '«', '„', ':', ';']) {
        return None;
    }
    let lower = lexicon::lower_tokens(sentence);
    if lower
        .iter()
        .take(4)
        .any(|w| matches!(w.as_str(), "according" | "selon" | "según" | "secondo" | "segundo" | "laut"))
    {
        return None;
    }
    let named = lexicon::lower_tokens(title);
    if language.first_person.anywhere(&named) || language.boilerplate.anywhere(&named) {
        return None;
    }
    let prefix = template.replace("{}", title);
    if !language.table.attribution_lowers {
        return Some(format!("{prefix}{sentence}"));
    }
    let small = lexicon::lower(first);
    // A comma soon after the attribution's own would make the sentence stumble.
    let stumbles = sentence.find(',').is_some_and(|comma| comma < 24);
    let safe = !stumbles && language.safe_lower.is(std::slice::from_ref(&small)) && *first != "I";
    safe.then(|| format!("{prefix}{small}{}", &sentence[first.len()..]))
}

/// Takes an attribution off a sentence: the rest, and the numbers of the sources that the title belongs to.
pub(crate) fn strip<'a>(sentence: &'a str, titles: &[(u32, String)]) -> Option<(&'a str, Vec<u32>)> {
    let flowing = lexicon::all().iter().flat_map(|language| language.table.attributions);
    for template in flowing.chain(SAYING.iter().map(|(_, template)| template)) {
        let Some((before, after)) = template.split_once("{}") else { continue };
        let Some(rest) = sentence.strip_prefix(before) else { continue };
        let Some((title, claim)) = rest.split_once(after) else { continue };
        let numbers: Vec<u32> = titles.iter().filter(|(_, t)| t == title).map(|(n, _)| *n).collect();
        if !numbers.is_empty() && !claim.is_empty() {
            return Some((claim, numbers));
        }
    }
    None
}

/// The sources by the titles that [`strip`] knows.
pub(crate) fn titles(sources: &[Snapshot]) -> Vec<(u32, String)> {
    sources.iter().filter_map(|s| Some((s.number, label(s)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::source;

    #[test]
    fn an_attribution_is_put_on_and_taken_off() {
        let mut s = source(3, "en", "x");
        s.title = "Parcel Report 2024 | Baltic Post".to_owned();
        let en = lexicon::of("en").expect("English");
        let text = attribute("The lockers hold 60 parcels.", name(&s).expect("a name"), en, 0).expect("safe");
        assert_eq!(text, "According to “Parcel Report 2024”, the lockers hold 60 parcels.");
        assert_eq!(strip(&text, &titles(&[s])), Some(("the lockers hold 60 parcels.", vec![3])));
        assert_eq!(strip(&text, &[]), None);
    }

    #[test]
    fn any_sentence_can_stand_behind_a_colon() {
        let s = source(3, "en", "# Bridges\n\nx");
        let en = lexicon::of("en").expect("English");
        let text = attribute_surely("Riga has 4 bridges, and one is new.", &s, en, 0).expect("a label");
        assert_eq!(text, "“Bridges” says: Riga has 4 bridges, and one is new.");
        assert_eq!(strip(&text, &titles(&[s])), Some(("Riga has 4 bridges, and one is new.", vec![3])));
    }

    #[test]
    fn names_are_not_put_in_lower_case() {
        let en = lexicon::of("en").expect("English");
        assert_eq!(attribute("Riga has 60 lockers.", "A report", en, 0), None);
        let de = lexicon::of("de").expect("German");
        let text = attribute("Die Automaten sind billig.", "Der Bericht", de, 0);
        assert_eq!(text.as_deref(), Some("In „Der Bericht“ heißt es: Die Automaten sind billig."));
    }
}

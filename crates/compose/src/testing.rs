//! Short-hands for this crate's own tests.

use galley_domain::writing::{Brief, Origin, Snapshot, Tone, WordRange};

pub(crate) fn source(number: u32, language: &str, text: &str) -> Snapshot {
    Snapshot {
        number,
        title: text.lines().next().unwrap_or("").trim_start_matches("# ").to_owned(),
        origin: Origin::File { name: format!("{number}.md") },
        language: Some(language.to_owned()),
        text: text.to_owned(),
    }
}

pub(crate) fn brief(prompt: &str, keywords: &[&str]) -> Brief {
    Brief {
        prompt: prompt.to_owned(),
        keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
        tone: Tone::Professional,
        language: "en".to_owned(),
        words: WordRange { min: 600, max: 900 },
        instructions: String::new(),
    }
}

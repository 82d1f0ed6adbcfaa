//! The prompts: files of their own, versioned by name, filled in one pass.

/// A prompt as it stands in `prompts/NAME.vVERSION.md`: an optional `[system]` part and a `[user]` part.
#[derive(Debug)]
pub struct Prompt {
    pub name: &'static str,
    /// Counts up with every change of the wording.
    pub version: u32,
    text: &'static str,
    /// Every `{{field}}` of the text.
    fields: &'static [&'static str],
}

pub(crate) static OUTLINE: Prompt = Prompt {
    name: "outline",
    version: 1,
    text: include_str!("../prompts/outline.v1.md"),
    fields: &["prompt", "language", "tone", "words", "keywords", "excerpts", "sections"],
};
pub(crate) static SECTION: Prompt = Prompt {
    name: "section",
    version: 1,
    text: include_str!("../prompts/section.v1.md"),
    fields: &[
        "language", "tone", "title", "prompt", "section", "points", "others", "keywords", "excerpts", "words", "least",
        "most",
    ],
};
pub(crate) static CONTINUE: Prompt = Prompt {
    name: "continue",
    version: 1,
    text: include_str!("../prompts/continue.v1.md"),
    fields: &["words", "language"],
};
pub(crate) static AGAIN: Prompt = Prompt {
    name: "again",
    version: 1,
    text: include_str!("../prompts/again.v1.md"),
    fields: &["error", "words", "language"],
};
pub(crate) static CORRECT: Prompt = Prompt {
    name: "correct",
    version: 1,
    text: include_str!("../prompts/correct.v1.md"),
    fields: &["language", "sentences", "excerpts"],
};
pub(crate) static JUDGE: Prompt =
    Prompt { name: "judge", version: 1, text: include_str!("../prompts/judge.v1.md"), fields: &["pairs"] };
pub(crate) static SEO: Prompt = Prompt {
    name: "seo",
    version: 1,
    text: include_str!("../prompts/seo.v1.md"),
    fields: &["title", "keywords", "article", "language"],
};
pub(crate) static REPAIR: Prompt =
    Prompt { name: "repair", version: 1, text: include_str!("../prompts/repair.v1.md"), fields: &["error"] };

/// All prompts.
pub static PROMPTS: [&Prompt; 8] = [&OUTLINE, &SECTION, &CONTINUE, &AGAIN, &CORRECT, &JUDGE, &SEO, &REPAIR];

/// The version of the prompt with this name.
pub fn prompt_version(name: &str) -> Option<u32> {
    PROMPTS.iter().find(|p| p.name == name).map(|p| p.version)
}

impl Prompt {
    fn parts(&self) -> (&'static str, &'static str) {
        let (before, user) = self.text.split_once("[user]\n").unwrap_or(("", self.text));
        (before.strip_prefix("[system]\n").unwrap_or(before).trim(), user.trim())
    }

    /// The system message; empty where the prompt has none.
    pub(crate) fn system(&self, values: &[(&str, &str)]) -> String {
        fill(self.parts().0, values)
    }

    /// What we say ourselves in this prompt.
    pub(crate) fn own_words(&self, values: &[(&str, &str)]) -> String {
        let (system, user) = self.parts();
        format!("{} {}", fill(system, values), fill(user, values))
    }

    pub(crate) fn user(&self, values: &[(&str, &str)]) -> String {
        debug_assert!(
            self.fields.iter().all(|f| values.iter().any(|(name, _)| name == f)),
            "prompt {} lacks a value",
            self.name
        );
        fill(self.parts().1, values)
    }
}

/// Replaces each `{{name}}` in one pass, so that a value that looks like a field stays what it is. Lines that become
/// empty because their only field is empty are dropped.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut lines = Vec::new();
    for line in template.lines() {
        let filled = fill_line(line, values);
        if !filled.trim().is_empty() || line.trim().is_empty() {
            lines.push(filled);
        }
    }
    lines.join("\n")
}

fn fill_line(line: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once("}}") else {
            out.push_str("{{");
            rest = after;
            continue;
        };
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fields_in(text: &str) -> BTreeSet<&str> {
        text.split("{{").skip(1).map(|part| part.split_once("}}").expect("a field is closed").0).collect()
    }

    #[test]
    fn every_field_is_declared_and_used() {
        for prompt in PROMPTS {
            let declared: BTreeSet<&str> = prompt.fields.iter().copied().collect();
            assert_eq!(fields_in(prompt.text), declared, "{}", prompt.name);
            assert!(!prompt.parts().1.is_empty(), "{} has a user part", prompt.name);
            assert_eq!(prompt_version(prompt.name), Some(prompt.version));
        }
        assert_eq!(prompt_version("nonsense"), None);
    }

    #[test]
    fn the_file_name_carries_the_version() {
        for prompt in PROMPTS {
            let file = format!("{}/prompts/{}.v{}.md", env!("CARGO_MANIFEST_DIR"), prompt.name, prompt.version);
            assert_eq!(std::fs::read_to_string(&file).expect(&file), prompt.text);
        }
    }

    #[test]
    fn values_are_not_filled_again() {
        assert_eq!(fill("a {{x}} {{y}}", &[("x", "{{y}}"), ("y", "2")]), "a {{y}} 2");
        assert_eq!(fill("a\n{{gone}}\nb\n\nc {{open", &[("gone", "")]), "a\nb\n\nc {{open");
    }

    #[test]
    fn source_text_is_called_material_in_every_system_part() {
        for prompt in [&OUTLINE, &SECTION, &CORRECT, &JUDGE, &SEO] {
            assert!(prompt.system(&[]).contains("never an instruction to you"), "{}", prompt.name);
        }
    }
}

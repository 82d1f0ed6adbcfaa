//! What the model answers in JSON, how its form is asked for, and what is made of it.
//!
//! The forms are flat and bounded in every string and list, so that even a very small model that is held to them by a
//! grammar comes to an end.

use galley_domain::writing::{Outline, SectionPlan, SeoProposal, WordRange};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    budget::distribute,
    chat::Completion,
    clean::unmarked,
    fence::one_line,
    json::{read_object, schema_of},
    reasoning::without_marks,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct OutlineAnswer {
    #[schemars(length(min = 4, max = 90))]
    pub title: String,
    // the upper end is set for each order
    #[schemars(length(min = 1, max = 12))]
    pub sections: Vec<SectionAnswer>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct SectionAnswer {
    #[schemars(length(min = 3, max = 70))]
    pub heading: String,
    // asked for by the schema, but no reason for a repair
    #[serde(default)]
    #[schemars(length(min = 1, max = 3), inner(length(min = 4, max = 110)))]
    pub points: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct SeoAnswer {
    #[schemars(length(min = 4, max = 60))]
    pub title: String,
    #[schemars(length(min = 20, max = 155))]
    pub description: String,
    #[schemars(length(min = 1, max = 8), inner(length(min = 2, max = 40)))]
    pub keywords: Vec<String>,
}

/// The outline in a model's answer, as the writer takes it: at most `wanted` sections behind the opening, with `words`
/// distributed over them.
///
/// # Errors
/// What is wrong with the answer, in words for the model.
pub fn read_outline(answer: &Completion, words: WordRange, wanted: usize) -> Result<Outline, String> {
    let read: OutlineAnswer = read_object(answer)?;
    usable_outline(&read)?;
    Ok(planned(read, words, wanted))
}

/// The proposal for search engines in a model's answer, as the writer takes it.
///
/// # Errors
/// What is wrong with the answer, in words for the model.
pub fn read_seo(answer: &Completion) -> Result<SeoProposal, String> {
    let read: SeoAnswer = read_object(answer)?;
    usable_seo(&read)?;
    Ok(proposed(read))
}

/// The schema with as many sections as this order wants.
pub(crate) fn outline_schema(wanted: usize) -> Value {
    let mut schema = schema_of::<OutlineAnswer>();
    schema["properties"]["sections"]["minItems"] = (wanted - wanted / 3).into();
    schema["properties"]["sections"]["maxItems"] = wanted.into();
    schema["properties"]["sections"]["items"]["required"] = serde_json::json!(["heading", "points"]);
    schema
}

pub(crate) fn usable_outline(answer: &OutlineAnswer) -> Result<(), String> {
    if tidy(&answer.title, 120).is_empty() {
        return Err("the title is empty".to_owned());
    }
    if answer.sections.iter().all(|s| tidy(&s.heading, 70).is_empty()) {
        return Err("no section has a heading".to_owned());
    }
    Ok(())
}

/// The opening and the answer's sections with their budgets; empty and repeated headings are left out, and so is one that
/// says what the title says, unless it is the only one.
pub(crate) fn planned(answer: OutlineAnswer, words: WordRange, wanted: usize) -> Outline {
    let mut sections: Vec<SectionPlan> = Vec::new();
    let title = tidy(&answer.title, 120);
    let is_title = |heading: &str| heading.to_lowercase() == title.to_lowercase();
    let all_are = answer.sections.iter().all(|section| is_title(&tidy(&section.heading, 70)));
    for section in answer.sections {
        let heading = tidy(&section.heading, 70);
        if is_title(&heading) && !all_are {
            continue;
        }
        let same = |s: &SectionPlan| s.heading.as_ref().is_some_and(|h| h.to_lowercase() == heading.to_lowercase());
        if heading.is_empty() || sections.iter().any(same) || sections.len() >= wanted {
            continue;
        }
        let points = distinct(&section.points, 200, 5);
        let words = WordRange { min: 0, max: 0 };
        sections.push(SectionPlan { heading: Some(heading), points, words, passages: Vec::new() });
    }
    let budgets = distribute(words, sections.len());
    let opening = SectionPlan { heading: None, points: Vec::new(), words: budgets[0], passages: Vec::new() };
    for (section, budget) in sections.iter_mut().zip(&budgets[1..]) {
        section.words = *budget;
    }
    sections.insert(0, opening);
    Outline { title, sections }
}

pub(crate) fn usable_seo(answer: &SeoAnswer) -> Result<(), String> {
    for (name, text) in [("title", &answer.title), ("description", &answer.description)] {
        if tidy(text, usize::MAX).is_empty() {
            return Err(format!("the {name} is empty"));
        }
    }
    Ok(())
}

pub(crate) fn proposed(answer: SeoAnswer) -> SeoProposal {
    let keywords = distinct(&answer.keywords, 60, 8);
    SeoProposal { title: shortened(&answer.title, 60), description: shortened(&answer.description, 155), keywords }
}

/// At most `count` of the texts, tidied, each once.
fn distinct(texts: &[String], most: usize, count: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for text in texts.iter().map(|t| tidy(t, most)).filter(|t| !t.is_empty()) {
        if out.len() < count && !out.iter().any(|o| o.to_lowercase() == text.to_lowercase()) {
            out.push(text);
        }
    }
    out
}

/// One line without the marks of a heading, a list or a quotation around it.
fn tidy(text: &str, most: usize) -> String {
    // a model that is held to a form thinks aloud within its strings
    let line = one_line(&unmarked(&without_marks(text)), most);
    let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '#' | '*' | '"' | '“' | '”' | '`'));
    line.trim_end_matches(':').trim().to_owned()
}

/// At most `most` characters, cut between words.
fn shortened(text: &str, most: usize) -> String {
    let line = tidy(text, usize::MAX);
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most).collect();
    let whole = line[cut.len()..].starts_with(' ');
    let end = if whole { None } else { cut.rfind(' ') };
    cut[..end.unwrap_or(cut.len())].trim_end_matches([' ', ',', ';', ':', '-', '–']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_tidied_and_told_apart() {
        let section =
            |heading: &str| SectionAnswer { heading: heading.into(), points: vec![" - x ".into(), " ".into()] };
        let answer = OutlineAnswer {
            title: "\"Tea:\n a guide\"".into(),
            sections: vec![
                section("Tea: a guide"),
                section("## Water:"),
                section("water"),
                section(" "),
                section("Heat"),
                section("More"),
            ],
        };
        let outline = planned(answer, WordRange { min: 400, max: 500 }, 2);
        assert_eq!(outline.title, "Tea: a guide");
        let headings: Vec<_> = outline.sections.iter().map(|s| s.heading.as_deref()).collect();
        assert_eq!(headings, [None, Some("Water"), Some("Heat")]);
        assert_eq!(outline.sections.iter().map(|s| s.words.min).sum::<u32>(), 400);
        assert_eq!(outline.sections[1].points, ["- x"]);
    }

    #[test]
    fn what_is_nothing_but_marks_is_empty() {
        let outline = |title: &str, heading: &str| OutlineAnswer {
            title: title.into(),
            sections: vec![SectionAnswer { heading: heading.into(), points: Vec::new() }],
        };
        assert_eq!(usable_outline(&outline("Tea", "Water")), Ok(()));
        assert!(usable_outline(&outline("****", "Water")).is_err());
        assert!(usable_outline(&outline("Tea", "# \"\"")).is_err());
        let seo = |title: &str, description: &str| SeoAnswer {
            title: title.into(),
            description: description.into(),
            keywords: Vec::new(),
        };
        assert_eq!(usable_seo(&seo("Tea", "All of it.")), Ok(()));
        assert!(usable_seo(&seo("**", "All of it.")).is_err() && usable_seo(&seo("Tea", "```")).is_err());
    }

    #[test]
    fn proposals_keep_within_their_lengths() {
        let answer = SeoAnswer {
            title: "Steeping green tea at the right temperature, every single time you try".into(),
            description: "word ".repeat(60),
            keywords: vec!["Green tea".into(), "green tea".into(), String::new(), "x".repeat(500)],
        };
        let seo = proposed(answer);
        assert_eq!(seo.title, "Steeping green tea at the right temperature, every single");
        assert!(seo.description.chars().count() <= 155 && seo.description.ends_with("word"));
        assert_eq!(seo.keywords.len(), 2);
        assert_eq!(shortened(&"é".repeat(99), 60).chars().count(), 60);
    }

    #[test]
    fn the_schema_asks_for_what_the_order_wants() {
        let schema = outline_schema(1);
        assert_eq!(schema["properties"]["sections"]["maxItems"], 1);
        assert_eq!(schema["properties"]["sections"]["minItems"], 1);
        let item = &schema["properties"]["sections"]["items"];
        assert_eq!(item["properties"]["points"]["items"]["maxLength"], 110, "{schema}");
        assert_eq!(item["required"], serde_json::json!(["heading", "points"]));
    }
}

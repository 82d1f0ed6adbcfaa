//! Sentences that the sources do not bear out, written anew.

use galley_domain::{
    usage::Meter,
    writing::{Brief, Objection, Snapshot, WriteError},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{MOST_SHRINKS, OpenAiWriter, expected, language_name, said_well};
use crate::{
    chat::{CallError, ChatRequest},
    clean,
    fence::{Excerpt, excerpts, one_line},
    json::schema_of,
    prompts::CORRECT,
};

/// The most sentences that are sent back at once, and the longest of them in characters.
const MOST_SENTENCES: usize = 12;
const LONGEST: usize = 600;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct CorrectAnswer {
    #[schemars(length(min = 1, max = 12))]
    sentences: Vec<Corrected>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Corrected {
    number: u32,
    #[serde(default)]
    #[schemars(length(max = 600))]
    text: String,
}

impl OpenAiWriter {
    /// One sentence for each objection, or none where the model found nothing to say in its place. Those beyond the first
    /// twelve are not sent back.
    pub(super) async fn corrected(
        &self,
        brief: &Brief,
        objections: &[Objection],
        sources: &[Snapshot],
        meter: &Meter,
    ) -> Result<Vec<Option<String>>, WriteError> {
        let sent = &objections[..objections.len().min(MOST_SENTENCES)];
        let (language, listed) = (language_name(&brief.language), listed(sent));
        let passages = passages(sent, sources);
        let values = [("language", language.as_str()), ("sentences", &listed)];
        let expected = expected(&CORRECT, brief, sources);
        let check = |answer: &CorrectAnswer| said_well(&expected, &language, answer.sentences.iter().map(|s| &s.text));
        let mut shrinks = 0;
        let answer = loop {
            let fitting = self.fitting(shrinks);
            let messages = self.messages(&CORRECT, &values, "excerpts", &fitting, |room| excerpts(&passages, room))?;
            let max_tokens = self.client.endpoint().answer_tokens();
            let request = ChatRequest { messages, max_tokens, schema: Some(("correct", schema_of::<CorrectAnswer>())) };
            match self.client.complete_json(request, "correct", meter, &check).await {
                Err(CallError::ContextTooLong(_)) if shrinks < MOST_SHRINKS => shrinks += 1,
                Err(error) => return Err(error.into()),
                Ok(answer) => break answer,
            }
        };
        let of = |number: usize| {
            let found = answer.sentences.iter().find(|s| usize::try_from(s.number) == Ok(number))?;
            let text = clean::paragraphs(&found.text, &[], false).join(" ");
            (!text.is_empty()).then_some(text)
        };
        Ok((1..=objections.len()).map(of).collect())
    }
}

/// `1. The sentence. (not in the sources: 1987, Riga)`
fn listed(objections: &[Objection]) -> String {
    let line = |(number, objection): (usize, &Objection)| {
        let sentence = one_line(&objection.sentence, LONGEST);
        let missing: Vec<String> = objection.missing.iter().take(8).map(|m| one_line(m, 60)).collect();
        let missing =
            if missing.is_empty() { String::new() } else { format!(" (not in the sources: {})", missing.join(", ")) };
        format!("{number}. {sentence}{missing}")
    };
    (1..).zip(objections).map(line).collect::<Vec<_>>().join("\n")
}

/// The passages of all objections, each once.
fn passages<'a>(objections: &[Objection], sources: &'a [Snapshot]) -> Vec<Excerpt<'a>> {
    let mut spans = Vec::new();
    for span in objections.iter().flat_map(|objection| &objection.passages) {
        if !spans.contains(span) {
            spans.push(*span);
        }
    }
    let excerpt = |span: galley_domain::writing::Span| {
        let source = sources.iter().find(|source| source.number == span.source)?;
        Some(Excerpt { number: span.source, title: &source.title, text: source.text.get(span.range())? })
    };
    spans.into_iter().filter_map(excerpt).collect()
}

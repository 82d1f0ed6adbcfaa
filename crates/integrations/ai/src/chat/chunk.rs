//! A piece of an answer, or a whole one, read with more patience than a struct has.
//!
//! Compatible servers leave fields out, send `null` or another type, and name the reasoning in several ways, at times in two
//! ways at once (vLLM has renamed the field and sends both), which a renamed field of a struct refuses as a duplicate.

use serde_json::{Map, Value};

use super::record::Counted;

/// What a piece says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub text: String,
    /// Bytes of reasoning.
    pub reasoning: usize,
    pub reasoning_tokens: u64,
    pub finish: Option<String>,
    pub refused: bool,
    pub counted: Option<Counted>,
    /// The whole piece, where it is an error.
    pub error: Option<Value>,
}

/// Names under which servers send reasoning.
const REASONING: [&str; 5] = ["reasoning_content", "reasoning", "reasoning_details", "thinking", "thoughts"];
/// Types of parts of `content` that are no text for the reader.
const HIDDEN_PARTS: [&str; 4] = ["thinking", "reasoning", "redacted_thinking", "thought"];

impl Chunk {
    pub(crate) fn read(value: Value) -> Self {
        let mut chunk = Self::default();
        if let Some(usage) = value.get("usage").filter(|u| u.is_object()) {
            chunk.count(usage);
        }
        let choices = match value.get("choices") {
            Some(Value::Array(choices)) => choices.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        // one answer was asked for; an index that is missing, null or no number is its own
        for choice in choices.iter().filter(|c| c.get("index").and_then(Value::as_u64).unwrap_or(0) == 0) {
            chunk.take(choice);
        }
        if chunk.error.is_none() && is_error(&value, choices.is_empty()) {
            chunk.error = Some(value);
        }
        chunk
    }

    fn count(&mut self, usage: &Value) {
        let number = |name: &str| usage.get(name).and_then(Value::as_u64);
        if let Some(prompt) = number("prompt_tokens").or_else(|| number("input_tokens")) {
            let completion = number("completion_tokens").or_else(|| number("output_tokens")).unwrap_or(0);
            self.counted = Some(Counted { prompt, completion });
        }
        let details = usage.get("completion_tokens_details").or_else(|| usage.get("output_tokens_details"));
        self.reasoning_tokens = details.and_then(|d| d.get("reasoning_tokens")?.as_u64()).unwrap_or(0);
    }

    fn take(&mut self, choice: &Value) {
        if let Some(error) = choice.get("error").filter(|e| is_said(e)) {
            self.error = Some(serde_json::json!({ "error": error }));
        }
        // `message` where a server does not stream although it was asked to
        let said = ["delta", "message"].into_iter().find_map(|name| choice.get(name)?.as_object());
        if let Some(said) = said {
            self.take_delta(said);
        } else if let Some(text) = choice.get("text") {
            push_text(&mut self.text, text, &mut self.reasoning);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
            self.finish = Some(reason.to_owned());
        }
    }

    fn take_delta(&mut self, said: &Map<String, Value>) {
        push_text(&mut self.text, said.get("content").unwrap_or(&Value::Null), &mut self.reasoning);
        // where two names are there, they say the same
        self.reasoning += REASONING.iter().filter_map(|name| said.get(*name)).map(length).max().unwrap_or(0);
        self.refused |= said.get("refusal").is_some_and(|r| length(r) > 0);
    }
}

/// A string, or a list of parts with `text`; parts that are reasoning count as such.
fn push_text(text: &mut String, content: &Value, reasoning: &mut usize) {
    match content {
        Value::String(piece) => text.push_str(piece),
        Value::Array(parts) => {
            for part in parts {
                push_text(text, part, reasoning);
            }
        }
        Value::Object(part) => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
            if HIDDEN_PARTS.contains(&kind) {
                *reasoning += length(content);
            } else {
                push_text(text, part.get("text").unwrap_or(&Value::Null), reasoning);
            }
        }
        _ => {}
    }
}

/// The bytes of all strings but those that say what kind of thing it is.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(length).sum(),
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "type" | "id" | "format"))
            .map(|(_, v)| length(v))
            .sum(),
        _ => 0,
    }
}

fn is_said(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some("")
}

/// Whether a piece under HTTP 200 is an error, in whatever shape. Without any choice, words are enough.
fn is_error(value: &Value, alone: bool) -> bool {
    let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
    let Some(map) = value.as_object() else { return value.is_string() };
    let has = |name: &str| map.get(name).is_some_and(is_said);
    if has("error") || has("errors") || map.get("type").and_then(Value::as_str) == Some("error") {
        return true;
    }
    let words =
        ["message", "detail", "msg", "error_message", "error_msg", "error_code", "title"].iter().any(|n| has(n));
    alone && !map.contains_key("choices") && !map.contains_key("usage") && words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(delta: &Value) -> Chunk {
        Chunk::read(json!({"choices": [{"index": null, "delta": delta}]}))
    }

    #[test]
    fn reasoning_is_read_under_every_name() {
        for delta in [
            json!({"reasoning": "abc", "reasoning_content": "abc", "content": "x"}),
            json!({"reasoning": null, "reasoning_content": "abc", "content": "x"}),
            json!({"reasoning_details": [{"type": "reasoning.text", "text": "abc", "id": "r1"}], "reasoning": "abc", "content": "x"}),
            json!({"thinking": {"content": "abc"}, "content": "x"}),
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "abc"}]}, {"type": "text", "text": "x"}]}),
        ] {
            let chunk = read(&delta);
            assert_eq!((chunk.text.as_str(), chunk.reasoning, chunk.error), ("x", 3, None), "{delta}");
        }
    }

    #[test]
    fn indexes_and_choices_may_be_missing() {
        for (value, text) in [
            (json!({"choices": [{"delta": {"content": "x"}}]}), "x"),
            (json!({"choices": [{"index": null, "delta": {"content": "x"}}]}), "x"),
            (json!({"choices": [{"index": "0", "message": {"content": "x"}}]}), "x"),
            (json!({"choices": [{"index": 1, "delta": {"content": "x"}}]}), ""),
            (json!({"choices": [{"index": 0, "text": "x"}]}), "x"),
            (json!({"choices": [], "usage": {"prompt_tokens": 1}}), ""),
            (json!({"choices": null, "usage": null}), ""),
            (json!({"id": "1", "object": "chat.completion.chunk"}), ""),
            (json!({"choices": [{"delta": null, "finish_reason": null}]}), ""),
        ] {
            let chunk = Chunk::read(value.clone());
            assert_eq!((chunk.text.as_str(), chunk.error), (text, None), "{value}");
        }
    }

    #[test]
    fn errors_are_seen_in_every_shape() {
        for value in [
            json!({"error": "busy"}),
            json!({"error": {"message": "busy"}, "choices": []}),
            json!({"message": "busy", "code": 429}),
            json!({"detail": "busy"}),
            json!({"detail": [{"msg": "busy"}]}),
            json!({"object": "error", "message": "busy"}),
            json!({"type": "error", "error": {"type": "overloaded_error"}}),
            json!({"errors": [{"message": "busy"}]}),
            json!({"error_code": 18, "error_msg": "busy"}),
            json!([{"error": {"message": "busy"}}]),
            json!({"choices": [{"error": {"code": 502, "message": "busy"}, "finish_reason": "error"}]}),
            json!("busy"),
        ] {
            assert!(Chunk::read(value.clone()).error.is_some(), "{value}");
        }
    }
}

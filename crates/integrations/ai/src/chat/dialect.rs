//! What a server turned out not to understand.
//!
//! "OpenAI-compatible" servers differ in optional parameters: some refuse `response_format`, newer models refuse
//! `max_tokens` and `temperature`, older servers refuse `stream_options`. A refusal is a 400 that costs nothing; it is
//! remembered here, so that only the first call of a client meets it.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

use super::faults::ApiError;
use crate::endpoint::JsonMode;

/// The ways to ask for JSON, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JsonLevel {
    Schema,
    /// Without `minLength` and `maxLength`, which strict modes of some providers refuse.
    LooseSchema,
    Object,
    Prompt,
}

impl JsonLevel {
    const ALL: [Self; 4] = [Self::Schema, Self::LooseSchema, Self::Object, Self::Prompt];

    fn from_index(index: u8) -> Self {
        *Self::ALL.get(usize::from(index)).unwrap_or(&Self::Prompt)
    }
}

/// An optional parameter that a server can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    ResponseFormat,
    MaxTokens,
    Temperature,
    StreamOptions,
}

/// What one call uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub json: JsonLevel,
    pub max_completion_tokens: bool,
    pub temperature: bool,
    pub stream_options: bool,
}

#[derive(Debug)]
pub(crate) struct Dialect {
    json: AtomicU8,
    adaptive: bool,
    max_completion_tokens: AtomicBool,
    temperature: AtomicBool,
    stream_options: AtomicBool,
    reasons: AtomicBool,
}

/// The most calls that finding a server's dialect can take: three steps of JSON, three parameters, and the call itself.
pub(crate) const MOST_CALLS: usize = 7;

impl Dialect {
    pub(crate) fn new(mode: JsonMode) -> Self {
        let level = match mode {
            JsonMode::Auto | JsonMode::Schema => JsonLevel::Schema,
            JsonMode::Object => JsonLevel::Object,
            JsonMode::Prompt => JsonLevel::Prompt,
        };
        Self {
            json: AtomicU8::new(level as u8),
            adaptive: mode == JsonMode::Auto,
            max_completion_tokens: AtomicBool::new(false),
            temperature: AtomicBool::new(true),
            stream_options: AtomicBool::new(true),
            reasons: AtomicBool::new(false),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            json: JsonLevel::from_index(self.json.load(Relaxed)),
            max_completion_tokens: self.max_completion_tokens.load(Relaxed),
            temperature: self.temperature.load(Relaxed),
            stream_options: self.stream_options.load(Relaxed),
        }
    }

    /// Leaves the parameter out of later calls. `seen` is what the refused call used: when another call has learned the
    /// same meanwhile, nothing changes twice. False where the settings leave no other way.
    pub(crate) fn give_up(&self, parameter: Parameter, seen: Snapshot) -> bool {
        match parameter {
            Parameter::ResponseFormat if self.adaptive && seen.json < JsonLevel::Prompt => {
                let now = seen.json as u8;
                // the loser of a race finds the level moved already, which is as good
                let _ = self.json.compare_exchange(now, now + 1, Relaxed, Relaxed);
                true
            }
            Parameter::ResponseFormat => false,
            Parameter::MaxTokens => {
                self.max_completion_tokens.store(true, Relaxed);
                !seen.max_completion_tokens
            }
            Parameter::Temperature => {
                self.temperature.store(false, Relaxed);
                seen.temperature
            }
            Parameter::StreamOptions => {
                self.stream_options.store(false, Relaxed);
                seen.stream_options
            }
        }
    }

    /// Notes that the model spends answer tokens on reasoning, so that answers need more room than their text.
    pub(crate) fn note_reasoning(&self) {
        self.reasons.store(true, Relaxed);
    }

    pub(crate) fn reasons(&self) -> bool {
        self.reasons.load(Relaxed)
    }
}

/// The parameter that a 400 or 422 complains about, if it is one that can be left out.
pub(crate) fn refused(error: &ApiError, asks_json: bool) -> Option<Parameter> {
    let message = error.message.to_lowercase();
    let param = error.param.as_deref().unwrap_or("");
    if message.contains("max_completion_tokens") || (param == "max_tokens" && error.code_is("unsupported_parameter")) {
        return Some(Parameter::MaxTokens);
    }
    if param == "stream_options" || message.contains("stream_options") {
        return Some(Parameter::StreamOptions);
    }
    if param == "temperature" || message.contains("temperature") {
        return Some(Parameter::Temperature);
    }
    let about_json = ["response_format", "json", "schema", "grammar"].iter().any(|word| message.contains(word));
    (asks_json && (param.starts_with("response_format") || about_json)).then_some(Parameter::ResponseFormat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steps_down_one_at_a_time_and_only_when_it_may() {
        let dialect = Dialect::new(JsonMode::Auto);
        let seen = dialect.snapshot();
        assert!(dialect.give_up(Parameter::ResponseFormat, seen));
        assert!(dialect.give_up(Parameter::ResponseFormat, seen), "a late second refusal of the same");
        assert_eq!(dialect.snapshot().json, JsonLevel::LooseSchema);
        for level in [JsonLevel::Object, JsonLevel::Prompt] {
            assert!(dialect.give_up(Parameter::ResponseFormat, dialect.snapshot()));
            assert_eq!(dialect.snapshot().json, level);
        }
        assert!(!dialect.give_up(Parameter::ResponseFormat, dialect.snapshot()));
        let fixed = Dialect::new(JsonMode::Schema);
        assert!(!fixed.give_up(Parameter::ResponseFormat, fixed.snapshot()));
    }

    #[test]
    fn other_parameters_are_given_up_once() {
        let dialect = Dialect::new(JsonMode::Auto);
        for parameter in [Parameter::MaxTokens, Parameter::Temperature, Parameter::StreamOptions] {
            assert!(dialect.give_up(parameter, dialect.snapshot()));
            assert!(!dialect.give_up(parameter, dialect.snapshot()), "{parameter:?}");
        }
    }
}

//! Where a model is reached, what it may cost in time and tokens, and what it costs in money.

use std::time::Duration;

use galley_domain::{Fault, FaultCode, Hidden};
use serde::Deserialize;
use url::Url;

use crate::prices::Price;

/// Whose key the calls are made with, for messages that say who can mend it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyOwner {
    #[default]
    Operator,
    Organization,
}

/// How the model is brought to answer in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonMode {
    /// `schema` first; where the server refuses that, a schema without string lengths, then `object`, then `prompt`.
    /// What a server refused is remembered for the life of the client.
    #[default]
    Auto,
    /// `response_format: json_schema`, strict.
    Schema,
    /// `response_format: json_object`; the schema stands in the prompt.
    Object,
    /// Nothing but the prompt.
    Prompt,
}

/// How long one call may wait. Each is above zero and at most an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the first byte of the answer: a slow server reads the whole prompt in this time.
    pub first_byte: Duration,
    /// Between two pieces of a streamed answer.
    pub idle: Duration,
    /// For the whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(600),
        }
    }
}

/// A model behind an OpenAI-compatible address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider's name in output, logs and usage, e.g. `openai`.
    pub provider: String,
    /// Everything before `/chat/completions`, e.g. `https://api.example.com/v1`.
    pub base_url: Url,
    /// Sent as `Authorization: Bearer …`; local servers often need none.
    pub api_key: Option<Hidden>,
    pub key_owner: KeyOwner,
    pub model: String,
    /// `None` counts every call as free, with a warning.
    pub price: Option<Price>,
    pub timeouts: Timeouts,
    /// The most tokens that one answer may have; with reasoning models this includes the reasoning.
    pub max_tokens: u32,
    /// `None` leaves it to the server.
    pub temperature: Option<f32>,
    /// What prompt and answer may have together.
    pub context_tokens: u32,
    pub json_mode: JsonMode,
    /// Whether answers stand in the usage that is recorded, so that a task can be replayed from them.
    pub keep_answers: bool,
}

/// An endpoint that cannot work as configured; the message names the setting and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model endpoint: {setting} {problem}")]
pub struct EndpointError {
    pub setting: &'static str,
    pub problem: String,
}

impl Endpoint {
    /// An endpoint with ordinary limits: 8,192 tokens of context, answers of at most 2,048, temperature 0.3.
    ///
    /// # Errors
    /// When `base_url` is no address.
    pub fn new(provider: impl Into<String>, base_url: &str, model: impl Into<String>) -> Result<Self, EndpointError> {
        let base_url = Url::parse(base_url.trim())
            .map_err(|e| wrong("base_url", format!("is not an address ({e}); write it like https://host/v1")))?;
        Ok(Self {
            provider: provider.into(),
            base_url,
            api_key: None,
            key_owner: KeyOwner::Operator,
            model: model.into(),
            price: None,
            timeouts: Timeouts::default(),
            max_tokens: 2_048,
            temperature: Some(0.3),
            context_tokens: 8_192,
            json_mode: JsonMode::Auto,
            keep_answers: false,
        })
    }

    /// Says what is wrong with the settings, before the first call.
    pub(crate) fn check(&self) -> Result<(), EndpointError> {
        self.check_address()?;
        named("provider", &self.provider, 40)?;
        named("model", &self.model, 200)?;
        within("max_tokens", self.max_tokens, 64, 200_000)?;
        within("context_tokens", self.context_tokens, 512, 4_000_000)?;
        if self.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
            return Err(wrong("temperature", "must be from 0 to 2"));
        }
        let Timeouts { connect, first_byte, idle, total } = self.timeouts;
        for (setting, value) in [
            ("timeouts.connect", connect),
            ("timeouts.first_byte", first_byte),
            ("timeouts.idle", idle),
            ("timeouts.total", total),
        ] {
            if value.is_zero() || value > Duration::from_secs(3600) {
                return Err(wrong(setting, "must be above zero and at most an hour"));
            }
        }
        Ok(())
    }

    pub(crate) fn check_address(&self) -> Result<(), EndpointError> {
        let url = &self.base_url;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("base_url", "must be an http or https address; write it like https://host/v1"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("base_url", "must not hold credentials; put the key into api_key"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("base_url", "must end with its path, without `?` or `#`"));
        }
        let key = self.api_key.as_ref().map_or("", Hidden::expose);
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong("api_key", "holds a space, a line break or another sign that no key has"));
        }
        Ok(())
    }

    /// `{base_url}/chat/completions`.
    pub(crate) fn chat_url(&self) -> Url {
        self.url("chat/completions")
    }

    /// `{base_url}/images/generations`.
    pub(crate) fn images_url(&self) -> Url {
        self.url("images/generations")
    }

    /// `{base_url}/embeddings`.
    pub(crate) fn embeddings_url(&self) -> Url {
        self.url("embeddings")
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}/{path}", self.base_url.path().trim_end_matches('/')));
        url
    }

    /// The most tokens to ask for in one answer: never more than half the context, so that the sources keep room.
    pub(crate) fn answer_tokens(&self) -> u32 {
        self.max_tokens.min(self.context_tokens / 2)
    }
}

/// What an organization is told whose key no server can be sent.
pub(crate) fn unusable_key(error: EndpointError) -> Fault {
    let message = "Your organization's own model key holds a sign that no key has. Let the operator set it again \
                   (galley secrets set model-key).";
    Fault::permanent(FaultCode::LlmError, message).with_detail(error)
}

fn wrong(setting: &'static str, problem: impl Into<String>) -> EndpointError {
    EndpointError { setting, problem: problem.into() }
}

fn named(setting: &'static str, value: &str, most: usize) -> Result<(), EndpointError> {
    if value.trim().is_empty() || value.len() > most || value.chars().any(char::is_control) {
        return Err(wrong(setting, format!("must be one line of 1 to {most} bytes")));
    }
    Ok(())
}

fn within(setting: &'static str, value: u32, least: u32, most: u32) -> Result<(), EndpointError> {
    if !(least..=most).contains(&value) {
        return Err(wrong(setting, format!("is {value}, but must be from {least} to {most}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str) -> Endpoint {
        Endpoint::new("peer", base, "m").unwrap()
    }

    #[test]
    fn the_path_of_the_base_is_kept() {
        for (base, full) in [
            ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
            ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"),
            ("https://g.example.com/v1beta/openai", "https://g.example.com/v1beta/openai/chat/completions"),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090/chat/completions"),
        ] {
            assert_eq!(endpoint(base).chat_url().as_str(), full);
        }
    }

    #[test]
    fn a_key_shows_nowhere() {
        let mut e = endpoint("https://host/v1");
        e.api_key = Some(Hidden::new("sk-very-secret"));
        assert!(!format!("{e:?}").contains("very"), "{e:?}");
    }

    #[test]
    fn wrong_settings_are_named() {
        assert_eq!(Endpoint::new("p", "no address", "m").unwrap_err().setting, "base_url");
        type Spoil = fn(&mut Endpoint);
        let cases: [(&str, Spoil); 9] = [
            ("base_url", |e| e.base_url = Url::parse("ftp://host/v1").unwrap()),
            ("base_url", |e| e.base_url = Url::parse("https://u:p@host/v1").unwrap()),
            ("base_url", |e| e.base_url = Url::parse("https://host/v1?key=1").unwrap()),
            ("api_key", |e| e.api_key = Some(Hidden::new("sk-1\n"))),
            ("model", |e| e.model = " ".into()),
            ("max_tokens", |e| e.max_tokens = 1),
            ("context_tokens", |e| e.context_tokens = 100),
            ("temperature", |e| e.temperature = Some(f32::NAN)),
            ("timeouts.idle", |e| e.timeouts.idle = Duration::ZERO),
        ];
        for (setting, spoil) in cases {
            let mut e = endpoint("https://host/v1");
            assert_eq!(e.check(), Ok(()));
            spoil(&mut e);
            assert_eq!(e.check().unwrap_err().setting, setting);
        }
    }
}

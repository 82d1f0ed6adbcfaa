//! What a failed call means: pure functions from status, headers and body to a typed fault.

use std::time::{Duration, SystemTime};

use galley_domain::{Fault, FaultCode, hidden::strike_out};
use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{
    CallError,
    dialect::{Parameter, refused},
};
use crate::endpoint::KeyOwner;

/// The longest wait that is taken from a server.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);
/// How much of a provider's own words goes to the log.
const MOST_DETAIL: usize = 300;

/// Whose answer it was, for messages; and what must not show in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub key: &'a str,
    pub key_owner: KeyOwner,
    /// Everything that was sent. Servers quote their input in errors, and prompts stay out of the log.
    pub prompt: &'a str,
    /// Whether the call asked for a `response_format`.
    pub asks_json: bool,
    /// Of the answer.
    pub max_tokens: u32,
}

/// A failed call, before it is known whether leaving a parameter out helps.
#[derive(Debug)]
pub(crate) enum Problem {
    Call(CallError),
    Refused(Parameter, Fault),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Call(CallError::Fault(fault))
    }
}

/// An error as providers write it, in whatever shape.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub message: String,
    pub kind: Option<String>,
    pub code: Option<String>,
    pub param: Option<String>,
}

impl ApiError {
    /// Reads `{"error": {…}}`, `{"error": "…"}`, `[{"error": …}]`, `{"errors": […]}`, `{"message": …}`, `{"detail": …}` and
    /// their like, or plain text.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(&value),
            Err(_) => Self { message: String::from_utf8_lossy(body).trim().to_owned(), ..Self::default() },
        }
    }

    pub(crate) fn from_value(value: &Value) -> Self {
        let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
        let said = |name: &str| value.get(name).filter(|e| !matches!(e, Value::Null | Value::Bool(_)));
        let first = |list: &'_ Value| list.as_array().and_then(|l| l.first().cloned());
        let inner = said("error").cloned().or_else(|| said("errors").and_then(first));
        let inner = inner.as_ref().unwrap_or(value);
        let of = |map: &Value, name: &str| match map.get(name) {
            Some(Value::String(s)) => Some(s.clone()),
            Some(Value::Number(n)) => Some(n.to_string()),
            _ => None,
        };
        // `{"error": "busy", "code": 503}` has its code outside
        let word = |name: &str| of(inner, name).or_else(|| of(value, name));
        let words = ["message", "detail", "msg", "error_message", "error_msg", "title"];
        let message = inner.as_str().map(str::to_owned);
        let message = message.or_else(|| words.iter().find_map(|name| word(name)));
        let message = message.or_else(|| Some(inner.get("detail").or_else(|| inner.get("message"))?.to_string()));
        // a stream's `"type": "error"` says nothing
        let kind = ["type", "status", "error_type"].iter().find_map(|n| word(n).filter(|kind| kind != "error"));
        Self {
            message: message.unwrap_or_default(),
            kind,
            code: ["code", "error_code", "status_code"].iter().find_map(|name| word(name)),
            param: word("param"),
        }
    }

    /// Whether code or type is this word.
    pub(crate) fn code_is(&self, word: &str) -> bool {
        [&self.code, &self.kind].into_iter().flatten().any(|c| c.eq_ignore_ascii_case(word))
    }

    fn code_has(&self, part: &str) -> bool {
        [&self.code, &self.kind].into_iter().flatten().any(|c| c.to_ascii_lowercase().contains(part))
    }

    fn is_quota(&self) -> bool {
        // not judged by the message: Gemini says "exceeded your current quota" for a limit of one minute
        [
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "insufficient_balance",
            "billing_error",
        ]
        .iter()
        .any(|word| self.code_is(word))
    }

    fn is_context(&self) -> bool {
        let message = self.message.to_lowercase();
        self.code_is("context_length_exceeded")
            || self.code_is("exceed_context_size_error")
            || ["context length", "context size", "context window", "prompt is too long", "input token count"]
                .iter()
                .any(|words| message.contains(words))
    }

    /// Whether the provider's rules refuse what was asked for.
    pub(crate) fn is_moderated(&self) -> bool {
        self.is_filter() || self.code_has("moderation")
    }

    fn is_filter(&self) -> bool {
        self.code_is("content_filter") || self.code_has("content_policy")
    }

    /// For the log: status, type, code and the provider's words, without the key and without quotes of the prompt.
    fn detail(&self, status: Option<StatusCode>, context: Context<'_>) -> String {
        let status = status.map(|s| format!("HTTP {} ", s.as_u16())).unwrap_or_default();
        let code: Vec<&str> = [&self.kind, &self.code, &self.param].into_iter().flatten().map(String::as_str).collect();
        format!("{status}[{}] {}", scrub(&code.join(" "), context), scrub(&self.message, context))
    }
}

/// Cuts a provider's words where they begin to quote the prompt, hides the key, and keeps one short line.
pub(crate) fn scrub(text: &str, context: Context<'_>) -> String {
    const QUOTE: usize = 24;
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text = strike_out(context.key, &text);
    let prompt = context.prompt.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut end = text.floor_char_boundary(MOST_DETAIL);
    for (at, _) in text[..end].char_indices() {
        let window = &text[at..text.ceil_char_boundary((at + QUOTE).min(text.len()))];
        if window.len() >= QUOTE && prompt.contains(window) {
            end = at;
            break;
        }
    }
    if end < text.len() { format!("{}…", &text[..end]) } else { text }
}

/// What an answer with an error status means.
pub(crate) fn of_status(status: StatusCode, headers: &HeaderMap, body: &[u8], context: Context<'_>) -> Problem {
    let error = ApiError::read(body);
    let detail = error.detail(Some(status), context);
    if matches!(status.as_u16(), 400 | 413 | 422 | 500) && error.is_context() || status.as_u16() == 413 {
        return Problem::Call(CallError::ContextTooLong(context_too_long(context).with_detail(detail)));
    }
    let number = status.as_u16();
    let Context { provider, model, .. } = context;
    if error.is_quota() || number == 402 {
        return quota_spent(context).with_detail(detail).into();
    }
    if error.is_filter() {
        return filtered(context).with_detail(detail).into();
    }
    let permanent = |message: String| Fault::permanent(FaultCode::LlmError, message).with_detail(&detail);
    let fault = match number {
        429 => Fault::transient(
            FaultCode::RateLimitError,
            format!("The model provider {provider} limits the rate of calls (HTTP 429)."),
        )
        .after(retry_after(headers, SystemTime::now()))
        .with_detail(&detail),
        408 | 409 | 425 | 500.. => Fault::transient(
            FaultCode::LlmError,
            format!("The model provider {provider} could not answer now (HTTP {number})."),
        )
        .after(retry_after(headers, SystemTime::now()))
        .with_detail(&detail),
        401 => permanent(format!(
            "The model provider {provider} refused the credentials (HTTP 401). {}",
            key_holder(context)
        )),
        403 => permanent(format!(
            "The model provider {provider} refused access to {model} (HTTP 403). {} Check what it may use there.",
            key_holder(context)
        )),
        404 => permanent(format!(
            "The model provider {provider} does not know {model} or the path (HTTP 404). The operator must check model \
             and base_url of this model endpoint; the latter usually ends in /v1."
        )),
        300..=399 => permanent(format!(
            "The model provider {provider} answered with a redirect (HTTP {number}). The operator must set base_url of \
             this model endpoint to the final address."
        )),
        _ => permanent(format!(
            "The model provider {provider} refused the request to {model} (HTTP {number}). The operator must check \
             model, max_tokens and temperature of this model endpoint; the log has the provider's words."
        )),
    };
    match (number, refused(&error, context.asks_json)) {
        (400 | 422, Some(parameter)) => Problem::Refused(parameter, fault),
        _ => fault.into(),
    }
}

/// What an error means that came after the server had answered 200: with a code, by it; else by its words.
pub(crate) fn in_stream(value: &Value, context: Context<'_>) -> CallError {
    let error = ApiError::from_value(value);
    let detail = error.detail(None, context);
    if error.is_context() {
        return CallError::ContextTooLong(context_too_long(context).with_detail(detail));
    }
    let provider = context.provider;
    let words = error.public_words(context);
    let fault = match error.class() {
        Class::Quota => quota_spent(context),
        Class::Filter => filtered(context),
        Class::Rate => Fault::transient(
            FaultCode::RateLimitError,
            format!("The model provider {provider} limits the rate of calls{words}."),
        ),
        Class::Credentials => Fault::permanent(
            FaultCode::LlmError,
            format!("The model provider {provider} refused the credentials{words}. {}", key_holder(context)),
        ),
        Class::Refused => Fault::permanent(
            FaultCode::LlmError,
            format!(
                "The model provider {provider} refused the request while answering{words}. The operator must check the \
                 settings of this model endpoint; the log has the provider's words."
            ),
        ),
        Class::Unavailable => Fault::transient(
            FaultCode::LlmError,
            format!("The model provider {provider} broke off its answer with an error{words}."),
        ),
    };
    CallError::Fault(fault.with_detail(detail))
}

/// What kind of error stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Quota,
    Filter,
    Rate,
    Credentials,
    Refused,
    /// Another try may help.
    Unavailable,
}

impl ApiError {
    fn class(&self) -> Class {
        let status = [&self.code, &self.kind].into_iter().flatten().find_map(|c| c.parse::<u16>().ok());
        if self.is_quota() {
            return Class::Quota;
        }
        if self.is_filter() {
            return Class::Filter;
        }
        match status {
            Some(402) => Class::Quota,
            Some(429) => Class::Rate,
            Some(401 | 403) => Class::Credentials,
            Some(408 | 409 | 425 | 500..=599) => Class::Unavailable,
            Some(400..=499) => Class::Refused,
            _ => self.class_of_words(),
        }
    }

    fn class_of_words(&self) -> Class {
        let has = |words: &[&str]| {
            let said =
                [&self.code, &self.kind].into_iter().flatten().map(String::as_str).chain([self.message.as_str()]);
            let said = said.collect::<Vec<_>>().join(" ").to_lowercase().replace(['_', '-'], " ");
            words.iter().any(|word| said.contains(word))
        };
        if has(&["rate limit", "too many requests", "resource exhausted", "throttl"]) {
            Class::Rate
        } else if has(&[
            "overload",
            "try again",
            "retry",
            "temporar",
            "unavailable",
            "timeout",
            "timed out",
            "busy",
            "internal",
        ]) {
            Class::Unavailable
        } else if has(&[
            "insufficient balance",
            "insufficient credit",
            "out of credit",
            "payment required",
            "no credit",
        ]) {
            Class::Quota
        } else if has(&[
            "api key",
            "apikey",
            "unauthorized",
            "unauthenticated",
            "authentication",
            "permission",
            "forbidden",
        ]) {
            Class::Credentials
        } else if has(&[
            "invalid request",
            "bad request",
            "not found",
            "does not exist",
            "unknown model",
            "not supported",
            "unsupported",
            "no such model",
            "invalid model",
            "validation",
            "is required",
            "must be",
        ]) {
            Class::Refused
        } else {
            Class::Unavailable
        }
    }

    /// The provider's words for whoever ordered: short, without the key, without quotes of the prompt, addresses and ids,
    /// which belong to the operator's account.
    fn public_words(&self, context: Context<'_>) -> String {
        const MOST: usize = 160;
        let private = |word: &str| {
            let long =
                word.len() >= 12 && word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(char::is_alphabetic);
            long || word.contains("://") || word.contains('@')
        };
        let words = scrub(&self.message, context);
        let words = words.split(' ').map(|word| if private(word) { "…" } else { word }).collect::<Vec<_>>().join(" ");
        let words = words[..words.floor_char_boundary(MOST)].trim().trim_end_matches(['.', '!']);
        if words.is_empty() { String::new() } else { format!(": \"{words}\"") }
    }
}

fn context_too_long(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The order and its sources do not fit into the context of {}. Use fewer or shorter sources, or let the \
             operator lower context_tokens of this model endpoint to what the model really has.",
            context.model
        ),
    )
}

fn quota_spent(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The account at the model provider {} has no credit or quota left. {}",
            context.provider,
            match context.key_owner {
                KeyOwner::Operator => "The operator must add credit there or choose another model endpoint.",
                KeyOwner::Organization => "It is the account of your organization's own model key: add credit there.",
            }
        ),
    )
}

/// Who can mend a key that is refused, and how.
fn key_holder(context: Context<'_>) -> &'static str {
    match context.key_owner {
        KeyOwner::Operator => "The operator must check the api_key of this model endpoint.",
        KeyOwner::Organization => {
            "It is your organization's own model key: let the operator set a valid one (galley secrets set model-key)."
        }
    }
}

/// The provider or the model declined to write this.
pub(crate) fn filtered(context: Context<'_>) -> Fault {
    Fault::permanent(
        FaultCode::LlmError,
        format!(
            "The content filter of {} stopped the answer. Reword the order, leave out the source in question, or use \
             another model.",
            context.provider
        ),
    )
}

/// The wait that a server asks for: `retry-after-ms`, else `Retry-After` in seconds or as a date. At most a day.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let seconds = |text: &str, unit: f64| {
        let value = text.parse::<f64>().ok().filter(|v| *v >= 0.0)?;
        Duration::try_from_secs_f64(value / unit).ok().or(Some(LONGEST_WAIT))
    };
    let wait = text("retry-after-ms").and_then(|t| seconds(t, 1000.0)).or_else(|| {
        let value = text(RETRY_AFTER.as_str())?;
        seconds(value, 1.0)
            .or_else(|| Some(httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default()))
    });
    wait.map(|w| w.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;

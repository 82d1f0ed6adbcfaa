//! What clients send: bodies of orders and edits, and the headers that steer a request.
#![no_main]

use galley::http::reading::{self, Headers, ReadBody};
use galley_domain::order::{ArticleOrder, FieldError, limits};
use galley_fuzz::parts;
use libfuzzer_sys::fuzz_target;
use poem::{Request, http::{HeaderName, HeaderValue}};
use serde_json::Value;

fn check_errors(errors: &[FieldError]) {
    assert!((1..=50).contains(&errors.len()));
    assert!(errors.iter().all(|error| !error.field.is_empty() && !error.message.trim().is_empty()));
}

/// Fractions may lose their last bit each time they are read; nobody who sends the same body twice meets that.
fn has_fraction(json: &Value) -> bool {
    match json {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        _ => false,
    }
}

/// Reading the same again asks for the same in the same bytes, and so does reading the canonical form.
fn check_body<T: PartialEq + std::fmt::Debug>(json: &Value, read: fn(Value) -> ReadBody<T>) -> Option<T> {
    match read(json.clone()) {
        Ok((value, canonical)) => {
            let again = serde_json::from_slice(&canonical).expect("canonical JSON");
            let again = if has_fraction(json) { json.clone() } else { again };
            assert_eq!(read(again).as_ref().ok(), Some(&(value, canonical.clone())), "it differs the second time");
            read(json.clone()).ok().map(|read| read.0)
        }
        Err(errors) => {
            check_errors(&errors);
            None
        }
    }
}

fn check_order(order: &ArticleOrder) {
    let prompt = order.brief.prompt.chars().count();
    assert!((1..=limits::PROMPT_CHARS).contains(&prompt) && !order.brief.prompt.contains('\0'));
    assert!(order.brief.keywords.len() <= limits::KEYWORDS_GENERATE);
    for keyword in &order.brief.keywords {
        assert!((1..=limits::KEYWORD_CHARS).contains(&keyword.chars().count()) && keyword.trim() == keyword);
    }
    let words = order.brief.words;
    assert!(words.min <= words.max && words.min >= limits::WORDS.0 && words.max <= limits::WORDS.1, "{words:?}");
    assert!(order.reference_links.len() <= limits::LINKS && order.uploaded_files.len() <= limits::FILES);
    assert_eq!(order.brief.language.len(), 2);
}

fn check_headers(lines: &[u8]) {
    const NAMES: [&str; 6] =
        ["authorization", "idempotency-key", "if-match", "last-event-id", "x-request-id", "traceparent"];
    let mut request = Request::builder().uri_str("/api/v1/tasks").finish();
    for (at, line) in lines.split(|byte| *byte == b'\n').take(12).enumerate() {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            request.headers_mut().append(HeaderName::from_static(NAMES[at % NAMES.len()]), value);
        }
    }
    let read = Headers::read(&request);
    assert!(read.key.as_ref().is_ok_and(|key| !key.is_empty() && key.trim() == key) || read.key.is_err());
    assert!(read.version.as_ref().is_ok_and(|version| version.is_none_or(|v| v >= 0)) || read.version.is_err());
    assert!(read.seen.as_ref().is_ok_and(|seen| seen.is_none_or(|s| s >= 0)) || read.seen.is_err());
    let errors = [read.key.err(), read.once.err(), read.version.err(), read.seen.err()];
    assert!(errors.iter().flatten().all(|error| !error.is_empty()));
    assert!((1..=128).contains(&read.request_id.len()) && read.request_id.bytes().all(|b| b.is_ascii_graphic()));
    assert!(read.trace_id.len() == 32 && read.trace_id.bytes().all(|b| b.is_ascii_hexdigit()));
}

fuzz_target!(|data: &[u8]| {
    let [headers, json] = parts::<2>(data);
    check_headers(headers);
    let Ok(json) = serde_json::from_slice::<Value>(json) else { return };
    for read in [reading::task, reading::generation] {
        if let Some(order) = check_body(&json, read) {
            check_order(&order);
        }
    }
    check_body(&json, reading::edit);
    check_body(&json, reading::retry);
});

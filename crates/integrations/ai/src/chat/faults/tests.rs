use reqwest::header::{HeaderName, HeaderValue};

use super::*;

const CONTEXT: Context<'_> = Context {
    provider: "peer",
    model: "m1",
    key: "sk-secret",
    key_owner: KeyOwner::Operator,
    prompt: "Write about the private plans of the Acme company in Basel.",
    asks_json: true,
    max_tokens: 1_000,
};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
}

#[test]
fn waits_are_read_in_every_form() {
    let now = httpdate::parse_http_date("Sun, 22 Nov 2026 10:00:00 GMT").unwrap();
    let secs = Duration::from_secs_f64;
    for (pairs, wait) in [
        (vec![], None),
        (vec![("retry-after", "7")], Some(secs(7.0))),
        (vec![("retry-after", " 1.5 ")], Some(secs(1.5))),
        (vec![("retry-after-ms", "250"), ("retry-after", "1")], Some(secs(0.25))),
        (vec![("retry-after-ms", "soon"), ("retry-after", "2")], Some(secs(2.0))),
        (vec![("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT")], Some(secs(90.0))),
        (vec![("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT")], Some(secs(0.0))),
        (vec![("retry-after", "99999999999999999999999")], Some(LONGEST_WAIT)),
        (vec![("retry-after", "1e400")], Some(LONGEST_WAIT)),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "NaN")], None),
        (vec![("retry-after", "later")], None),
    ] {
        assert_eq!(retry_after(&headers(&pairs), now), wait, "{pairs:?}");
    }
}

#[test]
fn errors_are_read_in_every_shape() {
    let read = |text: &str| ApiError::read(text.as_bytes());
    assert_eq!(read(r#"{"error":{"message":"m","type":"t","code":400}}"#).code.as_deref(), Some("400"));
    assert_eq!(read(r#"[{"error":{"message":"m","status":"S"}}]"#).kind.as_deref(), Some("S"));
    for text in
        [r#"{"error":"m"}"#, r#"{"message":"m"}"#, r#"{"detail":"m"}"#, "m\n", r#"{"error":null,"message":"m"}"#]
    {
        assert_eq!(read(text).message, "m", "{text}");
    }
    assert_eq!(read("[]").message, "");
    assert_eq!(read("").message, "");
    assert_eq!(read("\u{fffd}\0").code, None);
}

#[test]
fn the_log_gets_neither_key_nor_prompt() {
    let words = "Incorrect key sk-secret; input: 'Write about the private plans of the Acme company in Basel.'";
    let detail = scrub(words, CONTEXT);
    assert_eq!(detail, "Incorrect key [hidden]; input: '…");
    assert!(scrub(&"é".repeat(1_000), CONTEXT).len() <= MOST_DETAIL + 3);
    assert_eq!(scrub("short\nwords", CONTEXT), "short words");
}

#[test]
fn an_error_in_a_stream_is_typed() {
    let typed = |text: &str| in_stream(&serde_json::from_str(text).unwrap(), CONTEXT);
    let transient = |text: &str| matches!(typed(text), CallError::Fault(f) if f.is_transient());
    assert!(transient(r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#));
    assert!(transient(r#"{"error":{"message":"x","code":502}}"#));
    assert!(transient(r#"{"error":"x"}"#));
    assert!(transient(r#"{"detail":"The server is busy, try again later"}"#));
    assert!(transient(r#"{"error":"upstream timeout","code":504}"#));
    for refused in [
        r#"{"detail":"Invalid API key"}"#,
        r#"{"message":"no such model","code":404}"#,
        r#"{"error":"model 'm9' not found"}"#,
        r#"{"error_code":401,"error_msg":"who are you"}"#,
        r#"{"errors":[{"message":"Insufficient balance"}]}"#,
    ] {
        assert!(!transient(refused), "{refused}");
    }
    let words = |text: &str| Fault::from(typed(text)).to_string();
    assert!(words(r#"{"detail":"The GPU is on fire"}"#).contains("The GPU is on fire"));
    let private = words(r#"{"error":"Rate limit for org-a1b2c3d4e5f6 at https://x.test/a, key sk-secret"}"#);
    assert!(private.contains("Rate limit for … at …") && !private.contains("secret"), "{private}");
    assert!(transient(r#"{"error":{"code":"rate_limit_exceeded"}}"#));
    assert!(!transient(r#"{"error":{"code":"insufficient_quota"}}"#));
    assert!(!transient(r#"{"error":{"code":402}}"#));
    assert!(!transient(r#"{"error":{"code":400,"type":"invalid_request_error"}}"#));
    assert!(!transient(r#"{"error":{"code":"content_filter"}}"#));
    let long = typed(r#"{"error":{"code":400,"type":"exceed_context_size_error"}}"#);
    assert!(matches!(long, CallError::ContextTooLong(_)));
}

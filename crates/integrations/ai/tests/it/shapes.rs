//! What servers that call themselves compatible send, over real HTTP.

use crate::support::{Script, Server, counted, data, done, endpoint, finished, piece};
use galley_ai::{CallError, ChatClient, ChatRequest, Completion, Message};
use galley_domain::{FaultCode, usage::Meter};
use serde_json::{Value, json};

async fn ask(script: Script) -> Result<Completion, CallError> {
    let server = Server::start(vec![script]).await;
    let messages = vec![Message::User("Say something.".into())];
    let request = ChatRequest { messages, max_tokens: 200, schema: None };
    ChatClient::new(endpoint(&server.base)).unwrap().complete(&request, "section", &Meter::default()).await
}

fn delta(delta: &Value) -> String {
    data(&json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}))
}

/// An event whose content has these bytes.
fn raw(bytes: &[u8]) -> Vec<u8> {
    [b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"", bytes, b"\"}}]}\n\n"].concat()
}

fn body(kind: &str, body: &[u8]) -> Script {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    Script::raw([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn reasoning_may_come_under_two_names_at_once() {
    let both = |text: &str| delta(&json!({"role": "assistant", "reasoning": text, "reasoning_content": text}));
    let events = [
        both("First I plan the section."),
        delta(&json!({"reasoning_details": [{"type": "reasoning.text", "text": "Then"}], "reasoning": "Then"})),
        delta(&json!({"content": "The beds stand on the terraces. ", "reasoning": null, "reasoning_content": null})),
        delta(&json!({"content": "The wind dries the beans there.", "thinking": null})),
        finished("stop"),
        counted(10, 20),
        done(),
    ];
    let answer = ask(Script::events(&events, true)).await.unwrap();
    assert_eq!(answer.text, "The beds stand on the terraces. The wind dries the beans there.");
}

#[tokio::test]
async fn an_index_may_be_null_or_missing_and_choices_empty() {
    let events = [
        data(&json!({"choices": []})),
        data(&json!({"choices": [{"index": null, "delta": {"content": "Tea "}}]})),
        data(&json!({"choices": [{"delta": {"content": "is hot."}, "finish_reason": null}], "usage": null})),
        data(&json!({"choices": [{"index": null, "delta": null, "finish_reason": "stop"}]})),
        done(),
    ];
    assert_eq!(ask(Script::events(&events, true)).await.unwrap().text, "Tea is hot.");
}

#[tokio::test]
async fn halves_of_a_character_are_joined() {
    for (halves, text) in [
        (vec![&b"Caf\xc3"[..], b"\xa9 au lait"], "Café au lait"),
        (vec![b"\xe6\x97", b"\xa5\xe6", b"\x9c\xac"], "日本"),
        (vec![b"Tea \\ud83c", b"\\udf75!"], "Tea 🍵!"),
    ] {
        let mut events: Vec<u8> = halves.iter().flat_map(|half| raw(half)).collect();
        events.extend_from_slice(finished("stop").as_bytes());
        events.extend_from_slice(done().as_bytes());
        assert_eq!(ask(body("text/event-stream", &events)).await.unwrap().text, text);
    }
    let cut = [raw(b"Tea \xf0\x9f"), finished("length").into_bytes(), done().into_bytes()].concat();
    assert_eq!(ask(body("text/event-stream", &cut)).await.unwrap().text, "Tea ");
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_read_under_any_type() {
    let whole = br#"{"choices":[{"message":{"content":"Tea."},"finish_reason":"stop"}]}"#;
    for kind in ["application/json", "text/plain", "text/event-stream", ""] {
        assert_eq!(ask(body(kind, whole)).await.unwrap().text, "Tea.", "{kind}");
    }
    let events = format!("{}{}{}", piece("Tea."), finished("stop"), done());
    assert_eq!(ask(body("application/json", events.as_bytes())).await.unwrap().text, "Tea.");
    let unfinished = format!("{}{}", piece("Tea."), done().trim_end());
    assert_eq!(ask(body("text/event-stream", unfinished.as_bytes())).await.unwrap().text, "Tea.");
}

/// Status 200, and yet an error: the class decides whether it is tried again, the words tell why.
#[tokio::test]
async fn an_error_under_status_200_has_its_class_and_the_providers_words() {
    use FaultCode::{LlmError, RateLimitError};
    for (error, transient, code, words) in [
        (json!({"error": "The engine is overloaded"}), true, LlmError, "The engine is overloaded"),
        (json!({"message": "Slow down", "code": 429}), true, RateLimitError, "Slow down"),
        (json!({"detail": "Rate limit reached"}), true, RateLimitError, "Rate limit reached"),
        (json!({"detail": "Invalid API key"}), false, LlmError, "Invalid API key"),
        (json!({"message": "no such model", "code": "404"}), false, LlmError, "no such model"),
        (json!({"object": "error", "message": "temperature must be below 2", "code": 400}), false, LlmError, "below 2"),
        (json!({"error": {"message": "Insufficient Balance", "code": 402}}), false, LlmError, "credit"),
        (json!({"errors": [{"message": "worker died", "code": 500}]}), true, LlmError, "worker died"),
        (json!([{"error": {"message": "not now", "status": "UNAVAILABLE", "code": 503}}]), true, LlmError, "not now"),
    ] {
        let named = format!("event: error\ndata: {error}\n\n");
        for (form, script) in [
            ("json", Script::status(200, "", &error.to_string())),
            ("text", body("text/plain", error.to_string().as_bytes())),
            ("first event", Script::events(&[data(&error)], true)),
            ("later event", Script::events(&[piece("Half"), data(&error)], true)),
            ("named event", Script::events(&[piece("Half"), named.clone()], true)),
            ("bare in a stream", body("text/event-stream", error.to_string().as_bytes())),
        ] {
            let CallError::Fault(fault) = ask(script).await.expect_err(form) else { panic!("{form} {error}") };
            assert_eq!((fault.is_transient(), fault.code()), (transient, code), "{form} {error}: {fault:?}");
            assert!(fault.to_string().contains(words), "{form} {error}: {fault}");
        }
    }
    let plain = ask(Script::events(&["event: error\ndata: out of memory\n\n".to_owned()], true)).await.unwrap_err();
    assert!(plain.to_string().contains("out of memory"), "{plain}");
}

//! Pictures from a prompt, against a server that answers as OpenAI's does.

use base64::{Engine, engine::general_purpose::STANDARD};
use galley_ai::OpenAiImages;
use galley_domain::{
    Fault, FaultCode,
    image::{ImageModel, ImageQuality, ImageRequest, ImageSize, ImageStyle},
    usage::{CallOutcome, Meter, Usage},
};
use serde_json::json;

use crate::support::{KEY, Script, Server, endpoint};

const PROMPT: &str = "A pot of tea on a windowsill in the rain";

async fn make(script: Script) -> (Result<Vec<u8>, Fault>, Vec<Usage>, Server) {
    let server = Server::start(vec![script]).await;
    let (images, meter) = (OpenAiImages::new(endpoint(&server.base)).unwrap(), Meter::default());
    let request = ImageRequest {
        prompt: PROMPT.into(),
        size: ImageSize::Landscape,
        quality: ImageQuality::Standard,
        style: ImageStyle::Natural,
    };
    let made = images.make(&request, &meter).await;
    (made, meter.take(), server)
}

#[tokio::test]
async fn the_bytes_come_back_and_the_call_is_booked_with_the_servers_count() {
    let answer = json!({ "created": 1, "data": [{ "b64_json": STANDARD.encode(b"picture") }],
        "usage": { "input_tokens": 1000, "output_tokens": 4000, "total_tokens": 5000 } });
    let (made, usage, server) = make(Script::status(200, "", &answer.to_string())).await;
    assert_eq!(made.unwrap(), b"picture");
    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST /v1/images/generations "), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains(&format!("authorization: bearer {KEY}")));
    assert_eq!((&seen.body["size"], &seen.body["quality"]), (&json!("1536x1024"), &json!("medium")));
    assert_eq!((usage.len(), usage[0].operation.as_str(), usage[0].outcome), (1, "image", CallOutcome::Ok));
    assert_eq!((usage[0].prompt_tokens, usage[0].completion_tokens, usage[0].estimated), (1000, 4000, false));
    assert_eq!(usage[0].cost_usd.to_string(), "0.009");
}

#[tokio::test]
async fn failures_are_typed_and_show_neither_key_nor_prompt() {
    let error = |code: &str| json!({ "error": { "message": format!("{PROMPT} {KEY}"), "code": code } }).to_string();
    let picture = |datum: serde_json::Value| json!({ "data": [datum] }).to_string();
    for (status, body, code, is_transient) in [
        (400, error("moderation_blocked"), FaultCode::ValidationError, false),
        (400, error("invalid_size"), FaultCode::LlmError, false),
        (401, error("invalid_api_key"), FaultCode::LlmError, false),
        (429, error("rate_limit_exceeded"), FaultCode::RateLimitError, true),
        (500, error("server_error"), FaultCode::LlmError, true),
        (302, String::new(), FaultCode::LlmError, false),
        (200, picture(json!({ "url": "https://example.org/a.png" })), FaultCode::LlmError, false),
        (200, picture(json!({ "b64_json": "no base64" })), FaultCode::LlmError, false),
        (200, "<html>".into(), FaultCode::LlmError, false),
    ] {
        let (made, usage, server) = make(Script::status(status, "location: /x\r\n", &body)).await;
        let fault = made.unwrap_err();
        assert_eq!((fault.code(), fault.is_transient()), (code, is_transient), "{status} {body}: {fault}");
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains(KEY) && !shown.contains("windowsill"), "{shown}");
        assert_eq!((usage.len(), usage[0].outcome), (1, CallOutcome::Failed));
        assert_eq!(server.seen().len(), 1);
    }
    let (made, ..) = make(Script::raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")).await;
    assert!(made.unwrap_err().is_transient());
}

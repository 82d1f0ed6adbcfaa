//! Every way in which a call can fail, over real HTTP.

use std::{slice::from_ref, time::Duration};

use crate::support::{KEY, Script, Server, counted, data, done, endpoint, finished, piece};
use galley_ai::{CallError, ChatClient, ChatRequest, Completion, Finish, JsonMode, Message};
use galley_domain::{
    Fault, FaultCode,
    usage::{CallOutcome, Meter, Usage},
};
use serde_json::json;

const PROMPT: &str = "The secret plan of the Basel office is to buy every tea house in town.";

fn request() -> ChatRequest {
    ChatRequest {
        messages: vec![Message::System("Be brief.".into()), Message::User(PROMPT.into())],
        max_tokens: 200,
        schema: None,
    }
}

async fn ask(script: Script) -> (Result<Completion, CallError>, Vec<Usage>) {
    let server = Server::start(vec![script]).await;
    ask_at(&server.base).await
}

async fn ask_at(base: &str) -> (Result<Completion, CallError>, Vec<Usage>) {
    let client = ChatClient::new(endpoint(base)).unwrap();
    let meter = Meter::default();
    let answer = client.complete(&request(), "section", &meter).await;
    (answer, meter.take())
}

/// `T` transient, `R` transient by rate, `P` permanent, `C` context too long.
fn kind(error: &CallError) -> char {
    match error {
        CallError::ContextTooLong(_) => 'C',
        CallError::Fault(f) if f.is_transient() && f.code() == FaultCode::RateLimitError => 'R',
        CallError::Fault(f) if f.is_transient() => 'T',
        CallError::Fault(_) | CallError::Unusable(_) => 'P',
    }
}

fn parts(fault: &Fault) -> (String, Option<Duration>, String) {
    match fault.clone() {
        Fault::Transient { message, after, detail, .. } => (message, after, detail.unwrap_or_default()),
        Fault::Permanent { message, detail, .. } => (message, None, detail.unwrap_or_default()),
    }
}

#[tokio::test]
async fn a_whole_answer_is_read_and_metered() {
    let server = Server::start(vec![Script::says("Grüße aus Basel.")]).await;
    let (answer, usage) = ask_at(&server.base).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("Grüße aus Basel.", Finish::Stop));
    let [call] = usage.as_slice() else { panic!("{usage:?}") };
    assert_eq!((call.prompt_tokens, call.completion_tokens, call.estimated), (120, 30, false));
    assert_eq!(call.cost_usd, "0.00018".parse().unwrap());
    assert_eq!((call.operation.as_str(), call.outcome), ("section", CallOutcome::Ok));
    assert_eq!((call.provider.as_str(), call.model.as_str()), ("peer", "m1"));

    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST /v1/chat/completions"), "{}", seen.head);
    assert!(seen.head.contains(&format!("authorization: Bearer {KEY}")), "{}", seen.head);
    assert_eq!(seen.body["stream_options"], json!({"include_usage": true}));
    assert_eq!(seen.body["max_tokens"], 200);
    assert_eq!(seen.body["messages"][0], json!({"role": "system", "content": "Be brief."}));
    assert_eq!(seen.body.get("response_format"), None);
}

#[tokio::test]
async fn each_error_status_is_typed() {
    let quota = r#"{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}"#;
    let long = r#"{"error":{"message":"maximum context length is 10","code":"context_length_exceeded"}}"#;
    let llama = r#"{"error":{"code":400,"message":"request (9032 tokens) exceeds the available context size","type":"exceed_context_size_error"}}"#;
    let filter = r#"{"error":{"message":"no","code":"content_filter"}}"#;
    let secs = |s| Some(Duration::from_secs(s));
    for (status, headers, body, expected, after, words) in [
        (408, "", "", 'T', None, "HTTP 408"),
        (409, "", "{}", 'T', None, "HTTP 409"),
        (425, "", "", 'T', None, "HTTP 425"),
        (429, "retry-after: 7\r\n", "{}", 'R', secs(7), "rate"),
        (429, "retry-after-ms: 1500\r\nretry-after: 9\r\n", "", 'R', Some(Duration::from_millis(1_500)), "rate"),
        (429, "retry-after: 1\r\n", quota, 'P', None, "credit"),
        (402, "", "", 'P', None, "credit"),
        (500, "", "<html>oops</html>", 'T', None, "HTTP 500"),
        (502, "", "", 'T', None, "HTTP 502"),
        (503, "retry-after: 3\r\n", "", 'T', secs(3), "HTTP 503"),
        (504, "", "", 'T', None, "HTTP 504"),
        (529, "", "", 'T', None, "HTTP 529"),
        (401, "", "{}", 'P', None, "api_key"),
        (403, "", "", 'P', None, "api_key"),
        (404, "", "Not Found", 'P', None, "base_url"),
        (308, "location: https://elsewhere.test/\r\n", "", 'P', None, "redirect"),
        (400, "", long, 'C', None, "context"),
        (400, "", llama, 'C', None, "context"),
        (413, "", "", 'C', None, "context"),
        (400, "", filter, 'P', None, "content filter"),
        (400, "", "{}", 'P', None, "HTTP 400"),
        (418, "", "", 'P', None, "HTTP 418"),
        (422, "", r#"{"detail":[{"loc":["body","x"],"msg":"missing"}]}"#, 'P', None, "HTTP 422"),
    ] {
        let (answer, usage) = ask(Script::status(status, headers, body)).await;
        let error = answer.expect_err(body);
        assert_eq!(kind(&error), expected, "{status} {body}: {error}");
        let (message, wait, _) = parts(&error.into());
        assert!(message.contains(words), "{status}: {message}");
        assert_eq!(wait, after, "{status} {headers}");
        assert_eq!(usage.len(), 1, "one call, one record: the engine owns attempts");
        assert_eq!((usage[0].outcome, usage[0].prompt_tokens), (CallOutcome::Failed, 0));
    }
}

#[tokio::test]
async fn a_date_in_retry_after_counts_from_now() {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(100));
    let (answer, _) = ask(Script::status(503, &format!("retry-after: {date}\r\n"), "")).await;
    let (_, wait, _) = parts(&answer.unwrap_err().into());
    assert!((90..=100).contains(&wait.unwrap().as_secs()), "{wait:?}");
}

#[tokio::test]
async fn each_fault_of_a_stream_is_typed() {
    let open = piece("Half an answer. ");
    let overloaded = data(&json!({"error": {"message": "Overloaded", "type": "overloaded_error"}}));
    let spent = data(&json!({"error": {"message": "x", "code": "insufficient_quota"}}));
    let named = "event: error\ndata: {\"message\":\"x\",\"code\":429}\n\n".to_owned();
    let refusal = data(&json!({"choices": [{"index": 0, "delta": {"refusal": "I cannot"}}]}));
    let long_line = format!("data: {}", "x".repeat(2 << 20));
    for (name, script, expected, words) in [
        ("cut connection", Script::events(from_ref(&open), false), 'T', "cut off"),
        ("clean early end", Script::events(from_ref(&open), true), 'T', "cut off"),
        ("no event at all", Script::events(&[], true), 'T', "cut off"),
        ("stall", Script::events(from_ref(&open), false).stalling(), 'T', "stopped"),
        ("malformed chunk", Script::events(&[open.clone(), "data: {\"cho\n\n".into(), done()], true), 'T', "broken"),
        ("error object", Script::events(&[open.clone(), overloaded], true), 'T', "error"),
        ("spent quota", Script::events(&[open.clone(), spent], true), 'P', "credit"),
        ("error event", Script::events(&[open.clone(), named], true), 'R', "rate"),
        ("content filter", Script::events(&[open.clone(), finished("content_filter")], true), 'P', "content filter"),
        ("refusal", Script::events(&[refusal, finished("stop"), done()], true), 'P', "content filter"),
        ("not UTF-8", Script::raw(b"HTTP/1.1 200 OK\r\n\r\ndata: \xff\xfe\n\n".to_vec()), 'T', "cut off"),
        ("endless line", Script::events(&[long_line], false), 'P', "too large"),
    ] {
        let (answer, usage) = ask(script).await;
        let error = answer.expect_err(name);
        assert_eq!(kind(&error), expected, "{name}: {error:?}");
        assert!(error.to_string().contains(words), "{name}: {error}");
        let [call] = usage.as_slice() else { panic!("{name}: {usage:?}") };
        assert_eq!((call.outcome, call.estimated), (CallOutcome::Failed, true), "{name}");
        assert!(call.prompt_tokens >= 20, "{name}: the prompt was read, so it may have to be paid");
    }
}

#[tokio::test]
async fn what_servers_do_differently_is_no_fault() {
    let parts = data(&json!({"choices": [{"delta": {"content": [{"type": "text", "text": "Tea."}]}}]}));
    let whole = r#"{"choices":[{"message":{"content":"Tea."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    for (name, script) in [
        ("no [DONE]", Script::events(&[piece("Tea."), finished("stop")], true)),
        ("no finish reason", Script::events(&[piece("Tea."), done()], true)),
        ("cut after the finish", Script::events(&[piece("Tea."), finished("stop")], false)),
        ("stall after the finish", Script::events(&[piece("Tea."), finished("stop")], false).stalling()),
        ("comments", Script::events(&[": wait\n\n".into(), piece("Tea."), finished("eos"), done()], true)),
        ("content in parts", Script::events(&[parts, finished("stop"), done()], true)),
        ("no stream", Script::status(200, "", whole)),
    ] {
        let (answer, usage) = ask(script).await;
        assert_eq!(answer.expect(name).text, "Tea.", "{name}");
        assert_eq!(usage[0].outcome, CallOutcome::Ok, "{name}");
    }
    let (answer, _) = ask(Script::ends("Tea is", "length")).await;
    assert_eq!(answer.unwrap().finish, Finish::Length);
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_typed() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (answer, usage) = ask_at(&format!("http://127.0.0.1:{port}/v1")).await;
    let error = answer.unwrap_err();
    assert_eq!((kind(&error), usage[0].prompt_tokens, usage[0].estimated), ('T', 0, false));
    let (message, _, _) = parts(&error.into());
    assert!(message.contains("base_url") && !message.contains("127.0.0.1"), "{message}");

    let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\nhome";
    let (answer, _) = ask(Script::raw(page)).await;
    assert_eq!(kind(&answer.unwrap_err()), 'P');
    let (answer, _) = ask(Script::raw("")).await;
    assert_eq!(kind(&answer.unwrap_err()), 'T');
    let (answer, _) = ask(Script::raw("SSH-2.0-OpenSSH\r\n")).await;
    assert_eq!(kind(&answer.unwrap_err()), 'T');
}

#[tokio::test]
async fn no_answer_at_all_ends_with_the_first_byte_timeout() {
    let server = Server::start(vec![Script::raw("").stalling()]).await;
    let mut endpoint = endpoint(&server.base);
    endpoint.timeouts.first_byte = Duration::from_millis(150);
    let meter = Meter::default();
    let error = ChatClient::new(endpoint).unwrap().complete(&request(), "outline", &meter).await.unwrap_err();
    assert_eq!(kind(&error), 'T');
    assert!(error.to_string().contains("in time"), "{error}");
    assert!(meter.take()[0].estimated);
}

#[tokio::test]
async fn a_stall_ends_with_the_idle_timeout_not_with_the_longer_first_one() {
    let server = Server::start(vec![Script::events(&[piece("Half")], false).stalling()]).await;
    let mut endpoint = endpoint(&server.base);
    (endpoint.timeouts.first_byte, endpoint.timeouts.total) = (Duration::from_secs(60), Duration::from_secs(60));
    let client = ChatClient::new(endpoint).unwrap();
    let (request, meter) = (request(), Meter::default());
    let answer = tokio::time::timeout(Duration::from_secs(20), client.complete(&request, "x", &meter)).await;
    assert_eq!(kind(&answer.expect("the idle timeout is 150 ms").unwrap_err()), 'T');
}

#[tokio::test]
async fn a_stream_that_drips_for_ever_ends_with_the_total_timeout() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 16_384];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await.unwrap();
        let mut drops = tokio::time::interval(Duration::from_millis(20));
        while socket.write_all(piece("drip ").as_bytes()).await.is_ok() {
            drops.tick().await;
        }
    });
    let mut endpoint = endpoint(&base);
    endpoint.timeouts.total = Duration::from_millis(300);
    let error = ChatClient::new(endpoint).unwrap().complete(&request(), "x", &Meter::default()).await.unwrap_err();
    assert_eq!(kind(&error), 'T');
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn a_dropped_call_is_booked_as_cancelled() {
    let server = Server::start(vec![Script::events(&[piece("Half")], false).stalling()]).await;
    let client = ChatClient::new(endpoint(&server.base)).unwrap();
    let meter = Meter::default();
    let request = request();
    tokio::select! {
        biased;
        () = server.arrived() => {}
        answer = client.complete(&request, "section", &meter) => panic!("{answer:?}"),
    }
    let usage = meter.take();
    let [call] = usage.as_slice() else { panic!("{usage:?}") };
    assert_eq!((call.outcome, call.estimated), (CallOutcome::Cancelled, true));
    assert!(call.prompt_tokens >= 20 && call.cost_usd > "0".parse().unwrap(), "{call:?}");
}

#[tokio::test]
async fn neither_key_nor_prompt_gets_into_a_fault() {
    let body = format!(r#"{{"error":{{"message":"bad key {KEY}; input was: {PROMPT}"}}}}"#);
    for status in [400, 401, 422, 500] {
        let (answer, _) = ask(Script::status(status, "", &body)).await;
        let text = format!("{:?}", answer.unwrap_err());
        assert!(!text.contains(KEY) && !text.contains("Basel"), "{text}");
        assert!(text.contains("bad key"), "{text}");
    }
}

#[tokio::test]
async fn refused_parameters_are_left_out_and_remembered() {
    let refuse = |param: &str, message: &str| {
        Script::status(400, "", &json!({"error": {"message": message, "param": param}}).to_string())
    };
    let server = Server::start(vec![
        refuse("max_tokens", "Use 'max_completion_tokens' instead."),
        refuse("temperature", "Only the default is supported."),
        refuse("stream_options", "Unknown field."),
        refuse("response_format", "maxLength is not permitted in strict schemas"),
        refuse("response_format", "json_schema is unavailable now"),
        refuse("response_format", "unknown variant json_object"),
        Script::says("{}"),
        Script::says("{}"),
    ])
    .await;
    let client = ChatClient::new(endpoint(&server.base)).unwrap();
    let meter = Meter::default();
    let mut request = request();
    request.schema = Some(("tea", json!({"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}})));
    client.complete(&request, "x", &meter).await.unwrap();
    let outcomes: Vec<_> = meter.take().iter().map(|u| (u.outcome, u.prompt_tokens)).collect();
    assert_eq!(outcomes[..6], [(CallOutcome::Failed, 0); 6]);
    assert_eq!(outcomes[6], (CallOutcome::Ok, 120));
    client.complete(&request, "x", &meter).await.unwrap();
    assert_eq!(meter.take().len(), 1, "learned");

    let seen = server.seen();
    assert_eq!(seen[0].body["response_format"]["json_schema"]["strict"], true);
    assert!(seen[3].body["response_format"].to_string().contains("maxLength"));
    assert!(!seen[4].body["response_format"].to_string().contains("maxLength"));
    assert_eq!(seen[5].body["response_format"], json!({"type": "json_object"}));
    let last = &seen[6].body;
    for gone in ["response_format", "temperature", "max_tokens", "stream_options"] {
        assert_eq!(last.get(gone), None, "{gone}");
    }
    assert_eq!(last["max_completion_tokens"], 200);
    assert!(last["messages"].to_string().contains("JSON schema"), "the form stands in the prompt instead");
}

#[tokio::test]
async fn a_fixed_json_mode_stays() {
    let refuse = Script::status(400, "", r#"{"error":{"message":"response_format is not supported"}}"#);
    let server = Server::start(vec![refuse]).await;
    let mut endpoint = endpoint(&server.base);
    endpoint.json_mode = JsonMode::Schema;
    let mut request = request();
    request.schema = Some(("tea", json!({"type": "object"})));
    let error = ChatClient::new(endpoint).unwrap().complete(&request, "x", &Meter::default()).await.unwrap_err();
    assert_eq!(kind(&error), 'P');
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn counts_in_every_piece_are_not_added_up() {
    let events = [piece("a"), counted(5, 1), piece("b"), counted(5, 2), finished("stop"), done()];
    let (_, usage) = ask(Script::events(&events, true)).await;
    assert_eq!((usage[0].prompt_tokens, usage[0].completion_tokens), (5, 2));
}

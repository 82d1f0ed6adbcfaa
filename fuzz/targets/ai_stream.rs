//! The answers of model servers: streams of events, whole answers, errors. The pieces in which the network delivers
//! them change nothing, and every call is booked once with figures that can be stored.
#![no_main]

use std::sync::LazyLock;

use galley_ai::{CallError, ChatClient, ChatRequest, Completion, Endpoint, Message, PriceTable};
use galley_domain::{
    Hidden,
    usage::{Meter, Usage},
};
use galley_fuzz::{parts, runtime};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "sk-0123456789abcdef";
const PROMPT: &str = "Write about the growing and roasting of coffee.";

static CLIENT: LazyLock<ChatClient> = LazyLock::new(|| {
    let mut endpoint = Endpoint::new("peer", "http://127.0.0.1:1/v1", "gpt-4o-mini").expect("an endpoint");
    endpoint.api_key = Some(Hidden::new(KEY));
    endpoint.price = PriceTable::builtin().find("gpt-4o-mini");
    ChatClient::new(endpoint).expect("a client")
});

fn answer(status: u16, kind: &'static str, pieces: Vec<Vec<u8>>) -> (Result<Completion, CallError>, Usage) {
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)));
    let response = http::Response::builder().status(status).header("content-type", kind).header("retry-after", "7");
    let response = response.body(body).expect("a response");
    let messages = vec![Message::User(PROMPT.to_owned())];
    let request = ChatRequest { messages, max_tokens: 500, schema: None };
    let meter = Meter::default();
    let read = runtime().block_on(CLIENT.read_answer(response.into(), &request, "draft", &meter));
    let mut booked = meter.take();
    assert_eq!(booked.len(), 1, "a call is booked once");
    (read, booked.remove(0))
}

fn check(read: &Result<Completion, CallError>, usage: &Usage) {
    match read {
        Ok(completion) => {
            assert!(completion.text.len() <= 4 << 20);
            assert_eq!((completion.prompt_tokens, completion.completion_tokens), (usage.prompt_tokens, usage.completion_tokens));
        }
        Err(CallError::ContextTooLong(fault) | CallError::Fault(fault)) => {
            assert!(!fault.to_string().is_empty());
            let shown = format!("{fault:?}");
            assert!(!shown.contains(KEY), "the key is in {shown}");
            assert!(!shown.contains(PROMPT), "the prompt is in {shown}");
        }
    }
    // `numeric(18, 9)`
    assert!(usage.cost_usd < rust_decimal::Decimal::from(1_000_000_000), "{usage:?} cannot be stored");
    assert!(i64::try_from(usage.prompt_tokens).is_ok() && i64::try_from(usage.completion_tokens).is_ok(), "{usage:?}");
}

fuzz_target!(|data: &[u8]| {
    let [head, body] = parts::<2>(data);
    let (Some(first), Some(cut)) = (head.first(), head.get(1)) else { return };
    let status = [200, 200, 200, 400, 413, 429, 402, 500][usize::from(first % 8)];
    let kind = ["text/event-stream", "text/event-stream; charset=utf-8", "application/json", ""][usize::from(first / 8 % 4)];
    let (whole, usage) = answer(status, kind, vec![body.to_vec()]);
    check(&whole, &usage);
    let pieces = body.chunks(usize::from(*cut).max(1)).map(<[u8]>::to_vec).collect();
    let (pieced, pieced_usage) = answer(status, kind, pieces);
    check(&pieced, &pieced_usage);
    assert_eq!(whole.as_ref().ok(), pieced.as_ref().ok(), "it depends on the pieces");
    let code = |read: &Result<Completion, CallError>| match read {
        Err(CallError::ContextTooLong(fault) | CallError::Fault(fault)) => Some((fault.code(), fault.is_transient())),
        Ok(_) => None,
    };
    assert_eq!(code(&whole), code(&pieced), "the fault depends on the pieces");
});

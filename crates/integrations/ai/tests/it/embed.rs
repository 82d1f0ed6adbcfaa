//! Vectors of texts, against a server that answers as OpenAI's does, and against a real one where it is given.

use galley_ai::{EmbedSettings, Endpoint, OpenAiEmbedder};
use galley_domain::{
    Fault, FaultCode,
    embedding::{Embedder, Side, Vector},
    usage::{CallOutcome, Meter, Usage},
};
use serde_json::{Value, json};

use crate::support::{KEY, Script, Server, endpoint};

const TEXTS: [&str; 2] = ["A pot of tea on a windowsill", "Rain on the roof"];

fn prefixed() -> EmbedSettings {
    EmbedSettings { query_prefix: "query: ".into(), passage_prefix: "passage: ".into(), batch: 8 }
}

async fn embed(script: Script) -> (Result<Vec<Vector>, Fault>, Vec<Usage>, Server) {
    let server = Server::start(vec![script]).await;
    let (embedder, meter) = (OpenAiEmbedder::new(endpoint(&server.base), prefixed()).unwrap(), Meter::default());
    let texts: Vec<String> = TEXTS.iter().map(|text| embedder.text(Side::Passage, text)).collect();
    let made = embedder.embed(&texts, &meter).await;
    (made, meter.take(), server)
}

fn answer(data: Value) -> Script {
    let body = json!({ "object": "list", "data": data, "usage": { "prompt_tokens": 2000, "total_tokens": 2000 } });
    Script::status(200, "", &body.to_string())
}

#[tokio::test]
async fn vectors_come_back_in_order_and_the_call_is_booked_with_the_servers_count() {
    let data = json!([{ "index": 1, "embedding": [0, 2.5] }, { "index": 0, "embedding": [4.5, 0] }]);
    let (made, usage, server) = embed(answer(data)).await;
    assert_eq!(made.unwrap().iter().map(Vector::as_slice).collect::<Vec<_>>(), [[1.0, 0.0], [0.0, 1.0]]);
    let seen = &server.seen()[0];
    assert!(seen.head.starts_with("POST /v1/embeddings "), "{}", seen.head);
    assert!(seen.head.to_lowercase().contains(&format!("authorization: bearer {KEY}")));
    let input = json!(["passage: A pot of tea on a windowsill", "passage: Rain on the roof"]);
    assert_eq!((&seen.body["input"], &seen.body["encoding_format"]), (&input, &json!("float")));
    assert_eq!((usage.len(), usage[0].operation.as_str(), usage[0].outcome), (1, "embedding", CallOutcome::Ok));
    assert_eq!((usage[0].prompt_tokens, usage[0].completion_tokens, usage[0].estimated), (2000, 0, false));
    assert_eq!(usage[0].cost_usd.to_string(), "0.002");
}

#[tokio::test]
async fn failures_are_typed_and_show_neither_key_nor_text() {
    let error = |code: &str| json!({ "error": { "message": format!("{} {KEY}", TEXTS[0]), "code": code } }).to_string();
    for (script, code, is_transient) in [
        (Script::status(400, "", &error("invalid_value")), FaultCode::LlmError, false),
        (Script::status(401, "", &error("invalid_api_key")), FaultCode::LlmError, false),
        (Script::status(404, "", &error("model_not_found")), FaultCode::LlmError, false),
        (Script::status(429, "", &error("rate_limit_exceeded")), FaultCode::RateLimitError, true),
        (Script::status(500, "", &error("server_error")), FaultCode::LlmError, true),
        (Script::status(302, "location: /x\r\n", ""), FaultCode::LlmError, false),
        (Script::status(200, "", "<html>"), FaultCode::LlmError, false),
        (answer(json!([{ "index": 0, "embedding": [1] }])), FaultCode::LlmError, false),
        (
            answer(json!([{ "index": 0, "embedding": [1] }, { "index": 1, "embedding": [] }])),
            FaultCode::LlmError,
            false,
        ),
        (answer(json!([{ "index": 0, "embedding": "AAAA" }])), FaultCode::LlmError, false),
        (Script::raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"), FaultCode::LlmError, true),
    ] {
        let said = String::from_utf8_lossy(&script.bytes).into_owned();
        let (made, usage, server) = embed(script).await;
        let fault = made.unwrap_err();
        assert_eq!((fault.code(), fault.is_transient()), (code, is_transient), "{said}: {fault}");
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains(KEY) && !shown.contains("windowsill"), "{shown}");
        assert_eq!((usage.len(), usage[0].outcome), (1, CallOutcome::Failed), "{said}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[test]
fn texts_are_cut_to_what_the_model_reads() {
    let endpoint = Endpoint { context_tokens: 512, ..endpoint("http://127.0.0.1:9/v1") };
    let embedder = OpenAiEmbedder::new(endpoint, prefixed()).unwrap();
    let long = "Tea is grown in Assam. ".repeat(200);
    let cut = embedder.text(Side::Query, &long);
    assert!(cut.starts_with("query: Tea") && cut.ends_with("Assam.") && cut.len() <= 512 * 3, "{}", cut.len());
    let endless = embedder.text(Side::Passage, &"茶".repeat(5_000));
    assert!(endless.len() > 1_000 && endless.len() <= 512 * 3, "{}", endless.len());
}

/// Against `../shared/real/llm-up.sh` with `LLM_EMBEDDINGS=1`.
#[tokio::test]
async fn a_real_model_finds_what_is_said_in_other_words() {
    let Ok(base) = std::env::var("GALLEY_TEST_EMBEDDINGS_URL") else { return };
    let endpoint = Endpoint::new("peer", &base, "multilingual-e5-small").unwrap();
    let embedder = OpenAiEmbedder::new(endpoint, prefixed()).unwrap();
    let question = embedder.text(Side::Query, "What does the upkeep cost?");
    let passages = ["Yearly maintenance comes to 40 euros.", "The depot in Riga sorts parcels all night."];
    let texts: Vec<String> = passages.iter().map(|text| embedder.text(Side::Passage, text)).collect();
    let meter = Meter::default();
    let asked = embedder.embed(&[question], &meter).await.unwrap().remove(0);
    let found = embedder.embed(&texts, &meter).await.unwrap();
    assert!(asked.cosine(&found[0]) > asked.cosine(&found[1]) + 0.02);
    assert!(meter.take().iter().all(|usage| !usage.estimated && usage.prompt_tokens > 0));
}

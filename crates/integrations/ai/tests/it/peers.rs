//! Against real peers, which CI does not have: each test says so and passes when its address is not given.
//!
//! `GALLEY_TEST_LLM_URL` is the base of an OpenAI-compatible server with a model, e.g. `http://127.0.0.1:8090/v1`
//! (`GALLEY_TEST_LLM_MODEL` names the model, `GALLEY_TEST_LLM_JSON` fixes its JSON mode); `GALLEY_TEST_LLM_MOCK_URL` is
//! llmock's root, e.g. `http://127.0.0.1:8091`. llmock has one queue of faults, so nothing else may use it meanwhile.
//! Run with `--nocapture` to see what was written and how fast.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use galley_ai::{Endpoint, JsonMode, OpenAiWriter};
use galley_domain::{
    Fault, FaultCode,
    usage::{CallOutcome, Meter},
    writing::{Brief, Origin, Snapshot, Span, Tone, WordRange, Writer},
};
use serde_json::{Value, json};

const WATER: &str = "Green tea is steeped at 70 to 80 degrees. Hotter water makes it bitter, because more tannin leaves the \
    leaf. Soft water lets the flavour come through, while hard water makes the cup dull and leaves a film.";
const TIME: &str = "Most green teas need one to three minutes. Japanese teas are ready sooner than Chinese ones. The same \
    leaves can be used two or three times, and each time they need a little longer than before.";

fn peer(variable: &str) -> Option<String> {
    let value = std::env::var(variable).ok().filter(|v| !v.is_empty());
    if value.is_none() {
        // straight to the stream: the harness hides what passing tests print
        let line = format!("SKIPPED: {variable} is not set, so this test called no real peer\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    value
}

fn brief(words: u32) -> Brief {
    Brief {
        prompt: "How to steep green tea at home".into(),
        keywords: vec!["green tea".into()],
        tone: Tone::Conversational,
        language: "en".into(),
        words: WordRange { min: words, max: words + words / 5 },
        instructions: String::new(),
    }
}

fn sources() -> Vec<Snapshot> {
    [("The water", WATER), ("The time", TIME)]
        .into_iter()
        .zip(1..)
        .map(|((title, text), number)| Snapshot {
            number,
            title: title.into(),
            origin: Origin::Link { url: format!("https://tea.test/{number}") },
            language: Some("en".into()),
            text: text.into(),
        })
        .collect()
}

fn whole(source: &Snapshot) -> Span {
    Span { source: source.number, start: 0, end: source.text.len() }
}

#[tokio::test]
async fn a_small_real_model_plans_writes_and_proposes() {
    let Some(base) = peer("GALLEY_TEST_LLM_URL") else { return };
    let model = std::env::var("GALLEY_TEST_LLM_MODEL").unwrap_or_else(|_| "smollm2".into());
    let mut endpoint = Endpoint::new("llama.cpp", &base, model).unwrap();
    endpoint.context_tokens = 4_096;
    endpoint.max_tokens = 1_200;
    endpoint.json_mode = match std::env::var("GALLEY_TEST_LLM_JSON").as_deref() {
        Ok("object") => JsonMode::Object,
        Ok("prompt") => JsonMode::Prompt,
        _ => JsonMode::Auto,
    };
    let writer = OpenAiWriter::new(endpoint).unwrap();
    let (brief, sources, meter) = (brief(400), sources(), Meter::default());

    let mut outline = writer.outline(&brief, &sources, &meter).await.unwrap();
    eprintln!("{outline:#?}");
    for (at, section) in outline.sections.iter_mut().enumerate() {
        section.passages = vec![whole(&sources[at % 2])];
    }
    let mut article = String::new();
    // a model this small repeats its headings, so that there may be fewer than three
    for index in (0..outline.sections.len()).cycle().take(3) {
        let text = writer.section(&brief, &outline, index, &sources, &meter).await.unwrap();
        assert!(!text.paragraphs.is_empty());
        assert!(text.paragraphs.iter().all(|p| !p.contains('\n') && !p.starts_with('#') && !p.contains("**")));
        eprintln!(
            "--- {:?} wants {:?}\n{}",
            outline.sections[index].heading,
            outline.sections[index].words,
            text.paragraphs.join("\n\n")
        );
        article.push_str(&text.paragraphs.join("\n\n"));
        article.push_str("\n\n");
    }
    let seo = writer.seo(&brief, &outline.title, &article, &meter).await.unwrap();
    eprintln!("{seo:#?}");
    assert!(seo.title.chars().count() <= 60 && seo.description.chars().count() <= 155);

    let usage = meter.take();
    for u in &usage {
        let rate = u.completion_tokens as f64 / (u.duration_ms as f64 / 1e3);
        eprintln!(
            "{:18} {:?} prompt {:5} answer {:5} {:6} ms {rate:5.1} tokens/s (prompt included)",
            u.operation, u.outcome, u.prompt_tokens, u.completion_tokens, u.duration_ms
        );
    }
    assert!(usage.iter().all(|u| u.outcome == CallOutcome::Ok && !u.estimated), "{usage:?}");
}

#[tokio::test]
async fn a_real_server_says_when_the_prompt_is_too_long() {
    let Some(base) = peer("GALLEY_TEST_LLM_URL") else { return };
    let model = std::env::var("GALLEY_TEST_LLM_MODEL").unwrap_or_else(|_| "smollm2".into());
    let mut endpoint = Endpoint::new("llama.cpp", &base, model).unwrap();
    // says far more than the model has, so that only the server can tell
    endpoint.context_tokens = 200_000;
    let writer = OpenAiWriter::new(endpoint).unwrap();
    let mut sources = sources();
    sources[0].text = WATER.repeat(1_000);
    let fault = writer.outline(&brief(420), &sources, &Meter::default()).await.map_err(Fault::from).unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("context_tokens"), "{fault:?}");
}

struct Mock {
    root: String,
    http: reqwest::Client,
}

impl Mock {
    async fn queue(&self, behaviors: Value) {
        self.http.post(format!("{}/_llmock/reset", self.root)).send().await.unwrap();
        let url = format!("{}/_llmock/scenario", self.root);
        let answer = self.http.post(url).json(&json!({ "behaviors": behaviors })).send().await.unwrap();
        assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
    }

    async fn get(&self, path: &str) -> Value {
        let text = self.http.get(format!("{}/_llmock/{path}", self.root)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

/// Scenario, expected kind (`T` transient, `R` by rate, `P` permanent) and part of the message.
fn scenarios() -> Vec<(&'static str, Value, char, &'static str)> {
    let fail = |status: u16| json!([{"type": "fail", "status": status}]);
    vec![
        ("429 with wait", json!([{"type": "fail", "status": 429, "retry_after": 2}]), 'R', "rate"),
        ("quota spent", json!([{"type": "fail", "status": 429, "code": "insufficient_quota"}]), 'P', "credit"),
        ("payment", fail(402), 'P', "credit"),
        ("unauthorized", fail(401), 'P', "api_key"),
        ("forbidden", fail(403), 'P', "api_key"),
        ("not found", fail(404), 'P', "base_url"),
        ("timeout", fail(408), 'T', "HTTP 408"),
        ("server error", fail(500), 'T', "HTTP 500"),
        ("unavailable", json!([{"type": "fail", "status": 503, "retry_after": 1}]), 'T', "HTTP 503"),
        ("overloaded", fail(529), 'T', "HTTP 529"),
        (
            "context",
            json!([{"type": "fail", "status": 400, "code": "context_length_exceeded", "times": 3}]),
            'P',
            "context",
        ),
        ("content filter", json!([{"type": "reply", "text": "No.", "finish_reason": "content_filter"}]), 'P', "filter"),
        ("delay", json!([{"type": "delay", "seconds": 2.5}]), 'T', "in time"),
        ("slow first token", json!([{"type": "slow_first_token", "seconds": 2.5}]), 'T', "in time"),
        ("cut", json!([{"type": "stream_fault", "kind": "disconnect", "after_chunks": 3}]), 'T', "cut off"),
        ("truncated", json!([{"type": "stream_fault", "kind": "truncate", "after_chunks": 3}]), 'T', "cut off"),
        ("malformed", json!([{"type": "stream_fault", "kind": "malformed", "after_chunks": 2}]), 'T', "broken"),
        (
            "stalled",
            json!([{"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 5}]),
            'T',
            "stopped",
        ),
        ("bad JSON", json!([{"type": "reply", "text": "no JSON", "times": 2}]), 'P', "after one repair"),
    ]
}

#[tokio::test]
async fn every_fault_of_the_mock_is_typed() {
    let Some(root) = peer("GALLEY_TEST_LLM_MOCK_URL") else { return };
    let mock = Mock { root: root.trim_end_matches('/').into(), http: reqwest::Client::new() };
    let mut endpoint = crate::support::endpoint(&format!("{}/v1", mock.root));
    endpoint.timeouts.first_byte = Duration::from_millis(1_000);
    endpoint.timeouts.idle = Duration::from_millis(1_000);
    let writer = OpenAiWriter::new(endpoint).unwrap();
    for (name, scenario, expected, words) in scenarios() {
        mock.queue(scenario.clone()).await;
        let (meter, started) = (Meter::default(), Instant::now());
        let fault = writer.outline(&brief(420), &sources(), &meter).await.map_err(Fault::from).expect_err(name);
        let kind = match &fault {
            Fault::Transient { code: FaultCode::RateLimitError, .. } => 'R',
            Fault::Transient { .. } => 'T',
            Fault::Permanent { .. } => 'P',
        };
        eprintln!("{name:16} {kind} {:4} ms  {scenario}\n{:17} {fault}", started.elapsed().as_millis(), "");
        assert_eq!(kind, expected, "{name}: {fault:?}");
        assert!(fault.to_string().contains(words), "{name}: {fault}");
        if let Fault::Transient { after, .. } = &fault {
            assert_eq!(
                after.is_some(),
                scenario[0]["status"].as_u64().is_some_and(|s| matches!(s, 429 | 503 | 529)),
                "{name}"
            );
        }
        let calls = mock.get("requests").await["count"].as_u64().unwrap();
        assert_eq!(usize::try_from(calls).unwrap(), meter.take().len(), "{name}: every call is booked, none is hidden");
    }
    mock.queue(json!([{"type": "reply", "text": "{\"title\": \"x\""}])).await;
    let meter = Meter::default();
    writer.outline(&brief(420), &sources(), &meter).await.expect("repaired");
    assert_eq!(meter.take().len(), 2);
    // the same call again, as the engine would make it after a fault
    mock.queue(json!([{"type": "fail", "status": 503, "retry_after": 0.2}])).await;
    let fault = writer.outline(&brief(420), &sources(), &Meter::default()).await.map_err(Fault::from).unwrap_err();
    let Fault::Transient { after: Some(wait), .. } = fault else { panic!("{fault:?}") };
    tokio::time::sleep(wait).await;
    let outline = writer.outline(&brief(420), &sources(), &Meter::default()).await.unwrap();
    assert!(outline.sections.len() >= 2, "{outline:?}");
    let verdict = mock.get("verdict").await;
    assert_eq!(verdict["passed"], true, "{verdict}");
}

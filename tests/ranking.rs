//! Passages ranked by an embedding model: what it finds, what it costs, and what happens without it.

use galley_ai::{EmbedSettings, Endpoint, OpenAiEmbedder, Price};
use galley_domain::{Principal, order::ArticleOrder};
use galley_services::{TaskView, Upload};
use galley_testkit::{Harness, brief, order};
use galley_testpeer::{Peer, Reply, answer};
use galley_workers::ConfiguredEmbedder;
use serde_json::{Value, json};

const SOURCE: &str = "# Parcel lockers\n\n\
## What to pay\n\nA box of the middle size comes to 40 euros in a month.\n\n\
## Ice and snow\n\nThe doors stay shut below minus 25 degrees and open by hand.\n\n\
## The frost of 2021\n\nDuring a winter in Oulu eleven locks broke within one night.\n\n\
## The charge\n\nParcels add 30 cents apiece, and the first 100 are free of any fare.\n\n\
## Places\n\nLockers stand mostly beside shops and stations of the city.\n";

/// Two numbers for each text: whether it is about money, whether it is about cold.
fn vector(text: &str) -> Value {
    let has = |words: &[&str]| words.iter().filter(|word| text.to_lowercase().contains(**word)).count() as f32;
    json!([0.3 + has(&["outlay", "euros", "charge", "fare"]), 0.3 + has(&["frost", "minus", "winter", "ice"]), 1.0])
}

fn texts_of(body: &[u8]) -> Vec<String> {
    let body: Value = serde_json::from_slice(body).unwrap();
    serde_json::from_value(body["input"].clone()).unwrap()
}

async fn model() -> Peer {
    Peer::start(|request| {
        let texts = texts_of(&request.body);
        let data = texts.iter().enumerate().map(|(index, text)| json!({ "index": index, "embedding": vector(text) }));
        let body = json!({ "data": data.collect::<Vec<_>>(), "usage": { "prompt_tokens": 1000 } });
        Reply::Keep(answer("200 OK", "", body.to_string().as_bytes()))
    })
    .await
}

fn embedder(peer: &Peer) -> ConfiguredEmbedder {
    let mut endpoint = Endpoint::new("peer", &peer.url("/v1"), "m1").unwrap();
    endpoint.price = Some(Price { prompt: 1.into(), completion: 0.into() });
    let settings = EmbedSettings { batch: 4, ..EmbedSettings::default() };
    let embedder = Box::new(OpenAiEmbedder::new(endpoint, settings).unwrap());
    ConfiguredEmbedder { embedder, calls: 60, budget_usd: None, longest: std::time::Duration::from_secs(60) }
}

async fn written(harness: &Harness, who: &Principal) -> (TaskView, String) {
    let upload = Upload { name: "lockers.md".into(), bytes: SOURCE.as_bytes().into() };
    let file = harness.services.upload(who.org, upload, None).await.unwrap().value.id;
    let brief = brief("Write about parcel lockers. Cover these topics: the outlay, the places", 40, 90);
    let order = ArticleOrder { brief, uploaded_files: vec![file], ..order() };
    let task = harness.services.order(who, order, "t", None).await.unwrap().value.task_id;
    let view = harness.until_as(who, task, |view| view.status.is_ended()).await;
    assert_eq!(view.row.error_message, None);
    let article = harness.services.article(who.org, view.row.subject_id.unwrap()).await.unwrap();
    (view, article.content_markdown)
}

/// The text below a heading.
fn below<'a>(markdown: &'a str, heading: &str) -> Option<&'a str> {
    let (_, rest) = markdown.split_once(&format!("## {heading}\n"))?;
    rest.split("\n## ").next()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_found_in_other_words_and_each_text_is_paid_for_once_in_an_organization() {
    let harness = Harness::new().await;
    let peer = model().await;
    let engine = harness.ranked(embedder(&peer));
    let (view, text) = written(&harness, &harness.principal).await;
    let money = below(&text, "Outlay").unwrap_or_else(|| panic!("no section on the outlay: {text}"));
    assert!(money.contains("40 euros") || money.contains("30 cents"), "{text}");
    let first = peer.asked();
    assert!(first.len() > 1 && first.iter().all(|request| request.path == "/v1/embeddings"), "{first:?}");
    let mut texts: Vec<String> = first.iter().flat_map(|request| texts_of(&request.body)).collect();
    let count = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), count, "a text went out twice");
    let usage = harness.services.task_usage(harness.principal.org, view.row.id).await.unwrap();
    let calls: Vec<_> = usage.iter().filter(|row| row.operation == "embedding").collect();
    assert_eq!((calls.len(), calls[0].prompt_tokens), (first.len(), 1000));
    assert!(calls.iter().all(|row| row.cost_usd.normalize().to_string() == "0.001"), "{calls:?}");

    let (_, again) = written(&harness, &harness.principal).await;
    assert_eq!((again, peer.asked().len()), (text.clone(), first.len()), "known vectors are not asked for again");

    let (stranger, _) = harness.other_tenant().await;
    let (_, theirs) = written(&harness, &stranger).await;
    assert_eq!((theirs, peer.asked().len()), (text, first.len() * 2), "another organization pays for its own");
    engine.stop().await;
    harness.assert_books_closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_cannot_be_asked_is_a_warning_and_words_decide() {
    let harness = Harness::new().await;
    let peer = Peer::start(|_| Reply::Bytes(answer("503 Service Unavailable", "", b"{}"))).await;
    let engine = harness.ranked(embedder(&peer));
    let (view, text) = written(&harness, &harness.principal).await;
    engine.stop().await;
    let warnings = view.row.warnings.to_string();
    assert!(warnings.contains("texts were ranked by words alone"), "{warnings}");
    assert_eq!((below(&text, "Outlay"), peer.asked().len()), (None, 1));
    assert!(below(&text, "Places").is_some(), "{text}");
}

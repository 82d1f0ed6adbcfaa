//! The search providers against a server that answers in their forms.

use std::time::Duration;

use crate::common::{AGENT, Peer, Reply, Request, answer};
use galley_domain::{Fault, FaultCode, Hidden};
use galley_fetch::search::{Brave, SearchProvider, SearxNg, Tavily};
use serde_json::{Value, json};

const KEY: &str = "sk-very-secret-0123";

fn json(value: &Value) -> Reply {
    Reply::Keep(answer("200 OK", "application/json", "", value.to_string().as_bytes()))
}

fn searxng(server: &Peer) -> SearxNg {
    SearxNg::new(&server.url("/searx"), AGENT).unwrap()
}

fn tavily(server: &Peer) -> Tavily {
    Tavily::new(&server.url(""), Hidden::new(KEY), AGENT).unwrap()
}

fn brave(server: &Peer) -> Brave {
    Brave::new(&server.url("/"), Hidden::new(KEY), AGENT).unwrap()
}

fn all(server: &Peer) -> [Box<dyn SearchProvider>; 3] {
    [Box::new(searxng(server)), Box::new(tavily(server)), Box::new(brave(server))]
}

fn head_of(server: &Peer) -> Request {
    server.asked().pop().unwrap()
}

#[tokio::test]
async fn searxng_pages_until_it_has_enough() {
    let server = Peer::start(|asked| {
        let page = if asked.path.contains("pageno=1") { 0 } else { 4 };
        let results: Vec<Value> = (page..page + 4)
            .map(|i| json!({"url": format!("https://example.com/{i}"), "title": format!("T {i}"), "content": null}))
            .collect();
        json(&json!({"query": "x", "results": results, "answers": []}))
    })
    .await;
    let hits = searxng(&server).search("green tea & milk", "en", 6).await.unwrap();
    let urls: Vec<&str> = hits.iter().map(|hit| hit.url.as_str()).collect();
    assert_eq!(urls, (0..6).map(|i| format!("https://example.com/{i}")).collect::<Vec<_>>());
    assert_eq!((hits[0].title.as_str(), hits[0].snippet.as_str()), ("T 0", ""));
    assert_eq!(
        server.paths()[0],
        "/searx/search?q=green+tea+%26+milk&format=json&pageno=1&language=en",
        "below the path of the address"
    );
    assert_eq!(server.paths().len(), 2);
    let hits = searxng(&server).search("tea", "", 20).await.unwrap();
    assert_eq!(hits.len(), 8, "a page that brings nothing new is the last");
    assert_eq!(searxng(&server).search("tea", "", 0).await.unwrap(), []);
}

#[tokio::test]
async fn searxng_keeps_the_first_page_when_the_second_fails() {
    let server = Peer::start(|asked| {
        if asked.path.contains("pageno=1") {
            json(&json!({"results": [{"url": "https://example.com/", "title": "T", "content": "C"}]}))
        } else {
            Reply::Keep(answer("500 Oops", "text/plain", "", b""))
        }
    })
    .await;
    assert_eq!(searxng(&server).search("tea", "de", 5).await.unwrap().len(), 1);
}

#[tokio::test]
async fn tavily_is_asked_as_it_wants() {
    let server = Peer::start(|_| {
        json(&json!({"query": "tea", "response_time": 1.2, "results": [
            {"url": "https://example.com/a", "title": "A", "content": "about a", "score": 0.9},
            {"url": "https://example.com/b", "title": null, "content": "b", "score": 0.8}]}))
    })
    .await;
    let hits = tavily(&server).search("tea", "en", 50).await.unwrap();
    assert_eq!((hits.len(), hits[0].snippet.as_str(), hits[1].title.as_str()), (2, "about a", ""));
    let asked = head_of(&server);
    assert!(asked.head.starts_with("POST /search HTTP/1.1\r\n"), "{}", asked.head);
    assert!(asked.head.contains(&format!("authorization: Bearer {KEY}\r\n")), "{}", asked.head);
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body, json!({"query": "tea", "max_results": 20, "search_depth": "basic"}));
}

#[tokio::test]
async fn brave_is_asked_as_it_wants() {
    let server = Peer::start(|asked| {
        if asked.path.contains("q=nothing") {
            return json(&json!({"type": "search", "query": {}}));
        }
        json(&json!({"type": "search", "web": {"results": [
            {"url": "https://example.com/a", "title": "A", "description": "about a", "extra": 1}]}}))
    })
    .await;
    let hits = brave(&server).search("tea", "ja", 7).await.unwrap();
    assert_eq!((hits.len(), hits[0].snippet.as_str()), (1, "about a"));
    let asked = head_of(&server);
    assert_eq!(asked.path, "/res/v1/web/search?q=tea&count=7&text_decorations=false&result_filter=web&search_lang=jp");
    assert!(asked.head.contains(&format!("x-subscription-token: {KEY}\r\n")), "{}", asked.head);
    assert_eq!(brave(&server).search("nothing", "xx", 7).await.unwrap(), []);
    assert!(!head_of(&server).path.contains("search_lang"));
}

#[tokio::test]
async fn statuses_are_typed_and_name_the_setting() {
    for (status, code, transient, words) in [
        ("429 X", FaultCode::RateLimitError, true, "asks for fewer searches"),
        ("500 X", FaultCode::WorkflowError, true, "500"),
        ("503 X", FaultCode::WorkflowError, true, "503"),
        ("408 X", FaultCode::WorkflowError, true, "408"),
        ("401 X", FaultCode::WorkflowError, false, "`search.key`"),
        ("403 X", FaultCode::WorkflowError, false, ""),
        ("404 X", FaultCode::WorkflowError, false, "`search.url`"),
        ("302 X", FaultCode::WorkflowError, false, "`search.url`"),
        ("418 X", FaultCode::WorkflowError, false, "418"),
    ] {
        let server = Peer::start(move |_| {
            let extra = "Retry-After: 7\r\nLocation: http://127.0.0.1:1/\r\n";
            Reply::Keep(answer(status, "text/plain", extra, b"no"))
        })
        .await;
        for provider in all(&server) {
            let fault = provider.search("tea", "en", 5).await.unwrap_err();
            let (message, who) = (fault.to_string(), provider.name());
            assert_eq!((fault.code(), fault.is_transient()), (code, transient), "{who} {status}: {message}");
            assert!(message.contains(words) && message.contains(who), "{who} {status}: {message}");
            if let Fault::Transient { after, .. } = fault {
                assert_eq!(after, Some(Duration::from_secs(7)), "{who} {status}");
            }
        }
        assert_eq!(server.paths().len(), 3, "no redirect is followed, no request repeated");
    }
}

#[tokio::test]
async fn statuses_that_only_one_provider_uses_so() {
    let server = Peer::start(|asked| {
        if asked.path.starts_with("/searx") {
            Reply::Keep(answer("403 Forbidden", "text/html", "", b""))
        } else if asked.path == "/search" {
            Reply::Keep(answer("432 X", "application/json", "", b"{}"))
        } else {
            let body = br#"{"error": {"code": "SUBSCRIPTION_TOKEN_INVALID"}}"#;
            Reply::Keep(answer("422 X", "application/json", "", body))
        }
    })
    .await;
    for (provider, words) in all(&server).into_iter().zip(["`search.formats`", "no searches left", "`search.key`"]) {
        let fault = provider.search("tea", "en", 5).await.unwrap_err();
        assert!(!fault.is_transient() && fault.to_string().contains(words), "{fault}");
    }
}

#[tokio::test]
async fn answers_that_are_no_search_results() {
    for body in [&b"<html>login</html>"[..], b"{}", b"{\"results\": 1}", b"[", b"", b"{\"web\": 5}"] {
        let server = Peer::start(move |_| Reply::Keep(answer("200 OK", "text/html", "", body))).await;
        for provider in all(&server) {
            match provider.search("tea", "en", 5).await {
                Err(fault) => assert!(!fault.is_transient() && fault.to_string().contains("`search.url`"), "{fault}"),
                Ok(hits) => assert!(provider.name() == "brave" && hits.is_empty(), "{}", provider.name()),
            }
        }
    }
    let server = Peer::start(|_| Reply::Endless {
        head: "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
        chunk: vec![b' '; 64 << 10],
        pause: Duration::ZERO,
    })
    .await;
    let fault = searxng(&server).search("tea", "en", 5).await.unwrap_err();
    assert!(fault.to_string().contains("more than 4 MiB"), "{fault}");
}

#[tokio::test]
async fn no_connection_and_a_cut_answer_are_transient() {
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let provider = SearxNg::new(&format!("http://{address}/"), AGENT).unwrap();
    let fault = provider.search("tea", "en", 5).await.unwrap_err();
    assert!(fault.is_transient() && fault.to_string().contains("cannot be reached"), "{fault}");
    assert!(!fault.to_string().contains("127.0.0.1"), "{fault}");
    let server = Peer::start(|_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec())).await;
    for provider in all(&server) {
        let fault = provider.search("tea", "en", 5).await.unwrap_err();
        assert!(fault.is_transient() && fault.to_string().contains("broke off"), "{fault}");
    }
}

#[tokio::test]
async fn keys_and_passwords_are_never_shown() {
    let server = Peer::start(|_| Reply::Keep(answer("401 X", "text/plain", "", b"no"))).await;
    for provider in all(&server) {
        let fault = provider.search("tea", "en", 5).await.unwrap_err();
        for text in [format!("{provider:?}"), format!("{fault:?}"), fault.to_string()] {
            assert!(!text.contains("very-secret"), "{text}");
        }
    }
    let guarded = SearxNg::new("https://me:very-secret@search.example.com/", AGENT).unwrap();
    assert!(!format!("{guarded:?}").contains("very-secret"));
    let bad = Tavily::new(&server.url("/"), Hidden::new("very-secret\u{1}"), AGENT).unwrap();
    let fault = bad.search("tea", "en", 5).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("`search.key`"), "{fault}");
    assert!(!format!("{fault:?}").contains("very-secret"));
}

/// Servers repeat what they were sent, in their own spelling; the log gets none of it.
#[tokio::test]
async fn secrets_that_a_server_repeats_reach_no_log() {
    let (key, password) = ("sk/very-secret+0123=", "pass/word+very=secret");
    for status in ["401 X", "500 X", "418 X", "200 OK"] {
        let server = Peer::start(move |asked| {
            let head = asked.head.replace('"', "'");
            // SearXNG is sent no key, so it has none to repeat.
            let sent = if head.contains(key) { key.replace('/', "\\/") } else { String::new() };
            let body = format!("{}{{\"error\": \"{sent}\", \"head\": \"{head}\"}}", "é".repeat(250));
            Reply::Keep(answer(status, "application/json", "", body.as_bytes()))
        })
        .await;
        let base = server.url("/").replace("http://", "http://me:pass%2Fword+very=secret@");
        let providers: [Box<dyn SearchProvider>; 3] = [
            Box::new(SearxNg::new(&base, AGENT).unwrap()),
            Box::new(Tavily::new(&base, Hidden::new(key), AGENT).unwrap()),
            Box::new(Brave::new(&base, Hidden::new(key), AGENT).unwrap()),
        ];
        for provider in providers {
            let fault = format!("{:?}", provider.search("tea", "en", 5).await.unwrap_err());
            // The second half of the login in Base64: `very=secret`.
            for word in [key, password, "very-secret", "very=secret", "dmVyeT1zZWNyZX", "cnk9c2VjcmV0", "c2VjcmV0"] {
                assert!(!fault.contains(word), "{status}: {fault}");
            }
        }
    }
}

#[test]
fn an_address_that_is_none_is_told() {
    for base in ["", "search.example.com", "ftp://example.com", "/search"] {
        let fault = SearxNg::new(base, AGENT).unwrap_err();
        assert!(!fault.is_transient() && fault.to_string().contains("`search.url`"), "{base}: {fault}");
    }
}

//! Every way in which a page can fail to arrive, over a real socket.

use std::{io::Write, time::Duration};

use crate::common::{AGENT, Answers, Peer, Reply, TEXT, answer, article, fetcher_for, html, limits, policy, redirect};
use galley_domain::{Fault, FaultCode};
use galley_fetch::{FetchError, FetchLimits, Fetcher, Page, Reason};
use galley_files::FileError;

/// A test that hangs ends with this; nothing is measured by it.
const HANG: Duration = Duration::from_secs(120);

/// Gives up after a second.
async fn fetch_in_haste(server: &Peer, path: &str) -> FetchError {
    let limits = FetchLimits { time: Duration::from_secs(1), ..limits() };
    let fetcher = Fetcher::new(limits, policy(&[&server.address.to_string()]), AGENT).unwrap();
    let error = tokio::time::timeout(HANG, fetcher.fetch(&server.url(path))).await.expect("an end").unwrap_err();
    assert_eq!(error.reason, Reason::Timeout { limit: Duration::from_secs(1) }, "{error:?}");
    assert!(error.is_transient() && error.to_string().ends_with("did not answer in full within 1 s"), "{error}");
    error
}

async fn fetch(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<Page, FetchError> {
    let server = Peer::start(move |_| reply()).await;
    fetcher_for(&server).fetch(&server.url("/page")).await
}

fn raw(head: &str, body: &[u8]) -> Reply {
    Reply::Bytes([head.as_bytes(), b"\r\n\r\n", body].concat())
}

fn endless(head: &str, pause: Duration) -> Reply {
    Reply::Endless { head: format!("{head}\r\n\r\n"), chunk: b"<p>more</p>".repeat(1000), pause }
}

fn hops(path: &str) -> u32 {
    path.trim_start_matches("/hop/").parse().unwrap()
}

#[tokio::test]
async fn five_redirects_are_followed_six_are_not() {
    let server = Peer::start(|asked| match hops(&asked.path) {
        0 => html(&article("Arrived", TEXT)),
        // Relative, absolute by path, and by query.
        n if n % 2 == 0 => redirect(&format!("{}", n - 1)),
        n => redirect(&format!("/hop/{}", n - 1)),
    })
    .await;
    let fetcher = fetcher_for(&server);
    let page = fetcher.fetch(&server.url("/hop/5")).await.unwrap();
    assert_eq!((page.url, page.requested_url), (server.url("/hop/0"), server.url("/hop/5")));
    let error = fetcher.fetch(&server.url("/hop/6")).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooManyRedirects { limit: 5, circle: false });
    assert!(error.to_string().ends_with("redirects more than 5 times"), "{error}");
}

#[tokio::test]
async fn a_circle_of_redirects_is_seen_at_once() {
    let server = Peer::start(|asked| redirect(if asked.path == "/a" { "/b" } else { "/a" })).await;
    let error = fetcher_for(&server).fetch(&server.url("/a")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::TooManyRedirects { circle: true, .. }));
    assert_eq!(server.paths(), ["/a", "/b"]);
    assert!(!error.is_transient());
}

#[tokio::test]
async fn every_redirect_status_is_followed_and_one_without_target_is_not() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let server = Peer::start(move |asked| match asked.path.as_str() {
            "/to" => html(&article("Tea", TEXT)),
            _ => Reply::Keep(answer(status, "text/html", "Location: /to\r\n", b"")),
        })
        .await;
        assert_eq!(fetcher_for(&server).fetch(&server.url("/")).await.unwrap().title, "Tea", "{status}");
    }
    for status in ["302 Found", "300 Multiple Choices", "304 Not Modified"] {
        let error = fetch(move || Reply::Keep(answer(status, "text/html", "", b""))).await.unwrap_err();
        assert!(matches!(error.reason, Reason::Status { status: 300..=304, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    let server = Peer::start(|_| endless("HTTP/1.1 200 OK\r\nContent-Type: text/html", Duration::ZERO)).await;
    let allow = policy(&[&server.address.to_string()]);
    let fetcher = Fetcher::new(limits(), allow, AGENT).unwrap();
    let error = fetcher.fetch(&server.url("/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge { limit: 5 << 20 });
    assert!(error.to_string().ends_with("is larger than the 5 MiB that are read"), "{error}");
    let written = server.written();
    assert!(written < 30 << 20, "the server wrote {written} bytes");
}

#[tokio::test]
async fn a_declared_length_over_the_limit_is_not_read() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}", 50 << 20);
    let server = Peer::start(move |_| Reply::Endless {
        head: format!("{head}\r\n\r\n"),
        chunk: Vec::new(),
        pause: Duration::from_millis(50),
    })
    .await;
    // Whoever waited for the body would get no further than the time limit.
    let fetcher = fetcher_for(&server);
    let error = tokio::time::timeout(HANG, fetcher.fetch(&server.url("/"))).await.expect("an end").unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge { limit: 5 << 20 });
    assert!(error.detail().unwrap().contains("52428800"), "{error:?}");
}

#[tokio::test]
async fn exactly_the_limit_is_read_declared_or_not() {
    let server = Peer::start(|asked| {
        let body = "a".repeat(100);
        if asked.path == "/declared" {
            return Reply::Keep(answer("200 OK", "text/html", "", body.as_bytes()));
        }
        raw("HTTP/1.1 200 OK\r\nContent-Type: text/html", body.as_bytes())
    })
    .await;
    for (bytes, fits) in [(100, true), (99, false)] {
        let allow = policy(&[&server.address.to_string()]);
        let fetcher = Fetcher::new(FetchLimits { bytes, ..limits() }, allow, AGENT).unwrap();
        for path in ["/declared", "/undeclared"] {
            let result = fetcher.fetch(&server.url(path)).await;
            assert_eq!(result.is_ok(), fits, "{path} {bytes}: {result:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_drip_ends_at_the_total_time() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html";
    let server = Peer::start(move |_| endless(head, Duration::from_millis(100))).await;
    fetch_in_haste(&server, "/").await;
    assert!(server.written() > 0);
}

#[tokio::test]
async fn headers_that_never_come_end_at_the_total_time() {
    let server = Peer::start(|_| Reply::Stall(vec![])).await;
    fetch_in_haste(&server, "/").await;
    let server = Peer::start(|_| Reply::Endless {
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        chunk: b"X-More: 1\r\n".to_vec(),
        pause: Duration::from_millis(100),
    })
    .await;
    fetch_in_haste(&server, "/").await;
}

#[tokio::test]
async fn redirects_share_the_total_time() {
    let server = Peer::start(|asked| match hops(&asked.path) {
        0 => Reply::Stall(vec![]),
        n => redirect(&format!("/hop/{}", n - 1)),
    })
    .await;
    fetch_in_haste(&server, "/hop/4").await;
    assert_eq!(server.paths().len(), 5);
}

#[tokio::test]
async fn endless_headers_are_not_collected_for_ever() {
    let error = fetch(|| Reply::Endless {
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        chunk: b"X-More: 1234567890\r\n".repeat(1000),
        pause: Duration::ZERO,
    })
    .await
    .unwrap_err();
    assert_eq!(error.reason, Reason::Cut, "{error:?}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_transient() {
    let html = article("Half", TEXT);
    let heads = [
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000",
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked",
    ];
    for head in heads {
        let body = if head.contains("chunked") { format!("ffff\r\n{html}") } else { html.clone() };
        let error = fetch(move || raw(head, body.as_bytes())).await.unwrap_err();
        assert_eq!(error.reason, Reason::Cut, "{head}: {error:?}");
        assert!(error.is_transient() && error.to_string().ends_with("broke off before it was whole"), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_cut() {
    for bytes in [&b""[..], b"\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n"] {
        let error = fetch(move || Reply::Bytes(bytes.to_vec())).await.unwrap_err();
        assert_eq!(error.reason, Reason::Cut, "{error:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_too_short_ends_the_body_there() {
    let page = fetch(|| {
        let body = format!("{}<p>after the end</p>", article("Tea", TEXT));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}", body.len() - 20);
        raw(&head, body.as_bytes())
    })
    .await
    .unwrap();
    assert!(page.text.contains("Green tea") && !page.text.contains("after"), "{}", page.text);
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_packed_page_is_unpacked_and_a_bomb_stops_at_the_limit() {
    let page = fetch(|| {
        let body = packed(article("Packed", TEXT).as_bytes());
        Reply::Keep(answer("200 OK", "text/html", "Content-Encoding: gzip\r\n", &body))
    })
    .await
    .unwrap();
    assert_eq!((page.title.as_str(), page.bytes_read), ("Packed", article("Packed", TEXT).len()));

    let bomb = packed(&vec![b'a'; 40 << 20]);
    assert!(bomb.len() < 1 << 20);
    let server =
        Peer::start(move |_| Reply::Keep(answer("200 OK", "text/html", "Content-Encoding: gzip\r\n", &bomb))).await;
    let allow = policy(&[&server.address.to_string()]);
    let fetcher = Fetcher::new(limits(), allow, AGENT).unwrap();
    let error = fetcher.fetch(&server.url("/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge { limit: 5 << 20 });
}

#[tokio::test]
async fn damaged_or_unknown_packing() {
    let error = fetch(|| {
        let mut body = packed(article("Packed", TEXT).as_bytes());
        body.truncate(body.len() / 2);
        Reply::Keep(answer("200 OK", "text/html", "Content-Encoding: gzip\r\n", &body))
    })
    .await
    .unwrap_err();
    assert_eq!(error.reason, Reason::Cut, "{error:?}");
    let packed = b"\x28\xb5\x2f\xfd\0\x01\x02";
    let error = fetch(|| Reply::Keep(answer("200 OK", "text/html", "Content-Encoding: zstd\r\n", packed))).await;
    let error = error.unwrap_err();
    assert!(matches!(&error.reason, Reason::Type { content_type } if content_type.contains("zstd")), "{error:?}");
}

#[tokio::test]
async fn statuses_are_told_in_words_and_typed() {
    for (status, words, code, transient, wait) in [
        ("404 Nope", "answered 404 Not Found", FaultCode::ValidationError, false, None),
        ("410 Gone", "answered 410 Gone", FaultCode::ValidationError, false, None),
        ("401 X", "answered 401 Unauthorized", FaultCode::ValidationError, false, None),
        ("429 X", "answered 429 Too Many Requests", FaultCode::RateLimitError, true, Some(2)),
        ("503 X", "answered 503 Service Unavailable", FaultCode::WorkflowError, true, Some(2)),
        ("500 X", "answered 500 Internal Server Error", FaultCode::WorkflowError, true, Some(2)),
        ("408 X", "answered 408 Request Timeout", FaultCode::WorkflowError, true, Some(2)),
        ("799 X", "answered 799", FaultCode::ValidationError, false, None),
    ] {
        let error = fetch(move || Reply::Keep(answer(status, "text/html", "Retry-After: 2\r\n", b"<h1>no</h1>"))).await;
        let error = error.unwrap_err();
        assert!(error.to_string().ends_with(words), "{error}");
        assert!(error.to_string().starts_with(&error.link), "{error}");
        let fault = Fault::from(error);
        assert_eq!((fault.code(), fault.is_transient()), (code, transient), "{status}");
        let after = if let Fault::Transient { after, .. } = fault { after } else { None };
        assert_eq!(after, wait.map(Duration::from_secs), "{status}");
    }
}

#[tokio::test]
async fn no_connection_and_no_name() {
    // A port that was just free; nobody listens there now.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let fetcher = Fetcher::new(limits(), policy(&[&address.to_string()]), AGENT).unwrap();
    let error = fetcher.fetch(&format!("http://{address}/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Connect, "{error:?}");
    assert!(error.is_transient());

    for answers in [Answers::new(&[]), Answers::new(&[&[]])] {
        let fetcher = Fetcher::with_resolver(limits(), policy(&[]), AGENT, answers).unwrap();
        let error = fetcher.fetch("http://nowhere.example.com/").await.unwrap_err();
        assert_eq!(error.reason, Reason::Dns, "{error:?}");
        assert_eq!(error.to_string(), "http://nowhere.example.com/ was not found: its host has no address");
    }
}

#[tokio::test]
async fn types_that_are_not_read() {
    for declared in ["image/png", "application/gzip", "video/mp4", "text/css", "application/json"] {
        let error = fetch(move || Reply::Keep(answer("200 OK", declared, "", b"x"))).await.unwrap_err();
        assert_eq!(error.reason, Reason::Type { content_type: declared.to_owned() });
        assert!(error.to_string().contains(declared), "{error}");
    }
}

#[tokio::test]
async fn a_picture_that_says_it_is_a_page() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    for declared in ["text/html", "text/plain", "application/octet-stream"] {
        let error = fetch(move || Reply::Keep(answer("200 OK", declared, "", png))).await.unwrap_err();
        assert!(matches!(error.reason, Reason::Unreadable(FileError::UnknownType { .. })), "{error:?}");
        assert!(error.to_string().contains("PNG"), "{error}");
    }
}

#[tokio::test]
async fn empty_pages() {
    for reply in [
        || Reply::Keep(answer("200 OK", "text/html", "", b"")),
        || Reply::Keep(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        || Reply::Keep(answer("200 OK", "text/html", "", b" \r\n ")),
    ] {
        let error = fetch(reply).await.unwrap_err();
        assert_eq!(error.reason, Reason::Unreadable(FileError::Empty));
        assert!(error.to_string().ends_with("answered with an empty page"), "{error}");
    }
    let error = fetch(|| html("<html><body><script>draw()</script></body></html>")).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Unreadable(FileError::NoText { .. })), "{error:?}");
}

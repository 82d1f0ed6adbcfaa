//! What an endpoint answers, and what is made of it.

use std::time::{Duration, SystemTime};

use galley_testpeer::answer;
use galley_webhooks::{Format, MAX_RESPONSE_BYTES, MAX_RETRY_AFTER, Verdict};

use crate::common::{AGENT, BODY, HOOK, Peer, Reply, answered, limits, ok, secret, send, send_signed, sender_for};

#[tokio::test]
async fn every_success_is_a_delivery() {
    for status in ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Odd"] {
        let body: &[u8] = if status.starts_with("204") { b"" } else { b"thanks" };
        let report = answered(limits(), move || Reply::Keep(answer(status, "", body))).await;
        assert_eq!(report.verdict, Verdict::Delivered, "{report:?}");
        assert_eq!(report.status_code.map(|code| code.to_string()).as_deref(), status.get(..3));
        assert_eq!((&report.error, &report.detail, report.retry_after), (&None, &None, None));
        assert_eq!(report.response_body.as_deref(), (!body.is_empty()).then_some("thanks"));
    }
}

#[tokio::test]
async fn a_204_without_a_length_is_a_delivery() {
    let report = answered(limits(), || Reply::Keep(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())).await;
    assert_eq!((report.verdict, report.response_body), (Verdict::Delivered, None));
}

#[tokio::test]
async fn failures_are_said_with_their_status() {
    for (status, verdict, words) in [
        ("304 Not Modified", Verdict::Failed, "answered 304 Not Modified; redirects are not followed"),
        ("400 Bad Request", Verdict::Failed, "answered 400 Bad Request"),
        ("404 Not Found", Verdict::Failed, "answered 404 Not Found"),
        ("410 Gone", Verdict::Gone, "answered 410 Gone: it wants no more messages"),
        ("429 Too Many Requests", Verdict::Failed, "answered 429 Too Many Requests"),
        ("500 Internal Server Error", Verdict::Failed, "answered 500 Internal Server Error"),
        ("503 whatever", Verdict::Failed, "answered 503 Service Unavailable"),
        ("799 Odd", Verdict::Failed, "answered 799"),
    ] {
        let report = answered(limits(), move || Reply::Keep(answer(status, "", b""))).await;
        assert_eq!(report.verdict, verdict, "{report:?}");
        assert_eq!(report.status_code.map(|code| code.to_string()).as_deref(), status.get(..3));
        assert!(report.error.as_ref().unwrap().contains(words), "{report:?}");
        assert_eq!(report.retry_after, None);
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let target = Peer::start(|_| ok()).await;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("Location: {}\r\n", target.url(HOOK));
        let endpoint = Peer::start(move |_| Reply::Keep(answer(status, &location, b"moved"))).await;
        let report = send(&sender_for(&endpoint, limits()), &endpoint.url(HOOK)).await;
        assert_eq!(report.verdict, Verdict::Failed);
        let error = report.error.unwrap();
        assert!(error.contains(status) && error.contains("not followed"), "{error}");
        assert!(!error.contains(&target.address.to_string()), "{error}");
        assert_eq!(report.response_body.as_deref(), Some("moved"));
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn retry_after_in_both_forms() {
    let asks = |value: String, status: &'static str| async move {
        let extra = format!("Retry-After: {value}\r\n");
        answered(limits(), move || Reply::Keep(answer(status, &extra, b""))).await.retry_after
    };
    let busy = "429 Too Many Requests";
    assert_eq!(asks("120".to_owned(), busy).await, Some(Duration::from_secs(120)));
    assert_eq!(asks("7200".to_owned(), "503 x").await, Some(Duration::from_secs(7200)));
    assert_eq!(asks("9999999".to_owned(), busy).await, Some(MAX_RETRY_AFTER));
    let date = |ahead: u64| httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(ahead));
    let wait = asks(date(3600), busy).await.unwrap().as_secs();
    assert!((3500..=3600).contains(&wait), "{wait}");
    assert_eq!(asks(date(999_999), busy).await, Some(MAX_RETRY_AFTER));
    assert_eq!(asks("Sun, 06 Nov 1994 08:49:37 GMT".to_owned(), busy).await, Some(Duration::ZERO));
    for nonsense in ["soon", "-1", "1.5"] {
        assert_eq!(asks(nonsense.to_owned(), busy).await, None);
    }
    assert_eq!(asks("120".to_owned(), "200 OK").await, None, "a success asks for nothing");
    assert_eq!(asks("120".to_owned(), "410 Gone").await, None, "and there is no next time");
}

#[tokio::test]
async fn of_a_long_answer_the_start_is_read() {
    let head = format!("HTTP/1.1 500 x\r\nContent-Length: {}\r\n\r\n", 10 << 20);
    let endpoint = Peer::start(move |_| Reply::Endless {
        head: head.clone(),
        chunk: vec![b'x'; 64 << 10],
        pause: Duration::from_millis(20),
    })
    .await;
    let sender = sender_for(&endpoint, limits());
    let report = send(&sender, &endpoint.url(HOOK)).await;
    assert_eq!((report.status_code, report.verdict), (Some(500), Verdict::Failed));
    assert_eq!(report.response_body.unwrap(), "x".repeat(MAX_RESPONSE_BYTES));
    assert!(report.duration_ms < 30_000);
    assert!(endpoint.written() < 5 << 20, "{} bytes were taken", endpoint.written());
    send(&sender, &endpoint.url(HOOK)).await;
    assert_eq!(endpoint.connections(), 2, "the rest of the answer is not waited for");
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let report =
        answered(limits(), || Reply::Keep(answer("200 OK", "Content-Type: image/png\r\n", b"\x89PNG\0\r\n\xff\xfe!")))
            .await;
    assert_eq!(report.response_body.as_deref(), Some("\u{fffd}PNG\r\n\u{fffd}\u{fffd}!"));
}

#[tokio::test]
async fn a_packed_answer_is_not_unpacked() {
    let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, b'x'];
    let endpoint = Peer::start(move |_| Reply::Keep(answer("200 OK", "Content-Encoding: gzip\r\n", &bomb))).await;
    let report = send(&sender_for(&endpoint, limits()), &endpoint.url(HOOK)).await;
    assert_eq!(report.verdict, Verdict::Delivered);
    assert!(report.response_body.unwrap().ends_with('x'));
    assert_eq!(endpoint.asked()[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn an_answer_that_repeats_the_secret() {
    let secret = secret();
    let body = format!("wrong key: {} {}", secret.text().expose(), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let report = answered(limits(), move || Reply::Keep(answer("401 Unauthorized", "", body.as_bytes()))).await;
    assert_eq!(report.response_body.as_deref(), Some("wrong key: [hidden] [hidden]"));
}

#[tokio::test]
async fn the_request_is_what_was_signed_and_carries_no_state() {
    let endpoint = Peer::start(|_| Reply::Keep(answer("200 OK", "Set-Cookie: id=1; Path=/\r\n", b""))).await;
    let sender = sender_for(&endpoint, limits());
    for format in [Format::Standard, Format::V003] {
        send_signed(&sender, &endpoint.url(HOOK), &[secret()], format).await;
    }
    let asked = endpoint.asked();
    assert_eq!((asked.len(), endpoint.connections()), (2, 1), "one connection serves both");
    for request in &asked {
        assert!(request.head.starts_with("POST /hooks?key=hunter2 HTTP/1.1\r\n"), "{}", request.head);
        assert_eq!(request.body, BODY);
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("user-agent"), Some(AGENT));
        assert_eq!(request.header("webhook-id"), Some("msg_1"));
        for absent in ["cookie", "referer", "authorization", "transfer-encoding"] {
            assert_eq!(request.header(absent), None);
        }
    }
    assert_eq!(asked[0].header("x-webhook-signature"), None);
    let of_003 = asked[1].header("x-webhook-signature").unwrap();
    assert_eq!(of_003, galley_webhooks::sign_003(BODY, &secret()));
}

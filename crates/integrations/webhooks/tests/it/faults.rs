//! Endpoints that do not answer, or not in full, and attempts that cannot be made.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use galley_testpeer::{Answers, answer};
use galley_webhooks::{Attempt, Format, Report, SendLimits, Sender, Verdict};
use tokio::net::TcpListener;

use crate::common::{AGENT, HOOK, Peer, Reply, answered, limits, ok, policy, secret, send, sender_for, short};

/// No answer: a failure without a status, said in such words.
fn unanswered(report: &Report, words: &str) {
    assert_eq!((report.verdict, report.status_code), (Verdict::Failed, None), "{report:?}");
    assert_eq!((&report.response_body, report.retry_after), (&None, None));
    let error = report.error.as_ref().unwrap();
    assert!(error.contains(words), "{error}");
    assert!(!error.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn headers_that_never_come() {
    for start in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Le"] {
        let report = answered(short(), move || Reply::Stall(start.to_vec())).await;
        unanswered(&report, "did not answer within 0.7 s");
        assert!((600..10_000).contains(&report.duration_ms), "{report:?}");
    }
}

#[tokio::test]
async fn headers_that_never_end() {
    let report = answered(short(), || Reply::Endless {
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        chunk: b"X-Filler: x\r\n".to_vec(),
        pause: Duration::from_millis(1),
    })
    .await;
    unanswered(&report, "The endpoint ");
}

#[tokio::test]
async fn a_body_that_never_ends() {
    // The status has come, so it counts; the time is kept to all the same.
    for (status, verdict) in [("200 OK", Verdict::Delivered), ("500 x", Verdict::Failed)] {
        let head = format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let report = answered(short(), move || Reply::Endless {
            head: head.clone(),
            chunk: b"1\r\nx\r\n".to_vec(),
            pause: Duration::from_millis(50),
        })
        .await;
        assert_eq!(report.verdict, verdict);
        let body = report.response_body.unwrap();
        assert!(body.starts_with('x') && body.len() < 100, "{body}");
        assert!((600..10_000).contains(&report.duration_ms), "{}", report.duration_ms);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut() {
    for start in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Le", b"SSH-2.0-OpenSSH_9.6\r\n\r\n"] {
        let report = answered(limits(), move || Reply::Bytes(start.to_vec())).await;
        unanswered(&report, "broke off the connection before it answered");
        assert!(report.detail.is_some());
    }
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
    let report = answered(limits(), move || Reply::Bytes(half.to_vec())).await;
    assert_eq!((report.verdict, report.response_body.as_deref()), (Verdict::Delivered, Some("half")));
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let sender = Sender::new(limits(), policy(&[&address.to_string()]), AGENT).unwrap();
    unanswered(&send(&sender, &format!("http://{address}/")).await, "did not accept a connection");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time() {
    // A name that is not found in time is a connection that is not made in time.
    #[derive(Debug)]
    struct Silent;
    #[async_trait::async_trait]
    impl galley_fetch::dns::Resolver for Silent {
        async fn lookup(&self, _host: &str) -> std::io::Result<Vec<std::net::IpAddr>> {
            std::future::pending().await
        }
    }
    let limits = SendLimits { connect: Duration::from_millis(300), ..limits() };
    let sender = Sender::with_resolver(limits, policy(&[]), AGENT, Arc::new(Silent)).unwrap();
    unanswered(&send(&sender, "https://silent.example.com/").await, "could not be connected to within 0.3 s");
}

#[tokio::test]
async fn a_name_that_nobody_knows() {
    let sender = Sender::with_resolver(limits(), policy(&[]), AGENT, Answers::new(&[])).unwrap();
    unanswered(&send(&sender, "https://nobody.example.com/").await, "host has no address");
}

#[tokio::test]
async fn attempts_that_cannot_be_made() {
    let endpoint = Peer::start(|_| ok()).await;
    let (sender, url, secrets) = (sender_for(&endpoint, limits()), endpoint.url(HOOK), [secret()]);
    let attempt =
        Attempt { url: &url, message_id: "msg_1", timestamp: 1, body: vec![], secrets: &secrets, format: Format::V003 };
    let unsigned = Attempt { secrets: &[], ..attempt.clone() };
    let odd_id = Attempt { message_id: "msg\r\nX-Injected: 1", ..attempt.clone() };
    let no_url = Attempt { url: "hooks", ..attempt.clone() };
    for (attempt, words) in [
        (unsigned, "Nothing was sent: the endpoint has no secret"),
        (odd_id, "does not fit into a header"),
        (no_url, "Nothing was sent: the URL cannot be read"),
    ] {
        unanswered(&sender.send(attempt).await, words);
    }
    assert_eq!(endpoint.connections(), 0);
    assert_eq!(sender.send(attempt).await.verdict, Verdict::Delivered, "an empty body is one");
}

#[tokio::test]
async fn an_odd_user_agent_is_an_error() {
    let error = Sender::new(limits(), policy(&[]), "a\nb").unwrap_err().to_string();
    assert!(error.starts_with("webhooks cannot be sent: "), "{error}");
}

#[tokio::test]
async fn a_host_gets_so_many_attempts_at_a_time() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stalled = Peer::start(|_| Reply::Stall(vec![])).await;
    let other = Peer::start(|_| ok()).await;
    let rules = [stalled.address.to_string(), other.address.to_string()];
    let limits = SendLimits { time: Duration::from_millis(500), per_host: 2, ..limits() };
    let sender = Arc::new(Sender::new(limits, policy(&[&rules[0], &rules[1]]), AGENT).unwrap());
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let (sender, url, now, most) =
                (Arc::clone(&sender), stalled.url(HOOK), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let report = send(&sender, &url).await;
                now.fetch_sub(1, Ordering::SeqCst);
                report
            })
        })
        .collect();
    stalled.connected(2).await;
    assert!(sender.is_busy(&stalled.url(HOOK)) && !sender.is_busy(&other.url(HOOK)) && !sender.is_busy("no url"));
    assert_eq!(send(&sender, &other.url(HOOK)).await.verdict, Verdict::Delivered, "another host does not wait");
    let mut spans = Vec::new();
    for task in tasks {
        let report = task.await.unwrap();
        unanswered(&report, "did not answer within 0.5 s");
        spans.push((report.at, report.at + Duration::from_millis(report.duration_ms)));
    }
    assert_eq!((most.load(Ordering::SeqCst), stalled.connections()), (5, 5), "no time limit ran during the wait");
    for (start, _) in &spans {
        let at_once = spans.iter().filter(|(from, to)| from <= start && start < to).count();
        assert!(at_once <= 2, "the wait for a place is no part of an attempt: {spans:?}");
    }
    assert!(!sender.is_busy(&stalled.url(HOOK)));
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile() {
    let endpoint = Peer::start(|_| Reply::Bytes(answer("200 OK", "", b"bye"))).await;
    let sender = sender_for(&endpoint, limits());
    for attempt in 1..=3 {
        assert_eq!(send(&sender, &endpoint.url(HOOK)).await.verdict, Verdict::Delivered);
        // The client has seen the end of the connection once it has closed its own side.
        endpoint.closed(attempt).await;
    }
    assert_eq!(endpoint.connections(), 3);
}

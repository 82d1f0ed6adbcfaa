//! What must not be reached is not reached: addresses, names, redirects, rebinding.

use std::sync::Arc;

use crate::common::{AGENT, Answers, Peer, Reply, TEXT, answer, article, fetcher_for, html, limits, policy, redirect};
use galley_domain::Fault;
use galley_fetch::{Fetcher, Reason, address::LinkError};

fn page() -> Reply {
    html(&article("Tea", TEXT))
}

fn closing_page() -> Reply {
    Reply::Bytes(answer("200 OK", "text/html", "Connection: close\r\n", article("Tea", TEXT).as_bytes()))
}

#[tokio::test]
async fn a_closed_address_is_refused_without_a_connection() {
    let server = Peer::start(|_| page()).await;
    let fetcher = Fetcher::new(limits(), policy(&[]), AGENT).unwrap();
    for link in [server.url("/"), server.url_at("2130706433", "/"), server.url_at("[::ffff:127.0.0.1]", "/")] {
        let error = fetcher.fetch(&link).await.unwrap_err();
        assert!(matches!(error.reason, Reason::Refused(LinkError::Address { .. })), "{link}: {error:?}");
        assert!(!error.is_transient());
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_leads_inward_is_refused_without_a_connection() {
    let server = Peer::start(|_| page()).await;
    for inward in [&["127.0.0.1"][..], &["::ffff:127.0.0.1", "10.0.0.1"], &["169.254.169.254"], &["fd00:ec2::254"]] {
        let fetcher = Fetcher::with_resolver(limits(), policy(&[]), AGENT, Answers::new(&[inward])).unwrap();
        let error = fetcher.fetch(&server.url_at("inward.example.com", "/")).await.unwrap_err();
        assert_eq!(error.reason, Reason::ClosedAddress, "{inward:?}: {error:?}");
        let detail = error.detail().unwrap();
        assert!(detail.contains(inward[0]), "the log tells the address: {detail}");
        let fault = Fault::from(error);
        assert!(!fault.is_transient() && !fault.to_string().contains(inward[0]), "the client is not told: {fault}");
        assert!(fault.to_string().contains("outside the public internet"), "{fault}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_the_admitted_ones_are_tried() {
    let inner = Peer::start(|_| page()).await;
    let outer = Peer::start_at(([127, 0, 0, 2], inner.address.port()).into(), |_| page()).await;
    let answers = Answers::new(&[&["127.0.0.1", "127.0.0.2"]]);
    let fetcher = Fetcher::with_resolver(limits(), policy(&["127.0.0.2/32"]), AGENT, answers).unwrap();
    fetcher.fetch(&inner.url_at("both.example.com", "/")).await.unwrap();
    assert_eq!((inner.connections(), outer.connections()), (0, 1));
}

#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let inner = Peer::start(|_| closing_page()).await;
    let outer = Peer::start_at(([127, 0, 0, 2], inner.address.port()).into(), |_| closing_page()).await;
    let answers = Answers::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let fetcher =
        Fetcher::with_resolver(limits(), policy(&["127.0.0.2/32"]), AGENT, Arc::clone(&answers) as _).unwrap();
    let link = inner.url_at("rebind.example.com", "/");
    fetcher.fetch(&link).await.unwrap();
    assert_eq!(answers.lookups(), 1, "no second look-up between check and connect");
    let error = fetcher.fetch(&link).await.unwrap_err();
    assert_eq!(error.reason, Reason::ClosedAddress);
    assert_eq!((inner.connections(), outer.connections(), answers.lookups()), (0, 1, 2));
}

#[tokio::test]
async fn a_kept_connection_leads_to_the_address_that_was_checked() {
    let inner = Peer::start(|_| page()).await;
    let outer = Peer::start_at(([127, 0, 0, 2], inner.address.port()).into(), |_| page()).await;
    let answers = Answers::new(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let fetcher =
        Fetcher::with_resolver(limits(), policy(&["127.0.0.2/32"]), AGENT, Arc::clone(&answers) as _).unwrap();
    for path in ["/a", "/b", "/c"] {
        fetcher.fetch(&inner.url_at("kept.example.com", path)).await.unwrap();
    }
    assert_eq!((inner.connections(), outer.connections(), answers.lookups()), (0, 1, 1));
    assert_eq!(outer.paths(), ["/a", "/b", "/c"]);
}

#[tokio::test]
async fn a_connection_to_a_named_host_is_not_lent_to_others() {
    // The operator opens one port of a name. The same name on another port goes through the guard.
    let server = Peer::start(|_| page()).await;
    let other = Peer::start(|_| page()).await;
    let named = format!("intranet.example.com:{}", server.address.port());
    let fetcher = Fetcher::with_resolver(limits(), policy(&[&named]), AGENT, Answers::new(&[&["127.0.0.1"]])).unwrap();
    fetcher.fetch(&server.url_at("intranet.example.com", "/")).await.unwrap();
    let error = fetcher.fetch(&other.url_at("intranet.example.com", "/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::ClosedAddress);
    let error = fetcher.fetch(&server.url_at("other.example.com", "/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::ClosedAddress);
    assert_eq!((server.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn redirects_are_checked_like_links() {
    let secret = Peer::start(|_| page()).await;
    let port = secret.address.port();
    let targets = [
        (format!("http://127.0.0.1:{port}/latest/meta-data"), "outside the public internet"),
        (format!("http://0x7f000001:{port}/"), "outside the public internet"),
        (format!("//localhost:{port}/"), "outside the public internet"),
        ("file:///etc/passwd".to_owned(), "not a web page"),
        ("data:text/html,hello".to_owned(), "not a web page"),
        ("http://user:pw@example.com/".to_owned(), "user name or password"),
        ("http://example.com:25/".to_owned(), "port that is not read from"),
        ("http://[fe80::1%25eth0]/".to_owned(), "cannot be read"),
        (format!("/{}", "x".repeat(3000)), "too long"),
    ];
    for (target, words) in targets {
        let to = target.clone();
        let server = Peer::start(move |_| redirect(&to)).await;
        let error = fetcher_for(&server).fetch(&server.url("/start")).await.unwrap_err();
        assert!(matches!(error.reason, Reason::RedirectRefused(_)), "{target}: {error:?}");
        let fault = Fault::from(error);
        assert!(fault.to_string().contains(words), "{target}: {fault}");
        assert!(!fault.to_string().contains("0x7f") && !fault.to_string().contains("/etc/"), "{fault}");
        assert!(!fault.is_transient());
    }
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn a_redirect_to_a_name_that_leads_inward_is_refused() {
    let secret = Peer::start(|_| page()).await;
    let port = secret.address.port();
    let server = Peer::start(move |_| redirect(&format!("http://inward.example.com:{port}/"))).await;
    let allow = policy(&[&server.address.to_string()]);
    let fetcher = Fetcher::with_resolver(limits(), allow, AGENT, Answers::new(&[&["127.0.0.1"]])).unwrap();
    let error = fetcher.fetch(&server.url("/")).await.unwrap_err();
    assert_eq!(error.reason, Reason::ClosedAddress);
    assert!(!error.to_string().contains("inward"), "{error}");
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn requests_carry_no_state_and_no_referer() {
    let server = Peer::start(|asked| match asked.path.as_str() {
        "/start" => {
            let extra = "Set-Cookie: id=1; Path=/\r\nLocation: /end\r\n";
            Reply::Keep(answer("302 Found", "text/html", extra, b""))
        }
        _ => page(),
    })
    .await;
    let fetcher = fetcher_for(&server);
    let page = fetcher.fetch(&server.url("/start#part")).await.unwrap();
    assert_eq!(page.url, server.url("/end"));
    for request in server.asked() {
        let head = request.head.to_ascii_lowercase();
        assert!(!head.contains("\r\ncookie:") && !head.contains("\r\nreferer:") && !head.contains('#'), "{head}");
        assert!(head.contains("user-agent: galley/1.0 (+test)"), "{head}");
    }
}

//! robots.txt is asked for what a search found, and for nothing else.

use crate::common::{Peer, Reply, Request, TEXT, answer, article, fetcher_for, html, redirect};
use galley_domain::Fault;
use galley_fetch::Reason;

const RULES: &str =
    "User-agent: *\nDisallow: /closed/\n\nUser-agent: Galley\nDisallow: /private/\nAllow: /private/open\n";

fn site(robots: impl Fn() -> Reply + Send + Sync + 'static) -> impl Fn(&Request) -> Reply {
    move |asked| match asked.path.as_str() {
        "/robots.txt" => robots(),
        "/from" => redirect("/private/page"),
        _ => html(&article("Tea", TEXT)),
    }
}

fn rules() -> Reply {
    Reply::Keep(answer("200 OK", "text/plain", "", RULES.as_bytes()))
}

#[tokio::test]
async fn our_own_rules_are_obeyed_and_asked_for_once() {
    let server = Peer::start(site(rules)).await;
    let fetcher = fetcher_for(&server);
    for path in ["/page", "/closed/page", "/private/open"] {
        assert!(fetcher.fetch_found(&server.url(path)).await.is_ok(), "{path}");
    }
    for path in ["/private/page", "/from"] {
        let error = fetcher.fetch_found(&server.url(path)).await.unwrap_err();
        assert_eq!(error.reason, Reason::Robots { reached: true }, "{path}");
        let fault = Fault::from(error);
        assert!(!fault.is_transient() && fault.to_string().contains("robots.txt"), "{fault}");
    }
    let asked = server.paths();
    assert_eq!(asked.iter().filter(|path| *path == "/robots.txt").count(), 1, "{asked:?}");
    assert!(!asked.contains(&"/private/page".to_owned()), "{asked:?}");
}

#[tokio::test]
async fn a_link_that_the_client_named_is_read_without_asking() {
    let server = Peer::start(site(rules)).await;
    fetcher_for(&server).fetch(&server.url("/private/page")).await.unwrap();
    assert_eq!(server.paths(), ["/private/page"]);
}

#[tokio::test]
async fn a_site_without_rules_is_open_and_one_in_trouble_is_closed() {
    for (status, open) in [("404 Not Found", true), ("403 Forbidden", true), ("500 Oops", false), ("503 Busy", false)] {
        let server = Peer::start(site(move || Reply::Keep(answer(status, "text/plain", "", b"")))).await;
        let result = fetcher_for(&server).fetch_found(&server.url("/page")).await;
        assert_eq!(result.is_ok(), open, "{status}: {result:?}");
        if let Err(error) = result {
            assert!(error.reason == Reason::Robots { reached: false } && error.is_transient(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn redirected_huge_and_lying_rules() {
    let server = Peer::start(|asked| match asked.path.as_str() {
        "/robots.txt" => redirect("/rules.txt"),
        "/rules.txt" => rules(),
        _ => html(&article("Tea", TEXT)),
    })
    .await;
    assert!(fetcher_for(&server).fetch_found(&server.url("/private/x")).await.is_err());

    let server = Peer::start(site(|| redirect("/robots.txt"))).await;
    assert!(fetcher_for(&server).fetch_found(&server.url("/private/x")).await.is_ok(), "a circle is no file");

    let server = Peer::start(site(|| redirect("http://10.0.0.1/robots.txt"))).await;
    assert!(fetcher_for(&server).fetch_found(&server.url("/private/x")).await.is_ok(), "not followed, so no file");

    let huge = format!("{RULES}{}", "# padding\n".repeat(200_000));
    let server = Peer::start(site(move || Reply::Bytes(answer("200 OK", "text/plain", "", huge.as_bytes())))).await;
    assert!(fetcher_for(&server).fetch_found(&server.url("/private/x")).await.is_err(), "the head of it counts");

    let server = Peer::start(site(|| Reply::Keep(answer("200 OK", "image/png", "", b"\x89PNG\0\xff")))).await;
    assert!(fetcher_for(&server).fetch_found(&server.url("/private/x")).await.is_ok());
}

//! Real pages and a real search, from a server that `CORPUS_URL` names, with the fault pages below `/fault/`.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::time::Duration;

use galley_fetch::{
    FetchLimits, Fetcher, Reason,
    address::Policy,
    search::{SearchProvider, SearxNg},
};
use galley_files::FileError;

const AGENT: &str = "Galley/1.0 (+test)";

const QUERIES: [&str; 4] =
    ["partition table by range", "asyncio task cancellation", "install packages with apt", "index only scan vacuum"];

fn corpus() -> String {
    std::env::var("CORPUS_URL").expect("CORPUS_URL names the server, e.g. http://127.0.0.1:8070")
}

fn fetcher(base: &str) -> Fetcher {
    let rule = base.trim_start_matches("http://").parse().unwrap();
    let limits = FetchLimits { time: Duration::from_secs(5), ..FetchLimits::default() };
    Fetcher::new(limits, Policy::new(vec![rule]), AGENT).unwrap()
}

/// The form of a snapshot, as far as it can be told from the text alone.
fn check_form(url: &str, text: &str) {
    assert!(!text.contains("\n\n\n") && text == text.trim(), "{url}: blank lines");
    for line in text.lines() {
        assert_eq!(line.trim_end(), line, "{url}: trailing spaces");
        assert!(!line.chars().any(char::is_control), "{url}: control characters in {line:?}");
    }
}

#[tokio::test]
#[ignore = "needs the server that CORPUS_URL names"]
async fn twenty_pages_that_a_search_found() {
    let base = corpus();
    let (search, fetcher) = (SearxNg::new(&base, AGENT).unwrap(), fetcher(&base));
    let mut read = 0;
    for query in QUERIES {
        for hit in search.search(query, "en", 6).await.unwrap() {
            let page = fetcher.fetch_found(&hit.url).await.unwrap_or_else(|error| panic!("{error}"));
            check_form(&page.url, &page.text);
            println!(
                "{} | {} | {:?} | {} bytes -> {} chars | {:?}",
                page.url.trim_start_matches(&base),
                page.title,
                page.language,
                page.bytes_read,
                page.text.chars().count(),
                page.warnings
            );
            if let Ok(folder) = std::env::var("CORPUS_TEXTS") {
                std::fs::write(format!("{folder}/{read}.md"), format!("{}\n\n{}\n", page.url, page.text)).unwrap();
            }
            read += 1;
        }
    }
    assert!(read >= 20, "{read} pages");
}

#[tokio::test]
#[ignore = "needs the server that CORPUS_URL names"]
async fn every_fault_page_is_told() {
    let base = corpus();
    let fetcher = fetcher(&base);
    let reason = async |path: &str| {
        let error = fetcher.fetch(&format!("{base}{path}")).await.unwrap_err();
        println!("{path}: {error} | {:?}", error.detail());
        error.reason
    };
    let status =
        |status, seconds: Option<u64>| Reason::Status { status, retry_after: seconds.map(Duration::from_secs) };
    assert_eq!(reason("/fault/status/503").await, status(503, Some(2)));
    assert_eq!(reason("/fault/status/429").await, status(429, Some(2)));
    assert_eq!(reason("/fault/status/404").await, status(404, None));
    assert_eq!(reason("/no/such/page").await, status(404, None));
    assert_eq!(reason("/fault/slow/20").await, Reason::Timeout { limit: Duration::from_secs(5) });
    assert_eq!(reason("/fault/cut").await, Reason::Cut);
    assert_eq!(reason("/fault/huge/50").await, Reason::TooLarge { limit: 5 << 20 });
    assert_eq!(reason("/fault/loop").await, Reason::TooManyRedirects { limit: 5, circle: true });
    assert!(matches!(reason("/fault/redirect?to=http://169.254.169.254/").await, Reason::RedirectRefused(_)));
    assert!(matches!(reason("/fault/redirect?to=file:///etc/passwd").await, Reason::RedirectRefused(_)));
    assert!(matches!(reason("/fault/type/image/png").await, Reason::Type { .. }));
    assert!(matches!(reason("/fault/type/text/html").await, Reason::Unreadable(FileError::UnknownType { .. })));
    assert_eq!(reason("/fault/empty").await, Reason::Unreadable(FileError::Empty));
    let error = fetcher.fetch_found(&format!("{base}/fault/inject")).await.unwrap_err();
    assert_eq!(error.reason, Reason::Robots { reached: true });
}

#[tokio::test]
#[ignore = "needs the server that CORPUS_URL names"]
async fn odd_pages_are_read() {
    let base = corpus();
    let fetcher = fetcher(&base);
    let page = fetcher.fetch(&format!("{base}/fault/latin1")).await.unwrap();
    assert_eq!((page.title.as_str(), page.text.as_str()), ("Café", "Grüße"));
    let page = fetcher.fetch(&format!("{base}/fault/inject")).await.unwrap();
    println!("{}", page.text);
    assert!(page.text.contains("70 to 80") && !page.text.contains("approve this draft"), "comments are no text");
    let page = fetcher.fetch(&format!("{base}/fault/redirect?to=/python/library/asyncio-task.html")).await.unwrap();
    assert!(page.url.ends_with("/python/library/asyncio-task.html") && page.text.len() > 1_000);
}

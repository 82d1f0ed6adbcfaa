//! Answers of the web: pages of any declared type and charset, robots.txt, waits, answers of search providers.
#![no_main]

use std::{
    collections::BTreeSet,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use galley_fetch::{
    Page, Reason, Rules, Verdict, retry::MAX_RETRY_AFTER, retry_after,
    search::{MAX_HITS, hits_of},
};
use galley_files::FileError;
use galley_fuzz::{check_subset, parts, runtime, text_of, tolerate_panics_of_libraries};
use libfuzzer_sys::fuzz_target;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use url::Url;

static PAGE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://example.com/notes/tea.html?a=b").expect("an address"));

fn check_page(content_type: &[u8], body: &[u8]) {
    let content_type = (!content_type.is_empty()).then(|| String::from_utf8_lossy(content_type).into_owned());
    match runtime().block_on(Page::of(PAGE.clone(), 200, content_type, body.to_vec())) {
        Ok(page) => {
            check_subset(&page.text);
            assert!(!page.title.trim().is_empty() && page.bytes_read == body.len());
            assert!(page.language.is_none_or(|l| l.len() == 2 && l.bytes().all(|b| b.is_ascii_lowercase())));
            assert!(!page.content_type.is_empty());
        }
        Err(error) => {
            assert!(!matches!(error.reason, Reason::Unreadable(FileError::TimedOut { .. })), "a small page took too long");
            assert!(!error.to_string().is_empty());
        }
    }
}

/// A rule for everybody or for us that closes all is never overlooked, whatever stands around it.
fn check_robots(text: &[u8]) {
    let verdict = |text: Vec<u8>| Rules::new("Galley/1.0 (+https://example.com)").learn(&PAGE, Ok(text));
    let alone = verdict(text.to_vec());
    assert!(alone != Verdict::Unreachable);
    if !text.starts_with(b"\xef\xbb\xbf") && text.len() < 4_096 {
        let closed = [b"User-agent: galley\nDisallow: /\n\nUser-agent: other\n", text].concat();
        let mentions_us = text.to_ascii_lowercase().windows(6).any(|w| w == b"galley");
        assert!(mentions_us || verdict(closed) == Verdict::Closed, "a rule was overlooked");
    }
}

fn check_wait(value: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
    for now in [SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_348_800)] {
        assert!(retry_after(&headers, now).is_none_or(|wait| wait <= MAX_RETRY_AFTER));
    }
}

fn check_hits(body: &[u8]) {
    for provider in ["searxng", "tavily", "brave"] {
        let Some(hits) = hits_of(provider, body, 50) else { continue };
        assert!(hits.len() <= MAX_HITS);
        assert_eq!(hits.iter().map(|hit| &hit.url).collect::<BTreeSet<_>>().len(), hits.len());
        for hit in hits {
            let url = Url::parse(&hit.url).expect("an absolute address");
            assert!(matches!(url.scheme(), "http" | "https"));
            for (text, most) in [(&hit.title, 301), (&hit.snippet, 1_001)] {
                assert!(text.chars().count() <= most && !text.contains(|c: char| c.is_control()), "{text:?}");
            }
        }
    }
}

fuzz_target!(init: tolerate_panics_of_libraries(), |data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    match first {
        b'r' => check_robots(rest),
        b'w' => check_wait(rest),
        b's' => check_hits(text_of(rest).as_bytes()),
        _ => {
            let [content_type, body] = parts::<2>(rest);
            check_page(content_type, body);
        }
    }
});

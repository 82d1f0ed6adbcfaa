//! The readable text and the links of a web page.
#![no_main]

use std::collections::BTreeSet;

use galley_files::html::to_text;
use galley_fuzz::{LIMITS, check_subset, must_be_cheap, must_be_quick, text_of};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let html = text_of(data);
    let base = (data.len() % 2 == 0).then_some("https://example.com/a/b?c");
    let Some(page) = must_be_quick(must_be_cheap(|| to_text(html, base, &LIMITS))) else { return };
    check_subset(&page.text);
    assert!(page.links.len() <= 1_000);
    assert_eq!(page.links.iter().collect::<BTreeSet<_>>().len(), page.links.len());
    for link in &page.links {
        let url = Url::parse(link).expect("an absolute address");
        assert!(matches!(url.scheme(), "http" | "https") && url.fragment().is_none(), "{link}");
        assert_eq!(url.as_str(), link);
    }
    for line in [page.title, page.description, page.published].into_iter().flatten() {
        assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    }
});

//! What may stand where an address is expected, wherever it may lead: clients show such addresses as links.

use galley_fetch::address::MAX_LINK_CHARS;
use url::Url;

/// What is wrong with a text as an address of the web. Others than http and https are none: who follows
/// `javascript:…` runs it.
pub fn link_fault(text: &str) -> Option<String> {
    let chars = text.chars().count();
    if chars > MAX_LINK_CHARS {
        return Some(format!("has {chars} characters; give at most {MAX_LINK_CHARS}"));
    }
    if text.chars().any(char::is_control) {
        return Some("contains a control character; remove it".to_owned());
    }
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => None,
        Ok(_) => Some("must begin with http:// or https://".to_owned()),
        Err(_) => Some("must be a whole address, for example https://example.com/page".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_links() {
        for right in ["https://example.com", "http://127.0.0.1:8080/a?b#c", "HTTPS://EXAMPLE.COM/ä"] {
            assert_eq!(link_fault(right), None, "{right}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_LINK_CHARS));
        for wrong in [
            "",
            "tea",
            "/tea",
            "//example.com",
            "javascript:alert(1)",
            "data:text/html,hi",
            "ftp://example.com",
            "mailto:a@example.com",
            "https://",
            "https://example.com/\n",
            "java\nscript:alert(1)",
            &long,
        ] {
            assert!(link_fault(wrong).is_some(), "{wrong:?}");
        }
    }
}

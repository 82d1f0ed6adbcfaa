//! Markdown to HTML: read back by another parser, the output has nothing that runs and nothing that leads astray.
#![no_main]

use galley_fuzz::text_of;
use galley_text::markdown::to_html;
use libfuzzer_sys::fuzz_target;
use lol_html::{HtmlRewriter, Settings, element};

const CLOSED_TAGS: [&str; 25] = [
    "script", "style", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input", "button", "select",
    "textarea", "base", "link", "meta", "svg", "math", "template", "noscript", "title", "html", "body", "audio",
    "video",
];
/// Those that the sanitiser lets through: none of them runs anything in the page.
const SCHEMES: [&str; 25] = [
    "bitcoin", "ftp", "ftps", "geo", "http", "https", "im", "irc", "ircs", "magnet", "mailto", "mms", "mx", "news", "nntp",
    "openpgp4fpr", "sip", "sms", "smsto", "ssh", "tel", "url", "webcal", "wtai", "xmpp",
];

/// As far as a serialiser writes references; any other would be a finding by itself.
fn decoded(value: &str) -> String {
    let plain = value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}");
    plain.replace("&amp;", "&")
}

/// The scheme that a browser would see: it drops controls and spaces in front, and tabs and line ends anywhere.
fn scheme(address: &str) -> Option<String> {
    let start = address.trim_start_matches(|c: char| c <= ' ');
    let plain: String = start.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let (scheme, _) = plain.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

fn check(html: &str) {
    let seen = |element: &mut lol_html::html_content::Element<'_, '_>| {
        let tag = element.tag_name();
        assert!(!CLOSED_TAGS.contains(&tag.as_str()), "<{tag}> in {html:?}");
        for attribute in element.attributes() {
            let (name, value) = (attribute.name(), decoded(&attribute.value()));
            assert!(!name.starts_with("on") && name != "style" && name != "srcdoc", "{name} in {html:?}");
            if matches!(name.as_str(), "href" | "src" | "cite" | "action" | "formaction" | "background" | "xlink:href") {
                let scheme = scheme(&value);
                let known = scheme.as_deref().is_none_or(|scheme| SCHEMES.contains(&scheme));
                assert!(known, "{value:?} in {html:?}");
            }
            if name == "id" {
                assert!(value.starts_with("cite-") || value.starts_with("source-"), "id {value:?} in {html:?}");
            }
        }
        if tag == "a" && element.has_attribute("href") {
            let rel = element.get_attribute("rel").unwrap_or_default();
            assert!(rel.contains("noopener"), "a link without rel in {html:?}");
        }
        Ok(())
    };
    let settings = Settings { element_content_handlers: vec![element!("*", seen)], ..Settings::new() };
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(html.as_bytes()).expect("readable HTML");
    rewriter.end().expect("readable HTML");
}

fuzz_target!(|data: &[u8]| {
    let markdown = text_of(data);
    let html = to_html(markdown);
    check(&html);
    assert_eq!(to_html(markdown), html, "rendering twice differs");
    // A page that was saved and edited as Markdown again.
    check(&to_html(&html));
    // Nothing may come alive by being parsed and written once more.
    check(&ammonia::clean(&html));
});

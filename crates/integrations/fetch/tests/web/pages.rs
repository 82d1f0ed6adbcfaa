//! What comes out of a page that arrives: charset, title, language, type.

use crate::common::{Peer, Reply, TEXT, answer, article, fetcher_for, html};
use galley_fetch::{Page, Reason};

async fn page(content_type: &'static str, body: Vec<u8>) -> Page {
    let server = Peer::start(move |_| Reply::Keep(answer("200 OK", content_type, "", &body))).await;
    fetcher_for(&server).fetch(&server.url("/docs/page")).await.unwrap()
}

fn latin1(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

#[tokio::test]
async fn a_page_in_full() {
    let server = Peer::start(|_| html(&article("Steeping tea", TEXT))).await;
    let link = server.url("/tea?x=1#top");
    let page = fetcher_for(&server).fetch(&link).await.unwrap();
    assert_eq!(page.requested_url, link);
    assert_eq!(page.url, link);
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html"));
    assert_eq!(page.title, "Steeping tea");
    assert_eq!(page.language.as_deref(), Some("en"));
    assert!(page.text.contains(TEXT), "{}", page.text);
    assert_eq!(page.bytes_read, article("Steeping tea", TEXT).len());
    assert!(!page.truncated);
}

#[tokio::test]
async fn charsets() {
    let text = "Grüße aus Köln: ein Café mit Straße, Äpfel und Öl. Das schmeckt allen sehr gut.";
    let declared = format!("<meta charset=iso-8859-1>{}", article("Café", text));
    let marked = format!("\u{feff}{}", article("Café", text));
    for (what, content_type, body) in [
        ("header", "text/html; charset=iso-8859-1", latin1(&article("Café", text))),
        ("header over meta", "text/html; charset=utf-8", declared.clone().into_bytes()),
        ("meta", "text/html", latin1(&declared)),
        ("mark over header", "text/html; charset=iso-8859-1", marked.into_bytes()),
        ("guess latin1", "text/html", latin1(&article("Café", text))),
        ("guess utf-8", "text/html", article("Café", text).into_bytes()),
        ("unknown label", "text/html; charset=martian", article("Café", text).into_bytes()),
    ] {
        let page = page(content_type, body).await;
        assert_eq!(page.title, "Café", "{what}");
        assert!(page.text.contains(text), "{what}: {}", page.text);
        assert!(page.warnings.is_empty(), "{what}: {:?}", page.warnings);
    }
    let broken = page("text/html; charset=utf-8", latin1(&article("Tea", text))).await;
    assert!(broken.warnings.iter().any(|warning| warning.contains("could not be read")), "{:?}", broken.warnings);
}

#[tokio::test]
async fn plain_text_markdown_and_csv() {
    let plain = page("text/plain; charset=iso-8859-1", latin1("Grüße aus Köln.\n\nZweiter Absatz.")).await;
    assert_eq!(plain.text, "Grüße aus Köln.\n\nZweiter Absatz.");
    assert_eq!(plain.title, "page", "the last part of the address");
    let markdown = page("text/markdown", b"# Tea\n\nIs *steeped* [here](/x).\n".to_vec()).await;
    assert!(markdown.text.contains("# Tea") && markdown.text.contains("Is steeped here."), "{}", markdown.text);
    let csv = page("text/csv", b"name,degrees\ngreen,75\nblack,100\n".to_vec()).await;
    assert!(csv.text.contains("| name | degrees |"), "{}", csv.text);
}

#[tokio::test]
async fn an_undeclared_page_is_told_by_its_content() {
    let undeclared = page("application/octet-stream", article("Tea", TEXT).into_bytes()).await;
    assert!(undeclared.text.contains(TEXT), "{}", undeclared.text);
    assert!(!undeclared.text.contains('<'), "{}", undeclared.text);
}

#[tokio::test]
async fn a_page_nested_beyond_reason_harms_nobody() {
    let body = format!("<html><body>{}<p>{TEXT}</p>", "<div><b>".repeat(300_000));
    let server = Peer::start(move |_| html(&body)).await;
    // Text or a typed error, but an answer.
    if let Err(error) = fetcher_for(&server).fetch(&server.url("/")).await {
        assert!(matches!(error.reason, Reason::Unreadable(_)), "{error:?}");
    }
}

//! What the article is built of.

use super::*;

#[test]
fn word_count() {
    for (n, expected) in
        [(0, Status::Bad), (199, Status::Bad), (200, Status::Ok), (299, Status::Ok), (300, Status::Good)]
    {
        assert_eq!(markdown_status(&words(n), "word_count"), expected, "{n}");
    }
    let advice = check(&SeoInput { markdown: &words(290), ..input() }, "word_count").advice;
    assert!(advice.starts_with("Write 10 words more"), "{advice}");
}

#[test]
fn single_h1() {
    for (markdown, expected) in [
        ("# Title\n\nText.\n\n## Part\n\nText.", Status::Good),
        ("Text.\n\n## Part\n\nText.", Status::Good),
        ("# Title\n\n# Part\n\nText.", Status::Bad),
        ("Text.\n\n# Part\n\nText.", Status::Bad),
        ("# Title\n\nText.", Status::Skipped),
    ] {
        assert_eq!(markdown_status(markdown, "single_h1"), expected, "{markdown}");
    }
    let markdown = "# T\n\n# A b\n\nx\n\n# C\n\nx";
    let check = check(&SeoInput { markdown, ..input() }, "single_h1");
    assert_eq!(check.value, "2 besides the title");
    assert_eq!(check.advice, "Make level 2 (##) of the headings of level 1 in the text: “A b”, “C”.");
}

#[test]
fn heading_structure() {
    for (markdown, expected) in [
        ("## A\n\n### B\n\n#### C\n\n## D", Status::Good),
        ("# T\n\n## A\n\n### B", Status::Good),
        ("# T\n\n### A", Status::Bad),
        ("### A\n\n### B\n\n### C", Status::Ok),
        ("### A\n\n### B", Status::Bad),
        ("## A\n\n#### B\n\n## C", Status::Ok),
        ("## A\n\n#### B", Status::Bad),
        ("## A\n\n### B\n\n##### C\n\n## D\n\n#### E", Status::Bad),
        ("# T\n\nText.", Status::Skipped),
    ] {
        assert_eq!(markdown_status(markdown, "heading_structure"), expected, "{markdown}");
    }
    assert_eq!(markdown_status(&words(300), "heading_structure"), Status::Skipped);
    let long = words(301);
    let none = check(&SeoInput { markdown: &long, ..input() }, "heading_structure");
    assert_eq!((none.status, none.value.as_str()), (Status::Bad, "no heading in 301 words"));
    assert!(none.advice.starts_with("Divide the text"), "{}", none.advice);
    let check = check(&SeoInput { markdown: "## A\n\n#### B c", ..input() }, "heading_structure");
    assert_eq!(check.value, "1 of 2 headings leave a level out");
    assert_eq!(check.advice, "To do: make “B c” level 3 instead of 4.");
}

#[test]
fn slug() {
    let (full, tolerated) = ("a".repeat(80), "a".repeat(120));
    let (long, too_long) = (full.clone() + "a", tolerated.clone() + "a");
    for (slug, expected) in [
        ("draw-a-card-2", Status::Good),
        ("детские-книги", Status::Good),
        ("茶", Status::Good),
        (&full, Status::Good),
        (&long, Status::Ok),
        (&tolerated, Status::Ok),
        (&too_long, Status::Bad),
        ("Draw-cards", Status::Ok),
        ("draw_cards", Status::Ok),
        ("draw--cards", Status::Ok),
        ("-draw", Status::Ok),
        ("2026-05", Status::Bad),
        ("", Status::Bad),
    ] {
        assert_eq!(status(&SeoInput { slug, ..input() }, "slug"), expected, "{slug}");
    }
    let advice = |slug| check(&SeoInput { slug, ..input() }, "slug").advice;
    assert!(advice("").starts_with("Write a slug") && advice("2026").starts_with("Put words into"));
    assert_eq!(advice("Draw_Cards"), "Write the slug as draw-cards.");
    assert_eq!(advice(&long), "Shorten the slug by 1 characters.");
}

#[test]
fn image_alt() {
    for (markdown, expected) in [
        ("![A cup](a.png)", Status::Good),
        ("![A cup](a.png) ![](b.png)", Status::Ok),
        ("![A cup](a.png) ![](b.png) ![ ](c.png)", Status::Bad),
        ("[A cup](a.png)", Status::Skipped),
    ] {
        assert_eq!(markdown_status(markdown, "image_alt"), expected, "{markdown}");
    }
    let check = check(&SeoInput { markdown: "![A](a.png) ![](b.png) ![]()", ..input() }, "image_alt");
    assert_eq!(check.value, "1 of 3 images");
    assert!(check.advice.ends_with("for b.png, the image without an address."), "{}", check.advice);
}

#[test]
fn links_lead_outside_or_within_the_site() {
    use Status::{Bad, Good, Skipped};
    let site = Some("https://www.blog.example/en");
    for (address, site, outside, inside) in [
        ("https://other.example/a", site, Good, Bad),
        ("//other.example", site, Good, Bad),
        ("https://blog.example.net", site, Good, Bad),
        ("https://shop.blog.example", site, Good, Bad),
        ("https://blog.example/a", site, Bad, Good),
        ("HTTP://WWW.Blog.example:8080/a", site, Bad, Good),
        ("/a", site, Bad, Good),
        ("../a?b=c:d", site, Bad, Good),
        ("?page=2", site, Bad, Good),
        ("#part", site, Bad, Bad),
        ("", site, Bad, Bad),
        ("mailto:a@other.example", site, Bad, Bad),
        ("tel:123", site, Bad, Bad),
        ("https://", site, Bad, Bad),
        ("https://other.example", None, Good, Skipped),
        ("//other.example", None, Good, Skipped),
        ("/a", None, Bad, Skipped),
        ("https://other.example", Some("blog"), Good, Skipped),
        ("/a", Some("ftp://blog.example"), Bad, Skipped),
    ] {
        let markdown = format!("See [this]({address}).");
        let input = SeoInput { markdown: &markdown, site, ..input() };
        assert_eq!(
            (status(&input, "outbound_links"), status(&input, "internal_links")),
            (outside, inside),
            "{address}"
        );
    }
    let advice = check(&SeoInput { markdown: "Text.", site, ..input() }, "internal_links").advice;
    assert_eq!(advice, "Link to another page of blog.example that the reader may want next.");
}

/// The writer without a model links to its sources and to nothing else; files have no address.
#[test]
fn sources_are_links_to_other_sites_where_they_have_addresses() {
    let text = |source: &str| format!("Tea [1].\n\n## Sources\n\n1. {source}\n");
    assert_eq!(markdown_status(&text("[A](https://a.example)"), "outbound_links"), Status::Good);
    assert_eq!(markdown_status(&text("A (a.pdf)"), "outbound_links"), Status::Skipped);
    assert_eq!(markdown_status("Tea.", "outbound_links"), Status::Bad);
}

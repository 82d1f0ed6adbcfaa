//! Web pages as a person sees them: what is raised, struck out, hidden, or a formula.

use galley_files::{
    Limits,
    html::{Html, to_text},
};

fn page(html: &str) -> Html {
    to_text(html, None, &Limits::default()).expect("readable")
}

fn text(html: &str) -> String {
    page(html).text
}

/// The same as an article of a page with furniture, where the main content is looked for.
fn article(html: &str) -> String {
    let prose = "The cooperative grows coffee on eleven terraces above the river, where members pick the ripe cherries by hand. ";
    let whole = format!(
        "<!doctype html><html lang=en><head><title>Notes</title></head><body><nav><a href=/>Home</a></nav><article><h1>Notes</h1>\
         <p>{0}</p>{html}<p>{0}</p></article><footer>Imprint</footer></body></html>",
        prose.repeat(4)
    );
    let read = text(&whole);
    let inner = read.strip_prefix(prose.repeat(4).trim()).and_then(|rest| rest.strip_suffix(prose.repeat(4).trim()));
    inner.unwrap_or(&read).trim().to_owned()
}

#[test]
fn raised_and_lowered_digits_are_no_part_of_the_number_before_them() {
    for (given, wanted) in [
        (
            "<p>It holds 4 × 10<sup>6</sup> cells on 300 km<sup>2</sup>, and CO<sub>2</sub> fell by 10<sup>-3</sup> g.</p>",
            "It holds 4 × 10⁶ cells on 300 km², and CO₂ fell by 10⁻³ g.",
        ),
        ("<p>It has 82<sup>[3]</sup> members since 1998.<sup>12</sup></p>", "It has 82 members since 1998."),
        ("<p>They sold 1<sup>1</sup>/<sub>2</sub> tonnes.</p>", "They sold 1½ tonnes."),
        ("<p>4 × 10<span style=\"vertical-align: super; font-size: 60%\">6</span> cells</p>", "4 × 10⁶ cells"),
        ("<p>The area is 10<sup><a href=\"#fn1\">2</a></sup> hectares.</p>", "The area is 10 hectares."),
        (
            "<table><tr><th>Area<th>Mass<tr><td>300 km<sup>2</sup><td>4<sup><b>*</b></sup></table>",
            "| Area | Mass |\n| 300 km² | 4 |",
        ),
    ] {
        assert_eq!(text(given), wanted, "{given}");
        assert_eq!(article(given), wanted, "{given}");
    }
}

#[test]
fn titles_keep_their_raised_digits() {
    let html = "<title>An island of 300 km2 | Atlas</title><main><h1>An island of 300 km<sup>2</sup></h1><p>It has 82 members.</p></main>";
    assert_eq!(page(html).title.as_deref(), Some("An island of 300 km²"));
}

#[test]
fn formulas_make_no_other_number() {
    let n = |n: &str| format!("<mn>{n}</mn>");
    for (given, wanted) in [
        (format!("<p>Take <math><mfrac>{}{}</mfrac></math> of it.</p>", n("3"), n("4")), "Take 3/4 of it."),
        (format!("<p>Take 2<math><mfrac>{}{}</mfrac></math> of it.</p>", n("3"), n("4")), "Take 2 3/4 of it."),
        (format!("<p>It is <math><msup>{}{}</msup><mo>=</mo>{}</math>.</p>", n("3"), n("4"), n("81")), "It is 3^4 = 81."),
        (format!("<p>It is <math><msup><mi>x</mi>{}</msup><mo>+</mo><msqrt>{}</msqrt></math>.</p>", n("2"), n("16")), "It is x² + √(16)."),
        (
            "<p>So <span class=\"mwe-math-element\"><span class=\"mwe-math-mathml-inline\" style=\"display: none\"><math><semantics><mrow><mi>a</mi>\
             <mo>&lt;</mo><mn>5</mn></mrow><annotation encoding=\"application/x-tex\">a&lt;5</annotation></semantics></math></span><img alt=\"a&lt;5\">\
             </span> holds.</p>"
                .to_owned(),
            "So a < 5 holds.",
        ),
    ] {
        assert_eq!(text(&given), wanted, "{given}");
        assert_eq!(article(&given), wanted, "{given}");
    }
    let table = page(
        "<p>Let A be <math><mtable><mtr><mtd><mn>3</mn></mtd><mtd><mn>4</mn></mtd></mtr></mtable></math> here.</p>",
    );
    assert_eq!(table.text, "Let A be [formula] here.");
    assert_eq!(table.warnings, ["formulas that cannot be written on a line and stand as [formula]: 1"]);
}

#[test]
fn what_nobody_sees_is_left_out_and_told() {
    let seen = "<p>The sack costs 120 dollars.</p>";
    for hidden in [
        "<p style=\"opacity:0\">secret</p>",
        "<p style=\"font-size:0\">secret</p>",
        "<p style=\"position:absolute; left:-9999px\">secret</p>",
        "<p style=\"text-indent:-9999px\">secret</p>",
        "<p style=\"height:0;overflow:hidden\">secret</p>",
        "<style>.x1 { display:none }</style><p class=\"a x1\">secret</p>",
        "<style>#gone, .b { position:absolute; left:-5000px }</style><p id=gone>secret</p>",
        "<style>.s{font-size:0}</style><div class=s>secret</div>",
    ] {
        let read = page(&format!("{seen}{hidden}"));
        assert_eq!(read.text, "The sack costs 120 dollars.", "{hidden}");
        assert_eq!(read.warnings, ["passages that no reader of the page sees and that were left out: 1"], "{hidden}");
    }
    for shown in [
        "<p style=\"opacity:0.9\">and more</p>",
        "<div style=\"font-size:0\"><p style=\"font-size:14px\">and more</p></div>",
        "<style>.tab{display:none} .tab.active{display:block}</style><p class=\"tab active\">and more</p>",
        "<style>@media print{.x{display:none}}</style><p class=x>and more</p>",
        "<style>.fade{opacity:0;transition:opacity 1s}</style><p class=fade>and more</p>",
    ] {
        let read = page(&format!("{seen}{shown}"));
        assert_eq!(read.text, "The sack costs 120 dollars.\n\nand more", "{shown}");
        assert_eq!(read.warnings, [""; 0], "{shown}");
    }
    // A page that only its scripts show.
    let scripted = format!("<style>.page{{opacity:0}}</style><div class=page>{seen}</div>");
    assert_eq!(text(&scripted), "The sack costs 120 dollars.");
}

#[test]
fn struck_out_text_is_left_out() {
    let html = "<style>.old{text-decoration:line-through}</style><p>The sack costs <del>90</del> <ins>120</ins> dollars, <s>members pay nothing</s> \
                <span class=old>or 80</span><span style=\"text-decoration: line-through\">or 70</span> for everyone.</p>";
    let read = page(html);
    assert_eq!(read.text, "The sack costs 120 dollars, for everyone.");
    assert_eq!(read.warnings, ["passages of struck-out text that were left out: 4"]);
}

#[test]
fn symbols_ruby_and_full_width_characters_are_plain() {
    assert_eq!(
        text(
            "<p>40 <font face=\"Symbol\">m</font>m and 40 \u{f06d}m, <span style=\"font-family:Symbol\">\u{f0a3}</span> 12</p>"
        ),
        "40 µm and 40 µm, ≤ 12"
    );
    assert_eq!(text("<p>Home <i class=icon>\u{f015}</i></p><p>\u{f015}</p>").matches('\u{f015}').count(), 0);
    assert_eq!(text("<p><ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>へ行く。</p>"), "東京へ行く。");
    assert_eq!(text("<p>The \u{fb01}nal price is １２０．５ yen.</p>"), "The final price is 120.5 yen.");
}

#[test]
fn footnotes_are_left_out_with_their_marks() {
    let html = "<p>It was measured<a href=\"#fn1\" id=r1><sup>1</sup></a> twice.<sup class=reference><a href=\"#cite_note-2\">[2]</a></sup></p>\
                <p>The harvest was good.</p><ol><li id=fn1>In 1998. <a href=\"#r1\">↩</a></li><li id=cite_note-2>By the mill.</li></ol>";
    let read = page(html);
    assert_eq!(read.text, "It was measured twice.\n\nThe harvest was good.");
    assert_eq!(read.warnings, ["footnotes that were left out: 2"]);
    let section = page("<p>It grows.</p><section role=doc-endnotes><ol><li>One.</li><li>Two.</li></ol></section>");
    assert_eq!((section.text.as_str(), section.warnings.len()), ("It grows.", 1));
}

#[test]
fn code_and_the_numbers_of_lists_are_kept() {
    let html = "<p>Run this:</p><pre><code>npm install\nnpm start</code></pre><ol start=3><li>Wash</li><li value=7>Dry <ul><li>Well</li></ul></li><li>Roast</li></ol>\
                <ol type=a><li>One</li><li>Two</li></ol><ol style=\"list-style:none\"><li>Plain</li></ol>";
    let wanted = "Run this:\n\n- npm install\n- npm start\n\n- 3. Wash\n- 7. Dry\n- Well\n- 8. Roast\n\n- a. One\n- b. Two\n\n- Plain";
    assert_eq!(text(html), wanted);
    assert_eq!(article(html), wanted);
    let prose = "<pre>The cooperative grows coffee on eleven terraces above the river, where\nmembers pick the ripe cherries by hand.\n\nThey wash the beans.</pre>";
    assert_eq!(
        text(prose),
        "The cooperative grows coffee on eleven terraces above the river, where members pick the ripe cherries by hand.\n\nThey wash the beans."
    );
}

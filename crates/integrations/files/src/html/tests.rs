use super::*;

fn page(html: &str) -> Html {
    to_text(html, Some("https://shop.example/a/b.html"), &Limits::default()).expect("readable")
}

#[test]
fn an_article_is_read_without_the_furniture_around_it() {
    let prose = "The hinge of the folding knife locks with a steel liner, which the thumb pushes aside to close it. \
                 The liner is two millimetres thick, and it holds a load of eighty kilograms, as the test shows.";
    let html = format!(
        "<!doctype html><html lang=\"en-GB\"><head><title>How a knife locks | Knife World</title>
         <meta property=\"og:title\" content=\"How a knife locks\"><style>p {{ color: red }}</style></head><body>
         <header><a href=\"/\">Knife World</a><nav><ul><li><a href=\"/shop\">Shop</a></li></ul></nav></header>
         <main><article><h1>How a knife locks</h1><p>{prose}</p><h2>Materials</h2><p>{prose} <b>Really</b>.</p>
         <ul><li>Steel <i>liner</i></li><li>Brass <ul><li>washer</li></ul></li></ul>
         <table><tr><th>Part</th><th>Mass</th></tr><tr><td>Blade</td><td>40&nbsp;g</td></tr></table>
         <pre>let x = 1;</pre><script>alert('no')</script><p hidden>secret</p><!-- nor this -->
         <p>{prose}</p></article></main>
         <aside>Buy now!</aside><footer>Imprint</footer></body></html>"
    );
    let page = page(&html);
    assert_eq!(page.title.as_deref(), Some("How a knife locks"));
    assert_eq!(page.language.as_deref(), Some("en-GB"));
    assert_eq!(
        page.text,
        format!(
            "{prose}\n\n## Materials\n\n{prose} Really.\n\n- Steel liner\n- Brass\n- washer\n\n| Part | Mass |\n\
             | Blade | 40 g |\n\n- let x = 1;\n\n{prose}"
        )
    );
    assert_eq!(page.links, ["https://shop.example/", "https://shop.example/shop"]);
    assert!(page.warnings.is_empty() && !page.truncated);
}

#[test]
fn tables_lists_and_specifications_keep_their_shape() {
    let html = "<main><h1>Mug</h1><table><caption>Sizes</caption><tr><th rowspan=2>Kind<th colspan=2>Size<tr><td>cm<td>in\
                <tr><td>S<td>8<td>3</table><dl><dt>Colour:<dd>red<dd>blue<div><dt>Mass<dt>Weight<dd>300 g</div></dl>\
                <ol><li>Wash<li><p>Dry</p><p>Well</p></ol><table role=presentation><tr><td>Left<td>Right</table>\
                one<br>line<br><br>another</main>";
    assert_eq!(
        page(html).text,
        "## Mug\n\nSizes\n\n| Kind | Size cm | Size in |\n| S | 8 | 3 |\n\n- Colour: red\n- Colour: blue\n- Mass, Weight: 300 g\n\n\
         - 1. Wash\n- 2. Dry\n- Well\n\nLeft\n\nRight\n\none line\n\nanother"
    );
}

#[test]
fn headers_of_two_rows_are_one() {
    let rows = "<tr><th rowspan=2>Kind<th colspan=2>Harvest in kg<tr><th>2024<th>2025";
    let body = "<tr><td>Beans<td>40<td>52<tr><td>Husks<td>12<td>9";
    let wanted = "## Sheet\n\nYields\n\n| Kind | Harvest in kg 2024 | Harvest in kg 2025 |\n| Beans | 40 | 52 |\n| Husks | 12 | 9 |";
    for html in [
        format!("<table><caption>Yields</caption><thead>{rows}</thead><tbody>{body}</tbody></table>"),
        format!("<table><caption>Yields</caption>{rows}{body}</table>"),
    ] {
        assert_eq!(page(&format!("<main><h1>Sheet</h1>{html}</main>")).text, wanted, "{html}");
    }
}

#[test]
fn a_product_page_without_prose_is_read_whole() {
    let html = "<title>Mug | Shop</title><body><nav><a href=/>Home</a></nav><div class=product><h1>Mug</h1><p>Red.</p>\
                <table><tr><td>Mass<td>300 g</table></div><footer>Imprint</footer>";
    let read = page(html);
    assert_eq!((read.title.as_deref(), read.text.as_str()), (Some("Mug"), "Red.\n\n| Mass | 300 g |"));
}

#[test]
fn links_are_absolute_and_each_once() {
    let html = "<base href='https://cdn.example/x/'><p>Text<a href=a>1</a><a href='a#b'>2</a><a href='#c'>3</a>\
                <a href='mailto:x@y.z'>4</a><a href='http://other.example'>5</a><a href='https://['>6</a>";
    assert_eq!(page(html).links, ["https://cdn.example/x/a", "http://other.example/"]);
    assert_eq!(to_text("<p>x<a href=a>1</a>", None, &Limits::default()).expect("read").links, [""; 0]);
}

#[test]
fn limits_and_empty_pages_have_their_answers() {
    let limits = Limits { elements: 3, ..Limits::default() };
    let cut = to_text("<p>a</p><p>b</p><p>c</p><p>d</p>", None, &limits).expect("read");
    assert!(cut.truncated && cut.warnings.len() == 1, "{cut:?}");
    let code = |html: &str, limits: &Limits| to_text(html, None, limits).expect_err("refused").code();
    assert_eq!(code(" ", &limits), "FILE_EMPTY");
    assert_eq!(code("<div></div>", &limits), "FILE_NO_TEXT");
    assert_eq!(code("<p>long", &Limits { bytes: 3, ..Limits::default() }), "FILE_TOO_LARGE");
    assert_eq!(code("<p>x", &Limits { time: std::time::Duration::ZERO, ..Limits::default() }), "FILE_TIMED_OUT");
    // A page whose text all stands in what looks like furniture.
    assert_eq!(page("<footer><p>Only here</p></footer>").text, "Only here");
}

#[test]
fn deep_nesting_fits_an_ordinary_stack() {
    for tag in ["div", "section", "ul><li", "table><tr><td", "blockquote", "a href=x", "span"] {
        let html = format!(
            "{}{}",
            format!("<{tag}>").repeat(20_000),
            "Words in the deep, long enough to be read. ".repeat(20)
        );
        assert!(page(&html).text.contains("Words in the deep"), "{tag}");
    }
}

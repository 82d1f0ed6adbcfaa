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
             | Blade | 40 g |\n\n{prose}"
        )
    );
    assert_eq!(page.links, ["https://shop.example/", "https://shop.example/shop"]);
    assert!(page.warnings.is_empty() && !page.truncated);
}

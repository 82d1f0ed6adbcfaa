use chrono::DateTime;

use super::*;
use crate::remote::Picture;

fn fields() -> RemoteFields {
    RemoteFields {
        title: "Tea & \"time\"".into(),
        content:
            "<!-- wp:paragraph -->\n<p>It's -- well \u{2026} <a href=\"https://a.example/?a=1&amp;b=2\">tea</a>.</p>\n\
                  <!-- /wp:paragraph -->\n\n<!-- wp:list -->\n<ul><!-- wp:list-item --><li>One</li>\
                  <!-- /wp:list-item --></ul>\n<!-- /wp:list -->"
                .into(),
        excerpt: "Short.".into(),
        slug: "tea".into(),
        status: RemoteStatus::Published,
        categories: vec!["Food > Hot & cold".into(), "News".into()],
        tags: vec!["Tea".into()],
        featured: Some(Picture { id: "7".into(), url: "https://a.example/t.png".into(), alt: "A cup".into() }),
        date: DateTime::from_timestamp(1_795_000_000, 0),
    }
}

fn changed(change: impl FnOnce(&mut RemoteFields)) -> Vec<String> {
    let mut remote = fields();
    change(&mut remote);
    differences(&fields(), &remote).into_iter().map(|difference| difference.field).collect()
}

#[test]
fn what_a_site_does_by_itself_is_no_change() {
    let none: [&str; 0] = [];
    let same: [fn(&mut RemoteFields); 9] = [
        |_| {},
        |f| f.title = "Tea &amp; &#8220;time&#8221;".into(),
        |f| f.content = f.content.replace("--", "\u{2013}").replace("<!\u{2013}", "<!--").replace("\u{2013}>", "-->"),
        |f| {
            f.content =
                f.content.replace("<p>", "<p class=\"x\" id=\"y\">").replace("<ul>", "<ul class=\"wp-block-list\">")
        },
        |f| f.content = f.content.replace("<a ", "<a rel='noopener' target=_blank ").replace("It's", "It&rsquo;s"),
        // The visual editor of old.
        |f| {
            f.content = "It's -- well ... <a href='https://a.example/?a=1&#038;b=2'>tea</a>.\r\n<ul>\r\n \t<li>One</li>\r\n</ul>".into()
        },
        |f| f.categories = vec!["news".into(), "Food > Hot &amp; cold".into()],
        |f| f.excerpt = " Short.\n".into(),
        |f| f.featured = f.featured.take().map(|p| Picture { url: "https://cdn.example/t.png".into(), ..p }),
    ];
    for (at, change) in same.into_iter().enumerate() {
        assert_eq!(changed(change), none, "change {at}");
    }
    let scheduled = RemoteFields { status: RemoteStatus::Future, ..fields() };
    assert_eq!(differences(&scheduled, &fields()), [], "its time has come");
    let draft = RemoteFields { date: None, ..fields() };
    assert_eq!(differences(&draft, &fields()), [], "a date came with the publication");
}

#[test]
fn what_people_do_is_a_change() {
    assert_eq!(changed(|f| f.title.push('!')), ["title"]);
    for (from, to) in [
        ("well", "good"),
        ("b=2", "b=3"),
        ("<li>One</li>", "<li>One</li><li>Two</li>"),
        ("tea</a>", "<em>tea</em></a>"),
        (".</p>", ".</p><p>More.</p>"),
        ("<p>It's", "<p>It's<br>"),
        ("<ul>", "<ol>"),
        ("It's -- ", "It's</p><p>-- "),
        ("<p>", "<!--more--><p>"),
        ("<p>", "<p><img src=\"x.png\" alt=\"\">"),
    ] {
        let fields = changed(|f| f.content = f.content.replace(from, to));
        assert_eq!(fields, ["content"], "{from} became {to}");
    }
    assert_eq!(changed(|f| f.excerpt.clear()), ["excerpt"]);
    assert_eq!(changed(|f| f.slug.push_str("-2")), ["slug"]);
    assert_eq!(changed(|f| f.status = RemoteStatus::Draft), ["status"]);
    assert_eq!(changed(|f| f.categories.truncate(1)), ["categories"]);
    assert_eq!(changed(|f| f.tags.push("x".into())), ["tags"]);
    assert_eq!(changed(|f| f.featured = None), ["featured_image"]);
    assert_eq!(changed(|f| f.date = DateTime::from_timestamp(1_795_000_001, 0)), ["date"]);
    let both = changed(|f| (f.title, f.slug) = (String::new(), String::new()));
    assert_eq!(both, ["title", "slug"]);
}

#[test]
fn white_space_counts_in_code_alone() {
    let with = |content: &str| RemoteFields { content: content.into(), ..fields() };
    let code = with("<pre class=\"wp-block-code\"><code>if a:\n    b\n\nc</code></pre>");
    let same = with("<pre><code>if a:\r\n    b\r\n\r\nc\n</code></pre>\n");
    assert_eq!(differences(&code, &same), []);
    for other in ["if a:\nb\n\nc", "if a: b\n\nc", "if a:\n    b\nc"] {
        assert_eq!(differences(&code, &with(&format!("<pre><code>{other}</code></pre>"))).len(), 1, "{other}");
    }
    assert_eq!(differences(&with("<p>a  b\nc</p>"), &with("<p>a b c</p>")), []);
    assert_eq!(differences(&with("<p>a <b>b</b> c</p>"), &with("<p>a<strong>b</strong>c</p>")).len(), 1);
}

#[test]
fn the_texts_of_both_sides_are_told() {
    let remote = RemoteFields { tags: vec!["a".into(), "b".into()], ..fields() };
    let told = differences(&fields(), &remote);
    assert_eq!(told, [FieldDifference { field: "tags".into(), published: "Tea".into(), remote: "a, b".into() }]);
}

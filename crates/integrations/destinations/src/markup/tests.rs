use super::*;

fn open(name: &str, attributes: &[(&str, &str)]) -> Token<'static> {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Token::Open { name: name.to_owned(), attributes }
}

#[test]
fn tags_texts_and_comments() {
    let html = "a<P Class='x > y' id=z disabled href=\"?a&amp;b\"/>b &amp; c</p ><!-- n -- --><br/>";
    let expected = [
        Token::Text("a"),
        open("p", &[("class", "x > y"), ("id", "z"), ("disabled", ""), ("href", "?a&b")]),
        Token::Text("b &amp; c"),
        Token::Close("p".to_owned()),
        Token::Comment(" n -- "),
        open("br", &[]),
    ];
    assert_eq!(tokens(html).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_no_markup_is_text() {
    for text in ["<", "a < b", "1<2", "<>", "</>", "<!doctype", "<p", "it's <b"] {
        let texts: String = tokens(text)
            .map(|token| match token {
                Token::Text(text) => text,
                other => panic!("{text}: {other:?}"),
            })
            .collect();
        assert_eq!(texts, text);
    }
    let script: Vec<_> = tokens("<script>if (a<b) '</p>'</SCRIPT>x").collect();
    assert_eq!(script[1], Token::Text("if (a<b) '</p>'"));
    assert_eq!(script[3], Token::Text("x"));
    assert_eq!(tokens("<!-- never closed").collect::<Vec<_>>(), [Token::Comment(" never closed")]);
}

#[test]
fn nothing_that_comes_makes_it_fail_or_loop() {
    let pieces =
        ["<", ">", "\"", "'", "=", "/", "<p", "<!--", "-->", "&", "&#", "&#x110000;", "é", "</", " ", "<style"];
    for a in pieces {
        for b in pieces {
            for c in pieces {
                let text = format!("{a}{b}{c}{a}x");
                assert!(tokens(&text).count() <= text.len());
                let _ = decoded(&text);
            }
        }
    }
}

#[test]
fn entities_are_read_and_written() {
    for (text, plain) in [
        ("a &amp; b", "a & b"),
        ("&lt;p&gt;", "<p>"),
        ("&#8217;&#x2019;&rsquo;", "’’’"),
        ("&amp;amp;", "&amp;"),
        ("&unknown; &; & &#xD800; &toolongtobeanentity;", "&unknown; &; & &#xD800; &toolongtobeanentity;"),
        ("&", "&"),
    ] {
        assert_eq!(decoded(text), plain, "{text}");
    }
    assert_eq!(escaped("<a href=\"x\"> & 'b'"), "&lt;a href=&quot;x&quot;&gt; &amp; 'b'");
}

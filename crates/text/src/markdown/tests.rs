use super::*;

const ARTICLE: &str = "\
# The *Title*

First para with **bold**, `code[1]` and a [link](https://x.org).[1][2]
Second line. [unsupported]

## How to

- one thing [3]
- two
  - nested

1. first

   more

> Quoted.

| a | b |
|---|---|
| 1 | two [2] |

```rust
let x = 1;
```

![alt text](p.png)

<div>raw</div>

###

## Sources

1. [X](https://x.org)
";

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: text.to_owned() }
}

#[test]
fn an_article_is_read_block_by_block() {
    let article = Article::parse(ARTICLE);
    assert_eq!(article.title.as_deref(), Some("The Title"));
    assert_eq!(
        article.blocks,
        [
            block(BlockKind::Paragraph, "First para with bold, code[1] and a link. Second line."),
            block(BlockKind::Heading(2), "How to"),
            block(BlockKind::Item, "one thing"),
            block(BlockKind::Item, "two"),
            block(BlockKind::Item, "nested"),
            block(BlockKind::Item, "first"),
            block(BlockKind::Item, "more"),
            block(BlockKind::Paragraph, "Quoted."),
            block(BlockKind::Row, "a | b"),
            block(BlockKind::Row, "1 | two"),
            block(BlockKind::Code, "let x = 1;"),
            block(BlockKind::Heading(3), ""),
        ]
    );
}

#[test]
fn the_word_count_is_prose_with_headings() {
    // `code[1]` is two words: 11 + 2 + 2 + 1 + 1 + 1 + 1 + 1 + 2 + 2.
    assert_eq!(word_count(ARTICLE), 24);
    assert_eq!(word_count("# Title only\n"), 0);
    assert_eq!(word_count("One two.[1]\n\n## Sources\n\nno\n\n## Three\n\nfour\n\n## Sources\n\nx"), 6);
    assert_eq!(word_count("One two.\n\n### Sources\n\nthree"), 4);
    assert_eq!(word_count("```\nfn main() {}\n```\n"), 0);
}

#[test]
fn marks_defined_as_references_go_too() {
    let md =
        "It grew. [1] It fell.[2]\n\nSee [docs].\n\n[1]: https://a.org\n[2]: https://b.org\n[docs]: https://c.org\n";
    assert_eq!(strip(md), "It grew. It fell.\n\nSee docs.");
}

#[test]
fn plain_text_with_and_without_headings() {
    let md = "# T\n\nA *b*.\n\n## H\n\n- x\n- y\n\n```\ncode\n```\n";
    assert_eq!(strip(md), "T\n\nA b.\n\nH\n\nx\ny");
    assert_eq!(strip_headings(md), "A b.\n\nx\ny");
    assert_eq!(strip("# T"), "T");
    assert_eq!(strip(""), "");
}

#[test]
fn a_later_first_level_heading_is_not_the_title() {
    let article = Article::parse("Intro.\n\n# Part\n");
    assert_eq!(article.title, None);
    assert_eq!(article.blocks[1], block(BlockKind::Heading(1), "Part"));
}

#[test]
fn html_has_tables_links_and_citations() {
    let html = to_html(
        "| a |\n|---|\n| b |\n\n[x](https://x.org) <sup class=\"citation\" id=\"cite-1\"><a href=\"#source-1\">[1]</a></sup>",
    );
    assert!(html.contains("<table><thead><tr><th>a</th>"), "{html}");
    assert!(html.contains(r#"<a href="https://x.org" rel="noopener noreferrer">x</a>"#), "{html}");
    assert!(html.contains(r##"<a href="#source-1" rel="##), "{html}");
    let quoted = to_html("<q cite=\"https://x.org\">x</q>");
    assert!(quoted.contains(r#"<q cite="https://x.org">"#), "{quoted}");
    assert!(html.contains(r#"class="citation""#) && html.contains(r#"id="cite-1""#), "{html}");
}

/// As the composer writes it, and with what people add.
const CITED: &str = "\
# The *Title*

It grew.[1][2] It *fell.* [2] The array [1] of `x. [1]` stays, as does [a link.[1]](https://x.org)
and the last word [1, 2].

| a |
|---|
| Done. [1] |

Nobody knows. [3] It is so. [unsupported]

## Sources

1. [Hubs](https://example.org/hubs)
2. notes.md
";

#[test]
fn html_has_no_title_and_citations_lead_to_the_sources() {
    let html = to_html(CITED);
    assert!(!html.contains("<h1>") && !html.contains("Title"), "{html}");
    let mark = |number: u8| {
        format!("<sup class=\"citation\"><a href=\"#source-{number}\" rel=\"noopener noreferrer\">[{number}]</a></sup>")
    };
    assert!(
        html.starts_with(&format!("<p>It grew.{}{} It <em>fell.</em> {} The array [1] of", mark(1), mark(2), mark(2))),
        "{html}"
    );
    assert!(html.contains("<code>x. [1]</code>") && html.contains(">a link.[1]</a>"), "{html}");
    let link = |number: u8| format!("<a href=\"#source-{number}\" rel=\"noopener noreferrer\">{number}</a>");
    assert!(html.contains(&format!("word <sup class=\"citation\">[{}, {}]</sup>.", link(1), link(2))), "{html}");
    assert!(html.contains(&format!("<td>Done. {}</td>", mark(1))), "{html}");
    assert!(html.contains("<p>Nobody knows. [3] It is so. [unsupported]</p>"), "{html}");
    assert!(html.contains("<li id=\"source-1\"><a href=\"https://example.org/hubs\""), "{html}");
    assert!(html.contains("<li id=\"source-2\">notes.md</li>"), "{html}");
}

#[test]
fn html_without_a_list_of_sources_keeps_its_marks_and_a_later_heading() {
    let html = to_html("It grew. [1]\n\n# Part\n\n## Sources\n\nNone.\n");
    assert!(html.starts_with("<p>It grew. [1]</p>\n<h1>Part</h1>"), "{html}");
    let html = to_html("It grew. [7] It fell. [6]\n\n## sources\n\n7. a\n   1. within\n8. b\n");
    assert!(
        html.contains("#source-7") && html.contains("It fell. [6]") && html.contains("<li id=\"source-8\">b"),
        "{html}"
    );
    assert!(html.contains("<li>within</li>"), "{html}");
}

#[test]
fn html_has_footnotes_and_boxes_of_task_lists() {
    let html = to_html("Tea[^a b\"] and milk.[^2] Tea[^a b\"]\n\n[^a b\"]: Green.\n[^2]: Cold.\n");
    let mark = |number: u8| {
        format!(
            "<sup class=\"footnote-reference\"><a href=\"#footnote-{number}\" rel=\"noopener noreferrer\">{number}</a></sup>"
        )
    };
    assert!(html.contains(&format!("Tea{} and milk.{} Tea{}", mark(1), mark(2), mark(1))), "{html}");
    assert!(html.contains("<div class=\"footnote-definition\" id=\"footnote-1\">"), "{html}");
    assert!(html.contains("<p>Green.</p>") && html.contains("id=\"footnote-2\""), "{html}");
    let html = to_html("- [x] done\n- [ ] open\n\n<input type=\"text\" name=\"card\" value=\"1\">\n");
    let inputs: Vec<&str> = html.split("<input").skip(1).filter_map(|rest| rest.split('>').next()).collect();
    assert_eq!(inputs.len(), 3, "{html}");
    for input in &inputs {
        assert!(input.contains("type=\"checkbox\"") && input.contains("disabled"), "{html}");
        assert!(!input.contains("text") && !input.contains("card") && !input.contains("value"), "{html}");
    }
    assert_eq!(
        inputs.iter().map(|input| input.contains("checked")).collect::<Vec<_>>(),
        [true, false, false],
        "{html}"
    );
    assert!(html.contains("done</li>") && !html.contains("[ ]"), "{html}");
}

#[test]
fn footnotes_and_boxes_are_no_words() {
    assert_eq!(strip("Tea.[^1] More.\n\n- [x] done\n\n[^1]: Green.\n"), "Tea. More.\n\ndone\n\nGreen.");
}

#[test]
fn attacks_leave_nothing_that_runs() {
    for attack in [
        "<script>alert(1)</script>",
        "<ScRiPt src=//evil.example></sCrIpT>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:msgbox)",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        "![x\" onerror=\"alert(1)](p.png)",
        "[x](https://a.org \"t\\\" onmouseover=\\\"alert(1)\")",
        "<img src=x onerror=alert(1)>",
        "<img src=x OnErRoR=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src=\"javascript:alert(1)\"></iframe>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<object data=\"javascript:alert(1)\"></object><embed src=x>",
        "<form action=\"javascript:alert(1)\"><button formaction=\"javascript:alert(1)\">x</button></form>",
        "<a href=\" javascript:alert(1)\" onclick=alert(1)>x</a>",
        "<base href=\"https://evil.example\"><meta http-equiv=refresh content=0>",
        "<style>@import 'https://evil.example';</style><div style=\"background:url(javascript:1)\">x</div>",
        "<sup class=\"citation evil\" id=\"location\" onclick=\"x()\">1</sup>",
        "<q cite=\"javascript:alert(1)\">x</q> <del cite=\" DATA:text/html,x\">y</del>",
        "<blockquote cite=\"vbscript:x\">x</blockquote>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<!--><img src=x onerror=alert(1)>-->",
        "```\"><script>alert(1)</script>\nx\n```",
        "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    ] {
        let html = to_html(attack);
        // What is left of an attack may stand as escaped text, so only tags are judged.
        let tags: String =
            html.split('<').skip(1).filter_map(|t| t.split('>').next()).collect::<Vec<_>>().join(" ").to_lowercase();
        let unquoted = tags.split('"').step_by(2).collect::<String>();
        for bad in [
            "script", "vbscript", "data:", "style", "iframe", "object", "embed", "form", "svg", "math", "base", "meta",
            "evil", "location",
        ] {
            assert!(!tags.contains(bad), "{bad} left of {attack}: {html}");
        }
        assert!(!unquoted.contains(" on"), "handler left of {attack}: {html}");
    }
}

#[test]
fn deep_nesting_is_flattened_and_masses_of_raw_tags_become_text() {
    let deep = to_html(&format!("{} x", ">".repeat(1_000)));
    assert!(deep.contains('x') && deep.matches("<blockquote>").count() <= 64);
    assert_eq!(deep.matches("<blockquote>").count(), deep.matches("</blockquote>").count());
    let many = to_html(&"<b>".repeat(6_000));
    assert!(many.contains("&lt;b&gt;") && !many.contains("<b>"));
    assert!(to_html("<b>x</b>").contains("<b>x</b>"));
    for (open, close) in [("<blockquote>", "</blockquote>"), ("<ul><li>", "</li></ul>"), ("<div>", "")] {
        let raw = to_html(&format!("{}tea{}", open.repeat(2_000), close.repeat(2_000)));
        assert!(raw.contains("tea") && super::nesting::depth(&raw) <= 200, "{open}");
    }
    let sane = to_html(&format!("{}tea{}", "<blockquote>".repeat(20), "</blockquote>".repeat(20)));
    assert_eq!(sane.matches("<blockquote>").count(), 20);
}

#[test]
fn long_texts_and_attributes_are_kept_short_enough_to_write_fast() {
    let text = "é & ".repeat(5_000);
    let html = to_html(&text);
    assert_eq!(html.replace("<wbr>", ""), format!("<p>{}</p>\n", text.trim_end().replace('&', "&amp;")));
    assert!(html.contains("<wbr>"));
    assert!(!to_html(&"a b ".repeat(1_000)).contains("<wbr>"));
    let long = "x".repeat(3_000);
    let html = to_html(&format!("![{long}](https://a.org/{long}) [y](https://a.org/{long} '{long}') `{long}{long}`"));
    assert!(!html.contains("alt=\"x") && !html.contains("title=\"x") && !html.contains("a.org"), "{html}");
    assert!(to_html("![x](p.png 'y')").contains(r#"<img src="p.png" alt="x" title="y">"#));
    let raw = format!("<b title=\"{}\">x</b>", "&".repeat(70_000));
    assert!(to_html(&raw).contains("&lt;b title="));
}

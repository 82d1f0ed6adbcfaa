use saphyr::{LoadableYamlNode, Yaml as Parsed};

use super::*;
use crate::post::tests::post;

fn front(text: &str) -> &str {
    text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap().0
}

const HARD: [&str; 22] = [
    "plain",
    "",
    " ",
    "no",
    "Yes",
    "null",
    "~",
    "1e3",
    "007",
    "2026-01-01",
    "- dash",
    "a: b",
    "# hash",
    "'single'",
    "\"double\" \\ back\\n",
    "two\nlines\r\n\ttab",
    "---\nx: y",
    "{{ x }} {% y %} [a, b]",
    "Ünïcödé кофе καφές ☕ 日本",
    "\u{0}\u{1b}\u{7f}\u{85}\u{a0}\u{2028}\u{feff}\u{fffe}",
    "%TAG !x",
    "&anchor *alias !tag @at `tick |",
];

#[test]
fn every_string_reads_back_as_written() {
    for style in [FrontMatterStyle::Hugo, FrontMatterStyle::Jekyll, FrontMatterStyle::AstroEleventy] {
        for hard in HARD {
            let mut post = post();
            post.title = hard.into();
            post.seo.description = hard.into();
            post.keywords = vec![hard.into(), "b".into()];
            post.tags.clone_from(&post.keywords);
            post.assets[0].alt = hard.into();
            let text = document(&post, "a-slug-2", style);
            let docs = Parsed::load_from_str(front(&text)).unwrap_or_else(|e| panic!("{hard:?}: {e}\n{text}"));
            let doc = &docs[0];
            // The parser of this test forgives what stricter ones refuse: characters that are not printable.
            let odd = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{feff}' | '\u{fffe}');
            assert!(!front(&text).contains(odd), "{hard:?}");
            assert_eq!(docs.len(), 1);
            assert_eq!(doc["title"].as_str(), Some(hard));
            assert_eq!(doc["description"].as_str(), Some(hard));
            assert_eq!(doc["keywords"][0].as_str(), Some(hard));
            assert_eq!(doc["tags"][1].as_str(), Some("b"));
            assert_eq!(doc["slug"].as_str(), Some("a-slug-2"));
            assert_eq!(doc["date"].as_str(), Some("2026-11-18T11:06:40Z"));
            assert_eq!(doc["galley_id"].as_str(), Some("01234567-89ab-4cde-8f01-23456789abcd"));
            assert_eq!(doc["galley_version"].as_integer(), Some(1));
            let (image, alt) = match style {
                FrontMatterStyle::Hugo => (&doc["cover"]["image"], &doc["cover"]["alt"]),
                FrontMatterStyle::Jekyll => (&doc["image"]["path"], &doc["image"]["alt"]),
                FrontMatterStyle::AstroEleventy => (&doc["heroImage"], &doc["heroImageAlt"]),
            };
            assert!(image.as_str().unwrap().ends_with("cover.png"));
            assert_eq!(alt.as_str(), Some(hard));
            let read = stamp(&text).unwrap();
            assert_eq!((read.article_id, read.version), (post.article_id, 1));
            assert_eq!(read.assets, ["cover.png", "cup.png"]);
        }
    }
}

#[test]
fn a_draft_is_one_in_every_style() {
    for (style, key, value) in [
        (FrontMatterStyle::Hugo, "draft", true),
        (FrontMatterStyle::Jekyll, "published", false),
        (FrontMatterStyle::AstroEleventy, "draft", true),
    ] {
        let text = document(&Post { visibility: Visibility::Draft, ..post() }, "x", style);
        assert_eq!(Parsed::load_from_str(front(&text)).unwrap()[0][key].as_bool(), Some(value));
    }
}

#[test]
fn an_article_without_assets_and_keywords_is_valid_too() {
    let bare = Post { assets: vec![], keywords: vec![], modified: Some(post().date), ..post() };
    let text = document(&bare, "x", FrontMatterStyle::Hugo);
    assert!(Parsed::load_from_str(front(&text)).unwrap()[0]["galley_assets"].is_sequence());
    assert_eq!(stamp(&text).unwrap().assets, Vec::<String>::new());
}

#[test]
fn templates_in_the_text_stay_text() {
    let post = Post { markdown_body: "a {{< x >}} {{% y %}} {{ z }}".into(), ..post() };
    let hugo = document(&post, "x", FrontMatterStyle::Hugo);
    assert!(hugo.ends_with("a {&#123;< x >}} {&#123;% y %}} {{ z }}\n"));
    assert!(document(&post, "x", FrontMatterStyle::Jekyll).contains("render_with_liquid: false\n"));
    assert!(document(&post, "x", FrontMatterStyle::AstroEleventy).contains("templateEngineOverride: \"md\"\n"));
}

#[test]
fn the_stamp_survives_formatters_and_foreign_files_have_none() {
    let id = "01234567-89ab-4cde-8f01-23456789abcd";
    let read =
        stamp(&format!("\u{feff}---\r\ngalley_id: '{id}'\r\ngalley_version: 3\r\ngalley_assets: [a.png]\r\n---\r\n"));
    assert_eq!(
        read,
        Some(Stamp {
            article_id: id.parse().unwrap(),
            version: 3,
            fingerprint: None,
            is_draft: false,
            assets: vec!["a.png".into()],
        })
    );
    assert_eq!(stamp(&format!("---\ngalley_id: {id}\ngalley_version: x\n---\n")).unwrap().version, 0);
    for foreign in [
        "",
        "---",
        "# x\n",
        "---\ntitle: x\n---\n",
        "---\ngalley_id: nonsense\n---\n",
        "+++\ngalley_id = 1\n+++\n",
        &format!("---\ntitle: x\n---\ngalley_id: {id}\n"),
        &format!("---\nx:\n  galley_id: {id}\n---\n"),
    ] {
        assert_eq!(stamp(foreign), None, "{foreign}");
    }
}

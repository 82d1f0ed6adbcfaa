//! YAML front matter: written by a small emitter, since every string is double-quoted and nothing nests deeper than
//! one level, and read back only for our own three keys.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::post::Post;

/// For which generator the front matter is written. All are YAML; they differ in the names of a few keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FrontMatterStyle {
    /// `lastmod`, `draft`, `images`, `cover.image`; shortcodes in the text are made harmless.
    #[default]
    Hugo,
    /// `last_modified_at`, `published`, `image.path`; Liquid is switched off for the text.
    Jekyll,
    /// `pubDate`, `updatedDate`, `heroImage` for Astro, `date` and `templateEngineOverride` for Eleventy.
    AstroEleventy,
}

/// Our own keys, as found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    pub article_id: Uuid,
    /// 0 where somebody made it unreadable, so that any version may replace it.
    pub version: u32,
    /// As written there: no name that could be trusted.
    pub assets: Vec<String>,
}

/// The whole `index.md`: front matter and text. `slug` is the name of the folder.
pub fn document(post: &Post, slug: &str, style: FrontMatterStyle) -> String {
    let mut yaml = Yaml(String::from("---\n"));
    yaml.string("title", &post.title);
    yaml.string("description", &post.description);
    yaml.string("slug", slug);
    yaml.string("lang", &post.language);
    let modified = post.modified.unwrap_or(post.date);
    yaml.date("date", post.date);
    match style {
        FrontMatterStyle::Hugo => {
            yaml.date("lastmod", modified);
            yaml.plain("draft", post.draft);
        }
        FrontMatterStyle::Jekyll => {
            yaml.date("last_modified_at", modified);
            yaml.plain("published", !post.draft);
            yaml.plain("render_with_liquid", false);
        }
        FrontMatterStyle::AstroEleventy => {
            yaml.date("pubDate", post.date);
            yaml.date("updatedDate", modified);
            yaml.date("lastmod", modified);
            yaml.plain("draft", post.draft);
            yaml.string("templateEngineOverride", "md");
        }
    }
    yaml.list("keywords", post.keywords.iter().map(String::as_str));
    yaml.list("tags", post.keywords.iter().map(String::as_str));
    if let Some(cover) = post.cover() {
        match style {
            FrontMatterStyle::Hugo => {
                yaml.list("images", [cover.name.as_str()].into_iter());
                yaml.group("cover", &[("image", &cover.name), ("alt", &cover.alt)]);
            }
            FrontMatterStyle::Jekyll => yaml.group("image", &[("path", &cover.name), ("alt", &cover.alt)]),
            FrontMatterStyle::AstroEleventy => {
                yaml.string("heroImage", &format!("./{}", cover.name));
                yaml.string("heroImageAlt", &cover.alt);
            }
        }
    }
    yaml.string("galley_id", &post.article_id.to_string());
    yaml.plain("galley_version", post.version);
    yaml.list("galley_assets", post.assets.iter().map(|a| a.name.as_str()));
    let mut text = yaml.0;
    text.push_str("---\n\n");
    text.push_str(harmless(&post.markdown_body, style).trim_start_matches('\n'));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A `{{<` in an article is text. Hugo would look for a shortcode and fail the build of the whole site; the other two
/// have a switch in the front matter.
fn harmless(body: &str, style: FrontMatterStyle) -> String {
    match style {
        FrontMatterStyle::Hugo => body.replace("{{<", "{&#123;<").replace("{{%", "{&#123;%"),
        FrontMatterStyle::Jekyll | FrontMatterStyle::AstroEleventy => body.to_owned(),
    }
}

struct Yaml(String);

impl Yaml {
    fn line(&mut self, key: &str, value: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{key}: {value}");
    }

    fn string(&mut self, key: &str, value: &str) {
        self.line(key, &quoted(value));
    }

    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.line(key, &value.to_string());
    }

    fn date(&mut self, key: &str, value: DateTime<Utc>) {
        self.line(key, &value.to_rfc3339_opts(SecondsFormat::Secs, true));
    }

    fn list<'a>(&mut self, key: &str, values: impl Iterator<Item = &'a str>) {
        self.line(key, &format!("[{}]", values.map(quoted).collect::<Vec<_>>().join(", ")));
    }

    fn group(&mut self, key: &str, pairs: &[(&str, &str)]) {
        let _ = writeln!(self.0, "{key}:");
        for (key, value) in pairs {
            let _ = writeln!(self.0, "  {key}: {}", quoted(value));
        }
    }
}

/// A double-quoted scalar: the one style of YAML in which every string can be written, on one line, and in which
/// `no`, `1e3`, `- x` and `2026-01-01` stay strings.
fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // What YAML does not call printable, and what it calls a line break.
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Our keys in the front matter at the beginning of `text`, `None` where it is not one of our files. People and
/// formatters touch these files, so quotes and line ends may differ from what was written.
pub fn stamp(text: &str) -> Option<Stamp> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let (mut id, mut version, mut assets) = (None, 0, Vec::new());
    for line in lines {
        if line.trim_end() == "---" {
            break;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "galley_id" => id = Uuid::parse_str(bare(value)).ok(),
            "galley_version" => version = bare(value).parse().unwrap_or(0),
            "galley_assets" => {
                let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
                assets = inner.split(',').map(bare).filter(|n| !n.is_empty()).map(str::to_owned).collect();
            }
            _ => {}
        }
    }
    Some(Stamp { article_id: id?, version, assets })
}

fn bare(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
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
                post.description = hard.into();
                post.keywords = vec![hard.into(), "b".into()];
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
            let text = document(&Post { draft: true, ..post() }, "x", style);
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
        let read = stamp(&format!(
            "\u{feff}---\r\ngalley_id: '{id}'\r\ngalley_version: 3\r\ngalley_assets: [a.png]\r\n---\r\n"
        ));
        assert_eq!(read, Some(Stamp { article_id: id.parse().unwrap(), version: 3, assets: vec!["a.png".into()] }));
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
}

//! YAML front matter: written by a small emitter, since every string is double-quoted and nothing nests deeper than
//! one level, and read back only for our own three keys.

mod read;

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::post::{Asset, Post, Visibility};
pub(crate) use read::{hidden, read};

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
    /// Of the fields that were written; files of old have none.
    pub fingerprint: Option<String>,
    /// The generator is told not to show it.
    pub is_draft: bool,
    /// As written there: no name that could be trusted.
    pub assets: Vec<String>,
}

/// The whole `index.md`: front matter and text. `slug` is the name of the folder.
pub fn document(post: &Post, slug: &str, style: FrontMatterStyle) -> String {
    let mut yaml = Yaml(String::from("---\n"));
    yaml.string("title", &post.title);
    yaml.string("description", &post.seo.description);
    yaml.string("slug", slug);
    yaml.string("lang", &post.language);
    let modified = post.modified.unwrap_or(post.date);
    let date = match post.visibility {
        Visibility::Future(at) => at,
        _ => post.date,
    };
    yaml.date("date", date);
    match style {
        FrontMatterStyle::Hugo => yaml.date("lastmod", modified),
        FrontMatterStyle::Jekyll => {
            yaml.date("last_modified_at", modified);
            yaml.plain("render_with_liquid", false);
        }
        FrontMatterStyle::AstroEleventy => {
            yaml.date("pubDate", date);
            yaml.date("updatedDate", modified);
            yaml.date("lastmod", modified);
            yaml.string("templateEngineOverride", "md");
        }
    }
    for (key, value) in visibility(style, is_hidden(post.visibility)) {
        yaml.plain(key, value);
    }
    if !post.excerpt.is_empty() {
        yaml.string(excerpt_key(style), &post.excerpt);
    }
    yaml.list("keywords", post.keywords.iter().map(String::as_str));
    yaml.list("tags", post.tags.iter().map(String::as_str));
    if !post.categories.is_empty() {
        yaml.list("categories", post.categories.iter().map(String::as_str));
    }
    if let Some(cover) = post.cover() {
        cover_lines(&mut yaml, cover, style);
    }
    yaml.string("galley_id", &post.article_id.to_string());
    yaml.plain("galley_version", post.version);
    yaml.string("galley_hash", &post.fingerprint());
    yaml.list("galley_assets", post.assets.iter().map(|a| a.name.as_str()));
    let mut text = yaml.0;
    text.push_str("---\n\n");
    text.push_str(harmless(&post.markdown_body, style).trim_start_matches('\n'));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Nobody but those who edit the site is to see it. A generator runs when somebody starts it, so what has a time is
/// hidden until it is published again.
pub(crate) fn is_hidden(visibility: Visibility) -> bool {
    visibility != Visibility::Publish
}

/// The lines that show an article or hide it. Eleventy knows no drafts; without address and collection it shows none.
fn visibility(style: FrontMatterStyle, is_hidden: bool) -> Vec<(&'static str, bool)> {
    match (style, is_hidden) {
        (FrontMatterStyle::Jekyll, is_hidden) => vec![("published", !is_hidden)],
        (FrontMatterStyle::AstroEleventy, true) => {
            vec![("draft", true), ("permalink", false), ("eleventyExcludeFromCollections", true)]
        }
        (_, is_hidden) => vec![("draft", is_hidden)],
    }
}

fn excerpt_key(style: FrontMatterStyle) -> &'static str {
    match style {
        FrontMatterStyle::Hugo => "summary",
        FrontMatterStyle::Jekyll | FrontMatterStyle::AstroEleventy => "excerpt",
    }
}

fn cover_lines(yaml: &mut Yaml, cover: &Asset, style: FrontMatterStyle) {
    let caption = cover.caption_with_credit();
    let group = |file: &'static str| {
        let mut pairs = vec![(file, cover.name.as_str()), ("alt", cover.alt.as_str())];
        if !caption.is_empty() {
            pairs.push(("caption", &caption));
        }
        pairs
    };
    match style {
        FrontMatterStyle::Hugo => {
            yaml.list("images", [cover.name.as_str()].into_iter());
            yaml.group("cover", &group("image"));
        }
        FrontMatterStyle::Jekyll => yaml.group("image", &group("path")),
        FrontMatterStyle::AstroEleventy => {
            yaml.string("heroImage", &format!("./{}", cover.name));
            yaml.string("heroImageAlt", &cover.alt);
            if !caption.is_empty() {
                yaml.string("heroImageCaption", &caption);
            }
        }
    }
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
    let (mut fingerprint, mut is_draft) = (None, false);
    for line in lines {
        if line.trim_end() == "---" {
            break;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        match key {
            "galley_id" => id = Uuid::parse_str(bare(value)).ok(),
            "galley_version" => version = bare(value).parse().unwrap_or(0),
            "galley_hash" => fingerprint = Some(bare(value).to_owned()).filter(|hash| !hash.is_empty()),
            "draft" => is_draft = bare(value) == "true",
            "published" => is_draft = bare(value) == "false",
            "galley_assets" => {
                let inner = value.trim().trim_start_matches('[').trim_end_matches(']');
                assets = inner.split(',').map(bare).filter(|n| !n.is_empty()).map(str::to_owned).collect();
            }
            _ => {}
        }
    }
    Some(Stamp { article_id: id?, version, fingerprint, is_draft, assets })
}

fn bare(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests;

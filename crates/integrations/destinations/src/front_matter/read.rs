//! Front matter that people may have edited, read by a whole YAML parser.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use saphyr::{LoadableYamlNode, Yaml};

use super::{FrontMatterStyle, visibility};
use crate::remote::{Picture, RemoteFields, RemoteStatus};

/// The fields of an `index.md` in the folder `slug`, whatever generator it is for.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read(text: &str, slug: &str) -> Result<RemoteFields, String> {
    let (front, body) = parts(text).ok_or("it has no front matter")?;
    let documents = Yaml::load_from_str(&front).map_err(|error| error.to_string())?;
    let yaml = documents.first().ok_or("its front matter is empty")?;
    let string = |key: &str| yaml.as_mapping_get(key).and_then(Yaml::as_str).unwrap_or_default().to_owned();
    let flag = |key: &str| yaml.as_mapping_get(key).and_then(Yaml::as_bool);
    let is_draft = flag("draft") == Some(true) || flag("published") == Some(false);
    let named = string("slug");
    Ok(RemoteFields {
        title: string("title"),
        content: body.trim_start_matches('\n').to_owned(),
        excerpt: ["summary", "excerpt"].map(string).into_iter().find(|text| !text.is_empty()).unwrap_or_default(),
        slug: if named.is_empty() { slug.to_owned() } else { named },
        status: if is_draft { RemoteStatus::Draft } else { RemoteStatus::Published },
        categories: list(yaml, "categories"),
        tags: list(yaml, "tags"),
        featured: featured(yaml),
        date: date(&string("date")),
    })
}

/// The text with the lines in its front matter that hide it from the generator.
pub(crate) fn hidden(text: &str, style: FrontMatterStyle) -> String {
    const SHOWN_OR_HIDDEN: [&str; 4] = ["draft", "published", "permalink", "eleventyExcludeFromCollections"];
    let mut out = String::with_capacity(text.len() + 64);
    let mut is_front = true;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if is_front && at > 0 {
            if line.split_once(':').is_some_and(|(key, _)| SHOWN_OR_HIDDEN.contains(&key)) {
                continue;
            }
            if line.trim_end() == "---" {
                is_front = false;
                for (key, value) in visibility(style, true) {
                    out.push_str(&format!("{key}: {value}\n"));
                }
            }
        }
        out.push_str(line);
    }
    out
}

/// What stands between the two rules, and what follows.
fn parts(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = text.split_inclusive('\n');
    let mut length = lines.next().filter(|line| line.trim_end() == "---")?.len();
    let mut front = String::new();
    for line in lines {
        length += line.len();
        if line.trim_end() == "---" {
            return Some((front, &text[length..]));
        }
        front.push_str(line);
    }
    None
}

/// A list, or the one entry that people write without brackets.
fn list(yaml: &Yaml<'_>, key: &str) -> Vec<String> {
    let Some(value) = yaml.as_mapping_get(key) else { return Vec::new() };
    match value.as_sequence() {
        Some(entries) => entries.iter().filter_map(Yaml::as_str).map(str::to_owned).collect(),
        None => value.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn featured(yaml: &Yaml<'_>) -> Option<Picture> {
    let of = |group: &str, key: &str| {
        let value = yaml.as_mapping_get(group)?.as_mapping_get(key)?.as_str()?;
        Some(value.to_owned())
    };
    let hero = |key: &str| yaml.as_mapping_get(key).and_then(Yaml::as_str).map(str::to_owned);
    let (name, alt) = match (of("cover", "image"), of("image", "path"), hero("heroImage")) {
        (Some(name), ..) => (name, of("cover", "alt")),
        (None, Some(name), _) => (name, of("image", "alt")),
        (None, None, name) => (name?.trim_start_matches("./").to_owned(), hero("heroImageAlt")),
    };
    Some(Picture { id: name.clone(), url: name, alt: alt.unwrap_or_default() })
}

/// A moment, or a day that people wrote.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    text.parse().ok().or_else(day)
}

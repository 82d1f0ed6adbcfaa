//! Files of a site: what is written reads back as it was, by another YAML parser and by us; what others wrote is read.
#![no_main]

use chrono::DateTime;
use galley_destinations::{Asset, AssetRole, FrontMatterStyle, Post, SeoMeta, Visibility, document, stamp};
use galley_fuzz::{parts, text_of};
use galley_text::slug::slugify;
use libfuzzer_sys::fuzz_target;
use saphyr::{LoadableYamlNode, Yaml};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

fn check_written(title: &str, description: &str, body: &str, version: u32) {
    let post = Post {
        article_id: ID,
        version,
        slug: slugify(title),
        title: title.to_owned(),
        excerpt: description.to_owned(),
        seo: SeoMeta { description: description.to_owned(), ..SeoMeta::default() },
        keywords: vec![description.to_owned(), title.to_owned()],
        categories: vec![title.to_owned()],
        category_ids: Vec::new(),
        tags: vec![title.to_owned()],
        language: "en".to_owned(),
        date: DateTime::from_timestamp(1_795_000_000, 0).expect("a date"),
        modified: None,
        visibility: if version.is_multiple_of(2) { Visibility::Draft } else { Visibility::Publish },
        overwrite: false,
        markdown_body: body.to_owned(),
        assets: vec![Asset {
            name: "cover.png".into(),
            bytes: Vec::new(),
            smaller: None,
            alt: title.to_owned(),
            caption: title.to_owned(),
            credit: description.to_owned(),
            role: AssetRole::Cover,
        }],
    };
    for style in [FrontMatterStyle::Hugo, FrontMatterStyle::Jekyll, FrontMatterStyle::AstroEleventy] {
        let text = document(&post, &post.slug, style);
        let front = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("front matter").0;
        let documents = Yaml::load_from_str(front).expect("YAML");
        assert_eq!(documents.len(), 1);
        let yaml = &documents[0];
        assert_eq!(yaml["title"].as_str(), Some(title), "{front}");
        assert_eq!(yaml["description"].as_str(), Some(description), "{front}");
        assert_eq!(yaml["keywords"][0].as_str(), Some(description), "{front}");
        assert_eq!(yaml["galley_id"].as_str(), Some(ID.to_string().as_str()), "{front}");
        let read = stamp(&text).expect("one of ours");
        assert_eq!((read.article_id, read.version, read.assets.as_slice()), (ID, version, &["cover.png".to_owned()][..]));
        if style == FrontMatterStyle::Hugo {
            let body = &text["---\n".len() + front.len() + "\n---\n".len()..];
            assert!(!body.contains("{{<") && !body.contains("{{%"), "a shortcode in {body}");
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let [title, description, body] = parts::<3>(data).map(text_of);
    check_written(title, description, body, u32::try_from(data.len()).unwrap_or(1));
    let foreign = String::from_utf8_lossy(data);
    if let Some(read) = stamp(&foreign) {
        assert!(foreign.to_lowercase().contains("galley_id"));
        assert!(read.assets.iter().all(|name| !name.is_empty()));
    }
});

//! A site, a client for it, and articles.

use std::{sync::Arc, time::Duration};

use chrono::DateTime;
use galley_destinations::{
    Asset, AssetRole, Destination, Known, Post, Published, SeoMeta, Visibility, WordPress, WordPressSettings,
    wordpress_clients,
};
use galley_domain::Hidden;
use galley_testpeer::{
    AGENT, policy,
    wordpress::{FakeWordPress, Like, PASSWORD, USER},
};
use uuid::Uuid;

pub const ARTICLE: Uuid = Uuid::from_u128(0x0123_4567_89ab_4cde_8f01_2345_6789_abcd);

pub fn settings(url: &str) -> WordPressSettings {
    WordPressSettings::new(url, USER, Hidden::new(PASSWORD))
}

pub fn client_with(settings: WordPressSettings) -> WordPress {
    let clients = wordpress_clients(policy(&["127.0.0.1"]), AGENT).unwrap();
    WordPress::new(settings, clients).unwrap()
}

pub fn client(site: &FakeWordPress) -> WordPress {
    client_with(settings(&site.url()))
}

/// Its requests give up soon.
pub fn hasty(site: &FakeWordPress) -> WordPress {
    client_with(WordPressSettings { time: Duration::from_millis(300), ..settings(&site.url()) })
}

pub async fn site() -> (FakeWordPress, WordPress) {
    let site = FakeWordPress::start(Like::default()).await;
    let client = client(&site);
    (site, client)
}

pub fn picture(name: &str, bytes: &[u8], role: AssetRole) -> Asset {
    Asset {
        name: name.into(),
        bytes: bytes.to_vec(),
        smaller: None,
        alt: "A cup".into(),
        caption: "Tea & more.".into(),
        credit: "Photo: X".into(),
        role,
    }
}

pub fn post() -> Post {
    Post {
        article_id: ARTICLE,
        version: 1,
        slug: "tea".into(),
        title: "Tea & \"time\"".into(),
        excerpt: "In short.".into(),
        seo: SeoMeta { title: "Tea & co".into(), description: "About tea.".into(), focus_keyword: "tea".into() },
        keywords: vec![],
        categories: vec!["Drinks > Hot & strong".into()],
        category_ids: vec![],
        tags: vec!["Tea & herbs".into()],
        language: "en".into(),
        date: DateTime::UNIX_EPOCH,
        modified: None,
        visibility: Visibility::Publish,
        overwrite: false,
        markdown_body: "Text.\n\n![A leaf](leaf.png)\n".into(),
        assets: vec![picture("cover.png", b"cover", AssetRole::Cover), picture("leaf.png", b"leaf", AssetRole::Inline)],
    }
}

pub fn known(published: &Published) -> Known {
    Known {
        external_id: published.external_id.clone(),
        url: published.url.clone(),
        slug: published.slug.clone(),
        mark: None,
        fields: Some(published.fields.clone()),
        version: published.version,
    }
}

/// The site has the article once, whole, and each picture once.
pub async fn is_whole(site: &FakeWordPress, client: &Arc<WordPress>) {
    let posts = site.posts();
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert_eq!(site.media().len(), 2, "{:?}", site.media());
    assert_eq!((site.terms("categories").len(), site.terms("tags").len()), (3, 1));
    let there = client.look_up(ARTICLE, None).await.unwrap().unwrap();
    assert_eq!((there.version, there.slug.as_str()), (1, "tea"));
    let fields = client.read(ARTICLE, None).await.unwrap().unwrap();
    assert_eq!(fields.tags, ["Tea & herbs"]);
    assert_eq!(fields.categories, ["Drinks > Hot & strong"]);
    assert!(fields.featured.is_some());
}

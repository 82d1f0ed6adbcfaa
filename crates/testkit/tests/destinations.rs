//! Every destination passes the same suite.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::{env, sync::Arc};

use galley_destinations::{
    Asset, AssetRole, ContentForm, Destination, FolderDestination, FrontMatterStyle, Post, SeoMeta, Visibility,
    WordPress, WordPressSettings, differences, wordpress_clients,
};
use galley_domain::Hidden;
use galley_domain::order::ArticleOrder;
use galley_fetch::address::Policy;
use galley_services::Upload;
use galley_testkit::{
    Harness,
    conformance::{Conformance, conforms},
};
use galley_testpeer::wordpress::{FakeWordPress, Like, PASSWORD, Trouble, USER};
use url::Url;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_folder_does_what_every_destination_does() {
    let dir = tempfile::tempdir().unwrap();
    let styles = [
        ("hugo", FrontMatterStyle::Hugo),
        ("jekyll", FrontMatterStyle::Jekyll),
        ("astro", FrontMatterStyle::AstroEleventy),
    ];
    for (name, style) in styles {
        let root = dir.path().join(name);
        galley_testkit::conformance::destination(Arc::new(FolderDestination::new(root.clone(), style))).await;
        let left = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
        let articles: Vec<_> = left.filter(|name| !name.to_string_lossy().starts_with('.')).collect();
        assert_eq!(articles.len(), 2, "the namesake and the one that eight published: {articles:?}");
    }
}

/// A picture of one point.
const POINT: &[u8] = include_bytes!("point.png");

fn wordpress(url: &str, user: &str, password: &str, form: ContentForm) -> Arc<WordPress> {
    let parsed = Url::parse(url).unwrap();
    let rule = format!("{}:{}", parsed.host_str().unwrap(), parsed.port_or_known_default().unwrap());
    let policy = Policy::new(vec![rule.parse().unwrap()]);
    let clients = wordpress_clients(policy, "Galley/1.0 (+test)").unwrap();
    let settings = WordPressSettings { form, ..WordPressSettings::new(url, user, Hidden::new(password)) };
    Arc::new(WordPress::new(settings, clients).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wordpress_does_what_every_destination_does() {
    for like in [Like::default(), Like { has_pretty_permalinks: false, ..Like::default() }] {
        let site = FakeWordPress::start(like).await;
        let client = wordpress(&site.url(), USER, PASSWORD, ContentForm::Auto);
        conforms(client, &Conformance { has_trash: true, ..Conformance::default() }).await;
        assert_eq!(site.posts().len(), 2, "the namesake and the one that eight published");
        assert_eq!(site.media().len(), 1, "one picture for all of them");
        assert_eq!((site.terms("categories").len(), site.terms("tags").len()), (3, 4));
    }
}

/// Through the pipeline and the ledger: the answers to the picture and to the post are lost, and both are there once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordered_article_is_on_wordpress_once() {
    let harness = Harness::new().await;
    let site = FakeWordPress::start(Like::default()).await;
    site.trouble("POST", "wp/v2/media", Trouble::AnswerLost);
    site.trouble("POST", "wp/v2/posts", Trouble::ErrorAfter);
    let engine = harness.publishing_to(wordpress(&site.url(), USER, PASSWORD, ContentForm::Auto));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/faq.md");
    let upload = Upload { name: "faq.md".into(), bytes: std::fs::read(sample).unwrap().into() };
    let file = harness.services.upload(harness.principal.org, upload, None).await.unwrap().value.id;
    let brief = galley_testkit::brief("How Sela Ridge grows, roasts and brews its coffee", 150, 300);
    let order = ArticleOrder { brief, uploaded_files: vec![file], ..galley_testkit::order() };
    let task = harness.services.order(&harness.principal, order, "t", None).await.unwrap().value.task_id;
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!((site.waiting(), site.posts().len(), site.media().len()), (0, 1, 1));
    let post = &site.posts()[0];
    assert_eq!(post["featured_media"], site.media()[0]["id"]);
    let confirmed = "SELECT count(*) FROM effects WHERE state = 'confirmed' AND destination = 'wordpress'";
    assert_eq!(harness.database.number(confirmed).await, 1);
    let named = format!("SELECT count(*) FROM effects WHERE remote_ref = '{}'", post["id"]);
    assert_eq!(harness.database.number(&named).await, 1);
}

fn environment() -> (String, String, String) {
    let of = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    (of("GALLEY_WORDPRESS_URL"), of("GALLEY_WORDPRESS_USER"), of("GALLEY_WORDPRESS_PASSWORD"))
}

/// The suite against a site that runs somewhere: `GALLEY_WORDPRESS_URL`, `_USER` and `_PASSWORD`. It uses ids of its own
/// and removes nearly all that it makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asks a WordPress that the environment names"]
async fn a_real_wordpress_does_what_every_destination_does() {
    let (url, user, password) = environment();
    for form in [ContentForm::Auto, ContentForm::Html] {
        // Low bits are for the articles; a fresh picture is one that no run before has uploaded.
        let base = Uuid::now_v7().as_u128() & !0xff;
        let mut picture = POINT.to_vec();
        picture.extend(base.to_be_bytes());
        let given = Conformance { base, picture, has_trash: true, slugs: format!("-{base:x}") };
        conforms(wordpress(&url, &user, &password, form), &given).await;
    }
}

/// An article with everything that Markdown has stays as it was published. It is left there to be looked at; the test
/// prints its address, what the probe says, and what became of the SEO fields.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asks a WordPress that the environment names"]
async fn a_real_wordpress_keeps_a_whole_article_as_it_is() {
    let (url, user, password) = environment();
    for form in [ContentForm::Auto, ContentForm::Html] {
        let to = wordpress(&url, &user, &password, form);
        let probe = to.probe().await;
        println!("{}: {}", probe.success, probe.message);
        for seen in &probe.capabilities {
            println!("  {} {}: {} {}", seen.id, seen.status, seen.evidence, seen.help);
        }
        let id = Uuid::now_v7();
        let done = to.publish(article(id), None).await.unwrap();
        println!("{} is post {}: SEO {}, {:?}", done.url, done.external_id, done.seo_meta, done.warnings);
        let read = to.read(id, None).await.unwrap().unwrap();
        assert_eq!(differences(&done.fields, &read), []);
    }
}

/// Fifty articles, eight at a time, on a site that somebody has made fail: each is tried until it is there. Afterwards
/// each is whole. How many posts and pictures there are is for whoever looks into the site's database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asks a WordPress that the environment names"]
async fn a_real_wordpress_that_fails_has_every_article_in_the_end() {
    let (url, user, password) = environment();
    let base = Uuid::now_v7().as_u128() & !0xff;
    let mut picture = POINT.to_vec();
    picture.extend(base.to_be_bytes());
    let all: Vec<_> = (0..50_u8)
        .map(|number| {
            let mut post = article(Uuid::from_u128(base + u128::from(number)));
            post.slug = format!("fails-{base:x}-{number}");
            post.tags = vec![format!("Tag {base:x}"), format!("Tag {}", number / 8)];
            for asset in &mut post.assets {
                asset.bytes.clone_from(&picture);
            }
            post.assets[1].bytes.push(number);
            post
        })
        .collect();
    let mut attempts = 0;
    for eight in all.chunks(8) {
        let runs: Vec<_> = eight
            .iter()
            .map(|post| {
                // Clients that know nothing of each other.
                let (to, post) = (wordpress(&url, &user, &password, ContentForm::Auto), post.clone());
                tokio::spawn(async move { until_there(&to, &post).await })
            })
            .collect();
        for run in runs {
            attempts += run.await.unwrap();
        }
    }
    println!("{} articles in {attempts} attempts; fails-{base:x}", all.len());
}

async fn until_there(to: &WordPress, post: &Post) -> usize {
    for attempt in 1..=60 {
        match to.publish(post.clone(), None).await {
            Ok(done) => {
                assert_eq!((done.fields.tags.len(), done.fields.categories.len()), (2, 1), "{:?}", done.fields);
                assert!(done.fields.featured.is_some());
                return attempt;
            }
            Err(fault) => assert!(fault.is_transient(), "{fault}"),
        }
    }
    panic!("sixty attempts were not enough");
}

fn article(article_id: Uuid) -> Post {
    let picture = |name: &str, role| Asset {
        name: name.to_owned(),
        bytes: POINT.to_vec(),
        smaller: None,
        alt: "A \"point\" & more".to_owned(),
        caption: "One point <b>only</b>.".to_owned(),
        credit: "Photo: A. Painter".to_owned(),
        role,
    };
    Post {
        article_id,
        version: 1,
        slug: format!("whole-{}", article_id.simple()),
        title: "Tea & \"time\" — it's <5> o'clock".to_owned(),
        excerpt: "In short: tea & time.".to_owned(),
        seo: SeoMeta {
            title: "Tea & time, explained".to_owned(),
            description: "What \"tea\" is & when to drink it.".to_owned(),
            focus_keyword: "tea time".to_owned(),
        },
        keywords: Vec::new(),
        categories: vec!["Drinks > Hot & strong".to_owned()],
        category_ids: Vec::new(),
        tags: vec!["Tea & herbs".to_owned()],
        language: "en".to_owned(),
        date: chrono::DateTime::UNIX_EPOCH,
        modified: None,
        visibility: Visibility::Publish,
        overwrite: false,
        markdown_body: include_str!("article.md").to_owned(),
        assets: vec![picture("cover.png", AssetRole::Cover), picture("leaf.png", AssetRole::Inline)],
    }
}

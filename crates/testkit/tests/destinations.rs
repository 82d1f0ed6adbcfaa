//! Every destination passes the same suite.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::{env, sync::Arc};

use galley_destinations::{
    ContentForm, FolderDestination, FrontMatterStyle, WordPress, WordPressSettings, wordpress_clients,
};
use galley_domain::Hidden;
use galley_fetch::address::Policy;
use galley_testkit::conformance::{Conformance, conforms};
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

/// The suite against a site that runs somewhere: `GALLEY_WORDPRESS_URL`, `_USER` and `_PASSWORD`. It uses ids of its own
/// and removes nearly all that it makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "asks a WordPress that the environment names"]
async fn a_real_wordpress_does_what_every_destination_does() {
    let of = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let (url, user, password) =
        (of("GALLEY_WORDPRESS_URL"), of("GALLEY_WORDPRESS_USER"), of("GALLEY_WORDPRESS_PASSWORD"));
    for form in [ContentForm::Auto, ContentForm::Html] {
        // Low bits are for the articles; a fresh picture is one that no run before has uploaded.
        let base = Uuid::now_v7().as_u128() & !0xff;
        let mut picture = POINT.to_vec();
        picture.extend(base.to_be_bytes());
        let given = Conformance { base, picture, has_trash: true, slugs: format!("-{base:x}") };
        conforms(wordpress(&url, &user, &password, form), &given).await;
    }
}

//! What every connector must do, asked of each of them by the same suite.

use std::sync::Arc;

use chrono::DateTime;
use galley_destinations::{Asset, AssetRole, Destination, Post};
use uuid::Uuid;

fn post(article: u128, version: u32, slug: &str) -> Post {
    Post {
        article_id: Uuid::from_u128(article),
        version,
        slug: slug.to_owned(),
        title: format!("Title {version}"),
        description: "What it is about.".to_owned(),
        keywords: vec!["tea".to_owned()],
        language: "en".to_owned(),
        date: DateTime::UNIX_EPOCH,
        modified: None,
        draft: false,
        markdown_body: format!("Text of version {version}.\n"),
        assets: vec![Asset {
            name: "cover.png".to_owned(),
            bytes: vec![0x89, b'P', b'N', b'G'],
            alt: "A cup".to_owned(),
            role: AssetRole::Cover,
        }],
    }
}

/// Panics with what a destination does not do. It must be empty.
pub async fn destination(destination: Arc<dyn Destination>) {
    let id = Uuid::from_u128(1);
    assert!(!destination.name().is_empty(), "it has a name for the ledger");
    assert!(destination.look_up(id).await.expect("looking is no fault").is_none(), "nothing is there yet");
    assert!(!destination.remove(id).await.expect("removing nothing is no fault"), "and nothing can be removed");
    let missing = destination.update(post(1, 1, "tea")).await.expect_err("what is not there is not updated");
    assert!(!missing.is_transient(), "and trying again does not help: {missing}");

    let first = destination.publish(post(1, 1, "tea")).await.expect("it is published");
    assert!(!first.already_there);
    let again = destination.publish(post(1, 1, "tea")).await.expect("the same again is no fault");
    assert!(again.already_there, "it is not made twice");
    assert_eq!(again.path, first.path);
    let found = destination.look_up(id).await.expect("looked up").expect("it is there");
    assert_eq!((found.version, found.path.as_str()), (1, first.path.as_str()));

    let second = destination.update(post(1, 2, "tea-renamed")).await.expect("it is updated");
    assert_eq!(second.path, first.path, "in its place, whatever it is called now");
    assert_eq!(destination.look_up(id).await.expect("looked up").map(|found| found.version), Some(2));
    let older =
        destination.publish(post(1, 1, "tea")).await.expect_err("an older version does not come back by itself");
    assert!(!older.is_transient(), "{older}");

    let namesake = destination.publish(post(2, 1, "tea")).await.expect("another article may want the same name");
    assert_ne!(namesake.path, first.path, "and gets a place of its own");
    at_once(&destination).await;

    destination.tidy().await.expect("tidying is no fault");
    assert!(destination.remove(id).await.expect("it is removed"));
    assert!(!destination.remove(id).await.expect("once"), "and is gone then");
    assert!(destination.look_up(id).await.expect("looked up").is_none());
    assert!(destination.look_up(Uuid::from_u128(2)).await.expect("looked up").is_some(), "the others stay");
}

/// Eight at once make one.
async fn at_once(destination: &Arc<dyn Destination>) {
    let publications: Vec<_> = (0..8)
        .map(|_| {
            let destination = Arc::clone(destination);
            tokio::spawn(async move { destination.publish(post(3, 1, "coffee")).await.expect("it is published") })
        })
        .collect();
    let mut made = 0;
    for publication in publications {
        made += usize::from(!publication.await.expect("no panic").already_there);
    }
    assert_eq!(made, 1, "of eight at once one makes it");
}

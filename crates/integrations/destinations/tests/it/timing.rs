//! Posts that the site publishes at their time.

use chrono::{DateTime, Utc};
use galley_destinations::{Destination, Post, RemoteStatus, Visibility, differences};

use crate::support::{ARTICLE, known, post, site};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_site_holds_a_post_until_its_hour() {
    let (site, client) = site().await;
    let hour = at("2026-12-01T09:00:00Z");
    let future = Post { visibility: Visibility::Future(hour), ..post() };
    let done = client.publish(future.clone(), None).await.unwrap();
    assert_eq!((done.status, done.fields.date, done.warnings.len()), (RemoteStatus::Future, Some(hour), 0));
    assert_eq!(site.posts()[0]["date_gmt"], "2026-12-01T09:00:00");
    assert!(client.publish(future.clone(), Some(&known(&done))).await.unwrap().already_there);
    let seen = async || client.look_up(ARTICLE, Some(&known(&done))).await.unwrap().unwrap().status;
    assert_eq!(seen().await, RemoteStatus::Future);
    // Another hour.
    let later = at("2026-12-02T09:00:00Z");
    let moved = Post { visibility: Visibility::Future(later), ..post() };
    let moved = client.publish(moved, Some(&known(&done))).await.unwrap();
    assert_eq!((moved.status, moved.fields.date, moved.already_there), (RemoteStatus::Future, Some(later), false));
    site.run_cron();
    assert_eq!(seen().await, RemoteStatus::Future);
    site.change(|like| like.now = "2026-12-02T09:00:30");
    site.run_cron();
    assert_eq!(seen().await, RemoteStatus::Published);
    let there = client.read(ARTICLE, Some(&known(&moved))).await.unwrap().unwrap();
    assert_eq!(differences(&moved.fields, &there), [], "it came out as it was meant to");
    let again = Post { visibility: Visibility::Future(later), ..post() };
    assert!(client.publish(again, Some(&known(&moved))).await.unwrap().already_there);
}

#[tokio::test]
async fn an_hour_that_has_passed_is_now() {
    let (site, client) = site().await;
    let hour = at("2026-11-29T11:00:00Z");
    let done = client.publish(Post { visibility: Visibility::Future(hour), ..post() }, None).await.unwrap();
    assert_eq!((done.status, done.fields.date), (RemoteStatus::Published, Some(hour)));
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
    assert_eq!(site.posts().len(), 1);
}

/// Somebody there made a draft of what waited for its hour; the hour stays with it.
#[tokio::test]
async fn a_draft_with_a_date_ahead_is_published_now() {
    let (site, client) = site().await;
    let hour = at("2026-12-01T09:00:00Z");
    let done = client.publish(Post { visibility: Visibility::Future(hour), ..post() }, None).await.unwrap();
    assert!(client.unpublish(ARTICLE, Some(&known(&done))).await.unwrap());
    let now = client.publish(post(), Some(&known(&done))).await.unwrap();
    assert_eq!((now.status, now.warnings.len()), (RemoteStatus::Published, 0), "{:?}", now.warnings);
    assert_eq!(site.posts()[0]["date_gmt"], "2026-11-29T12:00:00");
    // What has been out before keeps its date.
    client.unpublish(ARTICLE, Some(&known(&now))).await.unwrap();
    site.change(|like| like.now = "2027-01-01T12:00:00");
    client.publish(post(), Some(&known(&now))).await.unwrap();
    assert_eq!(site.posts()[0]["date_gmt"], "2026-11-29T12:00:00");
}

//! Requests that are carried out after they were given up for lost, and copies that people make.

use galley_destinations::{AssetRole, Destination, Post, Removal};
use galley_testpeer::wordpress::{FakeWordPress, Like};
use serde_json::json;

use crate::support::{ARTICLE, client, known, picture, post, site};

#[tokio::test]
async fn a_copy_that_was_made_late_goes_with_the_next_publication() {
    for known_before in [true, false] {
        let (site, client) = site().await;
        let done = client.publish(post(), None).await.unwrap();
        let late = site.make_again(done.external_id.parse().unwrap());
        let known = known_before.then(|| known(&done));
        let second = client.publish(Post { version: 2, ..post() }, known.as_ref()).await.unwrap();
        assert_eq!(second.external_id, done.external_id);
        assert_eq!(second.warnings, [format!("post {late} was a copy that a request made late; it was removed")]);
        assert_eq!(site.posts().len(), 1);
    }
    // Also when the version itself is confirmed only now.
    let (site, client) = site().await;
    let done = client.publish(post(), None).await.unwrap();
    site.make_again(done.external_id.parse().unwrap());
    let again = client.publish(post(), None).await.unwrap();
    assert!(again.already_there && again.warnings.len() == 1 && site.posts().len() == 1, "{again:?}");
}

#[tokio::test]
async fn a_copy_that_people_have_touched_is_told_and_stays() {
    let changes: [fn(&mut serde_json::Value); 4] = [
        |copy| copy["title"]["raw"] = "Copy of tea".into(),
        |copy| copy["status"] = "draft".into(),
        |copy| copy["tags"] = json!([]),
        |copy| copy["content"]["raw"] = copy["content"]["raw"].as_str().unwrap().replace(":v1:", ":v0:").into(),
    ];
    for change in changes {
        let (site, client) = site().await;
        let done = client.publish(post(), None).await.unwrap();
        let copy = site.make_again(done.external_id.parse().unwrap());
        site.edit(copy, change);
        let second = client.publish(Post { version: 2, ..post() }, Some(&known(&done))).await.unwrap();
        assert_eq!(second.warnings.len(), 1);
        assert!(second.warnings[0].starts_with(&format!("post {copy} bears the mark")), "{:?}", second.warnings);
        assert_eq!(site.posts().len(), 2);
    }
}

/// The site's own index does not know the other one's post yet; its name does.
#[tokio::test]
async fn a_copy_is_found_without_the_search() {
    let (site, client) = site().await;
    let done = client.publish(post(), None).await.unwrap();
    let late = site.make_again(done.external_id.parse().unwrap());
    site.change(|like| like.search_is_late = true);
    let second = client.publish(Post { version: 2, ..post() }, Some(&known(&done))).await.unwrap();
    assert!(second.warnings[0].contains(&format!("post {late} was a copy")), "{:?}", second.warnings);
    assert_eq!(site.posts().len(), 1);
}

/// A number in our records may be somebody else's post: the site was moved, or another one took its address.
#[tokio::test]
async fn a_post_with_our_number_and_nothing_else_of_ours_is_not_touched() {
    let (site, client) = site().await;
    let theirs = site.write("theirs", "<p>Theirs.</p>");
    let of_ours = client.publish(post(), None).await.unwrap();
    client.remove(ARTICLE, None, Removal::Delete).await.unwrap();
    let record = galley_destinations::Known {
        external_id: theirs.to_string(),
        url: "https://elsewhere.example/tea/".into(),
        ..known(&of_ours)
    };
    let untouched = site.posts()[0].clone();
    assert_eq!(client.look_up(ARTICLE, Some(&record)).await.unwrap(), None);
    assert!(!client.unpublish(ARTICLE, Some(&record)).await.unwrap());
    assert!(!client.remove(ARTICLE, Some(&record), Removal::Delete).await.unwrap());
    let done = client.publish(post(), Some(&record)).await.unwrap();
    assert_ne!(done.external_id, record.external_id);
    assert_eq!(site.posts()[0], untouched);

    // The text alone says that it is ours, whatever it is called now.
    let moved = site.write("renamed", &done.fields.content);
    let record = galley_destinations::Known { external_id: moved.to_string(), ..record };
    client.remove(ARTICLE, None, Removal::Delete).await.unwrap();
    let found = client.look_up(ARTICLE, Some(&record)).await.unwrap().unwrap();
    assert_eq!(found.external_id, moved.to_string());
}

#[tokio::test]
async fn a_picture_is_known_by_its_name_where_uploads_are_renamed() {
    let site = FakeWordPress::start(Like { renames_uploads: true, ..Like::default() }).await;
    let client = client(&site);
    client.publish(post(), None).await.unwrap();
    client.publish(Post { version: 2, ..post() }, None).await.unwrap();
    assert_eq!(site.media().len(), 2);
}

#[tokio::test]
async fn of_a_picture_that_came_twice_the_later_one_goes() {
    let (site, client) = site().await;
    let cover = |version, name: &str, bytes: &[u8]| {
        let assets = vec![picture(name, bytes, AssetRole::Cover)];
        Post { version, markdown_body: "Text.".into(), assets, ..post() }
    };
    client.publish(cover(1, "cover.png", b"one"), None).await.unwrap();
    site.change(|like| like.races_upload = true);
    let done = client.publish(cover(2, "cover.png", b"two"), None).await.unwrap();
    let media = site.media();
    assert_eq!(media.len(), 2, "{media:?}");
    assert_eq!(done.fields.featured.unwrap().id, media[1]["id"].to_string());
    assert!(media[1]["slug"].as_str().unwrap().len() == "cover-".len() + 24, "the first one has the name itself");
}

//! What a site has, whoever made it.

use galley_destinations::{Collection, Destination, RemoteStatus};
use galley_testpeer::wordpress::Trouble;
use serde_json::json;

use crate::support::{ARTICLE, post, site};

#[tokio::test]
async fn texts_come_page_by_page_with_what_they_are() {
    let (site, client) = site().await;
    client.publish(post(), None).await.unwrap();
    for number in 0..24 {
        site.write(&format!("theirs-{number}"), "<p>Theirs</p>");
    }
    let trashed = site.write("gone", "<p>Gone</p>");
    site.edit(trashed, |post| post["status"] = json!("trash"));
    site.write_page("about", "<p>About</p>");
    let first = client.list(Collection::Posts, 1).await.unwrap();
    assert_eq!((first.items.len(), first.pages, first.total), (20, 2, 25), "without the trash");
    let ours = &first.items[0];
    assert_eq!(ours.article, Some(ARTICLE), "by our mark");
    let there = client.read(ARTICLE, None).await.unwrap().unwrap();
    assert_eq!(ours.fields, there, "the same as one that is read alone");
    let second = client.list(Collection::Posts, 2).await.unwrap();
    assert_eq!((second.items.len(), second.items[0].article), (5, None));
    assert_eq!(second.items[0].fields.status, RemoteStatus::Published);
    let behind = client.list(Collection::Posts, 9).await.unwrap();
    assert!(behind.items.is_empty(), "some were removed meanwhile");
    let pages = client.list(Collection::Pages, 1).await.unwrap();
    assert_eq!((pages.items.len(), pages.items[0].fields.title.as_str()), (1, "A page"));
    assert_eq!(client.count(Collection::Pages).await.unwrap(), Some(1));
    assert!(client.count(Collection::Products).await.is_err(), "there is no shop");
    site.trouble("GET", "wp/v2/posts", Trouble::Status("503 Service Unavailable", "Retry-After: 7\r\n", ""));
    assert!(client.list(Collection::Posts, 1).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn kinds_that_visitors_see_are_the_structure() {
    let (site, client) = site().await;
    site.write("theirs", "<p>Theirs</p>");
    let structure = client.structure().await.unwrap();
    let post_types: Vec<(&str, &str, Option<u64>)> =
        structure.post_types.iter().map(|kind| (kind.name.as_str(), kind.label.as_str(), kind.count)).collect();
    assert_eq!(post_types, [("page", "Pages", Some(0)), ("post", "Posts", Some(1))]);
    let taxonomies: Vec<&str> = structure.taxonomies.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(taxonomies, ["category", "post_tag"]);
    site.trouble("GET", "wp/v2/tags", Trouble::Status("403 Forbidden", "", r#"{"code":"x","message":"No."}"#));
    assert_eq!(client.structure().await.unwrap().taxonomies[1].count, None, "what may not be counted is there");
}

/// An answer holds so much only. A page that is too large comes in parts, in its order.
#[tokio::test]
async fn a_page_that_is_too_large_comes_in_parts() {
    let (site, client) = site().await;
    for number in 0..45 {
        site.write(&format!("theirs-{number}"), "<p>Theirs</p>");
    }
    let whole = client.list(Collection::Posts, 2).await.unwrap();
    let huge: &'static str = Box::leak("x".repeat(17 << 20).into_boxed_str());
    for _ in 0..3 {
        site.trouble("GET", "wp/v2/posts", Trouble::Status("200 OK", "", huge));
    }
    let parts = client.list(Collection::Posts, 2).await.unwrap();
    assert_eq!(parts, whole);
    assert_eq!((parts.items.len(), parts.pages, parts.total), (20, 3, 45));
    let asked = site.peer().paths();
    assert!(asked.iter().any(|path| path.contains("per_page=1&page=25")), "{asked:?}");
    assert!(asked.iter().filter(|path| path.contains("per_page=20")).all(|path| path.contains("content.raw")));
}

#[tokio::test]
async fn a_picture_that_cannot_be_shown_holds_nothing_up() {
    let (site, client) = site().await;
    client.publish(post(), None).await.unwrap();
    for status in ["500 Internal Server Error", "400 Bad Request"] {
        site.trouble("GET", "wp/v2/media", Trouble::Status(status, "", "<p>Error</p>"));
        let page = client.list(Collection::Posts, 1).await.unwrap();
        assert_eq!((page.items.len(), &page.items[0].fields.featured), (1, &None));
    }
    site.trouble("GET", "wp/v2/media", Trouble::Status("503 Service Unavailable", "", ""));
    assert!(client.list(Collection::Posts, 1).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn what_the_public_may_not_see_is_marked() {
    let (site, client) = site().await;
    let [open, protected, private] = ["a", "b", "c"].map(|slug| site.write(slug, "<p>Theirs</p>"));
    site.edit(protected, |post| post["password"] = json!("secret"));
    site.edit(private, |post| post["status"] = json!("private"));
    let page = client.list(Collection::Posts, 1).await.unwrap();
    let seen: Vec<_> = page
        .items
        .iter()
        .map(|item| (item.external_id.parse::<u64>().unwrap(), item.is_protected, item.fields.status))
        .collect();
    let expected = [
        (open, false, RemoteStatus::Published),
        (protected, true, RemoteStatus::Published),
        (private, false, RemoteStatus::Private),
    ];
    assert_eq!(seen, expected);
    assert!(!format!("{page:?}").contains("secret"));
}

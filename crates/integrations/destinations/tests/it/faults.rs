//! A site that does the work and does not say so, or says something else.

use std::{sync::Arc, time::Duration};

use galley_destinations::{Destination, Post, RemoteStatus, Removal, Visibility, WordPress};
use galley_domain::{Fault, FaultCode};
use galley_testpeer::wordpress::{FakeWordPress, Like, PASSWORD, Trouble};

use crate::support::{ARTICLE, client, client_with, hasty, is_whole, known, picture, post, settings, site};

/// Every request that publishing makes fails once in every way; afterwards the site has everything once.
#[tokio::test]
async fn whatever_fails_on_the_way_nothing_is_made_twice() {
    let troubles = [
        Trouble::AnswerLost,
        Trouble::AnswerCut,
        Trouble::ErrorAfter,
        Trouble::Page,
        Trouble::Status("503 Service Unavailable", "Retry-After: 7\r\n", "Busy."),
    ];
    let requests = [
        ("POST", "wp/v2/posts"),
        ("POST", "wp/v2/media"),
        ("POST", "wp/v2/tags"),
        ("POST", "wp/v2/categories"),
        ("GET", "wp/v2/posts"),
        ("GET", "wp/v2/media"),
        ("GET", "wp/v2/tags"),
    ];
    for trouble in troubles {
        for (method, route) in requests {
            let (site, client) = site().await;
            let client = Arc::new(client);
            site.trouble(method, route, trouble.clone());
            let fault = client.publish(post(), None).await.expect_err("the site fails");
            assert!(fault.is_transient(), "{method} {route} {trouble:?}: {fault}");
            assert_eq!(site.waiting(), 0, "{method} {route}");
            let done = client.publish(post(), None).await.unwrap();
            assert_eq!(done.status, RemoteStatus::Published);
            is_whole(&site, &client).await;
        }
    }
}

/// The site died between the post and its terms: the mark is there and the rest is not.
#[tokio::test]
async fn a_post_that_was_left_half_done_is_made_whole() {
    let (site, client) = site().await;
    let client = Arc::new(client);
    let done = client.publish(post(), None).await.unwrap();
    let id = done.external_id.parse().unwrap();
    for missing in ["tags", "categories", "featured_media"] {
        site.edit(id, |post| {
            post[missing] = match missing {
                "featured_media" => 0.into(),
                // What WordPress gives to a post without one.
                "categories" => serde_json::json!([1]),
                _ => serde_json::json!([]),
            }
        });
        let again = client.publish(post(), None).await.unwrap();
        assert!(!again.already_there, "{missing}");
        is_whole(&site, &client).await;
    }
    // What our records have confirmed, others may change.
    site.edit(id, |post| post["tags"] = serde_json::json!([]));
    let kept = client.publish(post(), Some(&known(&done))).await.unwrap();
    assert!(kept.already_there && kept.fields.tags.is_empty());
}

#[tokio::test]
async fn a_site_that_is_slow_or_gone_is_a_fault_that_may_go_away() {
    let site = FakeWordPress::start(Like::default()).await;
    let client = hasty(&site);
    site.trouble("POST", "wp/v2/posts", Trouble::Stall);
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(fault.is_transient() && fault.to_string().contains("did not answer within"), "{fault}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fault = client_with(settings(&format!("http://{free}"))).publish(post(), None).await.unwrap_err();
    assert!(fault.is_transient() && fault.to_string().contains("cannot be reached"), "{fault}");
}

#[tokio::test]
async fn what_the_site_says_is_told_with_the_way_out() {
    for (status, headers, body, is_transient, says) in [
        ("413 Content Too Large", "", "<title>413 Too Large</title>", false, "413: 413 Too Large); make it smaller"),
        (
            "429 Too Many Requests",
            "Retry-After: 30\r\n",
            "{\"message\":\"Slow <b>down</b>\"}",
            true,
            "(429: Slow down)",
        ),
        ("403 Forbidden", "", "{\"code\":\"x\",\"message\":\"Sorry.\"}", false, "(403: Sorry.); let the user do that"),
        ("401 Unauthorized", "", "{\"code\":\"x\",\"message\":\"No.\"}", false, "new application password"),
        (
            "403 Forbidden",
            "",
            "<title>Access denied</title>",
            true,
            "(403: Access denied); look whether a plugin or a fire",
        ),
    ] {
        let (site, client) = site().await;
        site.trouble("POST", "wp/v2/media", Trouble::Status(status, headers, body));
        let fault = client.publish(post(), None).await.unwrap_err();
        assert_eq!(fault.is_transient(), is_transient, "{fault}");
        assert!(fault.to_string().starts_with("the site did not take the picture "), "{fault}");
        assert!(fault.to_string().contains(says), "{fault}");
        if status.starts_with("429") {
            assert_eq!(fault.code(), FaultCode::RateLimitError);
            assert!(matches!(fault, Fault::Transient { after: Some(wait), .. } if wait == Duration::from_secs(30)));
        }
    }
    let (_site, client) = site().await;
    let svg = Post { assets: vec![picture("a.svg", b"<svg/>", galley_destinations::AssetRole::Cover)], ..post() };
    let fault = client.publish(svg, None).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("not allowed to upload this file type"), "{fault}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let (site, client) = site().await;
    let huge: &'static str = Box::leak("x".repeat(17 << 20).into_boxed_str());
    site.trouble("GET", "wp/v2/posts", Trouble::Status("200 OK", "", huge));
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("more than 16 MiB"), "{fault}");
    assert!(fault.to_string().len() < 400);
}

#[tokio::test]
async fn notices_before_the_data_are_passed_over() {
    let (site, client) = site().await;
    site.trouble("POST", "wp/v2/posts", Trouble::Notices);
    site.trouble("GET", "wp/v2/posts", Trouble::Notices);
    let client = Arc::new(client);
    client.publish(post(), None).await.unwrap();
    assert_eq!(site.waiting(), 0);
    is_whole(&site, &client).await;
}

/// The password is seen by the site alone, and in no message.
#[tokio::test]
async fn nobody_else_gets_the_password() {
    let other = FakeWordPress::start(Like::default()).await;
    let target = format!("Location: {}/wp-json/wp/v2/posts\r\n", other.url());
    let target: &'static str = Box::leak(target.into_boxed_str());
    let (site, client) = site().await;
    site.trouble("POST", "wp/v2/posts", Trouble::Status("307 Temporary Redirect", target, ""));
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("redirects to http://127.0.0.1"), "{fault}");
    assert_eq!(other.peer().connections(), 0);

    let body: &'static str = Box::leak(format!("{{\"message\":\"bad login editor:{PASSWORD}\"}}").into_boxed_str());
    site.trouble("POST", "wp/v2/posts", Trouble::Status("401 Unauthorized", "", body));
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(!format!("{fault:?}").contains("abcd"), "{fault:?}");
    assert!(!format!("{client:?}").contains("abcd"), "{client:?}");
    let asked = site.peer().asked();
    let discovery: Vec<_> = asked.iter().filter(|request| request.path.starts_with("/wp-json/?")).collect();
    assert!(!discovery.is_empty() && discovery.iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn a_name_that_somebody_has_is_left_to_them() {
    let (site, client) = site().await;
    let theirs = site.write("tea", "Theirs.");
    let done = client.publish(post(), None).await.unwrap();
    assert_eq!((done.slug.as_str(), done.warnings.len()), ("tea-2", 1));
    assert!(done.warnings[0].contains("the name tea is taken there"), "{:?}", done.warnings);
    assert_eq!(site.posts().iter().filter(|post| post["id"] == theirs).count(), 1);
    assert!(client.publish(post(), None).await.unwrap().already_there);
    assert_eq!(site.posts().len(), 2);
}

#[tokio::test]
async fn what_somebody_put_into_the_trash_stays_there() {
    for known_before in [false, true] {
        let (site, client) = site().await;
        let done = client.publish(post(), None).await.unwrap();
        let known = known_before.then(|| known(&done));
        assert!(client.remove(ARTICLE, None, Removal::Trash).await.unwrap());
        let fault = client.publish(Post { version: 2, ..post() }, known.as_ref()).await.unwrap_err();
        assert!(!fault.is_transient() && fault.to_string().contains("in the site's trash"), "{fault}");
        assert!(fault.to_string().contains(&format!("post {}", done.external_id)), "{fault}");
        assert_eq!(site.posts().len(), 1);
    }
}

/// Our records and the name find what the site's search does not, and what has lost its mark.
#[tokio::test]
async fn the_article_is_found_without_the_search_and_without_the_mark() {
    let (site, client) = site().await;
    let client = Arc::new(client);
    let done = client.publish(post(), None).await.unwrap();
    site.change(|like| like.search_is_late = true);
    assert!(client.publish(post(), None).await.unwrap().already_there, "by its name");
    is_whole_without_search(&site, &client, &known(&done)).await;
    let id = done.external_id.parse().unwrap();
    site.edit(id, |post| post["content"]["raw"] = "<p>All new.</p>".into());
    let second = client.publish(Post { version: 2, ..post() }, Some(&known(&done))).await.unwrap();
    assert_eq!((second.external_id.as_str(), second.already_there), (done.external_id.as_str(), false));
    assert_eq!(site.posts().len(), 1);
}

async fn is_whole_without_search(site: &FakeWordPress, client: &WordPress, known: &galley_destinations::Known) {
    let found = client.look_up(ARTICLE, Some(known)).await.unwrap().unwrap();
    assert_eq!(found.external_id, known.external_id);
    assert_eq!(site.posts().len(), 1);
    assert_eq!(client.look_up(ARTICLE, None).await.unwrap(), None, "there is nothing to go by");
}

/// A number in our records that now is another article's is not believed.
#[tokio::test]
async fn a_record_that_points_elsewhere_is_not_believed() {
    let (site, client) = site().await;
    let other = Post { article_id: uuid::Uuid::from_u128(9), slug: "other".into(), ..post() };
    let other = client.publish(other, None).await.unwrap();
    let done = client.publish(post(), Some(&known(&other))).await.unwrap();
    assert_ne!(done.external_id, other.external_id);
    assert_eq!(site.posts().len(), 2);
}

#[tokio::test]
async fn an_older_version_does_not_come_back() {
    let (site, client) = site().await;
    let done = client.publish(Post { version: 3, ..post() }, None).await.unwrap();
    for known in [None, Some(&known(&done))] {
        let fault = client.publish(Post { version: 2, overwrite: true, ..post() }, known).await.unwrap_err();
        assert!(!fault.is_transient() && fault.to_string().contains("version 3, newer than version 2"), "{fault}");
    }
    assert!(site.posts()[0]["content"]["raw"].as_str().unwrap().contains(":v3:"));
}

/// Two processes, which no lock of ours holds apart, have made the post at once.
#[tokio::test]
async fn of_two_copies_the_later_one_goes() {
    let (site, client) = site().await;
    let done = client.publish(post(), None).await.unwrap();
    let content = site.posts()[0]["content"]["raw"].as_str().unwrap().to_owned();
    client.remove(ARTICLE, None, Removal::Delete).await.unwrap();
    // The other one's post is there when ours is made, and was not when we looked.
    site.change(|like| (like.search_is_late, like.search_wakes) = (true, true));
    let first = site.write("elsewhere", &content);
    let again = client.publish(post(), None).await.unwrap();
    assert_eq!((again.external_id.clone(), again.already_there), (first.to_string(), true));
    assert_ne!(again.external_id, done.external_id);
    assert!(again.warnings.iter().any(|said| said.contains("at the same moment")), "{:?}", again.warnings);
    assert_eq!(site.posts().len(), 1);
}

#[tokio::test]
async fn a_private_post_stays_private_and_a_schedule_keeps_its_time() {
    let (site, client) = site().await;
    let done = client.publish(post(), None).await.unwrap();
    let id = done.external_id.parse().unwrap();
    site.edit(id, |post| post["status"] = "private".into());
    assert!(client.publish(post(), Some(&known(&done))).await.unwrap().already_there);
    let second = client.publish(Post { version: 2, ..post() }, Some(&known(&done))).await.unwrap();
    assert_eq!(second.status, RemoteStatus::Private);
    assert!(second.warnings[0].contains("private"), "{:?}", second.warnings);
    let opened = Post { version: 2, overwrite: true, ..post() };
    assert_eq!(client.publish(opened, Some(&known(&done))).await.unwrap().status, RemoteStatus::Published);

    let at = chrono::DateTime::from_timestamp(4_000_000_000, 0).unwrap();
    let later = Post { version: 3, visibility: Visibility::Future(at), ..post() };
    let later = client.publish(later, Some(&known(&done))).await.unwrap();
    assert_eq!((later.status, later.fields.date), (RemoteStatus::Future, Some(at)));
    assert!(later.warnings.is_empty(), "{:?}", later.warnings);
    let now = client.publish(Post { version: 3, ..post() }, Some(&known(&done))).await.unwrap();
    assert_eq!(now.status, RemoteStatus::Published);
    assert!(now.fields.date.unwrap() < at, "its date is the site's now");
}

#[tokio::test]
async fn one_picture_is_sent_once_for_all_articles() {
    let site = FakeWordPress::start(Like::default()).await;
    let client = client(&site);
    for number in 1..=10 {
        let article_id = uuid::Uuid::from_u128(number);
        let assets =
            vec![picture(&format!("photo-{number}.png"), b"the same bytes", galley_destinations::AssetRole::Cover)];
        client.publish(Post { article_id, assets, ..post() }, None).await.unwrap();
    }
    assert_eq!((site.posts().len(), site.media().len()), (10, 1));
    assert_eq!(site.media()[0]["caption"], "Tea &amp; more. Photo: X");
    assert_eq!(site.media()[0]["alt_text"], "A cup");
}

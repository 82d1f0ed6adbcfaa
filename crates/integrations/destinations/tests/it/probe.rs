//! What a probe says of sites that do not let everything be done.

use galley_destinations::{CapabilityId, CapabilityStatus, Destination, Probe, WordPressSettings};
use galley_domain::Hidden;
use galley_testpeer::wordpress::{FakeWordPress, Like, Trouble};

use crate::support::{client, client_with, hasty, settings, site};

fn status(probe: &Probe, id: CapabilityId) -> CapabilityStatus {
    let found: Vec<_> = probe.capabilities.iter().filter(|seen| seen.id == id).collect();
    assert_eq!(found.len(), 1, "{id}: {:?}", probe.capabilities);
    found[0].status
}

#[tokio::test]
async fn a_good_site_is_good_and_keeps_nothing_of_the_probe() {
    let (site, client) = site().await;
    let probe = client.probe().await;
    assert!(probe.success, "{probe:?}");
    assert_eq!(probe.message, "articles can be published");
    assert_eq!(
        (probe.site_name.as_deref(), probe.version.as_deref(), probe.role.as_deref()),
        (Some("A & B"), Some("6.9.7"), Some("editor"))
    );
    assert_eq!(probe.capabilities.len(), CapabilityId::ALL.len(), "each once: {:?}", probe.capabilities);
    for seen in &probe.capabilities {
        assert!(!seen.evidence.is_empty(), "{seen:?}");
        let is_fine = seen.status == CapabilityStatus::Ok;
        // The site's clock stands still, and it has no SEO plugin.
        assert!(is_fine || matches!(seen.id, CapabilityId::Clock | CapabilityId::SeoMeta), "{seen:?}");
        assert!(is_fine || !seen.help.is_empty(), "{seen:?}");
    }
    assert!(site.posts().is_empty() && site.media().is_empty());
}

#[tokio::test]
async fn each_missing_right_is_told_with_the_way_out() {
    for (missing, id, expected, success) in [
        ("upload_files", CapabilityId::Upload, CapabilityStatus::Failed, true),
        ("manage_categories", CapabilityId::Terms, CapabilityStatus::Warning, true),
        ("publish_posts", CapabilityId::Publish, CapabilityStatus::Failed, false),
    ] {
        let mut like = Like::default();
        like.capabilities.retain(|name| *name != missing);
        let site = FakeWordPress::start(like).await;
        let probe = client(&site).probe().await;
        assert_eq!((status(&probe, id), probe.success), (expected, success), "{probe:?}");
        assert!(site.posts().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_login_and_a_lost_header_are_told_apart_where_they_can_be() {
    let (site, _) = site().await;
    let client = client_with(WordPressSettings { app_password: Hidden::new("wrong"), ..settings(&site.url()) });
    let probe = client.probe().await;
    assert!(!probe.success && probe.message.contains("not currently logged in"), "{probe:?}");
    assert_eq!(status(&probe, CapabilityId::Identity), CapabilityStatus::Failed);
    assert_eq!(status(&probe, CapabilityId::AuthorizationHeader), CapabilityStatus::Unknown);
    let body = "{\"code\":\"incorrect_password\",\"message\":\"The password is not right.\"}";
    site.trouble("GET", "wp/v2/users/me", Trouble::Status("401 Unauthorized", "", body));
    let probe = client.probe().await;
    assert_eq!(status(&probe, CapabilityId::AuthorizationHeader), CapabilityStatus::Ok);
    assert!(probe.message.contains("The password is not right.") && !format!("{probe:?}").contains("wrong"));
    assert!(site.posts().is_empty());
}

#[tokio::test]
async fn what_fails_is_among_the_answers() {
    let (site, client) = site().await;
    for _ in 0..2 {
        site.trouble("DELETE", "wp/v2/posts", Trouble::Status("403 Forbidden", "", "{\"message\":\"No.\"}"));
    }
    site.trouble("DELETE", "wp/v2/media", Trouble::Status("403 Forbidden", "", "{\"message\":\"No.\"}"));
    let probe = client.probe().await;
    assert!(probe.success, "articles can be published all the same");
    assert_eq!(status(&probe, CapabilityId::Publish), CapabilityStatus::Warning);
    assert_eq!(status(&probe, CapabilityId::Upload), CapabilityStatus::Warning);
    let seen = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::Publish).unwrap();
    assert!(seen.evidence.contains(&format!("post {}", site.posts()[0]["id"])), "{seen:?}");
    let fresh = self::client(&site);
    // Drafts of earlier probes are looked for first.
    site.trouble("GET", "wp/v2/posts", Trouble::Page);
    site.trouble("GET", "wp/v2/posts", Trouble::Page);
    site.trouble("POST", "wp/v2/media", Trouble::Status("413 Too Large", "", ""));
    let probe = fresh.probe().await;
    assert_eq!(status(&probe, CapabilityId::Cron), CapabilityStatus::Unknown);
    // The picture of the first probe is still there, so none is sent.
    assert_eq!(status(&probe, CapabilityId::Upload), CapabilityStatus::Ok);

    let site = FakeWordPress::start(Like { namespaces: vec!["wp/v2", "yoast/v1"], ..Like::default() }).await;
    let probe = self::client(&site).probe().await;
    assert_eq!(status(&probe, CapabilityId::Blocks), CapabilityStatus::Warning);
    let seo = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::SeoMeta).unwrap();
    assert!(seo.evidence.starts_with("Yoast SEO has no way in"), "{seo:?}");
    site.trouble("GET", "", Trouble::Stall);
    let probe = hasty(&site).probe().await;
    assert!(!probe.success && probe.message.contains("did not answer"), "{probe:?}");
}

#[tokio::test]
async fn a_slow_site_is_not_asked_everything() {
    let (site, _) = site().await;
    let client = client_with(WordPressSettings { probe_time: std::time::Duration::ZERO, ..settings(&site.url()) });
    let probe = client.probe().await;
    assert!(!probe.success && probe.message.contains("answers slowly"), "{probe:?}");
    for id in [CapabilityId::Upload, CapabilityId::Publish, CapabilityId::SeoMeta, CapabilityId::Cron] {
        assert_eq!(status(&probe, id), CapabilityStatus::Unknown);
    }
    let written = site.peer().asked().into_iter().filter(|request| request.head.starts_with("POST"));
    assert_eq!(written.count(), 0);
}

/// What a killed probe has left is removed by the next one; what people have made of it stays.
#[tokio::test]
async fn drafts_of_earlier_probes_are_removed() {
    let (site, client) = site().await;
    for _ in 0..2 {
        site.trouble("DELETE", "wp/v2/posts", Trouble::Status("403 Forbidden", "", "{\"code\":\"x\"}"));
    }
    client.probe().await;
    let left = site.posts();
    assert_eq!(left.len(), 1);
    let theirs = site.make_again(left[0]["id"].as_u64().unwrap());
    site.edit(theirs, |post| post["title"]["raw"] = "Mine now".into());
    site.change(|like| like.search_is_late = true);
    assert!(client.probe().await.success);
    let ids: Vec<_> = site.posts().iter().map(|post| post["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [theirs]);
}

#[tokio::test]
async fn a_draft_whose_answer_was_lost_is_no_missing_right() {
    let (site, client) = site().await;
    site.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    let probe = client.probe().await;
    let seen = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::Publish).unwrap();
    assert_eq!(seen.status, CapabilityStatus::Failed);
    assert!(seen.help.starts_with("Try again") && seen.evidence.contains("deleted again"), "{seen:?}");
    assert!(site.posts().is_empty());
    site.trouble("DELETE", "wp/v2/posts", Trouble::AnswerLost);
    assert_eq!(status(&client.probe().await, CapabilityId::Publish), CapabilityStatus::Ok);
    let code = "{\"code\":\"rest_cannot_create\",\"message\":\"No.\"}";
    site.trouble("POST", "wp/v2/posts", Trouble::Status("403 Forbidden", "", code));
    let probe = client.probe().await;
    let seen = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::Publish).unwrap();
    assert!(seen.help.contains("role of an author"), "{seen:?}");
}

#[tokio::test]
async fn a_scheduled_post_that_is_late_is_seen_in_every_time_zone() {
    let (site, client) = site().await;
    let late = site.write("late", "<p>Late</p>");
    let date = (chrono::Utc::now() - chrono::TimeDelta::minutes(30)).format("%Y-%m-%dT%H:%M:%S").to_string();
    site.edit(late, |post| (post["status"], post["date_gmt"]) = ("future".into(), date.into()));
    assert_eq!(status(&client.probe().await, CapabilityId::Cron), CapabilityStatus::Warning);
}

#[tokio::test]
async fn a_site_that_is_closed_to_strangers_is_open_to_the_login() {
    for has_pretty_permalinks in [true, false] {
        let like = Like { is_closed_to_strangers: true, has_pretty_permalinks, ..Like::default() };
        let site = FakeWordPress::start(like).await;
        let probe = client(&site).probe().await;
        assert!(probe.success, "{probe:?}");
        let root = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::RestRoot).unwrap();
        assert!(root.evidence.ends_with("open to those only who log in"), "{root:?}");
        let wrong = WordPressSettings { app_password: Hidden::new("wrong"), ..settings(&site.url()) };
        let probe = client_with(wrong).probe().await;
        assert!(!probe.success);
        if has_pretty_permalinks {
            let says = "the site did not open its REST interface to this login (401: REST API restricted";
            assert!(probe.message.starts_with(says), "{}", probe.message);
        }
    }
}

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
    site.trouble("DELETE", "wp/v2/posts", Trouble::Status("403 Forbidden", "", "{\"message\":\"No.\"}"));
    site.trouble("DELETE", "wp/v2/media", Trouble::Status("403 Forbidden", "", "{\"message\":\"No.\"}"));
    let probe = client.probe().await;
    assert!(probe.success, "articles can be published all the same");
    assert_eq!(status(&probe, CapabilityId::Publish), CapabilityStatus::Warning);
    assert_eq!(status(&probe, CapabilityId::Upload), CapabilityStatus::Warning);
    let seen = probe.capabilities.iter().find(|seen| seen.id == CapabilityId::Publish).unwrap();
    assert!(seen.evidence.contains(&format!("post {}", site.posts()[0]["id"])), "{seen:?}");
    let fresh = self::client(&site);
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

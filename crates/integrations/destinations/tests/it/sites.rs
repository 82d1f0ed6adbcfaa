//! Sites of all sorts: where their interface is, what their users may, what their plugins take.

use galley_destinations::{
    ContentForm, Destination, Post, PreviewAction, RemoteStatus, Removal, SeoMeta, SeoOutcome, TermKind, WordPress,
    WordPressSettings, differences, wordpress_clients,
};
use galley_domain::Hidden;
use galley_testpeer::{
    AGENT, policy,
    wordpress::{FakeWordPress, Like, Trouble, USER},
};

use crate::support::{ARTICLE, client, client_with, known, post, settings, site};

async fn like(change: impl FnOnce(&mut Like)) -> (FakeWordPress, WordPress) {
    let mut like = Like::default();
    change(&mut like);
    let site = FakeWordPress::start(like).await;
    let client = client(&site);
    (site, client)
}

#[tokio::test]
async fn the_interface_is_found_where_it_is() {
    let (site, client) = like(|like| like.has_pretty_permalinks = false).await;
    let done = client.publish(post(), None).await.unwrap();
    assert_eq!(site.posts().len(), 1);
    assert!(client.publish(post(), Some(&known(&done))).await.unwrap().already_there);

    // A site whose wp-json/ is closed and whose home page names no other.
    let (site, client) = like(|like| like.namespaces = vec!["oembed/1.0"]).await;
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("no WordPress REST interface"), "{fault}");
    assert!(site.posts().is_empty());
    let (site, client) = like(|_| {}).await;
    site.trouble("GET", "", Trouble::Status("502 Bad Gateway", "", ""));
    site.trouble("GET", "", Trouble::Status("502 Bad Gateway", "", ""));
    site.trouble("GET", "", Trouble::Status("502 Bad Gateway", "", ""));
    assert!(client.publish(post(), None).await.unwrap_err().is_transient());
    assert!(client.publish(post(), None).await.is_ok(), "what failed is not remembered");
}

/// A page may name any address; only those of the site itself are asked.
#[tokio::test]
async fn an_interface_elsewhere_is_not_asked() {
    let other = FakeWordPress::start(Like::default()).await;
    let links_to = Some(format!("{}/wp-json/", other.url()));
    let (_site, client) = like(|like| (like.has_pretty_permalinks, like.links_to) = (false, links_to)).await;
    client.publish(post(), None).await.expect("it is behind ?rest_route=");
    assert_eq!(other.peer().connections(), 0);
}

#[tokio::test]
async fn addresses_and_logins_that_are_none_are_refused() {
    let refused = |settings: WordPressSettings| {
        let clients = wordpress_clients(policy(&[]), AGENT).unwrap();
        let fault = WordPress::new(settings, clients).unwrap_err();
        assert!(!fault.is_transient());
        fault.to_string()
    };
    let inner = refused(WordPressSettings::new("http://127.0.0.1:8081", USER, Hidden::new("x")));
    assert!(inner.contains("outside the public internet") && inner.contains("fetch.allow"), "{inner}");
    assert!(refused(WordPressSettings::new("ftp://example.com", USER, Hidden::new("x"))).contains("`ftp:`"));
    assert!(refused(WordPressSettings::new("https://u:p@example.com", USER, Hidden::new("x"))).contains("password"));
    assert!(refused(WordPressSettings::new("https://example.com", "a:b", Hidden::new("x"))).contains("colon"));
    assert!(refused(WordPressSettings::new("https://example.com", " ", Hidden::new("x"))).contains("user name"));
    assert!(refused(WordPressSettings::new("https://example.com", "a", Hidden::new(" "))).contains("is empty"));
}

#[tokio::test]
async fn terms_are_made_once_or_never() {
    let (site, client) = site().await;
    client.publish(post(), None).await.unwrap();
    let same = Post {
        categories: vec!["drinks > hot &amp; STRONG".into(), "Drinks > Hot & strong".into(), "Drinks".into()],
        tags: vec!["tea &amp; herbs".into(), "TEA & HERBS".into()],
        version: 2,
        ..post()
    };
    let done = client.publish(same, None).await.unwrap();
    assert_eq!(done.fields.categories, ["Drinks > Hot & strong", "Drinks"]);
    assert_eq!(done.fields.tags, ["Tea & herbs"]);
    assert_eq!((site.terms("categories").len(), site.terms("tags").len()), (3, 1));

    let never = client_with(WordPressSettings { create_terms: false, ..settings(&site.url()) });
    let post = Post { tags: vec!["New".into(), "Tea & herbs".into()], category_ids: vec![1], version: 3, ..post() };
    let done = never.publish(post, None).await.unwrap();
    assert_eq!(done.warnings, ["the tag \"New\" is not there, and none are made"]);
    assert_eq!(done.fields.tags, ["Tea & herbs"]);
    assert_eq!(done.fields.categories, ["Drinks > Hot & strong", "Uncategorized"]);
    let listed = client.terms(TermKind::Category).await.unwrap();
    assert_eq!(
        listed.iter().map(|term| term.name.as_str()).collect::<Vec<_>>(),
        ["Uncategorized", "Drinks", "Hot & strong"]
    );
    assert_eq!(listed[2].parent, listed[1].id);
}

/// Others made them meanwhile, or the site's search is blind to them.
#[tokio::test]
async fn a_term_that_is_refused_as_a_second_one_is_the_first() {
    let (site, client) = like(|like| like.hides_terms = true).await;
    client.publish(post(), None).await.unwrap();
    let again = Post { article_id: uuid::Uuid::from_u128(2), slug: "other".into(), ..post() };
    let done = client.publish(again, None).await.unwrap();
    assert_eq!((done.fields.tags, done.warnings), (vec!["Tea & herbs".to_owned()], vec![]));
    assert_eq!((site.terms("categories").len(), site.terms("tags").len()), (3, 1));
}

#[tokio::test]
async fn what_people_write_about_a_picture_stays() {
    let (site, client) = site().await;
    let first = client.publish(post(), None).await.unwrap();
    let cover: u64 = first.fields.featured.as_ref().unwrap().id.parse().unwrap();
    let alt = |site: &FakeWordPress| {
        let media = site.media().into_iter().find(|media| media["id"] == cover).unwrap();
        media["alt_text"].as_str().unwrap().to_owned()
    };
    let with = |version, alt: &str| {
        let mut post = Post { version, ..post() };
        post.assets[0].alt = alt.to_owned();
        post
    };
    let second = client.publish(with(2, "Ours, anew"), Some(&known(&first))).await.unwrap();
    assert_eq!(alt(&site), "Ours, anew");
    site.describe(cover, "Theirs");
    client.publish(with(3, "Ours, again"), Some(&known(&second))).await.unwrap();
    assert_eq!(alt(&site), "Theirs");
    site.describe(cover, "");
    client.publish(with(4, "Ours, again"), Some(&known(&second))).await.unwrap();
    assert_eq!(alt(&site), "Ours, again");
}

/// An address holds so much only.
#[tokio::test]
async fn long_captions_go_in_a_request_of_their_own() {
    let (site, client) = site().await;
    let mut long = post();
    (long.assets[0].caption, long.assets[0].alt) = ("ж".repeat(1_900), "й".repeat(1_900));
    client.publish(long.clone(), None).await.unwrap();
    let media = site.media();
    let cover = media.iter().find(|media| media["caption"].as_str().unwrap().starts_with('ж')).unwrap();
    assert_eq!(cover["alt_text"], long.assets[0].alt);
    assert!(site.peer().paths().iter().all(|path| path.len() < 8_000));
}

#[tokio::test]
async fn a_user_who_may_not_make_categories_is_told() {
    let (_site, client) = like(|like| like.capabilities.retain(|name| *name != "manage_categories")).await;
    let done = client.publish(post(), None).await.unwrap();
    assert_eq!(done.warnings, ["the category \"Drinks > Hot & strong\" is not there, and editor may not make it"]);
    let (site, client) = like(|like| like.capabilities.retain(|name| *name != "publish_posts")).await;
    let fault = client.publish(post(), None).await.unwrap_err();
    assert!(fault.to_string().contains("not allowed to publish posts"), "{fault}");
    assert!(!fault.is_transient() && site.posts().is_empty());
}

#[tokio::test]
async fn what_a_plugin_keeps_is_written_and_what_it_loses_is_ignored() {
    let yoast = vec!["_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw"];
    let (site, client) = like(|like| like.meta_keys = yoast.clone()).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::Written);
    assert_eq!(site.posts()[0]["meta"]["_yoast_wpseo_title"], "Tea &amp; co");
    let (_site, client) = like(|like| (like.meta_keys, like.forgets_meta) = (yoast, true)).await;
    let done = client.publish(post(), None).await.unwrap();
    assert_eq!(done.seo_meta, SeoOutcome::Ignored);
    assert!(done.warnings[0].contains("did not keep"), "{:?}", done.warnings);

    let rank_math = |like: &mut Like| like.namespaces.push("rankmath/v1");
    let (_site, client) = like(rank_math).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::Written, "the page shows it");
    let (_site, client) = like(|like| (rank_math(like), like.forgets_meta = true).0).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::Unknown);
    let (site, client) = like(rank_math).await;
    site.trouble("POST", "rankmath/v1", Trouble::Status("403 Forbidden", "", "{\"message\":\"No.\"}"));
    let done = client.publish(post(), None).await.unwrap();
    assert_eq!(done.seo_meta, SeoOutcome::NotSupported);
    assert!(done.warnings[0].contains("the site did not take the SEO fields (403: No.)"), "{:?}", done.warnings);

    let aioseo = |like: &mut Like| like.namespaces.push("aioseo/v1");
    let (site, client) = like(aioseo).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::Written);
    assert_eq!(site.posts()[0]["aioseo_meta_data"]["title"], "Tea & co");
    let (_site, client) = like(|like| (aioseo(like), like.forgets_meta = true).0).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::Ignored);

    let (_site, client) = like(|_| {}).await;
    assert_eq!(client.publish(post(), None).await.unwrap().seo_meta, SeoOutcome::NotSupported);
    let none = Post { seo: SeoMeta::default(), version: 2, ..post() };
    assert_eq!(client.publish(none, None).await.unwrap().seo_meta, SeoOutcome::Unknown, "there was nothing to write");
}

#[tokio::test]
async fn texts_are_blocks_where_the_site_has_them() {
    let (site, client) = site().await;
    client.publish(post(), None).await.unwrap();
    let raw = site.posts()[0]["content"]["raw"].as_str().unwrap().to_owned();
    assert!(raw.starts_with("<!-- wp:paragraph -->\n<p>Text.</p>"), "{raw}");
    assert!(raw.contains("<!-- wp:image {\"id\":") && raw.contains("/wp-content/uploads/leaf-"), "{raw}");
    assert!(raw.contains("Tea &amp; more. Photo: X</figcaption>"), "{raw}");
    assert!(raw.ends_with("-->\n<!-- /wp:html -->"), "{raw}");
    let with_editor = vec!["wp/v2", "wp-block-editor/v1"];
    for (form, namespaces, has_classic_editor) in [
        (ContentForm::Html, with_editor.clone(), false),
        (ContentForm::Auto, vec!["wp/v2"], false),
        (ContentForm::Auto, with_editor, true),
    ] {
        let site = FakeWordPress::start(Like { namespaces, has_classic_editor, ..Like::default() }).await;
        let client = client_with(WordPressSettings { form, ..settings(&site.url()) });
        let done = client.publish(post(), None).await.unwrap();
        assert!(!done.fields.content.contains("<!--"), "{}", done.fields.content);
        let raw = site.posts()[0]["content"]["raw"].as_str().unwrap().to_owned();
        assert!(
            raw.starts_with("<p>Text.</p>") && raw.contains(" -->") && raw.matches("<!-- galley:").count() == 1,
            "{raw}"
        );
    }
}

#[tokio::test]
async fn what_people_change_there_is_seen_field_by_field() {
    let (site, client) = site().await;
    let done = client.publish(post(), None).await.unwrap();
    let read = async || client.read(ARTICLE, Some(&known(&done))).await.unwrap().unwrap();
    assert_eq!(differences(&done.fields, &read().await), []);
    site.edit(done.external_id.parse().unwrap(), |post| {
        post["title"]["raw"] = "Tea &amp; &#8220;time&#8221;".into();
        post["content"]["raw"] = post["content"]["raw"].as_str().unwrap().replace("Text.", "Other text.").into();
        post["featured_media"] = 0.into();
    });
    let fields: Vec<_> = differences(&done.fields, &read().await).into_iter().map(|found| found.field).collect();
    assert_eq!(fields, ["content", "featured_image"]);
}

#[tokio::test]
async fn a_preview_writes_nothing_and_refuses_what_publishing_would() {
    let (site, client) = site().await;
    let gone = galley_destinations::Known {
        external_id: "77".into(),
        url: String::new(),
        slug: "tea".into(),
        mark: None,
        fields: None,
        version: 0,
    };
    let preview = client.preview(post(), Some(&gone)).await.unwrap();
    assert_eq!(preview.action, PreviewAction::Create);
    assert_eq!(preview.warnings, ["post 77 is gone; the article would be made anew"]);
    assert_eq!(
        preview.local.featured.as_ref().map(|cover| (cover.id.as_str(), cover.url.as_str())),
        Some(("", "cover.png"))
    );
    let never = client_with(WordPressSettings { create_terms: false, ..settings(&site.url()) });
    let warned = never.preview(post(), None).await.unwrap().warnings;
    assert_eq!(warned.len(), 2, "{warned:?}");
    assert!(warned[1].contains("the tag \"Tea & herbs\" is not there"), "{warned:?}");
    assert!(site.peer().asked().iter().all(|request| request.head.starts_with("GET")));

    let done = client.publish(post(), None).await.unwrap();
    site.edit(done.external_id.parse().unwrap(), |post| post["status"] = "private".into());
    let bare = Post { excerpt: String::new(), tags: vec![], categories: vec![], assets: vec![], version: 2, ..post() };
    let kept = client.preview(bare.clone(), None).await.unwrap().local;
    assert_eq!((kept.excerpt.as_str(), kept.tags.len(), kept.categories.len()), ("In short.", 1, 1));
    assert!(kept.featured.is_some() && kept.status == RemoteStatus::Private);
    let taken = client.preview(bare, Some(&known(&done))).await.unwrap().local;
    assert_eq!((taken.excerpt.as_str(), taken.tags.len(), taken.featured), ("", 0, None));
    client.remove(ARTICLE, None, Removal::Trash).await.unwrap();
    let fault = client.preview(post(), Some(&known(&done))).await.unwrap_err();
    assert!(!fault.is_transient() && fault.to_string().contains("trash"), "{fault}");
}

#[tokio::test]
async fn what_an_article_never_had_is_theirs_to_choose() {
    let (site, client) = site().await;
    let bare = Post { excerpt: String::new(), tags: vec![], assets: vec![], categories: vec![], ..post() };
    let done = client.publish(bare.clone(), None).await.unwrap();
    assert_eq!(done.fields.categories, ["Uncategorized"]);
    let id = done.external_id.parse().unwrap();
    site.edit(id, |post| {
        (post["tags"], post["featured_media"]) = (serde_json::json!([1]), 7.into());
        post["excerpt"]["raw"] = "Theirs.".into();
    });
    client.publish(Post { version: 2, ..bare.clone() }, Some(&known(&done))).await.unwrap();
    let theirs = &site.posts()[0];
    assert_eq!((&theirs["tags"], &theirs["featured_media"]), (&serde_json::json!([1]), &7.into()));
    assert_eq!(theirs["excerpt"]["raw"], "Theirs.");

    let full = client.publish(Post { version: 3, ..post() }, Some(&known(&done))).await.unwrap();
    assert!(full.fields.featured.is_some() && full.fields.tags.len() == 1);
    client.publish(Post { version: 4, ..bare }, Some(&known(&full))).await.unwrap();
    let ours = &site.posts()[0];
    assert_eq!((&ours["tags"], &ours["featured_media"]), (&serde_json::json!([]), &0.into()), "taken back");
    assert_eq!(ours["excerpt"]["raw"], "");
}

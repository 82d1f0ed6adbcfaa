//! What is ours on a site and what is somebody's own; what an answer that was lost leaves to be done.

use galley_destinations::{AssetRole, Destination, Known, Post, SeoMeta, SeoOutcome};
use galley_testpeer::wordpress::{FakeWordPress, Like, Trouble};
use serde_json::json;

use crate::support::{client, known, picture, post, site};

const YOAST: [&str; 3] = ["_yoast_wpseo_title", "_yoast_wpseo_metadesc", "_yoast_wpseo_focuskw"];

async fn with_yoast() -> FakeWordPress {
    FakeWordPress::start(Like { meta_keys: YOAST.to_vec(), ..Like::default() }).await
}

#[tokio::test]
async fn seo_fields_are_written_after_a_lost_answer() {
    let site = with_yoast().await;
    let client = client(&site);
    site.write("tea", "Theirs.");
    site.trouble("POST", "wp/v2/posts", Trouble::AnswerLost);
    client.publish(post(), None).await.unwrap_err();
    let again = client.publish(post(), None).await.unwrap();
    assert_eq!((again.already_there, again.seo_meta), (true, SeoOutcome::Written));
    assert!(again.warnings[0].contains("the name tea is taken there"), "{:?}", again.warnings);
    let id: u64 = again.external_id.parse().unwrap();
    site.edit(id, |post| post["meta"][YOAST[0]] = "Theirs".into());
    // An answer has arrived: what people change is theirs again.
    client.publish(post(), Some(&known(&again))).await.unwrap();
    let ours = site.posts().into_iter().find(|post| post["id"] == id).unwrap();
    assert_eq!(ours["meta"][YOAST[0]], "Theirs");
    // The next version is lost after the last one was confirmed.
    let second = Post { version: 2, ..post() };
    site.trouble("POST", "wp/v2/posts", Trouble::ErrorAfter);
    client.publish(second.clone(), Some(&known(&again))).await.unwrap_err();
    let again = client.publish(second, Some(&known(&again))).await.unwrap();
    assert_eq!((again.already_there, again.seo_meta), (true, SeoOutcome::Written));
}

/// A post that people have made was brought here and is sent back for the first time.
#[tokio::test]
async fn what_people_set_on_a_post_of_theirs_stays() {
    let site = with_yoast().await;
    let client = client(&site);
    let id = site.write("tea", "<p>Theirs.</p>");
    site.edit(id, |post| {
        (post["featured_media"], post["tags"]) = (7.into(), json!([1]));
        (post["meta"][YOAST[0]], post["meta"][YOAST[1]]) = ("Their title".into(), "Theirs".into());
    });
    let bare = Post {
        title: "Tea".into(),
        excerpt: String::new(),
        tags: vec![],
        categories: vec![],
        assets: vec![],
        seo: SeoMeta { title: "Tea".into(), description: String::new(), focus_keyword: "tea".into() },
        ..post()
    };
    let page = client.list(galley_destinations::Collection::Posts, 1).await.unwrap();
    let item = page.items.into_iter().next().unwrap();
    let mut fields = item.fields;
    fields.featured = Some(galley_destinations::Picture { id: "7".into(), url: String::new(), alt: String::new() });
    let record = Known {
        external_id: id.to_string(),
        url: item.url,
        slug: "tea".into(),
        mark: None,
        fields: Some(fields),
        version: 1,
    };
    let preview = client.preview(bare.clone(), Some(&record)).await.unwrap();
    assert_eq!(preview.local.tags, preview.remote.unwrap().tags);
    let mut sent = client.publish(bare.clone(), Some(&record)).await.unwrap();
    for version in [2, 3] {
        let theirs = &site.posts()[0];
        assert_eq!((&theirs["featured_media"], &theirs["tags"]), (&7.into(), &json!([1])));
        assert_eq!((&theirs["meta"][YOAST[0]], &theirs["meta"][YOAST[1]]), (&"Their title".into(), &"Theirs".into()));
        assert_eq!(theirs["meta"][YOAST[2]], "tea", "what was chosen here arrives");
        let mut record = known(&sent);
        record.fields.as_mut().unwrap().featured =
            Some(galley_destinations::Picture { id: "7".into(), url: String::new(), alt: String::new() });
        sent = client.publish(Post { version, ..bare.clone() }, Some(&record)).await.unwrap();
    }
    let chosen = SeoMeta { title: "Chosen here".into(), ..SeoMeta::default() };
    client.publish(Post { version: 4, seo: chosen, ..bare }, Some(&known(&sent))).await.unwrap();
    assert_eq!(site.posts()[0]["meta"][YOAST[0]], "Chosen here");
}

#[tokio::test]
async fn a_caption_that_did_not_arrive_and_a_credit_that_came_later_are_added() {
    let (site, client) = site().await;
    let with = |version, caption: &str, credit: &str| {
        let mut cover = picture("cover.png", b"cover", AssetRole::Cover);
        (cover.caption, cover.credit) = (caption.into(), credit.into());
        Post { version, markdown_body: "Text.".into(), assets: vec![cover], ..post() }
    };
    client.publish(with(1, "", ""), None).await.unwrap();
    let id = site.media()[0]["id"].as_u64().unwrap();
    let caption = || site.media()[0]["caption"].as_str().unwrap().to_owned();
    client.publish(with(2, "Tea's \"time\" & more.", ""), None).await.unwrap();
    assert_eq!(caption(), "Tea's &quot;time&quot; &amp; more.");
    // As WordPress shows it.
    site.caption(id, "Tea&#8217;s &#8220;time&#8221; &amp; more.");
    client.publish(with(3, "Tea's \"time\" & more.", "Photo: X"), None).await.unwrap();
    assert_eq!(caption(), "Tea's &quot;time&quot; &amp; more. Photo: X");
    site.caption(id, "Theirs.");
    client.publish(with(4, "Tea's \"time\" & more.", "Photo: Y"), None).await.unwrap();
    assert_eq!(caption(), "Theirs.");
}

#[tokio::test]
async fn a_picture_that_is_too_large_for_the_site_is_sent_smaller() {
    let site = FakeWordPress::start(Like { max_upload: 10, ..Like::default() }).await;
    let client = client(&site);
    let with = |smaller: Option<&[u8]>, bytes: Vec<u8>| {
        let mut cover = picture("cover.png", &bytes, AssetRole::Cover);
        cover.smaller = smaller.map(<[u8]>::to_vec);
        Post { markdown_body: "Text.".into(), assets: vec![cover], ..post() }
    };
    let fault = client.publish(with(None, vec![1; 11]), None).await.unwrap_err();
    assert!(fault.to_string().contains("413") && !fault.is_transient(), "{fault}");
    let done = client.publish(with(Some(b"small"), vec![1; 11]), None).await.unwrap();
    assert!(done.fields.featured.is_some());
    assert_eq!(site.media()[0]["bytes"], 5);
    client.publish(Post { version: 2, ..with(Some(b"small"), vec![1; 11]) }, None).await.unwrap();
    assert_eq!(site.media().len(), 1);
    let huge = vec![1; Post::MAX_ASSET_BYTES + 1];
    assert!(client.publish(Post { version: 3, ..with(None, huge.clone()) }, None).await.is_err());
    client.publish(Post { version: 3, ..with(Some(b"small"), huge) }, None).await.unwrap();
    assert_eq!(site.media().len(), 1, "what no destination takes is not tried");
}

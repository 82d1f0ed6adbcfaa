//! What every connector must do, asked of each of them by the same suite.

use std::{collections::BTreeSet, sync::Arc};

use chrono::DateTime;
use galley_destinations::{
    Asset, AssetRole, Destination, Known, Post, PreviewAction, Published, RemoteStatus, Removal, SeoMeta, Visibility,
    differences,
};
use uuid::Uuid;

/// What differs between destinations that all do what they must.
#[derive(Debug, Clone)]
pub struct Conformance {
    /// The articles' numbers begin behind it, so that a real site can be asked again and again.
    pub base: u128,
    /// Bytes that the destination takes for a picture.
    pub picture: Vec<u8>,
    /// A removed article can be brought back there.
    pub has_trash: bool,
    /// Appended to the names of articles, so that those of an earlier run are not in the way.
    pub slugs: String,
}

impl Default for Conformance {
    fn default() -> Self {
        Self { base: 0, picture: vec![0x89, b'P', b'N', b'G'], has_trash: false, slugs: String::new() }
    }
}

impl Conformance {
    fn id(&self, article: u128) -> Uuid {
        Uuid::from_u128(self.base + article)
    }

    fn post(&self, article: u128, version: u32, slug: &str) -> Post {
        Post {
            article_id: self.id(article),
            version,
            slug: format!("{slug}{}", self.slugs),
            title: format!("Title {version}"),
            excerpt: "In short.".to_owned(),
            seo: SeoMeta { description: "What it is about.".to_owned(), ..SeoMeta::default() },
            keywords: vec!["tea".to_owned()],
            categories: vec!["Drinks > Hot & strong".to_owned()],
            category_ids: Vec::new(),
            tags: vec!["Tea".to_owned()],
            language: "en".to_owned(),
            date: DateTime::UNIX_EPOCH,
            modified: None,
            visibility: Visibility::Publish,
            overwrite: false,
            markdown_body: format!("Text of version {version}.\n\n![A leaf](leaf.png)\n"),
            assets: vec![self.asset("cover.png", AssetRole::Cover), self.asset("leaf.png", AssetRole::Inline)],
        }
    }

    fn asset(&self, name: &str, role: AssetRole) -> Asset {
        Asset {
            name: name.to_owned(),
            bytes: self.picture.clone(),
            smaller: None,
            alt: "A cup".to_owned(),
            caption: "Tea at noon.".to_owned(),
            credit: "Photo: A. Painter".to_owned(),
            role,
        }
    }
}

fn known(published: &Published) -> Known {
    Known {
        external_id: published.external_id.clone(),
        url: published.url.clone(),
        slug: published.slug.clone(),
        mark: None,
        fields: Some(published.fields.clone()),
        version: published.version,
    }
}

/// Panics with what a destination does not do. It must be empty.
pub async fn destination(destination: Arc<dyn Destination>) {
    conforms(destination, &Conformance::default()).await;
}

/// As [`destination`], with what is particular about it.
pub async fn conforms(destination: Arc<dyn Destination>, given: &Conformance) {
    let to = &*destination;
    assert!(!to.name().is_empty(), "it has a name for the ledger");
    nothing_there(to, given).await;
    let probe = to.probe().await;
    assert!(probe.success && !probe.capabilities.is_empty(), "it can be published to: {probe:?}");
    let first = published_once(to, given).await;
    updated_in_place(to, given, &first).await;
    hidden_and_shown(to, given, &first).await;
    let namesake = to.publish(given.post(2, 1, "tea"), None).await.expect("another article may want the same name");
    assert_ne!(namesake.external_id, first.external_id, "and gets a place of its own");
    assert_ne!(namesake.url, first.url);
    at_once(&destination, given).await;
    removed(to, given, &first).await;
}

async fn nothing_there(to: &dyn Destination, given: &Conformance) {
    let id = given.id(1);
    assert!(to.look_up(id, None).await.expect("looking is no fault").is_none(), "nothing is there yet");
    assert!(to.read(id, None).await.expect("reading is no fault").is_none());
    assert!(!to.unpublish(id, None).await.expect("hiding nothing is no fault"));
    for how in [Removal::Trash, Removal::Delete] {
        assert!(!to.remove(id, None, how).await.expect("removing nothing is no fault"), "nothing can be removed");
    }
    let bad = to.publish(Post { title: String::new(), ..given.post(1, 1, "tea") }, None).await;
    assert!(!bad.expect_err("what must not be written is refused").is_transient());
}

async fn published_once(to: &dyn Destination, given: &Conformance) -> Published {
    let id = given.id(1);
    let preview = to.preview(given.post(1, 1, "tea"), None).await.expect("it is previewed");
    assert_eq!((preview.action, &preview.target, &preview.remote), (PreviewAction::Create, &None, &None));
    assert!(to.look_up(id, None).await.expect("looked up").is_none(), "and nothing is made");
    let first = to.publish(given.post(1, 1, "tea"), None).await.expect("it is published");
    assert!(!first.already_there);
    let again = to.preview(given.post(1, 1, "tea"), Some(&known(&first))).await.expect("it is previewed");
    assert_eq!((again.action, again.warnings.as_slice()), (PreviewAction::None, &[][..]));
    assert_eq!(differences(&again.local, &first.fields), [], "what was foreseen is what came");
    assert_eq!((first.status, first.version, first.warnings.as_slice()), (RemoteStatus::Published, 1, &[][..]));
    assert_eq!((first.fields.title.as_str(), first.fields.excerpt.as_str()), ("Title 1", "In short."));
    assert!(first.fields.content.contains("Text of version 1."), "{}", first.fields.content);
    assert_eq!(first.fields.tags, ["Tea"]);
    assert_eq!(first.fields.categories, ["Drinks > Hot & strong"]);
    assert_eq!(first.fields.featured.as_ref().map(|cover| cover.alt.as_str()), Some("A cup"));
    for known in [None, Some(&known(&first))] {
        let again = to.publish(given.post(1, 1, "tea"), known).await.expect("the same again is no fault");
        assert!(again.already_there, "it is not made twice");
        assert_eq!((&again.external_id, &again.url), (&first.external_id, &first.url));
        let found = to.look_up(id, known).await.expect("looked up").expect("it is there");
        assert_eq!((found.version, found.status), (1, RemoteStatus::Published));
        assert_eq!((&found.external_id, &found.url, &found.slug), (&first.external_id, &first.url, &first.slug));
        let read = to.read(id, known).await.expect("read").expect("it is there");
        assert_eq!(differences(&first.fields, &read), [], "nobody has changed anything");
    }
    first
}

async fn updated_in_place(to: &dyn Destination, given: &Conformance, first: &Published) {
    let second = Post { tags: vec!["Tea".to_owned(), "Leaves".to_owned()], ..given.post(1, 2, "tea-renamed") };
    let preview = to.preview(second.clone(), Some(&known(first))).await.expect("it is previewed");
    let target = preview.target.map(|target| (target.external_id, target.version));
    assert_eq!((preview.action, target), (PreviewAction::Update, Some((first.external_id.clone(), 1))));
    let remote = preview.remote.expect("it is there");
    let changed: Vec<_> = differences(&preview.local, &remote).into_iter().map(|found| found.field).collect();
    assert_eq!(changed, ["title", "content", "tags"], "what would change");
    let second = to.publish(second, Some(&known(first))).await.expect("it is updated");
    assert_eq!(differences(&preview.local, &second.fields), [], "is what has changed");
    assert_eq!(second.external_id, first.external_id, "in its place");
    assert_eq!(second.url, first.url, "whatever it is called now");
    assert!(!second.already_there);
    let found = to.look_up(given.id(1), None).await.expect("looked up").expect("it is there");
    assert_eq!((found.version, &found.external_id), (2, &first.external_id));
    let read = to.read(given.id(1), None).await.expect("read").expect("it is there");
    assert!(read.content.contains("Text of version 2."), "{}", read.content);
    let changed: BTreeSet<_> = differences(&first.fields, &read).into_iter().map(|found| found.field).collect();
    assert_eq!(changed.into_iter().collect::<Vec<_>>(), ["content", "tags", "title"]);
    let older = to.preview(given.post(1, 1, "tea"), Some(&known(&second))).await;
    assert!(!older.expect_err("an older version is refused beforehand").is_transient());
    let older = to.publish(given.post(1, 1, "tea"), Some(&known(&second))).await;
    assert!(!older.expect_err("an older version does not come back by itself").is_transient());
    let forced = Post { title: "Other".to_owned(), overwrite: true, ..given.post(1, 2, "tea") };
    let forced = to.publish(forced, Some(&known(&second))).await.expect("it is written over");
    assert_eq!((forced.already_there, forced.fields.title.as_str()), (false, "Other"));
}

async fn hidden_and_shown(to: &dyn Destination, given: &Conformance, first: &Published) {
    let id = given.id(1);
    assert!(to.unpublish(id, Some(&known(first))).await.expect("it is hidden"));
    let hidden = to.look_up(id, None).await.expect("looked up").expect("it is there");
    assert_eq!((hidden.status, hidden.version, &hidden.external_id), (RemoteStatus::Draft, 2, &first.external_id));
    assert!(to.unpublish(id, None).await.expect("a draft stays one"));
    let shown = to.publish(given.post(1, 2, "tea"), Some(&known(first))).await.expect("it is shown");
    assert_eq!((shown.status, shown.already_there), (RemoteStatus::Published, false));
    assert_eq!((&shown.external_id, &shown.url), (&first.external_id, &first.url), "in its place");
    let draft = Post { visibility: Visibility::Draft, ..given.post(4, 1, "draft") };
    let draft = to.publish(draft, None).await.expect("a draft is made");
    assert_eq!(draft.status, RemoteStatus::Draft);
    let found = to.look_up(given.id(4), None).await.expect("looked up").expect("drafts are found");
    assert_eq!((found.status, found.external_id), (RemoteStatus::Draft, draft.external_id));
}

/// Eight at once make one; eight articles that want one name and one new tag all get a place.
async fn at_once(destination: &Arc<dyn Destination>, given: &Conformance) {
    let publish = |article: u128, tag: &str| {
        let destination = Arc::clone(destination);
        let post = Post { tags: vec![tag.to_owned()], ..given.post(article, 1, "coffee") };
        tokio::spawn(async move { destination.publish(post, None).await.expect("it is published") })
    };
    let mut made = 0;
    for publication in (0..8).map(|_| publish(3, "Coffee")).collect::<Vec<_>>() {
        made += usize::from(!publication.await.expect("no panic").already_there);
    }
    assert_eq!(made, 1, "of eight at once one makes it");
    let mut places = BTreeSet::new();
    for publication in (10..18).map(|article| publish(article, "New & fresh")).collect::<Vec<_>>() {
        let published = publication.await.expect("no panic");
        assert_eq!(published.fields.tags, ["New & fresh"]);
        places.insert(published.external_id);
    }
    assert_eq!(places.len(), 8, "each has a place of its own");
}

async fn removed(to: &dyn Destination, given: &Conformance, first: &Published) {
    let id = given.id(1);
    to.tidy().await.expect("tidying is no fault");
    assert!(to.remove(id, None, Removal::Trash).await.expect("it is removed"));
    assert!(!to.remove(id, None, Removal::Trash).await.expect("once"), "and is gone then");
    assert!(!to.unpublish(id, Some(&known(first))).await.expect("no fault"), "what is gone is not hidden");
    let left = to.look_up(id, Some(&known(first))).await.expect("looked up").map(|found| found.status);
    assert_eq!(left, given.has_trash.then_some(RemoteStatus::Trashed));
    if given.has_trash {
        let refused = to.publish(given.post(1, 3, "tea"), Some(&known(first))).await;
        let fault = refused.expect_err("what somebody put into the trash stays there");
        assert!(!fault.is_transient() && fault.to_string().contains("trash"), "{fault}");
        assert!(to.remove(id, None, Removal::Delete).await.expect("it is deleted"));
        assert!(!to.remove(id, None, Removal::Delete).await.expect("once"));
    }
    assert!(to.look_up(id, Some(&known(first))).await.expect("looked up").is_none());
    let anew = to.publish(given.post(1, 3, "tea"), Some(&known(first))).await.expect("it is published anew");
    assert!(!anew.already_there && anew.warnings.iter().any(|said| said.contains("gone")), "{:?}", anew.warnings);
    for article in [1, 4].into_iter().chain(10..18) {
        assert!(to.remove(given.id(article), None, Removal::Delete).await.expect("it is removed"), "{article}");
    }
    assert!(to.look_up(given.id(1), None).await.expect("looked up").is_none());
    assert!(to.look_up(given.id(2), None).await.expect("looked up").is_some(), "the others stay");
}

//! Images of sources: read with their place, kept with their source, put into the text and published.

use std::{fs, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use galley_domain::{
    OrgId,
    image::{ImageSource, SourceImages},
    order::ArticleOrder,
};
use galley_fetch::{FetchLimits, Fetcher, address::Policy};
use galley_files::{Picture, PictureContent};
use galley_images::{Card, render_card};
use galley_services::{FoundPicture, TaskView, Upload};
use galley_store::rows;
use galley_testkit::{Harness, brief, order};
use galley_testpeer::{Peer, Reply, Request};
use uuid::Uuid;

fn png(title: &str) -> Vec<u8> {
    let card = Card { title: title.into(), subtitle: None, language: "en".into(), seed: 7 };
    render_card(&card).unwrap().png
}

/// A header of 30,000 × 30,000 pixels, and nothing behind it.
fn bomb() -> Vec<u8> {
    let mut picture = png("Bomb");
    picture[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let sum = crc32(&picture[12..29]);
    picture[29..33].copy_from_slice(&sum.to_be_bytes());
    picture
}

/// As chunks of a PNG have it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    })
}

fn answer(head: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

const STONES: &str = "The upper stone of the mill at Wray turns about its spindle 120 times a minute.";
const HOPPER: &str = "The hopper of the mill holds two sacks of grain, which run through the eye into the gap.";

/// More of the mill, so that there is enough to write from.
const MORE: &str = "The mill at Wray was built in 1782 by a carpenter from the next valley. Its building has three floors, of which the \
    lowest holds the gears. A sack hoist lifts the grain to the top floor in two minutes. The wheel has a diameter of five metres and \
    carries forty buckets of elm. Oak beams of the roof were renewed after a fire in 1861. The mill ground barley and oats for the farms of \
    the parish until 1938. A trust bought the mill in 1974 and repaired the wheel over six years. Volunteers of the trust grind wheat at the \
    mill on the first Sunday of each month. Visitors of the mill may carry a bag of flour home for four pounds. The flour of the mill is \
    sieved once through a cloth of silk. School classes visit the mill in spring and bake bread from its flour.";

/// A page of three sections with pictures, of which the last ones cannot be had.
fn page() -> String {
    let more = "The miller dresses the stones of the mill every spring, because worn furrows warm the flour and spoil it. The \
                wheel of the mill takes its water from a leat of 300 metres, and a gate lets the miller stop it within a minute.";
    let bad: String = ["bomb.png", "lying.png", "drawing.svg", "half.png", "missing.png", "large.png", "dot.png"]
        .iter()
        .map(|name| {
            format!("<p>The mill also has {name} in its yard, as visitors see.</p><img src='/{name}' alt='{name}'>")
        })
        .collect();
    format!(
        "<!doctype html><html lang=en><head><title>How the mill at Wray grinds</title></head><body>
         <header><nav><img src='/logo.png' alt='Mills' width=300 height=200></nav></header><main><article>
         <h1>How the mill at Wray grinds</h1><p>{more}</p><h2>The stones</h2><p>{STONES}</p>
         <figure><img src='/stones.png' alt='Two millstones'><figcaption>The stones after their dressing</figcaption></figure>
         <h2>The hopper</h2><p>{HOPPER}</p><img src='/hopper.png' alt='A hopper of oak'><img src='/pixel.gif' width=1 height=1 alt=x>
         <h2>The yard</h2><p>{MORE}</p>{bad}
         <img src='http://10.0.0.1/inside.png' alt='Inside'></article></main></body></html>"
    )
}

async fn site() -> Peer {
    let (stones, hopper) = (png("Stones"), png("Hopper"));
    Peer::start(move |request: &Request| match request.path.as_str() {
        "/mill" => answer("200 OK\r\nContent-Type: text/html; charset=utf-8", page().as_bytes()),
        "/stones.png" => answer("200 OK", &stones),
        "/hopper.png" => answer("200 OK", &hopper),
        "/bomb.png" => answer("200 OK", &bomb()),
        "/lying.png" => answer("200 OK\r\nContent-Type: image/png", b"<html>no picture</html>"),
        "/half.png" => answer("200 OK", &hopper[..2_000]),
        "/dot.png" => answer("200 OK", &STANDARD.decode(DOT).unwrap()),
        "/large.png" => {
            Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\nConnection: close\r\n\r\n".to_vec())
        }
        _ => answer("404 Not Found", b""),
    })
    .await
}

/// One pixel.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

async fn harness_for(peer: &Peer) -> Harness {
    let rule = peer.address.to_string().parse().unwrap();
    Harness::builder().keyring().settings(|settings| settings.links = Policy::new(vec![rule])).build().await
}

async fn ordered(harness: &Harness, change: impl FnOnce(&mut ArticleOrder)) -> (TaskView, rows::Article) {
    let mut ordered = ArticleOrder { brief: brief("How the mill at Wray grinds", 100, 400), ..order() };
    change(&mut ordered);
    let task = harness.services.order(&harness.principal, ordered, "t", None).await.unwrap().value.task_id;
    let view = harness.completed(task).await;
    let article = harness.services.article(harness.principal.org, view.row.subject_id.unwrap()).await.unwrap();
    (view, article)
}

async fn images(harness: &Harness, org: OrgId, article: Uuid) -> Vec<rows::Image> {
    let all = harness.services.store().tenant(org).images(&[article]).await.unwrap();
    all.into_iter().filter(|image| image.source.0 == ImageSource::Article).collect()
}

fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path.display().to_string()) }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_of_a_page_stand_behind_their_passage_and_go_out_with_the_article() {
    let peer = site().await;
    let harness = harness_for(&peer).await;
    let engine = harness.extractive();
    let link = peer.url("/mill");
    let (view, article) = ordered(&harness, |order| {
        order.reference_links = vec![link.clone()];
        order.source_images = SourceImages::Place;
    })
    .await;
    engine.stop().await;
    let org = harness.principal.org;
    let kept = images(&harness, org, article.id).await;
    let alts: Vec<&str> = kept.iter().map(|image| image.alt_text.as_str()).collect();
    assert_eq!(alts, ["Two millstones", "A hopper of oak"], "{}", view.row.warnings);
    assert!(kept.iter().all(|image| !image.is_featured && image.kind == "png" && image.stored_bytes > 0));
    let place = kept[0].place_in_source().unwrap().unwrap();
    assert_eq!(
        (place.heading.as_deref(), place.caption.as_str()),
        (Some("The stones"), "The stones after their dressing")
    );
    assert_eq!(place.address, Some(peer.url("/stones.png")));
    assert_eq!(kept[0].credit.as_ref().unwrap()["url"], link);
    let warnings = view.row.warnings.to_string();
    // Six that are not taken, one of them a 404, one too large, one inside; the logo is furniture and not counted.
    for told in ["left out: 9", "1 are decoration", "3 could not be fetched", "30000 × 30000"] {
        assert!(warnings.contains(told), "{told}: {warnings}");
    }
    assert!(!peer.paths().iter().any(|path| path.contains("logo") || path.contains("pixel")), "{:?}", peer.paths());

    let text = &article.content_markdown;
    let shown = format!("![Two millstones](/api/v1/images/{})\n\n*The stones after their dressing* [1]", kept[0].id);
    let (before, _) = text.split_once(&shown).unwrap_or_else(|| panic!("{shown} in {text}"));
    assert!(before.trim_end().lines().next_back().unwrap().contains(STONES), "{text}");
    assert!(text.contains(&format!("![A hopper of oak](/api/v1/images/{})", kept[1].id)), "{text}");

    let folder = harness.site().join(&article.slug);
    let published = fs::read_to_string(folder.join("index.md")).unwrap();
    for image in &kept {
        let name = format!("image-{}.png", image.id);
        assert!(published.contains(&format!("]({name})")), "{published}");
        assert!(fs::read(folder.join(&name)).unwrap().starts_with(b"\x89PNG"));
    }
    harness.assert_books_closed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_offered_unless_the_order_says_otherwise_and_files_bring_them_too() {
    let peer = site().await;
    let harness = harness_for(&peer).await;
    let engine = harness.extractive();
    let org = harness.principal.org;
    let text = format!(
        "# The mill at Wray\n\n{STONES}\n\n![Two stones](data:image/png;base64,{})\n\n{HOPPER}\n\n![gone](gone.png)\n\n{}",
        STANDARD.encode(png("Data")),
        MORE
    );
    let upload = Upload { name: "mill.md".into(), bytes: text.into_bytes().into() };
    let file = harness.services.upload(org, upload, None).await.unwrap().value.id;
    let (_, offered) = ordered(&harness, |order| order.uploaded_files = vec![file]).await;
    let kept = images(&harness, org, offered.id).await;
    assert_eq!((kept.len(), kept[0].alt_text.as_str(), kept[0].credit.clone()), (1, "Two stones", None));
    assert!(!offered.content_markdown.contains("/api/v1/images/"), "{}", offered.content_markdown);
    // Not the featured one, which is the title card.
    let featured = harness.services.store().tenant(org).featured_images(&[offered.id]).await.unwrap();
    assert_eq!(featured[0].source.0, ImageSource::Card);

    let (view, none) = ordered(&harness, |order| {
        order.uploaded_files = vec![file];
        order.source_images = SourceImages::None;
    })
    .await;
    assert_eq!(images(&harness, org, none.id).await.len(), 0);
    assert!(!view.row.warnings.to_string().contains("images of the sources"), "{}", view.row.warnings);
    engine.stop().await;

    let (other, _) = harness.other_tenant().await;
    assert_eq!(images(&harness, other.org, offered.id).await.len(), 0, "another tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_attempt_stores_nothing_twice_and_what_a_killed_one_leaves_is_swept() {
    let peer = site().await;
    let harness = harness_for(&peer).await;
    let engine = harness.extractive();
    let (services, org) = (&harness.services, harness.principal.org);
    let (_, article) = ordered(&harness, |order| order.reference_links = vec![peer.url("/mill")]).await;
    engine.stop().await;
    let fetcher = Fetcher::new(FetchLimits::default(), services.settings().links.clone(), "Galley/test").unwrap();
    let found = |name: &str| FoundPicture {
        source: 1,
        page: None,
        heading: None,
        picture: Picture {
            at: 0,
            alt: name.into(),
            caption: String::new(),
            content: PictureContent::Address(peer.url(&format!("/{name}.png"))),
        },
    };
    let before = walk(&harness.blob_folder());
    let again = services.keep_source_pictures(org, &article, vec![found("stones"), found("hopper")], fetcher.clients());
    let again = again.await.unwrap();
    let kept = images(&harness, org, article.id).await;
    let (again, kept): (Vec<Uuid>, Vec<Uuid>) =
        (again.images.iter().map(|image| image.image.id).collect(), kept.iter().map(|image| image.id).collect());
    assert_eq!((again.len(), &again), (2, &kept));
    assert_eq!(walk(&harness.blob_folder()), before, "the same bytes under the same names");

    // As a process leaves it that was killed between the bytes and the row.
    let data = FoundPicture {
        picture: Picture { content: PictureContent::Bytes(png("Killed")), ..found("killed").picture },
        ..found("killed")
    };
    let killed = services.keep_source_pictures(org, &article, vec![data], fetcher.clients()).await.unwrap();
    assert_eq!(killed.images.len(), 1);
    assert!(walk(&harness.blob_folder()).len() > before.len());
    services.system().sweep_blobs_older_than(Duration::ZERO).await.unwrap();
    assert_eq!(walk(&harness.blob_folder()), before, "what has rows stays, what has none goes");

    // A picture goes with its source.
    harness.database.hold("DELETE FROM research_sources").await.commit().await;
    assert_eq!(images(&harness, org, article.id).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_without_room_are_neither_stored_nor_fetched() {
    let peer = site().await;
    let harness = harness_for(&peer).await;
    let engine = harness.extractive();
    let (services, org, link) = (&harness.services, harness.principal.org, peer.url("/mill"));
    let (_, article) = ordered(&harness, |order| order.reference_links = vec![link]).await;
    engine.stop().await;
    let (kept, before) = (images(&harness, org, article.id).await, walk(&harness.blob_folder()));
    let fetcher = Fetcher::new(FetchLimits::default(), services.settings().links.clone(), "Galley/test").unwrap();
    let found = |content| FoundPicture {
        source: 1,
        page: None,
        heading: None,
        picture: Picture { at: 0, alt: "A picture".into(), caption: String::new(), content },
    };
    let address = || PictureContent::Address(peer.url("/stones.png"));
    // All but a byte is taken, of which images that are there already take nothing more.
    let taken = services.store().tenant(org).bytes_of_files().await.unwrap();
    let fill = services.settings().files_quota - taken - 1 + kept[0].stored_bytes.unsigned_abs();
    harness.database.execute(&format!("UPDATE images SET stored_bytes = {fill} WHERE id = '{}'", kept[0].id)).await;
    let both = vec![found(address()), found(PictureContent::Bytes(png("Another")))];
    let again = services.keep_source_pictures(org, &article, both, fetcher.clients()).await.unwrap();
    assert_eq!((again.images.len(), again.images[0].image.id, again.no_room), (1, kept[0].id, 1));
    assert_eq!(walk(&harness.blob_folder()), before);

    let (count, other) = (peer.paths().len(), rows::Article { id: Uuid::now_v7(), ..article });
    harness.database.execute(&format!("UPDATE images SET stored_bytes = {}", 1_u64 << 30)).await;
    let none = services.keep_source_pictures(org, &other, vec![found(address())], fetcher.clients()).await.unwrap();
    assert_eq!((none.images.len(), none.no_room, peer.paths().len()), (0, 1, count));
}

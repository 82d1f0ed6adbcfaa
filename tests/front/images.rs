//! Pictures of posts: uploaded, shown by links that expire, removed with their bytes.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use galley_domain::{Permission, Scope, image::ImageSource};
use galley_files::Readers;
use galley_images::{Card, PictureKind, render_card};
use galley_services::{PictureOrder, PostId, ServiceError};
use galley_testkit::Harness;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Front, form, text};

const VARIANTS: [&str; 6] = ["card_jpeg", "card_webp", "hero_jpeg", "hero_webp", "thumb_jpeg", "thumb_webp"];

/// A front whose links can be signed.
async fn front() -> Front {
    Front::on(Harness::builder().keyring(), |_| {}).await
}

/// A PNG of 1200 × 630.
fn png() -> Vec<u8> {
    let card = Card { title: "Tea at home".into(), subtitle: None, language: "en".into(), seed: 7 };
    render_card(&card).unwrap().png
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(format!("{}/crates/integrations/images/tests/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A post that is being written, in a project: the path of the post.
async fn post(front: &Front) -> String {
    front.ordered_post("Tea at home", Vec::new()).await.0
}

async fn upload(front: &Front, post: &str, query: &str, bytes: Vec<u8>) -> Answer {
    let request = front.request(Method::POST, &format!("{post}/images/upload{query}"));
    front.send(request.multipart(form("whatever.exe", bytes))).await
}

async fn bytes_at(front: &Front, link: &str) -> Vec<u8> {
    let response = front.bare(Method::GET, link).send().await.unwrap();
    assert_eq!(response.status(), 200, "{link}");
    response.bytes().await.unwrap().to_vec()
}

/// Everything in the file store.
fn stored(front: &Front) -> Vec<PathBuf> {
    fn walk(folder: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(front.harness.dir.path().join("files"), &mut found);
    found
}

#[tokio::test]
async fn an_upload_is_shown_by_links_that_need_no_key() {
    let front = front().await;
    let post = post(&front).await;
    let uploaded = upload(&front, &post, "", png()).await;
    let image = uploaded.is(201).clone();
    assert_eq!(uploaded.header("location"), format!("{post}/images"));
    assert_eq!(
        (&image["source"], &image["is_featured"], &image["credit"]),
        (&json!("upload"), &json!(true), &Value::Null)
    );
    assert_eq!((&image["width"], &image["height"]), (&json!(1200), &json!(630)));
    assert_eq!(image["alt_text"], "Tea at home", "of the title");
    let second = upload(&front, &post, "?alt_text=A%20pot", sample("progressive.jpg")).await;
    let second = second.is(201);
    assert_eq!((&second["alt_text"], &second["is_featured"]), (&json!("A pot"), &json!(false)));
    assert_eq!((&second["width"], &second["height"]), (&json!(48), &json!(32)));

    let list = front.get(&format!("{post}/images")).await;
    let ids: Vec<&Value> = list.is(200).as_array().unwrap().iter().map(|image| &image["id"]).collect();
    assert_eq!(ids, [&image["id"], &second["id"]]);

    let link = text(&image["original_url"]);
    let original = bytes_at(&front, &link).await;
    assert_eq!(original.len() as u64, image["file_size"].as_u64().unwrap());
    assert_eq!(PictureKind::of(&original), Some(PictureKind::Png));
    let variants = image["variants"].as_object().unwrap();
    assert_eq!(variants.keys().collect::<Vec<_>>(), VARIANTS);
    for (name, link) in variants {
        let bytes = bytes_at(&front, &text(link)).await;
        let kind = if name.ends_with("webp") { PictureKind::Webp } else { PictureKind::Jpeg };
        assert_eq!(PictureKind::of(&bytes), Some(kind), "{name}");
    }
    let shown = front.send(front.bare(Method::GET, &link)).await;
    assert_eq!((shown.header("content-type"), shown.header("x-content-type-options")), ("image/png", "nosniff"));
    assert!(shown.header("content-security-policy").contains("sandbox"));
    let known = front.bare(Method::GET, &link).header("if-none-match", shown.header("etag"));
    assert_eq!(front.send(known).await.status, 304);
    assert_eq!(stored(&front).len(), 14, "two in full size, and six sizes of each");
}

#[tokio::test]
async fn a_link_that_was_changed_or_has_expired_leads_nowhere() {
    let front = front().await;
    let post = post(&front).await;
    let image = upload(&front, &post, "", png()).await.is(201).clone();
    let link = text(&image["original_url"]);
    let (path, query) = link.split_once('?').unwrap();
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap().1);
    let (org, expires, signature) = (pairs.next().unwrap(), pairs.next().unwrap(), pairs.next().unwrap());
    let later = expires.parse::<i64>().unwrap() + 1;
    let (stranger, _) = front.harness.other_tenant().await;
    let other = signature.chars().rev().collect::<String>();
    for changed in [
        format!("{path}?org={org}&expires={later}&signature={signature}"),
        format!("{path}?org={}&expires={expires}&signature={signature}", stranger.org),
        format!("{path}?org={org}&expires={expires}&signature={other}"),
        format!("{}?{query}", path.replace("original", "hero_webp")),
        format!("{}?{query}", path.replace(&text(&image["id"]), "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e")),
    ] {
        front.send(front.bare(Method::GET, &changed)).await.is_problem(403, "FORBIDDEN");
    }
    let missing = front.send(front.bare(Method::GET, path)).await;
    missing.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(missing.wrong_fields(), ["org", "expires", "signature"]);

    let short = Harness::builder().keyring().settings(|settings| settings.image_links = Duration::ZERO);
    let front = Front::on(short, |_| {}).await;
    let post = self::post(&front).await;
    let image = upload(&front, &post, "", png()).await.is(201).clone();
    let expired = front.send(front.bare(Method::GET, &text(&image["variants"]["thumb_webp"]))).await;
    let problem = expired.is_problem(403, "FORBIDDEN");
    assert!(text(&problem["detail"]).contains("expired"), "{problem}");
}

#[tokio::test]
async fn what_is_no_picture_or_too_much_of_one_is_refused_and_leaves_nothing() {
    let front = front().await;
    let post = post(&front).await;
    let mut bomb = png();
    // 30,000 pixels wide, as the header says; the sum behind it does not match, and is not come to.
    bomb[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#.to_vec();
    for (bytes, status) in [
        (svg, 415),
        (b"%PDF-1.7".to_vec(), 415),
        (png()[..2_000].to_vec(), 400),
        (bomb, 400),
        (vec![0xff; 21 << 20], 413),
    ] {
        let refused = upload(&front, &post, "", bytes).await;
        refused.is_problem(status, "VALIDATION_ERROR");
        if status == 400 {
            assert_eq!(refused.wrong_fields(), ["file"]);
        }
    }
    assert_eq!(front.get(&format!("{post}/images")).await.is(200), &json!([]));
    assert_eq!(stored(&front), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn only_who_may_reaches_the_images_of_a_post() {
    let front = front().await;
    let post = post(&front).await;
    let image = upload(&front, &post, "", png()).await.is(201).clone();
    let path = format!("{post}/images/{}", text(&image["id"]));
    let other = front.post("/api/v1/projects", &json!({ "name": "Other", "platform": "wordpress" })).await;
    let elsewhere = {
        let (_, article) = post.rsplit_once('/').unwrap();
        format!("/api/v1/projects/{}/blog-posts/{article}", text(&other.is(201)["id"]))
    };
    front.get(&format!("{elsewhere}/images")).await.is_problem(404, "NOT_FOUND");
    upload(&front, &elsewhere, "", png()).await.is_problem(404, "NOT_FOUND");
    let (_, stranger) = front.harness.other_tenant().await;
    for (method, path) in [(Method::GET, format!("{post}/images")), (Method::DELETE, path.clone())] {
        front.send(front.request_as(&stranger, method, &path)).await.is_problem(404, "NOT_FOUND");
    }
    let reader = front.key(&[Permission::Read], &[Scope::Projects]).await;
    front.send(front.request_as(&reader, Method::GET, &format!("{post}/images"))).await.is(200);
    front.send(front.request_as(&reader, Method::DELETE, &path)).await.is_problem(403, "FORBIDDEN");
    let unknown = format!("{post}/images/0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e");
    front.delete(&unknown).await.is_problem(404, "NOT_FOUND");
    // One of another post is not this one's.
    let second = self::post(&front).await;
    front.delete(&format!("{second}/images/{}", text(&image["id"]))).await.is_problem(404, "NOT_FOUND");
    assert_eq!(front.get(&format!("{post}/images")).await.is(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_deleted_image_leaves_nothing_and_so_does_a_deleted_post() {
    let front = front().await;
    let post = post(&front).await;
    let image = upload(&front, &post, "", png()).await.is(201).clone();
    let kept = upload(&front, &post, "", sample("lossless.webp")).await.is(201).clone();
    let path = format!("{post}/images/{}", text(&image["id"]));
    let gone = front.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for link in [&image["original_url"], &image["variants"]["card_jpeg"]] {
        front.send(front.bare(Method::GET, &text(link))).await.is_problem(404, "NOT_FOUND");
    }
    front.delete(&path).await.is_problem(404, "NOT_FOUND");
    assert_eq!(stored(&front).len(), 7, "those of the other image");
    assert_eq!(front.get(&format!("{post}/images")).await.is(200)[0]["is_featured"], false, "nobody chose it");
    let next = upload(&front, &post, "", png()).await.is(201).clone();
    assert_eq!(next["is_featured"], true, "the first of a post that shows none");
    let (_, article) = post.rsplit_once('/').unwrap();
    assert_eq!(front.delete(&format!("/api/v1/articles/{article}")).await.status, 204);
    assert_eq!(stored(&front), Vec::<PathBuf>::new());
    front.send(front.bare(Method::GET, &text(&kept["original_url"]))).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_same_key_adds_one_image() {
    let front = front().await;
    let post = post(&front).await;
    let send = async |bytes| {
        let request = front.request(Method::POST, &format!("{post}/images/upload"));
        front.send(request.header("idempotency-key", "one").multipart(form("a.png", bytes))).await
    };
    let (first, again) = (send(png()).await, send(png()).await);
    assert_eq!(first.is(201)["id"], again.is(201)["id"]);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(stored(&front).len(), 7, "the bytes of the second are not kept");
    send(sample("lossless.webp")).await.is_problem(409, "CONFLICT");
    assert_eq!(stored(&front).len(), 7);
}

#[tokio::test]
async fn limits_of_post_and_organization_are_kept_and_the_trash_is_left_alone() {
    let small = Harness::builder().keyring().settings(|settings| settings.files_quota = 400_000);
    let front = Front::on(small, |_| {}).await;
    let post = post(&front).await;
    let said = |answer: Answer, says: &str| {
        let problem = answer.is_problem(409, "CONFLICT");
        assert!(text(&problem["detail"]).contains(says), "{problem}");
    };
    upload(&front, &post, "", sample("progressive.jpg")).await.is(201);
    front.harness.database.execute("UPDATE images SET stored_bytes = 399999").await;
    said(upload(&front, &post, "", png()).await, "limits.files_mb");
    assert_eq!(stored(&front).len(), 7, "what was refused is not kept");
    front.harness.database.execute("UPDATE images SET stored_bytes = 1").await;
    let copies = "INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob,
            stored_bytes, alt_text, position)
        SELECT gen_random_uuid(), org_id, article_id, source, kind, width, height, file_size, sha256, blob, 1, alt_text, n
        FROM images, generate_series(1, 49) AS n";
    front.harness.database.execute(copies).await;
    said(upload(&front, &post, "", png()).await, "50 images");
    front.harness.database.execute("UPDATE projects SET deleted_at = now()").await;
    let images = front.get(&format!("{post}/images")).await.is(200).clone();
    said(upload(&front, &post, "", png()).await, "in the trash");
    said(front.delete(&format!("{post}/images/{}", text(&images[0]["id"]))).await, "in the trash");
}

#[tokio::test]
async fn without_an_envelope_key_no_link_can_be_signed() {
    let front = Front::new().await;
    let post = post(&front).await;
    let refused = upload(&front, &post, "", png()).await;
    let problem = refused.is_problem(409, "CONFLICT");
    assert!(text(&problem["detail"]).contains("secrets.key"), "{problem}");
    assert_eq!(stored(&front), Vec::<PathBuf>::new());
}

/// The post of a finished article.
async fn written(front: &Front) -> String {
    let faq = front.sample("faq.md").await.parse().unwrap();
    let (post, task) = front.ordered_post("Sela Ridge coffee", vec![faq]).await;
    assert_eq!(front.get(&format!("{post}/images")).await.is(200), &json!([]), "nothing of it is there yet");
    let engine = front.harness.extractive();
    front.harness.completed(task).await;
    engine.stop().await;
    post
}

#[tokio::test]
async fn the_title_card_is_an_image_whose_sizes_are_made_when_they_are_asked_for() {
    let front = front().await;
    let post = written(&front).await;
    let before = stored(&front).len();
    let list = front.get(&format!("{post}/images")).await.is(200).clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let card = &list[0];
    assert_eq!((&card["source"], &card["is_featured"]), (&json!("card"), &json!(true)));
    assert_eq!((&card["width"], &card["height"]), (&json!(1200), &json!(630)));
    assert!(!text(&card["alt_text"]).is_empty());
    assert_eq!(PictureKind::of(&bytes_at(&front, &text(&card["original_url"])).await), Some(PictureKind::Png));
    assert_eq!(stored(&front).len(), before, "nobody has asked for a size");
    let hero = bytes_at(&front, &text(&card["variants"]["hero_webp"])).await;
    assert_eq!(PictureKind::of(&hero), Some(PictureKind::Webp));
    assert_eq!(stored(&front).len(), before + 6);
    assert_eq!(bytes_at(&front, &text(&card["variants"]["hero_webp"])).await, hero);

    // What failed after its card was made is not given out.
    front.harness.database.execute("UPDATE articles SET status = 'failed'").await;
    assert_eq!(front.get(&format!("{post}/images")).await.is(200), &json!([]));
    front.harness.database.execute("UPDATE articles SET status = 'draft'").await;

    assert_eq!(front.delete(&format!("{post}/images/{}", text(&card["id"]))).await.status, 204);
    let (_, article) = post.rsplit_once('/').unwrap();
    let article = front.get(&format!("/api/v1/articles/{article}")).await;
    assert!(!article.is(200).to_string().contains("/content"), "the article shows no cover: {}", article.text);
    assert_eq!(stored(&front).len(), before, "the card itself is swept, since another card may be the same");
}

#[tokio::test]
async fn a_sweep_keeps_what_images_name_and_removes_what_they_no_longer_name() {
    let front = front().await;
    let post = post(&front).await;
    upload(&front, &post, "", png()).await.is(201);
    let lost = upload(&front, &post, "", sample("lossless.webp")).await.is(201).clone();
    // As a crash between the two leaves it.
    front.harness.database.execute(&format!("DELETE FROM images WHERE id = '{}'", text(&lost["id"]))).await;
    let long_ago = SystemTime::now() - Duration::from_secs(8 * 86_400);
    for path in stored(&front) {
        fs::File::options().append(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    assert_eq!(front.harness.services.system().sweep_blobs().await.unwrap(), 7);
    assert_eq!(stored(&front).len(), 7);
    let list = front.get(&format!("{post}/images")).await.is(200).clone();
    bytes_at(&front, &text(&list[0]["variants"]["thumb_jpeg"])).await;
}

#[tokio::test]
async fn pictures_take_their_share_of_the_budget_of_memory_and_give_it_back() {
    let front = front().await;
    let path = post(&front).await;
    let mut ids = path.split('/').filter_map(|part| part.parse().ok());
    let post = PostId { project: ids.next().unwrap(), post: ids.next().unwrap() };
    let org = front.harness.principal.org;
    let order = || PictureOrder { bytes: png().into(), source: ImageSource::Upload, alt_text: None, credit: None };
    // Each needs 22 MiB.
    let readers = Readers::in_process(50);
    let services = front.harness.services.clone().with_readers(readers.clone());
    let added = futures::future::join_all((0..4).map(|_| services.add_image(org, post, order(), None))).await;
    assert!(added.iter().all(Result::is_ok), "the third waits for the first: {added:?}");
    assert_eq!(readers.free_mb(), 50);
    let services = front.harness.services.clone().with_readers(Readers::in_process(20));
    let refused = services.add_image(org, post, order(), None).await;
    let Err(ServiceError::Validation(errors)) = refused else { panic!("{refused:?}") };
    assert_eq!(errors[0].field, "file");
    assert!(errors[0].message.contains("limits.reading_memory_mb"), "{errors:?}");
}

//! Images in the text of a post and in front of it: what is shown, what is published, what is fetched.

use std::{fs, sync::Arc};

use async_trait::async_trait;
use galley_domain::{
    Fault,
    image::{ImageModel, ImageRequest},
    usage::Meter,
};
use galley_fetch::address::Policy;
use galley_images::{Card, PictureKind, render_card};
use galley_testkit::{Harness, Script};
use galley_testpeer::{Peer, Reply, Request};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{Answer, Front, form, id, publishing::Desk, text};

fn png(title: &str) -> Vec<u8> {
    let card = Card { title: title.into(), subtitle: None, language: "en".into(), seed: 7 };
    render_card(&card).unwrap().png
}

async fn upload(front: &Front, post: &str, title: &str, alt: &str) -> Value {
    let request = front.request(Method::POST, &format!("{post}/images/upload?alt_text={alt}"));
    front.send(request.multipart(form("a.png", png(title)))).await.is(201).clone()
}

fn says(answer: &Answer, words: &str) {
    assert!(answer.text.contains(words), "{words}: {}", answer.text);
}

async fn publish(desk: &Desk, post: &str) -> Answer {
    let engine = desk.engine();
    let done = desk.front.post(&format!("{post}/publish"), &json!({ "connection_id": desk.connection })).await;
    engine.stop().await;
    done
}

#[tokio::test]
async fn images_stand_in_the_text_here_and_at_the_blog() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let (post, other) = (desk.written("Tea").await, desk.written("Coffee").await);
    let first = upload(front, &post, "One", "A%20red%20cup").await;
    let second = upload(front, &post, "Two", "A%20%5Bblue%5D%20pot").await;
    let strange = upload(front, &other, "Three", "Beans").await;
    assert_eq!(second["reference"], format!("/api/v1/images/{}", text(&second["id"])));
    let content = format!(
        "<p>See <img src=\"{}\" alt=\"Cup\"> here.</p><p><img src=\"{}\"></p><p>x<img src=\"{}\" alt=\"no\">y</p>",
        text(&first["original_url"]).replace('&', "&amp;"),
        text(&second["reference"]),
        text(&strange["reference"]),
    );
    let changed = front.patch(&post, &json!({ "content": content })).await;
    let shown = text(&changed.is(200)["content"]);
    assert!(!shown.contains(&text(&strange["id"])) && shown.contains("<p>xy</p>"), "{shown}");
    assert!(shown.contains("alt=\"A [blue] pot\""), "an image without a description has its alt text: {shown}");
    let link = shown.split("src=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    assert_eq!(front.bare(Method::GET, &link).send().await.unwrap().status(), 200, "{link}");
    let (_, article) = post.rsplit_once('/').unwrap();
    let kept = format!("SELECT content_markdown FROM articles WHERE id = '{article}'");
    let kept = front.harness.database.texts(&kept).await;
    assert!(kept[0].contains("/api/v1/images/") && !kept[0].contains("signature"), "it does not expire: {kept:?}");

    let preview = front.get(&format!("{post}/publish/preview?connection_id={}", desk.connection)).await;
    preview.is(200);
    says(&preview, &format!("image {}, which the article does not have", text(&strange["id"])));

    // Larger than sites take.
    let large = format!("UPDATE images SET file_size = 9000000 WHERE id = '{}'", text(&second["id"]));
    front.harness.database.execute(&large).await;
    publish(&desk, &post).await.is(200);
    let media = desk.blog.media();
    assert_eq!(media.len(), 2, "{media:?}");
    let alts: Vec<&str> = media.iter().filter_map(|one| one["alt_text"].as_str()).collect();
    assert_eq!(alts, ["A red cup", "A [blue] pot"]);
    let urls: Vec<String> = media.iter().map(|one| text(&one["source_url"])).collect();
    assert!(urls[0].ends_with(".png") && urls[1].ends_with(".jpg"), "{urls:?}");
    let there = desk.blog.posts()[0].to_string();
    assert!(urls.iter().all(|url| there.contains(url)) && !there.contains("/api/v1/images"), "{there}");
    let records = front.get(&format!("/api/v1/publisher/{}/records", desk.project)).await;
    if records.status == 200 {
        says(&records, "which the article does not have");
    }
    let warned = front.harness.database.texts("SELECT metadata->>'warnings' FROM publications").await;
    assert!(warned[0].contains(&text(&strange["id"])), "{warned:?}");

    front.patch(&post, &json!({ "title": "Tea again" })).await.is(200);
    publish(&desk, &post).await.is(200);
    assert_eq!(desk.blog.media().len(), 2, "each picture goes there once");

    front.delete(&format!("{post}/images/{}", text(&second["id"]))).await.is(204);
    let shown = front.get(&post).await;
    assert_eq!(text(&shown.is(200)["content"]).matches("<img").count(), 1, "{}", shown.text);
    let preview = front.get(&format!("{post}/publish/preview?connection_id={}", desk.connection)).await;
    says(&preview, &format!("image {}, which the article does not have", text(&second["id"])));
}

#[tokio::test]
async fn a_folder_has_the_images_beside_the_text() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let (post, task) = front.ordered_post("Tea", Vec::new()).await;
    let engine = front.harness.scripted(&Script::default());
    front.harness.completed(task).await;
    engine.stop().await;
    let (_, article) = post.rsplit_once('/').unwrap();
    upload(&front, &post, "One", "Cover").await;
    let image = upload(&front, &post, "Two", "A%20pot").await;
    let content = format!("# Tea\n\nSteep it.\n\n![]({})\n", text(&image["reference"]));
    let edit = json!({ "content": content, "publication_status": "published" });
    front.patch(&format!("/api/v1/articles/{article}"), &edit).await.is(200);
    let engine = front.harness.publishing(&Script::default());
    front.harness.jobs_done(galley_domain::publishing::FOLLOW).await;
    engine.stop().await;
    let folders = fs::read_dir(front.harness.site()).unwrap().map(|entry| entry.unwrap().path());
    let folder = folders.into_iter().find(|path| path.join("index.md").exists()).unwrap();
    let written = fs::read_to_string(folder.join("index.md")).unwrap();
    let name = format!("image-{}.png", text(&image["id"]));
    assert!(written.contains(&format!("![A pot]({name})")), "{written}");
    assert!(written.contains("cover.png"), "{written}");
    for file in [name.as_str(), "cover.png"] {
        assert_eq!(PictureKind::of(&fs::read(folder.join(file)).unwrap()), Some(PictureKind::Png), "{file}");
    }
}

/// The post of an article that was written with its title card.
async fn with_card(front: &Front) -> String {
    let faq = front.sample("faq.md").await.parse().unwrap();
    let (post, task) = front.ordered_post("Sela Ridge coffee", vec![faq]).await;
    let engine = front.harness.extractive();
    front.harness.completed(task).await;
    engine.stop().await;
    post
}

#[tokio::test]
async fn what_is_featured_is_shown_and_nothing_else() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let post = with_card(&front).await;
    let featured = async || front.get(&post).await.is(200)["featured_image_url"].clone();
    let card = front.get(&format!("{post}/images")).await.is(200)[0].clone();
    let leads_to = |link: &Value, image: &Value| text(link).contains(&text(&image["id"]));
    assert!(leads_to(&featured().await, &card), "a signed link, which needs no key");
    let project = post.rsplit_once("/blog-posts").unwrap().0;
    let gate = json!({ "settings": { "publish_gate": { "cover": true } } });
    front.patch(project, &gate).await.is(200);

    let chosen = upload(&front, &post, "One", "A%20cup").await;
    assert_eq!(chosen["is_featured"], true, "a card gives way to the first image that somebody chose");
    assert!(leads_to(&featured().await, &chosen));
    let again = front.patch(&post, &json!({ "featured_image_url": card["original_url"] })).await;
    assert!(leads_to(&again.is(200)["featured_image_url"], &card));
    let second = upload(&front, &post, "Two", "A%20pot").await;
    assert_eq!(second["is_featured"], false, "somebody has chosen the card");

    let none = front.patch(&post, &json!({ "featured_image_url": null })).await;
    assert_eq!(none.is(200)["featured_image_url"], Value::Null);
    let list = front.get(&format!("{project}/blog-posts")).await;
    assert_eq!(list.is(200)[0]["featured_image_url"], Value::Null);
    front.patch(&post, &json!({ "featured_image_url": chosen["original_url"] })).await.is(200);
    let rewritten = front.post(&format!("{post}/regenerate"), &json!({})).await;
    assert!(leads_to(&rewritten.is(202)["featured_image_url"], &chosen), "{}", rewritten.text);
    front.delete(&format!("/api/v1/tasks/{}", text(&rewritten.json["job_id"]))).await.is(200);
    front.delete(&format!("{post}/images/{}", text(&chosen["id"]))).await.is(204);
    assert_eq!(featured().await, Value::Null);
}

#[tokio::test]
async fn nothing_is_published_as_cover_that_is_not_featured() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    // As an article has it whose card was made before there were images of posts.
    let cover = front.upload("cover.txt", b"a cover".to_vec()).await.is(201)["id"].clone();
    front.harness.database.execute(&format!("UPDATE articles SET cover_file_id = '{}'", text(&cover))).await;
    let gate = json!({ "settings": { "publish_gate": { "cover": true } } });
    front.patch(&format!("/api/v1/projects/{}", desk.project), &gate).await.is(200);
    let refused = front.post(&format!("{post}/publish"), &json!({ "connection_id": desk.connection })).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    says(&refused, "publish_gate.cover");
    let image = upload(front, &post, "One", "A%20cup").await;
    publish(&desk, &post).await.is(200);
    assert_eq!((desk.blog.media().len(), &desk.blog.media()[0]["alt_text"]), (1, &json!("A cup")));
    front.delete(&format!("{post}/images/{}", text(&image["id"]))).await.is(204);
    front
        .patch(&format!("/api/v1/projects/{}", desk.project), &json!({ "settings": { "publish_gate": null } }))
        .await
        .is(200);
    front.patch(&post, &json!({ "title": "Tea again" })).await.is(200);
    publish(&desk, &post).await.is(200);
    assert_eq!(desk.blog.posts()[0]["featured_media"], 0, "what was removed here goes there, too");
}

fn answer(head: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

async fn pictures() -> Peer {
    let picture = png("From afar");
    Peer::start(move |request: &Request| match request.path.as_str() {
        "/picture" | "/second" => answer("200 OK", &picture),
        "/page" => answer("200 OK", b"<html>a page</html>"),
        "/moved" => answer("302 Found\r\nLocation: /picture", b""),
        "/inside" => answer("302 Found\r\nLocation: http://10.0.0.1/picture", b""),
        "/loop" => answer("302 Found\r\nLocation: /loop", b""),
        "/half" => answer("200 OK", &picture[..2000]),
        "/large" => Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\nConnection: close\r\n\r\n".to_vec()),
        _ => answer("404 Not Found", b""),
    })
    .await
}

#[tokio::test]
async fn a_picture_elsewhere_is_fetched_and_becomes_an_image_of_the_post() {
    let peer = pictures().await;
    let rule = peer.address.to_string().parse().unwrap();
    let harness = Harness::builder().keyring().settings(|settings| settings.links = Policy::new(vec![rule]));
    let front = Front::on(harness, |_| {}).await;
    let (post, task) = front.ordered_post("Tea at home", Vec::new()).await;
    front.harness.services.cancel(front.harness.principal.org, task).await.unwrap();
    let set = async |url: &str| front.patch(&post, &json!({ "featured_image_url": url })).await;
    let images = async || front.get(&format!("{post}/images")).await.is(200).as_array().unwrap().clone();
    for (url, words) in [
        (peer.url("/inside"), "leads to an address that is not fetched"),
        (peer.url("/loop"), "leads on and on"),
        (peer.url("/missing"), "404"),
        (peer.url("/page"), "no JPEG, PNG, WebP or GIF"),
        (peer.url("/half"), "damaged"),
        (peer.url("/large"), "20 MiB"),
        ("https://127.0.0.1/a.png".into(), ""),
        ("https://169.254.169.254/latest/meta-data".into(), ""),
        ("https://router.local/a.png".into(), ""),
        ("http://pictures.example/a.png".into(), ""),
        ("ftp://pictures.example/a.png".into(), ""),
    ] {
        let refused = set(&url).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), ["featured_image_url"], "{url}");
        says(&refused, words);
    }
    assert_eq!(images().await, Vec::<Value>::new(), "what is refused leaves nothing");

    let fetched = set(&peer.url("/moved")).await;
    let link = text(&fetched.is(200)["featured_image_url"]);
    assert!(link.starts_with("/api/v1/images/"), "{link}");
    let list = images().await;
    assert_eq!((list.len(), &list[0]["alt_text"], &list[0]["source"]), (1, &json!("Tea at home"), &json!("upload")));
    assert_eq!(list[0]["credit"]["url"], peer.url("/moved"));
    set(&peer.url("/moved")).await.is(200);
    assert_eq!(images().await.len(), 1, "one that is known is not fetched again");

    // What the edit refuses for another reason leaves no picture behind.
    let body = json!({ "featured_image_url": peer.url("/second"), "status": "ready" });
    front.patch(&post, &body).await.is_problem(409, "CONFLICT");
    assert_eq!(images().await.len(), 1);
}

/// Waits until both have been asked, so that both pictures are kept at the same time.
#[derive(Debug)]
struct Both(Barrier);

#[async_trait]
impl ImageModel for Both {
    fn name(&self) -> &str {
        "painter"
    }

    async fn make(&self, _request: &ImageRequest, _meter: &Meter) -> Result<Vec<u8>, Fault> {
        self.0.wait().await;
        Ok(png("Made"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_pictures_keep_the_limits_of_the_post_and_the_organization() {
    let settings = |settings: &mut galley_services::Settings| {
        (settings.image_model, settings.files_quota) = (true, 400_000);
    };
    let front = Front::on(Harness::builder().keyring().settings(settings), |_| {}).await;
    let (post, task) = front.ordered_post("Tea", Vec::new()).await;
    front.harness.services.cancel(front.harness.principal.org, task).await.unwrap();
    let (_, article) = post.rsplit_once('/').unwrap();
    let fill = |count: i32| {
        format!(
            "INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob, stored_bytes,
                alt_text, position)
             SELECT gen_random_uuid(), org_id, id, 'upload', 'png', 1, 1, 1, '', 'none', 1, 'x', n
             FROM articles, generate_series(1, {count}) AS n WHERE id = '{article}'"
        )
    };
    front.harness.database.execute(&fill(49)).await;
    let made = async || front.post(&format!("{post}/images/ai-generate"), &json!({ "prompt": "Tea" })).await;
    let engine = front.harness.illustrated(Arc::new(Both(Barrier::new(2))));
    let (one, two) = tokio::join!(made(), made());
    engine.stop().await;
    let count = front.harness.database.number("SELECT count(*) FROM images").await;
    assert_eq!(count, 50, "{} {}", one.text, two.text);
    let refused = if one.status == 201 { &two } else { &one };
    says(refused, "50 images");

    front.harness.database.execute("DELETE FROM images").await;
    front.harness.database.execute(&fill(1)).await;
    front.harness.database.execute("UPDATE images SET stored_bytes = 399999").await;
    let engine = front.harness.illustrated(Arc::new(Both(Barrier::new(1))));
    let refused = made().await;
    engine.stop().await;
    says(&refused, "limits.files_mb");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM images").await, 1);
}

#[tokio::test]
async fn sizes_of_a_card_that_was_replaced_meanwhile_are_not_kept() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let post = with_card(&front).await;
    let card = front.get(&format!("{post}/images")).await.is(200)[0].clone();
    let store = front.harness.services.store();
    let tx = store.begin(front.harness.principal.org).await.unwrap();
    let image = id(&card["id"]);
    let blob = tx.image(image).await.unwrap().unwrap().blob;
    let none = Default::default();
    assert!(!tx.set_image_variants(image, "of an older card", &none, 9).await.unwrap());
    assert!(tx.set_image_variants(image, &blob, &none, 9).await.unwrap());
    tx.rollback().await.unwrap();

    // Written anew, the article has one card in one file, and the sizes are those of the new one.
    let hero = text(&card["variants"]["hero_jpeg"]);
    let before = front.bare(Method::GET, &hero).send().await.unwrap().bytes().await.unwrap();
    let files = "SELECT count(*) FROM files WHERE name = 'cover.png'";
    assert_eq!(front.harness.database.number(files).await, 1);
    front
        .harness
        .database
        .execute("UPDATE tasks SET input = jsonb_set(input, '{brief,prompt}', '\"Other beans\"')")
        .await;
    let again = front.post(&format!("{post}/regenerate"), &json!({})).await;
    let engine = front.harness.extractive();
    front.harness.completed(id(&again.is(202)["job_id"])).await;
    engine.stop().await;
    assert_eq!(front.harness.database.number(files).await, 1, "the file of the older card is gone");
    let title = front.get(&post).await.is(200)["title"].clone();
    let after = front.bare(Method::GET, &hero).send().await.unwrap().bytes().await.unwrap();
    assert!(before != after || title == card["alt_text"], "{title}");

    front.delete(&post).await.is(204);
    assert_eq!(front.harness.database.number(files).await, 0, "and that of a deleted article");
}

#[tokio::test]
async fn a_purged_project_leaves_neither_pictures_nor_connections_that_nobody_sees() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let post = desk.written("Tea").await;
    upload(front, &post, "One", "A%20cup").await;
    let files = front.harness.dir.path().join("files");
    let pictures =
        || walk(&files).into_iter().filter(|path| path.contains(".hero-") || path.contains(".original")).count();
    assert_eq!(pictures(), 3);
    let secrets = async || front.harness.database.number("SELECT count(*) FROM secrets").await;
    let before = secrets().await;
    let site = json!({ "site_id": desk.project, "platform": "wordpress", "site_url": "https://plugin.example",
        "api_key": "abcd efgh ijkl" });
    front.post("/api/v1/integration", &site).await.is(201);
    let connections = "SELECT count(*) FROM connections WHERE username = ''";
    assert_eq!(front.harness.database.number(connections).await, 1);
    assert!(secrets().await > before);
    let project = format!("/api/v1/projects/{}", desk.project);
    front.delete(&project).await;
    front.delete(&format!("{project}/permanent")).await.is(204);
    assert_eq!(pictures(), 0);
    assert_eq!(front.harness.database.number(connections).await, 0);
    assert_eq!(secrets().await, before);
    front.get(&format!("/api/v1/blog-connections/{}", desk.connection)).await.is(200);
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path.display().to_string()) }
    }
    found
}

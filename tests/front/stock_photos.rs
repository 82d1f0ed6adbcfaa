//! Stock photos, against a peer that answers as Pexels does.

use galley_domain::Hidden;
use galley_fetch::address::Policy;
use galley_images::{Card, render_card};
use galley_photos::{Pexels, PexelsSettings};
use galley_services::StockPhotos;
use galley_testkit::Harness;
use galley_testpeer::{Peer, Reply, Request};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Front, text};

const KEYS: &str = "/api/v1/stock-photo-keys";
const SEARCH: &str = "/api/v1/stock-photos/search";

fn answer(status: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

async fn peer() -> Peer {
    let card = Card { title: "Rocks".into(), subtitle: None, language: "en".into(), seed: 1 };
    let photo = render_card(&card).unwrap().png;
    Peer::start(move |request: &Request| match request.path.split('?').next().unwrap_or_default() {
        "/v1/search" if request.header("authorization") == Some("refused") => answer("401 Unauthorized", b"{}"),
        "/v1/search" => {
            let photos = json!([{ "id": 7, "width": 3000, "height": 2000, "url": "https://www.pexels.com/photo/7/",
                "photographer": "Ana", "photographer_url": "https://www.pexels.com/@ana", "avg_color": "#978E82",
                "alt": "Brown rocks", "src": { "large": "https://images.pexels.com/7.jpeg" }, "liked": false }]);
            let page = json!({ "total_results": 1, "page": 1, "per_page": 20, "photos": photos });
            answer("200 OK", page.to_string().as_bytes())
        }
        "/photo.png" => answer("200 OK", &photo),
        "/page.html" => answer("200 OK", b"<html>no photo</html>"),
        _ => answer("404 Not Found", b""),
    })
    .await
}

async fn front(peer: &Peer, key: Option<&str>) -> Front {
    let settings = PexelsSettings {
        base_url: peer.url("/"),
        image_hosts: vec![peer.address.to_string()],
        max_bytes: 1 << 20,
        user_agent: "test".into(),
    };
    let policy = Policy::new(vec![peer.address.to_string().parse().unwrap()]);
    let photos = StockPhotos::new(Pexels::new(settings, policy).unwrap(), key.map(Hidden::new));
    Front::on(Harness::builder().keyring().photos(photos), |_| {}).await
}

#[tokio::test]
async fn a_search_takes_the_own_key_before_the_operators_and_is_asked_once() {
    let peer = peer().await;
    let front = front(&peer, Some("operators")).await;
    let found = front.get(&format!("{SEARCH}?q=rocks&orientation=landscape")).await;
    assert_eq!(found.is(200)["total_results"], 1);
    let photo = &found.json["photos"][0];
    assert_eq!((&photo["id"], &photo["alt"], &photo["liked"]), (&json!(7), &json!("Brown rocks"), &Value::Null));
    assert_eq!(photo["src"], json!({ "large": "https://images.pexels.com/7.jpeg" }));
    front.get(&format!("{SEARCH}?q=rocks&orientation=landscape&page=1")).await.is(200);
    assert_eq!(peer.asked().len(), 1, "the answer is given again");
    front.post(KEYS, &json!({ "provider": "pexels", "api_key": "our-own-key" })).await.is(201);
    front.get(&format!("{SEARCH}?q=rocks&page=2")).await.is(200);
    let keys: Vec<_> = peer.asked().iter().map(|asked| asked.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(keys, ["operators", "our-own-key"]);
    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=a&per_page=81", "per_page"),
        ("q=a&page=0", "page"),
        ("q=a&orientation=round", "orientation"),
    ] {
        let refused = front.get(&format!("{SEARCH}?{query}")).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn without_any_key_it_is_a_conflict_and_a_refused_one_is_the_providers_word() {
    let peer = peer().await;
    let front = front(&peer, None).await;
    front.get(&format!("{SEARCH}?q=rocks")).await.is_problem(409, "CONFLICT");
    assert_eq!(peer.asked().len(), 0);
    let key = front.post(KEYS, &json!({ "provider": "pexels", "api_key": "refused" })).await.is(201).clone();
    let refused = front.get(&format!("{SEARCH}?q=rocks")).await;
    let problem = refused.is_problem(502, "WORKFLOW_ERROR");
    assert!(text(&problem["detail"]).contains("does not accept the key"), "{problem}");
    let path = format!("{KEYS}/{}", text(&key["id"]));
    front.patch(&path, &json!({ "is_active": false })).await.is(200);
    front.get(&format!("{SEARCH}?q=rocks")).await.is_problem(409, "CONFLICT");
    front.patch(&path, &json!({ "api_key": "good", "is_active": true })).await.is(200);
    front.get(&format!("{SEARCH}?q=rocks")).await.is(200);
}

#[tokio::test]
async fn keys_are_never_shown_and_go_with_their_row() {
    let peer = peer().await;
    let front = front(&peer, None).await;
    let new = json!({ "provider": "pexels", "api_key": "very-secret-key", "further": "ignored" });
    let made = front.post(KEYS, &new).await;
    let key = made.is(201).clone();
    assert_eq!((&key["provider"], &key["is_active"]), (&json!("pexels"), &json!(true)));
    assert_eq!(key["organization_id"], front.harness.principal.org.to_string());
    front.post(KEYS, &new).await.is_problem(409, "CONFLICT");
    let list = front.get(KEYS).await;
    assert_eq!(list.is(200), &json!([key]));
    assert!(!list.text.contains("very-secret") && !made.text.contains("very-secret"));
    let sealed = front.harness.database.texts("SELECT encode(sealed, 'escape') FROM secrets").await;
    assert!(sealed.len() == 1 && !sealed[0].contains("very-secret"), "{sealed:?}");
    let path = format!("{KEYS}/{}", text(&key["id"]));
    let (_, stranger) = front.harness.other_tenant().await;
    for method in [Method::PATCH, Method::DELETE] {
        let request = front.request_as(&stranger, method, &path).json(&json!({ "is_active": false }));
        front.send(request).await.is_problem(404, "NOT_FOUND");
    }
    assert_eq!(front.delete(&path).await.status, 204);
    front.delete(&path).await.is_problem(404, "NOT_FOUND");
    assert_eq!(front.harness.database.texts("SELECT name FROM secrets").await, Vec::<String>::new());
    for (body, field) in [
        (json!({ "provider": "flickr", "api_key": "k" }), "provider"),
        (json!({ "provider": "pexels" }), "api_key"),
        (json!({ "provider": "pexels", "api_key": "two words" }), "api_key"),
    ] {
        let refused = front.post(KEYS, &body).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field]);
    }
}

#[tokio::test]
async fn a_photo_is_imported_with_its_credit_from_the_providers_hosts_alone() {
    let peer = peer().await;
    let front = front(&peer, None).await;
    let (post, _) = front.ordered_post("Tea", Vec::new()).await;
    let path = format!("{post}/images/from-stock");
    let photo = json!({ "photo_url": peer.url("/photo.png"), "alt_text": "Brown rocks", "photographer": "Ana",
        "original_url": "https://www.pexels.com/photo/7/" });
    let added = front.post(&path, &photo).await;
    let image = added.is(201);
    assert_eq!((&image["source"], &image["alt_text"]), (&json!("stock"), &json!("Brown rocks")));
    assert_eq!(image["credit"], json!({ "photographer": "Ana", "url": "https://www.pexels.com/photo/7/" }));
    let link = text(&image["original_url"]);
    assert!(link.starts_with("/api/v1/images/"), "ours, not the provider's: {link}");
    let asked = peer.asked().len();
    for link in [
        "https://example.org/photo.png",
        "http://127.0.0.1:1/photo.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/photo.png",
        "file:///etc/passwd",
        "photo.png",
        "",
    ] {
        let refused = front.post(&path, &json!({ "photo_url": link })).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), ["photo_url"], "{link}");
    }
    assert_eq!(peer.asked().len(), asked, "none of them was fetched");
    let refused = front.post(&path, &json!({ "photo_url": peer.url("/page.html") })).await;
    refused.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(refused.wrong_fields(), ["photo_url"]);
    front.post(&path, &json!({ "photo_url": peer.url("/gone.png") })).await.is_problem(502, "WORKFLOW_ERROR");
}

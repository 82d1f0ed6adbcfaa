//! Sites that everybody may read: whose address it is, which picture, how often.

use galley_testkit::Harness;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Front, publishing::Desk, text, wide};

const DEFINITION: &str = "/api/v1/publisher/site-definition";

async fn open(front: &Front, project: &str, is_open: bool) {
    let settings = json!({ "settings": { "public_site_definition": is_open } });
    front.patch(&format!("/api/v1/projects/{project}"), &settings).await.is(200);
}

async fn named(front: &Front, query: &str) -> Value {
    let answer = front.send(front.bare(Method::GET, &format!("{DEFINITION}?{query}"))).await;
    answer.is(200)["data"].clone()
}

#[tokio::test]
async fn the_first_that_was_opened_keeps_the_address() {
    let front = Front::new().await;
    let made = json!({ "name": "Tea", "platform": "wordpress" });
    let ours = text(&front.post("/api/v1/projects", &made).await.is(201)["id"]);
    let (_, stranger) = front.harness.other_tenant().await;
    let theirs = front.send(front.request_as(&stranger, Method::POST, "/api/v1/projects").json(&made)).await;
    let theirs = text(&theirs.is(201)["id"]);
    let open_theirs = json!({ "settings": { "public_site_definition": true } });
    let path = format!("/api/v1/projects/{theirs}");
    front.send(front.request_as(&stranger, Method::PATCH, &path).json(&open_theirs)).await.is(200);
    assert_eq!(named(&front, "site_slug=tea").await["site"]["id"], theirs.as_str());
    open(&front, &ours, true).await;
    assert_eq!(named(&front, "site_slug=tea").await["site"]["id"], theirs.as_str(), "ours is older, and came later");
    let closed = json!({ "settings": { "public_site_definition": false } });
    front.send(front.request_as(&stranger, Method::PATCH, &path).json(&closed)).await.is(200);
    assert_eq!(named(&front, "site_slug=tea").await["site"]["id"], ours.as_str());
    front.send(front.request_as(&stranger, Method::PATCH, &path).json(&open_theirs)).await.is(200);
    assert_eq!(named(&front, "site_slug=tea").await["site"]["id"], ours.as_str(), "who closes it gives it away");
}

#[tokio::test]
async fn the_own_picture_of_a_text_is_shown_from_where_it_stands() {
    let desk = Desk::new().await;
    open(&desk.front, &desk.project, true).await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.front.post(&format!("{post}/publish"), &json!({ "connection_id": desk.connection })).await.is(200);
    engine.stop().await;
    let picture = "https://blog.example/wp-content/uploads/tea.png";
    let sent = json!({ "id": "9", "url": picture, "alt": "Tea" });
    desk.front
        .harness
        .database
        .execute(&format!("UPDATE publications SET sent = jsonb_set(sent, '{{featured}}', '{sent}')"))
        .await;
    let site = named(&desk.front, &format!("site_id={}", desk.project)).await;
    assert_eq!(site["pages"][0]["featured_image_url"], picture, "{site}");
}

#[tokio::test]
async fn texts_are_left_out_before_they_are_too_many_bytes() {
    let desk = Desk::new().await;
    open(&desk.front, &desk.project, true).await;
    let post = desk.written("Tea").await;
    let engine = desk.engine();
    desk.front.post(&format!("{post}/publish"), &json!({ "connection_id": desk.connection })).await.is(200);
    engine.stop().await;
    let store = desk.front.harness.services.store().clone();
    let tenant = store.tenant(desk.front.harness.principal.org);
    let project = desk.project.parse().unwrap();
    let bytes: i64 =
        desk.front.harness.database.number("SELECT octet_length(content_markdown)::bigint FROM articles").await;
    assert_eq!(tenant.published_texts(project, 10, bytes).await.unwrap().len(), 1);
    assert_eq!(tenant.published_texts(project, 10, bytes - 1).await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_address_reads_sites_only_so_often() {
    let front = Front::on(Harness::builder(), |state| {
        state.limits = wide();
        state.limits.rates.general = 2;
    })
    .await;
    let asked = || front.send(front.bare(Method::GET, &format!("{DEFINITION}?site_slug=none")));
    for _ in 0..2 {
        asked().await.is_problem(404, "NOT_FOUND");
    }
    let refused = asked().await;
    refused.is_problem(429, "RATE_LIMIT_ERROR");
    assert!(!refused.header("retry-after").is_empty());
}

//! Integrations over HTTP, with a blog at the other end.

use galley_testkit::Harness;
use galley_testpeer::wordpress::{PASSWORD, Trouble, USER};
use serde_json::{Value, json};

use super::{Answer, Front, publishing::Desk, text};

pub(super) const INTEGRATIONS: &str = "/api/v1/integration";
const INVALID: &str = "VALIDATION_ERROR";
const NOBODY: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

/// The body that makes the desk's blog the integration of its project.
pub(super) fn body(desk: &Desk) -> Value {
    json!({
        "site_id": desk.project, "platform": "wordpress", "site_url": desk.blog.url(), "username": USER,
        "api_key": PASSWORD,
    })
}

/// The integration of the desk's project: its path and the secret that the site calls with.
pub(super) async fn integrated(desk: &Desk) -> (String, String) {
    let made = desk.front.post(INTEGRATIONS, &body(desk)).await;
    let made = &made.is(201)["data"];
    (format!("{INTEGRATIONS}/{}", text(&made["id"])), text(&made["webhook_secret"]))
}

fn fields(answer: &Answer) -> Vec<&str> {
    answer.is_problem(400, INVALID);
    answer.wrong_fields()
}

#[tokio::test]
async fn a_blog_connection_becomes_the_integration_and_stays_when_that_goes() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let made = front.post(INTEGRATIONS, &body(&desk)).await;
    assert_eq!(made.is(201)["success"], true);
    assert_eq!(made.json["request_id"], made.header("x-request-id"));
    let shown = &made.json["data"];
    assert_eq!(shown["id"], desk.connection, "the row of the same site and user is taken");
    assert_eq!((&shown["site_id"], &shown["has_api_key"]), (&json!(desk.project), &json!(true)));
    let secret = text(&shown["webhook_secret"]);
    assert!(secret.starts_with("gs_") && !made.text.contains(PASSWORD), "{}", made.text);
    let path = format!("{INTEGRATIONS}/{}", desk.connection);
    let listed = front.get(&format!("{INTEGRATIONS}?site_id={}", desk.project)).await;
    assert_eq!((&listed.is(200)["count"], &listed.json["results"][0]["has_webhook_secret"]), (&json!(1), &json!(true)));
    assert!(!listed.text.contains(&secret), "shown once");
    for filter in ["platform=shopify", "is_active=false", &format!("site_id={NOBODY}")] {
        assert_eq!(front.get(&format!("{INTEGRATIONS}?{filter}")).await.is(200)["count"], 0, "{filter}");
    }
    front.post(INTEGRATIONS, &body(&desk)).await.is_problem(409, "CONFLICT");
    front.delete(&path).await.is(204);
    front.delete(&path).await.is_problem(404, "NOT_FOUND");
    let blog = front.get(&format!("/api/v1/blog-connections/{}", desk.connection)).await;
    assert_eq!(blog.is(200)["username"], USER, "only detached");
    assert_eq!(front.post(INTEGRATIONS, &body(&desk)).await.is(201)["data"]["id"], desk.connection, "and taken again");
}

#[tokio::test]
async fn a_repeated_request_shows_no_secret_again() {
    let desk = Desk::new().await;
    let send = || {
        let request = desk.front.request(reqwest::Method::POST, INTEGRATIONS).header("idempotency-key", "once");
        desk.front.send(request.json(&body(&desk)))
    };
    let first = send().await;
    assert!(first.is(201)["data"]["webhook_secret"].is_string());
    let second = send().await;
    assert_eq!(second.is(201)["data"]["id"], first.json["data"]["id"]);
    assert_eq!((&second.json["data"]["webhook_secret"], second.header("idempotent-replayed")), (&Value::Null, "true"));
    let stored = desk.front.harness.database.texts("SELECT response::text FROM idempotency_keys").await;
    assert!(!stored.join(" ").contains(&text(&first.json["data"]["webhook_secret"])), "{stored:?}");
}

#[tokio::test]
async fn what_is_sent_is_changed_and_the_rest_stays() {
    let desk = Desk::new().await;
    let (path, _) = integrated(&desk).await;
    let front = &desk.front;
    let whole = front.get(INTEGRATIONS).await.is(200)["results"][0].clone();
    let same = front.put(&path, &whole).await;
    let same = &same.is(200)["data"];
    assert_eq!((&same["site_url"], &same["username"]), (&whole["site_url"], &whole["username"]), "as GET gave it");
    let changed = front.put(&path, &json!({ "is_active": false, "config_json": { "content_form": "html" } })).await;
    let changed = &changed.is(200)["data"];
    assert_eq!((&changed["is_active"], &changed["config_json"]["content_form"]), (&json!(false), &json!("html")));
    assert_eq!(front.put(&path, &json!({ "config_json": null })).await.is(200)["data"]["config_json"], json!({}));
    for (body, wrong) in [
        (json!({ "site_url": "https://elsewhere.example" }), vec!["api_key"]),
        (json!({ "site_url": format!("{}/second", desk.blog.url()) }), vec!["api_key"]),
        (json!({ "username": "another" }), vec!["api_key"]),
        (json!({ "username": null }), vec!["api_key"]),
        (json!({ "platform": "shopify", "site_id": NOBODY }), vec!["site_id", "platform"]),
        (json!({ "config_json": { "create_terms": 7 } }), vec!["config_json.create_terms"]),
        (json!({ "colour": "red", "api_key": null }), vec!["api_key", "colour"]),
    ] {
        assert_eq!(fields(&front.put(&path, &body).await), wrong, "{body}");
    }
    front.put(&format!("{INTEGRATIONS}/{NOBODY}"), &json!({})).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_is_wrong_with_an_integration_is_named() {
    let desk = Desk::new().await;
    let front = &desk.front;
    assert_eq!(fields(&front.post(INTEGRATIONS, &json!({})).await), ["site_id", "platform", "site_url"]);
    let with = |change: Value| {
        let mut body = body(&desk);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for (change, wrong) in [
        (json!({ "site_url": "http://blog.example" }), vec!["site_url"]),
        (json!({ "site_url": "https://169.254.169.254" }), vec!["site_url"]),
        (json!({ "api_key": null }), vec!["api_key"]),
        (json!({ "username": "a:b", "api_key": " " }), vec!["api_key"]),
        (json!({ "platform": "ghost" }), vec!["platform"]),
        (json!({ "config_json": { "content_form": "pdf" } }), vec!["config_json.content_form"]),
    ] {
        assert_eq!(fields(&front.post(INTEGRATIONS, &with(change.clone())).await), wrong, "{change}");
    }
    let nowhere = front.post(INTEGRATIONS, &with(json!({ "site_id": NOBODY }))).await;
    nowhere.is_problem(404, "NOT_FOUND");
    assert_eq!((nowhere.wrong_fields(), &nowhere.json["success"]), (vec!["site_id"], &json!(false)));
    let (_, stranger) = front.harness.other_tenant().await;
    let theirs = front.request_as(&stranger, reqwest::Method::POST, INTEGRATIONS).json(&body(&desk));
    front.send(theirs).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_site_without_a_login_is_told_what_it_lacks() {
    let desk = Desk::new().await;
    let front = &desk.front;
    let mut plugin_only = body(&desk);
    plugin_only.as_object_mut().unwrap().remove("username");
    let made = front.post(INTEGRATIONS, &plugin_only).await;
    let path = format!("{INTEGRATIONS}/{}", text(&made.is(201)["data"]["id"]));
    assert_eq!(made.json["data"]["username"], Value::Null);
    let tested = front.post(&format!("{path}/test_connection"), &json!({})).await;
    let tested = &tested.is(200)["data"];
    assert_eq!((&tested["success"], &tested["details"]["authenticated"]), (&json!(false), &json!(false)));
    assert!(text(&tested["message"]).contains("username"), "{tested}");
    let synced = front.post(&format!("{path}/sync"), &json!({})).await;
    assert!(text(&synced.is_problem(409, "CONFLICT")["detail"]).contains("username"));
    front.post(&format!("{path}/update_structure"), &json!({})).await.is_problem(409, "CONFLICT");
    front.delete(&path).await.is(204);
    let blogs = front.get("/api/v1/blog-connections").await;
    assert_eq!(blogs.is(200).as_array().unwrap().len(), 1, "it was no blog connection, and is gone");
    let secrets = front.harness.database.number("SELECT count(*) FROM secrets").await;
    assert_eq!(secrets, 1, "with its secrets");
}

#[tokio::test]
async fn one_that_something_is_promised_through_stays() {
    let desk = Desk::new().await;
    let (path, _) = integrated(&desk).await;
    let post = desk.written("Tea").await;
    let at = json!({ "scheduled_at": "2028-01-01T10:00:00Z", "connection_id": desk.connection });
    desk.front.post(&format!("{post}/schedule"), &at).await.is(200);
    desk.front.delete(&path).await.is_problem(409, "CONFLICT");
    desk.front.post(&format!("{post}/unschedule"), &json!({})).await.is(200);
    desk.front.delete(&path).await.is(204);
}

#[tokio::test]
async fn an_integration_and_its_collections_are_tried_out() {
    let desk = Desk::new().await;
    let (path, _) = integrated(&desk).await;
    let front = &desk.front;
    desk.blog.write("theirs", "<p>Theirs</p>");
    let tested = front.post(&format!("{path}/test_connection"), &json!({})).await;
    let tested = &tested.is(200)["data"];
    assert_eq!((&tested["success"], &tested["details"]["authenticated"]), (&json!(true), &json!(true)), "{tested}");
    assert_eq!(tested["details"]["plugin_installed"], false);
    assert!(tested["details"]["capabilities"].as_array().unwrap().len() >= 10);
    let shown = front.get(INTEGRATIONS).await;
    assert!(shown.is(200)["results"][0]["metadata"]["last_tested_at"].is_string());
    let collection = async |body: Value| front.post(&format!("{path}/test_collection_connection"), &body).await;
    let posts = collection(json!({})).await;
    let posts = &posts.is(200)["data"];
    assert_eq!((&posts["success"], &posts["collection"], &posts["count"]), (&json!(true), &json!("posts"), &json!(1)));
    let products = collection(json!({ "collection": "products" })).await;
    let products = &products.is(200)["data"];
    assert_eq!((&products["success"], &products["count"]), (&json!(false), &Value::Null), "no shop there");
    assert!(text(&products["message"]).contains("404"), "{products}");
    assert_eq!(fields(&collection(json!({ "collection": "shoes" })).await), ["collection"]);
}

#[tokio::test]
async fn the_structure_of_a_site_is_told_or_asked() {
    let desk = Desk::new().await;
    let (path, secret) = integrated(&desk).await;
    let front = &desk.front;
    let none = front.get(&format!("{path}/content_types")).await;
    assert_eq!(
        (&none.is(200)["data"]["post_types"], &none.json["data"]["last_structure_fetch"]),
        (&json!({}), &Value::Null)
    );
    let update = format!("{path}/update_structure");
    let asked = front.post(&update, &json!({})).await;
    let asked = &asked.is(200)["data"];
    assert_eq!((&asked["post_types_count"], &asked["taxonomies_count"]), (&json!(2), &json!(2)), "{asked}");
    let told = json!({
        "post_types": { "post": { "label": "Articles", "count": 7, "enabled": false, "newer": 1 }, "book": {} },
        "plugin_connection_enabled": true, "timestamp": "2026-11-01T00:00:00Z",
    });
    let by_site = front.bare(reqwest::Method::POST, &update).header("x-api-key", &secret).json(&told);
    front.send(by_site).await.is(200);
    let known = front.get(&format!("{path}/content_types")).await;
    let known = &known.is(200)["data"];
    assert_eq!(known["post_types"]["post"]["label"], "Articles");
    assert_eq!(
        (&known["post_types"]["post"]["enabled"], &known["post_types"]["book"]["count"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(known["taxonomies"]["category"]["label"], "Categories", "what is left out stays");
    assert_eq!(
        (&known["plugin_connection_enabled"], &known["last_structure_fetch"]),
        (&json!(true), &json!("2026-11-01T00:00:00.000Z"))
    );
    front.post(&update, &json!({})).await.is(200);
    let again = front.get(&format!("{path}/content_types")).await;
    assert_eq!(again.is(200)["data"]["post_types"]["post"]["enabled"], false, "what people have chosen stays");
    let wrong = json!({ "post_types": { "post": { "count": -1, "enabled": "yes" }, "page": 7 } });
    assert_eq!(
        fields(&front.post(&update, &wrong).await),
        ["post_types.page", "post_types.post.count", "post_types.post.enabled"]
    );
    desk.blog.trouble("GET", "wp/v2/types", Trouble::Status("403 Forbidden", "", r#"{"code":"x","message":"No."}"#));
    front.post(&update, &json!({})).await.is_problem(502, "WORKFLOW_ERROR");
}

#[tokio::test]
async fn a_site_speaks_for_no_other() {
    let desk = Desk::new().await;
    let (_, secret) = integrated(&desk).await;
    let front = &desk.front;
    let other = front.post("/api/v1/projects", &json!({ "name": "Other", "platform": "wordpress" })).await;
    let mut there = body(&desk);
    there["site_id"] = other.is(201)["id"].clone();
    there.as_object_mut().unwrap().remove("username");
    let there = front.post(INTEGRATIONS, &there).await;
    let there = format!("{INTEGRATIONS}/{}", text(&there.is(201)["data"]["id"]));
    let told = |secret: &str| {
        let request = front.bare(reqwest::Method::POST, &format!("{there}/update_structure"));
        front.send(request.header("authorization", format!("ApiKey {secret}")).json(&json!({ "post_types": {} })))
    };
    told(&secret).await.is_problem(404, "NOT_FOUND");
    let mut wrong = secret.clone();
    wrong.replace_range(40..41, if &secret[40..41] == "a" { "b" } else { "a" });
    told(&wrong).await.is_problem(401, "UNAUTHORIZED");
    let elsewhere = front.bare(reqwest::Method::GET, INTEGRATIONS).header("x-api-key", &secret);
    front.send(elsewhere).await.is_problem(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_shop_is_kept_and_not_spoken_to() {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let project = front.post("/api/v1/projects", &json!({ "name": "Shop", "platform": "shopify" })).await;
    let shop = json!({ "site_id": project.is(201)["id"], "platform": "shopify", "site_url": "https://shop.example", "username": "u", "api_key": "k" });
    let made = front.post(INTEGRATIONS, &shop).await;
    let path = format!("{INTEGRATIONS}/{}", text(&made.is(201)["data"]["id"]));
    let tested = front.post(&format!("{path}/test_connection"), &json!({})).await;
    assert!(text(&tested.is(200)["data"]["message"]).contains("only wordpress"), "{}", tested.text);
    front.post(&format!("{path}/sync"), &json!({})).await.is_problem(409, "CONFLICT");
}

//! Projects: made, changed, put into the trash, taken out of it and removed; what is wrong with a request, and who may.

use galley_domain::{Permission, Scope};
use galley_testkit::Script;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, Front, id, text};

const PROJECTS: &str = "/api/v1/projects";
const INVALID: &str = "VALIDATION_ERROR";
const NOBODY: &str = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";

/// Makes a project; its path.
async fn create(front: &Front, name: &str) -> String {
    let made = front.post(PROJECTS, &json!({ "name": name, "platform": "shopify" })).await;
    format!("{PROJECTS}/{}", text(&made.is(201)["id"]))
}

fn project_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn form(front: &Front, body: &'static str) -> RequestBuilder {
    let request = front.request(Method::POST, PROJECTS);
    request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8").body(body)
}

async fn names(front: &Front, query: &str) -> Vec<String> {
    let list = front.get(&format!("{PROJECTS}{query}")).await;
    list.is(200).as_array().unwrap().iter().map(|project| text(&project["name"])).collect()
}

/// Orders an article in a project and has it written: its task and itself.
async fn write_in(front: &Front, path: &str) -> (String, String) {
    let order = json!({ "topic": "Tea", "project_id": project_of(path) });
    let receipt = front.post("/api/v1/articles/generate", &order).await;
    let receipt = &receipt.is(202)["data"];
    let engine = front.harness.scripted(&Script::default());
    front.harness.completed(id(&receipt["task_id"])).await;
    engine.stop().await;
    (text(&receipt["task_id"]), text(&receipt["article_id"]))
}

#[tokio::test]
async fn a_project_begins_empty_and_whole() {
    let front = Front::new().await;
    let body = json!({ "name": " Tea & Co ", "platform": "woocommerce", "newer_field": { "is": "ignored" } });
    let made = front.post(PROJECTS, &body).await;
    let project = made.is(201);
    let expected = json!({
        "id": project["id"], "name": "Tea & Co", "platform": "woocommerce", "status": "draft", "slug": "tea-co",
        "domain": null, "description": "", "settings": {}, "created_at": project["created_at"], "completed_at": null,
        "deleted_at": null, "item_count": 0, "flagged_count": 0, "source_count": 0,
        "status_counts": {
            "pending": 0, "generated": 0, "flagged": 0, "approved": 0, "rejected": 0, "synced": 0, "excluded": 0,
        },
        "store_connection_id": null, "store_connection_name": null,
    });
    assert_eq!(project, &expected);
    assert!(text(&project["created_at"]).ends_with('Z'), "{project}");
    let found = front.get(made.header("location")).await;
    assert_eq!(found.is(200), &expected, "Location leads to it");
    let list = front.get(&format!("{PROJECTS}/")).await;
    assert_eq!(list.is(200), &json!([expected]), "a bare list");
}

#[tokio::test]
async fn a_project_is_made_of_a_form_too_and_of_one_key_once() {
    let front = Front::new().await;
    let made = front.send(form(&front, "name=Gr%C3%BCner+Tee&platform=wordpress&newer=1")).await;
    assert_eq!((&made.is(201)["name"], &made.json["platform"]), (&json!("Grüner Tee"), &json!("wordpress")));
    let keyed = |body| form(&front, body).header("idempotency-key", "k");
    let first = front.send(keyed("name=Once&platform=magento2")).await;
    let again = front.send(keyed("platform=magento2&name=Once")).await;
    assert_eq!((first.is(201), first.header("idempotent-replayed")), (again.is(201), ""));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    front.send(keyed("name=Twice&platform=magento2")).await.is_problem(409, "CONFLICT");
    assert_eq!(names(&front, "").await, ["Once", "Grüner Tee"], "newest first");
}

#[tokio::test]
async fn a_change_touches_what_it_names() {
    let front = Front::new().await;
    let path = create(&front, "Tea").await;
    let made = front.get(&path).await.json;
    let settings = json!({ "settings": { "language": "de", "brand": { "voice": "we" }, "gone": 1 }, "newer": true });
    let set = front.patch(&path, &settings).await;
    assert_eq!(set.is(200)["name"], "Tea", "what is left out stays");
    let merged = front.patch(&path, &json!({ "settings": { "gone": null, "brand": { "voice": "I" } } })).await;
    assert_eq!(merged.is(200)["settings"], json!({ "language": "de", "brand": { "voice": "I" } }), "key by key");
    front.patch(&path, &json!({ "settings": { "far": -1e300, "near": 5e-324 } })).await.is(200);
    front.patch(&path, &json!({ "settings": { "far": null, "near": null } })).await.is(200);
    let renamed = front.patch(&path, &json!({ "name": "Coffee", "store_connection_id": null })).await;
    let mut expected = made.clone();
    expected["name"] = json!("Coffee");
    expected["settings"] = merged.json["settings"].clone();
    assert_eq!(renamed.is(200), &expected, "the slug stays");
    for nothing in [json!({}), json!({ "newer": 1 })] {
        assert_eq!(front.patch(&path, &nothing).await.is(200), &expected, "{nothing} changes nothing");
    }
    assert_eq!(front.get(&path).await.is(200), &expected);
}

const EMPTY: &str = "must not be empty";
const NUL: &str = "contains a NUL character; remove it";
const NEEDED: &str = "is required";
const LONG: &str = "has 201 characters; give at most 200";
const NOT_NULL: &str = "must not be null; leave it out to keep it as it is";
const NO_CONNECTION: &str = "there is no such connection; give null";
const PLATFORMS: &str = "is not one of woocommerce, shopify, magento2, wordpress";

type Wrong = (Value, Vec<(&'static str, &'static str)>);

fn wrong_new() -> Vec<Wrong> {
    let name = |name: Value| json!({ "name": name, "platform": "shopify" });
    let platform = |platform: Value| json!({ "name": "Tea", "platform": platform });
    vec![
        (json!({}), vec![("name", NEEDED), ("platform", NEEDED)]),
        (json!({ "title": "Tea", "platform": "shopify" }), vec![("name", NEEDED)]),
        (json!({ "name": "Tea" }), vec![("platform", NEEDED)]),
        (json!({ "name": "", "platform": "etsy" }), vec![("name", EMPTY), ("platform", PLATFORMS)]),
        (name(json!("")), vec![("name", EMPTY)]),
        (name(json!(" \n\t ")), vec![("name", EMPTY)]),
        (name(json!("x".repeat(201))), vec![("name", LONG)]),
        (name(json!("🫖".repeat(201))), vec![("name", LONG)]),
        (name(json!("a\0b")), vec![("name", NUL)]),
        (name(Value::Null), vec![("name", NEEDED)]),
        (name(json!(7)), vec![("name", "must be a text, but is a number")]),
        (name(json!(["Tea"])), vec![("name", "must be a text, but is a list")]),
        (platform(json!("etsy")), vec![("platform", PLATFORMS)]),
        (platform(json!("Shopify")), vec![("platform", PLATFORMS)]),
        (platform(json!("")), vec![("platform", PLATFORMS)]),
        (platform(Value::Null), vec![("platform", NEEDED)]),
        (platform(json!(true)), vec![("platform", "must be a text, but is true or false")]),
        (platform(json!({})), vec![("platform", "must be a text, but is an object")]),
        (json!([]), vec![("body", "must be a JSON object, but is a list")]),
        (json!("name=Tea"), vec![("body", "must be a JSON object, but is a text")]),
    ]
}

fn wrong_changes() -> Vec<Wrong> {
    let settings = |settings: Value, says| (json!({ "settings": settings }), vec![("settings", says)]);
    let connection = |id: Value, says| (json!({ "store_connection_id": id }), vec![("store_connection_id", says)]);
    let keys = |count: usize| (0..count).map(|at| (format!("k{at}"), json!(at))).collect::<Value>();
    vec![
        (json!({ "name": "" }), vec![("name", EMPTY)]),
        (json!({ "name": null }), vec![("name", NOT_NULL)]),
        (json!({ "name": "x".repeat(201) }), vec![("name", LONG)]),
        (json!({ "name": {} }), vec![("name", "must be a text, but is an object")]),
        settings(Value::Null, NOT_NULL),
        settings(json!([]), "must be an object, but is a list"),
        settings(json!("tone=calm"), "must be an object, but is a text"),
        settings(json!(5), "must be an object, but is a number"),
        settings(json!({ "a": ["\0"] }), NUL),
        settings(json!({ "a\0": 1 }), NUL),
        settings(json!({ "a": [1, { "b": -1.7e308 }] }), "holds a number beyond 1e300; give it as a text"),
        settings(keys(201), "has 201 keys; give at most 200"),
        settings(json!({ "a": "x".repeat(70_000) }), "has 70008 bytes as JSON; give at most 65536"),
        connection(json!("shop"), "must be a UUID"),
        connection(json!(7), "must be a text, but is a number"),
        connection(json!(NOBODY), NO_CONNECTION),
        (
            json!({ "name": 1, "settings": 2, "store_connection_id": 3 }),
            vec![
                ("name", "must be a text, but is a number"),
                ("settings", "must be an object, but is a number"),
                ("store_connection_id", "must be a text, but is a number"),
            ],
        ),
        (json!(null), vec![("body", "must be a JSON object, but is null")]),
    ]
}

/// The answer names exactly these fields, each with a message that ends so.
#[track_caller]
fn check(case: &str, answer: &Answer, fields: &[(&str, &str)]) {
    assert_eq!(answer.status, 400, "{case}: {}", answer.text);
    answer.is_problem(400, INVALID);
    let errors = answer.json["errors"].as_array().unwrap();
    assert_eq!(answer.wrong_fields(), fields.iter().map(|(field, _)| *field).collect::<Vec<_>>(), "{case}");
    for (error, (field, says)) in errors.iter().zip(fields) {
        assert!(text(&error["message"]).ends_with(says), "{case}: {field} says {}", error["message"]);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_and_leaves_nothing() {
    let front = Front::new().await;
    let path = create(&front, "Tea").await;
    let before = front.get(&path).await.json;
    let short = |body: &Value| body.to_string().chars().take(80).collect::<String>();
    for (body, fields) in wrong_new() {
        check(&short(&body), &front.post(PROJECTS, &body).await, &fields);
    }
    for (body, fields) in wrong_changes() {
        check(&short(&body), &front.patch(&path, &body).await, &fields);
    }
    let twice = "is given more than once; give it once";
    for (body, fields) in [
        ("", vec![("name", NEEDED), ("platform", NEEDED)]),
        ("name=&platform=", vec![("name", NEEDED), ("platform", NEEDED)]),
        ("name=+&platform=etsy", vec![("name", EMPTY), ("platform", PLATFORMS)]),
        ("name=a&name=b&platform=shopify", vec![("name", twice)]),
        ("name=a%00&platform=shopify", vec![("name", NUL)]),
        ("{\"name\":\"Tea\",\"platform\":\"shopify\"}", vec![("name", NEEDED), ("platform", NEEDED)]),
    ] {
        check(body, &front.send(form(&front, body)).await, &fields);
    }
    for (query, says) in
        [("include_deleted=yes", "must be true or false"), ("include_deleted=true&include_deleted=false", twice)]
    {
        check(query, &front.get(&format!("{PROJECTS}?{query}")).await, &[("include_deleted", says)]);
    }
    let broken = front.request(Method::POST, PROJECTS).header("content-type", "application/json").body("{\"name\":");
    front.send(broken).await.is_problem(400, INVALID);
    for (method, path, kind) in [
        (Method::POST, PROJECTS, "text/plain"),
        (Method::PATCH, &path, "text/plain"),
        (Method::PATCH, &path, "application/x-www-form-urlencoded"),
    ] {
        let request = front.request(method, path).header("content-type", kind).body("name=Tea");
        front.send(request).await.is_problem(415, INVALID);
    }
    assert_eq!(front.get(&path).await.is(200), &before, "nothing of what was refused was kept");
    assert_eq!(names(&front, "").await, ["Tea"]);
}

#[tokio::test]
async fn the_trash_is_a_place_of_its_own() {
    let front = Front::new().await;
    let (one, two) = (create(&front, "One").await, create(&front, "Two").await);
    let act = async |method: Method, what: &str| front.send(front.request(method, &format!("{one}{what}"))).await;
    let said = |answer: Answer, says: &str| {
        let problem = answer.is_problem(409, "CONFLICT");
        assert!(text(&problem["detail"]).contains(says), "{problem}");
    };
    said(act(Method::POST, "/restore").await, "not in the trash");
    said(act(Method::DELETE, "/permanent").await, "not in the trash");
    let gone = act(Method::DELETE, "").await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(
        (names(&front, "").await, names(&front, "?include_deleted=True").await),
        (vec!["Two".to_owned()], vec!["One".to_owned()])
    );
    assert!(front.get(&one).await.is(200)["deleted_at"].is_string(), "it can be read");
    said(act(Method::DELETE, "").await, "in the trash");
    said(front.patch(&one, &json!({ "name": "x" })).await, "restore it first");
    let order = json!({ "topic": "Tea", "project_id": project_of(&one) });
    let refused = front.post("/api/v1/articles/generate", &order).await;
    check("an order", &refused, &[("project_id", "or it is in the trash")]);
    assert_eq!(act(Method::POST, "/restore").await.is(200)["deleted_at"], Value::Null);
    assert_eq!(names(&front, "?include_deleted=false").await, ["Two", "One"]);
    assert_eq!(act(Method::DELETE, "").await.status, 204);
    let gone = act(Method::DELETE, "/permanent").await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for (method, what) in [(Method::GET, ""), (Method::DELETE, ""), (Method::DELETE, "/permanent")] {
        act(method, what).await.is_problem(404, "NOT_FOUND");
    }
    act(Method::POST, "/restore").await.is_problem(404, "NOT_FOUND");
    assert_eq!(front.get(&two).await.is(200)["deleted_at"], Value::Null, "the other one stays");
}

#[tokio::test]
async fn what_is_in_the_trash_rests_and_what_is_removed_takes_it_along() {
    let front = Front::new().await;
    let path = create(&front, "Tea").await;
    let order = json!({ "topic": "Tea", "project_id": project_of(&path) });
    let open = front.post("/api/v1/articles/generate", &order).await.is(202)["data"]["task_id"].clone();
    front.delete(&path).await.is_problem(409, "CONFLICT");
    front.delete(&format!("/api/v1/tasks/{}", text(&open))).await.is(200);
    let (task, article) = write_in(&front, &path).await;
    let (task, article) = (format!("/api/v1/tasks/{task}"), format!("/api/v1/articles/{article}"));
    let cover = front.sample("faq.md").await;
    let show = format!("UPDATE articles SET cover_file_id = '{cover}' WHERE id = '{}'", project_of(&article));
    front.harness.database.execute(&show).await;
    let cover = format!("/api/v1/files/{cover}");
    assert_eq!(front.delete(&path).await.status, 204);
    front.get(&article).await.is(200);
    front.patch(&article, &json!({ "title": "x" })).await.is_problem(409, "CONFLICT");
    front.delete(&article).await.is_problem(409, "CONFLICT");
    let again = format!("{task}/retry");
    for body in [json!({}), json!({ "from": "research" })] {
        let refused = front.post(&again, &body).await;
        let problem = refused.is_problem(409, "CONFLICT");
        assert!(text(&problem["detail"]).contains("in the trash"), "{problem}");
    }
    assert_eq!(front.get(&task).await.is(200)["status"], "completed", "nothing ran again");
    front.send(front.request(Method::POST, &format!("{path}/restore"))).await.is(200);
    front.post(&again, &json!({})).await.is(202);
    front.delete(&task).await.is(200);
    assert_eq!(front.delete(&path).await.status, 204);
    assert_eq!(front.delete(&format!("{path}/permanent")).await.status, 204);
    front.get(&path).await.is_problem(404, "NOT_FOUND");
    front.get(&article).await.is_problem(404, "ARTICLE_NOT_FOUND");
    front.get(&cover).await.is_problem(404, "NOT_FOUND");
    front.get(&task).await.is(200);
    front.post(&again, &json!({})).await.is_problem(409, "CONFLICT");
    front.harness.assert_books_closed().await;
}

#[tokio::test]
async fn either_scope_is_enough_and_others_projects_do_not_exist() {
    use Permission::{Read, Write};
    let front = Front::new().await;
    let path = create(&front, "Tea").await;
    let (_, stranger) = front.harness.other_tenant().await;
    let other_scopes = [Scope::Articles, Scope::Publish];
    let change = json!({ "name": "Tea", "platform": "shopify" });
    for (permissions, scopes, read, write) in [
        (&[Read, Write] as &[_], &[Scope::Projects] as &[_], 200, 200),
        (&[Read, Write], &[Scope::Content], 200, 200),
        (&[Read, Write], &[Scope::Admin], 200, 200),
        (&[Read], &[Scope::Projects, Scope::Content], 200, 403),
        (&[Read, Write], &other_scopes, 403, 403),
    ] {
        let key = front.key(permissions, scopes).await;
        let seen = front.send(front.request_as(&key, Method::GET, &path)).await;
        let changed = front.send(front.request_as(&key, Method::PATCH, &path).json(&change)).await;
        assert_eq!((seen.status, changed.status), (read, write), "{permissions:?} {scopes:?}");
        let refused = [seen, changed].into_iter().filter(|answer| answer.status == 403);
        refused.for_each(|answer| {
            let detail = text(&answer.is_problem(403, "FORBIDDEN")["detail"]);
            assert!(detail.ends_with("the scope projects or content"), "{detail}");
        });
    }
    let theirs = front.send(front.request_as(&stranger, Method::GET, PROJECTS)).await;
    assert_eq!(theirs.is(200), &json!([]));
    for (method, what) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/restore"),
        (Method::DELETE, "/permanent"),
    ] {
        for (secret, path) in [
            (&stranger, path.clone()),
            (&front.harness.secret, format!("{PROJECTS}/{NOBODY}")),
            (&front.harness.secret, format!("{PROJECTS}/not-an-id")),
        ] {
            let request = front.request_as(secret, method.clone(), &format!("{path}{what}"));
            let request = if method == Method::PATCH { request.json(&change) } else { request };
            front.send(request).await.is_problem(404, "NOT_FOUND");
        }
    }
    front.send(front.request(Method::PUT, &path)).await.is_problem(405, INVALID);
    assert_eq!(front.get(&path).await.is(200)["deleted_at"], Value::Null, "nobody touched it");
}

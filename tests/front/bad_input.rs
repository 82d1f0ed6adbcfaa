//! Requests that are wrong, each with its status, its code and the field that is to blame. None of them leaves a trace.

use galley_testkit::Script;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, Front, id, text};

const TASKS: &str = "/api/v1/tasks";
const GENERATE: &str = "/api/v1/articles/generate";
const INVALID: &str = "VALIDATION_ERROR";

/// Checks one answer: a problem that names exactly these fields.
#[track_caller]
fn check(case: &str, answer: &Answer, status: u16, code: &str, fields: &[&str]) {
    assert_eq!(answer.status, status, "{case}: expected {status}, but the answer is {}", answer.text);
    answer.is_problem(status, code);
    assert_eq!(answer.wrong_fields(), fields, "{case}: expected these fields in {}", answer.text);
    for error in answer.json["errors"].as_array().unwrap() {
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 5), "{case}: the error says what: {error}");
    }
}

async fn assert_nothing_stored(front: &Front) {
    for table in ["tasks", "articles", "holds", "steps", "events", "idempotency_keys", "files"] {
        let rows = front.harness.database.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(rows, 0, "what was refused left something in {table}");
    }
    front.harness.assert_books_closed().await;
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({ "user_prompt": "Tea" });
    body[field] = value;
    body
}

fn link(link: &str) -> Value {
    with("reference_links", json!([link]))
}

/// What is wrong with an order, and the fields that are to blame.
fn wrong_tasks() -> Vec<(Value, Vec<&'static str>)> {
    let nobody = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    let fields: Vec<(Value, &'static str)> = vec![
        (json!({}), "user_prompt"),
        (with("user_prompt", json!("")), "user_prompt"),
        (with("user_prompt", json!(" \n\t ")), "user_prompt"),
        (with("user_prompt", json!("x".repeat(1001))), "user_prompt"),
        (with("user_prompt", json!("🫖".repeat(1001))), "user_prompt"),
        (with("user_prompt", json!("a\0b")), "user_prompt"),
        (with("user_prompt", Value::Null), "user_prompt"),
        (with("user_prompt", json!(7)), "user_prompt"),
        (with("user_prompt", json!(["Tea"])), "user_prompt"),
        (with("keywords", json!(vec!["k"; 11])), "keywords"),
        (with("keywords", json!("tea")), "keywords"),
        (with("keywords", json!({ "0": "tea" })), "keywords"),
        (with("keywords", json!(["tea", ""])), "keywords[1]"),
        (with("keywords", json!(["k".repeat(101)])), "keywords[0]"),
        (with("keywords", json!([null])), "keywords[0]"),
        (with("min_words", json!(99)), "min_words"),
        (with("min_words", json!(10_001)), "min_words"),
        (with("min_words", json!(-1)), "min_words"),
        (with("min_words", json!("many")), "min_words"),
        (with("min_words", json!(150.5)), "min_words"),
        (with("max_words", json!(99)), "max_words"),
        (with("max_words", json!(9_223_372_036_854_775_807_i64)), "max_words"),
        (with("max_words", json!(1e300)), "max_words"),
        (with("max_words", json!(true)), "max_words"),
        (json!({ "user_prompt": "Tea", "min_words": 300, "max_words": 200 }), "min_words"),
        (with("tone", json!("angry")), "tone"),
        (with("language", json!("english")), "language"),
        (with("language", json!("EN")), "language"),
        (with("reference_links", json!("https://example.org/")), "reference_links"),
        (with("reference_links", json!(vec!["https://example.org/"; 6])), "reference_links"),
        (with("reference_links", json!([7])), "reference_links[0]"),
        (with("uploaded_files", json!(["a.pdf"])), "uploaded_files[0]"),
        (with("uploaded_files", json!([{ "name": "a.pdf" }])), "uploaded_files[0]"),
        (with("uploaded_files", json!([nobody])), "uploaded_files[0]"),
        (with("uploaded_files", json!([{ "id": nobody }])), "uploaded_files[0]"),
        (with("uploaded_files", json!(vec![nobody; 11])), "uploaded_files"),
        (with("uploaded_files", json!(nobody)), "uploaded_files"),
    ];
    let mut wrong: Vec<(Value, Vec<&str>)> = fields.into_iter().map(|(body, field)| (body, vec![field])).collect();
    let several = json!({ "user_prompt": "", "keywords": [""], "min_words": 1, "tone": "x", "language": "x" });
    wrong.push((several, vec!["user_prompt", "keywords[0]", "min_words", "tone", "language"]));
    wrong.push((json!({ "prompt": "Tea" }), vec!["user_prompt", "prompt"]));
    wrong.push((with("project_id", json!(nobody)), vec!["project_id"]));
    wrong.push((
        with("uploaded_files", json!([{ "id": nobody, "link": "x" }])),
        vec!["uploaded_files[0].link", "uploaded_files[0]"],
    ));
    let referring = json!({
        "user_prompt": "", "reference_links": ["x", 7], "uploaded_files": [nobody], "min_words": 300, "max_words": 200,
    });
    wrong.push((
        referring,
        vec!["user_prompt", "reference_links[1]", "reference_links[0]", "uploaded_files[0]", "min_words"],
    ));
    let both = json!({ "user_prompt": "Tea", "reference_links": ["x"], "uploaded_files": [nobody] });
    wrong.push((both, vec!["reference_links[0]", "uploaded_files[0]"]));
    wrong
}

const WRONG_LINKS: [&str; 30] = [
    "",
    "example.org/page",
    "file:///etc/passwd",
    "ftp://example.org/a",
    "javascript:alert(1)",
    "data:text/html,hello",
    "gopher://example.org/",
    "http://",
    "http://localhost/",
    "http://sub.localhost/",
    "http://printer/",
    "http://db.internal/",
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://0.0.0.0/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://172.16.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://user:pass@example.org/",
    "http://user@example.org/",
    "https://example.org:22/",
    "https://example.org:5432/",
    "http://[fd00:ec2::254]/",
];

#[tokio::test]
async fn wrong_orders_name_the_field() {
    let front = Front::new().await;
    for (body, fields) in wrong_tasks() {
        let answer = front.post(TASKS, &body).await;
        check(&body.to_string().chars().take(200).collect::<String>(), &answer, 400, INVALID, &fields);
    }
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn links_that_lead_inside_are_refused_in_every_spelling() {
    let front = Front::new().await;
    let long = format!("https://example.org/{}", "x".repeat(3000));
    for wrong in WRONG_LINKS.into_iter().chain([long.as_str()]) {
        check(wrong, &front.post(TASKS, &link(wrong)).await, 400, INVALID, &["reference_links[0]"]);
        let body = json!({ "topic": "Tea", "reference_links": ["https://example.org/", wrong] });
        check(wrong, &front.post(GENERATE, &body).await, 400, INVALID, &["reference_links[1]"]);
    }
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn wrong_generations_name_the_field() {
    let front = Front::new().await;
    let with = |field: &str, value: Value| {
        let mut body = json!({ "topic": "Tea" });
        body[field] = value;
        body
    };
    for (body, field) in [
        (json!({}), "topic"),
        (with("topic", json!("ab")), "topic"),
        (with("topic", json!("  ab  ")), "topic"),
        (with("topic", json!("x".repeat(501))), "topic"),
        (with("topic", json!(5)), "topic"),
        (with("keywords", json!(vec!["k"; 21])), "keywords"),
        (with("keywords", json!(["k".repeat(101)])), "keywords[0]"),
        (with("tone", json!("angry")), "tone"),
        (with("tone", json!("")), "tone"),
        (with("length", json!("epic")), "length"),
        (with("length", json!(800)), "length"),
        (with("language", json!("deu")), "language"),
        (with("project_id", json!("seven")), "project_id"),
        (with("project_id", json!("0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e")), "project_id"),
    ] {
        check(&body.to_string(), &front.post(GENERATE, &body).await, 400, INVALID, &[field]);
    }
    let nobody = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    let body = json!({
        "topic": "ab", "colour": 1, "reference_links": ["x"], "uploaded_files": [nobody], "project_id": nobody,
    });
    let fields = ["topic", "colour", "reference_links[0]", "uploaded_files[0]", "project_id"];
    check("all at once", &front.post(GENERATE, &body).await, 400, INVALID, &fields);
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused() {
    let front = Front::new().await;
    let json_type = "application/json";
    let deep = "[".repeat(100_000);
    let large = json!({ "user_prompt": "x".repeat(1024 * 1024) }).to_string();
    let body: &[&str] = &["body"];
    let cases = vec![
        ("nothing", json_type, vec![], 400, body),
        ("no JSON", json_type, b"user_prompt=Tea".to_vec(), 400, body),
        ("half of it", json_type, b"{\"user_prompt\": \"Te".to_vec(), 400, body),
        ("two of them", json_type, b"{} {}".to_vec(), 400, body),
        ("a list", json_type, b"[]".to_vec(), 400, body),
        ("null", json_type, b"null".to_vec(), 400, body),
        ("a text", json_type, b"\"Tea\"".to_vec(), 400, body),
        ("no UTF-8", json_type, b"{\"user_prompt\": \"\xff\"}".to_vec(), 400, body),
        ("half a surrogate", json_type, b"{\"user_prompt\": \"\\ud800\"}".to_vec(), 400, body),
        ("too deep", json_type, deep.into_bytes(), 400, body),
        ("no number", json_type, b"{\"user_prompt\": \"Tea\", \"min_words\": 1e999}".to_vec(), 400, body),
        ("too large", json_type, large.clone().into_bytes(), 413, &[][..]),
        ("a form", "application/x-www-form-urlencoded", b"user_prompt=Tea".to_vec(), 415, &[][..]),
        ("JSON that says text", "text/plain", b"{\"user_prompt\": \"Tea\"}".to_vec(), 415, &[][..]),
        ("a multipart form", "multipart/form-data; boundary=x", b"--x--".to_vec(), 415, &[][..]),
    ];
    for (case, kind, body, status, fields) in cases {
        for path in [TASKS, GENERATE] {
            let request = front.request(Method::POST, path).header("content-type", kind).body(body.clone());
            check(case, &front.send(request).await, status, INVALID, fields);
        }
    }
    for coding in ["gzip", "br", "identity, gzip", "x"] {
        let packed = front.request(Method::POST, TASKS).header("content-encoding", coding);
        let answer = front.send(packed.json(&json!({ "user_prompt": "Tea" }))).await;
        check(coding, &answer, 415, INVALID, &[]);
        assert_eq!(answer.header("accept-encoding"), "identity", "it says what is taken");
        let file = front.request(Method::POST, "/api/v1/files").header("content-encoding", coding);
        check(coding, &front.send(file.multipart(super::form("a.txt", "Tea."))).await, 415, INVALID, &[]);
    }
    let untyped = front.request(Method::POST, TASKS).body("{\"user_prompt\": \"Tea\"}");
    check("no type", &front.send(untyped).await, 415, INVALID, &[]);
    // In pieces, so that no length is announced.
    let pieces: Vec<_> =
        large.as_bytes().chunks(64 * 1024).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let request = front.request(Method::POST, TASKS).header("content-type", json_type).body(body);
    check("too large, in pieces", &front.send(request).await, 413, INVALID, &[]);
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn wrong_headers_are_not_taken_for_absent_ones() {
    let front = Front::new().await;
    let order = |front: &Front| front.request(Method::POST, TASKS).json(&json!({ "user_prompt": "Tea" }));
    let keys: [&[u8]; 5] = [b"", b"a b", &[b'x'; 256], b"\xff\xfe", b"caf\xc3\xa9"];
    for key in keys {
        let answer = front.send(order(&front).header("idempotency-key", key)).await;
        check(&String::from_utf8_lossy(key), &answer, 400, INVALID, &["Idempotency-Key"]);
    }
    let twice = order(&front).header("idempotency-key", "a").header("idempotency-key", "b");
    check("twice", &front.send(twice).await, 400, INVALID, &["Idempotency-Key"]);
    assert_nothing_stored(&front).await;
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let front = Front::new().await;
    for (path, fields) in [
        ("/api/v1/tasks?limit=0", &["limit"][..]),
        ("/api/v1/tasks?limit=101", &["limit"]),
        ("/api/v1/tasks?limit=x", &["limit"]),
        ("/api/v1/tasks?limit=1.5", &["limit"]),
        ("/api/v1/tasks?limit=1&limit=2", &["limit"]),
        ("/api/v1/tasks?limit=99999999999999999999", &["limit"]),
        ("/api/v1/tasks?offset=-1", &["offset"]),
        ("/api/v1/tasks?offset=99999999999999999999", &["offset"]),
        ("/api/v1/tasks?status=done", &["status"]),
        ("/api/v1/tasks?status=PENDING", &["status"]),
        ("/api/v1/tasks?status=done&limit=0&offset=x", &["status", "offset", "limit"]),
        ("/api/v1/articles?page=0", &["page"]),
        ("/api/v1/articles?page=-1", &["page"]),
        ("/api/v1/articles?page=9999999", &["page"]),
        ("/api/v1/articles?limit=0", &["limit"]),
        ("/api/v1/articles?page_size=101", &["page_size"]),
        ("/api/v1/articles?limit=5&page_size=6", &["page_size"]),
        ("/api/v1/articles?status=pending", &["status"]),
        ("/api/v1/articles?publication_status=scheduled", &["publication_status"]),
        ("/api/v1/articles?project_id=7", &["project_id"]),
        ("/api/v1/articles?sort=slug", &["sort"]),
        ("/api/v1/articles?sort=title;DROP+TABLE+articles", &["sort"]),
        ("/api/v1/articles?order=up", &["order"]),
        ("/api/v1/articles?search=a%00b", &["search"]),
        ("/api/v1/tasks?page=0", &["page"]),
        ("/api/v1/tasks?page=1&offset=0", &["offset"]),
        ("/api/v1/articles?page=1&offset=0", &["offset"]),
        ("/api/v1/articles?offset=-1", &["offset"]),
        ("/api/v1/tasks?unknown=1", &["unknown"]),
    ] {
        check(path, &front.get(path).await, 400, INVALID, fields);
    }
    let long = format!("/api/v1/articles?search={}", "x".repeat(201));
    check("a long search", &front.get(&long).await, 400, INVALID, &["search"]);
    for harmless in
        ["/api/v1/articles?search=%25_%5C'%22;--", "/api/v1/articles?unknown=1", "/api/v1/articles?limit=5&page_size=5"]
    {
        front.get(harmless).await.is(200);
    }
}

#[tokio::test]
async fn wrong_changes_leave_the_article_as_it_is() {
    let front = Front::new().await;
    let (_, article) = front.written().await;
    let path = format!("/api/v1/articles/{article}");
    let before = front.get(&path).await.is(200).clone();
    for (body, field) in [
        (json!({}), "body"),
        (json!({ "unknown": 1 }), "unknown"),
        (json!({ "title": "Tea", "unknown": 1 }), "unknown"),
        (json!({ "title": "" }), "title"),
        (json!({ "title": "  " }), "title"),
        (json!({ "title": "x".repeat(301) }), "title"),
        (json!({ "title": null }), "title"),
        (json!({ "title": 5 }), "title"),
        (json!({ "content": "" }), "content"),
        (json!({ "content": "a\0b" }), "content"),
        (json!({ "content": "<h1>Tea</h1><p>It is HTML.</p>" }), "content"),
        (json!({ "slug": "" }), "slug"),
        (json!({ "slug": "Big Slug" }), "slug"),
        (json!({ "slug": "a/../b" }), "slug"),
        (json!({ "slug": "-a" }), "slug"),
        (json!({ "slug": "x".repeat(81) }), "slug"),
        (json!({ "seo_title": "x".repeat(201) }), "seo_title"),
        (json!({ "seo_description": "" }), "seo_description"),
        (json!({ "meta_description": "x".repeat(501) }), "meta_description"),
        (json!({ "seo_description": "one", "meta_description": "two" }), "meta_description"),
        (json!({ "keywords": vec!["k"; 21] }), "keywords"),
        (json!({ "keywords": [""] }), "keywords[0]"),
        (json!({ "keywords": "tea" }), "keywords"),
        (json!({ "publication_status": "scheduled" }), "publication_status"),
        (json!({ "publication_status": "live" }), "publication_status"),
        (json!({ "publication_status": null }), "publication_status"),
    ] {
        check(&body.to_string(), &front.patch(&path, &body).await, 400, INVALID, &[field]);
    }
    let after = front.get(&path).await;
    assert_eq!(after.is(200)["data"], before["data"], "nothing of it was kept");
    let waiting = front.post(TASKS, &json!({ "user_prompt": "Tea" })).await;
    let unwritten = format!("/api/v1/articles/{}", text(&waiting.is(202)["article_id"]));
    check("no text yet", &front.patch(&unwritten, &json!({ "title": "Tea" })).await, 409, "CONFLICT", &[]);
}

#[tokio::test]
async fn wrong_retries_start_nothing() {
    let front = Front::new().await;
    let order = front.post(TASKS, &json!({ "user_prompt": "Tea" })).await;
    let task = id(&order.is(202)["task_id"]);
    let path = format!("{TASKS}/{task}");
    let retry = format!("{path}/retry");
    check("while it waits", &front.post(&retry, &json!({})).await, 409, "CONFLICT", &[]);
    front.delete(&path).await.is(200);
    let outline = |section: Value| json!({ "outline": { "title": "Tea", "sections": [section] } });
    for (body, fields) in [
        (json!({ "from": "seo" }), &["from"][..]),
        (json!({ "from": "drafting" }), &["from"]),
        (json!({ "from": "sync" }), &["from"]),
        (json!({ "from": "sweep" }), &["from"]),
        (json!({ "from": 3 }), &["from"]),
        (json!({ "outline": "1. Tea" }), &["outline"]),
        (json!({ "outline": { "title": "", "sections": [] } }), &["outline.title", "outline.sections"]),
        (outline(json!({ "heading": "" })), &["outline.sections[0].heading"]),
        (outline(json!({ "points": vec!["p"; 21] })), &["outline.sections[0].points"]),
        (outline(json!({ "words": { "min": 9, "max": 1 } })), &["outline.sections[0].words.min"]),
        (
            outline(json!({ "words": { "min": 0, "max": 20_000 } })),
            &["outline.sections[0].words.min", "outline.sections[0].words.max"],
        ),
        (outline(json!({ "heading": "Green" })), &["from"]),
    ] {
        check(&body.to_string(), &front.post(&retry, &body).await, 400, INVALID, fields);
    }
    let seen = front.get(&path).await;
    assert_eq!((&seen.is(200)["status"], &seen.json["run"]), (&json!("cancelled"), &json!(1)), "nothing was started");
    front.harness.assert_books_closed().await;
    front.post(&retry, &json!({ "from": "research" })).await.is(202);
    let engine = front.harness.scripted(&Script::default());
    front.harness.completed(task).await;
    engine.stop().await;
}

#[tokio::test]
async fn what_is_no_id_names_nothing() {
    let front = Front::new().await;
    for id in [
        "x",
        "1",
        "0192f7a0",
        "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e",
        "00000000-0000-0000-0000-000000000000",
        "'%20OR%201=1",
        "%F0%9F%AB%96",
        "a%2Fb",
        "%ff",
    ] {
        for (path, code) in [
            (format!("/api/v1/tasks/{id}"), "TASK_NOT_FOUND"),
            (format!("/api/v1/tasks/{id}/articles"), "TASK_NOT_FOUND"),
            (format!("/api/v1/tasks/{id}/steps"), "TASK_NOT_FOUND"),
            (format!("/api/v1/tasks/{id}/events"), "TASK_NOT_FOUND"),
            (format!("/api/v1/articles/{id}"), "ARTICLE_NOT_FOUND"),
            (format!("/api/v1/articles/{id}/claims"), "ARTICLE_NOT_FOUND"),
            (format!("/api/v1/articles/{id}/versions"), "ARTICLE_NOT_FOUND"),
            (format!("/api/v1/articles/{id}/status"), "NOT_FOUND"),
            (format!("/api/v1/files/{id}/content"), "NOT_FOUND"),
        ] {
            check(&path, &front.get(&path).await, 404, code, &[]);
        }
        check(id, &front.delete(&format!("{TASKS}/{id}")).await, 404, "TASK_NOT_FOUND", &[]);
        check(
            id,
            &front.patch(&format!("/api/v1/articles/{id}"), &json!({ "title": "Tea" })).await,
            404,
            "ARTICLE_NOT_FOUND",
            &[],
        );
        check(id, &front.post(&format!("{TASKS}/{id}/retry"), &json!({})).await, 404, "TASK_NOT_FOUND", &[]);
    }
}

#[tokio::test]
async fn paths_and_methods_that_nothing_serves_are_problems() {
    let front = Front::new().await;
    for path in
        ["/", "/nowhere", "/api", "/api/v1", "/api/v2/tasks", "/api/v1/task", "/api/v1/tasks/a/b/c", "/.env", "/docs/x"]
    {
        check(path, &front.get(path).await, 404, "NOT_FOUND", &[]);
        check(path, &front.send(front.bare(Method::POST, path)).await, 404, "NOT_FOUND", &[]);
    }
    let any = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    let call = |method: &str, path: String| -> RequestBuilder { front.request(method.parse().unwrap(), &path) };
    for (method, path, allow) in [
        ("PUT", TASKS.to_owned(), "GET, HEAD, POST"),
        ("DELETE", TASKS.to_owned(), "GET, HEAD, POST"),
        ("POST", format!("{TASKS}/{any}"), "DELETE, GET, HEAD"),
        ("GET", format!("{TASKS}/{any}/retry"), "POST"),
        ("PUT", format!("/api/v1/articles/{any}"), "DELETE, GET, HEAD, PATCH"),
        ("POST", "/api/v1/credits".to_owned(), "GET, HEAD"),
        ("OPTIONS", "/api/v1/credits".to_owned(), "GET, HEAD"),
        ("POST", "/healthz".to_owned(), "GET, HEAD"),
        ("POST", "/docs".to_owned(), "GET, HEAD"),
        ("DELETE", "/openapi.json".to_owned(), "GET, HEAD"),
    ] {
        let answer = front.send(call(method, path.clone())).await;
        check(&format!("{method} {path}"), &answer, 405, INVALID, &[]);
        assert_eq!(answer.header("allow"), allow, "{method} {path} says what is allowed");
    }
    for odd in ["PURGE", "TRACE", "QUERY"] {
        for path in [TASKS, "/docs", "/openapi.json", "/healthz"] {
            let answer = front.send(call(odd, path.to_owned())).await;
            check(&format!("{odd} {path}"), &answer, 405, INVALID, &[]);
            assert!(answer.header("allow").starts_with("GET, HEAD"), "{odd} {path} says what is allowed");
        }
        check(odd, &front.send(call(odd, "/nowhere".to_owned())).await, 404, "NOT_FOUND", &[]);
    }
    let head = front.send(front.request(Method::HEAD, "/api/v1/credits")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""), "HEAD is GET without a body");
}

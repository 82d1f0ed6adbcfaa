//! Webhooks over HTTP: the operations, and everything that can be wrong with them.

use super::*;

async fn front() -> Front {
    let front = Front::on(Harness::builder().keyring(), |_| {}).await;
    let admin =
        front.harness.services.create_key(front.harness.principal.org, &KeyRequest::full("admin")).await.unwrap();
    assert!(!admin.secret.is_empty());
    front
}

const PATH: &str = "/api/v1/webhooks";
const URL: &str = "https://example.com/hooks";

#[tokio::test]
async fn a_webhook_is_made_read_changed_and_removed() {
    let front = front().await;
    let body = json!({ "url": URL, "description": "Ours", "events": ["task.*", "article.drafted"] });
    let made = front.post(PATH, &body).await;
    let webhook = made.is(201).clone();
    assert!(text(&webhook["secret"]).starts_with("whsec_"));
    assert_eq!((&webhook["status"], &webhook["format"]), (&json!("active"), &json!("standard")));
    assert_eq!((&webhook["disabled_reason"], &webhook["has_previous_secret"]), (&Value::Null, &json!(false)));
    let path = format!("{PATH}/{}", text(&webhook["id"]));
    assert_eq!(made.header("location"), path);
    let read = front.get(&path).await;
    assert_eq!((&read.is(200)["events"], &read.json["secret"]), (&body["events"], &Value::Null));
    assert!(!read.text.contains("secret\":\"") && !front.get(PATH).await.text.contains("whsec_"));
    let off = front.patch(&path, &json!({ "status": "disabled" })).await;
    assert_eq!((&off.is(200)["status"], &off.json["disabled_reason"]), (&json!("disabled"), &json!("manual")));
    assert_eq!(front.get(&format!("{PATH}?status=active")).await.is(200)["pagination"]["total"], 0);
    assert_eq!(front.get(&format!("{PATH}?status=disabled")).await.is(200)["data"][0]["id"], webhook["id"]);
    let sent = front.post(&format!("{path}/test"), &json!({})).await;
    let delivery = front.get(sent.header("location")).await;
    assert_eq!(delivery.is(200)["id"], sent.json["id"], "it says where to look");
    let delivery = sent.is(202).clone();
    assert_eq!((&delivery["event_type"], &delivery["status"]), (&json!("webhook.test"), &json!("pending")));
    assert_eq!((&delivery["payload"]["data"]["webhook_id"], &delivery["attempts"]), (&webhook["id"], &json!([])));
    let list = front.get(&format!("{path}/deliveries?event_type=webhook.test&status=pending")).await;
    assert_eq!(list.is(200)["data"][0]["id"], delivery["id"]);
    assert!(list.json["data"][0]["payload"].is_null() && list.json["data"][0]["attempts"].is_null());
    let one = front.get(&format!("{path}/deliveries/{}", text(&delivery["id"]))).await;
    assert_eq!(one.is(200)["message_id"], one.json["payload"]["id"]);
    let replayed = front.post(&format!("{path}/replay"), &json!({ "from": "2026-01-01T00:00:00Z" })).await;
    replayed.is_problem(409, "CONFLICT");
    front.patch(&path, &json!({ "status": "active" })).await.is(200);
    let replayed = front.post(&format!("{path}/replay"), &json!({ "from": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(replayed.is(202)["count"], 0, "a test is not replayed");
    front.delete(&path).await.is(204);
    front.get(&path).await.is_problem(404, "NOT_FOUND");
    front.get(&format!("{path}/deliveries")).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let front = front().await;
    let ask = async |path: &str, body: Value, key: &str| {
        front.send(front.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
    };
    let made = ask(PATH, json!({ "url": URL }), "one").await;
    let again = ask(PATH, json!({ "url": URL }), "one").await;
    assert_eq!((&again.is(201)["id"], again.header("idempotent-replayed")), (&made.is(201)["id"], "true"));
    assert!(made.json["secret"].is_string() && again.json["secret"].is_null(), "{}", again.text);
    ask(PATH, json!({ "url": "https://example.com/other" }), "one").await.is_problem(409, "CONFLICT");
    let path = format!("{PATH}/{}/rotate-secret", text(&made.json["id"]));
    let own = "whsec_c2VjcmV0LW9mLWEtcmVjZWl2ZXItMTIzNDU2Nzg5MA==";
    let rotated = ask(&path, json!({ "secret": own, "overlap_hours": 1 }), "two").await;
    assert_eq!((&rotated.is(200)["secret"], &rotated.json["has_previous_secret"]), (&json!(own), &json!(true)));
    let again = ask(&path, json!({ "secret": own, "overlap_hours": 1 }), "two").await;
    assert!(again.is(200)["secret"].is_null());
    let kept = front.harness.database.texts("SELECT response::text FROM idempotency_keys").await;
    assert!(!kept.is_empty() && !kept.iter().any(|answer| answer.contains("whsec_")));
}

#[tokio::test]
async fn fifty_are_the_most() {
    let front = front().await;
    let sql = format!(
        "INSERT INTO webhooks (id, org_id, url) SELECT gen_random_uuid(), '{}', '{URL}' FROM generate_series(1, 49)",
        front.harness.principal.org
    );
    front.harness.database.execute(&sql).await;
    front.post(PATH, &json!({ "url": URL })).await.is(201);
    front.post(PATH, &json!({ "url": URL })).await.is_problem(409, "CONFLICT");
}

#[tokio::test]
async fn another_tenants_webhook_does_not_exist() {
    let front = front().await;
    let made = front.post(PATH, &json!({ "url": URL })).await;
    let (_, stranger) = front.harness.other_tenant().await;
    let path = format!("{PATH}/{}", text(&made.is(201)["id"]));
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/test")),
        (Method::POST, format!("{path}/rotate-secret")),
        (Method::GET, format!("{path}/deliveries")),
    ] {
        front.send(front.request_as(&stranger, method, &path)).await.is_problem(404, "NOT_FOUND");
    }
    front.get(&path).await.is(200);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let front = front().await;
    let made = front.post(PATH, &json!({ "url": URL })).await;
    let path = format!("{PATH}/{}", text(&made.is(201)["id"]));
    let (rotate, replay, log) =
        (format!("{path}/rotate-secret"), format!("{path}/replay"), format!("{path}/deliveries"));
    let long = "x".repeat(501);
    let many: Vec<String> = (0..101).map(|_| "*".to_owned()).collect();
    let post = Method::POST;
    let cases: Vec<(Method, &str, Value, &[&str])> = vec![
        (post.clone(), PATH, json!({}), &["url"]),
        (post.clone(), PATH, json!({ "url": 7 }), &["url"]),
        (post.clone(), PATH, json!({ "url": "" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "hooks" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "http://example.com/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "ftp://example.com/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://user:pass@example.com/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://127.0.0.1/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://[::1]/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://169.254.169.254/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://localhost/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://example.com/#x" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://example.com:22/" }), &["url"]),
        (post.clone(), PATH, json!({ "url": format!("https://example.com/{}", "x".repeat(2000)) }), &["url"]),
        (post.clone(), PATH, json!({ "url": URL, "description": long }), &["description"]),
        (post.clone(), PATH, json!({ "url": URL, "events": [] }), &["events"]),
        (post.clone(), PATH, json!({ "url": URL, "events": many }), &["events"]),
        (post.clone(), PATH, json!({ "url": URL, "events": "task.*" }), &["events"]),
        (post.clone(), PATH, json!({ "url": URL, "events": ["task.*", "task.done"] }), &["events[1]"]),
        (post.clone(), PATH, json!({ "url": "x", "events": ["nothing"] }), &["url", "events[0]"]),
        (post.clone(), PATH, json!({ "url": URL, "colour": "red" }), &["colour"]),
        (Method::PATCH, &path, json!({ "status": "gone" }), &["status"]),
        (Method::PATCH, &path, json!({ "url": null }), &["url"]),
        (Method::PATCH, &path, json!({ "events": ["article.*", "x.*"] }), &["events[1]"]),
        (post.clone(), &rotate, json!({ "overlap_hours": 169 }), &["overlap_hours"]),
        (post.clone(), &rotate, json!({ "overlap_hours": -1 }), &["overlap_hours"]),
        (post.clone(), &rotate, json!({ "secret": "whsec_short" }), &["secret"]),
        (post.clone(), &rotate, json!({ "secret": "whsec_c2hvcnQ=" }), &["secret"]),
        (post.clone(), &rotate, json!({ "secret": "c2VjcmV0LW9mLWEtcmVjZWl2ZXItMTIzNDU2Nzg5MA==" }), &["secret"]),
        (post.clone(), PATH, json!({ "url": "https://example.com/a\0b" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://example.com/a%00b" }), &["url"]),
        (post.clone(), PATH, json!({ "url": "https://example.com/?a=%00" }), &["url"]),
        (Method::PATCH, &path, json!({ "url": "https://example.com/a%00b" }), &["url"]),
        (post.clone(), &replay, json!({ "from": "2026-01-01T00:00:60Z" }), &["from"]),
        (
            post.clone(),
            &replay,
            json!({ "from": "2026-01-01T00:00:00Z", "event_types": ["task.*", "task.done", "nothing.*"] }),
            &["event_types[1]", "event_types[2]"],
        ),
        (post.clone(), &replay, json!({ "from": "2026-01-01T00:00:00Z", "event_types": [] }), &["event_types"]),
        (post.clone(), &replay, json!({}), &["from"]),
        (post.clone(), &replay, json!({ "from": "yesterday" }), &["from"]),
        (post.clone(), &replay, json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), &["from"]),
        (post, &replay, json!({ "from": "2026-01-01T00:00:00Z", "status": "pending" }), &["status"]),
    ];
    assert!(cases.len() >= 20);
    for (method, path, body, fields) in cases {
        let refused = front.send(front.request(method.clone(), path).json(&body)).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), fields, "{method} {path} {body}: {}", refused.text);
        assert!(!refused.text.contains("whsec_c2hvcnQ="), "the secret is not repeated");
    }
    for query in ["status=done", "from=x", "page=0", "limit=1000", "event_type=task.done", "event_type=task"] {
        front.get(&format!("{log}?{query}")).await.is_problem(400, "VALIDATION_ERROR");
    }
    front.patch(&path, &json!({})).await.is_problem(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn deliveries_are_asked_for_as_endpoints_ask_for_events() {
    let front = front().await;
    let made = front.post(PATH, &json!({ "url": URL })).await;
    let (path, id) = (made.header("location").to_owned(), text(&made.is(201)["id"]));
    let insert = format!(
        "INSERT INTO webhook_deliveries (id, org_id, webhook_id, message_id, event_type, status, payload, sequence)
         SELECT gen_random_uuid(), '{}', '{id}', type, type, 'failed', '{{}}', 1
         FROM unnest(ARRAY['task.completed', 'task.failed', 'article.drafted']) AS type",
        front.harness.principal.org
    );
    front.harness.database.execute(&insert).await;
    for (name, count) in [("task.*", 2), ("task.failed", 1), ("*", 3), ("article.*", 1), ("schedule.*", 0)] {
        let list = front.get(&format!("{path}/deliveries?event_type={name}")).await;
        assert_eq!(list.is(200)["pagination"]["total"], count, "{name}");
    }
    let url = text(&made.json["url"]);
    for (names, count) in
        [(json!(["schedule.*"]), 0), (json!(["task.failed", "article.*"]), 2), (json!(["task.*", "*"]), 1)]
    {
        let replayed = front
            .post(&format!("{path}/replay"), &json!({ "from": "2026-01-01T00:00:00Z", "event_types": names }))
            .await;
        assert_eq!(replayed.header("location"), format!("{path}/deliveries"), "it says where to look");
        assert_eq!(replayed.is(202)["count"], count, "{names} of {url}, without what waits already");
    }
}

#[tokio::test]
async fn an_address_and_a_secret_are_refused_in_words_that_help() {
    let front = front().await;
    let made = front.post(PATH, &json!({ "url": URL })).await;
    let rotate = format!("{}/rotate-secret", made.header("location"));
    let bare = json!({ "secret": "c2VjcmV0LW9mLWEtcmVjZWl2ZXItMTIzNDU2Nzg5MA==" });
    for (path, body, words) in [
        (PATH, json!({ "url": "" }), "must not be empty"),
        (PATH, json!({ "url": "  " }), "must not be empty"),
        (PATH, json!({ "url": "https://example.com/a\0b" }), "contains a NUL character; remove it"),
        (PATH, json!({ "url": "https://example.com/%00" }), "NUL character"),
        (&rotate, bare, "`whsec_`"),
    ] {
        let refused = front.post(path, &body).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        let message = text(&refused.json["errors"][0]["message"]);
        assert!(message.contains(words) && !message.contains("relative"), "{body}: {message}");
    }
}

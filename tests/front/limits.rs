//! What surrounds every answer: budgets of calls, headers, probes, figures and the documentation.

use std::sync::Arc;

use galley::http::RateLimits;
use galley_domain::{Permission, Who};
use galley_services::KeyRequest;
use galley_testkit::Harness;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Front};

const CREDITS: &str = "/api/v1/credits";

fn budget(answer: &Answer) -> (&str, &str) {
    (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining"))
}

fn seconds(answer: &Answer, header: &str) -> u64 {
    answer.header(header).parse().unwrap_or_else(|_| panic!("{header} is a number: {:?}", answer.headers))
}

/// The seconds until the reset, which is told as a time.
fn until_reset(answer: &Answer) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    seconds(answer, "x-ratelimit-reset").saturating_sub(now)
}

#[tokio::test]
async fn a_budget_is_counted_down_and_then_refused() {
    let rates = RateLimits { general: 3, content: 2, ai: 1, auth: 2, remembered: 100 };
    let front = Front::on(Harness::builder(), |state| state.limits.rates = rates).await;
    for left in ["2", "1", "0"] {
        let answer = front.get(CREDITS).await;
        assert_eq!((answer.status, budget(&answer)), (200, ("3", left)), "{left} calls are left");
        assert!((1..=61).contains(&until_reset(&answer)), "the window is a minute");
    }
    let refused = front.get(CREDITS).await;
    refused.is_problem(429, "RATE_LIMIT_ERROR");
    assert_eq!(budget(&refused), ("3", "0"), "nothing is left");
    assert!(seconds(&refused, "retry-after").abs_diff(until_reset(&refused)) <= 1, "it says when to come back");

    let order = json!({ "user_prompt": "Tea" });
    let first = front.post("/api/v1/tasks", &order).await;
    assert_eq!((first.status, budget(&first)), (202, ("1", "0")), "orders have a budget of their own");
    front.post("/api/v1/tasks", &order).await.is_problem(429, "RATE_LIMIT_ERROR");
    front.post("/api/v1/articles/generate", &json!({ "topic": "Tea" })).await.is_problem(429, "RATE_LIMIT_ERROR");
    assert_eq!(
        front.harness.database.number("SELECT count(*) FROM tasks").await,
        1,
        "what was refused was not ordered"
    );

    let missing = "/api/v1/articles/0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    for left in ["1", "0"] {
        let answer = front.delete(missing).await;
        assert_eq!((answer.status, budget(&answer)), (404, ("2", left)), "a call that fails counts too");
    }
    front.delete(missing).await.is_problem(429, "RATE_LIMIT_ERROR");
    let (_, stranger) = front.harness.other_tenant().await;
    let other = front.send(front.request_as(&stranger, Method::GET, CREDITS)).await;
    assert_eq!((other.status, budget(&other)), (200, ("3", "2")), "another key has its own budget");
    front.get("/healthz").await.is(200);
}

#[tokio::test]
async fn guessing_keys_is_slowed_down_and_good_keys_are_not() {
    let rates = RateLimits { auth: 2, ..RateLimits::default() };
    let front = Front::on(Harness::builder(), |state| state.limits.rates = rates).await;
    let guess = || front.send(front.request_as("gk_guess", Method::GET, CREDITS));
    guess().await.is_problem(401, "UNAUTHORIZED");
    front.send(front.bare(Method::GET, CREDITS)).await.is_problem(401, "UNAUTHORIZED");
    let refused = guess().await;
    refused.is_problem(429, "RATE_LIMIT_ERROR");
    assert!((1..=60).contains(&seconds(&refused, "retry-after")), "it says when to come back");
    assert_eq!(budget(&refused), ("2", "0"), "nothing is left");
    assert!(seconds(&refused, "retry-after").abs_diff(until_reset(&refused)) <= 1, "and until when");
    front.get(CREDITS).await.is(200);
}

#[tokio::test]
async fn what_is_no_key_is_not_looked_up() {
    let front = Front::new().await;
    let unknown = format!("gk_{}", "x".repeat(43));
    front.send(front.request_as(&unknown, Method::GET, CREDITS)).await.is_problem(401, "UNAUTHORIZED");
    front.harness.database.go_away().await;
    front.send(front.request_as(&unknown, Method::GET, CREDITS)).await.is_problem(503, "DATABASE_ERROR");
    for odd in ["gk_guess", &"x".repeat(46), &format!("gk_{}", "x".repeat(44)), &format!("gk_{}", "-".repeat(43))] {
        for path in [CREDITS, "/api/v1/tasks/01a21ee9-f89d-7180-a51d-7c1fa826eec1"] {
            front.send(front.request_as(odd, Method::GET, path)).await.is_problem(401, "UNAUTHORIZED");
        }
    }
    front.harness.database.come_back().await;
}

#[tokio::test]
async fn every_answer_has_the_safe_headers_and_its_id() {
    let front = Front::new().await;
    let mut answers = Vec::new();
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
        CREDITS,
        "/nowhere",
        "/api/v1/tasks/x",
        "/api/v1/tasks?limit=0",
    ] {
        answers.push((path, front.get(path).await));
    }
    answers.push(("an order", front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await));
    answers.push(("nobody", front.send(front.bare(Method::GET, CREDITS)).await));
    answers.push(("a wrong method", front.send(front.request(Method::PUT, CREDITS)).await));
    for (path, answer) in &answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(["no-store", "no-cache"].contains(&answer.header("cache-control")), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answer.header("server"), "", "{path} does not tell what serves it");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path} is not for scripts of other sites");
    }
    for (given, kept) in
        [("order-7", true), ("a/b:c=d", true), ("a b", false), ("<script>", false), (&"x".repeat(129)[..], false)]
    {
        let answer = front.send(front.request(Method::GET, CREDITS).header("x-request-id", given)).await;
        assert_eq!(answer.header("x-request-id") == given, kept, "{given}");
    }
}

#[tokio::test]
async fn probes_and_answers_tell_that_the_database_is_away() {
    let front = Front::new().await;
    assert_eq!(front.get("/healthz").await.is(200), &json!({ "status": "ok" }), "the process lives");
    assert_eq!(front.get("/readyz").await.is(200), &json!({ "status": "ready" }), "and can work");
    front.harness.database.go_away().await;
    front.get("/healthz").await.is(200);
    let unready = front.get("/readyz").await;
    let problem = unready.is_problem(503, "DATABASE_ERROR");
    assert_eq!(problem["detail"], "the database does not answer", "it says why");
    for answer in [front.get(CREDITS).await, front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await] {
        answer.is_problem(503, "DATABASE_ERROR");
        assert_eq!(answer.header("retry-after"), "5", "it says when to come back");
    }
    let figures = front.get("/metrics").await;
    assert_eq!(figures.status, 200, "figures come without a database: {}", figures.text);
    assert!(figures.text.contains("galley_database_up 0"), "and say so: {}", figures.text);
    front.harness.database.come_back().await;
    let back = async { while front.get("/readyz").await.status != 200 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), back).await.expect("it is ready again by itself");
    front.get(CREDITS).await.is(200);
}

#[tokio::test]
async fn a_process_that_stops_is_not_ready() {
    // Its server goes on, as it does while requests in flight are waited for.
    let front = Front::new().await;
    front.stop.cancel();
    front.harness.database.go_away().await;
    let answer = front.get("/readyz").await;
    let detail = &answer.is_problem(503, "DATABASE_ERROR")["detail"];
    assert_eq!(detail, "the process is stopping; the database does not answer", "every reason is named");
    front.get("/healthz").await.is(200);
    front.harness.database.come_back().await;
}

#[tokio::test]
async fn a_file_is_sent_whole_and_a_slow_reader_gets_it_too() {
    let front = Front::new().await;
    let text = "Coffee grows on the ridge.\n".repeat(40_000);
    let file = front.upload("long.txt", text.clone()).await.is(201)["id"].as_str().unwrap().to_owned();
    let answer = front.get(&format!("/api/v1/files/{file}/content")).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, text.len().to_string().as_str()));
    assert!(answer.text == text, "every piece came, in order");
}

#[tokio::test]
async fn figures_show_the_queue_and_the_requests() {
    let extra = |text: &mut String| text.push_str("galley_test_extra 1\n");
    let front = Front::on(Harness::builder(), |state| state.metrics = Arc::new(extra)).await;
    front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await.is(202);
    for wrong in ["/api/v1/tasks/a", "/api/v1/tasks/b", "/nowhere/a", "/nowhere/b"] {
        front.get(wrong).await.is(404);
    }
    let figures = front.send(front.bare(Method::GET, "/metrics")).await;
    assert!(figures.header("content-type").starts_with("text/plain"), "Prometheus' text form: {:?}", figures.headers);
    for line in [
        "galley_queue_steps{kind=\"research\",state=\"ready\"} 1",
        "galley_http_requests_total{method=\"POST\",route=\"/api/v1/tasks\",status=\"202\"} 1",
        "galley_http_requests_total{method=\"GET\",route=\"/api/v1/tasks/{task_id}\",status=\"404\"} 2",
        "galley_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "galley_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/tasks\"} 1",
        "galley_database_up 1",
        "galley_test_extra 1",
    ] {
        assert!(figures.text.lines().any(|shown| shown == line), "expected {line} in\n{}", figures.text);
    }
}

/// What stands between `<script` and `>`; a script may hold the text `<script` itself.
fn script_tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, from)) = rest.split_once("<script") {
        let (tag, body) = from.split_once('>').unwrap();
        tags.push(tag);
        rest = body.split_once("</script>").map_or("", |(_, after)| after);
    }
    tags
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let front = Front::new().await;
    let page = front.send(front.bare(Method::GET, "/docs")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "a page for everybody");
    for outside in ["src=\"http", "src=\"//", "href=\"http", "href=\"//", "src='http", "@import", "unpkg.com", "cdn."] {
        // What a tag loads stands outside of scripts.
        let tags: String = page
            .text
            .split("<script")
            .map(|part| part.split_once("</script>").map_or(part, |(_, rest)| rest))
            .collect();
        assert!(!tags.contains(outside), "the page loads something: {outside}");
    }
    let tags = script_tags(&page.text);
    assert!(tags.len() > 1 && tags.iter().all(|tag| !tag.contains("src")), "the viewer stands in the page: {tags:?}");
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("http") && policy.contains("connect-src 'self'"), "and may load nothing: {policy}");
    let description = front.send(front.bare(Method::GET, "/openapi.json")).await;
    assert_eq!((description.status, description.header("content-type")), (200, "application/json"), "for programs");
    assert!(description.text == galley::http::spec(), "it is the description that is committed");
}

#[tokio::test]
async fn a_key_in_a_wrong_place_is_not_repeated() {
    let front = Front::new().await;
    let key = front.harness.secret.clone();
    let get = |path: String| front.request(Method::GET, &path);
    let post = |path: &str| front.request(Method::POST, path);
    // Front::send fails when the key stands in the answer.
    for request in [
        front.bare(Method::GET, CREDITS).header("authorization", format!("Basic {key}")),
        front.bare(Method::GET, CREDITS).header("authorization", &key),
        front.request_as(&format!("{key}x"), Method::GET, CREDITS),
        get(format!("/{key}")),
        get(format!("/api/v1/tasks/{key}")),
        get(format!("/api/v1/tasks?status={key}&limit={key}")),
        get(format!("/api/v1/articles?sort={key}&project_id={key}")),
        get(CREDITS.to_owned()).header("idempotency-key", &key),
        post("/api/v1/tasks")
            .json(&json!({ "user_prompt": "Tea", "tone": key, "language": key, "uploaded_files": [key] })),
        post("/api/v1/tasks").body(key.clone()).header("content-type", "application/json"),
        post("/api/v1/articles/generate").json(&json!({ "topic": "Tea", "length": key, "project_id": key })),
        post("/api/v1/tasks").header("idempotency-key", &key).json(&json!({ "user_prompt": "Tea" })),
        front
            .request(Method::PATCH, &format!("/api/v1/articles/{key}"))
            .header("if-match", &key)
            .json(&json!({ "slug": key })),
        get("/metrics".to_owned()),
        get("/openapi.json".to_owned()),
    ] {
        front.send(request).await;
    }
    for table in ["tasks", "api_keys", "articles", "events", "steps", "idempotency_keys"] {
        let sql = format!("SELECT count(*) FROM {table} AS row WHERE row::text LIKE '%{key}%'");
        assert_eq!(front.harness.database.number(&sql).await, 0, "the key is not stored in {table}");
    }
}

/// Reads in groups keep their connections while they are asked, but not from those who have none.
#[tokio::test]
async fn a_pool_of_one_connection_serves_all_kinds_of_reads() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let (org, key) = (harness.principal.org, harness.principal.key().unwrap());
    let store = harness.database.store_of(1).await;
    let asking_on = async {
        loop {
            store.reads().task(org, task).await.unwrap().unwrap();
        }
    };
    let others = async {
        for _ in 0..10 {
            assert!(store.reads().key_in_force(org, key).await.unwrap());
            assert!(store.tenant(org).task(task).await.unwrap().is_some());
        }
    };
    tokio::select! {
        () = asking_on => {}
        () = others => {}
    }
    store.close().await;
}

/// Keys are looked up together; one of a newer version, with words that this one does not know, is its owner's trouble.
#[tokio::test]
async fn a_key_that_cannot_be_read_is_nobody_elses_trouble() {
    let harness = Harness::new().await;
    let services = &harness.services;
    let issue = async |name| services.create_key(harness.principal.org, &KeyRequest::full(name)).await.unwrap();
    let (good, odd) = (issue("good").await, issue("odd").await);
    harness.database.execute(&format!("UPDATE api_keys SET scopes = '{{tea}}' WHERE id = '{}'", odd.id)).await;
    // Asked in one turn, they go in one statement.
    let (first, other, second) = tokio::join!(
        services.principal(&good.secret),
        services.principal(&odd.secret),
        services.principal(&good.secret)
    );
    assert!(other.is_err(), "{other:?}");
    for principal in [first, second] {
        assert_eq!(principal.unwrap().expect("a principal").key(), Some(good.id));
    }
}

/// What outlives a request, such as a stream of events, ends with whoever opened it.
#[tokio::test]
async fn a_principal_is_in_force_as_long_as_what_they_came_with() {
    let harness = Harness::new().await;
    let (services, org) = (&harness.services, harness.principal.org);
    let key = services.create_key(org, &KeyRequest::full("short")).await.unwrap().id;
    let in_force = async |who| services.is_in_force(org, who).await.unwrap();
    assert!(in_force(Who::Key(key)).await);
    services.revoke_key(org, key).await.unwrap();
    assert!(!in_force(Who::Key(key)).await, "it was revoked");
    assert!(!in_force(Who::User(key)).await, "nobody can have signed in");
    assert!(in_force(Who::Operator).await && in_force(Who::System).await);
}

/// The same id, asked by many in one statement: each sees what is theirs.
#[tokio::test]
async fn a_task_that_is_looked_up_with_a_key_is_that_of_its_holder() {
    let harness = Harness::new().await;
    let (services, secret, task) = (&harness.services, &harness.secret, harness.order().await);
    let (_, stranger) = harness.other_tenant().await;
    let issue = async |name| services.create_key(harness.principal.org, &KeyRequest::full(name)).await.unwrap();
    let (revoked, expired) = (issue("revoked").await, issue("expired").await);
    for (end, key) in [("revoked_at", &revoked), ("expires_at", &expired)] {
        harness.database.execute(&format!("UPDATE api_keys SET {end} = now() WHERE id = '{}'", key.id)).await;
    }
    let (own, other, gone, over, nothing) = tokio::join!(
        services.principal_with_task(secret, task),
        services.principal_with_task(&stranger, task),
        services.principal_with_task(&revoked.secret, task),
        services.principal_with_task(&expired.secret, task),
        services.principal_with_task(secret, Uuid::nil()),
    );
    let (principal, view) = own.unwrap().expect("a principal");
    assert_eq!((principal.key(), view.expect("their task").row.id), (harness.principal.key(), task));
    let (principal, view) = other.unwrap().expect("a principal");
    assert!(principal.org != harness.principal.org && view.is_err(), "another tenant's task: {view:?}");
    assert!(gone.unwrap().is_none() && over.unwrap().is_none(), "a key that is not in force sees nothing");
    assert!(nothing.unwrap().is_some_and(|(_, view)| view.is_err()));
}

#[tokio::test]
async fn a_task_that_cannot_be_read_does_not_change_who_asks() {
    let front = Front::new().await;
    let (good, odd) = (front.harness.order().await, front.harness.order().await);
    front.harness.database.execute("ALTER TABLE tasks DROP CONSTRAINT tasks_status_check").await;
    front.harness.database.execute(&format!("UPDATE tasks SET status = 'tea' WHERE id = '{odd}'")).await;
    let path = |id: Uuid| format!("/api/v1/tasks/{id}");
    let (first, second) = (path(good), path(odd));
    let (fine, broken) = tokio::join!(front.get(&first), front.get(&second));
    assert_eq!(fine.status, 200);
    broken.is_problem(500, "DATABASE_ERROR");
    assert!(!broken.header("x-ratelimit-remaining").is_empty(), "it was counted: {:?}", broken.headers);
    let (_, stranger) = front.harness.other_tenant().await;
    front.send(front.request_as(&stranger, Method::GET, &second)).await.is_problem(404, "TASK_NOT_FOUND");
    let writer = KeyRequest { permissions: vec![Permission::Write], ..KeyRequest::full("writer") };
    let writer = front.harness.services.create_key(front.harness.principal.org, &writer).await.unwrap();
    front.send(front.request_as(&writer.secret, Method::GET, &second)).await.is_problem(403, "FORBIDDEN");
    assert_eq!(front.get(&path(good).to_uppercase().replace("/API/V1/TASKS", "/api/v1/tasks")).await.status, 200);
}

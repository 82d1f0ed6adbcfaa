//! What the first two documents promise, step by step, with the built-in writer.

use galley_domain::article;
use galley_testkit::{Harness, Move, Script};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Front, id, text};

const STEPS: [&str; 6] = ["research", "outline", "drafting", "seo", "image", "sync"];

fn ids(list: &Value, field: &str) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|item| text(&item[field])).collect()
}

/// An article cites what it says, is as long as ordered, and has every field of both documents.
fn assert_written(article: &Value, words: std::ops::RangeInclusive<i64>) {
    for field in ["title", "slug", "content", "seo_title", "seo_description", "meta_description", "tone", "language"] {
        assert!(article[field].as_str().is_some_and(|text| !text.is_empty()), "{field} is filled: {article}");
    }
    assert_eq!(article["seo_description"], article["meta_description"], "two names of one thing");
    assert!(
        words.contains(&article["word_count"].as_i64().unwrap()),
        "{words:?} ordered, got {}",
        article["word_count"]
    );
    assert_eq!((&article["version"], &article["writer"]), (&json!(1), &json!("extractive")), "the first version");
    assert_eq!(article["data_sources"][0]["kind"], "file", "it names what it was written from: {article}");
    assert!(article["seo"]["score"].is_u64(), "it has a score: {article}");
    assert_eq!(article["error"], Value::Null, "nothing went wrong");
}

#[tokio::test]
async fn the_first_document_holds_literally() {
    let front = Front::new().await;
    let file = front.sample("faq.md").await;
    let order = json!({
        "user_prompt": "Questions about Sela Ridge coffee",
        "keywords": ["coffee", "roast"],
        "uploaded_files": [{ "id": file, "name": "faq.md" }],
        "min_words": 200,
        "max_words": 300,
    });
    let answer = front.post("/api/v1/tasks", &order).await;
    let receipt = answer.is(202);
    let (task, article) = (text(&receipt["task_id"]), text(&receipt["article_id"]));
    let path = format!("/api/v1/tasks/{task}");
    assert_eq!((&receipt["status"], &receipt["progress"]), (&json!("pending"), &json!(0)), "an order begins pending");
    assert_eq!(answer.header("location"), path, "the answer says where to look");

    let seen = front.get(&path).await;
    let seen = seen.is(200);
    for (field, value) in receipt.as_object().unwrap() {
        // It is said how long it takes in all, and later how long it will take.
        if !["credits_held", "estimated_time_seconds"].contains(&field.as_str()) {
            assert_eq!(&seen[field], value, "{field} is what the order was answered with");
        }
    }
    assert_eq!((&seen["id"], &seen["article_ids"]), (&json!(task), &json!([article])), "both names");
    assert_eq!(
        (&seen["status"], &seen["progress"], &seen["steps_completed"]),
        (&json!("pending"), &json!(0), &json!([]))
    );
    assert_eq!((&seen["user_prompt"], &seen["keywords"]), (&order["user_prompt"], &order["keywords"]), "as ordered");
    assert_eq!((&seen["min_words"], &seen["max_words"]), (&json!(200), &json!(300)), "as ordered");
    assert_eq!(seen["uploaded_files"], json!([{ "id": file }]), "as ordered");
    let none = front.get(&format!("{path}/articles")).await;
    assert_eq!(none.is(200)["data"], json!([]), "nothing before the text is written");

    let engine = front.harness.extractive();
    front.harness.completed(id(&receipt["task_id"])).await;
    engine.stop().await;
    let done = front.get(&path).await;
    let done = done.is(200);
    assert_eq!((&done["status"], &done["progress"]), (&json!("completed"), &json!(100)), "the task has ended: {done}");
    assert_eq!((&done["steps_completed"], &done["current_step"]), (&json!(STEPS), &Value::Null), "with every step");
    assert_eq!((&done["credits_used"], &done["completed_at"]), (&json!(40), &done["finished_at"]), "charged when done");

    let list = front.get(&format!("{path}/articles")).await;
    assert_eq!(ids(list.is(200), "id"), [article.as_str()], "its one article");
    assert_written(&list.json["data"][0], 180..=330);
    assert!(text(&list.json["data"][0]["content"]).contains("## "), "tasks bring Markdown");
    read_change_and_delete(&front, &article).await;
    front.harness.assert_books_closed().await;
}

async fn read_change_and_delete(front: &Front, article: &str) {
    let path = format!("/api/v1/articles/{article}");
    let read = front.get(&path).await;
    let read = &read.is(200)["data"];
    assert_eq!((&read["content"], &read["content_format"]), (&read["content_markdown"], &json!("markdown")));
    assert_eq!((&read["status"], &read["published_at"]), (&json!("draft"), &Value::Null), "a draft at first");
    let cover = front.get(&text(&read["featured_images"][0]["url"])).await;
    assert_eq!((cover.status, cover.header("content-type")), (200, "image/png"), "the cover is an image");

    let change = json!({
        "title": "Coffee, asked and answered", "content": "# Coffee\n\nA new text about coffee.", "slug": "coffee-answers",
        "seo_title": "Coffee answers", "seo_description": "What people ask about coffee.", "keywords": ["coffee"],
        "publication_status": "published",
    });
    let changed = front.patch(&path, &change).await;
    let after = changed.is(200);
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&after[field], value, "{field} is changed");
    }
    assert!(after["published_at"].is_string(), "publishing records the time: {after}");
    assert_eq!((&after["version"], changed.header("etag")), (&json!(2), "\"2\""), "every change is a version");

    for (filter, found) in [
        ("publication_status=published", true),
        ("publication_status=draft", false),
        ("publication_status=archived", false),
        ("status=published", true),
        ("status=published&publication_status=draft", false),
        ("search=ASKED%20AND", true),
        ("search=nothing-like-it", false),
    ] {
        let list = front.get(&format!("/api/v1/articles?{filter}&page=1&page_size=5")).await;
        assert_eq!(!ids(list.is(200), "id").is_empty(), found, "{filter}");
    }
    assert_eq!(front.delete(&path).await.status, 204, "it is deleted");
    front.get(&path).await.is_problem(404, "ARTICLE_NOT_FOUND");
    front.delete(&path).await.is_problem(404, "ARTICLE_NOT_FOUND");
}

#[tokio::test]
async fn the_second_document_holds_literally() {
    let front = Front::new().await;
    let mut files = Vec::new();
    for name in ["faq.md", "text/brew-guide.md", "text/cooperative-report.md"] {
        files.push(front.sample(name).await);
    }
    let order = json!({
        "topic": "How Sela Ridge coffee is grown and brewed", "keywords": ["coffee"], "tone": "casual", "length": "short",
        "language": "en", "uploaded_files": files,
    });
    let answer = front.post("/api/v1/articles/generate", &order).await;
    let started = answer.is(202);
    assert_eq!(started["success"], true, "the envelope of the document");
    let data = &started["data"];
    let article = text(&data["article_id"]);
    assert_eq!((&data["status"], &data["credits_used"]), (&json!("generating"), &json!(40)), "as documented: {data}");
    assert!(data["estimated_time_seconds"].is_u64(), "as documented: {data}");
    let path = format!("/api/v1/articles/{article}");
    assert_eq!(answer.header("location"), format!("{path}/status"), "the answer says what to poll");

    let status = front.get(&format!("{path}/status")).await;
    let data = &status.is(200)["data"];
    assert_eq!((&data["article_id"], &data["status"]), (&json!(article), &json!("generating")), "{data}");
    assert_eq!((&data["progress"], &data["steps_completed"]), (&json!(0), &json!([])), "nothing has run: {data}");

    let engine = front.harness.extractive();
    front.harness.completed(id(&started["data"]["task_id"])).await;
    engine.stop().await;
    let status = front.get(&format!("{path}/status")).await;
    let data = &status.is(200)["data"];
    assert_eq!((&data["status"], &data["progress"]), (&json!("draft"), &json!(100)), "polling ends at draft: {data}");
    let words = json!(["research", "outline", "drafting", "optimizing", "saving"]);
    assert_eq!((&data["steps_completed"], &data["current_step"]), (&words, &Value::Null), "{data}");
    assert_eq!(status.json["meta"]["request_id"], status.header("x-request-id"), "{}", status.json);

    let whole = front.get(&path).await;
    let whole = &whole.is(200)["data"];
    assert_written(whole, 630..=990);
    let html = text(&whole["content"]);
    assert!(
        html.contains("<h2>") && html.contains("<p>") && !html.contains("\n## "),
        "generated articles are HTML: {html}"
    );
    assert!(!html.contains("<h1>") && html.contains("<li id=\"source-1\">"), "without the title: {html}");
    assert!(html.contains("<sup class=\"citation\"><a href=\"#source-1\""), "citations lead to the sources: {html}");
    assert_eq!(
        (&whole["length"], &whole["tone"], &whole["project_id"]),
        (&json!("short"), &json!("casual"), &Value::Null)
    );
    let markdown = front.get(&format!("{path}?content_format=markdown")).await;
    assert_eq!(markdown.is(200)["data"]["content"], whole["content_markdown"], "the other form on request");
    list_in_the_envelope(&front, &article).await;
}

async fn list_in_the_envelope(front: &Front, article: &str) {
    let list = front.get("/api/v1/articles?page=1&limit=10&status=draft&sort=title&order=asc").await;
    let list = list.is(200);
    assert_eq!(list["success"], true, "the envelope of the document");
    let pagination = json!({ "total": 1, "page": 1, "offset": 0, "limit": 10, "total_pages": 1, "has_more": false });
    assert_eq!(list["pagination"], pagination, "the pagination of the document");
    let item = &list["data"][0];
    assert_eq!(item["id"], article, "the article is in the list");
    for field in ["title", "slug", "status", "meta_description", "word_count", "created_at", "updated_at", "project_id"]
    {
        assert!(item.get(field).is_some(), "{field} is in the list: {item}");
    }
    assert!(item.get("content").is_none(), "a list has no text: {item}");
    let beyond = front.get("/api/v1/articles?page=9&limit=10").await;
    assert_eq!(beyond.is(200)["data"], json!([]), "a page behind the last is empty");
}

#[tokio::test]
async fn the_status_follows_the_work() {
    let front = Front::new().await;
    let answer = front.post("/api/v1/articles/generate", &json!({ "topic": "Tea" })).await;
    let (article, task) = (text(&answer.is(202)["data"]["article_id"]), id(&answer.json["data"]["task_id"]));
    let script = Script::default();
    script.next(article::DRAFT, [Move::Gate, Move::Gate]);
    let engine = front.harness.scripted(&script);
    // That a step runs is written beside it, not before it.
    front.harness.until(task, |view| view.row.current_step.as_deref() == Some("drafting")).await;
    let status = front.get(&format!("/api/v1/articles/{article}/status")).await;
    let data = &status.is(200)["data"];
    assert_eq!((&data["status"], &data["current_step"]), (&json!("generating"), &json!("drafting")), "{data}");
    assert_eq!((&data["steps_completed"], &data["progress"]), (&json!(["research", "outline"]), &json!(25)), "{data}");
    let listed = front.get("/api/v1/articles?status=generating").await;
    assert_eq!(ids(listed.is(200), "id"), [article.as_str()], "what is being written is listed as that");
    script.open();
    front.harness.completed(task).await;
    engine.stop().await;
    let status = front.get(&format!("/api/v1/articles/{article}/status")).await;
    assert_eq!(status.is(200)["data"]["status"], "draft", "and then it is a draft");
}

#[tokio::test]
async fn a_failed_order_says_why_and_costs_nothing() {
    let front = Front::new().await;
    let answer = front.post("/api/v1/articles/generate", &json!({ "topic": "Tea" })).await;
    let (article, task) = (text(&answer.is(202)["data"]["article_id"]), id(&answer.json["data"]["task_id"]));
    let script = Script::default();
    let fault = galley_domain::Fault::permanent(galley_domain::FaultCode::LlmError, "the model has had enough");
    script.next(article::OUTLINE, [Move::Fail(fault)]);
    let engine = front.harness.scripted(&script);
    front.harness.ended(task).await;
    engine.stop().await;
    let seen = front.get(&format!("/api/v1/tasks/{task}")).await;
    assert_eq!(seen.is(200)["status"], "failed", "the task has failed");
    let error = json!({ "code": "LLM_ERROR", "message": "the model has had enough" });
    assert_eq!(seen.json["error"], error, "and says why");
    let status = front.get(&format!("/api/v1/articles/{article}/status")).await;
    assert_eq!((&status.is(200)["data"]["status"], &status.json["data"]["error"]), (&json!("failed"), &error));
    let read = front.get(&format!("/api/v1/articles/{article}")).await;
    assert_eq!(read.is(200)["data"]["error"], error, "the article says it");
    let list = front.get("/api/v1/articles").await;
    assert_eq!(list.is(200)["data"][0]["error"], error, "and so it does in a list");
    assert_eq!(
        (&seen.json["credits_used"], &seen.json["completed_at"]),
        (&json!(0), &Value::Null),
        "nothing came of it"
    );
    let credits = front.get("/api/v1/credits").await;
    assert_eq!(credits.is(200), &json!({ "balance": 1000, "held": 0, "available": 1000 }), "it costs nothing");
}

#[tokio::test]
async fn tasks_are_listed_by_page_and_by_state() {
    let front = Front::new().await;
    let mut ordered = Vec::new();
    for number in 0..5 {
        let answer = front.post("/api/v1/tasks", &json!({ "user_prompt": format!("Tea {number}") })).await;
        ordered.insert(0, text(&answer.is(202)["task_id"]));
    }
    for (query, wanted, has_more) in [
        ("", &ordered[..], false),
        ("?limit=2", &ordered[..2], true),
        ("?limit=2&offset=2", &ordered[2..4], true),
        ("?limit=2&offset=4", &ordered[4..], false),
        ("?limit=5", &ordered[..], false),
        ("?limit=1&offset=4", &ordered[4..], false),
        ("?limit=2&page=2", &ordered[2..4], true),
        ("?page_size=2&page=3", &ordered[4..], false),
        ("?offset=9", &[][..], false),
        ("?status=pending&limit=100", &ordered[..], false),
        ("?status=completed", &[][..], false),
        ("?status=", &ordered[..], false),
    ] {
        let list = front.get(&format!("/api/v1/tasks{query}")).await;
        assert_eq!(ids(list.is(200), "task_id"), wanted, "newest first, {query}");
        assert_eq!(list.json["pagination"]["has_more"], has_more, "{query}");
    }
}

#[tokio::test]
async fn a_cancelled_order_gives_its_credits_back() {
    let front = Front::new().await;
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let path = format!("/api/v1/tasks/{}", text(&order.is(202)["task_id"]));
    let credits = front.get("/api/v1/credits").await;
    assert_eq!(credits.is(200), &json!({ "balance": 1000, "held": 40, "available": 960 }), "held while it waits");
    let cancelled = front.delete(&path).await;
    assert_eq!(cancelled.is(200)["status"], "cancelled", "it is cancelled at once");
    let credits = front.get("/api/v1/credits").await;
    assert_eq!(credits.is(200), &json!({ "balance": 1000, "held": 0, "available": 1000 }), "and free again");
    front.delete(&path).await.is_problem(409, "CONFLICT");
    assert_eq!(front.get(&path).await.is(200)["status"], "cancelled", "it stays visible");
    let retried = front.send(front.request(Method::POST, &format!("{path}/retry"))).await;
    assert_eq!(retried.is(202)["status"], "pending", "an ended task runs again, also without a body");
}

#[tokio::test]
async fn orders_at_the_limits_are_taken() {
    let front = Front::new().await;
    let keywords = |count: usize| (0..count).map(|at| format!("{at:0>100}")).collect::<Vec<_>>();
    let longest = format!("https://example.org/{}", "x".repeat(1980));
    for (path, body) in [
        ("/api/v1/tasks", json!({ "user_prompt": "x" })),
        ("/api/v1/tasks", json!({ "user_prompt": "🫖".repeat(1000) })),
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "keywords": keywords(10) })),
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "min_words": 100, "max_words": 100 })),
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "min_words": 100.0, "max_words": 10_000 })),
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "reference_links": [longest] })),
        (
            "/api/v1/tasks",
            json!({ "user_prompt": "Tea", "reference_links": vec!["https://example.org:8443/?a=ä#b"; 5] }),
        ),
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "keywords": null })),
        ("/api/v1/articles/generate", json!({ "topic": "Tea", "keywords": keywords(20) })),
        ("/api/v1/articles/generate", json!({ "topic": "🫖".repeat(500), "language": "de", "length": "long" })),
    ] {
        let answer = front.post(path, &body).await;
        assert_eq!(answer.status, 202, "{path} takes {body}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_article_that_is_being_written_can_be_deleted() {
    let front = Front::new().await;
    let order = front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
    let (task, article) = (text(&order.is(202)["task_id"]), text(&order.json["article_id"]));
    assert_eq!(front.delete(&format!("/api/v1/articles/{article}")).await.status, 204, "it is deleted");
    let seen = front.get(&format!("/api/v1/tasks/{task}")).await;
    assert_eq!(seen.is(200)["status"], "cancelled", "its task has nothing to do any more");
    let articles = front.get(&format!("/api/v1/tasks/{task}/articles")).await;
    assert_eq!(articles.is(200)["data"], json!([]), "and no article");
    let retry = front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({})).await;
    retry.is_problem(409, "CONFLICT");
    front.harness.assert_books_closed().await;
}

#[tokio::test]
async fn both_spellings_of_a_path_are_one_route() {
    let front = Front::new().await;
    let (task, article) = front.written().await;
    for path in [
        "/api/v1/tasks".to_owned(),
        format!("/api/v1/tasks/{task}"),
        format!("/api/v1/tasks/{task}/articles"),
        format!("/api/v1/tasks/{task}/steps"),
        "/api/v1/articles".to_owned(),
        format!("/api/v1/articles/{article}"),
        format!("/api/v1/articles/{article}/status"),
        format!("/api/v1/articles/{article}/versions/1"),
        "/api/v1/credits".to_owned(),
        "/healthz".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let (plain, slash) = (front.get(&path).await, front.get(&format!("{path}/")).await);
        assert_eq!(plain.same(200), slash.same(200), "{path} without a redirect");
    }
    let order = front.post("/api/v1/tasks/", &json!({ "user_prompt": "Tea" })).await;
    order.is(202);
    let patched = front.patch(&format!("/api/v1/articles/{article}/"), &json!({ "title": "Slash" })).await;
    assert_eq!(patched.is(200)["title"], "Slash", "writing works too");
    let query = front.get("/api/v1/tasks/?limit=1").await;
    assert_eq!(query.is(200)["pagination"]["limit"], 1, "a query stays behind the slash");
}

#[tokio::test]
async fn the_same_key_is_one_order() {
    let front = Front::new().await;
    for (path, body, other) in [
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "keywords": ["a", "b"] }), json!({ "user_prompt": "Coffee" })),
        ("/api/v1/articles/generate", json!({ "topic": "Tea", "length": "short" }), json!({ "topic": "Coffee" })),
    ] {
        let key = format!("key-for-{}", path.len());
        let send = |path: String, body: Value| {
            front.send(front.request(Method::POST, &path).header("idempotency-key", &key).json(&body))
        };
        let first = send(path.to_owned(), body.clone()).await;
        assert_eq!((first.status, first.header("idempotent-replayed")), (202, ""), "the first time is new");
        let again = send(path.to_owned(), body.clone()).await;
        assert_eq!(
            (again.same(202), again.header("idempotent-replayed")),
            (first.same(202), "true"),
            "the same answer"
        );
        assert_eq!(again.header("location"), first.header("location"), "with the same headers");
        let slash = send(format!("{path}/"), body.clone()).await;
        assert_eq!(slash.same(202), first.same(202), "with a slash it is the same operation");
        send(path.to_owned(), other.clone()).await.is_problem(409, "CONFLICT");
    }
    let at_once = (0..8).map(|_| {
        let request = front.request(Method::POST, "/api/v1/tasks").header("idempotency-key", "at-once");
        front.send(request.json(&json!({ "user_prompt": "Tea" })))
    });
    let answers = futures::future::join_all(at_once).await;
    assert!(answers.iter().all(|answer| answer.is(202) == &answers[0].json), "eight at once are one: {answers:?}");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM tasks").await, 3, "three orders in all");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM holds").await, 3, "each paid for once");

    let send = |body: Value| {
        front.send(front.request(Method::POST, "/api/v1/tasks").header("idempotency-key", "mended").json(&body))
    };
    send(json!({ "user_prompt": "" })).await.is_problem(400, "VALIDATION_ERROR");
    let mended = send(json!({ "user_prompt": "Tea" })).await;
    assert_eq!((mended.status, mended.header("idempotent-replayed")), (202, ""), "a refusal does not use up the key");
    let reordered =
        [r#"{"user_prompt":"Tea","tone":"casual"}"#, r#"{ "tone": "casual", "user_prompt": "Tea" }"#].map(|body| {
            let request = front.request(Method::POST, "/api/v1/tasks").header("idempotency-key", "reordered");
            front.send(request.header("content-type", "application/json").body(body))
        });
    let [one, two] = reordered;
    let (one, two) = (one.await, two.await);
    assert_eq!(
        (one.is(202), two.header("idempotent-replayed")),
        (two.is(202), "true"),
        "the order of fields does not matter"
    );

    let (_, stranger) = front.harness.other_tenant().await;
    let request = front.request_as(&stranger, Method::POST, "/api/v1/tasks").header("idempotency-key", "at-once");
    let foreign = front.send(request.json(&json!({ "user_prompt": "Mine" }))).await;
    assert_eq!((foreign.status, foreign.header("idempotent-replayed")), (202, ""), "keys belong to a tenant");
}

#[tokio::test]
async fn an_order_needs_its_price() {
    let front = Front::on(Harness::builder().credits(79), |_| {}).await;
    let body = json!({ "user_prompt": "Tea" });
    let first = front.post("/api/v1/tasks", &body).await;
    let task = text(&first.is(202)["task_id"]);
    let refused = front.post("/api/v1/tasks", &body).await;
    let detail = text(&refused.is_problem(402, "INSUFFICIENT_CREDITS")["detail"]);
    assert!(detail.contains("40") && detail.contains("39"), "it names the price and what is free: {detail}");
    let generate = front.post("/api/v1/articles/generate", &json!({ "topic": "Tea" })).await;
    generate.is_problem(402, "INSUFFICIENT_CREDITS");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM tasks").await, 1, "nothing else was taken");
    front.delete(&format!("/api/v1/tasks/{task}")).await.is(200);
    front.post("/api/v1/tasks", &body).await.is(202);
    let retry = front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({})).await;
    retry.is_problem(402, "INSUFFICIENT_CREDITS");
}

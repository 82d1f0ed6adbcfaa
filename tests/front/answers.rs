//! What answers say about themselves: parameters that are unknown, what has not changed, where to look next.

use std::collections::{BTreeMap, BTreeSet};

use galley::http::MetricsAccess;
use galley_domain::Hidden;
use galley_testkit::Harness;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Front, text};

#[tokio::test]
async fn an_unknown_parameter_is_named_where_no_older_document_speaks() {
    let front = Front::new().await;
    let task = text(&front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await.is(202)["task_id"]);
    for (path, name, known) in [
        ("/api/v1/tasks?limt=5&limit=5", "limt", "page, offset, limit"),
        ("/api/v1/files?kindd=", "kindd", "search, kind"),
        (&format!("/api/v1/tasks/{task}?expand=article"), "expand", "there are none"),
        ("/api/v1/credits/?currency=EUR", "currency", "there are none"),
    ] {
        let refused = front.get(path).await;
        let problem = refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [name], "{problem}");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("is not a parameter here; ") && message.contains(known), "{message}");
    }
    let both = front.get("/api/v1/tasks?limt=5&limit=0").await;
    both.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(both.wrong_fields(), ["limit", "limt"], "beside what else is wrong");
    let ordered = front.send(front.request(Method::POST, "/api/v1/tasks?dry=1").json(&json!({ "user_prompt": "Tea" })));
    ordered.await.is_problem(400, "VALIDATION_ERROR");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM tasks").await, 1, "nothing was ordered");
    for path in ["/api/v1/articles?fields=id", "/api/v1/projects?include=items", "/healthz?at=7", "/metrics?x=1"] {
        front.get(path).await.is(200);
    }
    front.send(front.bare(Method::GET, "/api/v1/tasks?limt=5")).await.is_problem(401, "UNAUTHORIZED");
    let secret = front.get(&format!("/api/v1/tasks?{}=1", front.harness.secret)).await;
    assert_eq!(secret.is_problem(400, "VALIDATION_ERROR")["errors"][0]["field"], "[hidden]");
}

#[tokio::test]
async fn what_a_client_has_already_is_not_sent_again() {
    let front = Front::new().await;
    let file = text(&front.upload("tea.txt", "Tea grows in the hills.").await.is(201)["id"]);
    for path in [format!("/api/v1/files/{file}/content"), "/openapi.json".to_owned(), "/docs".to_owned()] {
        let first = front.get(&path).await;
        let tag = first.header("etag").to_owned();
        assert!(first.status == 200 && !first.text.is_empty() && !tag.is_empty(), "{path}: {:?}", first.headers);
        let ask =
            async |given: &str| front.send(front.request(Method::GET, &path).header("if-none-match", given)).await;
        for known in [tag.as_str(), &format!("\"x\", {tag}"), "*"] {
            let same = ask(known).await;
            assert_eq!(
                (same.status, same.text.as_str(), same.header("etag")),
                (304, "", tag.as_str()),
                "{path} {known}"
            );
            assert_eq!(same.header("cache-control"), first.header("cache-control"), "{path}");
        }
        assert_eq!(ask("\"other\"").await.text.len(), first.text.len(), "{path}");
    }
    let (_, stranger) = front.harness.other_tenant().await;
    let path = format!("/api/v1/files/{file}/content");
    let other = front.request_as(&stranger, Method::GET, &path).header("if-none-match", "*");
    front.send(other).await.is_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn figures_are_for_those_who_run_the_service() {
    let figures = async |front: &Front, authorization: Option<&str>| {
        let mut request = front.bare(Method::GET, "/metrics");
        if let Some(text) = authorization {
            request = request.header("authorization", text);
        }
        front.send(request).await
    };
    let closed = Front::on(Harness::builder(), |state| state.metrics_access = MetricsAccess::Closed).await;
    let key = format!("Bearer {}", closed.harness.secret);
    for authorization in [None, Some(key.as_str())] {
        let refused = figures(&closed, authorization).await;
        let detail = text(&refused.is_problem(403, "FORBIDDEN")["detail"]);
        assert!(detail.contains("metrics.token") && !refused.text.contains("galley_queue"), "{detail}");
    }
    let access = || MetricsAccess::Token(Hidden::new("figures-please"));
    let with_token = |limit| {
        Front::on(Harness::builder(), move |state| {
            state.metrics_access = access();
            state.limits.rates.auth = limit;
        })
    };
    let front = with_token(3).await;
    let key = format!("Bearer {}", front.harness.secret);
    for wrong in [None, Some("Bearer figures"), Some(key.as_str())] {
        let refused = figures(&front, wrong).await;
        refused.is_problem(401, "UNAUTHORIZED");
        assert!(!refused.header("www-authenticate").is_empty());
    }
    figures(&front, Some("Bearer no")).await.is_problem(429, "RATE_LIMIT_ERROR");
    let shown = figures(&front, Some("Bearer figures-please")).await;
    assert!(shown.status == 200 && shown.text.contains("galley_database_up 1"), "{}", shown.text);
    front.get("/readyz").await.is(200);
}

/// Each kind of event that the description names, with the schema of its data.
fn described() -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(&galley::http::spec()).unwrap();
    let get = &document["paths"]["/api/v1/tasks/{task_id}/events"]["get"];
    let events = &get["responses"]["200"]["content"]["text/event-stream"]["x-events"];
    let description = get["description"].as_str().unwrap();
    let of = |(kind, schema): (&String, &Value)| {
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(description.contains(&format!("`{kind}`")), "{kind} is not described");
        assert!(description.contains(&format!("`{name}`")), "{name} is not described");
        (kind.clone(), document["components"]["schemas"][name].clone())
    };
    events.as_object().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn every_event_of_a_task_is_described() {
    use galley_domain::{Fault, FaultCode, article};
    use galley_testkit::{Move, Script};
    let front = Front::new().await;
    let described = described();
    let script = Script::default();
    let transient = Fault::Transient { code: FaultCode::LlmError, message: "busy".into(), after: None, detail: None };
    script.next(article::OUTLINE, [Move::Fail(transient), Move::Fail(Fault::permanent(FaultCode::LlmError, "no"))]);
    let order = json!({ "user_prompt": "Tea" });
    let task = text(&front.post("/api/v1/tasks", &order).await.is(202)["task_id"]);
    front.post(&format!("/api/v1/tasks/{task}/pause"), &json!({})).await;
    front.post(&format!("/api/v1/tasks/{task}/resume"), &json!({})).await;
    let engine = front.harness.scripted(&script);
    front.harness.ended(task.parse().unwrap()).await;
    front.post(&format!("/api/v1/tasks/{task}/retry"), &json!({})).await.is(202);
    front.harness.completed(task.parse().unwrap()).await;
    let (_, cancelled) = (engine.stop().await, front.post("/api/v1/tasks", &order).await);
    front.delete(&format!("/api/v1/tasks/{}", text(&cancelled.is(202)["task_id"]))).await.is(200);
    let sql = "SELECT DISTINCT jsonb_build_object('kind', kind, 'data', data)::text FROM events";
    let told: Vec<Value> =
        front.harness.database.texts(sql).await.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
    let mut seen = BTreeSet::new();
    for event in &told {
        let kind = event["kind"].as_str().unwrap();
        let schema = described.get(kind).unwrap_or_else(|| panic!("{event}"));
        let data = event["data"].as_object().unwrap();
        for name in data.keys() {
            assert!(!schema["properties"][name].is_null(), "{name} is not described: {event}");
        }
        for name in schema["required"].as_array().unwrap() {
            assert!(data.contains_key(name.as_str().unwrap()), "{name} is not there: {event}");
        }
        seen.insert(kind);
    }
    for kind in
        ["task.created", "task.failed", "task.completed", "task.cancelled", "task.retried", "step.retry", "step.failed"]
    {
        assert!(seen.contains(kind), "{kind} happened: {seen:?}");
    }
}

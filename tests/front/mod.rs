//! The front as a client meets it: a listener, real HTTP, a database of its own behind it.

use std::time::Duration;

use galley::http::{AppState, HttpLimits, RateLimits, serve};
use galley_domain::{Permission, Scope, project::Platform};
use galley_services::KeyRequest;
use galley_testkit::{Harness, HarnessBuilder, Script, order};
use poem::listener::{Acceptor, Listener, TcpListener};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

mod answers;
mod authorization;
mod bad_files;
mod bad_input;
mod connection_moves;
mod connections;
mod event_tokens;
mod events;
mod files;
mod generated_images;
mod images;
mod images_in_texts;
mod integrations;
mod limits;
mod markup;
mod open_sites;
mod orders;
mod post_orders;
mod projects;
mod promises;
mod publisher;
mod publishing;
mod repeated;
mod schedule_changes;
mod schedules;
mod site_calls;
mod stock_photos;
mod sync_course;
mod sync_sides;
mod syncs;
mod task_rights;
mod tasks;
mod trashed_schedules;
mod versions;
mod webhooks;
mod withheld;

const PROBLEM: &str = "application/problem+json";

/// A front that serves, and a client with the key of its first tenant.
struct Front {
    harness: Harness,
    base: String,
    client: reqwest::Client,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
    /// Null when the body is no JSON.
    json: Value,
}

/// Limits that no test meets by accident.
fn wide() -> HttpLimits {
    let rates = RateLimits { general: 100_000, content: 100_000, ai: 100_000, auth: 100_000, remembered: 1000 };
    HttpLimits { rates, ..HttpLimits::default() }
}

impl Front {
    async fn new() -> Self {
        Self::on(Harness::builder(), |_| {}).await
    }

    async fn on(harness: HarnessBuilder, change: impl FnOnce(&mut AppState)) -> Self {
        let harness = harness.build().await;
        let mut state = AppState::new(harness.services.clone(), harness.notifications.clone());
        state.limits = wide();
        change(&mut state);
        let stop = state.stop.clone();
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
        let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
        // It goes on when `stop` is cancelled, so that tests see what that does.
        let server = serve(acceptor, state, CancellationToken::new(), Duration::ZERO);
        let serving = tokio::spawn(async move { server.await.unwrap() });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self { harness, base: format!("http://{address}"), client, stop, serving }
    }

    /// A request without a key.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    fn request_as(&self, secret: &str, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("authorization", format!("Bearer {secret}"))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(&self.harness.secret, method, path)
    }

    /// Sends it, and sees to it that nobody's key comes back.
    async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
        assert!(!text.contains(&self.harness.secret), "the key stands in the body {text}");
        let planted =
            headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(&self.harness.secret));
        assert!(!planted, "the key stands in a header of {headers:?}");
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status, headers, text, json }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    async fn upload(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        self.send(self.request(Method::POST, "/api/v1/files").multipart(form(name, bytes))).await
    }

    /// The id of a sample, uploaded.
    async fn sample(&self, name: &str) -> String {
        let path = format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"));
        let answer = self.upload(name.rsplit('/').next().unwrap(), std::fs::read(path).unwrap()).await;
        answer.is(201)["id"].as_str().unwrap().to_owned()
    }

    /// Orders an article and has it written by the script: its task and itself.
    async fn written(&self) -> (String, String) {
        let order = self.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await;
        let receipt = order.is(202);
        let engine = self.harness.scripted(&Script::default());
        self.harness.completed(id(&receipt["task_id"])).await;
        engine.stop().await;
        (text(&receipt["task_id"]), text(&receipt["article_id"]))
    }

    /// A post of a new project, ordered and not yet written: its path, and its task.
    async fn ordered_post(&self, prompt: &str, files: Vec<Uuid>) -> (String, Uuid) {
        let (services, principal) = (&self.harness.services, &self.harness.principal);
        let name = format!("Project of {prompt}");
        let project = services.create_project(principal.org, &name, Platform::Wordpress, None).await.unwrap().value.id;
        let mut order = order();
        order.brief.prompt = prompt.to_owned();
        (order.uploaded_files, order.project_id) = (files, Some(project));
        let receipt = services.order(principal, order, "t", None).await.unwrap().value;
        (format!("/api/v1/projects/{project}/blog-posts/{}", receipt.subject.unwrap()), receipt.task_id)
    }

    /// A further key of the first tenant.
    async fn key(&self, permissions: &[Permission], scopes: &[Scope]) -> String {
        let (permissions, scopes) = (permissions.to_vec(), scopes.to_vec());
        let request = KeyRequest { permissions, scopes, ..KeyRequest::full("narrow") };
        self.harness.services.create_key(self.harness.principal.org, &request).await.unwrap().secret
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    fn is(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "expected {status}, but the answer is {}", self.text);
        &self.json
    }

    /// The body without what differs from one request to the next.
    #[track_caller]
    fn same(&self, status: u16) -> Value {
        let mut body = self.is(status).clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("meta");
        }
        body
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A whole problem with this status and code, which tells nothing of the house.
    #[track_caller]
    fn is_problem(&self, status: u16, code: &str) -> &Value {
        let problem = self.is(status);
        assert_eq!(self.header("content-type"), PROBLEM, "expected a problem: {}", self.text);
        assert_eq!(problem["code"], code, "expected the code {code}: {problem}");
        assert_eq!(problem["status"], status, "the body repeats the status: {problem}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "the body names its request: {problem}");
        let filled = |field: &str| problem[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(["type", "title", "detail", "request_id"].into_iter().all(filled), "expected all fields: {problem}");
        assert!(problem["errors"].is_array(), "errors is always a list: {problem}");
        for internal in ["sqlx", "sea_orm", "SELECT", "panicked", ".rs:", "/work", "/tmp", "poem", "galley_"] {
            assert!(!self.text.contains(internal), "'{internal}' is internal: {problem}");
        }
        problem
    }

    /// The fields that the problem finds wrong.
    fn wrong_fields(&self) -> Vec<&str> {
        self.json["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}

fn form(name: &str, bytes: impl Into<Vec<u8>>) -> reqwest::multipart::Form {
    let part = reqwest::multipart::Part::bytes(bytes.into()).file_name(name.to_owned());
    reqwest::multipart::Form::new().part("file", part)
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text, but it is {value}")).to_owned()
}

#[track_caller]
fn id(value: &Value) -> Uuid {
    text(value).parse().unwrap_or_else(|_| panic!("expected an id, but it is {value}"))
}

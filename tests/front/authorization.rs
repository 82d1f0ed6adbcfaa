//! The walk: every operation of the description as nobody, as a key without the right, and as another tenant.

use std::collections::BTreeSet;

use galley_domain::{Permission, Scope};
use galley_images::{Card, render_card};
use galley_services::KeyRequest;
use galley_testkit::Harness;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, Front, form, text};

/// What anybody may call; a feed, who has its token.
const PUBLIC: [&str; 5] = [
    "GET /api/v1/calendar/feeds/{feed_id}",
    "GET /api/v1/publisher/site-definition",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
];
/// What is for whoever has a link that we signed; `front::images` asks it with all sorts of others.
const SIGNED: &str = "GET /api/v1/images/{image_id}/{part}";

struct Operation {
    method: Method,
    path: String,
    /// The permission and the scopes that the description names; `None` where it says that no key is needed.
    right: Option<(Permission, Vec<Scope>)>,
    kind: String,
    /// The fields that the body has.
    fields: Vec<String>,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn has_ids(&self) -> bool {
        self.path.contains('{')
    }
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&galley::http::spec()).unwrap();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let named = &operation["x-galley-right"];
            let scopes = || named["scopes"].as_array().unwrap().iter().map(|scope| text(scope).parse().unwrap());
            let right = named.is_object().then(|| (text(&named["permission"]).parse().unwrap(), scopes().collect()));
            let keys = operation["security"].as_array().expect("every operation says which keys it takes");
            // Where nothing is enough, a key is no need: `/metrics` may ask for a token of its own.
            let needs_one = !keys.is_empty() && !keys.contains(&json!({}));
            assert_eq!(right.is_some(), needs_one, "{method} {path} needs a key for its right");
            let content = &operation["requestBody"]["content"];
            let kind = content.as_object().and_then(|kinds| kinds.keys().next()).cloned().unwrap_or_default();
            let method: Method = method.to_uppercase().parse().unwrap();
            let fields = fields(&document, &content[&kind]["schema"]);
            found.push(Operation { method, path: path.clone(), right, kind, fields });
        }
    }
    assert!(found.len() >= 20, "the description has its operations");
    // Whatever removes things comes last, so that the walk does not saw off its branch.
    let depth = |operation: &Operation| match operation.method {
        Method::DELETE => usize::MAX - operation.path.split('/').count(),
        _ => 0,
    };
    found.sort_by_key(|operation| (depth(operation), operation.name()));
    found
}

fn fields(document: &Value, schema: &Value) -> Vec<String> {
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    let schema = name.map_or(schema, |name| &document["components"]["schemas"][name]);
    schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect()
}

/// One thing of each kind, all of the first tenant.
struct Things {
    task: String,
    article: String,
    file: String,
    project: String,
    schedule: String,
    /// A run of the schedule, which waits for a decision.
    run: String,
    webhook: String,
    delivery: String,
    connection: String,
    template: String,
    feed: String,
    /// With its token.
    feed_address: String,
    /// In the project.
    post: String,
    image: String,
    photo_key: String,
    integration: String,
}

impl Things {
    async fn of(front: &Front) -> Self {
        let (task, article) = front.written().await;
        let project = front.post("/api/v1/projects", &json!({ "name": "Tea", "platform": "shopify" })).await;
        let project = text(&project.is(201)["id"]);
        let (schedule, run) = asking_schedule(front).await;
        let (webhook, delivery) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
        let new_id = || uuid::Uuid::new_v4().to_string();
        let (post, image, photo_key) = (new_id(), new_id(), new_id());
        let org = front.harness.principal.org;
        let sql = format!(
            "INSERT INTO webhooks (id, org_id, url) VALUES ('{webhook}', '{org}', 'https://example.com/');
             INSERT INTO webhook_deliveries (id, org_id, webhook_id, message_id, event_type, status, payload, sequence)
             VALUES ('{delivery}', '{org}', '{webhook}', 'msg_1', 'task.completed', 'failed', '{{}}', 1);
             INSERT INTO articles (id, org_id, project_id, status, title, slug, content_format, tone, language)
             VALUES ('{post}', '{org}', '{project}', 'draft', 'Tea', 'tea-of-the-walk', 'html', 'neutral', 'en');
             INSERT INTO images (id, org_id, article_id, source, kind, width, height, file_size, sha256, blob, stored_bytes,
                alt_text, position)
             VALUES ('{image}', '{org}', '{post}', 'upload', 'png', 1, 1, 1, 's', 'b', 1, 'Tea', 0);
             INSERT INTO stock_photo_keys (id, org_id, provider) VALUES ('{photo_key}', '{org}', 'pexels')"
        );
        front.harness.database.execute(&sql).await;
        let (connection, template, integration) = (new_id(), new_id(), new_id());
        // The gate stays shut, so that nobody waits for a publication.
        let sql = format!(
            "UPDATE projects SET settings = '{{\"publish_gate\": {{\"approved\": true}}, \"public_site_definition\": true}}'
             WHERE id = '{project}';
             INSERT INTO connections (id, org_id, project_id, platform, name, site_url, username)
             VALUES ('{integration}', '{org}', '{project}', 'wordpress', 'Site', 'https://site.invalid', 'editor');
             INSERT INTO connections (id, org_id, platform, name, site_url, username)
             VALUES ('{connection}', '{org}', 'wordpress', 'Blog', 'https://blog.invalid', 'editor');
             INSERT INTO blog_templates (id, org_id, name) VALUES ('{template}', '{org}', 'Plain')"
        );
        front.harness.database.execute(&sql).await;
        let feed = front.post("/api/v1/calendar/feeds", &json!({ "name": "Desk" })).await;
        let (feed, feed_address) = (text(&feed.is(201)["id"]), text(&feed.json["url"]));
        let file = front.sample("faq.md").await;
        Self {
            task,
            article,
            file,
            project,
            schedule,
            run,
            webhook,
            delivery,
            connection,
            template,
            feed,
            feed_address,
            post,
            image,
            photo_key,
            integration,
        }
    }

    /// The path with ids that exist. A parameter that is not known here has to be taught.
    fn fill(&self, path: &str) -> String {
        let parts = path.split('/').map(|part| match part {
            "{task_id}" => &self.task,
            "{article_id}" => &self.article,
            "{file_id}" => &self.file,
            "{project_id}" => &self.project,
            "{schedule_id}" => &self.schedule,
            "{run_id}" => &self.run,
            "{webhook_id}" => &self.webhook,
            "{delivery_id}" => &self.delivery,
            "{post_id}" => &self.post,
            "{feed_id}" => &self.feed,
            "{job_id}" => &self.task,
            "{connection_id}" => &self.connection,
            "{template_id}" => &self.template,
            "{image_id}" => &self.image,
            "{key_id}" => &self.photo_key,
            "{part}" => "original",
            "{integration_id}" => &self.integration,
            "{version}" => "1",
            other => {
                assert!(!other.starts_with('{'), "teach the walk what {other} is, in {path}");
                other
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// A request that is right in everything, so that only the principal can be wrong.
    fn request(&self, front: &Front, operation: &Operation) -> RequestBuilder {
        let is_feed = operation.method == Method::GET && operation.path.ends_with("{feed_id}");
        let query = match operation.path.as_str() {
            "/api/v1/publisher/site-definition" => format!("?site_id={}", self.project),
            _ => String::new(),
        };
        let path = if is_feed { self.feed_address.clone() } else { self.fill(&operation.path) };
        let mut request = front.bare(operation.method.clone(), &format!("{path}{query}"));
        if operation.path.contains("/calendar/{") {
            request = request.header("if-match", "\"2026-01-15T10:00:00.000Z\"");
        }
        match operation.kind.as_str() {
            "" => request,
            "multipart/form-data" if operation.path.ends_with("/images/upload") => {
                let card = Card { title: "Tea".into(), subtitle: None, language: "en".into(), seed: 1 };
                request.multipart(form("a.png", render_card(&card).unwrap().png))
            }
            "multipart/form-data" => request.multipart(form("a.txt", "Tea is a drink made from leaves.")),
            "application/json" => {
                let action = json!({ "type": "order", "order": { "user_prompt": "Tea" } });
                let mut body = json!({
                    "user_prompt": "Tea", "topic": "Tea", "title": "Tea", "name": "Tea", "run": true,
                    "platform": "shopify", "url": "https://example.com/",
                    "cron": "0 9 * * *", "timezone": "UTC", "action": action, "prompt": "Tea",
                    "photo_url": "https://images.pexels.com/a.jpeg", "is_active": false,
                    "connection_id": self.connection, "scheduled_at": "2028-01-01T00:00:00Z",
                    "keep": "remote", "site_url": "https://blog.example", "username": "editor", "app_password": "abcd",
                });
                body.as_object_mut().unwrap().retain(|field, _| operation.fields.contains(field));
                if operation.name() == "PUT /api/v1/integration/{integration_id}" {
                    // Another address or user would need the password.
                    body = json!({ "is_active": true });
                }
                if operation.path.ends_with("/replay") {
                    body["from"] = json!("2026-01-01T00:00:00Z");
                }
                request.json(&body)
            }
            other => panic!("teach the walk to send {other} to {}", operation.name()),
        }
    }

    async fn call(&self, front: &Front, operation: &Operation, secret: &str) -> Answer {
        front.send(self.request(front, operation).header("authorization", format!("ApiKey {secret}"))).await
    }
}

/// A schedule that does not come due during a test, and a question about an earlier time of it.
async fn asking_schedule(front: &Front) -> (String, String) {
    let body = json!({
        "name": "Tea", "timezone": "UTC", "cron": "0 0 29 2 *", "missed": { "policy": "ask" },
        "action": { "type": "order", "order": { "user_prompt": "Tea" } },
    });
    let schedule = text(&front.post("/api/v1/schedules", &body).await.is(201)["id"]);
    let run = uuid::Uuid::new_v4().to_string();
    let insert = format!(
        "INSERT INTO schedule_runs (id, org_id, schedule_id, due_at, trigger, status)
         SELECT '{run}', org_id, id, '2024-02-29', 'schedule', 'asked' FROM schedules WHERE id = '{schedule}'"
    );
    front.harness.database.execute(&insert).await;
    (schedule, run)
}

/// Links to images are signed.
async fn front() -> Front {
    Front::on(Harness::builder().keyring(), |_| {}).await
}

#[test]
fn only_the_listed_operations_are_public() {
    let public: BTreeSet<String> =
        operations().iter().filter(|operation| operation.right.is_none()).map(Operation::name).collect();
    assert_eq!(
        public,
        PUBLIC.into_iter().chain([SIGNED]).map(str::to_owned).collect(),
        "an operation is public that is not on the list, or the reverse"
    );
}

#[tokio::test]
async fn nobody_gets_nothing_but_what_is_public() {
    let front = front().await;
    let things = Things::of(&front).await;
    for operation in operations() {
        let answer = front.send(things.request(&front, &operation)).await;
        if operation.name() == SIGNED {
            answer.is_problem(400, "VALIDATION_ERROR");
            assert_eq!(answer.wrong_fields(), ["org", "expires", "signature"]);
            continue;
        }
        if PUBLIC.contains(&operation.name().as_str()) {
            assert_eq!(answer.status, 200, "{} is public: {}", operation.name(), answer.text);
            continue;
        }
        assert_eq!(answer.status, 401, "{} needs a key: {}", operation.name(), answer.text);
        answer.is_problem(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").contains("Bearer"), "{} says how", operation.name());
    }
}

#[tokio::test]
async fn a_key_without_the_right_is_refused_everywhere() {
    let front = front().await;
    let things = Things::of(&front).await;
    let nothing = front.key(&[], &[]).await;
    let operations = operations();
    let rights: BTreeSet<(Permission, Vec<Scope>)> =
        operations.iter().filter_map(|operation| operation.right.clone()).collect();
    for (permission, scopes) in rights {
        let others: Vec<Permission> = Permission::ALL.iter().copied().filter(|other| *other != permission).collect();
        let elsewhere = |other: &Scope| *other != Scope::Admin && !scopes.contains(other);
        let elsewhere: Vec<Scope> = Scope::ALL.iter().copied().filter(elsewhere).collect();
        let wrong_permission = front.key(&others, Scope::ALL).await;
        let wrong_scope = front.key(Permission::ALL, &elsewhere).await;
        let keys = [(&wrong_permission, "permission"), (&wrong_scope, "scope"), (&nothing, "both")];
        let right = Some((permission, scopes));
        for operation in operations.iter().filter(|operation| operation.right == right) {
            for (key, lacks) in keys {
                let answer = things.call(&front, operation, key).await;
                assert_eq!(answer.status, 403, "{} without the {lacks}: {}", operation.name(), answer.text);
                answer.is_problem(403, "FORBIDDEN");
            }
        }
    }
    assert_unchanged(&front, &things).await;
}

#[tokio::test]
async fn what_is_another_tenants_does_not_exist() {
    let front = front().await;
    let things = Things::of(&front).await;
    let (_, stranger) = front.harness.other_tenant().await;
    let walk: Vec<Operation> =
        operations().into_iter().filter(|operation| operation.right.is_some() && operation.has_ids()).collect();
    assert!(walk.len() >= 15, "the operations with ids");
    for operation in &walk {
        let answer = things.call(&front, operation, &stranger).await;
        assert_eq!(answer.status, 404, "{} as a stranger: {}", operation.name(), answer.text);
        let code = text(&answer.json["code"]);
        answer.is_problem(404, &code);
        assert!(code.ends_with("NOT_FOUND"), "{} says {code}", operation.name());
    }
    assert_unchanged(&front, &things).await;
    for list in ["/api/v1/tasks", "/api/v1/articles", "/api/v1/files", "/api/v1/schedules"] {
        let seen = front.send(front.request_as(&stranger, Method::GET, list)).await;
        assert_eq!(seen.is(200)["pagination"]["total"], 0, "{list} of a stranger is empty");
    }
    // The same requests of the owner find what they name: the 404 was about the principal, not about the request.
    for operation in &walk {
        let answer = things.call(&front, operation, &front.harness.secret).await;
        assert!(
            answer.status < 300 || [409, 412].contains(&answer.status),
            "{} as the owner: {} {}",
            operation.name(),
            answer.status,
            answer.text
        );
    }
}

async fn assert_unchanged(front: &Front, things: &Things) {
    let article = front.get(&format!("/api/v1/articles/{}", things.article)).await;
    assert_eq!(article.is(200)["data"]["version"], 1, "nobody changed it");
    let task = front.get(&format!("/api/v1/tasks/{}", things.task)).await;
    assert_eq!((&task.is(200)["status"], &task.json["run"]), (&json!("completed"), &json!(1)), "nobody ran it again");
    assert_eq!(front.harness.database.number("SELECT count(*) FROM tasks").await, 1, "nobody ordered anything");
    let projects = front.harness.database.number("SELECT count(*) FROM projects WHERE deleted_at IS NULL").await;
    assert_eq!(projects, 1, "nobody made or removed a project");
    let schedule = front.get(&format!("/api/v1/schedules/{}", things.schedule)).await;
    assert_eq!(schedule.is(200)["updated_at"], schedule.json["created_at"], "nobody changed the schedule");
    assert_eq!(schedule.json["pending_decisions"], 1, "nobody decided");
    assert_eq!(
        front.harness.database.number("SELECT count(*) FROM files WHERE kind = 'md'").await,
        1,
        "or sent a file"
    );
}

#[tokio::test]
async fn another_tenants_things_cannot_be_ordered_from() {
    let front = Front::new().await;
    let file = front.sample("faq.md").await;
    let (principal, stranger) = front.harness.other_tenant().await;
    let project = "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e";
    let org = front.harness.principal.org;
    let insert = format!("INSERT INTO projects (id, org_id, name) VALUES ('{project}', '{org}', 'Mine')");
    front.harness.database.execute(&insert).await;
    for (path, body, field) in [
        ("/api/v1/tasks", json!({ "user_prompt": "Tea", "uploaded_files": [file] }), "uploaded_files[0]"),
        ("/api/v1/articles/generate", json!({ "topic": "Tea", "uploaded_files": [file] }), "uploaded_files[0]"),
        ("/api/v1/articles/generate", json!({ "topic": "Tea", "project_id": project }), "project_id"),
    ] {
        let refused = front.send(front.request_as(&stranger, Method::POST, path).json(&body)).await;
        refused.is_problem(400, "VALIDATION_ERROR");
        assert_eq!(refused.wrong_fields(), [field], "{path}");
        front.post(path, &body).await.is(202);
    }
    let foreign = format!("SELECT count(*) FROM tasks WHERE org_id = '{}'", principal.org);
    assert_eq!(front.harness.database.number(&foreign).await, 0, "the stranger has ordered nothing");
    let found = front.get(&format!("/api/v1/articles?project_id={project}")).await;
    assert_eq!(found.is(200)["pagination"]["total"], 1, "the owner finds the article by its project");
}

#[tokio::test]
async fn keys_that_are_over_or_malformed_are_nobody() {
    let front = Front::new().await;
    let org = front.harness.principal.org;
    let services = &front.harness.services;
    let revoked = services.create_key(org, &KeyRequest::full("gone")).await.unwrap();
    services.revoke_key(org, revoked.id).await.unwrap();
    let past = Some(chrono::DateTime::UNIX_EPOCH);
    let expired = services.create_key(org, &KeyRequest { expires_at: past, ..KeyRequest::full("old") }).await.unwrap();
    let good = &front.harness.secret;
    for header in [
        format!("Bearer {}", revoked.secret),
        format!("Bearer {}", expired.secret),
        format!("Bearer {}x", good),
        format!("Bearer {}", &good[..good.len() - 1]),
        format!("Bearer {}", good.to_lowercase()),
        format!("Bearer {}", "x".repeat(5000)),
        "Bearer ".to_owned(),
        "Bearer' OR 1=1".to_owned(),
        format!("Basic {good}"),
        good.clone(),
    ] {
        let request = front.bare(Method::GET, "/api/v1/credits").header("authorization", &header);
        front.send(request).await.is_problem(401, "UNAUTHORIZED");
    }
    for header in
        [format!("Bearer {good}"), format!("bearer {good}"), format!("ApiKey {good}"), format!("APIKEY   {good}")]
    {
        front.send(front.bare(Method::GET, "/api/v1/credits").header("authorization", &header)).await.is(200);
    }
    front.send(front.bare(Method::GET, "/api/v1/credits").header("x-api-key", good)).await.is(200);
    let both = front.bare(Method::GET, "/api/v1/credits").header("x-api-key", good);
    let both = front.send(both.header("authorization", format!("Bearer {good}"))).await;
    both.is_problem(401, "UNAUTHORIZED");
    let in_the_query =
        front.send(front.bare(Method::GET, &format!("/api/v1/credits?api_key={good}&token={good}"))).await;
    in_the_query.is_problem(401, "UNAUTHORIZED");
}

//! Which keys may see and stop tasks of which kind, and what jobs are called.

use galley_domain::{
    Permission::{self, Read, Write},
    Scope,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, integrations::integrated, publishing::Desk, text};

/// A desk with a task of each kind, none of which has ended but the text's.
struct Tasks {
    desk: Desk,
    post: String,
    article: String,
    publication: String,
    sync: String,
    image: String,
}

impl Tasks {
    async fn new() -> Self {
        let desk = Desk::with(|settings| settings.image_model = true).await;
        let front = &desk.front;
        let post = desk.written("Tea").await;
        let article = text(&front.get(&post).await.is(200)["job_id"]);
        let hour = json!({ "scheduled_at": "2030-01-01T00:00:00Z", "connection_id": desk.connection });
        let promised = front.post(&format!("{post}/schedule"), &hour).await;
        let publication = text(&promised.is(200)["job_id"]);
        let (integration, _) = integrated(&desk).await;
        let sync = front.post(&format!("{integration}/sync"), &json!({ "direction": "from_external" })).await;
        let sync = text(&sync.is(202)["data"]["sync_id"]);
        let id = post.rsplit('/').next().unwrap();
        let image = uuid::Uuid::now_v7().to_string();
        let sql = format!(
            "INSERT INTO tasks (id, org_id, kind, input, subject_id, status, rank, price, trace_id)
             SELECT '{image}', org_id, 'image', '{{}}', '{id}', 'pending', rank, 0, trace_id FROM tasks WHERE id = '{article}'"
        );
        front.harness.database.execute(&sql).await;
        Self { desk, post, article, publication, sync, image }
    }

    async fn ask(&self, key: &str, method: Method, path: &str) -> Answer {
        self.desk.front.send(self.desk.front.request_as(key, method, path)).await
    }

    async fn key(&self, permissions: &[Permission], scope: Scope) -> String {
        self.desk.front.key(permissions, &[scope]).await
    }
}

#[tokio::test]
async fn whoever_may_read_an_area_follows_its_tasks() {
    let tasks = Tasks::new().await;
    let all = [&tasks.article, &tasks.image, &tasks.publication, &tasks.sync];
    for (scope, sees) in [
        (Scope::Articles, [true, true, false, false]),
        (Scope::Projects, [true; 4]),
        (Scope::Content, [true; 4]),
        (Scope::Publish, [false, false, true, true]),
        (Scope::Admin, [true; 4]),
    ] {
        let key = tasks.key(&[Read, Write], scope).await;
        for (task, sees) in all.into_iter().zip(sees) {
            for path in ["tasks/{}", "jobs/{}", "tasks/{}/steps", "tasks/{}/articles", "tasks/{}/events"] {
                let path = format!("/api/v1/{}", path.replace("{}", task));
                // Streams of what has not ended stay open: their tokens stand for them.
                let (method, path) = match path.ends_with("/events") {
                    true => (Method::POST, format!("{path}/token")),
                    false => (Method::GET, path),
                };
                let answer = tasks.ask(&key, method, &path).await;
                assert_eq!(answer.status < 300, sees, "{scope} at {path}: {}", answer.text);
                if !sees {
                    answer.is_problem(403, "FORBIDDEN");
                }
            }
            if !sees {
                let events = tasks.ask(&key, Method::GET, &format!("/api/v1/tasks/{task}/events")).await;
                events.is_problem(403, "FORBIDDEN");
            }
        }
        let listed = tasks.ask(&key, Method::GET, "/api/v1/tasks?kind=all").await;
        let seen = sees.into_iter().filter(|sees| *sees).count();
        assert_eq!(listed.is(200)["pagination"]["total"], seen, "{scope} lists what it may read");
        let articles = tasks.ask(&key, Method::GET, "/api/v1/tasks").await;
        assert_eq!(articles.status == 200, sees[0], "{scope}: {}", articles.text);
    }
}

#[tokio::test]
async fn what_sends_to_a_site_is_stopped_by_those_who_publish() {
    let tasks = Tasks::new().await;
    let all = [Scope::Articles, Scope::Content, Scope::Projects];
    for task in [&tasks.publication, &tasks.sync] {
        for scope in all {
            let key = tasks.key(&[Read, Write], scope).await;
            for (method, path) in [
                (Method::DELETE, format!("/api/v1/tasks/{task}")),
                (Method::POST, format!("/api/v1/tasks/{task}/pause")),
                (Method::POST, format!("/api/v1/tasks/{task}/resume")),
                (Method::POST, format!("/api/v1/jobs/{task}/cancel")),
            ] {
                tasks.ask(&key, method, &path).await.is_problem(403, "FORBIDDEN");
            }
        }
        let reader = tasks.key(&[Read], Scope::Publish).await;
        tasks.ask(&reader, Method::DELETE, &format!("/api/v1/tasks/{task}")).await.is_problem(403, "FORBIDDEN");
    }
    let publish = tasks.key(&[Write], Scope::Publish).await;
    let image = tasks.ask(&publish, Method::POST, &format!("/api/v1/jobs/{}/cancel", tasks.image)).await;
    image.is_problem(403, "FORBIDDEN");
    tasks.ask(&publish, Method::DELETE, &format!("/api/v1/tasks/{}", tasks.publication)).await.is(200);
    tasks.ask(&publish, Method::POST, &format!("/api/v1/jobs/{}/cancel", tasks.sync)).await.is(200);
}

#[tokio::test]
async fn a_copy_at_a_site_is_removed_by_those_who_publish() {
    let tasks = Tasks::new().await;
    let path = format!("{}?remote=trash", tasks.post);
    let content = tasks.key(&[Read, Write], Scope::Content).await;
    tasks.ask(&content, Method::DELETE, &path).await.is_problem(403, "FORBIDDEN");
    tasks.desk.front.get(&tasks.post).await.is(200);
    tasks.desk.front.post(&format!("{}/unschedule", tasks.post), &json!({})).await.is(200);
    let both = tasks.desk.front.key(&[Read, Write], &[Scope::Content, Scope::Publish]).await;
    tasks.ask(&both, Method::DELETE, &path).await.is(204);
}

#[tokio::test]
async fn jobs_say_what_they_are_and_whose() {
    let tasks = Tasks::new().await;
    let front = &tasks.desk.front;
    let listed = front.get(&format!("/api/v1/projects/{}/jobs", tasks.desk.project)).await;
    let mut types: Vec<&str> =
        listed.is(200).as_array().unwrap().iter().map(|job| job["job_type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["blog_post", "image", "publication", "sync"]);
    let post = json!(tasks.post.rsplit('/').next().unwrap());
    for (task, kind, post) in [
        (&tasks.article, "blog_post", post.clone()),
        (&tasks.publication, "publication", post.clone()),
        (&tasks.image, "image", post),
        (&tasks.sync, "sync", Value::Null),
    ] {
        let sql = format!("UPDATE tasks SET status = 'completed', finished_at = now() WHERE id = '{task}'");
        front.harness.database.execute(&sql).await;
        let job = front.get(&format!("/api/v1/jobs/{task}")).await;
        assert_eq!(job.is(200)["job_type"], kind);
        assert_eq!(job.json["project_id"], json!(tasks.desk.project), "of {kind}");
        assert_eq!(job.json["result"]["post_id"], post, "of {kind}");
    }
}

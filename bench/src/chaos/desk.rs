//! Whoever publishes: orders that posts go out, now or in a few seconds, moves that, takes it back, cancels it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::{SecondsFormat, TimeDelta, Utc};
use galley_testpeer::wordpress::{PASSWORD, USER};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Call, Front};

const DEAL_EVERY: Duration = Duration::from_millis(300);
/// How long a publication is waited for; clients that go away sooner do so, too.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the front may take to start, on a machine with much else to do.
const PEACE: Duration = Duration::from_secs(60);
/// The pause before something is sent again.
const AGAIN: Duration = Duration::from_millis(300);
/// Posts that are published before the plan and after it: each worker has some of them.
const QUIET_POSTS: usize = 6;

/// What came of it, as far as answers tell.
#[derive(Debug, Default, Clone)]
pub struct Told {
    /// How often each thing was asked for and done.
    pub done: BTreeMap<&'static str, u32>,
    /// Refusals because of changes at the blog, which nobody has made.
    pub drifts: u32,
    /// Answers that no client should ever see, with what was asked.
    pub wrong: Vec<String>,
}

/// The project whose posts are published, and the connection to the blog.
#[derive(Debug, Clone)]
struct Place {
    posts: String,
    connection: String,
}

#[derive(Debug)]
pub struct Desk {
    shared: Arc<Shared>,
    pub project: String,
    seed: u64,
    working: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    front: Front,
    keys: Vec<String>,
    place: Place,
    told: Mutex<Told>,
    stop: AtomicBool,
}

impl Desk {
    /// Makes the project and connects the blog at that port. The front may still be starting.
    pub async fn open(seed: u64, front: u16, keys: Vec<String>, blog: u16) -> anyhow::Result<Self> {
        let front = Front::new(front);
        let key = keys.first().context("a desk needs a key")?;
        let project = json!({ "name": "Blog", "platform": "wordpress" });
        let project = made(&front, key, "/api/v1/projects", &project).await?;
        let site = format!("http://127.0.0.1:{blog}");
        let login = json!({ "name": "Blog", "site_url": site, "username": USER, "app_password": PASSWORD });
        let connection = made(&front, key, "/api/v1/blog-connections", &login).await?;
        let place = Place { posts: format!("/api/v1/projects/{project}/blog-posts"), connection };
        let shared = Shared { front, keys, place, told: Mutex::default(), stop: AtomicBool::new(false) };
        Ok(Self { shared: Arc::new(shared), project, seed, working: None })
    }

    /// Publishes a few posts of those orders. Without faults each must be at the blog then.
    pub async fn in_peace(&self, name: &str) -> anyhow::Result<()> {
        let (shared, mark) = (&self.shared, format!("{name}-"));
        let posts = shared.posts(&shared.keys[0]).await.context("the front lists no posts")?;
        let of_these = |post: &&Value| post["topic"].as_str().is_some_and(|topic| topic.contains(&mark));
        let mut orders = JoinSet::new();
        for (number, post) in posts.iter().filter(of_these).take(QUIET_POSTS).enumerate() {
            let (shared, post) = (Arc::clone(shared), id(post)?);
            orders.spawn(async move {
                let (path, body) = (shared.path(&post, "/publish"), shared.publication("publish"));
                let answer = shared.ask(number, "POST", &path, &body, None, PEACE).await;
                if answer.as_ref().is_none_or(|(status, answer)| *status != 200 || answer["status"] != "published") {
                    shared.note(|told| told.wrong.push(format!("publishing {post} without faults brought {answer:?}")));
                }
            });
        }
        anyhow::ensure!(orders.len() == QUIET_POSTS, "there are only {} posts to publish", orders.len());
        orders.join_all().await;
        Ok(())
    }

    /// Publishes, schedules, moves and takes back until [`Self::stop`].
    pub fn start(&mut self) {
        let random = fastrand::Rng::with_seed(self.seed.wrapping_mul(17));
        self.working = Some(tokio::spawn(deal_on(Arc::clone(&self.shared), random)));
    }

    /// Lets everything under way come to its end.
    pub async fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(working) = self.working.take()
            && let Err(error) = working.await
        {
            self.shared.note(|told| told.wrong.push(format!("the desk itself failed: {error}")));
        }
    }

    /// What was answered, once nothing is asked any more; with it go the connections to the front.
    pub fn told(self) -> Told {
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends until it is made; the id.
async fn made(front: &Front, key: &str, path: &str, body: &Value) -> anyhow::Result<String> {
    let began = Instant::now();
    loop {
        let call = Call { method: "POST", path, key, body, idempotency: None, patience: PATIENCE };
        if let Some((status, answer)) = front.ask(call).await {
            anyhow::ensure!(status == 201, "{path} was answered with {status}: {answer}");
            return id(&answer);
        }
        anyhow::ensure!(began.elapsed() < PEACE, "the front makes nothing at {path}");
        tokio::time::sleep(AGAIN).await;
    }
}

fn id(row: &Value) -> anyhow::Result<String> {
    Ok(row["id"].as_str().context("an answer without an id")?.to_owned())
}

async fn deal_on(shared: Arc<Shared>, mut random: fastrand::Rng) {
    let mut under_way = JoinSet::new();
    let mut number = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        number += 1;
        let (shared, random) = (Arc::clone(&shared), random.fork());
        under_way.spawn(async move { shared.deal(number, random).await });
        tokio::time::sleep(DEAL_EVERY).await;
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

impl Shared {
    fn note(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn path(&self, post: &str, end: &str) -> String {
        format!("{}/{post}{end}", self.place.posts)
    }

    fn publication(&self, status: &str) -> Value {
        json!({ "connection_id": self.place.connection, "wp_status": status })
    }

    async fn posts(&self, key: &str) -> Option<Vec<Value>> {
        let call = Call {
            method: "GET",
            path: &self.place.posts,
            key,
            body: &Value::Null,
            idempotency: None,
            patience: PATIENCE,
        };
        let (_, answer) = self.front.ask(call).await.filter(|(status, _)| *status == 200)?;
        answer.as_array().cloned()
    }

    /// One thing that is done with one post, by the state that it is in.
    async fn deal(&self, number: usize, mut random: fastrand::Rng) {
        let Some(mut posts) = self.posts(&self.keys[number % self.keys.len()]).await else { return };
        posts.retain(|post| post["status"] != "generating");
        let Some(post) = random.choice(&posts) else { return };
        let Ok(id) = id(post) else { return };
        match (post["status"].as_str().unwrap_or_default(), random.u8(0..100)) {
            ("draft" | "ready" | "failed", 0..45) => self.publish(number, &id, "publish", random).await,
            ("draft" | "ready" | "failed", 45..60) => self.publish(number, &id, "draft", random).await,
            ("draft" | "ready" | "failed", 60..92) => self.schedule(number, &id, "scheduled", random).await,
            ("scheduled", 0..40) => self.schedule(number, &id, "moved", random).await,
            ("scheduled", 40..60) => self.simple(number, "unscheduled", &self.path(&id, "/unschedule")).await,
            ("scheduled", 60..80) => self.publish(number, &id, "publish", random).await,
            ("published", 0..45) => self.simple(number, "unpublished", &self.path(&id, "/unpublish")).await,
            ("published", 45..60) => self.publish(number, &id, "draft", random).await,
            ("published", 60..80) => {
                let tags = json!({ "tags": ["harvest", format!("tag {}", random.u8(0..20))] });
                let path = self.path(&id, "");
                let answer = self.ask(number, "PATCH", &path, &tags, None, PATIENCE).await;
                if is_good(answer.as_ref()) {
                    self.publish(number, &id, "publish", random).await;
                }
            }
            _ => {}
        }
    }

    /// Half of the time with a key, and then perhaps twice at once; now and then it is cancelled on the way.
    async fn publish(&self, number: usize, post: &str, status: &'static str, mut random: fastrand::Rng) {
        let (path, body) = (self.path(post, "/publish"), self.publication(status));
        let key = random.bool().then(|| format!("publish-{number}"));
        let patience = if random.bool() { PATIENCE } else { Duration::from_millis(random.u64(100..3_000)) };
        let send = || self.ask(number, "POST", &path, &body, key.as_deref(), patience);
        let twice = key.is_some() && random.u8(0..3) == 0;
        let answer = if twice { tokio::join!(send(), send()).0 } else { send().await };
        if is_good(answer.as_ref()) {
            let name = if status == "draft" { "put there as drafts" } else { "published" };
            self.note(|told| *told.done.entry(name).or_default() += 1);
        } else if answer.is_none() && random.u8(0..3) == 0 {
            self.cancel(number, post).await;
        }
    }

    /// Cancels whatever is at the post, if it has not ended.
    async fn cancel(&self, number: usize, post: &str) {
        let shown = self.ask(number, "GET", &self.path(post, ""), &Value::Null, None, PATIENCE).await;
        if let Some((200, shown)) = shown
            && let Some(job) = shown["job_id"].as_str()
        {
            self.simple(number, "cancelled", &format!("/api/v1/jobs/{job}/cancel")).await;
        }
    }

    async fn schedule(&self, number: usize, post: &str, name: &'static str, mut random: fastrand::Rng) {
        let at = Utc::now() + TimeDelta::milliseconds(random.i64(1_000..8_000));
        let at = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = json!({ "scheduled_at": at, "connection_id": self.place.connection });
        let key = random.bool().then(|| format!("schedule-{number}"));
        let answer = self.ask(number, "POST", &self.path(post, "/schedule"), &body, key.as_deref(), PATIENCE).await;
        self.note(|told| *told.done.entry(name).or_default() += u32::from(is_good(answer.as_ref())));
    }

    async fn simple(&self, number: usize, name: &'static str, path: &str) {
        let answer = self.ask(number, "POST", path, &json!({}), None, PATIENCE).await;
        self.note(|told| *told.done.entry(name).or_default() += u32::from(is_good(answer.as_ref())));
    }

    /// None when the front could not be asked or did not answer in time.
    async fn ask(
        &self,
        number: usize,
        method: &str,
        path: &str,
        body: &Value,
        idempotency: Option<&str>,
        patience: Duration,
    ) -> Option<(u16, Value)> {
        let key = &self.keys[number % self.keys.len()];
        let (status, answer) = self.front.ask(Call { method, path, key, body, idempotency, patience }).await?;
        let text = answer.to_string();
        if status == 409 && text.contains("somebody has changed") {
            self.note(|told| told.drifts += 1);
        }
        // The site fails (502), the database is away, somebody else was first; an hour passes while its call waits.
        let is_late = status == 400 && answer["errors"][0]["field"] == "scheduled_at";
        if !matches!(status, 200..=202 | 204 | 409 | 429 | 502 | 503) && !is_late {
            self.note(|told| told.wrong.push(format!("{method} {path} was answered with {status}: {text}")));
        }
        Some((status, answer))
    }
}

fn is_good(answer: Option<&(u16, Value)>) -> bool {
    answer.is_some_and(|(status, _)| (200..300).contains(status))
}

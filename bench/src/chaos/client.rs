//! Clients that order, order twice, cancel, retry, pause and resume, through a front that comes and goes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use super::call::{Call, Front};

const ORDER_EVERY: Duration = Duration::from_millis(450);
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the front may take to start, on a machine with much else to do.
const PEACE: Duration = Duration::from_secs(60);
/// The pause before it is asked again whether a task may run once more.
const AGAIN_RUN: Duration = Duration::from_secs(1);
/// How often that is asked.
const MOST_RUNS: u32 = 15;
/// The pause before something is sent again.
const AGAIN: Duration = Duration::from_millis(300);

/// What clients were told, by the mark that is in the order's text.
#[derive(Debug, Default, Clone)]
pub struct Ledger {
    /// Every task id that an order was answered with.
    pub answers: BTreeMap<String, Vec<String>>,
    /// Orders that carried an Idempotency-Key: however often they were sent, they are one.
    pub keyed: Vec<String>,
    /// How often each order was sent.
    pub sent: BTreeMap<String, u32>,
    /// Answers that no client should ever see, with what was asked.
    pub wrong: Vec<String>,
    pub cancelled: u32,
    pub retried: u32,
    pub paused: Vec<Paused>,
}

/// A task that certainly was paused: from the answer that said so until somebody asked for the opposite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    pub task: String,
    pub since: SystemTime,
    pub until: SystemTime,
}

#[derive(Debug)]
pub struct Client {
    caller: Arc<Caller>,
    seed: u64,
    working: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Caller {
    front: Front,
    keys: Vec<String>,
    /// What all articles belong to.
    project: String,
    ledger: Mutex<Ledger>,
    /// Tasks that may be paused, each with the key of its client.
    held: Mutex<BTreeMap<String, String>>,
    stop: AtomicBool,
}

impl Client {
    pub fn new(seed: u64, port: u16, keys: Vec<String>, project: String) -> Self {
        let (ledger, held, stop) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        let caller = Caller { front: Front::new(port), keys, project, ledger, held, stop };
        Self { caller: Arc::new(caller), seed, working: None }
    }

    /// Orders so many articles at once, each of which must become one, and waits until all are taken.
    pub async fn load(&self, name: &str, count: u32) -> anyhow::Result<()> {
        let mut orders = JoinSet::new();
        for number in 0..count {
            let (caller, mark) = (Arc::clone(&self.caller), format!("{name}-{number:05}"));
            orders.spawn(async move { caller.order_in_peace(number, mark).await });
        }
        while let Some(ordered) = orders.join_next().await {
            ordered??;
        }
        Ok(())
    }

    /// Orders, cancels, retries, pauses and resumes until [`Self::stop`].
    pub fn start(&mut self) {
        let random = fastrand::Rng::with_seed(self.seed.wrapping_mul(31));
        self.working = Some(tokio::spawn(order_on(Arc::clone(&self.caller), random)));
    }

    /// Lets everything under way come to its end.
    pub async fn stop(&mut self) {
        self.caller.stop.store(true, Ordering::Relaxed);
        if let Some(working) = self.working.take()
            && let Err(error) = working.await
        {
            self.caller.note(|ledger| ledger.wrong.push(format!("the client itself failed: {error}")));
        }
    }

    /// Resumes what may still be paused. The front has to run.
    pub async fn resume_all(&self) -> anyhow::Result<()> {
        let held = self.caller.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let began = Instant::now();
        for (task, key) in held {
            while !self.caller.let_go(&key, &task, "POST", "/resume").await {
                anyhow::ensure!(began.elapsed() < PEACE, "task {task} cannot be resumed");
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(())
    }

    /// What was answered, once nothing is asked any more; with it go the connections to the front.
    pub fn told(self) -> Ledger {
        self.caller.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What is sent for an article, and where.
struct Order {
    path: String,
    body: Value,
}

async fn order_on(caller: Arc<Caller>, mut random: fastrand::Rng) {
    let mut under_way = JoinSet::new();
    let mut number = 0;
    while !caller.stop.load(Ordering::Relaxed) {
        number += 1;
        let (caller, random) = (Arc::clone(&caller), random.fork());
        under_way.spawn(async move { caller.one(number, random).await });
        tokio::time::sleep(ORDER_EVERY).await;
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

impl Caller {
    fn note(&self, change: impl FnOnce(&mut Ledger)) {
        change(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Every other one is a post of the project, so that it can be published from there.
    fn order(&self, number: u32, mark: &str) -> Order {
        let prompt = format!("About the harvest, {mark}");
        if number.is_multiple_of(2) {
            let body = json!({ "user_prompt": prompt, "keywords": ["harvest"], "min_words": 100, "max_words": 300 });
            return Order { path: "/api/v1/tasks".to_owned(), body };
        }
        let body = json!({ "topic": prompt, "tags": ["harvest"], "ai_settings": { "word_count": 300 } });
        Order { path: format!("/api/v1/projects/{}/blog-posts", self.project), body }
    }

    /// An order with a key, sent until it is taken: the front may still be starting.
    async fn order_in_peace(&self, number: u32, mark: String) -> anyhow::Result<()> {
        let (idempotency, key) = (format!("key-{mark}"), &self.keys[number as usize % self.keys.len()]);
        let order = self.order(number, &mark);
        self.note(|ledger| ledger.keyed.push(mark.clone()));
        let began = Instant::now();
        while self.send(&mark, key, &order, Some(&idempotency)).await.is_none() {
            anyhow::ensure!(began.elapsed() < PEACE, "the front takes no order");
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    /// One client's dealings: an order, perhaps twice at once, perhaps a cancel or a retry after a while.
    async fn one(&self, number: u32, mut random: fastrand::Rng) {
        let mark = format!("order-{number:05}");
        let idempotency = random.bool().then(|| format!("key-{mark}"));
        let key = self.keys[number as usize % self.keys.len()].clone();
        let order = self.order(number, &mark);
        let task = if idempotency.is_some() {
            self.note(|ledger| ledger.keyed.push(mark.clone()));
            let twice = random.u8(0..4) == 0;
            let send = || self.insist(&mark, &key, &order, idempotency.as_deref());
            if twice { tokio::join!(send(), send()).0 } else { send().await }
        } else {
            self.send(&mark, &key, &order, None).await
        };
        let Some(task) = task else { return };
        tokio::time::sleep(Duration::from_millis(random.u64(50..6_000))).await;
        let path = format!("/api/v1/tasks/{task}");
        match random.u8(0..100) {
            0..12 => {
                let answer = self.ask("DELETE", &key, &path, &Value::Null, None).await;
                self.note(|ledger| ledger.cancelled += u32::from(answer.is_some_and(good)));
            }
            12..24 => {
                let from = [json!({}), json!({ "from": "seo" }), json!({ "from": "sync" })];
                self.retry(&key, &format!("{path}/retry"), &from[random.usize(..from.len())]).await;
            }
            24..44 => self.pause(&key, &task, random).await,
            _ => {}
        }
    }

    /// Pauses a task, and resumes or cancels it after a while.
    async fn pause(&self, key: &str, task: &str, mut random: fastrand::Rng) {
        let answer = self.ask("POST", key, &format!("/api/v1/tasks/{task}/pause"), &Value::Null, None).await;
        let since = SystemTime::now();
        // Without an answer it may be paused or not.
        if answer.as_ref().is_some_and(|(status, _)| !matches!(status, 200..=299 | 503)) {
            return;
        }
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(task.to_owned(), key.to_owned());
        tokio::time::sleep(Duration::from_millis(random.u64(500..9_000))).await;
        if answer.is_some_and(good) {
            let paused = Paused { task: task.to_owned(), since, until: SystemTime::now() };
            self.note(|ledger| ledger.paused.push(paused));
        }
        let (method, path) = if random.u8(0..4) == 0 { ("DELETE", "") } else { ("POST", "/resume") };
        while !self.let_go(key, task, method, path).await && !self.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// True when the task is not paused any more.
    async fn let_go(&self, key: &str, task: &str, method: &str, path: &str) -> bool {
        let answer = self.ask(method, key, &format!("/api/v1/tasks/{task}{path}"), &Value::Null, None).await;
        // A conflict: it was resumed before, by a call whose answer got lost, or it has ended.
        let free = answer.is_some_and(|(status, _)| matches!(status, 200..=299 | 409));
        if free {
            self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(task);
        }
        free
    }

    /// Has a task run once more as soon as it has ended, unless that takes too long.
    async fn retry(&self, key: &str, path: &str, from: &Value) {
        let mut from = from.clone();
        for _ in 0..MOST_RUNS {
            let answer = self.ask("POST", key, path, &from, None).await;
            if answer.clone().is_some_and(good) {
                return self.note(|ledger| ledger.retried += 1);
            }
            if answer.is_some_and(|(_, answer)| never_got_there(&from, &answer)) {
                from = json!({});
            }
            tokio::time::sleep(AGAIN_RUN).await;
        }
    }

    /// Sends until there is an answer, as a client with a key may.
    async fn insist(&self, mark: &str, key: &str, order: &Order, idempotency: Option<&str>) -> Option<String> {
        loop {
            if let Some(task) = self.send(mark, key, order, idempotency).await {
                return Some(task);
            }
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn send(&self, mark: &str, key: &str, order: &Order, idempotency: Option<&str>) -> Option<String> {
        self.note(|ledger| *ledger.sent.entry(mark.to_owned()).or_default() += 1);
        let (status, answer) = self.ask("POST", key, &order.path, &order.body, idempotency).await?;
        if !good((status, answer.clone())) {
            return None;
        }
        let task = answer["task_id"].as_str().or(answer["job_id"].as_str())?.to_owned();
        self.note(|ledger| ledger.answers.entry(mark.to_owned()).or_default().push(task.clone()));
        Some(task)
    }

    /// None when the front could not be asked or did not answer.
    async fn ask(
        &self,
        method: &str,
        key: &str,
        path: &str,
        body: &Value,
        idempotency: Option<&str>,
    ) -> Option<(u16, Value)> {
        let (status, answer) =
            self.front.ask(Call { method, path, key, body, idempotency, patience: PATIENCE }).await?;
        // Too late to cancel, not ended yet, the database away: clients must live with these, and with nothing else.
        if !matches!(status, 200..=202 | 204 | 409 | 429 | 503) && !never_got_there(body, &answer) {
            self.note(|ledger| ledger.wrong.push(format!("{method} {path} was answered with {status}: {answer}")));
        }
        Some((status, answer))
    }
}

/// Whether the answer says that the task failed before the step from which it was asked to go on: a client that reads it
/// leaves the step to the server.
fn never_got_there(sent: &Value, answer: &Value) -> bool {
    let error = &answer["errors"][0];
    let reason = error["message"].as_str().unwrap_or_default();
    sent["from"].is_string() && error["field"] == "from" && reason.contains("there is no finished")
}

fn good((status, _): (u16, Value)) -> bool {
    (200..300).contains(&status)
}

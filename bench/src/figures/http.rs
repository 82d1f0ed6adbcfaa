//! What the front takes and answers in a second, and how soon readers hear of an event.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sqlx::PgPool;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use uuid::Uuid;

use super::Bench;
use crate::{
    child::Spawned,
    load::{Call, Line, load},
    play::{Play, Working, clock},
    proc,
    report::quantile,
    world::{Database, Parts, spread},
};

const CONNECTIONS: usize = 32;
const ORDER: &str = r#"{"user_prompt": "A scripted article", "min_words": 100, "max_words": 200}"#;
/// Running tasks that are read.
const TASKS: usize = 100;
/// How often each of them reports.
const EVERY: Duration = Duration::from_secs(1);
/// What opening the readers brings is over by then.
const SETTLING: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(60);

/// The rows of one order in one statement: what the front's way can be held against. $5 is the order as the front
/// stores it.
const INSERT: &str = r#"
WITH org AS (
    UPDATE organizations SET held = held + 40,
        last_rank = greatest(last_rank, (SELECT last_value FROM fair_clock)) + 1
    WHERE id = $1 AND balance - held >= 40 RETURNING last_rank),
task AS (
    INSERT INTO tasks (id, org_id, kind, status, input, subject_id, rank, event_seq, price, trace_id, stages)
    SELECT $2, $1, 'article', 'pending', $5::jsonb, $3, last_rank, 1, 40, 'bench',
        '{"research": [1, 1, 0]}' FROM org RETURNING rank),
article AS (
    INSERT INTO articles (id, org_id, task_id, status, title, slug, content_format, tone, language)
    SELECT $3, $1, $2, 'generating', 'A scripted article', $3::text, 'markdown', 'professional', 'en' FROM task),
hold AS (INSERT INTO holds (task_id, run, org_id, amount, state) SELECT $2, 1, $1, 40, 'open' FROM task),
event AS (
    INSERT INTO event_groups (org_id, task_id, seq, told)
    SELECT $1, $2, 1, jsonb_build_array(jsonb_build_object('kind', 'task.created', 'data',
        jsonb_build_object('article_id', $3::text, 'credits_held', 40))) FROM task)
INSERT INTO steps (id, org_id, task_id, kind, pool, state, rank, max_attempts, trace_id)
SELECT $4, $1, $2, 'research', 'research', 'ready', rank, 4, 'bench' FROM task"#;

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    calls(bench).await?;
    events(bench).await
}

async fn calls(bench: &mut Bench) -> anyhow::Result<()> {
    let database = bench.world.database().await?;
    let parts = Parts::on(&database, &spread(64)).await?;
    let key = parts.key().await?;
    let task = parts.order(&parts.principal()).await?;
    let (front, port, constant) = Spawned::front(bench, &database).await?;
    let post = Call::post("/api/v1/tasks", &key, ORDER);
    let get = Call::get(&format!("/api/v1/tasks/{task}"), &key);
    let window = bench.scale.of(Duration::from_secs(4), Duration::from_secs(1));
    // Connections, caches and the first statements are not what is asked for.
    load(port, CONNECTIONS, window / 2, &get).await?;
    let (mut rows, mut orders) = (Vec::new(), Vec::new());
    let (mut gets, mut plain, mut get_p99, mut plain_p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        rows.push(insert_rows(&database, parts.org.0, window).await?);
        orders.push(load(port, CONNECTIONS, window, &post).await?.rate);
        let answers = load(constant, CONNECTIONS, window, &get).await?;
        plain.push(answers.rate);
        plain_p99.extend(quantile(&answers.took, 0.99));
        let answers = load(port, CONNECTIONS, window, &get).await?;
        gets.push(answers.rate);
        get_p99.extend(quantile(&answers.took, 0.99));
    }
    front.end().await?;
    parts.close().await;
    bench.world.drop(database).await?;
    bench.report.add("http.order", &orders, &rows)?;
    bench.report.add("http.get", &gets, &plain)?;
    bench.report.add("http.get_p99", &get_p99, &plain_p99)
}

/// Orders in a second when they are only inserted.
async fn insert_rows(database: &Database, org: Uuid, window: Duration) -> anyhow::Result<f64> {
    let pool = database.pool(u32::try_from(CONNECTIONS)?).await?;
    let (input,): (String,) = sqlx::query_as("SELECT input::text FROM tasks LIMIT 1").fetch_one(&pool).await?;
    let began = Instant::now();
    let mut inserting = JoinSet::new();
    for _ in 0..CONNECTIONS {
        inserting.spawn(insert(pool.clone(), org, input.clone(), began + window));
    }
    let mut count = 0;
    while let Some(inserted) = inserting.join_next().await {
        count += inserted??;
    }
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    pool.close().await;
    Ok(rate)
}

async fn insert(pool: PgPool, org: Uuid, input: String, until: Instant) -> anyhow::Result<u32> {
    let mut connection = pool.acquire().await?;
    let mut count = 0;
    while Instant::now() < until {
        sqlx::query(INSERT)
            .bind(org)
            .bind(Uuid::now_v7())
            .bind(Uuid::now_v7())
            .bind(Uuid::now_v7())
            .bind(&input)
            .execute(&mut *connection)
            .await?;
        count += 1;
    }
    Ok(count)
}

/// Readers of running tasks: how long a report takes to each, and what a reader costs the front.
async fn events(bench: &mut Bench) -> anyhow::Result<()> {
    let readers = bench.scale.of(1000, 200);
    let window = bench.scale.of(Duration::from_secs(10), Duration::from_secs(3));
    let database = bench.world.database().await?;
    // Every task's report step has a slot.
    let parts = Parts::on(&database, &spread(TASKS * 6)).await?;
    let key = parts.key().await?;
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        tasks.push(parts.order(&parts.principal()).await?);
    }
    let (front, port, _) = Spawned::front(bench, &database).await?;
    let pid = front.pid()?;
    let delays = Delays::default();
    let (failed, mut failures) = mpsc::unbounded_channel();
    let mut reading = JoinSet::new();
    // One reader of each running task first: what the front needs for the first ones is no part of the others.
    let (over, until) = watch::channel(false);
    let engine = Working::start(&parts, &Play::Telling { every: EVERY, until });
    open_readers(&mut reading, port, &key, &tasks, TASKS, &delays, &failed).await?;
    tokio::time::sleep(SETTLING + EVERY).await;
    let before = proc::resident(pid)?;
    open_readers(&mut reading, port, &key, &tasks, readers - TASKS, &delays, &failed).await?;
    tokio::time::sleep(SETTLING + EVERY).await;
    delays.take();
    tokio::time::sleep(window).await;
    let heard = delays.take();
    let after = proc::resident(pid)?;
    if let Ok(error) = failures.try_recv() {
        return Err(error);
    }
    over.send_replace(true);
    tokio::time::timeout(LIMIT, async { while reading.join_next().await.is_some() {} })
        .await
        .context("the event streams did not end with their tasks")?;
    engine.stop().await?;
    front.end().await?;
    parts.close().await;
    bench.world.drop(database).await?;
    let due = readers as f64 * window.as_secs_f64() / EVERY.as_secs_f64();
    bench.report.note(format!("{} reports were read by {readers} readers; {due:.0} were due", heard.len()));
    let p50 = quantile(&heard, 0.5).context("no event was heard")?;
    let p99 = quantile(&heard, 0.99).context("no event was heard")?;
    let longest = heard.iter().copied().fold(0.0, f64::max);
    let shortest = heard.iter().copied().fold(f64::MAX, f64::min);
    bench.report.add_value("http.events_p50", p50, &[shortest, longest], &[])?;
    bench.report.add_value("http.events_p99", p99, &[shortest, longest], &[])?;
    let each = after.saturating_sub(before) as f64 / 1e3 / (readers - TASKS) as f64;
    bench.report.add("http.reader_memory", &[each], &[])
}

/// Milliseconds from a step's report to the reader, of all readers.
#[derive(Debug, Clone, Default)]
struct Delays(Arc<Mutex<Vec<f64>>>);

impl Delays {
    fn add(&self, delay: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
    }

    fn take(&self) -> Vec<f64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn open_readers(
    reading: &mut JoinSet<()>,
    port: u16,
    key: &str,
    tasks: &[Uuid],
    count: usize,
    delays: &Delays,
    failed: &mpsc::UnboundedSender<anyhow::Error>,
) -> anyhow::Result<()> {
    for task in tasks.iter().cycle().take(count) {
        let mut line = Line::open(port).await?;
        let response = line.begin(&Call::get(&format!("/api/v1/tasks/{task}/events"), key)).await?;
        let (delays, failed) = (delays.clone(), failed.clone());
        reading.spawn(async move {
            // The line is kept: without it the connection would end.
            let _line = line;
            if let Err(error) = read(response.into_body(), &delays).await {
                // Nobody listens any more only after the figure is taken.
                let _ = failed.send(error);
            }
        });
    }
    Ok(())
}

async fn read(mut body: Incoming, delays: &Delays) -> anyhow::Result<()> {
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        let now = clock();
        let data: Bytes = frame?.into_data().unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&data));
        let Some(end) = text.rfind("\n\n") else { continue };
        for line in text[..end].lines().filter_map(|line| line.strip_prefix("data:")) {
            if let Some(told) = told(line) {
                delays.add(now.saturating_sub(told) as f64 / 1e6);
            }
        }
        text.drain(..end + 2);
    }
    Ok(())
}

/// The clock in a step's report; other events have none.
fn told(data: &str) -> Option<u64> {
    let data: serde_json::Value = serde_json::from_str(data.trim()).ok()?;
    data.get("message")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_report_has_the_clock() {
        assert_eq!(told(r#" {"step": "research", "message": "17"}"#), Some(17));
        assert_eq!(told(r#"{"message": "half way"}"#), None);
        assert_eq!(told(r#"{"run": 1}"#), None);
        assert_eq!(told("noise"), None);
    }
}

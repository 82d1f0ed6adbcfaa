//! What was promised, counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use sqlx::{Connection, PgConnection};

use super::{
    client::Ledger,
    plan::{Event, Plan},
    processes::Exit,
};
use crate::world::Database;

/// Looks at whether all tasks have ended; nothing tells this process when.
const LOOK: Duration = Duration::from_millis(500);
/// The most failures that are shown for one check.
const SHOWN: usize = 5;

#[derive(Debug)]
pub struct Verdict {
    pub faults: Vec<String>,
    summary: String,
}

impl Verdict {
    pub fn line(&self) -> String {
        let held = if self.faults.is_empty() { "every check held" } else { "FAILED" };
        format!("{held}; {}", self.summary)
    }
}

/// How long it took from the last fault until every task had ended; None when it did not.
pub async fn wait_until_ended(database: &Database, limit: Duration) -> anyhow::Result<Option<Duration>> {
    let began = Instant::now();
    while began.elapsed() < limit {
        let open = "SELECT count(*) FROM tasks WHERE status IN ('pending', 'processing')";
        if database.number(open).await? == 0 {
            return Ok(Some(began.elapsed()));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

/// A query that must bring nothing; each row says what is wrong.
const NOTHING_OF: [(&str, &str); 14] = [
    ("tasks that have not ended", "SELECT id || ' is ' || status FROM tasks WHERE status IN ('pending', 'processing')"),
    (
        "tasks without exactly one final event in their last run",
        "SELECT t.id || ' ' || t.status || ' has ' || count(e.seq) FROM tasks t LEFT JOIN events e ON e.task_id = t.id
            AND e.kind = 'task.' || t.status AND e.seq > coalesce((SELECT max(seq) FROM events r
                WHERE r.task_id = t.id AND r.kind = 'task.retried'), 0)
         GROUP BY t.id, t.status HAVING count(e.seq) <> 1",
    ),
    (
        "events that are not numbered without gaps",
        "SELECT t.id || ' counts ' || t.event_seq || ' and has ' || count(e.seq) || ' up to ' || coalesce(max(e.seq), 0)
         FROM tasks t LEFT JOIN events e ON e.task_id = t.id GROUP BY t.id, t.event_seq
         HAVING count(e.seq) <> t.event_seq OR coalesce(max(e.seq), 0) <> t.event_seq",
    ),
    (
        "steps that ended twice",
        "SELECT task_id || ' ' || (data->>'step') || ' ' || (data->>'position') FROM events WHERE kind = 'step.completed'
         GROUP BY task_id, data->>'run', data->>'step', data->>'position' HAVING count(*) > 1",
    ),
    (
        "steps that are open under an ended task, or still leased",
        "SELECT id || ' ' || kind || ' is ' || state FROM steps
         WHERE task_id IS NOT NULL AND (state IN ('ready', 'delayed', 'running') OR lease IS NOT NULL)",
    ),
    ("attempts over the limit", "SELECT id || ' ' || kind || ' ' || attempt FROM steps WHERE attempt > max_attempts"),
    (
        "completed tasks without a text",
        "SELECT t.id::text FROM tasks t LEFT JOIN articles a ON a.id = t.article_id
         WHERE t.status = 'completed' AND (a.id IS NULL OR a.version = 0 OR a.content_markdown = '')",
    ),
    (
        "texts that were written more often than seo steps ended",
        "SELECT a.id || ' has ' || a.version FROM articles a
         WHERE a.version <> (SELECT count(*) FROM steps s WHERE s.task_id = a.task_id AND s.kind = 'seo' AND s.state = 'done')",
    ),
    (
        "completed tasks that are not published",
        "SELECT t.id::text FROM tasks t WHERE t.status = 'completed' AND NOT EXISTS (
            SELECT 1 FROM publications p JOIN articles a ON a.id = p.article_id
            WHERE p.article_id = t.article_id AND p.version = a.version AND p.state = 'confirmed')",
    ),
    ("credits that are held", "SELECT id || ' holds ' || held FROM organizations WHERE held <> 0"),
    ("holds that are open", "SELECT task_id::text FROM holds WHERE state = 'open'"),
    (
        "balances that are not the sum of their ledger",
        "SELECT o.id || ' ' || o.balance FROM organizations o WHERE o.balance <>
            (SELECT coalesce(sum(amount), 0) FROM ledger_entries l WHERE l.org_id = o.id)",
    ),
    (
        "runs that were charged and did not complete, or the other way round",
        "SELECT t.id || ' ' || t.status FROM tasks t WHERE (t.status = 'completed') <> EXISTS (
            SELECT 1 FROM holds h WHERE h.task_id = t.id AND h.run = t.run AND h.state = 'settled')",
    ),
    (
        "tasks with more charges than completed runs",
        "SELECT t.id::text FROM tasks t WHERE (SELECT count(*) FROM ledger_entries l WHERE l.task_id = t.id AND l.kind = 'charge')
            <> (SELECT count(*) FROM events e WHERE e.task_id = t.id AND e.kind = 'task.completed')",
    ),
];

#[expect(clippy::too_many_arguments, reason = "everything that a run leaves is looked at here, and only here")]
pub async fn judge(
    database: &Database,
    folder: &Path,
    ledger: &Ledger,
    plan: &Plan,
    cuts: u32,
    quiet: Option<Duration>,
    exits: &[Exit],
    calls: u64,
) -> anyhow::Result<Verdict> {
    let mut faults = Vec::new();
    let mut connection = database.connect().await?;
    for (what, sql) in NOTHING_OF {
        let rows: Vec<(Option<String>,)> =
            sqlx::query_as(sql).fetch_all(&mut connection).await.with_context(|| what.to_owned())?;
        for (row,) in rows.iter().take(SHOWN) {
            faults.push(format!("{what}: {}", row.as_deref().unwrap_or("?")));
        }
    }
    orders(&mut connection, ledger, &mut faults).await?;
    site(&mut connection, &folder.join("data").join("site"), &mut faults).await?;
    faults.extend(ledger.wrong.iter().take(SHOWN).cloned());
    for exit in exits.iter().filter(|exit| !exit.is_good()) {
        faults.push(format!("process {} did not end well: {:?}", exit.process, exit.status));
    }
    let summary = summary(&mut connection, ledger, plan, cuts, quiet, calls).await?;
    connection.close().await?;
    Ok(Verdict { faults, summary })
}

/// What was answered is there, and what carries a key is there once.
async fn orders(connection: &mut PgConnection, ledger: &Ledger, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id::text, input->'brief'->>'prompt' FROM tasks").fetch_all(connection).await?;
    let there: BTreeSet<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    for (mark, answers) in &ledger.answers {
        for lost in answers.iter().filter(|id| !there.contains(id.as_str())) {
            faults.push(format!("{mark} was answered with task {lost}, which is not there"));
        }
    }
    for (mark, sent) in &ledger.sent {
        let found = rows.iter().filter(|(_, prompt)| prompt.ends_with(mark.as_str())).count();
        let most = if ledger.keyed.contains(mark) { 1 } else { *sent as usize };
        if found > most {
            faults.push(format!("{mark} was sent {sent} times and is there {found} times"));
        }
    }
    for mark in &ledger.keyed {
        let answers: BTreeSet<&String> = ledger.answers.get(mark).into_iter().flatten().collect();
        if answers.len() > 1 {
            faults.push(format!("{mark} has one key and {} answers", answers.len()));
        }
    }
    Ok(())
}

/// Every published article has one folder, whatever it is called, and nothing else is there.
async fn site(connection: &mut PgConnection, site: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let rows: Vec<(String, bool)> = sqlx::query_as(
        "SELECT article_id::text, bool_or(state = 'confirmed') FROM publications
         WHERE state IN ('sent', 'confirmed', 'unknown') GROUP BY article_id",
    )
    .fetch_all(connection)
    .await?;
    let mut folders: BTreeMap<String, u32> = BTreeMap::new();
    if site.is_dir() {
        for entry in std::fs::read_dir(site)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(".galley-tmp") {
                faults.push(format!("{name} was left behind in the site"));
            } else if !name.starts_with('.') {
                match stamp(&entry.path().join("index.md")) {
                    Some(article) => *folders.entry(article).or_default() += 1,
                    None => faults.push(format!("{name} in the site has no page that says whose it is")),
                }
            }
        }
    }
    for (article, count) in folders.iter().filter(|(_, count)| **count > 1) {
        faults.push(format!("article {article} is in the site {count} times"));
    }
    for article in folders.keys().filter(|article| !rows.iter().any(|(id, _)| id == *article)) {
        faults.push(format!("article {article} is in the site and nobody meant to publish it"));
    }
    for (article, _) in rows.iter().filter(|(id, confirmed)| *confirmed && !folders.contains_key(id)) {
        faults.push(format!("article {article} is said to be published and is not in the site"));
    }
    Ok(())
}

/// The article that a page in the site belongs to.
fn stamp(page: &Path) -> Option<String> {
    let text = std::fs::read_to_string(page).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("galley_id: "))?;
    Some(line.trim_matches('"').to_owned())
}

async fn summary(
    connection: &mut PgConnection,
    ledger: &Ledger,
    plan: &Plan,
    cuts: u32,
    quiet: Option<Duration>,
    calls: u64,
) -> anyhow::Result<String> {
    let statuses: Vec<(String, i64)> =
        sqlx::query_as("SELECT status, count(*) FROM tasks GROUP BY status ORDER BY status")
            .fetch_all(&mut *connection)
            .await?;
    let (steps, again): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE attempt > 1) FROM steps WHERE task_id IS NOT NULL")
            .fetch_one(connection)
            .await?;
    let tasks = statuses.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ");
    let of = |test: fn(&Event) -> bool| plan.count(test);
    Ok(format!(
        "tasks: {tasks} ({} sent, {} cancelled, {} retried); {steps} steps, {again} with more than one attempt; {calls} \
         calls to the model; {} kills, {} terminations, {cuts} connections cut, {} stops of Postgres, {} stalls; all ended \
         {} after the last fault",
        ledger.sent.values().sum::<u32>(),
        ledger.cancelled,
        ledger.retried,
        of(|event| matches!(event, Event::Kill(_))),
        of(|event| matches!(event, Event::Terminate(_))),
        of(|event| matches!(event, Event::StopPostgres(_))),
        of(|event| matches!(event, Event::Stall(_))),
        quiet.map_or_else(|| "NOT".to_owned(), |quiet| format!("{:.1} s", quiet.as_secs_f64())),
    ))
}

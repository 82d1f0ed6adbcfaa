//! What was promised, counted.

mod blog;
mod files;
mod logs;
mod pauses;
mod rows;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::PgConnection;

use super::{
    blog::Found,
    client::Ledger,
    desk::Told,
    plan::{Event, Plan},
    processes::{Exit, Processes, Sleep},
};
use crate::world::Database;

/// Looks at whether all tasks have ended; nothing tells this process when.
const LOOK: Duration = Duration::from_millis(500);
/// Tasks that have not ended.
pub const OPEN: &str = "SELECT count(*) FROM tasks WHERE status IN ('pending', 'processing')";
/// The most failures that are shown for one check.
const SHOWN: usize = 5;

/// A check that failed, and on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What should hold.
    pub check: &'static str,
    pub detail: String,
}

impl Fault {
    pub fn new(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.detail)
    }
}

/// What is known of a run besides what it left in database and folder.
#[derive(Debug)]
pub struct Run<'a> {
    pub ledger: &'a Ledger,
    /// What came of the publications that were ordered.
    pub told: &'a Told,
    /// What stands at the blog.
    pub blog: &'a Found,
    pub plan: &'a Plan,
    /// Connections that were cut.
    pub cuts: u32,
    /// Workers that were killed between publishing and writing it down.
    pub publishers: u32,
    /// Workers that were killed while they spoke to the blog.
    pub posters: u32,
    /// What befell the folder of publications.
    pub site_faults: u32,
    /// How long it took from the last fault until every task had ended; None when it did not.
    pub quiet: Option<Duration>,
    pub exits: &'a [Exit],
    /// What the processes wrote, one file each.
    pub logs: &'a [PathBuf],
    /// Calls to the model.
    pub calls: u64,
    /// What did not come back to where it was.
    pub excess: &'a [Fault],
    /// When a process got no processor.
    pub sleeps: &'a [Sleep],
    /// What the processes used before the plan, and after it.
    pub rests: [String; 2],
}

#[derive(Debug)]
pub struct Verdict {
    pub faults: Vec<Fault>,
    summary: String,
}

impl Verdict {
    pub fn line(&self) -> String {
        let held = if self.faults.is_empty() { "every check held" } else { "FAILED" };
        format!("{held}; {}", self.summary)
    }
}

/// How long it took until every task had ended, with all processes running; None when it did not within the limit.
pub async fn wait_until_ended(
    database: &Database,
    processes: &mut Processes,
    limit: Duration,
) -> anyhow::Result<Option<Duration>> {
    let began = Instant::now();
    while began.elapsed() < limit {
        processes.revive()?;
        if database.number(OPEN).await? == 0 {
            return Ok(Some(began.elapsed()));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

/// `data` is the data folder of the processes.
pub async fn judge(connection: &mut PgConnection, data: &Path, run: &Run<'_>) -> anyhow::Result<Verdict> {
    let mut faults = Vec::new();
    rows::look(connection, &mut faults).await?;
    orders(connection, run.ledger, &mut faults).await?;
    blog::look(connection, run.blog, &mut faults).await?;
    files::site(connection, &data.join("site"), &mut faults).await?;
    files::blobs(connection, &data.join("files"), &mut faults).await?;
    faults.extend(
        run.ledger
            .wrong
            .iter()
            .chain(&run.told.wrong)
            .take(SHOWN)
            .map(|wrong| Fault::new("clients get answers that they can use", wrong)),
    );
    for exit in run.exits.iter().filter(|exit| !exit.is_good()) {
        let detail = format!("process {}: {:?}", exit.process, exit.status);
        faults.push(Fault::new("a process that is told to end does so in order", detail));
    }
    for log in run.logs {
        let mut found = Vec::new();
        logs::look(log, &mut found)?;
        faults.extend(found.into_iter().take(SHOWN));
    }
    pauses::look(run, &mut faults)?;
    if run.quiet.is_none() {
        faults.push(Fault::new("every task ends in time", "some were still open long after the last fault"));
    }
    faults.extend_from_slice(run.excess);
    let summary = format!("{}; {}", summary(connection, run).await?, at_the_blog(run));
    Ok(Verdict { faults, summary })
}

/// What was answered is there, and what carries a key is there once.
async fn orders(connection: &mut PgConnection, ledger: &Ledger, faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id::text, coalesce(input->'brief'->>'prompt', '') FROM tasks")
            .fetch_all(connection)
            .await?;
    let there: BTreeSet<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    for (mark, answers) in &ledger.answers {
        for lost in answers.iter().filter(|id| !there.contains(id.as_str())) {
            faults.push(Fault::new("no task is lost", format!("{mark} was answered with {lost}")));
        }
    }
    for (mark, sent) in &ledger.sent {
        let found = rows.iter().filter(|(_, prompt)| prompt.ends_with(mark.as_str())).count();
        let most = if ledger.keyed.contains(mark) { 1 } else { *sent as usize };
        if found > most {
            let detail = format!("{mark} was sent {sent} times and is there {found} times");
            faults.push(Fault::new("no order is taken twice", detail));
        }
    }
    for mark in &ledger.keyed {
        let answers: BTreeSet<&String> = ledger.answers.get(mark).into_iter().flatten().collect();
        if answers.len() > 1 {
            faults.push(Fault::new("one key has one answer", format!("{mark} has {}", answers.len())));
        }
    }
    Ok(())
}

async fn summary(connection: &mut PgConnection, run: &Run<'_>) -> anyhow::Result<String> {
    let statuses: Vec<(String, i64)> =
        sqlx::query_as("SELECT status, count(*) FROM tasks GROUP BY status ORDER BY status")
            .fetch_all(&mut *connection)
            .await?;
    let (steps, again): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE attempt > 1) FROM steps WHERE task_id IS NOT NULL")
            .fetch_one(connection)
            .await?;
    let tasks = statuses.iter().map(|(status, count)| format!("{count} {status}")).collect::<Vec<_>>().join(", ");
    let of = |test: fn(&Event) -> bool| run.plan.count(test);
    let [before, after] = &run.rests;
    Ok(format!(
        "tasks: {tasks} ({} sent, {} cancelled, {} retried, {} paused); {steps} steps, {again} with more than one attempt; {} calls to \
         the model; {} kills, {} between publishing and confirming, {} while posting, {} terminations, {} connections cut, {} stops of \
         Postgres, {} with a start meanwhile, {} times that it only read, {} that it refused, {} stalls, {} pauses, {} faults of the site; all ended {} after the last fault; at rest {before} before, {after} \
         after",
        run.ledger.sent.values().sum::<u32>(),
        run.ledger.cancelled,
        run.ledger.retried,
        run.ledger.paused.len(),
        run.calls,
        of(|event| matches!(event, Event::Kill(_))),
        run.publishers,
        run.posters,
        of(|event| matches!(event, Event::Terminate(_))),
        run.cuts,
        of(|event| matches!(event, Event::StopPostgres(_) | Event::StartInOutage(..))),
        of(|event| matches!(event, Event::StartInOutage(..))),
        of(|event| matches!(event, Event::OnlyReads(_))),
        of(|event| matches!(event, Event::Refuse(_))),
        of(|event| matches!(event, Event::Stall(..))),
        of(|event| matches!(event, Event::Pause(..))),
        run.site_faults,
        run.quiet.map_or_else(|| "NOT".to_owned(), |quiet| format!("{:.1} s", quiet.as_secs_f64())),
    ))
}

fn at_the_blog(run: &Run<'_>) -> String {
    let list = |counts: &BTreeMap<&str, u32>| {
        counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    };
    let Run { told, blog, .. } = run;
    format!(
        "at the blog: {} posts and {} media of orders that were {}; {} troubles met: {}; stopped {} times; {} times it was taken \
         for changed",
        blog.posts.len(),
        blog.media.len(),
        list(&told.done),
        blog.met.values().sum::<u32>(),
        list(&blog.met),
        blog.stops,
        told.drifts,
    )
}

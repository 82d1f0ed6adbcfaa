//! What was begun at the blog comes to its end after the faults, sooner than it would by itself.

use std::time::{Duration, Instant};

use super::{blog::Blog, processes::Processes, verdict};
use crate::world::Database;

/// What works on a lease that is lost notices so within this.
const LEASES: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(500);

/// Waits of retries grow, and whoever looks after a call waits until it is over for certain: once nothing fails any more,
/// nobody needs to wait for more than a few seconds.
const SOON: &str = "
UPDATE steps SET run_at = now() WHERE state = 'delayed' AND run_at > now() + interval '5 s'
    AND kind IN ('publish', 'retract', 'publication_settle', 'folder_follow', 'publication_reconcile')";

/// A call counts as over a minute after it began; this makes the minute pass.
const LATER: &str = "
UPDATE effects SET updated_at = updated_at - interval '1 min' WHERE kind = 'post' AND state IN ('sent', 'unknown')
    AND updated_at > now() - interval '1 min'";

const JOBS: &str = "
SELECT count(*) FROM steps WHERE task_id IS NULL AND state IN ('ready', 'running', 'delayed')
    AND kind IN ('publication_settle', 'folder_follow', 'publication_reconcile')";

/// How long it took until every task had ended and all that publications have left behind was looked after; none when that
/// is not so within the limit.
pub async fn wait(
    database: &Database,
    processes: &mut Processes,
    blog: &Blog,
    limit: Duration,
) -> anyhow::Result<Option<Duration>> {
    let began = Instant::now();
    if !until_none(verdict::OPEN, database, processes, began + limit).await? {
        return Ok(None);
    }
    // Nothing is cancelled any more, so whoever still calls the blog without a lease notices it within this time.
    tokio::time::sleep(LEASES).await;
    blog.alone(LEASES).await;
    database.execute(LATER).await?;
    let is_done = until_none(JOBS, database, processes, began + limit).await?;
    Ok(is_done.then(|| began.elapsed()))
}

/// True when the query counts nothing before that time.
async fn until_none(
    count: &str,
    database: &Database,
    processes: &mut Processes,
    until: Instant,
) -> anyhow::Result<bool> {
    while Instant::now() < until {
        processes.revive()?;
        database.execute(SOON).await?;
        if database.number(count).await? == 0 {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

//! Kills a worker while it publishes, or after it published and before it wrote that down.

use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{processes::Processes, site};
use crate::world::Database;

const PATIENCE: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(10);

struct Publishing {
    step: Uuid,
    article: String,
    pid: u32,
}

/// True when one was killed; there need not be one that publishes.
///
/// The turn to publish is taken, so the next publication waits for it. Then its step is locked, so that neither
/// the confirmation nor its end can be written, and the turn given back; once the article is in the folder, the worker dies.
pub async fn kill(folder: &Path, database: &Database, processes: &mut Processes) -> anyhow::Result<bool> {
    let Some(turn) = (if folder.is_dir() { site::turn(folder)? } else { None }) else { return Ok(false) };
    let mut connection = database.connect().await?;
    let killed = match waiting(&mut connection).await? {
        Some(publishing) => kill_once_written(folder, turn, &publishing, &mut connection, processes).await?,
        None => false,
    };
    connection.close().await?;
    Ok(killed)
}

/// True when a worker was killed so long after it wrote down that it calls the blog; there need not be one that does.
pub async fn kill_poster(delay: Duration, database: &Database, processes: &mut Processes) -> anyhow::Result<bool> {
    let mut connection = database.connect().await?;
    let until = Instant::now() + PATIENCE;
    let mut found = None;
    while found.is_none() && Instant::now() < until {
        let worker: Option<(String,)> = sqlx::query_as(
            "SELECT s.worker FROM steps s JOIN effects e ON e.step_id = s.id
             WHERE s.kind = 'publish' AND s.state = 'running' AND e.kind = 'post' AND e.state = 'sent'
                AND e.lease = s.lease LIMIT 1",
        )
        .fetch_optional(&mut connection)
        .await?;
        found = worker.and_then(|(worker,)| pid(&worker));
        tokio::time::sleep(if found.is_some() { delay } else { LOOK }).await;
    }
    connection.close().await?;
    match found {
        Some(pid) => processes.kill_pid(pid).await,
        None => Ok(false),
    }
}

/// The number of a worker's process: its name is `host/number-id`.
fn pid(worker: &str) -> Option<u32> {
    let (_, end) = worker.rsplit_once('/')?;
    end.split('-').next()?.parse().ok()
}

async fn waiting(connection: &mut PgConnection) -> anyhow::Result<Option<Publishing>> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let row: Option<(Uuid, String, String)> = sqlx::query_as(
            "SELECT s.id, a.id::text, s.worker FROM steps s JOIN articles a ON a.task_id = s.task_id
             JOIN effects p ON p.kind = 'publication' AND p.subject_id = a.id AND p.key = a.version::text
             WHERE s.kind = 'sync' AND s.state = 'running' AND p.state = 'sent' LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        if let Some((step, article, worker)) = row
            && let Some(pid) = pid(&worker)
        {
            return Ok(Some(Publishing { step, article, pid }));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

async fn kill_once_written(
    folder: &Path,
    turn: File,
    publishing: &Publishing,
    connection: &mut PgConnection,
    processes: &mut Processes,
) -> anyhow::Result<bool> {
    let mut tx = connection.begin().await?;
    sqlx::query("SET LOCAL lock_timeout = '2s'").execute(&mut *tx).await?;
    let locked = sqlx::query("SELECT 1 FROM steps WHERE id = $1 AND state = 'running' FOR UPDATE")
        .bind(publishing.step)
        .fetch_optional(&mut *tx)
        .await;
    drop(turn);
    let mut killed = false;
    // Whoever else holds the row for so long is busy with its end.
    if let Ok(Some(_)) = locked {
        let until = Instant::now() + PATIENCE;
        while !site::has(folder, &publishing.article) && Instant::now() < until {
            tokio::time::sleep(LOOK).await;
        }
        killed = site::has(folder, &publishing.article) && processes.kill_pid(publishing.pid).await?;
    }
    tx.rollback().await?;
    Ok(killed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_worker_has_the_number_of_its_process() {
        assert_eq!(pid("localhost/14868-2f4366ad981a4d0ba7100e6a431aa0ae"), Some(14_868));
        assert_eq!(pid("a/b/7"), Some(7));
        assert_eq!(pid("localhost"), None);
    }
}

//! The sweep of the product, in a world where everything on the disk is old.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use crate::world::Database;

const OLD: Duration = Duration::from_secs(30 * 86_400);
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(200);

/// Makes all stored files a month old, those with a row too, and has the processes sweep once. What must stay and what must
/// go is for the verdict to say.
pub async fn once(database: &Database, data: &Path) -> anyhow::Result<()> {
    age(&data.join("files"), SystemTime::now() - OLD)?;
    database
        .execute(
            "INSERT INTO steps (id, kind, pool, state, max_attempts, trace_id, unique_key)
             VALUES (gen_random_uuid(), 'sweep', 'upkeep', 'ready', 3, 'chaos', 'sweep/chaos')",
        )
        .await?;
    let began = Instant::now();
    let done = "SELECT count(*) FROM steps WHERE unique_key = 'sweep/chaos' AND state = 'done'";
    while database.number(done).await? == 0 {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the sweep is not done");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

fn age(folder: &Path, to: SystemTime) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            age(&path, to)?;
        } else {
            File::options().write(true).open(&path)?.set_modified(to)?;
        }
    }
    Ok(())
}

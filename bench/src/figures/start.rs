//! How soon the program is ready on a database that exists, and what it needs when nothing is to do.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use sqlx::{Connection, PgConnection};

use super::Bench;
use crate::{
    child::Spawned,
    load::{Call, Line},
    proc, program,
    world::{Database, Parts, spread},
};

/// What starting left to do is done by then, and the server has counted it.
const SETTLING: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(30);
const READY: &str = "Galley is ready on http://127.0.0.1:";

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let galley = program::find(bench.galley.clone()).await?;
    let idle = bench.scale.of(Duration::from_secs(30), Duration::from_secs(10));
    let database = bench.world.database().await?;
    // An existing database has its organization and its first key.
    let parts = Parts::on(&database, &spread(64)).await?;
    parts.key().await?;
    parts.close().await;
    let mut ready = Vec::new();
    for _ in 0..bench.scale.rounds {
        let (child, _, took) = start("up", &galley, bench.world.folder(), &database, &[]).await?;
        ready.push(took);
        child.kill().await?;
    }
    let (child, ..) = start("up", &galley, bench.world.folder(), &database, &[]).await?;
    tokio::time::sleep(SETTLING).await;
    let mut admin = bench.world.admin().await?;
    let (began, before) = (Instant::now(), transactions(&mut admin, &database).await?);
    tokio::time::sleep(idle).await;
    let counted = transactions(&mut admin, &database).await? - before;
    let queries = counted as f64 / began.elapsed().as_secs_f64();
    let resident = proc::resident(child.pid()?)? as f64 / 1e6;
    child.kill().await?;
    admin.close().await?;
    bench.world.drop(database).await?;
    bench.report.add("start.ready", &ready, &[])?;
    bench.report.add("start.rss", &[resident], &[])?;
    bench.report.add("start.idle_queries", &[queries], &[])
}

/// The process, its port, and milliseconds from its start to the first good answer of `/readyz`.
pub(super) async fn start(
    command: &str,
    galley: &Path,
    folder: &Path,
    database: &Database,
    settings: &[(&str, &str)],
) -> anyhow::Result<(Spawned, u16, f64)> {
    let command = program::command(galley, &[command, "--listen", "127.0.0.1:0"], folder, database, settings);
    let began = Instant::now();
    let mut child = Spawned::spawn(command)?;
    let answered = async {
        let port = loop {
            let line = child.line().await?;
            if let Some(rest) = line.strip_prefix(READY) {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                break digits.parse()?;
            }
        };
        Line::open(port).await?.ask(&Call::get("/readyz", "")).await?;
        anyhow::Ok(port)
    };
    let port = tokio::time::timeout(LIMIT, answered).await.context("it was not ready in time")??;
    Ok((child, port, began.elapsed().as_secs_f64() * 1e3))
}

/// Transactions of a database so far, each query outside of one included.
async fn transactions(admin: &mut PgConnection, database: &Database) -> anyhow::Result<i64> {
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1";
    let (count,): (i64,) = sqlx::query_as(sql).bind(&database.name).fetch_one(admin).await?;
    Ok(count)
}

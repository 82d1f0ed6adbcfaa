//! Whether the engine stays as fast when there is a past: finished tasks with their steps, events and articles.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use galley_domain::{article, task::PoolName};
use galley_store::Wanted;
use nix::sys::statvfs::statvfs;
use sqlx::Connection;

use super::{Bench, steps::drain};
use crate::{
    report::median,
    world::{Database, Parts, spread},
};

/// Finished tasks, and what of them is measured.
const SIZES: [(u32, &str, &str); 4] = [
    (0, "growth.steps_empty", "growth.claim_empty"),
    (10_000, "growth.steps_1e4", "growth.claim_1e4"),
    (100_000, "growth.steps_1e5", "growth.claim_1e5"),
    (1_000_000, "growth.steps_1e6", "growth.claim_1e6"),
];
/// Bytes that the largest size needs on the disk, the write-ahead log included.
const ROOM: u64 = 16_000_000_000;
const SLOTS: usize = 64;
/// Claims in a round, and how many steps each wants.
const CLAIMS: usize = 60;
const WANTED: usize = 10;
/// Long enough that no lease runs out while the engine works.
const LEASE: Duration = Duration::from_secs(600);

/// `{count}` finished tasks of the only organization.
const FILL: &str = include_str!("fill.sql");

/// Live and dead rows, and bytes of table and indexes.
const SIZE: &str = "
SELECT relname::text, n_live_tup, n_dead_tup, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables
WHERE relname IN ('steps', 'tasks', 'event_groups') ORDER BY relname";

/// Bytes of write-ahead log since the server was made.
const LOGGED: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";

struct Grown {
    finished: u32,
    ids: (&'static str, &'static str),
    database: Database,
    rates: Vec<f64>,
    claims: Vec<f64>,
    /// Bytes of log for each step, what the server writes besides included.
    logged: Vec<f64>,
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let tasks = bench.scale.of(2000, 200);
    let mut largest = bench.scale.of(1_000_000, 10_000);
    let room = room(bench.world.folder())?;
    if largest == 1_000_000 && room < ROOM {
        let have = room / 1_000_000_000;
        bench.report.note(format!(
            "{have} GB are free: the size of a million tasks needs {} and is left out",
            ROOM / 1_000_000_000
        ));
        largest = 100_000;
    }
    let mut all = Vec::new();
    for (finished, rate, claim) in SIZES.into_iter().filter(|(finished, ..)| *finished <= largest) {
        let database = filled(bench, finished).await?;
        all.push(Grown {
            finished,
            ids: (rate, claim),
            database,
            rates: Vec::new(),
            claims: Vec::new(),
            logged: Vec::new(),
        });
    }
    // Size after size within a round, so that a machine that changes its pace does so for all of them.
    // Nor shall one of them always be the first.
    for round in 0..bench.scale.rounds {
        for at in 0..all.len() {
            let next = (round + at) % all.len();
            let grown = &mut all[next];
            order(&grown.database, tasks).await?;
            let before = logged(&grown.database).await?;
            grown.rates.push(drain(&grown.database, SLOTS).await?);
            let bytes = logged(&grown.database).await? - before;
            grown.logged.push(bytes / (tasks * article::STEPS.len()) as f64);
        }
        claims(&mut all).await?;
    }
    let (rates, claims) = all.first().map(|empty| (empty.rates.clone(), empty.claims.clone())).unwrap_or_default();
    for grown in &all {
        let against = |rounds: &[f64]| if grown.finished == 0 { Vec::new() } else { rounds.to_vec() };
        bench.report.add(grown.ids.0, &grown.rates, &against(&rates))?;
        bench.report.add(grown.ids.1, &grown.claims, &against(&claims))?;
    }
    for grown in all {
        sizes(bench, &grown).await?;
        bench.world.drop(grown.database).await?;
    }
    Ok(())
}

/// Bytes that are free where a folder is.
fn room(folder: &Path) -> anyhow::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

async fn filled(bench: &Bench, finished: u32) -> anyhow::Result<Database> {
    let database = bench.world.database().await?;
    // The tenant to whom the past belongs.
    Parts::on(&database, &spread(SLOTS)).await?.close().await;
    if finished > 0 {
        database.execute(&FILL.replace("{count}", &finished.to_string())).await?;
    }
    database.execute("VACUUM ANALYZE").await?;
    database.execute("CHECKPOINT").await?;
    Ok(database)
}

async fn order(database: &Database, count: usize) -> anyhow::Result<()> {
    database.hurry(true).await?;
    let parts = Parts::on(database, &spread(SLOTS)).await?;
    parts.order_many(&parts.principal(), count).await?;
    parts.close().await;
    database.hurry(false).await?;
    // The statistics of a table that only just got its first rows would be those of an empty one.
    database.execute("ANALYZE steps, tasks; CHECKPOINT").await
}

/// Milliseconds that the claim statement takes at each size, by turns: one claim here, one there, because a claim is over
/// before the machine changes its pace.
async fn claims(all: &mut [Grown]) -> anyhow::Result<()> {
    let mut queues = Vec::new();
    for grown in &*all {
        order(&grown.database, CLAIMS * WANTED).await?;
        queues.push((Parts::on(&grown.database, &spread(SLOTS)).await?, Vec::with_capacity(CLAIMS)));
    }
    // With slots of its own the kind has a pool of its own.
    let wanted = [Wanted::new(PoolName::new(article::RESEARCH.as_str()), WANTED)];
    for turn in 0..CLAIMS {
        for at in 0..queues.len() {
            let next = (turn + at) % queues.len();
            let (parts, took) = &mut queues[next];
            let began = Instant::now();
            let claimed = parts.services.store().queue().claim(&wanted, &article::STEPS, "bench", LEASE).await?.steps;
            took.push(began.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(claimed.len() == WANTED, "{} of {WANTED} steps were claimed", claimed.len());
        }
    }
    for (grown, (parts, took)) in all.iter_mut().zip(queues) {
        parts.close().await;
        grown.claims.push(median(&took).unwrap_or_default());
        // What was claimed and never run must not be in the way of the next round.
        grown.database.execute("DELETE FROM tasks WHERE status = 'pending'").await?;
    }
    Ok(())
}

async fn logged(database: &Database) -> anyhow::Result<f64> {
    let mut connection = database.connect().await?;
    let (logged,) = sqlx::query_as(LOGGED).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(logged)
}

async fn sizes(bench: &mut Bench, grown: &Grown) -> anyhow::Result<()> {
    let mut connection = grown.database.connect().await?;
    let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(SIZE).fetch_all(&mut connection).await?;
    let mib = |bytes: i64| bytes as f64 / 1024.0 / 1024.0;
    let tables: Vec<String> = rows
        .into_iter()
        .map(|(name, live, dead, table, indexes)| {
            let share = dead as f64 / (live + dead).max(1) as f64 * 100.0;
            format!("{name} {:.0} + {:.0} MiB, {share:.1} % dead", mib(table), mib(indexes))
        })
        .collect();
    let text = format!(
        "{} finished tasks (table + indexes): {}; {:.1} kB of log for each step",
        grown.finished,
        tables.join("; "),
        median(&grown.logged).unwrap_or_default() / 1e3
    );
    bench.report.note(text);
    Ok(())
}

//! Tasks of thousands of items, and tasks that order thousands of others.

mod toys;

use std::time::{Duration, Instant};

use anyhow::Context;
use galley_domain::{OrgId, task::TaskStatus};
use galley_engine::{EngineSettings, StepSeed};
use rust_decimal::Decimal;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use uuid::Uuid;

use self::toys::{CHUNK, Family, ITEMS, SINGLE, Toys, Wide, ended, order, order_wide};
use super::Bench;
use crate::{
    play::{Stamp, Working, clock},
    world::{Database, Parts},
};

/// Fewer than a wide task has open, so that its chunks wait for each other and for everybody else.
const SLOTS: usize = 8;
/// How long a chunk takes where the pool's slots shall be what there is too little of.
const CHUNK_TAKES: Duration = Duration::from_millis(20);
/// How often somebody else orders.
const NEWCOMER_EVERY: Duration = Duration::from_millis(200);
/// How long nothing of a paused task may begin before it counts as at rest.
const REST: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(300);

/// Parts of Galley with the toys at work.
struct Yard {
    parts: Parts,
    toys: std::sync::Arc<Toys>,
    stamps: UnboundedReceiver<Stamp>,
    engine: Working,
    look: PgConnection,
}

impl Yard {
    async fn open(database: &Database, slots: usize, chunk: Duration) -> anyhow::Result<Self> {
        let parts = Parts::with(&database.url, &database.dir, toys::registry(slots)).await?;
        let (told, stamps) = unbounded_channel();
        let toys = Toys::new(&parts, chunk, told);
        let engine = Working::run(&parts, toys.steps(), EngineSettings::default());
        Ok(Self { toys, stamps, engine, look: database.connect().await?, parts })
    }

    async fn close(self) -> anyhow::Result<()> {
        self.engine.stop().await?;
        drop(self.toys);
        self.parts.close().await;
        Ok(self.look.close().await?)
    }

    async fn stamp(&mut self, test: impl Fn(&Stamp) -> bool) -> anyhow::Result<Stamp> {
        let waiting = async {
            loop {
                let stamp = self.stamps.recv().await.context("the engine has ended")?;
                if test(&stamp) {
                    return anyhow::Ok(stamp);
                }
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.context("a step never started")?
    }
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    beside_others(bench).await?;
    at_once(bench).await?;
    in_part(bench).await?;
    paused(bench).await?;
    with_children(bench).await?;
    paused_with_children(bench).await
}

/// One wide order of tenant A, with and without single orders of tenant B, by turns.
async fn beside_others(bench: &mut Bench) -> anyhow::Result<()> {
    let items = bench.scale.of(10_000, 2_000);
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, SLOTS, CHUNK_TAKES).await?;
    let other = yard.parts.other_tenant().await?.org;
    wide_round(&mut yard, items / 10, None).await?;
    let (mut alone, mut shared, mut waits) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        alone.push(wide_round(&mut yard, items, None).await?.0);
        let (rate, longest) = wide_round(&mut yard, items, Some(other)).await?;
        shared.push(rate);
        waits.push(longest);
    }
    yard.close().await?;
    bench.world.drop(database).await?;
    let longest = waits.iter().copied().fold(0.0, f64::max);
    bench.report.add_value("wide.newcomer", longest, &waits, &[])?;
    bench.report.add("wide.items", &shared, &alone)
}

/// Items in a second, and the longest wait of somebody else in seconds.
async fn wide_round(yard: &mut Yard, items: u32, other: Option<OrgId>) -> anyhow::Result<(f64, f64)> {
    let org = yard.parts.org;
    let began = Instant::now();
    let task = order_wide(&yard.parts, org, Wide::of(items), Decimal::from(items)).await?;
    let mut longest: f64 = 0.0;
    let view = match other {
        None => ended(&yard.parts, org, task, LIMIT).await?,
        Some(other) => {
            // The wide order is at work before anybody comes.
            yard.stamp(|stamp| stamp.task == task && stamp.kind == CHUNK).await?;
            loop {
                let view = yard.parts.services.task(org, task).await?;
                if view.status.is_ended() {
                    break view;
                }
                let came = Instant::now();
                let single = order(&yard.parts, other, "single", StepSeed::new(SINGLE), Decimal::ONE).await?;
                let ordered = clock();
                let stamp = yard.stamp(|stamp| stamp.task == single).await?;
                longest = longest.max(stamp.began.saturating_sub(ordered) as f64 / 1e9);
                let pause = NEWCOMER_EVERY.saturating_sub(came.elapsed());
                let _ = tokio::time::timeout(pause, ended(&yard.parts, org, task, LIMIT)).await;
            }
        }
    };
    let rate = f64::from(items) / began.elapsed().as_secs_f64();
    anyhow::ensure!(view.status == TaskStatus::Completed, "the wide order is {}", view.status);
    let wrong = yard.toys.wrong(task, items);
    anyhow::ensure!(wrong == 0, "{wrong} items were not worked on once");
    while yard.stamps.try_recv().is_ok() {}
    Ok((rate, longest))
}

/// Chunks in a second when they take no time and have slots.
async fn at_once(bench: &mut Bench) -> anyhow::Result<()> {
    let items = bench.scale.of(10_000, 2_000);
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, 64, Duration::ZERO).await?;
    let mut rates = Vec::new();
    for _ in 0..bench.scale.rounds {
        rates.push(wide_round(&mut yard, items, None).await?.0 / f64::from(ITEMS));
    }
    yard.close().await?;
    bench.world.drop(database).await?;
    bench.report.add("wide.chunks_at_once", &rates, &[])
}

/// Credits in millionths.
const BOOKS: &str = "
SELECT t.status, t.items_done::bigint, t.items_failed::bigint, (h.settled * 1000000)::bigint,
    (coalesce((SELECT -sum(amount) FROM ledger_entries l WHERE l.task_id = t.id AND l.kind = 'charge'), 0) * 1000000)::bigint,
    (o.held * 1000000)::bigint
FROM tasks t JOIN holds h ON h.task_id = t.id JOIN organizations o ON o.id = t.org_id WHERE t.id = $1";

/// Items that fail: a few are warnings, too many are a failure, and only what was made is paid for.
async fn in_part(bench: &mut Bench) -> anyhow::Result<()> {
    let items = bench.scale.of(10_000, 2_000);
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, SLOTS, Duration::ZERO).await?;
    let mut wrong = 0;
    let cases = [(30, None, "completed"), (80, None, "failed"), (0, Some(3), "completed")];
    for (failing, breaks, status) in cases {
        let wide = Wide { items, failing, breaks };
        // Two credits for each item.
        let task = order_wide(&yard.parts, yard.parts.org, wide, Decimal::from(items * 2)).await?;
        ended(&yard.parts, yard.parts.org, task, LIMIT).await?;
        let books: (String, i64, i64, i64, i64, i64) =
            sqlx::query_as(BOOKS).bind(task).fetch_one(&mut yard.look).await?;
        let (ended_as, done, failed, settled, charged, held) = &books;
        let all = i64::from(items);
        bench.report.note(format!(
            "{items} items, {failing} of a thousand fail{}: {ended_as}, {done} made, {failed} failed, {} of {} credits charged",
            if breaks.is_some() { ", the step of one chunk breaks" } else { "" },
            charged / 1_000_000,
            items * 2
        ));
        if breaks.is_some() {
            bench.report.add("wide.lost", &[(all - done - failed) as f64], &[])?;
            continue;
        }
        let made = done * 2_000_000;
        let mut checks = vec![
            ("status", ended_as == status),
            ("settled", *settled == made),
            ("charged", *charged == made),
            ("the rest is returned", *held == 0),
        ];
        match status {
            "completed" => checks.push(("counts", *failed == all * i64::from(failing) / 1000 && done + failed == all)),
            // It ends with the first chunk that is too much.
            _ => checks.push(("counts", failed * 100 > all * 5 && *failed <= all * 5 / 100 + i64::from(ITEMS))),
        }
        for (what, _) in checks.iter().filter(|(_, good)| !good) {
            wrong += 1;
            bench.report.note(format!("wide.partial: {what} is wrong: {books:?}"));
        }
    }
    yard.close().await?;
    bench.world.drop(database).await?;
    bench.report.add("wide.partial", &[f64::from(wrong)], &[])
}

/// Seconds from the call that pauses a running order to the start of its last chunk, and what is wrong with its items after
/// it was resumed.
async fn paused(bench: &mut Bench) -> anyhow::Result<()> {
    let items = bench.scale.of(10_000, 2_000);
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, SLOTS, CHUNK_TAKES).await?;
    let org = yard.parts.org;
    let (mut pauses, mut wrong) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        let task = order_wide(&yard.parts, org, Wide::of(items), Decimal::from(items)).await?;
        for _ in 0..items / ITEMS / 3 {
            yard.stamp(|stamp| stamp.task == task && stamp.kind == CHUNK).await?;
        }
        let asked = clock();
        yard.parts.services.pause(org, task, None).await?;
        let mut last = asked;
        while let Ok(stamp) = tokio::time::timeout(REST, yard.stamps.recv()).await {
            last = last.max(stamp.context("the engine has ended")?.began);
            anyhow::ensure!(clock() - asked < 60_000_000_000, "chunks of a paused order go on beginning");
        }
        pauses.push((last - asked) as f64 / 1e9);
        let before: (i32,) =
            sqlx::query_as("SELECT items_done FROM tasks WHERE id = $1").bind(task).fetch_one(&mut yard.look).await?;
        yard.parts.services.resume(org, task, None).await?;
        let view = ended(&yard.parts, org, task, LIMIT).await?;
        anyhow::ensure!(view.status == TaskStatus::Completed, "the resumed order is {}", view.status);
        anyhow::ensure!(u32::try_from(before.0)? < items, "the order was over before it was paused");
        wrong.push(yard.toys.wrong(task, items) as f64);
        while yard.stamps.try_recv().is_ok() {}
    }
    yard.close().await?;
    bench.world.drop(database).await?;
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    bench.report.add_value("wide.pause", most(&pauses), &pauses, &[])?;
    bench.report.add_value("wide.resumed_wrong", most(&wrong), &wrong, &[])
}

/// An order that orders others and waits for them.
async fn with_children(bench: &mut Bench) -> anyhow::Result<()> {
    let count: u32 = bench.scale.of(1_000, 200);
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, SLOTS, Duration::ZERO).await?;
    let org = yard.parts.org;
    let (mut tails, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        let began = Instant::now();
        let task = order_family(&yard.parts, org, Family { children: count, rest: Duration::ZERO }).await?;
        let view = ended(&yard.parts, org, task, LIMIT).await?;
        rates.push(f64::from(count) / began.elapsed().as_secs_f64());
        anyhow::ensure!(view.status == TaskStatus::Completed, "the parent is {}", view.status);
        tails.push(tail(&mut yard.look, task, count).await?);
    }
    let held = database.number("SELECT count(*) FROM holds WHERE state = 'open'").await?;
    anyhow::ensure!(held == 0, "{held} holds are open");
    yard.close().await?;
    bench.world.drop(database).await?;
    let longest = tails.iter().copied().fold(0.0, f64::max);
    bench.report.add_value("wide.parent", longest, &tails, &[])?;
    bench.report.add("wide.children", &rates, &[])
}

async fn order_family(parts: &Parts, org: OrgId, family: Family) -> anyhow::Result<Uuid> {
    let first = StepSeed::new(toys::PARENT).with_payload(json!(family));
    order(parts, org, "parent", first, Decimal::ONE).await
}

/// Children that begin long after their parent was paused, whose step was ordering them in that moment.
async fn paused_with_children(bench: &mut Bench) -> anyhow::Result<()> {
    let database = bench.world.database().await?;
    let mut yard = Yard::open(&database, SLOTS, Duration::ZERO).await?;
    let org = yard.parts.org;
    let family = Family { children: 1_000, rest: Duration::from_millis(500) };
    let task = order_family(&yard.parts, org, family).await?;
    yard.stamp(|stamp| stamp.kind == SINGLE).await?;
    yard.parts.services.pause(org, task, None).await?;
    let paused = clock();
    let mut late = 0;
    while let Ok(stamp) = tokio::time::timeout(REST, yard.stamps.recv()).await {
        let began = stamp.context("the engine has ended")?.began;
        late += u32::from(began > paused + 2_000_000_000);
    }
    yard.parts.services.resume(org, task, None).await?;
    let view = ended(&yard.parts, org, task, LIMIT).await?;
    anyhow::ensure!(view.status == TaskStatus::Completed, "the resumed parent is {}", view.status);
    yard.close().await?;
    bench.world.drop(database).await?;
    bench.report.add("wide.paused_children", &[f64::from(late)], &[])
}

/// Seconds between the end of the last child and that of its parent.
async fn tail(look: &mut PgConnection, task: Uuid, count: u32) -> anyhow::Result<f64> {
    let sql = "SELECT count(*), extract(epoch FROM max(p.finished_at) - max(c.finished_at))::float8
        FROM tasks p JOIN tasks c ON c.parent_id = p.id WHERE p.id = $1 AND c.status = 'completed'";
    let (children, seconds): (i64, f64) = sqlx::query_as(sql).bind(task).fetch_one(look).await?;
    anyhow::ensure!(children == i64::from(count), "{children} of {count} children are completed");
    Ok(seconds)
}

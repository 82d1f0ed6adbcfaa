//! Ten thousand posts that are promised for the same instant.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use galley_domain::{
    publishing::{PUBLISH, TASK},
    task::StepKind,
};
use galley_engine::{EngineSettings, Output, Step, StepContext, StepError, StepSeed};
use galley_services::pipelines;
use galley_store::{HoldOutcome, NewOrder};
use rust_decimal::Decimal;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uuid::Uuid;

use super::Bench;
use crate::{
    play::{Working, clock},
    world::{Database, Parts, World},
};

/// Also with `--quick`: the goal is about this many.
const POSTS: usize = 10_000;
/// Ordered in one transaction.
const CHUNK: usize = 500;
/// The engine has started and is at rest before the instant comes.
const BEFORE: Duration = Duration::from_secs(4);
/// Beyond this something hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// Says when it was handed a publication, in nanoseconds since 1970, and ends it at once.
struct Handed(UnboundedSender<u64>);

#[async_trait]
impl Step for Handed {
    fn kind(&self) -> StepKind {
        PUBLISH
    }

    async fn run(&self, _: &StepContext) -> Result<Output, StepError> {
        // Whoever does not listen any more does not want to know.
        let _ = self.0.send(clock());
        Ok(Output::default())
    }
}

pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let template = promised(&bench.world).await?;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        let database = bench.world.copy_of(&template).await?;
        let [soonest, latest] = round(&database).await?;
        bench.world.drop(database).await?;
        first.push(soonest);
        last.push(latest);
    }
    bench.world.drop(template).await?;
    bench.report.add("promises.first", &first, &[])?;
    bench.report.add("promises.last", &last, &[])
}

/// A database in which everything is ordered for a time far off, ready to be copied.
async fn promised(world: &World) -> anyhow::Result<Database> {
    let database = world.database().await?;
    database.hurry(true).await?;
    let parts = Parts::with(&database.url, &database.dir, pipelines::registry()).await?;
    let due = Utc::now() + chrono::TimeDelta::days(1);
    for _ in 0..POSTS / CHUNK {
        let tx = parts.services.store().begin_order(parts.org).await?;
        for _ in 0..CHUNK {
            match tx.insert_order(publication(&parts, due)?).await? {
                HoldOutcome::Held { .. } => {}
                HoldOutcome::Insufficient { available } => anyhow::bail!("only {available} credits are free"),
            }
        }
        tx.commit().await?;
    }
    parts.close().await;
    database.hurry(false).await?;
    database.execute("VACUUM ANALYZE").await?;
    Ok(database)
}

fn publication(parts: &Parts, due: DateTime<Utc>) -> anyhow::Result<NewOrder> {
    Ok(NewOrder {
        id: Uuid::now_v7(),
        kind: TASK,
        input: json!({ "publication_id": Uuid::now_v7() }),
        subject: Some(Uuid::now_v7()),
        price: Decimal::ZERO,
        api_key_id: None,
        parent: None,
        first: parts.services.registry().new_step(StepSeed::new(PUBLISH), "promises")?,
        run_at: Some(due),
        told: json!({}),
    })
}

/// How many seconds after the instant the first and the last publication were handed out.
async fn round(database: &Database) -> anyhow::Result<[f64; 2]> {
    database.execute(&format!("UPDATE steps SET run_at = now() + interval '{} s'", BEFORE.as_secs())).await?;
    let due = database.number("SELECT (extract(epoch FROM min(run_at)) * 1e9)::bigint FROM steps").await?;
    let parts = Parts::with(&database.url, &database.dir, pipelines::registry()).await?;
    let (told, mut handed) = unbounded_channel();
    let engine = Working::run(&parts, vec![Arc::new(Handed(told))], EngineSettings::default());
    let all = async {
        let mut times = Vec::with_capacity(POSTS);
        while times.len() < POSTS {
            times.push(handed.recv().await.context("the engine has ended")?);
        }
        anyhow::Ok(times)
    };
    let times = tokio::time::timeout(LIMIT, all).await.context("not all of them were handed out")??;
    engine.stop().await?;
    parts.close().await;
    let due = u64::try_from(due)?;
    let (first, last) = (times.iter().min(), times.iter().max());
    let (first, last) = first.zip(last).context("nothing was handed out")?;
    anyhow::ensure!(*first >= due, "a publication was handed out before its time");
    Ok([*first, *last].map(|at| at.saturating_sub(due) as f64 / 1e9))
}

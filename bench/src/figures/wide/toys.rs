//! Pipelines that exist only here: a wide one, one with a single step, and one that orders others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode, OrgId,
    task::{PoolName, StepKind, StepPolicy},
};
use galley_engine::{Items, Output, Pipeline, Registry, Stage, Step, StepContext, StepError, StepSeed};
use galley_services::{Services, TaskView};
use galley_store::{ClaimedStep, HoldOutcome, NewOrder, Parent, StoreError, TaskState};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

use crate::{
    play::{Stamp, clock},
    world::Parts,
};

/// The one pool that all of them share.
pub const POOL: PoolName = PoolName::new("wide");
pub const PLAN: StepKind = StepKind::new("wide_plan");
pub const CHUNK: StepKind = StepKind::new("wide_chunk");
pub const SINGLE: StepKind = StepKind::new("wide_single");
pub const PARENT: StepKind = StepKind::new("wide_parent");

/// Chunks of one task that are open at once.
const WINDOW: u32 = 16;
/// Items of a chunk.
pub const ITEMS: u32 = 10;
/// Percent of the items that may fail.
const MAY_FAIL: u8 = 5;
/// Children that are ordered in one transaction.
const ORDERS: u32 = 50;

#[derive(Debug)]
struct Toy {
    kind: &'static str,
    stages: Vec<Stage>,
}

impl Pipeline for Toy {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn stages(&self) -> &[Stage] {
        &self.stages
    }

    fn note(&self) -> &'static str {
        "bench"
    }

    /// The items of a chunk that fails for good have failed, and the chunk behind the window comes all the same.
    fn failed(&self, _: &TaskState, step: &ClaimedStep) -> (Items, Vec<StepSeed>) {
        let (Ok(wide), Ok(number)) =
            (serde_json::from_value::<Wide>(step.payload.clone()), u32::try_from(step.position))
        else {
            return (Items::default(), Vec::new());
        };
        let failed = u32::try_from(wide.items_of(number).len()).unwrap_or(u32::MAX);
        (Items { done: 0, failed }, wide.behind(number))
    }
}

pub fn registry(slots: usize) -> Registry {
    let stage = |kind, weight| Stage::new(kind, POOL, weight, StepPolicy::new(3, 600));
    let toy = |kind, stages| Toy { kind, stages };
    Registry::new([(POOL, slots)])
        .with(toy("wide", vec![stage(PLAN, 5), stage(CHUNK, 95).may_fail(MAY_FAIL)]))
        .with(toy("single", vec![stage(SINGLE, 100)]))
        .with(toy("parent", vec![stage(PARENT, 100)]))
}

/// What a wide task is given: how many items, how many of a thousand fail, and the chunk whose step fails for good.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Wide {
    pub items: u32,
    pub failing: u32,
    pub breaks: Option<u32>,
}

impl Wide {
    /// Nothing fails.
    pub fn of(items: u32) -> Self {
        Self { items, failing: 0, breaks: None }
    }

    fn chunk(self, number: u32) -> StepSeed {
        let seed = StepSeed::new(CHUNK).with_payload(json!(self)).behind(i64::from(number));
        seed.at_position(i32::try_from(number).unwrap_or(i32::MAX))
    }

    fn items_of(self, chunk: u32) -> std::ops::Range<u32> {
        chunk * ITEMS..((chunk + 1) * ITEMS).min(self.items)
    }

    /// The chunk behind the window, if there is one.
    fn behind(self, chunk: u32) -> Vec<StepSeed> {
        let next = chunk + WINDOW;
        (next < self.chunks()).then(|| self.chunk(next)).into_iter().collect()
    }

    fn chunks(self) -> u32 {
        self.items.div_ceil(ITEMS)
    }

    /// Of each thousand items as many as shall fail, not all in a row.
    pub fn fails(self, item: u32) -> bool {
        item * 37 % 1000 < self.failing
    }
}

/// What a parent is given: how many tasks it orders, and for how long it rests after each transaction.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Family {
    pub children: u32,
    pub rest: Duration,
}

/// What all toys share.
#[derive(Debug)]
pub struct Toys {
    services: Services,
    /// How long a chunk takes.
    chunk: Duration,
    stamps: UnboundedSender<Stamp>,
    /// How often each item of each task was worked on.
    worked: Mutex<HashMap<Uuid, BTreeMap<u32, u32>>>,
}

impl Toys {
    pub fn new(parts: &Parts, chunk: Duration, stamps: UnboundedSender<Stamp>) -> Arc<Self> {
        Arc::new(Self { services: parts.services.clone(), chunk, stamps, worked: Mutex::default() })
    }

    pub fn steps(self: &Arc<Self>) -> Vec<Arc<dyn Step>> {
        let step = |kind| Arc::new(ToyStep { kind, toys: Arc::clone(self) }) as Arc<dyn Step>;
        [PLAN, CHUNK, SINGLE, PARENT].map(step).into()
    }

    /// How many items of a task were not worked on exactly once.
    pub fn wrong(&self, task: Uuid, items: u32) -> usize {
        let worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        let times = |item| worked.get(&task).and_then(|items| items.get(&item)).copied().unwrap_or(0);
        (0..items).filter(|item| times(*item) != 1).count()
    }

    fn work(&self, task: Uuid, wide: Wide, number: u32) -> Items {
        let mut worked = self.worked.lock().unwrap_or_else(PoisonError::into_inner);
        let of_task = worked.entry(task).or_default();
        let mut items = Items::default();
        for item in wide.items_of(number) {
            *of_task.entry(item).or_default() += 1;
            if wide.fails(item) { items.failed += 1 } else { items.done += 1 }
        }
        items
    }

    /// Orders what is missing of so many children, and waits until all have ended.
    async fn parent(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let (Family { children: count, rest }, step) = (cx.payload()?, cx.step.fence.step);
        let mut from = 0;
        loop {
            let tx = self.services.store().begin_order(org).await?;
            let children = tx.children(step).await?;
            let there = u32::try_from(children.len()).unwrap_or(u32::MAX);
            if there >= count {
                tx.rollback().await?;
                let open = children.iter().any(|child| child.finished_at.is_none());
                return if open { Err(StepError::Wait) } else { Ok(Output::of(json!(there))) };
            }
            from = there.max(from);
            // A pause of the parent that came meanwhile pauses these children too.
            let paused = tx.hold_parent(task, cx.step.fence).await?;
            for position in from..(from + ORDERS).min(count) {
                let position = i32::try_from(position).unwrap_or(i32::MAX);
                let mut order = new_order(&self.services, "single", StepSeed::new(SINGLE), Decimal::ONE)?;
                order.parent = Some(Parent { task, step, position, paused });
                if let HoldOutcome::Insufficient { .. } = tx.insert_order(order).await? {
                    return Err(StoreError::Unreadable("no credits are left".into()).into());
                }
            }
            from += ORDERS;
            tx.commit().await?;
            tokio::time::sleep(rest).await;
        }
    }
}

struct ToyStep {
    kind: StepKind,
    toys: Arc<Toys>,
}

#[async_trait]
impl Step for ToyStep {
    fn kind(&self) -> StepKind {
        self.kind
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (_, task) = cx.owner()?;
        let began = clock();
        let output = match self.kind {
            PLAN => {
                let wide: Wide = cx.payload()?;
                let follow = (0..wide.chunks().min(WINDOW)).map(|number| wide.chunk(number)).collect();
                Output { items_total: Some(wide.items), follow, ..Output::default() }
            }
            CHUNK => {
                let wide: Wide = cx.payload()?;
                let number = u32::try_from(cx.step.position).unwrap_or(0);
                if wide.breaks == Some(number) {
                    return Err(Fault::permanent(FaultCode::WorkflowError, "this chunk breaks").into());
                }
                if !self.toys.chunk.is_zero() {
                    tokio::time::sleep(self.toys.chunk).await;
                }
                let follow = wide.behind(number);
                Output { items: self.toys.work(task, wide, number), follow, ..Output::default() }
            }
            PARENT => self.toys.parent(cx).await?,
            _ => Output::default(),
        };
        // Whoever does not listen any more does not want to know.
        let _ = self.toys.stamps.send(Stamp { task, kind: self.kind, began, returned: clock() });
        Ok(output)
    }
}

fn new_order(services: &Services, kind: &'static str, first: StepSeed, price: Decimal) -> Result<NewOrder, StoreError> {
    let trace = Uuid::new_v4().simple().to_string();
    Ok(NewOrder {
        id: Uuid::now_v7(),
        kind,
        input: json!({}),
        subject: None,
        price,
        api_key_id: None,
        parent: None,
        first: services.registry().new_step(first, &trace)?,
        run_at: None,
        told: json!({}),
    })
}

/// Orders one toy.
pub async fn order(
    parts: &Parts,
    org: OrgId,
    kind: &'static str,
    first: StepSeed,
    price: Decimal,
) -> anyhow::Result<Uuid> {
    let order = new_order(&parts.services, kind, first, price)?;
    let (id, tx) = (order.id, parts.services.store().begin_order(org).await?);
    match tx.insert_order(order).await? {
        HoldOutcome::Held { .. } => tx.commit().await?,
        HoldOutcome::Insufficient { available } => anyhow::bail!("only {available} credits are free"),
    }
    Ok(id)
}

pub async fn order_wide(parts: &Parts, org: OrgId, wide: Wide, price: Decimal) -> anyhow::Result<Uuid> {
    order(parts, org, "wide", StepSeed::new(PLAN).with_payload(json!(wide)), price).await
}

/// Waits for the end of a task, woken by its events.
pub async fn ended(parts: &Parts, org: OrgId, task: Uuid, limit: Duration) -> anyhow::Result<TaskView> {
    let mut watch = parts.notifications.events(task);
    let waiting = async {
        loop {
            let view = parts.services.task(org, task).await?;
            if view.status.is_ended() {
                return anyhow::Ok(view);
            }
            // A word that came before the watch began is made good by looking again.
            let _ = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
        }
    };
    tokio::time::timeout(limit, waiting).await.with_context(|| format!("task {task} did not end"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_of_a_thousand_items_fail_as_shall() {
        for failing in [0, 30, 80] {
            let wide = Wide { failing, ..Wide::of(1000) };
            assert_eq!((0..1000).filter(|item| wide.fails(*item)).count(), failing as usize);
        }
    }
}

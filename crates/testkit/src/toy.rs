//! Pipelines without an article: a wide one of three stages, and a parent that orders it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode, OrgId,
    task::{StepKind, StepPolicy, TaskStatus},
};
use galley_engine::{Items, Output, Pipeline, Registry, Stage, Step, StepContext, StepError, StepSeed};
use galley_services::pipelines::MODELS;
use galley_store::{ClaimedStep, NewOrder, Parent, Store, StoreError, TaskState};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use uuid::Uuid;

pub const PLAN: StepKind = StepKind::new("toy_plan");
pub const CHUNK: StepKind = StepKind::new("toy_chunk");
pub const CLOSE: StepKind = StepKind::new("toy_close");
pub const ORDERS: StepKind = StepKind::new("toy_orders");

/// What a wide toy is ordered with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToyOrder {
    pub items: u32,
    /// Items of one step.
    pub chunk: u32,
    /// Steps that are open at once.
    pub window: u32,
    /// Items that fail.
    #[serde(default)]
    pub failing: Vec<u32>,
    /// Chunks whose step fails for good.
    #[serde(default)]
    pub broken: Vec<i32>,
}

impl ToyOrder {
    pub fn new(items: u32, chunk: u32, window: u32) -> Self {
        Self { items, chunk, window, failing: Vec::new(), broken: Vec::new() }
    }

    fn items_of(&self, chunk: i32) -> std::ops::Range<u32> {
        let from = chunk.unsigned_abs() * self.chunk;
        from..(from + self.chunk).min(self.items)
    }

    /// The step of a chunk, which is given the order, so that nobody has to read it again.
    fn seed(&self, chunk: i32) -> StepSeed {
        StepSeed::new(CHUNK).at_position(chunk).behind(chunk.into()).with_payload(json!(self))
    }

    /// The chunk behind the window, if there is one.
    fn behind(&self, chunk: i32) -> Vec<StepSeed> {
        let next = chunk + i32::try_from(self.window).unwrap_or(i32::MAX);
        (next < self.chunks()).then(|| self.seed(next)).into_iter().collect()
    }

    fn chunks(&self) -> i32 {
        i32::try_from(self.items.div_ceil(self.chunk)).unwrap_or(i32::MAX)
    }
}

/// Plan, work on the items a few at a time, close.
#[derive(Debug)]
pub struct Toy([Stage; 3]);

impl Toy {
    /// Up to so many percent may fail.
    pub fn new(may_fail: u8) -> Self {
        let policy = StepPolicy::new(3, 60);
        Self([
            Stage::new(PLAN, MODELS, 10, policy).named("planning"),
            Stage::new(CHUNK, MODELS, 80, policy).named("working").may_fail(may_fail),
            Stage::new(CLOSE, MODELS, 10, policy).named("closing"),
        ])
    }
}

#[async_trait]
impl Pipeline for Toy {
    fn kind(&self) -> &'static str {
        "toy"
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn note(&self) -> &'static str {
        "toys made"
    }

    /// The items of the chunk are lost, and the chunk behind the window comes all the same.
    fn failed(&self, _: &TaskState, step: &ClaimedStep) -> (Items, Vec<StepSeed>) {
        let Ok(order) = serde_json::from_value::<ToyOrder>(step.payload.clone()) else {
            return (Items::default(), Vec::new());
        };
        let failed = u32::try_from(order.items_of(step.position).len()).unwrap_or(u32::MAX);
        (Items { done: 0, failed }, order.behind(step.position))
    }
}

/// One stage, whose step orders wide toys and waits for them.
#[derive(Debug)]
pub struct ToyParent([Stage; 1]);

impl Default for ToyParent {
    fn default() -> Self {
        Self([Stage::new(ORDERS, MODELS, 100, StepPolicy::new(3, 60))])
    }
}

#[async_trait]
impl Pipeline for ToyParent {
    fn kind(&self) -> &'static str {
        "toy_parent"
    }

    fn stages(&self) -> &[Stage] {
        &self.0
    }

    fn note(&self) -> &'static str {
        "toys ordered"
    }
}

/// What the toy's steps have done. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Toys {
    store: Store,
    registry: Arc<Registry>,
    made: Arc<Mutex<BTreeMap<(Uuid, u32), u32>>>,
    /// Chunks that may begin; the others wait.
    gate: watch::Sender<i32>,
    begun: watch::Sender<i32>,
}

impl Toys {
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        let (gate, begun) = (watch::Sender::new(i32::MAX), watch::Sender::new(0));
        Self { store, registry, made: Arc::default(), gate, begun }
    }

    /// Every kind of step of both pipelines.
    pub fn steps(&self) -> Vec<Arc<dyn Step>> {
        let step = |kind| Arc::new(ToyStep { kind, toys: self.clone() }) as Arc<dyn Step>;
        [PLAN, CHUNK, CLOSE, ORDERS].map(step).into()
    }

    /// How often each item of a task was made.
    pub fn made(&self, task: Uuid) -> Vec<(u32, u32)> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.range((task, 0)..=(task, u32::MAX)).map(|((_, item), count)| (*item, *count)).collect()
    }

    /// Lets so many chunks, from the first, begin.
    pub fn let_begin(&self, chunks: i32) {
        self.gate.send_replace(chunks);
    }

    /// Waits until so many chunk steps have begun to work.
    pub async fn wait_for_chunks(&self, count: i32) {
        let mut begun = self.begun.subscribe();
        let waiting = begun.wait_for(|begun| *begun >= count);
        let came = tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await;
        assert!(came.is_ok(), "{count} chunks begin within a minute");
    }

    /// Orders a task of one of the two pipelines.
    pub async fn order(&self, org: OrgId, kind: &'static str, input: Json, price: u32) -> Uuid {
        let tx = self.store.begin_order(org).await.expect("a transaction");
        let (id, order) = self.new_order(kind, input, price, None);
        tx.insert_order(order).await.expect("the order is written");
        tx.commit().await.expect("it stands");
        id
    }

    pub fn new_order(&self, kind: &'static str, input: Json, price: u32, parent: Option<Parent>) -> (Uuid, NewOrder) {
        let first = if kind == "toy" { PLAN } else { ORDERS };
        let id = Uuid::now_v7();
        let order = NewOrder {
            id,
            kind,
            input,
            subject: None,
            price: Decimal::from(price),
            api_key_id: None,
            parent,
            first: self.registry.new_step(StepSeed::new(first), "trace").expect("registered"),
            run_at: None,
            told: json!({}),
        };
        (id, order)
    }
}

struct ToyStep {
    kind: StepKind,
    toys: Toys,
}

#[async_trait]
impl Step for ToyStep {
    fn kind(&self) -> StepKind {
        self.kind
    }

    async fn run(&self, cx: &StepContext) -> Result<Output, StepError> {
        let (org, task) = cx.owner()?;
        let row = self.toys.store.tenant(org).task(task).await?.ok_or(StoreError::LeaseLost)?;
        match self.kind {
            PLAN => Ok(plan(&read(row.input)?)),
            CHUNK => self.chunk(cx, task, &read(row.input)?).await,
            ORDERS => self.orders(cx, org, row.input).await,
            _ => Ok(Output::default()),
        }
    }
}

fn read(input: Json) -> Result<ToyOrder, StepError> {
    Ok(serde_json::from_value(input).map_err(StoreError::from)?)
}

fn plan(order: &ToyOrder) -> Output {
    let window = i32::try_from(order.window).unwrap_or(i32::MAX).min(order.chunks());
    let output = Output::default().followed_by((0..window).map(|chunk| order.seed(chunk)).collect());
    Output { items_total: Some(order.items), ..output }
}

impl ToyStep {
    async fn chunk(&self, cx: &StepContext, task: Uuid, order: &ToyOrder) -> Result<Output, StepError> {
        let number = cx.step.position;
        let mut gate = self.toys.gate.subscribe();
        self.toys.begun.send_modify(|begun| *begun += 1);
        if gate.wait_for(|open| number < *open).await.is_err() {
            return Err(Fault::transient(FaultCode::WorkflowError, "the test is over").into());
        }
        if order.broken.contains(&number) {
            return Err(Fault::permanent(FaultCode::WorkflowError, format!("chunk {number} is broken")).into());
        }
        let items = order.items_of(number);
        let failed = items.clone().filter(|item| order.failing.contains(item)).count();
        let mut made = self.toys.made.lock().unwrap_or_else(PoisonError::into_inner);
        items.clone().for_each(|item| *made.entry((task, item)).or_default() += 1);
        drop(made);
        let failed = u32::try_from(failed).unwrap_or(u32::MAX);
        let items = Items { done: u32::try_from(items.len()).unwrap_or(u32::MAX) - failed, failed };
        Ok(Output { items, ..Output::default().followed_by(order.behind(number)) })
    }

    /// Orders each child once, however often it runs, and waits until all have ended.
    async fn orders(&self, cx: &StepContext, org: OrgId, input: Json) -> Result<Output, StepError> {
        let (_, task) = cx.owner()?;
        let step = cx.step.fence.step;
        let count = i32::try_from(input["children"].as_i64().unwrap_or(0)).unwrap_or(0);
        let children = self.toys.store.tenant(org).children(step).await?;
        let ordered = |at: &i32| children.iter().any(|child| child.parent_position == Some(*at));
        let missing: Vec<i32> = (0..count).filter(|at| !ordered(at)).collect();
        // A few at a time: what is written about the parent meanwhile waits for them.
        for positions in missing.chunks(50) {
            let tx = self.toys.store.begin_order(org).await?;
            let paused = tx.hold_parent(task, cx.step.fence).await?;
            for position in positions {
                let parent = Parent { task, step, position: *position, paused };
                let (_, order) = self.toys.new_order("toy", input["order"].clone(), 1, Some(parent));
                tx.insert_order(order).await?;
            }
            tx.commit().await?;
        }
        let ended = |status: &str| status.parse::<TaskStatus>().is_ok_and(TaskStatus::is_ended);
        if children.len() < usize::try_from(count).unwrap_or(0) || children.iter().any(|child| !ended(&child.status)) {
            return Err(StepError::Wait);
        }
        Ok(Output::of(json!({ "children": children.len() })))
    }
}

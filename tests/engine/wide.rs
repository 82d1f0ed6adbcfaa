//! Rules 12, 13 and 16: wide tasks, fair inside a task, a time is a promise.

use std::{sync::Arc, time::Duration};

use galley_domain::task::TaskStatus;
use galley_testkit::{
    Harness, RunningEngine,
    toy::{CHUNK, PLAN, Toy, ToyOrder, ToyParent, Toys},
};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);

/// A harness that knows the toys.
pub async fn toys(may_fail: u8) -> (Harness, Toys) {
    let harness = Harness::builder().pipeline(Toy::new(may_fail)).pipeline(ToyParent::default()).build().await;
    let toys = Toys::new(harness.services.store().clone(), Arc::clone(harness.services.registry()));
    (harness, toys)
}

pub fn engine(harness: &Harness, toys: &Toys) -> RunningEngine {
    harness.engine(toys.steps(), |_| {})
}

/// What was charged for a task.
async fn charged(harness: &Harness, task: Uuid) -> Decimal {
    let sql = format!("SELECT coalesce(-sum(amount), 0)::text FROM ledger_entries WHERE task_id = '{task}'");
    harness.database.texts(&sql).await[0].parse().unwrap()
}

#[tokio::test]
async fn many_items_are_one_task_that_makes_each_of_them_once() {
    let (harness, toys) = toys(0).await;
    let engine = engine(&harness, &toys);
    let task = toys.order(harness.principal.org, "toy", json!(ToyOrder::new(95, 10, 3)), 10).await;
    let view = harness.completed(task).await;
    engine.stop().await;
    assert_eq!(toys.made(task), (0..95).map(|item| (item, 1)).collect::<Vec<_>>());
    assert_eq!((view.row.items_total, view.row.items_done, view.row.items_failed), (95, 95, 0));
    assert_eq!((view.row.progress, view.row.steps_completed.len()), (100, 3));
    let stages = harness.task_row(task).await.stages;
    assert!(stages.is_empty(), "{stages:?}");
    let chunks = harness.steps(task).await.into_iter().filter(|step| step.kind == CHUNK.as_str()).count();
    assert_eq!(chunks, 10);
    assert_eq!(charged(&harness, task).await, Decimal::from(10));
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn no_more_steps_are_open_than_the_window_has() {
    let (harness, toys) = toys(0).await;
    toys.let_begin(0);
    let engine = engine(&harness, &toys);
    let task = toys.order(harness.principal.org, "toy", json!(ToyOrder::new(100, 1, 4)), 10).await;
    toys.wait_for_chunks(4).await;
    let open = "SELECT count(*) FROM steps WHERE kind = 'toy_chunk' AND finished_at IS NULL";
    assert_eq!(harness.database.number(open).await, 4);
    toys.let_begin(i32::MAX);
    harness.completed(task).await;
    engine.stop().await;
}

#[tokio::test]
async fn items_that_fail_cost_themselves_and_the_rest_is_paid() {
    let (harness, toys) = toys(5).await;
    let engine = engine(&harness, &toys);
    let order = |failing: Vec<u32>| json!(ToyOrder { failing, ..ToyOrder::new(100, 10, 2) });
    let few = toys.order(harness.principal.org, "toy", order(vec![3, 50, 99]), 10).await;
    let many = toys.order(harness.principal.org, "toy", order((0..8).collect()), 10).await;
    let view = harness.completed(few).await;
    assert_eq!((view.row.items_done, view.row.items_failed), (97, 3));
    assert_eq!(charged(&harness, few).await, Decimal::new(97, 1), "97 of 100 for a price of 10");
    let view = harness.ended(many).await;
    assert_eq!(view.status, TaskStatus::Failed);
    let message = view.row.error_message.clone().unwrap();
    assert_eq!(message, "8 of 100 items failed, more than this task allows");
    let made = Decimal::from(view.row.items_done);
    assert_eq!(charged(&harness, many).await, made / Decimal::TEN, "what was made is paid, the rest returns");
    engine.stop().await;
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_step_that_fails_for_good_is_told_and_does_not_end_a_stage_that_allows_it() {
    let (harness, toys) = toys(50).await;
    let engine = engine(&harness, &toys);
    // What would have followed the broken one comes all the same.
    let order = ToyOrder { broken: vec![1], ..ToyOrder::new(100, 10, 2) };
    let task = toys.order(harness.principal.org, "toy", json!(order), 10).await;
    let view = harness.completed(task).await;
    engine.stop().await;
    assert_eq!((view.row.items_done, view.row.items_failed), (90, 10));
    assert!(view.row.warnings.to_string().contains("chunk 1 is broken"), "{}", view.row.warnings);
    assert_eq!(charged(&harness, task).await, Decimal::from(9));
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_wide_order_does_not_stand_in_front_of_a_newcomer() {
    let (harness, toys) = toys(0).await;
    let wide = toys.order(harness.principal.org, "toy", json!(ToyOrder::new(1_000, 1, 500)), 10).await;
    let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    assert_eq!(plan.task, Some(wide));
    // As the step of the plan would: five hundred chunks at once.
    let output = galley_engine::Output {
        items_total: Some(1_000),
        follow: (0..500).map(|n| galley_engine::StepSeed::new(CHUNK).at_position(n).behind(n.into())).collect(),
        ..Default::default()
    };
    harness.commits().finish_step(&plan, &galley_engine::Outcome::Done(output), &[]).await.unwrap();
    harness.claim(CHUNK, 20, "w", LEASE).await;
    let (other, _) = harness.other_tenant().await;
    let newcomer = toys.order(other.org, "toy", json!(ToyOrder::new(1, 1, 1)), 1).await;
    // One pool: whatever kind is asked for, the ranks decide.
    let pool = harness.services.registry().stage(PLAN).unwrap().pool;
    let queue = harness.services.store().queue();
    let wanted = [galley_store::Wanted::new(pool, 2)];
    let next = queue.claim(&wanted, &[PLAN, CHUNK], "w", LEASE).await.unwrap().steps;
    assert!(next.iter().any(|step| step.task == Some(newcomer)), "the newcomer is among the next two");
}

#[tokio::test]
async fn what_is_ordered_for_later_begins_at_its_time_and_not_before() {
    let (harness, toys) = toys(0).await;
    // With a tick of an hour only its time can start it.
    let engine = harness.engine(toys.steps(), |settings| settings.tick = Duration::from_secs(3600));
    let (id, mut order) = toys.new_order("toy", json!(ToyOrder::new(1, 1, 1)), 1, None);
    let tx = harness.services.store().begin_order(harness.principal.org).await.unwrap();
    let due = tx.now().await.unwrap() + chrono::TimeDelta::milliseconds(1_500);
    order.run_at = Some(due);
    tx.insert_order(order).await.unwrap();
    tx.commit().await.unwrap();
    let view = harness.completed(id).await;
    engine.stop().await;
    let started = view.row.started_at.unwrap();
    assert!(started >= due && started < due + chrono::TimeDelta::seconds(5), "{started} for {due}");
}

/// A time that has passed is now: nobody waits for the clock.
#[tokio::test]
async fn what_is_ordered_for_a_time_that_has_passed_begins_at_once() {
    let (harness, toys) = toys(0).await;
    let engine = harness.engine(toys.steps(), |settings| settings.tick = Duration::from_secs(3600));
    let org = harness.principal.org;
    let first = toys.order(org, "toy", json!(ToyOrder::new(1, 1, 1)), 1).await;
    harness.completed(first).await;
    let (id, mut order) = toys.new_order("toy", json!(ToyOrder::new(1, 1, 1)), 1, None);
    let tx = harness.services.store().begin_order(org).await.unwrap();
    order.run_at = Some(tx.now().await.unwrap() - chrono::TimeDelta::minutes(5));
    tx.insert_order(order).await.unwrap();
    tx.commit().await.unwrap();
    harness.completed(id).await;
    engine.stop().await;
}

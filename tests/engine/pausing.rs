//! Rules 14 and 15: pause and resume, parents.

use std::time::Duration;

use galley_domain::task::TaskStatus;
use galley_services::ServiceError;
use galley_store::{Parent, StoreError};
use galley_testkit::toy::{CHUNK, ORDERS, PLAN, ToyOrder};
use serde_json::json;

use super::wide::{engine, toys};

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_paused_task_starts_nothing_not_even_after_a_restart_and_goes_on_where_it_was() {
    let (harness, toys) = toys(0).await;
    toys.let_begin(2);
    let first = engine(&harness, &toys);
    let org = harness.principal.org;
    let task = toys.order(org, "toy", json!(ToyOrder::new(40, 10, 2)), 4).await;
    // Two chunks are done, two wait at the gate.
    toys.wait_for_chunks(4).await;
    let view = harness.services.pause(org, task, None).await.unwrap().value;
    assert!(view.row.paused && view.status == TaskStatus::Processing);
    let again = harness.services.pause(org, task, None).await.unwrap_err();
    assert!(matches!(again, ServiceError::Conflict(_)), "{again:?}");
    // What runs ends; what would follow waits.
    toys.let_begin(i32::MAX);
    harness.until(task, |view| view.row.items_done == 40 || view.row.items_done == 0).await;
    first.stop().await;
    let claimed = harness.claim(CHUNK, 9, "w", LEASE).await.steps;
    assert!(claimed.is_empty(), "{claimed:?}");
    let second = engine(&harness, &toys);
    assert!(!harness.task(task).await.status.is_ended(), "nothing closes it while it is paused");
    harness.services.resume(org, task, None).await.unwrap();
    harness.completed(task).await;
    second.stop().await;
    assert_eq!(toys.made(task), (0..40).map(|item| (item, 1)).collect::<Vec<_>>());
    let told: Vec<String> = harness.events(task).await.into_iter().map(|event| event.kind).collect();
    for kind in ["task.paused", "task.resumed"] {
        assert_eq!(told.iter().filter(|told| *told == kind).count(), 1, "{kind}");
    }
    let ended = harness.services.pause(org, task, None).await.unwrap_err();
    assert!(matches!(ended, ServiceError::Conflict(_)), "{ended:?}");
    harness.assert_books_closed().await;
}

/// A step may become ready in the moment in which its task is paused: whoever claims it puts it aside.
#[tokio::test]
async fn a_claimed_step_of_a_paused_task_is_put_aside_without_losing_an_attempt() {
    let (harness, toys) = toys(0).await;
    let org = harness.principal.org;
    let task = toys.order(org, "toy", json!(ToyOrder::new(1, 1, 1)), 1).await;
    harness.services.pause(org, task, None).await.unwrap();
    harness.database.execute("UPDATE steps SET state = 'ready'").await;
    let engine = engine(&harness, &toys);
    let aside = "SELECT count(*) FROM steps WHERE state = 'paused' AND attempt = 0";
    let waiting = async {
        while harness.database.number(aside).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it is put aside");
    harness.services.resume(org, task, None).await.unwrap();
    harness.completed(task).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_parent_waits_without_a_permit_and_is_woken_by_the_last_of_its_children() {
    let (harness, toys) = toys(0).await;
    // One step at a time: a parent that held on to its permit would wait for ever.
    let engine = harness.engine(toys.steps(), |settings| settings.concurrency = 1);
    let input = json!({ "children": 25, "order": ToyOrder::new(2, 1, 1) });
    let parent = toys.order(harness.principal.org, "toy_parent", input, 1).await;
    let view = harness.completed(parent).await;
    engine.stop().await;
    let children = "SELECT count(*) FROM tasks WHERE parent_id IS NOT NULL AND status = 'completed'";
    assert_eq!(harness.database.number(children).await, 25);
    let steps = harness.steps(view.row.id).await;
    assert_eq!((steps.len(), steps[0].attempt), (1, 1), "waiting costs no attempt");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn children_that_fail_wake_their_parent_too_and_cancelling_it_cancels_them() {
    let (harness, toys) = toys(0).await;
    let running = engine(&harness, &toys);
    let org = harness.principal.org;
    let failing = ToyOrder { failing: vec![0], ..ToyOrder::new(1, 1, 1) };
    let parent = toys.order(org, "toy_parent", json!({ "children": 3, "order": failing }), 1).await;
    harness.completed(parent).await;
    let failed = "SELECT count(*) FROM tasks WHERE parent_id IS NOT NULL AND status = 'failed'";
    assert_eq!(harness.database.number(failed).await, 3);

    toys.let_begin(0);
    let input = json!({ "children": 3, "order": ToyOrder::new(1, 1, 1) });
    let parent = toys.order(org, "toy_parent", input, 1).await;
    toys.wait_for_chunks(6).await;
    harness.services.cancel(org, parent).await.unwrap();
    let open = "SELECT count(*) FROM tasks WHERE finished_at IS NULL";
    assert_eq!(harness.database.number(open).await, 0);
    running.stop().await;
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_parent_that_is_killed_between_its_orders_and_its_wait_orders_nothing_twice() {
    let (harness, toys) = toys(0).await;
    toys.let_begin(0);
    let first = engine(&harness, &toys);
    let input = json!({ "children": 4, "order": ToyOrder::new(1, 1, 1) });
    let parent = toys.order(harness.principal.org, "toy_parent", input, 1).await;
    toys.wait_for_chunks(4).await;
    first.vanish().await;
    // As if its lease had been lost before it could say that it waits.
    let lost =
        "UPDATE steps SET state = 'ready', lease = NULL, lease_until = NULL, worker = NULL WHERE kind = 'toy_orders'";
    harness.database.execute(lost).await;
    toys.let_begin(i32::MAX);
    let second = engine(&harness, &toys);
    harness.completed(parent).await;
    second.stop().await;
    assert_eq!(harness.database.number("SELECT count(*) FROM tasks WHERE parent_id IS NOT NULL").await, 4);
    harness.assert_books_closed().await;
}

/// The step that orders goes on when its task is paused; what it orders then waits like everything else of the task.
#[tokio::test]
async fn what_a_paused_parent_still_orders_is_paused_too() {
    let (harness, toys) = toys(0).await;
    let org = harness.principal.org;
    let input = json!({ "children": 3, "order": ToyOrder::new(1, 1, 1) });
    let parent = toys.order(org, "toy_parent", input, 1).await;
    let step = harness.claim(ORDERS, 1, "w", LEASE).await.steps.remove(0);
    harness.services.pause(org, parent, None).await.unwrap();
    let tx = harness.services.store().begin_order(org).await.unwrap();
    let paused = tx.hold_parent(parent, step.fence).await.unwrap();
    assert!(paused);
    let from = Parent { task: parent, step: step.fence.step, position: 0, paused };
    let (child, order) = toys.new_order("toy", json!(ToyOrder::new(1, 1, 1)), 1, Some(from));
    tx.insert_order(order).await.unwrap();
    tx.commit().await.unwrap();
    assert!(harness.task(child).await.row.paused);
    assert!(harness.claim(PLAN, 1, "w", LEASE).await.steps.is_empty());
    harness.services.resume(org, parent, None).await.unwrap();
    assert_eq!(harness.claim(PLAN, 1, "w", LEASE).await.steps.len(), 1);
    harness.services.cancel(org, parent).await.unwrap();
    let tx = harness.services.store().begin_order(org).await.unwrap();
    let late = tx.hold_parent(parent, step.fence).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
}

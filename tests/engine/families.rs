//! Parents and children that end in another order than usual.

use std::time::Duration;

use galley_domain::{Fault, FaultCode, OrgId, task::TaskStatus};
use galley_engine::Outcome;
use galley_services::ServiceError;
use galley_store::{ClaimedStep, Parent};
use galley_testkit::{
    Harness,
    toy::{ORDERS, PLAN, ToyOrder, Toys},
};
use serde_json::json;
use uuid::Uuid;

use super::wide::{engine, toys};

const LEASE: Duration = Duration::from_secs(30);

/// A parent whose step is claimed by the test, with so many children that nobody works on.
async fn family(harness: &Harness, toys: &Toys, count: i32) -> (Uuid, ClaimedStep, Vec<Uuid>) {
    let org = harness.principal.org;
    let parent = toys.order(org, "toy_parent", json!({ "children": count, "order": ToyOrder::new(1, 1, 1) }), 1).await;
    let step = harness.claim(ORDERS, 1, "w", LEASE).await.steps.remove(0);
    let children = order_children(harness, toys, org, &step, 0..count).await;
    (parent, step, children)
}

async fn order_children(
    harness: &Harness,
    toys: &Toys,
    org: OrgId,
    step: &ClaimedStep,
    positions: std::ops::Range<i32>,
) -> Vec<Uuid> {
    let task = step.task.unwrap();
    let tx = harness.services.store().begin_order(org).await.unwrap();
    let paused = tx.hold_parent(task, step.fence).await.unwrap();
    let mut children = Vec::new();
    for position in positions {
        let parent = Parent { task, step: step.fence.step, position, paused };
        let (id, order) = toys.new_order("toy", json!(ToyOrder::new(1, 1, 1)), 1, Some(parent));
        tx.insert_order(order).await.unwrap();
        children.push(id);
    }
    tx.commit().await.unwrap();
    children
}

fn broken() -> Outcome {
    Outcome::Failed(Fault::permanent(FaultCode::WorkflowError, "broken"))
}

async fn end(harness: &Harness, step: &ClaimedStep, outcome: Outcome) {
    harness.commits().finish_step(step, &outcome, &[]).await.unwrap();
}

async fn state(harness: &Harness, step: &ClaimedStep) -> String {
    let sql = format!("SELECT state FROM steps WHERE id = '{}'", step.fence.step);
    harness.database.texts(&sql).await.remove(0)
}

#[tokio::test]
async fn the_open_children_of_a_parent_that_fails_are_cancelled_and_what_they_held_returns() {
    let (harness, toys) = toys(0).await;
    let (parent, step, children) = family(&harness, &toys, 3).await;
    let first = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    end(&harness, &first, broken()).await;
    end(&harness, &step, broken()).await;
    assert_eq!(harness.task(parent).await.status, TaskStatus::Failed);
    let beside = "SELECT count(*) FROM steps, fair_clock WHERE kind = 'cancel_children' AND rank >= last_value";
    assert_eq!(harness.database.number(beside).await, 1, "an old rank would give newcomers a place in front of all");
    toys.let_begin(0);
    let running = engine(&harness, &toys);
    for child in &children {
        let expected = if Some(*child) == first.task { TaskStatus::Failed } else { TaskStatus::Cancelled };
        assert_eq!(harness.ended(*child).await.status, expected, "{child}");
    }
    let job = "SELECT count(*) FROM steps WHERE kind = 'cancel_children' AND state = 'done'";
    while harness.database.number(job).await == 0 {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    assert!(toys.made(children[1]).is_empty());
    harness.assert_books_closed().await;

    // A task without children leaves nothing to do.
    let alone = toys.order(harness.principal.org, "toy", json!(ToyOrder::new(1, 1, 1)), 1).await;
    let step = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    end(&harness, &step, broken()).await;
    assert_eq!(harness.task(alone).await.status, TaskStatus::Failed);
    assert_eq!(harness.database.number("SELECT count(*) FROM steps WHERE kind = 'cancel_children'").await, 1);
}

/// The job may come late: what the next run of the parent has ordered is none of its business.
#[tokio::test]
async fn a_parent_that_is_run_again_keeps_what_it_orders_then() {
    let (harness, toys) = toys(0).await;
    let (parent, step, old) = family(&harness, &toys, 2).await;
    end(&harness, &step, broken()).await;
    // As a retry leaves it.
    let again = format!(
        "UPDATE tasks SET status = 'pending', finished_at = NULL, run = 2, stages = '{{\"toy_orders\": [1, 1, 0]}}'
            WHERE id = '{parent}';
         INSERT INTO steps (id, org_id, task_id, run, kind, pool, state, rank, max_attempts, trace_id)
         SELECT gen_random_uuid(), org_id, task_id, 2, kind, pool, 'ready', rank, 3, trace_id FROM steps
            WHERE task_id = '{parent}'"
    );
    harness.database.execute(&again).await;
    let step = harness.claim(ORDERS, 1, "w", LEASE).await.steps.remove(0);
    let new = order_children(&harness, &toys, harness.principal.org, &step, 0..2).await;
    toys.let_begin(0);
    let running = engine(&harness, &toys);
    for child in old {
        assert_eq!(harness.ended(child).await.status, TaskStatus::Cancelled);
    }
    running.stop().await;
    for task in [new[0], new[1], parent] {
        assert!(!harness.task(task).await.status.is_ended(), "{task}");
    }
}

#[tokio::test]
async fn a_parent_that_has_ended_stands_for_its_open_children() {
    let (harness, toys) = toys(0).await;
    let org = harness.principal.org;
    let (parent, step, children) = family(&harness, &toys, 2).await;
    harness.services.pause(org, parent, None).await.unwrap();
    // It does not wait for them.
    end(&harness, &step, Outcome::Done(galley_engine::Output::default())).await;
    assert_eq!(harness.task(parent).await.status, TaskStatus::Completed);
    for child in &children {
        assert!(harness.task(*child).await.row.paused);
    }
    harness.services.resume(org, parent, None).await.unwrap();
    for child in &children {
        assert!(!harness.task(*child).await.row.paused);
    }
    let again = harness.services.resume(org, parent, None).await.unwrap_err();
    assert!(matches!(again, ServiceError::Conflict(_)), "{again:?}");
    harness.services.cancel(org, parent).await.unwrap();
    for child in &children {
        assert_eq!(harness.task(*child).await.status, TaskStatus::Cancelled);
    }
    assert_eq!(harness.task(parent).await.status, TaskStatus::Completed, "what has ended stays as it is");
    for refused in [
        harness.services.cancel(org, parent).await,
        harness.services.pause(org, parent, None).await.map(|paused| paused.value),
    ] {
        assert!(matches!(refused, Err(ServiceError::Conflict(_))), "{refused:?}");
    }
    harness.assert_books_closed().await;
}

/// A child that ended and is run again counts as open, and its second end does not stand for a sibling's.
#[tokio::test]
async fn a_child_that_is_run_again_does_not_wake_its_parent_too_early() {
    let (harness, toys) = toys(0).await;
    let (_, step, children) = family(&harness, &toys, 2).await;
    end(&harness, &step, Outcome::Wait).await;
    assert_eq!(state(&harness, &step).await, "waiting");
    let depth = harness.services.store().queue().depth().await.unwrap();
    assert!(depth.iter().any(|depth| (&*depth.kind, &*depth.state, depth.steps) == ("toy_orders", "waiting", 1)));
    for _ in 0..2 {
        let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
        assert_eq!(plan.task, Some(children[0]));
        end(&harness, &plan, broken()).await;
        assert_eq!(state(&harness, &step).await, "waiting", "the other child is open");
        // As a retry leaves it.
        let again = format!(
            "UPDATE tasks SET status = 'pending', finished_at = NULL, stages = '{{\"toy_plan\": [1, 1, 0]}}'
                WHERE id = '{0}';
             UPDATE steps SET state = 'ready', finished_at = NULL, attempt = 0 WHERE task_id = '{0}'",
            children[0]
        );
        harness.database.execute(&again).await;
    }
    for child in [0, 1] {
        let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
        assert_eq!(plan.task, Some(children[child]));
        end(&harness, &plan, broken()).await;
        assert_eq!(state(&harness, &step).await, ["waiting", "ready"][child]);
    }
}

#[tokio::test]
async fn a_step_that_waits_for_nothing_waits_for_a_moment_and_keeps_its_attempts() {
    let (harness, toys) = toys(0).await;
    let (_, step, _) = family(&harness, &toys, 0).await;
    end(&harness, &step, Outcome::Wait).await;
    assert_eq!(state(&harness, &step).await, "delayed");
    assert_eq!(
        harness.database.number("SELECT count(*) FROM steps WHERE attempt = 0 AND run_at > created_at").await,
        1
    );
    assert!(harness.claim(ORDERS, 1, "w", LEASE).await.steps.is_empty());
}

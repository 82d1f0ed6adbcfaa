//! Steps that follow others begin with them; the process as a whole has a limit.

use std::time::Duration;

use galley_domain::article;
use galley_testkit::{Harness, Move, Script, scripted_steps};

#[tokio::test]
async fn what_follows_begins_in_the_moment_in_which_the_step_before_ends() {
    let harness = Harness::new().await;
    let script = Script::default();
    // A look at everything, which the tick or the first connection of the listener brings, would come in between.
    let engine = harness.engine(scripted_steps(&script), |settings| settings.tick = Duration::from_secs(3600));
    harness.completed(harness.order().await).await;
    let task = harness.order().await;
    harness.completed(task).await;
    engine.stop().await;
    let steps = harness.steps(task).await;
    assert_eq!(steps.len(), 7, "two sections");
    for step in steps {
        // Both are the clock of one transaction, so they are the same or the step was claimed later.
        let at_once = step.started_at == Some(step.created_at);
        assert_eq!(at_once, step.kind != "research", "{}: {} {:?}", step.kind, step.created_at, step.started_at);
        assert_eq!((step.attempt, step.state.as_str()), (1, "done"), "{}", step.kind);
    }
}

#[tokio::test]
async fn with_one_seat_in_the_process_orders_run_one_after_the_other() {
    let harness = Harness::new().await;
    let script = Script::default();
    let tasks = [harness.order().await, harness.order().await, harness.order().await];
    let engine = harness.engine(scripted_steps(&script), |settings| settings.concurrency = 1);
    for task in tasks {
        harness.completed(task).await;
    }
    engine.stop().await;
    let mut at_once = 0;
    for task in tasks {
        at_once += harness.steps(task).await.iter().filter(|step| step.started_at == Some(step.created_at)).count();
    }
    // 15 could, all but research and each second section; a look at everything in between costs one or two.
    assert!(at_once >= 10, "{at_once} steps took over the seat of the one before");
    // Maintenance has no task.
    let mut order: Vec<_> = script.runs().into_iter().filter_map(|(_, _, _, task)| task).collect();
    assert_eq!(order.len(), 21, "seven steps of three orders, each once");
    order.dedup();
    assert_eq!(order, tasks, "the oldest is finished before the next begins");
}

/// The transaction that ended a step and began the next ones stands, and its answer got lost with the connection: the leases
/// that nobody runs go back at once, and nothing is done or written twice.
#[tokio::test]
async fn a_commit_that_stands_and_is_not_heard_of_costs_nothing() {
    let harness = Harness::builder().on_a_line().build().await;
    let line = harness.line.as_ref().unwrap();
    let script = Script::default();
    script.sections(3);
    script.next(article::OUTLINE, [Move::Gate]);
    // Neither a tick nor a lease that runs out may be what helps.
    let engine = harness.engine(scripted_steps(&script), |settings| {
        settings.tick = Duration::from_secs(3600);
        settings.lease = Duration::from_secs(3600);
    });
    let task = harness.order().await;
    harness.until(task, |view| view.row.current_step.as_deref() == Some("outline")).await;
    line.swallow_commits(1);
    script.open();
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(line.left(), 0, "an answer got lost");
    assert_eq!((script.runs_of(article::OUTLINE), script.runs_of(article::DRAFT)), (1, 3));
    for step in harness.steps(task).await {
        assert_eq!((step.attempt, step.state.as_str()), (1, "done"), "{}", step.kind);
    }
    let ends = harness.events(task).await.into_iter().filter(|event| event.kind == "step.completed");
    assert_eq!(ends.count(), 8, "each step ended once");
    harness.assert_books_closed().await;
}

//! Rules 3 and 11: finished exactly once, fenced by the lease; every step carries its trace.

use std::time::Duration;

use galley_domain::{
    task::StepKind,
    usage::{CallOutcome, Usage},
};
use galley_services::{Outcome, StepOutput};
use galley_store::{StoreError, Wanted};
use galley_testkit::{Harness, Script};
use rust_decimal::Decimal;

const LEASE: Duration = Duration::from_secs(30);

pub fn call() -> Usage {
    Usage {
        provider: "test".into(),
        model: "m".into(),
        operation: "section".into(),
        prompt_tokens: 100,
        completion_tokens: 20,
        estimated: false,
        cost_usd: Decimal::new(12, 4),
        duration_ms: 5,
        outcome: CallOutcome::Ok,
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_but_what_it_paid() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let queue = harness.services.store().queue();
    let wanted = [Wanted { kind: StepKind::Research, slots: 1 }];
    let old = queue.claim(&wanted, "old", LEASE).await.unwrap().remove(0);
    harness.database.execute("UPDATE steps SET lease_until = now()").await;
    queue.promote(&[], Duration::ZERO).await.unwrap();
    let new = queue.claim(&wanted, "new", LEASE).await.unwrap().remove(0);

    let output = Outcome::Done(StepOutput::Research { sources: Vec::new(), warnings: vec!["late".into()] });
    let late = harness.services.finish_step(&old, &output, &[call()]).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    assert!(matches!(harness.services.begin_step(&old).await, Err(StoreError::LeaseLost)));
    assert_eq!(harness.steps(task).await.len(), 1, "no next step");
    assert_eq!(harness.task(task).await.row.warnings, serde_json::json!([]));
    assert_eq!(harness.services.task_usage(harness.caller.org, task).await.unwrap().len(), 1);

    harness.services.finish_step(&new, &output, &[]).await.unwrap();
    assert_eq!(harness.steps(task).await.len(), 2);
    let twice = harness.services.finish_step(&new, &output, &[]).await;
    assert!(matches!(twice, Err(StoreError::LeaseLost)), "a second end of the same attempt is refused: {twice:?}");
    assert_eq!(harness.steps(task).await.len(), 2);
}

#[tokio::test]
async fn a_task_goes_through_its_six_steps_and_says_so() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.sections(3);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    let view = harness.completed(task).await;
    engine.stop().await;
    assert_eq!(view.row.progress, 100);
    assert_eq!(view.row.steps_completed, ["research", "outline", "drafting", "seo", "image", "sync"]);
    assert_eq!(script.runs_of(StepKind::Draft), 3);
    assert_eq!(script.runs().len() - script.runs_of(StepKind::Sweep), 8, "each step ran once");

    let events = harness.events(task).await;
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>(), "numbered without gaps");
    assert_eq!(events.first().unwrap().kind, "task.created");
    assert_eq!(events.last().unwrap().kind, "task.completed");
    let progress: Vec<i64> = events.iter().filter_map(|event| event.data["progress"].as_i64()).collect();
    assert!(progress.is_sorted(), "progress never falls: {progress:?}");

    let steps = harness.steps(task).await;
    assert!(steps.iter().all(|step| step.trace_id == view.row.trace_id), "every step carries the trace of its order");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn sections_that_end_at_the_same_moment_start_the_next_step_once() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.sections(12);
    script.next(StepKind::Draft, std::iter::repeat_n(galley_testkit::Move::Gate, 12));
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(StepKind::Draft, 12).await;
    script.open();
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(StepKind::Seo), 1);
}

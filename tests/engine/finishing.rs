//! Rules 3 and 11: finished exactly once, fenced by the lease; every step carries its trace.

use std::{sync::Arc, time::Duration};

use galley_domain::{
    task::StepKind,
    usage::{CallOutcome, Usage},
};
use galley_services::{Entry, Outcome, StepOutput, What};
use galley_store::{ClaimedStep, NewSource, StoreError, Wanted};
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
    let begun = harness.services.write(&[Entry { step: old, begun: Arc::default(), what: What::Begun }]).await;
    assert!(matches!(begun[..], [Err(StoreError::LeaseLost)]), "{begun:?}");
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
    let of = |kind: &str| events.iter().filter(|event| event.kind == kind).map(|event| event.seq).collect::<Vec<_>>();
    let (started, completed) = (of("step.started"), of("step.completed"));
    assert_eq!((started.len(), completed.len()), (8, 8), "each step says once that it began, and once that it ended");
    assert!(started.iter().zip(&completed).all(|(began, ended)| began < ended), "{started:?} {completed:?}");
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
    // The beginnings of the sections were written long before their ends.
    let started = harness.events(task).await.iter().filter(|event| event.kind == "step.started").count();
    assert_eq!(started, 12 + 5, "every step says once that it began");
}

fn end(step: &ClaimedStep, title: &str) -> Entry {
    let source = NewSource {
        number: 1,
        origin: galley_domain::writing::Origin::File { name: "tea.txt".into() },
        title: title.into(),
        language: None,
        text: "Tea is a drink.".into(),
        sha256: String::new(),
        words: 4,
    };
    let outcome = Outcome::Done(StepOutput::Research { sources: vec![source], warnings: Vec::new() });
    let what = What::Ended { outcome: Arc::new(outcome), usage: vec![call()] };
    Entry { step: step.clone(), begun: Arc::default(), what }
}

/// Ends are written in groups; each is still fenced by its own lease, and a bad one fails alone.
#[tokio::test]
async fn in_a_group_every_end_stands_or_falls_by_itself() {
    let harness = Harness::new().await;
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(harness.order().await);
    }
    let queue = harness.services.store().queue();
    let mut steps = queue.claim(&[Wanted { kind: StepKind::Research, slots: 4 }], "w", LEASE).await.unwrap();
    steps.sort_by_key(|step| tasks.iter().position(|task| step.owner.is_some_and(|(_, owner)| owner == *task)));
    harness.services.cancel(harness.caller.org, tasks[1]).await.unwrap();
    // Postgres takes no NUL in a text.
    let titles = ["good", "cancelled", "bad\0", "good too"];
    let entries: Vec<Entry> = steps.iter().zip(titles).map(|(step, title)| end(step, title)).collect();
    let answers = harness.services.write(&entries).await;
    assert!(matches!(answers[0], Ok(Some(_))) && matches!(answers[3], Ok(Some(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(StoreError::LeaseLost)), "{answers:?}");
    assert!(answers[2].as_ref().is_err_and(|error| !error.is_weather()), "{answers:?}");
    for (at, steps, usage) in [(0, 2, 1), (1, 1, 1), (2, 1, 0), (3, 2, 1)] {
        assert_eq!(harness.steps(tasks[at]).await.len(), steps, "{}", titles[at]);
        let recorded = harness.services.task_usage(harness.caller.org, tasks[at]).await.unwrap().len();
        assert_eq!(recorded, usage, "usage of {}", titles[at]);
    }
    // A group that is written again, because its answer got lost, changes nothing.
    let again = harness.services.write(&entries[..1]).await;
    assert!(matches!(again[0], Err(StoreError::LeaseLost)), "{again:?}");
    assert_eq!(harness.steps(tasks[0]).await.len(), 2);
}

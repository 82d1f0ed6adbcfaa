//! Rules 3 and 11: finished exactly once, fenced by the lease; every step carries its trace.

use std::{sync::Arc, time::Duration};

use galley_domain::{
    article,
    usage::{CallOutcome, Usage},
    writing::{Outline, SectionPlan, SectionText, WordRange},
};
use galley_engine::{Entry, Handover, LastSeen, Outcome, What};
use galley_services::pipelines::{self, upkeep::SWEEP};
use galley_store::{ClaimedStep, NewSource, StoreError};
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
        answer: None,
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing_but_what_it_paid() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let old = harness.claim(article::RESEARCH, 1, "old", LEASE).await.steps.remove(0);
    harness.database.execute("UPDATE steps SET lease_until = now()").await;
    harness.promote(Duration::ZERO).await;
    let new = harness.claim(article::RESEARCH, 1, "new", LEASE).await.steps.remove(0);

    let output = Outcome::Done(pipelines::article::research(1, Default::default(), vec!["late".into()]));
    let late = harness.commits().finish_step(&old, &output, &[call()]).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    let begun = Entry { step: old, last_seen: LastSeen::default(), what: What::Begun };
    let begun = harness.commits().write(&[begun], &mut Handover::none()).await.answers;
    assert!(matches!(begun[..], [Err(StoreError::LeaseLost)]), "{begun:?}");
    assert_eq!(harness.steps(task).await.len(), 1, "no next step");
    assert_eq!(harness.task(task).await.row.warnings, serde_json::json!([]));
    assert_eq!(harness.services.task_usage(harness.principal.org, task).await.unwrap().len(), 1);

    harness.commits().finish_step(&new, &output, &[]).await.unwrap();
    assert_eq!(harness.steps(task).await.len(), 2);
    let twice = harness.commits().finish_step(&new, &output, &[]).await;
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
    assert_eq!(script.runs_of(article::DRAFT), 3);
    assert_eq!(script.runs().len() - script.runs_of(SWEEP), 8, "each step ran once");

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
    let trace_id = harness.task_row(task).await.trace_id;
    assert!(steps.iter().all(|step| step.trace_id == trace_id), "every step carries the trace of its order");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn sections_that_end_at_the_same_moment_start_the_next_step_once() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.sections(12);
    script.next(article::DRAFT, std::iter::repeat_n(galley_testkit::Move::Gate, 12));
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(article::DRAFT, 12).await;
    script.open();
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(article::SEO), 1);
    // The beginnings of the sections were written long before their ends.
    let started = harness.events(task).await.iter().filter(|event| event.kind == "step.started").count();
    assert_eq!(started, 12 + 5, "every step says once that it began");
}

pub fn end(step: &ClaimedStep, title: &str) -> Entry {
    let source = NewSource {
        number: 1,
        origin: galley_domain::writing::Origin::File { name: "tea.txt".into() },
        title: title.into(),
        language: None,
        text: "Tea is a drink.".into(),
        sha256: String::new(),
        words: 4,
    };
    let researched = pipelines::article::Researched { sources: vec![source], ..Default::default() };
    let outcome = Outcome::Done(pipelines::article::research(1, researched, Vec::new()));
    let what = What::Ended { outcome: Arc::new(outcome), usage: vec![call()] };
    Entry { step: step.clone(), last_seen: LastSeen::default(), what }
}

/// Ends are written in groups; each is still fenced by its own lease, and a bad one fails alone.
#[tokio::test]
async fn in_a_group_every_end_stands_or_falls_by_itself() {
    let harness = Harness::new().await;
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(harness.order().await);
    }
    let mut steps = harness.claim(article::RESEARCH, 4, "w", LEASE).await.steps;
    steps.sort_by_key(|step| tasks.iter().position(|task| step.task == Some(*task)));
    harness.services.cancel(harness.principal.org, tasks[1]).await.unwrap();
    // Postgres takes no NUL in a text.
    let titles = ["good", "cancelled", "bad\0", "good too"];
    let entries: Vec<Entry> = steps.iter().zip(titles).map(|(step, title)| end(step, title)).collect();
    let answers = harness.commits().write(&entries, &mut Handover::none()).await.answers;
    assert!(matches!(answers[0], Ok(Some(_))) && matches!(answers[3], Ok(Some(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(StoreError::LeaseLost)), "{answers:?}");
    assert!(answers[2].as_ref().is_err_and(|error| !error.is_unavailable()), "{answers:?}");
    for (at, steps, usage) in [(0, 2, 1), (1, 1, 1), (2, 1, 0), (3, 2, 1)] {
        assert_eq!(harness.steps(tasks[at]).await.len(), steps, "{}", titles[at]);
        let recorded = harness.services.task_usage(harness.principal.org, tasks[at]).await.unwrap().len();
        assert_eq!(recorded, usage, "usage of {}", titles[at]);
    }
    // A group that is written again, because its answer got lost, changes nothing.
    let again = harness.commits().write(&entries[..1], &mut Handover::none()).await.answers;
    assert!(matches!(again[0], Err(StoreError::LeaseLost)), "{again:?}");
    assert_eq!(harness.steps(tasks[0]).await.len(), 2);
}

/// What follows a step begins in the transaction that ends it, where there is room; the rest waits to be claimed.
#[tokio::test]
async fn what_follows_begins_with_the_end_before_it_as_far_as_there_is_room() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let queue = harness.services.store().queue();
    let claim = async |kind, slots| harness.claim(kind, slots, "w", LEASE).await.steps;
    let research = claim(article::RESEARCH, 1).await.remove(0);
    let none = pipelines::article::research(1, Default::default(), Vec::new());
    harness.commits().finish_step(&research, &Outcome::Done(none), &[]).await.unwrap();
    let outline = claim(article::OUTLINE, 1).await.remove(0);

    let words = WordRange { min: 1, max: 1 };
    let section = SectionPlan { heading: None, points: Vec::new(), words, passages: Vec::new() };
    let outcome = |title: &str| {
        let outline = Outline { title: title.into(), sections: vec![section.clone(); 3] };
        What::Ended { outcome: Arc::new(Outcome::Done(pipelines::article::outline(&outline))), usage: Vec::new() }
    };
    // The pool of drafts is that of outlines too; the permit of the outline that ends is not among these.
    let two = || harness.handover(Some((article::DRAFT, 1)), LEASE);
    let end = |title| Entry { step: outline.clone(), last_seen: LastSeen::default(), what: outcome(title) };
    let bad = harness.commits().write(&[end("bad\0")], &mut two()).await;
    assert!(bad.answers[0].is_err() && bad.started.is_empty() && bad.doubtful.is_empty(), "{bad:?}");
    let written = harness.commits().write(&[end("good")], &mut two()).await;
    assert!(written.answers[0].is_ok(), "{written:?}");
    let positions: Vec<i32> = written.started.iter().map(|(step, _)| step.position).collect();
    assert_eq!(positions, [0, 1]);
    let drafts: Vec<_> = harness.steps(task).await.into_iter().filter(|step| step.kind == "draft").collect();
    let states: Vec<_> =
        drafts.iter().map(|step| (step.state.as_str(), step.attempt, step.worker.as_deref())).collect();
    assert_eq!(states, [("running", 1, Some("here")), ("running", 1, Some("here")), ("ready", 0, None)]);
    let events = harness.events(task).await;
    let started = events.iter().filter(|event| event.kind == "step.started" && event.data["step"] == "drafting");
    assert_eq!(started.count(), 2, "{events:?}");

    // Its lease is as good as one that was claimed: it ends once, and can be given back without losing an attempt.
    let section = Outcome::Done(pipelines::article::section(&SectionText::default()));
    harness.commits().finish_step(&written.started[0].0, &section, &[]).await.unwrap();
    let twice = harness.commits().finish_step(&written.started[0].0, &section, &[]).await;
    assert!(matches!(twice, Err(StoreError::LeaseLost)), "{twice:?}");
    queue.give_back(&[written.started[1].0.fence]).await.unwrap();
    let left: Vec<(i32, u32)> =
        claim(article::DRAFT, 9).await.iter().map(|step| (step.position, step.attempt)).collect();
    assert_eq!(left, [(1, 1), (2, 1)]);
}

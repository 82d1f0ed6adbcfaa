//! Ends that pipelines get wrong, and what a group of ends means to the tasks in it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use galley_domain::{
    Fault, FaultCode,
    task::{StepKind, TaskStatus},
};
use galley_engine::{Charge, Entry, Handover, Items, LastSeen, Next, Outcome, Output, Pipeline, Stage, StepSeed, What};
use galley_store::{ClaimedStep, Start, StoreError, TaskState};
use galley_testkit::{
    Harness,
    toy::{CHUNK, PLAN, Toy, ToyOrder, Toys},
};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::wide::{engine, toys};

const LEASE: Duration = Duration::from_secs(30);

/// A toy whose pipeline does one thing differently.
#[derive(Debug)]
struct Odd {
    toy: Toy,
    next: Option<Next>,
    charge: Option<Decimal>,
}

impl Odd {
    fn new(may_fail: u8) -> Self {
        Self { toy: Toy::new(may_fail), next: None, charge: None }
    }
}

#[async_trait]
impl Pipeline for Odd {
    fn kind(&self) -> &'static str {
        self.toy.kind()
    }

    fn stages(&self) -> &[Stage] {
        self.toy.stages()
    }

    fn note(&self) -> &'static str {
        self.toy.note()
    }

    // Unlike the toy it says nothing of what a failed chunk costs.

    fn next(&self, task: &TaskState, ended: StepKind) -> Next {
        self.next.clone().unwrap_or_else(|| self.toy.next(task, ended))
    }

    fn charge(&self, task: &TaskState, status: TaskStatus) -> Charge {
        self.charge.map_or_else(|| self.toy.charge(task, status), Charge::Amount)
    }
}

async fn odd(pipeline: Odd) -> (Harness, Toys) {
    let harness = Harness::builder().pipeline(pipeline).build().await;
    let toys = Toys::new(harness.services.store().clone(), Arc::clone(harness.services.registry()));
    (harness, toys)
}

async fn order(harness: &Harness, toys: &Toys, order: ToyOrder) -> Uuid {
    toys.order(harness.principal.org, "toy", json!(order), 10).await
}

async fn end(harness: &Harness, step: &ClaimedStep, outcome: Outcome) -> Result<galley_engine::Ran, StoreError> {
    harness.commits().finish_step(step, &outcome, &[]).await
}

/// Claims the plan and ends it with these chunks behind it.
async fn planned(harness: &Harness, chunks: Vec<StepSeed>, items_total: Option<u32>) -> ClaimedStep {
    let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    let output = Output { items_total, ..Output::default().followed_by(chunks) };
    end(harness, &plan, Outcome::Done(output)).await.unwrap();
    plan
}

fn broken() -> Outcome {
    Outcome::Failed(Fault::permanent(FaultCode::WorkflowError, "broken"))
}

/// Items that no step has counted are lost, whatever the pipeline forgot to say: they must not be charged as made.
#[tokio::test]
async fn items_that_nobody_counted_have_failed() {
    for (may_fail, status) in [(10, TaskStatus::Completed), (9, TaskStatus::Failed)] {
        let (harness, toys) = odd(Odd::new(may_fail)).await;
        let engine = engine(&harness, &toys);
        let task = order(&harness, &toys, ToyOrder { broken: vec![1], ..ToyOrder::new(100, 10, 10) }).await;
        let view = harness.ended(task).await;
        engine.stop().await;
        assert_eq!((view.status, view.row.items_done, view.row.items_failed), (status, 90, 10), "{may_fail} percent");
        let (balance, held) = harness.services.store().tenant(harness.principal.org).credits().await.unwrap();
        assert_eq!((balance, held), (Decimal::from(991), Decimal::ZERO), "ninety of a hundred for a price of ten");
        harness.assert_books_closed().await;
    }
}

#[tokio::test]
async fn a_pipeline_that_begins_nothing_fails_its_task() {
    let (harness, toys) = odd(Odd { next: Some(Next::Begin(Vec::new())), ..Odd::new(0) }).await;
    let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
    planned(&harness, Vec::new(), None).await;
    let view = harness.task(task).await;
    assert_eq!(view.status, TaskStatus::Failed);
    assert_eq!(view.row.error_message.as_deref(), Some("nothing follows, and nothing says it is done"));
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_charge_is_never_below_nothing_and_never_more_than_was_held() {
    for (charge, balance) in [(-5, 1_000), (25, 990)] {
        let (harness, toys) = odd(Odd { charge: Some(Decimal::from(charge)), ..Odd::new(0) }).await;
        let engine = engine(&harness, &toys);
        let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
        harness.completed(task).await;
        engine.stop().await;
        let credits = harness.services.store().tenant(harness.principal.org).credits().await.unwrap();
        assert_eq!(credits, (Decimal::from(balance), Decimal::ZERO), "a charge of {charge}");
        harness.assert_books_closed().await;
    }
}

/// What the group brought is counted before the task ends: keepers have written it already.
#[tokio::test]
async fn a_group_in_which_too_much_fails_is_counted_whole() {
    let (harness, toys) = toys(10).await;
    let task = order(&harness, &toys, ToyOrder::new(100, 50, 2)).await;
    let seeds = StepSeed::fan(CHUNK, 2);
    planned(&harness, seeds, Some(100)).await;
    let chunks = harness.claim(CHUNK, 2, "w", LEASE).await.steps;
    let brought = [Items { done: 30, failed: 20 }, Items { done: 50, failed: 0 }];
    let entries: Vec<Entry> = chunks
        .into_iter()
        .zip(brought)
        .map(|(step, items)| {
            let outcome = Arc::new(Outcome::Done(Output { items, ..Output::default() }));
            Entry { step, last_seen: LastSeen::begun(), what: What::Ended { outcome, usage: Vec::new() } }
        })
        .collect();
    let written = harness.commits().write(&entries, &mut Handover::none()).await;
    assert!(written.answers.iter().all(Result::is_ok), "{:?}", written.answers);
    let view = harness.task(task).await;
    assert_eq!((view.status, view.row.items_done, view.row.items_failed), (TaskStatus::Failed, 80, 20));
    let done = "SELECT count(*) FROM steps WHERE kind = 'toy_chunk' AND state = 'done'";
    assert_eq!(harness.database.number(done).await, 2);
    let told: Vec<String> = harness.events(task).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(told.last().map(String::as_str), Some("task.failed"), "{told:?}");
    harness.assert_books_closed().await;
}

/// A step that begins with a group and whose task ends with it never runs.
#[tokio::test]
async fn what_begins_with_a_group_that_ends_its_task_does_not_begin() {
    let (harness, toys) = toys(10).await;
    order(&harness, &toys, ToyOrder::new(100, 50, 2)).await;
    planned(&harness, StepSeed::fan(CHUNK, 2), Some(100)).await;
    let chunks = harness.claim(CHUNK, 2, "w", LEASE).await.steps;
    let outputs = [
        Output::default().followed_by(vec![StepSeed::new(CHUNK).at_position(2)]),
        Output { items: Items { done: 0, failed: 50 }, ..Output::default() },
    ];
    let entries: Vec<Entry> = chunks
        .into_iter()
        .zip(outputs)
        .map(|(step, output)| Entry {
            step,
            last_seen: LastSeen::begun(),
            what: What::Ended { outcome: Arc::new(Outcome::Done(output)), usage: Vec::new() },
        })
        .collect();
    let written = harness.commits().write(&entries, &mut harness.handover(None, LEASE)).await;
    assert!(written.answers.iter().all(Result::is_ok), "{:?}", written.answers);
    assert!(written.started.is_empty(), "{:?}", written.started);
    let cancelled = "SELECT count(*) FROM steps WHERE kind = 'toy_chunk' AND state = 'cancelled' AND position = 2";
    assert_eq!(harness.database.number(cancelled).await, 1);
}

/// How many steps a stage will have is not known before it has ended, where each brings the next.
#[tokio::test]
async fn a_stage_that_counts_steps_is_judged_when_it_has_ended() {
    // Positions that are broken, of four.
    let cases = [(vec![0], None), (vec![0, 3], Some(TaskStatus::Failed)), (vec![0, 2], Some(TaskStatus::Failed))];
    for (broken_ones, status) in cases {
        let (harness, toys) = toys(30).await;
        let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
        let seed = |position| StepSeed::new(CHUNK).at_position(position);
        planned(&harness, vec![seed(0), seed(1)], None).await;
        // The first is half of what there is when it fails, and a quarter in the end.
        for position in 0..4 {
            let step = harness.claim(CHUNK, 1, "w", LEASE).await.steps.pop().expect("the task goes on");
            assert_eq!(step.position, position);
            let outcome = match position {
                1 => Outcome::Done(Output::default().followed_by(vec![seed(2), seed(3)])),
                _ if broken_ones.contains(&position) => broken(),
                _ => Outcome::Done(Output::default()),
            };
            end(&harness, &step, outcome).await.unwrap();
        }
        let ended = Some(harness.task(task).await.status).filter(|status| status.is_ended());
        assert_eq!(ended, status, "{broken_ones:?}");
    }
}

#[tokio::test]
async fn a_step_that_is_promised_for_later_keeps_its_time_through_a_pause() {
    let (harness, toys) = toys(0).await;
    let org = harness.principal.org;
    let task = order(&harness, &toys, ToyOrder::new(2, 1, 2)).await;
    let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    harness.services.pause(org, task, None).await.unwrap();
    let later = StepSeed::new(CHUNK).starting(Start::After(Duration::from_secs(3600)));
    let output = Output::default().followed_by(vec![later, StepSeed::new(CHUNK).at_position(1)]);
    end(&harness, &plan, Outcome::Done(output)).await.unwrap();
    let in_state = |state: &str| format!("SELECT count(*) FROM steps WHERE kind = 'toy_chunk' AND state = '{state}'");
    assert_eq!(harness.database.number(&in_state("paused")).await, 2);
    harness.services.resume(org, task, None).await.unwrap();
    assert_eq!(harness.database.number(&in_state("delayed")).await, 1);
    let ready = harness.claim(CHUNK, 2, "w", LEASE).await.steps;
    assert_eq!(ready.iter().map(|step| step.position).collect::<Vec<_>>(), [1]);
}

/// A task that is paused before it began has not started.
#[tokio::test]
async fn a_pause_before_the_first_step_is_no_start() {
    let (harness, toys) = toys(0).await;
    let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
    let paused = harness.services.pause(harness.principal.org, task, None).await.unwrap().value;
    assert_eq!((paused.status, paused.row.started_at), (TaskStatus::Pending, None));
    harness.services.resume(harness.principal.org, task, None).await.unwrap();
    assert_eq!(harness.task(task).await.row.started_at, None);
}

/// What a step brings needs somebody who writes it.
#[tokio::test]
async fn a_stage_without_a_keeper_cannot_bring_anything() {
    let (harness, toys) = toys(0).await;
    let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
    let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    let brought = end(&harness, &plan, Outcome::Done(Output::bringing(7_u8))).await;
    let Err(StoreError::Unreadable(text)) = brought else { panic!("{brought:?}") };
    assert_eq!(text, "toy_plan brought something, and its stage has no keeper");
    assert_eq!(harness.task(task).await.status, TaskStatus::Pending, "nothing of it was written");
}

/// The claimer gives a step back that became ready while its task was being paused. A resume that is under way has passed
/// by the step, so whoever gives it back waits for the resume and leaves the step ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_given_back_during_a_resume_is_ready() {
    let (harness, toys) = toys(0).await;
    let task = order(&harness, &toys, ToyOrder::new(1, 1, 1)).await;
    let plan = harness.claim(PLAN, 1, "w", LEASE).await.steps.remove(0);
    harness.services.pause(harness.principal.org, task, None).await.unwrap();
    // The first half of a resume.
    let resuming = harness.database.hold(&format!("UPDATE tasks SET paused = false WHERE id = '{task}'")).await;
    let queue = harness.services.store().queue();
    let giving = tokio::spawn(async move { queue.give_back(&[plan.fence]).await });
    harness.database.waiting_for_locks(1).await;
    resuming.commit().await;
    giving.await.unwrap().unwrap();
    assert_eq!(harness.database.texts("SELECT state FROM steps").await, ["ready"]);
    assert_eq!(harness.claim(PLAN, 1, "w", LEASE).await.steps.len(), 1);
}

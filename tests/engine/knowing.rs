//! Ends that are written from what the process knows of the task, without a look, and what becomes of them when it is no
//! longer so.

use std::{sync::Arc, time::Duration};

use galley_domain::{
    article,
    writing::{Outline, SectionPlan, SectionText, WordRange},
};
use galley_engine::{Entry, Handover, LastSeen, Outcome, Output, What, Written};
use galley_services::pipelines;
use galley_store::{ClaimedStep, Claims, StoreError};
use galley_testkit::Harness;
use uuid::Uuid;

use super::finishing::{call, end};

const LEASE: Duration = Duration::from_secs(30);
const SECTIONS: usize = 3;

fn ended(output: Output) -> What {
    What::Ended { outcome: Arc::new(Outcome::Done(output)), usage: vec![call()] }
}

fn section((step, known): &(ClaimedStep, LastSeen)) -> Entry {
    let what = ended(pipelines::article::section(&SectionText::default()));
    Entry { step: step.clone(), last_seen: known.clone(), what }
}

/// Writes the end of an attempt; `looked` says whether what was known of its task had to be looked up after all.
async fn write(harness: &Harness, entry: &Entry, looked: bool) -> Written {
    let written = harness.commits().write(std::slice::from_ref(entry), &mut harness.handover(None, LEASE)).await;
    assert!(matches!(written.answers[..], [Ok(Some(_))]), "{written:?}");
    assert_eq!(written.was_stale, looked, "{written:?}");
    written
}

/// An order whose research and outline have ended here, and its sections, which have begun.
async fn in_sections(harness: &Harness) -> (Uuid, Vec<(ClaimedStep, LastSeen)>) {
    let task = harness.order().await;
    let claims = harness.claim(article::RESEARCH, 1, "here", LEASE).await;
    let research = Entry {
        step: claims.steps[0].clone(),
        last_seen: LastSeen::claimed(claims.tasks.get(&task).cloned()),
        what: ended(pipelines::article::research(1, Default::default(), vec!["little".into()])),
    };
    assert!(research.is_ready(), "a claim says how the task stands");
    let (step, known) = write(harness, &research, false).await.started.remove(0);
    let words = WordRange { min: 1, max: 1 };
    let plan = SectionPlan { heading: None, points: Vec::new(), words, passages: Vec::new() };
    let outline = Outline { title: "Tea".into(), sections: vec![plan; SECTIONS] };
    let outline = Entry { step, last_seen: known, what: ended(pipelines::article::outline(&outline)) };
    assert!(outline.is_ready());
    let sections = write(harness, &outline, false).await.started;
    assert_eq!(sections.len(), SECTIONS);
    (task, sections)
}

/// Events without gaps, each beginning and end told once, usage of every attempt.
async fn assert_whole(harness: &Harness, task: Uuid, ends: usize) {
    let events = harness.events(task).await;
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>());
    assert_eq!(events.iter().filter(|event| event.kind == "step.completed").count(), ends);
    let row = harness.task(task).await.row.clone();
    assert_eq!(row.event_seq, numbers.len() as i64);
    assert_eq!(row.warnings, serde_json::json!(["little"]));
    assert!(row.started_at.is_some());
    let done = harness.steps(task).await.into_iter().filter(|step| step.state == "done").count();
    assert_eq!(done, ends);
    assert!(harness.services.task_usage(harness.principal.org, task).await.unwrap().len() >= ends);
}

#[tokio::test]
async fn sections_of_one_task_end_without_a_look_also_in_one_group() {
    let harness = Harness::new().await;
    let (task, sections) = in_sections(&harness).await;
    write(&harness, &section(&sections[0]), false).await;
    let group: Vec<Entry> = sections[1..].iter().map(section).collect();
    assert!(group.iter().all(Entry::is_ready), "what one of them wrote is known to the others");
    let written = harness.commits().write(&group, &mut harness.handover(None, LEASE)).await;
    assert!(written.answers.iter().all(Result::is_ok) && !written.was_stale, "{written:?}");
    assert_eq!(written.started.iter().map(|(step, _)| step.kind).collect::<Vec<_>>(), [article::SEO]);
    assert_whole(&harness, task, 2 + SECTIONS).await;
    let row = harness.task_row(task).await;
    assert_eq!((row.stages.of(article::DRAFT).open, row.current_step.as_deref()), (0, Some("seo")));
    assert_eq!(row.steps_completed, ["research", "outline", "drafting"]);
}

#[tokio::test]
async fn what_another_process_wrote_meanwhile_is_looked_up() {
    let harness = Harness::new().await;
    let (task, sections) = in_sections(&harness).await;
    // Another process has this one and knows nothing.
    let other = Entry { last_seen: LastSeen::begun(), ..section(&sections[0]) };
    assert!(!other.is_ready());
    write(&harness, &other, false).await;
    let late = section(&sections[1]);
    assert!(late.is_ready(), "it believes that it knows");
    write(&harness, &late, true).await;
    assert_whole(&harness, task, 4).await;
    assert_eq!(harness.task_row(task).await.stages.of(article::DRAFT).open, 1, "both were counted");
    assert!(section(&sections[2]).is_ready(), "and knows again");
}

#[tokio::test]
async fn a_cancelled_task_takes_no_end_however_well_it_is_known() {
    let harness = Harness::new().await;
    let (task, sections) = in_sections(&harness).await;
    let (bystander, others) = in_sections(&harness).await;
    harness.services.cancel(harness.principal.org, task).await.unwrap();
    let group = [section(&sections[0]), section(&others[0])];
    assert!(group.iter().all(Entry::is_ready));
    let written = harness.commits().write(&group, &mut harness.handover(None, LEASE)).await;
    assert!(matches!(written.answers[..], [Err(StoreError::LeaseLost), Ok(Some(_))]), "{written:?}");
    assert!(written.was_stale, "a second try found it out");
    assert_whole(&harness, task, 2).await;
    assert_whole(&harness, bystander, 3).await;
    assert_eq!(harness.task(task).await.row.status, "cancelled");
    assert_eq!(harness.services.task_usage(harness.principal.org, task).await.unwrap().len(), 3, "it was paid for");
}

/// A lease that ran out is claimed by another without a word about the task, so that its event number says nothing.
#[tokio::test]
async fn a_lost_lease_ends_nothing_although_the_task_is_as_it_was() {
    let harness = Harness::new().await;
    let (task, sections) = in_sections(&harness).await;
    let lost = sections[0].0.fence.step;
    harness.database.execute(&format!("UPDATE steps SET lease_until = now() WHERE id = '{lost}'")).await;
    harness.promote(Duration::ZERO).await;
    let claims = harness.claim(article::DRAFT, 1, "there", LEASE).await;
    assert_eq!(claims.steps[0].fence.step, lost);
    let late = section(&sections[0]);
    assert!(late.is_ready());
    let answers = harness.commits().write(&[late], &mut harness.handover(None, LEASE)).await.answers;
    assert!(matches!(answers[..], [Err(StoreError::LeaseLost)]), "{answers:?}");
    assert_whole(&harness, task, 2).await;
    assert_eq!(harness.task_row(task).await.stages.of(article::DRAFT).open, u32::try_from(SECTIONS).unwrap());
    // Who has it now ends it, and what it follows from is known from the claim.
    let heir = (claims.steps[0].clone(), LastSeen::claimed(claims.tasks.get(&task).cloned()));
    let heir = section(&heir);
    assert!(heir.is_ready());
    let written = harness.commits().write(&[heir], &mut Handover::none()).await;
    assert!(matches!(written.answers[..], [Ok(Some(_))]) && !written.was_stale, "{written:?}");
    assert_whole(&harness, task, 3).await;
}

/// What is written beside tasks and steps waits until both are found to be as they are known.
#[tokio::test]
async fn sources_are_written_under_a_lease_only_and_once() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let claims = harness.claim(article::RESEARCH, 1, "here", LEASE).await;
    let known = |claims: &Claims| LastSeen::claimed(claims.tasks.get(&task).cloned());
    let late = Entry { last_seen: known(&claims), ..end(&claims.steps[0], "tea") };
    harness.database.execute("UPDATE steps SET lease_until = now()").await;
    harness.promote(Duration::ZERO).await;
    let claims = harness.claim(article::RESEARCH, 1, "there", LEASE).await;
    let heir = Entry { last_seen: known(&claims), ..end(&claims.steps[0], "tea") };
    assert!(late.is_ready() && heir.is_ready());
    let written = harness.commits().write(&[late], &mut Handover::none()).await;
    assert!(matches!(written.answers[..], [Err(StoreError::LeaseLost)]) && written.was_stale, "{written:?}");
    let sources = async || harness.services.store().tenant(harness.principal.org).sources(task).await.unwrap().len();
    assert_eq!(sources().await, 0);
    write(&harness, &heir, false).await;
    assert_eq!(sources().await, 1);
    // Its answer got lost, so it is written again.
    assert!(heir.is_ready());
    let again = harness.commits().write(&[heir], &mut Handover::none()).await.answers;
    assert!(matches!(again[..], [Err(StoreError::LeaseLost)]), "{again:?}");
    assert_eq!(sources().await, 1);
}

#[tokio::test]
async fn attempts_of_a_task_share_the_newest_that_is_known_of_it() {
    let harness = Harness::new().await;
    let (task, sections) = in_sections(&harness).await;
    harness.database.execute("UPDATE steps SET lease_until = now() WHERE kind = 'draft'").await;
    harness.promote(Duration::ZERO).await;
    let claims = harness.claim(article::DRAFT, SECTIONS, "here", LEASE).await;
    let first = LastSeen::claimed(claims.tasks.get(&task).cloned());
    let entries = claims.steps.iter().map(|step| {
        // The second of them was claimed by somebody who knew nothing.
        let own =
            if step.position == 1 { LastSeen::default() } else { LastSeen::claimed(claims.tasks.get(&task).cloned()) };
        section(&(step.clone(), own.sharing(&first)))
    });
    let entries: Vec<Entry> = entries.collect();
    assert_eq!(entries.len(), sections.len());
    for entry in &entries {
        write(&harness, entry, false).await;
    }
    assert_whole(&harness, task, 2 + SECTIONS).await;
}

/// After a write that failed nobody knows how the task is.
#[tokio::test]
async fn what_failed_to_be_written_is_not_known_any_more() {
    let harness = Harness::new().await;
    let (_, sections) = in_sections(&harness).await;
    // Postgres takes no NUL in a text.
    let bad = pipelines::article::section(&SectionText { paragraphs: vec!["bad\0".into()] });
    let bad = Entry { what: ended(bad), ..section(&sections[0]) };
    assert!(bad.is_ready());
    let answers = harness.commits().write(std::slice::from_ref(&bad), &mut harness.handover(None, LEASE)).await.answers;
    assert!(answers[0].is_err(), "{answers:?}");
    assert!(!bad.is_ready());
    write(&harness, &section(&sections[0]), false).await;
}

//! Rule 6: cancel reaches a running step, what was paid for stays recorded, held credits return.

use std::time::{Duration, Instant};

use galley_domain::{article, task::TaskStatus};
use galley_services::ServiceError;
use galley_testkit::{Harness, Move, Script};
use rust_decimal::Decimal;

use super::finishing::call;

#[tokio::test]
async fn cancel_drops_a_hanging_call_and_returns_the_credits() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::OUTLINE, [Move::Hang(vec![call()])]);
    let steps = galley_testkit::scripted_steps(&script);
    // With a lease of an hour no heartbeat can be what stops the step.
    let engine = harness.engine(steps, |settings| settings.lease = Duration::from_secs(3600));
    let task = harness.order().await;
    script.wait_for_runs(article::OUTLINE, 1).await;
    let tenant = harness.services.store().tenant(harness.principal.org);
    assert_eq!(tenant.credits().await.unwrap().1, Decimal::from(40), "held while it runs");

    let asked = Instant::now();
    let view = harness.services.cancel(harness.principal.org, task).await.unwrap();
    assert_eq!(view.status, TaskStatus::Cancelled);
    harness.assert_books_closed().await;
    let dropped = || engine.stats.snapshot().get(&article::OUTLINE).map_or(0, |stats| stats.dropped);
    while dropped() == 0 {
        assert!(asked.elapsed() < Duration::from_secs(1), "the call is dropped within a second");
        tokio::task::yield_now().await;
    }
    engine.stop().await;
    let usage = harness.services.task_usage(harness.principal.org, task).await.unwrap();
    assert_eq!(usage.len(), 1, "what was paid for stays recorded");
    assert_eq!(script.runs_of(article::DRAFT), 0);
    assert!(harness.steps(task).await.iter().all(|step| step.state == "done" || step.state == "cancelled"));
    assert_eq!(harness.events(task).await.last().unwrap().kind, "task.cancelled");
}

#[tokio::test]
async fn a_late_word_about_an_earlier_run_stops_nothing() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::RESEARCH, [Move::Gate]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(article::RESEARCH, 1).await;
    let late = format!("SELECT pg_notify('galley', 'another cancel:{}')", task.simple());
    harness.database.execute(&late).await;
    // Words are heard in order: when this order runs, the late word was heard.
    let second = harness.order().await;
    harness.completed(second).await;
    script.open();
    harness.completed(task).await;
    engine.stop().await;
    assert!(harness.steps(task).await.iter().all(|step| step.attempt == 1), "no attempt was dropped");
}

#[tokio::test]
async fn cancelling_twice_or_too_late_is_a_conflict_and_changes_nothing() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    harness.services.cancel(harness.principal.org, task).await.unwrap();
    let again = harness.services.cancel(harness.principal.org, task).await;
    assert!(matches!(again, Err(ServiceError::Conflict(_))), "{again:?}");
    let stranger = harness.other_tenant().await.0;
    let other = harness.services.cancel(stranger.org, task).await;
    assert!(matches!(other, Err(ServiceError::NotFound(_))), "another tenant's task is not there: {other:?}");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn deleting_an_article_that_is_being_written_stops_its_task() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::RESEARCH, [Move::Hang(Vec::new())]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(article::RESEARCH, 1).await;
    let article = harness.task(task).await.row.subject_id.unwrap();
    harness.services.delete_article(harness.principal.org, article).await.unwrap();
    assert_eq!(harness.task(task).await.status, TaskStatus::Cancelled);
    let gone = harness.services.article(harness.principal.org, article).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(_))));
    engine.stop().await;
    harness.assert_books_closed().await;
}

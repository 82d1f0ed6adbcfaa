//! Rule 4: typed outcomes, durable backoff, panics counted.

use std::time::Duration;

use galley_domain::{Fault, FaultCode, Operator, article, task::TaskStatus};
use galley_services::RetryRequest;
use galley_testkit::{Harness, Move, Script};
use uuid::Uuid;

fn transient(after: Option<Duration>) -> Move {
    Move::Fail(Fault::transient(FaultCode::LlmError, "the model is busy").after(after))
}

#[tokio::test]
async fn a_transient_fault_is_tried_again_and_a_permanent_one_is_not() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::RESEARCH, [transient(Some(Duration::ZERO)), Move::Panic]);
    script.next(article::SEO, [Move::Fail(Fault::permanent(FaultCode::LlmError, "the quota is spent"))]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    let view = harness.ended(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(article::RESEARCH), 3, "a fault, a panic, a success");
    assert_eq!(script.runs_of(article::SEO), 1);
    assert_eq!(view.status, TaskStatus::Failed);
    assert_eq!(view.row.error_code.as_deref(), Some("LLM_ERROR"));
    assert_eq!(view.row.error_message.as_deref(), Some("the quota is spent"));
    let retries: Vec<_> = harness.events(task).await.into_iter().filter(|event| event.kind == "step.retry").collect();
    assert_eq!(retries.len(), 2);
    assert_eq!(retries[0].data["error"]["message"], "the model is busy");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn attempts_end() {
    let harness = Harness::builder().policy(article::OUTLINE, |policy| policy.max_attempts = 3).build().await;
    let script = Script::default();
    script.next(article::OUTLINE, std::iter::repeat_n(transient(None), 9));
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    let view = harness.ended(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(article::OUTLINE), 3, "none lost, none too many");
    assert_eq!(view.row.error_message.as_deref(), Some("the model is busy (after 3 attempts)"));
    let article = harness.services.article(harness.principal.org, view.row.subject_id.unwrap()).await.unwrap();
    assert_eq!((article.status.as_str(), article.error.as_deref()), ("failed", view.row.error_message.as_deref()));
}

#[tokio::test]
async fn a_delay_is_durable_and_holds_no_slot() {
    let harness = Harness::builder().policy(article::RESEARCH, |policy| policy.concurrency = Some(1)).build().await;
    let script = Script::default();
    script.next(article::RESEARCH, [transient(Some(Duration::from_secs(600)))]);
    let engine = harness.scripted(&script);
    let waiting = harness.order().await;
    harness.until(waiting, |view| view.row.status == "processing").await;
    let other = harness.order().await;
    harness.completed(other).await;
    let step = harness.steps(waiting).await.remove(0);
    assert_eq!((step.state.as_str(), step.attempt), ("delayed", 1));
    assert!((step.run_at - step.created_at).num_seconds() >= 590, "what the peer asked for is kept");
    engine.stop().await;
    // Another process finds it when its time has come.
    harness.database.execute("UPDATE steps SET run_at = now() WHERE state = 'delayed'").await;
    let engine = harness.scripted(&Script::default());
    harness.completed(waiting).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_snooze_costs_no_attempt() {
    let harness = Harness::builder().policy(article::RESEARCH, |policy| policy.max_attempts = 1).build().await;
    let script = Script::default();
    script.next(article::RESEARCH, std::iter::repeat_n(Move::Snooze(Duration::from_millis(50)), 3));
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(article::RESEARCH), 4);
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_dropped_and_counts() {
    let harness = Harness::builder()
        .policy(article::IMAGE, |policy| {
            policy.timeout = Duration::from_millis(200);
            policy.max_attempts = 2;
        })
        .build()
        .await;
    let script = Script::default();
    script.next(article::IMAGE, [Move::Hang(Vec::new()), Move::Hang(Vec::new())]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    let view = harness.ended(task).await;
    engine.stop().await;
    assert_eq!(view.status, TaskStatus::Failed);
    assert_eq!(view.row.error_message.as_deref(), Some("the image step took longer than it may (after 2 attempts)"));
}

#[tokio::test]
async fn a_failed_task_goes_on_from_the_step_that_failed() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::SYNC, [Move::Fail(Fault::permanent(FaultCode::WorkflowError, "no such folder"))]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    assert_eq!(harness.ended(task).await.status, TaskStatus::Failed);
    harness.assert_books_closed().await;
    let services = &harness.services;
    services.retry(&harness.principal, task, RetryRequest::default(), "trace", None).await.unwrap();
    let view = harness.completed(task).await;
    engine.stop().await;
    assert_eq!(view.row.run, 2);
    assert_eq!(script.runs_of(article::RESEARCH), 1);
    assert_eq!(script.runs_of(article::SYNC), 2);
    assert_eq!(view.row.steps_completed.len(), 6);
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn a_retry_from_draft_writes_a_second_version() {
    let harness = Harness::new().await;
    let script = Script::default();
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    let article = harness.completed(task).await.row.subject_id.unwrap();
    let request = RetryRequest { from: Some("drafting".into()), edited: None };
    harness.services.retry(&harness.principal, task, request, "trace", None).await.unwrap();
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(script.runs_of(article::OUTLINE), 1);
    assert_eq!(script.runs_of(article::DRAFT), 4);
    let (versions, _) = harness.services.article_versions(harness.principal.org, article, 100, 0).await.unwrap();
    assert_eq!(versions.iter().map(|version| version.version).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn a_running_task_cannot_be_retried_and_a_missing_input_is_named() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let busy = harness.services.retry(&harness.principal, task, RetryRequest::default(), "t", None).await.unwrap_err();
    assert!(busy.to_string().contains("the task is pending"), "{busy}");
    harness.services.cancel(harness.principal.org, task).await.unwrap();
    let request = RetryRequest { from: Some("seo".into()), edited: None };
    let early = harness.services.retry(&harness.principal, task, request, "t", None).await.unwrap_err();
    let galley_services::ServiceError::Validation(errors) = early else { panic!("{early}") };
    assert!(errors[0].message.contains("no finished research step"), "{errors:?}");
}

#[tokio::test]
async fn what_to_resume_is_the_own_newest_order() {
    let harness = Harness::builder().credits(5000).build().await;
    let (me, other) = (Operator::of_this_machine().within(harness.principal.org), harness.principal.clone());
    let newest = async || harness.services.newest_uncompleted(&me).await.unwrap().map(|task| task.row.id);
    assert_eq!(newest().await, None, "nothing was ordered");
    let older = harness.order_as(&me).await;
    let newer = harness.order_as(&me).await;
    for _ in 0..60 {
        harness.order_as(&other).await;
    }
    assert_eq!(newest().await, Some(newer), "others do not hide it");
    let note = async |key: &str| {
        harness.database.execute(&format!("UPDATE tasks SET api_key_id = {key} WHERE id = '{newer}'")).await;
    };
    note(&format!("'{}'", Uuid::nil())).await;
    assert_eq!(newest().await, Some(newer), "as the command line once noted its orders");
    note("NULL").await;
    let parent_is = async |parent: &str| {
        harness.database.execute(&format!("UPDATE tasks SET parent_id = {parent} WHERE id = '{newer}'")).await;
    };
    parent_is(&format!("'{older}'")).await;
    assert_eq!(newest().await, Some(older), "what a task has ordered is not for anybody to resume");
    parent_is("NULL").await;
    let complete = format!("UPDATE tasks SET status = 'completed', finished_at = now() WHERE id = '{newer}'");
    harness.database.execute(&complete).await;
    assert_eq!(newest().await, Some(older), "what was completed is done with");
    harness.services.cancel(harness.principal.org, older).await.unwrap();
    assert_eq!(newest().await, Some(older), "what was cancelled can go on");
}

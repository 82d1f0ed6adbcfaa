//! Rule 8: a database outage is survived.

use std::time::Duration;

use galley_domain::article;
use galley_engine::Part;
use galley_services::pipelines::{UPKEEP, upkeep::SWEEP};
use galley_store::{Store, StoreSettings};
use galley_testkit::{Harness, Move, Script};

#[tokio::test]
async fn an_outage_in_the_middle_of_steps_costs_no_attempt_and_ends_nothing() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.sections(4);
    script.next(article::DRAFT, std::iter::repeat_n(Move::Gate, 4));
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(article::DRAFT, 4).await;
    harness.database.go_away().await;
    // All four end while nobody can write it down.
    script.open();
    // Every part of the engine asks in vain, and asks again.
    let refused = async {
        let often = |part| engine.stats.refusals().get(&part).is_some_and(|count| *count >= 2);
        while ![Part::Claim, Part::Renew, Part::Write].into_iter().all(often) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused).await.expect("every part asks twice within a minute");
    harness.database.come_back().await;
    let view = harness.completed(task).await;
    engine.stop().await;
    assert_eq!(view.row.steps_completed.len(), 6);
    assert!(harness.steps(task).await.iter().all(|step| step.attempt == 1), "no attempt is used up by the outage");
    assert_eq!(script.runs_of(article::DRAFT), 4, "what was finished in the outage is written, not done again");
    harness.assert_books_closed().await;
}

#[tokio::test]
async fn cut_connections_are_made_anew_and_wake_ups_come_again() {
    let harness = Harness::new().await;
    let engine = harness.scripted(&Script::default());
    for _ in 0..3 {
        harness.database.cut_connections().await;
        let task = harness.order().await;
        harness.completed(task).await;
    }
    engine.stop().await;
}

/// A client hangs up or a task is cancelled while a transaction begins: the connection goes back to the pool, and what
/// the next user writes on it must stand.
#[tokio::test]
async fn a_transaction_dropped_while_it_begins_leaves_nothing_open() {
    let harness = Harness::new().await;
    let store = harness.database.store_of(1).await;
    for round in 0..200 {
        let limit = Duration::from_micros(round * 20);
        drop(tokio::time::timeout(limit, store.begin(harness.principal.org)).await);
        let key = format!("round/{round}");
        assert!(store.queue().schedule(SWEEP, UPKEEP, &key, 1).await.unwrap());
        let sql = format!("SELECT count(*) FROM steps WHERE unique_key = '{key}'");
        assert_eq!(harness.database.number(&sql).await, 1, "round {round}: what was written stands");
    }
}

/// An outage passes; a statement that took too long takes as long the next time.
#[tokio::test]
async fn a_statement_that_takes_too_long_is_no_outage() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let mut settings = StoreSettings::new(&harness.database.url);
    settings.statement_timeout = Duration::from_millis(100);
    let hurried = Store::connect(&settings).await.unwrap();
    let holder = harness.services.store().begin(harness.principal.org).await.unwrap();
    holder.lock_task(task).await.unwrap();
    let waiter = hurried.begin(harness.principal.org).await.unwrap();
    let error = waiter.lock_task(task).await.unwrap_err();
    assert!(error.to_string().contains("statement timeout"), "{error}");
    assert!(!error.is_unavailable(), "{error:?}");
    harness.database.go_away().await;
    let error = hurried.ping().await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

/// A sweep that meets an outage is put off, not called done.
#[tokio::test]
async fn a_job_in_an_outage_runs_again_without_losing_an_attempt() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(SWEEP, [Move::Snooze(Duration::from_millis(50))]);
    let engine = harness.scripted(&script);
    script.wait_for_runs(SWEEP, 2).await;
    engine.stop().await;
    let done = "SELECT count(*) FROM steps WHERE kind = 'sweep' AND state = 'done' AND attempt = 1";
    assert_eq!(harness.database.number(done).await, 1);
}

//! Rule 9: a stop drains, and what is not done in time gives its lease back without losing an attempt.

use std::time::Duration;

use galley_domain::article;
use galley_testkit::{Harness, Move, Script};

use super::finishing::call;

#[tokio::test]
async fn steps_in_flight_may_finish_and_nothing_new_is_claimed() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::RESEARCH, [Move::Gate]);
    let engine = harness.scripted(&script);
    let task = harness.order().await;
    script.wait_for_runs(article::RESEARCH, 1).await;
    engine.ask_to_stop();
    script.open();
    engine.stop().await;
    let steps = harness.steps(task).await;
    assert_eq!(steps[0].state, "done", "it was let finish");
    assert_eq!((steps[1].kind.as_str(), steps[1].state.as_str(), steps[1].attempt), ("outline", "ready", 0));
}

#[tokio::test]
async fn a_step_that_does_not_end_gives_its_lease_back() {
    let harness = Harness::new().await;
    let script = Script::default();
    script.next(article::RESEARCH, [Move::Hang(Vec::new())]);
    let steps = galley_testkit::scripted_steps(&script);
    let engine = harness.engine(steps, |settings| settings.drain = Duration::from_millis(100));
    let task = harness.order().await;
    script.wait_for_runs(article::RESEARCH, 1).await;
    engine.stop().await;
    let step = harness.steps(task).await.remove(0);
    assert_eq!((step.state.as_str(), step.attempt), ("ready", 0), "claimable at once, no attempt lost");
    let heir = harness.scripted(&Script::default());
    harness.completed(task).await;
    heir.stop().await;
}

#[tokio::test]
async fn what_a_returned_attempt_and_its_heir_paid_is_kept_both() {
    let harness = Harness::new().await;
    for _ in 0..2 {
        let script = Script::default();
        script.next(article::RESEARCH, [Move::Hang(vec![call()])]);
        let steps = galley_testkit::scripted_steps(&script);
        let engine = harness.engine(steps, |settings| settings.drain = Duration::from_millis(100));
        if harness.database.number("SELECT count(*) FROM tasks").await == 0 {
            harness.order().await;
        }
        script.wait_for_runs(article::RESEARCH, 1).await;
        engine.stop().await;
    }
    let paid = "SELECT count(*) FROM usage_records WHERE attempt = 1";
    assert_eq!(harness.database.number(paid).await, 2, "both were attempt 1, and both were paid");
}

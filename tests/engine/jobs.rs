//! Steps without a task, those who follow events, and pools that another configuration has.

use std::time::Duration;

use galley_domain::{Fault, FaultCode, article, task::PoolName};
use galley_engine::{Outcome, Output, StepSeed};
use galley_services::pipelines::{UPKEEP, upkeep::SWEEP};
use galley_store::Start;
use galley_testkit::{Harness, Move, Script, scripted_steps};

use super::finishing::call;

const LEASE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_job_is_retried_and_fails_like_any_other_step() {
    let harness = Harness::builder().policy(SWEEP, |policy| policy.max_attempts = 2).build().await;
    let script = Script::default();
    let fault = || Move::Fail(Fault::transient(FaultCode::WorkflowError, "away").after(Some(Duration::ZERO)));
    script.next(SWEEP, [fault(), fault()]);
    let engine = harness.scripted(&script);
    script.wait_for_runs(SWEEP, 2).await;
    engine.stop().await;
    let failed = "SELECT count(*) FROM steps WHERE kind = 'sweep' AND state = 'failed' AND attempt = 2
        AND error_message = 'away (after 2 attempts)' AND finished_at IS NOT NULL";
    assert_eq!(harness.database.number(failed).await, 1);
}

#[tokio::test]
async fn who_follows_events_gets_a_job_for_each_transaction_that_tells_something() {
    let harness = Harness::new().await;
    let (other, _) = harness.other_tenant().await;
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    tx.follow_events(SWEEP, UPKEEP, 3).await.unwrap();
    tx.commit().await.unwrap();
    let task = harness.order().await;
    harness.order_as(&other).await;
    let steps = scripted_steps(&Script::default());
    // The followers' jobs are not run, so that they can be looked at.
    let engine = harness.engine(steps, |settings| settings.kinds = article::STEPS.to_vec());
    harness.completed(task).await;
    engine.stop().await;
    let heard = |what: &str| format!("SELECT count(*) FROM steps WHERE kind = 'sweep' AND task_id IS NULL {what}");
    let groups = format!("SELECT count(*) FROM event_groups WHERE task_id = '{task}'");
    let told = harness.database.number(&groups).await;
    assert!(told > 3);
    assert_eq!(harness.database.number(&heard("")).await, told, "one for each, and none for the other tenant's");
    let of_it =
        format!("AND subject_id = '{task}' AND payload->>'kind' = 'article' AND org_id = '{}'", harness.principal.org);
    assert_eq!(harness.database.number(&heard(&of_it)).await, told);
    let ended = "AND payload->'events' @> '[{\"kind\": \"task.completed\"}]'";
    assert_eq!(harness.database.number(&heard(ended)).await, 1);

    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    tx.announce("article.updated", task, serde_json::json!({ "a": 1 })).await.unwrap();
    tx.unfollow_events(SWEEP).await.unwrap();
    tx.announce("article.updated", task, serde_json::json!({ "a": 2 })).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(harness.database.number(&heard("AND payload->'events'->0->'data' = '{\"a\": 1}'")).await, 1);
    assert_eq!(harness.database.number(&heard("")).await, told + 1, "nobody follows any more");
}

/// A limit of its own gives a kind a pool of its own; steps that were added before, or by another process, are not stranded.
#[tokio::test]
async fn steps_in_a_pool_that_nobody_has_are_adopted() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    harness.database.execute("UPDATE steps SET pool = 'research'").await;
    let engine = harness.scripted(&Script::default());
    harness.completed(task).await;
    engine.stop().await;
    assert_eq!(harness.database.number("SELECT count(*) FROM steps WHERE pool = 'research'").await, 0);
    let store = harness.services.store();
    let moved = store.queue().adopt(&[(article::RESEARCH, PoolName::new("reading"))]).await.unwrap();
    assert_eq!(moved, 0);
}

/// A claim begins behind what was claimed before; what becomes ready below that is found by its notification, not by the
/// tick.
#[tokio::test]
async fn a_step_that_comes_back_with_an_old_rank_is_claimed_at_once() {
    let harness = Harness::builder().policy(article::RESEARCH, |policy| policy.concurrency = Some(1)).build().await;
    let script = Script::default();
    let soon = Fault::transient(FaultCode::WorkflowError, "away").after(Some(Duration::from_millis(300)));
    script.next(article::RESEARCH, [Move::Fail(soon)]);
    let engine = harness.engine(scripted_steps(&script), |settings| settings.tick = Duration::from_secs(3600));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(harness.order().await);
    }
    for task in tasks {
        harness.completed(task).await;
    }
    engine.stop().await;
}

/// Kinds that nobody here knows may stand in the same pool, however many.
#[tokio::test]
async fn steps_behind_many_that_nobody_here_knows_are_adopted() {
    let harness = Harness::new().await;
    let task = harness.order().await;
    let strangers = "UPDATE steps SET pool = 'elsewhere', rank = 5000;
        INSERT INTO steps (id, kind, pool, state, rank, max_attempts, trace_id)
        SELECT gen_random_uuid(), 'unknown_here', 'elsewhere', 'ready', n, 1, 't' FROM generate_series(1, 1500) AS n";
    harness.database.execute(strangers).await;
    let engine = harness.scripted(&Script::default());
    harness.completed(task).await;
    engine.stop().await;
    let left = "SELECT count(*) FROM steps WHERE pool = 'elsewhere' AND state = 'ready'";
    assert_eq!(harness.database.number(left).await, 1500, "and they are left alone");
}

/// With an old rank a job that waits would give everybody who orders meanwhile a place in front of all who wait.
#[tokio::test]
async fn a_job_stands_beside_what_was_claimed_last() {
    let harness = Harness::builder().credits(100_000).build().await;
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    let registry = harness.services.registry();
    let later = StepSeed::new(SWEEP).starting(Start::After(Duration::from_millis(1)));
    tx.add_steps(&[registry.new_step(later, "t").unwrap()]).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..60 {
        harness.order().await;
    }
    harness.claim(article::RESEARCH, 50, "w", LEASE).await;
    let clock = harness.database.number("SELECT last_value FROM fair_clock").await;
    harness.promote(LEASE).await;
    let queue = harness.services.store().queue();
    assert!(queue.schedule(SWEEP, UPKEEP, "sweep/now", 1).await.unwrap());
    let lowest = "SELECT min(rank) FROM steps WHERE kind = 'sweep' AND state = 'ready'";
    assert_eq!(harness.database.number(lowest).await, clock, "both, the delayed one too");
    assert_eq!(harness.database.number("SELECT count(*) FROM steps WHERE kind = 'sweep' AND state = 'ready'").await, 2);
    let (idle, _) = harness.other_tenant().await;
    harness.order_as(&idle).await;
    let rank = format!("SELECT last_rank FROM organizations WHERE id = '{}'", idle.org);
    assert!(harness.database.number(&rank).await >= clock, "a newcomer stands beside them, not in front of all");
}

/// One connection listens; the rest is enough for claims and for writing.
#[tokio::test]
async fn an_engine_works_with_very_few_connections() {
    for connections in [1, 2, 3] {
        let harness = Harness::builder().connections(connections).build().await;
        let engine = harness.scripted(&Script::default());
        let task = harness.order().await;
        harness.completed(task).await;
        engine.stop().await;
    }
}

/// What a job calls for its organization is paid for like any other call, also when it is stopped.
#[tokio::test]
async fn what_a_job_has_used_is_recorded() {
    let harness = Harness::new().await;
    let tx = harness.services.store().begin(harness.principal.org).await.unwrap();
    let registry = harness.services.registry();
    let jobs = [0, 1].map(|position| registry.new_step(StepSeed::new(SWEEP).at_position(position), "t").unwrap());
    tx.add_steps(&jobs).await.unwrap();
    tx.commit().await.unwrap();
    let jobs = harness.claim(SWEEP, 2, "w", LEASE).await.steps;
    let [ended, stopped] = jobs.as_slice() else { panic!("two jobs, not {jobs:?}") };
    harness.commits().finish_step(ended, &Outcome::Done(Output::default()), &[call()]).await.unwrap();
    harness.commits().record_usage(stopped, &[call()]).await.unwrap();
    let used = format!(
        "SELECT count(*) FROM usage_records WHERE task_id IS NULL AND org_id = '{}' AND step_id IN ('{}', '{}')",
        harness.principal.org, ended.fence.step, stopped.fence.step
    );
    assert_eq!(harness.database.number(&used).await, 2);
}

//! From where looks at the queue and at the clock begin: dead entries of what is past must not slow them down for ever.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use galley_domain::{article, task::StepKind};
use galley_engine::{Outcome, StepSeed};
use galley_services::pipelines::{self, MODELS, READING, UPKEEP, upkeep::SWEEP};
use galley_store::{HoldOutcome, Notification, Start};
use galley_testkit::Harness;
use rust_decimal::Decimal;
use tokio::sync::broadcast::error::TryRecvError;

const LEASE: Duration = Duration::from_secs(30);
/// How long a look takes that others keep waiting.
const SLOW: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_look_at_the_clock_leaves_out_what_was_taken_care_of_before() {
    let harness = Harness::new().await;
    let kinds: Vec<StepKind> = harness.services.registry().kinds().collect();
    for _ in 0..2 {
        harness.order().await;
    }
    let mut claimed = harness.claim(article::RESEARCH, 2, "w", LEASE).await.steps;
    let (early, late) = (claimed.remove(0).fence, claimed.remove(0).fence);
    let set = |ago: &str, id| format!("UPDATE steps SET lease_until = now() - interval '{ago}' WHERE id = '{id}'");
    harness.database.execute(&set("1 hour", early.step)).await;
    harness.database.execute(&set("1 minute", late.step)).await;
    let delayed = "INSERT INTO steps (id, kind, pool, state, rank, max_attempts, trace_id, run_at)
        SELECT gen_random_uuid(), 'sweep', 'upkeep', 'delayed', 0, 1, 't', now() - ago
        FROM unnest('{1 hour, 1 minute}'::interval[]) AS ago";
    harness.database.execute(delayed).await;

    let queue = harness.services.store().queue();
    let before = Utc::now();
    let half_an_hour_ago = Some(before - TimeDelta::minutes(30));
    let promotion = queue.promote(&[], &kinds, Duration::ZERO, half_an_hour_ago).await.unwrap();
    let ready = "SELECT count(*) FROM steps WHERE state = 'ready'";
    assert_eq!(harness.database.number(ready).await, 2, "one of each");
    let since = promotion.since.unwrap();
    assert!(since < before && before - since < TimeDelta::seconds(30), "{since}: the next look begins about now");

    let promotion = queue.promote(&[early], &kinds, Duration::ZERO, None).await.unwrap();
    assert_eq!(harness.database.number(ready).await, 3, "a look at everything finds the job");
    let since = promotion.since.unwrap();
    assert!(before - since > TimeDelta::minutes(59), "{since}: what could not be taken care of is not left out");
    queue.promote(&[], &kinds, Duration::ZERO, Some(since)).await.unwrap();
    assert_eq!(harness.database.number(ready).await, 4);
}

/// A look at everything that takes long is not taken for a while; orders then look from where they know the oldest step to be.
#[tokio::test]
async fn an_order_finds_its_place_from_what_the_process_knows_of_the_queue() {
    let harness = Harness::new().await;
    let (other, _) = harness.other_tenant().await;
    for _ in 0..3 {
        harness.order().await;
    }
    harness.database.execute("UPDATE steps SET rank = rank + 100 WHERE state = 'ready'").await;
    let oldest = harness.database.number("SELECT min(rank) FROM steps WHERE state = 'ready'").await;
    let place = async |store: &galley_store::Store| {
        let tx = store.begin_order(other.org).await.unwrap();
        let outcome = tx.reserve(Decimal::ONE).await.unwrap();
        tx.rollback().await.unwrap();
        match outcome {
            HoldOutcome::Held { rank, .. } => rank,
            HoldOutcome::Insufficient { available } => panic!("{available} credits are left"),
        }
    };

    let patient = harness.database.store().await;
    patient.expect_pools([READING, MODELS]);
    let held = harness.database.hold("LOCK TABLE steps IN ACCESS EXCLUSIVE MODE").await;
    let first = tokio::spawn({
        let (patient, org) = (patient.clone(), other.org);
        async move { patient.begin_order(org).await.unwrap().rollback().await.unwrap() }
    });
    harness.database.waiting_for_locks(1).await;
    tokio::time::sleep(SLOW).await;
    held.release().await;
    first.await.unwrap();

    assert_eq!(place(&patient).await, oldest);
    let lower = format!("UPDATE steps SET rank = 50 WHERE rank = {}", oldest + 2);
    harness.database.execute(&lower).await;
    assert_eq!(place(&patient).await, oldest, "it does not look in front of that");
    assert_eq!(place(&harness.database.store().await).await, 50, "who has not looked yet looks at everything");
    let next = format!("UPDATE steps SET state = 'done' WHERE rank = {oldest}");
    harness.database.execute(&next).await;
    assert_eq!(place(&patient).await, oldest + 1, "and sees how things are from there on");

    let elsewhere = format!("UPDATE steps SET pool = 'models', rank = 60 WHERE rank = {}", oldest + 1);
    harness.database.execute(&elsewhere).await;
    assert_eq!(place(&patient).await, 60, "in a pool that may have something, from what ran or was claimed last");
    patient.close().await;
}

/// With an old rank a job gives everybody who orders meanwhile a place in front of all who wait; said without its rank, it
/// makes every claimer look at everything.
#[tokio::test]
async fn a_job_stands_beside_what_was_claimed_last_and_is_said_with_that_place() {
    let harness = Harness::builder().credits(100_000).build().await;
    let store = harness.services.store();
    let tx = store.begin(harness.principal.org).await.unwrap();
    tx.follow_events(SWEEP, UPKEEP, 3).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..60 {
        harness.order().await;
    }
    let claimed = harness.claim(article::RESEARCH, 50, "w", LEASE).await.steps;
    let clock = harness.database.number("SELECT last_value FROM fair_clock").await;
    assert!(clock > claimed[0].rank + 40);
    harness.database.execute("DELETE FROM steps WHERE kind = 'sweep'").await;
    let mut words = store.own_words();
    let mut places = async |what: &str| {
        let ranks = harness.database.texts("DELETE FROM steps WHERE kind = 'sweep' RETURNING rank::text").await;
        assert_eq!(ranks, [clock.to_string()], "{what}");
        let mut said = Vec::new();
        loop {
            match words.try_recv() {
                Ok(all) => said.extend(all.iter().filter_map(|word| match *word {
                    Notification::Steps { pool: UPKEEP, rank } => Some(rank),
                    _ => None,
                })),
                Err(TryRecvError::Empty) => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(said, [clock], "{what}");
    };

    let output = Outcome::Done(pipelines::article::research(1, Default::default(), Vec::new()));
    harness.commits().finish_step(&claimed[0], &output, &[]).await.unwrap();
    places("of a step that ends").await;
    let task = claimed[1].task.unwrap();
    let tx = store.begin(harness.principal.org).await.unwrap();
    tx.emit(task, "task.seen", serde_json::json!({})).await.unwrap();
    tx.commit().await.unwrap();
    places("of an event").await;
    let tx = store.begin(harness.principal.org).await.unwrap();
    tx.announce("article.updated", task, serde_json::json!({})).await.unwrap();
    tx.commit().await.unwrap();
    places("of what belongs to no task").await;
    let tx = store.begin(harness.principal.org).await.unwrap();
    tx.add_steps(&[harness.services.registry().new_step(StepSeed::new(SWEEP), "t").unwrap()]).await.unwrap();
    tx.commit().await.unwrap();
    places("of a use case").await;
    assert!(store.queue().schedule(SWEEP, UPKEEP, "sweep/now", 1).await.unwrap());
    places("that comes by itself").await;
    assert_eq!(StepSeed::new(SWEEP).start, Start::Now);
}

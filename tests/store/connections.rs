//! Connections that are few, dead, or lead to a server that only reads.

use std::{sync::Arc, time::Duration};

use galley_domain::task::TaskStatus;
use galley_services::ServiceError;
use galley_store::{Store, StoreSettings};
use galley_testkit::{Harness, Script, TestDatabase};
use tokio::sync::Barrier;

/// The role may have fewer connections than a process would take: everything works at the speed of what there is.
#[tokio::test]
async fn a_server_that_allows_few_connections_costs_time_and_no_error() {
    // One listens, and each of the two pools has its first.
    for allowed in [3, 6] {
        let harness = Arc::new(Harness::builder().connections(20).allowed(allowed).build().await);
        let engine = harness.scripted(&Script::default());
        let barrier = Arc::new(Barrier::new(24));
        let clients = (0..24).map(|_| {
            let (harness, barrier) = (Arc::clone(&harness), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                let task = harness.order().await;
                harness.services.task(harness.principal.org, task).await.expect("it is looked up");
                task
            })
        });
        for client in futures::future::join_all(clients).await {
            let view = harness.completed(client.expect("no client fails")).await;
            assert_eq!(view.status, TaskStatus::Completed);
        }
        assert!(harness.steps_beyond_first_attempt().await == 0, "no attempt is used up by waiting");
        engine.stop().await;
    }
}

/// Whoever was there first does not keep a newcomer out for ever: what it does not use it closes.
#[tokio::test]
async fn a_second_process_finds_room_and_both_go_on() {
    let database = TestDatabase::new().await;
    let settings =
        StoreSettings { idle_timeout: Duration::from_secs(1), ..StoreSettings::new(database.as_role_of(5).await) };
    let first = Store::connect(&settings).await.expect("it answers");
    let busy = futures::future::join_all((0..40).map(|_| first.ping())).await;
    assert!(busy.into_iter().all(|answer| answer.is_ok()));
    let second = async {
        loop {
            match Store::connect(&settings).await {
                Ok(store) => break store,
                Err(error) => assert!(error.is_unavailable(), "{error:?}"),
            }
        }
    };
    let second = tokio::time::timeout(Duration::from_secs(60), second).await.expect("there is room within a minute");
    let both = (0..40).map(|number| if number % 2 == 0 { first.ping() } else { second.ping() });
    for answer in futures::future::join_all(both).await {
        answer.expect("both answer");
    }
    first.close().await;
    second.close().await;
}

/// What died while nobody used it, a moment ago or long ago, is no request's trouble.
#[tokio::test]
async fn connections_that_died_while_idle_fail_nobody() {
    let harness = Harness::new().await;
    for _ in 0..5 {
        let opened = futures::future::join_all((0..8).map(|_| harness.services.ping())).await;
        assert!(opened.into_iter().all(|answer| answer.is_ok()));
        harness.database.cut_connections().await;
        harness.services.principal(&harness.secret).await.expect("the key is looked up").expect("it is known");
        harness.services.ping().await.expect("it answers");
        harness.database.cut_connections().await;
        harness.order().await;
        harness.database.cut_connections().await;
        super::upload(&harness, harness.principal.org, "faq.md").await;
    }
}

/// A caller that is dropped leaves a statement on its way, or a transaction with its locks: both end at once.
#[tokio::test]
async fn what_a_dropped_caller_left_open_is_ended_and_the_connection_is_used_again() {
    let harness = Harness::builder().connections(2).build().await;
    let task = harness.order().await;
    for _ in 0..3 {
        let store = harness.services.store().clone();
        let org = harness.principal.org;
        let held = store.begin(org).await.unwrap();
        held.lock_task(task).await.unwrap().expect("the task is there");
        drop(held);
        let again = store.begin(org).await.unwrap();
        let locked = tokio::time::timeout(Duration::from_secs(5), again.lock_task(task)).await;
        locked.expect("the lock is free").unwrap().expect("the task is there");
        again.rollback().await.unwrap();
    }
    let held = harness.database.hold(&format!("SELECT 1 FROM tasks WHERE id = '{task}' FOR UPDATE")).await;
    let store = harness.services.store().clone();
    let org = harness.principal.org;
    let waiting = tokio::spawn(async move {
        let tx = store.begin(org).await.unwrap();
        tx.lock_task(task).await
    });
    harness.database.waiting_for_locks(1).await;
    waiting.abort();
    assert!(waiting.await.is_err());
    held.release().await;
    // Both pools have one connection, and one of the two was in the middle of something.
    harness.services.ping().await.expect("it is used again");
    harness.order().await;
}

/// A standby, a full disk, or somebody's setting: nothing is lost, and it goes on at once.
#[tokio::test]
async fn a_database_that_only_reads_is_an_outage_and_passes() {
    let harness = Harness::new().await;
    let script = Script::default();
    let task = harness.order().await;
    harness.database.only_reads(true).await;
    let error = harness.services.ping().await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    let error = harness.services.order(&harness.principal, galley_testkit::order(), "t", None).await.unwrap_err();
    assert!(matches!(&error, ServiceError::Store(error) if error.is_unavailable()), "{error:?}");
    let engine = harness.scripted(&script);
    let refused = async {
        while engine.stats.refusals().values().sum::<u64>() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused).await.expect("claims are refused, and tried again");
    harness.database.only_reads(false).await;
    harness.completed(task).await;
    assert!(harness.steps_beyond_first_attempt().await == 0, "no attempt is used up");
    engine.stop().await;
}

/// The one that is kept when nobody needs it is not kept dead.
#[tokio::test]
async fn a_connection_that_dies_while_nobody_works_is_replaced() {
    let database = TestDatabase::new().await;
    let settings = StoreSettings { idle_timeout: Duration::from_secs(2), ..StoreSettings::new(&database.url) };
    let store = Store::connect(&settings).await.unwrap();
    database.cut_connections().await;
    let ours =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'galley'";
    let back = async { while database.number(ours).await < 2 {} };
    tokio::time::timeout(Duration::from_secs(30), back).await.expect("each pool has a living one");
    store.close().await;
}

//! A real PgBouncer between us and the server.
//!
//! The whole engine goes through one with `GALLEY_TEST_POOLER=transaction cargo test --test integration engine::`, or
//! `session`.

use std::time::{Duration, Instant};

use galley_store::{Pooling, Store, StoreError, StoreSettings};
use galley_testkit::{Harness, PoolMode, Pooler, Script, TestDatabase};

/// False where there is no PgBouncer; in CI that is an error.
fn has_pooler() -> bool {
    let there = Pooler::is_there();
    assert!(there || std::env::var_os("GALLEY_TEST_NEEDS_POOLER").is_none(), "PgBouncer is not installed");
    if !there {
        println!("skipped: PgBouncer is not installed");
    }
    there
}

/// The settings of the engine are in force where steps are claimed, whichever way they came.
#[tokio::test]
async fn claims_have_the_engines_settings_in_both_modes() {
    if !has_pooler() {
        return;
    }
    for mode in [PoolMode::Session, PoolMode::Transaction] {
        let harness = Harness::builder().pooled(mode, "").build().await;
        harness
            .database
            .execute(
                "CREATE TABLE seen (said text);
                 CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    INSERT INTO seen VALUES (concat_ws(' ', current_setting('plan_cache_mode'),
                        current_setting('enable_seqscan'), current_setting('statement_timeout')));
                    RETURN NULL; END $$;
                 CREATE TRIGGER note AFTER UPDATE ON steps FOR EACH STATEMENT EXECUTE FUNCTION note()",
            )
            .await;
        let engine = harness.scripted(&Script::default());
        let task = harness.order().await;
        harness.completed(task).await;
        engine.stop().await;
        assert_eq!(harness.database.texts("SELECT DISTINCT said FROM seen").await, ["force_generic_plan off 30s"]);
    }
}

async fn store(url: &str) -> Result<Store, StoreError> {
    Store::connect(&StoreSettings { acquire_timeout: Duration::from_secs(3), ..StoreSettings::new(url) }).await
}

/// Nobody has to say that there is a pooler, also when it swallows what it does not know.
#[tokio::test]
async fn a_pooler_is_found_out() {
    if !has_pooler() {
        return;
    }
    let database = TestDatabase::new().await;
    assert_eq!(store(&database.url).await.unwrap().pooling(), Pooling::None);
    for swallows in ["", "ignore_startup_parameters = extra_float_digits, options"] {
        let pooler = database.behind_a_pooler(PoolMode::Transaction, swallows).await;
        let store = store(&pooler.url).await.unwrap();
        assert!(matches!(store.pooling(), Pooling::Transaction { .. }), "{:?}", store.pooling());
        assert!(!store.hears(), "nothing leads past it");
        store.ping().await.unwrap();
    }
}

/// Without an address past the pooler no process can wake another: it looks for itself every second.
#[tokio::test]
async fn a_process_that_cannot_be_woken_looks_for_itself() {
    if !has_pooler() {
        return;
    }
    let harness = Harness::builder().pooled(PoolMode::Transaction, "").past_the_pooler(false).build().await;
    // An engine that would wait for its tick for an hour, and an order by another process.
    let script = Script::default();
    let engine = harness.patient(&script, Duration::from_secs(3600));
    let other = TestDatabase::store_at(&harness.database.url, 4).await;
    let elsewhere = harness.services_on(other);
    let began = Instant::now();
    let order = galley_testkit::order();
    let task = elsewhere.order(&harness.principal, order, "t", None).await.unwrap().value.task_id;
    harness.completed(task).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    engine.stop().await;
}

/// The way past the pooler is a way past the pooler.
#[tokio::test]
async fn a_direct_address_that_leads_to_a_pooler_is_refused_and_a_schema_needs_one() {
    if !has_pooler() {
        return;
    }
    let database = TestDatabase::new().await;
    let pooler = database.behind_a_pooler(PoolMode::Transaction, "").await;
    let settings = StoreSettings { direct_url: Some(pooler.url.clone()), ..StoreSettings::new(pooler.url.clone()) };
    assert!(matches!(Store::connect(&settings).await, Err(StoreError::NotDirect)));

    let settings = StoreSettings { direct_url: Some(database.url.clone()), ..settings };
    let store = Store::connect(&settings).await.unwrap();
    assert!(store.hears());
    database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
    let blind = Store::connect(&StoreSettings { direct_url: None, ..settings }).await.unwrap();
    if blind.pooling() == (Pooling::Transaction { keeps_statements: false }) {
        assert!(matches!(blind.migrate().await, Err(StoreError::NeedsDirect)));
    }
    store.migrate().await.unwrap();
    assert!(store.pending_migrations().await.unwrap().is_empty());
}

/// A program of yesterday on a database of today stops before it writes.
#[tokio::test]
async fn a_newer_schema_is_named() {
    let database = TestDatabase::new().await;
    let applied = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20990101_000000_later', 0)";
    database.execute(applied).await;
    let error = store(&database.url).await.unwrap().migrate().await.unwrap_err();
    assert!(error.to_string().contains("m20990101_000000_later"), "{error}");
    assert!(error.to_string().contains("newer than this program"), "{error}");
}

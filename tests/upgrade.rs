//! Databases of older versions keep what they hold.

use galley_domain::OrgId;
use galley_testkit::TestDatabase;
use serde_json::json;
use uuid::Uuid;

/// An empty database as it was after these migrations.
async fn database_after(migrations: &[(&str, &str)]) -> TestDatabase {
    let database = TestDatabase::new().await;
    database
        .execute(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public;
             CREATE TABLE seaql_migrations (version varchar PRIMARY KEY, applied_at bigint NOT NULL)",
        )
        .await;
    for (name, sql) in migrations {
        database.execute(sql).await;
        database.execute(&format!("INSERT INTO seaql_migrations VALUES ('{name}', 0)")).await;
    }
    database
}

#[tokio::test]
async fn events_from_before_they_were_kept_in_groups_are_read_as_they_were() {
    let database = database_after(&[
        ("m0001_core", include_str!("../migrations/sql/0001_core.sql")),
        ("m0002_lighter_writes", include_str!("../migrations/sql/0002_lighter_writes.sql")),
    ])
    .await;
    let (org, task) = (Uuid::from_u128(1), Uuid::from_u128(2));
    database
        .execute(&format!(
            r#"INSERT INTO organizations (id, name) VALUES ('{org}', 'old');
               INSERT INTO tasks (id, org_id, kind, status, input, rank, event_seq, price, trace_id)
               VALUES ('{task}', '{org}', 'article', 'processing', '{{}}', 1, 2, 1, 't');
               INSERT INTO events (org_id, task_id, seq, kind, data)
               VALUES ('{org}', '{task}', 1, 'task.created', '{{"credits_held": 40}}'), ('{org}', '{task}', 2, 'task.started', '{{}}')"#
        ))
        .await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let tenant = store.begin(OrgId(org)).await.unwrap();
    tenant.emit(task, "task.progress", json!({ "progress": 5 })).await.unwrap();
    tenant.commit().await.unwrap();
    let told = |rows: Vec<galley_store::rows::Event>| -> Vec<_> {
        rows.into_iter().map(|event| (event.seq, event.kind, event.data)).collect()
    };
    let all = told(store.reads().events_after(OrgId(org), task, 0).await.unwrap().to_vec());
    let expected = [
        (1, "task.created".to_owned(), json!({ "credits_held": 40 })),
        (2, "task.started".to_owned(), json!({})),
        (3, "task.progress".to_owned(), json!({ "progress": 5 })),
    ];
    assert_eq!(all, expected);
    assert_eq!(told(store.tenant(OrgId(org)).events_after(task, 1, 1).await.unwrap()), expected[1..2]);
    store.close().await;
}

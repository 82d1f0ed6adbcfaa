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

#[tokio::test]
async fn projects_from_before_they_had_a_platform_get_one_and_a_slug_of_their_own() {
    let database = database_after(&[
        ("m0001_core", include_str!("../migrations/sql/0001_core.sql")),
        ("m0002_lighter_writes", include_str!("../migrations/sql/0002_lighter_writes.sql")),
        ("m0003_events_in_groups", include_str!("../migrations/sql/0003_events_in_groups.sql")),
        ("m0004_secrets", include_str!("../migrations/sql/0004_secrets.sql")),
        ("m0005_vacuum_of_queues", include_str!("../migrations/sql/0005_vacuum_of_queues.sql")),
    ])
    .await;
    let (org, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    database
        .execute(&format!(
            "INSERT INTO organizations (id, name) VALUES ('{org}', 'old'), ('{other}', 'other');
             INSERT INTO projects (id, org_id, name, created_at) VALUES
                ('{}', '{org}', '  Tea & Coffee!', '2026-01-01'), ('{}', '{org}', 'tea coffee', '2026-01-02'),
                ('{}', '{org}', '???', '2026-01-03'), ('{}', '{other}', 'Tea Coffee', '2026-01-04')",
            Uuid::from_u128(0x11),
            Uuid::from_u128(0x12),
            Uuid::from_u128(0x13),
            Uuid::from_u128(0x14)
        ))
        .await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let projects = store.tenant(OrgId(org)).projects(false).await.unwrap();
    let slugs: Vec<&str> = projects.iter().map(|project| project.slug.as_str()).collect();
    assert_eq!(slugs, ["project", "tea-coffee-000000000012", "tea-coffee"], "newest first");
    for project in &projects {
        assert_eq!(project.platform.as_str(), "wordpress");
        assert_eq!((project.status.as_str(), &project.settings), ("draft", &json!({})));
        assert_eq!(project.updated_at, project.created_at, "nobody has changed it");
    }
    assert_eq!(store.tenant(OrgId(other)).projects(false).await.unwrap()[0].slug, "tea-coffee");
    // A program of the version before, which still runs, adds one.
    let insert =
        format!("INSERT INTO projects (id, org_id, name) VALUES ('{}', '{org}', 'New')", Uuid::from_u128(0x15));
    database.execute(&insert).await;
    assert_eq!(store.tenant(OrgId(org)).projects(false).await.unwrap().len(), 4);
    store.close().await;
}

//! Databases of older versions keep what they hold.

use galley_domain::{OrgId, article::PUBLICATION, effect::EffectState, image::ImageSource};
use galley_store::EffectKey;
use galley_testkit::{Harness, Script, TestDatabase, order};
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

/// Publications in every state become effects with all that was known of them, and nobody else's come among them.
#[tokio::test]
async fn publications_from_before_there_were_effects_of_every_kind_are_in_the_ledger() {
    let database = database_after(before("m20261128_000500_effects")).await;
    let (org, other, task) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let (article, theirs) = (Uuid::from_u128(4), Uuid::from_u128(5));
    let mut sql = String::new();
    for (org, article) in [(org, article), (other, theirs)] {
        sql += &format!(
            "INSERT INTO organizations (id, name) VALUES ('{org}', 'old');
             INSERT INTO articles (id, org_id, status, title, slug, content_format, tone, language)
             VALUES ('{article}', '{org}', 'draft', 'Old', 'old', 'markdown', 'casual', 'en');"
        );
        for (version, state) in EffectState::ALL.iter().enumerate() {
            sql += &format!(
                "INSERT INTO publications (id, org_id, article_id, task_id, destination, version, state, remote_ref, error,
                    created_at, updated_at)
                 VALUES (gen_random_uuid(), '{org}', '{article}', '{task}', 'folder', {}, '{state}', 'old/{version}.md',
                    'e{version}', '2026-01-0{}', '2026-02-01');",
                version + 9, version + 1
            );
        }
    }
    database.execute(&sql).await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let effects = store.tenant(OrgId(org)).effects(article).await.unwrap();
    assert_eq!(effects.len(), EffectState::ALL.len());
    for (number, (effect, state)) in effects.iter().zip(EffectState::ALL).enumerate() {
        assert_eq!((effect.org_id, effect.kind.as_str()), (org, "publication"));
        assert_eq!((effect.destination.as_str(), effect.key.clone()), ("folder", (number + 9).to_string()));
        assert_eq!((*effect.state, effect.task_id, effect.step_id, effect.lease), (*state, Some(task), None, None));
        assert_eq!(effect.remote_ref, Some(format!("old/{number}.md")));
        assert_eq!(effect.error, Some(format!("e{number}")));
        assert_eq!(effect.updated_at.to_rfc3339(), "2026-02-01T00:00:00+00:00");
        let key = EffectKey { kind: PUBLICATION, subject: article, destination: "folder", key: &effect.key };
        assert_eq!(store.tenant(OrgId(org)).effect(&key).await.unwrap().as_ref(), Some(effect));
        assert!(!store.tenant(OrgId(org)).effect_is_held(effect).await.unwrap(), "nobody is at it any more");
    }
    assert!(store.tenant(OrgId(other)).effects(article).await.unwrap().is_empty());
    database.execute(&format!("DELETE FROM organizations WHERE id = '{org}'")).await;
    assert_eq!(database.number("SELECT count(*) FROM effects").await, 5, "effects go with their organization");
    store.close().await;
}

/// The migrations before tasks and steps of every kind.
/// What has landed, oldest first.
static LANDED: [(&str, &str); 11] = [
    ("m0001_core", include_str!("../migrations/sql/0001_core.sql")),
    ("m0002_lighter_writes", include_str!("../migrations/sql/0002_lighter_writes.sql")),
    ("m0003_events_in_groups", include_str!("../migrations/sql/0003_events_in_groups.sql")),
    ("m0004_secrets", include_str!("../migrations/sql/0004_secrets.sql")),
    ("m0005_vacuum_of_queues", include_str!("../migrations/sql/0005_vacuum_of_queues.sql")),
    ("m20261128_000000_pipelines", include_str!("../migrations/sql/m20261128_000000_pipelines.sql")),
    ("m20261128_000100_projects", include_str!("../migrations/sql/m20261128_000100_projects.sql")),
    ("m20261128_000200_schedules", include_str!("../migrations/sql/m20261128_000200_schedules.sql")),
    ("m20261128_000300_webhooks", include_str!("../migrations/sql/m20261128_000300_webhooks.sql")),
    ("m20261128_000400_open_children", include_str!("../migrations/sql/m20261128_000400_open_children.sql")),
    ("m20261128_000500_effects", include_str!("../migrations/sql/m20261128_000500_effects.sql")),
];

/// What had landed before this one.
fn before(name: &str) -> &'static [(&'static str, &'static str)] {
    &LANDED[..LANDED.iter().position(|(landed, _)| *landed == name).unwrap_or(LANDED.len())]
}

/// A task as the program before left it: its state, its own columns, and its steps as (kind, position, state).
struct OldTask {
    id: Uuid,
    status: &'static str,
    /// fan_open, fan_total, sources_run.
    counts: (i32, i32, i32),
    steps: &'static [(&'static str, i32, &'static str)],
}

const OUTLINE: &str = r#"{"title": "Old", "sections": [
    {"heading": null, "points": [], "words": {"min": 1, "max": 9}, "passages": []},
    {"heading": "Two", "points": [], "words": {"min": 1, "max": 9}, "passages": []},
    {"heading": "Three", "points": [], "words": {"min": 1, "max": 9}, "passages": []}]}"#;

fn old_task(org: Uuid, task: &OldTask) -> String {
    let OldTask { id, status, counts: (open, total, sources), steps } = task;
    let (ended, input) = (matches!(*status, "completed" | "failed" | "cancelled"), json!(order()));
    let article = Uuid::new_v4();
    let (finished, hold) = if ended { ("now()", "released") } else { ("NULL", "open") };
    let mut sql = format!(
        "INSERT INTO tasks (id, org_id, kind, status, input, article_id, rank, event_seq, price, trace_id, fan_open,
            fan_total, sources_run, finished_at)
         VALUES ('{id}', '{org}', 'article', '{status}', '{input}', '{article}', 5, 1, 40, 't', {open}, {total}, {sources},
            {finished});
         INSERT INTO articles (id, org_id, task_id, status, title, slug, content_format, tone, language)
         VALUES ('{article}', '{org}', '{id}', 'generating', 'Old', '{article}', 'markdown', 'casual', 'en');
         INSERT INTO holds (task_id, run, org_id, amount, state) VALUES ('{id}', 1, '{org}', 40, '{hold}');
         INSERT INTO event_groups (org_id, task_id, seq, told)
         VALUES ('{org}', '{id}', 1, '[{{\"kind\": \"task.created\", \"data\": {{}}}}]');"
    );
    for (kind, position, state) in *steps {
        let (lease, until) = match *state {
            "running" => ("gen_random_uuid()", "now() - interval '1 hour'"),
            _ => ("NULL", "NULL"),
        };
        let output = match (*kind, *state) {
            ("outline", "done") => format!("'{OUTLINE}'"),
            ("draft", "done") => r#"'{"paragraphs": ["From before."]}'"#.to_owned(),
            (_, "done") => "'{}'".to_owned(),
            _ => "NULL".to_owned(),
        };
        let finished = if matches!(*state, "done" | "failed" | "cancelled") { "now()" } else { "NULL" };
        sql += &format!(
            "INSERT INTO steps (id, org_id, task_id, kind, position, state, rank, attempt, max_attempts, lease, lease_until,
                output, trace_id, finished_at)
             VALUES (gen_random_uuid(), '{org}', '{id}', '{kind}', {position}, '{state}', 5, 1, 6, {lease}, {until}, {output},
                't', {finished});"
        );
    }
    sql
}

/// Tasks in every state, with steps in every state: what had not ended goes on to its end under the new schema.
#[tokio::test]
async fn tasks_of_the_program_before_pipelines_go_on_where_they_were() {
    const DRAFTS: &[(&str, i32, &str)] = &[
        ("research", 0, "done"),
        ("outline", 0, "done"),
        ("draft", 0, "done"),
        ("draft", 1, "running"),
        ("draft", 2, "delayed"),
    ];
    const LATE: &[(&str, i32, &str)] = &[
        ("research", 0, "done"),
        ("outline", 0, "done"),
        ("draft", 0, "done"),
        ("draft", 1, "done"),
        ("draft", 2, "done"),
        ("seo", 0, "ready"),
    ];
    let id = Uuid::from_u128;
    let open = [
        OldTask { id: id(11), status: "pending", counts: (0, 0, 0), steps: &[("research", 0, "ready")] },
        OldTask { id: id(12), status: "processing", counts: (0, 0, 0), steps: &[("research", 0, "running")] },
        OldTask { id: id(13), status: "processing", counts: (2, 3, 1), steps: DRAFTS },
        OldTask { id: id(14), status: "processing", counts: (0, 3, 1), steps: LATE },
    ];
    let ended = [
        OldTask { id: id(21), status: "completed", counts: (0, 3, 1), steps: &[("research", 0, "done")] },
        OldTask { id: id(22), status: "failed", counts: (0, 0, 0), steps: &[("research", 0, "failed")] },
        OldTask { id: id(23), status: "cancelled", counts: (0, 0, 0), steps: &[("research", 0, "cancelled")] },
    ];
    let harness = Harness::new().await;
    let org = harness.principal.org.0;
    let old = database_after(before("m20261128_000000_pipelines")).await;
    old.execute(&format!(
        "INSERT INTO organizations (id, name, balance, held) VALUES ('{org}', 'old', 1000, 160);
         INSERT INTO ledger_entries (id, org_id, kind, amount, balance_after, note)
         VALUES (gen_random_uuid(), '{org}', 'grant', 1000, 1000, 'old');
         INSERT INTO projects (id, org_id, name) VALUES (gen_random_uuid(), '{org}', 'Old project');"
    ))
    .await;
    for task in open.iter().chain(&ended) {
        old.execute(&old_task(org, task)).await;
    }
    let harness = harness.moved_to(old).await;
    harness.services.store().migrate().await.unwrap();
    let stages = harness.task_row(id(13)).await.stages;
    assert_eq!(stages.0.len(), 1, "{stages:?}");
    assert_eq!((stages.of(galley_domain::article::DRAFT).open, stages.of(galley_domain::article::DRAFT).total), (2, 3));
    let script = Script::default();
    script.sections(3);
    let engine = harness.scripted(&script);
    for task in &open {
        harness.completed(task.id).await;
    }
    engine.stop().await;
    assert_eq!(script.runs().iter().filter(|run| run.3 == Some(id(13)) && run.0.as_str() == "draft").count(), 2);
    for task in &ended {
        assert_eq!(harness.task(task.id).await.row.status, task.status);
    }
    harness.assert_books_closed().await;
}

/// Older versions let them run, and fail, each time.
#[tokio::test]
async fn schedules_of_projects_in_the_trash_pause_and_those_of_removed_ones_go() {
    let database = database_after(&LANDED).await;
    let (org, trashed, open, gone) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3), Uuid::from_u128(4));
    let mut sql = format!(
        "INSERT INTO organizations (id, name) VALUES ('{org}', 'old');
         INSERT INTO projects (id, org_id, name, slug, deleted_at) VALUES
            ('{trashed}', '{org}', 'Trashed', 'a', now()), ('{open}', '{org}', 'Open', 'b', NULL);"
    );
    let schedules = [
        ("in the trash", "active", format!("'{trashed}'")),
        ("paused in the trash", "paused", format!("'{trashed}'")),
        ("outside", "active", format!("'{open}'")),
        ("of none", "active", "NULL".to_owned()),
        ("of one that is gone", "active", format!("'{gone}'")),
    ];
    for (name, status, project) in schedules {
        let due = if status == "active" { "now()" } else { "NULL" };
        sql += &format!(
            "INSERT INTO schedules (id, org_id, name, status, recurrence, action, work, missed, project_id,
                last_considered, next_due)
             VALUES (gen_random_uuid(), '{org}', '{name}', '{status}', '{{}}', '{{}}', '{{}}', '{{}}', {project},
                now(), {due});"
        );
    }
    database.execute(&sql).await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let left = "SELECT concat_ws(', ', name, status, paused_by_trash) FROM schedules ORDER BY created_at, name";
    assert_eq!(
        database.texts(left).await,
        ["in the trash, paused, t", "of none, active, f", "outside, active, f", "paused in the trash, paused, f"]
    );
    store.close().await;
}

#[tokio::test]
async fn covers_from_before_there_were_images_are_the_featured_images_of_their_articles() {
    let database = database_after(before("m20261129_000400_images")).await;
    let (org, file) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (covered, plain) = (Uuid::from_u128(3), Uuid::from_u128(4));
    database
        .execute(&format!(
            "INSERT INTO organizations (id, name) VALUES ('{org}', 'old');
             INSERT INTO files (id, org_id, name, kind, size, sha256, blob)
             VALUES ('{file}', '{org}', 'cover.png', 'png', 9, 's', 'b');
             INSERT INTO articles (id, org_id, status, title, slug, content_format, tone, language, cover_file_id, cover_alt)
             VALUES ('{covered}', '{org}', 'draft', 'Old', 'old', 'markdown', 'casual', 'en', '{file}', ' '),
                    ('{plain}', '{org}', 'draft', 'Older', 'older', 'markdown', 'casual', 'en', NULL, NULL)"
        ))
        .await;
    let store = database.store().await;
    store.migrate().await.unwrap();
    let images = store.tenant(OrgId(org)).images(&[covered, plain]).await.unwrap();
    assert_eq!(images.len(), 1);
    let card = &images[0];
    assert_eq!((card.article_id, card.file_id, card.blob.as_str()), (covered, Some(file), "b"));
    assert_eq!((*card.source, card.is_featured, card.alt_text.as_str()), (ImageSource::Card, true, "Old"));
    assert_eq!((card.width, card.height, card.file_size, card.stored_bytes), (1200, 630, 9, 0));
    store.close().await;
}

//! Every method of a tenant's view, asked for another tenant's rows: nothing comes back and nothing of them changes. A
//! method without a case here fails the test.
//!
//! Each is asked twice: as the program runs, and under row-level security that raises an error as soon as a statement
//! touches a row of another organization, whether or not that shows in what comes back.

mod publishing;
mod questions;
mod samples;

use galley_domain::{OrgId, article, project::Platform};
use galley_services::{
    IdempotencyKey,
    pipelines::{READING, UPKEEP, upkeep::SWEEP},
};
use galley_store::{ClaimedStep, Fence, Store, rows, tenant_tables};
use galley_testkit::{Harness, TestDatabase, order};
use serde_json::Value;
use uuid::Uuid;

use super::{source_text::operations, upload};
use questions::ask;
use samples::*;

/// What the error of the guard says.
const TOUCHED: &str = "touched a row of another organization";
/// Statements that pick rows of many tenants by id and tenant from one parameter: the guard sees the row before the
/// statement has compared the tenant. Without the guard they are checked as all others are.
const COMPARED_LATE: [&str; 1] = ["save_version"];

/// Everything that another tenant has, by name.
struct Theirs {
    org: OrgId,
    key: Uuid,
    file: Uuid,
    cover: Uuid,
    /// The title card.
    image: rows::Image,
    photo_key: rows::StockPhotoKey,
    project: rows::Project,
    schedule: rows::Schedule,
    run: rows::ScheduleRun,
    article: rows::Article,
    effect: rows::Effect,
    source: Uuid,
    /// One that has ended well.
    task: rows::Task,
    webhook: rows::Webhook,
    delivery: rows::Delivery,
    publishing: publishing::TheirPublishing,
    /// One whose first step runs.
    running: rows::Task,
    step: ClaimedStep,
}

const IDEMPOTENCY_KEY: &str = "their-key";

async fn theirs(harness: &Harness) -> Theirs {
    let (services, org) = (&harness.services, harness.principal.org);
    let project = services.create_project(org, "Theirs", Platform::Wordpress, None).await.unwrap().value;
    let file = upload(harness, org, "faq.md").await;
    let mut ordered = order();
    ordered.brief.prompt = "Sela Ridge coffee".into();
    (ordered.uploaded_files, ordered.project_id) = (vec![file], Some(project.id));
    let key = IdempotencyKey::new(IDEMPOTENCY_KEY, "POST /x", b"b").unwrap();
    let take = async |key| services.order(&harness.principal, ordered.clone(), "t", key).await.unwrap().value.task_id;
    let task = take(Some(&key)).await;
    let engine = harness.extractive();
    harness.completed(task).await;
    engine.stop().await;
    let running = take(None).await;
    let tenant = services.store().tenant(org);
    let step = &tenant.steps(running).await.unwrap()[0];
    let fence = Fence { step: step.id, lease: Uuid::new_v4() };
    harness
        .database
        .execute(&format!(
            "UPDATE steps SET state = 'running', lease = '{}', lease_until = now() + interval '1 day' WHERE id = '{}';
             INSERT INTO usage_records (id, org_id, task_id, step_id, attempt, lease, ordinal, provider, model, operation,
                prompt_tokens, completion_tokens, estimated, cost_usd, duration_ms, outcome)
             VALUES (gen_random_uuid(), '{org}', '{task}', '{}', 1, gen_random_uuid(), 0, 'p', 'm', 'o', 1, 1, false, 0,
                1, 'ok')",
            fence.lease, fence.step, fence.step
        ))
        .await;
    let owned = services.store().begin(org).await.unwrap();
    owned.put_secret(secret(org)).await.unwrap();
    owned.keep_judgements(&[judgement()]).await.unwrap();
    owned.keep_embeddings(&[embedding()]).await.unwrap();
    let answered = ClaimedStep {
        fence: Fence { step: Uuid::new_v4(), lease: Uuid::new_v4() },
        org: Some(org),
        task: Some(task),
        kind: article::OUTLINE,
        pool: READING,
        rank: 1,
        run: 1,
        position: 0,
        attempt: 1,
        max_attempts: 3,
        trace_id: "t".into(),
        payload: Value::Null,
        subject: None,
    };
    owned.record_usage(&answered, &[answered_call()]).await.unwrap();
    owned.insert_event_token(new_event_token(task, harness.principal.key().unwrap())).await.unwrap();
    owned.follow_events(SWEEP, UPKEEP, 1).await.unwrap();
    let schedule = owned.insert_schedule(new_schedule()).await.unwrap();
    let run = owned.insert_run(new_run(schedule.id)).await.unwrap().unwrap();
    let webhook = owned.insert_webhook(new_webhook()).await.unwrap();
    let told = new_delivery(webhook.id);
    owned.insert_deliveries(std::slice::from_ref(&told)).await.unwrap();
    owned.add_attempt(new_attempt(told.id)).await.unwrap();
    let delivery = owned.delivery(webhook.id, told.id).await.unwrap().unwrap();
    let photo_key = rows::StockPhotoKey { id: Uuid::new_v4(), ..rows::StockPhotoKey::default() };
    let photo_key = owned.add(photo_key).await.unwrap();
    owned.commit().await.unwrap();
    let task = tenant.task(task).await.unwrap().unwrap();
    let article = tenant.article(task.subject_id.unwrap()).await.unwrap().unwrap();
    let owned = services.store().begin(org).await.unwrap();
    let publishing = publishing::theirs(&owned, project.id, article.id).await;
    owned.commit().await.unwrap();
    let effect = tenant.effects(article.id).await.unwrap().remove(0);
    let step = ClaimedStep {
        fence,
        org: Some(org),
        task: Some(running),
        kind: article::RESEARCH,
        pool: READING,
        rank: 1,
        run: 1,
        position: 0,
        attempt: 1,
        max_attempts: 3,
        trace_id: "t".into(),
        payload: Value::Null,
        subject: None,
    };
    Theirs {
        org,
        key: harness.principal.key().unwrap(),
        file,
        cover: article.cover_file_id.unwrap(),
        image: tenant.images(&[article.id]).await.unwrap().remove(0),
        photo_key,
        project,
        schedule,
        run,
        effect,
        source: tenant.all_sources(task.id).await.unwrap()[0].id,
        article,
        webhook,
        delivery,
        publishing,
        running: tenant.task(running).await.unwrap().unwrap(),
        task,
        step,
    }
}
/// All rows of an organization, by table.
async fn everything(database: &TestDatabase, org: OrgId) -> Vec<String> {
    let tables = tenant_tables().into_iter().map(|(table, column)| {
        format!(
            "SELECT '{table} ' || coalesce(string_agg(t::text, ' | ' ORDER BY t::text), '')
             FROM {table} t WHERE {column} = '{org}'"
        )
    });
    let rows = database.texts(&tables.collect::<Vec<_>>().join(" UNION ALL ")).await;
    let empty: Vec<&String> = rows.iter().filter(|row| row.ends_with(' ')).collect();
    assert!(empty.is_empty(), "the other tenant has rows of every kind: {empty:?}");
    rows
}

/// A store whose sessions may touch one organization's rows: another one's raise an error. Steps of others are hidden
/// instead, since an order looks at the whole queue for its place in it.
async fn guarded(database: &TestDatabase, org: OrgId) -> Store {
    let role = format!("tenant_of_{}", database.name);
    let mut sql = format!(
        "CREATE ROLE {role};
         CREATE FUNCTION own(org uuid) RETURNS boolean LANGUAGE plpgsql STABLE COST 100000 AS $$ BEGIN
            IF org IS DISTINCT FROM current_setting('galley.org')::uuid THEN RAISE EXCEPTION '{TOUCHED}'; END IF;
            RETURN true; END $$;
         ALTER VIEW events SET (security_invoker = true);
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role};"
    );
    for (table, column) in tenant_tables().into_iter().filter(|(table, _)| *table != "events") {
        let rule = match table {
            "steps" => format!("{column} = current_setting('galley.org')::uuid"),
            _ => format!("own({column})"),
        };
        sql += &format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY own ON {table} USING ({rule});"
        );
    }
    database.execute(&sql).await;
    let mark = if database.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}options[role]={role}&options[galley.org]={org}", database.url);
    TestDatabase::store_at(&url, 2).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_method_reaches_another_tenants_rows() {
    // So many that a stranger's credits cannot be taken for theirs.
    let harness = Harness::builder().credits(9000).build().await;
    let theirs = theirs(&harness).await;
    let (stranger, _) = harness.other_tenant().await;
    let before = everything(&harness.database, theirs.org).await;
    let guarded = guarded(&harness.database, stranger.org).await;
    let own = guarded.tenant(theirs.org).keys().await;
    assert!(own.is_err_and(|error| error.to_string().contains(TOUCHED)), "the guard is awake");
    for (store, is_guarded) in [(harness.services.store(), false), (&guarded, true)] {
        for name in operations() {
            if is_guarded && COMPARED_LATE.contains(&name.as_str()) {
                continue;
            }
            let tx = store.begin(stranger.org).await.unwrap();
            let came_back = ask(&name, &tx, &theirs).await;
            match &came_back {
                Ok(_) => tx.commit().await.unwrap(),
                Err(_) => tx.rollback().await.unwrap(),
            }
            let touched = came_back.as_ref().is_err_and(|error| error.to_string().contains(TOUCHED));
            assert!(!touched, "{name} touched a row of another organization");
            assert!(!matches!(came_back, Ok(true)), "{name} gave out what is another organization's");
            let after = everything(&harness.database, theirs.org).await;
            assert!(after == before, "{name} has changed another organization's rows");
        }
    }
    guarded.close().await;
    let drop = format!("DROP OWNED BY tenant_of_{0}; DROP ROLE tenant_of_{0}", harness.database.name);
    harness.database.execute(&drop).await;
}

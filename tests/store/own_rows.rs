//! Every method of a tenant's view, asked for another tenant's rows: nothing comes back and nothing of them changes. A
//! method without a case here fails the test.
//!
//! Each is asked twice: as the program runs, and under row-level security that raises an error as soon as a statement
//! touches a row of another organization, whether or not that shows in what comes back.

use galley_domain::{
    OrgId,
    article::{self, ArticleStatus, ContentFormat},
    effect::EffectState,
    project::Platform,
    schedule::{RunStatus, RunTrigger, ScheduleStatus},
    task::TaskStatus,
    usage::{CallOutcome, Usage},
    webhook::{DeliveryStatus, WebhookFormat},
    writing::{Origin, Verdict},
};
use galley_services::{
    IdempotencyKey,
    pipelines::{READING, UPKEEP, upkeep::SWEEP},
};
use galley_store::{
    ArticleChange, ArticleFilter, ArticleSort, ClaimedStep, DeliveryFilter, EffectKey, EffectMark, Fence, FileFilter,
    NewArticle, NewAttempt, NewDelivery, NewFile, NewKey, NewOrder, NewProject, NewRun, NewSchedule, NewSource,
    NewStep, NewWebhook, Replay, ReplayRange, ScheduleFilter, Start, Store, StoreError, StoredClaim, StoredSecret,
    TaskFilter, TenantTx, TextEnum, TextVersion, WebhookFilter, rows, tenant_tables,
};
use galley_testkit::{Harness, TestDatabase, order};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{source_text::operations, upload};

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
    owned.follow_events(SWEEP, UPKEEP, 1).await.unwrap();
    let schedule = owned.insert_schedule(new_schedule()).await.unwrap();
    let run = owned.insert_run(new_run(schedule.id)).await.unwrap().unwrap();
    let webhook = owned.insert_webhook(new_webhook()).await.unwrap();
    let told = new_delivery(webhook.id);
    owned.insert_deliveries(std::slice::from_ref(&told)).await.unwrap();
    owned.add_attempt(new_attempt(told.id)).await.unwrap();
    let delivery = owned.delivery(webhook.id, told.id).await.unwrap().unwrap();
    owned.commit().await.unwrap();
    let task = tenant.task(task).await.unwrap().unwrap();
    let article = tenant.article(task.subject_id.unwrap()).await.unwrap().unwrap();
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
        project,
        schedule,
        run,
        effect,
        source: tenant.all_sources(task.id).await.unwrap()[0].id,
        article,
        webhook,
        delivery,
        running: tenant.task(running).await.unwrap().unwrap(),
        task,
        step,
    }
}

fn secret(org: OrgId) -> StoredSecret {
    StoredSecret {
        org_id: org.0,
        id: Uuid::new_v4(),
        purpose: "model_key".into(),
        name: "default".into(),
        key_id: "k".into(),
        wrapped_key: vec![1],
        sealed: vec![2],
    }
}

fn new_webhook() -> NewWebhook {
    NewWebhook {
        id: Uuid::new_v4(),
        url: "https://example.com/".into(),
        description: String::new(),
        events: vec!["*".into()],
        format: WebhookFormat::Standard,
    }
}

fn new_delivery(webhook: Uuid) -> NewDelivery {
    NewDelivery {
        id: Uuid::new_v4(),
        webhook,
        subject: Some(Uuid::new_v4()),
        message_id: "msg_1".into(),
        event_type: "task.progressed".into(),
        at: chrono::Utc::now(),
        payload: "{}".into(),
        sequence: 1,
        resend_of: None,
        always: false,
    }
}

fn new_attempt(delivery: Uuid) -> NewAttempt {
    NewAttempt {
        delivery,
        number: 1,
        at: chrono::Utc::now(),
        duration_ms: 1,
        status_code: Some(500),
        error: None,
        response_body: None,
    }
}

fn new_key() -> NewKey {
    NewKey {
        id: Uuid::new_v4(),
        name: "n".into(),
        prefix: "gk_".into(),
        hash: Uuid::new_v4().as_bytes().to_vec(),
        permissions: vec!["read".into()],
        scopes: vec!["admin".into()],
        expires_at: None,
    }
}

fn new_article(theirs: &Theirs) -> NewArticle {
    NewArticle {
        id: Uuid::new_v4(),
        project_id: Some(theirs.project.id),
        title: "t".into(),
        slug: theirs.article.slug.clone(),
        content_format: ContentFormat::Markdown,
        keywords: Vec::new(),
        tone: "professional",
        length: None,
        language: "en".into(),
    }
}

fn new_order() -> NewOrder {
    NewOrder {
        id: Uuid::new_v4(),
        kind: "article",
        input: json!({}),
        subject: None,
        price: Decimal::ONE,
        api_key_id: None,
        parent: None,
        first: new_step(None),
        run_at: None,
        told: json!({}),
    }
}

fn new_step(task: Option<Uuid>) -> NewStep {
    NewStep {
        id: Uuid::new_v4(),
        org: None,
        task,
        run: 1,
        kind: article::RESEARCH,
        pool: READING,
        position: 7,
        rank: 1,
        max_attempts: 1,
        trace_id: "t".into(),
        payload: Value::Null,
        subject: None,
        start: Start::Now,
        paused: false,
        started: None,
    }
}

fn text() -> TextVersion {
    TextVersion {
        reason: "edited",
        title: "Mine now".into(),
        slug: "mine-now".into(),
        content_markdown: "x".into(),
        seo_title: String::new(),
        seo_description: String::new(),
        keywords: Vec::new(),
        status: ArticleStatus::Draft,
        word_count: 1,
        published_at: None,
        seo_report: None,
        writer: String::new(),
    }
}

fn usage() -> Usage {
    Usage {
        provider: "p".into(),
        model: "m".into(),
        operation: "o".into(),
        prompt_tokens: 1,
        completion_tokens: 1,
        estimated: false,
        cost_usd: Decimal::ZERO,
        duration_ms: 1,
        outcome: CallOutcome::Ok,
    }
}

/// Asks as a stranger for what is theirs. True when something of it came back. Where what can be asked for does not say
/// which row, the stranger's own may come back.
async fn ask(name: &str, tx: &TenantTx, theirs: &Theirs) -> Result<bool, StoreError> {
    if let Some(answer) = ask_articles(name, tx, theirs).await {
        return answer;
    }
    if let Some(answer) = ask_schedules(name, tx, theirs).await {
        return answer;
    }
    let (task, running) = (theirs.task.id, theirs.running.id);
    let all_tasks = TaskFilter { limit: 1000, ..TaskFilter::default() };
    match name {
        "credits" => Ok(tx.credits().await?.0 > Decimal::from(5000)),
        "reserve" => done(tx.reserve(Decimal::ONE).await),
        "open_hold" => done(tx.open_hold(task, 9, Decimal::ONE).await),
        "grant" => done(tx.grant(Decimal::TEN, "mine").await),
        "insert_order" => done(tx.insert_order(new_order()).await),
        "task" => Ok(tx.task(task).await?.is_some()),
        "tasks" => Ok(tx.tasks(&all_tasks).await?.0.iter().any(|row| row.org_id == theirs.org.0)),
        "newest_uncompleted" => Ok(tx.newest_uncompleted(Some(theirs.key)).await?.is_some()),
        "steps" => Ok(!tx.steps(task).await?.is_empty()),
        "outputs" => Ok(!tx.outputs(task, article::RESEARCH, 1).await?.is_empty()),
        "events_after" => Ok(!tx.events_after(task, 0, 100).await?.is_empty()),
        "lock_task" => Ok(tx.lock_task(running).await?.is_some()),
        "add_steps" => done(tx.add_steps(&[new_step(Some(running))]).await),
        "emit" => done(tx.emit(running, "task.mine", json!({})).await),
        "hold_parent" => tx.hold_parent(running, theirs.step.fence).await.map(|_| true),
        "hold_fence" => tx.hold_fence(theirs.step.fence).await.map(|()| true),
        "cancel_jobs" => Ok(tx.cancel_jobs(article::RESEARCH, running).await? > 0),
        "open_descendants" => Ok(!tx.open_descendants(running, None).await?.is_empty()),
        "children" => Ok(!tx.children(theirs.step.fence.step).await?.is_empty()),
        "announce" => done(tx.announce("article.updated", theirs.article.id, json!({})).await),
        "follow_events" => done(tx.follow_events(article::RESEARCH, READING, 1).await),
        "unfollow_events" => done(tx.unfollow_events(SWEEP).await),
        "save_task" => done(
            tx.save_task(&rows::Task { status: TaskStatus::Cancelled.as_str().into(), ..theirs.running.clone() }).await,
        ),
        "now" => done(tx.now().await),
        "insert_output" => done(tx.insert_output(&theirs.task, article::OUTLINE, json!({})).await),
        "record_usage" => {
            let step = ClaimedStep { org: Some(tx.org()), task: Some(task), ..theirs.step.clone() };
            done(tx.record_usage(&step, &[usage()]).await)
        }
        "usage" => Ok(!tx.usage(task).await?.is_empty()),
        "keys" => Ok(tx.keys().await?.iter().any(|row| row.org_id == theirs.org.0)),
        "insert_key" => done(tx.insert_key(new_key(), None).await),
        "insert_first_key" => done(tx.insert_first_key(new_key()).await),
        "revoke_key" => tx.revoke_key(theirs.key).await,
        "secret" => Ok(tx.secret("model_key", "default").await?.is_some_and(|row| row.org_id == theirs.org.0)),
        "put_secret" => done(tx.put_secret(secret(theirs.org)).await),
        "delete_secret" => done(tx.delete_secret("model_key", "default").await),
        "replay" => {
            let key = IdempotencyKey::new(IDEMPOTENCY_KEY, "POST /x", b"b").unwrap();
            let replay = tx.replay(&key.key, &key.operation, &key.body_hash).await?;
            // What the stranger has remembered under this key is null.
            Ok(!matches!(replay, Replay::New | Replay::Same { response: Value::Null, .. }))
        }
        "remember" => {
            let key = IdempotencyKey::new(IDEMPOTENCY_KEY, "POST /x", b"b").unwrap();
            done(tx.remember(&key.key, 200, Value::Null).await)
        }
        other => ask_webhooks(other, tx, theirs).await,
    }
}

/// As [`ask`], for webhooks.
async fn ask_webhooks(name: &str, tx: &TenantTx, theirs: &Theirs) -> Result<bool, StoreError> {
    let (webhook, delivery) = (theirs.webhook.id, theirs.delivery.id);
    let all = WebhookFilter { limit: 1000, ..WebhookFilter::default() };
    match name {
        "webhook" => Ok(tx.webhook(webhook).await?.is_some()),
        "webhooks" => Ok(tx.webhooks(&all).await?.0.iter().any(|row| row.id == webhook)),
        "all_webhooks" => Ok(tx.all_webhooks().await?.iter().any(|row| row.id == webhook)),
        "step_added_at" => Ok(tx.step_added_at(theirs.step.fence.step).await?.is_some()),
        "lock_webhooks" => Ok(!tx.lock_webhooks(&[webhook]).await?.is_empty()),
        "insert_webhook" => done(tx.insert_webhook(new_webhook()).await),
        "save_webhook" => tx.save_webhook(theirs.webhook.clone()).await.map(|_| true),
        "delete_webhook" => tx.delete_webhook(webhook).await,
        "delivery" => Ok(tx.delivery(webhook, delivery).await?.is_some()),
        "deliveries" => {
            let all = DeliveryFilter { limit: 1000, ..DeliveryFilter::default() };
            Ok(tx.deliveries(webhook, &all).await?.1 > 0)
        }
        "delivery_attempts" => Ok(!tx.delivery_attempts(delivery).await?.is_empty()),
        "message_waits" => tx.message_waits(webhook, &theirs.delivery.message_id).await,
        "next_delivery_at" => Ok(tx.next_delivery_at(webhook).await?.is_some()),
        "open_jobs" => {
            let (active, next) = tx.open_jobs(&[article::RESEARCH], theirs.running.id, &[]).await?;
            Ok(active > 0 || next.is_some())
        }
        "insert_deliveries" => Ok(!tx.insert_deliveries(&[new_delivery(webhook)]).await?.is_empty()),
        "take_delivery" => Ok(tx.take_delivery(webhook, Uuid::new_v4(), 9).await?.is_some()),
        "save_delivery" => {
            done(tx.save_delivery(&rows::Delivery { attempts_count: 9, ..theirs.delivery.clone() }).await)
        }
        "add_attempt" => tx.add_attempt(NewAttempt { number: 2, ..new_attempt(delivery) }).await,
        "cancel_deliveries" => Ok(tx.cancel_deliveries(webhook).await? > 0),
        "replayable" => Ok(!tx.replayable(webhook, &everything_sent()).await?.is_empty()),
        "replay_deliveries" => Ok(tx.replay_deliveries(webhook, vec![delivery]).await? > 0),
        "may_tell_progress" => {
            let (task, at) = (theirs.delivery.subject_id.unwrap(), theirs.delivery.created_at);
            Ok(!tx.may_tell_progress(task, at, 5).await?)
        }
        other => panic!("{other} has no case here: ask it for another tenant's row"),
    }
}

/// As [`ask`], for what is about articles, files and projects.
async fn ask_articles(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (article, task, file, project) = (theirs.article.id, theirs.task.id, theirs.file, theirs.project.id);
    let asked = async {
        Ok(Some(match name {
            "insert_article" => done(tx.insert_article(theirs.task.id, new_article(theirs)).await)?,
            "article" => tx.article(article).await?.is_some(),
            "articles" => tx.articles(&every_article()).await?.0.iter().any(|row| row.id == article),
            "article_versions" => tx.article_versions(article, 10, 0).await?.1 > 0,
            "article_version" => tx.article_version(article, 1).await?.is_some(),
            "slug_taken" => tx.slug_taken(&theirs.article.slug, Uuid::nil()).await?,
            "hold_slug" => done(tx.hold_slug("s").await)?,
            "lock_article" => tx.lock_article(article).await?.is_some(),
            "save_version" => tx.save_version(article, &text()).await.map(|_| true)?,
            "change_article" => {
                for change in [
                    ArticleChange::Cover { file, alt: "mine".into() },
                    ArticleChange::Failed { error: "mine".into() },
                    ArticleChange::Generating,
                ] {
                    tx.change_article(article, change).await?;
                }
                false
            }
            "delete_article" => tx.delete_article(article).await?,
            "task_articles" => !tx.task_articles(task).await?.is_empty(),
            "sources" => !tx.sources(task).await?.is_empty(),
            "source_heads" => !tx.source_heads(task).await?.is_empty(),
            "all_sources" => !tx.all_sources(task).await?.is_empty(),
            "claims" => !tx.claims(article, 1).await?.is_empty(),
            "add_sources" => done(tx.add_sources(task, 9, &[new_source()]).await)?,
            "add_claims" => done(tx.add_claims(article, 9, &[new_claim(theirs.source)]).await)?,
            "effect" => tx.effect(&publication(article)).await?.is_some(),
            "effects" => !tx.effects(article).await?.is_empty(),
            "effect_is_held" => tx.effect_is_held(&sent(theirs)).await?,
            // The stranger's own, though it is about the same subject.
            "intend_effect" => tx.intend_effect(&publication(article), &theirs.step).await?.org_id == theirs.org.0,
            "send_effect" => tx.send_effect(&theirs.effect, &theirs.step).await?,
            "mark_effect" => done(tx.mark_effect(theirs.effect.id, &theirs.step, EffectMark::Failed("mine")).await)?,
            "file" => tx.file(file).await?.is_some(),
            "list_files" => tx.list_files(&every_file()).await?.0.iter().any(|row| row.org_id == theirs.org.0),
            "file_readers" => !tx.file_readers(vec![file]).await?.is_empty(),
            "files" => !tx.files(&[file, theirs.cover]).await?.is_empty(),
            "lock_file" => tx.lock_file(file).await?.is_some(),
            "insert_file" => done(tx.insert_file(new_file()).await)?,
            "is_cover" => tx.is_cover(theirs.cover).await?,
            "delete_file" => tx.delete_file(file).await?,
            "project" => tx.project(project).await?.is_some(),
            "projects" => tx.projects(false).await?.iter().any(|row| row.org_id == theirs.org.0),
            "project_slug_taken" => tx.project_slug_taken(&theirs.project.slug).await?,
            "has_project" => tx.has_project(project).await?,
            "lock_project" => tx.lock_project(project).await?.is_some(),
            "insert_project" => done(tx.insert_project(new_project()).await)?,
            "save_project" => tx.save_project(theirs.project.clone()).await.map(|_| true)?,
            "has_open_tasks" => tx.has_open_tasks(project).await?,
            "delete_project" => tx.delete_project(project).await?,
            _ => return Ok(None),
        }))
    };
    asked.await.transpose()
}

/// As [`ask`], for what is about schedules.
async fn ask_schedules(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (schedule, run) = (theirs.schedule.id, theirs.run.id);
    let asked = async {
        Ok(Some(match name {
            "schedule" => tx.schedule(schedule).await?.is_some(),
            "schedules" => tx.schedules(&every_schedule()).await?.0.iter().any(|row| row.id == schedule),
            "schedule_runs" => tx.schedule_runs(schedule, None, 10, 0).await?.1 > 0,
            "last_runs" => !tx.last_runs(vec![schedule]).await?.is_empty(),
            "open_questions" => !tx.open_questions(vec![schedule]).await?.is_empty(),
            "lock_schedule" => tx.lock_schedule(schedule).await?.is_some(),
            "lock_run" => tx.lock_run(run).await?.is_some(),
            "insert_schedule" => done(tx.insert_schedule(new_schedule()).await)?,
            "save_schedule" => tx.save_schedule(theirs.schedule.clone()).await.map(|_| true)?,
            "save_tick" => done(tx.save_tick(&rows::Schedule { failures: 7, ..theirs.schedule.clone() }).await)?,
            "delete_schedule" => tx.delete_schedule(schedule).await?,
            "insert_run" => tx.insert_run(new_run(schedule)).await?.is_some(),
            "save_run" => tx.save_run(theirs.run.clone()).await.map(|_| true)?,
            "fired_since" => !tx.fired_since(schedule, chrono::DateTime::UNIX_EPOCH).await?.is_empty(),
            _ => return Ok(None),
        }))
    };
    asked.await.transpose()
}

fn every_schedule() -> ScheduleFilter {
    ScheduleFilter { limit: 1000, ..ScheduleFilter::default() }
}

fn new_schedule() -> NewSchedule {
    NewSchedule {
        name: "n".into(),
        status: ScheduleStatus::Paused,
        recurrence: json!({}),
        action: json!({}),
        work: json!({}),
        missed: json!({}),
        max_per_day: None,
        project_id: None,
        api_key_id: None,
        last_considered: chrono::DateTime::UNIX_EPOCH,
        next_due: None,
    }
}

fn new_run(schedule: Uuid) -> NewRun {
    NewRun {
        schedule,
        due_at: chrono::DateTime::UNIX_EPOCH,
        trigger: RunTrigger::Schedule,
        status: RunStatus::Asked,
        late_seconds: 0,
        reason: None,
    }
}

fn everything_sent() -> ReplayRange {
    ReplayRange {
        from: chrono::DateTime::UNIX_EPOCH,
        to: chrono::Utc::now(),
        statuses: DeliveryStatus::ALL.to_vec(),
        event_types: Vec::new(),
    }
}

fn every_article() -> ArticleFilter {
    ArticleFilter {
        statuses: Vec::new(),
        project_id: None,
        search: None,
        sort: ArticleSort::Title,
        descending: false,
        limit: 1000,
        offset: 0,
    }
}

fn every_file() -> FileFilter {
    FileFilter { limit: 1000, ..FileFilter::default() }
}

fn new_file() -> NewFile {
    NewFile { id: Uuid::new_v4(), name: "n".into(), kind: "txt".into(), size: 1, sha256: "s".into(), blob: "b".into() }
}

fn new_project() -> NewProject {
    let slug = Uuid::new_v4().to_string();
    NewProject { name: "Mine".into(), platform: Platform::Wordpress, slug }
}

fn publication(article: Uuid) -> EffectKey<'static> {
    EffectKey { kind: article::PUBLICATION, subject: article, destination: "folder", key: "1" }
}

/// As if the step that runs were at it.
fn sent(theirs: &Theirs) -> rows::Effect {
    let Fence { step, lease } = theirs.step.fence;
    let state = TextEnum(EffectState::Sent);
    rows::Effect { state, step_id: Some(step), lease: Some(lease), ..theirs.effect.clone() }
}

fn new_source() -> NewSource {
    NewSource {
        number: 1,
        origin: Origin::File { name: "n".into() },
        title: "t".into(),
        language: None,
        text: "t".into(),
        sha256: "s".into(),
        words: 1,
    }
}

fn new_claim(source: Uuid) -> StoredClaim {
    StoredClaim {
        section: 0,
        sentence: "s".into(),
        verdict: Verdict::Supported,
        source_id: Some(source),
        span: Some((0, 1)),
        coverage_permille: 1000,
        missing: Vec::new(),
    }
}

/// What a stranger may do, since it is about the stranger's own rows.
fn done<T>(result: Result<T, StoreError>) -> Result<bool, StoreError> {
    result.map(|_| false)
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

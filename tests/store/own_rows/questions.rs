//! One question for each method of a tenant's view: does it reach the other tenant's rows?

use galley_domain::{article, embedding::Vector, image::PhotoProvider, judge::Judgement, task::TaskStatus};
use galley_services::{
    IdempotencyKey,
    pipelines::{READING, upkeep::SWEEP},
};
use galley_store::{
    ArticleChange, ClaimedStep, DeliveryFilter, EffectMark, NewAttempt, NewCard, NewEmbedding, NewJudgement, Replay,
    StoreError, TaskFilter, TenantTx, WebhookFilter, rows,
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{IDEMPOTENCY_KEY, Theirs, samples::*};

/// Less than what another organization has uploaded, and more than the stranger has.
const FAQ_BYTES: u64 = 100;

/// Asks as a stranger for what is theirs. True when something of it came back. Where what can be asked for does not say
/// which row, the stranger's own may come back.
pub(super) async fn ask(name: &str, tx: &TenantTx, theirs: &Theirs) -> Result<bool, StoreError> {
    if let Some(answer) = ask_articles(name, tx, theirs).await {
        return answer;
    }
    if let Some(answer) = ask_schedules(name, tx, theirs).await {
        return answer;
    }
    if let Some(answer) = super::publishing::ask(name, tx, theirs).await {
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
        "task_head" => Ok(tx.task_head(task).await?.is_some()),
        "task" => Ok(tx.task(task).await?.is_some()),
        "tasks" => Ok(tx.tasks(&all_tasks).await?.0.iter().any(|row| row.org_id == theirs.org.0)),
        "newest_uncompleted" => Ok(tx.newest_uncompleted(Some(theirs.key)).await?.is_some()),
        "steps" => Ok(!tx.steps(task).await?.is_empty()),
        "outputs" => Ok(!tx.outputs(task, article::RESEARCH, 1).await?.is_empty()),
        "events_after" => Ok(!tx.events_after(task, 0, 100).await?.is_empty()),
        "warn_task" => done(tx.warn_task(running, &["mine".to_owned()]).await),
        "lock_task" => Ok(tx.lock_task(running).await?.is_some()),
        "add_steps" => done(tx.add_steps(&[new_step(Some(running))]).await),
        "emit" => done(tx.emit(running, "task.mine", json!({})).await),
        "hold_parent" => tx.hold_parent(running, theirs.step.fence).await.map(|_| true),
        "hold_fence" => tx.hold_fence(theirs.step.fence).await.map(|()| true),
        "cancel_jobs" => Ok(tx.cancel_jobs(article::RESEARCH, &[running]).await? > 0),
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
        // The stranger's own, which `keep_judgements` has left, says yes.
        "judgements" => Ok(tx.judgements(&[judgement().hash]).await?.values().any(|said| *said == Judgement::No)),
        "keep_judgements" => {
            let own = NewJudgement { judgement: Judgement::Yes, ..judgement() };
            done(tx.keep_judgements(&[own]).await)
        }
        // The stranger's own, which `keep_embeddings` has left, points elsewhere.
        "embeddings" => {
            Ok(tx.embeddings(&[embedding().hash]).await?.values().any(|vector| *vector == embedding().vector))
        }
        "keep_embeddings" => {
            let own = NewEmbedding { vector: Vector::new(vec![0.0, 1.0, 0.0]).unwrap(), ..embedding() };
            done(tx.keep_embeddings(&[own]).await)
        }
        "model_answers" => Ok(!tx.model_answers(task).await?.is_empty()),
        "usage" => Ok(!tx.usage(task).await?.is_empty()),
        "keys" => Ok(tx.keys().await?.iter().any(|row| row.org_id == theirs.org.0)),
        "insert_event_token" => tx.insert_event_token(new_event_token(task, theirs.key)).await.map(|()| true),
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
pub(super) async fn ask_webhooks(name: &str, tx: &TenantTx, theirs: &Theirs) -> Result<bool, StoreError> {
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
pub(super) async fn ask_articles(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (article, task, file, project) = (theirs.article.id, theirs.task.id, theirs.file, theirs.project.id);
    let asked = async {
        Ok(Some(match name {
            "insert_article" => done(tx.insert_article(theirs.task.id, new_article(theirs)).await)?,
            "article" => tx.article(article).await?.is_some(),
            "articles" => tx.articles(&every_article()).await?.0.iter().any(|row| row.id == article),
            "article_versions" => tx.article_versions(article, 10, 0).await?.1 > 0,
            "article_version" => tx.article_version(article, 1).await?.is_some(),
            "slug_taken" => tx.slug_taken(&theirs.article.slug, theirs.article.project_id, Uuid::nil()).await?,
            "hold_slug" => done(tx.hold_slug("s").await)?,
            "lock_article" => tx.lock_article(article).await?.is_some(),
            "save_version" => tx.save_version(article, &text()).await.map(|_| true)?,
            "change_article" => {
                for change in [
                    ArticleChange::Cover { file, alt: "mine".into() },
                    ArticleChange::Failed { error: "mine".into(), task },
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
            "bytes_of_files" => tx.bytes_of_files().await? >= FAQ_BYTES,
            "file_readers" => !tx.file_readers(vec![file]).await?.is_empty(),
            "files" => !tx.files(&[file, theirs.cover]).await?.is_empty(),
            "lock_file" => tx.lock_file(file).await?.is_some(),
            "insert_file" => done(tx.insert_file(new_file()).await)?,
            "is_cover" => tx.is_cover(theirs.cover).await?,
            "delete_file" => tx.delete_file(file).await?,
            "image" => tx.image(theirs.image.id).await?.is_some(),
            "images" => !tx.images(&[article]).await?.is_empty(),
            "featured_images" => !tx.featured_images(&[article]).await?.is_empty(),
            "insert_image" => tx.insert_image(new_image(article)).await.map(|_| true)?,
            "add_source_images" => tx.add_source_images((task, 1), &[new_source_image(article)], 99).await? > 0,
            "images_of_project" => !tx.images_of_project(project).await?.is_empty(),
            "set_image_variants" => {
                let image = &theirs.image;
                tx.set_image_variants(image.id, &image.blob, &Default::default(), 9).await?
            }
            "feature_image" => tx.feature_image(article, Some(theirs.image.id)).await?,
            "delete_image" => tx.delete_image(theirs.image.id).await?.is_some(),
            "put_card" => {
                let (file, alt_text) = (&new_file(), "mine");
                done(tx.put_card(article, NewCard { file, width: 1, height: 1, alt_text }).await)?
            }
            "photo_key_of" => tx.photo_key_of(PhotoProvider::Pexels).await?.is_some(),
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
pub(super) async fn ask_schedules(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (schedule, run) = (theirs.schedule.id, theirs.run.id);
    let asked = async {
        Ok(Some(match name {
            "schedule" => tx.schedule(schedule).await?.is_some(),
            "schedules" => tx.schedules(&every_schedule()).await?.0.iter().any(|row| row.id == schedule),
            "schedule_runs" => tx.schedule_runs(schedule, None, 10, 0).await?.1 > 0,
            "last_runs" => !tx.last_runs(vec![schedule]).await?.is_empty(),
            "open_questions" => !tx.open_questions(vec![schedule]).await?.is_empty(),
            "lock_schedule" => tx.lock_schedule(schedule).await?.is_some(),
            "project_schedules" => !tx.project_schedules(theirs.project.id).await?.is_empty(),
            "lock_schedules" => !tx.lock_schedules(&[schedule]).await?.is_empty(),
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

/// What a stranger may do, since it is about the stranger's own rows.
pub(super) fn done<T>(result: Result<T, StoreError>) -> Result<bool, StoreError> {
    result.map(|_| false)
}

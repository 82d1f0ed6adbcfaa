//! From what the engine and the use cases tell to messages for endpoints.

use chrono::{DateTime, Utc};
use galley_domain::{OrgId, article, task::TaskStatus};
use galley_store::{NewDelivery, StoreError, TenantTx, rows};
use galley_webhooks::{Event, Filters, Format, ObjectLink, Payload, Work, message_id};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::log::{format_of, text_of};
use crate::{Services, pipelines::webhooks::Messages};

/// What one transaction told: of a task, or of whatever the job is about.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    pub task: Option<Uuid>,
    /// Of the task.
    pub kind: Option<String>,
    /// The number of the last event, by task.
    #[serde(default)]
    pub seq: i64,
    pub events: Vec<ToldEvent>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ToldEvent {
    pub kind: String,
    pub data: Json,
}

/// What happened, in the words of webhooks.
struct Happening {
    event: Event,
    work: Option<Work>,
    data: Json,
    sequence: i64,
    /// What it is about.
    subject: Uuid,
    /// Who is not told.
    except: Option<Uuid>,
}

/// Tells the organization's endpoints what happened to an article.
pub(crate) async fn tell_article(tx: &TenantTx, event: Event, article: &rows::Article) -> Result<(), StoreError> {
    tx.announce(event.as_str(), article.id, about_article(article)).await
}

fn about_article(article: &rows::Article) -> Json {
    json!({
        "article_id": article.id,
        "project_id": article.project_id,
        "title": article.title,
        "slug": article.slug,
        "status": article.status,
        "version": article.version,
    })
}

fn task_event(kind: &str) -> Option<Event> {
    match kind {
        "task.progress" => Some(Event::TaskProgressed),
        other => other.parse().ok().filter(|event: &Event| event.as_str().starts_with("task.")),
    }
}

/// What 003 calls the work of a kind of task.
fn work_of(kind: &str) -> Option<Work> {
    (kind == article::TASK).then_some(Work::Content)
}

/// What an event of a task means for the article that it writes.
fn article_event(event: Event) -> Option<Event> {
    match event {
        Event::TaskCreated => Some(Event::ArticleCreated),
        Event::TaskCompleted => Some(Event::ArticleDrafted),
        Event::TaskFailed => Some(Event::ArticleFailed),
        _ => None,
    }
}

impl Services {
    /// The messages that a fan-out brings: one for each event and endpoint that wants it.
    pub async fn messages(&self, org: OrgId, step: Uuid, subject: Uuid, told: Told) -> Result<Messages, StoreError> {
        let tenant = self.store.tenant(org);
        let known = |event: &ToldEvent| task_event(&event.kind).is_some() || told.task.is_none();
        if !told.events.iter().any(known) {
            return Ok(Messages::default());
        }
        let webhooks = tenant.all_webhooks().await?;
        if webhooks.is_empty() {
            return Ok(Messages::default());
        }
        let at = tenant.step_added_at(step).await?.unwrap_or_else(Utc::now);
        let happenings = match told.task {
            Some(task) => self.of_task(org, task, told, at).await?,
            None => announced(subject, &told, at),
        };
        let mut messages = Messages::default();
        for happening in &happenings {
            let rows = addressed(org, happening, &webhooks, at)?;
            match happening.event {
                Event::TaskProgressed => messages.progress = rows,
                _ => messages.rows.extend(rows),
            }
        }
        Ok(messages)
    }

    async fn of_task(&self, org: OrgId, id: Uuid, told: Told, at: DateTime<Utc>) -> Result<Vec<Happening>, StoreError> {
        let tenant = self.store.tenant(org);
        // A task that was removed meanwhile told it all the same.
        let task = tenant.task(id).await?;
        let kind = told.kind.clone().unwrap_or_default();
        let about = task.as_ref().and_then(|task| task.subject_id).filter(|_| kind == article::TASK);
        let article = match about {
            Some(article) => tenant.article(article).await?,
            None => None,
        };
        let first = told.seq - i64::try_from(told.events.len()).unwrap_or(0);
        let mut found = Vec::new();
        for (sequence, ToldEvent { kind: name, data }) in (first + 1..).zip(&told.events) {
            let Some(event) = task_event(name) else { continue };
            found.push(Happening {
                event,
                work: work_of(&kind),
                data: about_task(id, &kind, event, data, task.as_ref(), article.as_ref()),
                sequence,
                subject: id,
                except: None,
            });
            if let (Some(event), Some(article)) = (article_event(event), &article) {
                let (data, subject) = (about_article(article), article.id);
                let sequence = at.timestamp_micros();
                found.push(Happening { event, work: None, data, sequence, subject, except: None });
            }
        }
        // Of several steps forward in one moment the last one says it all.
        let last = found.iter().rposition(|one| one.event == Event::TaskProgressed);
        let mut place = 0..;
        found.retain(|one| {
            let here = place.next();
            one.event != Event::TaskProgressed || here == last
        });
        Ok(found)
    }
}

/// The fields of an event differ by kind; what it does not say follows from the kind or is as the task stands.
fn about_task(
    id: Uuid,
    kind: &str,
    event: Event,
    data: &Json,
    task: Option<&rows::Task>,
    article: Option<&rows::Article>,
) -> Json {
    let status = data["status"].as_str().map_or_else(
        || match event {
            Event::TaskCreated => TaskStatus::Pending.as_str().to_owned(),
            Event::TaskStarted => TaskStatus::Processing.as_str().to_owned(),
            _ => task.map(|task| task.status.clone()).unwrap_or_default(),
        },
        str::to_owned,
    );
    let progress = data["progress"].as_i64().unwrap_or_else(|| match event {
        Event::TaskCreated | Event::TaskStarted => 0,
        _ => task.map_or(0, |task| i64::from(task.progress)),
    });
    json!({
        "task_id": id,
        "kind": kind,
        "status": status,
        "progress": progress,
        "article_id": article.map(|article| article.id),
        "project_id": article.and_then(|article| article.project_id),
        "error": data.get("error"),
    })
}

/// What the use cases have told; each says what it is about by itself.
fn announced(subject: Uuid, told: &Told, at: DateTime<Utc>) -> Vec<Happening> {
    let of = |told: &ToldEvent| {
        let event = told.kind.parse().ok()?;
        let is_own = matches!(event, Event::WebhookDisabled | Event::WebhookRecovered);
        let except = is_own.then_some(subject);
        Some(Happening { event, work: None, data: told.data.clone(), sequence: at.timestamp_micros(), subject, except })
    };
    told.events.iter().filter_map(of).collect()
}

fn addressed(
    org: OrgId,
    happening: &Happening,
    webhooks: &[rows::Webhook],
    at: DateTime<Utc>,
) -> Result<Vec<NewDelivery>, StoreError> {
    let message = Uuid::now_v7();
    let wanted = webhooks.iter().filter(|webhook| happening.except != Some(webhook.id));
    let mut found = Vec::new();
    for webhook in wanted {
        let format = format_of(webhook);
        let filters = Filters::stored(webhook.events.clone());
        let Some(event_type) = filters.type_for(format, happening.event, happening.work) else { continue };
        let message_id = message_id(format, message);
        found.push(NewDelivery {
            id: Uuid::now_v7(),
            webhook: webhook.id,
            subject: Some(happening.subject),
            payload: payload_of(org, happening, &message_id, event_type, format, at)?,
            message_id,
            event_type: event_type.to_owned(),
            at,
            sequence: happening.sequence,
            resend_of: None,
            always: false,
        });
    }
    Ok(found)
}

fn payload_of(
    org: OrgId,
    happening: &Happening,
    message_id: &str,
    event_type: &str,
    format: Format,
    at: DateTime<Utc>,
) -> Result<String, StoreError> {
    let project = happening.data["project_id"].as_str().and_then(|id| id.parse().ok());
    let id = happening.subject.to_string();
    let area = match happening.event.as_str().split('.').next() {
        Some("task") => "tasks",
        Some("schedule") => "schedules",
        Some("webhook") => "webhooks",
        _ => "articles",
    };
    let payload = Payload {
        message_id,
        event_type,
        timestamp: at,
        organization_id: org.0,
        site_id: project.unwrap_or(org.0),
        sequence: happening.sequence,
        data: &happening.data,
        object: ObjectLink { id: &id, url: &format!("/api/v1/{area}/{id}") },
    };
    text_of(&payload, format)
}

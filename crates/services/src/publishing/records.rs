//! The record of what was published where, whoever did it.

use chrono::{DateTime, Utc};
use galley_domain::{
    OrgId,
    project::Platform,
    publishing::{PublicationState, Visibility},
};
use galley_store::{NewPublication, PublicationFilter, TenantTx, rows};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use uuid::Uuid;

use super::{integrations::unknown, publish::target};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    projects::refuse_trashed,
};

/// A publication that somebody made elsewhere.
#[derive(Debug, Clone)]
pub struct RecordRequest {
    pub content_id: Uuid,
    pub destination: &'static str,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub status: PublicationState,
    pub published_at: Option<DateTime<Utc>>,
    pub metadata: Map<String, Json>,
}

/// A publication with the project of its text.
#[derive(Debug, Clone)]
pub struct PublishingRecord {
    pub row: rows::Publication,
    pub project_id: Option<Uuid>,
}

/// What of the notes of a publication is for clients.
const OWN_NOTES: [&str; 3] = ["site_time", "beside", "mark"];

impl PublishingRecord {
    /// Without what only we go by.
    pub fn metadata(&self) -> Map<String, Json> {
        let mut notes = self.row.metadata.as_object().cloned().unwrap_or_default();
        OWN_NOTES.iter().for_each(|name| {
            notes.remove(*name);
        });
        notes
    }
}

impl Services {
    /// One page, newest first, with the number of all.
    pub async fn publishing_records(
        &self,
        org: OrgId,
        filter: &PublicationFilter,
    ) -> Result<(Vec<PublishingRecord>, u64), ServiceError> {
        let (rows, total) = self.store.tenant(org).publications(filter).await?;
        Ok((self.with_projects(org, rows).await?, total))
    }

    pub(crate) async fn with_projects(
        &self,
        org: OrgId,
        rows: Vec<rows::Publication>,
    ) -> Result<Vec<PublishingRecord>, ServiceError> {
        let articles = rows.iter().map(|row| row.article_id).collect();
        let projects: HashMap<Uuid, Option<Uuid>> =
            self.store.tenant(org).projects_of(articles).await?.into_iter().collect();
        let record = |row: rows::Publication| {
            let project_id = projects.get(&row.article_id).copied().flatten();
            PublishingRecord { row, project_id }
        };
        Ok(rows.into_iter().map(record).collect())
    }

    /// Notes it; nothing is published. With an id of the destination, the next publication there goes to that post.
    pub async fn create_record(
        &self,
        org: OrgId,
        request: RecordRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<PublishingRecord>, ServiceError> {
        let tx = self.store.begin(org).await?;
        let answer = once(tx, key, |tx| async move {
            let article = tx.lock_article(request.content_id).await?;
            let article = article.ok_or_else(|| unknown("content_id", Missing::Content))?;
            refuse_trashed(&tx, article.project_id).await?;
            let connection = connection_for(&tx, &article, request.destination).await?;
            if let (Some(connection), Some(post)) = (connection, &request.external_id)
                && let Some(other) = tx.placed_there(connection, post).await?
                && other.article_id != article.id
            {
                let text = format!("{post} is another text here: {}", other.article_id);
                return Err(ServiceError::Conflict(text));
            }
            if connection.is_none()
                && request.external_id.is_some()
                && request.destination == Platform::Wordpress.as_str()
            {
                let text = "nothing says through which connection the text goes there, so its post would not be known \
                            again; make an integration of its site, or set default_blog_connection_id of the project";
                return Err(ServiceError::Conflict(text.into()));
            }
            let is_published = request.status == PublicationState::Published;
            let now = tx.now().await?;
            let new = NewPublication {
                id: Uuid::now_v7(),
                article_id: article.id,
                connection_id: connection,
                destination: request.destination,
                deployment_id: None,
                task_id: None,
                visibility: Visibility::Publish,
                status: request.status,
                force: false,
                due_at: None,
                external_id: request.external_id,
                external_url: request.external_url,
                error: None,
                published_at: request.published_at.or(is_published.then_some(now)),
                metadata: json!(request.metadata),
            };
            let row = tx.insert_publication(new).await?;
            Ok((tx, row))
        })
        .await?;
        let project_id = self.store.tenant(org).article(answer.value.article_id).await?.and_then(|row| row.project_id);
        Ok(Answer { value: PublishingRecord { row: answer.value, project_id }, replayed: answer.replayed })
    }
}

/// Through what such a text would go to such a place now.
async fn connection_for(
    tx: &TenantTx,
    article: &rows::Article,
    destination: &str,
) -> Result<Option<Uuid>, ServiceError> {
    if destination != Platform::Wordpress.as_str() {
        return Ok(None);
    }
    if let Some(project) = article.project_id {
        let active = tx.active_integrations(project).await?;
        if let Some(own) = active.into_iter().find(|row| *row.platform == Platform::Wordpress) {
            return Ok(Some(own.id));
        }
    }
    match target(tx, article, None).await {
        Ok(connection) => Ok(Some(connection.id)),
        // Then nothing is known of a place, and the record only tells.
        Err(ServiceError::Conflict(_)) => Ok(article.connection_id),
        Err(error) => Err(error),
    }
}

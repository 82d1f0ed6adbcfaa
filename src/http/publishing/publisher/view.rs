//! Publications and deployments as clients see them.

use galley_domain::publishing::{DeploymentStatus, PublicationState};
use galley_services as services;
use galley_store::DeploymentView;
use poem_openapi::Object;
use uuid::Uuid;

use crate::http::kit::{
    problem::Problem,
    scalar::{Moment, Nullable, Word},
    statuses::unreadable,
    values::FreeObject,
};

/// A publication of a text.
#[derive(Debug, Object)]
pub struct PublishingRecord {
    id: Uuid,
    /// The project of the text.
    site_id: Nullable<Uuid>,
    content_id: Uuid,
    /// wordpress, ghost, webflow or folder.
    destination: String,
    /// What the destination calls it.
    external_id: Nullable<String>,
    external_url: Nullable<String>,
    status: Word<PublicationState>,
    published_at: Nullable<Moment>,
    /// Why it failed.
    error_message: Nullable<String>,
    metadata: FreeObject,
    created_at: Moment,
}

impl From<services::PublishingRecord> for PublishingRecord {
    fn from(record: services::PublishingRecord) -> Self {
        let metadata = FreeObject(record.metadata());
        let services::PublishingRecord { row, project_id } = record;
        Self {
            id: row.id,
            site_id: project_id.into(),
            content_id: row.article_id,
            destination: row.destination,
            external_id: row.external_id.into(),
            external_url: row.external_url.into(),
            status: row.status.into(),
            published_at: row.published_at.into(),
            error_message: row.error_message.into(),
            metadata,
            created_at: row.created_at.into(),
        }
    }
}

/// What was asked to be published at once for a site.
#[derive(Debug, Object)]
pub struct Deployment {
    id: Uuid,
    /// The project.
    site_id: Uuid,
    /// full or incremental.
    deployment_type: String,
    /// Counts from 1 in the site.
    version: i32,
    status: Word<DeploymentStatus>,
    /// Publications that stand at their destination.
    items_deployed: u64,
    started_at: Moment,
    /// When the last publication ended; null while one has not.
    completed_at: Nullable<Moment>,
    /// Why publications failed, one line each.
    error_log: Nullable<String>,
    metadata: FreeObject,
}

impl TryFrom<DeploymentView> for Deployment {
    type Error = Problem;

    fn try_from(view: DeploymentView) -> Result<Self, Problem> {
        Ok(Self {
            id: view.id,
            site_id: view.project_id,
            deployment_type: view.deployment_type,
            version: view.version,
            status: Word(view.status.parse().map_err(unreadable)?),
            items_deployed: view.items_deployed.unsigned_abs(),
            started_at: view.started_at.into(),
            completed_at: view.completed_at.into(),
            error_log: view.error_log.into(),
            metadata: view.metadata.into(),
        })
    }
}

/// A publication that was ordered, or refused.
#[derive(Debug, Object)]
pub struct PublishedRecord {
    record_id: Uuid,
    content_id: Uuid,
    destination: String,
    status: Word<PublicationState>,
}

/// A call to publish.
#[derive(Debug, Object)]
#[oai(rename = "PublishReceipt")]
pub struct Published {
    publish_id: Uuid,
    records: Vec<PublishedRecord>,
}

impl From<services::Deployed> for Published {
    fn from(deployed: services::Deployed) -> Self {
        let record = |record: services::PublishingRecord| PublishedRecord {
            record_id: record.row.id,
            content_id: record.row.article_id,
            destination: record.row.destination,
            status: record.row.status.into(),
        };
        Self { publish_id: deployed.publish_id, records: deployed.records.into_iter().map(record).collect() }
    }
}

/// How a call to publish has come along.
#[derive(Debug, Object)]
pub struct PublishStatus {
    publish_id: Uuid,
    /// pending, publishing, published, partial or failed.
    status: String,
    records: Vec<PublishingRecord>,
}

impl From<services::Deployed> for PublishStatus {
    fn from(deployed: services::Deployed) -> Self {
        Self {
            publish_id: deployed.publish_id,
            status: deployed.status().to_owned(),
            records: deployed.records.into_iter().map(PublishingRecord::from).collect(),
        }
    }
}

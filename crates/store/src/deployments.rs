//! Deployments: what was asked to be published at once for a project, with how far it has come.

use chrono::{DateTime, Utc};
use galley_domain::publishing::DeploymentStatus;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    entity::deployments::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
    sql,
};

/// A deployment with what its publications come to.
#[derive(Debug, Clone, FromQueryResult)]
pub struct DeploymentView {
    pub id: Uuid,
    pub project_id: Uuid,
    pub publish_id: Uuid,
    pub deployment_type: String,
    pub version: i32,
    pub status: String,
    /// Publications that stand at their sites.
    pub items_deployed: i64,
    pub started_at: DateTime<Utc>,
    /// When the last publication ended; nothing while one is open.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why publications failed, one line each.
    pub error_log: Option<String>,
    pub metadata: Json,
    /// All that match.
    total: i64,
}

/// Which deployments are listed.
#[derive(Debug, Clone, Default)]
pub struct DeploymentFilter {
    pub project_id: Option<Uuid>,
    pub status: Option<DeploymentStatus>,
    pub limit: u64,
    pub offset: u64,
}

/// What the publications of a deployment come to is its status; with none left it has nothing more to do.
const LIST: &str = "
WITH seen AS (
    SELECT d.id, d.project_id, d.publish_id, d.deployment_type, d.version, d.metadata, d.created_at AS started_at,
        count(p.id) FILTER (WHERE p.status = 'published') AS items_deployed,
        CASE WHEN count(p.id) FILTER (WHERE p.status IN ('pending', 'publishing')) = 0
            THEN coalesce(max(p.updated_at), d.created_at) END AS completed_at,
        left(string_agg(p.article_id || ': ' || p.error_message, E'\\n' ORDER BY p.id)
            FILTER (WHERE p.status = 'failed'), 10000) AS error_log,
        CASE
            WHEN count(p.id) > 0 AND bool_and(p.status = 'pending') THEN 'pending'
            WHEN coalesce(bool_or(p.status IN ('pending', 'publishing')), false) THEN 'deploying'
            WHEN count(p.id) > 0 AND bool_and(p.status = 'failed') THEN 'failed'
            WHEN count(p.id) > 0 AND bool_and(p.status = 'retracted') THEN 'rolled_back'
            ELSE 'completed' END AS status
    FROM deployments d LEFT JOIN publications p ON p.org_id = d.org_id AND p.deployment_id = d.id
    WHERE d.org_id = $1 AND ($2::uuid IS NULL OR d.project_id = $2)
    GROUP BY d.id)
SELECT seen.*, count(*) OVER () AS total FROM seen WHERE ($3::text IS NULL OR status = $3)
ORDER BY started_at DESC, id DESC LIMIT $4 OFFSET $5";

const COUNT: &str =
    "SELECT coalesce(max(version), 0) AS version FROM deployments WHERE org_id = $1 AND project_id = $2";

impl<C: ConnectionTrait> Scoped<C> {
    /// One page, newest first, with the number of all. A page behind the end counts from its beginning.
    pub async fn deployments(&self, filter: &DeploymentFilter) -> Result<(Vec<DeploymentView>, u64), StoreError> {
        let found = self.deployments_from(filter, filter.limit, filter.offset).await?;
        let total = match found.first() {
            Some(first) => first.total,
            None if filter.offset == 0 => 0,
            None => self.deployments_from(filter, 1, 0).await?.first().map_or(0, |first| first.total),
        };
        Ok((found, u64::try_from(total).unwrap_or(0)))
    }

    async fn deployments_from(
        &self,
        filter: &DeploymentFilter,
        limit: u64,
        offset: u64,
    ) -> Result<Vec<DeploymentView>, StoreError> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let values = [
            self.org_value(),
            filter.project_id.into(),
            filter.status.map(|status| status.as_str().to_owned()).into(),
            number(limit).into(),
            number(offset).into(),
        ];
        sql::rows(&self.conn, LIST, values).await
    }

    /// Those of one call to publish, in the order of their making.
    pub async fn deployments_of(&self, publish: Uuid) -> Result<Vec<Model>, StoreError> {
        let of_call = self.find::<Entity>().filter(Column::PublishId.eq(publish)).order_by_asc(Column::Id);
        Ok(of_call.all(&self.conn).await?)
    }

    pub async fn deployment(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }
}

impl TenantTx {
    /// The next one of the project. The caller keeps others from taking the same number.
    pub async fn insert_deployment(&self, project: Uuid, publish: Uuid, metadata: Json) -> Result<Model, StoreError> {
        let newest = sql::one(&self.conn, COUNT, [self.org_value(), project.into()]).await?;
        let newest: i32 = newest.map(|row| row.try_get("", "version")).transpose()?.unwrap_or(0);
        let row = ActiveModel {
            id: Set(Uuid::now_v7()),
            project_id: Set(project),
            publish_id: Set(publish),
            version: Set(newest + 1),
            metadata: Set(metadata),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }
}

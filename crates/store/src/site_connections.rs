//! Connections to sites: blogs, shops and what opens them, but for the secrets.

use std::time::Duration;

use galley_domain::{OrgId, project::Platform};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QueryOrder, sea_query::Expr};
use uuid::Uuid;

use crate::{
    entity::connections::{Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
    words::TextEnum,
};

/// Which connections are listed.
#[derive(Debug, Clone, Default)]
pub struct ConnectionFilter {
    pub project_id: Option<Uuid>,
    pub platform: Option<Platform>,
    pub is_active: Option<bool>,
    pub limit: u64,
    pub offset: u64,
}

/// A post that waits for its hour, and a schedule that publishes. What somebody else publishes has no task of ours.
const IN_USE: &str = "
SELECT FROM publications WHERE org_id = $1 AND connection_id = $2 AND status IN ('pending', 'publishing')
    AND task_id IS NOT NULL
UNION ALL
SELECT FROM schedules WHERE org_id = $1 AND action->>'connection_id' = $2::text AND status <> 'ended' LIMIT 1";

const PROJECT_WITH_DEFAULT: &str = "
SELECT id FROM projects WHERE org_id = $1 AND lower(settings->>'default_blog_connection_id') = $2::text LIMIT 1";

const HAS_PLACEMENTS: &str = "
SELECT FROM publications WHERE org_id = $1 AND connection_id = $2 AND external_id IS NOT NULL
UNION ALL
SELECT FROM articles WHERE org_id = $1 AND connection_id = $2 AND external_id IS NOT NULL LIMIT 1";

/// What stands at a site that is no longer spoken of is published no more as far as is known here. What is on its way or was
/// refused stays as it is: it goes to the new address, or went nowhere.
const FORGET_PLACEMENTS: &str = "
WITH forgotten AS (
    UPDATE publications SET status = CASE status WHEN 'published' THEN 'retracted' ELSE status END,
        external_id = NULL, external_url = NULL, sent = NULL, updated_at = now()
    WHERE org_id = $1 AND connection_id = $2 AND (external_id IS NOT NULL OR status = 'published'))
UPDATE articles SET status = CASE status WHEN 'published' THEN 'draft' ELSE status END,
    published_at = CASE status WHEN 'published' THEN NULL ELSE published_at END,
    connection_id = NULL, external_id = NULL, external_url = NULL, updated_at = now()
WHERE org_id = $1 AND connection_id = $2";

impl<C: ConnectionTrait> Scoped<C> {
    /// One page of those that belong to a project, newest first, with the number of all.
    pub async fn integrations(&self, filter: &ConnectionFilter) -> Result<(Vec<Model>, u64), StoreError> {
        let condition = Condition::all()
            .add(Column::ProjectId.is_not_null())
            .add_option(filter.project_id.map(|project| Column::ProjectId.eq(project)))
            .add_option(filter.platform.map(|platform| Column::Platform.eq(TextEnum(platform))))
            .add_option(filter.is_active.map(|active| Column::IsActive.eq(active)));
        let newest = [(Column::CreatedAt, Order::Desc), (Column::Id, Order::Asc)];
        self.page::<Entity, _>(condition, &newest, filter.limit, filter.offset).await
    }

    /// Those of a project that are in use, the oldest first.
    pub async fn active_integrations(&self, project: Uuid) -> Result<Vec<Model>, StoreError> {
        let of_project = self.find::<Entity>().filter(Column::ProjectId.eq(project)).filter(Column::IsActive.eq(true));
        Ok(of_project.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&self.conn).await?)
    }

    /// The one of a site with this login.
    pub async fn connection_of(
        &self,
        platform: Platform,
        site_url: &str,
        username: &str,
    ) -> Result<Option<Model>, StoreError> {
        let same = self
            .find::<Entity>()
            .filter(Column::Platform.eq(TextEnum(platform)))
            .filter(Column::SiteUrl.eq(site_url))
            .filter(Column::Username.eq(username));
        Ok(same.one(&self.conn).await?)
    }

    /// A project whose default it is.
    pub async fn project_with_default_connection(&self, id: Uuid) -> Result<Option<Uuid>, StoreError> {
        let found = sql::one(&self.conn, PROJECT_WITH_DEFAULT, [self.org_value(), id.into()]).await?;
        Ok(found.map(|row| row.try_get("", "id")).transpose()?)
    }

    /// Whether something stands at its site, as far as is known here.
    pub async fn has_placements(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(sql::one(&self.conn, HAS_PLACEMENTS, [self.org_value(), id.into()]).await?.is_some())
    }

    /// Whether something is to go through it later.
    pub async fn connection_is_promised(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(sql::one(&self.conn, IN_USE, [self.org_value(), id.into()]).await?.is_some())
    }
}

/// Those whose last sync, ordered by anybody, is so long ago. Each has its own minute, so that sites of one maker are not
/// all asked at once.
const DUE: &str = "
SELECT c.org_id, c.id FROM connections c JOIN projects p ON p.org_id = c.org_id AND p.id = c.project_id
WHERE c.sync_enabled AND c.is_active AND c.sync_status <> 'syncing' AND c.platform = 'wordpress' AND c.username <> ''
    AND p.deleted_at IS NULL
    AND greatest((c.metadata->>'sync_ordered_at')::timestamptz, c.created_at) < now() - make_interval(secs => $1)
        - make_interval(secs => $1 * mod(abs(hashtext(c.id::text)::bigint), 100) / 1000.0)
ORDER BY c.metadata->>'sync_ordered_at' NULLS FIRST, c.id LIMIT 100";

impl System {
    /// Integrations that are to be synced by themselves.
    pub async fn due_syncs(&self, every: Duration) -> Result<Vec<(OrgId, Uuid)>, StoreError> {
        let rows = sql::all(&self.db, DUE, [every.as_secs_f64().into()]).await?;
        rows.iter().map(|row| Ok((OrgId(row.try_get("", "org_id")?), row.try_get("", "id")?))).collect()
    }

    /// Whose integration it is. Sites name it when they call, and no organization.
    pub async fn integration_owner(&self, id: Uuid) -> Result<Option<OrgId>, StoreError> {
        let owner =
            sql::one(&self.db, "SELECT org_id FROM connections WHERE id = $1 AND project_id IS NOT NULL", [id.into()]);
        Ok(owner.await?.map(|row| row.try_get("", "org_id")).transpose()?.map(OrgId))
    }
}

impl TenantTx {
    /// Forgets what stands at its site.
    pub async fn forget_placements(&self, id: Uuid) -> Result<(), StoreError> {
        sql::execute(&self.conn, FORGET_PLACEMENTS, [self.org_value(), id.into()]).await?;
        Ok(())
    }

    /// Notes that something has gone through it. Whoever refers to the row meanwhile does not wait for it.
    pub async fn touch_connection(&self, id: Uuid) -> Result<(), StoreError> {
        let touched = self.updating::<Entity>().col_expr(Column::LastSyncedAt, Expr::current_timestamp());
        touched.filter(Column::Id.eq(id)).exec(&self.conn).await?;
        Ok(())
    }
}

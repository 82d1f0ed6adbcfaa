//! Connections to sites: blogs, shops and what opens them, but for the secrets.

use galley_domain::{OrgId, project::Platform};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QueryOrder, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    entity::connections::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, System, TenantTx},
    sql,
    words::TextEnum,
};

/// A connection to store; it starts active.
#[derive(Debug, Clone)]
pub struct NewConnection {
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub platform: Platform,
    pub name: String,
    pub site_url: String,
    pub username: String,
}

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

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn connection(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// Those with a login to a blog, newest first.
    pub async fn blog_connections(&self) -> Result<Vec<Model>, StoreError> {
        let blogs = self.find::<Entity>().filter(Column::Platform.eq(TextEnum(Platform::Wordpress)));
        let newest = blogs.filter(Column::Username.ne("")).order_by_desc(Column::CreatedAt).order_by_asc(Column::Id);
        Ok(newest.all(&self.conn).await?)
    }

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

    /// Whether something is to go through it later.
    pub async fn connection_is_promised(&self, id: Uuid) -> Result<bool, StoreError> {
        Ok(sql::one(&self.conn, IN_USE, [self.org_value(), id.into()]).await?.is_some())
    }
}

impl System {
    /// Whose integration it is. Sites name it when they call, and no organization.
    pub async fn integration_owner(&self, id: Uuid) -> Result<Option<OrgId>, StoreError> {
        let owner =
            sql::one(&self.db, "SELECT org_id FROM connections WHERE id = $1 AND project_id IS NOT NULL", [id.into()]);
        Ok(owner.await?.map(|row| row.try_get("", "org_id")).transpose()?.map(OrgId))
    }
}

impl TenantTx {
    pub async fn lock_connection(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.lock::<Entity>(id).await
    }

    pub async fn insert_connection(&self, new: NewConnection) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(new.id),
            project_id: Set(new.project_id),
            platform: Set(TextEnum(new.platform)),
            name: Set(new.name),
            site_url: Set(new.site_url),
            username: Set(new.username),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Notes that something has gone through it. Whoever refers to the row meanwhile does not wait for it.
    pub async fn touch_connection(&self, id: Uuid) -> Result<(), StoreError> {
        let touched = self.updating::<Entity>().col_expr(Column::LastSyncedAt, Expr::current_timestamp());
        touched.filter(Column::Id.eq(id)).exec(&self.conn).await?;
        Ok(())
    }

    /// Writes back what the caller changed on a locked connection.
    pub async fn save_connection(&self, connection: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(connection).await
    }

    /// True when there was one. What was published through it stays published.
    pub async fn delete_connection(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }
}

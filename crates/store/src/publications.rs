//! Publications: each attempt to put an article somewhere, and what stands there of it.

use chrono::{DateTime, Utc};
use galley_domain::publishing::{PublicationState, Visibility};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    entity::publications::{ActiveModel, Column, Entity, Model},
    error::StoreError,
    scope::{Scoped, TenantTx},
    words::TextEnum,
};

/// A publication to store.
#[derive(Debug, Clone)]
pub struct NewPublication {
    pub id: Uuid,
    pub article_id: Uuid,
    pub connection_id: Option<Uuid>,
    pub destination: &'static str,
    pub deployment_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub visibility: Visibility,
    pub status: PublicationState,
    pub force: bool,
    pub due_at: Option<DateTime<Utc>>,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub error: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub metadata: Json,
}

impl NewPublication {
    /// One that stands at a site already, and that no task of ours brought there.
    pub fn found_there(article_id: Uuid, connection_id: Uuid) -> Self {
        Self {
            id: Uuid::now_v7(),
            article_id,
            connection_id: Some(connection_id),
            destination: "wordpress",
            deployment_id: None,
            task_id: None,
            visibility: Visibility::Publish,
            status: PublicationState::Published,
            force: false,
            due_at: None,
            external_id: None,
            external_url: None,
            error: None,
            published_at: None,
            metadata: Json::Object(serde_json::Map::new()),
        }
    }
}

/// Which publications are listed.
#[derive(Debug, Clone, Default)]
pub struct PublicationFilter {
    pub article_id: Option<Uuid>,
    /// Of articles of this project.
    pub project_id: Option<Uuid>,
    pub deployment_id: Option<Uuid>,
    pub destination: Option<String>,
    pub status: Option<PublicationState>,
    pub limit: u64,
    pub offset: u64,
}

const OF_PROJECT: &str = "EXISTS (SELECT FROM articles a WHERE a.org_id = publications.org_id
    AND a.id = publications.article_id AND a.project_id = $1)";

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn publication(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.get::<Entity>(id).await
    }

    /// One page, newest first, with the number of all.
    pub async fn publications(&self, filter: &PublicationFilter) -> Result<(Vec<Model>, u64), StoreError> {
        let of_project = |project: Uuid| Expr::cust_with_values(OF_PROJECT, [project]);
        let condition = Condition::all()
            .add_option(filter.article_id.map(|article| Column::ArticleId.eq(article)))
            .add_option(filter.project_id.map(of_project))
            .add_option(filter.deployment_id.map(|deployment| Column::DeploymentId.eq(deployment)))
            .add_option(filter.destination.as_deref().map(|destination| Column::Destination.eq(destination)))
            .add_option(filter.status.map(|status| Column::Status.eq(TextEnum(status))));
        let newest = [(Column::CreatedAt, Order::Desc), (Column::Id, Order::Desc)];
        self.page::<Entity, _>(condition, &newest, filter.limit, filter.offset).await
    }

    /// What stands of the article at the other end of the connection, as far as is known here: first of all what was sent
    /// there, so that a word about another post does not take its place.
    pub async fn placed(&self, article: Uuid, connection: Uuid) -> Result<Option<Model>, StoreError> {
        let there = self
            .find::<Entity>()
            .filter(Column::ArticleId.eq(article))
            .filter(Column::ConnectionId.eq(connection))
            .filter(Column::ExternalId.is_not_null())
            .order_by_desc(Column::Sent.is_not_null())
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id);
        Ok(there.one(&self.conn).await?)
    }

    /// What stands of the article at the other end of each connection, as far as is known here, and of connections that are
    /// gone.
    pub async fn placements(&self, article: Uuid) -> Result<Vec<Model>, StoreError> {
        let there = self
            .find::<Entity>()
            .filter(Column::ArticleId.eq(article))
            .filter(Column::ExternalId.is_not_null())
            .distinct_on([Column::ConnectionId])
            .order_by_asc(Column::ConnectionId)
            .order_by_desc(Expr::col(Column::Sent).is_not_null())
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id);
        Ok(there.all(&self.conn).await?)
    }
}

impl TenantTx {
    pub async fn lock_publication(&self, id: Uuid) -> Result<Option<Model>, StoreError> {
        self.lock::<Entity>(id).await
    }

    pub async fn insert_publication(&self, new: NewPublication) -> Result<Model, StoreError> {
        let row = ActiveModel {
            id: Set(new.id),
            article_id: Set(new.article_id),
            connection_id: Set(new.connection_id),
            destination: Set(new.destination.to_owned()),
            deployment_id: Set(new.deployment_id),
            task_id: Set(new.task_id),
            visibility: Set(TextEnum(new.visibility)),
            status: Set(TextEnum(new.status)),
            force: Set(new.force),
            due_at: Set(new.due_at),
            external_id: Set(new.external_id),
            external_url: Set(new.external_url),
            error_message: Set(new.error),
            published_at: Set(new.published_at),
            metadata: Set(new.metadata),
            ..Default::default()
        };
        self.insert::<Entity>(row).await
    }

    /// Writes back what the caller changed on a locked publication.
    pub async fn save_publication(&self, publication: Model) -> Result<Model, StoreError> {
        self.save::<Entity>(publication).await
    }

    /// True when there was one.
    pub async fn delete_publication(&self, id: Uuid) -> Result<bool, StoreError> {
        self.delete::<Entity>(id).await
    }

    /// Forgets what earlier publications have sent: it is compared with what is there, so only the newest one counts.
    pub async fn forget_sent(&self, article: Uuid, connection: Uuid, but: Uuid) -> Result<(), StoreError> {
        let older = self
            .updating::<Entity>()
            .col_expr(Column::Sent, Expr::value(None::<Json>))
            .filter(Column::ArticleId.eq(article))
            .filter(Column::ConnectionId.eq(connection))
            .filter(Column::Id.ne(but))
            .filter(Column::Sent.is_not_null());
        older.exec(&self.conn).await?;
        Ok(())
    }
}

//! Organizations, their first admin, and API keys.

use chrono::{DateTime, Utc};
use galley_domain::OrgId;
use rust_decimal::Decimal;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, entity::prelude::Expr};
use uuid::Uuid;

use crate::{
    entity::{api_keys, event_tokens},
    error::StoreError,
    scope::{Scoped, System, TenantTx, Tx},
    sql,
};

/// A key to store: its hash, never itself.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub hash: Vec<u8>,
    pub permissions: Vec<String>,
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// What the first start brings into an empty database.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    pub organization: String,
    pub admin_email: String,
    pub credits: Decimal,
}

impl System {
    /// Creates organization, admin and credits when there is no organization yet. None when there is one.
    pub async fn bootstrap(&self, first: Bootstrap) -> Result<Option<OrgId>, StoreError> {
        let tx = Tx::new(self.db.begin().await?, self.announcer.clone());
        // Two first starts at once: the second waits here and then finds the organization.
        sql::execute(&tx, "SELECT pg_advisory_xact_lock(7305807143)", []).await?;
        if sql::one(&tx, "SELECT 1 FROM organizations LIMIT 1", []).await?.is_some() {
            return Ok(None);
        }
        let org = OrgId(Uuid::now_v7());
        let user = Uuid::now_v7();
        sql::execute(
            &tx,
            "INSERT INTO organizations (id, name) VALUES ($1, $2)",
            [org.0.into(), first.organization.into()],
        )
        .await?;
        sql::execute(
            &tx,
            "INSERT INTO users (id, org_id, email, name, role) VALUES ($1, $2, $3, 'Admin', 'owner')",
            [user.into(), org.0.into(), first.admin_email.into()],
        )
        .await?;
        let tenant = TenantTx::new(tx, org);
        tenant.grant(first.credits, "first start").await?;
        tenant.commit().await?;
        Ok(Some(org))
    }

    /// Another tenant, for operators and tests.
    pub async fn create_organization(&self, name: &str) -> Result<OrgId, StoreError> {
        let org = OrgId(Uuid::now_v7());
        sql::execute(&self.db, "INSERT INTO organizations (id, name) VALUES ($1, $2)", [org.0.into(), name.into()])
            .await?;
        Ok(org)
    }

    /// Ids and names of all organizations, oldest first.
    pub async fn organizations(&self) -> Result<Vec<(OrgId, String)>, StoreError> {
        let rows = sql::all(&self.db, "SELECT id, name FROM organizations ORDER BY created_at, id", []).await?;
        rows.iter().map(|row| Ok((OrgId(row.try_get("", "id")?), row.try_get("", "name")?))).collect()
    }
}

/// A token for the events of one task: its hash, never itself.
#[derive(Debug, Clone)]
pub struct NewEventToken {
    pub hash: Vec<u8>,
    pub task: Uuid,
    /// The key that makes it.
    pub key: Uuid,
    pub expires_at: DateTime<Utc>,
}

impl TenantTx {
    /// A task or a key of somebody else is a [`StoreError`].
    pub async fn insert_event_token(&self, token: NewEventToken) -> Result<(), StoreError> {
        let row = event_tokens::ActiveModel {
            hash: Set(token.hash),
            task_id: Set(token.task),
            key_id: Set(token.key),
            expires_at: Set(token.expires_at),
            ..Default::default()
        };
        self.insert::<event_tokens::Entity>(row).await?;
        Ok(())
    }

    pub async fn insert_key(&self, key: NewKey, user: Option<Uuid>) -> Result<(), StoreError> {
        let row = api_keys::ActiveModel {
            id: Set(key.id),
            user_id: Set(user),
            name: Set(key.name),
            prefix: Set(key.prefix),
            hash: Set(key.hash),
            permissions: Set(key.permissions),
            scopes: Set(key.scopes),
            expires_at: Set(key.expires_at),
            ..Default::default()
        };
        self.insert::<api_keys::Entity>(row).await?;
        Ok(())
    }

    /// Stores the key if the organization has none in force. True when it did. Two at once: one of them does.
    pub async fn insert_first_key(&self, key: NewKey) -> Result<bool, StoreError> {
        sql::execute(&self.conn, "SELECT 1 FROM organizations WHERE id = $1 FOR UPDATE", [self.org_value()]).await?;
        let in_force = self.find::<api_keys::Entity>().filter(api_keys::Column::RevokedAt.is_null());
        if in_force.one(&self.conn).await?.is_some() {
            return Ok(false);
        }
        self.insert_key(key, None).await?;
        Ok(true)
    }

    /// True when there was such a key in force.
    pub async fn revoke_key(&self, id: Uuid) -> Result<bool, StoreError> {
        let revoke = self
            .updating::<api_keys::Entity>()
            .col_expr(api_keys::Column::RevokedAt, Expr::current_timestamp())
            .filter(api_keys::Column::Id.eq(id))
            .filter(api_keys::Column::RevokedAt.is_null());
        Ok(revoke.exec(&self.conn).await?.rows_affected == 1)
    }
}

impl<C: ConnectionTrait> Scoped<C> {
    pub async fn keys(&self) -> Result<Vec<api_keys::Model>, StoreError> {
        Ok(self.find::<api_keys::Entity>().order_by_asc(api_keys::Column::CreatedAt).all(&self.conn).await?)
    }
}

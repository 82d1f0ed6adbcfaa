//! The three views of the database and the filter that every tenant's statement carries.

use galley_domain::OrgId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, Select, Value,
};

use crate::error::StoreError;

/// Access to one organization's rows over a connection or a transaction.
#[derive(Debug)]
pub struct Scoped<C> {
    pub(crate) conn: C,
    org: OrgId,
}

/// Reads straight from the pool.
pub type Tenant = Scoped<DatabaseConnection>;
/// Reads and writes in one transaction.
pub type TenantTx = Scoped<DatabaseTransaction>;

/// An entity whose rows belong to an organization.
pub(crate) trait TenantEntity: EntityTrait {
    fn org_column() -> Self::Column;
}

impl<C: ConnectionTrait> Scoped<C> {
    pub(crate) fn new(conn: C, org: OrgId) -> Self {
        Self { conn, org }
    }

    pub fn org(&self) -> OrgId {
        self.org
    }

    pub(crate) fn org_value(&self) -> Value {
        self.org.0.into()
    }

    /// The only way to a SELECT on a tenant's entity.
    pub(crate) fn find<E: TenantEntity>(&self) -> Select<E> {
        E::find().filter(E::org_column().eq(self.org.0))
    }
}

impl TenantTx {
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.conn.commit().await?)
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.conn.rollback().await?)
    }

    /// Tells every process that listens; delivered when this transaction commits.
    pub(crate) async fn notify(&self, channel: &str, payload: &str) -> Result<(), StoreError> {
        crate::sql::execute(&self.conn, "SELECT pg_notify($1, $2)", [channel.into(), payload.into()]).await?;
        Ok(())
    }
}

/// What has no tenant: looking up a key, the first start, claiming, sweeping.
#[derive(Debug, Clone)]
pub struct System {
    pub(crate) db: DatabaseConnection,
}

impl System {
    pub(crate) fn new(db: DatabaseConnection) -> Self {
        Self { db }
    }
}

//! The three views of the database and the filter that every tenant's statement carries.

use std::sync::{Arc, Mutex, PoisonError};

use galley_domain::OrgId;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement, Value};

pub(crate) use crate::crud::TenantEntity;
use crate::{
    announce::{Announcer, Notification},
    db::{Db, Transaction},
    error::StoreError,
    heads::Known,
};

/// Access to one organization's rows over a connection or a transaction.
#[derive(Debug)]
pub struct Scoped<C> {
    pub(crate) conn: C,
    org: OrgId,
}

/// Reads straight from the pool.
pub type Tenant = Scoped<Db>;
/// Reads and writes in one transaction.
pub type TenantTx = Scoped<Tx>;

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
}

impl TenantTx {
    pub async fn commit(self) -> Result<(), StoreError> {
        self.conn.commit().await
    }

    pub async fn rollback(self) -> Result<(), StoreError> {
        self.conn.rollback().await
    }

    /// Says something to every process once this transaction stands.
    pub(crate) fn say(&self, notification: Notification) {
        self.conn.say([notification]);
    }
}

/// A transaction with what is to be said when it stands. Clones share it; the last one commits.
#[derive(Debug, Clone)]
pub struct Tx {
    inner: Transaction,
    said: Arc<Mutex<Vec<Notification>>>,
    announcer: Announcer,
    /// For orders; others know nothing.
    heads: Known,
}

impl Tx {
    pub(crate) fn new(inner: Transaction, announcer: Announcer) -> Self {
        Self { inner, said: Arc::default(), announcer, heads: Known::default() }
    }

    pub(crate) fn knowing(self, heads: Known) -> Self {
        Self { heads, ..self }
    }

    pub(crate) fn heads(&self) -> &Known {
        &self.heads
    }

    pub(crate) fn say(&self, notifications: impl IntoIterator<Item = Notification>) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).extend(notifications);
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let Self { inner, said, announcer, .. } = self;
        let committed = inner.commit().await;
        // Also when the answer got lost: the transaction may stand, and a notification-up for nothing costs nothing.
        announcer.say(std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner)));
        committed
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        self.inner.rollback().await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}

/// What has no tenant: looking up a key, the first start, claiming, sweeping.
#[derive(Debug, Clone)]
pub struct System {
    pub(crate) db: Db,
    pub(crate) announcer: Announcer,
}

impl System {
    pub(crate) fn new(db: Db, announcer: Announcer) -> Self {
        Self { db, announcer }
    }
}

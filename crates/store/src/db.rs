//! Statements and transactions over [`Connections`], as sea-orm wants them.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::{
    AssertSqlSafe, Executor, PgConnection, Postgres,
    postgres::{PgQueryResult, PgRow},
    query::Query,
};
use tokio::sync::Mutex;

use crate::{
    connections::{Connections, Lease, is_broken},
    error::StoreError,
};

/// A pool. Each statement takes a connection of its own for as long as it runs.
#[derive(Debug, Clone)]
pub struct Db(pub(crate) Connections);

impl Db {
    /// Begins a transaction. It is rolled back when it is dropped, also while it begins.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.begun().await?)
    }

    async fn begun(&self) -> Result<Transaction, sqlx::Error> {
        let mut dead = 0;
        loop {
            let mut lease = self.0.acquire().await?;
            let sessions = self.0.sessions();
            let keep = sessions.keep_statements();
            // A pooler lets a client wait for a server that is away; BEGIN itself takes no time.
            let begun = lease.run(true, async |own| simple(own, sessions.begin()).await);
            let begun = tokio::time::timeout(self.0.patience(), begun).await;
            match begun.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(_) => return Ok(Transaction { lease: Arc::new(Mutex::new(lease)), keep }),
                // It died while nobody used it. Nothing was done over it, and it is not used again.
                Err(error) if is_broken(&error) && dead < self.0.most() => dead += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// A statement on its own.
    async fn alone<T>(
        &self,
        statement: &Statement,
        call: impl AsyncFn(&mut PgConnection, Query<'_, Postgres, SqlxValues>) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        if self.0.sessions().only_in_transactions() {
            let tx = self.begun().await?;
            let result = tx.run(statement, call).await?;
            tx.end("COMMIT").await?;
            return Ok(result);
        }
        let mut dead = 0;
        loop {
            let mut lease = self.0.acquire().await?;
            match lease.run(false, async |own| call(own, query(statement, true)).await).await {
                // What only reads may be asked again: the connection died while nobody used it.
                Err(error) if is_broken(&error) && only_reads(statement) && dead < self.0.most() => dead += 1,
                result => return result,
            }
        }
    }
}

/// Asking it a second time changes nothing.
fn only_reads(statement: &Statement) -> bool {
    let sql = statement.sql.trim_start();
    let begins = |word| sql.starts_with(word);
    begins("SELECT") || begins("WITH") && !["INSERT", "UPDATE", "DELETE"].iter().any(|word| sql.contains(word))
}

async fn simple(connection: &mut PgConnection, sql: &str) -> Result<PgQueryResult, sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await
}

fn query(statement: &Statement, keep: bool) -> Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone().unwrap_or_else(|| Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values)).persistent(keep)
}

async fn execute(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, SqlxValues>,
) -> Result<PgQueryResult, sqlx::Error> {
    query.execute(connection).await
}

async fn one(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, SqlxValues>,
) -> Result<Option<PgRow>, sqlx::Error> {
    query.fetch_optional(connection).await
}

async fn all(connection: &mut PgConnection, query: Query<'_, Postgres, SqlxValues>) -> Result<Vec<PgRow>, sqlx::Error> {
    query.fetch_all(connection).await
}

fn failed(kind: impl FnOnce(RuntimeErr) -> DbErr) -> impl FnOnce(sqlx::Error) -> DbErr {
    move |error| kind(RuntimeErr::SqlxError(error.into()))
}

#[async_trait::async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.alone(&statement, execute).await.map(Into::into).map_err(failed(DbErr::Exec))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let tx = self.begun().await.map_err(failed(DbErr::Exec))?;
        let done = tx.execute_unprepared(sql).await?;
        tx.end("COMMIT").await.map_err(failed(DbErr::Exec))?;
        Ok(done)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let row = self.alone(&statement, one).await.map_err(failed(DbErr::Query))?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.alone(&statement, all).await.map_err(failed(DbErr::Query))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

/// A transaction that is open. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    lease: Arc<Mutex<Lease>>,
    keep: bool,
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.end("COMMIT").await?)
    }

    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        Ok(self.end("ROLLBACK").await?)
    }

    async fn end(self, word: &'static str) -> Result<(), sqlx::Error> {
        let lease = Arc::into_inner(self.lease);
        let mut lease =
            lease.ok_or_else(|| sqlx::Error::Protocol("the transaction is still in use".into()))?.into_inner();
        lease.run(false, async |own| simple(own, word).await).await.map(drop)
    }

    async fn run<T>(
        &self,
        statement: &Statement,
        call: impl AsyncFn(&mut PgConnection, Query<'_, Postgres, SqlxValues>) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut lease = self.lease.lock().await;
        lease.run(true, async |own| call(own, query(statement, self.keep)).await).await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.run(&statement, execute).await.map(Into::into).map_err(failed(DbErr::Exec))
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let mut lease = self.lease.lock().await;
        let done = lease.run(true, async |own| simple(own, sql).await).await;
        done.map(Into::into).map_err(failed(DbErr::Exec))
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let row = self.run(&statement, one).await.map_err(failed(DbErr::Query))?;
        Ok(row.map(Into::into))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let rows = self.run(&statement, all).await.map_err(failed(DbErr::Query))?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

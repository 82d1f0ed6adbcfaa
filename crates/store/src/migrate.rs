//! Bringing the schema up to date.

use galley_migrations::{Migrator, MigratorTrait};
use sea_orm::{SqlxPostgresConnector, TransactionTrait};

use crate::{Pooling, Store, error::StoreError, sql};

/// What a database has that was never migrated: no table of migrations.
const APPLIED: &str = "SELECT version FROM seaql_migrations ORDER BY version";
const IS_THERE: &str = "SELECT 1 FROM pg_class WHERE oid = to_regclass('seaql_migrations')";

impl Store {
    /// Brings the schema up to date, in one transaction. Two processes at once do not harm each other: an advisory lock
    /// lets one through.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.pending_migrations().await?.is_empty() {
            return Ok(());
        }
        if !self.hears && self.pooling == (Pooling::Transaction { keeps_statements: false }) {
            return Err(StoreError::NeedsDirect);
        }
        let own = SqlxPostgresConnector::from_sqlx_postgres_pool(self.direct.clone());
        #[expect(
            clippy::disallowed_methods,
            reason = "the process does nothing else yet, and nobody drops it half-way"
        )]
        let guard = own.begin().await?;
        sql::execute(&guard, "SELECT pg_advisory_xact_lock(7305807142)", []).await?;
        Migrator::up(&guard, None).await?;
        guard.commit().await?;
        Ok(())
    }

    /// Names of migrations that this program knows and the database does not have yet.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when the database has some that this program does not know.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        let mut applied = Vec::<String>::new();
        if sql::one(&self.db, IS_THERE, []).await?.is_some() {
            for row in sql::all(&self.db, APPLIED, []).await? {
                applied.push(row.try_get("", "version")?);
            }
        }
        let mut known: Vec<String> =
            Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        let unknown: Vec<String> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(StoreError::Newer(unknown.join(", ")));
        }
        known.retain(|name| !applied.contains(name));
        Ok(known)
    }
}

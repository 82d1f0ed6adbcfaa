use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// What can go wrong between us and the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A row with this unique value exists; the text names the constraint.
    #[error("a row with this value exists already ({0})")]
    Conflict(String),
    /// The step's lease is no longer ours; whoever holds it now does the work, and we write nothing.
    #[error("the lease on this step is lost")]
    LeaseLost,
    /// A row has changed since it was read. Nothing of the transaction may stand; read again.
    #[error("somebody else was there first")]
    StaleVersion,
    /// The stored value is not one this program knows: written by a newer version, or by hand.
    #[error("unreadable row: {0}")]
    Unreadable(String),
    /// The address itself may hold a password, so it is not repeated.
    #[error(
        "the address of the database cannot be read; it looks like postgres://user:password@host:5432/database, with other \
         signs than letters and digits of the password percent-encoded"
    )]
    Address,
    /// A newer program was here.
    #[error(
        "the schema of the database is newer than this program (it has {0}); start the newer version, or restore a backup \
             from before its first start"
    )]
    Newer(String),
    #[error("DATABASE_DIRECT_URL (database.direct_url) leads to a pooler too; it must lead to the server itself")]
    NotDirect,
    #[error(
        "the schema has to be brought up to date, which does not go through this pooler; set DATABASE_DIRECT_URL \
             (database.direct_url) to the address of the server itself, or run `galley migrate` with it"
    )]
    NeedsDirect,
    /// The first connection of a process could not be made.
    #[error("the database at {place} cannot be reached: {cause}; {way_out}")]
    Unreachable {
        place: String,
        cause: String,
        way_out: &'static str,
        /// It may be there later without anyone's doing.
        passing: bool,
    },
    /// It is a standby, or somebody has set it so.
    #[error("the database takes no changes at the moment")]
    OnlyReads,
    #[error("database: {0}")]
    Database(#[source] DbErr),
    /// The caller gave up waiting.
    #[error("the database did not answer within {0:?}")]
    Silent(std::time::Duration),
}

impl StoreError {
    /// True when the same call may succeed later without anyone's doing: the server is away, restarting, short of
    /// something, or two transactions met.
    pub fn is_unavailable(&self) -> bool {
        let Self::Database(error) = self else {
            return matches!(self, Self::Silent(_) | Self::OnlyReads | Self::Unreachable { passing: true, .. });
        };
        let (DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner)) = error else {
            return matches!(error, DbErr::ConnectionAcquire(_));
        };
        let RuntimeErr::SqlxError(error) = inner else { return matches!(error, DbErr::Conn(_)) };
        match &**error {
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                // Connection, transaction rollback, resources, not ready for it, operator intervention, system; but a
                // statement that took too long (57014) takes as long the next time. And a server that only reads
                // (25006) is being moved, or its disk is full.
                code == "25006"
                    || code != "57014"
                        && ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
            }),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => true,
            _ => false,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(text)) => Self::Conflict(text),
            _ => match error {
                DbErr::TryIntoErr { source, .. } => Self::Unreadable(source.to_string()),
                error => Self::Database(error),
            },
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(DbErr::Conn(RuntimeErr::SqlxError(error.into())))
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl From<galley_domain::task::UnknownWord> for StoreError {
    fn from(error: galley_domain::task::UnknownWord) -> Self {
        Self::Unreadable(error.to_string())
    }
}

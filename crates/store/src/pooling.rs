//! Poolers between us and the server, such as PgBouncer: whether there is one, and what has to be different then.

use std::{sync::Arc, time::Duration};

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// What stands between us and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooling {
    /// Nothing: a session is ours from its start to its end.
    #[default]
    None,
    /// A pooler that gives us a session for as long as we are connected.
    Session,
    /// A pooler that gives us a session for each transaction. What is set or prepared in one may be gone in the next.
    Transaction {
        /// It takes prepared statements along, as PgBouncer does from 1.21 on with `max_prepared_statements`.
        keeps_statements: bool,
    },
}

/// What a pool's sessions ask of the server, and how they can say so.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pooling: Pooling,
    /// `SET … = …;` for each setting.
    set: Arc<str>,
    begin: Arc<str>,
}

impl Sessions {
    /// With the options that say it at the start of a connection, where nobody is in the way of that.
    pub(crate) fn new(
        options: &PgConnectOptions,
        pooling: Pooling,
        settings: &[(&'static str, &'static str)],
        longest: Duration,
    ) -> (PgConnectOptions, Self) {
        let options = options.clone().application_name("galley").disable_statement_logging();
        let longest = longest.as_millis().to_string();
        let all = || settings.iter().copied().chain([("statement_timeout", longest.as_str())]);
        let said = |word: &str| all().map(|(name, value)| format!("{word} {name} = '{value}'; ")).collect::<String>();
        let options = match pooling {
            Pooling::None => options.options(all()),
            // Poolers refuse what they do not follow from session to session.
            Pooling::Session | Pooling::Transaction { .. } => options.extra_float_digits(None),
        };
        let begin = match pooling {
            Pooling::None | Pooling::Session => "BEGIN".to_owned(),
            Pooling::Transaction { .. } => format!("BEGIN; {}", said("SET LOCAL")),
        };
        (options, Self { pooling, set: said("SET").into(), begin: begin.into() })
    }

    /// What a new connection is told before it is used.
    pub(crate) fn at_the_start(&self) -> Option<String> {
        (self.pooling == Pooling::Session).then(|| self.set.to_string())
    }

    pub(crate) fn begin(&self) -> &str {
        &self.begin
    }

    /// Whether a statement alone has to be in a transaction: its settings come with it, and its parts must meet the same
    /// session.
    pub(crate) fn only_in_transactions(&self) -> bool {
        matches!(self.pooling, Pooling::Transaction { .. })
    }

    /// Whether a statement that was prepared is there the next time.
    pub(crate) fn keep_statements(&self) -> bool {
        !matches!(self.pooling, Pooling::Transaction { keeps_statements: false })
    }
}

/// The first connection of a process: without a pool, which would say only that it has waited. `expected` is what the
/// operator says of poolers.
pub(crate) async fn probe(options: &PgConnectOptions, expected: Option<Pooling>) -> Result<Pooling, sqlx::Error> {
    let marked = options.clone().disable_statement_logging().options([MARK]);
    let (connection, marked) = match marked.connect().await {
        Ok(connection) => (connection, true),
        // PgBouncer's words for what it does not follow.
        Err(error) if error.to_string().contains("unsupported startup parameter") => {
            let plain = options.clone().disable_statement_logging().extra_float_digits(None);
            (plain.connect().await?, false)
        }
        Err(error) => return Err(error),
    };
    let mut connection = connection;
    let found = found(&mut connection, marked, expected).await;
    // It answers; how the parting goes does not matter.
    drop(connection.close().await);
    found
}

/// False for what a first connection fails with until somebody changes something: no TLS where it is asked for, a socket that
/// we may not open, and a pooler's own word for a wrong name or password.
pub(crate) fn may_be_there_later(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => false,
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::PermissionDenied,
        sqlx::Error::Database(said) => said.code().is_none_or(|code| code != "08P01"),
        _ => true,
    }
}

/// A setting that changes nothing for us and tells whether what we say at the start reaches the server.
const MARK: (&str, &str) = ("galley.mark", "here");

async fn found(connection: &mut PgConnection, marked: bool, expected: Option<Pooling>) -> Result<Pooling, sqlx::Error> {
    match expected {
        Some(Pooling::None) => return Ok(Pooling::None),
        Some(Pooling::Session) => return Ok(Pooling::Session),
        Some(Pooling::Transaction { .. }) => {}
        None => {
            // Some poolers are told to ignore such words.
            let mut tx = connection.begin().await?;
            let heard: Option<String> = sqlx::query_scalar("SELECT current_setting('galley.mark', true)")
                .persistent(false)
                .fetch_one(&mut *tx)
                .await?;
            tx.rollback().await?;
            if marked && heard.as_deref() == Some(MARK.1) {
                return Ok(Pooling::None);
            }
        }
    }
    Ok(Pooling::Transaction { keeps_statements: keeps_statements(connection).await? })
}

/// A pooler that takes prepared statements along gives them names of its own; with another the name may be taken by who had
/// the session before us.
async fn keeps_statements(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut tx = connection.begin().await?;
    let names: Result<Vec<String>, _> =
        sqlx::query_scalar("SELECT name FROM pg_prepared_statements").fetch_all(&mut *tx).await;
    let keeps = match &names {
        Ok(names) => !names.is_empty() && !names.iter().any(|name| name.starts_with("sqlx_s_")),
        Err(error) if error.as_database_error().is_some() => false,
        Err(_) => return names.map(|_| false),
    };
    if names.is_ok() {
        tx.clear_cached_statements().await?;
    }
    tx.rollback().await?;
    Ok(keeps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_to_change_does_not_pass() {
        let denied = sqlx::Error::Io(std::io::ErrorKind::PermissionDenied.into());
        let refused = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert!(!may_be_there_later(&denied) && !may_be_there_later(&sqlx::Error::Tls("no TLS".into())));
        assert!(may_be_there_later(&refused) && may_be_there_later(&sqlx::Error::PoolTimedOut));
    }
}

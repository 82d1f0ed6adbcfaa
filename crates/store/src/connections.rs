//! The connections of one process: few, opened when they are wanted, and never more than the server allows.
//!
//! deadpool keeps them; what it does not know is here:
//! * A server that takes no more connections (`53300`) costs nobody an error: whoever wanted one more gives up that place,
//!   and waits for a connection that is open. After a while a place is tried again.
//! * A connection that was left in the middle of something (a caller that was dropped, a transaction that nobody ended) is
//!   put in order before it is used again, at once, because it may hold locks.
//! * A connection that may have died while nobody used it is asked before it is handed out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pooling::Sessions;

/// A connection that was used within this time is handed out without a question.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// A connection that does not answer within this time is dead: its route was forgotten on the way.
const ANSWER: Duration = Duration::from_secs(2);
/// How long an unfinished statement or transaction may take to come to its end.
const TIDYING: Duration = Duration::from_secs(5);
/// A server keeps with each session what it has seen; a session that lives for ever only grows.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);
/// When a place that was given up is tried again.
const AGAIN: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A session and what is known of it.
#[derive(Debug)]
pub(crate) struct Session {
    connection: PgConnection,
    opened: Instant,
    used: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is open.
    Idle,
    /// A statement is on its way, or a transaction is open.
    Open,
    /// It failed in a way that says nothing good about the connection.
    Broken,
}

/// Opens sessions and says which can be used again.
#[derive(Debug)]
pub(crate) struct Opener {
    options: PgConnectOptions,
    sessions: Sessions,
}

impl Manager for Opener {
    type Type = Session;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<Session, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        if let Some(statement) = self.sessions.at_the_start() {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        Ok(Session { connection, opened: Instant::now(), used: Instant::now(), state: State::Idle })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if session.state != State::Idle || session.opened.elapsed() > LONGEST_LIFE {
            return Err(RecycleError::message("it cannot be used again"));
        }
        if session.used.elapsed() > TRUSTED_FOR {
            let answered = tokio::time::timeout(ANSWER, session.connection.ping()).await;
            answered.map_err(|_| sqlx::Error::PoolTimedOut)??;
        }
        Ok(())
    }
}

/// A pool. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pool: Pool<Opener>,
    /// As many as there may be connections in use.
    places: Arc<Semaphore>,
    limits: Limits,
    /// The server allows fewer connections than we would take.
    short: Arc<AtomicBool>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub most: u32,
    /// How long a caller waits.
    pub patience: Duration,
    /// A connection that nobody used for so long is closed; one always stays.
    pub idle: Duration,
}

impl Connections {
    pub(crate) fn new(options: PgConnectOptions, sessions: Sessions, limits: Limits) -> Self {
        let most = limits.most.max(1) as usize;
        let timeouts = Timeouts { wait: None, create: Some(limits.patience), recycle: Some(limits.patience) };
        let pool = Pool::builder(Opener { options, sessions })
            .max_size(most)
            .timeouts(timeouts)
            .queue_mode(QueueMode::Lifo)
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .expect("timeouts have a runtime");
        let connections =
            Self { pool, places: Arc::new(Semaphore::new(most)), limits, short: Arc::new(AtomicBool::new(false)) };
        tokio::spawn(close_idle(connections.pool.weak(), limits.idle));
        connections
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.pool.manager().sessions
    }

    /// A connection of its own for the caller, within the time that callers wait.
    pub(crate) async fn acquire(&self) -> Result<Lease, sqlx::Error> {
        tokio::time::timeout(self.limits.patience, self.opened()).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    async fn opened(&self) -> Result<Lease, sqlx::Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let error = match self.pool.get().await {
                Ok(session) => return Ok(Lease { session: Some(session), place: Some(place) }),
                Err(PoolError::Backend(error)) => error,
                Err(PoolError::Closed) => return Err(sqlx::Error::PoolClosed),
                Err(_) => return Err(sqlx::Error::PoolTimedOut),
            };
            if is_crowded(&error) && self.pool.status().size > 0 {
                self.give_up(place, &error);
                continue;
            }
            if !passes_soon(&error) {
                return Err(error);
            }
            drop(place);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The server takes no more: we go on with those that are open, and look again after a while.
    fn give_up(&self, place: OwnedSemaphorePermit, error: &sqlx::Error) {
        place.forget();
        if !self.short.swap(true, Ordering::Relaxed) {
            let open = self.pool.status().size;
            tracing::warn!(
                open,
                wanted = self.limits.most,
                "the database takes no more connections ({}); going on with what is open. Allow more there, or set \
                 database.max_connections lower",
                said(error)
            );
        }
        let (pool, places, short) = (self.pool.weak(), Arc::downgrade(&self.places), Arc::clone(&self.short));
        tokio::spawn(async move {
            tokio::time::sleep(AGAIN).await;
            let (Some(places), Some(pool)) = (places.upgrade(), pool.upgrade()) else { return };
            places.add_permits(1);
            if places.available_permits() >= pool.status().max_size && short.swap(false, Ordering::Relaxed) {
                tracing::info!("the database may have room for more connections again");
            }
        });
    }

    /// How many there may be.
    pub(crate) fn most(&self) -> u32 {
        self.limits.most
    }

    /// How long a caller waits.
    pub(crate) fn patience(&self) -> Duration {
        self.limits.patience
    }

    /// Waits for those who still use one, then closes all.
    pub(crate) async fn close(&self) {
        self.places.close();
        loop {
            let idle = self.pool.retain(|_, _| false).removed;
            if idle.is_empty() && self.pool.status().size == 0 {
                break;
            }
            for session in idle {
                // What fails to part is gone with the process anyway.
                drop(tokio::time::timeout(ANSWER, session.connection.close()).await);
            }
            tokio::time::sleep(FIRST_PAUSE).await;
        }
        self.pool.close();
    }
}

/// Closes what nobody has used for a while, as long as the pool lives; the one that was used last stays.
async fn close_idle(pool: deadpool::managed::WeakPool<Opener>, idle: Duration) {
    loop {
        tokio::time::sleep(idle / 2).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut spare = pool.status().size.saturating_sub(1);
        let closed = pool.retain(|session, _| {
            let close = spare > 0 && session.used.elapsed() >= idle;
            spare -= usize::from(close);
            !close
        });
        // The one that stays may have died, and would stay so until somebody wants it.
        if pool.status().available > 0 {
            let at_once = Timeouts { wait: Some(Duration::ZERO), ..pool.timeouts() };
            drop(pool.timeout_get(&at_once).await);
        }
        drop(pool);
        for session in closed.removed {
            drop(tokio::time::timeout(ANSWER, session.connection.close()).await);
        }
    }
}

/// The server has no connection left for us, or not for this role or database.
fn is_crowded(error: &sqlx::Error) -> bool {
    // PgBouncer says it in its own words, without the code.
    error.as_database_error().is_some_and(|said| {
        said.code().is_some_and(|code| code == "53300") || said.message().contains("no more connections allowed")
    })
}

/// The server is just starting, or in a moment there is room.
fn passes_soon(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(said) => is_crowded(error) || said.code().is_some_and(|code| code == "57P03"),
        _ => false,
    }
}

/// The server's own words, without the library's in front of them.
pub(crate) fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

pub(crate) const CHECK_ADDRESS: &str = "check that the server runs and that DATABASE_URL (database.url) leads to it";

/// What to do about a first connection that was refused.
pub(crate) fn way_out(error: &sqlx::Error) -> &'static str {
    let code = error.as_database_error().and_then(|said| said.code());
    match code.as_deref() {
        Some("28000" | "28P01") => "check user and password in DATABASE_URL (database.url)",
        Some("3D000") => "make it with createdb, or correct its name in DATABASE_URL (database.url)",
        Some("53300") => "let the server allow more connections, or set database.max_connections lower in each process",
        _ => CHECK_ADDRESS,
    }
}

/// True where the error says that the connection itself is of no use any more, not that a statement was wrong.
pub(crate) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // The server is going down, or somebody ended this session.
        sqlx::Error::Database(said) => {
            said.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        _ => false,
    }
}

/// A connection that one caller has. What is left open in it when it is dropped is ended in the background.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Taken only at the end.
    session: Option<Object<Opener>>,
    /// Given back after the connection.
    place: Option<OwnedSemaphorePermit>,
}

impl Lease {
    fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("it is taken only at the end")
    }

    /// Runs something over the connection. `open` says whether a transaction is open behind it.
    pub(crate) async fn run<T>(
        &mut self,
        open: bool,
        call: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let session = self.session();
        let was_open = session.state;
        session.state = State::Open;
        let result = call(&mut session.connection).await;
        session.state = match &result {
            Err(error) if is_broken(error) => State::Broken,
            // What failed to begin or to end leaves the transaction as it was; a ROLLBACK too much harms nobody.
            Err(_) if open || was_open == State::Open => State::Open,
            Ok(_) if open => State::Open,
            _ => State::Idle,
        };
        session.used = Instant::now();
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(session), place) = (self.session.take(), self.place.take()) else { return };
        match session.state {
            State::Idle => drop(session),
            State::Broken => drop(Object::take(session)),
            State::Open => {
                let tidied = async move {
                    let mut session = session;
                    let rolled_back = async {
                        sqlx::raw_sql("ROLLBACK").execute(&mut session.connection).await?;
                        Ok::<_, sqlx::Error>(())
                    };
                    let rolled_back = tokio::time::timeout(TIDYING, rolled_back).await;
                    if matches!(rolled_back, Ok(Ok(()))) {
                        session.state = State::Idle;
                        session.used = Instant::now();
                        drop(session);
                    } else {
                        drop(Object::take(session));
                    }
                    drop(place);
                };
                // Outside of a runtime the process is ending, and the server ends what was open.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(tidied);
                }
            }
        }
    }
}

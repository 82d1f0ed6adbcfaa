//! One private cluster per test process, one database per test, cloned from a migrated template.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use galley_private_postgres::{Cluster, Settings};
use galley_store::{Store, StoreSettings};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgListener};
use tokio::sync::{Mutex, OnceCell};
use uuid::Uuid;

use crate::pooler::{PoolMode, Pooler};

const PREFIX: &str = "galley-test-";
/// Locked for as long as the test process that made the folder lives.
const IN_USE: &str = "in-use.lock";
const TEMPLATE: &str = "galley_template";
/// For tests that wait for what engines write.
const TELL_WRITTEN: &str = "
    CREATE OR REPLACE FUNCTION test_written() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NOTIFY test_written; RETURN NULL; END';
    CREATE OR REPLACE TRIGGER test_written AFTER INSERT OR UPDATE OR DELETE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION test_written()";

struct Shared {
    cluster: Cluster,
    // A static is never dropped: the folder is removed by the next test process.
    _dir: PathBuf,
    _in_use: File,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();
/// Cloning a template needs it to itself.
static CLONING: OnceLock<Mutex<()>> = OnceLock::new();

async fn shared() -> &'static Shared {
    SHARED
        .get_or_init(|| async {
            // The runtime of one test must not own the server's child process: tests end at different times.
            std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
                let runtime: &'static tokio::runtime::Runtime = Box::leak(Box::new(runtime.expect("a runtime")));
                runtime.block_on(boot())
            })
            .join()
            .expect("the test cluster starts")
        })
        .await
}

async fn boot() -> Shared {
    remove_left_over(&std::env::temp_dir());
    let dir = tempfile::Builder::new().prefix(PREFIX).tempdir().expect("a temporary folder").keep();
    let in_use = File::create(dir.join(IN_USE)).expect("a lock file");
    in_use.lock().expect("a new file is not locked");
    let mut settings = Settings::new(&dir);
    settings.durable = false;
    settings.max_connections = 300;
    let cluster = galley_private_postgres::start(settings).await.expect("a private Postgres");
    cluster.create_database_if_missing(TEMPLATE).await.expect("the template");
    let store = Store::connect(&StoreSettings::new(cluster.url(TEMPLATE))).await.expect("the template answers");
    store.migrate().await.expect("the migrations run");
    store.close().await;
    Shared { cluster, _dir: dir, _in_use: in_use }
}

/// Removes what test processes that have ended left behind. What cannot be removed stays; it is only in the way.
fn remove_left_over(temp: &Path) {
    let Ok(entries) = std::fs::read_dir(temp) else { return };
    let ours = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for folder in ours.map(|entry| entry.path()) {
        let ended = File::open(folder.join(IN_USE)).is_ok_and(|lock| lock.try_lock().is_ok());
        if ended {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

/// The address of a database that always exists, for what has no database of its own.
pub async fn admin_url() -> String {
    shared().await.cluster.url("postgres")
}

/// A database of its own for one test.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    pub url: String,
    pub name: String,
}

/// A transaction that holds its locks.
#[derive(Debug)]
pub struct Held {
    connection: PgConnection,
}

impl Held {
    /// Takes back what it did.
    pub async fn release(self) {
        self.connection.close().await.expect("the connection closes");
    }

    pub async fn commit(mut self) {
        sqlx::query("COMMIT").execute(&mut self.connection).await.expect("it stands");
        self.connection.close().await.expect("the connection closes");
    }
}

impl TestDatabase {
    pub async fn new() -> Self {
        let shared = shared().await;
        let name = format!("t_{}", Uuid::new_v4().simple());
        let _turn = CLONING.get_or_init(Mutex::default).lock().await;
        Self::statement(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        Self { url: shared.cluster.url(&name), name }
    }

    /// Runs a statement on the cluster, outside of any test's database.
    pub async fn statement(sql: &str) {
        let mut admin = PgConnection::connect(&admin_url().await).await.expect("the cluster answers");
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut admin).await.expect("the statement runs");
        admin.close().await.expect("the connection closes");
    }

    /// Ends every connection to this database, as a restart of the server would.
    pub async fn cut_connections(&self) {
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        Self::statement(&sql).await;
    }

    /// Lets nobody in any more, and throws out who is there: the database is away.
    pub async fn go_away(&self) {
        Self::statement(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
        self.cut_connections().await;
    }

    pub async fn come_back(&self) {
        Self::statement(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }

    /// The address for a role that may have so many connections and no more.
    pub async fn as_role_of(&self, connections: u32) -> String {
        let role = format!("few_{}", Uuid::new_v4().simple());
        Self::statement(&format!("CREATE ROLE {role} LOGIN IN ROLE galley CONNECTION LIMIT {connections}")).await;
        self.url.replace("galley@", &format!("{role}@"))
    }

    /// A PgBouncer in front of this database.
    pub async fn behind_a_pooler(&self, mode: PoolMode, settings: &str) -> Pooler {
        Pooler::start(shared().await.cluster.socket_dir(), &self.name, mode, settings).await
    }

    /// Takes no changes until it is told to take them again; what is connected is thrown out, because only new sessions
    /// obey.
    pub async fn only_reads(&self, only: bool) {
        let word = if only { "on" } else { "off" };
        Self::statement(&format!("ALTER DATABASE {} SET default_transaction_read_only = {word}", self.name)).await;
        self.cut_connections().await;
    }

    pub async fn store(&self) -> Store {
        self.store_of(8).await
    }

    pub async fn store_of(&self, connections: u32) -> Store {
        Self::store_at(&self.url, connections).await
    }

    /// A store on this address, however it leads to a test's database.
    pub async fn store_at(url: &str, connections: u32) -> Store {
        let mut settings = StoreSettings::new(url);
        settings.max_connections = connections;
        settings.acquire_timeout = Duration::from_secs(3);
        Store::connect(&settings).await.expect("the test database answers")
    }

    /// One number out of the database, for what a test asks that no use case answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        let (number,): (i64,) =
            sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.expect("the query runs");
        connection.close().await.expect("the connection closes");
        number
    }

    /// Waits until the number that a statement finds satisfies the test. Looks again whenever something was written to
    /// one of these tables, and at most 90 s.
    pub async fn until(&self, tables: &[&str], sql: &str, test: impl Fn(i64) -> bool) -> i64 {
        let mut written = PgListener::connect(&self.url).await.expect("the test database answers");
        written.listen("test_written").await.expect("the channel is heard");
        for table in tables {
            self.execute(&TELL_WRITTEN.replace("{table}", table)).await;
        }
        let mut found = self.number(sql).await;
        let waiting = async {
            while !test(found) {
                written.recv().await.expect("the test database answers");
                // What has come meanwhile is seen with the same look.
                while written.next_buffered().is_some() {}
                found = self.number(sql).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(90), waiting).await.is_err() {
            panic!("{sql} finds {found}; {}", self.state_of_affairs().await);
        }
        found
    }

    /// Rows of one text each, for what a test asks that no use case answers.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        let rows: Vec<(String,)> =
            sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("the query runs");
        connection.close().await.expect("the connection closes");
        rows.into_iter().map(|(text,)| text).collect()
    }

    /// What the steps wait for and what every connection does, for a test that gives up waiting.
    pub async fn state_of_affairs(&self) -> String {
        const STEPS: &str =
            "SELECT coalesce(string_agg(row_to_json(s)::text, E'\\n'), '') FROM (SELECT kind, position, state,
            attempt, lease, lease_until, run_at, worker, now() FROM steps WHERE state NOT IN ('done', 'failed')) s";
        const CONNECTIONS: &str =
            "SELECT coalesce(string_agg(row_to_json(c)::text, E'\\n'), '') FROM (SELECT pid, state, xact_start,
            state_change, wait_event, pg_blocking_pids(pid) AS behind, query FROM pg_stat_activity
            WHERE datname = current_database()) c";
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        let mut told = String::new();
        for (what, sql) in [("open steps", STEPS), ("connections", CONNECTIONS)] {
            let (rows,): (String,) = sqlx::query_as(sql).fetch_one(&mut connection).await.expect("the query runs");
            told += &format!("{what}:\n{rows}\n");
        }
        told
    }

    /// Runs a statement in a transaction that stays open, with its locks, until it is released or dropped.
    pub async fn hold(&self, sql: &str) -> Held {
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        for sql in ["BEGIN", sql] {
            sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("the statement runs");
        }
        Held { connection }
    }

    /// Waits until so many connections wait for somebody's lock.
    pub async fn waiting_for_locks(&self, count: i64) {
        const SQL: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
            AND wait_event_type = 'Lock'";
        let waiting = async { while self.number(SQL).await < count {} };
        let waited = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(waited.is_ok(), "{count} wait for a lock; {}", self.state_of_affairs().await);
    }

    /// Runs one statement or several.
    pub async fn execute(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url).await.expect("the test database answers");
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect("the statement runs");
        connection.close().await.expect("the connection closes");
    }
}

//! Where the figures are taken: a private Postgres with the durability that it has by default, databases in it, and
//! the parts of Galley on one of them.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use galley_domain::{Operator, OrgId, Principal, article, credits::Prices, task::StepKind};
use galley_engine::{Notifications, Registry};
use galley_fetch::address::Policy;
use galley_private_postgres::Cluster;
use galley_services::{Blobs, KeyRequest, Services, Settings, pipelines};
use galley_store::{Retention, Store, StoreSettings};
use rust_decimal::Decimal;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A migrated database that nobody is connected to; others are made from it.
const TEMPLATE: &str = "bench_template";
/// What all orders of a run may cost.
const CREDITS: i64 = 1_000_000_000;

/// The cluster and the folder that holds everything.
#[derive(Debug)]
pub struct World {
    cluster: Cluster,
    dir: tempfile::TempDir,
    count: AtomicU32,
}

/// One database of the cluster.
#[derive(Debug, Clone)]
pub struct Database {
    pub name: String,
    pub url: String,
    /// For files.
    pub dir: PathBuf,
}

impl World {
    /// Starts a cluster in a new folder below `parent`.
    pub async fn start(parent: &Path) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("galley-bench-")
            .tempdir_in(parent)
            .with_context(|| format!("no folder can be made in {}; choose another with --dir", parent.display()))?;
        // The server runs as another user when we are root and must get through.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
        let mut settings = galley_private_postgres::Settings::new(dir.path().join("db"));
        std::fs::create_dir(&settings.data_dir)?;
        std::fs::set_permissions(&settings.data_dir, std::fs::Permissions::from_mode(0o755))?;
        settings.max_connections = 120;
        let cluster = galley_private_postgres::start(settings).await?;
        let world = Self { cluster, dir, count: AtomicU32::new(0) };
        world.cluster.create_database_if_missing(TEMPLATE).await?;
        let store = Store::connect(&StoreSettings::new(world.cluster.url(TEMPLATE))).await?;
        store.migrate().await?;
        store.close().await;
        world.check_durability().await?;
        Ok(world)
    }

    /// A figure from a server that does not wait for its disk would be about another program.
    async fn check_durability(&self) -> anyhow::Result<()> {
        let mut admin = self.admin().await?;
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let (value,): (String,) =
                sqlx::query_as("SELECT current_setting($1)").bind(setting).fetch_one(&mut admin).await?;
            anyhow::ensure!(value == "on", "{setting} is {value}: these figures need a durable server");
        }
        Ok(admin.close().await?)
    }

    pub fn postmaster(&self) -> u32 {
        self.cluster.postmaster_pid()
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A connection to a database that no figure uses.
    pub async fn admin(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.cluster.url("postgres")).await?)
    }

    async fn statement(&self, sql: String) -> anyhow::Result<()> {
        let mut admin = self.admin().await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await?;
        Ok(admin.close().await?)
    }

    /// A migrated, empty database.
    pub async fn database(&self) -> anyhow::Result<Database> {
        self.copy(TEMPLATE).await
    }

    /// A copy of a database that nobody is connected to.
    pub async fn copy_of(&self, database: &Database) -> anyhow::Result<Database> {
        self.copy(&database.name).await
    }

    async fn copy(&self, template: &str) -> anyhow::Result<Database> {
        let name = format!("bench_{}", self.count.fetch_add(1, Ordering::Relaxed));
        self.statement(format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
        // What the copying left to write shall not be written during a measurement.
        self.statement("CHECKPOINT".to_owned()).await?;
        let dir = self.dir.path().join(&name);
        Ok(Database { url: self.cluster.url(&name), name, dir })
    }

    pub async fn drop(&self, database: Database) -> anyhow::Result<()> {
        self.statement(format!("DROP DATABASE {} WITH (FORCE)", database.name)).await?;
        if database.dir.exists() {
            std::fs::remove_dir_all(&database.dir)?;
        }
        Ok(())
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        self.cluster.stop().await?;
        self.dir.close().context("the folder of the figures cannot be removed")
    }
}

impl Database {
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url).await?)
    }

    /// A pool whose connections are all open already.
    pub async fn pool(&self, connections: u32) -> anyhow::Result<PgPool> {
        let options = PgPoolOptions::new().max_connections(connections).min_connections(connections);
        // The ceilings are planned like the product's own statements.
        let session = self.url.parse::<PgConnectOptions>()?.options(galley_store::SESSION);
        Ok(options.test_before_acquire(false).connect_with(session).await?)
    }

    pub async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    pub async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let mut connection = self.connect().await?;
        let (number,): (i64,) = sqlx::query_as(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(number)
    }

    /// Until the opposite is said, commits do not wait for the disk: for filling a database, never for measuring.
    pub async fn hurry(&self, on: bool) -> anyhow::Result<()> {
        let value = if on { "SET synchronous_commit = off" } else { "RESET synchronous_commit" };
        self.execute(&format!("ALTER DATABASE {} {value}", self.name)).await
    }
}

/// Slots for the six kinds of an article, as even as can be, `total` in all.
pub fn spread(total: usize) -> BTreeMap<StepKind, usize> {
    let kinds = article::STEPS.len();
    let share = |at: usize| total / kinds + usize::from(at < total % kinds);
    article::STEPS.iter().enumerate().map(|(at, kind)| (*kind, share(at))).collect()
}

/// The use cases on a database, listening for wake-ups, with one tenant.
#[derive(Debug)]
pub struct Parts {
    pub services: Services,
    pub notifications: Notifications,
    pub org: OrgId,
    listening: JoinHandle<()>,
}

impl Parts {
    /// As the program puts them together, with its default number of connections.
    pub async fn open(url: &str, dir: &Path, slots: &BTreeMap<StepKind, usize>) -> anyhow::Result<Self> {
        Self::with(url, dir, registry(slots)).await
    }

    /// With other kinds of work than the program's.
    pub async fn with(url: &str, dir: &Path, registry: Registry) -> anyhow::Result<Self> {
        let store = Store::connect(&StoreSettings::new(url)).await?;
        let blobs = Blobs::folder(&dir.join("files"))?;
        let services = Services::new(store.clone(), blobs, settings(), Arc::new(registry));
        let notifications = Notifications::default();
        let listening = tokio::spawn(notifications.clone().run(store));
        let org = services
            .operator(Operator::of_this_machine())
            .ensure_organization("Bench", "bench@example.org", Decimal::from(CREDITS))
            .await?;
        Ok(Self { services, notifications, org, listening })
    }

    pub async fn on(database: &Database, slots: &BTreeMap<StepKind, usize>) -> anyhow::Result<Self> {
        Self::open(&database.url, &database.dir, slots).await
    }

    pub fn principal(&self) -> Principal {
        Operator::of_this_machine().within(self.org)
    }

    /// A further tenant.
    pub async fn other_tenant(&self) -> anyhow::Result<Principal> {
        let org = self.services.store().system().create_organization("Other").await?;
        self.services.operator(Operator::of_this_machine()).grant_credits(org, Decimal::from(CREDITS), "bench").await?;
        Ok(Operator::of_this_machine().within(org))
    }

    pub async fn key(&self) -> anyhow::Result<String> {
        Ok(self.services.create_key(self.org, &KeyRequest::full("bench")).await?.secret)
    }

    pub async fn key_of(&self, principal: &Principal) -> anyhow::Result<String> {
        Ok(self.services.create_key(principal.org, &KeyRequest::full("bench")).await?.secret)
    }

    /// Orders one small article.
    pub async fn order(&self, principal: &Principal) -> anyhow::Result<Uuid> {
        let trace = Uuid::new_v4().simple().to_string();
        Ok(self.services.order(principal, galley_testkit::order(), &trace, None).await?.value.task_id)
    }

    pub async fn order_many(&self, principal: &Principal, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            self.order(principal).await?;
        }
        Ok(())
    }

    pub async fn close(self) {
        self.listening.abort();
        // Aborted: its end says nothing.
        let _ = self.listening.await;
        let store = self.services.store().clone();
        drop(self.services);
        store.close().await;
    }
}

/// Every kind of work of the program; the kinds that are named have slots of their own.
fn registry(slots: &BTreeMap<StepKind, usize>) -> Registry {
    let mut registry = pipelines::registry();
    for kind in registry.kinds().collect::<Vec<_>>() {
        registry.change_policy(kind, |policy| {
            policy.concurrency = slots.get(&kind).copied();
            // Steps that sleep do so for longer than any real one may take.
            policy.timeout = Duration::from_secs(86_400);
        });
    }
    registry
}

fn settings() -> Settings {
    let day = Duration::from_secs(86_400);
    Settings {
        prices: Prices::default(),
        retention: Retention {
            events: day,
            steps: day,
            jobs: day,
            idempotency_keys: day,
            deliveries: day,
            runs: day,
            answers: day,
        },
        links: Policy::new(Vec::new()),
        writer: "extractive".to_owned(),
        model: None,
        public_url: None,
        writer_needs_sources: false,
        search: false,
        files_quota: 1 << 30,
        image_model: false,
        image_links: Duration::from_secs(3600),
        has_folder: false,
        sync_every: Duration::ZERO,
        estimated_seconds: 45,
    }
}

/// A database with `tasks` orders of one tenant and nothing else, ready to be copied.
pub async fn ordered(world: &World, tasks: usize) -> anyhow::Result<Database> {
    let database = world.database().await?;
    database.hurry(true).await?;
    let parts = Parts::on(&database, &spread(6)).await?;
    parts.order_many(&parts.principal(), tasks).await?;
    parts.close().await;
    database.hurry(false).await?;
    database.execute("VACUUM ANALYZE").await?;
    Ok(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_add_up() {
        for total in [6, 16, 64, 256] {
            let slots = spread(total);
            assert_eq!(slots.len(), 6);
            assert_eq!(slots.values().sum::<usize>(), total);
        }
    }
}

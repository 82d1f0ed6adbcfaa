//! The only crate that speaks SQL.
//!
//! [`Store`] hands out three views of the database, told apart by type:
//! [`Tenant`] reads one organization's rows straight from the pool, [`TenantTx`] reads and writes them in a transaction,
//! and [`System`] does the few things that have no tenant yet or any more (looking up a key, claiming steps, sweeping).
//!
//! Architecture invariant: entities are private to this crate, and nothing outside of [`System`] touches a row without
//! an `org_id` in the statement.

mod announce;
mod article_groups;
mod articles;
mod batch;
mod crud;
mod effects;
mod entity;
mod error;
mod files;
mod followers;
mod heads;
mod idempotency;
mod keys;
mod ledger;
mod listen;
mod orders;
mod projects;
mod queue;
mod reads;
mod schedules;
mod scope;
mod secrets;
mod sources;
mod sql;
mod steps;
mod sweep;
mod task_state;
mod tasks;
mod usage;
mod webhooks;
mod whole_looks;
mod words;

use std::{sync::Arc, time::Duration};

use galley_domain::{OrgId, task::PoolName};
use galley_migrations::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use announce::Announcer;
use heads::Heads;

pub use announce::Notification;
pub use article_groups::{LockedArticle, LockedArticles, Naming};
pub use articles::{ArticleChange, ArticleFilter, ArticleSort, NewArticle, NewVersion, TextVersion};
pub use batch::{
    Changes, Delay, Done, EventText, FailedStep, JobKind, NewEvent, SeenTasks, Settlement, Standing, StepsTx,
};
pub use effects::{EffectKey, EffectMark};
pub use entity::tenant_tables;
pub use error::StoreError;
pub use files::{FileFilter, NewFile};
pub use idempotency::Replay;
pub use keys::{Bootstrap, NewEventToken, NewKey};
pub use ledger::{HoldOutcome, LedgerCheck};
pub use listen::Listener;
pub use orders::{NewOrder, Parent};
pub use projects::NewProject;
pub use queue::{ClaimedStep, Claims, Fence, Promotion, Queue, QueueDepth, Wanted};
pub use reads::{EventReader, Reads};
pub use schedules::{NewRun, NewSchedule, ScheduleFilter};
pub use scope::{Scoped, System, Tenant, TenantTx, Tx};
pub use secrets::{Rewrapped, SecretCursor, StoredSecret};
pub use sources::{NewSource, SOURCES_RUN, StoredClaim};
pub use steps::{BESIDE_THE_NEWEST, NewStep, Start, Started};
pub use sweep::{Retention, Swept};
pub use task_state::{StageCount, Stages, TaskState};
pub use tasks::TaskFilter;
pub use webhooks::{DeliveryFilter, NewAttempt, NewDelivery, NewWebhook, ReplayRange, WebhookFilter};
pub use whole_looks::WholeLooks;
pub use words::TextEnum;

/// One row of each table, as it is read; heads leave out the long texts.
pub mod rows {
    pub use crate::entity::{
        api_keys::Model as ApiKey, article_versions::Model as ArticleVersion, articles::Model as Article,
        claims::Model as Claim, effects::Model as Effect, events::Model as Event, files::Model as File,
        projects::Model as Project, research_sources::Model as Source, schedule_runs::Model as ScheduleRun,
        schedules::Model as Schedule, steps::Model as Step, tasks::Model as Task, usage_records::Model as Usage,
        webhook_attempts::Model as WebhookAttempt, webhook_deliveries::Model as Delivery, webhooks::Model as Webhook,
    };
    pub use crate::entity::{
        article_versions::Head as VersionHead, articles::Head as ArticleHead, research_sources::Head as SourceHead,
        webhook_deliveries::Head as DeliveryHead,
    };
    pub use crate::task_state::TaskHead;
}

/// A connection that was used within this time is handed out without a question.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// What the engine's sessions ask of the planner; everybody else's have the server's defaults. Every statement that runs often has an index and is planned once: plans that were
/// made while a table was empty must be as good when it is not, minutes before anyone has counted its rows. Without
/// sequential scans as a choice the costs of the statements that need one look huge, and huge costs would be compiled.
/// A bitmap would bring rows, and so their locks, in the order of the disk instead of the index.
pub const SESSION: [(&str, &str); 4] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
];

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub url: String,
    pub max_connections: u32,
    /// How long a caller waits for a free connection before it gets an error.
    pub acquire_timeout: Duration,
    /// A connection that nobody used for so long is closed; one always stays.
    pub idle_timeout: Duration,
    /// A statement that takes longer is cancelled by the server.
    pub statement_timeout: Duration,
}

impl StoreSettings {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 20,
            acquire_timeout: Duration::from_secs(8),
            idle_timeout: Duration::from_secs(60),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For tenants' reads and writes: the planner chooses.
    db: DatabaseConnection,
    /// For the queue, what attempts write, orders and polls: see [`SESSION`].
    engine: DatabaseConnection,
    announcer: Announcer,
    reads: Reads,
    heads: Arc<Heads>,
}

impl Store {
    /// Opens the pool; fails when the server does not answer.
    pub async fn connect(settings: &StoreSettings) -> Result<Self, StoreError> {
        // Errors further down would repeat what they cannot read.
        let schemes = ["postgres://", "postgresql://"];
        let known = schemes.iter().any(|scheme| settings.url.starts_with(scheme));
        let options = settings.url.parse::<PgConnectOptions>().ok().filter(|_| known).ok_or(StoreError::Address)?;
        probe(&options, settings.acquire_timeout).await?;
        let of_engine = settings.max_connections.div_ceil(2).max(1);
        // Migrations take two at once: one holds the guard.
        let others = settings.max_connections.saturating_sub(of_engine).max(2);
        let engine = open(settings, of_engine, &SESSION).await?;
        let db = open(settings, others, &[]).await?;
        Ok(Self {
            announcer: Announcer::start(engine.clone()),
            reads: Reads::start(&engine),
            heads: Arc::default(),
            db,
            engine,
        })
    }

    /// Brings the schema up to date. Two processes at once do not harm each other: an advisory lock lets one through.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let guard = sql::begin(&self.db).await?;
        sql::execute(&guard, "SELECT pg_advisory_xact_lock(7305807142)", []).await?;
        Migrator::up(&self.db, None).await?;
        guard.commit().await?;
        Ok(())
    }

    /// Names of migrations that this program knows and the database does not have yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>, StoreError> {
        Ok(Migrator::get_pending_migrations(&self.db).await?.iter().map(|m| m.name().to_owned()).collect())
    }

    /// Answers when the database does.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sql::execute(&self.db, "SELECT 1", []).await?;
        Ok(())
    }

    /// Reads one organization's rows.
    pub fn tenant(&self, org: OrgId) -> Tenant {
        Scoped::new(self.db.clone(), org)
    }

    /// Reads what many ask for at once.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }

    /// Pools in which steps of this program may be ready. Orders find their place among what waits in these.
    pub fn expect_pools(&self, pools: impl IntoIterator<Item = PoolName>) {
        self.heads.expect(pools);
    }

    /// Reads and writes one organization's rows; nothing stands until [`TenantTx::commit`].
    pub async fn begin(&self, org: OrgId) -> Result<TenantTx, StoreError> {
        Ok(Scoped::new(self.begin_tx(&self.db).await?, org))
    }

    /// The same for orders, which find their place in the queue.
    pub async fn begin_order(&self, org: OrgId) -> Result<TenantTx, StoreError> {
        let heads = self.heads.known(&self.engine).await?;
        Ok(Scoped::new(self.begin_tx(&self.engine).await?.knowing(heads), org))
    }

    /// Writes about steps of many tenants; nothing stands until [`StepsTx::commit`].
    pub async fn begin_steps(&self, orgs: impl IntoIterator<Item = OrgId>) -> Result<StepsTx, StoreError> {
        Ok(StepsTx::new(self.begin_tx(&self.engine).await?, orgs))
    }

    async fn begin_tx(&self, db: &DatabaseConnection) -> Result<Tx, StoreError> {
        Ok(Tx::new(sql::begin(db).await?, self.announcer.clone()))
    }

    /// What has no tenant. Every use is worth a second look.
    pub fn system(&self) -> System {
        System::new(self.db.clone(), self.announcer.clone())
    }

    pub fn queue(&self) -> Queue {
        Queue::new(self.engine.clone(), self.announcer.clone())
    }

    /// Opens the one LISTEN connection of this process.
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        Listener::connect(self.db.get_postgres_connection_pool(), self.announcer.origin()).await
    }

    /// What this process says itself, at once: all words of a transaction together.
    pub fn own_words(&self) -> tokio::sync::broadcast::Receiver<Arc<[Notification]>> {
        self.announcer.local()
    }

    pub async fn close(self) {
        // A pool that fails to close is gone with the process anyway.
        let _ = tokio::join!(self.db.close(), self.engine.close());
    }
}

/// Connects once without a pool, which would say only that it has waited.
async fn probe(options: &PgConnectOptions, patience: Duration) -> Result<(), StoreError> {
    let unreachable = |cause: String, passing| {
        let place = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        StoreError::Unreachable { place, cause, passing }
    };
    match tokio::time::timeout(patience, PgConnection::connect_with(options)).await {
        // It answers; how the parting goes does not matter.
        Ok(Ok(connection)) => drop(connection.close().await),
        Ok(Err(error)) => {
            // The server's own words, without the library's in front of them.
            let cause = error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
            return Err(unreachable(cause, StoreError::from(error).is_unavailable()));
        }
        Err(_) => return Err(unreachable(format!("it does not answer within {} s", patience.as_secs()), true)),
    }
    Ok(())
}

async fn open(
    settings: &StoreSettings,
    connections: u32,
    session: &'static [(&'static str, &'static str)],
) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new(&settings.url);
    options
        .max_connections(connections)
        .min_connections(1)
        .connect_timeout(settings.acquire_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(settings.idle_timeout)
        .statement_timeout(settings.statement_timeout)
        .set_application_name("galley")
        .test_before_acquire(false)
        .map_sqlx_postgres_opts(move |options| options.options(session.iter().copied()))
        .map_sqlx_postgres_pool_opts(|pool| {
            // A connection that was in use a moment ago is good; asking costs a round trip for every statement.
            pool.before_acquire(|connection, seen| {
                Box::pin(async move {
                    if seen.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
        })
        .sqlx_logging(false);
    Ok(Database::connect(options).await?)
}

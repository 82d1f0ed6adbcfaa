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
mod blog_templates;
mod calendar_feeds;
mod connections;
mod crud;
mod db;
mod deployments;
mod effects;
mod embeddings;
mod entity;
mod error;
mod files;
mod followers;
mod heads;
mod idempotency;
mod images;
mod judgements;
mod kept;
mod keys;
mod ledger;
mod listen;
mod migrate;
mod model_answers;
mod orders;
pub mod outage;
mod pooling;
mod posts;
mod projects;
mod publications;
mod queue;
mod reads;
mod schedules;
mod scope;
mod secrets;
mod site_connections;
mod site_events;
mod site_texts;
mod source_images;
mod sources;
mod sql;
mod steps;
mod stock_photo_keys;
mod sweep;
mod task_state;
mod tasks;
mod usage;
mod webhooks;
mod whole_looks;
mod words;

use std::{sync::Arc, time::Duration};

use galley_domain::{OrgId, task::PoolName};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use announce::Announcer;
use connections::{Connections, Limits};
use db::Db;
use heads::Heads;
use pooling::Sessions;

pub use announce::Notification;
pub use article_groups::{LockedArticle, LockedArticles, Naming};
pub use articles::{ArticleChange, ArticleFilter, ArticleSort, NewArticle, NewVersion, TextVersion};
pub use batch::{
    Changes, Delay, Done, EventText, FailedStep, JobKind, NewEvent, SeenTasks, Settlement, Standing, StepsTx,
};
pub use deployments::{DeploymentFilter, DeploymentView};
pub use effects::{EffectKey, EffectMark};
pub use embeddings::NewEmbedding;
pub use entity::tenant_tables;
pub use error::StoreError;
pub use files::{FileFilter, NewFile};
pub use idempotency::Replay;
pub use images::{NewCard, NewImage, StoredVariant};
pub use judgements::NewJudgement;
pub use kept::Kept;
pub use keys::{Bootstrap, NewEventToken, NewKey};
pub use ledger::{HoldOutcome, LedgerCheck};
pub use listen::Listener;
pub use orders::{NewOrder, Parent};
pub use pooling::Pooling;
pub use posts::{CalendarFilter, CalendarRow, PostCounts, PostState};
pub use projects::NewProject;
pub use publications::{NewPublication, PublicationFilter};
pub use queue::{ClaimedStep, Claims, Fence, Promotion, Queue, QueueDepth, Wanted};
pub use reads::{EventReader, Reads};
pub use schedules::{NewRun, NewSchedule, ScheduleFilter};
pub use scope::{Scoped, System, Tenant, TenantTx, Tx};
pub use secrets::{Rewrapped, SecretCursor, StoredSecret};
pub use site_connections::ConnectionFilter;
pub use site_events::NewSiteEvent;
pub use site_texts::{ImportedArticle, Mismatch, SiteCounts, SiteText};
pub use source_images::{ImagePlace, NewSourceImage};
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
        blog_templates::Model as BlogTemplate, calendar_feeds::Model as CalendarFeed, claims::Model as Claim,
        connections::Model as Connection, deployments::Model as Deployment, effects::Model as Effect,
        events::Model as Event, files::Model as File, images::Model as Image, model_answers::Model as ModelAnswer,
        projects::Model as Project, publications::Model as Publication, research_sources::Model as Source,
        schedule_runs::Model as ScheduleRun, schedules::Model as Schedule, site_events::Model as SiteEvent,
        steps::Model as Step, stock_photo_keys::Model as StockPhotoKey, tasks::Model as Task,
        usage_records::Model as Usage, webhook_attempts::Model as WebhookAttempt,
        webhook_deliveries::Model as Delivery, webhooks::Model as Webhook,
    };
    pub use crate::entity::{
        article_versions::Head as VersionHead, articles::Head as ArticleHead, research_sources::Head as SourceHead,
        webhook_deliveries::Head as DeliveryHead,
    };
    pub use crate::task_state::TaskHead;
}

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

/// Limits of role and database are -1 where there is none.
const CONNECTIONS_ALLOWED: &str = "
SELECT least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1)) AS allowed
FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()";

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub url: String,
    /// Where a session is ours from its start to its end, if `url` leads to a pooler: for listening and for migrations.
    pub direct_url: Option<String>,
    /// What stands between us and the server; found out when not said.
    pub pooling: Option<Pooling>,
    /// Of both pools together; one more connection listens.
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
            direct_url: None,
            pooling: None,
            max_connections: 10,
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
    db: Db,
    /// For the queue, what attempts write, orders and polls: see [`SESSION`].
    engine: Db,
    /// Sessions of our own, for listening and migrations.
    direct: PgPool,
    pooling: Pooling,
    /// Whether `direct` leads past every pooler that gives sessions to others.
    hears: bool,
    announcer: Announcer,
    reads: Reads,
    heads: Arc<Heads>,
}

impl Store {
    /// Opens the pool; fails when the server does not answer.
    pub async fn connect(settings: &StoreSettings) -> Result<Self, StoreError> {
        let options = address(&settings.url)?;
        let direct = settings.direct_url.as_deref().map(address).transpose()?;
        let pooling = probe(&options, settings).await?;
        if let Some(direct) = &direct {
            let apart = StoreSettings { pooling: None, ..settings.clone() };
            if matches!(probe(direct, &apart).await?, Pooling::Transaction { .. }) {
                return Err(StoreError::NotDirect);
            }
        }
        let of_engine = settings.max_connections.div_ceil(2).max(1);
        let others = settings.max_connections.saturating_sub(of_engine).max(1);
        let open = |most, session: &[(&'static str, &'static str)]| {
            let (options, sessions) = Sessions::new(&options, pooling, session, settings.statement_timeout);
            let limits = Limits { most, patience: settings.acquire_timeout, idle: settings.idle_timeout };
            Db(Connections::new(options, sessions, limits))
        };
        let (engine, db) = (open(of_engine, &SESSION), open(others, &[]));
        // Each keeps the first for as long as it lives, so that neither can take all that the server allows.
        drop((engine.0.acquire().await?, db.0.acquire().await?));
        let hears = direct.is_some() || !matches!(pooling, Pooling::Transaction { .. });
        let direct = direct.unwrap_or_else(|| options.clone());
        Ok(Self {
            announcer: Announcer::start(engine.clone()),
            reads: Reads::start(&engine),
            heads: Arc::default(),
            direct: by_the_way(direct, pooling, settings),
            pooling,
            hears,
            db,
            engine,
        })
    }

    /// What stands between us and the server.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// False where no other process can wake us: a pooler is in the way, and there is no address past it.
    pub fn hears(&self) -> bool {
        self.hears
    }

    /// How many connections this process takes at the most.
    pub fn connections_wanted(&self) -> u32 {
        self.db.0.most() + self.engine.0.most() + 1
    }

    /// How many connections the server allows this role and this database, whoever has them.
    pub async fn connections_allowed(&self) -> Result<u32, StoreError> {
        let row = sql::one(&self.db, CONNECTIONS_ALLOWED, []).await?;
        let allowed: i32 = row.map(|row| row.try_get("", "allowed")).transpose()?.unwrap_or_default();
        Ok(u32::try_from(allowed).unwrap_or_default())
    }

    /// Answers when the database does, and takes what is written.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let row = sql::one(&self.db, "SELECT current_setting('transaction_read_only') AS only_reads", []).await?;
        match row.map(|row| row.try_get::<String>("", "only_reads")).transpose()?.as_deref() {
            Some("off") => Ok(()),
            _ => Err(StoreError::OnlyReads),
        }
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
        // Steps of schedules order, too.
        Ok(StepsTx::new(self.begin_tx(&self.engine).await?.knowing(self.heads.so_far()), orgs))
    }

    async fn begin_tx(&self, db: &Db) -> Result<Tx, StoreError> {
        Ok(Tx::new(db.begin().await?, self.announcer.clone()))
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
        if self.hears { Listener::connect(&self.direct, self.announcer.origin()).await } else { Ok(Listener::deaf()) }
    }

    /// What this process says itself, at once: all words of a transaction together.
    pub fn own_words(&self) -> tokio::sync::broadcast::Receiver<Arc<[Notification]>> {
        self.announcer.local()
    }

    pub async fn close(self) {
        tokio::join!(self.db.0.close(), self.engine.0.close(), self.direct.close());
    }
}

/// Errors further down would repeat what they cannot read, and with it a password.
fn address(url: &str) -> Result<PgConnectOptions, StoreError> {
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    url.parse().ok().filter(|_| known).ok_or(StoreError::Address)
}

/// Connects once, and says what is there.
async fn probe(options: &PgConnectOptions, settings: &StoreSettings) -> Result<Pooling, StoreError> {
    let unreachable = |cause: String, way_out, passing| {
        let place = match options.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        StoreError::Unreachable { place, cause, way_out, passing }
    };
    match tokio::time::timeout(settings.acquire_timeout, pooling::probe(options, settings.pooling)).await {
        Ok(Ok(pooling)) => Ok(pooling),
        Ok(Err(error)) => {
            let cause = connections::said(&error);
            let way_out = connections::way_out(&error);
            let passing = pooling::may_be_there_later(&error) && StoreError::from(error).is_unavailable();
            Err(unreachable(cause, way_out, passing))
        }
        Err(_) => {
            let cause = format!("it does not answer within {} s", settings.acquire_timeout.as_secs());
            Err(unreachable(cause, connections::CHECK_ADDRESS, true))
        }
    }
}

/// Few connections, none of which stays when nobody needs it.
fn by_the_way(options: PgConnectOptions, pooling: Pooling, settings: &StoreSettings) -> PgPool {
    // Migrations take as long as they take.
    let (options, _) = Sessions::new(&options, pooling, &[], Duration::ZERO);
    PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(Duration::from_secs(10))
        .connect_lazy_with(options)
}

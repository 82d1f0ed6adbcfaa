//! Puts the parts together as the configuration says.

mod models;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use galley_destinations::{Destination, FolderDestination, FrontMatterStyle};
use galley_domain::{
    Hidden, Operator, OrgId,
    credits::Prices,
    task::{PoolName, StepKind},
};
use galley_engine::{Engine, EngineSettings, Notifications, Registry};
use galley_fetch::{
    FetchLimits, Fetcher,
    address::{HostRule, Policy},
    search::{self, Brave, SearchProvider, SearxNg, Tavily},
};
use galley_files::Readers;
use galley_photos::{Pexels, PexelsSettings};
use galley_private_postgres::{Cluster, Settings as PostgresSettings};
use galley_services::{Blobs, Blogs, Bucket, Services, Settings, StockPhotos, pipelines};
use galley_store::{Pooling, Retention, Store, StoreSettings, outage};
use galley_webhooks::{SendLimits, Sender};
use galley_workers::{OffTopic, Toolbox, all_steps};
use tokio::{sync::Mutex, task::JoinHandle};

pub use models::{configured_judge, judge_endpoint, unsupported, writer, writer_endpoint};

use crate::{
    config::{Config, OffTopicKind, PoolingMode, SearchKind, StorageKind, WriterKind},
    data_folder, envelope,
    presence::Presence,
};

/// The command, for this program alone, that reads one file in a process of its own.
pub const READ_FILE: &str = "read-file";
/// In the private Postgres.
pub const DATABASE: &str = "galley";
/// What start and doctor say where no process can wake another.
pub const DEAF: &str = "the database is reached through a pooler in transaction mode, so other processes are heard only once \
                        a second; set DATABASE_DIRECT_URL to the address of the server itself";
/// How often it is looked whether the private Postgres runs.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// What is still busy with the database then is cut off.
const CLOSING: Duration = Duration::from_secs(5);

/// The database: somebody's, or our own private cluster.
#[derive(Debug)]
pub struct Database {
    store: Store,
    private: Option<Private>,
}

/// A private Postgres that is started again when it ends before we do.
#[derive(Debug)]
struct Private {
    cluster: Arc<Mutex<Cluster>>,
    watching: JoinHandle<()>,
}

impl Private {
    fn watch(cluster: Cluster) -> Self {
        let cluster = Arc::new(Mutex::new(cluster));
        let watching = tokio::spawn(keep_running(Arc::clone(&cluster)));
        Self { cluster, watching }
    }

    async fn stop(self) {
        self.watching.abort();
        // What it began is dropped with it, and its share of the cluster.
        let _ = self.watching.await;
        let Some(cluster) = Arc::into_inner(self.cluster) else { return };
        if let Err(error) = cluster.into_inner().stop().await {
            tracing::warn!(%error, "the private Postgres did not stop in order");
        }
    }
}

async fn keep_running(cluster: Arc<Mutex<Cluster>>) {
    let mut failed = false;
    loop {
        tokio::time::sleep(if failed { LOOK_AFTER_FAILURE } else { LOOK }).await;
        match cluster.lock().await.revive().await {
            Ok(true) => {
                failed = false;
                tracing::warn!("the private Postgres had ended; it was started again");
            }
            Ok(false) => failed = false,
            Err(error) => {
                if !failed {
                    tracing::error!(%error, "the private Postgres has ended and does not start; trying again");
                }
                failed = true;
            }
        }
    }
}

impl Database {
    /// Connects; starts the private Postgres when no other is configured.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let (url, private) = match &config.database.url {
            Some(url) => (url.expose().to_owned(), None),
            None => {
                data_folder::make(config)?;
                let cluster = galley_private_postgres::start(postgres_settings(config)).await?;
                cluster.create_database_if_missing(DATABASE).await?;
                (cluster.url(DATABASE), Some(Private::watch(cluster)))
            }
        };
        let settings = store_settings(config, url);
        let store = match Store::connect(&settings).await {
            Ok(store) => store,
            Err(error) => {
                if let Some(private) = private {
                    private.stop().await;
                }
                return Err(error.into());
            }
        };
        if !store.hears() {
            tracing::warn!("{DEAF}");
        }
        Ok(Self { store, private })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Closes the connections, then stops the private Postgres if nobody else uses it.
    pub async fn close(self) {
        if tokio::time::timeout(CLOSING, self.store.close()).await.is_err() {
            tracing::warn!("a connection to the database did not close in time");
        }
        if let Some(private) = self.private {
            private.stop().await;
        }
    }
}

/// How the private Postgres is run.
pub fn postgres_settings(config: &Config) -> PostgresSettings {
    PostgresSettings { bin_dir: config.database.bin_dir.clone(), ..PostgresSettings::new(&config.data) }
}

/// How the database at this address is used.
pub fn store_settings(config: &Config, url: String) -> StoreSettings {
    let mut settings = StoreSettings::new(url);
    settings.direct_url = config.database.direct_url.as_ref().map(|url| url.expose().to_owned());
    settings.pooling = config.database.pooling.map(|mode| match mode {
        PoolingMode::None => Pooling::None,
        PoolingMode::Session => Pooling::Session,
        PoolingMode::Transaction => Pooling::Transaction { keeps_statements: false },
    });
    settings.max_connections = config.database.max_connections.unwrap_or(settings.max_connections);
    settings.idle_timeout = config.database.idle_seconds.map_or(settings.idle_timeout, Duration::from_secs);
    settings
}

/// Everything but front and engine, on a migrated database.
#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub services: Services,
    pub notifications: Notifications,
    database: Database,
    listening: Option<JoinHandle<()>>,
    watching: Option<JoinHandle<()>>,
    /// Of the one engine of this process.
    presence: Option<Presence>,
}

impl Parts {
    /// Brings the schema up to date first.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let database = Self::database(&config).await?;
        database.store().migrate().await.context("the schema could not be brought up to date")?;
        Self::on(config, database)
    }

    /// For a command that changes nothing: a schema that is not up to date stays as it is, and is refused.
    pub async fn open_as_is(config: Config) -> anyhow::Result<Self> {
        let database = Self::database(&config).await?;
        let refusal = match database.store().pending_migrations().await {
            Ok(pending) if pending.is_empty() => return Self::on(config, database),
            Ok(pending) => anyhow::anyhow!(
                "the schema of the database is older than this program (not applied: {}); run `galley migrate` first, or use \
                 the build that the server runs",
                pending.join(", ")
            ),
            Err(error) => error.into(),
        };
        database.close().await;
        Err(refusal)
    }

    async fn database(config: &Config) -> anyhow::Result<Database> {
        // A key that is wrong is told before anything starts.
        envelope::found(config)?;
        data_folder::make(config)?;
        Database::open(config).await
    }

    fn on(config: Config, database: Database) -> anyhow::Result<Self> {
        let blobs = blobs(&config)?;
        let registry = Arc::new(registry(&config)?);
        let services = Services::new(database.store().clone(), blobs, settings(&config)?, registry)
            .with_keyring(envelope::keyring(&config)?)
            .with_readers(readers(&config)?)
            .with_blogs(Blogs::new(links(&config)?, &config.fetch.user_agent).context("fetch.user_agent")?)
            .with_photos(photos(&config)?);
        Ok(Self {
            config,
            services,
            notifications: Notifications::default(),
            database,
            listening: None,
            watching: None,
            presence: None,
        })
    }

    /// The first organization; made when there is none.
    pub async fn organization(&self) -> anyhow::Result<OrgId> {
        let first = &self.config.organization;
        let credits = self.config.credits.initial;
        let operator = self.services.operator(Operator::of_this_machine());
        Ok(operator.ensure_organization(&first.name, &first.admin_email, credits).await?)
    }

    /// Listens for wake-ups, and watches for outages of the database, until [`Parts::close`].
    pub fn listen(&mut self) {
        self.watching = Some(outage::watch(self.services.store().clone()));
        self.listening = Some(tokio::spawn(self.notifications.clone().run(self.services.store().clone())));
    }

    /// The engine of this process, with what a predecessor of this data folder had when it died.
    pub async fn engine(&mut self, kinds: Vec<StepKind>) -> anyhow::Result<Engine> {
        let unknown = kinds.iter().find(|kind| self.services.registry().stage(**kind).is_none());
        anyhow::ensure!(
            unknown.is_none(),
            "there is no kind of step called '{}'",
            unknown.map_or("", |kind| kind.as_str())
        );
        let (presence, dead) =
            Presence::begin(&self.config.data).context("the data folder cannot say who works from it")?;
        if !dead.workers.is_empty() {
            self.services.store().queue().take_from_the_dead(&dead.workers).await?;
            dead.buried();
        }
        let engine = &self.config.engine;
        let settings = EngineSettings {
            worker: presence.worker().to_owned(),
            kinds,
            concurrency: engine.concurrency.unwrap_or(usize::MAX),
            lease: Duration::from_secs(engine.lease_seconds),
            tick: Duration::from_secs(engine.tick_seconds),
            drain: Duration::from_secs(engine.drain_seconds),
        };
        self.presence = Some(presence);
        let steps = all_steps(toolbox(&self.config, self.services.clone())?);
        let (store, registry) = (self.services.store().clone(), Arc::clone(self.services.registry()));
        Ok(Engine::new(store, registry, self.notifications.clone(), settings, steps))
    }

    pub async fn close(self) {
        let Self { services, database, listening, watching, .. } = self;
        for task in [listening, watching].into_iter().flatten() {
            // They hold connections, for which closing the pool would wait.
            task.abort();
            let _ = task.await;
        }
        drop(services);
        database.close().await;
    }
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

/// Every kind of work, as the configuration changes it.
pub fn registry(config: &Config) -> anyhow::Result<Registry> {
    let mut registry = pipelines::registry();
    for (name, slots) in &config.pools {
        let known = name.parse::<PoolName>().is_ok_and(|pool| registry.resize(pool, *slots));
        let names = || pipelines::POOLS.map(|(pool, _)| pool.as_str()).join(", ");
        anyhow::ensure!(known, "[pools] {name} is no pool; there are {}", names());
    }
    for (name, step) in &config.steps {
        let kind = name.parse::<StepKind>().ok().filter(|kind| registry.stage(*kind).is_some());
        let names = || registry.kinds().map(StepKind::as_str).collect::<Vec<_>>().join(", ");
        let kind = kind.with_context(|| format!("[steps.{name}] is no kind of step; there are {}", names()))?;
        registry.change_policy(kind, |policy| {
            policy.concurrency = step.concurrency.or(policy.concurrency);
            policy.timeout = step.timeout_seconds.map_or(policy.timeout, Duration::from_secs);
            policy.max_attempts = step.attempts.unwrap_or(policy.max_attempts);
        });
    }
    Ok(registry)
}

/// What the use cases need to know.
pub fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        prices: Prices {
            generate: config.credits.generate,
            image: config.credits.image,
            image_premium: config.credits.image_premium,
        },
        retention: Retention {
            events: days(config.retention.events_days),
            steps: days(config.retention.steps_days),
            idempotency_keys: Duration::from_secs(u64::from(config.retention.idempotency_hours) * 3600),
            deliveries: days(config.retention.deliveries_days),
            jobs: days(config.retention.jobs_days),
            runs: days(config.retention.runs_days),
            answers: days(config.retention.answers_days),
        },
        links: links(config)?,
        writer_needs_sources: config.writer.kind == WriterKind::Extractive,
        writer: match config.writer.kind {
            WriterKind::Extractive => "extractive".to_owned(),
            WriterKind::Openai => config.writer.provider.clone().unwrap_or_else(|| "openai".to_owned()),
        },
        model: config.writer.model.clone().filter(|_| config.writer.kind == WriterKind::Openai),
        public_url: config.public_url.as_deref().map(public_url).transpose()?,
        search: config.search.provider != SearchKind::None,
        files_quota: config.limits.files_mb << 20,
        has_folder: config.publish.enabled,
        sync_every: Duration::from_secs(u64::from(config.publish.sync_every_minutes) * 60),
        image_model: config.images.model.is_some(),
        image_links: Duration::from_secs(config.images.link_seconds.into()),
        estimated_seconds: config.engine.estimated_seconds,
    })
}

fn public_url(text: &str) -> anyhow::Result<String> {
    if let Some(fault) = galley_services::link_fault(text) {
        anyhow::bail!("public_url {text} {fault}");
    }
    anyhow::ensure!(!text.contains(['?', '#']), "public_url {text} has a query; give the address alone");
    Ok(text.trim_end_matches('/').to_owned())
}

fn links(config: &Config) -> anyhow::Result<Policy> {
    let rules = config.fetch.allow.iter().map(|rule| rule.parse::<HostRule>()).collect::<Result<_, _>>()?;
    Ok(Policy::new(rules))
}

/// Where the bytes of files and pictures are.
pub fn blobs(config: &Config) -> anyhow::Result<Blobs> {
    let storage = &config.storage;
    let (bucket, id, secret) = (&storage.bucket, &storage.access_key_id, &storage.secret_access_key);
    match (storage.kind, bucket, id, secret) {
        (StorageKind::S3, Some(name), Some(id), Some(secret)) => {
            let bucket = Bucket {
                endpoint: storage.endpoint.clone(),
                name: name.clone(),
                region: storage.region.clone(),
                access_key_id: id.clone(),
                secret_access_key: secret.clone(),
                path_style: storage.path_style,
            };
            Blobs::bucket(&bucket).context("[storage] cannot be used")
        }
        _ => {
            let files = data_folder::subfolder(&config.data, "files").context("the folder of files cannot be made")?;
            Ok(Blobs::folder(&files)?)
        }
    }
}

fn photos(config: &Config) -> anyhow::Result<StockPhotos> {
    let photos = &config.photos;
    let settings = PexelsSettings {
        base_url: photos.base_url.clone(),
        image_hosts: photos.image_hosts.clone(),
        max_bytes: galley_images::MAX_PICTURE_BYTES,
        user_agent: config.fetch.user_agent.clone(),
    };
    Ok(StockPhotos::new(Pexels::new(settings, links(config)?)?, photos.key.clone()))
}

/// Readers are processes of this very program.
fn readers(config: &Config) -> anyhow::Result<Readers> {
    // By its name, another one would be started once this one was replaced by a newer.
    let program = if cfg!(target_os = "linux") {
        "/proc/self/exe".into()
    } else {
        std::env::current_exe().context("the program does not know where it is, and it starts itself to read files")?
    };
    if !Readers::are_limited() {
        tracing::warn!(
            "this system does not limit the memory of a process: only the number of files read at once is bounded"
        );
    }
    Ok(Readers::new(program, &[READ_FILE], config.limits.reading_memory_mb))
}

/// What the steps work with.
pub fn toolbox(config: &Config, services: Services) -> anyhow::Result<Toolbox> {
    let fetcher = Fetcher::new(FetchLimits::default(), links(config)?, &config.fetch.user_agent)
        .context("fetch.user_agent")?
        .with_readers(services.readers().clone());
    Ok(Toolbox {
        services,
        fetcher,
        search: search_provider(config)?,
        search_results: config.search.results.clamp(1, search::MAX_HITS),
        writer: models::writer(config)?,
        off_topic: match config.writer.off_topic {
            OffTopicKind::Refuse => OffTopic::Refuse,
            OffTopicKind::Warn => OffTopic::Warn,
        },
        unsupported: unsupported(config),
        judge: models::judge(config)?,
        embedder: models::embedder(config)?,
        image_model: models::image_model(config)?,
        destination: folder(config)?.map(|folder| Arc::new(folder) as Arc<dyn Destination>),
        sender: Sender::new(SendLimits::default(), links(config)?, &config.fetch.user_agent)?,
    })
}

pub fn search_provider(config: &Config) -> anyhow::Result<Option<Arc<dyn SearchProvider>>> {
    let (url, agent) = (config.search.url.as_ref().map(Hidden::expose), &config.fetch.user_agent);
    let key =
        || config.search.key.clone().context("search.key is missing: set it in the file or as GALLEY_SEARCH__KEY");
    Ok(match config.search.provider {
        SearchKind::None => None,
        SearchKind::Searxng => {
            let url = url.context("search.url is missing: set the address of your SearXNG")?;
            Some(Arc::new(SearxNg::new(url, agent)?))
        }
        SearchKind::Tavily => Some(Arc::new(Tavily::new(url.unwrap_or(Tavily::BASE_URL), key()?, agent)?)),
        SearchKind::Brave => Some(Arc::new(Brave::new(url.unwrap_or(Brave::BASE_URL), key()?, agent)?)),
    })
}

pub fn folder(config: &Config) -> anyhow::Result<Option<FolderDestination>> {
    if !config.publish.enabled {
        return Ok(None);
    }
    let style = match config.publish.style.as_str() {
        "hugo" => FrontMatterStyle::Hugo,
        "jekyll" => FrontMatterStyle::Jekyll,
        "astro" | "eleventy" => FrontMatterStyle::AstroEleventy,
        other => anyhow::bail!("publish.style is '{other}'; it must be hugo, jekyll, astro or eleventy"),
    };
    let root = config.publish.folder.clone().unwrap_or_else(|| config.data.join("site"));
    Ok(Some(FolderDestination::new(root, style)))
}

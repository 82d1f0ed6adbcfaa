//! The whole of Galley below the front, on a database of its own.

use std::{path::PathBuf, sync::Arc, time::Duration};

use galley_compose::ExtractiveWriter;
use galley_destinations::{Destination, FolderDestination, FrontMatterStyle};
use galley_domain::{
    Operator, OrgId, Principal,
    article::ContentFormat,
    credits::Prices,
    image::ImageModel,
    order::ArticleOrder,
    publishing::{FOLLOW, PUBLISH, RECONCILE, RETRACT, SETTLE, site_sync},
    task::{StepKind, StepPolicy, TaskStatus},
    writing::{Brief, Tone, WordRange, Writer},
};
use galley_engine::{
    Capacity, Commits, Engine, EngineSettings, EngineStats, Handover, Notifications, Pipeline, Registry, Step,
};
use galley_fetch::{FetchLimits, Fetcher, address::Policy};
use galley_services::{Blobs, Blogs, KeyRequest, Services, Settings, StockPhotos, TaskView, pipelines};
use galley_store::{Claims, Pooling, Promotion, Retention, Store, StoreSettings, Wanted, rows};
use galley_vault::Keyring;
use galley_webhooks::{SendLimits, Sender};
use galley_workers::{ConfiguredEmbedder, ConfiguredJudge, Toolbox, Unsupported, all_steps, schedule_steps};
use rust_decimal::Decimal;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    cluster::TestDatabase,
    line::Line,
    pooler::{PoolMode, Pooler},
    scripted::{Script, scripted_steps},
};

/// What tests change.
#[derive(Debug)]
pub struct HarnessBuilder {
    settings: Settings,
    registry: Registry,
    credits: Decimal,
    on_a_line: bool,
    connections: Option<u32>,
    allowed: Option<u32>,
    pooled: Option<(PoolMode, String)>,
    past_the_pooler: bool,
    keyring: Option<Keyring>,
    photos: Option<StockPhotos>,
    blobs: Option<Blobs>,
}

/// A database, the use cases on it, one tenant with a principal.
#[derive(Debug)]
pub struct Harness {
    pub database: TestDatabase,
    pub services: Services,
    pub notifications: Notifications,
    pub principal: Principal,
    /// The key behind [`Harness::principal`].
    pub secret: String,
    pub dir: tempfile::TempDir,
    /// Between the use cases and the database, if it was asked for.
    pub line: Option<Line>,
    /// Between the use cases and the database, if it was asked for.
    pub pooler: Option<Pooler>,
    listening: JoinHandle<()>,
}

/// An engine that works until it is stopped.
#[derive(Debug)]
pub struct RunningEngine {
    stop: CancellationToken,
    working: JoinHandle<()>,
    pub stats: EngineStats,
}

impl RunningEngine {
    /// Stops in order and waits for it.
    pub async fn stop(self) {
        self.stop.cancel();
        self.working.await.expect("the engine ends without a panic");
    }

    /// Asks it to stop, and does not wait.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Vanishes as a killed process does: nothing is given back, nothing is written any more.
    pub async fn vanish(self) {
        self.working.abort();
        // Waits until the tasks of the engine are really gone.
        assert!(self.working.await.is_err(), "the engine was aborted");
    }
}

impl Default for HarnessBuilder {
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        Self {
            settings: Settings {
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
                writer_needs_sources: false,
                writer: "extractive".to_owned(),
                model: None,
                public_url: None,
                search: false,
                files_quota: 1 << 30,
                has_folder: true,
                sync_every: Duration::from_secs(3600),
                image_model: false,
                image_links: Duration::from_secs(3600),
                estimated_seconds: 45,
            },
            registry: pipelines::registry(),
            credits: Decimal::from(1000),
            on_a_line: false,
            connections: None,
            allowed: None,
            pooled: pooled_by_default(),
            past_the_pooler: true,
            keyring: None,
            photos: None,
            blobs: None,
        }
    }
}

impl HarnessBuilder {
    /// Changes what the use cases know of the configuration.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Changes how a kind of step is treated.
    #[must_use]
    pub fn policy(mut self, kind: StepKind, change: impl FnOnce(&mut StepPolicy)) -> Self {
        self.registry.change_policy(kind, change);
        self
    }

    /// Adds a pipeline to those that there are.
    #[must_use]
    pub fn pipeline(mut self, pipeline: impl Pipeline) -> Self {
        self.registry = self.registry.with(pipeline);
        self
    }

    #[must_use]
    pub fn credits(mut self, credits: u32) -> Self {
        self.credits = Decimal::from(credits);
        self
    }

    /// Lets the use cases and engines reach the database over a [`Line`].
    #[must_use]
    pub fn on_a_line(mut self) -> Self {
        self.on_a_line = true;
        self
    }

    /// How many connections to the database the process may have, listening included.
    #[must_use]
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = Some(connections);
        self
    }

    /// How many connections the server allows the process, whatever that asks for.
    #[must_use]
    pub fn allowed(mut self, connections: u32) -> Self {
        self.allowed = Some(connections);
        self
    }

    /// Lets the use cases and engines reach the database through a PgBouncer with these settings.
    #[must_use]
    pub fn pooled(mut self, mode: PoolMode, settings: &str) -> Self {
        self.pooled = Some((mode, settings.to_owned()));
        self
    }

    /// Whether there is an address past the pooler.
    #[must_use]
    pub fn past_the_pooler(mut self, there_is: bool) -> Self {
        self.past_the_pooler = there_is;
        self
    }

    /// With an envelope key, so that secrets can be stored.
    #[must_use]
    pub fn keyring(mut self) -> Self {
        let key = galley_vault::new_key().expect("random numbers");
        self.keyring = Some(Keyring::new(&key, []).expect("a key"));
        self
    }

    /// With a provider of stock photos.
    #[must_use]
    pub fn photos(mut self, photos: StockPhotos) -> Self {
        self.photos = Some(photos);
        self
    }

    /// With another store of bytes than a folder.
    #[must_use]
    pub fn blobs(mut self, blobs: Blobs) -> Self {
        self.blobs = Some(blobs);
        self
    }

    pub async fn build(self) -> Harness {
        let database = TestDatabase::new().await;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = || Blobs::folder(&dir.path().join("files")).expect("a file store");
        let blobs = self.blobs.unwrap_or_else(folder);
        let line = self.on_a_line.then(|| Line::to(&database.url));
        let mut settings = StoreSettings::new(line.as_ref().map_or(&database.url, |line| &line.url));
        if let Some(connections) = self.allowed {
            settings.url = database.as_role_of(connections).await;
        }
        let mut pooler = None;
        if let Some((mode, more)) = self.pooled.filter(|_| line.is_none() && self.allowed.is_none()) {
            let started = database.behind_a_pooler(mode, &more).await;
            settings.url.clone_from(&started.url);
            settings.pooling = (mode == PoolMode::Session).then_some(Pooling::Session);
            let past = mode == PoolMode::Transaction && self.past_the_pooler;
            settings.direct_url = past.then(|| database.url.clone());
            pooler = Some(started);
        }
        settings.max_connections = self.connections.unwrap_or(8);
        settings.acquire_timeout = Duration::from_secs(3);
        let store = Store::connect(&settings).await.expect("the test database answers");
        let blogs = Blogs::new(self.settings.links.clone(), "Galley/test").expect("clients of blogs");
        let mut services = Services::new(store.clone(), blobs, self.settings, Arc::new(self.registry))
            .with_keyring(self.keyring)
            .with_blogs(blogs);
        if let Some(photos) = self.photos {
            services = services.with_photos(photos);
        }
        let notifications = Notifications::default();
        let listening = tokio::spawn(notifications.clone().run(store));
        let org = services
            .operator(Operator::of_this_machine())
            .ensure_organization("Test", "admin@example.org", self.credits)
            .await
            .expect("a tenant");
        let (principal, secret) = principal_of(&services, org).await;
        Harness { database, services, notifications, principal, secret, dir, line, pooler, listening }
    }
}

/// `GALLEY_TEST_POOLER=session` or `transaction`: every harness reaches its database through a PgBouncer, with a further line
/// of settings from `GALLEY_TEST_POOLER_SETTINGS`.
fn pooled_by_default() -> Option<(PoolMode, String)> {
    let word = std::env::var("GALLEY_TEST_POOLER").ok()?;
    let settings = std::env::var("GALLEY_TEST_POOLER_SETTINGS").unwrap_or_default();
    Some((word.parse().expect("GALLEY_TEST_POOLER"), settings))
}

async fn principal_of(services: &Services, org: OrgId) -> (Principal, String) {
    let key = services.create_key(org, &KeyRequest::full("test")).await.expect("a key");
    let principal = services.principal(&key.secret).await.expect("the key is looked up").expect("the key is known");
    (principal, key.secret)
}

impl Harness {
    pub async fn new() -> Self {
        HarnessBuilder::default().build().await
    }

    pub fn builder() -> HarnessBuilder {
        HarnessBuilder::default()
    }

    /// Claims steps of one kind, as an engine that works on nothing else.
    pub async fn claim(&self, kind: StepKind, slots: usize, worker: &str, lease: Duration) -> Claims {
        let pool = self.services.registry().stage(kind).expect("a registered kind").pool;
        let queue = self.services.store().queue();
        queue.claim(&[Wanted::new(pool, slots)], &[kind], worker, lease).await.expect("the queue answers")
    }

    /// Lets the clock make claimable what is due.
    pub async fn promote(&self, lease: Duration) -> Promotion {
        let kinds: Vec<StepKind> = self.services.registry().kinds().collect();
        self.services.store().queue().promote(&[], &kinds, lease, None).await.expect("the queue answers")
    }

    /// Takes over what follows, as a process that has this many permits in the pool of a kind, or any number in all.
    pub fn handover(&self, only: Option<(StepKind, usize)>, lease: Duration) -> Handover {
        let registry = self.services.registry();
        let kinds: Vec<StepKind> = match only {
            Some((kind, _)) => vec![kind],
            None => registry.kinds().collect(),
        };
        let mut pools = registry.pools_of(&kinds);
        pools.values_mut().for_each(|slots| *slots = only.map_or(1_000, |(_, slots)| slots));
        Handover::to(Capacity::new(pools, usize::MAX), kinds, "here", lease)
    }

    pub fn commits(&self) -> Commits {
        self.services.commits()
    }

    /// A second tenant with credits and a key.
    pub async fn other_tenant(&self) -> (Principal, String) {
        let org = self.services.store().system().create_organization("Other").await.expect("a tenant");
        self.services
            .operator(Operator::of_this_machine())
            .grant_credits(org, Decimal::from(1000), "test")
            .await
            .expect("credits");
        principal_of(&self.services, org).await
    }

    /// The same use cases on another database.
    pub async fn moved_to(self, database: TestDatabase) -> Self {
        self.listening.abort();
        let store = database.store().await;
        let services = self.services_on(store.clone());
        let notifications = Notifications::default();
        let listening = tokio::spawn(notifications.clone().run(store));
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (principal, secret) = (self.principal.clone(), self.secret.clone());
        Self { database, services, notifications, principal, secret, dir, line: None, pooler: None, listening }
    }

    /// Orders a small article.
    pub async fn order(&self) -> Uuid {
        self.order_as(&self.principal).await
    }

    pub async fn order_as(&self, principal: &Principal) -> Uuid {
        self.services.order(principal, order(), &trace_id(), None).await.expect("the order is taken").value.task_id
    }

    /// Starts an engine with scripted steps; leases are short so that tests need not wait for them.
    pub fn scripted(&self, script: &Script) -> RunningEngine {
        self.engine(scripted_steps(script), |_| {})
    }

    /// The same whose own looks come after this time.
    pub fn patient(&self, script: &Script, tick: Duration) -> RunningEngine {
        self.engine(scripted_steps(script), |settings| settings.tick = tick)
    }

    /// The use cases of another process, on this way to the database.
    pub fn services_on(&self, store: Store) -> Services {
        let blobs = Blobs::folder(&self.dir.path().join("files")).expect("a file store");
        let (settings, registry) = (self.services.settings().clone(), Arc::clone(self.services.registry()));
        Services::new(store, blobs, settings, registry)
    }

    /// Starts an engine with the real steps.
    pub fn real(&self, writer: Arc<dyn Writer>) -> RunningEngine {
        self.engine(all_steps(self.toolbox(writer, SendLimits::default())), |_| {})
    }

    /// Starts an engine that writes by the script and sends webhooks within these limits.
    pub fn sending(&self, script: &Script, limits: SendLimits) -> RunningEngine {
        let real = all_steps(self.toolbox(Arc::new(ExtractiveWriter), limits));
        let webhooks = real.into_iter().filter(|step| step.kind().as_str().starts_with("webhook_"));
        self.engine(scripted_steps(script).into_iter().chain(webhooks).collect(), |_| {})
    }

    /// Starts an engine that writes by the script and publishes to real addresses.
    pub fn publishing(&self, script: &Script) -> RunningEngine {
        let real = all_steps(self.toolbox(Arc::new(ExtractiveWriter), SendLimits::default()));
        let of_sites = [PUBLISH, RETRACT, SETTLE, RECONCILE, FOLLOW, site_sync::PLAN, site_sync::PULL, site_sync::PUSH];
        let of_sites = real.into_iter().filter(|step| of_sites.contains(&step.kind()));
        self.engine(scripted_steps(script).into_iter().chain(of_sites).collect(), |_| {})
    }

    /// Starts an engine with the real steps, this writer and this judge.
    pub fn judging(&self, writer: Arc<dyn Writer>, judge: ConfiguredJudge) -> RunningEngine {
        let toolbox = self.toolbox(writer, SendLimits::default());
        self.engine(all_steps(Toolbox { judge: Some(judge), ..toolbox }), |_| {})
    }

    /// Starts an engine with the real steps and this image model.
    pub fn illustrated(&self, model: Arc<dyn ImageModel>) -> RunningEngine {
        let toolbox = self.toolbox(Arc::new(ExtractiveWriter), SendLimits::default());
        self.engine(all_steps(Toolbox { image_model: Some(model), ..toolbox }), |_| {})
    }

    /// Starts an engine with the real steps and this embedding model.
    pub fn ranked(&self, embedder: ConfiguredEmbedder) -> RunningEngine {
        let toolbox = self.toolbox(Arc::new(ExtractiveWriter), SendLimits::default());
        self.engine(all_steps(Toolbox { embedder: Some(embedder), ..toolbox }), |_| {})
    }

    fn toolbox(&self, writer: Arc<dyn Writer>, limits: SendLimits) -> Toolbox {
        let links = self.services.settings().links.clone();
        Toolbox {
            services: self.services.clone(),
            fetcher: Fetcher::new(FetchLimits::default(), links.clone(), "Galley/test")
                .expect("a fetcher")
                .with_readers(self.services.readers().clone()),
            search: None,
            search_results: 3,
            writer,
            off_topic: galley_workers::OffTopic::default(),
            unsupported: Unsupported::default(),
            judge: None,
            embedder: None,
            image_model: None,
            destination: Some(Arc::new(FolderDestination::new(self.site(), FrontMatterStyle::Hugo))),
            sender: Sender::new(limits, links, "Galley/test").expect("a sender"),
        }
    }

    /// Starts an engine that looks at schedules and works on nothing of what they order.
    pub fn scheduling(&self) -> RunningEngine {
        self.engine(schedule_steps(&self.services), |settings| settings.tick = Duration::from_millis(100))
    }

    pub fn extractive(&self) -> RunningEngine {
        self.real(Arc::new(ExtractiveWriter))
    }

    /// The extractive writer, with its articles going there.
    pub fn publishing_to(&self, destination: Arc<dyn Destination>) -> RunningEngine {
        let toolbox = self.toolbox(Arc::new(ExtractiveWriter), SendLimits::default());
        self.engine(all_steps(Toolbox { destination: Some(destination), ..toolbox }), |_| {})
    }

    /// Where the bytes of files and pictures are, unless they are in a bucket.
    pub fn blob_folder(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// Where the folder destination puts articles.
    pub fn site(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    pub fn engine(&self, steps: Vec<Arc<dyn Step>>, change: impl FnOnce(&mut EngineSettings)) -> RunningEngine {
        let mut settings = EngineSettings {
            worker: format!("test/{}", Uuid::new_v4().simple()),
            lease: Duration::from_secs(3),
            tick: Duration::from_millis(500),
            drain: Duration::from_secs(5),
            ..EngineSettings::default()
        };
        change(&mut settings);
        let (store, registry) = (self.services.store().clone(), Arc::clone(self.services.registry()));
        let engine = Engine::new(store, registry, self.notifications.clone(), settings, steps);
        let stop = CancellationToken::new();
        let stats = engine.stats();
        RunningEngine { working: tokio::spawn(engine.run(stop.clone())), stop, stats }
    }

    pub async fn task(&self, id: Uuid) -> TaskView {
        self.services.task(self.principal.org, id).await.expect("the task is there")
    }

    /// All of a task, with what the engine keeps with it.
    pub async fn task_row(&self, id: Uuid) -> rows::Task {
        let tenant = self.services.store().tenant(self.principal.org);
        tenant.task(id).await.expect("a row").expect("the task is there")
    }

    pub async fn steps(&self, id: Uuid) -> Vec<rows::Step> {
        self.services.task_steps(self.principal.org, id).await.expect("the task is there")
    }

    /// Steps that were begun more than once.
    pub async fn steps_beyond_first_attempt(&self) -> i64 {
        self.database.number("SELECT count(*) FROM steps WHERE attempt > 1").await
    }

    pub async fn events(&self, id: Uuid) -> Vec<rows::Event> {
        self.services.task_events(self.principal.org, id, 0, 10_000).await.expect("the task is there")
    }

    /// Waits until the task has ended, woken by its events.
    pub async fn ended(&self, id: Uuid) -> TaskView {
        self.until(id, |view| view.status.is_ended()).await
    }

    /// Waits until no job of this kind is open, and at most a minute.
    pub async fn jobs_done(&self, kind: StepKind) {
        let open = format!("SELECT count(*) FROM steps WHERE kind = '{kind}' AND finished_at IS NULL");
        let done = async {
            while self.database.number(&open).await > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), done).await.expect("the jobs end");
    }

    pub async fn completed(&self, id: Uuid) -> TaskView {
        let view = self.ended(id).await;
        assert_eq!(view.status, TaskStatus::Completed, "{:?} {:?}", view.row.error_message, view.row.warnings);
        view
    }

    /// Waits until the task satisfies the test, woken by its events, and at most a minute.
    pub async fn until(&self, id: Uuid, test: impl Fn(&TaskView) -> bool) -> TaskView {
        self.until_as(&self.principal, id, test).await
    }

    /// The same for a task of another tenant.
    pub async fn until_as(&self, who: &Principal, id: Uuid, test: impl Fn(&TaskView) -> bool) -> TaskView {
        let mut watch = self.notifications.events(id);
        let waiting = async {
            loop {
                // A test may have taken the database away.
                if let Ok(view) = self.services.task(who.org, id).await
                    && test(&view)
                {
                    return view;
                }
                let _ = tokio::time::timeout(Duration::from_millis(500), watch.changed()).await;
            }
        };
        match tokio::time::timeout(Duration::from_secs(90), waiting).await {
            Ok(view) => view,
            Err(_) => panic!("the task did not get there within 90 s; {}", self.database.state_of_affairs().await),
        }
    }

    /// Every organization's books balance and nothing is held.
    pub async fn assert_books_closed(&self) {
        for books in self.services.store().system().ledger_check().await.expect("the books") {
            assert_eq!(books.balance, books.ledger_sum, "balance is the sum of the ledger");
            assert_eq!(books.held, books.open_holds, "held is the sum of open holds");
            assert_eq!(books.held, Decimal::ZERO, "nothing is held");
        }
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn trace_id() -> String {
    Uuid::new_v4().simple().to_string()
}

pub fn brief(prompt: &str, min: u32, max: u32) -> Brief {
    Brief {
        prompt: prompt.to_owned(),
        keywords: Vec::new(),
        tone: Tone::Professional,
        language: "en".to_owned(),
        words: WordRange { min, max },
        instructions: String::new(),
    }
}

/// A small, valid order without sources.
pub fn order() -> ArticleOrder {
    ArticleOrder {
        brief: brief("A scripted article", 100, 200),
        reference_links: Vec::new(),
        uploaded_files: Vec::new(),
        project_id: None,
        length: None,
        content_format: ContentFormat::Markdown,
        search: false,
        custom_instructions: None,
        source_images: Default::default(),
    }
}

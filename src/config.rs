//! The configuration: flags over environment over a TOML file over defaults. Every setting is in this file, those of
//! the front in `config/front.rs`, those of files and pictures in `config/pictures.rs`, and all are in `docs/configuration.md` and in what `config show` prints.

mod embeddings;
mod front;
mod judge;
mod pictures;
mod shown;
mod sources;

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context;
use galley_domain::{Hidden, credits};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, de::Error};

pub use embeddings::Embeddings;
pub use front::{Limits, Metrics};
pub use judge::Judge;
pub use pictures::{Images, Photos, Storage, StorageKind};
pub use shown::shown;
pub use sources::{Flags, Sources};

/// The file that is read when none is named and it exists.
pub const DEFAULT_FILE: &str = "galley.toml";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder for everything that Galley keeps: the private Postgres, files, the site folder.
    pub data: PathBuf,
    /// Address and port of the front.
    pub listen: String,
    /// The address under which others reach the front, where it is not `listen`: behind a proxy.
    pub public_url: Option<String>,
    pub organization: Organization,
    pub database: Database,
    pub secrets: Secrets,
    pub writer: Writer,
    pub judge: Judge,
    pub embeddings: Embeddings,
    pub search: Search,
    pub fetch: Fetch,
    pub publish: Publish,
    pub storage: Storage,
    pub images: Images,
    pub photos: Photos,
    pub credits: Credits,
    pub retention: Retention,
    pub engine: EngineConfig,
    pub limits: Limits,
    pub metrics: Metrics,
    pub log: Log,
    /// Steps that run at once in a pool of one process: `[pools] models = 16`.
    pub pools: BTreeMap<String, usize>,
    /// Per kind of step: `[steps.draft] concurrency = 8` gives a kind a pool of its own.
    pub steps: BTreeMap<String, StepConfig>,
}

/// Made at the first start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    pub name: String,
    pub admin_email: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// Also `DATABASE_URL`. Without it a private Postgres is started in the data folder.
    pub url: Option<Hidden>,
    /// Also `DATABASE_DIRECT_URL`. Where `url` leads to a pooler in transaction mode: the way past it, for wake-ups between
    /// processes and for migrations.
    pub direct_url: Option<Hidden>,
    /// What `url` leads to: `none`, `session` or `transaction`; found out when not set.
    pub pooling: Option<PoolingMode>,
    /// Connections of one process, and one more to be woken; 20 when not set.
    pub max_connections: Option<u32>,
    /// Seconds after which a connection that nobody used is closed; 60 when not set.
    pub idle_seconds: Option<u64>,
    /// The folder with `initdb` and `postgres`, when they are not found by themselves.
    pub bin_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolingMode {
    None,
    Session,
    Transaction,
}

/// The envelope keys: what tenants entrust to us is encrypted under them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// 32 bytes in Base64. Without it the private Postgres has a key in the data folder; with a Postgres of somebody else
    /// there is none.
    pub key: Option<Hidden>,
    /// Keys that still open what they sealed: a list, or one text with commas.
    #[serde(deserialize_with = "hidden_list")]
    pub previous_keys: Vec<Hidden>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriterKind {
    Extractive,
    Openai,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Writer {
    pub kind: WriterKind,
    /// For `openai`: any compatible server, with its `/v1`.
    pub base_url: Option<String>,
    pub api_key: Option<Hidden>,
    pub model: Option<String>,
    /// What the server is called in usage records.
    pub provider: Option<String>,
    pub max_tokens: Option<u32>,
    pub context_tokens: Option<u32>,
    pub temperature: Option<f32>,
    /// US dollars per million tokens; from the built-in table when not set.
    pub prompt_price: Option<Decimal>,
    pub completion_price: Option<Decimal>,
    /// Seconds until the first token; a slow server reads the whole prompt in this time.
    pub first_token_seconds: Option<u64>,
    /// Seconds without a token before a call counts as stalled.
    pub idle_seconds: Option<u64>,
    /// Seconds that one call may take in all.
    pub total_seconds: Option<u64>,
    /// What becomes of an order whose sources are about something else.
    pub off_topic: OffTopicKind,
    /// For `openai`: what becomes of a sentence that no source supports, also after the model has corrected it.
    pub unsupported: UnsupportedMode,
    /// For `openai`: whether what the model answers, and what the judge does, is kept for `galley replay`.
    pub keep_answers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffTopicKind {
    Refuse,
    Warn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnsupportedMode {
    /// It stays, marked.
    Mark,
    /// It is left out.
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SearchKind {
    None,
    Searxng,
    Tavily,
    Brave,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    pub provider: SearchKind,
    /// It may hold a login.
    pub url: Option<Hidden>,
    pub key: Option<Hidden>,
    /// Pages that a search may add to an order.
    pub results: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fetch {
    /// Hosts, `host:port` or networks that links may lead to although they are not public.
    pub allow: Vec<String>,
    pub user_agent: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Publish {
    /// Where finished articles are put for a static site generator; `site` in the data folder when not set.
    pub folder: Option<PathBuf>,
    /// `false`: nothing is put anywhere.
    pub enabled: bool,
    /// `hugo`, `jekyll`, `astro` or `eleventy`.
    pub style: String,
    /// How often sites with `sync_enabled` are synced by themselves; 0: never.
    pub sync_every_minutes: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Credits {
    /// What the first organization starts with.
    pub initial: Decimal,
    /// What one article costs.
    pub generate: Decimal,
    /// What one generated image costs, and one of high quality.
    pub image: Decimal,
    pub image_premium: Decimal,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    pub events_days: u32,
    pub steps_days: u32,
    pub jobs_days: u32,
    pub idempotency_hours: u32,
    pub deliveries_days: u32,
    pub runs_days: u32,
    pub answers_days: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineConfig {
    /// The most steps at once in one process, of all kinds together.
    pub concurrency: Option<usize>,
    /// How long a lease lasts without a heartbeat.
    pub lease_seconds: u64,
    /// The tick that covers lost notifications.
    pub tick_seconds: u64,
    /// How long steps in flight may go on after the signal to stop.
    pub drain_seconds: u64,
    /// Expected seconds from order to article, as told to clients.
    pub estimated_seconds: u32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A filter such as `info` or `galley=debug,warn`.
    pub filter: Option<String>,
    /// `human` or `json`; by default human on a terminal.
    pub format: Option<String>,
    /// The base address of an OpenTelemetry collector that takes OTLP over HTTP; without it no traces are exported.
    pub otlp_endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepConfig {
    pub concurrency: Option<usize>,
    pub timeout_seconds: Option<u64>,
    pub attempts: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: ".galley".into(),
            listen: "127.0.0.1:8080".into(),
            public_url: None,
            organization: Organization::default(),
            database: Database::default(),
            secrets: Secrets::default(),
            writer: Writer::default(),
            judge: Judge::default(),
            embeddings: Embeddings::default(),
            search: Search { provider: SearchKind::None, url: None, key: None, results: 5 },
            fetch: Fetch::default(),
            publish: Publish { folder: None, enabled: true, style: "hugo".into(), sync_every_minutes: 60 },
            storage: Storage::default(),
            images: Images::default(),
            photos: Photos::default(),
            credits: Credits {
                initial: Decimal::from(10_000),
                generate: Decimal::from(40),
                image: Decimal::ONE,
                image_premium: Decimal::from(4),
            },
            retention: Retention {
                events_days: 30,
                steps_days: 90,
                jobs_days: 1,
                idempotency_hours: 48,
                deliveries_days: 30,
                runs_days: 365,
                answers_days: 30,
            },
            engine: EngineConfig {
                concurrency: None,
                lease_seconds: 30,
                tick_seconds: 5,
                drain_seconds: 20,
                estimated_seconds: 45,
            },
            limits: Limits::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            pools: BTreeMap::new(),
            steps: BTreeMap::new(),
        }
    }
}

// Serde fills missing fields of a section from these.
impl Default for Organization {
    fn default() -> Self {
        Self { name: "My organization".into(), admin_email: "admin@localhost".into() }
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            kind: WriterKind::Extractive,
            base_url: None,
            api_key: None,
            model: None,
            provider: None,
            max_tokens: None,
            context_tokens: None,
            temperature: None,
            prompt_price: None,
            completion_price: None,
            first_token_seconds: None,
            idle_seconds: None,
            total_seconds: None,
            off_topic: OffTopicKind::Refuse,
            unsupported: UnsupportedMode::Mark,
            keep_answers: false,
        }
    }
}

impl Default for Fetch {
    fn default() -> Self {
        Self { allow: Vec::new(), user_agent: concat!("Galley/", env!("CARGO_PKG_VERSION")).into() }
    }
}

macro_rules! default_from_config {
    ($($section:ident: $type:ty),*) => {
        $(impl Default for $type {
            fn default() -> Self {
                Config::default().$section
            }
        })*
    };
}
default_from_config!(search: Search, publish: Publish, credits: Credits, retention: Retention, engine: EngineConfig);

impl Config {
    /// What the sources say together.
    pub fn load(sources: &Sources) -> anyhow::Result<Self> {
        let mut config: Self =
            sources.0.extract().map_err(without_values).context("the configuration cannot be read")?;
        config.data = std::path::absolute(&config.data).context("the data folder has no absolute path")?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        for (url, name) in [
            (&self.database.url, "database.url (DATABASE_URL)"),
            (&self.database.direct_url, "database.direct_url (DATABASE_DIRECT_URL)"),
        ] {
            let url = url.as_ref().map_or("postgres://", Hidden::expose);
            anyhow::ensure!(
                ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)),
                "{name} must begin with postgres:// or postgresql://"
            );
        }
        anyhow::ensure!(
            self.database.direct_url.is_none() || self.database.url.is_some(),
            "database.direct_url (DATABASE_DIRECT_URL) goes with database.url (DATABASE_URL)"
        );
        let base_url = self.writer.base_url.as_deref();
        anyhow::ensure!(
            !base_url.is_some_and(has_login),
            "writer.base_url holds a login; put the key into writer.api_key or GALLEY_WRITER__API_KEY"
        );
        anyhow::ensure!(
            !self.log.otlp_endpoint.as_deref().is_some_and(has_login),
            "log.otlp_endpoint holds a login; put it into OTEL_EXPORTER_OTLP_HEADERS"
        );
        for (name, step) in &self.steps {
            anyhow::ensure!(step.concurrency != Some(0), "[steps.{name}] concurrency must be at least 1");
            anyhow::ensure!(step.attempts != Some(0), "[steps.{name}] attempts must be at least 1");
            anyhow::ensure!(step.timeout_seconds != Some(0), "[steps.{name}] timeout_seconds must be at least 1");
        }
        for (name, slots) in &self.pools {
            anyhow::ensure!(*slots > 0, "[pools] {name} must be at least 1");
        }
        anyhow::ensure!(self.database.idle_seconds != Some(0), "database.idle_seconds must be at least 1");
        anyhow::ensure!(self.engine.concurrency != Some(0), "engine.concurrency must be at least 1");
        // The name of a job that comes by itself is remembered by its row.
        anyhow::ensure!(self.retention.jobs_days >= 1, "retention.jobs_days must be at least 1");
        anyhow::ensure!(self.engine.lease_seconds >= 3, "engine.lease_seconds must be at least 3");
        anyhow::ensure!(self.engine.tick_seconds >= 1, "engine.tick_seconds must be at least 1");
        self.limits.check()?;
        self.storage.check()?;
        self.judge.check()?;
        self.embeddings.check()?;
        self.images.check()?;
        self.photos.check()?;
        let token = self.metrics.token.as_ref().map_or("token", Hidden::expose);
        let is_sendable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        anyhow::ensure!(is_sendable, "metrics.token must be visible ASCII characters without spaces");
        for (name, credits) in [
            ("initial", self.credits.initial),
            ("generate", self.credits.generate),
            ("image", self.credits.image),
            ("image_premium", self.credits.image_premium),
        ] {
            let may_be = Decimal::ZERO..=credits::most();
            anyhow::ensure!(may_be.contains(&credits), "credits.{name} must be from 0 to {}", credits::most());
        }
        Ok(())
    }
}

/// Secrets in a list or in one text with commas. No error repeats what was given.
fn hidden_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hidden>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(Hidden),
        Many(Vec<Hidden>),
    }
    match Given::deserialize(deserializer) {
        Ok(Given::One(text)) => {
            Ok(text.expose().split(',').map(str::trim).filter(|key| !key.is_empty()).map(Hidden::new).collect())
        }
        Ok(Given::Many(list)) => Ok(list),
        Err(_) => Err(D::Error::custom("it must be a list of texts")),
    }
}

/// What is wrong, without the value: whoever mistakes a setting may have put a secret there.
fn without_values(error: figment::Error) -> anyhow::Error {
    let mut lines = Vec::new();
    for mut one in error {
        use figment::error::{Actual, Kind};
        let plain = |actual: &Actual| {
            Actual::Other(match actual {
                Actual::Bool(_) => "true or false".into(),
                Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number".into(),
                Actual::Char(_) | Actual::Str(_) | Actual::Bytes(_) => "a text".into(),
                _ => "something else".into(),
            })
        };
        if let Kind::InvalidType(actual, _) | Kind::InvalidValue(actual, _) = &mut one.kind {
            *actual = plain(actual);
        }
        lines.push(one.to_string());
    }
    anyhow::anyhow!("{}", lines.join("\n        "))
}

fn has_login(address: &str) -> bool {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

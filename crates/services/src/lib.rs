//! Use cases that the front and the workers share. Transaction boundaries live here; no transaction is open while
//! something outside of the database is waited for.

mod articles;
mod blob_sweep;
mod blobs;
mod delivered;
mod effects;
mod embeddings;
mod error;
mod files;
mod idempotency;
mod images;
mod judgements;
mod kept;
mod keys;
mod links;
mod orders;
pub mod pipelines;
mod project_settings;
mod projects;
mod publishing;
mod read_texts;
mod restart;
mod schedules;
mod secrets;
mod settings;
mod stock_photos;
mod system;
mod tasks;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use galley_domain::{credits::Prices, task::StepKind};
use galley_engine::{Commits, Control, Registry};
pub use galley_fetch::address::MAX_LINK_CHARS;
use galley_fetch::address::Policy;
use galley_files::{DEFAULT_BUDGET_MB, Readers};
use galley_store::{Retention, Store, StoreError};
use galley_vault::Keyring;

use images::Pictures;
use read_texts::ReadTexts;
use restart::Restart;

pub use articles::{ArticleEdit, ArticleList, ClaimView, ClaimsReport, SlugRule};
pub use blobs::{BlobError, Blobs, Bucket, Pieces};
pub use effects::{Carried, Effect};
pub use error::{Missing, ServiceError};
pub use files::{ListedFile, MAX_UPLOAD_BYTES, StoredFile, Upload};
pub use galley_store::EventReader;
pub use idempotency::{Answer, IdempotencyKey};
pub use images::{
    FoundPicture, ImageBytes, ImageLink, ImageView, KeptPictures, MOST_IMAGES, MadeImage, PictureOrder, PostId,
    SourceImage, image_reference,
};
pub use kept::{Change, Resource};
pub use keys::{EventToken, IssuedKey, KEY_PREFIX, KeyRequest, hash_key};
pub use links::link_fault;
pub use orders::{Orders, Receipt};
pub use pipelines::article::{ClaimedText, ReplayCase, StandingText, WrittenArticle};
pub use projects::ProjectEdit;
pub use publishing::{
    Blogs,
    assets::Assets,
    calendar::{Calendar, CalendarItem, CalendarKind, CalendarMove, CalendarRequest, FeedEdit, IssuedFeed},
    connections::{BlogConnectionEdit, ConnectionEdit},
    deploy::{DeployRequest, Deployed, MAX_TEXTS},
    drift::{Drift, DriftState, DriftedField, Keep, Preview, PreviewedField},
    integrations::{IntegrationEdit, IntegrationRequest, IntegrationView},
    missed::Promise,
    post_settings::PostSettings,
    posts::{Featured, PostEdit, PostRequest, post_status, status_of},
    publish::{OrderedPublication, PublishRequest},
    reconcile::Held,
    records::{PublishingRecord, RecordRequest},
    retract::{Placed, RetractedArticle, RetractionWork},
    schedule::SchedulePostRequest,
    score::SeoScore,
    settle::Unsettled,
    site::InFolder,
    site_auth::{KnownSite, SITE_SECRET_PREFIX},
    site_calls::{CalledText, SiteCall},
    site_definition::{OpenSite, SiteDefinition, SiteName},
    structure::{
        ContentKind, ContentTypes, SiteHealth, StructureUpdate, TestedCollection, TestedIntegration, noted_time,
    },
    sync::{OrderedSync, RunningSync, STARTED as SYNC_STARTED, SiteSync, SyncResult, SyncState},
    sync_work::SyncWork,
    templates::{Sections, TemplateEdit, TemplateSection},
    work::{PublicationWork, SentPublication, changed_by_others, folder_post, post_of},
};
pub use restart::RetryRequest;
pub use schedules::{
    MAX_TIMES, MissedEdit, ScheduleAction, ScheduleEdit, ScheduleRequest, ScheduleView, TimesEdit, Work,
};
pub use secrets::{Rotation, SecretError, SecretPurpose, Stuck};
pub use stock_photos::{PhotoKeyEdit, StockOrder, StockPhotos};
pub use system::{OperatorCalls, SystemCalls};
pub use tasks::TaskView;
pub use webhooks::{DeliveryView, IssuedWebhook, Outgoing, ReplayRequest, Replayed, Told, WebhookEdit, WebhookOrder};

/// What the use cases need to know of the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub prices: Prices,
    pub retention: Retention,
    /// Which addresses links may lead to.
    pub links: Policy,
    /// The writer composes from sources only, so an order without any cannot be served.
    pub writer_needs_sources: bool,
    /// What the writer is called: `extractive`, or the provider of its model.
    pub writer: String,
    /// The model that it writes with, if it has one.
    pub model: Option<String>,
    /// Under which address everybody reaches this server, without a slash at its end; none where nobody has said it.
    pub public_url: Option<String>,
    /// A search provider is configured, so an order without sources can find some.
    pub search: bool,
    /// The most bytes that the files of one organization may take.
    pub files_quota: u64,
    /// Articles are put into the folder of a static site.
    pub has_folder: bool,
    /// How often sites with `sync_enabled` are synced by themselves; zero: never.
    pub sync_every: Duration,
    /// How long a link to a picture is good.
    pub image_links: Duration,
    /// There is a model that makes pictures.
    pub image_model: bool,
    /// Expected seconds from order to article, for `estimated_time_seconds`.
    pub estimated_seconds: u32,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    store: Store,
    blobs: Blobs,
    readers: Readers,
    read_texts: ReadTexts,
    pictures: Pictures,
    photos: Option<StockPhotos>,
    settings: Arc<Settings>,
    keyring: Option<Arc<Keyring>>,
    registry: Arc<Registry>,
    control: Control,
    orders: Orders,
    restarts: Arc<BTreeMap<&'static str, Arc<dyn Restart>>>,
    blogs: Option<Blogs>,
}

impl Services {
    /// Under which address everybody reaches this server, if the operator has said it.
    pub fn public_url(&self) -> Option<&str> {
        self.settings.public_url.as_deref()
    }

    pub fn new(store: Store, blobs: Blobs, settings: Settings, registry: Arc<Registry>) -> Self {
        let kinds: Vec<StepKind> = registry.kinds().collect();
        store.expect_pools(registry.pools_of(&kinds).into_keys());
        let control = Control::new(store.clone(), Arc::clone(&registry));
        let restarts = Arc::new(pipelines::restarts());
        let settings = Arc::new(settings);
        let orders = Orders::new(Arc::clone(&settings), Arc::clone(&registry));
        let readers = Readers::in_process(DEFAULT_BUDGET_MB);
        let (read_texts, pictures) = (ReadTexts::default(), Pictures::default());
        Self {
            store,
            blobs,
            readers,
            read_texts,
            pictures,
            photos: None,
            settings,
            keyring: None,
            registry,
            control,
            orders,
            restarts,
            blogs: None,
        }
    }

    /// Every kind of work, and how it is treated.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// For what takes orders in a transaction of its own.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Writes the ends of attempts.
    pub fn commits(&self) -> Commits {
        Commits::new(self.store.clone(), Arc::clone(&self.registry))
    }

    /// With envelope keys, without which no secret is stored or opened.
    #[must_use]
    pub fn with_keyring(mut self, keyring: Option<Keyring>) -> Self {
        self.keyring = keyring.map(Arc::new);
        self
    }

    /// With these readers of files, in place of threads of this process. What others have read is forgotten.
    #[must_use]
    pub fn with_readers(mut self, readers: Readers) -> Self {
        self.readers = readers;
        self.read_texts = ReadTexts::default();
        self
    }

    /// With a provider of stock photos.
    #[must_use]
    pub fn with_photos(mut self, photos: StockPhotos) -> Self {
        self.photos = Some(photos);
        self
    }

    /// For whatever else reads what others wrote: there is one budget of memory.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// For whoever wires the parts together, and for workers. The front has the use cases.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

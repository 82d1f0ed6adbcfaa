//! Use cases that the front and the workers share. Transaction boundaries live here; no transaction is open while
//! something outside of the database is waited for.

mod articles;
mod blob_sweep;
mod blobs;
mod error;
mod files;
mod idempotency;
mod keys;
mod orders;
mod pipeline;
mod projects;
mod retry;
mod secrets;
mod tasks;
mod wakes;

use std::collections::BTreeMap;
use std::sync::Arc;

use galley_domain::{
    credits::Prices,
    task::{StepKind, StepPolicy},
};
pub use galley_fetch::address::MAX_LINK_CHARS;
use galley_fetch::address::Policy;
use galley_store::{Retention, Store};
use galley_vault::Keyring;

pub use articles::{ArticleEdit, ArticleList, ClaimView, ClaimsReport, SlugRule};
pub use blobs::{BlobError, Blobs, Pieces};
pub use error::{Missing, ServiceError};
pub use files::{ListedFile, MAX_UPLOAD_BYTES, StoredFile, Upload};
pub use idempotency::{Answer, IdempotencyKey};
pub use keys::{IssuedKey, KEY_PREFIX, KeyRequest, hash_key};
pub use orders::Receipt;
pub use pipeline::{ClaimedText, Entry, Known, NoRoom, Outcome, Ran, Room, StepOutput, What, Written, WrittenArticle};
pub use projects::ProjectEdit;
pub use retry::RetryRequest;
pub use secrets::{Rotation, SecretError, SecretPurpose, Stuck};
pub use tasks::TaskView;
pub use wakes::{CancelWatch, EventWatch, StepWatch, Wakes};

/// What the use cases need to know of the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    pub prices: Prices,
    pub policies: BTreeMap<StepKind, StepPolicy>,
    pub retention: Retention,
    /// Which addresses links may lead to.
    pub links: Policy,
    /// The writer composes from sources only, so an order without any cannot be served.
    pub writer_needs_sources: bool,
    /// A search provider is configured, so an order without sources can find some.
    pub search: bool,
    /// Expected seconds from order to article, for `estimated_time_seconds`.
    pub estimated_seconds: u32,
}

impl Settings {
    pub fn policy(&self, kind: StepKind) -> StepPolicy {
        self.policies.get(&kind).copied().unwrap_or_else(|| StepPolicy::default_for(kind))
    }
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Services {
    store: Store,
    blobs: Blobs,
    settings: Arc<Settings>,
    keyring: Option<Arc<Keyring>>,
}

impl Services {
    pub fn new(store: Store, blobs: Blobs, settings: Settings) -> Self {
        Self { store, blobs, settings: Arc::new(settings), keyring: None }
    }

    /// With envelope keys, without which no secret is stored or opened.
    #[must_use]
    pub fn with_keyring(mut self, keyring: Option<Keyring>) -> Self {
        self.keyring = keyring.map(Arc::new);
        self
    }

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

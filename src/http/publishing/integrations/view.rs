//! Integrations as clients see them.

use std::collections::BTreeMap;

use galley_domain::{project::Platform, publishing::SyncStatus};
use galley_services as services;
use galley_store::{Mismatch, SiteCounts, rows};
use poem_openapi::Object;
use uuid::Uuid;

use crate::http::{
    kit::{
        scalar::{Moment, Nullable, Word},
        values::FreeObject,
    },
    publishing::connections::Capability,
};

/// The site of a project.
#[derive(Debug, Object)]
pub struct Integration {
    id: Uuid,
    /// The project.
    site_id: Uuid,
    platform: Word<Platform>,
    site_url: String,
    /// Null when the site's plugin is the only partner.
    username: Nullable<String>,
    has_api_key: bool,
    has_webhook_secret: bool,
    /// Nothing goes through one that is not active.
    is_active: bool,
    sync_enabled: bool,
    sync_status: Word<SyncStatus>,
    last_sync_at: Nullable<Moment>,
    sync_error: Nullable<String>,
    config_json: FreeObject,
    metadata: FreeObject,
    created_at: Moment,
    updated_at: Moment,
}

impl From<services::IntegrationView> for Integration {
    fn from(view: services::IntegrationView) -> Self {
        let row = view.row;
        Self {
            id: row.id,
            site_id: row.project_id.unwrap_or_default(),
            platform: row.platform.into(),
            site_url: row.site_url,
            username: Nullable(Some(row.username).filter(|name| !name.is_empty())),
            has_api_key: view.has_api_key,
            has_webhook_secret: view.has_webhook_secret,
            is_active: row.is_active,
            sync_enabled: row.sync_enabled,
            sync_status: row.sync_status.into(),
            last_sync_at: services::noted_time(&row.metadata, "last_sync_at").into(),
            sync_error: row.sync_error.into(),
            config_json: row.config.into(),
            metadata: row.metadata.into(),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// An integration with the secret that its site shows, this once.
#[derive(Debug, Object)]
pub struct IssuedIntegration {
    #[oai(flatten)]
    integration: Integration,
    /// Null in the repetition of an answer.
    webhook_secret: Nullable<String>,
}

impl From<services::IntegrationView> for IssuedIntegration {
    fn from(view: services::IntegrationView) -> Self {
        let webhook_secret = view.webhook_secret.as_ref().map(|secret| secret.expose().to_owned()).into();
        Self { integration: view.into(), webhook_secret }
    }
}

/// What was seen of a site.
#[derive(Debug, Object)]
pub struct IntegrationTestDetails {
    platform: Word<Platform>,
    site_name: Nullable<String>,
    /// Of the software there.
    version: Nullable<String>,
    /// The site's plugin has called, or says that it is connected.
    plugin_installed: bool,
    /// The login was accepted.
    authenticated: bool,
    capabilities: Vec<Capability>,
}

/// What came of trying out an integration.
#[derive(Debug, Object)]
pub struct IntegrationTest {
    success: bool,
    /// That it works, or what does not and the way out.
    message: String,
    details: IntegrationTestDetails,
}

impl From<services::TestedIntegration> for IntegrationTest {
    fn from(tested: services::TestedIntegration) -> Self {
        let probe = tested.probe;
        Self {
            success: probe.success,
            message: probe.message,
            details: IntegrationTestDetails {
                platform: tested.row.platform.into(),
                site_name: probe.site_name.into(),
                version: probe.version.into(),
                plugin_installed: tested.plugin_installed,
                authenticated: tested.authenticated,
                capabilities: probe.capabilities.into_iter().map(Capability::from).collect(),
            },
        }
    }
}

/// Whether things of a kind can be read at a site.
#[derive(Debug, Object)]
pub struct CollectionTest {
    success: bool,
    collection: String,
    /// Null when the site does not say.
    count: Nullable<u64>,
    message: String,
}

impl CollectionTest {
    pub fn of(collection: galley_destinations::Collection, tested: services::TestedCollection) -> Self {
        let services::TestedCollection { success, count, message } = tested;
        Self { success, collection: collection.as_str().to_owned(), count: count.into(), message }
    }
}

/// That the structure of a site is known.
#[derive(Debug, Object)]
pub struct StructureUpdated {
    message: String,
    post_types_count: u64,
    taxonomies_count: u64,
    updated_at: Nullable<Moment>,
}

impl From<services::ContentTypes> for StructureUpdated {
    fn from(types: services::ContentTypes) -> Self {
        Self {
            message: "the structure of the site is stored".to_owned(),
            post_types_count: types.post_types.len() as u64,
            taxonomies_count: types.taxonomies.len() as u64,
            updated_at: types.last_structure_fetch.into(),
        }
    }
}

/// A kind of texts or of terms of a site.
#[derive(Debug, Object)]
pub struct SiteContentKind {
    label: String,
    /// At the site; null when it did not say.
    count: Nullable<u64>,
    /// Texts of this kind that stand there and here; null for terms, which are not counted.
    synced_count: Nullable<u64>,
    enabled: bool,
    last_synced: Nullable<Moment>,
}

/// What a site is made of.
#[derive(Debug, Object)]
pub struct SiteContentTypes {
    post_types: BTreeMap<String, SiteContentKind>,
    taxonomies: BTreeMap<String, SiteContentKind>,
    last_structure_fetch: Nullable<Moment>,
    plugin_connection_enabled: bool,
    two_way_sync_enabled: bool,
}

impl SiteContentTypes {
    pub fn of(row: &rows::Connection, types: services::ContentTypes, counts: &SiteCounts) -> Self {
        let last_sync = services::noted_time(&row.metadata, "last_sync_at");
        let kinds = |kinds: BTreeMap<String, services::ContentKind>, synced: &dyn Fn(&str) -> Option<u64>| {
            let kind = |(name, kind): (String, services::ContentKind)| {
                let shown = SiteContentKind {
                    label: kind.label,
                    count: kind.count.into(),
                    synced_count: synced(&name).into(),
                    enabled: kind.enabled,
                    last_synced: last_sync.filter(|_| kind.enabled).into(),
                };
                (name, shown)
            };
            kinds.into_iter().map(kind).collect()
        };
        Self {
            post_types: kinds(types.post_types, &|name| Some(counts.of_kind(name))),
            // Terms are kept by name with each text, and nobody counts them.
            taxonomies: kinds(types.taxonomies, &|_| None),
            last_structure_fetch: types.last_structure_fetch.into(),
            plugin_connection_enabled: types.plugin_connection_enabled,
            two_way_sync_enabled: types.two_way_sync_enabled,
        }
    }
}

/// A text that was changed at its site, and differs from what is here.
#[derive(Debug, Object)]
pub struct MismatchedPost {
    content_id: Uuid,
    title: String,
    external_id: Nullable<String>,
    external_url: Nullable<String>,
    /// changed_remote, changed_both, deleted or trashed.
    state: String,
}

impl From<Mismatch> for MismatchedPost {
    fn from(found: Mismatch) -> Self {
        Self {
            content_id: found.article_id,
            title: found.title,
            external_id: found.external_id.into(),
            external_url: found.external_url.into(),
            state: found.drift,
        }
    }
}

/// What differs between a site and here.
#[derive(Debug, Object)]
pub struct SiteMismatches {
    /// Terms follow their texts, so none of them differs by itself.
    taxonomies: Vec<String>,
    posts: Vec<MismatchedPost>,
}

/// Something that happened between a site and us.
#[derive(Debug, Object)]
pub struct SiteEvent {
    id: Uuid,
    /// webhook, structure or sync.
    event_type: String,
    action: String,
    success: bool,
    message: String,
    created_at: Moment,
}

impl From<rows::SiteEvent> for SiteEvent {
    fn from(row: rows::SiteEvent) -> Self {
        Self {
            id: row.id,
            event_type: row.event_type,
            action: row.action,
            success: row.success,
            message: row.message,
            created_at: row.created_at.into(),
        }
    }
}

/// How the texts of a site stand.
#[derive(Debug, Object)]
pub struct SyncHealth {
    /// healthy, warning or error.
    status: String,
    last_sync_at: Nullable<Moment>,
    /// Of the publications that ended in the last 30 days, in percent.
    success_rate: f64,
    /// Texts that stand there.
    synced_count: u64,
    /// Texts that are on their way there.
    pending_count: u64,
    /// Texts whose newest publication failed.
    failed_count: u64,
    mismatches: SiteMismatches,
    /// The newest first, at most 20.
    recent_events: Vec<SiteEvent>,
}

impl From<services::SiteHealth> for SyncHealth {
    fn from(health: services::SiteHealth) -> Self {
        Self {
            status: health.status().to_owned(),
            last_sync_at: services::noted_time(&health.row.metadata, "last_sync_at").into(),
            success_rate: health.success_rate(),
            synced_count: health.counts.synced.unsigned_abs(),
            pending_count: health.counts.pending.unsigned_abs(),
            failed_count: health.counts.failed.unsigned_abs(),
            mismatches: SiteMismatches {
                taxonomies: Vec::new(),
                posts: health.mismatches.into_iter().map(MismatchedPost::from).collect(),
            },
            recent_events: health.events.into_iter().map(SiteEvent::from).collect(),
        }
    }
}

/// How a text stands after its site has told of it.
#[derive(Debug, Object)]
pub struct SiteWebhookAnswer {
    content_id: Uuid,
    /// Here.
    status: String,
    /// At the site, in its own word.
    wordpress_status: Nullable<String>,
    /// The time of the newest word about it.
    synced_at: Moment,
}

impl From<services::CalledText> for SiteWebhookAnswer {
    fn from(called: services::CalledText) -> Self {
        Self {
            content_id: called.content_id,
            status: called.status,
            wordpress_status: called.wordpress_status.into(),
            synced_at: called.synced_at.into(),
        }
    }
}

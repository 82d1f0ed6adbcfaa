//! What the site of an integration is made of, whether it can be spoken to, and how its texts stand.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use galley_destinations::{CapabilityId, CapabilityStatus, Collection, Kind, Probe};
use galley_domain::{OrgId, publishing::SyncStatus};
use galley_store::{Mismatch, NewSiteEvent, SiteCounts, StoreError, rows};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
};

/// Kinds of texts, or of terms, that are kept.
const MAX_KINDS: usize = 100;
const SHOWN_EVENTS: u64 = 20;
const SHOWN_MISMATCHES: i64 = 50;
/// Kinds that are synced where nobody has said so.
const ENABLED: [&str; 4] = ["post", "page", "category", "post_tag"];

/// A kind of texts or of terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentKind {
    pub label: String,
    pub count: Option<u64>,
    pub enabled: bool,
}

/// What a site is made of, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContentTypes {
    pub post_types: BTreeMap<String, ContentKind>,
    pub taxonomies: BTreeMap<String, ContentKind>,
    pub last_structure_fetch: Option<DateTime<Utc>>,
    pub plugin_connection_enabled: bool,
    pub two_way_sync_enabled: bool,
}

/// What a site, or a person, says of its structure; `None` leaves a part as it is.
#[derive(Debug, Clone, Default)]
pub struct StructureUpdate {
    pub post_types: Option<BTreeMap<String, ContentKind>>,
    pub taxonomies: Option<BTreeMap<String, ContentKind>>,
    pub plugin_connection_enabled: Option<bool>,
    pub two_way_sync_enabled: Option<bool>,
    /// When the site looked.
    pub timestamp: Option<DateTime<Utc>>,
}

impl StructureUpdate {
    fn says_nothing(&self) -> bool {
        self.post_types.is_none()
            && self.taxonomies.is_none()
            && self.plugin_connection_enabled.is_none()
            && self.two_way_sync_enabled.is_none()
    }
}

/// An integration that was tried out.
#[derive(Debug, Clone)]
pub struct TestedIntegration {
    pub row: rows::Connection,
    pub probe: Probe,
    /// The plugin of the site has called.
    pub plugin_installed: bool,
    pub authenticated: bool,
}

/// A kind of things that was tried out.
#[derive(Debug, Clone)]
pub struct TestedCollection {
    pub success: bool,
    pub count: Option<u64>,
    pub message: String,
}

/// How the texts of a site stand.
#[derive(Debug, Clone)]
pub struct SiteHealth {
    pub row: rows::Connection,
    pub counts: SiteCounts,
    pub mismatches: Vec<Mismatch>,
    pub events: Vec<rows::SiteEvent>,
}

impl SiteHealth {
    /// Of the publications that ended in the last 30 days, in percent; 100 of none.
    pub fn success_rate(&self) -> f64 {
        let (all, failed) = (self.counts.recent, self.counts.recent_failed);
        if all == 0 {
            return 100.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
        let rate = (all - failed) as f64 * 100.0 / all as f64;
        (rate * 10.0).round() / 10.0
    }

    /// healthy, warning or error.
    pub fn status(&self) -> &'static str {
        match *self.row.sync_status {
            SyncStatus::Error => "error",
            _ if self.counts.failed > 0 || !self.mismatches.is_empty() || !self.row.is_active => "warning",
            _ => "healthy",
        }
    }
}

/// What is stored of the structure of a site.
pub(crate) fn content_types_of(row: &rows::Connection) -> ContentTypes {
    // Clients may have written anything there.
    row.config.get("content_types").cloned().and_then(|types| serde_json::from_value(types).ok()).unwrap_or_default()
}

impl ContentTypes {
    /// Whether texts of this kind are synced.
    pub(crate) fn is_enabled(&self, kind: &str) -> bool {
        self.post_types.get(kind).map_or(ENABLED.contains(&kind), |known| known.enabled)
    }
}

impl Services {
    /// Tries the integration out, and notes when. That it fails is an answer.
    pub async fn test_integration(&self, org: OrgId, id: Uuid) -> Result<TestedIntegration, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let probe = self.test_connection(org, &row).await?;
        let is_ok = |one: &galley_destinations::Capability| {
            one.id == CapabilityId::Identity && one.status == CapabilityStatus::Ok
        };
        let authenticated = probe.capabilities.iter().any(is_ok);
        let plugin_installed =
            content_types_of(&row).plugin_connection_enabled || row.metadata.get("plugin_seen_at").is_some();
        let tx = self.store.begin(org).await?;
        if let Some(mut row) = tx.hold::<rows::Connection>(id).await? {
            row.metadata["last_tested_at"] = json!(tx.now().await?);
            row.metadata["last_test_succeeded"] = json!(probe.success);
            tx.put(row).await?;
            tx.commit().await?;
        }
        Ok(TestedIntegration { row, probe, plugin_installed, authenticated })
    }

    /// Whether things of a kind can be read there.
    pub async fn test_collection(
        &self,
        org: OrgId,
        id: Uuid,
        collection: Collection,
    ) -> Result<TestedCollection, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let counted = match self.blog(org, &row).await {
            Ok(blog) => blog.count(collection).await.map_err(ServiceError::Outside),
            Err(error) => Err(error),
        };
        match counted {
            Ok(count) => {
                let message = match count {
                    Some(count) => format!("the site has {count} {collection}"),
                    None => format!("the site gives its {collection}, and does not say how many"),
                };
                Ok(TestedCollection { success: true, count, message })
            }
            Err(error @ (ServiceError::Conflict(_) | ServiceError::Outside(_))) => {
                Ok(TestedCollection { success: false, count: None, message: error.to_string() })
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps what is said of the structure of a site, or asks the site where nothing is said.
    pub async fn update_structure(
        &self,
        org: OrgId,
        id: Uuid,
        update: StructureUpdate,
    ) -> Result<ContentTypes, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let is_asked = update.says_nothing();
        let update = match is_asked {
            true => self.asked_structure(org, &row).await?,
            false => update,
        };
        let tx = self.store.begin(org).await?;
        let mut row = tx.hold::<rows::Connection>(id).await?.ok_or(ServiceError::NotFound(Missing::Integration))?;
        let mut types = content_types_of(&row);
        let keep = |known: &mut BTreeMap<String, ContentKind>, new: Option<BTreeMap<String, ContentKind>>| {
            let Some(mut new) = new else { return };
            // What people have chosen is not undone by the site's own count of what it has.
            for (name, kind) in new.iter_mut().filter(|_| is_asked) {
                kind.enabled = known.get(name).map_or(kind.enabled, |before| before.enabled);
            }
            *known = new;
        };
        keep(&mut types.post_types, update.post_types);
        keep(&mut types.taxonomies, update.taxonomies);
        if types.post_types.len().max(types.taxonomies.len()) > MAX_KINDS {
            return Err(ServiceError::field("post_types", format!("has more than {MAX_KINDS} kinds")));
        }
        types.plugin_connection_enabled = update.plugin_connection_enabled.unwrap_or(types.plugin_connection_enabled);
        types.two_way_sync_enabled = update.two_way_sync_enabled.unwrap_or(types.two_way_sync_enabled);
        types.last_structure_fetch = Some(update.timestamp.unwrap_or(tx.now().await?));
        row.config["content_types"] = serde_json::to_value(&types).map_err(StoreError::from)?;
        tx.put(row).await?;
        let message = format!("{} kinds of texts, {} of terms", types.post_types.len(), types.taxonomies.len());
        let action = if is_asked { "asked" } else { "told" };
        tx.insert_site_event(NewSiteEvent {
            connection_id: id,
            event_type: "structure",
            action: action.into(),
            success: true,
            message,
            article_id: None,
        })
        .await?;
        tx.commit().await?;
        Ok(types)
    }

    async fn asked_structure(&self, org: OrgId, row: &rows::Connection) -> Result<StructureUpdate, ServiceError> {
        let blog = self.blog(org, row).await?;
        let found = blog.structure().await.map_err(ServiceError::Outside)?;
        let kept = |kinds: Vec<Kind>| -> BTreeMap<String, ContentKind> {
            let kind = |kind: Kind| {
                let enabled = ENABLED.contains(&kind.name.as_str());
                (kind.name, ContentKind { label: kind.label, count: kind.count, enabled })
            };
            kinds.into_iter().map(kind).collect()
        };
        let (post_types, taxonomies) = (Some(kept(found.post_types)), Some(kept(found.taxonomies)));
        Ok(StructureUpdate { post_types, taxonomies, ..StructureUpdate::default() })
    }

    /// What is known of the structure of a site, and how many of its texts are here.
    pub async fn content_types(
        &self,
        org: OrgId,
        id: Uuid,
    ) -> Result<(rows::Connection, ContentTypes, SiteCounts), ServiceError> {
        let row = self.integration_row(org, id).await?;
        let counts = self.store.tenant(org).site_counts(id).await?;
        let types = content_types_of(&row);
        Ok((row, types, counts))
    }

    pub async fn site_health(&self, org: OrgId, id: Uuid) -> Result<SiteHealth, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let tenant = self.store.tenant(org);
        let counts = tenant.site_counts(id).await?;
        let mismatches = tenant.mismatches(id, SHOWN_MISMATCHES).await?;
        let events = tenant.site_events(id, SHOWN_EVENTS).await?;
        Ok(SiteHealth { row, counts, mismatches, events })
    }
}

/// A time in the notes of a connection.
pub fn noted_time(metadata: &Json, name: &str) -> Option<DateTime<Utc>> {
    metadata.get(name)?.as_str()?.parse().ok()
}

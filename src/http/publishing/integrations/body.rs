//! What integrations are made, changed, synced and told with.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use galley_destinations::Collection;
use galley_domain::{
    Hidden,
    project::Platform,
    publishing::{SyncDirection, SyncStatus},
};
use galley_services::{ContentKind, IntegrationEdit, IntegrationRequest, SiteCall, StructureUpdate};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::http::kit::{
    fields::{Errors, Field, Input, Patch, Place, fields},
    page::{ByNumber, Page},
    scalar::{Moment, Nullable, Word, words},
    values::{FreeObject, Ignored, Link, List, Text},
};

words! {
    /// What kind of site it is.
    pub enum SitePlatform { Wordpress = "wordpress", Shopify = "shopify" }
}

impl From<SitePlatform> for Platform {
    fn from(platform: SitePlatform) -> Self {
        match platform {
            SitePlatform::Wordpress => Self::Wordpress,
            SitePlatform::Shopify => Self::Shopify,
        }
    }
}

type ApiKey = Text<1, 600>;
type Username = Text<0, 200>;

fields! {
    /// Which integrations to list.
    pub struct IntegrationQuery {
        site_id: Option<Uuid>,
        platform: Option<Word<SitePlatform>>,
        is_active: Option<bool>,
        page: Page<ByNumber>,
    }
}

fields! {
    /// A site of a project, and what opens it.
    pub struct CreateIntegration {
        /// The project.
        site_id: Uuid,
        platform: Word<SitePlatform>,
        /// https, without a login or a query. The operator can allow http and private addresses by name.
        site_url: Link,
        /// For wordpress an application password of `username`; required there. Never shown again.
        api_key: Option<ApiKey>,
        /// Who publishes there. Without one the site's plugin is the only partner.
        username: Option<Username>,
        is_active: bool = true,
        /// It is synced by itself, as often as the operator has set: from the site, and to it where its content types say
        /// `two_way_sync_enabled`.
        sync_enabled: bool = false,
        /// Settings; `content_form` (auto, blocks, html), `create_terms` and `content_types` are ours.
        config_json: Option<FreeObject>,
    }
}

impl From<CreateIntegration> for IntegrationRequest {
    fn from(body: CreateIntegration) -> Self {
        Self {
            project_id: body.site_id,
            platform: body.platform.0.into(),
            site_url: body.site_url.0,
            api_key: body.api_key.map(|key| Hidden::new(key.0)),
            username: body.username.map(|name| name.0),
            is_active: body.is_active,
            sync_enabled: body.sync_enabled,
            config: body.config_json.map(|config| config.0).unwrap_or_default(),
        }
    }
}

fields! {
    /// Changes to an integration; what is left out stays. All that GET gives may be sent back.
    pub struct UpdateIntegration {
        /// Cannot change.
        site_id: Patch<Uuid>,
        /// Cannot change.
        platform: Patch<Word<SitePlatform>>,
        /// Another one needs the `api_key`, too.
        site_url: Patch<Link>,
        api_key: Patch<ApiKey>,
        /// Another one needs the `api_key`, too. Null: the site's plugin is the only partner.
        username: Patch<Nullable<Username>>,
        is_active: Patch<bool>,
        sync_enabled: Patch<bool>,
        /// Takes the place of all settings; null empties them.
        config_json: Patch<Nullable<FreeObject>>,
        /// Ignored, like the fields below.
        id: Option<Ignored<Uuid>>,
        /// Ignored.
        has_api_key: Option<Ignored<bool>>,
        /// Ignored.
        has_webhook_secret: Option<Ignored<bool>>,
        /// Ignored.
        sync_status: Option<Ignored<Word<SyncStatus>>>,
        /// Ignored.
        last_sync_at: Option<Ignored<Moment>>,
        /// Ignored.
        sync_error: Option<Ignored<Text<0, 10_000>>>,
        /// Ignored.
        metadata: Option<Ignored<FreeObject>>,
        /// Ignored.
        created_at: Option<Ignored<Moment>>,
        /// Ignored.
        updated_at: Option<Ignored<Moment>>,
    }
}

impl From<UpdateIntegration> for IntegrationEdit {
    fn from(body: UpdateIntegration) -> Self {
        Self {
            project_id: body.site_id.0,
            platform: body.platform.0.map(|platform| platform.0.into()),
            site_url: body.site_url.0.map(|url| url.0),
            api_key: body.api_key.0.map(|key| Hidden::new(key.0)),
            username: body.username.0.map(|name| name.0.map(|name| name.0).unwrap_or_default()),
            is_active: body.is_active.0,
            sync_enabled: body.sync_enabled.0,
            config: body.config_json.0.map(|config| config.0.map(|config| config.0).unwrap_or_default()),
        }
    }
}

fields! {
    /// What to try out.
    pub struct TestCollection: may_be_empty {
        collection: Word<Collection> = Word(Collection::Posts),
    }
}

fields! {
    /// What to bring into line.
    pub struct SyncIntegration: may_be_empty {
        /// both; to_external: what is approved here, or was changed since, goes to the site; from_external: what the site
        /// has comes here; metadata: state, address and terms only.
        direction: Word<SyncDirection> = Word(SyncDirection::Both),
        /// Kinds of texts that are read and sent: post and page, of which only posts are sent. By default those that are
        /// enabled.
        content_types: Option<List<Word<SyncedKind>, 20, 1>>,
    }
}

crate::http::kit::scalar::words! {
    /// A kind of texts that is synced, as sites and their addresses call it.
    pub enum SyncedKind { Post = "post", Posts = "posts", Page = "page", Pages = "pages" }
}

fields! {
    /// Whose integrations to bring into line.
    pub struct SyncSite {
        /// The project.
        site_id: Uuid,
        /// As in a sync of one integration.
        direction: Word<SyncDirection> = Word(SyncDirection::Both),
    }
}

/// Kinds of texts or terms by their name at the site. What a newer plugin says besides is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(pub BTreeMap<String, ContentKind>);

const MAX_KINDS: usize = 100;
const MAX_NAME: usize = 100;

impl Kinds {
    fn kind(value: &Value, name: &str, place: &Place<'_>, errors: &mut Errors) -> Option<ContentKind> {
        let Value::Object(map) = value else {
            errors.add(place, Input::Json(value).unlike("an object"));
            return None;
        };
        let label = match map.get("label") {
            None | Some(Value::Null) => Some(name.to_owned()),
            Some(Value::String(label)) if label.chars().count() <= 200 => Some(label.clone()),
            Some(_) => {
                errors.add(&Place::Member(place, "label"), "must be a text of at most 200 characters");
                None
            }
        };
        let count = match map.get("count") {
            None | Some(Value::Null) => Some(None),
            Some(count) if count.is_u64() => Some(count.as_u64()),
            Some(_) => {
                errors.add(&Place::Member(place, "count"), "must be a whole number from 0 on, or null");
                None
            }
        };
        let enabled = match map.get("enabled") {
            None | Some(Value::Null) => Some(true),
            Some(Value::Bool(enabled)) => Some(*enabled),
            Some(_) => {
                errors.add(&Place::Member(place, "enabled"), "must be true or false");
                None
            }
        };
        Some(ContentKind { label: label?, count: count?, enabled: enabled? })
    }
}

impl Field for Kinds {
    fn schema() -> MetaSchemaRef {
        let number =
            MetaSchema { minimum: Some(0.0), nullable: true, ..MetaSchema::new_with_format("integer", "int64") };
        let label = MetaSchema { max_length: Some(200), nullable: true, ..MetaSchema::new("string") };
        let member = |schema| MetaSchemaRef::Inline(Box::new(schema));
        let kind = MetaSchema {
            properties: vec![
                ("label", member(label)),
                ("count", member(number)),
                ("enabled", member(MetaSchema { nullable: true, ..MetaSchema::new("boolean") })),
            ],
            ..MetaSchema::new("object")
        };
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            additional_properties: Some(Box::new(member(kind))),
            max_properties: Some(MAX_KINDS),
            ..MetaSchema::new("object")
        }))
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        let Input::Json(Value::Object(map)) = input else {
            errors.add(place, input.unlike("an object"));
            return None;
        };
        if map.len() > MAX_KINDS {
            errors.add(place, format!("has {} kinds; give at most {MAX_KINDS}", map.len()));
            return None;
        }
        let mut kinds = Some(BTreeMap::new());
        for (name, value) in map {
            let place = Place::Member(place, name);
            if name.chars().count() > MAX_NAME {
                errors.add(&place, format!("has a name of more than {MAX_NAME} characters"));
            }
            match Self::kind(value, name, &place, errors) {
                Some(kind) => kinds.iter_mut().for_each(|kinds| {
                    kinds.insert(name.clone(), kind.clone());
                }),
                None => kinds = None,
            }
        }
        kinds.map(Self)
    }
}

fields! {
    /// What a site is made of; what is left out stays. Without anything the site is asked.
    pub struct UpdateStructure: may_be_empty {
        post_types: Option<Kinds>,
        taxonomies: Option<Kinds>,
        plugin_connection_enabled: Option<bool>,
        two_way_sync_enabled: Option<bool>,
        /// When the site looked.
        timestamp: Option<Moment>,
    }
}

impl From<UpdateStructure> for StructureUpdate {
    fn from(body: UpdateStructure) -> Self {
        Self {
            post_types: body.post_types.map(|kinds| kinds.0),
            taxonomies: body.taxonomies.map(|kinds| kinds.0),
            plugin_connection_enabled: body.plugin_connection_enabled,
            two_way_sync_enabled: body.two_way_sync_enabled,
            timestamp: body.timestamp.map(|time| time.0),
        }
    }
}

words! {
    /// What a site tells of.
    pub enum SiteEventName {
        Status = "status",
        Metadata = "metadata",
        Updated = "post.updated",
        Deleted = "post.deleted",
    }
}

/// What a site calls a post: WordPress counts, others name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostId(pub String);

impl Field for PostId {
    /// Described as the number that it is in WordPress: makers of clients take one type for each field.
    fn schema() -> MetaSchemaRef {
        let number = MetaSchema { minimum: Some(1.0), ..MetaSchema::new_with_format("integer", "int64") };
        MetaSchemaRef::Inline(Box::new(number))
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        match input {
            Input::Json(Value::Number(number)) if number.as_u64().is_some_and(|id| id > 0) => {
                Some(Self(number.to_string()))
            }
            Input::Json(Value::String(text)) if (1..=100).contains(&text.trim().chars().count()) => {
                Some(Self(text.trim().to_owned()))
            }
            _ => {
                errors.add(place, "must be a number from 1 on, or a text of 1 to 100 characters");
                None
            }
        }
    }
}

fields! {
    /// What a site tells of one of its posts.
    pub struct SiteWebhook: ignores_unknown {
        event: Word<SiteEventName>,
        /// The text here.
        content_id: Option<Uuid>,
        /// The task that wrote or published it, instead of `content_id`.
        task_id: Option<Uuid>,
        /// What the site calls the post.
        post_id: Option<PostId>,
        /// The site's own word: publish, private, draft, pending, future or trash.
        post_status: Option<Text<0, 50>>,
        post_url: Option<Link>,
        post_title: Option<Text<0, 1000>>,
        post_type: Option<Text<0, 50>>,
        /// When it happened there. The same one again, and an older one than the last, change nothing.
        timestamp: Option<Moment>,
        metadata: Option<FreeObject>,
        /// The integration, beside a signature.
        integration_id: Option<Uuid>,
    }
}

fn filled<const MIN: usize, const MAX: usize>(text: Option<Text<MIN, MAX>>) -> Option<String> {
    text.map(|text| text.0).filter(|text| !text.trim().is_empty())
}

impl SiteWebhook {
    /// As the use case takes it; `integration` is the one that is meant.
    pub fn call(self, integration: Option<Uuid>, by_site: bool) -> SiteCall {
        let timestamp: Option<DateTime<Utc>> = self.timestamp.map(|time| time.0);
        let metadata: Option<Map<String, Value>> = self.metadata.map(|metadata| metadata.0);
        SiteCall {
            integration,
            by_site,
            event: crate::http::kit::scalar::Vocabulary::word(self.event.0).to_owned(),
            content_id: self.content_id,
            task_id: self.task_id,
            post_id: self.post_id.map(|id| id.0),
            post_status: filled(self.post_status),
            post_url: self.post_url.map(|url| url.0),
            post_title: filled(self.post_title),
            post_type: filled(self.post_type),
            timestamp,
            metadata: metadata.map(Value::Object),
        }
    }
}

fields! {
    /// Which site calls.
    pub struct SiteWebhookQuery {
        /// The integration, beside a signature.
        integration_id: Option<Uuid>,
    }
}

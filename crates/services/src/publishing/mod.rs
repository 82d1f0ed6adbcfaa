//! Publishing: connections to blogs, posts and their templates, and what goes out.

pub(crate) mod assets;
pub(crate) mod calendar;
pub(crate) mod connections;
pub(crate) mod deploy;
pub(crate) mod drift;
pub(crate) mod gate;
pub(crate) mod integrations;
pub(crate) mod missed;
pub(crate) mod post_settings;
pub(crate) mod posts;
pub(crate) mod promises;
pub(crate) mod publish;
pub(crate) mod reconcile;
pub(crate) mod records;
pub(crate) mod retract;
pub(crate) mod schedule;
pub(crate) mod score;
pub(crate) mod settle;
pub(crate) mod site;
pub(crate) mod site_auth;
pub(crate) mod site_calls;
pub(crate) mod site_definition;
pub(crate) mod structure;
pub(crate) mod sync;
pub(crate) mod sync_compare;
pub(crate) mod sync_item;
pub(crate) mod sync_work;
pub(crate) mod templates;
pub(crate) mod work;

use std::sync::Arc;

use galley_destinations::{ContentForm, Destination, Known, WordPress, WordPressSettings, wordpress_clients};
use galley_domain::{Fault, Hidden, OrgId, project::Platform};
use galley_fetch::{ClientError, GuardedClients, address::Policy};
use galley_store::{StoreError, rows};
use serde_json::Value as Json;

use crate::{SecretError, SecretPurpose, Services, error::ServiceError};

const NO_LOGIN: &str = "the connection has no username with an application password, so nothing can be asked of the site; \
                        give it both";

/// Makes the clients of blogs. One for the process: it shares connections and knows where requests may go.
#[derive(Debug, Clone)]
pub struct Blogs {
    clients: Arc<GuardedClients>,
}

impl Blogs {
    /// `links` are the rules for addresses that others have chosen.
    ///
    /// # Errors
    /// [`ClientError`] if the user agent is not a valid header or the TLS library does not start.
    pub fn new(links: Policy, user_agent: &str) -> Result<Self, ClientError> {
        Ok(Self { clients: wordpress_clients(links, user_agent)? })
    }

    /// For whatever else asks addresses that others have chosen.
    pub(crate) fn clients(&self) -> &GuardedClients {
        &self.clients
    }

    fn open(&self, connection: &rows::Connection, password: Hidden) -> Result<Arc<dyn Destination>, Fault> {
        let form = match connection.config["content_form"].as_str() {
            Some("blocks") => ContentForm::Blocks,
            Some("html") => ContentForm::Html,
            _ => ContentForm::default(),
        };
        let create_terms = connection.config["create_terms"] != Json::Bool(false);
        let settings = WordPressSettings {
            form,
            create_terms,
            ..WordPressSettings::new(connection.site_url.clone(), connection.username.clone(), password)
        };
        Ok(Arc::new(WordPress::new(settings, Arc::clone(&self.clients))?))
    }
}

impl Services {
    /// With these clients of blogs, without which nothing is published to one.
    #[must_use]
    pub fn with_blogs(mut self, blogs: Blogs) -> Self {
        self.blogs = Some(blogs);
        self
    }

    /// The blog at the other end of a connection.
    pub async fn blog(&self, org: OrgId, connection: &rows::Connection) -> Result<Arc<dyn Destination>, ServiceError> {
        let Some(blogs) = &self.blogs else {
            return Err(ServiceError::Conflict("this process cannot speak to blogs".into()));
        };
        if *connection.platform != Platform::Wordpress {
            let text = format!("{} cannot be spoken to as a blog; only wordpress can", *connection.platform);
            return Err(ServiceError::Conflict(text));
        }
        if connection.username.is_empty() {
            return Err(ServiceError::Conflict(NO_LOGIN.into()));
        }
        let name = connection.id.to_string();
        let sealed = self.store.tenant(org).secret(SecretPurpose::Connection.as_str(), &name).await?;
        let password = match sealed.map(|sealed| self.unseal(&sealed)).transpose() {
            Ok(Some(password)) => password,
            Ok(None) => return Err(ServiceError::Conflict(NO_LOGIN.into())),
            Err(SecretError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(ServiceError::Conflict(format!("the password cannot be opened: {error}"))),
        };
        blogs.open(connection, password).map_err(ServiceError::Outside)
    }
}

/// What our records say of an article at the other end of a connection.
pub(crate) fn known(placed: Option<rows::Publication>) -> Result<Option<Known>, StoreError> {
    let Some(placed) = placed else { return Ok(None) };
    let Some(external_id) = placed.external_id else { return Ok(None) };
    let fields: Option<galley_destinations::RemoteFields> = placed.sent.map(serde_json::from_value).transpose()?;
    let slug = fields.as_ref().map(|fields| fields.slug.clone()).unwrap_or_default();
    let mark = placed.metadata["mark"].as_str().and_then(|mark| mark.parse().ok());
    let version = placed.version.and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    // Who records a post by hand says its number; whether the address is the site's own form of it, nobody knows.
    let notes = &placed.metadata;
    let is_by_hand = placed.task_id.is_none()
        && fields.is_none()
        && notes["imported"].is_null()
        && notes["wordpress_status"].is_null();
    let url = placed.external_url.filter(|_| !is_by_hand).unwrap_or_default();
    Ok(Some(Known { external_id, url, slug, mark, fields, version }))
}

/// Whether the article has another text than the one that stands there.
pub(crate) fn is_newer(article: &rows::Article, publication: Option<&rows::Publication>) -> bool {
    publication.is_none_or(|publication| publication.version != Some(article.version))
}

//! WordPress as a destination, through its REST interface with an application password.
//!
//! A post is the article's when it bears the article's mark ([`marker`]), or when our records name it and it has no mark but a
//! name, an address or a text that they know. So an answer that was
//! lost, an error with the post made, and a name that somebody else has never lead to a second post.

mod blocks;
mod client;
mod content;
mod copies;
mod discovery;
mod failure;
mod listing;
mod locks;
mod marker;
mod media;
mod posts;
mod preview;
mod probe;
mod publish;
mod seo;
mod site;
mod terms;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use galley_domain::{Fault, FaultCode, Hidden};
use galley_fetch::{
    ClientError, GuardedClients,
    address::{Policy, check_link},
    dns::{Resolver, SystemResolver},
};
use serde_json::json;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    Collection, Destination, Existing, Known, Post, Preview, Probe, Published, RemoteFields, RemotePage, RemoteStatus,
    Removal, Structure, Term, TermKind,
};
use client::Client;
pub use content::ContentForm;
use site::Site;

/// For one connection: name, TCP and TLS.
const CONNECT: Duration = Duration::from_secs(5);

/// A blog and the login there.
#[derive(Debug, Clone)]
pub struct WordPressSettings {
    /// Where visitors find the site.
    pub site_url: String,
    pub username: String,
    /// One that the site has made for programs, with or without its spaces.
    pub app_password: Hidden,
    pub form: ContentForm,
    /// Categories and tags that are not there are made.
    pub create_terms: bool,
    /// Wall clock for one request with its answer.
    pub time: Duration,
    /// A probe begins no further look after this.
    pub probe_time: Duration,
}

impl WordPressSettings {
    pub fn new(site_url: impl Into<String>, username: impl Into<String>, app_password: Hidden) -> Self {
        Self {
            site_url: site_url.into(),
            username: username.into(),
            app_password,
            form: ContentForm::default(),
            create_terms: true,
            time: client::TIME,
            probe_time: probe::TIME,
        }
    }
}

/// The HTTP clients for all blogs of a process: they keep connections open and let nobody lead them elsewhere.
///
/// # Errors
/// [`ClientError`] if the user agent is not a valid header or the TLS library does not start.
pub fn wordpress_clients(policy: Policy, user_agent: &str) -> Result<Arc<GuardedClients>, ClientError> {
    wordpress_clients_with(policy, user_agent, Arc::new(SystemResolver))
}

/// [`wordpress_clients`] with another way to look up names.
///
/// # Errors
/// As [`wordpress_clients`].
pub fn wordpress_clients_with(
    policy: Policy,
    user_agent: &str,
    resolver: Arc<dyn Resolver>,
) -> Result<Arc<GuardedClients>, ClientError> {
    GuardedClients::new(policy, resolver, user_agent, CONNECT, |client| client).map(Arc::new)
}

/// A blog that articles are published to.
#[derive(Debug)]
pub struct WordPress {
    site: Arc<Site>,
    settings: WordPressSettings,
    has_block_editor: OnceCell<bool>,
}

impl WordPress {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// A permanent fault for an address that must not be asked, and for a login that is none.
    pub fn new(settings: WordPressSettings, clients: Arc<GuardedClients>) -> Result<Self, Fault> {
        let refused = |message: String| Fault::permanent(FaultCode::ValidationError, message);
        let mut url = check_link(settings.site_url.trim(), clients.policy())
            .map_err(|why| refused(format!("the address of the site is not taken: {why}")))?;
        url.set_query(None);
        url.set_fragment(None);
        let user = settings.username.trim();
        if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
            return Err(refused(
                "the user name is empty or holds a colon; give the name that logs in there".to_owned(),
            ));
        }
        if settings.app_password.expose().trim().is_empty() {
            return Err(refused("the application password is empty; make one in the user's profile there".to_owned()));
        }
        let password = Hidden::new(settings.app_password.expose().trim());
        let client = Client::new(clients, url, user.to_owned(), password, settings.time);
        Ok(Self { site: Site::new(client), settings, has_block_editor: OnceCell::new() })
    }

    /// A site that has the interface of the block editor and no plugin that puts the editor of old before it.
    async fn has_block_editor(&self) -> Result<bool, Fault> {
        let look = || async {
            if !self.site.root().await?.has("wp-block-editor/v1") {
                return Ok(false);
            }
            let plugin = self.site.get("wp/v2/plugins/classic-editor/classic-editor", &[("_fields", "status")]).await;
            // Who may not see plugins gets blocks, which every editor shows.
            let status = plugin.ok().and_then(|answer| Some(answer.json.get("status")?.as_str()?.to_owned()));
            Ok(status.as_deref() != Some("active"))
        };
        self.has_block_editor.get_or_try_init(look).await.copied()
    }
}

#[async_trait]
impl Destination for WordPress {
    fn name(&self) -> &str {
        "wordpress"
    }

    async fn publish(&self, post: Post, known: Option<&Known>) -> Result<Published, Fault> {
        self.put(&post, known).await
    }

    async fn preview(&self, post: Post, known: Option<&Known>) -> Result<Preview, Fault> {
        self.preview_of(&post, known).await
    }

    async fn look_up(&self, article: Uuid, known: Option<&Known>) -> Result<Option<Existing>, Fault> {
        Ok(self.find(article, known).await?.map(|post| post.existing()))
    }

    async fn read(&self, article: Uuid, known: Option<&Known>) -> Result<Option<RemoteFields>, Fault> {
        match self.find(article, known).await? {
            Some(post) => self.fields_of(&post).await.map(Some),
            None => Ok(None),
        }
    }

    async fn unpublish(&self, article: Uuid, known: Option<&Known>) -> Result<bool, Fault> {
        let Some(post) = self.find(article, known).await?.filter(|post| !post.is_trashed()) else { return Ok(false) };
        if post.status() == RemoteStatus::Draft {
            return Ok(true);
        }
        let written = posts::write(&self.site, Some(post.id), &json!({ "status": "draft" })).await;
        written.map(|_| true).map_err(|failure| failure.into_fault("make a draft of the article"))
    }

    async fn remove(&self, article: Uuid, known: Option<&Known>, how: Removal) -> Result<bool, Fault> {
        let for_good = how == Removal::Delete;
        match self.find(article, known).await? {
            Some(post) if for_good || !post.is_trashed() => {
                let removed = posts::remove(&self.site, post.id, for_good).await;
                removed.map_err(|failure| failure.into_fault("remove the article"))
            }
            _ => Ok(false),
        }
    }

    async fn probe(&self) -> Probe {
        probe::probe(self).await
    }

    async fn terms(&self, kind: TermKind) -> Result<Vec<Term>, Fault> {
        terms::all(&self.site, kind).await
    }

    async fn list(&self, collection: Collection, page: u32) -> Result<RemotePage, Fault> {
        self.page_of(collection, page).await
    }

    async fn count(&self, collection: Collection) -> Result<Option<u64>, Fault> {
        self.collection_count(collection).await
    }

    async fn structure(&self) -> Result<Structure, Fault> {
        self.kinds().await
    }
}

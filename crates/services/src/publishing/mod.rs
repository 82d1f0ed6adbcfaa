//! Publishing: connections to blogs, posts and their templates, and what goes out.

pub(crate) mod connections;
pub(crate) mod gate;
pub(crate) mod missed;
pub(crate) mod posts;
pub(crate) mod publish;
pub(crate) mod retract;
pub(crate) mod schedule;
pub(crate) mod templates;
pub(crate) mod work;

use std::{fmt::Debug, sync::Arc};

use galley_destinations::{Destination, Known};
use galley_domain::{Fault, Hidden, OrgId};
use galley_store::{StoreError, rows};
use serde_json::Value as Json;

use crate::{SecretError, SecretPurpose, Services, error::ServiceError};

/// What opens a blog.
#[derive(Debug, Clone)]
pub struct BlogLogin {
    pub site_url: String,
    pub username: String,
    pub password: Hidden,
    /// What the connection says of how to write there.
    pub config: Json,
}

/// Makes the clients of blogs. One for the process: it shares connections and knows where requests may go.
pub trait Blogs: Debug + Send + Sync + 'static {
    fn open(&self, login: BlogLogin) -> Result<Arc<dyn Destination>, Fault>;
}

impl Services {
    /// With these clients of blogs, without which nothing is published to one.
    #[must_use]
    pub fn with_blogs(mut self, blogs: Arc<dyn Blogs>) -> Self {
        self.blogs = Some(blogs);
        self
    }

    /// The blog at the other end of a connection.
    pub async fn blog(&self, org: OrgId, connection: &rows::Connection) -> Result<Arc<dyn Destination>, ServiceError> {
        let Some(blogs) = &self.blogs else {
            return Err(ServiceError::Conflict("this process cannot speak to blogs".into()));
        };
        let name = connection.id.to_string();
        let sealed = self.store.tenant(org).secret(SecretPurpose::Connection.as_str(), &name).await?;
        let password = match sealed.map(|sealed| self.unseal(&sealed)).transpose() {
            Ok(Some(password)) => password,
            Ok(None) => {
                let text = "the connection has no username with an application password, so nothing can be asked of the \
                            site; give it both";
                return Err(ServiceError::Conflict(text.into()));
            }
            Err(SecretError::Store(error)) => return Err(error.into()),
            Err(error) => return Err(ServiceError::Conflict(format!("the password cannot be opened: {error}"))),
        };
        let login = BlogLogin {
            site_url: connection.site_url.clone(),
            username: connection.username.clone(),
            password,
            config: connection.config.clone(),
        };
        blogs.open(login).map_err(ServiceError::Outside)
    }
}

/// What our records say of an article at the other end of a connection.
pub(crate) fn known(placed: Option<rows::Publication>) -> Result<Option<Known>, StoreError> {
    let Some(placed) = placed else { return Ok(None) };
    let Some(external_id) = placed.external_id else { return Ok(None) };
    let fields: Option<galley_destinations::RemoteFields> = placed.sent.map(serde_json::from_value).transpose()?;
    let slug = fields.as_ref().map(|fields| fields.slug.clone()).unwrap_or_default();
    Ok(Some(Known { external_id, url: placed.external_url.unwrap_or_default(), slug, fields }))
}

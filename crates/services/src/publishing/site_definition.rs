//! What everybody may read of a site: its published texts, where its owner has opened it.

use chrono::{DateTime, Utc};
use galley_domain::OrgId;
use galley_store::{SiteText, rows};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    system::SystemCalls,
};

/// The most texts that are shown: the newest.
const MAX_TEXTS: i64 = 1000;
/// The most bytes of texts that are shown, as Markdown: older ones are left out.
const MAX_BYTES: i64 = 8 << 20;

/// Which site is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiteName {
    Id(Uuid),
    Slug(String),
}

/// A site that is open to the public.
#[derive(Debug, Clone)]
pub struct SiteDefinition {
    pub project: rows::Project,
    /// Grows with each change of what is published.
    pub version: i64,
    pub texts: Vec<SiteText>,
    pub generated_at: DateTime<Utc>,
}

/// A site as it is known before its texts are read.
#[derive(Debug, Clone)]
pub struct OpenSite {
    pub project: rows::Project,
    pub version: i64,
    /// Changes with whatever is shown.
    pub tag: String,
}

impl SystemCalls<'_> {
    /// No organization is known before the site is found, and only one that is open to the public is.
    pub async fn open_site(&self, name: &SiteName) -> Result<OpenSite, ServiceError> {
        let found = match name {
            SiteName::Id(id) => self.across.public_project(Some(*id), None).await?,
            SiteName::Slug(slug) => self.across.public_project(None, Some(slug)).await?,
        };
        let (org, id) = found.ok_or(ServiceError::NotFound(Missing::Site))?;
        let tenant = self.services.store.tenant(org);
        let project = tenant.project(id).await?.ok_or(ServiceError::NotFound(Missing::Site))?;
        let (count, newest) = tenant.published_mark(id).await?;
        let newest = newest.unwrap_or(project.created_at).max(project.updated_at);
        let version = newest.timestamp_millis();
        Ok(OpenSite { tag: format!("\"{version:x}-{count:x}\""), version, project })
    }
}

impl Services {
    /// As [`SystemCalls::open_site`].
    pub async fn open_site(&self, name: &SiteName) -> Result<OpenSite, ServiceError> {
        self.system().open_site(name).await
    }

    /// With what is published, the newest first.
    pub async fn site_definition(&self, site: OpenSite) -> Result<SiteDefinition, ServiceError> {
        let OpenSite { project, version, .. } = site;
        let tenant = self.store.tenant(OrgId(project.org_id));
        let mut texts = tenant.published_texts(project.id, MAX_TEXTS, MAX_BYTES).await?;
        for text in &mut texts {
            let markdown = std::mem::take(&mut text.content_markdown);
            text.content_markdown = self.with_image_links(OrgId(project.org_id), text.id, markdown).await?;
        }
        Ok(SiteDefinition { project, version, texts, generated_at: tenant.now().await? })
    }
}

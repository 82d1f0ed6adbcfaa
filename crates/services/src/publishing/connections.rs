//! Connections to blogs: made, changed, tried out, removed. Passwords are among the secrets, under the connection's id.

use chrono::TimeDelta;
use galley_destinations::{Probe, Term, TermKind};
use galley_domain::{
    Hidden, OrgId,
    order::Violations,
    project::Platform,
    publishing::{Placements, PostForm},
};
use galley_store::{ConnectionFilter, StoreError, TenantTx, TextEnum, rows};
use serde_json::json;
use uuid::Uuid;

use crate::{
    SecretPurpose, Services,
    error::ServiceError,
    kept::{Change, Resource, resource},
};

/// How long what a blog said of its categories is believed.
const CATEGORIES_KEPT: TimeDelta = TimeDelta::hours(1);
const MAX_PASSWORD_CHARS: usize = 500;

/// A connection to make, or changes to one; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ConnectionEdit {
    pub name: Option<String>,
    pub site_url: Option<String>,
    pub username: Option<String>,
    pub password: Option<Hidden>,
    pub is_active: Option<bool>,
}

/// The same of a blog connection, with what only those have.
#[derive(Debug, Clone, Default)]
pub struct BlogConnectionEdit {
    pub name: Option<String>,
    pub site_url: Option<String>,
    pub username: Option<String>,
    pub password: Option<Hidden>,
    pub is_active: Option<bool>,
    /// Kept in `config`, where an integration has it, too.
    pub content_form: Option<PostForm>,
    /// The same. Whether categories and tags that the site lacks are made there.
    pub create_terms: Option<bool>,
    /// Said with another address, once something was placed at the old one.
    pub placements: Option<Placements>,
}

/// What a field of a connection is called by the document that speaks of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldNames {
    pub(crate) password: &'static str,
}

pub(crate) const BLOG: FieldNames = FieldNames { password: "app_password" };

impl Resource for rows::Connection {
    resource!(Connection, at most 200 "connections");
    type Edit = BlogConnectionEdit;

    /// One that has a login is what 002 sees.
    fn belongs(&self) -> bool {
        is_blog(self)
    }

    /// A password is never sent to another site, or for another user, than it was given for.
    async fn apply(at: &Change<'_>, edit: BlogConnectionEdit, row: &mut Self) -> Result<(), ServiceError> {
        let BlogConnectionEdit {
            name,
            site_url,
            username,
            password,
            is_active,
            content_form,
            create_terms,
            placements,
        } = edit;
        let edit = ConnectionEdit { name, site_url, username, password, is_active };
        let edit = at.services.checked_connection(edit, BLOG)?;
        if at.is_new {
            *row = new_connection(row.id, Platform::Wordpress);
        }
        if let Some(form) = content_form {
            row.config["content_form"] = json!(form.as_str());
        }
        if let Some(create) = create_terms {
            row.config["create_terms"] = json!(create);
        }
        at.services.move_connection(at.tx, row, edit, placements, BLOG).await
    }

    /// What was published through it stays, and its posts keep their addresses.
    async fn removed(at: &Change<'_>, row: &Self) -> Result<(), ServiceError> {
        if let Some(project) = at.tx.project_with_default_connection(row.id).await? {
            let text = format!(
                "it is the default_blog_connection_id in the settings of the project {project}; give that another one first"
            );
            return Err(ServiceError::Conflict(text));
        }
        release_connection(at.tx, row.id).await
    }
}

/// Without a site, in use from the start.
pub(crate) fn new_connection(id: Uuid, platform: Platform) -> rows::Connection {
    rows::Connection {
        id,
        platform: TextEnum(platform),
        is_active: true,
        config: json!({}),
        metadata: json!({}),
        ..rows::Connection::default()
    }
}

impl Services {
    /// Changes a locked connection, with its password if one comes along.
    pub(crate) async fn apply_edit(
        &self,
        tx: &TenantTx,
        connection: &mut rows::Connection,
        edit: ConnectionEdit,
        names: FieldNames,
    ) -> Result<(), ServiceError> {
        self.move_connection(tx, connection, edit, None, names).await
    }

    /// The same, with word of what becomes of the posts that were placed at an address that changes.
    async fn move_connection(
        &self,
        tx: &TenantTx,
        connection: &mut rows::Connection,
        edit: ConnectionEdit,
        placements: Option<Placements>,
        names: FieldNames,
    ) -> Result<(), ServiceError> {
        let site_url = edit.site_url.unwrap_or_else(|| connection.site_url.clone());
        let username = edit.username.unwrap_or_else(|| connection.username.clone());
        // Two sites may share a host, so the whole address counts. It is stored normalized.
        let is_elsewhere = site_url != connection.site_url;
        let moves = is_elsewhere || username != connection.username;
        if moves && edit.password.is_none() {
            let message = "must be given with another site_url or username: a stored password is never sent elsewhere";
            return Err(ServiceError::field(names.password, message));
        }
        refuse_twin(tx, *connection.platform, &site_url, &username, connection.id).await?;
        if let Some(password) = &edit.password {
            let name = connection.id.to_string();
            tx.put_secret(self.seal(tx.org(), SecretPurpose::Connection, &name, password)?).await?;
        }
        if is_elsewhere {
            settle_placements(tx, connection.id, placements).await?;
        }
        if moves {
            (connection.categories, connection.categories_cached_at) = (None, None);
        }
        (connection.site_url, connection.username) = (site_url, username);
        connection.name = edit.name.unwrap_or_else(|| connection.name.clone());
        connection.is_active = edit.is_active.unwrap_or(connection.is_active);
        Ok(())
    }

    /// What the blog lets us do, tried out. That it does not answer is an answer.
    pub async fn test_connection(&self, org: OrgId, connection: &rows::Connection) -> Result<Probe, ServiceError> {
        let blog = match self.blog(org, connection).await {
            Ok(blog) => blog,
            Err(error @ (ServiceError::Conflict(_) | ServiceError::Outside(_))) => return Ok(failed(&error)),
            Err(error) => return Err(error),
        };
        Ok(blog.probe().await)
    }

    /// The blog's categories: as it said in the last hour, or as it says now.
    pub async fn blog_categories(&self, org: OrgId, id: Uuid, refresh: bool) -> Result<Vec<Term>, ServiceError> {
        let connection = self.get::<rows::Connection>(org, id).await?;
        let now = self.store.tenant(org).now().await?;
        let known: Option<Vec<Term>> =
            connection.categories.clone().map(serde_json::from_value).transpose().map_err(StoreError::from)?;
        let is_new = connection.categories_cached_at.is_some_and(|at| now - at < CATEGORIES_KEPT);
        if let (Some(known), true, false) = (&known, is_new, refresh) {
            return Ok(known.clone());
        }
        let asked = match self.blog(org, &connection).await {
            Ok(blog) => blog.terms(TermKind::Category).await.map_err(ServiceError::Outside),
            Err(error) => Err(error),
        };
        match (asked, known) {
            (Ok(terms), _) => {
                let tx = self.store.begin(org).await?;
                if let Some(mut connection) = tx.hold::<rows::Connection>(id).await? {
                    connection.categories = Some(json!(terms));
                    connection.categories_cached_at = Some(now);
                    tx.put(connection).await?;
                    tx.commit().await?;
                }
                Ok(terms)
            }
            (Err(ServiceError::Outside(fault)), Some(known)) if !refresh => {
                tracing::warn!(error = %fault, connection = %id, "the blog did not say its categories; older ones are given");
                Ok(known)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// The edit in the form in which it is stored, with everything that is wrong with it.
    pub(crate) fn checked_connection(
        &self,
        mut edit: ConnectionEdit,
        names: FieldNames,
    ) -> Result<ConnectionEdit, ServiceError> {
        let mut wrong = Violations::default();
        if let Some(name) = &mut edit.name {
            wrong.length("name", name, 1, 200);
            *name = name.trim().to_owned();
        }
        if let Some(site) = &mut edit.site_url {
            match self.site_url(site) {
                Ok(taken) => *site = taken,
                Err(message) => wrong.add("site_url", message),
            }
        }
        if let Some(username) = &mut edit.username {
            wrong.length("username", username, 1, 200);
            wrong.check(username.contains(':'), "username", "holds a colon, which no login over HTTP can have");
            *username = username.trim().to_owned();
        }
        if let Some(password) = &mut edit.password {
            // As WordPress shows it, in groups of four.
            let text: String = password.expose().chars().filter(|sign| !sign.is_whitespace()).collect();
            wrong.check(text.is_empty(), names.password, "must not be empty");
            let too_long = text.chars().count() > MAX_PASSWORD_CHARS;
            wrong.check(too_long, names.password, format!("has more than {MAX_PASSWORD_CHARS} characters"));
            wrong.check(text.chars().any(char::is_control), names.password, "holds a control character; copy it again");
            *password = Hidden::new(text);
        }
        wrong.finish().map_err(ServiceError::Validation)?;
        Ok(edit)
    }

    /// The address of a site as it is stored, or what is wrong with it.
    pub(crate) fn site_url(&self, given: &str) -> Result<String, String> {
        let url = galley_webhooks::check_url(given.trim(), &self.settings.links)
            .map_err(|error| error.to_string().replace("webhooks are sent to", "sites are spoken to by"))?;
        if url.query().is_some() {
            return Err("has a part behind a question mark; give the address of the site alone".to_owned());
        }
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

/// Whether 002 sees it.
pub(crate) fn is_blog(connection: &rows::Connection) -> bool {
    *connection.platform == Platform::Wordpress && !connection.username.is_empty()
}

/// Ids that one site has given mean nothing, or other posts, at another. Only the client knows whether it is another site or
/// the same one that has moved.
async fn settle_placements(tx: &TenantTx, id: Uuid, said: Option<Placements>) -> Result<(), ServiceError> {
    match said {
        Some(Placements::Keep) => Ok(()),
        Some(Placements::Forget) => Ok(tx.forget_placements(id).await?),
        None if tx.has_placements(id).await? => {
            let text = "posts were published at the old address: say with placements whether the new one is the same site \
                        (keep) or another (forget), or make another connection for it";
            Err(ServiceError::Conflict(text.into()))
        }
        None => Ok(()),
    }
}

/// Removes what goes with a connection, but for its row.
pub(crate) async fn release_connection(tx: &TenantTx, id: Uuid) -> Result<(), ServiceError> {
    if tx.connection_is_promised(id).await? {
        let text = "a post or a schedule is to be published through this connection; give it another one first";
        return Err(ServiceError::Conflict(text.into()));
    }
    for (purpose, name) in [(SecretPurpose::Connection, id.to_string()), (SecretPurpose::SiteWebhook, id.to_string())] {
        tx.delete_secret(purpose.as_str(), &name).await?;
    }
    Ok(())
}

/// The connections of a project that is to be removed.
pub(crate) struct ProjectIntegrations(Vec<rows::Connection>);

impl ProjectIntegrations {
    /// A project has at most one for each platform.
    pub async fn of(tx: &TenantTx, project: Uuid) -> Result<Self, ServiceError> {
        let filter = ConnectionFilter { project_id: Some(project), limit: 100, ..ConnectionFilter::default() };
        Ok(Self(tx.integrations(&filter).await?.0))
    }

    /// Once the project is gone: one with a login stays as a blog connection. Any other would be in no list any more, so
    /// it goes with its secrets.
    pub async fn leave(self, tx: &TenantTx) -> Result<(), ServiceError> {
        for row in self.0 {
            if row.username.is_empty() {
                release_connection(tx, row.id).await?;
                tx.remove::<rows::Connection>(row.id).await?;
            } else {
                tx.delete_secret(SecretPurpose::SiteWebhook.as_str(), &row.id.to_string()).await?;
            }
        }
        Ok(())
    }
}

async fn refuse_twin(
    tx: &TenantTx,
    platform: Platform,
    site_url: &str,
    username: &str,
    but: Uuid,
) -> Result<(), ServiceError> {
    tx.hold_slug(&format!("connection/{site_url}/{username}")).await?;
    match tx.connection_of(platform, site_url, username).await? {
        Some(twin) if twin.id != but && !username.is_empty() => {
            let text =
                format!("there is a connection to this site for this user already: {}; change that one", twin.id);
            Err(ServiceError::Conflict(text))
        }
        _ => Ok(()),
    }
}

/// Nothing could be asked of the site.
fn failed(why: &ServiceError) -> Probe {
    Probe {
        success: false,
        message: why.to_string(),
        site_name: None,
        version: None,
        role: None,
        capabilities: Vec::new(),
    }
}

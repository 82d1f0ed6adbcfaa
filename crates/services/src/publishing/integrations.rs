//! Integrations: the connection of a project to its site. One with a login is a blog connection, too, in one row.

use std::collections::HashSet;

use galley_domain::{Hidden, OrgId, order::FieldError, project::Platform};
use galley_store::{ConnectionFilter, StoreError, TenantTx, rows};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::connections::{ConnectionEdit, FieldNames, new_connection, release_connection};
use crate::{
    SecretPurpose, Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    projects::refuse_trashed,
    publishing::site_auth::new_site_secret,
};

const INTEGRATION: FieldNames = FieldNames { password: "api_key" };
/// Of `config_json`, as JSON.
const MAX_CONFIG_BYTES: usize = 100_000;

/// An integration to make.
#[derive(Debug, Clone)]
pub struct IntegrationRequest {
    pub project_id: Uuid,
    pub platform: Platform,
    pub site_url: String,
    pub api_key: Option<Hidden>,
    /// None: the site's plugin is the only partner.
    pub username: Option<String>,
    pub is_active: bool,
    pub sync_enabled: bool,
    pub config: Map<String, Json>,
}

/// Changes to an integration; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct IntegrationEdit {
    /// Cannot change, and may be repeated.
    pub project_id: Option<Uuid>,
    /// Cannot change, and may be repeated.
    pub platform: Option<Platform>,
    pub site_url: Option<String>,
    pub api_key: Option<Hidden>,
    /// Empty: the site's plugin is the only partner.
    pub username: Option<String>,
    pub is_active: Option<bool>,
    pub sync_enabled: Option<bool>,
    pub config: Option<Map<String, Json>>,
}

/// A connection as the integration of its project.
#[derive(Debug, Clone)]
pub struct IntegrationView {
    pub row: rows::Connection,
    pub has_api_key: bool,
    pub has_webhook_secret: bool,
    /// In the answer that makes it, and nowhere else.
    pub webhook_secret: Option<Hidden>,
}

/// What a repeated answer is made of: no secret is stored with it.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    id: Uuid,
}

impl Services {
    /// One page, newest first, with the number of all.
    pub async fn integrations(
        &self,
        org: OrgId,
        filter: &ConnectionFilter,
    ) -> Result<(Vec<IntegrationView>, u64), ServiceError> {
        let (rows, total) = self.store.tenant(org).integrations(filter).await?;
        Ok((self.integration_views(org, rows).await?, total))
    }

    pub async fn integration(&self, org: OrgId, id: Uuid) -> Result<IntegrationView, ServiceError> {
        let row = self.integration_row(org, id).await?;
        let views = self.integration_views(org, vec![row]).await?;
        views.into_iter().next().ok_or(ServiceError::NotFound(Missing::Integration))
    }

    pub(crate) async fn integration_row(&self, org: OrgId, id: Uuid) -> Result<rows::Connection, ServiceError> {
        let found =
            self.store.tenant(org).one::<rows::Connection>(id).await?.filter(|found| found.project_id.is_some());
        found.ok_or(ServiceError::NotFound(Missing::Integration))
    }

    async fn integration_views(
        &self,
        org: OrgId,
        rows: Vec<rows::Connection>,
    ) -> Result<Vec<IntegrationView>, ServiceError> {
        let names: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        let tenant = self.store.tenant(org);
        let keys: HashSet<String> =
            tenant.secret_names(SecretPurpose::Connection.as_str(), names.clone()).await?.into_iter().collect();
        let secrets: HashSet<String> =
            tenant.secret_names(SecretPurpose::SiteWebhook.as_str(), names).await?.into_iter().collect();
        let view = |row: rows::Connection| {
            let name = row.id.to_string();
            let (has_api_key, has_webhook_secret) = (keys.contains(&name), secrets.contains(&name));
            IntegrationView { row, has_api_key, has_webhook_secret, webhook_secret: None }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Nothing is asked of the site. A blog connection for the same site and user becomes the integration.
    pub async fn create_integration(
        &self,
        org: OrgId,
        request: IntegrationRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<IntegrationView>, ServiceError> {
        let IntegrationRequest { project_id, platform, site_url, api_key, username, .. } = &request;
        let is_named = username.as_ref().is_some_and(|name| !name.trim().is_empty());
        let edit = self.checked_connection(
            ConnectionEdit {
                name: None,
                site_url: Some(site_url.clone()),
                username: username.clone().filter(|_| is_named),
                password: api_key.clone(),
                is_active: Some(request.is_active),
            },
            INTEGRATION,
        )?;
        check_config(&request.config)?;
        if *platform == Platform::Wordpress && edit.password.is_none() {
            return Err(ServiceError::field("api_key", "is required for wordpress"));
        }
        let (project, platform) = (*project_id, *platform);
        let tx = self.store.begin(org).await?;
        let mut secret = None;
        let shown = &mut secret;
        let made = once(tx, key, |tx| async move {
            let project_row = tx.project(project).await?.ok_or_else(|| unknown("site_id", Missing::Site))?;
            refuse_trashed(&tx, Some(project_row.id)).await?;
            let mut row = self.row_for(&tx, &request, platform, &edit).await?;
            (row.project_id, row.is_active) = (Some(project), request.is_active);
            row.sync_enabled = request.sync_enabled;
            row.config = merged(row.config, request.config);
            if let Some(password) = &edit.password {
                let name = row.id.to_string();
                tx.put_secret(self.seal(org, SecretPurpose::Connection, &name, password)?).await?;
            }
            let made = new_site_secret(row.id);
            tx.put_secret(self.seal(org, SecretPurpose::SiteWebhook, &row.id.to_string(), &made)?).await?;
            *shown = Some(made);
            let row = tx.put(row).await?;
            Ok((tx, Made { id: row.id }))
        })
        .await?;
        let view = self.integration(org, made.value.id).await?;
        Ok(Answer { value: IntegrationView { webhook_secret: secret, ..view }, replayed: made.replayed })
    }

    /// The row that becomes the integration: the blog connection for the same site and user, or a new one.
    async fn row_for(
        &self,
        tx: &TenantTx,
        request: &IntegrationRequest,
        platform: Platform,
        edit: &ConnectionEdit,
    ) -> Result<rows::Connection, ServiceError> {
        let site_url = edit.site_url.clone().unwrap_or_default();
        let username = edit.username.clone().unwrap_or_default();
        // The names under which others make or move a connection at the same time.
        tx.hold_slug(&format!("connection/{site_url}/{username}")).await?;
        tx.hold_slug(&format!("integration/{}/{platform}", request.project_id)).await?;
        let filter = ConnectionFilter {
            project_id: Some(request.project_id),
            platform: Some(platform),
            is_active: None,
            limit: 1,
            offset: 0,
        };
        if let Some(there) = tx.integrations(&filter).await?.0.into_iter().next() {
            let text = format!("the site has an integration for {platform} already: {}; change that one", there.id);
            return Err(ServiceError::Conflict(text));
        }
        let twin = match username.is_empty() {
            true => None,
            false => tx.connection_of(platform, &site_url, &username).await?,
        };
        match twin {
            Some(twin) if twin.project_id.is_some() => {
                let text = format!("connection {} for this site and user belongs to another site of yours", twin.id);
                Err(ServiceError::Conflict(text))
            }
            Some(twin) => {
                tx.hold::<rows::Connection>(twin.id).await?.ok_or(ServiceError::NotFound(Missing::Integration))
            }
            None => {
                let name = site_url.parse::<url::Url>().ok().and_then(|url| Some(url.host_str()?.to_owned()));
                let name = name.unwrap_or_else(|| site_url.clone());
                let id = Uuid::now_v7();
                Ok(tx.add(rows::Connection { name, site_url, username, ..new_connection(id, platform) }).await?)
            }
        }
    }

    /// A password is never sent to another site, or for another user, than it was given for.
    pub async fn edit_integration(
        &self,
        org: OrgId,
        id: Uuid,
        edit: IntegrationEdit,
    ) -> Result<IntegrationView, ServiceError> {
        let removes_login = edit.username.as_ref().is_some_and(|name| name.trim().is_empty());
        let mut checked = self.checked_connection(
            ConnectionEdit {
                name: None,
                site_url: edit.site_url.clone(),
                username: edit.username.clone().filter(|_| !removes_login),
                password: edit.api_key.clone(),
                is_active: edit.is_active,
            },
            INTEGRATION,
        )?;
        if removes_login {
            checked.username = Some(String::new());
        }
        if let Some(config) = &edit.config {
            check_config(config)?;
        }
        let tx = self.store.begin(org).await?;
        let found = tx.hold::<rows::Connection>(id).await?.filter(|found| found.project_id.is_some());
        let mut row = found.ok_or(ServiceError::NotFound(Missing::Integration))?;
        refuse_trashed(&tx, row.project_id).await?;
        refuse_moved(&row, &edit)?;
        // Two sites may share a host, so the whole address counts.
        if checked.password.is_none() && checked.site_url.as_ref().is_some_and(|url| *url != row.site_url) {
            let message = "must be given with another site_url: a stored one is never sent elsewhere";
            return Err(ServiceError::field("api_key", message));
        }
        self.apply_edit(&tx, &mut row, checked, INTEGRATION).await?;
        row.sync_enabled = edit.sync_enabled.unwrap_or(row.sync_enabled);
        if let Some(config) = edit.config {
            row.config = Json::Object(config);
        }
        tx.put(row).await?;
        tx.commit().await?;
        self.integration(org, id).await
    }

    /// One with a login stays as a blog connection; any other goes. Texts keep what the site calls them.
    pub async fn delete_integration(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = tx.hold::<rows::Connection>(id).await?.filter(|found| found.project_id.is_some());
        let mut row = found.ok_or(ServiceError::NotFound(Missing::Integration))?;
        if row.username.is_empty() {
            release_connection(&tx, id).await?;
            tx.remove::<rows::Connection>(id).await?;
            return Ok(tx.commit().await?);
        }
        if tx.connection_is_promised(id).await? {
            let text = "a post or a schedule is to be published through this integration; give it another one first";
            return Err(ServiceError::Conflict(text.into()));
        }
        tx.delete_secret(SecretPurpose::SiteWebhook.as_str(), &id.to_string()).await?;
        (row.project_id, row.sync_enabled) = (None, false);
        tx.put(row).await?;
        Ok(tx.commit().await?)
    }
}

/// An id in a body that nobody has, or another organization.
pub(crate) fn unknown(field: &str, what: Missing) -> ServiceError {
    ServiceError::Unknown(what, FieldError { field: field.into(), message: format!("there is no such {what}") })
}

fn refuse_moved(row: &rows::Connection, edit: &IntegrationEdit) -> Result<(), ServiceError> {
    let mut wrong = Vec::new();
    let mut add = |field: &str, message: String| wrong.push(FieldError { field: field.into(), message });
    if edit.project_id.is_some_and(|project| Some(project) != row.project_id) {
        add("site_id", "cannot change; make another integration for the other site".into());
    }
    if edit.platform.is_some_and(|platform| platform != *row.platform) {
        add("platform", format!("cannot change; it is {}", *row.platform));
    }
    if wrong.is_empty() { Ok(()) } else { Err(ServiceError::Validation(wrong)) }
}

/// The keys that we go by; all others are the client's.
fn check_config(config: &Map<String, Json>) -> Result<(), ServiceError> {
    let mut wrong = Vec::new();
    let mut add = |field: &str, message: String| wrong.push(FieldError { field: field.into(), message });
    let size = serde_json::to_vec(config).map_err(StoreError::from)?.len();
    if size > MAX_CONFIG_BYTES {
        add("config_json", format!("has {size} bytes; give at most {MAX_CONFIG_BYTES}"));
    }
    let is_form = |form: &Json| ["auto", "blocks", "html"].iter().any(|word| form == word);
    if config.get("content_form").is_some_and(|form| !is_form(form)) {
        add("config_json.content_form", "must be auto, blocks or html".into());
    }
    if config.get("create_terms").is_some_and(|terms| !terms.is_boolean()) {
        add("config_json.create_terms", "must be true or false".into());
    }
    if config.get("content_types").is_some_and(|types| !types.is_object()) {
        add("config_json.content_types", "must be an object, as update_structure stores it".into());
    }
    if wrong.is_empty() { Ok(()) } else { Err(ServiceError::Validation(wrong)) }
}

/// What a blog connection was set to stays where the integration says nothing of it.
fn merged(before: Json, config: Map<String, Json>) -> Json {
    let mut merged = before.as_object().cloned().unwrap_or_default();
    merged.extend(config);
    json!(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_we_go_by_are_checked() {
        let check = |config: Json| match check_config(config.as_object().expect("an object")) {
            Ok(()) => Vec::new(),
            Err(ServiceError::Validation(errors)) => errors.into_iter().map(|error| error.field).collect(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(check(json!({ "theirs": 7, "content_form": "html", "create_terms": false })), Vec::<String>::new());
        let wrong = json!({ "content_form": "pdf", "create_terms": "no", "content_types": [] });
        let fields = ["config_json.content_form", "config_json.create_terms", "config_json.content_types"];
        assert_eq!(check(wrong), fields);
        assert_eq!(check(json!({ "theirs": "x".repeat(MAX_CONFIG_BYTES) })), ["config_json"]);
    }
}

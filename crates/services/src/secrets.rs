//! Secrets of organizations: stored encrypted, opened for the one use they are for, moved to another envelope key.

use galley_domain::{Hidden, OrgId};
use galley_store::{Rewrapped, StoreError, StoredSecret};
use galley_vault::{Keyring, Place, Sealed, VaultError};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    system::OperatorCalls,
};

/// Secrets that are moved in one transaction.
const BATCH: u32 = 200;
/// Of a purpose that has one secret.
const ONLY: &str = "default";

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPurpose {
    /// The key that the organization's articles are written with, in the place of the operator's.
    ModelKey,
    /// What messages to an endpoint are signed with: the current one under the endpoint's id, the one before under its id
    /// and `/previous`.
    Webhook,
    /// What opens a site, under the id of its connection.
    Connection,
    /// What a site shows that it is the one of a connection, under the id of that.
    SiteWebhook,
    /// A key for stock photos, under the id of its row.
    StockPhotos,
}

impl SecretPurpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ModelKey => "model_key",
            Self::Webhook => "webhook",
            Self::Connection => "connection",
            Self::SiteWebhook => "site_webhook",
            Self::StockPhotos => "stock_photos",
        }
    }

    /// The name that people know it by.
    fn called(self) -> &'static str {
        match self {
            Self::ModelKey => "model-key",
            Self::Webhook | Self::SiteWebhook => "secret",
            Self::Connection => "app_password",
            Self::StockPhotos => "api_key",
        }
    }

    fn check(self, secret: &Hidden) -> Result<(), ServiceError> {
        let text = secret.expose();
        if !(1..=galley_vault::MOST_BYTES).contains(&text.len()) {
            let message = format!("it has {} bytes; a secret has 1 to {}", text.len(), galley_vault::MOST_BYTES);
            return Err(ServiceError::field(self.called(), message));
        }
        match self {
            Self::ModelKey | Self::StockPhotos if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Err(ServiceError::field(
                    self.called(),
                    "it holds a space, a line break or another sign that no key has; copy it again",
                ))
            }
            Self::ModelKey | Self::StockPhotos | Self::Webhook | Self::Connection | Self::SiteWebhook => Ok(()),
        }
    }
}

/// Why a secret that is there cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("no envelope key is configured; set the one that sealed it as secrets.key")]
    NoKey,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A secret that could not be moved to the current key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub org: OrgId,
    pub id: Uuid,
    pub why: VaultError,
}

/// What a rotation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    pub moved: u64,
    pub stuck: Vec<Stuck>,
}

fn place(secret: &StoredSecret) -> Place<'_> {
    Place { org: secret.org(), row: secret.id, purpose: &secret.purpose }
}

fn sealed(secret: &StoredSecret) -> Sealed {
    Sealed { key_id: secret.key_id.clone(), wrapped_key: secret.wrapped_key.clone(), sealed: secret.sealed.clone() }
}

impl Services {
    /// The envelope keys, if any are configured.
    pub fn keyring(&self) -> Option<&Keyring> {
        self.keyring.as_deref()
    }

    fn current_keyring(&self) -> Result<&Keyring, ServiceError> {
        self.keyring().ok_or_else(|| {
            let message = "no envelope key is configured, so no secret can be stored; set secrets.key \
                           (GALLEY_SECRETS__KEY) to what `galley secrets new-key` prints";
            ServiceError::Conflict(message.into())
        })
    }

    /// Stores a secret of an organization, in the place of an older one.
    pub async fn set_secret(&self, org: OrgId, purpose: SecretPurpose, secret: &Hidden) -> Result<(), ServiceError> {
        let sealed = self.seal(org, purpose, ONLY, secret)?;
        let tx = self.store.begin(org).await?;
        tx.put_secret(sealed).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A secret as it is to be stored.
    pub(crate) fn seal(
        &self,
        org: OrgId,
        purpose: SecretPurpose,
        name: &str,
        secret: &Hidden,
    ) -> Result<StoredSecret, ServiceError> {
        let keyring = self.current_keyring()?;
        purpose.check(secret)?;
        let id = Uuid::now_v7();
        let Sealed { key_id, wrapped_key, sealed } = keyring
            .seal(Place { org, row: id, purpose: purpose.as_str() }, secret)
            .map_err(|error| ServiceError::Conflict(error.to_string()))?;
        let (purpose, name) = (purpose.as_str().to_owned(), name.to_owned());
        Ok(StoredSecret { org_id: org.0, id, purpose, name, key_id, wrapped_key, sealed })
    }

    pub(crate) fn unseal(&self, found: &StoredSecret) -> Result<Hidden, SecretError> {
        let keyring = self.keyring().ok_or(SecretError::NoKey)?;
        Ok(keyring.open(place(found), &sealed(found))?)
    }

    /// Removes a secret of an organization.
    pub async fn remove_secret(&self, org: OrgId, purpose: SecretPurpose) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = tx.delete_secret(purpose.as_str(), ONLY).await?;
        tx.commit().await?;
        if found { Ok(()) } else { Err(ServiceError::NotFound(Missing::Secret)) }
    }

    /// The secret of an organization, if it has one.
    ///
    /// # Errors
    /// When there is one and it cannot be opened: it is never taken for missing.
    pub async fn secret(&self, org: OrgId, purpose: SecretPurpose) -> Result<Option<Hidden>, SecretError> {
        let Some(found) = self.store.tenant(org).secret(purpose.as_str(), ONLY).await? else { return Ok(None) };
        self.unseal(&found).map(Some)
    }
}

impl OperatorCalls<'_> {
    /// How many secrets there are under which envelope key, of all organizations.
    pub async fn secrets_by_key(&self) -> Result<Vec<(String, i64)>, ServiceError> {
        Ok(self.across.secret_keys().await?)
    }

    /// Moves all secrets of all organizations to the current envelope key, batch by batch. Can be cut off and repeated.
    pub async fn rotate_secrets(&self) -> Result<Rotation, ServiceError> {
        let keyring = self.services.current_keyring()?;
        let current = keyring.current().as_str();
        let (mut done, mut after) = (Rotation::default(), None);
        loop {
            let mut batch = Rotation::default();
            let rewrap = |secret: StoredSecret| {
                let (org, id) = (secret.org(), secret.id);
                match keyring.rewrap(place(&secret), sealed(&secret)) {
                    Ok(Sealed { key_id, wrapped_key, .. }) => {
                        batch.moved += 1;
                        Some(Rewrapped { key_id, wrapped_key })
                    }
                    Err(why) => {
                        batch.stuck.push(Stuck { org, id, why });
                        None
                    }
                }
            };
            after = self.across.rewrap_secrets(current, after, BATCH, rewrap).await?;
            done.moved += batch.moved;
            done.stuck.extend(batch.stuck);
            if after.is_none() {
                return Ok(done);
            }
        }
    }
}

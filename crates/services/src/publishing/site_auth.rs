//! How a site shows that it is the one of an integration: by a secret that names the integration, or by signing what it
//! sends with it.

use galley_domain::{Hidden, OrgId};
use galley_store::rows;
use galley_webhooks::sign_with_text;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    SecretError, SecretPurpose, Services,
    error::ServiceError,
    keys::{is_well_formed, random_secret},
    system::SystemCalls,
};

/// Secrets of sites start with this, so that people and secret scanners recognise them, and go on with the integration's
/// id.
pub const SITE_SECRET_PREFIX: &str = "gs_";

/// A site that has shown which one it is.
#[derive(Debug, Clone)]
pub struct KnownSite {
    pub org: OrgId,
    pub integration: rows::Connection,
}

fn prefix_of(integration: Uuid) -> String {
    format!("{SITE_SECRET_PREFIX}{}", integration.simple())
}

pub(crate) fn new_site_secret(integration: Uuid) -> Hidden {
    Hidden::new(random_secret(&prefix_of(integration)))
}

/// The integration that a secret names, if it could be one.
fn named_by(secret: &str) -> Option<Uuid> {
    let id = secret.strip_prefix(SITE_SECRET_PREFIX)?.get(..32)?.parse().ok()?;
    is_well_formed(&prefix_of(id), secret).then_some(id)
}

impl SystemCalls<'_> {
    /// A site that shows its secret. No organization is known before that.
    pub async fn site_by_secret(&self, secret: &str) -> Result<Option<KnownSite>, ServiceError> {
        let Some(id) = named_by(secret) else { return Ok(None) };
        let Some((site, own)) = self.site_with_secret(id).await? else { return Ok(None) };
        // Hashes are compared, so that the time it takes tells nothing of the secret.
        Ok((Sha256::digest(secret) == Sha256::digest(own.expose())).then_some(site))
    }

    /// A site that has signed what it sent: `signature` is `sha256=` and the HMAC of `body` in hexadecimal digits.
    pub async fn site_by_signature(
        &self,
        integration: Uuid,
        signature: &str,
        body: &[u8],
    ) -> Result<Option<KnownSite>, ServiceError> {
        let Some((site, own)) = self.site_with_secret(integration).await? else { return Ok(None) };
        let signed = sign_with_text(body, &own);
        let given = signature.trim().to_ascii_lowercase();
        Ok((Sha256::digest(given) == Sha256::digest(signed)).then_some(site))
    }

    async fn site_with_secret(&self, id: Uuid) -> Result<Option<(KnownSite, Hidden)>, ServiceError> {
        let Some(org) = self.across.integration_owner(id).await? else { return Ok(None) };
        let tenant = self.services.store.tenant(org);
        let sealed = tenant.secret(SecretPurpose::SiteWebhook.as_str(), &id.to_string()).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let own = match self.services.unseal(&sealed) {
            Ok(own) => own,
            Err(SecretError::Store(error)) => return Err(error.into()),
            Err(error) => {
                return Err(ServiceError::Unavailable(format!("the secret of the site cannot be opened: {error}")));
            }
        };
        let integration = tenant.one::<rows::Connection>(id).await?;
        Ok(integration.map(|integration| (KnownSite { org, integration }, own)))
    }
}

impl Services {
    /// As [`SystemCalls::site_by_secret`].
    pub async fn site_by_secret(&self, secret: &str) -> Result<Option<KnownSite>, ServiceError> {
        self.system().site_by_secret(secret).await
    }

    /// As [`SystemCalls::site_by_signature`].
    pub async fn site_by_signature(
        &self,
        integration: Uuid,
        signature: &str,
        body: &[u8],
    ) -> Result<Option<KnownSite>, ServiceError> {
        self.system().site_by_signature(integration, signature, body).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_names_its_integration() {
        let id = Uuid::now_v7();
        let secret = new_site_secret(id);
        assert_eq!(named_by(secret.expose()), Some(id));
        assert_ne!(secret.expose(), new_site_secret(id).expose());
        for wrong in ["", "gs_", "gk_abc", &secret.expose()[..40], &format!("{}x", secret.expose()), "gs_ümläut"] {
            assert_eq!(named_by(wrong), None, "{wrong}");
        }
    }
}

//! API keys: made, shown once, found by hash. And the first start of an empty database.

use chrono::{DateTime, TimeDelta, Utc};
use galley_domain::{Hidden, OrgId, Permission, Principal, Scope, Who, credits};
use galley_store::{Bootstrap, EventReader, NewEventToken, NewKey, rows};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Services,
    error::{Missing, ServiceError},
    system::OperatorCalls,
    tasks::TaskView,
};

/// Keys start with this, so that people and secret scanners recognise them.
pub const KEY_PREFIX: &str = "gk_";
/// Tokens for the events of one task start with this.
const EVENT_TOKEN_PREFIX: &str = "gt_";
/// How long such a token opens streams.
const EVENT_TOKEN_MINUTES: i64 = 5;
const SECRET_CHARS: usize = 43;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#[derive(Debug, Clone)]
pub struct KeyRequest {
    pub name: String,
    pub permissions: Vec<Permission>,
    pub scopes: Vec<Scope>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl KeyRequest {
    /// May do everything.
    pub fn full(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            permissions: Permission::ALL.to_vec(),
            scopes: Scope::ALL.to_vec(),
            expires_at: None,
        }
    }
}

/// A new key. `secret` is in no other place: whoever does not keep it now makes another.
#[derive(Debug, Clone)]
pub struct IssuedKey {
    pub id: Uuid,
    pub secret: String,
}

/// A token for the events of one task. It is stored nowhere but as a hash.
#[derive(Debug, Clone)]
pub struct EventToken {
    pub token: Hidden,
    pub expires_at: DateTime<Utc>,
}

/// Keys are long and random, so one round of SHA-256 is enough: there is nothing to guess.
pub fn hash_key(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// Whether it could be a key, or whatever else has this prefix; what could not is not worth a look into the database.
pub(crate) fn is_well_formed(prefix: &str, secret: &str) -> bool {
    secret
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == SECRET_CHARS && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

pub(crate) fn random_secret(prefix: &str) -> String {
    // The v4 generator of `uuid` is the operating system's; 4 × 122 random bits are more than the key holds.
    let random: Vec<u8> = (0..4).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    let digest = [Sha256::digest(&random[..32]), Sha256::digest(&random[32..])].concat();
    let chars = digest.iter().take(SECRET_CHARS).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    prefix.chars().chain(chars).collect()
}

fn new_key(request: &KeyRequest) -> (IssuedKey, NewKey) {
    let secret = random_secret(KEY_PREFIX);
    let id = Uuid::now_v7();
    let stored = NewKey {
        id,
        name: request.name.clone(),
        prefix: secret.chars().take(KEY_PREFIX.len() + 6).collect(),
        hash: hash_key(&secret),
        permissions: request.permissions.iter().map(|word| word.as_str().to_owned()).collect(),
        scopes: request.scopes.iter().map(|word| word.as_str().to_owned()).collect(),
        expires_at: request.expires_at,
    };
    (IssuedKey { id, secret }, stored)
}

impl Services {
    /// Who holds this key, if anyone does.
    pub async fn principal(&self, secret: &str) -> Result<Option<Principal>, ServiceError> {
        if !is_well_formed(KEY_PREFIX, secret) {
            return Ok(None);
        }
        Ok(self.store.reads().principal_by_key(hash_key(secret)).await?)
    }

    /// Who holds this key, and the task of theirs with that id: one look at the database for both. What is wrong with the
    /// task is said in its place.
    pub async fn principal_with_task(
        &self,
        secret: &str,
        id: Uuid,
    ) -> Result<Option<(Principal, Result<TaskView, ServiceError>)>, ServiceError> {
        if !is_well_formed(KEY_PREFIX, secret) {
            return Ok(None);
        }
        let Some((principal, task)) = self.store.reads().poll(hash_key(secret), id).await? else { return Ok(None) };
        let task = match task {
            Ok(Some(row)) => self.view(row),
            Ok(None) => Err(ServiceError::NotFound(Missing::Task)),
            Err(error) => Err(error.into()),
        };
        Ok(Some((principal, task)))
    }

    /// Whether a principal may still ask, for what outlives the request that it came with.
    pub async fn is_in_force(&self, org: OrgId, who: Who) -> Result<bool, ServiceError> {
        match who {
            Who::Key(id) => Ok(self.store.reads().key_in_force(org, id).await?),
            // Nobody can sign in yet, so nobody has.
            Who::User(_) => Ok(false),
            Who::Operator | Who::System => Ok(true),
        }
    }

    /// A token with which the events of a task can be followed without a key, for a few minutes.
    pub async fn make_event_token(&self, principal: &Principal, task: Uuid) -> Result<EventToken, ServiceError> {
        let key = principal.key().ok_or(ServiceError::NotFound(Missing::Key))?;
        let tx = self.store.begin(principal.org).await?;
        tx.task_head(task).await?.ok_or(ServiceError::NotFound(Missing::Task))?;
        let token = random_secret(EVENT_TOKEN_PREFIX);
        let expires_at = tx.now().await? + TimeDelta::minutes(EVENT_TOKEN_MINUTES);
        tx.insert_event_token(NewEventToken { hash: hash_key(&token), task, key, expires_at }).await?;
        tx.commit().await?;
        Ok(EventToken { token: Hidden::new(token), expires_at })
    }

    /// What a token for events opens, if it is in force.
    pub async fn event_reader(&self, token: &str) -> Result<Option<EventReader>, ServiceError> {
        if !is_well_formed(EVENT_TOKEN_PREFIX, token) {
            return Ok(None);
        }
        Ok(self.store.reads().event_token(hash_key(token)).await?)
    }

    pub async fn create_key(&self, org: OrgId, request: &KeyRequest) -> Result<IssuedKey, ServiceError> {
        let (issued, stored) = new_key(request);
        let tx = self.store.begin(org).await?;
        tx.insert_key(stored, None).await?;
        tx.commit().await?;
        Ok(issued)
    }

    pub async fn revoke_key(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = tx.revoke_key(id).await?;
        tx.commit().await?;
        if found { Ok(()) } else { Err(ServiceError::NotFound(crate::Missing::Key)) }
    }

    pub async fn keys(&self, org: OrgId) -> Result<Vec<rows::ApiKey>, ServiceError> {
        Ok(self.store.tenant(org).keys().await?)
    }
}

impl OperatorCalls<'_> {
    /// Every organization with its name, the oldest first.
    pub async fn organizations(&self) -> Result<Vec<(OrgId, String)>, ServiceError> {
        Ok(self.across.organizations().await?)
    }

    /// The oldest organization; made with its admin and its first credits when the database is empty.
    pub async fn ensure_organization(
        &self,
        name: &str,
        admin_email: &str,
        credits: Decimal,
    ) -> Result<OrgId, ServiceError> {
        if let Some((org, _)) = self.across.organizations().await?.into_iter().next() {
            return Ok(org);
        }
        let first = Bootstrap { organization: name.to_owned(), admin_email: admin_email.to_owned(), credits };
        if let Some(org) = self.across.bootstrap(first).await? {
            return Ok(org);
        }
        // Another process was first.
        let found = self.across.organizations().await?.into_iter().next();
        found.map(|(org, _)| org).ok_or(ServiceError::NotFound(crate::Missing::Organization))
    }

    /// A key that may do everything, if the organization has no key yet.
    pub async fn first_key(&self, org: OrgId) -> Result<Option<IssuedKey>, ServiceError> {
        let (issued, stored) = new_key(&KeyRequest::full("first key"));
        let tx = self.services.store.begin(org).await?;
        let inserted = tx.insert_first_key(stored).await?;
        tx.commit().await?;
        Ok(inserted.then_some(issued))
    }

    /// Adds credits; returns the new balance.
    pub async fn grant_credits(&self, org: OrgId, amount: Decimal, note: &str) -> Result<Decimal, ServiceError> {
        credits::check_grant(amount).map_err(|wrong| ServiceError::field("amount", wrong))?;
        let tx = self.services.store.begin(org).await?;
        let (balance, _) = tx.credits().await?;
        if balance + amount > credits::most() {
            let (most, free) = (credits::most(), (credits::most() - balance).normalize());
            let message =
                format!("a balance may be up to {most}, and this one is {}; grant at most {free}", balance.normalize());
            return Err(ServiceError::field("amount", message));
        }
        let balance = tx.grant(amount, note).await?;
        tx.commit().await?;
        Ok(balance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_recognisable_and_never_the_same() {
        let (one, stored) = new_key(&KeyRequest::full("a"));
        let (two, _) = new_key(&KeyRequest::full("a"));
        assert!(one.secret.starts_with("gk_") && one.secret.len() == 3 + SECRET_CHARS);
        assert_ne!(one.secret, two.secret);
        assert!(is_well_formed(KEY_PREFIX, &one.secret) && !is_well_formed(KEY_PREFIX, &one.secret[1..]));
        assert_eq!(stored.hash, hash_key(&one.secret));
        assert!(!format!("{stored:?}").contains(&one.secret), "the stored form does not hold the key");
    }
}

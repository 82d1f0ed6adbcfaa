//! What an installation signs access tokens with and derives its other tokens from. Of the keys in force the newest makes and
//! all are taken, so that a key can be changed without signing anybody out.

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair},
};
use galley_domain::{Hidden, OrgId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    NoRandom, random,
    token::{SECRET_BYTES, Token},
};

/// Longer ones are none of ours.
const MOST_TOKEN_BYTES: usize = 4 << 10;
const AUDIENCE: &str = "galley";

/// Why a key of the installation is unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key is damaged; another has to take its place")]
pub struct DamagedKey;

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: String,
    aud: String,
    /// The user.
    pub sub: Uuid,
    /// The organization.
    pub org: Uuid,
    /// The session.
    pub sid: Uuid,
    /// Seconds since 1970.
    pub iat: i64,
    pub exp: i64,
}

impl AccessClaims {
    pub fn new(issuer: &str, user: Uuid, org: OrgId, session: Uuid, from: i64, to: i64) -> Self {
        let (iss, aud) = (issuer.to_owned(), AUDIENCE.to_owned());
        Self { iss, aud, sub: user, org: org.0, sid: session, iat: from, exp: to }
    }
}

/// A key of the installation.
pub struct InstallationKey {
    id: Uuid,
    signs: EncodingKey,
    checks: DecodingKey,
    derives: hmac::Key,
}

impl std::fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("InstallationKey").field(&self.id).finish()
    }
}

impl InstallationKey {
    /// What a new key is made of, as it is to be kept under lock.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn new_seed() -> Result<Hidden, NoRandom> {
        let bytes = Zeroizing::new(random::<32>()?);
        Ok(Hidden::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    /// # Errors
    /// When it was not made of [`Self::new_seed`].
    pub fn of(id: Uuid, seed: &Hidden) -> Result<Self, DamagedKey> {
        let pair = |at: usize| seed.expose().get(at * 2..at * 2 + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let bytes: Option<Zeroizing<Vec<u8>>> = (0..32).map(pair).collect::<Option<Vec<u8>>>().map(Zeroizing::new);
        let seed = bytes.filter(|_| seed.expose().len() == 64).ok_or(DamagedKey)?;
        let root = hmac::Key::new(hmac::HMAC_SHA256, &seed);
        let access = hmac::sign(&root, b"access tokens");
        let pair = Ed25519KeyPair::from_seed_unchecked(access.as_ref()).map_err(|_| DamagedKey)?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| DamagedKey)?;
        Ok(Self {
            id,
            signs: EncodingKey::from_ed_der(pkcs8.as_ref()),
            checks: DecodingKey::from_ed_der(pair.public_key().as_ref()),
            derives: hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"derived tokens").as_ref()),
        })
    }

    fn derived(&self, what: &str, of: &[u8]) -> hmac::Tag {
        hmac::sign(&self.derives, &[what.as_bytes(), b"\0", of].concat())
    }
}

/// The keys that are in force, the newest first.
#[derive(Debug)]
pub struct KeyRing(Vec<InstallationKey>);

impl KeyRing {
    /// Nothing without a key.
    pub fn new(newest_first: Vec<InstallationKey>) -> Option<Self> {
        (!newest_first.is_empty()).then_some(Self(newest_first))
    }

    fn newest(&self) -> &InstallationKey {
        &self.0[0]
    }

    pub fn has(&self, id: Uuid) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// An access token, signed with the newest key.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn sign(&self, claims: &AccessClaims) -> Result<Hidden, DamagedKey> {
        let key = self.newest();
        let header = Header { kid: Some(key.id.simple().to_string()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &key.signs).map(Hidden::new).map_err(|_| DamagedKey)
    }

    /// What an access token of this installation says, if `now` is not more than `grace` seconds behind its end.
    pub fn access(&self, token: &str, issuer: &str, now: i64, grace: i64) -> Option<AccessClaims> {
        let id = key_of(token)?;
        let key = self.0.iter().find(|key| key.id == id)?;
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[issuer]);
        rules.set_required_spec_claims(&["aud", "exp", "iss", "sub"]);
        // The caller's clock decides.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<AccessClaims>(token, &key.checks, &rules).ok()?.claims;
        (claims.exp.saturating_add(grace) > now).then_some(claims)
    }

    /// The token of a row and its number, always the same: one that was lost on its way can be given once more.
    pub fn successor(&self, prefix: &str, token: Token) -> Hidden {
        spelled(self.newest(), prefix, token)
    }

    /// The same by each of the keys in force.
    pub fn all(&self, prefix: &str, token: Token) -> Vec<Hidden> {
        self.0.iter().map(|key| spelled(key, prefix, token)).collect()
    }

    /// Whether this text was made by [`Self::successor`], by a key that is still in force.
    pub fn is_own(&self, prefix: &str, token: Token, text: &str) -> bool {
        let same = |made: &Hidden| {
            aws_lc_rs::constant_time::verify_slices_are_equal(made.expose().as_bytes(), text.as_bytes()).is_ok()
        };
        self.all(prefix, token).iter().any(same)
    }

    /// What is kept of a short code, which could be guessed from a plain hash.
    pub fn code_hash(&self, what: &str, code: &str) -> Vec<u8> {
        self.newest().derived(what, code.as_bytes()).as_ref().to_vec()
    }

    pub fn is_code(&self, what: &str, code: &str, hash: &[u8]) -> bool {
        let is = |key: &InstallationKey| {
            let made = key.derived(what, code.as_bytes());
            aws_lc_rs::constant_time::verify_slices_are_equal(made.as_ref(), hash).is_ok()
        };
        self.0.iter().any(is)
    }
}

fn spelled(key: &InstallationKey, prefix: &str, token: Token) -> Hidden {
    let of = [token.id.as_bytes().as_slice(), &token.generation.to_be_bytes()].concat();
    let tag = key.derived(prefix, &of);
    let mut secret = [0; SECRET_BYTES];
    secret.copy_from_slice(&tag.as_ref()[..SECRET_BYTES]);
    token.spelled(prefix, &secret)
}

/// Which key signed an access token, as it says itself.
pub fn key_of(token: &str) -> Option<Uuid> {
    if token.len() > MOST_TOKEN_BYTES {
        return None;
    }
    jsonwebtoken::decode_header(token).ok()?.kid?.parse().ok()
}

/// Whether a text has the form of an access token, and so not that of a key.
pub fn looks_signed(text: &str) -> bool {
    text.starts_with("ey") && text.bytes().filter(|sign| *sign == b'.').count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u128) -> InstallationKey {
        InstallationKey::of(Uuid::from_u128(id), &InstallationKey::new_seed().expect("random")).expect("a key")
    }

    fn claims() -> AccessClaims {
        let id = Uuid::from_u128;
        AccessClaims::new("https://galley.test", id(1), OrgId(id(2)), id(3), 1_000, 1_600)
    }

    #[test]
    fn an_access_token_is_taken_until_its_end_by_whoever_has_its_key() {
        let ring = KeyRing::new(vec![key(7)]).expect("a key");
        let token = ring.sign(&claims()).expect("signed");
        assert!(looks_signed(token.expose()));
        let at = |now, grace| ring.access(token.expose(), "https://galley.test", now, grace);
        assert_eq!(at(1_599, 0), Some(claims()));
        assert_eq!([at(1_600, 0), at(1_660, 60)], [None, None]);
        assert_eq!(at(1_659, 60), Some(claims()));
        assert_eq!(ring.access(token.expose(), "https://other.test", 1_100, 0), None, "of another installation");
        let other = KeyRing::new(vec![key(7)]).expect("a key");
        assert_eq!(other.access(token.expose(), "https://galley.test", 1_100, 0), None, "the same id, another key");
    }

    #[test]
    fn a_changed_token_and_another_algorithm_are_refused() {
        let own = key(7);
        let kid = Some(own.id.simple().to_string());
        // Each is signed as it says, so that nothing but what is wrong with it can be why it is refused.
        let signed =
            |header: &Header, claims: &AccessClaims| jsonwebtoken::encode(header, claims, &own.signs).expect("signed");
        let plain = Header { kid: kid.clone(), ..Header::new(Algorithm::EdDSA) };
        let secret = EncodingKey::from_secret(own.checks.try_get_as_bytes().expect("a public key")).expect("a secret");
        let confused = Header { kid: kid.clone(), ..Header::new(Algorithm::HS256) };
        let good = signed(&plain, &claims());
        let (said, signature) = good.rsplit_once('.').expect("three parts");
        let (head, _) = said.split_once('.').expect("three parts");
        let other = signed(&plain, &AccessClaims { sub: Uuid::from_u128(9), ..claims() });
        let moved = other.split('.').nth(1).expect("three parts");
        let wrong = [
            ("the public key as a secret", jsonwebtoken::encode(&confused, &claims(), &secret).expect("signed")),
            ("what must be understood", signed(&Header { crit: Some(vec!["b64".into()]), ..plain.clone() }, &claims())),
            ("no key", signed(&Header::new(Algorithm::EdDSA), &claims())),
            ("no such key", signed(&Header { kid: Some("../../etc/passwd".into()), ..plain.clone() }, &claims())),
            ("another audience", signed(&plain, &AccessClaims { aud: "others".into(), ..claims() })),
            ("other claims", format!("{head}.{moved}.{signature}")),
            ("no signature", format!("{said}.")),
            // {"alg":"none"} with the claims as they are.
            ("no algorithm", format!("eyJhbGciOiJub25lIn0.{moved}.")),
            ("nothing", String::new()),
            ("no token", "a.b.c".to_owned()),
            ("too long", signed(&Header { typ: Some("x".repeat(MOST_TOKEN_BYTES)), ..plain.clone() }, &claims())),
        ];
        let ring = KeyRing::new(vec![own]).expect("a key");
        assert!(ring.access(&good, "https://galley.test", 1_100, 0).is_some());
        for (why, token) in wrong {
            assert_eq!(ring.access(&token, "https://galley.test", 1_100, 0), None, "{why}");
        }
    }

    #[test]
    fn tokens_of_the_key_before_are_still_taken() {
        let seed = InstallationKey::new_seed().expect("random");
        let old = |id| InstallationKey::of(Uuid::from_u128(id), &seed).expect("a key");
        let before = KeyRing::new(vec![old(1)]).expect("a key");
        let (token, row) = (before.sign(&claims()).expect("signed"), Token { id: Uuid::from_u128(9), generation: 4 });
        let refresh = before.successor("gr_", row);
        let hash = before.code_hash("login", "123456");
        let after = KeyRing::new(vec![key(2), old(1)]).expect("keys");
        assert!(after.access(token.expose(), "https://galley.test", 1_100, 0).is_some());
        assert!(after.is_own("gr_", row, refresh.expose()) && after.is_code("login", "123456", &hash));
        assert_ne!(after.successor("gr_", row).expose(), refresh.expose(), "made by the newest");
        assert!(!after.is_own("gr_", Token { generation: 3, ..row }, refresh.expose()));
        assert!(!after.is_code("login", "123457", &hash) && !after.is_code("disable", "123456", &hash));
        let gone = KeyRing::new(vec![key(3), key(2)]).expect("keys");
        assert!(gone.access(token.expose(), "https://galley.test", 1_100, 0).is_none());
        assert!(!gone.is_own("gr_", row, refresh.expose()));
        assert!(KeyRing::new(Vec::new()).is_none());
        assert!(InstallationKey::of(Uuid::nil(), &Hidden::new("zz".repeat(32))).is_err());
        assert!(InstallationKey::of(Uuid::nil(), &Hidden::new("00".repeat(31))).is_err());
    }
}

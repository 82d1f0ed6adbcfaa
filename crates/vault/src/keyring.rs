//! Envelope keys: read, made, named.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, RandomizedNonceKey},
    digest, hmac, rand,
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use galley_domain::Hidden;
use zeroize::Zeroizing;

use crate::seal::VaultError;

/// The bytes of every key here.
pub(crate) const KEY_BYTES: usize = 32;
/// The most previous keys of a ring.
pub const MOST_PREVIOUS: usize = 16;
/// So that the id of a key is not the hash that anything else may have of it.
const ID_WORD: &[u8] = b"galley envelope key id\0";
const ID_BYTES: usize = 8;
/// So that what signs is not what seals.
const SIGNING_WORD: &[u8] = b"galley signing key\0";

/// People copy keys with and without the `=` at their end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The name of an envelope key, 16 hexadecimal digits: derived from the key, of which it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An envelope key that cannot be used. It never repeats the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("{0} is not 32 bytes in Base64; make a key with: galley secrets new-key")]
    Unreadable(&'static str),
    #[error(
        "secrets.previous_keys has more than {MOST_PREVIOUS} keys; remove those that `galley secrets status` does not need"
    )]
    TooMany,
}

/// A new envelope key in Base64, from the operating system's random numbers.
///
/// # Errors
/// When the system gives none.
pub fn new_key() -> Result<Hidden, VaultError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    rand::fill(key.as_mut_slice()).map_err(|_| VaultError::Random)?;
    Ok(Hidden::new(BASE64.encode(key.as_slice())))
}

pub(crate) struct EnvelopeKey {
    pub(crate) id: KeyId,
    pub(crate) cipher: RandomizedNonceKey,
    signing: hmac::Key,
}

impl EnvelopeKey {
    fn read(text: &Hidden, setting: &'static str) -> Result<Self, KeyError> {
        let wrong = || KeyError::Unreadable(setting);
        // One byte more than a key, so that what is too long does not fit and the buffer never grows.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
        let length = BASE64.decode_slice(text.expose().trim(), bytes.as_mut_slice()).map_err(|_| wrong())?;
        let key = bytes.get(..length).filter(|key| key.len() == KEY_BYTES).ok_or_else(wrong)?;
        let mut named = digest::Context::new(&digest::SHA256);
        named.update(ID_WORD);
        named.update(key);
        let id = named.finish().as_ref().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
        let cipher = RandomizedNonceKey::new(&AES_256_GCM_SIV, key).map_err(|_| wrong())?;
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), SIGNING_WORD);
        Ok(Self { id: KeyId(id), cipher, signing: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) })
    }
}

/// The operator's keys: the current one seals, all of them open.
pub struct Keyring {
    keys: Vec<EnvelopeKey>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| key.id.as_str())).finish()
    }
}

impl Keyring {
    /// Keys are 32 bytes in Base64. A key that is given twice counts once.
    ///
    /// # Errors
    /// When a key is none, or there are more than [`MOST_PREVIOUS`] previous ones; the message names the setting.
    pub fn new<'a>(current: &Hidden, previous: impl IntoIterator<Item = &'a Hidden>) -> Result<Self, KeyError> {
        let mut keys = vec![EnvelopeKey::read(current, "secrets.key")?];
        for (index, text) in previous.into_iter().enumerate() {
            if index == MOST_PREVIOUS {
                return Err(KeyError::TooMany);
            }
            let key = EnvelopeKey::read(text, "a key in secrets.previous_keys")?;
            if keys.iter().all(|known| known.id != key.id) {
                keys.push(key);
            }
        }
        Ok(Self { keys })
    }

    /// The id of the key that seals.
    pub fn current(&self) -> &KeyId {
        &self.keys[0].id
    }

    /// The ids of the keys that only open.
    pub fn previous(&self) -> impl Iterator<Item = &KeyId> {
        self.keys.iter().skip(1).map(|key| &key.id)
    }

    /// A signature of a text that is handed out and comes back, by the current key: 32 bytes. `purpose` keeps what is signed
    /// for one thing from being taken for another; it holds no zero byte.
    pub fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut signature = [0; 32];
        let mut context = hmac::Context::with_key(&self.keys[0].signing);
        [purpose, "\0", text].iter().for_each(|part| context.update(part.as_bytes()));
        signature.copy_from_slice(context.sign().as_ref());
        signature
    }

    /// Whether one of the keys has signed this text for this purpose.
    pub fn has_signed(&self, purpose: &str, text: &str, signature: &[u8]) -> bool {
        let signed = [purpose, "\0", text].concat();
        self.keys.iter().any(|key| hmac::verify(&key.signing, signed.as_bytes(), signature).is_ok())
    }

    pub(crate) fn sealing(&self) -> &EnvelopeKey {
        &self.keys[0]
    }

    /// # Errors
    /// When no key of the ring has this id.
    pub(crate) fn opening(&self, id: &str) -> Result<&EnvelopeKey, VaultError> {
        self.keys.iter().find(|key| key.id.as_str() == id).ok_or_else(|| VaultError::unknown(id))
    }
}

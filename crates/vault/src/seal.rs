//! Sealing, opening, and changing the envelope.

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    rand,
};
use galley_domain::{Hidden, OrgId};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::keyring::{KEY_BYTES, Keyring};

/// The most bytes of a secret; the least is one.
pub const MOST_BYTES: usize = 8 << 10;
const TAG_BYTES: usize = 16;
/// What is authenticated begins with this. Whoever changes the form changes the word.
const VERSION: &[u8] = b"galley secret 1\0";
/// A key id that comes from a damaged row is shown up to here.
const SHOWN_ID: usize = 16;

/// Where a secret belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub org: OrgId,
    pub row: Uuid,
    /// What the secret is for, for example `model_key`.
    pub purpose: &'a str,
}

/// A secret as it is stored. Each blob is nonce (12 bytes), ciphertext, tag (16 bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The envelope key over `wrapped_key`.
    pub key_id: String,
    /// The data key, encrypted with the envelope key.
    pub wrapped_key: Vec<u8>,
    /// The secret, encrypted with the data key.
    pub sealed: Vec<u8>,
}

/// Why a secret was not sealed or opened. It holds no byte of a secret or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("a secret has 1 to {MOST_BYTES} bytes; this one has {0}")]
    Length(usize),
    #[error(
        "the secret is sealed under the envelope key {0}, which is not here; add the key that sealed it to secrets.previous_keys"
    )]
    UnknownKey(String),
    #[error("the secret does not open: it was changed, or belongs to another row or organization; set it again")]
    NotOpened,
    #[error("the operating system gives no random numbers; nothing was sealed")]
    Random,
}

impl VaultError {
    pub(crate) fn unknown(id: &str) -> Self {
        Self::UnknownKey(id.chars().filter(|letter| letter.is_ascii_graphic()).take(SHOWN_ID).collect())
    }
}

/// What a blob holds: one is never taken for the other.
#[derive(Debug, Clone, Copy)]
enum Layer {
    DataKey,
    Text,
}

impl Place<'_> {
    fn authenticated(&self, layer: Layer) -> Vec<u8> {
        let layer: &[u8] = match layer {
            Layer::DataKey => b"data key\0",
            Layer::Text => b"text\0",
        };
        // All parts but the last have a fixed length or an end, so no two places read the same.
        [VERSION, layer, self.org.0.as_bytes(), self.row.as_bytes(), self.purpose.as_bytes()].concat()
    }
}

impl Keyring {
    /// Encrypts a secret for its place, under the current key.
    ///
    /// # Errors
    /// When it has not 1 to [`MOST_BYTES`] bytes.
    pub fn seal(&self, place: Place<'_>, secret: &Hidden) -> Result<Sealed, VaultError> {
        let text = secret.expose().as_bytes();
        if !(1..=MOST_BYTES).contains(&text.len()) {
            return Err(VaultError::Length(text.len()));
        }
        let mut data_key = Zeroizing::new([0; KEY_BYTES]);
        rand::fill(data_key.as_mut_slice()).map_err(|_| VaultError::Random)?;
        let sealed = encrypt(&cipher(data_key.as_slice())?, &place.authenticated(Layer::Text), text)?;
        self.wrap(place, data_key.as_slice(), sealed)
    }

    /// Decrypts a secret at its place.
    ///
    /// # Errors
    /// When its envelope key is not in the ring, or when it was changed or belongs elsewhere.
    pub fn open(&self, place: Place<'_>, secret: &Sealed) -> Result<Hidden, VaultError> {
        let data_key = self.unwrap(place, &secret.key_id, &secret.wrapped_key)?;
        let text = decrypt(&cipher(data_key.as_slice())?, &place.authenticated(Layer::Text), &secret.sealed)?;
        let text = std::str::from_utf8(&text).map_err(|_| VaultError::NotOpened)?;
        Ok(Hidden::new(text))
    }

    /// Encrypts the data key anew, under the current key; the secret itself stays as it is and is not decrypted.
    ///
    /// # Errors
    /// As [`Keyring::open`], as far as the data key goes.
    pub fn rewrap(&self, place: Place<'_>, secret: Sealed) -> Result<Sealed, VaultError> {
        let data_key = self.unwrap(place, &secret.key_id, &secret.wrapped_key)?;
        self.wrap(place, data_key.as_slice(), secret.sealed)
    }

    fn wrap(&self, place: Place<'_>, data_key: &[u8], sealed: Vec<u8>) -> Result<Sealed, VaultError> {
        let key = self.sealing();
        let wrapped_key = encrypt(&key.cipher, &place.authenticated(Layer::DataKey), data_key)?;
        Ok(Sealed { key_id: key.id.to_string(), wrapped_key, sealed })
    }

    fn unwrap(&self, place: Place<'_>, id: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        decrypt(&self.opening(id)?.cipher, &place.authenticated(Layer::DataKey), wrapped)
    }
}

fn cipher(key: &[u8]) -> Result<RandomizedNonceKey, VaultError> {
    RandomizedNonceKey::new(&AES_256_GCM_SIV, key).map_err(|_| VaultError::NotOpened)
}

fn encrypt(cipher: &RandomizedNonceKey, aad: &[u8], text: &[u8]) -> Result<Vec<u8>, VaultError> {
    // Encrypted where it lies, in a buffer that never grows: no copy of the text is left behind.
    let mut buffer = Vec::with_capacity(text.len() + TAG_BYTES);
    buffer.extend_from_slice(text);
    let nonce = cipher.seal_in_place_append_tag(Aad::from(aad), &mut buffer).map_err(|_| VaultError::Random)?;
    Ok([nonce.as_ref().as_slice(), &buffer].concat())
}

fn decrypt(cipher: &RandomizedNonceKey, aad: &[u8], blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, rest) = blob.split_at_checked(NONCE_LEN).ok_or(VaultError::NotOpened)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::NotOpened)?;
    let mut buffer = Zeroizing::new(rest.to_vec());
    let length = cipher.open_in_place(nonce, Aad::from(aad), &mut buffer).map_err(|_| VaultError::NotOpened)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

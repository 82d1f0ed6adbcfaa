//! Secrets of endpoints, and the signatures made with them.

use std::fmt;

use aws_lc_rs::{
    hmac::{Context, HMAC_SHA256, Key},
    rand,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use galley_domain::Hidden;
use zeroize::Zeroizing;

/// What a secret starts with. Those that were stored before this was asked of clients may lack it.
pub const SECRET_PREFIX: &str = "whsec_";
/// The fewest and the most bytes of a secret once it is decoded.
pub const SECRET_BYTES: (usize, usize) = (24, 64);
/// Bytes of a secret that we make.
const NEW_BYTES: usize = 32;

/// The secret of an endpoint. `Debug` shows stars, and the memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Secret {
    /// As it was made or given: it is shown once, and in 003's dialect this text is the key.
    text: Hidden,
    key: Key,
}

/// Why a secret is not taken, in the words of a field's error: `secret` stands before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error(
        "must be `{SECRET_PREFIX}` and Base64 in its standard alphabet with padding; \
         encode the key's bytes, the text itself is not taken as the key"
    )]
    NotBase64,
    #[error(
        "must be `{SECRET_PREFIX}` and the Base64 of {} to {} bytes; the prefix is missing",
        SECRET_BYTES.0, SECRET_BYTES.1
    )]
    NoPrefix,
    #[error("has {bytes} bytes once decoded; give {} to {}", SECRET_BYTES.0, SECRET_BYTES.1)]
    Length { bytes: usize },
    #[error("cannot be made: the operating system gives no random numbers")]
    Random,
}

impl Secret {
    /// A new one: `whsec_` and 32 random bytes in Base64.
    ///
    /// # Errors
    /// [`SecretError::Random`].
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = Zeroizing::new([0; NEW_BYTES]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| SecretError::Random)?;
        let encoded = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
        let text = Hidden::new(format!("{SECRET_PREFIX}{}", encoded.as_str()));
        Ok(Self { text, key: Key::new(HMAC_SHA256, bytes.as_slice()) })
    }

    /// Reads one that a client brings, which has the prefix.
    ///
    /// # Errors
    /// [`SecretError::NoPrefix`], else as [`Self::parse`].
    pub fn own(text: &str) -> Result<Self, SecretError> {
        if !text.starts_with(SECRET_PREFIX) {
            return Err(SecretError::NoPrefix);
        }
        Self::parse(text)
    }

    /// Reads one that was stored. The text is kept as it is. It is Base64 with and without the prefix, and strictly so:
    /// libraries of receivers skip characters that they do not know, and would then verify with another key than the one
    /// that signed.
    ///
    /// # Errors
    /// [`SecretError::NotBase64`], or [`SecretError::Length`] outside of [`SECRET_BYTES`]. No message repeats the text.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| SecretError::NotBase64)?);
        if !(SECRET_BYTES.0..=SECRET_BYTES.1).contains(&bytes.len()) {
            return Err(SecretError::Length { bytes: bytes.len() });
        }
        Ok(Self { text: Hidden::new(text), key: Key::new(HMAC_SHA256, &bytes) })
    }

    /// The text, for the vault and for the one answer that shows it.
    pub fn text(&self) -> &Hidden {
        &self.text
    }

    /// A receiver's words without this secret, with or without its prefix.
    pub(crate) fn strike_out(&self, words: &str) -> String {
        let whole = self.text.strike_out(words);
        match self.text.expose().strip_prefix(SECRET_PREFIX) {
            Some(encoded) => galley_domain::hidden::strike_out(encoded, &whole),
            None => whole,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({:?})", self.text)
    }
}

/// The value of `webhook-signature`: one `v1,` signature of `{id}.{timestamp}.{body}` for each secret in the order given,
/// which is the newest first. `timestamp` is the attempt's, in seconds of Unix time.
pub fn sign(id: &str, timestamp: i64, body: &[u8], secrets: &[Secret]) -> String {
    let head = format!("{id}.{timestamp}.");
    let one = |secret: &Secret| {
        let mut context = Context::with_key(&secret.key);
        context.update(head.as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The value of 003's `X-Webhook-Signature`: `sha256=` and the HMAC of the body in hexadecimal digits. The key is the
/// text of the secret, prefix included. The header has no place for a second one during an overlap.
pub fn sign_003(body: &[u8], secret: &Secret) -> String {
    sign_with_text(body, &secret.text)
}

/// The same with a text that is no [`Secret`] of an endpoint, for what signs its calls in that way.
pub fn sign_with_text(body: &[u8], secret: &Hidden) -> String {
    let key = Key::new(HMAC_SHA256, secret.expose().as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, body);
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: usize) -> String {
        STANDARD.encode(vec![7; bytes])
    }

    fn signed(secret: &Secret) -> String {
        sign("a", 1, b"x", std::slice::from_ref(secret))
    }

    #[test]
    fn a_new_secret_reads_back_and_is_no_other() {
        let secret = Secret::generate().unwrap();
        let text = secret.text().expose();
        assert_eq!(STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
        let again = Secret::parse(text).unwrap();
        assert_eq!(signed(&secret), signed(&again));
        assert_ne!(text, Secret::generate().unwrap().text().expose());
    }

    #[test]
    fn the_prefix_changes_nothing_but_the_text() {
        let bare = Secret::parse(&encoded(24)).unwrap();
        let prefixed = Secret::parse(&format!("whsec_{}", encoded(24))).unwrap();
        assert_eq!(signed(&bare), signed(&prefixed));
        assert_ne!(sign_003(b"x", &bare), sign_003(b"x", &prefixed), "in 003 the key is the text");
        assert_eq!(bare.text().expose(), encoded(24));
    }

    #[test]
    fn one_that_a_client_brings_has_the_prefix() {
        assert_eq!(Secret::own(&encoded(32)).unwrap_err(), SecretError::NoPrefix);
        let told = SecretError::NoPrefix.to_string();
        assert!(told.starts_with("must be `whsec_` and the Base64 of 24 to 64 bytes"), "{told}");
        assert_eq!(Secret::own("WHSEC_AAAA").unwrap_err(), SecretError::NoPrefix);
        let own = format!("whsec_{}", encoded(32));
        assert_eq!(Secret::own(&own).unwrap().text().expose(), own);
    }

    #[test]
    fn lengths_are_of_the_decoded_bytes() {
        for (bytes, fits) in [(0, false), (23, false), (24, true), (32, true), (64, true), (65, false), (1000, false)] {
            match Secret::parse(&encoded(bytes)) {
                Ok(_) => assert!(fits, "{bytes}"),
                Err(error) => assert_eq!((error, fits), (SecretError::Length { bytes }, false)),
            }
        }
    }

    #[test]
    fn what_is_no_base64_is_refused_without_repeating_it() {
        let url_safe = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_";
        let unpadded = encoded(25).replace('=', "");
        let spaced = format!(" {}", encoded(24));
        for text in ["a plain password of many letters", url_safe, &unpadded, &spaced, "whsec_whsec_AAAA", "whsec_ü"] {
            let error = Secret::parse(text).unwrap_err();
            assert_eq!(error, SecretError::NotBase64, "{text}");
            assert!(!error.to_string().contains(text) && error.to_string().contains("Base64"), "{error}");
        }
    }

    #[test]
    fn it_shows_nowhere() {
        let secret = Secret::generate().unwrap();
        let text = secret.text().expose();
        let bare = text.strip_prefix("whsec_").unwrap();
        let shown = format!("{secret:?} {:?} {}", Some(&secret), secret.text());
        assert!(!shown.contains(bare) && shown.contains("****"), "{shown}");
        let told = secret.strike_out(&format!("bad secret {text}, or {bare}"));
        assert!(!told.contains(bare) && told.starts_with("bad secret [hidden]"), "{told}");
    }
}

//! The form of what opens something: a prefix that ends in `_`, id `_` secret `_` checksum, in letters and digits. (Keys and
//! tokens of before, which services make, have a prefix and a secret.)
//!
//! The prefix tells people and secret scanners what it is, the id which row it belongs to, and the checksum lets what was
//! mistyped or made up die without a look into the database. What is kept of it is a hash.

use aws_lc_rs::digest::{SHA256, digest};
use galley_domain::Hidden;
use uuid::Uuid;

use crate::{NoRandom, random};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random bytes of a secret: 256 bits.
pub const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;
/// An id of 16 bytes and a number of 4.
const ID_BYTES: usize = 20;
const ID_CHARS: usize = 27;
const SUM_BYTES: usize = 4;
const SUM_CHARS: usize = 6;

/// A token that was read: whose it says that it is. Whether that is so its hash tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub id: Uuid,
    /// Which one of its row, for tokens that follow each other.
    pub generation: u32,
}

impl Token {
    pub fn new(id: Uuid) -> Self {
        Self { id, generation: 0 }
    }

    fn bytes(self) -> [u8; ID_BYTES] {
        let mut bytes = [0; ID_BYTES];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..].copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }

    /// As it is sent, with this secret.
    pub fn spelled(self, prefix: &str, secret: &[u8; SECRET_BYTES]) -> Hidden {
        let said = format!("{prefix}{}_{}", spell(&self.bytes(), ID_CHARS), spell(secret, SECRET_CHARS));
        let sum = checksum(&said);
        Hidden::new(format!("{said}_{sum}"))
    }

    /// As it is sent, with a secret that nobody can guess.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random(self, prefix: &str) -> Result<Hidden, NoRandom> {
        Ok(self.spelled(prefix, &random()?))
    }

    /// Nothing for what is no token of this prefix.
    pub fn read(prefix: &str, text: &str) -> Option<Self> {
        let (said, sum) = text.rsplit_once('_')?;
        let (id, secret) = said.strip_prefix(prefix)?.split_once('_')?;
        let is_whole = secret.len() == SECRET_CHARS && secret.bytes().all(|sign| sign.is_ascii_alphanumeric());
        if !is_whole || checksum(said) != sum {
            return None;
        }
        let bytes = bytes_of(id)?;
        let (id, generation) = bytes.split_at(16);
        Some(Self { id: Uuid::from_slice(id).ok()?, generation: u32::from_be_bytes(generation.try_into().ok()?) })
    }
}

/// Tokens are long and random, so one round of SHA-256 is enough: there is nothing to guess.
pub fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn checksum(said: &str) -> String {
    spell(&digest(&SHA256, said.as_bytes()).as_ref()[..SUM_BYTES], SUM_CHARS)
}

/// Bytes as so many digits of 62.
fn spell(bytes: &[u8], chars: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![0; chars];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in &mut number {
            let here = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(here / 62).unwrap_or_default();
            rest = here % 62;
        }
        *digit = DIGITS[rest as usize];
    }
    digits.into_iter().map(char::from).collect()
}

/// The bytes of an id that [`spell`] has spelled; nothing for other texts.
fn bytes_of(text: &str) -> Option<[u8; ID_BYTES]> {
    let mut number = [0u8; ID_BYTES];
    if text.len() != ID_CHARS {
        return None;
    }
    for sign in text.bytes() {
        let mut carry = u32::try_from(DIGITS.iter().position(|digit| *digit == sign)?).ok()?;
        for byte in number.iter_mut().rev() {
            let here = u32::from(*byte) * 62 + carry;
            *byte = (here & 0xff) as u8;
            carry = here >> 8;
        }
        if carry > 0 {
            return None;
        }
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_spelled() {
        let ids = [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0190_1234_5678_7abc_8def_0011_2233_4455)];
        for (id, generation) in ids.into_iter().flat_map(|id| [0, 1, u32::MAX].map(|generation| (id, generation))) {
            let token = Token { id, generation };
            let text = token.random("gx_").expect("random numbers");
            assert_eq!(Token::read("gx_", text.expose()), Some(token), "{}", text.expose());
            assert_eq!(text.expose().len(), 3 + ID_CHARS + 1 + SECRET_CHARS + 1 + SUM_CHARS);
            assert_eq!(Token::read("gy_", text.expose()), None);
        }
        let one = Token::new(Uuid::nil());
        assert_ne!(one.random("gx_").expect("random").expose(), one.random("gx_").expect("random").expose());
    }

    #[test]
    fn any_sign_that_was_changed_is_seen() {
        let text = Token::new(Uuid::max()).spelled("gx_", &[7; SECRET_BYTES]);
        for at in 0..text.expose().len() {
            let mut signs = text.expose().as_bytes().to_vec();
            signs[at] = if signs[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(signs).expect("ASCII");
            assert_eq!(Token::read("gx_", &changed), None, "{changed}");
        }
        for wrong in ["", "gx_", "gx___", "gx_a_b_c", &text.expose()[1..], &format!("{} ", text.expose())] {
            assert_eq!(Token::read("gx_", wrong), None, "{wrong:?}");
        }
        // More than 20 bytes can hold.
        let said = format!("gx_{}_{}", "z".repeat(ID_CHARS), "z".repeat(SECRET_CHARS));
        assert_eq!(Token::read("gx_", &format!("{said}_{}", checksum(&said))), None);
    }
}

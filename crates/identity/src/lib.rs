//! Who somebody is: passwords, tokens and the keys that make them, second factors. No database, no clock.
//!
//! | file | holds |
//! |---|---|
//! | [`password`] | Argon2id, and passwords that everybody tries first |
//! | [`token`] | the form of what opens something: a prefix, an id, a secret, a checksum |
//! | [`keys`] | what an installation signs access tokens with, and derives refresh tokens from |
//! | [`second`] | codes of an app, codes by mail, backup codes |

pub mod keys;
pub mod password;
pub mod second;
pub mod token;

pub use keys::{AccessClaims, InstallationKey, KeyRing};
pub use password::{PasswordCost, Passwords};
pub use token::Token;

/// The operating system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers; nothing was made")]
pub struct NoRandom;

fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

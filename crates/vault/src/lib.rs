//! Envelope encryption for what tenants entrust to us. No database, no files.
//!
//! Every secret is encrypted with a data key of its own, and the data key with an envelope key that the operator holds
//! ([`Keyring`]). Both times it is AES-256-GCM-SIV with a random nonce, and the place of the secret ([`Place`]) is
//! authenticated with it: what was copied to another row or another tenant does not open there. Changing the envelope key
//! encrypts data keys anew ([`Keyring::rewrap`]) and touches no secret.
//!
//! What is not hidden: that there is a secret, for what, how long it is, and which key sealed it. Who can write to the
//! database can bring back an older row as a whole.

mod keyring;
mod seal;

pub use keyring::{KeyError, KeyId, Keyring, MOST_PREVIOUS, new_key};
pub use seal::{MOST_BYTES, Place, Sealed, VaultError};

#[cfg(test)]
mod tests;

//! Secrets of tenants: who may open them, whose key is sent, and that none of them is ever seen.

mod keys;
mod leaks;
mod peer;
mod rotation;

use galley_domain::Hidden;
use galley_testkit::Harness;
use galley_vault::{Keyring, new_key};

/// A ring of one new key, and the key.
fn fresh() -> (Keyring, Hidden) {
    let key = new_key().unwrap();
    (Keyring::new(&key, []).unwrap(), key)
}

fn hold(harness: &mut Harness, keyring: Option<Keyring>) {
    harness.services = harness.services.clone().with_keyring(keyring);
}

//! For tests only: a peer that answers byte for byte what a test wants, TLS that fails, and names that lead where a test
//! wants, a WordPress that can fail. What it starts ends with the test's runtime.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod answers;
mod peer;
pub mod tls;
pub mod wordpress;

use galley_fetch::address::Policy;

pub use answers::Answers;
pub use peer::{Peer, Reply, Request};

pub const AGENT: &str = "Galley/1.0 (+test)";

/// What an operator allows with these rules.
pub fn policy(rules: &[&str]) -> Policy {
    Policy::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())
}

/// A whole answer with its length; `extra` are header lines that end in `\r\n`.
pub fn answer(status: &str, extra: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{extra}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

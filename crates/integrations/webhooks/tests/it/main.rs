//! Real HTTP on this machine, and the libraries that receivers verify with.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod answers;
mod common;
mod faults;
mod guard;
mod signatures;
mod tls;

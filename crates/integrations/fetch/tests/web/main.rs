//! Everything over real sockets on 127.0.0.1.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod common;
mod faults;
mod guard;
mod pages;
mod robots;
mod search;
mod tls;
mod wrong_heads;

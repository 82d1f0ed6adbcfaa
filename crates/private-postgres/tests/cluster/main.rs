//! The crate against a real Postgres. Every test has its own data folder, ends what it started and removes its files.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod life;
mod places;
mod sharing;
mod support;
mod trouble;

//! Reading the web: guarded fetching, readable text, search providers.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

pub mod address;
mod charset;
mod client;
pub mod dns;
mod error;
mod fetcher;
mod guarded;
mod kind;
mod packing;
mod page;
mod refresh;
pub mod retry;
mod robots;
pub mod search;

pub use client::{FetchLimits, SetupError};
pub use error::{FetchError, Reason, Seconds, causes, reason_of};
pub use fetcher::Fetcher;
pub use guarded::{ClientError, GuardedClients};
pub use page::Page;
pub use retry::{retry_after, retry_after_within};
pub use robots::{Rules, Verdict};

//! WordPress as a destination, against a site that fails as sites do.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

mod copies;
mod faults;
mod listing;
mod ours;
mod probe;
mod sites;
mod support;
mod timing;

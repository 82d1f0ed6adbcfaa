//! For those who run the service, and for those who read about it.

pub mod docs;
pub mod health;
pub mod metrics;

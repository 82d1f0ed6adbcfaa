//! Entities; private to this crate.

pub mod api_keys;
pub mod article_versions;
pub mod articles;
pub mod claims;
pub mod events;
pub mod files;
pub mod publications;
pub mod research_sources;
pub mod steps;
pub mod tasks;
pub mod usage_records;

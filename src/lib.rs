//! Galley.
pub mod http;

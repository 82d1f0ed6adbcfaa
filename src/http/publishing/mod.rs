//! Publishing: blogs and what opens them, posts and their templates.

pub mod connections;
pub mod posts;
pub mod templates;

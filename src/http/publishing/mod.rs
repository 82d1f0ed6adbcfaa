//! Publishing: blogs and what opens them, posts and their templates, sites of projects, many texts at once.

pub mod connections;
pub mod drift;
pub mod integrations;
pub mod posts;
pub mod publisher;
pub mod score;
pub mod templates;

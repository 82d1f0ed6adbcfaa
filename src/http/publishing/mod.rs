//! Publishing: blogs and what opens them, posts and their templates.

pub mod calendar;
pub mod connections;
pub mod drift;
pub mod posts;
pub mod score;
pub mod templates;

//! Publishing: blogs and what opens them, posts with their images and templates.

pub mod calendar;
pub mod connections;
pub mod drift;
pub mod generate;
pub mod images;
pub mod links;
pub mod posts;
pub mod score;
pub mod stock_photos;
pub mod templates;

//! Publishing: blogs and what opens them, posts with their images and templates, sites of projects, many texts at once.

pub mod calendar;
pub mod connections;
pub mod drift;
pub mod feeds;
pub mod generate;
pub mod images;
pub mod integrations;
pub mod links;
pub mod posts;
pub mod publisher;
pub mod score;
pub mod stock_photos;
pub mod templates;

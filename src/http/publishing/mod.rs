//! Posts and what goes with them.

pub mod generate;
pub mod images;
pub mod links;
pub mod stock_photos;

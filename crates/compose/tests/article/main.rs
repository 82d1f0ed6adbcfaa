//! The whole way from sources to an article, on texts written for it.

mod asked;
mod disputes;
mod fixtures;
mod lists;
mod properties;
mod tables;
mod truth;

//! The whole way from sources to an article, on texts written for it.

mod fixtures;
mod properties;
mod truth;

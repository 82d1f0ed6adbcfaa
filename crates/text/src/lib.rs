//! Text analysis: sentences, words, readability, SEO checks. Pure functions.

pub mod language;
pub mod markdown;
pub mod sentence;
pub mod seo;
pub mod slug;
pub mod word;

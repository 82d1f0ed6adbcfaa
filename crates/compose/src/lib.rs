//! Writing from sources without a model, and checking any writing against its sources. Pure functions.
//!
//! [`outline()`] plans, [`section()`] writes, [`fit()`] brings any article to
//! the ordered length, [`claims`] ties every sentence to what supports it, and [`article`] puts it all on paper. The
//! same input gives the same output, byte for byte.

mod antecedent;
pub mod article;
mod asked;
mod attribution;
mod bm25;
pub mod claims;
mod closing;
mod dispute;
pub mod figures;
mod fit;
mod foreign;
mod lexicon;
pub mod likeness;
mod notes;
pub mod orders;
mod outline;
mod plan;
mod pool;
mod rank;
mod related;
pub mod request;
pub mod searches;
mod section;
mod similar;
pub mod snapshot;
pub mod subject;
mod table;
mod title;
mod topics;
mod transcript;
mod unspaced;
mod usable;
mod vocabulary;
mod writer;

#[cfg(test)]
mod testing;

pub use fit::fit;
pub use foreign::in_language_of_sources;
pub use notes::notes;
pub use outline::{assign, assign_with, outline, outline_with};
pub use rank::rank;
pub use section::section;
pub use writer::ExtractiveWriter;

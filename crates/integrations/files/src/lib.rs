//! Text out of uploaded files: told apart by content, bounded in everything.
//!
//! [`extract`] reads one file into the subset of Markdown that `galley_domain::writing::Snapshot::text` documents;
//! [`extract_async`] does so on a thread of its own. [`html::to_text`] reads a web page the same way. [`Readers`] do both
//! in processes whose memory is limited.

mod archive;
mod blocks;
mod characters;
mod charset;
mod csv_file;
mod docx;
mod error;
mod extract;
pub mod html;
mod hyphens;
mod limits;
mod markdown;
mod notes;
mod pdf;
mod pictures;
mod plain;
mod readers;
mod relations;
mod script;
mod sniff;
mod symbols;
mod table;
mod xlsx;
mod xml;

pub use error::FileError;
pub use extract::{Extracted, extract, extract_async};
pub use limits::Limits;
pub use pictures::{Picture, PictureContent, Pictures, PicturesLeftOut};
pub use readers::{DEFAULT_BUDGET_MB, LEAST_BUDGET_MB, Readers, Source, read_in_this_process};
pub use sniff::{FileKind, sniff};

//! Where finished articles go: the trait that all destinations have, and the first of them, a folder of Markdown with
//! front matter that static site generators (Hugo, Jekyll, Astro, Eleventy) build a site from.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there"))]

mod destination;
mod differences;
mod folder;
mod front_matter;
mod io_fault;
mod markup;
mod post;
mod probe;
mod remote;

pub use destination::Destination;
pub use differences::{FieldDifference, differences};
pub use folder::FolderDestination;
pub use front_matter::{FrontMatterStyle, Stamp, document, stamp};
pub use post::{Asset, AssetRole, Post, SeoMeta, Visibility};
pub use probe::{Capability, CapabilityId, CapabilityStatus, Probe, Term, TermKind};
pub use remote::{Existing, Known, Picture, Published, RemoteFields, RemoteStatus, Removal, SeoOutcome};
